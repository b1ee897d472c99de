//! What was asked before of a study that has a smallest group, and how often by whom.
//!
//! Two runs can tell a few rows apart that neither tells alone. So each helper remembers the circuits that asked about new groups,
//! in one order, and every run is judged together with them: the request lists them, and a helper takes part only if its own
//! list begins that one. A run that asks about new groups is written down before its computation begins; no two do so at
//! the same time. A study's helpers are at most `3t + 1`: any two quorums of `2t + 1` share `t + 1` helpers, and a result
//! needs the shares of `t + 1`, so that whoever has a result shares a helper that remembers it with every later quorum. See
//! `docs/decisions/0013-groups.md`.
//!
//! A question that was written down and not answered may be forgotten again, by running without it: nobody learned anything of it.

use quorate_hash::Digest;
use quorate_wire::{Code, Refusal, limits};
use serde::{Deserialize, Serialize};

use crate::seal::unreadable;
use crate::study::to_json;
use crate::{Records, Write};

const ASKED: &[u8] = b"asked/";
const CHARGED: &[u8] = b"charged/";

/// The circuits that asked about groups that those before them did not ask about, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Asked(Vec<Question>);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Question {
    circuit: String,
    /// Whether this helper gave an answer, or must take it that others did.
    is_answered: bool,
}

impl Asked {
    /// What is durable of a study.
    pub(crate) fn load(study: &Digest, records: &dyn Records) -> Result<Self, Refusal> {
        let record = records.control(&key_of(ASKED, study)).map_err(unreadable)?;
        record.map_or(Ok(Asked::default()), |record| serde_json::from_slice(&record).map_err(unreadable))
    }

    /// Their texts.
    pub(crate) fn circuits(&self) -> Vec<String> {
        self.0.iter().map(|question| question.circuit.clone()).collect()
    }

    /// What is to be remembered once `circuit`, which asks about new groups or not, runs after `earlier`.
    ///
    /// # Errors
    /// `earlier` does not go on from what this helper answered; it is too much to remember.
    pub(crate) fn after(&self, earlier: &[String], circuit: &str, asks_anew: bool) -> Result<Self, Refusal> {
        let answered = self.0.iter().rposition(|question| question.is_answered).map_or(0, |last| last + 1);
        let begins =
            self.0[..answered].iter().map(|question| &question.circuit).eq(earlier.iter().take(answered));
        if !begins {
            let message = "the request does not know everything that was asked of this study before";
            return Err(Refusal::new(Code::Unavailable, message).hint("try again"));
        }
        let question = |circuit: &String, is_answered| Question { circuit: circuit.clone(), is_answered };
        let mut after: Vec<Question> = earlier.iter().map(|circuit| question(circuit, true)).collect();
        if asks_anew {
            after.push(question(&circuit.to_owned(), false));
        }
        check_size(after.iter().map(|question| &question.circuit))?;
        Ok(Asked(after))
    }

    /// The same with an answer to all of it.
    pub(crate) fn answered(&self) -> Self {
        let answered = |question: &Question| Question { is_answered: true, ..question.clone() };
        Asked(self.0.iter().map(answered).collect())
    }

    /// The write that remembers it.
    pub(crate) fn write(&self, study: &Digest) -> Write {
        Write::Control { key: key_of(ASKED, study), value: to_json(self) }
    }
}

/// Whether helpers remember circuits of so many bytes.
pub(crate) fn check_size<'a>(circuits: impl Iterator<Item = &'a String>) -> Result<(), Refusal> {
    let bytes: usize = circuits.map(String::len).sum();
    if bytes <= limits::ASKED_MAX {
        return Ok(());
    }
    let message = format!("{bytes} bytes of circuits about groups were asked of this study");
    Err(Refusal::new(Code::Policy, message)
        .hint("policy.min_group: helpers remember no more; ask about groups that were asked about before"))
}

