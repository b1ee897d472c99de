//! Replies: one request to every helper of a quorum, and what they answer.
//!
//! A run that costs nothing ends with the first helper that fails, and another attempt begins. A run that costs privacy is charged at
//! every helper that answered, so what it was charged for is fetched first: whoever's answer did not arrive is asked for the same
//! again, which gives the identical bytes, and at last `t + 1` answers do.

use std::collections::BTreeSet;

use bytes::Bytes;
use futures_util::future::join_all;
use futures_util::stream::{FuturesUnordered, StreamExt};
use quorate_federation::EnvelopeOpener;
use quorate_hash::Digest;
use quorate_wire::{RunReply, RunRequest, SealedReply, Signed};

use crate::helpers::Ask;
use crate::owner::body;
use crate::{Fault, HelperError, Helpers, Patience};

/// A signed request on its way.
pub(super) struct Asking<'a> {
    helpers: &'a Helpers,
    request: &'a RunRequest,
    opener: &'a EnvelopeOpener,
    digest: Digest,
    body: Bytes,
}

/// Who of a quorum answered so far, and who did not.
struct Tally<T> {
    replies: Vec<T>,
    /// Whose answer did not arrive: it may have been charged.
    missing: BTreeSet<u8>,
    /// In the order in which they came.
    errors: Vec<HelperError>,
    needed: usize,
}

/// What is to be done next.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    /// Ask those whose answers did not arrive again.
    Again,
    /// Take what there is.
    Enough,
    /// There will not be enough.
    Failed,
}

impl<'a> Asking<'a> {
    pub(super) fn new(
        helpers: &'a Helpers,
        signed: &Signed,
        request: &'a RunRequest,
        opener: &'a EnvelopeOpener,
    ) -> Self {
        Asking { helpers, request, opener, digest: signed.digest::<RunRequest>(), body: body(signed) }
    }

    /// Everybody's reply. The first helper that fails ends the attempt, so that a killed one is not waited for; the others
    /// notice by themselves.
    pub(super) async fn all(&self) -> Result<Vec<RunReply>, HelperError> {
        let quorum = &self.request.quorum;
        let mut waiting: FuturesUnordered<_> = quorum.iter().map(|number| self.one(*number)).collect();
        let mut replies = Vec::with_capacity(quorum.len());
        while let Some(reply) = waiting.next().await {
            replies.push(reply?);
        }
        Ok(in_order(replies))
    }

    /// The replies to a run that costs privacy: everybody's, or `needed` of them where the others are lost.
    pub(super) async fn paid(&self, needed: usize) -> Result<Vec<RunReply>, HelperError> {
        let mut tally = Tally::new(&self.request.quorum, needed);
        let mut pauses = Patience::PAID.pauses();
        loop {
            let asked: Vec<u8> = std::mem::take(&mut tally.missing).into_iter().collect();
            let answers = join_all(asked.iter().map(|number| self.one(*number))).await;
            asked.into_iter().zip(answers).for_each(|(number, answer)| tally.take(number, answer));
            let pause = pauses.next();
            match tally.next(pause.is_some()) {
                Next::Enough => return Ok(in_order(tally.replies)),
                Next::Failed => return Err(tally.into_error()),
                Next::Again => {
                    tracing::info!(helpers = ?tally.missing, "asking for the same answers again");
                    tokio::time::sleep(pause.unwrap_or_default()).await;
                }
            }
        }
    }

    async fn one(&self, number: u8) -> Result<RunReply, HelperError> {
        let helpers = self.helpers;
        let ask = Ask::post_json(format!("/v1/studies/{}/runs", self.request.study), self.body.clone());
        let sealed: SealedReply = helpers.ask_json(number, ask, "a run's result").await?;
        let reply = sealed.open(self.opener, &self.digest).map_err(|error| {
            helpers.error(number, Fault::Garbled { what: "a run's result", reason: error.to_string() })
        })?;
        if reply.helper != number || !reply.is_signed_by(helpers.key(number)) {
            return Err(helpers.error(number, Fault::Signature { what: "result shares" }));
        }
        Ok(reply)
    }
}

