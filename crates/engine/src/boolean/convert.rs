//! From Shamir shares modulo a Mersenne prime to shared bits.
//!
//! `docs/protocols.md`, section 6: r is pseudo-random with the replicated sharing r_B, d = x - min - r is opened, and
//! d + sum of the r_B is added up on bits. After Damgård, Escudero, Frederiksen, Keller, Scholl, Volgushev, "New
//! primitives for actively-secure MPC over rings", S&P 2019, and Escudero, Ghosh, Keller, Rachuri, Scholl, "Improved
//! primitives for MPC over mixed arithmetic-binary circuits", CRYPTO 2020 (doubly shared numbers), and after Mohassel,
//! Rindal, "ABY3", CCS 2018: what one helper knows it adds up in the clear. Differs from all of them:
//!
//! ```text
//! C      one set of t workers: they deal, in order 1..t
//! u_i    the sum mod p of all r_B that worker i of C holds and none before it: it shares the bits of u_i
//! v      r_C + d mod p: known to all holders of r_C once d is open, so its bits are a replicated sharing already
//! x-min  u_1 + ... + u_t + v mod p
//! ```
//!
//! Every set but C itself misses a worker of C, so the u_i and r_C are all of r. That leaves t + 1 numbers instead
//! of C(2t+1, t) + 1 to be added with ANDs: two at (3,1). v is canonical and enters last, which keeps zero from
//! becoming p ([`super::sum`]).
//!
//! A coalition of t workers lacks r_B for the set B that it is, so d tells it nothing; a dealer of it knows its own
//! u_i anyway, and the others' bits are masked by a stream of the key that it lacks, named by dealer.
//!
//! Cost: one round, t elements sent by each worker and row, and k t bits by each dealer; then the sum's ANDs.

use quorate_field::Field;
use quorate_sharing::prss::{Draw, DrawStream, Purpose};
use quorate_sharing::{HelperNumber, Shares, lagrange_at_zero};
use zeroize::Zeroize;

use super::domain::{xor_bytes, xor_words};
use super::draft::Draft;
use super::lanes::{self, LANES};
use super::layout::{Layout, Place, SetIndex};
use super::sum::{Number, Shape, sum_mod};
use super::workers::Workers;
use crate::EngineError;
use crate::round::{Inbox, Outbox};

/// Draws of a dealer's bits, beside those of its ANDs.
const DEALT: u32 = 1;

/// What a worker draws to convert one instruction's values, whatever the morsel.
#[derive(Debug)]
pub struct Conversion<F> {
    layout: Layout,
    /// r_B and f_B at this worker, by sub-share.
    masks: Vec<(DrawStream, F)>,
    /// The set C.
    direct: SetIndex,
    /// Its workers, in order, each with this worker's streams of what it deals.
    dealers: Vec<(Place, Vec<(usize, DrawStream)>)>,
}

/// A morsel's values while d is on its way. Secret: wiped on drop.
pub struct PendingConversion<F: Field> {
    first_word: u64,
    /// This worker's shares of d.
    share: Shares<F>,
    /// r_C, at its holders.
    direct: Option<Shares<F>>,
}

/// Shared bits of the t + 1 numbers that add up to a morsel's values, where the sum's program has them as inputs.
struct Numbers<'a> {
    /// Number by number, bit by bit, sub-share by sub-share.
    shares: &'a mut [u64],
    bits: usize,
    width: usize,
    words: usize,
}

/// The bits of `x - min`, canonical: writes into a draft what adds up the numbers of a [`Conversion`], which are the
/// next secret inputs, as many as [`Conversion::inputs`] says.
///
/// # Panics
/// If the field's modulus is not 2^BITS - 1: there is no carry around its end.
pub fn converted<F: Field>(draft: &mut Draft, threshold: usize, shape: Shape) -> Number {
    assert_mersenne::<F>();
    let numbers: Vec<Number> = (0..threshold).map(|_| draft.secret_number(F::BITS)).collect();
    let last = draft.secret_number(F::BITS);
    sum_mod(draft, &numbers, &last, shape)
}

impl<F: Field> Conversion<F> {
    /// The conversion of `instruction`. C moves on by one place with every instruction, so that columns share the
    /// work of dealing.
    pub fn new(workers: &Workers, instruction: u32) -> Self {
        assert_mersenne::<F>();
        let layout = workers.layout();
        let mask = |(&set, helpers)| {
            let draw = Draw { purpose: Purpose::Random, instruction, sub: 0 };
            (workers.set_stream(set, &draw), set_weight(layout.me(), helpers))
        };
        let masks = layout.held().iter().zip(layout.held_sets()).map(mask).collect();
        let (direct, places) = layout.dealers(instruction);
        let dealer = |place: Place| (place, workers.dealt_streams(place, instruction, DEALT));
        Conversion {
            layout: layout.clone(),
            masks,
            direct,
            dealers: places.into_iter().map(dealer).collect(),
        }
    }

