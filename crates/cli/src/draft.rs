//! Studies made for a circuit: its inputs become the columns.

use quorate_circuit::{
    Bits, Circuit, Diagnostics, Disclosure, Program, Sharing, SharingKind, Study, StudyDraft, compile,
};
use quorate_field::FieldId;
use quorate_privacy::{Amount, Budget};

use crate::failure::Failure;

/// How values are split, as an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum SharingArgument {
    /// Any threshold + 1 helpers can answer.
    Shamir,
    /// All helpers are needed; all but one together learn nothing.
    Additive,
}

/// What sealing makes of the columns' bits, as an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum BitsArgument {
    /// Check ranges and keep the bits: comparisons are fast.
    Sealed,
    /// Check ranges and keep no bits.
    OnDemand,
    /// Neither: ranges are trusted.
    None,
}

impl From<BitsArgument> for Bits {
    fn from(bits: BitsArgument) -> Self {
        match bits {
            BitsArgument::Sealed => Bits::Sealed,
            BitsArgument::OnDemand => Bits::OnDemand,
            BitsArgument::None => Bits::None,
        }
    }
}

/// What holds for everything that is asked of a study.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rules {
    /// What may be asked.
    pub(crate) disclosure: Disclosure,
    /// What all answers together may cost a contributor's privacy.
    pub(crate) privacy: Option<Budget>,
}

/// [`Rules`], as arguments.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct RulesArguments {
    /// Fewest rows that a result may be of, and by which two results may differ; others are suppressed
    #[arg(long, value_name = "COUNT")]
    min_group: Option<u64>,
    /// Whether min, max, median and quantile may be asked: somebody's exact value [default: true, with --min-group false]
    #[arg(long, value_name = "BOOL")]
    order_statistics: Option<bool>,
    /// Most runs of each analyst [default: any number]
    #[arg(long, value_name = "COUNT")]
    runs_max: Option<u64>,
    /// What may be asked of a column, as in salary=mean,count,by; may be repeated [default: everything]
    #[arg(long, value_name = "COLUMN=FUNCTIONS")]
    allow: Vec<String>,
    /// What all answers together may cost a contributor's privacy, as in epsilon=1 or epsilon=1,delta=0.000001 or rho=0.5: every
    /// result is then noisy [default: no bound, exact results]
    #[arg(long, value_name = "BUDGET")]
    privacy: Option<String>,
}

impl RulesArguments {
    /// The rules; whether a study can have them is seen when its document is made.
    pub(crate) fn rules(&self) -> Result<Rules, Failure> {
        let privacy = self.privacy.as_deref().map(budget).transpose()?;
        Ok(Rules { disclosure: self.disclosure()?, privacy })
    }

    fn disclosure(&self) -> Result<Disclosure, Failure> {
        let mut functions = std::collections::BTreeMap::new();
        for allowed in &self.allow {
            let (column, names) = allowed.rsplit_once('=').ok_or_else(|| Failure::Invalid {
                message: format!("--allow {allowed:?} names no column and functions"),
                hint: Some("write it as in --allow salary=mean,count,by".into()),
            })?;
            let names = names.split(',').map(str::trim).filter(|name| !name.is_empty());
            functions.insert(column.trim().to_owned(), names.map(str::to_owned).collect());
        }
        Ok(Disclosure {
            min_group: self.min_group.unwrap_or(1),
            order_statistics: self.order_statistics,
            runs_max: self.runs_max,
            functions,
        })
    }
}

/// The budget that a text like `epsilon=1,delta=0.000001` is.
fn budget(text: &str) -> Result<Budget, Failure> {
    let refuse = |message: String| {
        Failure::Invalid {
        message: format!("--privacy {text:?}: {message}"),
        hint: Some("write it as in epsilon=1, or epsilon=1,delta=0.000001, or rho=0.5: decimals of at most twelve places".into()),
    }
    };
    let (mut rho, mut epsilon, mut delta) = (None, None, None);
    for part in text.split(',') {
        let (name, amount) =
            part.split_once('=').ok_or_else(|| refuse(format!("{part:?} names no measure and amount")))?;
        let amount: Amount = amount.trim().parse().map_err(|error| refuse(format!("{error}")))?;
        let place = match name.trim() {
            "rho" => &mut rho,
            "epsilon" => &mut epsilon,
            "delta" => &mut delta,
            other => return Err(refuse(format!("{other:?} is none of epsilon, delta and rho"))),
        };
        if place.replace(amount).is_some() {
            return Err(refuse(format!("{} is given twice", name.trim())));
        }
    }
    Budget::of(rho, epsilon, delta.map(Amount::quantity)).map_err(|error| refuse(error.to_string()))
}

