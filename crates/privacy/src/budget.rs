//! Losses and budgets: what results cost, and what a study may cost in all.
//!
//! Losses are counted as zero-concentrated differential privacy (Bun, Steinke, "Concentrated differential privacy", TCC 2016),
//! under which they add up, and as pure differential privacy as long as every result was. A pure loss of `epsilon` is one of
//! `epsilon^2 / 2` in `rho` (their proposition 1.4).
//!
//! A sum of `m` discrete Gaussians of variance `v` each is not quite a discrete Gaussian. On `d` numbers it is `rho`-zCDP with `sqrt(2 rho) =
//! D / sqrt(m v) + tau sqrt(d)`, where `D` is the sensitivity in the Euclidean norm and `tau = 10 sum_{k=1..m-1} exp(-2 pi^2 v k / (k + 1))`
//! (Kairouz, Liu, Steinke, "The distributed discrete Gaussian mechanism for federated learning with secure aggregation", ICML 2021).
//! With `v` at least 4, as parts have it, `tau` is below 10^-16 for any `m`, so that `rho` grows by less than
//! `2 * 10^-16 sqrt(2 rho d)`: by less than one unit of 10^-12 as long as `rho d` is at most 10^7, which includes a million numbers at a
//! `rho` of 10. That unit is charged with each result ([`Loss::concentrated`]).

use std::fmt;

use quorate_field::quantity::Quantity;
use serde::{Deserialize, Serialize};

use crate::{Amount, rho_of};

/// What results cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Loss {
    /// In zero-concentrated differential privacy.
    pub rho: Amount,
    /// In pure differential privacy; `None` where a result is not pure.
    pub epsilon: Option<Amount>,
}

/// What a study may cost in all, for one contributor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Budget {
    /// Pure differential privacy.
    Pure {
        /// The most epsilon.
        epsilon: Amount,
    },
    /// Zero-concentrated differential privacy.
    Concentrated {
        /// The most rho.
        rho: Amount,
    },
    /// Approximate differential privacy, kept as zero-concentrated.
    Approximate {
        /// Epsilon of the whole.
        epsilon: Amount,
        /// Delta of the whole: above 0 and below 1.
        delta: Quantity,
        /// The most rho, which implies both.
        rho: Amount,
    },
}

/// What is no budget.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BudgetError {
    /// Neither `epsilon` nor `rho`, or both.
    #[error("a budget is either rho, or epsilon with or without delta")]
    Measure,
    /// Nothing can be asked with it.
    #[error("a budget of nothing allows nothing")]
    Nothing,
    /// A delta that is none.
    #[error("delta is above 0 and below 1, and goes with epsilon")]
    Delta,
}

impl Loss {
    /// Nothing.
    pub const NONE: Loss = Loss { rho: Amount::ZERO, epsilon: Some(Amount::ZERO) };

    /// Of a result with Laplace noise: pure, with this `epsilon`. `None` if it is negative or too much to count.
    pub fn pure(epsilon: &Quantity) -> Option<Loss> {
        Some(Loss { rho: Amount::half_square(epsilon)?, epsilon: Some(Amount::ceil(epsilon)?) })
    }

    /// Of a result with Gaussian noise drawn in parts: this `rho`, and one unit because the sum of the parts is not quite a discrete
    /// Gaussian. `None` if it is negative or too much to count.
    pub fn concentrated(rho: &Quantity) -> Option<Loss> {
        Some(Loss { rho: Amount::ceil(rho)?.saturating_add(Amount::UNIT), epsilon: None })
    }

    /// Of both.
    #[must_use]
    pub fn plus(&self, other: &Loss) -> Loss {
        let epsilon = self.epsilon.zip(other.epsilon).map(|(left, right)| left.saturating_add(right));
        Loss { rho: self.rho.saturating_add(other.rho), epsilon }
    }

    /// Whether it is nothing.
    pub fn is_none(&self) -> bool {
        self.rho == Amount::ZERO && self.epsilon == Some(Amount::ZERO)
    }
}

