//! Measures appends on the real disk beside plain write and fdatasync: `throughput DIR [group KiB] [total MiB]`.

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::time::Instant;

use journal::{Config, Error, Group, Journal, OnDamage, Position, RecordBuilder, Writer};
use model::files::Disk;

/// Answers each item on a channel, so that one group waits for the other.
struct Answer(Sender<usize>);

impl Group for Answer {
    type Item = Arc<Vec<u8>>;

    fn encode(&mut self, item: &Self::Item, _: u64, record: &mut RecordBuilder) {
        record.payload.extend_from_slice(item);
    }

    fn durable(&mut self, items: Vec<(Position, Self::Item)>) {
        let _ = self.0.send(items.len());
    }

    fn failed(&mut self, _: Vec<Self::Item>, error: &Error) {
        println!("failed: {error}");
        let _ = self.0.send(0);
    }

    fn begun(&mut self, _: u64, _: Position) {}
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let dir = PathBuf::from(args.next().ok_or("which directory?")?);
    let group = args.next().map_or(Ok(256), |text| text.parse::<usize>())? << 10;
    let total = args.next().map_or(Ok(1024), |text| text.parse::<usize>())? << 20;
    let bytes: Vec<u8> = (0..group).map(|at| (at * 31 % 251) as u8).collect();
    std::fs::create_dir_all(&dir)?;
    for _ in 0..3 {
        plain(&dir.join("plain"), &bytes, total / group)?;
        append(&dir.join("journal"), bytes.clone(), total / group)?;
    }
    Ok(())
}

fn report(what: &str, bytes: usize, began: Instant) {
    let seconds = began.elapsed().as_secs_f64();
    println!("{what}: {:.0} MB/s", bytes as f64 / 1e6 / seconds);
}

/// Files of 64 MiB, preallocated by length, written group by group.
fn plain(path: &Path, bytes: &[u8], groups: usize) -> std::io::Result<()> {
    let began = Instant::now();
    let (mut file, mut at) = (None, 0);
    for _ in 0..groups {
        if file.is_none() || at + bytes.len() > 64 << 20 {
            let new = OpenOptions::new().write(true).create(true).truncate(true).open(path)?;
            new.set_len(64 << 20)?;
            (file, at) = (Some(new), 0);
        }
        if let Some(file) = &file {
            file.write_all_at(bytes, at as u64)?;
            file.sync_data()?;
        }
        at += bytes.len();
    }
    report("plain write and fdatasync", bytes.len() * groups, began);
    std::fs::remove_file(path)
}

fn append(dir: &Path, bytes: Vec<u8>, groups: usize) -> Result<(), Box<dyn std::error::Error>> {
    let journal = Journal::open(Arc::new(Disk), Config::new(dir), OnDamage::Stop)?;
    let start = journal.next();
    let (answer, answers) = channel();
    let writer = Writer::start(journal, Answer(answer))?;
    let (item, began) = (Arc::new(bytes), Instant::now());
    for _ in 0..groups {
        writer.submit(Arc::clone(&item)).map_err(|(_, error)| error)?;
        answers.recv()?;
    }
    report("journal, a group an item", item.len() * groups, began);
    writer.barrier()?;
    drop(writer);
    while answers.recv().is_ok() {}
    let began = Instant::now();
    let mut seen = 0;
    let journal = Journal::open(Arc::new(Disk), Config::new(dir), OnDamage::Stop)?;
    report("open", item.len() * groups, began);
    let began = Instant::now();
    journal.replay(start, &mut |record| {
        seen += record.payload.len();
        Ok(())
    })?;
    report("replay", seen, began);
    Ok(std::fs::remove_dir_all(dir)?)
}
