use axum::http::HeaderValue;
use proptest::prelude::*;

use super::*;

fn request(values: &[&str]) -> Option<Token> {
    let mut headers = HeaderMap::new();
    for value in values {
        headers.append(AUTHORIZATION, HeaderValue::from_str(value).unwrap());
    }
    Token::of_request(&headers)
}

#[test]
fn new_tokens_differ_and_can_be_sent() {
    let (one, two) = (Token::new().unwrap(), Token::new().unwrap());
    assert_ne!(one, two);
    assert!(one.reveal().starts_with("fst_") && one.reveal().len() == 4 + 43, "{}", one.reveal());
    assert_eq!(Token::parse(one.reveal()).unwrap(), one);
    assert_eq!(request(&[&format!("Bearer {}", one.reveal())]), Some(one));
}

#[test]
fn a_hash_is_sha256_in_hexadecimal_digits() {
    // printf 'correct horse battery staple' | tr -d ' ' | sha256sum
    let token = Token::parse(" correcthorsebatterystaple\n").unwrap();
    let hash = token.hash();
    assert_eq!(hash.to_string(), "cbe6beb26479b568e5f15b50217c6c83c0ee051dc4e522b9840d8e291d6aaf46");
    assert_eq!(TokenHash::parse(&hash.to_string().to_uppercase()).unwrap(), hash);
    for wrong in ["", "abc", &"g".repeat(64), &"ä".repeat(32), &"a".repeat(65)] {
        let error = TokenHash::parse(wrong).unwrap_err().to_string();
        assert!(error.contains("64 hexadecimal digits") && (wrong.is_empty() || !error.contains(wrong)), "{error}");
    }
}

#[test]
fn a_request_shows_its_token_in_three_ways() {
    let token = Token::parse("0123456789abcdef").unwrap();
    let basic = |pair: &str| format!("Basic {}", STANDARD.encode(pair));
    for shown in ["Bearer 0123456789abcdef", "bearer  0123456789abcdef ", &basic("anyone:0123456789abcdef")] {
        assert_eq!(request(&[shown]), Some(token.clone()), "{shown}");
    }
    let api_key = format!("ApiKey {}", STANDARD.encode("id:0123456789abcdef"));
    assert_eq!(request(&[&api_key]), Some(token));
    assert_eq!(request(&[&basic("u:0123456789abcdef:with:colons")]).unwrap().reveal(), "0123456789abcdef:with:colons");
    let nothing = [
        "",
        "Bearer",
        "Bearer ",
        "Bearer short",
        "Bearer 0123456789 abcdef",
        "0123456789abcdef",
        "Digest 0123456789abcdef",
        "Basic 0123456789abcdef!",
        &basic("0123456789abcdef"),
        &basic("0123456789abcdef:"),
        "ApiKey 0123456789abcdef",
        &format!("ApiKey {}", STANDARD.encode("0123456789abcdef")),
        &format!("Bearer {}", "x".repeat(5000)),
    ];
    for shown in nothing {
        assert_eq!(request(&[shown]), None, "{shown}");
    }
    assert_eq!(request(&[]), None);
    // Which of two counts is not for us to guess.
    assert_eq!(request(&["Bearer 0123456789abcdef", "Bearer 0123456789abcdef"]), None);
}

proptest! {
    #[test]
    fn whatever_a_request_shows_is_a_token_that_can_be_sent_or_none(
        scheme in prop_oneof![Just("Bearer"), Just("Basic"), Just("basic"), Just("ApiKey"), Just("x"), Just("")],
        space in " {0,2}",
        credential in prop::collection::vec(any::<u8>(), 0..80),
        is_encoded in any::<bool>(),
    ) {
        let credential = if is_encoded { STANDARD.encode(&credential).into_bytes() } else { credential };
        let value = [scheme.as_bytes(), space.as_bytes(), &credential].concat();
        if let Ok(value) = HeaderValue::from_bytes(&value) {
            let headers = HeaderMap::from_iter([(AUTHORIZATION, value)]);
            if let Some(token) = Token::of_request(&headers) {
                prop_assert!(token.reveal().len() >= 16 && token.reveal().bytes().all(|byte| byte.is_ascii_graphic()));
                prop_assert_eq!(request(&[&format!("Bearer {}", token.reveal())]), Some(token));
            }
        }
    }
}

#[test]
fn a_token_is_shown_nowhere() {
    let token = Token::new().unwrap();
    let secret = token.reveal().to_owned();
    assert!(!format!("{token:?} {:?} {}", token.hash(), token.hash()).contains(&secret[4..]));
    for text in ["too short", "with white space inside", "0123456789abcdéf0123"] {
        let error = Token::parse(text).unwrap_err().to_string();
        assert!(!error.contains(text), "{error}");
    }
}
