//! Products, sums of products and openings against clear arithmetic, and what a lie does.

use proptest::prelude::*;
use quorate_field::{F61, F127, Field};
use quorate_sharing::{HelperNumber, Scheme, Shares, lagrange_at_zero};

use super::*;
use crate::EngineError;
use crate::opening::{Mask, Points, open};
use crate::testing::{Network, scheme};
use crate::verified::{Segment, Unverified};

/// The workers of every federation that is tested: (3,1), (4,1) with all sets of 3, (5,2), (6,2), (7,3).
pub(crate) fn federations() -> Vec<(Scheme, Vec<HelperNumber>)> {
    vec![
        (scheme(3, 1), vec![1, 2, 3]),
        (scheme(4, 1), vec![1, 2, 3]),
        (scheme(4, 1), vec![1, 2, 4]),
        (scheme(4, 1), vec![1, 3, 4]),
        (scheme(4, 1), vec![2, 3, 4]),
        (scheme(5, 2), vec![1, 2, 3, 4, 5]),
        (scheme(6, 2), vec![1, 2, 4, 5, 6]),
        (scheme(7, 3), vec![1, 2, 3, 4, 5, 6, 7]),
    ]
}

/// A deterministic element that is not small.
fn element<F: Field>(seed: u64) -> F {
    let x = F::from_u64(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    x * x * x + F::from_u64(seed)
}

/// Every worker's shares of `values`, of degree `t`.
pub(crate) fn share<F: Field>(scheme: &Scheme, workers: &[u8], values: &[F], seed: u64) -> Vec<Shares<F>> {
    let share = |worker: &u8| {
        let x = F::from_u64((*worker).into());
        let at = |(i, value): (usize, &F)| {
            let coefficient = |k: u8| element::<F>(seed ^ ((i as u64) << 8) ^ u64::from(k));
            (0..scheme.threshold()).fold(F::ZERO, |sum, k| (sum + coefficient(k)) * x) + *value
        };
        Shares::from_vec(values.iter().enumerate().map(at).collect())
    };
    workers.iter().map(share).collect()
}

/// The values, from the first `t + 1` workers' shares; all shares must fit.
pub(crate) fn clear<F: Field>(scheme: &Scheme, workers: &[u8], shares: &[Shares<F>]) -> Vec<F> {
    let points: Vec<(u8, &[F])> = workers.iter().copied().zip(shares.iter().map(Shares::as_slice)).collect();
    assert!(quorate_sharing::is_degree_at_most(scheme.threshold().into(), &points));
    let (numbers, rows): (Vec<u8>, Vec<&[F]>) = points[..scheme.needed()].iter().copied().unzip();
    let mut values = vec![F::ZERO; shares[0].len()];
    F::weighted_sum(&mut values, &lagrange_at_zero(&numbers), &rows);
    values
}

fn trusted<F: Field>(products: Vec<Unverified<Shares<F>>>) -> Vec<Shares<F>> {
    products.into_iter().map(|p| p.trust_helpers_of_passive_study().release()).collect()
}

fn by_reshare<F: Field>(network: &mut Network, z: Vec<Degree2t<F>>, first: u64) -> Vec<Shares<F>> {
    let segment = Segment::new(7, first, z[0].len());
    trusted(network.round(
        |place, member, outbox| reshare(member, segment.clone(), &z[place], outbox),
        |member, pending, inbox| pending.finish(member, inbox),
    ))
}

fn by_king<F: Field>(network: &mut Network, z: Vec<Degree2t<F>>, first: u64) -> Vec<Shares<F>> {
    let segment = Segment::new(7, first, z[0].len());
    let mut z = z.into_iter();
    let pending = network.send(|_, member, outbox| king(member, segment.clone(), z.next().unwrap(), outbox));
    let mut pending = pending.into_iter();
    // A king answers what it received: the second round's outbox is written where the first round's inbox is read.
    let mut second = Vec::new();
    let shared = network.receive(pending.by_ref().collect(), |member, pending, inbox| {
        let mut outbox = crate::round::Outbox::new();
        let pending = pending.share(member, inbox, &mut outbox)?;
        second.push(outbox);
        Ok(pending)
    });
    let mut second = second.into_iter();
    network.send(|_, _, outbox| *outbox = second.next().unwrap());
    let shared = shared.into_iter().map(Result::unwrap).collect();
    let results = network.receive(shared, |member, pending, inbox| pending.finish(member, inbox));
    trusted(results.into_iter().map(Result::unwrap).collect())
}

/// Reshare, king, dot and opening of these vectors in every federation.
fn agrees<F: Field>(x: &[F], y: &[F]) {
    let expected: Vec<F> = x.iter().zip(y).map(|(x, y)| *x * *y).collect();
    for (scheme, workers) in federations() {
        let mut network = Network::of(scheme, &workers, 1);
        let (xs, ys) = (share(&scheme, &workers, x, 3), share(&scheme, &workers, y, 5));
        let local = || xs.iter().zip(&ys).map(|(x, y)| Degree2t::product(x, y)).collect::<Vec<_>>();
        let products = by_reshare(&mut network, local(), 1 << 20);
        assert_eq!(clear(&scheme, &workers, &products), expected, "reshare, {scheme} {workers:?}");
        let products = by_king(&mut network, local(), 1 << 21);
        assert_eq!(clear(&scheme, &workers, &products), expected, "king, {scheme} {workers:?}");

        let dots: Vec<_> = xs.iter().zip(&ys).map(|(x, y)| sums_of_products(&[(x, y), (x, x)])).collect();
        let dots = by_reshare(&mut network, dots, 1 << 22);
        let squares = x.iter().map(|x| *x * *x).sum();
        assert_eq!(clear(&scheme, &workers, &dots), [expected.iter().copied().sum(), squares]);

        for points in [Points::Enough, Points::All] {
            let segment = Segment::new(8, 5, x.len());
            let masks: Vec<_> =
                network.members().iter().map(|member| Mask::<F>::new(member, &segment)).collect();
            let draw = Mask::<F>::draw_of(&segment);
            let members = network.members().iter();
            let r: Vec<_> =
                members.map(|m| m.keys().random_shares::<F>(&draw, segment.rows.clone())).collect();
            let r = clear(&scheme, &workers, &r);
            let mut masked = masks.into_iter().zip(&xs).map(|(mask, x)| mask.hide(x));
            let opened = network.round(
                |_, member, outbox| open(member, masked.next().unwrap(), points, outbox),
                |member, pending, inbox| pending.finish(member, inbox),
            );
            for opened in opened {
                assert!(opened.values().iter().zip(&r).zip(x).all(|((d, r), x)| *d + *r == *x));
            }
        }
    }
}

fn edge_values<F: Field>() -> Vec<F> {
    let half = F::from_u64(2).inverse().unwrap();
    vec![F::ZERO, F::ONE, -F::ONE, F::from_u64(2), half, -half, F::from_u64(u64::MAX)]
}

#[test]
fn edge_values_multiply() {
    fn check<F: Field>() {
        let values = edge_values::<F>();
        let all = || values.iter().flat_map(|x| values.iter().map(move |y| (*x, *y)));
        let (x, y): (Vec<F>, Vec<F>) = all().unzip();
        agrees(&x, &y);
    }
    check::<F61>();
    check::<F127>();
}

#[test]
fn lengths_around_words_and_blocks_multiply() {
    fn check<F: Field>(len: u64) {
        let x: Vec<F> = (0..len).map(element).collect();
        let y: Vec<F> = (len..2 * len).map(element).collect();
        agrees(&x, &y);
    }
    for len in [0, 1, 2, 63, 64, 65, 1000, 1023, 1024, 1025, 2500] {
        check::<F61>(len);
    }
    for len in [1, 65, 1025] {
        check::<F127>(len);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn any_values_multiply(pairs in prop::collection::vec((any::<u64>(), any::<u64>()), 1..80)) {
        let (x, y): (Vec<F61>, Vec<F61>) =
            pairs.iter().map(|(x, y)| (F61::from_u64(*x), F61::from_u64(*y))).unzip();
        agrees(&x, &y);
    }
}

/// Elements sent, as the documentation says.
#[test]
fn costs_are_as_documented() {
    for (scheme, workers) in federations() {
        let (t, q) = (usize::from(scheme.threshold()), workers.len());
        let count = 60 * q;
        let x = share(&scheme, &workers, &vec![F61::ONE; count], 1);
        let z = || x.iter().map(|x| Degree2t::product(x, x)).collect::<Vec<_>>();
        let mut network = Network::of(scheme, &workers, 1);
        by_reshare(&mut network, z(), 0);
        assert_eq!(network.bytes_sent(), q * t * count * 8);
        let before = network.bytes_sent();
        by_king(&mut network, z(), 0);
        assert_eq!(network.bytes_sent() - before, 3 * t * count * 8);
    }
}

/// The same products twice give other shares and other messages, and none under the same address.
#[test]
fn products_are_fresh_for_every_row_and_session() {
    let (scheme, workers) = (scheme(3, 1), [1, 2, 3]);
    let x = share(&scheme, &workers, &[F61::ONE; 8], 1);
    let run = |session, first| {
        let mut network = Network::of(scheme, &workers, session);
        let shares = by_reshare(&mut network, x.iter().map(|x| Degree2t::product(x, x)).collect(), first);
        (shares[0].as_slice().to_vec(), network.view(1)[0].clone())
    };
    let (shares, view) = run(1, 0);
    assert_eq!((shares.clone(), view.clone()), run(1, 0));
    assert!([run(2, 0), run(1, 8)].iter().all(|(other, seen)| *other != shares && *seen != view));
    let part = |x: &Shares<F61>| Shares::from_vec(x.as_slice()[4..].to_vec());
    let part = x.iter().map(|x| Degree2t::product(&part(x), &part(x))).collect();
    let part = by_reshare(&mut Network::of(scheme, &workers, 1), part, 4);
    assert_eq!(shares[4..], *part[0].as_slice(), "a row's randomness depends on the row alone");
}

#[test]
fn an_unverified_product_names_its_segments() {
    let segment = |first| Segment::new(7, first, 1);
    let one = Unverified::of_segment(1, segment(0));
    let sum = one.zip(Unverified::of_segment(2, segment(1))).map(|(a, b)| a + b);
    assert_eq!((*sum.value(), sum.segments()), (3, &[segment(0), segment(1)][..]));
}

#[test]
fn a_short_or_non_canonical_message_is_its_senders_fault() {
    for spoil in [|blob: &mut Vec<u8>| blob.truncate(31), |blob: &mut Vec<u8>| blob[7] = 0xff] {
        let mut network = Network::new(3, 1).altered(move |from, to, blob| {
            if (from, to) == (2, 1) {
                spoil(blob);
            }
        });
        let x = share(&scheme(3, 1), &[1, 2, 3], &[F61::ONE; 4], 1);
        let pending = network.send(|place, member, outbox| {
            reshare(member, Segment::new(0, 0, 4), &Degree2t::product(&x[place], &x[place]), outbox)
        });
        let results = network.receive(pending, |member, pending, inbox| pending.finish(member, inbox));
        assert!(matches!(results[0], Err(EngineError::Malformed { from: 2, .. })));
        assert!(results[1].is_ok() && results[2].is_ok());
    }
}

/// A lie shifts a product: that is why it is unverified. In an opening to all it shows.
#[test]
fn a_lie_shifts_a_product_and_spoils_a_full_opening() {
    let shift = |from: u8, _: u8, blob: &mut Vec<u8>| {
        if from == 2 {
            blob[0] ^= 1;
        }
    };
    let (scheme, workers) = (scheme(3, 1), [1, 2, 3]);
    let x = share(&scheme, &workers, &[F61::from_u64(6)], 1);
    let mut network = Network::new(3, 1).altered(shift);
    let products = by_reshare(&mut network, x.iter().map(|x| Degree2t::product(x, x)).collect(), 0);
    assert_ne!(products[0].len(), 0);
    assert_ne!(clear_of_two(&products), F61::from_u64(36));

    let segment = Segment::new(0, 0, 1);
    let mut network = Network::new(3, 1).altered(shift);
    let pending = network.send(|place, member, outbox| {
        open(member, Mask::<F61>::new(member, &segment).hide(&x[place]), Points::All, outbox)
    });
    let opened = network.receive(pending, |member, pending, inbox| pending.finish(member, inbox));
    assert!(matches!(opened[0], Err(EngineError::Inconsistent { .. })));
    assert!(opened[1].is_ok());
}

/// The value that workers 1 and 2 hold.
fn clear_of_two(shares: &[Shares<F61>]) -> F61 {
    let weights = lagrange_at_zero::<F61>(&[1, 2]);
    shares.iter().zip(weights).map(|(share, weight)| share.as_slice()[0] * weight).sum()
}
