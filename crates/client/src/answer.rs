//! The answer: what an analyst concludes from the helpers' result shares. Pure; the simulator uses it too.
//!
//! Result shares of degree `t` from `m` helpers are a Reed-Solomon word (section 8 of `docs/protocols.md`,
//! [`quorate_sharing::recombine`]): with `m = t + 1` nothing vouches for the result; from `m = t + 2` on one lying share
//! is noticed; it is corrected and the liar named only with `m >= 3t + 1`. Between the two the result is refused, and
//! nobody is named, because a few liars could make an honest helper look like one.

use quorate_circuit::{Outcome, Output, Parts, Program, Uncertainty, VectorSum};
use quorate_field::{Field, FieldId, Integer, read_slice, with_field};
use quorate_hash::Digest;
use quorate_sharing::{HelperNumber, RecombineError, Recombined, Scheme, recombine};
use quorate_wire::RunReply;
use serde::{Deserialize, Serialize};

/// Results, and what vouches for them.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The results by name, in the circuit's order.
    pub results: Vec<(String, Outcome)>,
    /// How far noise may have taken each of them, by name in the same order; nothing of those without noise.
    ///
    /// Counted as if whoever answered had drawn all of it. A run whose answers did not all arrive had more parts, each of them smaller:
    /// its noise is less than this says.
    pub noise: Vec<(String, Option<Uncertainty>)>,
    /// What the results are computed of: one integer for each of the program's outputs, then one for each element of its
    /// vectors.
    pub outputs: Vec<Integer>,
    /// The helpers whose shares were used, ascending.
    pub quorum: Vec<HelperNumber>,
    /// How sure the results are.
    pub integrity: Integrity,
    /// Outputs, in the circuit's words, beyond what declared values can give: some contributor's value was out of its
    /// range, which nothing checks where ranges are trusted.
    pub implausible: Vec<String>,
    /// The session, the same at all helpers.
    pub session: Digest,
}

/// How sure a result is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Integrity {
    /// Shares beyond the `t + 1` that are needed. With 0 nothing vouches for the result: unverified.
    pub redundant_shares: usize,
    /// Helpers whose shares were wrong and were corrected, ascending.
    pub wrong_helpers: Vec<HelperNumber>,
}

/// Result shares that give no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// Too few shares.
    #[error("{found} helpers sent result shares, but {needed} are needed")]
    TooFew {
        /// `t + 1`, or all of them in additive sharing.
        needed: usize,
        /// How many there are.
        found: usize,
    },
    /// Two helpers computed in different sessions: their shares do not belong together.
    #[error("helpers {first} and {second} answered from different sessions")]
    Sessions {
        /// The first helper.
        first: HelperNumber,
        /// The one that differs from it.
        second: HelperNumber,
    },
    /// A helper's answer is not shares of this program's outputs.
    #[error("helper {helper} sent result shares that do not read: {reason}")]
    Malformed {
        /// Who.
        helper: HelperNumber,
        /// What is wrong, without the share.
        reason: String,
    },
    /// The shares contradict each other, and too few agree to say whose are wrong.
    #[error(
        "the result shares of {points} helpers do not fit together (threshold {threshold}), first for {output}: \
         the result is refused; with fewer than {} shares nobody can be named", 3 * threshold + 1
    )]
    Inconsistent {
        /// How many helpers' shares there are.
        points: usize,
        /// `t`.
        threshold: usize,
        /// The first output at which they do not fit, in the circuit's words.
        output: String,
    },
    /// The helpers' numbers are no quorum: one is unknown or answers twice.
    #[error("these are not the shares of one quorum: {reason}")]
    Quorum {
        /// What is wrong.
        reason: RecombineError,
    },
}

impl AnswerError {
    /// What to do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            AnswerError::TooFew { .. } => {
                Some("see which helpers answer with `quorate status`, and run again")
            }
            AnswerError::Inconsistent { .. } => Some(
                "run again with more helpers; if it stays, ask every helper's operator for the run's log",
            ),
            AnswerError::Malformed { .. } => {
                Some("tell the helper's operator; its version may be another one")
            }
            _ => None,
        }
    }
}

