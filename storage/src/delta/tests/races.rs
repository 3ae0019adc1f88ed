//! Other writers, stores that answer badly.

use super::*;

/// A store whose puts of commits fail `failures` times: before they are done, or after.
#[derive(Debug)]
struct Ambiguous {
    inner: InMemory,
    stores: bool,
    failures: AtomicI64,
}

impl std::fmt::Display for Ambiguous {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Ambiguous")
    }
}

#[async_trait]
impl ObjectStore for Ambiguous {
    async fn put_opts(&self, at: &Path, payload: PutPayload, opts: PutOptions) -> object_store::Result<PutResult> {
        let fails = self.failures.fetch_sub(1, Ordering::SeqCst) > 0;
        if fails && !self.stores {
            return Err(timed_out());
        }
        let done = self.inner.put_opts(at, payload, opts).await?;
        if fails { Err(timed_out()) } else { Ok(done) }
    }

    async fn put_multipart_opts(
        &self,
        at: &Path,
        opts: PutMultipartOptions,
    ) -> object_store::Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(at, opts).await
    }

    async fn get_opts(&self, at: &Path, options: GetOptions) -> object_store::Result<GetResult> {
        self.inner.get_opts(at, options).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, object_store::Result<Path>>,
    ) -> BoxStream<'static, object_store::Result<Path>> {
        self.inner.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, object_store::Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> object_store::Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> object_store::Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}

fn timed_out() -> object_store::Error {
    object_store::Error::Generic { store: "Ambiguous", source: "timed out".into() }
}

/// A table in a store whose next `failures` puts fail.
async fn failing(stores: bool, failures: i64) -> (Fixture, Arc<Ambiguous>, DeltaTable) {
    let store = Arc::new(Ambiguous { inner: InMemory::new(), stores, failures: AtomicI64::new(0) });
    let fixture = Fixture { root: store.clone(), ..Fixture::in_memory() };
    let table = fixture.open().await.unwrap();
    store.failures.store(failures, Ordering::SeqCst);
    (fixture, store, table)
}

#[tokio::test]
async fn a_success_that_was_told_as_a_failure_is_a_success() {
    let (fixture, _, mut table) = failing(true, 1).await;
    assert_eq!(table.commit(&fixture.change(1)).await.unwrap(), 1);
    assert_eq!(table.commit(&fixture.change(2)).await.unwrap(), 2);
    assert_eq!(table.live().len(), 2);
    assert_same(&fixture, &table).await;
}

#[tokio::test]
async fn the_same_change_tried_again_is_committed_once() {
    for stores in [false, true] {
        // One attempt is two puts, of which the second finds the first's commit if that was stored.
        let (fixture, store, mut table) = failing(stores, 2).await;
        let change = fixture.change(1);
        let first = table.commit(&change).await;
        assert_eq!(first.is_ok(), stores, "{first:?}");
        if let Err(e) = first {
            assert_eq!(e.kind(), ErrorKind::Unavailable);
            assert_eq!(table.commit(&change).await.unwrap(), 1);
        }
        assert_eq!((table.version(), table.live().len()), (1, 1));
        assert_same(&fixture, &table).await;
        assert!(store.failures.load(Ordering::SeqCst) <= 0);
    }
}

#[tokio::test]
async fn a_put_that_lands_after_we_gave_up_is_known_as_our_own() {
    let (fixture, store, mut table) = failing(false, 2).await;
    let change = fixture.change(1);
    table.commit(&change).await.unwrap_err();
    // The request was on its way all the time.
    let late = encode(&change.lines(Table::Samples, &table.state, 1, NOW_MS).unwrap()).unwrap();
    store.inner.put(&commit_file(1), late.into()).await.unwrap();
    assert_eq!(table.commit(&change).await.unwrap(), 1);
    assert_eq!(table.live().len(), 1);
}

#[tokio::test]
async fn two_writers_take_turns_and_see_all() {
    let (fixture, other) = (Fixture::in_memory(), Uuid::new_v4());
    let (mut one, mut two) = (fixture.open().await.unwrap(), fixture.open().await.unwrap());
    for n in 0..20 {
        one.commit(&fixture.change(n)).await.unwrap();
        let mut theirs = fixture.change(100 + n);
        theirs.txn = Some(Txn { app_id: other, position: n });
        two.commit(&theirs).await.unwrap();
    }
    assert_eq!(two.version(), 40);
    assert_eq!(one.commit(&fixture.change(20)).await.unwrap(), 41);
    assert_eq!((one.position(fixture.journal), one.position(other)), (Some(20), Some(19)));
    let generations: HashSet<i64> = blocks(&one).iter().map(|block| block.gen_min).collect();
    assert_eq!(generations, (1..=41).collect(), "each block has the version that it really came in with");
    assert_same(&fixture, &one).await;
}

