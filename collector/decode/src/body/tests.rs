use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use model::ErrorKind;

use super::*;

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

fn snappy(body: &[u8]) -> Vec<u8> {
    snap::raw::Encoder::new().compress_vec(body).unwrap()
}

fn small() -> Limits {
    Limits { max_body_bytes: 1 << 16, max_decoded_bytes: 1 << 20, ..Limits::default() }
}

fn unpack(encoding: ContentEncoding, body: Vec<u8>, limits: &Limits) -> Result<Bytes, Error> {
    decompress(encoding, &Bytes::from(body), limits)
}

#[test]
fn words_of_the_header_are_read_and_others_refused() {
    for (word, encoding) in [
        ("", ContentEncoding::Identity),
        ("identity", ContentEncoding::Identity),
        (" GZIP ", ContentEncoding::Gzip),
        ("x-gzip", ContentEncoding::Gzip),
        ("Snappy", ContentEncoding::Snappy),
        ("zstd", ContentEncoding::Zstd),
    ] {
        assert_eq!(ContentEncoding::parse(word), Ok(encoding));
    }
    for word in ["br", "deflate", "gzip, gzip", "gzip,snappy", "*", "\0"] {
        let error = ContentEncoding::parse(word).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.message().contains("send gzip, zstd, snappy or identity"), "{error}");
    }
}

#[test]
fn what_was_packed_is_unpacked() {
    let noise: Vec<u8> = (0..50_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    for body in [b"".to_vec(), b"a 1\n".to_vec(), vec![b'x'; 60_000], noise] {
        assert_eq!(unpack(ContentEncoding::Identity, body.clone(), &small()).unwrap(), body);
        assert_eq!(unpack(ContentEncoding::Gzip, gzip(&body), &small()).unwrap(), body);
        assert_eq!(unpack(ContentEncoding::Snappy, snappy(&body), &small()).unwrap(), body);
        assert_eq!(unpack(ContentEncoding::Zstd, zstd::encode_all(&*body, 3).unwrap(), &small()).unwrap(), body);
    }
}

#[test]
fn gzip_members_follow_each_other_and_garbage_does_not() {
    let two = [gzip(b"one "), gzip(b"two")].concat();
    assert_eq!(unpack(ContentEncoding::Gzip, two.clone(), &small()).unwrap(), "one two");
    for garbage in [&b"x"[..], b"\0", b"\x1f\x8b", &[0; 100]] {
        let error = unpack(ContentEncoding::Gzip, [&two, garbage].concat(), &small()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{garbage:?}");
        assert!(error.message().contains("damaged at byte"), "{error}");
    }
}

#[test]
fn every_truncation_is_an_error() {
    let body: Vec<u8> = (0..2000u32).map(|n| ((n * n) >> 3) as u8).collect();
    for (encoding, packed) in [(ContentEncoding::Gzip, gzip(&body)), (ContentEncoding::Snappy, snappy(&body))] {
        for end in 0..packed.len() {
            let error = unpack(encoding, packed[..end].to_vec(), &small()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid, "{encoding:?} {end}");
        }
        assert!(unpack(encoding, packed, &small()).is_ok());
    }
}

#[test]
fn garbage_behind_a_snappy_body_is_an_error() {
    for garbage in [&b"\0"[..], b"\x04abcd", &[0xff; 9]] {
        let error = unpack(ContentEncoding::Snappy, [&snappy(b"abc"), garbage].concat(), &small()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
    }
}

#[test]
fn limits_hold_before_and_after_decompression() {
    for encoding in [ContentEncoding::Identity, ContentEncoding::Gzip, ContentEncoding::Snappy] {
        let error = unpack(encoding, vec![0; (1 << 16) + 1], &small()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooLarge, "{encoding:?}");
    }
    let limits = Limits { max_decoded_bytes: 1000, ..small() };
    type Pack = fn(&[u8]) -> Vec<u8>;
    let packers: [(_, Pack); 3] =
        [(ContentEncoding::Identity, <[u8]>::to_vec), (ContentEncoding::Gzip, gzip), (ContentEncoding::Snappy, snappy)];
    for (encoding, pack) in packers {
        assert_eq!(unpack(encoding, pack(&[b'x'; 1000]), &limits).unwrap().len(), 1000);
        let error = unpack(encoding, pack(&[b'x'; 1001]), &limits).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooLarge, "{encoding:?}");
    }
}

#[test]
fn a_gzip_bomb_stops_at_the_ratio() {
    let limits = Limits::default();
    let bomb = gzip(&vec![0; 32 << 20]);
    assert!(bomb.len() < 64 << 10, "{}", bomb.len());
    let error = unpack(ContentEncoding::Gzip, bomb, &limits).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert!(error.message().contains("more than 100 times"), "{error}");
    // One mebibyte of anything is let through.
    assert_eq!(unpack(ContentEncoding::Gzip, gzip(&vec![0; 1 << 20]), &limits).unwrap().len(), 1 << 20);
}

#[test]
fn a_snappy_claim_is_refused_before_it_is_believed() {
    // 4 GiB - 1, 64 MiB, and 10 KiB, each with no content to speak of.
    for (claim, kind) in [
        (&[0xff, 0xff, 0xff, 0xff, 0x0f][..], ErrorKind::TooLarge),
        (&[0x80, 0x80, 0x80, 0x20], ErrorKind::Invalid),
        (&[0x80, 0x50], ErrorKind::Invalid),
        (&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], ErrorKind::Invalid),
    ] {
        let error = unpack(ContentEncoding::Snappy, [claim, b"\0x"].concat(), &Limits::default()).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
    }
}

/// The densest body that the format allows is below the bound on growth.
#[test]
fn the_bound_on_snappy_growth_refuses_no_real_body() {
    let body = vec![b'x'; 60 << 20];
    let packed = snappy(&body);
    assert_eq!(unpack(ContentEncoding::Snappy, packed, &Limits::default()).unwrap().len(), body.len());
}

#[test]
fn a_zstd_bomb_stops_at_the_ratio_and_a_window_at_eight_mebibytes() {
    let limits = Limits { max_decoded_bytes: 1 << 30, ..Limits::default() };
    let bomb = zstd::encode_all(std::io::repeat(0).take(200 << 20), 3).unwrap();
    let error = unpack(ContentEncoding::Zstd, bomb, &limits).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert!(error.message().contains("grows more than 100 times"), "{error}");
    // Magic number, a header that has only a window, of 128 MiB, and an empty last block.
    let wide = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 17 << 3, 0x01, 0x00, 0x00];
    assert!(zstd::decode_all(&wide[..]).unwrap().is_empty());
    assert_eq!(unpack(ContentEncoding::Zstd, wide.to_vec(), &limits).unwrap_err().kind(), ErrorKind::Invalid);
}

#[test]
fn every_zstd_truncation_is_an_error() {
    let packed = zstd::encode_all(&b"some text, some text, some text"[..], 3).unwrap();
    for end in 1..packed.len() {
        let error = unpack(ContentEncoding::Zstd, packed[..end].to_vec(), &small()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{end}");
    }
}
