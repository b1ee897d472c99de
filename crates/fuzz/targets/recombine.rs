//! Recombination of any shares: never a panic, never a result that more than the correctable number of shares
//! contradict, and nobody named where that cannot be known.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quorate_field::{F61, Field};
use quorate_sharing::{Scheme, recombine};

fuzz_target!(|bytes: &[u8]| {
    let Some((&[n, t, length], bytes)) = bytes.split_first_chunk() else { return };
    let Ok(scheme) = Scheme::shamir(n % 16, t % 8) else { return };
    let length = usize::from(length % 4);
    // Small values and few helpers, so that chance meets words of a low degree.
    let points: Vec<(u8, Vec<F61>)> = bytes
        .chunks_exact(1 + length)
        .take(20)
        .map(|chunk| (chunk[0] % 17, chunk[1..].iter().map(|byte| F61::from_u64((*byte).into())).collect()))
        .collect();
    let points: Vec<(u8, &[F61])> = points.iter().map(|(helper, values)| (*helper, &values[..])).collect();
    if let Ok(found) = recombine(&scheme, &points) {
        let (m, t) = (points.len(), usize::from(scheme.threshold()));
        assert!(m > t && found.values.len() == length);
        assert!(2 * found.wrong.len() < m - t, "more were wrong than can be corrected");
        assert!(found.wrong.is_empty() || m > 3 * t, "nobody can be named");
    }
});
