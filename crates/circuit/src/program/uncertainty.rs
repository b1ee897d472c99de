//! Uncertainty: how far noise may have taken a result, for whoever reads it.
//!
//! To first order in the noise: a result's error is what each noisy number that it is computed of contributes, by the result's
//! derivative, and these are independent. Of a fit the derivatives are differences over one standard error. All of it
//! is about noise alone: what a sample says of those who are not in it is another question.

use std::collections::BTreeMap;

use quorate_field::Integer;
use quorate_field::quantity::Quantity;
use quorate_privacy::Distribution;
use serde::ser::{Serialize, SerializeMap, Serializer};
use statrs::distribution::{ContinuousCDF, Normal};

use super::{Fit, Noise, Number, Program, PublicInstruction, Revealed, ScalarInstruction, Statistic};

/// Standard errors within which 95 percent of Gaussian noise is.
const GAUSSIAN: f64 = 1.96;
/// The same of Laplace noise: `ln(20) / sqrt(2)`. Sums of parts, and of several, have less beyond it.
const LAPLACE: f64 = 2.12;

/// Standard errors within which 95 percent of noise is, some of which is Laplace or none.
pub(crate) fn within(has_laplace: bool) -> f64 {
    if has_laplace { LAPLACE } else { GAUSSIAN }
}

pub(crate) fn is_laplace(distribution: &Distribution) -> bool {
    matches!(distribution, Distribution::Laplace { .. })
}

/// How many parts noise has, and how many of them nobody is taken to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parts {
    /// One of each helper that computes.
    pub all: u32,
    /// `all` less as many as may be known.
    pub honest: u32,
}

impl Parts {
    /// Those of so many helpers, of which up to `threshold` may know each other's.
    pub fn of(helpers: u32, threshold: u32) -> Self {
        Parts { all: helpers, honest: helpers.saturating_sub(threshold) }
    }

    /// The standard error of all of them together.
    pub fn error(&self, distribution: &Distribution) -> f64 {
        distribution.variance(self.all, self.honest).sqrt()
    }
}

/// How far noise may have taken a result.
///
/// The serde form is `{"stderr": s, "low": l, "high": h}` of a number, a map of such by label of a table, by coefficient of a model,
/// and `{"rank": r}` of an order statistic.
#[derive(Clone, Debug, PartialEq)]
pub enum Uncertainty {
    /// Of a number.
    Number(Margin),
    /// Of each element of a vector: its standard error, and half the width of an interval that has it with 95 percent.
    Vector {
        /// The standard error.
        stderr: f64,
        /// Half the width.
        margin: f64,
    },
    /// Of an order statistic: with 95 percent the asked rank, and the result's, are so many rows apart at most.
    Rank {
        /// Rows.
        rows: f64,
    },
    /// Of each group of a table, or each coefficient of a model, by its name; nothing where there is no noise.
    Parts(Vec<(String, Option<Uncertainty>)>),
}

/// Of a number: how large the noise is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Margin {
    /// The standard error of the noise.
    pub stderr: f64,
    /// With 95 percent the exact result is not below it.
    pub low: f64,
    /// With 95 percent the exact result is not above it.
    pub high: f64,
}

impl Uncertainty {
    /// Of group `index` of a table, or of that coefficient of a model.
    pub fn part(&self, index: usize) -> Option<&Uncertainty> {
        match self {
            Uncertainty::Parts(parts) => parts.get(index)?.1.as_ref(),
            _ => None,
        }
    }

    /// Of a number, half the width of the interval.
    pub fn margin(&self) -> Option<f64> {
        match self {
            Uncertainty::Number(margin) => Some((margin.high - margin.low) / 2.0),
            _ => None,
        }
    }
}

/// A number, and how it moves with each noisy output.
#[derive(Clone, Default)]
struct Dual {
    value: f64,
    slopes: BTreeMap<u32, f64>,
    /// Of an order statistic, and of nothing else: how far its rank is off.
    rank: Option<f64>,
}

