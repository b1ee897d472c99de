//! Every gadget against plain arithmetic, in the clear and shared; and what helpers see.

mod gadgets;
mod secrecy;
pub(crate) mod shared;

use quorate_field::Field;

use super::convert::converted;
use super::sum::{Number, Shape};
use super::{Bit, Draft, Program, evaluate, lanes};

/// The values' lowest bits, bit by bit.
fn sliced(values: &[u64], width: u32) -> Vec<Vec<u64>> {
    let mut bits = vec![0; width as usize * lanes::words(values.len())];
    lanes::slice_bits(values, width as usize, &mut bits);
    bits.chunks(lanes::words(values.len())).map(<[u64]>::to_vec).collect()
}

/// The inverse of [`sliced`].
fn joined(bits: &[Vec<u64>], rows: usize) -> Vec<u64> {
    let mut values = vec![0; rows];
    lanes::join_bits(&bits.concat(), &mut values);
    values
}

/// What a program says of these numbers, in the clear: `secrets` and `publics` are numbers and their widths.
fn clear(program: &Program, secrets: &[(&[u64], u32)], publics: &[(&[u64], u32)], rows: usize) -> Vec<u64> {
    let bits = |numbers: &[(&[u64], u32)]| -> Vec<Vec<u64>> {
        numbers.iter().flat_map(|(values, width)| sliced(values, *width)).collect()
    };
    let (secrets, publics) = (bits(secrets), bits(publics));
    let secrets: Vec<&[u64]> = secrets.iter().map(Vec::as_slice).collect();
    let publics: Vec<&[u64]> = publics.iter().map(Vec::as_slice).collect();
    joined(&evaluate(program, &secrets, &publics, rows), rows)
}

/// The program of one conversion that makes of the bits of `x - min` what `then` says: cut them, compare them.
fn conversion_program<F: Field>(
    threshold: usize,
    shape: Shape,
    then: impl FnOnce(&mut Draft, &Number) -> Vec<Bit>,
) -> Program {
    let mut draft = Draft::new();
    let bits = converted::<F>(&mut draft, threshold, shape);
    let outputs = then(&mut draft, &bits);
    draft.finish(&outputs)
}
