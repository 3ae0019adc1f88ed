//! Checkpoints, damage, retention.

use super::*;

/// Commits `range`, each a block that takes the position on; every fifth takes one out again.
async fn commit_many(fixture: &Fixture, table: &mut DeltaTable, range: std::ops::RangeInclusive<i64>) {
    for n in range {
        let mut change = fixture.change(n);
        if n % 5 == 0 {
            change.removes.push(blocks(table)[0].path.clone());
        }
        table.commit(&change).await.unwrap();
    }
}

#[tokio::test]
async fn a_checkpoint_keeps_tags_positions_and_tombstones() {
    let fixture = Fixture::in_memory();
    let now_ms = model::Clock::now_ms(&model::SystemClock);
    // The library drops tombstones older than a day by the machine's clock.
    fixture.clock.set(now_ms);
    let mut table = fixture.open().await.unwrap();
    commit_many(&fixture, &mut table, 1..=25).await;
    table.upkeep().checkpoint(20).await.unwrap();
    assert_same(&fixture, &table).await;

    fixture.clock.set(now_ms + HOUR_MS);
    assert_eq!(table.upkeep().clean_log(now_ms + HOUR_MS, 2 * HOUR_MS).await.unwrap(), 0, "too young to go");
    assert_eq!(table.upkeep().clean_log(now_ms + HOUR_MS, HOUR_MS).await.unwrap(), 20);
    assert!(fixture.root.head(&commit_file(19)).await.is_err());
    assert_same(&fixture, &table).await;

    // Neither a hint that is gone or damaged nor a broken newer checkpoint keeps the table from opening.
    let hint = file(LOG).join("_last_checkpoint");
    fixture.root.put(&hint, "{".into()).await.unwrap();
    assert_same(&fixture, &table).await;
    fixture.root.delete(&hint).await.unwrap();
    fixture.root.put(&file(&format!("{LOG}/{:020}.checkpoint.parquet", 25)), "PAR1".into()).await.unwrap();
    assert_same(&fixture, &table).await;

    commit_many(&fixture, &mut table, 26..=30).await;
    assert_same(&fixture, &table).await;
    fixture.root.delete(&file(&format!("{LOG}/{:020}.checkpoint.parquet", 20))).await.unwrap();
    let gap = fixture.open().await.unwrap_err();
    assert_eq!(gap.kind(), ErrorKind::Corrupt, "a log without its beginning is never taken for an empty one");
}

#[tokio::test]
async fn the_library_agrees_on_what_is_live() {
    let fixture = Fixture::in_memory();
    let mut table = fixture.open().await.unwrap();
    commit_many(&fixture, &mut table, 1..=12).await;
    let mut theirs = deltalake_core::DeltaTable::new(log_store(fixture.root.clone(), Table::Samples).unwrap());
    theirs.load().await.unwrap();
    let mut paths: Vec<String> =
        theirs.snapshot().unwrap().log_data().iter().map(|file| file.path().to_string()).collect();
    paths.sort();
    let mut ours: Vec<String> = blocks(&table).into_iter().map(|block| block.path).collect();
    ours.sort();
    assert_eq!(paths, ours);
}

#[tokio::test]
async fn a_torn_last_commit_is_mended_on_a_local_folder_only() {
    for torn in ["", "{\"commitInfo\":{}}\n{\"add\":{\"path\":\"date=2026", "\0\0\0\0"] {
        let disk = SimDisk::new();
        let store = DurableLocal::open(Arc::new(disk.clone()), "/data").unwrap();
        let fixture = Fixture::on(store, "file:///data");
        let mut table = fixture.open().await.unwrap();
        table.commit(&fixture.change(1)).await.unwrap();
        fixture.root.put(&commit_file(2), torn.into()).await.unwrap();
        let elsewhere = Url::parse("s3://bucket/").unwrap();
        let refused = DeltaTable::open(fixture.root.clone(), &elsewhere, Table::Samples, fixture.clock.clone())
            .await
            .unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Corrupt);

        let mut table = fixture.open().await.unwrap();
        assert_eq!(table.version(), 1);
        assert_eq!(table.commit(&fixture.change(2)).await.unwrap(), 2);
        disk.power_cut(|| Fate::Lost);
        assert_same(&fixture, &table).await;

        // Damage that is not the last commit is nothing a power cut did to us.
        fixture.root.put(&commit_file(1), torn.into()).await.unwrap();
        assert_eq!(fixture.open().await.unwrap_err().kind(), ErrorKind::Corrupt);
    }
}

