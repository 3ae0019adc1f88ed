use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::plan::Plan;

fn read(yaml: &str) -> Result<Config, String> {
    let config: Config = serde_saphyr::from_str(yaml).map_err(|e| e.to_string())?;
    config.validate().map_err(|e| e.to_string())?;
    Ok(config)
}

/// The error of a configuration that must have one.
fn error(yaml: &str) -> String {
    read(yaml).expect_err(yaml)
}

/// One federated server with further lines.
fn server(lines: &str) -> String {
    let lines: String = lines.lines().map(|line| format!("    {line}\n")).collect();
    format!("federate_configs:\n  - cluster: east\n    url: http://prometheus:9090\n{lines}")
}

#[test]
fn nothing_configured_is_a_configuration() {
    assert_eq!(read("{}").unwrap(), Config::default());
}

#[test]
fn a_server_needs_only_cluster_and_url() {
    let config = read(&server("")).unwrap();
    let server = &config.federate_configs[0];
    assert_eq!(server, &FederateConfig::new("east", "http://prometheus:9090"));
    assert_eq!(server.scrape_interval, Duration::from_secs(15));
    assert_eq!(server.timeout(), Duration::from_secs(10));
    let url = server.request_url().unwrap();
    assert_eq!(url.as_str(), "http://prometheus:9090/federate?match%5B%5D=%7B__name__%21%3D%22%22%7D");
}

