//! Two meshes over loopback, and greetings that do not match.

use quorate_federation::{Card, Member};
use quorate_wire::limits::MESSAGE_MAX;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use tokio::sync::mpsc::{Receiver, channel};
use tokio::task::JoinHandle;

use super::*;

fn hello(protocol: u32, federation: u8) -> Hello {
    Hello { protocol, federation: Digest([federation; 32]), version: "0".to_owned() }
}

async fn greetings(near: Hello, far: Hello) -> [Result<(), PeerError>; 2] {
    let (one, two) = tokio::io::duplex(4 << 10);
    let (one, two) = tokio::join!(link::greet(one, &near), link::greet(two, &far));
    [one.map(drop), two.map(drop)]
}

#[tokio::test]
async fn both_ends_hear_what_does_not_match() {
    assert!(matches!(greetings(hello(PROTOCOL, 7), hello(PROTOCOL, 7)).await, [Ok(()), Ok(())]));
    let [near, far] = greetings(hello(PROTOCOL, 7), hello(PROTOCOL, 8)).await;
    let text = near.unwrap_err().to_string();
    assert!(text.contains("another federation file (id 0808") && text.contains("here 0707"), "{text}");
    assert!(matches!(far, Err(PeerError::OtherFederation { .. })));
    let [near, far] = greetings(hello(PROTOCOL, 7), hello(PROTOCOL + 1, 7)).await;
    assert!(matches!(near, Err(PeerError::OtherProtocol { theirs }) if theirs == PROTOCOL + 1));
    assert!(matches!(far, Err(PeerError::OtherProtocol { .. }) | Ok(())));
}

#[tokio::test]
async fn a_greeting_that_is_none_or_too_long_is_refused() {
    use tokio::io::AsyncWriteExt;
    for bytes in [&[0, 0, 0, 1, 9][..], &[0, 16, 0, 0], &[255; 64]] {
        let (mut near, far) = tokio::io::duplex(4 << 10);
        near.write_all(bytes).await.unwrap();
        let refused = link::greet(far, &hello(PROTOCOL, 7)).await.map(drop);
        assert!(matches!(refused, Err(PeerError::Greeting(_) | PeerError::Io(_))), "{refused:?}");
    }
    let (near, far) = tokio::io::duplex(4 << 10);
    drop(near);
    assert!(link::greet(far, &hello(PROTOCOL, 7)).await.is_err());
}

struct Node {
    links: Arc<Links>,
    heard: Receiver<Heard>,
    task: JoinHandle<()>,
}

impl Node {
    fn start(federation: &Federation, number: u8, listener: TcpListener, limits: Limits) -> Node {
        let links = Arc::new(Links::default());
        let (sender, heard) = channel(8);
        let mesh = Mesh::new(federation, number, &key(number), Arc::clone(&links), sender, limits);
        Node { links, heard, task: tokio::spawn(mesh.run(listener)) }
    }