#[tokio::test]
async fn a_table_whose_making_was_torn_is_made_again() {
    let fixture = Fixture::on(InMemory::new(), "file:///data");
    fixture.root.put(&commit_file(0), "".into()).await.unwrap();
    assert_eq!(fixture.open().await.unwrap().version(), 0);
}

#[tokio::test]
async fn expired_days_go_at_once_and_their_files_after_the_grace() {
    let fixture = Fixture::in_memory();
    let mut table = fixture.open().await.unwrap();
    let days: Vec<NewBlock> = (0..4).map(|ago| fixture.block(Date(today().0 - ago), 1)).collect();
    for block in &days {
        fixture.upload(block).await;
    }
    table.commit(&Change::add(days.clone(), None)).await.unwrap();
    assert!(table.expire(Date(today().0 - 9)).await.unwrap().is_empty());
    assert_eq!(table.version(), 1, "nothing to remove is no commit");

    fixture.clock.advance(DAY_MS);
    let removed = table.expire(Date(today().0 - 1)).await.unwrap();
    assert_eq!(table.version(), 2, "all in one commit");
    assert!(removed.iter().all(|r| r.deleted_at_ms == NOW_MS + DAY_MS));
    assert_eq!(
        removed.iter().map(|r| &r.path).collect::<HashSet<_>>(),
        days[2..].iter().map(|b| &b.block.path).collect()
    );

    let none = HashSet::new();
    assert!(sweep(&mut table, &none, HOUR_MS).await.is_empty(), "queries of the version before still read them");
    // The grace counts from the commit, also for a process that was not there.
    let mut table = fixture.open().await.unwrap();
    fixture.clock.advance(HOUR_MS);
    assert_eq!(sweep(&mut table, &none, HOUR_MS).await.len(), 2);
    assert!(fixture.exists(&days[1].block.path).await && !fixture.exists(&days[2].block.path).await);
    assert!(sweep(&mut table, &none, HOUR_MS).await.is_empty());
    assert!(table.state.tombstones.is_empty());
}

#[tokio::test]
async fn an_orphan_goes_but_never_an_upload_on_its_way() {
    let fixture = Fixture::in_memory();
    let mut table = fixture.open().await.unwrap();
    let [orphan, uploading, young] = [1, 2, 3].map(|n| fixture.block(today(), n));
    fixture.upload(&orphan).await;
    fixture.upload(&uploading).await;
    let in_progress = HashSet::from([uploading.block.path.clone()]);
    assert!(sweep(&mut table, &in_progress, HOUR_MS).await.is_empty());
    fixture.clock.advance(HOUR_MS);
    fixture.upload(&young).await;
    assert_eq!(sweep(&mut table, &in_progress, HOUR_MS).await, std::slice::from_ref(&orphan.block.path));
    assert!(!fixture.exists(&orphan.block.path).await);
    table.commit(&Change::add(vec![uploading.clone(), young.clone()], None)).await.unwrap();
    fixture.clock.advance(HOUR_MS);
    assert!(sweep(&mut table, &HashSet::new(), HOUR_MS).await.is_empty());
    assert!(fixture.exists(&uploading.block.path).await && fixture.exists(&young.block.path).await);
    assert!(!fixture.log_names().await.is_empty(), "the log is no orphan");
}

#[tokio::test]
async fn a_commit_that_returned_survives_a_power_cut() {
    let disk = SimDisk::new();
    let fixture = Fixture::on(DurableLocal::open(Arc::new(disk.clone()), "/data").unwrap(), "file:///data");
    let mut table = fixture.open().await.unwrap();
    for n in 1..=10 {
        table.commit(&fixture.change(n)).await.unwrap();
        disk.power_cut(|| Fate::Lost);
        assert_same(&fixture, &table).await;
    }
}
