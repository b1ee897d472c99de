//! Frames: what goes over a connection, each after its length in four little-endian bytes.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use quorate_hash::Digest;
use quorate_masking::message::{FromClient, FromServer};
use quorate_wire::limits::MESSAGE_MAX;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// Messages up to this size are read without waiting for others.
const SMALL_MAX: usize = 64 << 10;

/// What a server sends.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum ServerFrame {
    /// A round begins, and the client is in it.
    Invitation {
        /// The round's document.
        #[serde(with = "serde_bytes")]
        document: Vec<u8>,
        /// What clients compute their vectors from; its hash is in the document.
        #[serde(with = "serde_bytes")]
        model: Vec<u8>,
    },
    /// A stage is over.
    Told(FromServer),
    /// The client is out of the round.
    Refused(String),
    /// The round is over: how many vectors are in the sum, and whether the client's is.
    Ended { survivors: u32, is_counted: bool },
    /// The round ended without a sum.
    Aborted(String),
}

/// What a client sends.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ClientFrame {
    /// Of which round.
    pub(crate) round: Digest,
    /// The message.
    pub(crate) message: FromClient,
}

/// A frame's bytes, and the room that it takes of large ones.
pub(crate) type Read = (Vec<u8>, Option<OwnedSemaphorePermit>);

/// Reads the next frame, or `None` at the end of the connection. A large one waits for a place in `room` before more than its
/// length is read.
pub(crate) async fn read(
    stream: &mut (impl AsyncRead + Unpin),
    room: Option<&Arc<Semaphore>>,
    transfer: Duration,
) -> io::Result<Option<Read>> {
    let mut length = [0; 4];
    // Between rounds a connection is silent for as long as the server likes.
    match stream.read_exact(&mut length).await {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let length = u32::from_le_bytes(length) as usize;
    if length > MESSAGE_MAX {
        let message = format!("a message of {length} bytes is over the limit of {MESSAGE_MAX}");
        return Err(io::Error::new(io::ErrorKind::InvalidData, message));
    }
    let permit = match room {
        Some(room) if length > SMALL_MAX => {
            Some(Arc::clone(room).acquire_owned().await.map_err(io::Error::other)?)
        }
        _ => None,
    };
    let mut bytes = vec![0; length];
    timeout(transfer, stream.read_exact(&mut bytes)).await.map_err(|_| slow())??;
    Ok(Some((bytes, permit)))
}

/// Writes a frame.
pub(crate) async fn write(
    stream: &mut (impl AsyncWrite + Unpin),
    bytes: &[u8],
    transfer: Duration,
) -> io::Result<()> {
    let length = u32::try_from(bytes.len()).ok().filter(|length| *length as usize <= MESSAGE_MAX);
    let length = length
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the message is too long to send"))?;
    let write = async {
        stream.write_all(&length.to_le_bytes()).await?;
        stream.write_all(bytes).await?;
        stream.flush().await
    };
    timeout(transfer, write).await.map_err(|_| slow())?
}

fn slow() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "the other end is too slow")
}
