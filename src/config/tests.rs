use std::path::Path;
use std::time::Duration;

use super::{Config, LogFormat};

fn parse(text: &str) -> Result<Config, String> {
    Config::parse(text, Path::new("f.yaml")).map_err(|mistake| mistake.to_string())
}

#[test]
fn every_key_is_read_and_absent_ones_have_their_default() {
    assert_eq!(parse(""), Ok(Config::default()));
    assert_eq!(parse("# nothing yet\n"), Ok(Config::default()));
    let config = parse(
        "listen: 127.0.0.1:0\nlog: {level: debug, format: json}\nstorage:\n  url: /tmp/s\n  cut_every: 1s\n  \
         retention: 30d\n  memory_bytes: 512MB\n  journal_bytes: 2097152\nclusters:\n  - name: berlin\n    \
         region: eu-central-1\n    services: {shop: passive}\n",
    )
    .unwrap();
    assert_eq!(config.listen.to_string(), "127.0.0.1:0");
    assert_eq!((config.log.level.as_str(), config.log.format), ("debug", LogFormat::Json));
    assert_eq!((config.storage.url.as_str(), config.storage.cut_every), ("/tmp/s", Duration::from_secs(1)));
    assert_eq!((config.storage.memory_bytes, config.storage.journal_bytes), (512 << 20, 2 << 20));
    assert_eq!(config.storage.retention, Duration::from_secs(30 * 86_400));
    assert_eq!((config.clusters[0].name.as_str(), config.clusters[0].services["shop"].as_str()), ("berlin", "passive"));
}

#[test]
fn an_unknown_key_is_named_with_its_place_and_the_key_that_was_meant() {
    let message = parse("listen: 127.0.0.1:1\nstorage:\n  urll: x\n").unwrap_err();
    assert_eq!(message, "f.yaml:3:3: unknown key \"urll\", did you mean \"url\"");
    let message = parse("storge:\n  url: x\n").unwrap_err();
    assert_eq!(message, "f.yaml:1:1: unknown key \"storge\", did you mean \"storage\"");
    let message = parse("clusters:\n  - name: a\n    colour: red\n").unwrap_err();
    assert!(message.starts_with("f.yaml:3:5: unknown key \"colour\", known here: name, region,"), "{message}");
    let message = parse("log: {format: yaml}\n").unwrap_err();
    assert_eq!(message, "f.yaml:1:15: unknown value \"yaml\", known here: text, json");
}

#[test]
fn wrong_values_are_named_with_their_place() {
    let cases = [
        ("storage: {cut_every: soon}\n", "f.yaml:1:22: \"soon\" is not a duration, write it like 15s, 1m or 1h30m"),
        ("storage: {cut_every: 10ms}\n", "f.yaml:1:22: storage.cut_every must be at least 1 seconds"),
        ("storage: {series_idle: 10ms}\n", "f.yaml:1:24: storage.series_idle must be at least 1 seconds"),
        ("storage:\n  memory_bytes: 3 MB\n", "f.yaml:2:17: \"3 MB\" is not a size, write it like 512KB, 256MB or 1GB"),
        ("clusters:\n  - name: a\n  - name: a\n", "f.yaml:3:5: cluster \"a\" comes twice"),
        ("clusters:\n  - region: a\n", "f.yaml:2:5: the key \"name\" is missing"),
        ("listen: nowhere\n", "f.yaml:1:9: invalid socket address syntax"),
        ("log: {}\nlog: {}\n", "f.yaml:2:1: the key \"log\" comes twice"),
    ];
    for (text, expected) in cases {
        assert_eq!(parse(text).unwrap_err(), expected);
    }
}

#[test]
fn text_that_is_not_yaml_is_refused_at_its_place() {
    let message = parse("storage: [\n").unwrap_err();
    assert!(message.starts_with("f.yaml:"), "{message}");
    assert!(parse("just words\n").is_err());
    let bomb = (0..30).fold("a0: &a0 [x,x]\n".to_owned(), |text, n| {
        format!("{text}a{}: &a{} [*a{n},*a{n},*a{n},*a{n}]\n", n + 1, n + 1)
    });
    assert!(parse(&bomb).is_err());
}

