//! Whole federations in one thread, from one seed.
//!
//! Real coordinators on real stores, with simulated disks, network, clock, randomness and clients: after the simulators
//! of FoundationDB (Zhou et al., SIGMOD 2021) and TigerBeetle. One seed decides everything, so that a failure is replayed
//! by its number. [`simulate`] lives through one seed: a phase of faults (lost, late, doubled and reordered messages,
//! partitions, crashes that lose or tear what was not synced, disks that fail, up to `t` helpers that lie), then a calm in
//! which everything must come to its end.
//!
//! Reading order: `plan` (what a seed decides), `world` (the loop), `helpers` (what happens to them), `node` (one helper's
//! process), `contributor`, `owner`, `analyst`, `lie`, and `truth`: the invariants.
//!
//! What is *not* here: real time, real randomness, threads, iteration over a randomly ordered map.

mod agenda;
mod analyst;
mod broken;
mod chance;
mod circuits;
mod client;
mod contributor;
mod helpers;
mod journal;
mod lie;
mod network;
mod node;
mod owner;
mod plan;
mod report;
mod truth;
mod world;

pub use broken::Broken;
pub use journal::Teller;
pub use report::Report;

/// Lives through one seed; `teller` hears the story, line by line.
///
/// # Errors
/// An invariant that did not hold.
pub fn simulate(seed: u64, teller: Option<Teller<'_>>) -> Result<Report, Broken> {
    world::World::new(seed, false, teller).run()
}

/// The same with helpers that answer before they know that what they wrote is durable: what finds no mistake in it finds none.
///
/// # Errors
/// An invariant that did not hold: one that should not.
pub fn simulate_hasty(seed: u64) -> Result<Report, Broken> {
    world::World::new(seed, true, None).run()
}
