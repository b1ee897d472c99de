//! Operator traits of a field, from its four inherent functions.

/// Implements `+ - *`, unary `-`, their assigning forms and `Sum` from `add`, `sub`, `mul` and `neg`, which the
/// type (given with its const parameters, if any) defines as inherent associated functions of those names with
/// the suffix `_mod`.
macro_rules! field_operators {
    ($field:ty $(, const $parameter:ident: $kind:ty)?) => {
        impl$(<const $parameter: $kind>)? core::ops::Add for $field {
            type Output = Self;
            #[inline(always)]
            fn add(self, other: Self) -> Self {
                self.add_mod(other)
            }
        }
        impl$(<const $parameter: $kind>)? core::ops::Sub for $field {
            type Output = Self;
            #[inline(always)]
            fn sub(self, other: Self) -> Self {
                self.sub_mod(other)
            }
        }
        impl$(<const $parameter: $kind>)? core::ops::Mul for $field {
            type Output = Self;
            #[inline(always)]
            fn mul(self, other: Self) -> Self {
                self.mul_mod(other)
            }
        }
        impl$(<const $parameter: $kind>)? core::ops::Neg for $field {
            type Output = Self;
            #[inline(always)]
            fn neg(self) -> Self {
                self.neg_mod()
            }
        }
        impl$(<const $parameter: $kind>)? core::ops::AddAssign for $field {
            #[inline(always)]
            fn add_assign(&mut self, other: Self) {
                *self = self.add_mod(other);
            }
        }
        impl$(<const $parameter: $kind>)? core::ops::SubAssign for $field {
            #[inline(always)]
            fn sub_assign(&mut self, other: Self) {
                *self = self.sub_mod(other);
            }
        }
        impl$(<const $parameter: $kind>)? core::ops::MulAssign for $field {
            #[inline(always)]
            fn mul_assign(&mut self, other: Self) {
                *self = self.mul_mod(other);
            }
        }
        impl$(<const $parameter: $kind>)? core::iter::Sum for $field {
            #[inline]
            fn sum<I: Iterator<Item = Self>>(elements: I) -> Self {
                elements.fold(<Self as $crate::Field>::ZERO, |sum, element| sum + element)
            }
        }
    };
}

pub(crate) use field_operators;
