//! Budgets: what the helpers know was spent of a study's.

use futures_util::future::join_all;
use quorate_circuit::Study;
use quorate_hash::Digest;
use quorate_privacy::Loss;
use quorate_wire::Spent;

use crate::analyst::Run;
use crate::helpers::Ask;
use crate::{HelperError, Helpers, Reports};

/// What each helper knows that a study's results cost so far.
pub async fn budgets(helpers: &Helpers, study: &Digest) -> Reports<Spent> {
    let spent = async |number: u8| -> Result<Spent, HelperError> {
        helpers.ask_json(number, Ask::get(format!("/v1/studies/{study}/budget")), "a budget").await
    };
    join_all(helpers.numbers().map(spent)).await
}

/// What was spent, as far as those that answered know; the most counts. `None` if none did.
pub fn most_spent(reports: &[Result<Spent, HelperError>]) -> Option<&Spent> {
    // The first of those with most: the order of helpers decides, so that everybody says the same.
    reports.iter().flatten().reduce(|most, spent| if spent.runs > most.runs { spent } else { most })
}

/// What a study's results cost so far, as far as the helpers that answer know; the most counts. `None` if none does.
pub async fn spent(helpers: &Helpers, study: &Digest) -> Option<Loss> {
    most_spent(&budgets(helpers, study).await).map(|spent| spent.loss)
}

/// [`spent`] after a run that cost something. Nobody is asked after another.
pub async fn spent_after(helpers: &Helpers, study: &Study, run: &Run) -> Option<Loss> {
    if run.program.loss.is_none() { None } else { spent(helpers, &study.id()).await }
}

/// The helpers whose ledgers lack what others' have: they learn of it with the next run that they take part in.
pub fn behind(reports: &[Result<Spent, HelperError>]) -> Vec<u8> {
    let most = most_spent(reports).map(|spent| spent.ledger);
    let differs = |spent: &&Spent| Some(spent.ledger) != most;
    reports.iter().flatten().filter(differs).map(|spent| spent.helper).collect()
}

#[cfg(test)]
mod tests {
    use quorate_wire::{Code, Refusal};

    use super::*;
    use crate::Fault;

    fn spent(helper: u8, runs: u64, ledger: u8) -> Result<Spent, HelperError> {
        Ok(Spent { helper, runs, loss: quorate_privacy::Loss::NONE, ledger: Digest([ledger; 32]) })
    }

    #[test]
    fn whoever_knows_less_is_behind() {
        let away = Fault::Refused(Refusal::new(Code::Busy, "away"));
        let away = move || Err(HelperError { helper: 1, name: "a".into(), fault: away });
        let reports = [away(), spent(2, 4, 7), spent(3, 5, 8), spent(4, 5, 8)];
        assert_eq!(most_spent(&reports).map(|spent| spent.helper), Some(3));
        assert_eq!(behind(&reports), [2]);
        assert_eq!(behind(&[spent(1, 5, 8), spent(2, 5, 9)]), [2], "as many, but others");
        assert_eq!(behind(&reports[..1]), [0_u8; 0]);
    }
}
