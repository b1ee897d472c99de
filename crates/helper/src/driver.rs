//! Driver: the one thread that owns the coordinator.
//!
//! Three doors lead in, each bounded by something else, so that none can starve another: requests (a queue that
//! refuses when full), frames (each carries its part of its sender's memory budget) and notices of this process
//! (as many as there are batches and computations under way). Computations of protocols go to threads of
//! their own: the loop only moves what they send. It never waits for the network. It waits for the writer only when
//! `WRITER_QUEUE` batches are ahead of it, and the writer never waits for the loop.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};

use quorate_coordinator::{Action, Computed, Coordinator, Event, Records, Reply, Request, Ticket};
use quorate_wire::{Code, Refusal};
use rand_chacha::ChaCha20Rng;
use tokio::runtime::Handle;
use tokio::sync::mpsc::{Receiver, Sender, UnboundedReceiver, UnboundedSender, error::TrySendError};
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tracing::{debug, warn};

use crate::peers::Links;
use crate::writer::Batch;

/// The coordinator is told the time this often.
const TICK: Duration = Duration::from_millis(50);
/// At most so many waiting events come before a piece of a long computation.
const EVENTS_PER_PIECE: u32 = 64;

/// A request on its way in, and where its answer goes.
pub(crate) struct Asked {
    request: Request,
    answer: Answer,
}

struct Answer {
    reply: oneshot::Sender<Result<Reply, Refusal>>,
    /// The memory of the request's body: given back when it is answered, even if the client has gone.
    _memory: Option<OwnedSemaphorePermit>,
}

/// A frame of another helper.
pub(crate) struct Heard {
    pub(crate) from: u8,
    pub(crate) frame: Vec<u8>,
    /// The frame's memory.
    pub(crate) memory: OwnedSemaphorePermit,
}

/// What this process has to say to the driver.
#[derive(Debug)]
pub(crate) enum Notice {
    /// A batch is durable.
    Stored(u64),
    /// A computation is done.
    Computed(Computed),
    /// Refuse requests and abort attempts from now on.
    Stop,
    /// Leave the loop.
    End,
}

/// The way in for requests.
#[derive(Clone)]
pub(crate) struct Door {
    requests: Sender<Asked>,
    pulse: Arc<Pulse>,
}

/// When the loop last turned.
struct Pulse {
    start: Instant,
    last_ms: AtomicU64,
}

impl Door {
    pub(crate) fn new(requests: Sender<Asked>) -> Self {
        Door { requests, pulse: Arc::new(Pulse { start: Instant::now(), last_ms: AtomicU64::new(0) }) }
    }

    /// Asks the coordinator and waits for its answer.
    pub(crate) async fn ask(
        &self,
        request: Request,
        memory: Option<OwnedSemaphorePermit>,
    ) -> Result<Reply, Refusal> {
        let (reply, answered) = oneshot::channel();
        let asked = Asked { request, answer: Answer { reply, _memory: memory } };
        match self.requests.try_send(asked) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => {
                return Err(busy("this helper has as many requests waiting as it takes"));
            }
            Err(TrySendError::Closed(_)) => return Err(stopping()),
        }
        answered.await.unwrap_or_else(|_| Err(stopping()))
    }

    /// For how long the loop has not turned.
    pub(crate) fn silence(&self) -> Duration {
        let last = Duration::from_millis(self.pulse.last_ms.load(Ordering::Relaxed));
        self.pulse.start.elapsed().saturating_sub(last)
    }
}

pub(crate) fn busy(message: &str) -> Refusal {
    Refusal::new(Code::Busy, message).hint("try again in a second; uploading again is harmless")
}

pub(crate) fn stopping() -> Refusal {
    Refusal::new(Code::Busy, "this helper is stopping").hint("try again when it is back")
}

/// What the driver needs.
pub(crate) struct Driver<R> {
    pub(crate) coordinator: Coordinator,
    pub(crate) records: R,
    pub(crate) rng: ChaCha20Rng,
    pub(crate) door: Door,
    pub(crate) requests: Receiver<Asked>,
    pub(crate) frames: Receiver<Heard>,
    pub(crate) notices: UnboundedReceiver<Notice>,
    /// Where computations say that they are done.
    pub(crate) notify: UnboundedSender<Notice>,
    pub(crate) batches: SyncSender<Batch>,
    pub(crate) links: Arc<Links>,
}

/// What the loop takes up next.
enum Input {
    Asked(Asked),
    Heard(Heard),
    Notice(Notice),
    Tick,
    Continue,
}

impl<R: Records> Driver<R> {
    /// Turns until [`Notice::End`], or until the writer is gone. `runtime` is waited on, and computes.
    pub(crate) fn run(self, runtime: &Handle) {
        let mut looped = Loop {
            driver: self,
            answers: HashMap::new(),
            next_ticket: 1,
            ticked: Instant::now(),
            continue_wanted: false,
            since_piece: 0,
            turns: 0,
        };
        while looped.turn(runtime) {}
    }
}

struct Loop<R> {
    driver: Driver<R>,
    answers: HashMap<Ticket, Answer>,
    next_ticket: Ticket,
    ticked: Instant,
    continue_wanted: bool,
    since_piece: u32,
    /// Whose turn it is.
    turns: u32,
}

