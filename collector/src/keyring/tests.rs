use std::path::Path;

use axum::http::HeaderValue;
use axum::http::header::AUTHORIZATION;
use tempfile::tempdir;

use super::*;

fn request(token: &str) -> HeaderMap {
    HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_str(&format!("Bearer {token}")).unwrap())])
}

fn holder(ring: &Keyring, token: &str) -> String {
    ring.holder(&request(token)).map_or(String::new(), |holder| holder.to_string())
}

fn hashed(token: &str) -> TokenConfig {
    TokenConfig::Sha256(Token::parse(token).unwrap().hash())
}

/// Puts a file in place as a careful program does, whole.
fn put(path: &Path, text: &str) {
    let fresh = path.with_extension("fresh");
    std::fs::write(&fresh, text).unwrap();
    std::fs::rename(fresh, path).unwrap();
}

const OLD: &str = "the-old-token-of-berlin";
const NEW: &str = "the-new-token-of-berlin";

#[test]
fn a_token_is_its_holders_and_others_are_nobodys() {
    let berlin = [hashed(OLD), hashed(NEW)];
    let ring = Keyring::new([("berlin", &berlin[..]), ("dublin", &[hashed("the-token-of-dublin")][..])]);
    assert_eq!((holder(&ring, OLD), holder(&ring, NEW)), ("berlin".into(), "berlin".into()));
    assert_eq!(holder(&ring, "the-token-of-dublin"), "dublin");
    assert_eq!(holder(&ring, "the-token-of-nobody"), "");
    assert_eq!(ring.holder(&HeaderMap::new()), None);
    assert!(!ring.is_empty() && Keyring::default().is_empty());
}

#[test]
fn a_file_rotates_and_one_that_cannot_be_used_keeps_what_it_held() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("berlin");
    let tokens = [TokenConfig::File(path.clone())];
    let ring = Keyring::new([("berlin", &tokens[..])]);
    assert_eq!((holder(&ring, OLD).as_str(), ring.is_empty()), ("", false));
    assert_eq!(ring.failing_files()[&Arc::from("berlin")], 1);

    put(&path, &format!("{OLD}\n"));
    ring.look(Instant::now());
    assert_eq!((holder(&ring, OLD).as_str(), holder(&ring, NEW).as_str()), ("berlin", ""));
    put(&path, &format!("{OLD}\r\n\n  {NEW}"));
    ring.look(Instant::now());
    assert_eq!((holder(&ring, OLD).as_str(), holder(&ring, NEW).as_str()), ("berlin", "berlin"));
    put(&path, NEW);
    ring.look(Instant::now());
    assert_eq!((holder(&ring, OLD).as_str(), holder(&ring, NEW).as_str()), ("", "berlin"));
    assert_eq!(ring.failing_files()[&Arc::from("berlin")], 0);

    for bad in ["", "short", &format!("{NEW}\nshort"), &"x".repeat(100_000)] {
        put(&path, bad);
        ring.look(Instant::now());
        assert_eq!((holder(&ring, NEW).as_str(), ring.failing_files()[&Arc::from("berlin")]), ("berlin", 1), "{bad}");
        // Nor does a reload forget it.
        ring.replace([("berlin", &tokens[..])]);
        assert_eq!(holder(&ring, NEW), "berlin");
    }
    std::fs::remove_file(&path).unwrap();
    ring.look(Instant::now());
    assert_eq!(holder(&ring, NEW), "berlin");
    ring.replace([]);
    assert_eq!((holder(&ring, NEW).as_str(), ring.is_empty()), ("", true));
}

#[test]
fn a_file_that_is_written_over_where_it_stands_counts_once_it_is_whole() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("berlin");
    put(&path, &format!("{OLD}\n{NEW}\n"));
    let ring = Keyring::new([("berlin", &[TokenConfig::File(path.clone())][..])]);
    let known = || (holder(&ring, OLD).as_str() == "berlin", holder(&ring, NEW).as_str() == "berlin");
    let (begin, seconds) = (Instant::now(), Duration::from_secs);
    // Half of it: a file that reads well, without one of its tokens.
    std::fs::write(&path, format!("{NEW}\n{}", &OLD[..OLD.len() - 1])).unwrap();
    ring.look(begin);
    assert_eq!(known(), (true, true), "what it held before counts");
    // A reload looks too, and has no more patience.
    ring.look(begin + Duration::from_millis(10));
    assert_eq!(known(), (true, true));
    std::fs::write(&path, format!("{NEW}\n{OLD}\nanother-token-of-berlin")).unwrap();
    ring.look(begin + seconds(1));
    assert_eq!((known(), holder(&ring, "another-token-of-berlin").as_str()), ((true, true), ""));
    ring.look(begin + seconds(2));
    assert_eq!((known(), holder(&ring, "another-token-of-berlin").as_str()), ((true, true), "berlin"));
    std::fs::write(&path, NEW).unwrap();
    (3..5).for_each(|second| ring.look(begin + seconds(second)));
    assert_eq!((known(), ring.failing_files()[&Arc::from("berlin")]), ((false, true), 0));
    // Of a token of ours it shows that it is not whole, however long that lasts.
    let own = Token::new().unwrap();
    put(&path, &own.reveal()[..40]);
    ring.look(begin + seconds(5));
    assert_eq!((known(), ring.failing_files()[&Arc::from("berlin")]), ((false, true), 1));
    put(&path, own.reveal());
    ring.look(begin + seconds(6));
    assert_eq!((holder(&ring, own.reveal()).as_str(), known()), ("berlin", (false, false)));
}

#[test]
fn a_token_that_two_hold_is_refused_until_one_lets_go_of_it() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("dublin");
    put(&path, OLD);
    let (berlin, dublin) = ([hashed(OLD), hashed(NEW)], [TokenConfig::File(path.clone())]);
    let ring = Keyring::new([("berlin", &berlin[..]), ("dublin", &dublin[..])]);
    assert_eq!((holder(&ring, OLD).as_str(), holder(&ring, NEW).as_str()), ("", "berlin"));
    put(&path, "the-token-of-dublin");
    ring.look(Instant::now());
    assert_eq!((holder(&ring, OLD).as_str(), holder(&ring, "the-token-of-dublin").as_str()), ("berlin", "dublin"));
}

#[test]
fn what_is_wrong_with_a_file_names_the_line_and_nothing_of_it() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("tokens");
    put(&path, &format!("{OLD}\n\nbad secret in here\n"));
    let fault = file::read(&path).unwrap_err();
    assert!(fault.contains("tokens, line 3: ") && !fault.contains("secret"), "{fault}");
}
