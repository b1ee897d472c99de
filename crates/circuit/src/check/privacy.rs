//! Private results: what a `with` says, and what a study with a budget makes of it.
//!
//! `with epsilon 0.5` is pure differential privacy, `with epsilon 0.5 delta 0.000001` approximate and `with rho 0.1`
//! zero-concentrated. The neighbours are studies that differ in one contribution, of the same number of rows.

use quorate_field::Integer;
use quorate_field::quantity::Quantity;
use quorate_privacy::{Amount, Budget, Loss, rho_of};

use super::form::{Atom, FitForm, Form, Source};
use super::groups::visit;
use super::{Checker, Forms};
use crate::diagnostics::{Diagnostic, Span};
use crate::program::Statistic;
use crate::syntax::{Privacy, PrivacyAmount, Reveal, quote};

const EXAMPLE: &str = "with epsilon 0.5, with epsilon 0.5 delta 0.000001 or with rho 0.1";

/// How a result is made private.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Private {
    pub(crate) mechanism: Mechanism,
    pub(crate) loss: Loss,
    /// What the text says of it.
    pub(crate) span: Span,
}

/// Which noise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mechanism {
    /// Discrete Laplace, of a pure epsilon.
    Laplace {
        /// What it costs.
        epsilon: Quantity,
    },
    /// Discrete Gaussian, of a rho.
    Gaussian {
        /// What it costs.
        rho: Quantity,
    },
}

