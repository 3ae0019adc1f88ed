//! A connection that must say what it speaks within a time.
//!
//! HTTP/1 and HTTP/2 are told apart by the first bytes, and only then do the timers of either begin: who connects and says
//! nothing would hold his place among all connections for ever.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

/// The bytes with which a client opens HTTP/2. So many tell it from HTTP/1.
const PREFACE_BYTES: usize = 24;

/// A stream whose first bytes have a deadline.
pub(super) struct Opening<S> {
    stream: S,
    /// Runs until it is clear what is spoken.
    deadline: Option<Pin<Box<Sleep>>>,
    read: usize,
}

impl<S> Opening<S> {
    /// The other side has so long to say what it speaks.
    pub(super) fn within(stream: S, timeout: Duration) -> Self {
        Opening { stream, deadline: Some(Box::pin(tokio::time::sleep(timeout))), read: 0 }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Opening<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        if Pin::new(&mut self.stream).poll_read(cx, buf)?.is_pending() {
            if let Some(deadline) = &mut self.deadline {
                ready!(deadline.as_mut().poll(cx));
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "nothing was asked")));
            }
            return Poll::Pending;
        }
        self.read = self.read.saturating_add(buf.filled().len() - before);
        if self.read >= PREFACE_BYTES {
            self.deadline = None;
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Opening<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        // An answer to a short request: it was understood.
        self.deadline = None;
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.deadline = None;
        Pin::new(&mut self.stream).poll_write_vectored(cx, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
