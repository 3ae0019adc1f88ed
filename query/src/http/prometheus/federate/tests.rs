use axum::body::Body;
use axum::http::{Request, StatusCode};
use model::Sources;
use model::batch::STALE_NAN_BITS;
use tower::ServiceExt;

use crate::config::Config;
use crate::engine::Engine;
use crate::fixture::{Fixture, key};

/// 2026-01-01T00:00:00Z.
const NOW: i64 = 1_767_225_600_000;

/// Series that live, have ended, are too old, and have no name, some in a block, some in the head.
async fn router(config: Config) -> axum::Router {
    let keys = [
        key("up", "west", &[("job", "b")]),
        key("up", "east", &[("job", "b"), ("instance", "x:1")]),
        key("up", "east", &[("job", "a")]),
        key("ended", "east", &[]),
        key("old", "east", &[]),
        key("", "east", &[("job", "nameless")]),
        key("Zeta", "east", &[("A", "before the name")]),
    ];
    let mut fixture = Fixture::new(&keys);
    let block = [(0, NOW - 60_000, 1.0), (3, NOW - 60_000, 1.0), (4, NOW - 300_000, 1.0), (2, NOW - 299_999, 0.0)];
    fixture.block(1, None, &block).await;
    let ended = f64::from_bits(STALE_NAN_BITS);
    let head =
        [(0, NOW, 0.5), (1, NOW - 1, f64::NAN), (3, NOW - 1, ended), (5, NOW, 1.0), (6, NOW, 1e21), (0, NOW + 1, 9.0)];
    fixture.head(1_000, &head);
    fixture.series_block().await;
    crate::http::routes(Engine::over_fixture(config, fixture, Vec::new(), Sources::default(), NOW))
}

async fn get(router: &axum::Router, parameters: &str) -> (StatusCode, String) {
    let request = Request::get(format!("/prometheus/federate{parameters}")).body(Body::empty()).unwrap();
    let response = router.clone().oneshot(request).await.unwrap();
    let status = response.status();
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_sample_of_each_living_series_is_given_once() {
    let router = router(Config::default()).await;
    let expected = "# TYPE Zeta untyped\n\
                    Zeta{A=\"before the name\",cluster=\"east\",instance=\"\"} 1e21 1767225600000\n\
                    # TYPE up untyped\n\
                    up{cluster=\"east\",instance=\"x:1\",job=\"b\"} NaN 1767225599999\n\
                    up{cluster=\"east\",instance=\"\",job=\"a\"} 0 1767225300001\n\
                    up{cluster=\"west\",instance=\"\",job=\"b\"} 0.5 1767225600000\n";
    let everything = "?match[]=up&match[]=%7Bcluster%3D%22east%22%7D&match[]=up%7Bjob%3D%22b%22%7D";
    assert_eq!(get(&router, everything).await, (StatusCode::OK, expected.to_owned()));
    assert_eq!(get(&router, "").await, (StatusCode::OK, String::new()));
    assert_eq!(get(&router, "?match[]=nothing").await, (StatusCode::OK, String::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_told_in_words() {
    let wide = router(Config::default()).await;
    for (parameters, says) in [
        ("?match[]=sum(up)", "expected type vector selector"),
        ("?match[]=up%7B", "invalid parameter \"match[]\": 1:4: parse error"),
        ("?match[]=%7B%7D", "must contain at least one non-empty matcher"),
    ] {
        let (status, text) = get(&wide, parameters).await;
        assert!(status == StatusCode::BAD_REQUEST, "{parameters}: {status}");
        assert!(text.contains(says), "{parameters}: {text}");
    }
    let narrow = router(Config { max_rows: 2, ..Config::default() }).await;
    let (status, text) = get(&narrow, "?match[]=up").await;
    assert!(status == StatusCode::PAYLOAD_TOO_LARGE && text.contains("query.max_rows"), "{text}");
}
