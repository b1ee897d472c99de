//! Saved results: a run written down with everything that it was concluded from, to be checked again by anybody.
//!
//! A result file holds the circuit, the study's document, the federation file, the signed manifest and each helper's
//! signed result shares. [`SavedRun::check`] needs nothing else: it compiles the circuit again, checks every signature,
//! recombines the shares and compares. So a file in which a number was changed, or whose circuit is another one, does not
//! pass.
//!
//! What a check does not say: that the keys are the right ones, unless the caller gives the federation; and that the
//! helpers computed this circuit. They sign shares and session, and the session is a hash of the circuit and of nonces
//! that only they know: who doubts the analyst asks a helper's operator for the run's log.
//!
//! A file has no secret but the result itself: any `t + 1` result shares are the result, and no more.

use quorate_circuit::{Compiled, Diagnostics, Study, StudyError, compile_after};
use quorate_contribute::{ContributeError, scheme_of};
use quorate_federation::{Federation, FederationError};
use quorate_field::Integer;
use quorate_hash::Digest;
use quorate_wire::{ManifestError, RunReply, SignedManifest};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::analyst::Run;
use crate::owner::checks_of;
use crate::{Answer, AnswerError, Integrity, answer};

/// A run as it is written down: the content of a result file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedRun {
    /// Version of this form: [`SavedRun::FORMAT`].
    pub format: u32,
    /// When it was saved, for people.
    pub saved_at: String,
    /// The results, for people and programs that read no circuits.
    pub results: Map<String, Value>,
    /// How far noise may have taken those that have any, likewise.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub noise: Map<String, Value>,
    /// The rows that they are of.
    pub rows: u64,
    /// The helpers whose shares were used, ascending.
    pub quorum: Vec<u8>,
    /// How sure the results are.
    pub integrity: Integrity,
    /// One integer for each of the program's outputs, then one for each element of its vectors.
    pub outputs: Vec<Integer>,
    /// The circuit's text.
    pub circuit: String,
    /// Circuits that were asked of the study before, oldest first, where it has a smallest group.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<String>,
    /// The hash of the program that it was lowered to.
    pub program: Digest,
    /// The study's exact document.
    pub study: String,
    /// The exact federation file: its hash is in the study's document.
    pub federation: String,
    /// The set that was computed on.
    pub manifest: SignedManifest,
    /// What each helper sent.
    pub replies: Vec<RunReply>,
    /// Attempts it took.
    pub attempts: usize,
    /// Seconds of the last attempt.
    pub seconds: f64,
}

/// What a result file says, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckedRun {
    /// The study.
    pub study: Study,
    /// The run, with results recombined again.
    pub run: Run,
}

