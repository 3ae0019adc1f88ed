use super::*;

#[tokio::test]
async fn a_place_is_taken_until_its_query_really_ends() {
    let places = Arc::new(Places::new(1, 1));
    let wait = Duration::from_millis(30);
    let ticket = places.take(wait, Instant::now()).await.unwrap();
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
    let refused = places.take(wait, Instant::now()).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Busy);
    assert!(refused.retry_after_hint().is_some());
    assert_eq!((places.running(), places.refused()), (1, 1));
    drop(go);
    let _ = stubborn.await;
    assert!(places.take(Duration::from_secs(10), Instant::now()).await.is_ok());
}

#[tokio::test]
async fn a_query_past_its_deadline_is_stuck() {
    let places = Arc::new(Places::new(2, 1));
    let long_ago = Instant::now().checked_sub(Duration::from_secs(60)).unwrap();
    let late = places.take(Duration::ZERO, long_ago).await.unwrap();
    let _in_time = places.take(Duration::ZERO, Instant::now() + Duration::from_secs(60)).await.unwrap();
    assert_eq!(places.stuck(), 1);
    drop(late);
    assert_eq!(places.stuck(), 0);
}
