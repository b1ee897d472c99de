//! Splitting a contributor's block of rows into one piece per helper.
//!
//! Sections 1 and 2 of `docs/protocols.md`. Both schemes are one computation. The `t` helpers after the public
//! rotation `rot` get seeds; their streams *are* their shares. The remaining shares are fixed, public linear
//! combinations of the secret `x` and these `t` streams ([`Completion`]):
//!
//! - Shamir, "How to share a secret", CACM 1979: the streams and `f(0) = x` fix the polynomial of degree `t`; the
//!   other `n - t` shares are its values. The same distribution as choosing coefficients at random, since the map
//!   between `t` coefficients and `t` values at distinct points other than 0 is a bijection.
//! - Additive (`t = n - 1`): the one remaining share is `x` minus the sum of the streams.
//!
//! Cost: `t` streams, `(n - t)(t + 1)` products per cell, `n` commitments. Upload: `n - t` times the plain size and
//! `32 t` bytes, and for each helper `32 n + 32` bytes of commitments and salt.

#[cfg(test)]
mod secrecy;

use std::fmt;

use quorate_field::{Field, write_slice};
use quorate_hash::Digest;
use zeroize::{Zeroize as _, Zeroizing};

use crate::commitment::{commitment, contribution_id};
use crate::derivation::{Derivation, hash_block};
use crate::lagrange::Nodes;
use crate::{ContributorSecret, HELPERS_MAX, HelperNumber, Piece, PieceHeader, Scheme, SchemeKind, Stream};

/// Cells worked on at a time: streams, secret and result stay in L1 and L2 cache.
const CELLS: usize = 256;

/// A contribution, split: what the contributor sends to the helpers.
pub struct Dealing {
    /// The contribution's id, a commitment to all pieces.
    pub id: Digest,
    /// The rotation: which helpers got seeds.
    pub rot: u8,
    /// The number of rows.
    pub rows: u32,
    /// `c_1` to `c_n`: every helper gets all of them.
    pub commitments: Vec<Digest>,
    /// One piece per helper, helper 1 first.
    pub pieces: Vec<DealtPiece>,
}

/// What one helper alone gets.
pub struct DealtPiece {
    /// Whom it is for.
    pub helper: HelperNumber,
    /// The salt of its commitment: as secret as the piece.
    pub salt: [u8; 32],
    /// The share, or the seed that stands for it.
    pub piece: Piece,
}

/// Splits a block of `rows` rows: cell `row * columns + column` of `block` is that row's value in that column.
///
/// All randomness derives from the contributor's `secret`, the `study`, the contribution's `position` among this
/// contributor's own, and the block itself: the same call gives the same bytes, and another block shares nothing
/// with this one. Pieces of the result pass [`crate::check_piece`] and [`crate::verify_piece`].
///
/// Panics unless `block` holds at least one and equally many cells for each of at least one row.
pub fn split<F: Field>(
    scheme: &Scheme,
    study: &Digest,
    secret: &ContributorSecret,
    position: u64,
    rows: u32,
    block: &[F],
) -> Dealing {
    let encoded = Zeroizing::new(write_slice(block));
    let derivation = Derivation::new(scheme, study, secret, position, &hash_block::<F>(rows, &encoded));
    deal(scheme, study, &derivation, rows, block)
}

/// [`split`], with its randomness given.
pub(crate) fn deal<F: Field>(
    scheme: &Scheme,
    study: &Digest,
    derivation: &Derivation,
    rows: u32,
    block: &[F],
) -> Dealing {
    assert!(
        rows > 0 && !block.is_empty() && block.len().is_multiple_of(rows as usize),
        "a block of {} cells is not made of {rows} equal rows",
        block.len()
    );
    let rot = derivation.rot();
    let mut pieces: Vec<DealtPiece> = Vec::with_capacity(scheme.helpers().into());
    let mut data = data_pieces(scheme, rot, derivation, block).into_iter();
    // By place: first the seeds, then the data, as `data_pieces` orders it.
    for k in 0..scheme.helpers() {
        let helper = scheme.helper_at(rot, k);
        let seed = (k < scheme.threshold()).then(|| Piece::Seed(derivation.seed(k.into())));
        if let Some(piece) = seed.or_else(|| data.next().map(Piece::Data)) {
            pieces.push(DealtPiece { helper, salt: derivation.salt(helper), piece });
        }
    }
    pieces.sort_unstable_by_key(|dealt| dealt.helper);
    let commitments: Vec<Digest> = pieces
        .iter()
        .map(|DealtPiece { helper, salt, piece }| {
            commitment(study, &PieceHeader { helper: *helper, rot, rows }, salt, piece.as_piece_ref())
        })
        .collect();
    Dealing { id: contribution_id(study, &commitments), rot, rows, commitments, pieces }
}