/// The sharing of a study over `helpers` helpers. Additive sharing has one threshold only.
pub(crate) fn sharing(kind: SharingArgument, helpers: u8, threshold: Option<u8>) -> Result<Sharing, Failure> {
    let (kind, threshold) = match kind {
        SharingArgument::Shamir => (SharingKind::Shamir, threshold.unwrap_or(1)),
        SharingArgument::Additive => (SharingKind::Additive, threshold.unwrap_or(helpers.saturating_sub(1))),
    };
    let sharing = Sharing { kind, helpers, threshold };
    sharing.check().map_err(|expected| Failure::Invalid {
        message: format!("{sharing}: this cannot be; expected {expected}"),
        hint: Some("see --helpers, --threshold and --sharing in `quorate try --help`".into()),
    })?;
    Ok(sharing)
}

/// Reads a circuit's text; `name` is what a diagnostic calls it.
pub(crate) fn parse_circuit(name: &str, text: &str) -> Result<Circuit, Failure> {
    Circuit::parse(text).map_err(|diagnostics| refused(name, text, diagnostics))
}

/// A draft with the circuit's inputs as columns, for one row per contributor and everything allowed.
pub(crate) fn of_circuit(
    circuit: &Circuit,
    sharing: Sharing,
    bits: Option<BitsArgument>,
    capacity: u64,
) -> StudyDraft {
    StudyDraft {
        bits: bits.map(Bits::from),
        ..StudyDraft::new(&circuit.name.text, sharing, circuit.inputs(), capacity)
    }
}

/// The document of `draft` in the smallest field in which the circuit can run, the study and the program.
pub(crate) fn document(
    mut draft: StudyDraft,
    name: &str,
    text: &str,
) -> Result<(String, Study, Program), Failure> {
    let (mut document, mut study) = draft.document()?;
    let mut refusal = None;
    loop {
        let diagnostics = match compile(text, &study) {
            Ok(program) => return Ok((document, study, program)),
            Err(diagnostics) => diagnostics,
        };
        // The largest field has no products: what is wrong with a circuit in a smaller one says more.
        if refusal.is_none() || study.field < FieldId::F256 {
            refusal = Some(diagnostics.clone());
        }
        let Some(larger) = FieldId::ALL.into_iter().find(|field| *field > study.field) else {
            return Err(refused(name, text, refusal.unwrap_or(diagnostics)));
        };
        draft.field = Some(larger);
        (document, study) = draft.document()?;
    }
}

/// The failure of a circuit.
pub(crate) fn refused(name: &str, text: &str, diagnostics: Diagnostics) -> Failure {
    Failure::Circuit { name: name.to_owned(), text: text.to_owned(), diagnostics }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn budgets_are_written_by_their_measures() {
        for (text, read) in [
            ("epsilon=1", "epsilon 1"),
            (" rho = 0.5", "rho 0.5"),
            ("delta=0.000001, epsilon=1", "epsilon 1, delta 0.000001 (rho 0.0"),
        ] {
            let found = budget(text).unwrap().to_string();
            assert!(found.starts_with(read), "{text}: {found}");
        }
        for (text, said) in [
            ("1", "names no measure"),
            ("epsilon=1e-3", "no amount"),
            ("epsilon=0", "allows nothing"),
            ("delta=0.1", "either rho, or epsilon"),
            ("rho=1,delta=0.1", "goes with epsilon"),
            ("rho=1,rho=2", "twice"),
            ("e=1", "none of epsilon"),
        ] {
            let message = budget(text).unwrap_err().to_string();
            assert!(message.contains(said), "{text}: {message}");
        }
    }
}
