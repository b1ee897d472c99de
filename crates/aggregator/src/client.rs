//! Client: what a training loop calls.
//!
//! ```no_run
//! # async fn example(server: quorate_federation::PublicKey, key: std::sync::Arc<quorate_federation::SecretKey>)
//! # -> Result<(), quorate_aggregator::ClientError> {
//! use quorate_aggregator::{Client, Limits, Requirements};
//! use quorate_masking::Input;
//!
//! let mut client = Client::connect("server.example:7200", server, key, Requirements::default(), Limits::default()).await?;
//! while let Some(round) = client.next_round().await? {
//!     let gradient: Vec<f32> = compute(round.model());
//!     let taken = round.contribute(Input::Reals(&gradient), 1).await?;
//!     println!("{} of the round's vectors are in the sum", taken.survivors);
//! }
//! # fn compute(_: &[u8]) -> Vec<f32> { Vec::new() }
//! # Ok(())
//! # }
//! ```

use std::collections::BTreeSet;
use std::sync::Arc;

use quorate_federation::{PublicKey, SecretKey};
use quorate_hash::Digest;
use quorate_masking::client::{Joined, Sharing, Survived};
use quorate_masking::message::{Delivery, FromClient, FromServer};
use quorate_masking::{Demand, Input, Round, Strength, Terms, Variant};
use quorate_tls::{TlsFault, masks_client_config};
use quorate_wire::limits::MESSAGE_MAX;
use quorate_wire::{decode, encode};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use zeroize::Zeroizing;

use crate::frame::{self, ClientFrame, ServerFrame};
use crate::round::model_hash;
use crate::{ClientError, Limits};

/// What a client asks of a round before it takes part.
#[derive(Clone, Debug, Default)]
pub struct Requirements {
    /// What the graph must bear.
    pub demand: Demand,
    /// Whether rounds that rely on a server that follows the protocol are taken part in.
    pub takes_passive: bool,
    /// Whose keys a round's clients may have; `None` takes the server's word for who they are, which is for a server that is
    /// trusted to follow the protocol.
    pub enrolled: Option<BTreeSet<PublicKey>>,
}

/// A connection to a server of rounds.
pub struct Client {
    stream: TlsStream<TcpStream>,
    identity: Arc<SecretKey>,
    server: PublicKey,
    requirements: Requirements,
    limits: Limits,
}

/// A round that the client may take part in.
pub struct Invitation<'a> {
    client: &'a mut Client,
    round: Arc<Round>,
    strength: Strength,
    model: Vec<u8>,
}

/// A client's part in a round whose secrets are shared: only its vector is missing.
pub struct Part<'a> {
    client: &'a mut Client,
    round: Arc<Round>,
    state: State,
}

/// Where a part is.
enum State {
    /// The others' shares are here.
    Shared(Sharing, Vec<Delivery>),
    /// The round went on without it.
    Ended(Taken),
}

/// What became of a client's vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// How many vectors are in the sum.
    pub survivors: u32,
    /// Whether the client's is.
    pub is_counted: bool,
}

/// What ends a client's wait for the next stage.
enum Heard {
    Told(FromServer),
    Ended(Taken),
}

impl Client {
    /// Connects to the server with this key.
    ///
    /// # Errors
    /// The address cannot be reached, another key answers there, or the server does not know the client.
    pub async fn connect(
        address: &str,
        server: PublicKey,
        identity: Arc<SecretKey>,
        requirements: Requirements,
        limits: Limits,
    ) -> Result<Self, ClientError> {
        let failed = |source| ClientError::Connect { address: address.to_owned(), source };
        let connect = async {
            let stream = TcpStream::connect(address).await.map_err(failed)?;
            stream.set_nodelay(true).map_err(failed)?;
            let connector = TlsConnector::from(masks_client_config(server, &identity));
            // Whoever answers is known by its key; a name is a matter of form.
            let name = ServerName::IpAddress(std::net::Ipv4Addr::LOCALHOST.into());
            connector.connect(name, stream).await.map_err(|source| match TlsFault::of(&source) {
                Some(fault) => ClientError::Tls { address: address.to_owned(), fault },
                None => failed(source),
            })
        };
        let slow = |_| failed(std::io::Error::new(std::io::ErrorKind::TimedOut, "nobody answers in time"));
        let stream = timeout(limits.handshake, connect).await.map_err(slow)??;
        Ok(Client { stream, identity, server, requirements, limits })
    }

