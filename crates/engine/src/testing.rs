//! All members of a protocol in one process, for tests and benches.
//!
//! A [`Network`] runs the same function at every worker, carries the messages, and keeps what each one received: its
//! view, beside what it held before. Messages can be altered on the way, to see what a lie does. Not part of a helper.

use std::collections::BTreeMap;
use std::sync::Arc;

use quorate_hash::{Digest, Tagged};
use quorate_sharing::prss::{
    HelperSet, PairKeys, Script, SessionKeys, SetKeys, combine_pair_key, combine_set_key,
};
use quorate_sharing::{HelperNumber, Scheme, Seed};

use crate::EngineError;
use crate::round::{Inbox, Member, Outbox, Progress, Task};

type Alter = Box<dyn FnMut(HelperNumber, HelperNumber, &mut Vec<u8>)>;

/// All workers of one session, and the messages between them.
pub struct Network {
    members: Vec<Member>,
    alter: Option<Alter>,
    /// `[receiver][sender]`, of the round that is under way.
    in_flight: BTreeMap<HelperNumber, BTreeMap<HelperNumber, Vec<u8>>>,
    views: BTreeMap<HelperNumber, Vec<BTreeMap<HelperNumber, Vec<u8>>>>,
    sent: usize,
}

impl Network {
    /// The first `2t + 1` helpers of `n`, with real keys.
    ///
    /// # Panics
    /// Without pseudo-random sharing, as all that is here.
    pub fn new(helpers: u8, threshold: u8) -> Self {
        let workers: Vec<HelperNumber> = (1..=2 * threshold + 1).collect();
        Self::of(scheme(helpers, threshold), &workers, 0)
    }

    /// These workers, with the keys of session `session`.
    pub fn of(scheme: Scheme, workers: &[HelperNumber], session: u8) -> Self {
        let keys = |me: &HelperNumber| keys(&scheme, *me, &Digest([session; 32]));
        Self::with(workers.iter().map(|me| Member::new(scheme, *me, workers, keys(me))).collect())
    }

    /// These workers, with the draws that the script says.
    pub fn scripted(scheme: Scheme, workers: &[HelperNumber], script: &Arc<dyn Script>) -> Self {
        let keys = |me: &HelperNumber| SessionKeys::scripted(scheme, *me, script.clone());
        Self::with(workers.iter().map(|me| Member::new(scheme, *me, workers, keys(me))).collect())
    }

    fn with(members: Vec<Member>) -> Self {
        Network { members, alter: None, in_flight: BTreeMap::new(), views: BTreeMap::new(), sent: 0 }
    }

    /// Every message passes through `alter(from, to, bytes)`.
    pub fn altered(mut self, alter: impl FnMut(HelperNumber, HelperNumber, &mut Vec<u8>) + 'static) -> Self {
        self.alter = Some(Box::new(alter));
        self
    }

    /// The workers, ascending.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// First half of a round: `start` at every worker, with the worker's place; what is pending, in order.
    pub fn send<P>(&mut self, mut start: impl FnMut(usize, &Member, &mut Outbox) -> P) -> Vec<P> {
        assert!(self.in_flight.is_empty(), "one round after the other");
        let mut pending = Vec::with_capacity(self.members.len());
        for (place, member) in self.members.iter().enumerate() {
            let mut outbox = Outbox::new();
            pending.push(start(place, member, &mut outbox));
            for (to, mut blob) in outbox.into_blobs() {
                assert!(to != member.me() && member.workers().contains(&to), "{} sends to {to}", member.me());
                if let Some(alter) = &mut self.alter {
                    alter(member.me(), to, &mut blob);
                }
                self.sent += blob.len();
                self.in_flight.entry(to).or_default().insert(member.me(), blob);
            }
        }
        pending
    }

