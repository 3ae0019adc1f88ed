use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};

use super::*;

#[tokio::test]
async fn a_place_is_taken_until_its_query_really_ends() {
    let places = Arc::new(Places::new(1, 1));
    let wait = Duration::from_millis(30);
    let ticket = places.take(&Client::Unnamed, wait, Instant::now()).await.unwrap();
    let (go, gone) = std::sync::mpsc::channel::<()>();
    let (begun, begins) = tokio::sync::oneshot::channel();
    // It never yields, as a kernel would not.
    let stubborn = ticket.handle().spawn(async move {
        let _ = begun.send(());
        gone.recv().is_err()
    });
    begins.await.unwrap();
    drop(ticket);
    stubborn.abort();
    let refused = places.take(&Client::Unnamed, wait, Instant::now()).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Busy);
    assert!(refused.retry_after_hint().is_some());
    assert_eq!((places.running(), places.refused()), (1, 1));
    drop(go);
    let _ = stubborn.await;
    assert!(places.take(&Client::Unnamed, Duration::from_secs(10), Instant::now()).await.is_ok());
}

#[tokio::test]
async fn a_query_past_its_deadline_is_stuck() {
    let places = Arc::new(Places::new(2, 1));
    let long_ago = Instant::now().checked_sub(Duration::from_secs(60)).unwrap();
    let late = places.take(&Client::Unnamed, Duration::ZERO, long_ago).await.unwrap();
    let _in_time =
        places.take(&Client::Unnamed, Duration::ZERO, Instant::now() + Duration::from_secs(60)).await.unwrap();
    assert_eq!(places.stuck(), 1);
    drop(late);
    assert_eq!(places.stuck(), 0);
}

/// Begins to wait for a place.
async fn begin<'a>(places: &'a Arc<Places>, name: &'static str) -> BoxFuture<'a, (&'static str, Ticket)> {
    let mut waiting = async move {
        let far = Duration::from_secs(60);
        let ticket = places.take(&Client::Token(name.into()), far, Instant::now() + far).await;
        (name, ticket.unwrap())
    }
    .boxed();
    assert!(futures::poll!(&mut waiting).is_pending());
    waiting
}

#[tokio::test]
async fn clients_take_turns() {
    let places = Arc::new(Places::new(2, 1));
    let end = Instant::now() + Duration::from_secs(60);
    let mut running = vec![begin_at_once(&places).await, begin_at_once(&places).await];
    let mut waiting = FuturesUnordered::new();
    for name in ["hog", "hog", "hog", "hog", "modest", "other", "other"] {
        waiting.push(begin(&places, name).await);
    }
    let late = places.take(&Client::Unnamed, Duration::ZERO, end).await.unwrap_err();
    assert_eq!((late.kind(), places.waiting()), (ErrorKind::Busy, 7));
    let mut order = Vec::new();
    for _ in 0..7 {
        running.remove(0);
        let (name, ticket) = waiting.next().await.unwrap();
        order.push(name);
        running.push(ticket);
        assert_eq!(places.running(), 2);
    }
    assert_eq!(order, ["hog", "modest", "other", "hog", "other", "hog", "hog"]);
    assert_eq!((places.waiting(), places.refused()), (0, 1));
}

#[tokio::test]
async fn who_waits_no_longer_has_no_turn() {
    let places = Arc::new(Places::new(1, 1));
    let running = begin_at_once(&places).await;
    let (gone, stays) = (begin(&places, "gone").await, begin(&places, "stays").await);
    drop(gone);
    assert_eq!(places.waiting(), 1);
    drop(running);
    assert_eq!(stays.await.0, "stays");
    // A place that is given to one that goes in that moment is free again.
    let running = begin_at_once(&places).await;
    let gone = begin(&places, "gone").await;
    drop(running);
    places.hand_out();
    assert_eq!((places.waiting(), places.running()), (0, 1));
    drop(gone);
    assert_eq!(places.running(), 0);
}

async fn begin_at_once(places: &Arc<Places>) -> Ticket {
    let end = Instant::now() + Duration::from_secs(60);
    places.take(&Client::Unnamed, Duration::ZERO, end).await.unwrap()
}
