//! The network between helpers, as arguments.

use std::time::Duration;

use clap::{Args, ValueEnum};
use quorate_local::Network;
use serde::Serialize;

#[derive(Debug, Args)]
pub(super) struct NetworkArguments {
    /// The network between the helpers: none, lan (0.5 ms there and back, 1 Gbit/s) or wan (40 ms, 100 Mbit/s)
    #[arg(long, value_enum, value_name = "KIND", default_value = "none", conflicts_with_all = ["delay_ms", "rate_mbit"])]
    network: Kind,
    /// Milliseconds from helper to helper, half of there and back
    #[arg(long, value_name = "MS", value_parser = delay)]
    delay_ms: Option<f64>,
    /// Megabits per second of each link between two helpers, in each direction
    #[arg(long, value_name = "MBIT", value_parser = clap::value_parser!(u64).range(1..=100_000))]
    rate_mbit: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    None,
    Lan,
    Wan,
}

/// A network as it is reported.
#[derive(Debug, Serialize)]
pub(super) struct NetworkReport {
    round_trip_ms: f64,
    /// `None`: as this machine carries.
    rate_mbit: Option<u64>,
}

impl NetworkArguments {
    /// The network, `None` for the bare loopback.
    pub(super) fn network(&self) -> Option<Network> {
        match (self.network, self.delay_ms, self.rate_mbit) {
            (Kind::Lan, ..) => Some(Network::LAN),
            (Kind::Wan, ..) => Some(Network::WAN),
            (Kind::None, None, None) => None,
            (Kind::None, delay_ms, rate_mbit) => Some(Network {
                delay: Duration::from_secs_f64(delay_ms.unwrap_or(0.0) / 1e3),
                rate_bits: rate_mbit.map(|rate| rate * 1_000_000),
            }),
        }
    }

    /// The network in numbers.
    pub(super) fn report(&self) -> Option<NetworkReport> {
        self.network().map(|network| NetworkReport {
            round_trip_ms: network.delay.as_secs_f64() * 2e3,
            rate_mbit: network.rate_bits.map(|rate| rate / 1_000_000),
        })
    }
}

fn delay(given: &str) -> Result<f64, String> {
    let delay = given.parse::<f64>().ok().filter(|delay| (0.0..=5_000.0).contains(delay));
    delay.ok_or_else(|| "expected milliseconds, 0 to 5000, as in 20 or 0.25".to_owned())
}
