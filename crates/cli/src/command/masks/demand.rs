//! Demand: what a round must bear, as arguments.

use clap::Args;
use quorate_masking::Demand;

#[derive(Clone, Copy, Debug, Args)]
pub(super) struct DemandArguments {
    /// Share of the clients that may vanish
    #[arg(long, value_name = "SHARE", default_value_t = 0.1)]
    dropouts: f64,
    /// Share of the clients that may work with the server
    #[arg(long, value_name = "SHARE", default_value_t = 0.05)]
    corrupt: f64,
    /// Somebody is betrayed with a probability of at most 2^-SIGMA
    #[arg(long, value_name = "SIGMA", default_value_t = 40.0)]
    sigma: f64,
    /// The round fails with a probability of at most 2^-ETA, if no more than those vanish
    #[arg(long, value_name = "ETA", default_value_t = 20.0)]
    eta: f64,
}

impl DemandArguments {
    pub(super) fn demand(&self) -> Demand {
        Demand { dropouts: self.dropouts, corrupt: self.corrupt, sigma: self.sigma, eta: self.eta }
    }
}

/// Bits of a probability, for people.
pub(super) fn bits(bits: f64) -> String {
    if bits.is_infinite() { "certain".to_owned() } else { format!("{bits:.1}") }
}

/// Bits of a probability, for programs: JSON has no infinity.
pub(super) fn bits_or_none(bits: f64) -> Option<f64> {
    bits.is_finite().then_some(bits)
}
