//! The helpers of a federation over pinned HTTPS: one client per helper, timeouts, repetition, limits on answers.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{join_all, try_join_all};
use hyper::Method;
use quorate_circuit::Study;
use quorate_federation::{Federation, PublicKey, Signature};
use quorate_hash::Digest;
use quorate_wire::{CommitHead, Receipt, ReceiptError, Refusal, Status};
use serde::de::DeserializeOwned;

use crate::connection::{Content, Pinned};
use crate::{ClientError, Fault, HelperError, Patience};

/// Small questions: a helper that does not answer these in time counts as down.
const ASK_TIMEOUT: Duration = Duration::from_secs(10);
/// One upload, including its group commit on a busy disk.
const UPLOAD_TIMEOUT: Duration = Duration::from_secs(120);
/// Seals and runs answer when they are done.
const WORK_TIMEOUT: Duration = Duration::from_secs(1_800);

/// Commits of one helper whose receipts may come at the same time.
const SIGNED_MAX: usize = 8;

/// Connections to all helpers of a federation. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Helpers(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    federation: Federation,
    connections: Vec<Connection>,
    bytes_sent: AtomicU64,
}

#[derive(Debug)]
struct Connection {
    number: u8,
    name: String,
    key: PublicKey,
    http: Pinned,
    /// The last commits whose signatures held, the newest last.
    signed: Mutex<VecDeque<(CommitHead, Signature)>>,
}

/// What each helper of a federation answered, or why it did not; helper 1 first.
pub type Reports<T> = Vec<Result<T, HelperError>>;

/// A request to one helper.
pub(crate) struct Ask {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) content: Option<Content>,
    pub(crate) timeout: Duration,
    pub(crate) patience: Patience,
}

impl Ask {
    pub(crate) fn get(path: impl Into<String>) -> Self {
        let (method, path) = (Method::GET, path.into());
        Ask { method, path, content: None, timeout: ASK_TIMEOUT, patience: Patience::BRIEF }
    }

    pub(crate) fn post_json(path: impl Into<String>, body: Bytes) -> Self {
        let content = Some(("application/json", body));
        Ask {
            method: Method::POST,
            content,
            timeout: WORK_TIMEOUT,
            patience: Patience::ONCE,
            ..Ask::get(path)
        }
    }

    pub(crate) fn upload(path: impl Into<String>, body: Bytes) -> Self {
        let content = Some(("application/octet-stream", body));
        Ask {
            method: Method::POST,
            content,
            timeout: UPLOAD_TIMEOUT,
            patience: Patience::LONG,
            ..Ask::get(path)
        }
    }

    pub(crate) fn patience(self, patience: Patience) -> Self {
        Ask { patience, ..self }
    }
}

impl Helpers {
    /// Connections to the helpers of `federation`, each accepted only with its key. Nothing is sent yet.
    ///
    /// # Errors
    /// This machine cannot set up a client.
    pub fn new(federation: Federation) -> Result<Self, ClientError> {
        let connections = federation.members().map(|(number, member)| {
            let http = Pinned::new(&member.address, member.key)?;
            let name = format!("{} at {}", member.name, member.address);
            Ok(Connection { number, name, key: member.key, http, signed: Mutex::default() })
        });
        let connections = connections.collect::<Result<_, ClientError>>()?;
        Ok(Helpers(Arc::new(Inner { federation, connections, bytes_sent: AtomicU64::new(0) })))
    }

    /// The federation.
    pub fn federation(&self) -> &Federation {
        &self.0.federation
    }

    /// Bytes of bodies sent to helpers so far, repetitions included.
    pub fn bytes_sent(&self) -> u64 {
        self.0.bytes_sent.load(Ordering::Relaxed)
    }

    /// The helpers' numbers.
    pub fn numbers(&self) -> impl Iterator<Item = u8> {
        1..=self.0.federation.size()
    }

    /// A helper's key. `number` is one of the federation's.
    pub(crate) fn key(&self, number: u8) -> &PublicKey {
        &self.connection(number).key
    }

