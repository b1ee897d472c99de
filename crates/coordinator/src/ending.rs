//! How an attempt ends, and who is told.

use quorate_wire::Refusal;

use crate::Ticket;
use crate::context::Context;
use crate::event::Reply;

/// Who waits for an attempt's end, and the end once there is one.
#[derive(Debug)]
pub(crate) struct Ending<T> {
    tickets: Vec<Ticket>,
    end: Option<(Result<T, Refusal>, u64)>,
    to_reply: fn(T) -> Reply,
}

impl<T: Clone> Ending<T> {
    /// Nobody waits yet; `to_reply` makes the answer of a result.
    pub(crate) fn new(to_reply: fn(T) -> Reply) -> Self {
        Ending { tickets: Vec::new(), end: None, to_reply }
    }

    /// Whether the attempt still goes on.
    pub(crate) fn is_open(&self) -> bool {
        self.end.is_none()
    }

    /// Why the attempt failed, if it did.
    pub(crate) fn refusal(&self) -> Option<&Refusal> {
        self.end.as_ref().and_then(|(end, _)| end.as_ref().err())
    }

    /// Whether the attempt ended long enough ago to be forgotten.
    pub(crate) fn is_forgettable(&self, cx: &Context<'_>) -> bool {
        self.end.as_ref().is_some_and(|(_, at_ms)| cx.now_ms >= at_ms + cx.config.timing.linger_ms)
    }

    /// Adds somebody who waits; answered at once if it is over.
    pub(crate) fn wait(&mut self, ticket: Ticket, cx: &mut Context<'_>) {
        match &self.end {
            Some((end, _)) => cx.reply(ticket, end.clone().map(self.to_reply)),
            None => self.tickets.push(ticket),
        }
    }

    /// Ends the attempt and tells everybody who waits. The first end stands.
    pub(crate) fn set(&mut self, end: Result<T, Refusal>, cx: &mut Context<'_>) {
        if self.end.is_some() {
            return;
        }
        for ticket in std::mem::take(&mut self.tickets) {
            cx.reply(ticket, end.clone().map(self.to_reply));
        }
        self.end = Some((end, cx.now_ms));
    }
}
