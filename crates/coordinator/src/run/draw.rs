//! The drawing of a run's noise: one round among all its members, before anything is computed.

use quorate_circuit::Program;
use quorate_engine::noise::{NoiseShares, NoiseTask};
use quorate_engine::verified::Unverified;
use quorate_field::NamedField;
use quorate_sharing::{Scheme, Seed};
use quorate_wire::Refusal;

use crate::compute::Shared;
use crate::context::Context;
use crate::lane::{Lane, shared};

/// The noise of a run, in the study's field.
pub(super) struct Draw<F: NamedField> {
    task: Option<Shared<NoiseTask<F>>>,
    /// This helper's shares, once they are there.
    noise: Option<Unverified<NoiseShares<F>>>,
}

impl<F: NamedField> Draw<F> {
    /// The noise of a program, to be drawn in `lane` by all of `quorum`. What this helper sends there leaves with a tick.
    pub(super) fn new(
        program: &Program,
        scheme: Scheme,
        quorum: &[u8],
        lane: Option<&mut Lane>,
        cx: &mut Context<'_>,
    ) -> Self {
        let Some(lane) = lane.filter(|_| !program.noise.is_empty()) else {
            return Draw { task: None, noise: Some(NoiseShares::none().into()) };
        };
        lane.hold();
        let seed = Seed::from_bytes(cx.random());
        let task = NoiseTask::new(&program.noise, scheme, cx.number, quorum, seed);
        Draw { task: Some(shared(task)), noise: None }
    }

    /// Goes on as far as the messages go; whether it has ended.
    pub(super) fn advance(&mut self, lane: &mut Lane, cx: &mut Context<'_>) -> Result<bool, Refusal> {
        if let Some(task) = lane.drive(&mut self.task, cx)? {
            self.noise = Some(task.finish());
        }
        Ok(!self.is_under_way())
    }

    /// Whether members wait for each other's shares.
    pub(super) fn is_under_way(&self) -> bool {
        self.task.is_some()
    }

    /// This helper's shares, once it has ended.
    ///
    /// # Panics
    /// Before, and the second time.
    pub(super) fn take(&mut self) -> Unverified<NoiseShares<F>> {
        match self.noise.take() {
            Some(noise) => noise,
            None => unreachable!("noise is drawn before anything else, and used once"),
        }
    }
}