    async fn wait_connected(&self, others: &[u8]) {
        let reached = async {
            while self.links.connected() != others {
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(Duration::from_secs(5), reached).await.expect("the helpers should connect");
    }

    async fn hear(&mut self) -> (u8, Vec<u8>) {
        let heard = timeout(Duration::from_secs(5), self.heard.recv()).await.expect("a frame should arrive");
        heard.map(|heard| (heard.from, heard.frame)).unwrap()
    }
}

fn key(number: u8) -> SecretKey {
    SecretKey::generate(&mut ChaCha20Rng::from_seed([number; 32]))
}

async fn two(limits: Limits) -> (Node, Node, Federation) {
    let listeners =
        [TcpListener::bind("127.0.0.1:0").await.unwrap(), TcpListener::bind("127.0.0.1:0").await.unwrap()];
    let card = |(number, listener): (u8, &TcpListener)| {
        let name = format!("helper {number}");
        let (address, peer_address) =
            (format!("h{number}.example:1"), listener.local_addr().unwrap().to_string());
        Card::new(Member { name, address, peer_address, key: key(number).public() }).unwrap()
    };
    let federation = Federation::of_cards("two", 1, (1..).zip(&listeners).map(card).collect()).unwrap();
    let [one, two] = listeners;
    let nodes =
        (Node::start(&federation, 1, one, limits), Node::start(&federation, 2, two, limits), federation);
    nodes.0.wait_connected(&[2]).await;
    nodes.1.wait_connected(&[1]).await;
    nodes
}

#[tokio::test]
async fn frames_arrive_whole_in_order_and_with_their_senders_number() {
    let (mut one, mut two, _) = two(Limits::default()).await;
    for size in [1, 100, 70_000, MESSAGE_MAX, 3] {
        one.links.send(2, vec![1; size]);
        two.links.send(1, vec![2; size]);
        assert_eq!(two.hear().await, (1, vec![1; size]));
        assert_eq!(one.hear().await, (2, vec![2; size]));
    }
    for number in 0..200_u8 {
        one.links.send(2, vec![number]);
    }
    for number in 0..200_u8 {
        assert_eq!(two.hear().await, (1, vec![number]));
    }
    one.links.send(2, vec![0; MESSAGE_MAX + 1]);
    one.links.send(2, vec![5]);
    assert_eq!(two.hear().await, (1, vec![5]), "a frame over the limit is not sent and harms no other");
}

#[tokio::test]
async fn a_flood_is_bounded_at_the_sender_and_the_connection_survives() {
    let limits =
        Limits { peer_inbound_bytes: MESSAGE_MAX, peer_outbound_bytes: 1 << 20, ..Limits::default() };
    let (one, mut two, _) = two(limits).await;
    for _ in 0..200 {
        one.links.send(2, vec![7; 1 << 19]);
    }
    assert!(one.links.dropped() > 150, "{}", one.links.dropped());
    for _ in one.links.dropped()..200 {
        assert_eq!(two.hear().await.1.len(), 1 << 19);
    }
    one.links.send(2, vec![9]);
    assert_eq!(two.hear().await, (1, vec![9]));
}

#[tokio::test]
async fn heartbeats_hold_an_idle_connection() {
    let ms = Duration::from_millis;
    let limits = Limits { peer_heartbeat: ms(50), peer_silence: ms(400), ..Limits::default() };
    let (one, two, _) = two(limits).await;
    let next = one.links.next_id();
    sleep(ms(1000)).await;
    assert_eq!((one.links.connected(), two.links.connected()), (vec![2], vec![1]));
    assert_eq!(one.links.next_id(), next, "it is the same connection");
}

#[tokio::test]
async fn both_ends_measure_how_far_away_they_are() {
    let (one, two, _) = two(Limits::default()).await;
    let measured = async {
        while one.links.round_trips_us().is_empty() || two.links.round_trips_us().is_empty() {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(5), measured).await.expect("the first heartbeat should be echoed");
    let (there, back) = (one.links.round_trips_us(), two.links.round_trips_us());
    assert_eq!((there.len(), back.len()), (1, 1));
    assert!((1..5_000_000).contains(&there[&2]) && (1..5_000_000).contains(&back[&1]), "{there:?} {back:?}");
}

#[tokio::test]
async fn a_helper_that_falls_silent_is_disconnected() {
    let (ms, s) = (Duration::from_millis, Duration::from_secs);
    let limits =
        Limits { peer_heartbeat: s(60), peer_silence: ms(200), peer_retry: s(60), ..Limits::default() };
    let (one, two, _) = two(limits).await;
    one.wait_connected(&[]).await;
    two.wait_connected(&[]).await;
}

#[tokio::test]
async fn a_helper_that_dies_is_disconnected_at_once() {
    let (one, two, _) = two(Limits::default()).await;
    two.task.abort();
    one.wait_connected(&[]).await;
}
