//! World: helpers, network, disks and clients on one clock.

use std::sync::Arc;

use quorate_circuit::{Disclosure, Sharing, SharingKind, Study, StudyDraft};
use quorate_coordinator::Computation;
use quorate_federation::{Card, Federation, Member, SecretKey};
use quorate_sharing::SchemeKind;
use quorate_store::Fate;

use crate::agenda::Agenda;
use crate::analyst::Analyst;
use crate::broken::{Broken, Held, broken};
use crate::chance::{Chance, generator};
use crate::circuits::circuits;
use crate::client::{Actor, Ask, Heard, Public, Turn};
use crate::contributor::Contributor;
use crate::journal::{Journal, Teller};
use crate::lie::Lie;
use crate::network::Network;
use crate::node::Node;
use crate::owner::{End, Owner};
use crate::plan::Plan;
use crate::report::Report;
use crate::truth::Truth;

/// Something that will happen.
#[derive(Debug)]
pub(crate) enum Happening {
    /// A helper's clock ticks.
    Tick(usize, u64),
    /// A helper goes on with a long computation.
    Continue(usize, u64),
    /// A helper's computation is done.
    Compute(usize, u64, Computation),
    /// A frame arrives.
    Frame(usize, u8, Arc<Vec<u8>>),
    /// A request arrives.
    Ask(usize, Ask),
    /// An answer arrives at its client.
    Heard(Ask, Box<Heard>),
    /// The store takes up what waits.
    Commit(usize, u64),
    /// Batches are durable.
    Stored(usize, u64, Vec<u64>),
    /// An actor has its turn.
    Turn(Actor),
    /// A helper's power is cut, or it is killed.
    Crash(usize, Option<Fate>),
    /// A helper is asked to stop.
    Stop(usize),
    /// A helper that was asked to stop ends.
    End(usize, u64),
    /// A helper starts.
    Start(usize),
    /// The network is cut in two.
    Cut(u64),
    /// And mended.
    Mend,
    /// The faults are over.
    Calm,
}

/// One simulation.
pub(crate) struct World<'a> {
    pub(crate) seed: u64,
    pub(crate) plan: Plan,
    pub(crate) agenda: Agenda<Happening>,
    pub(crate) journal: Journal<'a>,
    pub(crate) chance: Chance,
    pub(crate) network: Network,
    pub(crate) nodes: Vec<Node>,
    pub(crate) public: Public,
    pub(crate) contributors: Vec<Contributor>,
    pub(crate) owner: Owner,
    pub(crate) analysts: Vec<Analyst>,
    pub(crate) truth: Truth,
    pub(crate) is_calm: bool,
    pub(crate) report: Report,
    actors: Chance,
    next_token: u64,
}

impl<'a> World<'a> {
    /// The world of a seed, before anything happened; its helpers may be hasty.
    pub(crate) fn new(seed: u64, is_hasty: bool, teller: Option<Teller<'a>>) -> Self {
        let plan = Plan { is_hasty, ..Plan::new(seed) };
        let keys: Vec<SecretKey> = (0..=u64::from(plan.scheme.helpers()))
            .map(|number| SecretKey::generate(&mut generator(seed, "key", &[number])))
            .collect();
        let [owner_key, helper_keys @ ..] = &keys[..] else { unreachable!("there is an owner") };
        let federation = federation(&plan, helper_keys);
        let (document, study) = study(&plan, &federation, owner_key);
        let patience_ms = 3 * plan.timing.stall_ms + 3_000;
        let key = copy(owner_key);
        let scheme = plan.scheme;
        let public = Public { federation, study, document, scheme, key, patience_ms };
        let mut actors = Chance::new(seed, "actors", 0);
        let (mut contributors, mut made) = (Vec::new(), Vec::new());
        for position in 0..plan.uploads {
            let position = usize::try_from(position).unwrap_or(0);
            let (contributor, more) = Contributor::new(position, &plan, &public, &mut actors);
            contributors.push(contributor);
            made.extend(more);
        }
        let analysts = (0..plan.analysts)
            .map(|position| Analyst::new(position, circuits(plan.circuits, &public.study, &mut actors)))
            .collect();
        let mut world = World {
            seed,
            agenda: Agenda::default(),
            journal: Journal::new(teller),
            chance: Chance::new(seed, "world", 0),
            network: Network::new(seed, plan.faults),
            nodes: nodes(seed, &plan, helper_keys, &public),
            owner: Owner::new(&plan, &public.document, &public.key),
            analysts,
            truth: Truth::new(&plan, &public.federation, public.study.id(), made),
            contributors,
            public,
            plan,
            is_calm: false,
            report: Report::default(),
            actors,
            next_token: 0,
        };
        world.put_down();
        world
    }