impl Program {
    /// How far noise may have taken each result, by name; nothing of results without noise, and of those with no value.
    ///
    /// `outputs` and `rows` as [`Program::outcomes`] takes them.
    pub fn uncertainties(
        &self,
        outputs: &[Integer],
        rows: u64,
        parts: Parts,
    ) -> Vec<(String, Option<Uncertainty>)> {
        if self.noise.is_empty() {
            return self.reveals.iter().map(|reveal| (reveal.name.clone(), None)).collect();
        }
        let errors = self.errors(parts);
        let exact = self.public_numbers(&outputs[..self.outputs.len()], rows);
        let duals = self.duals(&exact, parts);
        let reader = Reader { program: self, errors, duals, exact, rows, parts };
        self.reveals.iter().map(|reveal| (reveal.name.clone(), reader.of(&reveal.result))).collect()
    }

    /// The standard errors to expect of the results that are a number and move evenly with noise, whatever they come to.
    pub fn expected_errors(&self, rows: u64, parts: Parts) -> Vec<(String, Option<f64>)> {
        let at = |value: u64| {
            let outputs = vec![Integer::from(value); self.outputs.len()];
            self.duals(&self.public_numbers(&outputs, rows), parts)
        };
        let (here, there, errors) = (at(1_000), at(1_999), self.errors(parts));
        let expected = |result: &Revealed| {
            let Revealed::Number(number) = result else { return None };
            let (here, there) = (&here[*number as usize].slopes, &there[*number as usize].slopes);
            (here == there && !here.is_empty()).then(|| stderr(here, &errors))
        };
        self.reveals.iter().map(|reveal| (reveal.name.clone(), expected(&reveal.result))).collect()
    }

    /// The standard error of each noisy output, and whether its noise is Laplace.
    fn errors(&self, parts: Parts) -> BTreeMap<u32, (f64, bool)> {
        let noisy = (0..).zip(&self.outputs).filter_map(|(place, output)| Some((place, output.noise?)));
        let error = |(place, noise): (u32, u32)| {
            let distribution = &self.noise[noise as usize].distribution;
            (place, (parts.error(distribution), is_laplace(distribution)))
        };
        noisy.map(error).collect()
    }

    fn duals(&self, exact: &[Number], parts: Parts) -> Vec<Dual> {
        let mut duals: Vec<Dual> = Vec::with_capacity(exact.len());
        for (instruction, exact) in self.public.iter().zip(exact) {
            let at = |index: &u32| &duals[*index as usize];
            let value = exact.to_f64();
            let mut dual = match instruction {
                PublicInstruction::Constant(_) | PublicInstruction::Rows(_) => Dual::default(),
                PublicInstruction::Output(place) => self.dual_of_output(*place, parts),
                PublicInstruction::Add(left, right) => at(left).joined(1.0, at(right), 1.0),
                PublicInstruction::Multiply(left, right) => {
                    at(left).joined(at(right).value, at(right), at(left).value)
                }
                PublicInstruction::Divide(left, right) => {
                    let below = at(right).value;
                    at(left).joined(1.0 / below, at(right), -value / below)
                }
                PublicInstruction::Root(square) => at(square).joined(0.5 / value, &Dual::default(), 0.0),
            };
            dual.value = value;
            duals.push(dual);
        }
        duals
    }

    fn dual_of_output(&self, place: u32, parts: Parts) -> Dual {
        match self.outputs[place as usize].noise {
            Some(_) => Dual { slopes: BTreeMap::from([(place, 1.0)]), ..Dual::default() },
            None => {
                Dual { rank: self.rank_error(self.outputs[place as usize].scalar, parts), ..Dual::default() }
            }
        }
    }

