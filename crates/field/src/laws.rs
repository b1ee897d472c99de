//! The one suite of laws, for every field.
use crate::Field;
pub(crate) fn all<F: Field>() {
    assert_eq!(F::ONE * F::ONE, F::ONE);
}
