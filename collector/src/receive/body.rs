//! Reads the body of a request, bounded in bytes, time and the room that all requests share.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_LENGTH, EXPECT};
use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use model::{Error, ErrorKind, duration};
use tokio::time::{Instant, timeout, timeout_at};

use super::budget::{Budget, Share};

/// Of a body that nobody wants so much is read, for so long.
const DISCARDED_BYTES: usize = 1 << 20;
const DISCARDED_WITHIN: Duration = Duration::from_secs(1);
/// Likewise of one that announces that it is too large. More, because who does not learn that sends it again and again, whole.
const DISCARDED_TOO_LARGE_BYTES: usize = 128 << 20;
/// Room that is taken for a body before its size is known.
const FIRST_BYTES: usize = 64 << 10;

/// The most bytes that a body may have, and the setting that says so, for messages.
#[derive(Debug)]
pub(super) struct MaxBody {
    pub(super) bytes: usize,
    pub(super) setting: String,
}

impl MaxBody {
    fn exceeded(&self, by: &str) -> Error {
        let MaxBody { bytes, setting } = self;
        let text = format!("the body has {by}, the limit is {bytes} bytes ({setting}): send it in parts");
        Error::new(ErrorKind::TooLarge, text)
    }
}

/// Lets a request of a cluster in. The body of one for which there is no room is read and forgotten: a connection that is closed
/// with bytes unread may be reset before the sender has read why.
///
/// # Errors
/// `Busy` if there is no room.
pub(super) async fn enter(
    budget: &Budget,
    cluster: Option<&Arc<str>>,
    body: Body,
) -> Result<(Share, BodyDataStream), Error> {
    let mut stream = body.into_data_stream();
    match budget.enter(cluster) {
        Ok(share) => Ok((share, stream)),
        Err(error) => {
            discard(&mut stream, DISCARDED_BYTES).await;
            Err(error)
        }
    }
}

/// Reads what is left of a body, without keeping it, up to so many bytes.
async fn discard(stream: &mut BodyDataStream, most_bytes: usize) {
    let reading = async {
        let mut read = 0;
        while let Some(Ok(chunk)) = stream.next().await {
            read += chunk.len();
            if read > most_bytes {
                break;
            }
        }
    };
    // One that takes longer is closed with bytes unread; it was refused anyway.
    let _ = timeout(DISCARDED_WITHIN, reading).await;
}

/// Reads a body within `patience`. One that announces more than it may have is read and forgotten, unless that would take too
/// long, or its sender waits to be asked for it; one without end is refused where it goes beyond its limit.
///
/// # Errors
/// `TooLarge`, `Timeout`, `Busy` if the shared room is used up, `Invalid` if the sender breaks off.
pub(super) async fn read(
    mut stream: BodyDataStream,
    headers: &HeaderMap,
    max: &MaxBody,
    patience: Duration,
    share: &mut Share,
) -> Result<Bytes, Error> {
    let section = share.section();
    let announced = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    let announced = announced.map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX));
    if let Some(bytes) = announced.filter(|bytes| *bytes > max.bytes) {
        if bytes <= DISCARDED_TOO_LARGE_BYTES && !headers.contains_key(EXPECT) {
            discard(&mut stream, DISCARDED_TOO_LARGE_BYTES).await;
        }
        return Err(max.exceeded(&format!("{bytes} bytes")));
    }
    // The sender's word is good for room in the books, not for memory: that is allocated as bytes come.
    if let Err(error) = share.grow_to(announced.unwrap_or(FIRST_BYTES)) {
        discard(&mut stream, DISCARDED_BYTES).await;
        return Err(error);
    }
    let deadline = Instant::now() + patience;
    let mut read = BytesMut::with_capacity(announced.unwrap_or(0).min(FIRST_BYTES));
    while let Some(chunk) = next(&mut stream, deadline, patience, section).await? {
        if read.len() + chunk.len() > max.bytes {
            return Err(max.exceeded("more bytes than it may"));
        }
        share.grow_to(read.len() + chunk.len())?;
        read.extend_from_slice(&chunk);
    }
    Ok(read.freeze())
}

async fn next(
    stream: &mut BodyDataStream,
    deadline: Instant,
    patience: Duration,
    section: &str,
) -> Result<Option<Bytes>, Error> {
    let late = |_| {
        let text = format!("the body was not whole within {}, see {section}.body_timeout", duration::format(patience));
        Error::new(ErrorKind::Timeout, text)
    };
    let chunk = timeout_at(deadline, stream.next()).await.map_err(late)?;
    chunk.transpose().map_err(broken_off)
}

/// The server has a deadline of its own and says so; anything else is the sender's doing.
fn broken_off(error: axum::Error) -> Error {
    let kind = Error::find(&error).map_or(ErrorKind::Invalid, Error::kind);
    Error::new(kind, "the body broke off").with_source(error)
}

#[cfg(test)]
mod tests;
