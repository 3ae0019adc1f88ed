use reqwest::header::{CONTENT_TYPE, HeaderValue};

use super::*;

fn forms(yaml: &str) -> Forms {
    let config: ScrapeConfig = serde_saphyr::from_str(&format!("{{job_name: node, cluster: east, {yaml}}}")).unwrap();
    config.validate().unwrap();
    Forms::new(&config)
}

fn form(yaml: &str, content_type: Option<&'static str>) -> Result<Form, String> {
    let mut headers = HeaderMap::new();
    if let Some(value) = content_type {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(value));
    }
    forms(yaml).of_answer(&headers).map_err(|failure| failure.message)
}

#[test]
fn forms_are_asked_for_in_their_order() {
    assert_eq!(
        forms("").accept,
        "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,\
         application/openmetrics-text;version=0.0.1;q=0.4,\
         text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1"
    );
    let only = forms("scrape_protocols: [PrometheusText0.0.4]").accept;
    assert_eq!(only, "text/plain;version=0.0.4;q=0.2,*/*;q=0.1");
}

#[test]
fn the_answer_says_its_form() {
    assert_eq!(form("", Some("text/plain; version=0.0.4; charset=utf-8")), Ok(Form::Text));
    assert_eq!(form("", Some("Text/Plain")), Ok(Form::Text));
    assert_eq!(form("", Some("text/plain;version=\"1.0.0\";escaping=values")), Ok(Form::Text));
    assert_eq!(form("", Some("application/openmetrics-text; version=1.0.0; charset=utf-8")), Ok(Form::OpenMetrics));
    assert!(form("", Some("application/openmetrics-text; version=2.0.0")).unwrap_err().contains("2.0.0"));
    assert!(form("", Some("text/html")).unwrap_err().contains("fallback_scrape_protocol"));
    assert!(form("", None).unwrap_err().contains("no content type"));
}

#[test]
fn a_fallback_is_for_answers_that_say_nothing_known() {
    let fallback = "fallback_scrape_protocol: OpenMetricsText1.0.0";
    assert_eq!(form(fallback, None), Ok(Form::OpenMetrics));
    assert_eq!(form(fallback, Some("text/html")), Ok(Form::OpenMetrics));
    assert_eq!(form(fallback, Some("text/plain")), Ok(Form::Text));
}

#[test]
fn protobuf_is_refused_by_name() {
    for yaml in ["scrape_protocols: [PrometheusProto]", "fallback_scrape_protocol: PrometheusProto"] {
        let config: ScrapeConfig = serde_saphyr::from_str(&format!("{{job_name: a, cluster: b, {yaml}}}")).unwrap();
        assert!(config.validate().unwrap_err().to_string().contains("PrometheusProto is not served yet"));
    }
}
