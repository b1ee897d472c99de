//! One worker's place and keys: what every Boolean protocol of a session starts from.

use quorate_sharing::prss::{Draw, DrawStream, HelperSet, Purpose, SessionKeys};

use super::king::KingStreams;
use super::layout::{Layout, Place, SetIndex};
use super::one_round::OneRoundStreams;
use super::worker_keys::{number, worker_keys};
use crate::round::Member;

/// One of the `2t + 1` workers of a session. Holds keys; prints none.
#[derive(Debug)]
pub struct Workers {
    layout: Layout,
    keys: SessionKeys,
}

impl Workers {
    /// The member as a worker. `None` if its threshold is 0.
    pub fn new(member: &Member) -> Option<Self> {
        let layout = Layout::new(member.scheme().threshold(), member.workers(), member.me())?;
        let keys = worker_keys(&layout, member.keys());
        Some(Workers { layout, keys })
    }

    /// Who holds and does what.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// What an instruction's ANDs in one round draw.
    pub fn one_round(&self, instruction: u32) -> OneRoundStreams {
        OneRoundStreams::new(self, instruction)
    }

    /// What an instruction's ANDs in two rounds draw.
    pub fn king(&self, instruction: u32) -> KingStreams {
        KingStreams::new(self, instruction)
    }

    /// The values of a set of workers that this one is not in.
    pub(super) fn set_stream(&self, set: SetIndex, draw: &Draw) -> DrawStream {
        let places = (0..self.layout.places()).filter(|&place| self.layout.set_has(set, place)).map(number);
        self.keys.set_stream(HelperSet::of(&places.collect::<Vec<_>>()), draw)
    }

    /// What this worker and the one at `place` alone know.
    pub(super) fn pair_stream(&self, place: Place, draw: &Draw) -> DrawStream {
        self.keys.pair_stream(number(place), draw)
    }

    /// This worker's sub-shares of what `dealer` deals, each with its stream: all but the one that is sent.
    pub(super) fn dealt_streams(
        &self,
        dealer: Place,
        instruction: u32,
        sub: u32,
    ) -> Vec<(usize, DrawStream)> {
        let draw = Draw { purpose: Purpose::And { dealer: number(dealer) }, instruction, sub };
        let drawn = self.layout.dealings()[dealer].drawn.iter();
        drawn.map(|&sub| (sub, self.set_stream(self.layout.held()[sub], &draw))).collect()
    }

    /// A worker with keys that a test made, for the workers as a federation of their own.
    #[cfg(test)]
    pub(super) fn with_keys(layout: Layout, keys: SessionKeys) -> Self {
        Workers { layout, keys }
    }
}
