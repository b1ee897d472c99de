//! Disclosure rules: what an analyst may not ask, and how few rows a result may be of.
//!
//! In the study's document they are keys of `[policy]`, none of which has to be there:
//!
//! ```toml
//! min_group = 5                  # no result of fewer rows, nor one that differs from another by fewer
//! order_statistics = true        # min, max, median, quantile: one person's exact value
//! runs_max = 20                  # runs of each analyst
//! [policy.functions]
//! salary = ["mean", "count"]     # what may be asked of this column; "where" and "by" are named so
//! ```

use std::collections::BTreeMap;

use super::{Study, StudyError, document::value};
use crate::check::FUNCTIONS;

/// Functions whose result is somebody's exact value.
const ORDER_STATISTICS: [&str; 4] = ["max", "median", "min", "quantile"];

/// What stands in a list of functions besides functions: constructs that look at a column.
const CONSTRUCTS: [&str; 3] = ["by", "weighted", "where"];

/// Rules on what may be asked of a study. Every helper enforces its own copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disclosure {
    /// Fewest rows that a result may be of, and by which two results may differ; with 1 there is no such rule.
    pub min_group: u64,
    /// Whether `min`, `max`, `median` and `quantile` may be asked. `None`: where there is no smallest group.
    pub order_statistics: Option<bool>,
    /// Most runs of each analyst, or `None` for any number.
    pub runs_max: Option<u64>,
    /// By column, for those that have a list: the functions, and `where`, `by`, `weighted`, that may take it.
    pub functions: BTreeMap<String, Vec<String>>,
}

/// Everything may be asked.
impl Default for Disclosure {
    fn default() -> Self {
        Disclosure { min_group: 1, order_statistics: None, runs_max: None, functions: BTreeMap::new() }
    }
}

impl Disclosure {
    /// Whether results of few rows are suppressed.
    pub fn has_groups(&self) -> bool {
        self.min_group > 1
    }

    /// Whether `min`, `max`, `median` and `quantile` may be asked.
    pub fn has_order_statistics(&self) -> bool {
        self.order_statistics.unwrap_or(!self.has_groups())
    }

    /// The rule that forbids `function` of `column`, if one does: the key of the study's document.
    pub(crate) fn refusal(&self, function: &str, column: Option<&str>) -> Option<String> {
        if !self.has_order_statistics() && ORDER_STATISTICS.contains(&function) {
            return Some("policy.order_statistics".to_owned());
        }
        let column = column?;
        let allowed = self.functions.get(column)?;
        let is_allowed = allowed.iter().any(|name| name == function);
        (!is_allowed).then(|| format!("policy.functions.{}", crate::syntax::quote(column)))
    }

    /// The rules in words, for whoever wants to know before asking.
    pub fn rules(&self) -> Vec<String> {
        let mut rules = Vec::new();
        if self.has_groups() {
            rules.push(format!(
                "min_group {}: no result of fewer rows, nor one that differs from another by fewer",
                self.min_group
            ));
        }
        if !self.has_order_statistics() {
            rules.push("order_statistics false: no min, max, median, quantile".to_owned());
        }
        if let Some(most) = self.runs_max {
            rules.push(format!("runs_max {most}: runs of each analyst"));
        }
        for (column, functions) in &self.functions {
            rules.push(format!("functions of {}: {}", crate::syntax::quote(column), functions.join(", ")));
        }
        rules
    }

    /// The lines of `[policy]`, then the table of functions if there is one.
    pub(super) fn text(&self) -> (String, String) {
        let mut lines = String::new();
        if self.has_groups() {
            lines += &format!("min_group = {}\n", self.min_group);
        }
        if let Some(order_statistics) = self.order_statistics {
            lines += &format!("order_statistics = {order_statistics}\n");
        }
        if let Some(runs_max) = self.runs_max {
            lines += &format!("runs_max = {runs_max}\n");
        }
        if self.functions.is_empty() {
            return (lines, String::new());
        }
        let table = toml::to_string(&self.functions).unwrap_or_default();
        (lines, format!("\n[policy.functions]\n{table}"))
    }

    /// Whether a study can keep them.
    pub(super) fn check(&self, study: &Study) -> Result<(), StudyError> {
        let rows = study.rows_total_max();
        if self.min_group == 0 || self.min_group > rows {
            let expected = format!("1 to {rows}, which is capacity * rows_max");
            let help = "it is the fewest rows that a result may be of; 1 allows all";
            return Err(value("policy.min_group", self.min_group, &expected, help));
        }
        let (helpers, threshold) = (u16::from(study.sharing.helpers), u16::from(study.sharing.threshold));
        let most = 3 * threshold + 1;
        if self.has_groups() && study.sharing.has_products(study.field) && helpers > most {
            let expected = format!("at most {most} helpers at threshold {threshold}, not {helpers}");
            let help = "two runs must have an answering helper in common, or nobody remembers both";
            return Err(value("policy.min_group", self.min_group, &expected, help));
        }
        if self.runs_max == Some(0) {
            return Err(value("policy.runs_max", 0, "at least 1", "leave the key away to allow any number"));
        }
        for (column, functions) in &self.functions {
            if study.column(column).is_none() {
                let (found, expected) = (format!("{column:?}"), "names of the study's columns");
                return Err(value("policy.functions", found, expected, "lists are by column"));
            }
            let is_known = |name: &str| FUNCTIONS.contains(&name) || CONSTRUCTS.contains(&name);
            if let Some(unknown) = functions.iter().find(|name| !is_known(name)) {
                let expected = format!("some of {}, {}", FUNCTIONS.join(", "), CONSTRUCTS.join(", "));
                let (key, found) = (format!("policy.functions.{column}"), format!("{unknown:?}"));
                return Err(value(&key, found, &expected, "list what may be asked of the column"));
            }
        }
        Ok(())
    }
}