    /// Lives through everything.
    ///
    /// # Errors
    /// An invariant that did not hold.
    pub(crate) fn run(mut self) -> Result<Report, Broken> {
        match self.live() {
            Ok(()) => {
                self.report.digest = self.journal.digest();
                self.report.events = self.journal.entries();
                self.report.virtual_ms = self.agenda.now_ms();
                Ok(self.report)
            }
            Err(broken) => Err(Broken { at_ms: self.agenda.now_ms(), ..broken }),
        }
    }

    fn live(&mut self) -> Held {
        self.journal.tell(0, || format!("{:#?}", self.plan));
        // After the faults are over, every attempt under way stalls at worst; then a few more may be needed.
        let timing = self.plan.timing;
        let passes: u64 = self.analysts.iter().map(|analyst| analyst.passes).sum();
        let patience_ms =
            self.plan.calm_ms + 12 * (self.public.patience_ms * passes + timing.linger_ms) + 60_000;
        let quiet_ms = 3 * (timing.stall_ms + timing.linger_ms) + 5_000;
        let mut done_ms = None;
        loop {
            let Some(happening) = self.agenda.next() else {
                return broken("time goes on", "nothing will happen any more");
            };
            self.take(happening)?;
            let now_ms = self.agenda.now_ms();
            if done_ms.is_none() && self.is_done() {
                done_ms = Some(now_ms);
                self.journal.tell(self.agenda.now_us(), || "all clients are done".into());
            }
            match done_ms {
                Some(done_ms) if now_ms > done_ms + quiet_ms => break,
                None if now_ms > patience_ms => return broken("faults end in results", self.unfinished()),
                _ => {}
            }
        }
        self.finish()
    }

    fn is_done(&mut self) -> bool {
        if matches!(self.owner.end, Some(End::Refused(..) | End::GaveUp)) {
            self.analysts.iter_mut().for_each(Analyst::dismiss);
        }
        self.is_calm
            && self.owner.end.is_some()
            && self.analysts.iter().all(Analyst::is_done)
            && self.contributors.iter().all(Contributor::is_done)
    }

    fn unfinished(&self) -> String {
        let busy = self.contributors.iter().filter(|contributor| !contributor.is_done()).count();
        format!(
            "{busy} contributors unfinished, owner {:?} after {} attempts, analysts done: {:?} after {:?} attempts",
            self.owner.end,
            self.owner.attempts,
            self.analysts.iter().map(Analyst::is_done).collect::<Vec<_>>(),
            self.analysts.iter().map(|analyst| analyst.attempts).collect::<Vec<_>>()
        )
    }

