//! Secret keys of 32 bytes: a contributor's secret, and the seeds that stand for shares.

use std::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

/// A 256-bit key whose stream of field elements ([`crate::expand`]) *is* a share.
///
/// Wiped on drop; neither printed nor compared. Copies are explicit: [`Seed::duplicate`].
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Seed([u8; 32]);

/// The one secret of a contributor from which all randomness of its contributions follows.
///
/// It must be 32 uniformly random bytes, made where the contributor is and kept until the upload is complete (a
/// resumed upload is then byte-identical). Wiped on drop; neither printed nor compared.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct ContributorSecret([u8; 32]);

macro_rules! secret_bytes {
    ($name:ident) => {
        impl $name {
            /// Takes over secret bytes.
            pub fn from_bytes(bytes: [u8; 32]) -> Self {
                $name(bytes)
            }

            /// The secret bytes, for where they must leave the type: derivation and the wire.
            pub fn expose(&self) -> &[u8; 32] {
                &self.0
            }

            /// A second copy of the secret.
            #[must_use]
            pub fn duplicate(&self) -> Self {
                $name(self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(secret)"))
            }
        }
    };
}

secret_bytes!(Seed);
secret_bytes!(ContributorSecret);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_do_not_print() {
        assert_eq!(format!("{:?}", Seed::from_bytes([7; 32])), "Seed(secret)");
        assert_eq!(format!("{:?}", ContributorSecret::from_bytes([7; 32])), "ContributorSecret(secret)");
    }
}
