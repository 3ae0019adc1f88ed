use std::time::Duration;

use axum::http::HeaderValue;
use model::batch::{BatchBuilder, Kind};
use model::labels::LabelsBuilder;
use model::time::ManualClock;
use model::{ErrorKind, SystemClock};

use super::*;
use crate::config::{ClusterConfig, LimitsConfig, TokenConfig};
use crate::token::Token;

const BERLIN: &str = "the-token-of-berlin";

fn config(limits: LimitsConfig) -> Config {
    let tokens = vec![TokenConfig::Sha256(Token::parse(BERLIN).unwrap().hash())];
    Config { clusters: vec![ClusterConfig { name: "berlin".into(), tokens, limits }], ..Config::default() }
}

fn identity(config: &Config) -> Identity {
    Identity::new(config, Arc::new(SystemClock), Arc::default())
}

fn bearer(token: &str) -> HeaderMap {
    HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_str(&format!("Bearer {token}")).unwrap())])
}

fn refused(identity: &Identity, cluster: &str, reason: Reason) -> u64 {
    let mut text = String::new();
    identity.0.metrics.render(&mut text);
    let line = format!("fleetscope_push_refused_total{{cluster=\"{cluster}\",reason=\"{}\"}} ", reason.as_str());
    text.lines().find_map(|shown| shown.strip_prefix(&line)).map_or(0, |count| count.parse().unwrap())
}

/// One sample of each of these clusters, at these times; an empty cluster has no such label.
fn batch(rows: &[(&str, i64)]) -> Batch {
    let mut builder = BatchBuilder::default();
    for (index, (cluster, time_ms)) in rows.iter().enumerate() {
        let index = index.to_string();
        let labels = [("n", index.as_str()), ("cluster", cluster)];
        let labels = if cluster.is_empty() { &labels[..1] } else { &labels[..] };
        let series = builder.series("a", labels, Kind::Gauge);
        builder.sample(series, *time_ms, 1.0);
    }
    builder.build()
}

/// Cluster, labels and number of each sample.
fn written(admitted: &[Batch]) -> Vec<String> {
    let mut builder = LabelsBuilder::default();
    let mut of_batch = |batch: &Batch| -> Vec<String> {
        let key = |series: u32| batch.key(series as usize, &mut builder).unwrap();
        let keys: Vec<_> = batch.samples.iter().map(|row| row.series).map(key).collect();
        keys.iter().map(|key| format!("{} {:?}", key.cluster, key.labels)).collect()
    };
    admitted.iter().flat_map(&mut of_batch).collect()
}