    /// Opens so many connections to each helper, so that as many requests at the same time need not wait for them.
    ///
    /// # Errors
    /// A helper cannot be reached.
    pub async fn connect(&self, connections: usize) -> Result<(), HelperError> {
        let open = async |connection: &Connection| {
            let opened = connection.http.connect(connections, "/v1/health/live").await;
            opened.map_err(|fault| self.error(connection.number, fault))
        };
        try_join_all(self.0.connections.iter().map(open)).await.map(drop)
    }

    /// Whether a helper's receipt for the upload of `ids` holds. Uploads that went into one commit share its signature, which
    /// is checked once.
    pub(crate) fn check_receipt(
        &self,
        number: u8,
        study: &Digest,
        ids: &[Digest],
        receipt: &Receipt,
    ) -> Result<(), ReceiptError> {
        let Connection { key, signed, .. } = self.connection(number);
        receipt.verify_path(study, number, ids)?;
        // No holder can panic; whoever comes meanwhile most likely asks for the same commit.
        let mut signed = signed.lock().unwrap_or_else(PoisonError::into_inner);
        if signed.iter().any(|(head, signature)| *head == receipt.head && *signature == receipt.signature) {
            return Ok(());
        }
        receipt.verify_signature(key)?;
        if signed.len() == SIGNED_MAX {
            signed.pop_front();
        }
        signed.push_back((receipt.head.clone(), receipt.signature));
        Ok(())
    }

    /// Every helper's state.
    pub async fn statuses(&self) -> Reports<Status> {
        join_all(self.numbers().map(|number| self.status(number))).await
    }

    /// One helper's state, checked to be of this helper and this federation.
    pub async fn status(&self, number: u8) -> Result<Status, HelperError> {
        let status: Status = self.ask_json(number, Ask::get("/v1/status"), "a status").await?;
        if status.federation != *self.federation().id() || status.helper != number {
            let (expected, found) = (*self.federation().id(), status.federation);
            return Err(self.error(number, Fault::OtherFederation { expected, found }));
        }
        Ok(status)
    }

    /// Whether a helper says that it is ready for requests.
    pub async fn is_ready(&self, number: u8) -> Result<(), HelperError> {
        self.ask(number, Ask::get("/v1/health/ready").patience(Patience::ONCE)).await.map(|_| ())
    }

    /// The document and meaning of a study, from the first helper that has it. Its id is its hash: one helper is enough.
    ///
    /// # Errors
    /// No helper answers, none knows the study, or it does not read.
    pub async fn study(&self, id: &Digest) -> Result<(String, Study), ClientError> {
        let mut down = Vec::new();
        for number in self.numbers() {
            match self.study_from(number, id).await {
                Ok(text) => return Ok((text.clone(), Study::parse(&text)?)),
                Err(error) => down.push(error),
            }
        }
        if down.iter().any(|error| matches!(&error.fault, Fault::Refused(_))) {
            return Err(ClientError::UnknownStudy { study: *id });
        }
        Err(ClientError::TooFewHelpers { what: "read the study", needed: 1, up: 0, down })
    }

    async fn study_from(&self, number: u8, id: &Digest) -> Result<String, HelperError> {
        let bytes = self.ask(number, Ask::get(format!("/v1/studies/{id}"))).await?;
        let garbled = |reason: &str| Fault::Garbled { what: "a study", reason: reason.to_owned() };
        let text = String::from_utf8(bytes.to_vec()).map_err(|_| self.error(number, garbled("not UTF-8")))?;
        if Study::id_of(&text) != *id {
            return Err(self.error(number, garbled("it is another study's document")));
        }
        Ok(text)
    }

    /// Asks one helper and reads the JSON of its answer.
    pub(crate) async fn ask_json<T: DeserializeOwned>(
        &self,
        number: u8,
        ask: Ask,
        what: &'static str,
    ) -> Result<T, HelperError> {
        let bytes = self.ask(number, ask).await?;
        serde_json::from_slice(&bytes)
            .map_err(|error| self.error(number, Fault::Garbled { what, reason: error.to_string() }))
    }

