use crate::config::{Config, LokiConfig};

fn read(entry: &str) -> Result<LokiConfig, String> {
    let text = format!("loki_configs: [{entry}]");
    let config: Config = serde_saphyr::from_str(&text).map_err(|e| e.to_string())?;
    config.validate().map_err(|e| e.to_string())?;
    let again: Config = serde_saphyr::from_str(&serde_saphyr::to_string(&config).unwrap()).unwrap();
    assert_eq!(again, config, "what is written is read again");
    Ok(config.loki_configs[0].clone())
}

#[test]
fn a_server_needs_only_cluster_and_url() {
    let config = read("{cluster: east, url: 'http://loki:3100'}").unwrap();
    assert_eq!(config, LokiConfig::new("east", "http://loki:3100"));
    let url = config.request_url().unwrap();
    let asked = "query=%7Bjob%3D%7E%22.%2B%22%7D&direction=forward";
    assert_eq!(url.as_str(), format!("http://loki:3100/loki/api/v1/query_range?{asked}"));
    assert_eq!(config.timeout(), std::time::Duration::from_secs(10));
}

#[test]
fn every_field_is_read_and_written() {
    let config = read(
        "{job_name: central, cluster: west, url: 'https://gateway/loki/', query: '{app=\"a\"} |= `x`', \
         headers: {X-Scope-OrgID: team}, scrape_interval: 1m, scrape_timeout: 20s, body_size_limit: 512MB, limit: 100, \
         delay: 5s, backfill: 2h, authorization: {credentials_file: token}, tls_config: {ca_file: ca.pem}, \
         follow_redirects: false, proxy_url: 'http://proxy:3128'}",
    )
    .unwrap();
    assert_eq!((config.limit, config.delay.as_secs(), config.backfill.as_secs()), (100, 5, 7200));
    assert_eq!(config.headers["X-Scope-OrgID"], "team");
    assert!(config.request_url().unwrap().as_str().starts_with("https://gateway/loki/loki/api/v1/query_range?query="));
}

#[test]
fn a_mistake_names_the_entry_and_the_field() {
    let cases = [
        ("cluster: ''", "loki_configs[0] (cluster \"\", http://loki:3100): cluster is empty"),
        ("query: ' '", "query is empty"),
        ("limit: 0", "limit is not between 1 and 1000000"),
        ("body_size_limit: 2GB", "body_size_limit is not between"),
        ("scrape_timeout: 1h", "scrape_timeout"),
        ("headers: {Authorization: x}", "cannot be set here"),
        ("url: 'http://user:pass@loki'", "credentials"),
        ("url: 'http://loki/?a=b'", "holds parameters"),
        ("url: 'ftp://loki'", "http://"),
        ("tenant: a", "tenant"),
    ];
    for (field, expected) in cases {
        let base = [("cluster", "cluster: east"), ("url", "url: 'http://loki:3100'")];
        let kept = base.iter().filter(|(name, _)| !field.starts_with(name)).map(|(_, text)| *text);
        let fields: Vec<&str> = kept.chain([field]).collect();
        let error = read(&format!("{{{}}}", fields.join(", "))).expect_err(field);
        assert!(error.contains(expected), "{field} -> {error}");
    }
    let twins = "{cluster: c, url: 'http://a'}, {cluster: c, url: 'http://a:80', query: '{a=\"b\"}'}";
    let error = read(twins).unwrap_err();
    assert!(error.contains("loki_configs[1]") && error.contains("loki_configs[0]"), "{error}");
    let apart = twins.replace("url: 'http://a:80'", "job_name: other, url: 'http://a:80'");
    read(&apart).unwrap();
}