/// The encoded shares of the helpers at places `t..n` after `rot`, in that order.
fn data_pieces<F: Field>(scheme: &Scheme, rot: u8, derivation: &Derivation, block: &[F]) -> Vec<Vec<u8>> {
    let completion = Completion::<F>::new(scheme, rot);
    let streams: Vec<Stream> = (0..scheme.seeds()).map(|k| Stream::new(&derivation.seed(k))).collect();
    let mut data = vec![vec![0; block.len() * F::BYTES]; completion.outputs()];
    let width = block.len().min(CELLS);
    let mut random = vec![F::ZERO; width * streams.len()];
    let mut share = vec![F::ZERO; width];

    for (index, secret) in block.chunks(CELLS).enumerate() {
        let first = index * CELLS;
        let mut inputs: [&[F]; HELPERS_MAX as usize] = [&[]; HELPERS_MAX as usize];
        inputs[0] = secret;
        for ((stream, random), input) in streams.iter().zip(random.chunks_mut(width)).zip(&mut inputs[1..]) {
            let random = &mut random[..secret.len()];
            stream.fill(first as u64, random);
            *input = random;
        }
        for (output, data) in data.iter_mut().enumerate() {
            let share = &mut share[..secret.len()];
            completion.share(output, &inputs[..=streams.len()], share);
            let bytes = &mut data[first * F::BYTES..];
            share.iter().zip(bytes.chunks_exact_mut(F::BYTES)).for_each(|(share, bytes)| share.write(bytes));
        }
    }
    random.zeroize();
    share.zeroize();
    data
}

/// The public linear map from `(x, r_1, …, r_t)` to the shares of the `n - t` helpers that get data, where `r_k` is
/// the share of the helper at place `k - 1` after `rot`.
pub(crate) struct Completion<F: Field> {
    /// One row of `inputs` coefficients per output.
    coefficients: Vec<F>,
    inputs: usize,
}

impl<F: Field> Completion<F> {
    pub(crate) fn new(scheme: &Scheme, rot: u8) -> Self {
        let (n, t) = (scheme.helpers(), scheme.threshold());
        let inputs = usize::from(t) + 1;
        let mut coefficients = vec![-F::ONE; inputs * usize::from(n - t)];
        match scheme.kind() {
            SchemeKind::Additive => coefficients[0] = F::ONE,
            SchemeKind::Shamir => {
                let x = |k| F::from_u64(scheme.helper_at(rot, k).into());
                let nodes = Nodes::new(std::iter::once(F::ZERO).chain((0..t).map(x)).collect());
                for (k, row) in (t..n).zip(coefficients.chunks_exact_mut(inputs)) {
                    nodes.write_coefficients(x(k), row);
                }
            }
        }
        Completion { coefficients, inputs }
    }

    /// The number of shares it gives: `n - t`.
    pub(crate) fn outputs(&self) -> usize {
        self.coefficients.len() / self.inputs
    }

    /// Overwrites `share` with the shares of the helper at place `t + output` after `rot`; `inputs` are `x` and the
    /// shares of the helpers at places 0 to `t - 1`, all of the same length.
    pub(crate) fn share(&self, output: usize, inputs: &[&[F]], share: &mut [F]) {
        share.fill(F::ZERO);
        F::weighted_sum(share, &self.coefficients[output * self.inputs..][..self.inputs], inputs);
    }
}

impl fmt::Debug for Dealing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Dealing({}, {} pieces of {} rows)", self.id.short(), self.pieces.len(), self.rows)
    }
}

impl fmt::Debug for DealtPiece {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DealtPiece(helper {}, {:?})", self.helper, self.piece)
    }
}