#[tokio::test]
async fn a_copy_of_our_journal_stops_us() {
    let fixture = Fixture::in_memory();
    let (mut one, two) = (fixture.open().await.unwrap(), fixture.open().await.unwrap());
    one.commit(&fixture.change(5)).await.unwrap();
    // Also at a higher position: rows up to 5 would be there twice.
    for position in [3, 5, 8] {
        let mut two = DeltaTable { state: two.state.clone(), ..fixture.open().await.unwrap() };
        let change = fixture.change(position);
        for attempt in 1..=3 {
            let conflict = two.commit(&change).await.unwrap_err();
            assert_eq!(conflict.kind(), ErrorKind::Conflict, "attempt {attempt}: {conflict}");
        }
        assert_eq!(two.position(fixture.journal), Some(5), "the other's commit was taken in");
    }
    let mut two = fixture.open().await.unwrap();
    assert_eq!(two.commit(&fixture.change(4)).await.unwrap_err().kind(), ErrorKind::Conflict);
    two.commit(&fixture.change(6)).await.unwrap();
}

#[tokio::test]
async fn a_file_is_removed_once() {
    let fixture = Fixture::in_memory();
    let mut one = fixture.open().await.unwrap();
    one.commit(&fixture.change(1)).await.unwrap();
    let mut two = fixture.open().await.unwrap();
    let path = blocks(&one)[0].path.clone();
    one.commit(&Change::rewrite(vec![path.clone()], vec![fixture.block(today(), 2)])).await.unwrap();
    let conflict = two.commit(&Change::rewrite(vec![path], vec![fixture.block(today(), 3)])).await.unwrap_err();
    assert_eq!(conflict.kind(), ErrorKind::Conflict);
    assert_eq!(blocks(&two), blocks(&one));
}

#[tokio::test]
async fn a_change_of_schema_by_another_stops_us() {
    let fixture = Fixture::in_memory();
    let mut table = fixture.open().await.unwrap();
    let first = fixture.root.get(&commit_file(0)).await.unwrap().bytes().await.unwrap();
    fixture.root.put(&commit_file(1), first.into()).await.unwrap();
    let change = fixture.change(1);
    for attempt in 1..=3 {
        assert_eq!(table.commit(&change).await.unwrap_err().kind(), ErrorKind::Conflict, "attempt {attempt}");
    }
    assert_eq!(fixture.log_names().await.len(), 2);
}

#[tokio::test]
async fn a_table_that_was_idle_writes_behind_what_others_wrote_and_cleaned_up() {
    let fixture = Fixture::in_memory();
    let (mut busy, mut idle) = (fixture.open().await.unwrap(), fixture.open().await.unwrap());
    for n in 1..=5 {
        busy.commit(&fixture.change(n)).await.unwrap();
    }
    busy.upkeep().checkpoint(5).await.unwrap();
    assert!(busy.upkeep().clean_log(NOW_MS + HOUR_MS, 0).await.unwrap() > 0);
    let other = Txn { app_id: Uuid::new_v4(), position: 1 };
    fixture.clock.advance(2 * HOUR_MS);
    let version = idle.commit(&Change::add(vec![fixture.block(today(), 9)], Some(other))).await.unwrap();
    assert_eq!(version, 6, "version 1 is free in the log, but before the checkpoint");
    assert_eq!(blocks(&idle).len(), 6);
    assert_same(&fixture, &idle).await;
}

#[tokio::test]
async fn files_that_another_node_has_committed_are_no_orphans_after_a_reload() {
    let fixture = Fixture::in_memory();
    let (mut busy, mut idle) = (fixture.open().await.unwrap(), fixture.open().await.unwrap());
    let change = fixture.change(1);
    fixture.upload(&change.adds[0]).await;
    busy.commit(&change).await.unwrap();
    for _ in 0..2 {
        idle.reload().await.unwrap();
        assert!(sweep(&mut idle, &HashSet::new(), HOUR_MS).await.is_empty());
        fixture.clock.advance(2 * HOUR_MS);
    }
    assert!(fixture.exists(&change.adds[0].block.path).await);
}
