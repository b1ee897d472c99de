//! Whole rounds over TLS on loopback: the sum is exact whoever vanishes, and who does not belong gets nowhere.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use quorate_aggregator::{
    Client, ClientError, Finished, Limits, Plan, Requirements, RoundError, Server, Taken,
};
use quorate_federation::{PublicKey, SecretKey};
use quorate_masking::{Abort, Demand, Encoding, Input, Ring, Stage};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use tokio::task::JoinHandle;

const LENGTH: u32 = 5000;
/// Longer than anything here takes: a test that waits for it has failed.
const LONG: Duration = Duration::from_secs(60);
/// A stage's time in tests where somebody is waited for in vain.
const SHORT: Duration = Duration::from_millis(1500);

fn key(client: u8) -> Arc<SecretKey> {
    Arc::new(SecretKey::generate(&mut ChaCha20Rng::from_seed([client; 32])))
}

fn enrolled(clients: u8) -> Vec<PublicKey> {
    (0..clients).map(|client| key(client).public()).collect()
}

fn demand() -> Demand {
    Demand { dropouts: 0.3, corrupt: 0.1, sigma: 40.0, eta: 20.0 }
}

fn requirements(clients: u8) -> Requirements {
    Requirements {
        demand: demand(),
        takes_passive: false,
        enrolled: Some(enrolled(clients).into_iter().collect()),
    }
}

fn plan(stage: Duration) -> Plan {
    Plan {
        number: 1,
        is_active: true,
        graph: None,
        demand: demand(),
        encoding: Encoding {
            ring: Ring::Mod64,
            length: LENGTH,
            fraction_bits: 16,
            bound: 1 << 20,
            weight_max: 0,
        },
        model: b"weights".to_vec(),
        clients_min: 3,
        patience: stage,
        stage,
    }
}

async fn server(clients: u8) -> Server {
    Server::bind("127.0.0.1:0", &key(200), enrolled(clients), Limits::default()).await.unwrap()
}

async fn connect(server: &Server, client: u8, requirements: Requirements) -> Result<Client, ClientError> {
    let address = server.address().to_string();
    Client::connect(&address, key(200).public(), key(client), requirements, Limits::default()).await
}

/// Halves, so that sums are exact in single precision and after scaling.
fn vector(client: u8) -> Vec<f32> {
    (0..LENGTH).map(|place| (place % 17) as f32 / 2.0 - f32::from(client)).collect()
}

fn expected(clients: impl Iterator<Item = u8>) -> Vec<i64> {
    let mut sum = vec![0; LENGTH as usize];
    for client in clients {
        for (sum, number) in sum.iter_mut().zip(vector(client)) {
            #[expect(clippy::cast_possible_truncation, reason = "a multiple of a half")]
            let scaled = (number * 65_536.0) as i64;
            *sum += scaled;
        }
    }
    sum
}

type Part = JoinHandle<Result<Taken, ClientError>>;

/// Connects clients that take part in one round each.
async fn join(server: &Server, clients: impl Iterator<Item = u8>, of: u8) -> Vec<Part> {
    let mut parts = Vec::new();
    for client in clients {
        let mut connected = connect(server, client, requirements(of)).await.unwrap();
        parts.push(tokio::spawn(async move {
            let round = connected.next_round().await?.ok_or(ClientError::Closed)?;
            assert_eq!(round.model(), b"weights");
            round.contribute(Input::Reals(&vector(client)), 1).await
        }));
    }
    parts
}

