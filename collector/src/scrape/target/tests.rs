use super::*;
use crate::config::RelabelConfig;

fn config(yaml: &str) -> ScrapeConfig {
    let config: ScrapeConfig = serde_saphyr::from_str(&format!("{{job_name: node, cluster: east, {yaml}}}")).unwrap();
    config.validate().unwrap();
    config
}

/// The target of one address with further labels, or why there is none.
fn resolve(yaml: &str, labels: &[(&str, &str)]) -> Result<Option<Target>, String> {
    let config = config(yaml);
    let rules = Rules::new(&config.relabel_configs).unwrap();
    Resolver::new(&config, &rules).target(labels.iter().copied()).map_err(|e| e.to_string())
}

fn target(yaml: &str, labels: &[(&str, &str)]) -> Target {
    resolve(yaml, labels).unwrap().unwrap()
}

fn labels(target: &Target) -> String {
    let pairs: Vec<String> = target.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join(",")
}

#[test]
fn an_address_is_enough() {
    let target = target("", &[("__address__", "host:9100")]);
    assert_eq!(target.url.as_str(), "http://host:9100/metrics");
    assert_eq!(labels(&target), "instance=host:9100,job=node");
    assert_eq!((target.interval, target.timeout), (Duration::from_secs(15), Duration::from_secs(10)));
    let SourceId { kind, cluster, job, instance, url, labels } = target.id;
    assert_eq!((kind, &*cluster, &*job, &*instance), ("scrape", "east", "node", "host:9100"));
    assert_eq!((&*url, &*labels), ("http://host:9100/metrics", ""));
}

#[test]
fn what_discovery_says_wins_over_the_configuration() {
    let found = [
        ("__address__", "host:9100"),
        ("__scheme__", "https"),
        ("__metrics_path__", "other"),
        ("__scrape_interval__", "1m"),
        ("__scrape_timeout__", "30s"),
        ("job", "renamed"),
        ("instance", "one"),
        ("__meta_zone", "a"),
        ("__internal", "b"),
        ("shard", "7"),
    ];
    let target = target("metrics_path: /mine, scrape_interval: 5s", &found);
    assert_eq!(target.url.as_str(), "https://host:9100/other");
    assert_eq!(labels(&target), "instance=one,job=renamed,shard=7");
    assert_eq!((target.interval, target.timeout), (Duration::from_secs(60), Duration::from_secs(30)));
    assert_eq!(target.id.labels, r#"{shard="7"}"#);
}

#[test]
fn parameters_of_labels_replace_the_first_of_the_configuration() {
    let yaml = "params: {module: [http, tcp], target: []}, \
                relabel_configs: [{source_labels: [__param_module], target_label: seen}]";
    let found = [("__address__", "host"), ("__param_target", "a b"), ("__param_module", "ignored")];
    let first = target(yaml, &found);
    // The configuration's own first value stands in the label before rules are applied.
    assert_eq!(first.url.as_str(), "http://host/metrics?module=http&module=tcp&target=a+b");
    assert_eq!(labels(&first), "instance=host,job=node,seen=http");
    let yaml = "params: {module: [http, tcp]}, \
                relabel_configs: [{target_label: __param_module, replacement: icmp}]";
    assert_eq!(target(yaml, &found[..1]).url.query(), Some("module=icmp&module=tcp"));
}

#[test]
fn rules_make_the_target_or_drop_it() {
    let blackbox = "relabel_configs: [\
        {source_labels: [__address__], target_label: __param_target}, \
        {source_labels: [__param_target], target_label: instance}, \
        {target_label: __address__, replacement: 'prober:9115'}]";
    let target = target(blackbox, &[("__address__", "https://example.org/path")]);
    assert_eq!(target.url.as_str(), "http://prober:9115/metrics?target=https%3A%2F%2Fexample.org%2Fpath");
    assert_eq!(labels(&target), "instance=https://example.org/path,job=node");
    let drop = "relabel_configs: [{source_labels: [__address__], regex: 'host.*', action: drop}]";
    assert_eq!(resolve(drop, &[("__address__", "host:9100")]), Ok(None));
}

#[test]
fn what_is_no_target_says_why() {
    let address = [("__address__", "host:1")];
    let case = |yaml: &str, labels: &[(&str, &str)], expected: &str| {
        let error = resolve(yaml, labels).unwrap_err();
        assert!(error.contains(expected), "{error}");
    };
    case("", &[("x", "1")], "no __address__");
    case("relabel_configs: [{action: labelkeep, regex: job}]", &address, "no __address__");
    case("", &[("__address__", "host:1/path")], "__address__ \"host:1/path\" is not a host");
    case("", &[("__address__", "user@host:1")], "is not a host");
    case("", &[("__address__", "host:99999")], "is not a host");
    case("", &[address[0], ("__scheme__", "ftp")], "__scheme__ \"ftp\"");
    case("", &[address[0], ("__scrape_interval__", "soon")], "__scrape_interval__ \"soon\"");
    case("", &[address[0], ("__scrape_timeout__", "1m")], "scrape_timeout 1m is not between");
}

#[test]
fn the_identity_is_what_is_asked_and_what_it_is_called() {
    let identity = |labels: &[(&str, &str)]| target("", labels).identity();
    let base = identity(&[("__address__", "a:1")]);
    assert_eq!(base, identity(&[("__address__", "a:1"), ("__meta_pod", "x")]));
    assert_ne!(base, identity(&[("__address__", "a:1"), ("x", "1")]));
    assert_ne!(base, identity(&[("__address__", "a:1"), ("__metrics_path__", "/b")]));
    assert_ne!(base, identity(&[("__address__", "a:1"), ("__param_x", "1")]));
}

#[test]
fn rules_are_checked_with_the_configuration() {
    let mut wrong = ScrapeConfig::new("node", "east");
    wrong.relabel_configs = vec![RelabelConfig { regex: Some("(".into()), ..RelabelConfig::default() }];
    let error = wrong.validate().unwrap_err().to_string();
    assert!(error.contains("relabel_configs"), "{error}");
}
