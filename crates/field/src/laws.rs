//! The one suite of laws: every field passes it, and its kernels pass it on every backend this machine has.
//!
//! Kernels are compared with their scalar definition on edge values and on a fixed pseudo-random stream, at
//! lengths around the vector widths and at row counts around the lazy reductions.

use std::sync::{Mutex, PoisonError};

use crate::{
    Backend, Field, Integer, NonCanonical, NonCanonicalAt, check_slice, force_backend, read_slice,
    write_slice,
};

/// Lengths: empty, one, around one vector and eight of them, above a tile's vectors, above a tile.
const LENGTHS: [usize; 12] = [0, 1, 7, 8, 9, 31, 63, 64, 65, 520, 1000, 2051];

/// All laws, the kernels on every supported backend.
pub(crate) fn all<F: Field>() {
    ring::<F>();
    inverses::<F>();
    encoding::<F>();
    centred_embedding::<F>();
    for backend in Backend::supported() {
        with_backend(backend, || {
            elementwise_kernels::<F>();
            checks::<F>();
            row_kernels::<F>();
        });
    }
}

/// Runs `body` with the backend forced, or not at all where it is not supported. One test at a time; tests that
/// do not come here see whichever backend is active and must not care.
pub(crate) fn with_backend<T>(backend: Backend, body: impl FnOnce() -> T) -> Option<T> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let before = Backend::active();
    force_backend(backend).ok()?;
    let result = body();
    force_backend(before).unwrap();
    Some(result)
}

/// 0, 1, 2, p-2, p-1 and (p±1)/2.
fn edges<F: Field>() -> Vec<F> {
    let two = F::ONE + F::ONE;
    let half = two.inverse().unwrap();
    vec![F::ZERO, F::ONE, two, -two, -F::ONE, half, half - F::ONE]
}

/// `count` elements: the edges mixed into a xorshift stream, reproducible.
fn elements<F: Field>(seed: u64, count: usize) -> Vec<F> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut word = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let edges = edges::<F>();
    (0..count)
        .map(|_| {
            let bytes: Vec<u8> = (0..F::BYTES).map(|_| (word() >> 32) as u8).collect();
            let random = F::from_masked(&bytes).0;
            let edge = word() as usize % (2 * edges.len());
            edges.get(edge).copied().unwrap_or(random)
        })
        .collect()
}

fn ring<F: Field>() {
    let mut sample = edges::<F>();
    sample.extend(elements::<F>(1, 8));
    for &a in &sample {
        assert_eq!(a + F::ZERO, a);
        assert_eq!(a * F::ONE, a);
        assert_eq!(a * F::ZERO, F::ZERO);
        assert_eq!(a - F::ZERO, a);
        assert_eq!(a + -a, F::ZERO);
        for &b in &sample {
            assert_eq!(a + b, b + a);
            assert_eq!(a * b, b * a);
            assert_eq!(a - b, a + -b);
            assert_eq!(-a * b, -(a * b));
            assert_eq!(bool::from(a.ct_eq(&b)), a == b);
            for &c in &sample {
                assert_eq!((a + b) + c, a + (b + c));
                assert_eq!((a * b) * c, a * (b * c));
                assert_eq!(a * (b + c), a * b + a * c);
            }
            assert_eq!((a - b) + b, a);
            let (mut sum, mut difference, mut product) = (a, a, a);
            sum += b;
            difference -= b;
            product *= b;
            assert_eq!((sum, difference, product), (a + b, a - b, a * b));
        }
    }
    let mut zeroed = F::ONE;
    zeroed.zeroize();
    assert_eq!((zeroed, F::default()), (F::ZERO, F::ZERO));
}

fn inverses<F: Field>() {
    assert_eq!(F::ZERO.inverse(), None);
    for a in elements::<F>(2, 50).into_iter().filter(|a| *a != F::ZERO) {
        assert_eq!(a * a.inverse().unwrap(), F::ONE);
    }
}

