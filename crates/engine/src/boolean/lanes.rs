//! Bit-sliced rows: word `w` of a bit holds that bit of rows `64 w .. 64 w + 63`, the first in the lowest lane.
//!
//! The lanes of the last word beyond the last row are zero wherever a bit is stored or handed over; inside a
//! program they are anything.

/// Rows in a word.
pub const LANES: usize = 64;

/// The words that `rows` rows take.
pub fn words(rows: usize) -> usize {
    rows.div_ceil(LANES)
}

/// The lanes of the last word that are rows.
pub fn last_mask(rows: usize) -> u64 {
    match rows % LANES {
        0 => u64::MAX,
        lanes => (1 << lanes) - 1,
    }
}

/// Sets the padding of one bit's words to zero.
pub fn clear_padding(bit: &mut [u64], rows: usize) {
    if let (Some(last), true) = (bit.last_mut(), rows > 0) {
        *last &= last_mask(rows);
    }
}

/// The lowest `bits` bits of each row's value, bit by bit: bit `b` is `out[b * words ..][.. words]`.
///
/// # Panics
/// If `out` is not `bits * words(values.len())` long, or `bits` is more than 64.
pub fn slice_bits(values: &[u64], bits: usize, out: &mut [u64]) {
    let words = words(values.len());
    assert!(bits <= 64 && out.len() == bits * words, "one word for 64 rows of each bit");
    let mut block = [0; LANES];
    for (word, rows) in values.chunks(LANES).enumerate() {
        block[..rows.len()].copy_from_slice(rows);
        block[rows.len()..].fill(0);
        transpose(&mut block);
        for (bit, &lanes) in block.iter().enumerate().take(bits) {
            out[bit * words + word] = lanes;
        }
    }
    zeroize::Zeroize::zeroize(&mut block);
}

/// The inverse of [`slice_bits`]: row `i` gets the value whose bits its lane holds.
///
/// # Panics
/// If `bits` is not a whole number of bits of `words(out.len())` words, at most 64.
pub fn join_bits(bits: &[u64], out: &mut [u64]) {
    let words = words(out.len());
    assert!(
        bits.len() <= 64 * words && bits.len().is_multiple_of(words.max(1)),
        "whole bits of so many rows"
    );
    let mut block = [0; LANES];
    for (word, rows) in out.chunks_mut(LANES).enumerate() {
        block.fill(0);
        for (lanes, bit) in block.iter_mut().zip(bits.chunks_exact(words)) {
            *lanes = bit[word];
        }
        transpose(&mut block);
        rows.copy_from_slice(&block[..rows.len()]);
    }
    zeroize::Zeroize::zeroize(&mut block);
}

/// Transposes a matrix of 64 by 64 bits: quarters change places, then quarters of quarters (Warren, "Hacker's
/// Delight", section 7-3), so that bit `c` of word `r` becomes bit `r` of word `c`.
fn transpose(block: &mut [u64; LANES]) {
    let mut half = LANES / 2;
    let mut mask = u64::MAX >> half;
    while half > 0 {
        for first in (0..LANES).step_by(2 * half) {
            let (low, high) = block[first..first + 2 * half].split_at_mut(half);
            for (low, high) in low.iter_mut().zip(high) {
                let swap = ((*low >> half) ^ *high) & mask;
                *high ^= swap;
                *low ^= swap << half;
            }
        }
        half /= 2;
        mask ^= mask << half;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn slicing_puts_each_bit_in_its_lane_and_joins_again(values in prop::collection::vec(any::<u64>(), 0..200)) {
            let words = words(values.len());
            let mut bits = vec![0; 64 * words];
            slice_bits(&values, 64, &mut bits);
            for (row, value) in values.iter().enumerate() {
                for bit in 0..64 {
                    prop_assert_eq!(bits[bit * words + row / 64] >> (row % 64) & 1, value >> bit & 1);
                }
            }
            let mut joined = vec![0; values.len()];
            join_bits(&bits, &mut joined);
            prop_assert_eq!(joined, values);
        }
    }

    #[test]
    fn padding_is_what_lies_beyond_the_last_row() {
        assert_eq!([0, 1, 63, 64, 65].map(words), [0, 1, 1, 1, 2]);
        assert_eq!([1, 63, 64, 65].map(last_mask), [1, u64::MAX >> 1, u64::MAX, 1]);
        let mut bit = [u64::MAX; 2];
        clear_padding(&mut bit, 67);
        assert_eq!(bit, [u64::MAX, 7]);
    }
}
