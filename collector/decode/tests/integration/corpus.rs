//! The seeds of the fuzz targets, and whatever they have found, as plain tests.

use std::path::PathBuf;

use bytes::Bytes;
use decode::body::{ContentEncoding, decompress};
use decode::{Limits, openmetrics, remote_write, text};
use model::Batch;
use model::time::MAX_TIME_MS;

use crate::cases::ANSWER_MS;
use crate::damaged::check;
use crate::{cases, families, otlp_records, samples};

#[path = "../../../../fuzz/checks/elasticsearch_bulk.rs"]
mod elasticsearch_bulk;
#[path = "../../../../fuzz/checks/log_rows.rs"]
mod log_rows;
#[path = "../../../../fuzz/checks/loki_push.rs"]
mod loki_push;
#[path = "../../../../fuzz/checks/loki_streams.rs"]
mod loki_streams;
#[path = "../../../../fuzz/checks/metric_families.rs"]
mod metric_families;
#[path = "../../../../fuzz/checks/otlp.rs"]
mod otlp;
#[path = "../../../../fuzz/checks/otlp_logs.rs"]
pub(crate) mod otlp_logs;
#[path = "../../../../fuzz/checks/otlp_traces.rs"]
pub(crate) mod otlp_traces;
#[path = "../../../../fuzz/checks/records.rs"]
mod records;
#[path = "../../../../fuzz/checks/remote_read.rs"]
mod remote_read;
#[path = "../../../../fuzz/checks/remote_write_2.rs"]
pub(crate) mod remote_write_2;
#[allow(dead_code, reason = "the part that reads seeds looks for them from another folder")]
#[path = "../../../../fuzz/checks/replay.rs"]
mod replay;
#[path = "../../../../fuzz/checks/rows.rs"]
mod rows;

const TARGETS: [&str; 13] = [
    "metric_families",
    "text",
    "openmetrics",
    "remote_write",
    "remote_write_2",
    "remote_read",
    "otlp",
    "otlp_logs",
    "otlp_traces",
    "loki_push",
    "loki_streams",
    "elasticsearch_bulk",
    "body",
];

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
            check_if_taken(openmetrics::decode(&input, ANSWER_MS, &limits), &limits);
            let decoded = remote_write::decode(&input, MAX_TIME_MS, &limits);
            check_if_taken(decoded.map(|decoded| decoded.batch), &limits);
            remote_write_2::check(&input);
            metric_families::check(&input);
            for head in [0, 1] {
                loki_push::check(&[&[head][..], &input].concat());
            }
            loki_streams::check(&input);
            elasticsearch_bulk::check(&input);
            for encoding in ContentEncoding::ALL {
                if let Ok(decoded) = decompress(encoding, &input, &limits) {
                    assert!(decoded.len() <= limits.max_decoded_bytes);
                }
            }
        }
    }
}

/// The words of a dictionary, which are lines of `"…"` with `\\`, `\"` and `\x0d` resolved.
fn words(target: &str) -> Vec<Vec<u8>> {
    let path = folder(target).join("../../dictionaries").join(target);
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| resolved(line.strip_prefix('"').unwrap().strip_suffix('"').unwrap())).collect()
}

fn resolved(mut rest: &str) -> Vec<u8> {
    let mut word = Vec::new();
    while let Some((before, after)) = rest.split_once('\\') {
        word.extend_from_slice(before.as_bytes());
        let (byte, length) = match after.strip_prefix('x') {
            Some(hex) => (u8::from_str_radix(&hex[..2], 16).unwrap(), 3),
            None => (after.as_bytes()[0], 1),
        };
        word.push(byte);
        rest = &after[length..];
    }
    word.extend_from_slice(rest.as_bytes());
    word
}

/// The fuzzer's odd words, put before each byte of a good body and in the place of each line.
#[test]
fn every_odd_word_is_survived_everywhere() {
    let limits = Limits::default();
    let body = samples::OPENMETRICS.as_bytes();
    let (mut taken, mut refused) = (0, 0);
    let words = words("openmetrics");
    assert!(words.len() > 50, "{}", words.len());
    for word in words {
        let inside = (0..=body.len()).map(|at| [&body[..at], &word, &body[at..]].concat());
        let starts = line_starts(body);
        let instead = starts.windows(2).map(|line| [&body[..line[0]], &word, b"\n", &body[line[1]..]].concat());
        for input in inside.chain(instead) {
            match openmetrics::decode(&Bytes::from(input), ANSWER_MS, &limits) {
                Ok(batch) => {
                    check(&batch, &limits);
                    taken += 1;
                }
                Err(error) => {
                    assert!(error.position().is_some() && error.message().len() < 400, "{error}");
                    refused += 1;
                }
            }
        }
    }
    assert!(taken > 1000 && refused > 1000, "{taken} {refused}");
}