    /// How far the rank of an order statistic is off, if a scalar is one that was searched for with noise.
    fn rank_error(&self, scalar: u32, parts: Parts) -> Option<f64> {
        let computed = |scalar: u32| self.scalar.get((scalar as usize).checked_sub(self.reductions.len())?);
        let ScalarInstruction::Linear { terms, .. } = computed(scalar)? else { return None };
        let (mut steps, mut largest) = (0.0, 0.0_f64);
        for term in terms {
            let ScalarInstruction::Below(bounded) = computed(term.scalar)? else { return None };
            let ScalarInstruction::Linear { terms, .. } = computed(bounded.value)? else { return None };
            let noise = terms.iter().find_map(|term| match computed(term.scalar)? {
                ScalarInstruction::Noise(noise) => Some(&self.noise[*noise as usize]),
                _ => None,
            })?;
            largest = largest.max(parts.error(&noise.distribution) / noise.rank?.to_f64());
            steps += 1.0;
        }
        if terms.is_empty() {
            return None;
        }
        // Each step is within it but for a share of 5 percent; the tails of Laplace noise are longer.
        let beyond = 0.025 / steps;
        let gaussian = Normal::new(0.0, 1.0).ok()?.inverse_cdf(1.0 - beyond);
        let laplace = -(2.0 * beyond).ln() / std::f64::consts::SQRT_2;
        let has_laplace = self.noise.iter().any(|noise| is_laplace(&noise.distribution));
        Some(largest * if has_laplace { laplace.max(gaussian) } else { gaussian })
    }
}

impl Dual {
    /// `slope * self + other_slope * other`, but for the value.
    fn joined(&self, slope: f64, other: &Dual, other_slope: f64) -> Dual {
        let mut slopes: BTreeMap<u32, f64> =
            self.slopes.iter().map(|(output, by)| (*output, by * slope)).collect();
        for (output, by) in &other.slopes {
            *slopes.entry(*output).or_default() += by * other_slope;
        }
        // Of a multiple, and of a sum with what is public, the rank is the same.
        let is_public = |dual: &Dual| dual.slopes.is_empty() && dual.rank.is_none();
        let rank = match (self.rank, other.rank) {
            (Some(rank), None) if is_public(other) => Some(rank),
            (None, Some(rank)) if is_public(self) => Some(rank),
            _ => None,
        };
        Dual { value: 0.0, slopes, rank }
    }
}

/// What uncertainties are read from.
struct Reader<'a> {
    program: &'a Program,
    errors: BTreeMap<u32, (f64, bool)>,
    duals: Vec<Dual>,
    exact: Vec<Number>,
    rows: u64,
    parts: Parts,
}

