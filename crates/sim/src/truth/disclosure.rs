//! Disclosure: what all answers tell together, in a study that has a smallest group.
//!
//! Whoever has the shares of `t + 1` helpers has a result, whether an analyst heard enough or not. Which rows a group has is asked of
//! each row alone, where everything may be asked.

use quorate_circuit::{Compiled, Outcome, Study, Undefined, compile, compile_after};
use quorate_field::Integer;
use quorate_wire::RunRequest;

use super::Truth;
use crate::broken::{Held, broken, hold};

impl Truth {
    /// Whether no small group is shown, and all that is shown tells none apart; how many results were shown, and suppressed.
    pub(crate) fn tells_no_small_group_apart(&self, study: &Study) -> Held<(u64, u64)> {
        let (min_group, mut shown, mut suppressed) = (study.policy.disclosure.min_group, 0, 0);
        if !study.policy.disclosure.has_groups() {
            return Ok((shown, suppressed));
        }
        let mut blocks: Option<Vec<Vec<usize>>> = None;
        for (session, replies) in &self.replies {
            if replies.len() <= usize::from(self.scheme.threshold()) {
                continue;
            }
            let request: Option<RunRequest> =
                self.requests.get(session).and_then(|signed| signed.open().ok());
            let Some(request) = request else {
                return broken("an answer answers a request", session.to_string());
            };
            let table = self.table(&request.manifest)?;
            let all = || vec![(0..table[0].len()).collect()];
            for (condition, outcome) in self.outcomes(study, &request)? {
                let members = members(study, &request.circuit, &condition, &table)?;
                let size = members.iter().filter(|is_member| **is_member).count() as u64;
                if outcome == Outcome::Undefined(Undefined::Suppressed) {
                    suppressed += 1;
                    continue;
                }
                shown += 1;
                hold(size >= min_group, "small groups are suppressed", || {
                    format!("{condition}: {outcome:?}")
                })?;
                let cut = |block: Vec<usize>| {
                    let (inside, outside): (Vec<usize>, Vec<usize>) =
                        block.into_iter().partition(|row| members[*row]);
                    [inside, outside]
                };
                let pieces = blocks.take().unwrap_or_else(all).into_iter().flat_map(cut);
                blocks = Some(pieces.filter(|piece| !piece.is_empty()).collect());
            }
        }
        let sizes: Vec<u64> = blocks.iter().flatten().map(|block| block.len() as u64).collect();
        hold(sizes.iter().all(|size| *size >= min_group), "no small group is told apart", || {
            format!("blocks of {sizes:?} rows")
        })?;
        Ok((shown, suppressed))
    }

    /// The results of a run, each with the condition that its rows meet.
    fn outcomes(&self, study: &Study, request: &RunRequest) -> Held<Vec<(String, Outcome)>> {
        let Ok(Compiled { program, .. }) = compile_after(&request.circuit, study, &request.earlier) else {
            return broken("what was answered compiles", request.circuit.clone());
        };
        let conditions = request.circuit.lines().filter_map(|line| line.split_once(" where "));
        let outcomes = self.reference(&program, &request.manifest)?;
        Ok(conditions
            .zip(outcomes)
            .map(|((_, condition), (_, outcome))| (condition.into(), outcome))
            .collect())
    }
}

/// In which rows a condition of a circuit's holds.
fn members(study: &Study, circuit: &str, condition: &str, table: &[Vec<Integer>]) -> Held<Vec<bool>> {
    let mut free = study.clone();
    free.policy.disclosure.min_group = 1;
    let inputs: Vec<&str> = circuit.lines().filter(|line| !line.starts_with("reveal ")).collect();
    let text = format!("{}\nreveal n = count({condition})\n", inputs.join("\n"));
    let Ok(program) = compile(&text, &free) else { return broken("conditions compile", text) };
    let is_member = |row: usize| {
        let alone: Vec<Vec<Integer>> = table.iter().map(|column| vec![column[row]]).collect();
        match program.evaluate(&alone) {
            Ok(outputs) => Ok(program.outcomes(&outputs, 1)[0].1.to_f64() == Some(1.0)),
            Err(error) => broken("the clear text evaluates", error.to_string()),
        }
    };
    (0..table[0].len()).map(is_member).collect()
}