#[test]
fn sources_take_the_global_times_unless_they_have_their_own() {
    let config = parse(
        "global: {scrape_interval: 5s, scrape_timeout: 20s}\nfederate_configs:\n  - {cluster: a, url: 'http://a:9090'}\n  \
         - {cluster: b, url: 'http://b:9090', scrape_interval: 1m, scrape_timeout: 3s}\n",
    )
    .unwrap();
    let times: Vec<_> = config
        .collector
        .federate_configs
        .iter()
        .map(|s| (s.scrape_interval.as_secs(), s.timeout().as_secs()))
        .collect();
    assert_eq!(times, [(5, 5), (60, 3)]);
    let config = parse("global: {scrape_interval: 5s}\nloki_configs: [{cluster: a, url: 'http://a:3100'}]\n").unwrap();
    assert_eq!(config.collector.loki_configs[0].scrape_interval.as_secs(), 5);
}

#[test]
fn a_wrong_source_is_named_with_its_place() {
    let message =
        parse("federate_configs:\n  - {cluster: a, url: 'http://a:1'}\n  - {cluster: a, url: 'http://a:1'}\n");
    assert!(message.as_ref().is_err_and(|m| m.starts_with("f.yaml:3:5: ")), "{message:?}");
    let message =
        parse("federate_configs:\n  - cluster: a\n    url: http://a:1\n    scrap_interval: 1s\n").unwrap_err();
    assert_eq!(message, "f.yaml:4:5: unknown key \"scrap_interval\", did you mean \"scrape_interval\"");
    let message = parse("loki_configs:\n  - cluster: a\n    url: http://a:1\n    limits: 1\n").unwrap_err();
    assert_eq!(message, "f.yaml:4:5: unknown key \"limits\", did you mean \"limit\"");
    let message = parse("loki_configs:\n  - {cluster: a, url: 'http://a:1', limit: 0}\n").unwrap_err();
    assert!(message.starts_with("f.yaml:2:5: loki_configs[0] (cluster \"a\", http://a:1): limit is not"), "{message}");
    let message = parse("remote_write:\n  body_timeout: 0s\n").unwrap_err();
    assert!(message.starts_with("f.yaml:2:3: remote_write: body_timeout is 0s"), "{message}");
    let message = parse("log_push:\n  memory_limit: 1MB\n").unwrap_err();
    assert!(message.starts_with("f.yaml:2:3: log_push: memory_limit 1MB has no room"), "{message}");
    let message = parse("otlp:\n  delta_idle: 0s\n").unwrap_err();
    assert!(message.starts_with("f.yaml:2:3: otlp: delta_idle is 0s"), "{message}");
}

#[test]
fn no_more_of_the_past_is_read_than_is_kept() {
    let yaml = |days: u32| {
        format!(
            "storage: {{retention: 15d}}\nfederate_configs:\n  - {{cluster: a, url: 'http://b', via: remote_read, \
             backfill: {days}d}}\n"
        )
    };
    assert!(parse(&yaml(15)).is_ok());
    let message = parse(&yaml(16)).unwrap_err();
    assert_eq!(message, "f.yaml:3:5: backfill 16d reaches further back than storage.retention keeps, 15d");
}

#[test]
fn only_what_a_reload_cannot_change_needs_a_restart() {
    let old = Config::default();
    let new = parse("listen: 127.0.0.1:1\nstorage: {retention: 3d}\nclusters: [{name: a}]\n").unwrap();
    assert_eq!(new.needs_restart(&old), ["listen", "storage"]);
}

