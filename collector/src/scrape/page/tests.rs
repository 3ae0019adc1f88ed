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
    let texts = |weights: [u8; 5]| {
        let [a, b, c, d, e] = weights;
        format!(
            "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.{a},\
             application/openmetrics-text;version=0.0.1;q=0.{b},\
             text/plain;version=1.0.0;escaping=allow-utf-8;q=0.{c},text/plain;version=0.0.4;q=0.{d},*/*;q=0.{e}"
        )
    };
    let proto = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6";
    assert_eq!(forms("").accept, texts([6, 5, 4, 3, 2]));
    assert_eq!(forms("scrape_native_histograms: true").accept, format!("{proto},{}", texts([5, 4, 3, 2, 1])));
    let only = forms("scrape_protocols: [PrometheusText0.0.4]").accept;
    assert_eq!(only, "text/plain;version=0.0.4;q=0.6,*/*;q=0.5");
    let chosen =
        forms("scrape_native_histograms: true, scrape_protocols: [PrometheusText0.0.4, PrometheusProto]").accept;
    assert_eq!(chosen, format!("text/plain;version=0.0.4;q=0.6,{},*/*;q=0.4", proto.replace("0.6", "0.5")));
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
fn protobuf_says_which_one_it_is() {
    let wanted = |native, classic_too| Ok(Form::Protobuf(Histograms { native, classic_too }));
    let usual = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited";
    assert_eq!(form("", Some(usual)), wanted(false, false));
    let both = "scrape_native_histograms: true, always_scrape_classic_histograms: true";
    assert_eq!(form(both, Some(usual)), wanted(true, true));
    assert_eq!(form(both, Some("application/vnd.google.protobuf;escaping=underscores")), wanted(true, true));
    for other in ["encoding=text", "proto=other.Message;encoding=delimited"] {
        let other = format!("application/vnd.google.protobuf;{other}");
        let message = form("", Some(Box::leak(other.into_boxed_str()))).unwrap_err();
        assert!(message.contains("a protobuf that is not understood"), "{message}");
    }
    assert_eq!(form("fallback_scrape_protocol: PrometheusProto", None), wanted(false, false));
}