impl Reader<'_> {
    fn of(&self, result: &Revealed) -> Option<Uncertainty> {
        match result {
            Revealed::Number(number) => {
                let dual = &self.duals[*number as usize];
                match dual.rank {
                    Some(rows) => Some(Uncertainty::Rank { rows }),
                    None => self.margin(dual.value, &dual.slopes).map(Uncertainty::Number),
                }
            }
            // A bit, or suppressed exactly.
            Revealed::Truth(_) | Revealed::Guarded { .. } => None,
            Revealed::Table(cells) => {
                let cells: Vec<_> =
                    cells.iter().map(|(label, cell)| (label.clone(), self.of(cell))).collect();
                some(cells)
            }
            Revealed::Fit { statistic, numbers } => self.of_fit(statistic, numbers),
            Revealed::Vector { vector, divisor } => {
                let noise = self.program.vectors[*vector as usize].noise?;
                let Noise { distribution, .. } = &self.program.noise[noise as usize];
                let divisor = divisor.at(self.rows)?.to_f64();
                let stderr = self.parts.error(distribution) / divisor;
                let margin = within(is_laplace(distribution)) * stderr;
                stderr.is_finite().then_some(Uncertainty::Vector { stderr, margin })
            }
        }
    }

    fn margin(&self, value: f64, slopes: &BTreeMap<u32, f64>) -> Option<Margin> {
        let is_noisy = slopes.keys().any(|output| self.errors.contains_key(output));
        let has_laplace =
            slopes.keys().any(|output| self.errors.get(output).is_some_and(|(_, laplace)| *laplace));
        let stderr = stderr(slopes, &self.errors);
        let half = stderr * within(has_laplace);
        (is_noisy && value.is_finite() && stderr.is_finite()).then_some(Margin {
            stderr,
            low: value - half,
            high: value + half,
        })
    }

    /// The coefficients of a model, moved by one standard error of each noisy number either way.
    fn of_fit(&self, statistic: &Statistic, numbers: &[u32]) -> Option<Uncertainty> {
        let exact = |number: &u32| match self.exact[*number as usize] {
            Number::Exact(quantity) => Some(quantity),
            _ => None,
        };
        let found = numbers.iter().map(exact).collect::<Option<Vec<Quantity>>>()?;
        let fit = coefficients(statistic, &found)?;
        let outputs: std::collections::BTreeSet<u32> =
            numbers.iter().flat_map(|number| self.duals[*number as usize].slopes.keys().copied()).collect();
        let mut slopes: Vec<BTreeMap<u32, f64>> = vec![BTreeMap::new(); fit.len()];
        for output in outputs {
            let Some((error, _)) = self.errors.get(&output) else { continue };
            let moved = |sign: f64| {
                let number = |(number, exact): (&u32, &Quantity)| {
                    let slope = self.duals[*number as usize].slopes.get(&output).copied().unwrap_or(0.0);
                    exact.checked_add(&rounded(sign * slope * error)?)
                };
                let moved = numbers.iter().zip(&found).map(number).collect::<Option<Vec<Quantity>>>()?;
                coefficients(statistic, &moved)
            };
            let (up, down) = (moved(1.0), moved(-1.0));
            for (place, (_, value)) in fit.iter().enumerate() {
                let at = |fit: &Option<Vec<(String, f64)>>| fit.as_ref().map(|fit| fit[place].1);
                let slope = match (at(&up), at(&down)) {
                    (Some(up), Some(down)) => (up - down) / 2.0,
                    (Some(one), None) | (None, Some(one)) => one - value,
                    (None, None) => return None,
                };
                slopes[place].insert(output, slope / error);
            }
        }
        let coefficient = |((name, value), slopes): ((String, f64), BTreeMap<u32, f64>)| {
            (name, self.margin(value, &slopes).map(Uncertainty::Number))
        };
        some(fit.into_iter().zip(slopes).map(coefficient).collect())
    }
}

/// The coefficients of a model by name; nothing of other fits.
fn coefficients(statistic: &Statistic, numbers: &[Quantity]) -> Option<Vec<(String, f64)>> {
    let Fit::Regression(model) = statistic.fit(numbers)? else { return None };
    Some(model.coefficients.into_iter().map(|one| (one.name, one.estimate)).collect())
}

/// A double as a quantity near it.
#[expect(clippy::cast_possible_truncation, reason = "beyond an i128 it saturates, and the fit is of no use")]
fn rounded(value: f64) -> Option<Quantity> {
    const PARTS: f64 = (1_u64 << 20) as f64;
    let parts = value.is_finite().then(|| Integer::from((value * PARTS).round() as i128))?;
    Quantity::new(parts, Integer::from(1_u64 << 20))
}

fn stderr(slopes: &BTreeMap<u32, f64>, errors: &BTreeMap<u32, (f64, bool)>) -> f64 {
    let square =
        |(output, slope): (&u32, &f64)| errors.get(output).map_or(0.0, |(error, _)| (slope * error).powi(2));
    slopes.iter().map(square).sum::<f64>().sqrt()
}

/// Nothing, if nothing is in it.
fn some(parts: Vec<(String, Option<Uncertainty>)>) -> Option<Uncertainty> {
    parts.iter().any(|(_, part)| part.is_some()).then_some(Uncertainty::Parts(parts))
}

impl Serialize for Uncertainty {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match self {
            Uncertainty::Number(Margin { stderr, low, high }) => {
                map.serialize_entry("stderr", stderr)?;
                map.serialize_entry("low", low)?;
                map.serialize_entry("high", high)?;
            }
            Uncertainty::Vector { stderr, margin } => {
                map.serialize_entry("stderr", stderr)?;
                map.serialize_entry("margin", margin)?;
            }
            Uncertainty::Rank { rows } => map.serialize_entry("rank", rows)?,
            Uncertainty::Parts(parts) => {
                parts.iter().try_for_each(|(name, part)| map.serialize_entry(name, part))?;
            }
        }
        map.end()
    }
}
