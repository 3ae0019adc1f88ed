//! Answers say what is missing from them: clusters whose source was away, times in which this process was.

use std::time::Duration;

use chrono::{DateTime, Utc};
use rustix::process::Signal;
use serde_json::Value;
use tempfile::tempdir;

use crate::peers::Prometheus;
use crate::server::{PATIENCE, Server, Setup, eventually};

/// The warnings of an answer for a range of time in seconds, with a step of one second.
pub(crate) async fn warnings(server: &Server, expression: &str, (start, end): (f64, f64)) -> Vec<String> {
    let form = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("query", expression), ("step", "1")])
        .extend_pairs([("start", start.to_string()), ("end", end.to_string())])
        .finish();
    let url = server.url(&format!("/prometheus/api/v1/query_range?{form}"));
    let answer: Value = serde_json::from_str(&reqwest::get(url).await.unwrap().text().await.unwrap()).unwrap();
    assert_eq!(answer["status"], "success", "{answer}");
    let texts = answer["warnings"].as_array().into_iter().flatten();
    texts.map(|text| text.as_str().unwrap().to_owned()).collect()
}

/// The warnings of an answer for the last so many seconds.
async fn lately(server: &Server, expression: &str, seconds: f64) -> Vec<String> {
    let now = model::Clock::now_ms(&model::SystemClock) as f64 / 1000.0;
    warnings(server, expression, (now - seconds, now)).await
}

#[tokio::test]
async fn an_answer_says_which_cluster_was_silent_and_when() {
    let folder = tempdir().unwrap();
    let start = |cluster| {
        let folder = folder.path().join(cluster);
        async move { Prometheus::start_of_itself(&folder, "{}", None).await }
    };
    let (eu, us) = tokio::join!(start("eu"), start("us"));
    let yaml = format!(
        "global: {{scrape_interval: 1s, scrape_timeout: 1s}}\nfederate_configs:\n  - {{cluster: eu, url: '{}'}}\n  - {{cluster: us, url: '{}'}}\n",
        eu.url, us.url
    );
    let setup = Setup::new(folder.path(), &yaml);
    let mut server = Server::start(&setup).await;
    for cluster in ["eu", "us"] {
        let sql = format!(
            "SELECT count(*) FROM metrics WHERE name = 'up' AND labels['job'] = 'federate' AND cluster = '{cluster}' AND \
             value = 1"
        );
        eventually("answers of both", PATIENCE, async || (server.number(&sql).await >= 2).then_some(())).await;
    }
    drop(eu);
    let about = |warnings: &[String], cluster: &str| {
        warnings.iter().find(|text| text.starts_with(&format!("data of cluster \"{cluster}\" is missing: "))).cloned()
    };
    let of_eu = async || about(&lately(&server, r#"sum(rate(up{cluster="eu"}[1m]))"#, 60.0).await, "eu");
    let told = eventually("eu is silent", PATIENCE, of_eu).await;
    assert!(told.contains("job \"federate\" at http://") && told.contains(" since 20"), "{told}");
    // A question that reaches the cluster among others is told too, one that does not is not.
    assert!(about(&lately(&server, "count(up)", 60.0).await, "eu").is_some());
    let of_us = lately(&server, r#"count(up{cluster=~"us|asia"})"#, 60.0).await;
    assert_eq!(about(&of_us, "eu"), None, "{of_us:?}");

    // Nobody asked while this process was dead, and stored `up` says so.
    server.signal(Signal::KILL);
    server.ended().await;
    let dead = Utc::now();
    // For the length of some intervals.
    tokio::time::sleep(Duration::from_secs(4)).await;
    let server = Server::start(&setup).await;
    let covers = |told: &str| {
        let mut times = told.split(' ').filter_map(|word| word.parse::<DateTime<Utc>>().ok());
        let (after, until) = (times.next(), times.next());
        after.is_some_and(|after| after <= dead) && until.is_none_or(|until| until > dead)
    };
    let of_us = async || {
        let seconds = (Utc::now() - dead).num_seconds() as f64 + 30.0;
        let told = about(&lately(&server, r#"up{cluster="us"}"#, seconds).await, "us")?;
        let gaps = told.split(" from ").skip(2).chain(told.split(" since ").skip(1));
        gaps.filter_map(|gap| gap.split(',').next()).any(covers).then_some(())
    };
    eventually("the time in which nobody asked", PATIENCE, of_us).await;
    server.terminate().await;
}