impl Budget {
    /// The budget that these are: `rho`, or `epsilon`, or `epsilon` and `delta`.
    ///
    /// # Errors
    /// They are no budget. Whoever wrote them is to blame.
    pub fn of(
        rho: Option<Amount>,
        epsilon: Option<Amount>,
        delta: Option<Quantity>,
    ) -> Result<Budget, BudgetError> {
        let is_nothing = |amount: Amount| amount == Amount::ZERO;
        match (rho, epsilon, delta) {
            (Some(rho), None, None) if is_nothing(rho) => Err(BudgetError::Nothing),
            (None, Some(epsilon), _) if is_nothing(epsilon) => Err(BudgetError::Nothing),
            (Some(rho), None, None) => Ok(Budget::Concentrated { rho }),
            (None, Some(epsilon), None) => Ok(Budget::Pure { epsilon }),
            (None, Some(epsilon), Some(delta)) => {
                let rho = rho_of(&epsilon.quantity(), &delta).ok_or(BudgetError::Delta)?;
                let rho = Amount::floor(&rho).filter(|rho| !is_nothing(*rho)).ok_or(BudgetError::Nothing)?;
                Ok(Budget::Approximate { epsilon, delta, rho })
            }
            (Some(_), None, Some(_)) => Err(BudgetError::Delta),
            _ => Err(BudgetError::Measure),
        }
    }

    /// Whether a loss is within it. A loss of [`Amount::MAX`] is within none: it may be more.
    pub fn allows(&self, loss: &Loss) -> bool {
        let spent = self.spent(loss);
        spent <= self.most() && spent < Amount::MAX
    }

    /// What is left of it after a loss, in its own measure.
    pub fn left(&self, loss: &Loss) -> Amount {
        self.most().saturating_sub(self.spent(loss))
    }

    /// The most that may be spent, in its own measure.
    fn most(&self) -> Amount {
        match self {
            Budget::Pure { epsilon } => *epsilon,
            Budget::Concentrated { rho } | Budget::Approximate { rho, .. } => *rho,
        }
    }

    /// A loss in its own measure; of one that is not pure, in a pure budget's, the most there is.
    pub fn spent(&self, loss: &Loss) -> Amount {
        match self {
            Budget::Pure { .. } => loss.epsilon.unwrap_or(Amount::MAX),
            Budget::Concentrated { .. } | Budget::Approximate { .. } => loss.rho,
        }
    }

    /// [`Budget::spent`] with its measure: `epsilon 0.5`.
    pub fn spent_words(&self, loss: &Loss) -> String {
        format!("{} {}", self.measure(), self.spent(loss))
    }

    /// The name of its measure: `epsilon` or `rho`.
    pub fn measure(&self) -> &'static str {
        match self {
            Budget::Pure { .. } => "epsilon",
            Budget::Concentrated { .. } | Budget::Approximate { .. } => "rho",
        }
    }
}

