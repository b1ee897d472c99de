//! Helpers: what happens to them, and what they do about it.

use std::sync::Arc;

use quorate_coordinator::{Action, Event, Reply, Request, Write, check_upload};
use quorate_hash::Digest;
use quorate_store::{Fate, Fault};
use quorate_wire::{Code, Refusal};

use crate::analyst::opener;
use crate::broken::{Held, broken, hold};
use crate::client::{Ask, Demand, Heard};
use crate::lie::{Lie, alter_frame, alter_reply, read_frame};
use crate::node::read_sealed;
use crate::world::{Happening, World};

impl World<'_> {
    /// Takes one happening.
    pub(crate) fn take(&mut self, happening: Happening) -> Held {
        let now_us = self.agenda.now_us();
        match happening {
            Happening::Tick(place, life) if self.nodes[place].lives(life) => {
                self.agenda.after_ms(self.chance.between(50, 100), Happening::Tick(place, life));
                self.step(place, Event::Tick)
            }
            Happening::Continue(place, life) if self.nodes[place].lives(life) => {
                self.step(place, Event::Continue)
            }
            Happening::Compute(place, life, computation) if self.nodes[place].lives(life) => {
                self.step(place, Event::Computed(computation.run()))
            }
            Happening::Stored(place, life, batches) if self.nodes[place].lives(life) => {
                for batch in batches {
                    self.journal.enter(now_us, place, "stored", &batch.to_le_bytes());
                    self.step(place, Event::Stored { batch })?;
                }
                Ok(())
            }
            Happening::Frame(place, from, frame) if self.nodes[place].up.is_some() => {
                self.journal.enter(now_us, place, "frame", &frame);
                self.report.count("frames", 1);
                self.step(place, Event::Peer { from, frame: frame.to_vec() })
            }
            Happening::Ask(place, ask) if self.nodes[place].up.is_some() => self.ask(place, ask),
            Happening::Heard(ask, heard) => self.hear(&ask, *heard),
            Happening::Commit(place, life) if self.nodes[place].lives(life) => self.commit(place),
            Happening::Turn(actor) => self.turn(actor),
            Happening::Crash(place, fate) if self.nodes[place].up.is_some() && !self.is_calm => {
                self.crash(place, fate);
                Ok(())
            }
            Happening::Stop(place) if self.nodes[place].up.is_some() && !self.is_calm => self.stop(place),
            Happening::End(place, life) if self.nodes[place].lives(life) => self.end_cleanly(place),
            Happening::Start(place) if self.nodes[place].up.is_none() => self.start(place),
            Happening::Cut(side) if !self.is_calm => {
                self.report.count("partitions", 1);
                self.journal.tell(now_us, || format!("the network is cut: {side:08b}"));
                self.network.cut(Some(side));
                Ok(())
            }
            Happening::Mend => {
                self.network.cut(None);
                Ok(())
            }
            Happening::Calm => {
                self.journal.tell(now_us, || "the faults are over".into());
                self.is_calm = true;
                self.network.calm();
                Ok(())
            }
            // It came too late, to a helper that is down or lives another life.
            _ => Ok(()),
        }
    }

    fn start(&mut self, place: usize) -> Held {
        let node = &mut self.nodes[place];
        if node.life > 0 && !self.is_calm && self.chance.hit(60) {
            // The machine stops again while the store recovers.
            node.disk.fail(Fault::StopAtStep(self.chance.between(1, 30)));
        }
        if let Err(reason) = node.start(self.seed)? {
            self.journal.tell(self.agenda.now_us(), || format!("h{place} does not start: {reason}"));
            self.report.count("crashes while starting", 1);
            self.crash(place, Some(Fate::Tear));
            return Ok(());
        }
        node.disk.heal();
        let (number, life) = (node.number, node.life);
        self.journal.enter(self.agenda.now_us(), place, "start", &life.to_le_bytes());
        self.journal.tell(self.agenda.now_us(), || format!("h{number} starts, life {life}"));
        self.agenda.after_ms(self.chance.between(10, 100), Happening::Tick(place, life));
        // A commit that failed may be durable all the same.
        let sealed = self.nodes[place].sealed_record(&self.public.study.id())?;
        if let Some(signed) = sealed
            && !self.plan.is_liar(number)
        {
            self.truth.sealed(&self.nodes[place], &signed)?;
        }
        self.truth.kept(&self.nodes[place])
    }

    fn crash(&mut self, place: usize, fate: Option<Fate>) {
        let now_us = self.agenda.now_us();
        self.journal.enter(now_us, place, "crash", format!("{fate:?}").as_bytes());
        let number = self.nodes[place].number;
        self.journal.tell(now_us, || format!("h{number} crashes: {fate:?}"));
        self.report.count("crashes", 1);
        self.nodes[place].end(fate);
        let away_ms = if self.chance.hit(200) { 12_000 } else { 4_000 };
        self.agenda.after_ms(self.chance.between(100, away_ms), Happening::Start(place));
    }

    fn stop(&mut self, place: usize) -> Held {
        let life = self.nodes[place].life;
        if let Some(up) = &mut self.nodes[place].up {
            up.is_stopping = true;
        }
        self.report.count("stops", 1);
        self.step(place, Event::Stop)?;
        self.agenda.after_ms(3_000, Happening::End(place, life));
        Ok(())
    }

    /// A helper that was asked to stop has answered everything by now, and closes its store.
    fn end_cleanly(&mut self, place: usize) -> Held {
        let node = &mut self.nodes[place];
        let Some(up) = node.up.take() else { return Ok(()) };
        if up.is_committing {
            // Its disk is slow: wait.
            let life = node.life;
            node.up = Some(up);
            self.agenda.after_ms(500, Happening::End(place, life));
            return Ok(());
        }
        hold(up.tickets.is_empty(), "every request is answered", || {
            format!("helper {} stopped: {:?}", node.number, up.tickets)
        })?;
        drop(up.store.close());
        drop(up.reads);
        node.disk.kill();
        self.agenda.after_ms(self.chance.between(100, 1_000), Happening::Start(place));
        Ok(())
    }

    /// A client's request, through the helper's door.
    fn ask(&mut self, place: usize, ask: Ask) -> Held {
        let Some(up) = &mut self.nodes[place].up else { return Ok(()) };
        let ticket = up.ticket();
        let request = match &ask.demand {
            Demand::Create(signed) => Ok(Request::CreateStudy(signed.clone())),
            Demand::Seal(signed) => Ok(Request::Seal(signed.clone())),
            Demand::Run(signed) => Ok(Request::Run(signed.clone())),
            Demand::Status => Ok(Request::Status),
            Demand::Asked(study) => Ok(Request::Asked(*study)),
            Demand::Upload(bytes, _) => self.door(place, bytes)?,
        };
        self.journal.enter(self.agenda.now_us(), place, "ask", format!("{:?}", ask.demand).as_bytes());
        match request {
            Err(refusal) => self.answer(ask, Err(refusal)),
            Ok(request) => {
                if let Some(up) = &mut self.nodes[place].up {
                    up.tickets.insert(ticket, ask);
                }
                self.step(place, Event::Request { ticket, request })?;
            }
        }
        Ok(())
    }

    /// What the helper's API does with an upload before the coordinator sees it.
    fn door(&mut self, place: usize, bytes: &[u8]) -> Held<Result<Request, Refusal>> {
        let now_ms = self.agenda.now_ms();
        let (study, number) = (self.public.study.id(), self.nodes[place].number);
        let Some(up) = &mut self.nodes[place].up else {
            return Ok(Err(Refusal::new(Code::Busy, "down")));
        };
        let ticket = up.ticket();
        let mut actions = up.step(Event::Request { ticket, request: Request::Study(study) }, now_ms);
        let Some(Action::Reply { ticket: answered, reply }) = actions.pop() else {
            return broken("a study is told at once", "no reply");
        };
        hold(answered == ticket, "a reply has its request's ticket", || answered.to_string())?;
        for action in actions {
            self.act(place, action)?;
        }
        Ok(match reply {
            Ok(Reply::Study(kept)) => {
                check_upload(&kept.study, number, &bytes.to_vec().into()).map(Request::Upload)
            }
            Ok(other) => return broken("a reply is of its request's kind", format!("study: {other:?}")),
            Err(refusal) => Err(refusal),
        })
    }

    fn answer(&mut self, ask: Ask, heard: Heard) {
        if let Some(delay_us) = self.network.reply() {
            self.agenda.after_us(delay_us, Happening::Heard(ask, Box::new(heard)));
        }
    }

    /// One event of a helper, and what it does about it.
    fn step(&mut self, place: usize, event: Event) -> Held {
        let now_ms = self.agenda.now_ms();
        let Some(up) = &mut self.nodes[place].up else { return Ok(()) };
        let actions = up.step(event, now_ms);
        for action in actions {
            self.act(place, action)?;
        }
        Ok(())
    }

    fn act(&mut self, place: usize, action: Action) -> Held {
        let now_us = self.agenda.now_us();
        let life = self.nodes[place].life;
        match action {
            Action::Continue => {
                self.agenda.after_us(self.chance.between(10, 2_000), Happening::Continue(place, life));
            }
            Action::Compute(computation) => {
                let done = Happening::Compute(place, life, computation);
                self.agenda.after_us(self.chance.between(10, 3_000), done);
            }
            Action::Store { batch, writes } => {
                self.journal.enter(now_us, place, "store", format!("{batch} {writes:?}").as_bytes());
                let is_charge = |write: &Write| matches!(write, Write::Control { key, .. } if key.starts_with(b"ledger/"));
                let is_hasty = self.plan.is_hasty && writes.iter().any(is_charge);
                let Some(up) = &mut self.nodes[place].up else { return Ok(()) };
                up.batches.push_back((batch, writes));
                if !up.is_committing {
                    up.is_committing = true;
                    self.commit_soon(place, life);
                }
                if is_hasty {
                    self.step(place, Event::Stored { batch })?;
                }
            }
            Action::Send { to, frame } => self.send_frame(place, to, frame)?,
            Action::Reply { ticket, reply } => self.reply(place, ticket, reply)?,
        }
        Ok(())
    }

    fn commit_soon(&mut self, place: usize, life: u64) {
        let is_slow = !self.is_calm && self.chance.hit(self.plan.faults.slow);
        let delay_us =
            if is_slow { self.chance.between(50_000, 2_000_000) } else { self.chance.between(500, 15_000) };
        self.agenda.after_us(delay_us, Happening::Commit(place, life));
    }

    /// The store commits what waits, or the disk fails, or the power does.
    fn commit(&mut self, place: usize) -> Held {
        let faults = self.plan.faults;
        let node = &mut self.nodes[place];
        let (number, life) = (node.number, node.life);
        let Some(up) = &mut node.up else { return Ok(()) };
        if !self.is_calm && self.chance.hit(faults.torn) {
            node.disk.fail(Fault::StopAtStep(self.chance.between(1, 14)));
        } else if !self.is_calm && self.chance.hit(faults.failing) {
            let kind = std::io::ErrorKind::StorageFull;
            let at = self.chance.between(1, 4);
            node.disk.fail(self.chance.pick(&[Fault::Sync(at, kind), Fault::Write(2 * at, kind)]));
        }
        let (batches, writes) = up.next_commit();
        let committed = up.store.commit(&writes);
        node.disk.heal();
        if let Err(error) = committed {
            self.report.count("failed commits", 1);
            self.journal.tell(self.agenda.now_us(), || format!("h{number} stops: {error}"));
            hold(!self.is_calm, "a healthy disk takes every commit", || format!("helper {number}: {error}"))?;
            let fate = self.chance.pick(&[Some(Fate::Lose), Some(Fate::Keep), Some(Fate::Tear), None]);
            self.crash(place, fate);
            return Ok(());
        }
        for write in &writes {
            self.committed(place, write)?;
        }
        let delay_us = self.chance.between(50, 5_000);
        self.agenda.after_us(delay_us, Happening::Stored(place, life, batches));
        let Some(up) = &mut self.nodes[place].up else { return Ok(()) };
        up.is_committing = !up.batches.is_empty();
        if up.is_committing {
            self.commit_soon(place, life);
        }
        Ok(())
    }

    /// The worst moments: a helper signs and is not heard, has all signatures and crashes, crashes between what it remembers
    /// and its answer.
    fn aim(&mut self, place: usize, write: &quorate_store::Write) {
        let quorate_store::Write::Control { key, value } = write else { return };
        if self.is_calm || value.is_empty() || !self.chance.hit(self.plan.faults.aimed) {
            return;
        }
        if key.starts_with(b"prepared/") {
            self.report.count("helpers not heard", 1);
            self.nodes[place].muted_until_ms = self.agenda.now_ms() + self.chance.between(300, 5_000);
        } else if key.starts_with(b"sealed/") {
            let fate = self.chance.pick(&[Some(Fate::Lose), Some(Fate::Tear), None]);
            self.agenda.after_ms(self.chance.between(0, 30), Happening::Crash(place, fate));
        } else if key.starts_with(b"asked/") || key.starts_with(b"ledger/") {
            let is_charge = key.starts_with(b"ledger/");
            let what = if is_charge { "crashes over a charge" } else { "crashes over what was asked" };
            self.report.count(what, 1);
            let fate = self.chance.pick(&[Some(Fate::Lose), Some(Fate::Tear), None]);
            self.agenda.after_ms(self.chance.between(0, 300), Happening::Crash(place, fate));
        }
    }

    /// A write became durable.
    fn committed(&mut self, place: usize, write: &quorate_store::Write) -> Held {
        self.aim(place, write);
        let node = &mut self.nodes[place];
        if self.plan.is_liar(node.number) {
            return Ok(());
        }
        if let quorate_store::Write::Control { key, value } = write
            && key.starts_with(b"sealed/")
        {
            let signed = read_sealed(value)?;
            let id = signed.manifest.id();
            let promised = *node.promises.sealed.get_or_insert(id);
            hold(promised == id, "a study is sealed once", || format!("helper {}", node.number))?;
            self.journal.tell(self.agenda.now_us(), || {
                format!("h{} seals {} by {:?}", node.number, id.short(), signed.manifest.members)
            });
            self.truth.sealed(&self.nodes[place], &signed)?;
        }
        Ok(())
    }

    fn send_frame(&mut self, place: usize, to: u8, frame: Vec<u8>) -> Held {
        let now_us = self.agenda.now_us();
        let node = &self.nodes[place];
        let (from, element) = (node.number, self.plan.field.bytes());
        hold(to != from && self.plan.scheme.has_helper(to), "frames go to other helpers", || to.to_string())?;
        let is_muted = !self.is_calm && self.agenda.now_ms() < node.muted_until_ms;
        if is_muted || node.audience >> to & 1 == 0 {
            return Ok(());
        }
        let frame = match node.lie {
            Some(lie) => alter_frame(lie, to, frame, element, &mut self.chance),
            None => {
                let Some(tapped) = read_frame(&frame) else {
                    return broken("frames read", format!("helper {from}"));
                };
                let is_run = tapped.round == 0 && tapped.body.as_slice().starts_with(&[1, 0, 0, 0]);
                self.truth.sent(node, &tapped, is_run)?;
                self.journal.tell(now_us, || {
                    let (scope, round, bytes) = (tapped.scope.short(), tapped.round, frame.len());
                    format!("h{from} -> h{to}: {} round {round}, {bytes} bytes", &scope[..6])
                });
                frame
            }
        };
        self.journal.enter(now_us, place, "send", &frame);
        let frame = Arc::new(frame);
        let receivers: Vec<usize> =
            self.nodes.iter().filter(|node| node.number == to).map(|node| node.place).collect();
        for receiver in receivers {
            for delay_us in self.network.frame(from, to) {
                self.agenda.after_us(delay_us, Happening::Frame(receiver, from, frame.clone()));
            }
        }
        Ok(())
    }

    /// A helper answers a request: once, and it must be able to keep its word.
    fn reply(&mut self, place: usize, ticket: u64, mut reply: Heard) -> Held {
        let now_us = self.agenda.now_us();
        self.journal.enter(now_us, place, "reply", format!("{ticket} {reply:?}").as_bytes());
        let node = &mut self.nodes[place];
        let number = node.number;
        let Some(ask) = node.up.as_mut().and_then(|up| up.tickets.remove(&ticket)) else {
            return broken("every ticket is answered once", format!("helper {number}: ticket {ticket}"));
        };
        if !matches!(ask.demand, Demand::Status) {
            self.journal.tell(now_us, || match &reply {
                Ok(_) => format!("h{number} answers {:?} {}", ask.actor, ask.token),
                Err(refusal) => format!("h{number} refuses {:?} {}: {refusal}", ask.actor, ask.token),
            });
        }
        if let (Some(Lie::Results), Ok(Reply::Ran(reply)), Demand::Run(signed)) =
            (node.lie, &mut reply, &ask.demand)
        {
            alter_reply(reply, &signed.digest::<quorate_wire::RunRequest>(), &node.key());
        }
        if !self.plan.is_liar(number) {
            self.promise(place, &ask, &reply)?;
        }
        self.answer(ask, reply);
        Ok(())
    }

    /// Keeps in mind what an honest helper said, which must be durable already.
    fn promise(&mut self, place: usize, ask: &Ask, reply: &Heard) -> Held {
        let node = &mut self.nodes[place];
        match (reply, &ask.demand) {
            (Ok(Reply::Receipt(_)), Demand::Upload(_, ids)) => {
                node.promises.receipted.extend(ids.iter().copied());
                self.report.count("receipts", 1);
            }
            (Ok(Reply::Created(id)), Demand::Create(_)) => {
                node.promises.created.insert(*id);
            }
            (Ok(Reply::Sealed(signed)), Demand::Seal(_)) => {
                let id: Digest = signed.manifest.id();
                let promised = *node.promises.sealed.get_or_insert(id);
                hold(promised == id, "a study is sealed once", || format!("helper {}", node.number))?;
            }
            (Ok(Reply::Ran(reply)), Demand::Run(signed)) => {
                let attempt = signed.digest::<quorate_wire::RunRequest>();
                let text = serde_json::to_string(reply).unwrap_or_default();
                let known = node.promises.runs.entry(attempt).or_insert_with(|| text.clone());
                hold(*known == text, "a run asked again returns identical bytes", || {
                    format!("helper {}: {known} and {text}", node.number)
                })?;
                if self.plan.privacy.is_some() {
                    self.truth.is_charged(&self.nodes[place], &attempt)?;
                }
                match reply.open(&opener(), &attempt) {
                    Ok(reply) => self.truth.answered(&reply, signed)?,
                    Err(error) => return broken("an answer opens for its analyst", error.to_string()),
                }
            }
            (Ok(Reply::Status(_)), Demand::Status) | (Ok(Reply::Asked(_)), Demand::Asked(_)) => return Ok(()),
            (Ok(other), demand) => {
                return broken("a reply is of its request's kind", format!("{demand:?}: {other:?}"));
            }
            (Err(refusal), _) => {
                let is_quarrel = refusal.code == Code::Disagreement;
                let detail = || format!("helper {}: {refusal:?}", node.number);
                return hold(!is_quarrel || !self.plan.liars.is_empty(), "honest helpers agree", detail);
            }
        }
        self.truth.kept(&self.nodes[place])
    }
}
