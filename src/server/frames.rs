//! The body of an answer, without frames that hold nothing.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::Body;
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};

/// Passes over empty frames of data: of those an HTTP/2 client bears only so many on one connection, in h2 a hundred, and then
/// ends it with all that is in flight.
pub(super) struct FullFrames(pub(super) Body);

impl hyper::body::Body for FullFrames {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let body = &mut self.get_mut().0;
        loop {
            let frame = ready!(Pin::new(&mut *body).poll_frame(cx));
            let is_empty = matches!(&frame, Some(Ok(frame)) if frame.data_ref().is_some_and(Bytes::is_empty));
            if !is_empty {
                return Poll::Ready(frame);
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}