/// Round trip; of p and everything above, `read` refuses all and `from_masked` flags all.
fn encoding<F: Field>() {
    assert_eq!(F::BYTES, (F::BITS as usize).div_ceil(8));
    let sample = elements::<F>(3, 40);
    let bytes = write_slice(&sample);
    assert_eq!(read_slice::<F>(&bytes), Ok(sample.clone()));
    for (element, encoded) in sample.iter().zip(bytes.chunks(F::BYTES)) {
        assert_eq!(F::read(encoded), Ok(*element));
        let (masked, excess) = F::from_masked(encoded);
        assert_eq!((masked, bool::from(excess)), (*element, false));
    }

    let mut masked = vec![F::ONE; sample.len()];
    assert!(!F::from_masked_slice(&bytes, &mut masked));
    assert_eq!(masked, sample);

    let modulus: Vec<u8> = F::MODULUS.iter().flat_map(|word| word.to_le_bytes()).take(F::BYTES).collect();
    let all_ones = vec![0xff; F::BYTES];
    for bad in [&modulus, &all_ones] {
        assert_eq!(F::read(bad), Err(NonCanonical));
        let (masked, excess) = F::from_masked(bad);
        assert_eq!((masked, bool::from(excess)), (F::ZERO, true));
        let (good, mut both) = (write_slice(&sample[..1]), [F::ONE; 2]);
        assert!(F::from_masked_slice(&[bad.as_slice(), &good].concat(), &mut both));
        assert_eq!(both, [F::ZERO, sample[0]]);
    }
    let mut spoilt = bytes.clone();
    spoilt[17 * F::BYTES..18 * F::BYTES].copy_from_slice(&modulus);
    assert_eq!(read_slice::<F>(&spoilt), Err(NonCanonicalAt { index: 17 }));
    if F::BYTES > 1 {
        assert_eq!(read_slice::<F>(&bytes[..bytes.len() - 1]), Err(NonCanonicalAt { index: 39 }));
    }
}

/// A bijection with `-(p-1)/2 ..= (p-1)/2` that keeps sums; beyond, nothing embeds.
fn centred_embedding<F: Field>() {
    let half = (-F::ONE * (F::ONE + F::ONE).inverse().unwrap()).to_integer();
    let modulus = Integer::from_le_words(F::MODULUS);
    assert_eq!(half.checked_add(&half).unwrap().checked_add(&Integer::ONE), Some(modulus));
    for a in elements::<F>(4, 40) {
        let x = a.to_integer();
        assert!(x.abs() <= half);
        assert_eq!(F::from_integer(&x), Some(a));
        assert_eq!((-a).to_integer(), x.checked_neg().unwrap());
    }
    let beyond = half.checked_add(&Integer::ONE).unwrap();
    let far = Integer::pow10(150).unwrap();
    for x in [beyond, modulus, far] {
        assert_eq!(F::from_integer(&x), None);
        assert_eq!(F::from_integer(&x.checked_neg().unwrap()), None);
    }
    assert_eq!(F::from_integer(&half.checked_neg().unwrap()), Some(-F::from_integer(&half).unwrap()));
    assert_eq!(F::from_integer(&Integer::from(-1)), Some(-F::ONE));
    let big = u64::MAX - 5;
    let (_, reduced) = Integer::from(big).div_rem(&modulus).unwrap();
    let expected = if reduced > half { reduced.checked_sub(&modulus).unwrap() } else { reduced };
    assert_eq!(F::from_u64(big).to_integer(), expected);
}

