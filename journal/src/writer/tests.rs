use std::sync::Arc;

use model::ErrorKind;
use model::files::Disk;
use model::files::faulty::{Fault, Op};

use super::*;
use crate::testing::{EIO, ENOSPC, Log, Rig, Told, config, item, replay};
use crate::{Config, OnDamage};

/// A group that waits at each encode until it is let go, so that a test decides what waits together.
struct Gate {
    log: Log,
    reached: SyncSender<()>,
    go: Receiver<()>,
}

impl Group for Gate {
    type Item = crate::testing::Item;

    fn encode(&mut self, item: &Self::Item, generation: u64, record: &mut RecordBuilder) {
        let _ = self.reached.send(());
        let _ = self.go.recv();
        self.log.encode(item, generation, record);
    }

    fn durable(&mut self, items: Vec<(Position, Self::Item)>) {
        self.log.durable(items);
    }

    fn failed(&mut self, items: Vec<Self::Item>, error: &Error) {
        self.log.failed(items, error);
    }

    fn begun(&mut self, generation: u64, start: Position) {
        self.log.begun(generation, start);
    }
}

fn gate() -> (Gate, Receiver<()>, SyncSender<()>) {
    let ((reached, has_reached), (let_go, go)) = (sync_channel(10_000), sync_channel(10_000));
    (Gate { log: Log::default(), reached, go }, has_reached, let_go)
}

#[tokio::test]
async fn records_come_back_from_the_real_disk() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config::new(folder.path().join("a/journal"));
    let open = || Journal::open(Arc::new(Disk), config.clone(), OnDamage::Stop);
    let log = Log::default();
    let writer = Writer::start(open().unwrap(), log.clone()).unwrap();
    assert!(matches!(open(), Err(Error::Locked { .. })), "the writer holds the lock");
    for n in 0..100_u32 {
        writer.submit(item("tag", &n.to_le_bytes())).unwrap();
    }
    let (generation, start) = writer.barrier().unwrap();
    assert_eq!((generation, start), (1, Position(100)));
    writer.submit(item("", b"last")).unwrap();
    writer.stop().await.unwrap();
    let mut told = log.take();
    assert!(matches!(told.pop(), Some(Told::Durable(items)) if items[0].0 == Position(100)));
    assert_eq!(told.pop(), Some(Told::Begun(1, Position(100))));

    let journal = open().unwrap();
    let came = replay(&journal);
    assert_eq!(came.len(), 101);
    assert!(came[..100].iter().enumerate().all(|(n, record)| {
        (record.0, record.1, &record.2[..], &record.3[..]) == (n as u64, 0, &b"tag"[..], &(n as u32).to_le_bytes()[..])
    }));
    assert_eq!((came[100].1, &came[100].3[..]), (1, &b"last"[..]));
    assert_eq!((journal.next(), journal.generation()), (Position(101), 2));
    assert!(journal.bytes() < 20_000, "what was preallocated is given back: {}", journal.bytes());
    let writer = Writer::start(journal, log).unwrap();
    writer.drop_before(Position(100)).unwrap();
    assert_eq!(writer.stats().segments, 1);
    writer.stop().await.unwrap();
    assert_eq!(replay(&open().unwrap()).len(), 1);
}

#[tokio::test]
async fn what_waits_together_is_synced_once() {
    let rig = Rig::new();
    let (gate, reached, go) = gate();
    let log = gate.log.clone();
    let writer = Writer::start(rig.open().unwrap(), gate).unwrap();
    writer.submit(item("", b"first")).unwrap();
    reached.recv().unwrap();
    for _ in 0..50 {
        writer.submit(item("", b"waits")).unwrap();
    }
    (0..51).for_each(|_| go.send(()).unwrap());
    writer.barrier().unwrap();
    let stats = writer.stats();
    assert_eq!((stats.records, stats.groups, stats.waiting, stats.failed_groups), (51, 2, 0, 0));
    assert_eq!(log.durable_items().len(), 51);
    writer.stop().await.unwrap();
}

/// Longer than any test.
const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn items_with_patience_are_synced_with_the_next_that_has_none() {
    let rig = Rig::new();
    let log = Log::default();
    let writer = Writer::start(rig.open().unwrap(), log.clone()).unwrap();
    for _ in 0..3 {
        writer.submit_patiently(item("", b"waits"), HOUR).unwrap();
    }
    writer.submit(item("", b"does not")).unwrap();
    writer.barrier().unwrap();
    let stats = writer.stats();
    assert_eq!((stats.records, stats.groups, stats.waiting), (4, 1, 0));
    let items: Vec<_> = log.durable_items().into_iter().map(|(_, item)| item).collect();
    assert_eq!(items, [item("", b"waits"), item("", b"waits"), item("", b"waits"), item("", b"does not")]);
    writer.stop().await.unwrap();
}

