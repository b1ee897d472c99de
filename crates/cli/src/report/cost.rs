//! What a run cost of a contributor's privacy, and what is left.

use quorate_circuit::Study;
use quorate_client::analyst::Run;
use quorate_privacy::{Amount, Budget, Loss};
use serde::Serialize;

/// What a private run cost. The names of the fields are the keys of the JSON.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Cost {
    /// What the run cost.
    loss: Loss,
    /// What the study may cost in all, if there is a bound.
    budget: Option<Budget>,
    /// What was spent, this run included, if helpers said so.
    spent: Option<Loss>,
    /// What of the budget is left, if that is known.
    left: Option<Amount>,
}

impl Cost {
    /// Of a run whose study's helpers were asked, or not. `None` of a run that cost nothing.
    pub(super) fn of(study: &Study, run: &Run, spent: Option<Loss>) -> Option<Self> {
        let (loss, budget) = (run.program.loss, study.privacy);
        let left = budget.zip(spent).map(|(budget, spent)| budget.left(&spent));
        (!loss.is_none()).then_some(Cost { loss, budget, spent, left })
    }

    /// In words.
    pub(super) fn text(&self) -> String {
        let Cost { loss, budget, left, .. } = self;
        let Some(budget) = budget else {
            return format!("the run cost {loss}; the study has no budget");
        };
        let (cost, measure) = (budget.spent_words(loss), budget.measure());
        match left {
            Some(left) => {
                format!("the run cost {cost}; of the study's {budget} there is {measure} {left} left")
            }
            None => {
                format!("the run cost {cost} of the study's {budget} (`quorate budget` says what is left)")
            }
        }
    }
}
