//! Streams: position-addressed, exactly uniform.

use chacha20::ChaCha20;
use chacha20::cipher::{KeyIvInit as _, StreamCipher as _};
use proptest::prelude::*;
use quorate_field::tiny::{F7, F31, M127};
use quorate_field::{F61, F127, F256, Field};
use quorate_sharing::{Seed, Stream, expand};

/// The specification, one element at a time and from the beginning of each keystream.
fn specified<F: Field>(seed: &[u8; 32], count: usize) -> Vec<F> {
    let keystream = |word: u32| {
        let mut nonce = [0; 12];
        nonce[8..].copy_from_slice(&word.to_le_bytes());
        let mut bytes = vec![0; count * F::BYTES];
        ChaCha20::new(seed.into(), &nonce.into()).apply_keystream(&mut bytes);
        bytes
    };
    let streams: Vec<Vec<u8>> = (1..20).map(keystream).collect();
    let element = |i: usize| {
        let candidates = streams.iter().map(|bytes| {
            let mut bytes = bytes[i * F::BYTES..][..F::BYTES].to_vec();
            let spare = F::BYTES * 8 - F::BITS as usize;
            *bytes.last_mut().unwrap() &= 0xff >> spare;
            F::read(&bytes).ok()
        });
        candidates.flatten().next().unwrap()
    };
    (0..count).map(element).collect()
}

fn agrees<F: Field>() {
    for byte in 0..8 {
        let seed = [byte; 32];
        assert_eq!(expand::<F>(&Seed::from_bytes(seed), 3000).as_slice(), specified::<F>(&seed, 3000));
    }
}

/// Over F7 one element in eight is rejected, and the cold branch is taken in every block.
#[test]
fn streams_are_as_specified() {
    agrees::<F7>();
    agrees::<F31>();
    agrees::<M127>();
    agrees::<F61>();
    agrees::<F127>();
    agrees::<F256>();
}

#[test]
fn rejection_leaves_the_distribution_uniform() {
    let count = 70_000;
    let mut counts = [0_i32; 7];
    for element in expand::<F7>(&Seed::from_bytes([42; 32]), count).as_slice() {
        counts[usize::from(element.to_u8())] += 1;
    }
    // 10,000 expected of each, standard deviation 93; without rejection 0 would occur 17,500 times.
    assert!(counts.iter().all(|count| (count - 10_000).abs() < 500), "{counts:?}");
}

proptest! {
    #[test]
    fn any_part_can_be_sought(seed: [u8; 32], first in 0_usize..2000, count in 0_usize..600) {
        let seed = Seed::from_bytes(seed);
        let stream = Stream::new(&seed);
        let mut small = vec![F7::ZERO; count];
        stream.fill(first as u64, &mut small);
        let whole = expand::<F7>(&seed, first + count);
        prop_assert_eq!(&small, &whole.as_slice()[first..]);
        let mut large = vec![F127::ZERO; count];
        stream.fill(first as u64, &mut large);
        let whole = expand::<F127>(&seed, first + count);
        prop_assert_eq!(&large, &whole.as_slice()[first..]);
    }
}

/// A stream added to sums, from somewhere, in one go or two.
fn adds<F: Field>() {
    let stream = Stream::new(&Seed::from_bytes([9; 32]));
    for (first, count) in [(0, 0), (0, 1), (3, 128), (5, 700)] {
        let mut expected = vec![F::ZERO; count];
        stream.fill(first, &mut expected);
        expected.iter_mut().for_each(|element| *element += F::ONE);
        let mut sums = vec![F::ONE; count];
        let (left, right) = sums.split_at_mut(count / 3);
        stream.add_to(first, left);
        stream.add_to(first + left.len() as u64, right);
        assert_eq!(sums, expected, "{} from {first}, {count} elements", F::NAME);
    }
}

#[test]
fn a_stream_is_added_without_being_written_out() {
    adds::<F7>();
    adds::<M127>();
    adds::<F61>();
    adds::<F127>();
    adds::<F256>();
}

#[test]
#[should_panic(expected = "256 GiB")]
fn the_end_of_the_keystream_is_not_wrapped_around() {
    Stream::new(&Seed::from_bytes([0; 32])).fill(1 << 40, &mut [F61::ZERO]);
}
