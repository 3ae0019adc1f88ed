use model::ErrorKind;

use super::*;

/// A frame whose length takes one byte.
fn frame(payload: &[u8]) -> Vec<u8> {
    let checksum = crc32c::crc32c(payload).to_be_bytes();
    [&[u8::try_from(payload.len()).unwrap()][..], &checksum, payload].concat()
}

fn frames(max_frame_bytes: usize) -> Frames {
    Frames::new(&Limits { max_body_bytes: max_frame_bytes, ..Limits::default() })
}

#[test]
fn the_checksum_is_the_one_of_the_format() {
    // The check value of CRC-32C in the catalogues of such sums.
    let mut stream = frames(100);
    stream.push(&[&[9, 0xe3, 0x06, 0x92, 0x83][..], b"123456789"].concat()).unwrap();
    assert_eq!(&stream.finish().unwrap()[..], b"123456789");
}

#[test]
fn any_division_of_the_stream_gives_the_same_payloads() {
    let stream = [frame(b"one"), frame(b""), frame(b"three"), frame(&[b'x'; 100])].concat();
    let payloads = [&b"onethree"[..], &[b'x'; 100]].concat();
    for size in 1..=stream.len() {
        let mut frames = frames(100);
        let mut taken = Vec::new();
        for bytes in stream.chunks(size) {
            frames.push(bytes).unwrap();
            let whole_bytes = frames.whole_bytes();
            let payloads = frames.take();
            assert_eq!((payloads.len(), frames.whole_bytes()), (whole_bytes, 0));
            taken.extend_from_slice(&payloads);
        }
        taken.extend_from_slice(&frames.finish().unwrap());
        assert_eq!(taken, payloads, "{size} bytes at a time");
    }
    let mut at_once = frames(100);
    at_once.push(&stream).unwrap();
    assert_eq!(&at_once.finish().unwrap()[..], payloads);
    assert!(frames(100).finish().unwrap().is_empty());
}

#[test]
fn a_stream_that_ends_in_a_frame_is_refused() {
    let first = frame(b"whole");
    let stream = [&first[..], &frame(b"\x0a\x80 second")].concat();
    for end in 1..stream.len() {
        let mut frames = frames(100);
        frames.push(&stream[..end]).unwrap();
        let finished = frames.finish();
        if end == first.len() {
            assert_eq!(&finished.unwrap()[..], b"whole");
            continue;
        }
        let error = finished.unwrap_err();
        let place =
            format!("frame {} of the answer is damaged: the stream ends in it", 1 + usize::from(end > first.len()));
        assert!(error.kind() == ErrorKind::Unavailable && error.message().starts_with(&place), "{end}: {error}");
    }
}

#[test]
fn a_flipped_bit_is_seen_and_what_was_whole_stays() {
    let first = frame(b"whole");
    let second = frame(b"\x0a\x80 second");
    for bit in 8..second.len() * 8 {
        let mut damaged = second.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        let mut frames = frames(100);
        frames.push(&first).unwrap();
        let error = frames.push(&damaged).unwrap_err();
        let place = "frame 2 of the answer is damaged: its checksum is ";
        assert!(error.kind() == ErrorKind::Unavailable && error.message().starts_with(place), "{error}");
        assert_eq!(&frames.take()[..], b"whole");
        assert!(frames.finish().is_err());
    }
}

#[test]
fn the_error_of_a_server_that_failed_halfway_is_quoted() {
    let text = b"expanding series: context deadline exceeded\n";
    let mut short = frames(1000);
    short.push(&[&frame(b"whole"), &text[..]].concat()).unwrap();
    let error = short.finish().unwrap_err();
    let expected = "frame 2 of the answer is damaged: the stream ends in it, it reads \"expanding series: context deadline \
                    exceeded\"";
    assert_eq!(error.message(), expected);
    let error = frames(1000).push(&text.repeat(10)).unwrap_err();
    let (what, text) = error.message().split_once(", it reads ").unwrap();
    assert!(what.contains("its checksum is 7870616e") && text.starts_with("\"expanding series: context"), "{error}");
    assert!(text.len() < 250, "{error}");
}

#[test]
fn lengths_are_held_to_the_limit_before_a_byte_is_kept() {
    let mut limited = frames(5);
    limited.push(&frame(b"whole")).unwrap();
    let error = limited.push(&[6]).unwrap_err();
    let expected = "frame 2 of the answer announces 6 bytes, the limit is 5";
    assert_eq!((error.kind(), error.message()), (ErrorKind::TooLarge, expected));
    for length in [&[0xff, 0xff, 0xff, 0xff, 0x0f][..], &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]] {
        let mut frames = frames(1 << 20);
        assert_eq!(frames.push(length).unwrap_err().kind(), ErrorKind::TooLarge);
    }
    for length in [[0xff; 10], [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2]] {
        let error = frames(1 << 20).push(&length).unwrap_err();
        assert_eq!(
            (error.kind(), error.message()),
            (ErrorKind::Unavailable, "frame 1 of the answer is damaged: it has no length")
        );
    }
    // A length alone is no memory.
    let mut frames = frames(1 << 30);
    frames.push(&[0x80, 0x80, 0x80, 0x80, 0x04, 0, 0, 0, 0, 1]).unwrap();
    assert!(frames.payloads.capacity() < 64);
}
