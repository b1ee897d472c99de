//! Operator traits of a field from its four inherent functions, and its slice kernels from a module.

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

/// The slice kernels of [`Field`], inside its `impl`: lengths checked here, work done in a module `kernels`.
macro_rules! field_kernels {
    () => {
        fn add_slices(acc: &mut [Self], x: &[Self]) {
            $crate::field::assert_same_length(acc.len(), x.len());
            kernels::add_slices(acc, x);
        }

        fn sub_slices(acc: &mut [Self], x: &[Self]) {
            $crate::field::assert_same_length(acc.len(), x.len());
            kernels::sub_slices(acc, x);
        }

        fn mul_slices(acc: &mut [Self], x: &[Self]) {
            $crate::field::assert_same_length(acc.len(), x.len());
            kernels::mul_slices(acc, x);
        }

        fn scale_slice(acc: &mut [Self], k: Self) {
            kernels::scale_slice(acc, k);
        }

        fn axpy(acc: &mut [Self], k: Self, x: &[Self]) {
            $crate::field::assert_same_length(acc.len(), x.len());
            kernels::axpy(acc, k, x);
        }

        fn dot(x: &[Self], y: &[Self]) -> Self {
            $crate::field::assert_same_length(x.len(), y.len());
            kernels::dot(x, y)
        }

        fn sum_slice(x: &[Self]) -> Self {
            kernels::sum_slice(x)
        }

        fn accumulate_rows(acc: &mut [Self], rows: &[&[Self]]) {
            $crate::field::assert_rows_fit(acc, rows);
            kernels::accumulate_rows(acc, rows);
        }

        fn sum_encoded(bytes: &[u8]) -> Result<Self, $crate::NonCanonicalAt> {
            $crate::field::assert_whole_rows(&[Self::ZERO], bytes);
            let (elements, _) = bytes.as_chunks::<{ Self::BYTES }>();
            kernels::sum_encoded(elements).ok_or_else(|| $crate::encoding::first_non_canonical::<Self>(bytes))
        }

        fn accumulate_encoded(acc: &mut [Self], bytes: &[u8]) -> Result<(), $crate::NonCanonicalAt> {
            $crate::field::assert_whole_rows(acc, bytes);
            let (elements, _) = bytes.as_chunks::<{ Self::BYTES }>();
            let rows: Vec<_> = elements.chunks_exact(acc.len().max(1)).collect();
            let are_canonical = kernels::accumulate_encoded(acc, &rows);
            are_canonical.then_some(()).ok_or_else(|| $crate::encoding::first_non_canonical::<Self>(bytes))
        }

        fn weighted_sum(acc: &mut [Self], weights: &[Self], rows: &[&[Self]]) {
            $crate::field::assert_same_length(weights.len(), rows.len());
            $crate::field::assert_rows_fit(acc, rows);
            kernels::weighted_sum(acc, weights, rows);
        }
    };
}

pub(crate) use {field_kernels, field_operators};