    /// Everything is over: nothing may be left over, and a last power cut must lose nothing.
    fn finish(&mut self) -> Held {
        for node in self.nodes.iter().filter(|node| !self.plan.is_liar(node.number)) {
            let Some(up) = &node.up else { continue };
            if let Some((ticket, ask)) = up.tickets.first_key_value() {
                let detail = format!("helper {}: ticket {ticket}: {ask:?}", node.number);
                return broken("every request is answered", detail);
            }
            let attempts = up.coordinator.attempts();
            if attempts > 0 && self.plan.liars.is_empty() {
                return broken("attempts are forgotten", format!("helper {}: {attempts}", node.number));
            }
        }
        if let Some(End::Refused(members, message)) = &self.owner.end
            && self.plan.liars.is_empty()
            && !self.truth.refusal_is_justified(&self.nodes, members, self.plan.needed_to_seal())
        {
            return broken("a refusal to seal is justified", format!("{members:?}: {message}"));
        }
        for place in 0..self.nodes.len() {
            self.nodes[place].end(Some(Fate::Lose));
            if let Err(reason) = self.nodes[place].start(self.seed)? {
                return broken("a store opens after every crash", reason);
            }
        }
        self.truth.in_the_end(&self.nodes)?;
        let (shown, suppressed) = self.truth.tells_no_small_group_apart(&self.public.study)?;
        let (released, unheard) =
            self.truth.keeps_its_budget(&self.nodes, self.public.study.privacy.as_ref())?;
        self.report.count("private results", released);
        self.report.count("charges for nothing", unheard);
        self.report.count("groups shown", shown);
        self.report.count("groups suppressed", suppressed);
        let manifests = self.truth.sealed_count() as u64;
        self.report.count("second manifests with a liar's help", manifests.saturating_sub(1));
        self.report.conclude(&self.plan, &self.owner, &self.analysts);
        Ok(())
    }

    /// Puts down what is known in advance: starts, turns and faults.
    fn put_down(&mut self) {
        for place in 0..self.nodes.len() {
            self.agenda.after_ms(self.chance.between(0, 300), Happening::Start(place));
        }
        let contributors = (0..self.contributors.len()).map(Actor::Contributor);
        let analysts = (0..self.analysts.len()).map(Actor::Analyst);
        for actor in contributors.chain([Actor::Owner]).chain(analysts) {
            self.agenda.after_ms(self.chance.between(0, 100), Happening::Turn(actor));
        }
        let (faults, calm_ms) = (self.plan.faults, self.plan.calm_ms);
        for _ in 0..faults.crashes {
            let place = self.chance.index(self.nodes.len());
            let fate = self.chance.pick(&[Some(Fate::Lose), Some(Fate::Keep), Some(Fate::Tear), None]);
            self.agenda.after_ms(self.chance.between(500, calm_ms), Happening::Crash(place, fate));
        }
        for _ in 0..faults.stops {
            let place = self.chance.index(self.nodes.len());
            self.agenda.after_ms(self.chance.between(500, calm_ms), Happening::Stop(place));
        }
        for _ in 0..faults.partitions {
            let from_ms = self.chance.between(0, calm_ms);
            let side = self.chance.between(0, 255);
            self.agenda.after_ms(from_ms, Happening::Cut(side));
            self.agenda.after_ms(from_ms + self.chance.between(200, 6_000), Happening::Mend);
        }
        self.agenda.after_ms(calm_ms, Happening::Calm);
    }

    /// An actor has its turn.
    pub(crate) fn turn(&mut self, actor: Actor) -> Held {
        self.act_as(actor, |world, turn| match actor {
            Actor::Contributor(position) => {
                world.contributors[position].turn(turn);
                Ok(())
            }
            Actor::Owner => world.owner.turn(turn),
            Actor::Analyst(position) => world.analysts[position].turn(world.truth, turn),
        })?;
        self.agenda.after_ms(self.chance.between(60, 140), Happening::Turn(actor));
        Ok(())
    }

    /// An actor hears an answer.
    pub(crate) fn hear(&mut self, ask: &Ask, heard: Heard) -> Held {
        let is_liar = self.plan.is_liar(ask.to);
        self.act_as(ask.actor, |world, turn| {
            match ask.actor {
                Actor::Contributor(position) => {
                    return world.contributors[position].hear(ask.token, &heard, is_liar, turn);
                }
                Actor::Owner => world.owner.hear(ask.token, heard),
                Actor::Analyst(position) => world.analysts[position].hear(ask.token, heard),
            }
            Ok(())
        })
    }