    /// Waits for the next round. `None`: the server has ended the connection.
    ///
    /// # Errors
    /// The connection broke, or the round is not one that this client takes part in; after
    /// [`ClientError::is_of_one_round`] the next may be.
    pub async fn next_round(&mut self) -> Result<Option<Invitation<'_>>, ClientError> {
        loop {
            match self.read().await? {
                None => return Ok(None),
                Some(ServerFrame::Invitation { document, model }) => {
                    let (round, strength) = self.judge(document, &model)?;
                    return Ok(Some(Invitation { client: self, round, strength, model }));
                }
                // What was said of a round in which the client has no part any more.
                Some(_) => {}
            }
        }
    }

    fn judge(&self, document: Vec<u8>, model: &[u8]) -> Result<(Arc<Round>, Strength), ClientError> {
        let round = Round::read(document)?;
        let terms = round.terms();
        if terms.server != self.server {
            return Err(ClientError::OtherServer);
        }
        if terms.model != model_hash(model) {
            return Err(ClientError::OtherModel);
        }
        if !self.requirements.takes_passive && terms.variant != Variant::Active {
            return Err(ClientError::Passive);
        }
        if let Some(enrolled) = &self.requirements.enrolled
            && let Some(stranger) = terms.clients.iter().find(|client| !enrolled.contains(client))
        {
            return Err(ClientError::NotEnrolled(*stranger));
        }
        let strength = self.requirements.demand.judge(&round)?;
        Ok((Arc::new(round), strength))
    }

    async fn read(&mut self) -> Result<Option<ServerFrame>, ClientError> {
        match frame::read(&mut self.stream, None, self.limits.transfer).await {
            Ok(Some((bytes, _))) => {
                decode(&bytes, MESSAGE_MAX).map(Some).map_err(|_| ClientError::NotUnderstood)
            }
            Ok(None) => Ok(None),
            // With TLS 1.3 a client learns only now that the server does not take its key.
            Err(source) => Err(match TlsFault::of(&source) {
                Some(fault) => ClientError::Tls { address: "the server".into(), fault },
                None => source.into(),
            }),
        }
    }

    async fn send(&mut self, round: &Digest, message: FromClient) -> Result<(), ClientError> {
        let bytes = encode(&ClientFrame { round: *round, message });
        Ok(frame::write(&mut self.stream, &bytes, self.limits.transfer).await?)
    }

    /// What the server says next of this round.
    async fn hear(&mut self) -> Result<Heard, ClientError> {
        match self.read().await?.ok_or(ClientError::Closed)? {
            ServerFrame::Told(message) => Ok(Heard::Told(message)),
            ServerFrame::Ended { survivors, is_counted } => Ok(Heard::Ended(Taken { survivors, is_counted })),
            ServerFrame::Refused(reason) => Err(ClientError::Refused(reason)),
            ServerFrame::Aborted(reason) => Err(ClientError::Aborted(reason)),
            ServerFrame::Invitation { .. } => Err(ClientError::NotUnderstood),
        }
    }
}

/// What the server says at the end of a stage, or out of the function with what `$ended` makes of the round's end.
macro_rules! hear {
    ($client:expr, $message:ident, $ended:expr) => {
        match $client.hear().await? {
            Heard::Told(FromServer::$message(content)) => content,
            Heard::Told(_) => return Err(ClientError::NotUnderstood),
            Heard::Ended(taken) => return Ok($ended(taken)),
        }
    };
}

impl<'a> Invitation<'a> {
    /// The round's terms.
    pub fn terms(&self) -> &Terms {
        self.round.terms()
    }

    /// What the round's graph bears, under the dropouts and corrupt clients of the client's requirements.
    pub fn strength(&self) -> Strength {
        self.strength
    }

    /// What vectors are to be computed from.
    pub fn model(&self) -> &[u8] {
        &self.model
    }

    /// Takes part with a vector. `weight` is 1 where the round has none.
    ///
    /// # Errors
    /// Another length or a number that is none; too few neighbours; a server that does not follow the protocol; a round
    /// that ended without a sum. Whichever it is, nobody learned anything of the vector.
    pub async fn contribute(self, input: Input<'_>, weight: u32) -> Result<Taken, ClientError> {
        // A vector that does not fit is said before anybody counts on it.
        self.round.terms().encoding.check_input(input, weight)?;
        self.share().await?.contribute(input, weight).await
    }

    /// Takes part with a vector that is yet to be computed: exchanges keys and shares, which do not depend on it. A client that
    /// leaves after that costs its neighbours the time to take out its masks. The server waits for vectors as long
    /// as for any stage.
    ///
    /// # Errors
    /// As [`contribute`](Self::contribute), but of the vector.
    pub async fn share(self) -> Result<Part<'a>, ClientError> {
        let Invitation { client, round, .. } = self;
        let state = share(client, &round).await?;
        Ok(Part { client, round, state })
    }
}

async fn share(client: &mut Client, round: &Arc<Round>) -> Result<State, ClientError> {
    let id = round.id();
    let mut seed = Zeroizing::new([0; 32]);
    getrandom::fill(seed.as_mut()).map_err(ClientError::Randomness)?;
    let mut rng = ChaCha20Rng::from_seed(*seed);
    let (joined, keys) = Joined::new(Arc::clone(round), Arc::clone(&client.identity), &mut rng)?;
    client.send(id, FromClient::Keys(keys)).await?;
    let neighbours = hear!(client, Neighbours, State::Ended);
    let (sharing, shares) = joined.share(neighbours, &mut rng)?;
    client.send(id, FromClient::Shares(shares)).await?;
    let deliveries = hear!(client, Deliveries, State::Ended);
    Ok(State::Shared(sharing, deliveries))
}

impl Part<'_> {
    /// Sends the vector, masked, and sees the round through. `weight` is 1 where the round has none.
    ///
    /// # Errors
    /// As [`Invitation::contribute`].
    pub async fn contribute(self, input: Input<'_>, weight: u32) -> Result<Taken, ClientError> {
        let Part { client, round, state } = self;
        let (sharing, deliveries) = match state {
            State::Shared(sharing, deliveries) => (sharing, deliveries),
            State::Ended(taken) => return Ok(taken),
        };
        let id = round.id();
        let (masked, vector) = sharing.mask(&deliveries, input, weight)?;
        client.send(id, FromClient::Input(vector)).await?;
        let survivors = hear!(client, Survivors, std::convert::identity);
        let given = match masked.survive(survivors)? {
            Survived::Unmasking(given) => given,
            Survived::Agreement(agreed, signature) => {
                client.send(id, FromClient::Agreement(signature)).await?;
                let agreements = hear!(client, Agreements, std::convert::identity);
                agreed.unmask(&agreements)?
            }
        };
        // The server may have had enough shares without these and be gone; what it said last is there to be heard.
        drop(client.send(id, FromClient::Unmasking(given)).await);
        match client.hear().await? {
            Heard::Ended(taken) => Ok(taken),
            Heard::Told(_) => Err(ClientError::NotUnderstood),
        }
    }
}
