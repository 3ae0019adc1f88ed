use std::collections::HashSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::load::Sender;
use crate::log::{Log, Sample};
use crate::options::Options;
use crate::protobuf;

fn options(folder: &std::path::Path, more: &[&str]) -> Options {
    let path = |name: &str| folder.join(name).to_string_lossy().into_owned();
    let arguments = ["--address-file".into(), path("address"), "--log".into(), path("log")];
    Options::parse(arguments.into_iter().chain(more.iter().map(|m| (*m).to_owned()))).unwrap()
}

fn folder(name: &str) -> std::path::PathBuf {
    let folder = std::env::temp_dir().join(format!("oracle-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn sender(name: &str, number: u64, more: &[&str]) -> Sender {
    let options = Arc::new(options(&folder(name), more));
    let log = Arc::new(Log::create(&options.log).unwrap());
    Sender::new(number, options, log, Arc::new(AtomicU64::new(0)))
}

#[test]
fn no_value_and_no_key_comes_twice() {
    let (mut values, mut keys) = (HashSet::new(), HashSet::new());
    let (mut decimals, mut doubles) = (0, 0);
    for number in 0..2 {
        let mut sender = sender("unique", number, &["--late"]);
        for sample in (0..200).flat_map(|_| sender.samples()) {
            assert!(values.insert(sample.value.to_bits()), "{sample:?}");
            assert!(keys.insert((number, sample.series, sample.time_ms)), "{sample:?}");
            let three_places = (sample.value * 1000.0).fract() == 0.0;
            if three_places { decimals += 1 } else { doubles += 1 }
        }
    }
    assert!(decimals > 1000 && doubles > 1000, "{decimals} {doubles}");
}

#[test]
fn a_request_is_the_protobuf_of_the_specification() {
    let sample = |series, time_ms, value| Sample { series, time_ms, value };
    let body = protobuf::request(3, &[sample(7, 300, 1.0), sample(7, 301, 2.0)]);
    let message = snap::raw::Decoder::new().decompress_vec(&body).unwrap();
    let mut expected = vec![0x0a, 85];
    expected.extend_from_slice(b"\x0a\x19\x0a\x08__name__\x12\x0doracle_sample\x0a\x0f\x0a\x0aconnection\x12\x013");
    expected.extend_from_slice(b"\x0a\x0b\x0a\x06series\x12\x017");
    expected
        .extend_from_slice(b"\x12\x0c\x09\0\0\0\0\0\0\xf0\x3f\x10\xac\x02\x12\x0c\x09\0\0\0\0\0\0\0\x40\x10\xad\x02");
    assert_eq!(message, expected);
}

/// Answers three requests: yes, no, and not at all.
fn moody_server(listener: &TcpListener, stop: &AtomicBool) {
    let (stream, _) = listener.accept().unwrap();
    let mut reader = BufReader::new(stream);
    for answer in ["HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 503 Busy\r\nContent-Length: 2\r\n\r\nno", ""] {
        let (mut line, mut length) = (String::new(), 0);
        while line != "\r\n" {
            line.clear();
            reader.read_line(&mut line).unwrap();
            if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.trim().parse().unwrap();
            }
        }
        reader.read_exact(&mut vec![0; length]).unwrap();
        if answer.is_empty() {
            stop.store(true, Ordering::SeqCst);
        }
        reader.get_mut().write_all(answer.as_bytes()).unwrap();
    }
}

#[test]
fn the_log_says_what_was_sent_and_what_was_answered() {
    let folder = folder("log");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    std::fs::write(folder.join("address"), listener.local_addr().unwrap().to_string()).unwrap();
    let options = Arc::new(options(&folder, &["--samples", "2"]));
    let log = Arc::new(Log::create(&options.log).unwrap());
    let stop = Arc::new(AtomicBool::new(false));
    let server = std::thread::spawn({
        let stop = stop.clone();
        move || moody_server(&listener, &stop)
    });
    Sender::new(5, options.clone(), log, Arc::new(AtomicU64::new(0))).run(&stop);
    server.join().unwrap();
    let text = std::fs::read_to_string(&options.log).unwrap();
    let words: Vec<Vec<&str>> = text.lines().map(|line| line.split(' ').collect()).collect();
    let kinds: String = words.iter().map(|w| w[0]).collect();
    assert_eq!(kinds, "SSASSRSSL");
    assert_eq!((words[0][1], words[0][2], words[0].len()), ("0", "5", 6));
    assert_eq!(
        (&words[2][..], &words[5][..], &words[8][..]),
        (&["A", "0"][..], &["R", "1", "503"][..], &["L", "2"][..])
    );
}