/// In both measures, as far as it has both: `epsilon 0.5, rho 0.125`.
impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(epsilon) = self.epsilon {
            write!(f, "epsilon {epsilon}, ")?;
        }
        write!(f, "rho {}", self.rho)
    }
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Budget::Pure { epsilon } => write!(f, "epsilon {epsilon}"),
            Budget::Concentrated { rho } => write!(f, "rho {rho}"),
            Budget::Approximate { epsilon, delta, rho } => {
                write!(f, "epsilon {epsilon}, delta {delta} (rho {rho})")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use quorate_field::Integer;

    use super::*;

    fn amount(text: &str) -> Amount {
        text.parse().unwrap()
    }

    fn amounts() -> impl Strategy<Value = Amount> {
        let trillionths = prop_oneof![0_u64..5, 0_u64..4_000_000_000_000, Just(1_000_000_000_000_000_000)];
        trillionths.prop_map(|number| {
            let number = Quantity::new(number.into(), Integer::pow10(12).unwrap()).unwrap();
            Amount::floor(&number).unwrap()
        })
    }

    fn losses() -> impl Strategy<Value = Loss> {
        (amounts(), proptest::option::of(amounts())).prop_map(|(rho, epsilon)| Loss { rho, epsilon })
    }

    fn budgets() -> impl Strategy<Value = Budget> {
        let delta = Quantity::new(Integer::ONE, Integer::pow10(9).unwrap()).unwrap();
        let or_unit = |amount: Amount| amount.max(Amount::UNIT);
        prop_oneof![
            amounts().prop_map(move |epsilon| Budget::Pure { epsilon: or_unit(epsilon) }),
            amounts().prop_map(move |rho| Budget::Concentrated { rho: or_unit(rho) }),
            amounts().prop_map(move |rho| Budget::Approximate {
                epsilon: Amount::UNIT,
                delta,
                rho: or_unit(rho)
            }),
        ]
    }

    proptest! {
        #[test]
        fn losses_add_up_in_any_order(a in losses(), b in losses(), c in losses()) {
            prop_assert_eq!(a.plus(&b), b.plus(&a));
            prop_assert_eq!(a.plus(&b).plus(&c), a.plus(&b.plus(&c)));
            prop_assert_eq!(a.plus(&Loss::NONE), a);
            prop_assert!(a.plus(&b).rho >= a.rho.max(b.rho));
            prop_assert_eq!(a.plus(&b).epsilon.is_some(), a.epsilon.is_some() && b.epsilon.is_some());
        }

        #[test]
        fn more_is_never_allowed_where_less_is_not(budget in budgets(), a in losses(), b in losses()) {
            let both = a.plus(&b);
            prop_assert!(budget.allows(&a) || !budget.allows(&both));
            prop_assert!(budget.left(&both) <= budget.left(&a));
            // What is left after a loss that is allowed is what another may take, to the last unit.
            if budget.allows(&a) {
                let left = budget.left(&a);
                let more = |amount| match budget {
                    Budget::Pure { .. } => Loss { rho: Amount::ZERO, epsilon: Some(amount) },
                    _ => Loss { rho: amount, epsilon: None },
                };
                let all = a.plus(&more(left));
                let is_most = all == a.plus(&more(Amount::MAX));
                prop_assert!(is_most || budget.allows(&all));
                prop_assert!(!budget.allows(&a.plus(&more(left.saturating_add(Amount::UNIT)))));
            }
        }

        #[test]
        fn only_pure_losses_are_within_a_pure_budget(epsilon in amounts(), rho in amounts()) {
            let budget = Budget::Pure { epsilon };
            let loss = Loss { rho, epsilon: None };
            prop_assert!(!budget.allows(&loss));
            prop_assert_eq!(budget.left(&loss), Amount::ZERO);
            prop_assert!(!budget.allows(&loss.plus(&Loss::NONE)));
        }
    }

    #[test]
    fn sums_that_stop_at_the_most_are_never_allowed() {
        let most = Loss { rho: Amount::MAX, epsilon: Some(Amount::MAX) };
        for budget in [Budget::Pure { epsilon: Amount::MAX }, Budget::Concentrated { rho: Amount::MAX }] {
            assert!(budget.allows(&Loss::NONE));
            assert!(!budget.allows(&most) && !budget.allows(&most.plus(&most)));
        }
    }

    #[test]
    fn losses_are_rounded_up() {
        let third = Quantity::new(Integer::ONE, Integer::from(3_u64)).unwrap();
        let pure = Loss::pure(&third).unwrap();
        assert_eq!((pure.rho, pure.epsilon), (amount("0.055555555556"), Some(amount("0.333333333334"))));
        // Half a square of 10^-12 is rounded up, and never lost.
        let unit = Loss::pure(&Amount::UNIT.quantity()).unwrap();
        assert_eq!((unit.rho, unit.epsilon), (Amount::UNIT, Some(Amount::UNIT)));
        // One unit for the rounding, and one for what the sum of parts is not.
        let concentrated = Loss::concentrated(&third).unwrap();
        assert_eq!((concentrated.rho, concentrated.epsilon), (amount("0.333333333335"), None));
        assert_eq!(Loss::concentrated(&third.checked_neg().unwrap()), None);
        assert_eq!(Loss::pure(&third.checked_neg().unwrap()), None);
        assert_eq!(Loss::pure(&Quantity::from(1_000_001)), None);
    }

    #[test]
    fn budgets_are_one_measure_and_not_nothing() {
        let (half, delta) = (Some(amount("0.5")), Quantity::new(Integer::ONE, Integer::pow10(9).unwrap()));
        assert_eq!(Budget::of(half, None, None), Ok(Budget::Concentrated { rho: amount("0.5") }));
        assert_eq!(Budget::of(None, half, None), Ok(Budget::Pure { epsilon: amount("0.5") }));
        let Ok(Budget::Approximate { rho, .. }) = Budget::of(None, Some(amount("1")), delta) else {
            panic!("epsilon and delta are a budget");
        };
        assert_eq!(rho, amount("0.014973057056"));
        for (rho, epsilon, delta, expected) in [
            (None, None, None, BudgetError::Measure),
            (half, half, None, BudgetError::Measure),
            (half, half, delta, BudgetError::Measure),
            (half, None, delta, BudgetError::Delta),
            (None, None, delta, BudgetError::Measure),
            (None, half, Some(Quantity::ONE), BudgetError::Delta),
            (None, half, Some(Quantity::ZERO), BudgetError::Delta),
            (Some(Amount::ZERO), None, None, BudgetError::Nothing),
            (None, Some(Amount::ZERO), None, BudgetError::Nothing),
            (None, Some(Amount::ZERO), delta, BudgetError::Nothing),
            (None, Some(Amount::UNIT), delta, BudgetError::Nothing),
        ] {
            assert_eq!(Budget::of(rho, epsilon, delta), Err(expected));
        }
    }
}