    /// Asks one helper, again while its fault may pass and `ask`'s patience lasts.
    pub(crate) async fn ask(&self, number: u8, ask: Ask) -> Result<Bytes, HelperError> {
        let connection = self.connection(number);
        let mut pauses = ask.patience.pauses();
        loop {
            let fault = match self.try_once(connection, &ask).await {
                Ok(bytes) => return Ok(bytes),
                Err(fault) => fault,
            };
            let Some(pause) = pauses.next().filter(|_| fault.is_passing()) else {
                return Err(self.error(number, fault));
            };
            tracing::debug!(helper = number, path = ask.path, %fault, "asking again");
            tokio::time::sleep(pause).await;
        }
    }

    async fn try_once(&self, connection: &Connection, ask: &Ask) -> Result<Bytes, Fault> {
        if let Some((_, body)) = &ask.content {
            self.0.bytes_sent.fetch_add(body.len() as u64, Ordering::Relaxed);
        }
        let asked = connection.http.ask(ask.method.clone(), &ask.path, ask.content.clone(), ask.timeout);
        let (status, bytes) = asked.await?;
        if status.is_success() {
            return Ok(bytes);
        }
        Err(match serde_json::from_slice::<Refusal>(&bytes) {
            Ok(refusal) => Fault::Refused(refusal),
            Err(_) => Fault::Garbled { what: "a refusal", reason: format!("HTTP status {status}") },
        })
    }

    /// A fault with the helper's name.
    pub(crate) fn error(&self, number: u8, fault: Fault) -> HelperError {
        HelperError { helper: number, name: self.connection(number).name.clone(), fault }
    }

    fn connection(&self, number: u8) -> &Connection {
        let connection = usize::from(number).checked_sub(1).and_then(|index| self.0.connections.get(index));
        let Some(connection) = connection.filter(|connection| connection.number == number) else {
            panic!("{number} is no helper of this federation");
        };
        connection
    }
}

#[cfg(test)]
mod tests {
    use quorate_hash::merkle;

    use super::*;
    use crate::saved::tests::{federation, key};

    const STUDY: Digest = Digest([1; 32]);

    /// Receipts of one commit of helper 2 for uploads of one contribution each, signed by `signer`.
    fn receipts(uploads: &[Digest], signer: u8) -> Vec<Receipt> {
        let leaves: Vec<Digest> = uploads.iter().map(|id| merkle::root(&[*id])).collect();
        let (paths, root) = merkle::paths(&leaves);
        let head = CommitHead { study: STUDY, helper: 2, uploads: leaves.len() as u64, root };
        let signature = head.sign(&key(signer));
        let receipt = |(index, path)| Receipt { head: head.clone(), signature, index, path, repeated: 0 };
        (0..).zip(paths).map(receipt).collect()
    }

    #[test]
    fn a_commit_that_held_vouches_for_its_own_uploads_alone() {
        let helpers = Helpers::new(federation("wages")).unwrap();
        let check = |id: Digest, receipt: &Receipt| helpers.check_receipt(2, &STUDY, &[id], receipt);
        let uploads: Vec<Digest> = (1..=40).map(|byte| Digest([byte; 32])).collect();
        for (number, of_commit) in uploads.chunks(4).enumerate() {
            let (good, forged) = (receipts(of_commit, 2), receipts(of_commit, 3));
            for (id, (good, forged)) in of_commit.iter().zip(good.iter().zip(&forged)) {
                assert_eq!(check(*id, forged), Err(ReceiptError::Signature), "before, commit {number}");
                assert_eq!(check(*id, good), Ok(()));
                assert_eq!(check(*id, forged), Err(ReceiptError::Signature), "after, commit {number}");
                assert_eq!(check(Digest([99; 32]), good), Err(ReceiptError::Path));
            }
            let more = CommitHead { uploads: 5, ..good[0].head.clone() };
            assert_eq!(
                check(of_commit[0], &Receipt { head: more, ..good[0].clone() }),
                Err(ReceiptError::Path)
            );
        }
        let signed = helpers.connection(2).signed.lock().unwrap();
        assert_eq!(signed.len(), SIGNED_MAX);
        assert!(helpers.connection(1).signed.lock().unwrap().is_empty());
    }
}
