use proptest::prelude::*;

use super::*;
use crate::config::{BasicAuth, FederateConfig, Via};

fn server(url: &str) -> Server {
    let config = FederateConfig { via: Via::RemoteRead, ..FederateConfig::new("east", url) };
    Server::new(Source::resolve(&config).unwrap()).unwrap()
}

proptest! {
    #[test]
    fn what_is_written_is_read(after_ms in 0..253_402_300_799_999i64, length_ms in 1..100_000_000i64) {
        let span = Span { after_ms, until_ms: after_ms + length_ms };
        let batch = of_span(&server("http://a:1"), span);
        let sample = batch.samples[0];
        prop_assert_eq!(spans([(sample.time_ms, sample.value)]).collect::<Vec<_>>(), [span]);
    }
}

#[test]
fn rows_that_no_reading_wrote_say_nothing() {
    let odd = [(1000, f64::NAN), (2000, f64::INFINITY), (3000, 3.0), (4000, 5.0), (5000, f64::NEG_INFINITY)];
    assert_eq!(spans(odd).count(), 0);
}

#[test]
fn whoever_is_asked_for_something_else_has_another_key() {
    let base = server("http://a:1");
    assert_eq!(base.key.len(), 16);
    assert_eq!(base.key, server("http://a:1/").key);
    assert_ne!(base.key, server("http://a:1/tenant").key);
    let other = |change: &dyn Fn(&mut FederateConfig)| {
        let mut config = FederateConfig { via: Via::RemoteRead, ..FederateConfig::new("east", "http://a:1") };
        change(&mut config);
        Server::new(Source::resolve(&config).unwrap()).unwrap()
    };
    assert_eq!(base.key, other(&|config| config.job_name = "prometheus".into()).key);
    assert_ne!(base.key, other(&|config| config.matchers = vec!["up".into()]).key);
    assert_ne!(base.key, other(&|config| _ = config.headers.insert("x-scope-orgid".into(), "a".into())).key);
    assert_ne!(base.key, other(&|config| _ = config.params.insert("tenant".into(), vec!["a".into()])).key);
    let user = |name: &str| Some(BasicAuth { username: name.into(), username_file: None, password_file: "p".into() });
    assert_ne!(other(&|config| config.basic_auth = user("a")).key, other(&|config| config.basic_auth = user("b")).key);
    assert!(!base.asks_for_the_same(&other(&|config| config.cluster = "west".into())));
}