    /// Second half: `finish` at every worker with what is pending there and what it received, which is read to its
    /// end. Every worker finishes, whatever happens to others; results in order.
    pub fn receive<P, T>(
        &mut self,
        pending: Vec<P>,
        mut finish: impl FnMut(&Member, P, &mut Inbox<'_>) -> Result<T, EngineError>,
    ) -> Vec<Result<T, EngineError>> {
        let mut in_flight = std::mem::take(&mut self.in_flight);
        let mut results = Vec::with_capacity(pending.len());
        for (member, pending) in self.members.iter().zip(pending) {
            let received = in_flight.remove(&member.me()).unwrap_or_default();
            let mut inbox = Inbox::new(&received);
            let result = finish(member, pending, &mut inbox);
            results.push(result.and_then(|value| inbox.finish().map(|()| value)));
            self.views.entry(member.me()).or_default().push(received);
        }
        results
    }

    /// A whole round that must succeed everywhere.
    ///
    /// # Panics
    /// If it does not.
    pub fn round<P, T>(
        &mut self,
        start: impl FnMut(usize, &Member, &mut Outbox) -> P,
        finish: impl FnMut(&Member, P, &mut Inbox<'_>) -> Result<T, EngineError>,
    ) -> Vec<T> {
        let pending = self.send(start);
        #[expect(clippy::expect_used, reason = "documented panic, for tests")]
        self.receive(pending, finish).into_iter().map(|result| result.expect("an honest round")).collect()
    }

    /// Drives what all workers do to its end; how many rounds it took.
    ///
    /// # Panics
    /// If a worker ends before the others, or does not like what it received.
    pub fn drive<T: Task>(&mut self, tasks: &mut [T]) -> usize {
        for round in 0.. {
            let progress = self.send(|place, _, outbox| tasks[place].advance(outbox));
            let is_over = progress.iter().all(|progress| *progress == Progress::Ended);
            let received = self.receive((0..tasks.len()).collect(), |_, place: usize, inbox| {
                if is_over { Ok(()) } else { tasks[place].receive(inbox) }
            });
            assert!(received.iter().all(Result::is_ok), "an honest round");
            if is_over {
                return round;
            }
        }
        unreachable!("a task ends")
    }

    /// What a worker received so far: round by round, from each sender.
    pub fn view(&self, worker: HelperNumber) -> &[BTreeMap<HelperNumber, Vec<u8>>] {
        self.views.get(&worker).map(Vec::as_slice).unwrap_or_default()
    }

    /// Forgets what was received, so that a long run does not fill the memory.
    pub fn forget(&mut self) {
        self.views.clear();
    }

    /// Bytes sent so far, by all workers.
    pub fn bytes_sent(&self) -> usize {
        self.sent
    }
}

/// Shamir's scheme with these parameters.
///
/// # Panics
/// If they do not fit.
pub fn scheme(helpers: u8, threshold: u8) -> Scheme {
    #[expect(clippy::expect_used, reason = "documented panic, for tests")]
    Scheme::shamir(helpers, threshold).expect("parameters that fit")
}

/// One helper's keys of a session of all helpers, the same in every process.
///
/// # Panics
/// Where the scheme has no pseudo-random sharing.
#[expect(clippy::expect_used, reason = "documented panic, for tests")]
pub fn keys(scheme: &Scheme, me: HelperNumber, session: &Digest) -> SessionKeys {
    let federation = Digest([0; 32]);
    let contribution = |name: &str, number: u64| {
        Seed::from_bytes(Tagged::new("quorate/1/test-key").bytes(name.as_bytes()).u64(number).finish().0)
    };
    let set_key = |set: HelperSet| {
        let holder = scheme.numbers().find(|helper| !set.contains(*helper)).expect("t < n");
        combine_set_key(&federation, set, &[(holder, &contribution("set", set.mask()))])
    };
    let pair_key = |other: HelperNumber| {
        let part = |number: HelperNumber| contribution("pair", number.into());
        combine_pair_key(&federation, (me, &part(me)), (other, &part(other)))
    };
    let sets = SetKeys::sets(scheme, me).expect("a scheme with pseudo-random sharing");
    let sets = SetKeys::new(*scheme, me, sets.into_iter().map(|set| (set, set_key(set))).collect());
    let others = scheme.numbers().filter(|other| *other != me);
    let pairs = PairKeys::new(me, others.map(|other| (other, pair_key(other))).collect());
    sets.expect("one key a set").bind_with_pairs(&pairs, session)
}
