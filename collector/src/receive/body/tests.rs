use futures::stream;

use super::*;
use crate::receive::budget::Budget;

/// What comes of a body that begins and then fails like this.
async fn broken_by(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ErrorKind {
    let chunks = [Ok(Bytes::from_static(b"abc")), Err(error.into())];
    let mut share = Budget::new("remote_write", 1, 1 << 20).enter(None).unwrap();
    let body = Body::from_stream(stream::iter(chunks));
    let patience = Duration::from_secs(60);
    read(body, &HeaderMap::new(), 1000, patience, &mut share).await.unwrap_err().kind()
}

#[tokio::test]
async fn a_deadline_of_the_server_is_no_fault_of_the_body() {
    assert_eq!(broken_by(Error::new(ErrorKind::Timeout, "not complete")).await, ErrorKind::Timeout);
    assert_eq!(broken_by("connection reset").await, ErrorKind::Invalid);
}