impl<R: Records> Loop<R> {
    /// Takes one input to its end; whether there is a next turn.
    fn turn(&mut self, runtime: &Handle) -> bool {
        let input = self.next(runtime);
        let mut _memory = None;
        let event = match input {
            Input::Asked(Asked { request, answer }) => {
                let ticket = self.next_ticket;
                self.next_ticket += 1;
                self.answers.insert(ticket, answer);
                Event::Request { ticket, request }
            }
            Input::Heard(Heard { from, frame, memory }) => {
                _memory = Some(memory);
                Event::Peer { from, frame }
            }
            Input::Notice(Notice::Stored(batch)) => Event::Stored { batch },
            Input::Notice(Notice::Computed(computed)) => Event::Computed(computed),
            Input::Notice(Notice::Stop) => Event::Stop,
            Input::Notice(Notice::End) => return false,
            Input::Tick => Event::Tick,
            Input::Continue => Event::Continue,
        };
        let now_ms = self.beat();
        let driver = &mut self.driver;
        let actions = driver.coordinator.step(event, &mut driver.rng, now_ms, &driver.records);
        actions.into_iter().all(|action| self.act(action, runtime))
    }

    fn beat(&self) -> u64 {
        let pulse = &self.driver.door.pulse;
        // 2^64 milliseconds are 580 million years.
        let now_ms = u64::try_from(pulse.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        pulse.last_ms.store(now_ms, Ordering::Relaxed);
        now_ms
    }

    /// Does one action; whether the loop can go on.
    fn act(&mut self, action: Action, runtime: &Handle) -> bool {
        match action {
            Action::Reply { ticket, reply } => match self.answers.remove(&ticket) {
                // The client may have gone; what it asked for has happened all the same.
                Some(answer) => drop(answer.reply.send(reply)),
                None => warn!(ticket, "a reply to a request that was answered before"),
            },
            Action::Send { to, frame } => self.driver.links.send(to, frame),
            Action::Store { batch, writes } => {
                return self.driver.batches.send(Batch { batch, writes }).is_ok();
            }
            Action::Compute(computation) => {
                let notify = self.driver.notify.clone();
                runtime.spawn_blocking(move || drop(notify.send(Notice::Computed(computation.run()))));
            }
            Action::Continue => self.continue_wanted = true,
        }
        true
    }

    fn next(&mut self, runtime: &Handle) -> Input {
        let now = Instant::now();
        if now >= self.ticked + TICK {
            self.ticked = now;
            return Input::Tick;
        }
        if !self.continue_wanted {
            // A wait costs more than most turns: first whoever can run gets to run, and may have something to say.
            return self.waiting().or_else(|| self.yielded()).unwrap_or_else(|| self.wait(runtime));
        }
        if self.since_piece < EVENTS_PER_PIECE
            && let Some(input) = self.waiting()
        {
            self.since_piece += 1;
            return input;
        }
        self.since_piece = 0;
        self.continue_wanted = false;
        Input::Continue
    }

    /// What waits already, without waiting.
    fn waiting(&mut self) -> Option<Input> {
        self.turns = self.turns.wrapping_add(1);
        let driver = &mut self.driver;
        // Frames and requests take turns; there are never more notices than batches and computations under way.
        let heard = |driver: &mut Driver<R>| driver.frames.try_recv().ok().map(Input::Heard);
        let asked = |driver: &mut Driver<R>| driver.requests.try_recv().ok().map(Input::Asked);
        let notice = driver.notices.try_recv().ok().map(Input::Notice);
        notice.or_else(|| {
            if self.turns.is_multiple_of(2) {
                heard(driver).or_else(|| asked(driver))
            } else {
                asked(driver).or_else(|| heard(driver))
            }
        })
    }

    /// What waits after a yield: of many requests the first wakes this thread, and the others are here when it comes back.
    fn yielded(&mut self) -> Option<Input> {
        std::thread::yield_now();
        self.waiting()
    }

    fn wait(&mut self, runtime: &Handle) -> Input {
        let tick = tokio::time::Instant::from_std(self.ticked + TICK);
        let driver = &mut self.driver;
        let (requests, frames, notices) = (&mut driver.requests, &mut driver.frames, &mut driver.notices);
        let input = runtime.block_on(async move {
            tokio::select! {
                notice = notices.recv() => Input::Notice(notice.unwrap_or(Notice::End)),
                Some(heard) = frames.recv() => Input::Heard(heard),
                Some(asked) = requests.recv() => Input::Asked(asked),
                () = tokio::time::sleep_until(tick) => Input::Tick,
            }
        });
        if matches!(input, Input::Tick) {
            self.ticked = Instant::now();
        }
        input
    }
}

impl<R> Drop for Loop<R> {
    fn drop(&mut self) {
        debug!(unanswered = self.answers.len(), "the coordinator's loop has ended");
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc::channel;

    use super::*;

    #[tokio::test]
    async fn a_full_queue_and_a_stopped_helper_are_said_at_once() {
        let (requests, mut requests_in) = channel(1);
        let door = Door::new(requests);
        let waiting = tokio::spawn({
            let door = door.clone();
            async move { door.ask(Request::Status, None).await }
        });
        tokio::task::yield_now().await;
        let refused = door.ask(Request::Status, None).await.unwrap_err();
        assert_eq!(refused.code, Code::Busy);
        assert!(refused.message.contains("as many requests waiting"), "{refused}");

        drop(requests_in.recv().await);
        assert!(waiting.await.unwrap().unwrap_err().message.contains("stopping"), "its answer was dropped");
        drop(requests_in);
        assert!(door.ask(Request::Status, None).await.unwrap_err().message.contains("stopping"));
    }
}