#[tokio::test]
async fn patience_ends_when_it_is_used_up_when_many_wait_and_with_the_writer() {
    let rig = Rig::new();
    let (gate, reached, go) = gate();
    let log = gate.log.clone();
    (0..PATIENT_ITEMS + 3).for_each(|_| go.send(()).unwrap());
    let writer = Writer::start(rig.open().unwrap(), gate).unwrap();
    writer.submit_patiently(item("", b"soon"), Duration::from_millis(1)).unwrap();
    reached.recv().unwrap();
    for _ in 0..=PATIENT_ITEMS {
        writer.submit_patiently(item("", b"many"), HOUR).unwrap();
    }
    (0..=PATIENT_ITEMS).for_each(|_| reached.recv().unwrap());
    writer.submit_patiently(item("", b"last"), HOUR).unwrap();
    writer.stop().await.unwrap();
    assert_eq!(log.durable_items().len(), PATIENT_ITEMS + 3);
}

#[tokio::test]
async fn an_item_with_nothing_to_append_is_answered_in_its_turn() {
    let rig = Rig::new();
    let (gate, reached, go) = gate();
    let log = gate.log.clone();
    let writer = Writer::start(rig.open().unwrap(), gate).unwrap();
    writer.submit(item("", b"")).unwrap();
    reached.recv().unwrap();
    writer.submit(item("", b"a")).unwrap();
    writer.submit(item("only a tag", b"")).unwrap();
    (0..3).for_each(|_| go.send(()).unwrap());
    writer.stop().await.unwrap();
    let positions: Vec<u64> = log.durable_items().into_iter().map(|(position, _)| position.0).collect();
    assert_eq!(positions, [0, 0, 1]);
    assert_eq!(replay(&rig.open().unwrap()).len(), 1);
}

#[tokio::test]
async fn a_failed_sync_ends_the_generation_and_is_not_tried_again() {
    let rig = Rig::new();
    let log = Log::default();
    let writer = Writer::start(rig.open().unwrap(), log.clone()).unwrap();
    writer.submit(item("", b"before")).unwrap();
    writer.barrier().unwrap();
    writer.submit(item("", b"still good")).unwrap();
    assert_eq!(writer.drop_before(Position(0)).unwrap(), (), "waits for what was submitted");
    log.take();
    *rig.trouble.lock() =
        Some(crate::testing::Trouble { only: Some(Op::Sync), skip: 0, times: 1, fault: Fault::Error(EIO) });
    writer.submit(item("", b"fails")).unwrap();
    writer.drop_before(Position(0)).unwrap();
    writer.submit(item("", b"after")).unwrap();
    writer.stop().await.unwrap();
    let told = log.take();
    let Told::Failed(items, error) = &told[0] else { panic!("{told:?}") };
    assert_eq!(items, &[item("", b"fails")]);
    assert!(error.contains("appending to") && error.contains("os error 5"), "{error}");
    assert_eq!(told[1..], [Told::Begun(2, Position(2)), Told::Durable(vec![(Position(2), item("", b"after"))])]);
    assert_eq!(*log.encoded_for.lock(), [0, 1, 1, 2], "each item is encoded once, for the generation it goes to");
    let payloads: Vec<Vec<u8>> = replay(&rig.open().unwrap()).into_iter().map(|record| record.3).collect();
    assert_eq!(payloads, [&b"before"[..], b"still good", b"after"]);
}

#[tokio::test]
async fn a_full_disk_fails_every_group_and_heals_by_itself() {
    for op in [Op::Write, Op::Allocate, Op::Create] {
        let rig = Rig::new();
        let log = Log::default();
        let writer = Writer::start(rig.open().unwrap(), log.clone()).unwrap();
        writer.submit(item("", b"before")).unwrap();
        writer.drop_before(Position(0)).unwrap();
        rig.fail(op, Fault::Error(ENOSPC));
        // A record longer than what is left needs a new segment.
        for _ in 0..3 {
            writer.submit(item("", &[1; 4090])).unwrap();
            writer.drop_before(Position(0)).unwrap();
        }
        let (_, start) = writer.barrier().unwrap();
        assert_eq!(start, Position(1), "{op:?}: a barrier works on a full disk");
        assert_eq!(writer.stats().failed_groups, 3);
        let told = log.take();
        let failed = told.iter().filter(|told| matches!(told, Told::Failed(_, error) if error.contains("os error 28")));
        assert_eq!(failed.count(), 3, "{op:?}: {told:?}");
        writer.drop_before(Position(1)).unwrap();
        rig.heal();
        writer.submit(item("", b"after")).unwrap();
        writer.stop().await.unwrap();
        assert_eq!(log.durable_items(), [(Position(1), item("", b"after"))]);
        let journal = rig.open().unwrap();
        assert_eq!(replay(&journal).last().map(|record| record.3.clone()), Some(b"after".to_vec()));
        assert_eq!(journal.next(), Position(2));
    }
}

