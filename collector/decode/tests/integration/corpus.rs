//! The seeds of the fuzz targets, and whatever they have found, as plain tests.

use std::path::PathBuf;

use bytes::Bytes;
use decode::body::{ContentEncoding, decompress};
use decode::{Limits, remote_write, text};
use model::Batch;

use crate::cases::ANSWER_MS;
use crate::damaged::check;
use crate::{cases, chunk_writer, samples};

#[path = "../../../../fuzz/checks/remote_read.rs"]
mod remote_read;
#[allow(dead_code, reason = "the part that reads seeds looks for them from another folder")]
#[path = "../../../../fuzz/checks/replay.rs"]
mod replay;

const TARGETS: [&str; 4] = ["text", "remote_write", "remote_read", "body"];

fn folder(target: &str) -> PathBuf {
    PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap()).join("../../fuzz/seeds").join(target)
}

fn inputs(target: &str) -> Vec<Bytes> {
    let entries = std::fs::read_dir(folder(target)).unwrap();
    entries.map(|entry| Bytes::from(std::fs::read(entry.unwrap().path()).unwrap())).collect()
}

fn check_if_taken(result: Result<Batch, decode::Error>, limits: &Limits) {
    if let Ok(batch) = result {
        check(&batch, limits);
    }
}

#[test]
fn every_seed_is_survived_by_every_decoder() {
    let limits = Limits { max_decoded_bytes: 1 << 20, ..Limits::default() };
    for target in TARGETS {
        let inputs = inputs(target);
        assert!(!inputs.is_empty(), "{target}");
        for input in inputs {
            check_if_taken(text::decode(&input, ANSWER_MS, &limits), &limits);
            check_if_taken(remote_write::decode(&input, &limits), &limits);
            for encoding in [ContentEncoding::Identity, ContentEncoding::Gzip, ContentEncoding::Snappy] {
                if let Ok(decoded) = decompress(encoding, &input, &limits) {
                    assert!(decoded.len() <= limits.max_decoded_bytes);
                }
            }
        }
    }
}

#[test]
fn every_seed_of_an_answer_holds_and_so_do_changes_of_it() {
    for input in inputs("remote_read") {
        remote_read::check(&input);
        for change in 0..200 {
            remote_read::check(&replay::changed(&input, change));
        }
    }
}

/// Writes the seeds that come from the tests of this crate.
#[test]
#[ignore = "writes into fuzz/seeds: cargo test -p decode write_seeds -- --ignored"]
fn write_seeds() {
    for target in TARGETS {
        std::fs::create_dir_all(folder(target)).unwrap();
    }
    for (number, case) in cases::all().iter().enumerate() {
        std::fs::write(folder("text").join(format!("case-{number:03}")), &case.body).unwrap();
    }
    std::fs::write(folder("text").join("all-forms"), samples::TEXT).unwrap();
    std::fs::write(folder("remote_write").join("all-fields"), samples::request()).unwrap();
    let one = samples::Message::default().bytes(1, samples::series(&[("__name__", "up")], &[(1.0, 1)]));
    std::fs::write(folder("remote_write").join("one-series"), one).unwrap();
    // The first byte chooses the part of an answer.
    for (name, head, body) in [
        ("samples", 0, samples::Message::default().bytes(1, samples::request()).0),
        ("chunks", 1, samples::frame()),
        ("chunk-of-steps", 2, chunk_writer::chunk(&samples::steps())),
        ("chunk-of-values", 2, chunk_writer::chunk(&samples::values())),
        ("stream", 3, samples::stream()),
    ] {
        std::fs::write(folder("remote_read").join(name), [&[head][..], &body].concat()).unwrap();
    }
    // The first byte chooses the encoding.
    for (name, head, body) in [
        ("identity", 0, samples::TEXT.as_bytes().to_vec()),
        ("gzip", 1, samples::gzip(samples::TEXT.as_bytes())),
        ("snappy", 2, samples::snappy(&samples::request())),
    ] {
        std::fs::write(folder("body").join(name), [&[head][..], &body].concat()).unwrap();
    }
}
