//! A study's budget of privacy, as its document has it:
//!
//! ```toml
//! [privacy]
//! rho = "0.5"           # or: epsilon = "1"
//!                       # or: epsilon = "1" and delta = "0.000001"
//! ```
//!
//! With a budget every result has noise in it, and helpers refuse what would cost more than is left.

use quorate_privacy::{Amount, Budget};
use serde::Deserialize;

use super::document::value;
use super::{Study, StudyError};

/// The table as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PrivacyDocument {
    rho: Option<String>,
    epsilon: Option<String>,
    delta: Option<String>,
}

impl PrivacyDocument {
    /// The budget that it is.
    pub(super) fn budget(self) -> Result<Budget, StudyError> {
        let rho = amount("privacy.rho", self.rho)?;
        let epsilon = amount("privacy.epsilon", self.epsilon)?;
        let delta = amount("privacy.delta", self.delta)?.map(Amount::quantity);
        Budget::of(rho, epsilon, delta).map_err(|error| {
            let expected = "rho, or epsilon, or epsilon and delta";
            value(
                "privacy",
                format!("no budget ({error})"),
                expected,
                "leave the table away for exact results",
            )
        })
    }
}

fn amount(key: &str, text: Option<String>) -> Result<Option<Amount>, StudyError> {
    let Some(text) = text else { return Ok(None) };
    let amount = text.parse().map_err(|_| {
        let expected = "a decimal from \"0\" to \"1000000\" with at most twelve decimals";
        value(key, format!("{text:?}"), expected, "write it in quotes, like \"0.5\"")
    })?;
    Ok(Some(amount))
}

/// The table of a budget.
pub(super) fn budget_text(budget: &Budget) -> String {
    match budget {
        Budget::Pure { epsilon } => format!("\n[privacy]\nepsilon = \"{epsilon}\"\n"),
        Budget::Concentrated { rho } => format!("\n[privacy]\nrho = \"{rho}\"\n"),
        Budget::Approximate { epsilon, delta, .. } => {
            format!("\n[privacy]\nepsilon = \"{epsilon}\"\ndelta = \"{delta}\"\n")
        }
    }
}

/// Whether a study can keep its budget.
pub(super) fn check(study: &Study) -> Result<(), StudyError> {
    let Some(budget) = &study.privacy else { return Ok(()) };
    if study.policy.disclosure.has_groups() {
        let expected = "1, in a study with a budget of privacy";
        let help = "which groups are suppressed would itself tell exactly; noise protects small groups";
        return Err(value("policy.min_group", study.policy.disclosure.min_group, expected, help));
    }
    let (helpers, threshold) = (u16::from(study.sharing.helpers), u16::from(study.sharing.threshold));
    let most = 3 * threshold + 1;
    if study.sharing.has_products(study.field) && helpers > most {
        let expected = format!("at most {most} helpers at threshold {threshold}, not {helpers}");
        let help = "two runs must have an answering helper in common, or nobody knows what both cost";
        return Err(value("privacy", budget, &expected, help));
    }
    Ok(())
}