/// Recombines `replies`, one per helper, to the results of `program` on `rows` rows. Signatures are the caller's to
/// check; that all replies are of one session is checked here.
///
/// # Errors
/// The helpers' shares are too few, do not read, or contradict each other.
///
/// # Panics
/// Never for a program that [`quorate_circuit`] made: its outputs and its public part fit each other.
pub fn answer(
    scheme: &Scheme,
    program: &Program,
    rows: u64,
    replies: &[RunReply],
) -> Result<Answer, AnswerError> {
    let Some(first) = replies.first() else {
        return Err(AnswerError::TooFew { needed: scheme.needed(), found: 0 });
    };
    if let Some(other) = replies.iter().find(|reply| reply.session != first.session) {
        return Err(AnswerError::Sessions { first: first.helper, second: other.helper });
    }
    let mut integers = vec![Integer::ZERO; program.outputs.len()];
    let mut integrity =
        Integrity { redundant_shares: replies.len().saturating_sub(scheme.needed()), wrong_helpers: vec![] };
    for reply in replies {
        check_shape(program, reply)?;
    }
    for field in FieldId::ALL {
        let positions: Vec<usize> =
            (0..integers.len()).filter(|&i| program.outputs[i].field == field).collect();
        if positions.is_empty() && field != FieldId::F61 {
            continue;
        }
        // For F61 even without outputs: a circuit that reveals only the public count still needs a quorum.
        let values = with_field!(field, F => values::<F>(scheme, &program.outputs, &positions, replies))?;
        integrity.wrong_helpers.extend(values.wrong);
        for (position, integer) in positions.iter().zip(values.integers) {
            integers[*position] = integer;
        }
    }
    let outputs = program.outputs.iter().zip(&integers);
    let implausible = outputs.filter(|(output, integer)| !output.interval.contains(integer));
    let mut implausible: Vec<String> = implausible.map(|(output, _)| output.meaning.clone()).collect();
    for (position, vector) in program.vectors.iter().enumerate() {
        let values = with_field!(program.field, F => elements::<F>(scheme, vector, position, replies))?;
        integrity.wrong_helpers.extend(values.wrong);
        let is_beyond = |integer: &Integer| !vector.interval.contains(integer);
        let beyond = values.integers.iter().position(is_beyond);
        implausible.extend(beyond.map(|index| element_of(vector, index)));
        integers.extend(values.integers);
    }
    integrity.wrong_helpers.sort_unstable();
    integrity.wrong_helpers.dedup();
    // Wrong in different fields, they could be more together than the shares can correct.
    if integrity.wrong_helpers.len() > integrity.redundant_shares / 2 {
        let (points, threshold) = (replies.len(), scheme.threshold().into());
        return Err(AnswerError::Inconsistent { points, threshold, output: "all outputs together".into() });
    }
    let mut quorum: Vec<HelperNumber> = replies.iter().map(|reply| reply.helper).collect();
    quorum.sort_unstable();
    let results = program.outcomes(&integers, rows);
    // Whoever answered drew it; the threshold's helpers may know each other's.
    let parts = Parts::of(u32::try_from(quorum.len()).unwrap_or(u32::MAX), scheme.threshold().into());
    let noise = program.uncertainties(&integers, rows, parts);
    Ok(Answer { results, noise, outputs: integers, quorum, integrity, implausible, session: first.session })
}

struct Values {
    integers: Vec<Integer>,
    wrong: Vec<HelperNumber>,
}