async fn sum(server: &mut Server, clients: usize, plan: &Plan) -> Result<Finished, RoundError> {
    assert_eq!(server.gather(clients, LONG).await, clients);
    server.round(plan).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sum_of_all_who_stay_is_exact() {
    let mut server = server(12).await;
    let parts = join(&server, 0..12, 12).await;
    let finished = sum(&mut server, 12, &plan(LONG)).await.unwrap();
    assert_eq!(finished.outcome.sum, expected(0..12));
    for part in parts {
        assert_eq!(part.await.unwrap().unwrap(), Taken { survivors: 12, is_counted: true });
    }
    let stages: Vec<Stage> = finished.stages.iter().map(|(stage, _)| *stage).collect();
    assert_eq!(stages, [Stage::Keys, Stage::Shares, Stage::Inputs, Stage::Agreement, Stage::Unmasking]);
}

/// Two that never answer, one that leaves at once, and one whose connection breaks when its shares are out.
#[tokio::test(flavor = "multi_thread")]
async fn clients_that_vanish_are_left_out_and_their_masks_taken_out() {
    let mut server = server(16).await;
    let parts = join(&server, 0..12, 16).await;
    let silent = [
        connect(&server, 12, requirements(16)).await.unwrap(),
        connect(&server, 13, requirements(16)).await.unwrap(),
    ];
    let leaving = connect(&server, 14, requirements(16)).await.unwrap();
    let breaking = connect(&server, 15, requirements(16)).await.unwrap();
    assert_eq!(server.gather(16, LONG).await, 16);
    drop(leaving);
    let breaking = tokio::spawn(async move {
        let mut breaking = breaking;
        let round = breaking.next_round().await.unwrap().unwrap();
        drop(round.share().await.unwrap());
    });
    let finished = server.round(&plan(SHORT)).await.unwrap();
    let survivors: Vec<u8> = finished
        .outcome
        .survivors
        .iter()
        .map(|position| {
            let key = finished.round.terms().clients[position as usize];
            (0..16).find(|client| crate::key(*client).public() == key).unwrap()
        })
        .collect();
    assert_eq!(survivors.iter().copied().collect::<BTreeSet<u8>>(), (0..12).collect());
    assert_eq!(finished.outcome.sum, expected(survivors.into_iter()));
    for part in parts {
        assert!(part.await.unwrap().unwrap().is_counted);
    }
    breaking.await.unwrap();
    drop(silent);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_round_follows_another_and_who_was_late_may_take_part() {
    let mut server = server(12).await;
    let mut clients = Vec::new();
    for client in 0..12 {
        let mut connected = connect(&server, client, requirements(12)).await.unwrap();
        clients.push(tokio::spawn(async move {
            let mut taken = Vec::new();
            for number in 1..=2 {
                let round = connected.next_round().await?.ok_or(ClientError::Closed)?;
                assert_eq!(round.terms().number, number);
                if client == 5 && number == 1 {
                    tokio::time::sleep(2 * SHORT).await;
                }
                taken.push(round.contribute(Input::Reals(&vector(client)), 1).await?);
            }
            Ok::<_, ClientError>(taken)
        }));
    }
    let first = sum(&mut server, 12, &plan(SHORT)).await.unwrap();
    assert_eq!(first.outcome.sum, expected((0..12).filter(|client| *client != 5)));
    let second = sum(&mut server, 12, &Plan { number: 2, ..plan(LONG) }).await.unwrap();
    assert_eq!(second.outcome.sum, expected(0..12));
    for (client, taken) in clients.into_iter().enumerate() {
        let taken = taken.await.unwrap().unwrap();
        let counted: Vec<bool> = taken.iter().map(|taken| taken.is_counted).collect();
        assert_eq!(counted, [client != 5, true], "client {client}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn too_few_clients_and_weak_graphs_begin_no_round() {
    let mut server = server(12).await;
    assert_eq!(server.gather(1, Duration::from_millis(50)).await, 0);
    assert!(matches!(server.round(&plan(LONG)).await, Err(RoundError::TooFew { found: 0, needed: 3 })));
    let parts = join(&server, 0..12, 12).await;
    assert_eq!(server.gather(12, LONG).await, 12);
    let weak = Plan { graph: Some((4, 3)), ..plan(LONG) };
    assert!(matches!(server.round(&weak).await, Err(RoundError::Weak(_))));
    let large = Plan { model: vec![0; 11 << 20], ..plan(LONG) };
    assert!(matches!(server.round(&large).await, Err(RoundError::Model(_))));
    drop(parts);
}

#[tokio::test(flavor = "multi_thread")]
async fn when_too_many_vanish_everybody_is_told_that_there_is_no_sum() {
    let mut server = server(12).await;
    let parts = join(&server, 0..7, 12).await;
    let mut silent = Vec::new();
    for client in 7..12 {
        silent.push(connect(&server, client, requirements(12)).await.unwrap());
    }
    let error = sum(&mut server, 12, &plan(SHORT)).await.unwrap_err();
    assert!(
        matches!(error, RoundError::Abort(Abort::TooFew { stage: Stage::Keys, found: 7, .. })),
        "{error}"
    );
    for part in parts {
        assert!(matches!(part.await.unwrap(), Err(ClientError::Aborted(_))));
    }
}

/// What a client does not take part in: it says why, and the server goes on without it.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_keeps_out_of_rounds_that_it_does_not_trust() {
    let unknown: BTreeSet<PublicKey> = enrolled(11).into_iter().collect();
    let strict = Demand { sigma: f64::INFINITY, dropouts: 0.3, corrupt: 0.4, eta: 20.0 };
    type Is = fn(&ClientError) -> bool;
    let cases: [(Requirements, Plan, Is); 3] = [
        (Requirements { enrolled: Some(unknown), ..requirements(12) }, plan(LONG), |error| {
            matches!(error, ClientError::NotEnrolled(_))
        }),
        (requirements(12), Plan { is_active: false, ..plan(LONG) }, |error| {
            matches!(error, ClientError::Passive)
        }),
        (Requirements { demand: strict, ..requirements(12) }, plan(LONG), |error| {
            matches!(error, ClientError::Weak(_))
        }),
    ];
    for (requirements, plan, is_expected) in cases {
        let mut server = server(12).await;
        let mut client = connect(&server, 3, requirements).await.unwrap();
        let part = tokio::spawn(async move { client.next_round().await.err().unwrap() });
        let others = join(&server, (0..12).filter(|client| *client != 3), 12).await;
        assert_eq!(server.gather(12, LONG).await, 12);
        let round = tokio::time::timeout(LONG, server.round(&plan)).await.unwrap();
        let error = part.await.unwrap();
        assert!(is_expected(&error) && error.is_of_one_round(), "{error}");
        match round {
            Ok(finished) => assert_eq!(finished.outcome.survivors.count(), 11, "the others are enough"),
            Err(error) => assert!(!plan.is_active, "nobody relies on the server: {error}"),
        }
        drop(others);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_and_impostors_are_refused_by_their_keys() {
    let mut server = server(3).await;
    // TLS 1.3 tells the client only after its own handshake is done.
    let refused = match connect(&server, 77, requirements(3)).await {
        Ok(mut client) => client.next_round().await.err().unwrap(),
        Err(error) => error,
    };
    assert!(matches!(refused, ClientError::Tls { .. } | ClientError::Connection(_)), "{refused}");
    let address = server.address().to_string();
    let other =
        Client::connect(&address, key(201).public(), key(0), requirements(3), Limits::default()).await;
    assert!(matches!(other.err().unwrap(), ClientError::Tls { .. }));
    assert_eq!(server.gather(1, Duration::from_millis(100)).await, 0);
    let few = Server::bind("127.0.0.1:0", &key(200), enrolled(2), Limits::default()).await;
    assert_eq!(few.err().unwrap().to_string(), "2 enrolled clients: a round takes at least 3");
}

/// Garbage, a length over the limit, and a message of no round: the connection or the part ends, the round does not.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_message_ends_its_senders_part_alone() {
    use quorate_tls::masks_client_config;
    use rustls::pki_types::ServerName;
    use tokio::io::AsyncWriteExt;
    for garbage in [&[8, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8][..], &[255; 4], &[0, 0, 0, 0]] {
        let mut server = server(12).await;
        let parts = join(&server, 0..11, 12).await;
        let connector = tokio_rustls::TlsConnector::from(masks_client_config(key(200).public(), &key(11)));
        let stream = tokio::net::TcpStream::connect(server.address()).await.unwrap();
        let name = ServerName::IpAddress(std::net::Ipv4Addr::LOCALHOST.into());
        let mut stream = connector.connect(name, stream).await.unwrap();
        assert_eq!(server.gather(12, LONG).await, 12);
        let (written, finished) = tokio::join!(
            async {
                stream.write_all(garbage).await.unwrap();
                stream.flush().await
            },
            async {
                let plan = plan(LONG);
                server.round(&plan).await
            }
        );
        written.unwrap();
        assert_eq!(finished.unwrap().outcome.sum, expected(0..11));
        for part in parts {
            assert!(part.await.unwrap().unwrap().is_counted);
        }
    }
}