/// Runs of an analyst on a study that this helper answered.
pub(crate) fn runs_charged(
    study: &Digest,
    analyst: &[u8; 32],
    records: &dyn Records,
) -> Result<u64, Refusal> {
    let prefix = [&key_of(CHARGED, study), &analyst[..]].concat();
    Ok(records.control_prefix(&prefix).map_err(unreadable)?.len() as u64)
}

/// The write that charges an analyst with a run: once, however often it is asked.
pub(crate) fn charge(study: &Digest, analyst: &[u8; 32], attempt: &Digest) -> Write {
    let key = [&key_of(CHARGED, study), &analyst[..], attempt.as_bytes()].concat();
    Write::Control { key, value: vec![1] }
}

fn key_of(prefix: &[u8], study: &Digest) -> Vec<u8> {
    [prefix, study.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use quorate_circuit::{Circuit, Disclosure, Sharing, SharingKind, Study, StudyDraft, compile_after};

    const INPUT: &str = "circuit c\ninput x : 0 .. 9\n";

    fn study() -> Study {
        let columns = Circuit::parse(&format!("{INPUT}reveal n = count()")).unwrap().inputs();
        let sharing = Sharing { kind: SharingKind::Shamir, helpers: 4, threshold: 1 };
        let draft = StudyDraft {
            disclosure: Disclosure { min_group: 3, ..Disclosure::default() },
            ..StudyDraft::new("asked", sharing, columns, 100)
        };
        draft.document().unwrap().1
    }

    fn after(known: &Asked, earlier: &[String], circuit: &str, study: &Study) -> Result<Asked, Refusal> {
        known.after(earlier, circuit, compile_after(circuit, study, earlier).unwrap().asks_anew)
    }

    fn ask(condition: &str) -> String {
        format!("{INPUT}reveal n = count({condition})\n")
    }

    #[test]
    fn new_groups_are_remembered_in_order() {
        let (study, a, b) = (study(), ask("x > 3"), ask("x > 4"));
        let first = after(&Asked::default(), &[], &a, &study).unwrap();
        assert_eq!(first.circuits(), [a.as_str()]);
        // The same groups again are no news.
        let again = after(&first, std::slice::from_ref(&a), &a, &study).unwrap();
        assert_eq!(again, first.answered());
        let second = after(&again, std::slice::from_ref(&a), &b, &study).unwrap();
        assert_eq!(second.circuits(), [a.as_str(), b.as_str()]);
        let linear = format!("{INPUT}reveal s = sum(x)\n");
        assert_eq!(after(&second, &second.circuits(), &linear, &study).unwrap(), second.answered());
    }

    #[test]
    fn what_was_answered_cannot_be_left_out() {
        let (study, a, b) = (study(), ask("x > 3"), ask("x > 4"));
        let first = after(&Asked::default(), &[], &a, &study).unwrap();
        // Not answered: nobody knows anything of it.
        assert_eq!(after(&first, &[], &b, &study).unwrap().circuits(), [b.as_str()]);
        let answered = first.answered();
        for earlier in [vec![], vec![b.clone()], vec![b.clone(), a.clone()]] {
            let refusal = after(&answered, &earlier, &b, &study).unwrap_err();
            assert_eq!(refusal.code, Code::Unavailable, "{refusal:?}");
        }
        assert!(after(&answered, &[a, b.clone()], &b, &study).is_ok());
    }

    #[test]
    fn memory_is_bounded() {
        let study = study();
        let long = |condition: &str| format!("{}# {}\n", ask(condition), "-".repeat(limits::ASKED_MAX / 3));
        let earlier = ["x > 3", "x > 4", "x > 5"].map(long);
        assert!(after(&Asked::default(), &earlier[..1], &earlier[1], &study).is_ok());
        let refusal = after(&Asked::default(), &earlier[..2], &earlier[2], &study).unwrap_err();
        assert_eq!(refusal.code, Code::Policy, "{refusal:?}");
    }
}
