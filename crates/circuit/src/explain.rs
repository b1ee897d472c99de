//! Explanations: what a run of a circuit will reveal and cost, and why nothing in it can overflow, before it runs.

mod cost;
mod estimate;
mod privacy;
mod rules;

use std::collections::BTreeSet;
use std::fmt;

use quorate_field::FieldId;
use quorate_hash::Digest;
use quorate_privacy::Loss;
use serde::{Deserialize, Serialize};

pub use cost::Cost;
pub use estimate::{Estimate, RecentRuns, Speed, Workload};
pub use privacy::{ExpectedError, ExplainedNoise, Privacy};

use crate::check::{Checked, check_after};
use crate::diagnostics::Diagnostics;
use crate::interval::Interval;
use crate::lower::lower;
use crate::program::{Program, PublicInstruction, Revealed};
use crate::study::{InputChecks, Sharing, Study};
use crate::syntax::Circuit;
use rules::rules;

/// What a run of a circuit on a study means.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// The circuit's name.
    pub circuit: String,
    /// The study's name.
    pub study: String,
    /// The study's id.
    pub study_id: Digest,
    /// How values are split.
    pub sharing: Sharing,
    /// The field of the columns' shares.
    pub field: FieldId,
    /// Most rows that the proof against overflow holds for.
    pub rows_max: u64,
    /// The study's rules that hold for a run, in words.
    pub rules: Vec<String>,
    /// The results, in order; empty if it is refused.
    pub reveals: Vec<ExplainedReveal>,
    /// The numbers that leave the helpers, all of them.
    pub outputs: Vec<ExplainedOutput>,
    /// Every computed value, in the order of the text.
    pub nodes: Vec<ExplainedNode>,
    /// What the noise in results is, and costs; `None` where there is none.
    pub privacy: Option<Privacy>,
    /// What a run costs; `None` if it is refused.
    pub cost: Option<Cost>,
    /// How long a run takes; `None` until somebody says on how many rows ([`Explanation::with_estimate`]).
    pub estimate: Option<Estimate>,
    /// Which checks of the inputs the seal runs.
    pub input_checks: InputChecks,
    /// What the study's helpers cannot do; empty if they can run the circuit.
    pub refused: Diagnostics,
}

/// One result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExplainedReveal {
    /// Its name.
    pub name: String,
    /// As the circuit says it.
    pub expression: String,
    /// The outputs that the analyst computes it of, numbered from 0. None: the number of rows is enough.
    pub outputs: Vec<u32>,
}

/// One number that leaves the helpers, or the numbers of one vector.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExplainedOutput {
    /// What it is.
    pub meaning: String,
    /// How many numbers it is: 1, or the length of a vector.
    pub numbers: u32,
    /// All it can be, each of them, in its units.
    pub interval: Interval,
    /// The field it is in.
    pub field: FieldId,
}

/// One computed value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExplainedNode {
    /// As the circuit says it.
    pub expression: String,
    /// All that the integer that stands for it can be: of an aggregate, its numerator.
    pub interval: Interval,
    /// The field that holds it.
    pub field: FieldId,
}

/// Explains a circuit on a study, also one that its helpers cannot run.
///
/// # Errors
/// The circuit does not parse or check. The analyst is to blame.
pub fn explain(text: &str, study: &Study) -> Result<Explanation, Diagnostics> {
    explain_after(text, study, None)
}