#[test]
fn jobs_take_the_intervals_of_all_and_are_told_apart() {
    let text = "global: {scrape_interval: 30s, scrape_timeout: 20s}\nscrape_configs:\n  - {job_name: a, cluster: x}\n  \
                - {job_name: a, cluster: y, scrape_interval: 10s}\n";
    let jobs = parse(text).unwrap().collector.scrape_configs;
    let times: Vec<_> = jobs.iter().map(|job| (job.scrape_interval.as_secs(), job.timeout().as_secs())).collect();
    assert_eq!(times, [(30, 20), (10, 10)]);
    let cases = [
        ("  - {job_name: a, cluster: x}\n", "f.yaml:3:5: scrape_configs[1] (cluster \"x\", job_name \"a\"): the same"),
        ("  - {job_name: a, cluster: y, scrape_intervall: 1s}\n", "did you mean \"scrape_interval\""),
        (
            "  - {job_name: a, cluster: y, kubernetes_sd_configs: [{role: pod}]}\n",
            "kubernetes_sd_configs is not served",
        ),
        ("  - {job_name: a, cluster: y, static_configs: [{targets: ['http://host']}]}\n", "static_configs[0]: target"),
        ("  - {job_name: a, cluster: y, file_sd_configs: [{files: [list.txt]}]}\n", "does not end in .json"),
        ("  - {job_name: a, cluster: y, relabel_configs: [{action: hashmod, target_label: b}]}\n", "modulus is 0"),
        ("  - {job_name: a, cluster: y, basic_auth: {username: u, password: secret}}\n", "unknown key \"password\""),
    ];
    for (job, expected) in cases {
        let message = parse(&format!("scrape_configs:\n  - {{job_name: a, cluster: x}}\n{job}")).unwrap_err();
        assert!(message.contains(expected), "{message}");
    }
}

const HASH: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

#[test]
fn an_entry_of_clusters_says_something_to_queries_and_something_to_collectors() {
    let config = parse(&format!(
        "clusters:\n  - {{name: berlin, zone: a, tokens: [{{sha256: {HASH}}}, {{file: t}}], limits: {{sample_rate_limit: 5, \
         byte_rate_limit: 1MB}}}}\n  - name: dublin\npush: {{allow_anonymous: true, limits: {{sample_rate_limit: 7, \
         future_limit: 1h}}}}\nreaders: {{tokens: [{{file: r}}]}}\ntls_server_config: {{cert_file: c, key_file: k}}\n"
    ))
    .unwrap();
    assert_eq!((config.clusters[0].zone.as_str(), config.clusters[1].name.as_str()), ("a", "dublin"));
    let collector = &config.collector;
    assert_eq!((collector.clusters[0].tokens.len(), collector.clusters[1].tokens.len()), (2, 0));
    assert!(collector.push.allow_anonymous && collector.has_tokens());
    let rates = |cluster: &str| {
        let limits = collector.limits_of(cluster);
        (limits.samples_per_second, limits.bytes_per_second, limits.future.as_secs(), limits.labels)
    };
    assert_eq!(rates("berlin"), (Some(5), Some(1 << 20), 3600, 64));
    assert_eq!(rates("dublin"), (Some(7), None, 3600, 64));
    assert_eq!(rates("unheard of"), (Some(7), None, 3600, 64));
    assert_eq!((config.readers.tokens.len(), config.tls_server_config.is_some()), (1, true));
    assert!(parse("tls_server_config: {cert_file: c}\n").unwrap_err().contains("\"key_file\" is missing"));
    let stamped = format!("clusters: [{{name: a, tokens: [{{sha256: {HASH}}}]}}]\npush: {{cluster: a}}\n");
    let message = parse(&stamped).unwrap_err();
    assert!(message.starts_with("f.yaml:2:7: push.cluster: \"a\" has tokens"), "{message}");
}

#[test]
fn the_cluster_of_pushes_without_a_token_is_one_setting() {
    assert_eq!(parse("push: {cluster: a}\n").unwrap().collector.push.cluster.as_deref(), Some("a"));
    for section in ["remote_write", "log_push", "otlp"] {
        let message = parse(&format!("{section}:\n  cluster: a\n")).unwrap_err();
        assert_eq!(message, "f.yaml:2:3: unknown key \"cluster\", it is push.cluster for all receivers");
    }
    let message = parse("push: {cluster: ''}\n").unwrap_err();
    assert_eq!(message, "f.yaml:1:7: push: cluster is empty, leave it out if the sender's own label is to count");
    assert!(parse("push: {cluster_limit: 0}\n").unwrap_err().contains("cluster_limit is 0"));
}