#[test]
fn a_token_decides_and_none_is_as_bad_as_a_wrong_one() {
    let identity = identity(&config(LimitsConfig::default()));
    let berlin = identity.caller(&bearer(BERLIN)).unwrap();
    assert_eq!(berlin.cluster().map(|name| &**name), Some("berlin"));
    for headers in [HeaderMap::new(), bearer("the-token-of-nobody")] {
        let refused = identity.caller(&headers).unwrap_err();
        assert!(refused.message().starts_with("unauthorized: show the token"), "{}", refused.message());
        assert_eq!(refused.response().status(), 401);
    }
    assert_eq!(refused(&identity, "", Reason::Unauthorized), 2);
    let admitted = berlin.admit(batch(&[("berlin", 1), ("dublin", 1), ("", 1)])).unwrap();
    let expected =
        [r#"berlin {"n": "0"}"#, r#"berlin {"exported_cluster": "dublin", "n": "1"}"#, r#"berlin {"n": "2"}"#];
    assert_eq!(written(&admitted), expected);
}

#[test]
fn without_tokens_every_push_is_taken_as_it_is() {
    let identity = identity(&Config::default());
    for headers in [HeaderMap::new(), bearer(BERLIN)] {
        let caller = identity.caller(&headers).unwrap();
        assert_eq!(written(&caller.admit(batch(&[("berlin", 1)])).unwrap()), [r#"berlin {"n": "0"}"#]);
    }
}

#[test]
fn whoever_shows_no_token_cannot_write_into_a_cluster_that_has_one() {
    let mut config = config(LimitsConfig::default());
    config.push.allow_anonymous = true;
    let identity = identity(&config);
    assert!(identity.caller(&bearer("the-token-of-nobody")).is_err(), "a wrong token is wrong");
    let caller = identity.caller(&HeaderMap::new()).unwrap();
    let admitted = caller.admit(batch(&[("dublin", 1), ("berlin", 2), ("", 3), ("berlin", 4)])).unwrap();
    let expected = [
        r#"dublin {"n": "0"}"#,
        r#" {"n": "2"}"#,
        r#" {"exported_cluster": "berlin", "n": "1"}"#,
        r#" {"exported_cluster": "berlin", "n": "3"}"#,
    ];
    assert_eq!(written(&admitted), expected);
    assert_eq!(admitted.iter().map(|batch| batch.series.len()).collect::<Vec<_>>(), [2, 2]);
    assert_eq!(admitted[1].samples.iter().map(|row| row.time_ms).collect::<Vec<_>>(), [2, 4]);
    assert_eq!(caller.admit(batch(&[("berlin", 1)])).unwrap().len(), 1);
}

#[test]
fn a_cluster_has_its_own_idea_of_the_future() {
    let hour = LimitsConfig { future_limit: Some(Duration::from_secs(3600)), ..LimitsConfig::default() };
    let mut config = config(hour);
    config.push.allow_anonymous = true;
    let clock = Arc::new(ManualClock::new(5_000));
    let identity = Identity::new(&config, clock.clone(), Arc::default());
    let latest_ms = |headers: &HeaderMap| identity.caller(headers).unwrap().latest_ms();
    assert_eq!((latest_ms(&bearer(BERLIN)), latest_ms(&HeaderMap::new())), (3_605_000, 605_000));
    clock.advance(1);
    assert_eq!(latest_ms(&HeaderMap::new()), 605_001);
}

#[test]
fn rates_are_kept_over_a_reload_and_say_what_limit_and_how_much() {
    let limits = LimitsConfig {
        sample_rate_limit: Some(10),
        row_rate_limit: Some(20),
        byte_rate_limit: Some(crate::config::Bytes(1 << 10)),
        rate_burst: Some(Duration::from_secs(1)),
        ..LimitsConfig::default()
    };
    let config = config(limits);
    let identity = identity(&config);
    let caller = identity.caller(&bearer(BERLIN)).unwrap();
    let many: Vec<_> = (0..600).map(|_| ("", 1)).collect();
    assert!(caller.may_send(Unit::Samples).is_ok());
    assert!(caller.admit(batch(&many)).is_ok(), "the first is in credit");
    let over = caller.admit(batch(&many)).unwrap_err();
    assert_eq!(over.kind(), ErrorKind::Busy);
    assert!(over.retry_after() > Some(Duration::from_secs(50)), "{:?}", over.retry_after());
    let expected = "cluster berlin: 600 samples in this request, limit 10 per second (sample_rate_limit)";
    assert!(over.to_string().starts_with(expected), "{over:?}");
    let over = caller.may_send(Unit::Samples).unwrap_err().to_string();
    assert!(over.starts_with("cluster berlin: limit 10 samples per second (sample_rate_limit)"), "{over}");
    // Samples and rows have each their own.
    assert!(caller.may_send(Unit::Rows).is_ok() && caller.take_rows(100).is_ok());
    let over = caller.take_rows(7).unwrap_err();
    assert_eq!((over.kind(), over.retry_after() > Some(Duration::from_secs(3))), (ErrorKind::Busy, true));
    let expected = "cluster berlin: 7 log rows and spans in this request, limit 20 per second (row_rate_limit)";
    assert!(over.to_string().starts_with(expected), "{over:?}");
    let over = caller.may_send(Unit::Rows).unwrap_err().to_string();
    assert!(over.starts_with("cluster berlin: limit 20 log rows and spans per second (row_rate_limit)"), "{over}");
    assert!(caller.take_bytes(1 << 20).is_ok());
    let over = caller.take_bytes(5).unwrap_err().to_string();
    assert!(over.starts_with("cluster berlin: 5 bytes in this request, limit 1KB per second"), "{over}");
    let counts = [Reason::SampleRate, Reason::RowRate, Reason::ByteRate].map(|it| refused(&identity, "berlin", it));
    assert_eq!(counts, [2, 2, 1]);

    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(identity.reload(&config)).unwrap();
    assert!(identity.caller(&bearer(BERLIN)).unwrap().take_bytes(1).is_err(), "as much is used as before");
    runtime.block_on(identity.reload(&self::config(LimitsConfig::default()))).unwrap();
    assert!(identity.caller(&bearer(BERLIN)).unwrap().take_bytes(1).is_ok(), "there is no limit any more");
    runtime.block_on(identity.reload(&Config::default())).unwrap();
    assert_eq!(identity.caller(&bearer(BERLIN)).unwrap().cluster(), None);
}

#[test]
fn a_cluster_narrows_what_the_receiver_takes_and_never_widens_it() {
    let limits = LimitsConfig {
        body_size_limit: Some(crate::config::Bytes(1 << 40)),
        decoded_size_limit: Some(crate::config::Bytes(1 << 10)),
        label_limit: Some(100),
        line_size_limit: Some(crate::config::Bytes(2 << 20)),
        attribute_limit: Some(7),
        attribute_value_length_limit: Some(50),
        ..LimitsConfig::default()
    };
    let receiver = decode::Limits::default();
    let narrowed = identity(&config(limits)).caller(&bearer(BERLIN)).unwrap().limits(&receiver);
    let expected = decode::Limits {
        max_decoded_bytes: 1 << 10,
        max_labels: 100,
        max_line_bytes: 2 << 20,
        max_attributes: 7,
        max_attribute_bytes: 50,
        ..receiver
    };
    assert_eq!(narrowed, expected);
}

#[test]
fn the_number_of_clusters_is_limited_where_senders_name_them() {
    let mut config = config(LimitsConfig::default());
    config.push.allow_anonymous = true;
    config.push.cluster_limit = 7;
    let mut stamped = config.clone();
    stamped.push.cluster = Some("paris".into());
    let (naming, stamped) = (identity(&config), identity(&stamped));
    let cases =
        [(&naming, bearer(BERLIN), u64::MAX), (&naming, HeaderMap::new(), 7), (&stamped, HeaderMap::new(), u64::MAX)];
    for (identity, headers, expected) in cases {
        let caller = identity.caller(&headers).unwrap();
        let parts = caller.admit(batch(&[("rome", 1), ("berlin", 1)])).unwrap();
        let whole = caller.admit_whole(batch(&[("rome", 1)])).unwrap();
        for batch in parts.iter().chain([&whole]) {
            assert_eq!(batch.series_limits.max_clusters, expected, "{:?}", caller.cluster());
        }
        let (logs, spans) = (caller.admit_logs(Logs::default()), caller.admit_spans(Spans::default()));
        let of_records = [logs.max_clusters, spans.max_clusters].map(|max| max.unwrap_or(u64::MAX));
        assert_eq!(of_records, [expected; 2], "{:?}", caller.cluster());
    }
}