/// The same on a study that was asked circuits before, oldest first; `None` where nobody knows which.
///
/// # Errors
/// The circuit, or an earlier one, does not parse or check. The analyst is to blame.
pub fn explain_after(
    text: &str,
    study: &Study,
    earlier: Option<&[String]>,
) -> Result<Explanation, Diagnostics> {
    let circuit = Circuit::parse(text)?;
    let checked = check_after(&circuit, study, &crate::parsed(earlier.unwrap_or_default())?)?;
    let (program, refused) = match lower(&checked, study) {
        Ok(program) => (Some(program), Diagnostics::default()),
        Err(refused) => (None, refused),
    };
    let program = program.as_ref();
    let outputs = program.map_or(&[][..], |program| &program.outputs);
    let output = |output: &crate::Output| ExplainedOutput {
        meaning: output.meaning.clone(),
        numbers: 1,
        interval: output.interval,
        field: output.field,
    };
    let vector = |vector: &crate::VectorSum| ExplainedOutput {
        meaning: vector.meaning.clone(),
        numbers: vector.length,
        interval: vector.interval,
        field: study.field,
    };
    let vectors = program.map_or(&[][..], |program| &program.vectors);
    Ok(Explanation {
        circuit: checked.name.clone(),
        study: study.name.clone(),
        study_id: study.id(),
        sharing: study.sharing,
        field: study.field,
        rows_max: checked.rows_max,
        rules: rules(study, earlier.map(<[String]>::len)),
        reveals: program.map_or(vec![], |program| reveals(program, &checked, text)),
        outputs: outputs.iter().map(output).chain(vectors.iter().map(vector)).collect(),
        nodes: nodes(&circuit, &checked, study, text),
        privacy: program.and_then(|program| Privacy::of(program, study)),
        cost: program.map(|program| Cost::of(program, study)),
        estimate: None,
        input_checks: study.input_checks(),
        refused,
    })
}

fn reveals(program: &Program, checked: &Checked, text: &str) -> Vec<ExplainedReveal> {
    let explained = |(reveal, checked): (&crate::RevealedAs, &crate::check::CheckedReveal)| ExplainedReveal {
        name: reveal.name.clone(),
        expression: piece(text, checked.span),
        outputs: outputs_of(program, &reveal.result),
    };
    program.reveals.iter().zip(&checked.reveals).map(explained).collect()
}

/// The outputs that a result is computed of; vectors are numbered behind all others.
fn outputs_of(program: &Program, result: &Revealed) -> Vec<u32> {
    if let Revealed::Vector { vector, .. } = result {
        return vec![u32::try_from(program.outputs.len()).unwrap_or(u32::MAX) + vector];
    }
    let mut pending = result.numbers();
    let (mut seen, mut outputs) = (BTreeSet::new(), BTreeSet::new());
    while let Some(number) = pending.pop() {
        if !seen.insert(number) {
            continue;
        }
        match &program.public[number as usize] {
            PublicInstruction::Output(output) => {
                outputs.insert(*output);
            }
            PublicInstruction::Add(a, b)
            | PublicInstruction::Multiply(a, b)
            | PublicInstruction::Divide(a, b) => {
                pending.extend([*a, *b]);
            }
            PublicInstruction::Root(square) => pending.push(*square),
            PublicInstruction::Constant(_) | PublicInstruction::Rows(_) => {}
        }
    }
    outputs.into_iter().collect()
}

/// The inputs and every computed value, in the order of the text.
fn nodes(circuit: &Circuit, checked: &Checked, study: &Study, text: &str) -> Vec<ExplainedNode> {
    let inputs = circuit.inputs.iter().map(|input| ExplainedNode {
        expression: piece(text, input.name.span),
        interval: input.domain.interval(),
        field: study.field,
    });
    let mut computed = checked.nodes.clone();
    computed.sort_by_key(|node| node.span);
    let computed = computed.into_iter().map(|node| ExplainedNode {
        expression: piece(text, node.span),
        interval: node.interval,
        field: node.field,
    });
    inputs.chain(computed).collect()
}

/// A piece of the text in one line.
fn piece(text: &str, span: crate::Span) -> String {
    text.get(span.start..span.end).unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "circuit {} on study {} ({})", self.circuit, self.study, self.study_id.short())?;
        writeln!(f, "  sharing   {}, columns in {}", self.sharing, self.field)?;
        writeln!(f, "  rows      at most {}", self.rows_max)?;
        writeln!(f, "  inputs    {}", self.input_checks)?;
        writeln!(f, "\nrules that every helper enforces for itself:")?;
        self.rules.iter().try_for_each(|rule| writeln!(f, "  {rule}"))?;
        if self.refused.is_empty() {
            self.write_reveals(f)?;
        } else {
            writeln!(f, "\nthis study's helpers cannot run it:")?;
            for diagnostic in &self.refused.0 {
                writeln!(f, "  {}: {}", diagnostic.message, diagnostic.label)?;
            }
        }
        if let Some(privacy) = &self.privacy {
            privacy.fmt(f)?;
        }
        if let Some(cost) = &self.cost {
            cost.fmt(f)?;
        }
        if let Some(estimate) = &self.estimate {
            estimate.fmt(f)?;
        }
        writeln!(f, "\nwhy nothing overflows (integers, and the field that holds them):")?;
        let rows = self
            .nodes
            .iter()
            .map(|node| [node.expression.clone(), node.interval.to_string(), node.field.to_string()]);
        write_aligned(f, &rows.collect::<Vec<_>>())
    }
}

