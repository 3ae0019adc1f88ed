//! A request body that must be complete within a time, however steadily it trickles.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use model::{Error, ErrorKind, duration};
use tokio::time::Sleep;

/// The time that bodies have. Cloning shares it, so that a reload can change it while the server runs.
#[derive(Debug, Clone)]
pub struct BodyTimeout(Arc<AtomicU64>);

impl BodyTimeout {
    /// Bodies have this long.
    pub fn new(timeout: Duration) -> Self {
        let shared = BodyTimeout(Arc::default());
        shared.set(timeout);
        shared
    }

    /// Bodies that begin from now on have this long.
    pub fn set(&self, timeout: Duration) {
        self.0.store(u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// How long a body has.
    pub fn get(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::Relaxed))
    }
}

/// A body with a deadline for its last byte.
pub(super) struct DeadlineBody {
    body: Incoming,
    timeout: Duration,
    /// Begins with the first byte that is not there yet.
    deadline: Option<Pin<Box<Sleep>>>,
}

impl DeadlineBody {
    /// The body must be complete within `timeout` from its first reading.
    pub(super) fn new(body: Incoming, timeout: Duration) -> Self {
        DeadlineBody { body, timeout, deadline: None }
    }
}

impl Body for DeadlineBody {
    type Data = Bytes;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let this = self.get_mut();
        if let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(cx) {
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let timeout = this.timeout;
        let deadline = this.deadline.get_or_insert_with(|| Box::pin(tokio::time::sleep(timeout)));
        match deadline.as_mut().poll(cx) {
            Poll::Ready(()) => {
                // Sending it again may go better: that must not look like a body that is wrong.
                let message = format!("the body was not complete after {}", duration::format(timeout));
                Poll::Ready(Some(Err(Error::new(ErrorKind::Timeout, message).into())))
            }
            Poll::Pending => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
