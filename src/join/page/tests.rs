use std::path::Path;
use std::time::Duration;

use model::Error;
use reqwest::Url;

use super::*;
use crate::config::Config;
use crate::join::fleet::assemble;
use crate::join::probe::Found;
use crate::join::probe::tests::labelled;

const HOSTILE: &str = "a\": b #\n- x\r\u{2028}\u{202e}\x1b[2J'{[&*!|>%@`\\";

fn page(servers: Vec<(&str, Result<Found, Error>)>, access: &Access) -> String {
    let answers = servers.into_iter().map(|(url, answer)| (Url::parse(url).unwrap(), answer)).collect();
    render(&assemble(answers), access, Date(20_783))
}

fn by_remote_read(labels: &[(&str, &str)]) -> Found {
    Found { remote_read: Ok(ResponseType::StreamedXorChunks), ..labelled(labels) }
}

/// The page as a configuration; every line of it can be shown anywhere.
fn read(page: &str) -> Config {
    for line in page.lines() {
        assert!(!line.chars().any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{202e}')), "{line:?}");
    }
    Config::parse(page, Path::new("f.yaml")).unwrap_or_else(|e| panic!("{e}\n{page}"))
}

#[test]
fn what_was_found_stands_above_each_entry() {
    let berlin = by_remote_read(&[("cluster", "berlin"), ("region", "eu"), ("replica", "a")]);
    let twin = by_remote_read(&[("cluster", "berlin"), ("region", "eu"), ("replica", "b")]);
    let gone = Err(Error::invalid("it answered 502 Bad Gateway"));
    let servers = vec![
        ("http://a:9090", Ok(berlin)),
        ("http://b:9090", Ok(twin)),
        ("http://c:9090", Ok(labelled(&[]))),
        ("http://d", gone),
    ];
    let page = page(servers, &Access::default());
    let expected = include_str!("page.yaml").replace("VERSION", env!("CARGO_PKG_VERSION"));
    assert_eq!(page, expected, "{page}");
}

#[test]
fn a_page_without_remote_read_is_a_configuration() {
    let labels = [("cluster", HOSTILE), ("region", "no"), ("a", HOSTILE), ("env", "1e3")];
    let broken = Found { config: Err(HOSTILE.into()), series: Err("x".into()), ..labelled(&[]) };
    let error = Err(Error::invalid("x"));
    let servers = vec![
        ("http://a/x", Ok(labelled(&labels))),
        ("http://a/y", Ok(broken)),
        ("http://d", error),
        ("http://a/z", Ok(labelled(&labels))),
    ];
    let config = read(&page(servers, &Access::default()));
    let cluster = &config.clusters[0];
    assert_eq!((cluster.name.as_str(), cluster.region.as_str(), cluster.environment.as_str()), (HOSTILE, "no", "1e3"));
    let sources = &config.collector.federate_configs;
    assert_eq!((config.clusters.len(), sources.len()), (2, 3));
    assert_eq!((sources[1].cluster.as_str(), sources[1].url.as_str()), ("a/y", "http://a/y"));
    assert_eq!(sources[0].scrape_interval, Duration::from_secs(15));
}

#[test]
fn a_page_with_remote_read_is_a_configuration() {
    let config = read(&page(vec![("http://a", Ok(by_remote_read(&[("cluster", "a")])))], &Access::default()));
    assert_eq!(config.collector.federate_configs.len(), 1);
}

#[test]
fn a_page_of_servers_that_cannot_be_asked_is_an_empty_configuration() {
    let config = read(&page(vec![("http://a", Err(Error::invalid("x")))], &Access::default()));
    assert_eq!(config, Config::default());
}

#[test]
fn credentials_are_named_by_their_files() {
    let basic = BasicAuth { username: "a b #".into(), username_file: None, password_file: "/x y".into() };
    let access = Access { basic_auth: Some(basic.clone()), ca_file: Some("/ca".into()), ..Access::default() };
    let source = |access: &Access| {
        let config = read(&page(vec![("https://a", Ok(labelled(&[])))], access));
        config.collector.federate_configs[0].clone()
    };
    assert_eq!(source(&access).basic_auth, Some(basic));
    assert_eq!(source(&access).tls_config.ca_file.as_deref(), Some(Path::new("/ca")));
    let token = Authorization::bearer("/token".into());
    let access = Access { authorization: Some(token.clone()), ..Access::default() };
    assert_eq!(source(&access).authorization, Some(token));
}

#[test]
fn a_fleet_that_needs_more_than_the_defaults_is_told_so() {
    let large = |value| Found { series: Ok(Figure { value, origin: "by a query" }), ..labelled(&[]) };
    let page =
        page(vec![("http://a", Ok(large(1_000_000.0))), ("http://b", Ok(large(9_000_000.0)))], &Access::default());
    assert!(page.contains("set `storage.memory_bytes` to ") && page.contains("choose some with"), "{page}");
    assert_eq!(read(&page).collector.federate_configs[0].body_size_limit, 512 << 20);
}
