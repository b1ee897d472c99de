//! Training: federated and central side by side, and how far apart they may be.
//!
//! Both start from the same model. In every round the federated one takes a step down the mean gradient that the clients
//! who stayed were summed to, the central one down the same clients' at its own model, in double precision. What is
//! between them is rounding. Let `r` be the most by which a round's mean is off in one of `d` coefficients, `s` the step, and
//! `H` the loss's Hessian averaged over the way from one model to the other:
//!
//! ```text
//! |a' - b'| <= |(I - s H)(a - b)| + s r sqrt(d)           Euclidean norms
//! |I - s H| <= max(1, s L - 1)                            H is symmetric with eigenvalues from 0 to L,
//!                                                         L = the mean of |x|^2 / 4 over the rows
//! |I - s D H| <= 1 + s L                                  where clipping has cut some numbers out
//! ```
//!
//! so that steps of at most `2/L` add rounding up and do not amplify it. No coefficient differs by more than the norm.

use std::collections::BTreeMap;

use quorate_masking::Demand;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use crate::Failure;
use crate::data::{Batch, shuffle};
use crate::model::Model;

/// What all rounds have in common.
#[derive(Debug)]
pub(crate) struct Setting {
    /// The clients' rows.
    pub(crate) batches: Vec<Batch>,
    /// Numbers of a mean gradient are clipped to `-bound .. bound`.
    pub(crate) bound: f64,
    /// The length of a step, over that of the gradient.
    pub(crate) step: f64,
    /// The share of the clients that leave in every round, rounded down.
    pub(crate) dropouts: f64,
    /// How many rounds.
    pub(crate) rounds: u64,
    /// What draws who leaves.
    pub(crate) seed: u64,
}

/// When a client leaves a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leaving {
    /// Before it sends anything.
    AtOnce,
    /// After others hold shares of its secrets, before it sends its vector. With helpers there is no such moment: at once.
    SharesOut,
}

/// What a round came to.
#[derive(Debug)]
pub(crate) struct Summed {
    /// Whose gradients are in it, ascending.
    pub(crate) survivors: Vec<usize>,
    /// Their mean, weighted by rows.
    pub(crate) mean: Vec<f64>,
    /// Their rows, as they were counted by the round.
    pub(crate) rows: u64,
    /// The most by which a number of the mean is off.
    pub(crate) rounding: f64,
}

/// A federated and a central model under way.
#[derive(Debug)]
pub(crate) struct Training {
    /// What rounds sum to.
    pub(crate) federated: Model,
    central: Model,
    /// The most by which they may be apart.
    pub(crate) limit: f64,
}

impl Setting {
    /// Coefficients of the model.
    pub(crate) fn coefficients(&self) -> usize {
        self.batches[0][0].features.len()
    }

    /// Rows of the client that has most.
    pub(crate) fn rows_max(&self) -> usize {
        self.batches.iter().map(Batch::len).max().unwrap_or(0)
    }

    /// What a graph of clients must bear: those who leave; of the others, one in twenty may work with the server.
    pub(crate) fn demand(&self) -> Demand {
        Demand { dropouts: self.dropouts, ..Demand::default() }
    }

    /// Who leaves in a round.
    pub(crate) fn leaving(&self, round: u64) -> BTreeMap<usize, Leaving> {
        let mut clients: Vec<usize> = (0..self.batches.len()).collect();
        shuffle(&mut clients, &mut ChaCha20Rng::seed_from_u64(self.seed.wrapping_add(round)));
        let stay = self.demand().survivors_min(clients.len().try_into().unwrap_or(u32::MAX));
        let count = clients.len().saturating_sub(stay as usize);
        let leaving = |(place, client)| {
            let is_even = (place as u64 + round).is_multiple_of(2);
            (client, if is_even { Leaving::AtOnce } else { Leaving::SharesOut })
        };
        clients.into_iter().take(count).enumerate().map(leaving).collect()
    }
}

impl Training {
    /// Two models of zeros.
    pub(crate) fn new(setting: &Setting) -> Self {
        let model = Model::zeros(setting.coefficients());
        Training { federated: model.clone(), central: model, limit: 0.0 }
    }

    /// A step of both.
    pub(crate) fn step(&mut self, setting: &Setting, summed: &Summed) -> Result<(), Failure> {
        let batches = || summed.survivors.iter().map(|client| &setting.batches[*client]);
        let rows: usize = batches().map(Batch::len).sum();
        if summed.rows != rows as u64 {
            let counted = summed.rows;
            return Err(format!("the sum is of {counted} rows, and those who stayed have {rows}").into());
        }
        let mut mean = vec![0.0; setting.coefficients()];
        let mut is_clipped = false;
        for batch in batches() {
            let gradient = self.central.gradient(batch, setting.bound);
            let weight = batch.len() as f64 / rows as f64;
            mean.iter_mut().zip(&gradient.mean).for_each(|(sum, slope)| *sum += weight * slope);
            // Near the bound it may be the federated model's that is.
            is_clipped |= gradient.is_clipped || self.federated.gradient(batch, setting.bound).is_clipped;
        }
        let squares = batches().flatten().flat_map(|row| &row.features).map(|x| x * x).sum::<f64>();
        let reach = setting.step * squares / (4.0 * rows as f64);
        let growth = if is_clipped { 1.0 + reach } else { (reach - 1.0).max(1.0) };
        let rounding = setting.step * summed.rounding * (mean.len() as f64).sqrt();
        self.limit = growth * self.limit + rounding;
        self.federated.descend(&summed.mean, setting.step);
        self.central.descend(&mean, setting.step);
        Ok(())
    }

    /// The largest difference of any coefficient.
    pub(crate) fn difference(&self) -> f64 {
        self.federated.difference(&self.central)
    }

    /// Whether the models are as near as rounding explains.
    pub(crate) fn matches(&self) -> bool {
        self.difference() <= self.limit
    }
}