#[test]
fn every_field_is_read_and_written() {
    let config = read(
        r#"
federate_configs:
  - job_name: central
    cluster: west
    url: https://gateway.example/prometheus/
    metrics_path: /federate2
    match[]: ['{job="a"}', up]
    params: {dedup: ["1", "2"]}
    headers: {X-Scope-OrgID: team}
    scrape_interval: 1m
    scrape_timeout: 20s
    body_size_limit: 512MB
    basic_auth: {username: reader, password_file: /run/secrets/password}
    tls_config: {ca_file: ca.pem, cert_file: cert.pem, key_file: key.pem, server_name: prometheus.example, insecure_skip_verify: true}
  - cluster: west
    url: http://other
    scrape_interval: 1h30m
    via: remote_read
    delay: 20s
    backfill: 2d
    backfill_rate: 1000
    authorization: {credentials_file: token}
remote_write:
  body_size_limit: 1MB
  decoded_size_limit: 2MB
  body_timeout: 5s
  max_concurrent_requests: 3
  memory_limit: 30MB
push:
  cluster: pushed
  allow_anonymous: true
  cluster_limit: 50
  limits: {future_limit: 1h, series_limit: 1000, new_series_per_minute_limit: 10}
clusters:
  - name: west
    tokens: [{file: west.token}, {sha256: 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef}]
    limits:
      body_size_limit: 1MB
      decoded_size_limit: 2MB
      label_limit: 30
      label_name_length_limit: 100
      label_value_length_limit: 200
      sample_rate_limit: 500
      byte_rate_limit: 4MB
      rate_burst: 20s
"#,
    )
    .unwrap();
    let [first, second] = &config.federate_configs[..] else { panic!("{config:?}") };
    assert_eq!(first.matchers, [r#"{job="a"}"#, "up"]);
    assert_eq!(first.timeout(), Duration::from_secs(20));
    assert_eq!(first.body_size_limit, 512 << 20);
    let url = first.request_url().unwrap();
    assert_eq!(url.path(), "/prometheus/federate2");
    let pairs: Vec<String> = url.query_pairs().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(pairs, [r#"match[]={job="a"}"#, "match[]=up", "dedup=1", "dedup=2"]);
    assert_eq!((first.via, second.via), (Via::Federate, Via::RemoteRead));
    assert_eq!(second.request_url().unwrap().as_str(), "http://other/api/v1/read");
    assert_eq!((second.delay(), second.backfill_rate()), (Duration::from_secs(20), 1000));
    assert_eq!(second.backfill(), Duration::from_secs(2 * 86_400));
    assert_eq!(second.authorization.as_ref().map(|a| a.scheme.as_str()), Some("Bearer"));
    assert_eq!(config.push.cluster.as_deref(), Some("pushed"));
    let limits = config.limits_of("west");
    assert_eq!((limits.body_bytes, limits.labels, limits.burst), (Some(1 << 20), 30, Duration::from_secs(20)));
    assert_eq!((limits.series, limits.new_series_per_minute), (Some(1000), Some(10)));
    assert_eq!(limits.future, Duration::from_secs(3600));

    let tls = &first.tls_config;
    assert_eq!((tls.server_name.as_deref(), tls.insecure_skip_verify), (Some("prometheus.example"), true));
    assert!(tls.ca_file.is_some() && tls.cert_file.is_some() && tls.key_file.is_some());
    assert_eq!(second.tls_config, TlsConfig::default());

    let written = serde_saphyr::to_string(&config).unwrap();
    assert_eq!(read(&written).unwrap(), config, "{written}");
}

#[test]
fn what_belongs_to_remote_read_is_checked_with_it() {
    let wrong = error(&server("backfill: 1h"));
    assert!(wrong.contains("belong to via: remote_read"), "{wrong}");
    let wrong = error(&server("via: remote_read\nbackfill_rate: 0"));
    assert!(wrong.contains("say backfill: 0s"), "{wrong}");
    let wrong = error(&server("via: remote_read\nmatch: ['up', 'rate(up[5m])']"));
    assert!(wrong.contains("match: selector \"rate(up[5m])\", column 5"), "{wrong}");
    let wrong = error(&server("via: loki"));
    assert!(wrong.contains("remote_read"), "{wrong}");
    // One source is one, whatever the way it is read.
    let twins = ["", ", via: remote_read"].map(|via| format!("  - {{cluster: a, url: 'http://b'{via}}}\n"));
    let wrong = error(&format!("federate_configs:\n{}", twins.concat()));
    assert!(wrong.contains("same cluster, job_name"), "{wrong}");
}

#[test]
fn instances_have_their_port_spelt_out() {
    let mut configs = Vec::new();
    for url in ["http://a", "https://a", "http://a:9090/x", "http://[::1]:1"] {
        configs.push(FederateConfig::new("c", url));
    }
    let plan = Plan::new(&Config { federate_configs: configs, ..Config::default() }, &Arc::default()).unwrap();
    let instances: Vec<&str> = plan.federated.iter().map(|source| source.id.instance.as_str()).collect();
    assert_eq!(instances, ["a:80", "a:443", "a:9090", "[::1]:1"]);
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    let cases = [
        ("cluster_typo: 1", "cluster_typo"),
        ("scrape_timeout: 20s", "scrape_timeout 20s is not between 1ms and scrape_interval 15s"),
        ("scrape_timeout: 0s", "scrape_timeout 0s"),
        ("scrape_interval: 10", "\"10\" is not a duration"),
        ("scrape_interval: 50ms", "scrape_interval is shorter than 100ms"),
        ("body_size_limit: 2GB", "body_size_limit is not between"),
        ("body_size_limit: lots", "\"lots\" is not a size"),
        ("match: []", "match is empty"),
        ("match: ['']", "match is empty"),
        ("params: {'match[]': [up]}", "match[] has a field of its own"),
        ("job_name: ''", "job_name is empty"),
        ("metrics_path: federate", "metrics_path \"federate\" is not a path"),
        ("headers: {Authorization: x}", "\"Authorization\" cannot be set here"),
        ("headers: {'a b': x}", "is not a header name"),
        ("headers: {a: \"x\\ny\"}", "no header can carry"),
        ("basic_auth: {username: 'a:b', password_file: x}", "username"),
        ("basic_auth: {username: a, password: x}", "password"),
        ("basic_auth: {password_file: x}", "username is empty"),
        ("basic_auth: {username: a, username_file: b, password_file: x}", "exclude each other"),
        ("authorization: {credentials: x}", "credentials"),
        ("tls_config: {ca: x}", "ca_file"),
        ("tls_config: {cert_file: x}", "tls_config: cert_file needs key_file beside it"),
        ("tls_config: {key_file: x}", "tls_config: key_file needs cert_file beside it"),
        ("tls_config: {server_name: ''}", "server_name \"\" is not a name"),
        ("tls_config: {server_name: 10.0.0.1}", "is not a name"),
        ("tls_config: {server_name: 'a:1'}", "is not a name"),
        ("tls_config: {server_name: a/b}", "is not a name"),
        ("authorization: {type: Basic, credentials_file: x}", "basic_auth"),
        ("basic_auth: {username: a, password_file: x}\nauthorization: {credentials_file: x}", "exclude each other"),
    ];
    for (lines, expected) in cases {
        let error = error(&server(lines));
        assert!(error.contains(expected), "{lines}\n-> {error}");
    }
    assert!(error(&server("match: []")).starts_with("federate_configs[0] (cluster \"east\", http://prometheus:9090)"));
}

#[test]
fn urls_that_cannot_be_asked_are_refused() {
    let cases = [
        ("prometheus:9090", "begin with http"),
        ("", "is not a URL"),
        ("ftp://prometheus", "begin with http"),
        ("http://user:secret@prometheus", "basic_auth"),
        ("http://prometheus/?a=b", "params"),
    ];
    for (url, expected) in cases {
        let error = error(&format!("federate_configs: [{{cluster: c, url: '{url}'}}]"));
        assert!(error.contains(expected) && !error.contains("basic_auth: secret"), "{url} -> {error}");
    }
    assert!(error("federate_configs: [{cluster: c}]").contains("url"));
    assert!(error("federate_configs: [{url: 'http://a'}]").contains("cluster"));
    assert!(error("federate_configs: [{cluster: '', url: 'http://a'}]").contains("cluster is empty"));
}

#[test]
fn two_entries_for_one_source_are_refused_and_told_apart_by_their_job() {
    let twice = "federate_configs: [{cluster: c, url: 'http://a'}, {cluster: c, url: 'http://a:80', match: [up]}]";
    let text = error(twice);
    assert!(text.contains("federate_configs[1]") && text.contains("federate_configs[0]"), "{text}");
    read(&twice.replace("match: [up]", "job_name: other")).unwrap();
    read(&twice.replace("cluster: c, url: 'http://a:80'", "cluster: d, url: 'http://a:80'")).unwrap();
}

#[test]
fn limits_of_the_receiver_must_leave_room_for_a_request() {
    let cases = [
        ("{body_size_limit: 0B}", "body_size_limit"),
        ("{decoded_size_limit: 2GB}", "decoded_size_limit"),
        ("{body_timeout: 0s}", "body_timeout"),
        ("{max_concurrent_requests: 0}", "max_concurrent_requests"),
        ("{memory_limit: 79MB}", "memory_limit 79MB has no room for one request of 80MB"),
        ("{memory: 1GB}", "memory"),
    ];
    for (fields, expected) in cases {
        let error = error(&format!("remote_write: {fields}"));
        assert!(error.contains(expected), "{fields} -> {error}");
    }
    // Rows stand beside the body that they are read from.
    let error = error("log_push: {memory_limit: 143MB}");
    assert!(error.contains("log_push: memory_limit 143MB has no room for one request of 144MB"), "{error}");
    read("log_push: {memory_limit: 144MB}").unwrap();
    read("remote_write: {memory_limit: 80MB}").unwrap();
}

#[test]
fn a_rule_of_relabeling_has_the_defaults_of_prometheus() {
    let rule: RelabelConfig = serde_saphyr::from_str("{}").unwrap();
    assert_eq!(rule, RelabelConfig::default());
    assert_eq!((rule.source_labels, rule.separator.as_str(), rule.target_label.as_str()), (None, ";", ""));
    assert_eq!((rule.regex, rule.modulus, rule.replacement.as_str()), (None, 0, "$1"));
    assert_eq!(rule.action, RelabelAction::Replace);
}

#[test]
fn a_rule_of_relabeling_is_read_and_written() {
    let texts = [
        "{}",
        "{source_labels: [a, b], separator: '-', target_label: c, regex: '(.*)', modulus: 7, replacement: x, action: hashmod}",
        "{source_labels: [], separator: , target_label: , regex: , modulus: , replacement: , action: labeldrop}",
        "{action: KeepEqual, source_labels: [a], target_label: b}",
        "{action: LABELMAP, regex: 5, replacement: 0x10}",
    ];
    for text in texts {
        let rule: RelabelConfig = serde_saphyr::from_str(text).unwrap();
        let written = serde_saphyr::to_string(&rule).unwrap();
        assert_eq!(serde_saphyr::from_str::<RelabelConfig>(&written).unwrap(), rule, "{text} -> {written}");
    }
    let empty: RelabelConfig = serde_saphyr::from_str(texts[2]).unwrap();
    assert_eq!((empty.source_labels, empty.regex), (Some(Vec::new()), Some(String::new())));
    assert_eq!((empty.separator.as_str(), empty.replacement.as_str(), empty.modulus), ("", "", 0));
}

#[test]
fn an_action_is_written_as_it_is_read() {
    for word in ["replace", "keep", "drop", "keepequal", "dropequal", "hashmod", "labelmap", "labeldrop", "labelkeep"] {
        let rule: RelabelConfig = serde_saphyr::from_str(&format!("{{action: {word}}}")).unwrap();
        assert_eq!(rule.action.as_str(), word);
    }
    let error = serde_saphyr::from_str::<RelabelConfig>("{action: rename}").unwrap_err().to_string();
    assert!(error.contains("unknown action \"rename\", it is one of replace, keep, drop"), "{error}");
}