    /// Lends an actor its turn, and sends what it asks.
    fn act_as(&mut self, _actor: Actor, act: impl FnOnce(&mut Cast<'_>, &mut Turn<'_>) -> Held) -> Held {
        let are_contributors_done = self.contributors.iter().all(Contributor::is_done);
        let mut turn = Turn {
            public: &self.public,
            chance: &mut self.actors,
            now_ms: self.agenda.now_ms(),
            is_calm: self.is_calm,
            is_owner_done: self.owner.end.is_some(),
            are_contributors_done,
            has_liars: !self.plan.liars.is_empty(),
            asks: Vec::new(),
            next_token: &mut self.next_token,
        };
        let mut cast = Cast {
            contributors: &mut self.contributors,
            owner: &mut self.owner,
            analysts: &mut self.analysts,
            truth: &self.truth,
        };
        act(&mut cast, &mut turn)?;
        for ask in turn.asks {
            self.send(&ask);
        }
        Ok(())
    }

    /// A request goes to its helper; of twins, to either.
    fn send(&mut self, ask: &Ask) {
        let places: Vec<usize> =
            self.nodes.iter().filter(|node| node.number == ask.to).map(|node| node.place).collect();
        let place = self.chance.pick(&places);
        for delay_us in self.network.request() {
            self.agenda.after_us(delay_us, Happening::Ask(place, ask.clone()));
        }
    }
}

/// The actors, lent together.
struct Cast<'a> {
    contributors: &'a mut Vec<Contributor>,
    owner: &'a mut Owner,
    analysts: &'a mut Vec<Analyst>,
    truth: &'a Truth,
}

#[expect(clippy::expect_used, reason = "the text was written by a key")]
fn copy(key: &SecretKey) -> SecretKey {
    SecretKey::from_text(&key.to_text()).expect("a key's text is a key")
}

#[expect(clippy::expect_used, reason = "names and addresses are plain")]
fn federation(plan: &Plan, keys: &[SecretKey]) -> Federation {
    let card = |(number, key): (usize, &SecretKey)| {
        let (address, peer_address) = (format!("h{number}.example:1"), format!("h{number}.example:2"));
        let member = Member { name: format!("helper {number}"), address, peer_address, key: key.public() };
        Card::new(member).expect("a plain card")
    };
    let cards = (1..).zip(keys).map(card).collect();
    Federation::of_cards("simulated", plan.scheme.threshold(), cards).expect("a plain federation")
}

#[expect(clippy::expect_used, reason = "the draft's parts are within their limits")]
fn study(plan: &Plan, federation: &Federation, owner: &SecretKey) -> (String, Study) {
    let kind = match plan.scheme.kind() {
        SchemeKind::Shamir => SharingKind::Shamir,
        SchemeKind::Additive => SharingKind::Additive,
    };
    let sharing = Sharing { kind, helpers: plan.scheme.helpers(), threshold: plan.scheme.threshold() };
    let draft = StudyDraft {
        name: "simulated".into(),
        federation: *federation.id(),
        sharing,
        columns: plan.columns.clone(),
        rows_max: plan.rows_max,
        capacity: 100,
        bits: Some(plan.bits),
        field: Some(plan.field),
        owner: *owner.public().as_bytes(),
        min_cohort: plan.min_cohort,
        excluded_max: plan.excluded_max,
        analysts: vec![*owner.public().as_bytes()],
        disclosure: Disclosure {
            min_group: plan.min_group,
            order_statistics: Some(true),
            ..Disclosure::default()
        },
        privacy: plan.privacy,
    };
    draft.document().expect("a plain study")
}

/// The helpers' nodes; a twin has two, and each of these talks to some of the others.
fn nodes(seed: u64, plan: &Plan, keys: &[SecretKey], public: &Public) -> Vec<Node> {
    let mut nodes: Vec<Node> = Vec::new();
    let mut chance = Chance::new(seed, "twins", 0);
    for (number, key) in (1..).zip(keys) {
        let lie = plan.liars.iter().find(|(liar, _)| *liar == number).map(|(_, lie)| *lie);
        let side = chance.between(0, 255);
        let audiences = if lie == Some(Lie::Twin) { vec![side, !side] } else { vec![u64::MAX] };
        for audience in audiences {
            let place = nodes.len();
            let owner = public.key.public();
            let mut node = Node::new(place, number, seed, key, &public.federation, owner, plan.timing);
            (node.audience, node.lie) = (audience, lie);
            nodes.push(node);
        }
    }
    nodes
}