/// Every kernel of two slices against the operators, all pairs of edges included.
fn elementwise_kernels<F: Field>() {
    let edges = edges::<F>();
    let (left, right): (Vec<F>, Vec<F>) =
        edges.iter().flat_map(|a| edges.iter().map(move |b| (*a, *b))).unzip();
    elementwise(&left, &right);
    for length in LENGTHS {
        elementwise(&elements::<F>(5, length), &elements::<F>(6, length));
        let largest = vec![-F::ONE; length];
        elementwise(&largest, &largest);
    }
    // Longer than any lazy sum may grow: (p-1)^2 = 1, so the dot product counts.
    let long = vec![-F::ONE; 70_000];
    assert_eq!(F::dot(&long, &long), F::from_u64(70_000), "dot of the largest");
    assert_eq!(F::sum_slice(&long), -F::from_u64(70_000), "sum of the largest");
}

fn elementwise<F: Field>(x: &[F], y: &[F]) {
    let pairs = |f: fn(F, F) -> F| -> Vec<F> { x.iter().zip(y).map(|(x, y)| f(*x, *y)).collect() };
    let run = |kernel: &dyn Fn(&mut [F])| {
        let mut acc = x.to_vec();
        kernel(&mut acc);
        acc
    };
    let at = x.len();
    assert_eq!(run(&|acc| F::add_slices(acc, y)), pairs(|x, y| x + y), "add_slices, {at} elements");
    assert_eq!(run(&|acc| F::sub_slices(acc, y)), pairs(|x, y| x - y), "sub_slices, {at} elements");
    assert_eq!(run(&|acc| F::mul_slices(acc, y)), pairs(|x, y| x * y), "mul_slices, {at} elements");
    assert_eq!(F::dot(x, y), pairs(|x, y| x * y).into_iter().sum(), "dot, {at} elements");
    let (sum, encoded) = (x.iter().copied().sum(), write_slice(x));
    assert_eq!(F::sum_slice(x), sum, "sum_slice, {at} elements");
    assert_eq!(F::sum_encoded(&encoded), Ok(sum), "sum_encoded, {at} elements");
    assert_eq!(read_slice::<F>(&encoded).as_deref(), Ok(x), "read_slice, {at} elements");
    let add_masked = |acc: &mut [F]| assert!(!F::add_masked_slice(acc, &write_slice(y)));
    assert_eq!(run(&add_masked), pairs(|x, y| x + y), "add_masked_slice, {at} elements");
    for k in [F::ZERO, F::ONE, -F::ONE, elements(7, 1)[0]] {
        let scaled: Vec<F> = x.iter().map(|x| *x * k).collect();
        assert_eq!(run(&|acc| F::scale_slice(acc, k)), scaled, "scale_slice, {at} elements");
        let sums: Vec<F> = x.iter().zip(y).map(|(x, y)| *x + k * *y).collect();
        assert_eq!(run(&|acc| F::axpy(acc, k, y)), sums, "axpy, {at} elements");
    }
}

/// What is not canonical is found wherever it is, and named.
fn checks<F: Field>() {
    let modulus: Vec<u8> = F::MODULUS.iter().flat_map(|word| word.to_le_bytes()).take(F::BYTES).collect();
    for length in LENGTHS {
        let row = write_slice(&elements::<F>(10, length));
        for index in [0, length / 2, length.saturating_sub(1)].into_iter().filter(|index| *index < length) {
            for bad in [modulus.clone(), vec![0xff; F::BYTES]] {
                let mut spoilt = row.clone();
                spoilt[index * F::BYTES..(index + 1) * F::BYTES].copy_from_slice(&bad);
                let error = NonCanonicalAt { index };
                assert_eq!(F::sum_encoded(&spoilt), Err(error), "{length} elements");
                assert_eq!(check_slice::<F>(&spoilt), Err(error), "{length} elements");
                assert_eq!(read_slice::<F>(&spoilt), Err(error), "{length} elements");
                let in_second = NonCanonicalAt { index: length + index };
                let rows = [row.as_slice(), &spoilt, &row].concat();
                assert_eq!(F::accumulate_encoded(&mut vec![F::ONE; length], &rows), Err(in_second));
                // Nothing is added in its place.
                let mut sums = vec![F::ONE; length];
                assert!(F::add_masked_slice(&mut sums, &spoilt), "{length} elements");
                assert_eq!(sums[index], F::ONE, "{length} elements");
            }
        }
    }
}

