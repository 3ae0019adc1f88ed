use std::sync::atomic::{AtomicUsize, Ordering};

use futures::stream;

use super::*;
use crate::receive::budget::Budget;

/// What comes of a body that begins and then fails like this.
async fn broken_by(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ErrorKind {
    let chunks = [Ok(Bytes::from_static(b"abc")), Err(error.into())];
    let budget = Budget::new("remote_write", 1, 1 << 20);
    let (mut share, body) = enter(&budget, None, Body::from_stream(stream::iter(chunks))).await.unwrap();
    let patience = Duration::from_secs(60);
    let max = MaxBody { bytes: 1000, setting: "remote_write.body_size_limit".to_owned() };
    read(body, &HeaderMap::new(), &max, patience, &mut share).await.unwrap_err().kind()
}

#[tokio::test]
async fn a_deadline_of_the_server_is_no_fault_of_the_body() {
    assert_eq!(broken_by(Error::new(ErrorKind::Timeout, "not complete")).await, ErrorKind::Timeout);
    assert_eq!(broken_by("connection reset").await, ErrorKind::Invalid);
}

/// A body of so many chunks of a kilobyte, and how many of them were read.
fn counted(chunks: usize) -> (Body, Arc<AtomicUsize>) {
    let read = Arc::new(AtomicUsize::new(0));
    let counter = read.clone();
    let chunks = stream::iter(0..chunks).map(move |_| {
        counter.fetch_add(1, Ordering::Relaxed);
        Ok::<_, std::io::Error>(Bytes::from_static(&[0; 1 << 10]))
    });
    (Body::from_stream(chunks), read)
}

#[tokio::test]
async fn a_body_without_room_is_read_to_its_end_unless_that_is_far() {
    let budget = Budget::new("remote_write", 1, 8 << 10);
    let (mut share, _) = enter(&budget, None, Body::empty()).await.unwrap();
    for (chunks, expected) in [(300, 300), (5000, 1025)] {
        let (body, read) = counted(chunks);
        assert_eq!(enter(&budget, None, body).await.unwrap_err().kind(), ErrorKind::Busy);
        assert_eq!(read.load(Ordering::Relaxed), expected);
    }
    // So is one that was let in and then finds no room for its bytes.
    let (body, read) = counted(20);
    let headers = HeaderMap::from_iter([(CONTENT_LENGTH, (20 << 10).into())]);
    let max = MaxBody { bytes: 1 << 20, setting: String::new() };
    let error = super::read(body.into_data_stream(), &headers, &max, Duration::from_secs(60), &mut share).await;
    assert_eq!((error.unwrap_err().kind(), read.load(Ordering::Relaxed)), (ErrorKind::Busy, 20));
}

#[tokio::test]
async fn a_body_that_says_that_it_is_too_large_is_read_unless_it_is_far_too_large_or_waits() {
    let announced = |bytes: usize| HeaderMap::from_iter([(CONTENT_LENGTH, bytes.into())]);
    let mut waiting = announced(20 << 10);
    waiting.insert(EXPECT, "100-continue".parse().unwrap());
    let cases =
        [(HeaderMap::new(), 4), (announced(20 << 10), 20), (announced(DISCARDED_TOO_LARGE_BYTES + 1), 0), (waiting, 0)];
    for (headers, expected) in cases {
        let (body, read) = counted(20);
        let budget = Budget::new("remote_write", 1, 1 << 20);
        let (mut share, stream) = enter(&budget, None, body).await.unwrap();
        let max = MaxBody { bytes: 3 << 10, setting: String::new() };
        let error = super::read(stream, &headers, &max, Duration::from_secs(60), &mut share).await;
        assert_eq!((error.unwrap_err().kind(), read.load(Ordering::Relaxed)), (ErrorKind::TooLarge, expected));
    }
}