/// Where each line of a body starts, and where the last one ends.
fn line_starts(body: &[u8]) -> Vec<usize> {
    let feeds = body.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
    std::iter::once(0).chain(feeds).collect()
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

#[test]
fn changes_of_every_seed_of_protobuf_hold() {
    for (target, check) in
        [("remote_write_2", remote_write_2::check as fn(&[u8])), ("metric_families", metric_families::check)]
    {
        for input in inputs(target) {
            check(&input);
            for change in 0..200 {
                check(&replay::changed(&input, change));
            }
        }
    }
}

#[test]
fn every_seed_of_otlp_holds_and_so_do_changes_of_it() {
    for input in inputs("otlp") {
        for choice in (0..=255).step_by(7) {
            otlp::check(&[&[choice][..], &input[1..]].concat());
        }
        for change in 0..300 {
            otlp::check(&replay::changed(&input, change));
        }
    }
}

#[test]
fn every_seed_of_otlp_records_holds_and_so_do_changes_of_it() {
    for (target, check) in [("otlp_logs", otlp_logs::check as fn(&[u8])), ("otlp_traces", otlp_traces::check)] {
        for input in inputs(target) {
            for choice in [input[0], input[0] | 2] {
                let input = [&[choice][..], &input[1..]].concat();
                check(&input);
                for change in 0..500 {
                    check(&replay::changed(&input, change));
                }
            }
        }
    }
}

#[test]
fn every_seed_of_logs_holds_and_so_do_changes_of_it() {
    for (target, check) in [
        ("loki_push", loki_push::check as fn(&[u8])),
        ("loki_streams", loki_streams::check),
        ("elasticsearch_bulk", elasticsearch_bulk::check),
    ] {
        for input in inputs(target) {
            check(&input);
            for change in 0..1000 {
                check(&replay::changed(&input, change));
            }
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
    for (target, format, all_forms) in
        [("text", cases::TEXT, samples::TEXT), ("openmetrics", cases::OPENMETRICS, samples::OPENMETRICS)]
    {
        for (number, case) in format.cases().iter().enumerate() {
            std::fs::write(folder(target).join(format!("case-{number:03}")), &case.body).unwrap();
        }
        std::fs::write(folder(target).join("all-forms"), all_forms).unwrap();
    }
    for (target, bodies) in [
        ("otlp", crate::otlp::bodies()),
        ("otlp_logs", otlp_records::logs_bodies()),
        ("otlp_traces", otlp_records::traces_bodies()),
    ] {
        for (number, (protobuf, json)) in bodies.into_iter().enumerate() {
            // The first byte chooses the form.
            for (form, head, body) in [("protobuf", 0, protobuf), ("json", 1, json)] {
                let name = format!("case-{number:02}-{form}");
                std::fs::write(folder(target).join(name), [&[head][..], &body].concat()).unwrap();
            }
        }
    }
    for (target, name, body) in crate::logs::seeds() {
        std::fs::write(folder(target).join(name), body).unwrap();
    }
    std::fs::write(folder("remote_write").join("all-fields"), samples::request()).unwrap();
    let one = samples::Message::default().bytes(1, samples::series(&[("__name__", "up")], &[(1.0, 1)]));
    std::fs::write(folder("remote_write").join("one-series"), one).unwrap();
    let histograms = samples::series(&[("__name__", "latency")], &[]).bytes(4, samples::integer(1));
    let histograms = samples::Message::default().bytes(1, histograms.bytes(4, samples::float(2)));
    std::fs::write(folder("remote_write").join("histograms"), histograms).unwrap();
    std::fs::write(folder("remote_write_2").join("all-fields"), samples::request_2()).unwrap();
    let one = samples::Message::default().bytes(1, [1, 2]).bytes(2, samples::sample(1.0, 1));
    let one = samples::Message::default().bytes(4, "").bytes(4, "__name__").bytes(4, "up").bytes(5, one);
    std::fs::write(folder("remote_write_2").join("one-series"), one).unwrap();
    let late =
        samples::Message::default().bytes(5, samples::Message::default().bytes(1, [1, 2]).bytes(3, samples::float(1)));
    let late = late.bytes(4, "").bytes(4, "__name__").bytes(4, "latency");
    std::fs::write(folder("remote_write_2").join("symbols-last"), late).unwrap();
    // The first byte chooses which histograms are wanted.
    for (name, head) in [("classic", 0), ("native", 1), ("both", 3)] {
        std::fs::write(folder("metric_families").join(name), [&[head][..], &families::page()].concat()).unwrap();
    }
    // The first byte chooses the part of an answer.
    for (name, head, body) in [
        ("samples", 0, samples::Message::default().bytes(1, samples::request()).0),
        ("chunks", 1, samples::frame()),
        ("chunk-of-steps", 2, samples::chunk(&samples::steps())),
        ("chunk-of-values", 2, samples::chunk(&samples::values())),
        ("stream", 3, samples::stream()),
        ("request", 4, samples::read_request()),
    ] {
        std::fs::write(folder("remote_read").join(name), [&[head][..], &body].concat()).unwrap();
    }
    // The first byte chooses the encoding.
    for (name, head, body) in [
        ("identity", 0, samples::TEXT.as_bytes().to_vec()),
        ("gzip", 1, samples::gzip(samples::TEXT.as_bytes())),
        ("snappy", 2, samples::snappy(&samples::request())),
        ("zstd", 3, zstd::encode_all(samples::TEXT.as_bytes(), 3).unwrap()),
    ] {
        std::fs::write(folder("body").join(name), [&[head][..], &body].concat()).unwrap();
    }
}