impl<T> Tally<T> {
    fn new(quorum: &[u8], needed: usize) -> Self {
        let missing = quorum.iter().copied().collect();
        Tally { replies: Vec::new(), missing, errors: Vec::new(), needed }
    }

    fn take(&mut self, number: u8, answer: Result<T, HelperError>) {
        match answer {
            Ok(reply) => self.replies.push(reply),
            Err(error) => {
                if error.fault.is_passing() {
                    self.missing.insert(number);
                }
                self.errors.push(error);
            }
        }
    }

    fn next(&self, is_patient: bool) -> Next {
        let may_come = self.replies.len() + self.missing.len();
        match self.missing.is_empty() || !is_patient {
            false if may_come >= self.needed => Next::Again,
            _ if self.replies.len() >= self.needed => Next::Enough,
            _ => Next::Failed,
        }
    }

    /// What a refusal says of others is more than that somebody is silent.
    #[expect(clippy::expect_used, reason = "a quorum is larger than what is needed, and too few answered")]
    fn into_error(self) -> HelperError {
        let (refusals, others): (Vec<_>, Vec<_>) =
            self.errors.into_iter().partition(|error| !error.fault.is_passing());
        refusals.into_iter().chain(others).next().expect("somebody failed")
    }
}

fn in_order(mut replies: Vec<RunReply>) -> Vec<RunReply> {
    replies.sort_unstable_by_key(|reply| reply.helper);
    replies
}

#[cfg(test)]
mod tests {
    use quorate_wire::{Code, Refusal};

    use super::*;

    fn failed(helper: u8, fault: Fault) -> Result<u8, HelperError> {
        Err(HelperError { helper, name: String::new(), fault })
    }

    fn refused(helper: u8) -> Result<u8, HelperError> {
        failed(helper, Fault::Refused(Refusal::new(Code::Unavailable, "over")))
    }

    fn lost(helper: u8) -> Result<u8, HelperError> {
        failed(helper, Fault::Timeout)
    }

    fn tally(answers: Vec<Result<u8, HelperError>>) -> Tally<u8> {
        let quorum: Vec<u8> = (1..).take(answers.len()).collect();
        let mut tally = Tally::new(&quorum, 2);
        tally.missing.clear();
        quorum.into_iter().zip(answers).for_each(|(number, answer)| tally.take(number, answer));
        tally
    }

    #[test]
    fn what_was_charged_is_asked_for_again() {
        let one_lost = tally(vec![Ok(1), lost(2), Ok(3)]);
        assert_eq!((one_lost.next(true), &one_lost.missing), (Next::Again, &BTreeSet::from([2])));
        // At last without it: two answers are a result.
        assert_eq!(one_lost.next(false), Next::Enough);
        assert_eq!(tally(vec![lost(1), lost(2), lost(3)]).next(true), Next::Again, "all may have answered");
        assert_eq!(tally(vec![Ok(1), lost(2), refused(3)]).next(true), Next::Again);
        assert_eq!(
            tally(vec![Ok(1), refused(2), Ok(3)]).next(true),
            Next::Enough,
            "a helper lost the attempt"
        );
        assert_eq!(tally(vec![Ok(1), Ok(2), Ok(3)]).next(true), Next::Enough);
    }

    #[test]
    fn an_attempt_that_gives_no_result_any_more_is_left() {
        let of_refused = tally(vec![refused(1), lost(2), refused(3)]);
        assert_eq!(of_refused.next(true), Next::Failed);
        assert_eq!(of_refused.into_error().helper, 1);
        assert_eq!(tally(vec![Ok(1), refused(2), refused(3)]).next(true), Next::Failed);
        let of_lost = tally(vec![Ok(1), lost(2), lost(3)]);
        assert_eq!((of_lost.next(true), of_lost.next(false)), (Next::Again, Next::Failed));
    }
}
