//! A journal that is damaged in its middle: the server stops and says where, and goes on without the damaged part if told so.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use tempfile::tempdir;

use crate::remote_write::write;
use crate::server::{Server, Setup};

const YAML: &str = "storage: {retention: 36500d}\nlog: {format: json}\n";
/// 2026-01-01T00:00:00Z: with times that are fixed, so is the place of every record.
const BEGIN_MS: i64 = 1_767_225_600_000;
const REQUESTS: i64 = 40;
const ROWS_OF_A_REQUEST: i64 = 200;

/// A sample of `kept`: cluster, time, value.
type Row = (String, i64, f64);

/// The rows of one request: of one series, with values that hardly compress, so that most of a record is its payload.
fn request(n: i64) -> Vec<Row> {
    let cluster = if n % 3 == 0 { "berlin" } else { "dublin" };
    let numbers = n * ROWS_OF_A_REQUEST..(n + 1) * ROWS_OF_A_REQUEST;
    numbers.map(|at| (cluster.to_owned(), BEGIN_MS + at * 1000, (at as f64).sqrt())).collect()
}

async fn rows(server: &Server) -> Vec<Row> {
    let found =
        server.rows("SELECT cluster, time_ms, coalesce(value, mantissa / power(10e0, scale)) FROM samples").await;
    let mut found: Vec<Row> =
        found.into_iter().map(|r| (r[0].clone(), r[1].parse().unwrap(), r[2].parse().unwrap())).collect();
    found.sort_by_key(|(_, time_ms, _)| *time_ms);
    found
}

/// The newest segment of a journal.
fn newest_segment(journal: &Path) -> PathBuf {
    let files = std::fs::read_dir(journal).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|e| e == "journal")).max().unwrap()
}

/// Flips eight bytes of a file; a second time flips them back.
fn flip(segment: &Path, at: usize) {
    let mut bytes = std::fs::read(segment).unwrap();
    bytes[at..at + 8].iter_mut().for_each(|byte| *byte = !*byte);
    std::fs::write(segment, bytes).unwrap();
}

/// The middle of what a segment holds.
fn middle(segment: &Path) -> usize {
    std::fs::read(segment).unwrap().iter().rposition(|byte| *byte != 0).unwrap() / 2
}

/// The number that follows `before`.
fn number_after(text: &str, before: &str) -> usize {
    let (_, rest) = text.split_once(before).unwrap_or_else(|| panic!("no {before:?} in {text}"));
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap()
}

/// Starts the server, which must refuse and change nothing. Returns what it said last.
async fn refused(setup: &Setup, segment: &Path) -> String {
    let before = std::fs::read(segment).unwrap();
    let mut server = Server::spawn(setup).unwrap();
    assert!(!server.becomes_ready().await, "a damaged journal must not be passed over");
    assert_eq!(server.ended().await.code(), Some(3), "{}", server.stderr());
    assert!(std::fs::read(segment).unwrap() == before, "the damaged segment was changed");
    server.stderr().lines().last().unwrap().to_owned()
}

/// What the server said of lost rows: count, first and last time, by cluster; and of how many records it could say nothing.
fn told_lost(stderr: &str) -> (BTreeMap<String, (i64, i64, i64)>, i64) {
    let number = |line: &serde_json::Value, key: &str| line[key].as_i64().unwrap_or_else(|| panic!("{key} in {line}"));
    let (mut rows, mut records) = (BTreeMap::new(), 0);
    for line in stderr.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok()) {
        let message = line["message"].as_str().unwrap_or_default();
        if message == "rows are lost" {
            let told = (number(&line, "rows"), number(&line, "from_ms"), number(&line, "to_ms"));
            rows.insert(line["cluster"].as_str().unwrap().to_owned(), told);
        } else if message.starts_with("records are lost") {
            records += number(&line, "records");
        }
    }
    (rows, records)
}

/// A store whose server was killed with all rows in the journal.
async fn killed_with_rows(setup: &Setup) -> Vec<Row> {
    let server = Server::start(setup).await;
    let mut all = Vec::new();
    for n in 0..REQUESTS {
        let rows = request(n);
        let samples: Vec<(i64, f64)> = rows.iter().map(|(_, time_ms, value)| (*time_ms, *value)).collect();
        write(&server, &[(&[("__name__", "kept"), ("cluster", &rows[0].0)], &samples)]).await;
        all.extend(rows);
    }
    server.kill().await;
    all
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hit {
    /// The rows of a record; its tag tells of them.
    Payload,
    /// The beginning of a record, without which its tag cannot be found either.
    Header,
}

async fn damage_is_told_and_set_aside(hit: Hit) {
    let folder = tempdir().unwrap();
    let setup = Setup::new(folder.path(), YAML);
    let all = killed_with_rows(&setup).await;
    let journal = folder.path().join("store/local/journal");
    let segment = newest_segment(&journal);
    let at = middle(&segment);
    flip(&segment, at);

    let said = refused(&setup, &segment).await;
    assert!(said.contains(segment.to_str().unwrap()) && said.contains("--set-aside-damaged"), "{said}");
    number_after(&said, "journal segment ");
    number_after(&said, "of generation ");
    let offset = number_after(&said, "is damaged at byte ");
    assert!(offset + 64 < at && at < offset + 4096, "byte {at} of a payload was damaged: {said}");
    if hit == Hit::Header {
        flip(&segment, at);
        flip(&segment, offset);
        assert_eq!(number_after(&refused(&setup, &segment).await, "is damaged at byte "), offset);
    }

    let mut setting_aside = setup.clone();
    setting_aside.arguments.push("--set-aside-damaged".into());
    let server = Server::start(&setting_aside).await;
    let kept = rows(&server).await;
    let lost: Vec<&Row> = all.iter().filter(|row| !kept.contains(row)).collect();
    assert_eq!(lost.len() as i64, ROWS_OF_A_REQUEST, "one record was damaged");
    assert_eq!(kept.len() + lost.len(), all.len(), "nothing was invented or doubled");
    let (first, last) = (lost[0], lost[lost.len() - 1]);
    let told = BTreeMap::from([(first.0.clone(), (ROWS_OF_A_REQUEST, first.1, last.1))]);
    let expected = if hit == Hit::Payload { (told, 0) } else { (BTreeMap::new(), 1) };
    assert_eq!(told_lost(&server.stderr()), expected);
    let aside = journal.join("damaged").join(segment.file_name().unwrap());
    assert!(aside.exists() && !segment.exists(), "{} is for whoever wants to look into it", aside.display());
    // No rows may hang on an end in good order.
    server.kill().await;

    let server = Server::start(&setup).await;
    assert_eq!(rows(&server).await, kept, "a start without the flag has the same rows");
    assert_eq!(told_lost(&server.stderr()), (BTreeMap::new(), 0));
    server.terminate().await;
}

#[tokio::test]
async fn damaged_rows_stop_the_server_until_they_are_set_aside_and_told_by_cluster_and_time() {
    damage_is_told_and_set_aside(Hit::Payload).await;
}

#[tokio::test]
async fn a_damaged_record_of_which_nothing_can_be_told_is_counted() {
    damage_is_told_and_set_aside(Hit::Header).await;
}