    /// How many inputs of a program the numbers are: one for each bit.
    pub fn inputs(&self) -> usize {
        (self.dealers.len() + 1) * F::BITS as usize
    }

    /// Sends this worker's shares of d for the `shares` of a morsel whose first row is row `64 * first_word`, and what
    /// it deals. `numbers` are the places of the [`Conversion::inputs`], zero.
    pub fn start(
        &self,
        shares: &[F],
        min: F,
        first_word: u64,
        numbers: &mut [u64],
        outbox: &mut Outbox,
    ) -> PendingConversion<F> {
        let layout = &self.layout;
        let first_row = first_word * LANES as u64;
        // 1. [d] = [x] - min - [r]
        let mut share = Shares::from_vec(shares.to_vec());
        share.as_mut_slice().iter_mut().for_each(|share| *share -= min);
        let (mut mask, mut own) = (Shares::zeros(shares.len()), None::<Shares<F>>);
        let dealers: Vec<Place> = self.dealers.iter().map(|(place, _)| *place).collect();
        let mut direct = None;
        for ((stream, weight), &set) in self.masks.iter().zip(layout.held()) {
            stream.fill(first_row, mask.as_mut_slice());
            share.add_scaled(-*weight, &mask);
            // 2. The r_B that this worker is the first of the dealers to hold.
            if set == self.direct {
                direct = Some(mask.duplicate());
            } else if layout.dealer_of(&dealers, set) == Some(layout.place()) {
                own.get_or_insert_with(|| Shares::zeros(shares.len())).add_assign(&mask);
            }
        }
        for receiver in self.neighbours(1) {
            outbox.append_elements(receiver, share.as_slice());
        }
        self.deal(own.as_ref(), first_word, &mut self.numbers(numbers, shares.len()), outbox);
        PendingConversion { first_word, share, direct }
    }

    /// All dealers' bits that come from streams, and this worker's own.
    fn deal(&self, own: Option<&Shares<F>>, first_word: u64, numbers: &mut Numbers<'_>, outbox: &mut Outbox) {
        let layout = &self.layout;
        let words = numbers.bits * numbers.words;
        let mut drawn = vec![0; words];
        for (index, (dealer, streams)) in self.dealers.iter().enumerate() {
            let mut rest = match own.filter(|_| *dealer == layout.place()) {
                Some(own) => slice_elements(own.as_slice()),
                None => vec![0; words],
            };
            for (sub, stream) in streams {
                stream.fill_words(first_word * u64::from(F::BITS), &mut drawn);
                xor_words(&mut rest, &drawn);
                numbers.add(index, *sub, &drawn);
            }
            if *dealer == layout.place() {
                let dealing = &layout.dealings()[*dealer];
                dealing.sent.iter().for_each(|sub| numbers.add(index, *sub, &rest));
                let receivers = dealing.receivers.iter().map(|&place| layout.workers()[place]);
                receivers.for_each(|receiver| outbox.append_words(receiver, &rest));
            }
            rest.as_mut_slice().zeroize();
        }
        drawn.as_mut_slice().zeroize();
    }

    /// # Panics
    /// If the places are not as many as the inputs take for so many rows.
    fn numbers<'a>(&self, shares: &'a mut [u64], rows: usize) -> Numbers<'a> {
        let (width, words) = (self.layout.width(), lanes::words(rows));
        assert_eq!(shares.len(), self.inputs() * width * words, "places of all inputs");
        Numbers { shares, bits: F::BITS as usize, width, words }
    }

    /// The `t` workers after this one, or before it: `step` places away, and so on.
    fn neighbours(&self, sign: isize) -> impl Iterator<Item = HelperNumber> {
        let layout = &self.layout;
        let (places, me) = (layout.places(), layout.place());
        let step = move |k: usize| if sign > 0 { me + k } else { me + places - k };
        (1..=layout.threshold()).map(move |k| layout.workers()[step(k) % places])
    }
}