impl Checker<'_> {
    /// How a result is made private, if it is to be; outer `None` where something is wrong with that.
    pub(super) fn privacy(&mut self, reveal: &Reveal, forms: &Forms) -> Option<Option<Private>> {
        let is_public = forms.all().iter().all(|form| is_public(form, &self.atoms));
        let Some(privacy) = &reveal.privacy else {
            let Some(budget) = self.study.privacy.filter(|_| !is_public) else { return Some(None) };
            let message =
                format!("the results of this study are private, and {} is exact", quote(&reveal.name.text));
            let help = format!("say behind it what it may cost of the study's {budget}: {EXAMPLE}");
            self.refuse(Diagnostic::new(reveal.expression.span, message, "without `with`").help(help));
            return None;
        };
        let private = self.private(privacy)?;
        if let (Some(Budget::Pure { epsilon }), None) = (self.study.privacy, private.loss.epsilon) {
            let label = format!("the study's budget is pure: epsilon {epsilon}");
            self.refuse(
                Diagnostic::new(privacy.span, "the study allows no delta, and no rho", label)
                    .help("write: with epsilon 0.1, or the like"),
            );
            return None;
        }
        if self.study.policy.disclosure.has_groups() {
            let message = "noise and suppression do not go together";
            let label = format!(
                "the study suppresses results of fewer than {} rows",
                self.study.policy.disclosure.min_group
            );
            self.refuse(Diagnostic::new(privacy.span, message, label).help(
                "which groups are suppressed is told exactly; ask without `with`, or a study without policy.min_group",
            ));
            return None;
        }
        let is_good = forms.all().iter().all(|form| self.has_mechanism(form, reveal.expression.span));
        is_good.then_some(Some(private))
    }

    /// The circuit does not cost more than the study may.
    pub(super) fn check_losses(&mut self, losses: &[(Loss, Span)]) {
        let Some(budget) = self.study.privacy else { return };
        let total = losses.iter().fold(Loss::NONE, |total, (loss, _)| total.plus(loss));
        if let (false, Some((_, span))) = (budget.allows(&total), losses.last()) {
            let label = format!("all results together cost {}", budget.spent_words(&total));
            let message = format!("the circuit costs more than the study may in all, {budget}");
            self.refuse(
                Diagnostic::new(*span, message, label).help("ask for less at once, or with more noise"),
            );
        }
    }

    fn private(&mut self, privacy: &Privacy) -> Option<Private> {
        let (mut rho, mut epsilon, mut delta) = (None, None, None);
        for amount in &privacy.amounts {
            let place = match amount.name.text.as_str() {
                "rho" => &mut rho,
                "epsilon" => &mut epsilon,
                "delta" => &mut delta,
                other => {
                    let message = format!("there is no privacy by {}", quote(other));
                    self.refuse(
                        Diagnostic::new(amount.name.span, message, "expected epsilon, delta or rho")
                            .help(format!("write: {EXAMPLE}")),
                    );
                    return None;
                }
            };
            if place.is_some() {
                let message = format!("{} is said twice", quote(&amount.name.text));
                self.refuse(Diagnostic::new(amount.name.span, message, "again").help("remove one"));
                return None;
            }
            *place = Some((self.amount(amount)?, amount.span));
        }
        let private = |mechanism, loss| Some(Private { mechanism, loss, span: privacy.span });
        match (rho, epsilon, delta) {
            (Some((amount, span)), None, None) => match gaussian(amount) {
                Some((mechanism, loss)) => private(mechanism, loss),
                None => self.refuse_amount(span),
            },
            (None, Some((amount, span)), None) => {
                let epsilon = amount.quantity();
                match Loss::pure(&epsilon) {
                    Some(loss) => private(Mechanism::Laplace { epsilon }, loss),
                    None => self.refuse_amount(span),
                }
            }
            (None, Some((epsilon, epsilon_span)), Some((amount, span))) => {
                if amount.quantity().checked_cmp(&Quantity::ONE).is_none_or(std::cmp::Ordering::is_ge) {
                    let message = "delta is a small probability";
                    self.refuse(
                        Diagnostic::new(span, message, "expected less than 1")
                            .help("well below one over the number of contributors, such as 0.000001"),
                    );
                    return None;
                }
                let rho = rho_of(&epsilon.quantity(), &amount.quantity());
                match rho.and_then(|rho| gaussian(Amount::floor(&rho)?)) {
                    Some((mechanism, loss)) => private(mechanism, loss),
                    None => self.refuse_amount(epsilon_span),
                }
            }
            _ => {
                let message = "this is no amount of privacy";
                let label = "expected epsilon, epsilon and delta, or rho";
                self.refuse(Diagnostic::new(privacy.span, message, label).help(format!("write: {EXAMPLE}")));
                None
            }
        }
    }

    fn amount(&mut self, amount: &PrivacyAmount) -> Option<Amount> {
        let quantity = Integer::pow10(amount.decimals).and_then(|unit| Quantity::new(amount.digits, unit));
        let exact = quantity.and_then(|quantity| {
            Amount::floor(&quantity).filter(|found| *found > Amount::ZERO && found.quantity() == quantity)
        });
        match exact {
            Some(amount) => Some(amount),
            None => self.refuse_amount(amount.span),
        }
    }

    fn refuse_amount<T>(&mut self, span: Span) -> Option<T> {
        let label = "expected more than 0, at most 1000000, with at most twelve decimals";
        self.refuse(Diagnostic::new(span, "this is no amount of privacy", label).help(
            "1 is little noise, 0.01 much: it bounds how much likelier a result is with somebody's data",
        ));
        None
    }

    /// Whether a form can be had of noisy numbers.
    fn has_mechanism(&mut self, form: &Form, span: Span) -> bool {
        let refusal = match form {
            Form::Fit(fit) => match &**fit {
                FitForm { statistic: Statistic::Regression { .. }, .. } => None,
                _ => Some((
                    "a test of noisy numbers is no test",
                    "its p-value would not be right",
                    "ask for the counts or means that it is of, `with` noise",
                )),
            },
            _ => None,
        };
        let extreme = (
            "there is no noise that hides an extreme",
            "the least or greatest value is one person's",
            "ask for quantile(x, 0.01) or quantile(x, 0.99)",
        );
        let (mut is_extreme, rows_max) = (false, Integer::from(self.rows_max));
        visit(form, &self.atoms, &mut |atom: &Atom| {
            if let Source::Quantile { share, .. } = &atom.source {
                // A share below one row is the least row.
                let of_all = rows_max.checked_mul(&share.numerator());
                is_extreme |=
                    *share == Quantity::ONE || of_all.is_none_or(|of_all| of_all <= share.denominator());
            }
        });
        let refusal = refusal.or(is_extreme.then_some(extreme));
        let Some((message, label, help)) = refusal else { return true };
        self.refuse(Diagnostic::new(span, message, label).help(help));
        false
    }
}

/// Gaussian noise that costs `rho` in all: what its parts cost beyond a discrete Gaussian, which is less than one unit, is taken off.
fn gaussian(rho: Amount) -> Option<(Mechanism, Loss)> {
    let noise = rho.saturating_sub(Amount::UNIT).quantity();
    let loss = Loss::concentrated(&noise)?;
    (noise != Quantity::ZERO).then_some((Mechanism::Gaussian { rho: noise }, loss))
}

/// Whether a form is computed of the number of rows alone.
fn is_public(form: &Form, atoms: &[Atom]) -> bool {
    let mut is_public = !matches!(form, Form::Vector(..));
    visit(form, atoms, &mut |_| is_public = false);
    is_public
}
