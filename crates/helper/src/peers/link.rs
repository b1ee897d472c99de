//! Link: one greeted connection to another helper.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use quorate_wire::limits::MESSAGE_MAX;
use quorate_wire::{decode, encode};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::{interval, timeout};
use tokio_util::codec::{Framed, LengthDelimitedCodec};

use super::links::{Outlet, RoundTrip};
use super::{Hello, PROTOCOL, PeerError};
use crate::Limits;
use crate::driver::Heard;

/// The largest greeting.
const HELLO_MAX: usize = 1 << 10;
/// Bytes of a heartbeat and of its echo, which no other frame has: which of the two, and when it was sent.
const PULSE_BYTES: usize = 9;
const HEARTBEAT: u8 = 1;
const ECHO: u8 = 2;
/// Frames are handed to TLS together up to this many bytes.
const FLUSH_BYTES: usize = 256 << 10;

/// A connection on which both ends have greeted.
pub(super) struct Conversation<S>(Framed<S, LengthDelimitedCodec>);

/// Greets and checks the other end's greeting. Ours is sent before theirs is judged, so that both can say what is
/// wrong.
pub(super) async fn greet<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    ours: &Hello,
) -> Result<Conversation<S>, PeerError> {
    let codec = LengthDelimitedCodec::builder().max_frame_length(HELLO_MAX).new_codec();
    let mut framed = Framed::new(stream, codec);
    framed.send(Bytes::from(encode(ours))).await?;
    let bytes = framed.next().await.ok_or(PeerError::Closed)??;
    let theirs: Hello = decode(&bytes, HELLO_MAX)?;
    let refused = if theirs.protocol != PROTOCOL {
        Some(PeerError::OtherProtocol { theirs: theirs.protocol })
    } else if theirs.federation != ours.federation {
        Some(PeerError::OtherFederation { theirs: theirs.federation, ours: ours.federation })
    } else {
        None
    };
    if let Some(error) = refused {
        // The other end has our greeting; how it takes the end is its affair.
        drop(framed.get_mut().shutdown().await);
        return Err(error);
    }
    framed.codec_mut().set_max_frame_length(MESSAGE_MAX);
    Ok(Conversation(framed))
}

impl<S: AsyncRead + AsyncWrite + Unpin> Conversation<S> {
    /// Moves frames both ways until one side ends. `Ok`: a newer connection has replaced this one.
    pub(super) async fn run(
        self,
        other: u8,
        outlet: Outlet,
        heard: &Sender<Heard>,
        limits: &Limits,
    ) -> Result<(), PeerError> {
        let (sink, stream) = self.0.split();
        let (echo, echoes) = channel(1);
        let pulse = Pulse { started: Instant::now(), round_trip: outlet.round_trip(), echo };
        let started = pulse.started;
        tokio::select! {
            ended = read(stream, other, heard, limits, pulse) => ended,
            ended = write(sink, outlet, limits, echoes, started) => ended,
        }
    }
}

/// What is done with heartbeats and echoes that come.
struct Pulse {
    started: Instant,
    round_trip: Arc<RoundTrip>,
    /// The way to the other direction, for one echo at a time: whoever sends heartbeats faster gets fewer echoes.
    echo: Sender<Bytes>,
}

impl Pulse {
    fn take(&self, frame: &[u8]) {
        match frame.split_first() {
            Some((&HEARTBEAT, sent)) => drop(self.echo.try_send(pulse(ECHO, sent))),
            Some((&ECHO, sent)) => {
                let sent = sent.try_into().map(u64::from_le_bytes).unwrap_or(u64::MAX);
                if let Some(took) = since(self.started).checked_sub(sent) {
                    self.round_trip.measured(took);
                }
            }
            _ => {}
        }
    }
}

fn pulse(kind: u8, sent: &[u8]) -> Bytes {
    [&[kind], sent].concat().into()
}

/// Microseconds since the conversation began.
fn since(started: Instant) -> u64 {
    u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX)
}

async fn read(
    mut frames: impl futures_util::Stream<Item = std::io::Result<bytes::BytesMut>> + Unpin,
    other: u8,
    heard: &Sender<Heard>,
    limits: &Limits,
    pulse: Pulse,
) -> Result<(), PeerError> {
    let room = limits.peer_inbound_bytes.max(MESSAGE_MAX);
    let memory = Arc::new(Semaphore::new(room));
    loop {
        let next = timeout(limits.peer_silence, frames.next()).await;
        let next = next.map_err(|_| PeerError::Slow(limits.peer_silence))?;
        let frame = next.ok_or(PeerError::Closed)??;
        if frame.len() == PULSE_BYTES {
            pulse.take(&frame);
            continue;
        }
        // The codec holds frames to MESSAGE_MAX, so there is always room for one.
        let Some(cost) = u32::try_from(frame.len()).ok().filter(|cost| *cost > 0) else { continue };
        let permit = Arc::clone(&memory).acquire_many_owned(cost).await;
        let memory = permit.map_err(|_| PeerError::Closed)?;
        let frame = Heard { from: other, frame: frame.into(), memory };
        heard.send(frame).await.map_err(|_| PeerError::Closed)?;
    }
}

async fn write(
    mut sink: impl futures_util::Sink<Bytes, Error = std::io::Error> + Unpin,
    mut outlet: Outlet,
    limits: &Limits,
    mut echoes: Receiver<Bytes>,
    started: Instant,
) -> Result<(), PeerError> {
    let mut heartbeat = interval(limits.peer_heartbeat);
    loop {
        let first = tokio::select! {
            frame = outlet.next() => match frame {
                Some(frame) => frame,
                None => return Ok(()),
            },
            _ = heartbeat.tick() => {
                sink.send(pulse(HEARTBEAT, &since(started).to_le_bytes())).await?;
                continue;
            }
            Some(echo) = echoes.recv() => {
                sink.send(echo).await?;
                continue;
            }
        };
        let (mut bytes, mut frame) = (0, Some(first));
        while let Some(next) = frame {
            let length = next.len();
            sink.feed(Bytes::from(next)).await?;
            outlet.written(length);
            bytes += length;
            frame = if bytes < FLUSH_BYTES { outlet.waiting() } else { None };
        }
        sink.flush().await?;
    }
}