impl<F: Field> PendingConversion<F> {
    /// Opens d from this worker's share and those of the `t` before it, and completes the `numbers` that it started.
    pub fn finish(
        mut self,
        conversion: &Conversion<F>,
        numbers: &mut [u64],
        inbox: &mut Inbox<'_>,
    ) -> Result<(), EngineError> {
        let layout = &conversion.layout;
        let rows = self.share.len();
        let mut numbers = conversion.numbers(numbers, rows);
        // 3. d, interpolated from t + 1 shares.
        let senders: Vec<HelperNumber> =
            std::iter::once(layout.me()).chain(conversion.neighbours(-1)).collect();
        let weights: Vec<F> = lagrange_at_zero(&senders);
        self.share.scale(weights[0]);
        let mut received = Shares::zeros(rows);
        for (sender, weight) in senders.iter().zip(&weights).skip(1) {
            inbox.take_elements::<F>(*sender, rows, "masked values")?.read(0, received.as_mut_slice())?;
            self.share.add_scaled(*weight, &received);
        }
        // 4. v = r_C + d, which all holders of r_C know.
        let sub = layout.sub_share(conversion.direct);
        if let (Some(direct), Some(sub)) = (&mut self.direct, sub) {
            direct.add_assign(&self.share);
            let bits = slice_elements(direct.as_slice());
            numbers.add(conversion.dealers.len(), sub, &bits);
        }
        // 5. What the other dealers sent.
        let words = numbers.bits * numbers.words;
        for (index, (dealer, _)) in conversion.dealers.iter().enumerate() {
            if let (true, Some(sub)) = (*dealer != layout.place(), layout.dealings()[*dealer].sent) {
                let bytes = inbox.take(layout.workers()[*dealer], 8 * words, "dealt bits")?;
                numbers.add_bytes(index, sub, bytes);
            }
        }
        Ok(())
    }
}

impl Numbers<'_> {
    /// Sub-share `sub` of bit `bit` of a number.
    fn part(&mut self, number: usize, bit: usize, sub: usize) -> &mut [u64] {
        &mut self.shares[((number * self.bits + bit) * self.width + sub) * self.words..][..self.words]
    }

    fn add(&mut self, number: usize, sub: usize, bits: &[u64]) {
        for (bit, words) in bits.chunks_exact(self.words.max(1)).enumerate() {
            xor_words(self.part(number, bit, sub), words);
        }
    }

    fn add_bytes(&mut self, number: usize, sub: usize, bits: &[u8]) {
        for (bit, bytes) in bits.chunks_exact((8 * self.words).max(1)).enumerate() {
            xor_bytes(self.part(number, bit, sub), bytes);
        }
    }
}

/// The bits of elements, all of the first bit, then of the second.
fn slice_elements<F: Field>(elements: &[F]) -> Vec<u64> {
    let words = lanes::words(elements.len());
    let mut bits = vec![0; F::BITS as usize * words];
    let mut limbs = vec![0; elements.len()];
    for (limb, bits) in bits.chunks_mut((64 * words).max(1)).enumerate() {
        for (out, element) in limbs.iter_mut().zip(elements) {
            let mut bytes = [0; 40];
            element.write(&mut bytes[..F::BYTES]);
            *out = bytes.as_chunks::<8>().0.get(limb).map_or(0, |bytes| u64::from_le_bytes(*bytes));
        }
        lanes::slice_bits(&limbs, bits.len() / words.max(1), bits);
    }
    limbs.as_mut_slice().zeroize();
    bits
}

/// f_B at helper `j`: the product over i in B of (i - j) / i.
pub(super) fn set_weight<F: Field>(j: HelperNumber, set: quorate_sharing::prss::HelperSet) -> F {
    let (above, below) = set.iter().fold((F::ONE, F::ONE), |(above, below), i| {
        let i = F::from_u64(i.into());
        (above * (i - F::from_u64(j.into())), below * i)
    });
    #[expect(clippy::expect_used, reason = "helpers' numbers are 1 to 64, and not zero in any field used")]
    let inverse = below.inverse().expect("numbers that are not zero");
    above * inverse
}

fn assert_mersenne<F: Field>() {
    let mut ones = [0; 32];
    (-F::ONE).write(&mut ones[..F::BYTES]);
    let bits = ones.iter().map(|byte| byte.count_ones()).sum::<u32>();
    // -1 = p - 1 = 2^BITS - 2.
    assert!(bits == F::BITS - 1 && ones[0] & 1 == 0, "{} has no end-around carry", F::NAME);
}

impl<F: Field> std::fmt::Debug for PendingConversion<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PendingConversion({} rows from word {})", self.share.len(), self.first_word)
    }
}