/// Ascending positions, as the list of outputs numbers them: `[1] to [3], [7] and [9]`.
fn listed(outputs: &[u32]) -> String {
    let follows = |left: &u32, right: &u32| left + 1 == *right;
    let part = |run: &[u32]| match run {
        [first, _, .., last] => vec![format!("[{}] to [{}]", first + 1, last + 1)],
        few => few.iter().map(|one| format!("[{}]", one + 1)).collect(),
    };
    let parts: Vec<String> = outputs.chunk_by(follows).flat_map(part).collect();
    match parts.split_last() {
        Some((last, most)) if !most.is_empty() => format!("{} and {last}", most.join(", ")),
        _ => parts.concat(),
    }
}

impl Explanation {
    /// The same with how long a run takes. What the estimate counted replaces what the cost says about it.
    #[must_use]
    pub fn with_estimate(mut self, estimate: Estimate) -> Self {
        let Workload { rows, rounds, ands, .. } = estimate.workload;
        if let Some(cost) = &mut self.cost {
            cost.rounds = rounds;
            cost.row_ands = ands.checked_div(rows).unwrap_or(cost.row_ands);
        }
        self.estimate = Some(estimate);
        self
    }

    /// The same with what was spent of the study's budget before, and how many rows there are, as far as either is known.
    #[must_use]
    pub fn with_spent(mut self, program: &Program, spent: Option<Loss>, rows: Option<u64>) -> Self {
        if let Some(privacy) = &mut self.privacy {
            privacy.expect(program, spent, rows);
        }
        self
    }

    fn write_reveals(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\nrevealed to the analyst alone (the number of rows, n, is public):")?;
        let rows = self.reveals.iter().map(|reveal| {
            let from = match reveal.outputs.as_slice() {
                [] => "of n alone".to_owned(),
                [one] => format!("of [{}]", one + 1),
                all => format!("of {}: each of them is revealed", listed(all)),
            };
            [reveal.name.clone(), reveal.expression.clone(), from]
        });
        write_aligned(f, &rows.collect::<Vec<_>>())?;
        writeln!(f, "\nnumbers that leave the helpers, and nothing else does:")?;
        let rows = self.outputs.iter().enumerate().map(|(index, output)| {
            let of_vector = match output.numbers {
                1 => String::new(),
                length => format!(": {length} numbers"),
            };
            [
                format!("[{}] {}{of_vector}", index + 1, output.meaning),
                output.interval.to_string(),
                output.field.to_string(),
            ]
        });
        write_aligned(f, &rows.collect::<Vec<_>>())
    }
}

/// Rows of three cells, the columns aligned.
fn write_aligned(f: &mut fmt::Formatter<'_>, rows: &[[String; 3]]) -> fmt::Result {
    const WIDTH_MAX: usize = 60;
    let width =
        |cell: usize| rows.iter().map(|row| row[cell].chars().count().min(WIDTH_MAX)).max().unwrap_or(0);
    let (first, second) = (width(0), width(1));
    rows.iter().try_for_each(|[a, b, c]| writeln!(f, "  {a:<first$}  {b:<second$}  {c}"))
}

#[cfg(test)]
mod tests {
    use super::listed;

    #[test]
    fn outputs_are_listed_in_ranges() {
        assert_eq!(listed(&[6]), "[7]");
        assert_eq!(listed(&[0, 1]), "[1] and [2]");
        assert_eq!(listed(&[0, 1, 2]), "[1] to [3]");
        assert_eq!(listed(&[0, 1, 4, 6, 7, 8]), "[1], [2], [5] and [7] to [9]");
    }
}