/// The kernels of many rows, at row counts that cross every lazy reduction (7, 8, 63 and 1024 rows).
fn row_kernels<F: Field>() {
    for length in LENGTHS {
        for count in 0..=20 {
            let rows: Vec<Vec<F>> = (0..count).map(|row| elements(100 + row, length)).collect();
            many_rows(&rows, length);
        }
    }
    for count in [62, 63, 64, 65, 127, 1023, 1024, 1025, 2049] {
        many_rows(&vec![vec![-F::ONE; 41]; count], 41);
        let rows: Vec<Vec<F>> = (0..count).map(|row| elements(row as u64, 41)).collect();
        many_rows(&rows, 41);
    }
}

fn many_rows<F: Field>(rows: &[Vec<F>], length: usize) {
    let views: Vec<&[F]> = rows.iter().map(Vec::as_slice).collect();
    let start = elements::<F>(8, length);
    let mut weights = elements::<F>(9, rows.len());
    if rows.first().is_some_and(|row| row.first() == Some(&-F::ONE)) {
        weights.fill(-F::ONE);
    }

    let (mut sum, mut expected_sum) = (start.clone(), start.clone());
    F::accumulate_rows(&mut sum, &views);
    let encoded: Vec<u8> = views.iter().flat_map(|row| write_slice(row)).collect();
    let mut decoded = start.clone();
    F::accumulate_encoded(&mut decoded, &encoded).unwrap();
    assert_eq!(decoded, sum, "accumulate_encoded, {} rows of {length}", rows.len());
    let (mut weighted, mut expected_weighted) = (start.clone(), start);
    F::weighted_sum(&mut weighted, &weights, &views);
    for (row, weight) in rows.iter().zip(&weights) {
        for (column, x) in row.iter().enumerate() {
            expected_sum[column] += *x;
            expected_weighted[column] += *weight * *x;
        }
    }
    assert_eq!(sum, expected_sum, "accumulate_rows, {} rows of {length}", rows.len());
    assert_eq!(weighted, expected_weighted, "weighted_sum, {} rows of {length}", rows.len());
}

mod mismatched_lengths {
    use crate::{F61, F127, F256, Field};

    /// Each kernel must panic rather than read past a slice or stop short.
    fn all_panic<F: Field>() {
        let (short, long) = (vec![F::ONE; 3], vec![F::ONE; 4]);
        let calls: [&dyn Fn(); 12] = [
            &|| F::add_slices(&mut long.clone(), &short),
            &|| F::sub_slices(&mut long.clone(), &short),
            &|| F::mul_slices(&mut short.clone(), &long),
            &|| F::axpy(&mut short.clone(), F::ONE, &long),
            &|| assert_eq!(F::dot(&short, &long), F::ZERO),
            &|| F::accumulate_rows(&mut long.clone(), &[&long, &short]),
            &|| F::weighted_sum(&mut long.clone(), &[F::ONE, F::ONE], &[&long, &short]),
            &|| F::weighted_sum(&mut long.clone(), &[F::ONE], &[&long, &long]),
            &|| assert!(F::read_slice(&[0; 1], &mut long.clone()).is_err()),
            &|| assert!(F::add_masked_slice(&mut long.clone(), &[0; 1])),
            &|| assert!(F::sum_encoded(&vec![0; F::BYTES + 1]).is_err()),
            &|| assert!(F::accumulate_encoded(&mut long.clone(), &vec![0; 3 * F::BYTES]).is_err()),
        ];
        for (index, call) in calls.iter().enumerate() {
            let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(call));
            assert!(outcome.is_err(), "kernel {index} of {} took unequal lengths", F::NAME);
        }
    }

    #[test]
    fn every_kernel_panics() {
        all_panic::<F61>();
        all_panic::<F127>();
        all_panic::<F256>();
    }
}