/// A result file that does not hold what it says. To blame: whoever wrote or changed the file.
#[derive(Debug, thiserror::Error)]
pub enum SavedError {
    /// Not a result file, or cut off.
    #[error("this is no whole result file: {reason}")]
    Unreadable {
        /// What is wrong, and in which line.
        reason: String,
    },
    /// Of a version that is not known here.
    #[error("the result file has format {found}; this version reads format {}", SavedRun::FORMAT)]
    Format {
        /// Its format.
        found: u64,
    },
    /// The study in it is none.
    #[error("the study in the file: {0}")]
    Study(#[from] StudyError),
    /// The study in it is of no use here.
    #[error("the study in the file: {0}")]
    Scheme(#[from] ContributeError),
    /// The federation in it is none.
    #[error("the federation in the file: {0}")]
    Federation(#[from] FederationError),
    /// The study is of another federation than the one given, or the one in the file.
    #[error("the study is of federation {}, {against} is {}", .expected.short(), .found.short())]
    OtherFederation {
        /// Which federation it was held against.
        against: &'static str,
        /// The federation that the study names.
        expected: Digest,
        /// The one that it was held against.
        found: Digest,
    },
    /// The circuit in it is none for this study.
    #[error("the circuit in the file cannot be run on the study in it\n{0}")]
    Circuit(Diagnostics),
    /// The circuit in it is another one.
    #[error("the circuit in the file is not the one that was run: it gives another program")]
    Program,
    /// The manifest in it proves nothing.
    #[error("the sealed set: {0}")]
    Manifest(#[from] ManifestError),
    /// The seal did not check what the study wants checked.
    #[error("the sealed set was not checked as the study wants it")]
    Unchecked,
    /// A helper did not sign what it is said to have sent.
    #[error("the result shares of helper {helper} are not signed by it")]
    Signature {
        /// The helper.
        helper: u8,
    },
    /// A helper is said to have answered that did not seal the study.
    #[error("helper {helper} did not seal the study, so it has no share of it")]
    NotAMember {
        /// The helper.
        helper: u8,
    },
    /// The shares in it give no answer.
    #[error("the result shares in the file: {0}")]
    Answer(#[from] AnswerError),
    /// The shares give something else than the file says.
    #[error("{what} in the file is not what the helpers' shares give")]
    Differs {
        /// What differs: a result by its name, or another part of the file.
        what: String,
    },
}

impl SavedError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            SavedError::Unreadable { .. } => "get the file again from whoever saved it, whole",
            SavedError::Format { .. } => "use the version of quorate that saved it",
            SavedError::OtherFederation { .. } => "give the federation file that the study was created with",
            _ => "do not rely on this file: get it again from whoever saved it, or run the circuit again",
        }
    }
}

impl SavedRun {
    /// The version of this form.
    pub const FORMAT: u32 = 1;

    /// A run of `circuit` on the study with this document, to be written down.
    pub fn new(run: &Run, circuit: &str, study: &str, federation: &Federation, saved_at: String) -> Self {
        SavedRun {
            format: SavedRun::FORMAT,
            saved_at,
            results: results(&run.answer),
            noise: noise(&run.answer),
            rows: run.manifest.manifest.rows,
            quorum: run.answer.quorum.clone(),
            integrity: run.answer.integrity.clone(),
            outputs: run.answer.outputs.clone(),
            circuit: circuit.to_owned(),
            earlier: run.earlier.clone(),
            program: run.program.hash(),
            study: study.to_owned(),
            federation: federation.text().to_owned(),
            manifest: run.manifest.clone(),
            replies: run.replies.clone(),
            attempts: run.attempts,
            seconds: run.seconds,
        }
    }

    /// The text of a result file.
    ///
    /// # Panics
    /// Never: a saved run is plain data.
    #[expect(clippy::expect_used, reason = "a saved run is plain data with text keys")]
    pub fn to_text(&self) -> String {
        let text = serde_json::to_string_pretty(self).expect("a saved run is plain data");
        format!("{text}\n")
    }

    /// Reads a result file. Nothing of it is checked yet.
    ///
    /// # Errors
    /// It is cut off, is something else, or of another version.
    pub fn parse(text: &str) -> Result<Self, SavedError> {
        let unreadable = |error: serde_json::Error| SavedError::Unreadable { reason: error.to_string() };
        let value: Value = serde_json::from_str(text).map_err(unreadable)?;
        match value.get("format").and_then(Value::as_u64) {
            Some(format) if format == u64::from(SavedRun::FORMAT) => {}
            Some(found) => return Err(SavedError::Format { found }),
            None => return Err(SavedError::Unreadable { reason: "it has no `format`".to_owned() }),
        }
        serde_json::from_str(text).map_err(unreadable)
    }

    /// Checks everything that the file says against the keys of `trusted`, or else those in the file.
    ///
    /// # Errors
    /// The first thing that does not hold.
    pub fn check(&self, trusted: Option<&Federation>) -> Result<CheckedRun, SavedError> {
        let study = Study::parse(&self.study)?;
        let federation = Federation::parse(&self.federation)?;
        let is_of = |against, federation: &Federation| match *federation.id() {
            found if found == study.federation => Ok(()),
            found => Err(SavedError::OtherFederation { against, expected: study.federation, found }),
        };
        is_of("the one in the file", &federation)?;
        trusted.map_or(Ok(()), |trusted| is_of("the one given", trusted))?;

        let Compiled { program, .. } =
            compile_after(&self.circuit, &study, &self.earlier).map_err(SavedError::Circuit)?;
        if program.hash() != self.program {
            return Err(SavedError::Program);
        }
        let scheme = scheme_of(&study)?;
        self.check_manifest(&study, &federation, scheme.seal_quorum())?;
        self.check_replies(&federation)?;
        let answer = answer(&scheme, &program, self.manifest.manifest.rows, &self.replies)?;
        self.compare(&answer)?;
        let run = Run {
            answer,
            program,
            earlier: self.earlier.clone(),
            manifest: self.manifest.clone(),
            replies: self.replies.clone(),
            attempts: self.attempts,
            seconds: self.seconds,
        };
        Ok(CheckedRun { study, run })
    }

    fn check_manifest(
        &self,
        study: &Study,
        federation: &Federation,
        needed: usize,
    ) -> Result<(), SavedError> {
        self.manifest.check(federation, &study.id(), needed)?;
        let checks = checks_of(&self.manifest.manifest);
        if checks == study.input_checks() { Ok(()) } else { Err(SavedError::Unchecked) }
    }

    fn check_replies(&self, federation: &Federation) -> Result<(), SavedError> {
        for reply in &self.replies {
            let helper = reply.helper;
            if !self.manifest.manifest.members.contains(&helper) {
                return Err(SavedError::NotAMember { helper });
            }
            let is_signed = federation.member(helper).is_some_and(|member| reply.is_signed_by(&member.key));
            if !is_signed {
                return Err(SavedError::Signature { helper });
            }
        }
        Ok(())
    }

    /// Holds what the file says against what its shares give.
    fn compare(&self, answer: &Answer) -> Result<(), SavedError> {
        let differs = |what: &str| Err(SavedError::Differs { what: what.to_owned() });
        if let Some(name) = difference(&results(answer), &self.results) {
            return differs(&format!("the result {name}"));
        }
        if let Some(name) = difference(&noise(answer), &self.noise) {
            return differs(&format!("the noise of {name}"));
        }
        if answer.outputs != self.outputs {
            return differs("an output");
        }
        if (&answer.quorum, &answer.integrity) != (&self.quorum, &self.integrity) {
            return differs("the quorum or its redundancy");
        }
        if self.rows != self.manifest.manifest.rows {
            return differs("the number of rows");
        }
        Ok(())
    }
}

/// The first name of which two maps do not say the same.
fn difference(found: &Map<String, Value>, said: &Map<String, Value>) -> Option<String> {
    let mut names = found.keys().chain(said.keys());
    names.find(|name| found.get(*name) != said.get(*name)).cloned()
}

/// The results as they read in a file.
fn results(answer: &Answer) -> Map<String, Value> {
    as_read(answer.results.iter().map(|(name, outcome)| (name, outcome)))
}

/// How far noise may have taken results, as it reads in a file.
fn noise(answer: &Answer) -> Map<String, Value> {
    as_read(answer.noise.iter().filter_map(|(name, noise)| Some((name, noise.as_ref()?))))
}

/// Numbers pass through text, so that equal ones stay equal.
fn as_read<'a, T: Serialize + 'a>(named: impl Iterator<Item = (&'a String, &'a T)>) -> Map<String, Value> {
    let value = |part: &T| serde_json::to_string(part).and_then(|text| serde_json::from_str(&text));
    named.map(|(name, part)| (name.clone(), value(part).unwrap_or(Value::Null))).collect()
}

#[cfg(test)]
pub(crate) mod tests;