#[tokio::test]
async fn a_journal_at_its_cap_refuses_until_it_is_emptied() {
    let rig = Rig::new();
    let config = Config { max_bytes: 9000, ..config() };
    let journal = Journal::open(Arc::clone(&rig.files), config, OnDamage::Stop).unwrap();
    let writer = Writer::start(journal, Log::default()).unwrap();
    for n in 0.. {
        assert!(n < 10, "the cap holds");
        match writer.submit(item("", &[1; 3000])) {
            Ok(()) => writer.drop_before(Position(0)).unwrap(),
            Err((back, error)) => {
                assert_eq!((error.kind(), back.payload.len()), (ErrorKind::Busy, 3000));
                assert!(model::Error::from(error).retry_after().is_some());
                break;
            }
        }
    }
    writer.submit_reserved(item("", b"carried")).unwrap();
    let (_, start) = writer.barrier().unwrap();
    assert!(writer.submit(item("", b"no")).is_err());
    writer.drop_before(start).unwrap();
    writer.submit(item("", b"yes")).unwrap();
    writer.stop().await.unwrap();
    assert_eq!(replay(&rig.open().unwrap()).len(), 1);
}

#[tokio::test]
async fn a_full_queue_refuses() {
    let rig = Rig::new();
    let (gate, reached, go) = gate();
    let writer = Writer::start(rig.open().unwrap(), gate).unwrap();
    for _ in 0..QUEUE_ITEMS {
        writer.submit(item("", b"x")).unwrap();
    }
    reached.recv().unwrap();
    let (_, error) = writer.submit(item("", b"one too many")).unwrap_err();
    assert!(matches!(error, Error::QueueFull { waiting: QUEUE_ITEMS }), "{error}");
    assert_eq!(error.kind(), ErrorKind::Busy);
    drop(go);
    writer.stop().await.unwrap();
    assert_eq!(replay(&rig.open().unwrap()).len() as u64, QUEUE_ITEMS);
}

#[tokio::test]
async fn a_record_too_large_for_the_format_fails_alone() {
    let rig = Rig::new();
    let log = Log::default();
    let writer = Writer::start(rig.open().unwrap(), log.clone()).unwrap();
    writer.submit(item("", b"before")).unwrap();
    writer.submit(item(&"t".repeat(256), b"tag too long")).unwrap();
    writer.submit(item(&"t".repeat(255), b"after")).unwrap();
    writer.stop().await.unwrap();
    let told = log.take();
    assert!(
        told.iter().any(|told| matches!(told, Told::Failed(items, error) if items.len() == 1 && error.contains("256")))
    );
    assert!(told.contains(&Told::Begun(1, Position(1))), "nothing relies on what it defined");
    assert_eq!(replay(&rig.open().unwrap()).len(), 2);
}

#[tokio::test]
async fn a_panic_of_the_owner_leaves_nobody_waiting() {
    struct Panics;
    impl Group for Panics {
        type Item = u8;
        fn encode(&mut self, _: &u8, _: u64, _: &mut RecordBuilder) {
            panic!("the owner's fault")
        }
        fn durable(&mut self, _: Vec<(Position, u8)>) {}
        fn failed(&mut self, _: Vec<u8>, _: &Error) {}
        fn begun(&mut self, _: u64, _: Position) {}
    }
    let rig = Rig::new();
    let writer = Writer::start(rig.open().unwrap(), Panics).unwrap();
    writer.submit(1).unwrap();
    assert!(matches!(writer.barrier(), Err(Error::Stopped)));
    // The thread may still be unwinding.
    while writer.submit(2).is_ok() {
        std::thread::yield_now();
    }
    assert!(matches!(writer.submit(2), Err((2, Error::Stopped))));
    assert_eq!(writer.stop().await.unwrap_err().kind(), ErrorKind::Unavailable);
    rig.open().unwrap();
}