/// The outputs at `positions`, which are all in field `F`.
fn values<F: Field>(
    scheme: &Scheme,
    outputs: &[Output],
    positions: &[usize],
    replies: &[RunReply],
) -> Result<Values, AnswerError> {
    let shares = replies.iter().map(|reply| {
        let read = positions.iter().map(|&position| read_share::<F>(reply, position));
        Ok((reply.helper, read.collect::<Result<Vec<F>, _>>()?))
    });
    let shares: Vec<(HelperNumber, Vec<F>)> = shares.collect::<Result<_, AnswerError>>()?;
    recombined(scheme, &shares, &|index| outputs[positions[index]].meaning.clone())
}

/// The elements of a vector, which is number `position` of the program's.
fn elements<F: Field>(
    scheme: &Scheme,
    vector: &VectorSum,
    position: usize,
    replies: &[RunReply],
) -> Result<Values, AnswerError> {
    let shares = replies.iter().map(|reply| {
        let malformed = |reason: String| AnswerError::Malformed { helper: reply.helper, reason };
        let bytes = reply.vectors[position].as_slice();
        let (found, expected) = (bytes.len(), vector.length as usize * F::BYTES);
        if found != expected {
            let reason = format!("vector {} has {found} bytes of shares, not {expected}", position + 1);
            return Err(malformed(reason));
        }
        let shares =
            read_slice::<F>(bytes).map_err(|error| malformed(format!("vector {}: {error}", position + 1)))?;
        Ok((reply.helper, shares))
    });
    let shares: Vec<(HelperNumber, Vec<F>)> = shares.collect::<Result<_, AnswerError>>()?;
    recombined(scheme, &shares, &|index| element_of(vector, index))
}

/// An element of a vector in words.
fn element_of(vector: &VectorSum, index: usize) -> String {
    format!("element {index} of {}", vector.meaning)
}

/// The values that shares stand for; `words` says what each is.
fn recombined<F: Field>(
    scheme: &Scheme,
    shares: &[(HelperNumber, Vec<F>)],
    words: &dyn Fn(usize) -> String,
) -> Result<Values, AnswerError> {
    let points: Vec<(HelperNumber, &[F])> =
        shares.iter().map(|(helper, shares)| (*helper, shares.as_slice())).collect();
    let Recombined { values, wrong, .. } = recombine(scheme, &points).map_err(|error| match error {
        RecombineError::TooFew { needed, found } => AnswerError::TooFew { needed, found },
        RecombineError::Inconsistent { points, threshold, position } => {
            AnswerError::Inconsistent { points, threshold, output: words(position) }
        }
        reason => AnswerError::Quorum { reason },
    })?;
    Ok(Values { integers: values.into_iter().map(F::to_integer).collect(), wrong })
}

fn check_shape(program: &Program, reply: &RunReply) -> Result<(), AnswerError> {
    let (expected, found) = (program.outputs.len(), reply.shares.len());
    let (vectors, found_vectors) = (program.vectors.len(), reply.vectors.len());
    if (found, found_vectors) == (expected, vectors) {
        return Ok(());
    }
    let reason = format!(
        "{found} shares and {found_vectors} vectors, but the program has {expected} outputs and {vectors} vectors"
    );
    Err(AnswerError::Malformed { helper: reply.helper, reason })
}

fn read_share<F: Field>(reply: &RunReply, position: usize) -> Result<F, AnswerError> {
    let malformed = |reason: &str| AnswerError::Malformed {
        helper: reply.helper,
        reason: format!("share {} {reason}", position + 1),
    };
    let digits = reply.shares[position].as_bytes();
    if digits.len() != 2 * F::BYTES {
        return Err(malformed(&format!("has {} digits, not {}", digits.len(), 2 * F::BYTES)));
    }
    let nibble = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let bytes: Option<Vec<u8>> =
        digits.chunks_exact(2).map(|pair| Some(nibble(pair[0])? << 4 | nibble(pair[1])?)).collect();
    let bytes = bytes.ok_or_else(|| malformed("has other characters than lower-case hexadecimal digits"))?;
    F::read(&bytes).map_err(|_| malformed("is not below the field's modulus"))
}

#[cfg(test)]
pub(crate) mod tests;
