//! Model: logistic regression, with the little that gradient descent needs of it.

use crate::data::{Batch, Row};

/// The coefficients, that of the intercept first.
#[derive(Clone, Debug)]
pub(crate) struct Model(Vec<f64>);

/// What a client makes of its batch.
#[derive(Clone, Debug)]
pub(crate) struct Gradient {
    /// Of the loss, on average over the batch; clipped.
    pub(crate) mean: Vec<f64>,
    /// Whether the bound has changed anything.
    pub(crate) is_clipped: bool,
}

impl Model {
    /// Nothing learned yet.
    pub(crate) fn zeros(coefficients: usize) -> Self {
        Model(vec![0.0; coefficients])
    }

    /// As it goes to clients.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        self.0.iter().flat_map(|coefficient| coefficient.to_le_bytes()).collect()
    }

    /// As it comes to clients.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Self {
        Model(bytes.as_chunks().0.iter().map(|chunk| f64::from_le_bytes(*chunk)).collect())
    }

    /// The gradient of the loss at this model, on average over a batch, each number clipped to `-bound .. bound`.
    pub(crate) fn gradient(&self, batch: &Batch, bound: f64) -> Gradient {
        let mut mean = vec![0.0; self.0.len()];
        for row in batch {
            let error = 1.0 / (1.0 + (-self.score(row)).exp()) - row.label;
            mean.iter_mut().zip(&row.features).for_each(|(sum, feature)| *sum += error * feature);
        }
        mean.iter_mut().for_each(|sum| *sum /= batch.len() as f64);
        let is_clipped = mean.iter().any(|number| number.abs() > bound);
        mean.iter_mut().for_each(|number| *number = number.clamp(-bound, bound));
        Gradient { mean, is_clipped }
    }

    /// Takes a step down a gradient.
    pub(crate) fn descend(&mut self, gradient: &[f64], step: f64) {
        self.0.iter_mut().zip(gradient).for_each(|(coefficient, slope)| *coefficient -= step * slope);
    }

    /// The mean loss over all rows, and the share of them whose label is the likelier one.
    pub(crate) fn measure(&self, batches: &[Batch]) -> (f64, f64) {
        let (mut loss, mut right, mut rows) = (0.0, 0, 0);
        for row in batches.iter().flatten() {
            let margin = (2.0 * row.label - 1.0) * self.score(row);
            // ln(1 + e^-m), where nothing overflows.
            loss += (-margin.abs()).exp().ln_1p() + (-margin).max(0.0);
            right += usize::from(margin > 0.0);
            rows += 1;
        }
        (loss / f64::from(rows), right as f64 / f64::from(rows))
    }

    /// The largest difference of any coefficient from another model's.
    pub(crate) fn difference(&self, other: &Model) -> f64 {
        self.0.iter().zip(&other.0).map(|(own, other)| (own - other).abs()).fold(0.0, f64::max)
    }

    fn score(&self, row: &Row) -> f64 {
        self.0.iter().zip(&row.features).map(|(coefficient, feature)| coefficient * feature).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::generated;

    #[test]
    fn the_gradient_is_the_slope_of_the_loss() {
        let batch = generated(1, 7);
        let model = Model((0..11).map(|place| f64::from(place) / 10.0 - 0.4).collect());
        let gradient = model.gradient(&batch, 10.0);
        assert!(!gradient.is_clipped);
        for place in 0..11 {
            let loss = |change: f64| {
                let mut moved = model.clone();
                moved.0[place] += change;
                moved.measure(std::slice::from_ref(&batch)).0
            };
            let slope = (loss(1e-5) - loss(-1e-5)) / 2e-5;
            assert!((slope - gradient.mean[place]).abs() < 1e-8, "{slope} {}", gradient.mean[place]);
        }
        assert!(model.gradient(&batch, 1e-6).is_clipped);
        let bytes = Model::from_bytes(&model.to_bytes());
        assert_eq!(bytes.0, model.0);
    }
}
