//! The rules of every cluster: what dashboards and alerts of kube-prometheus stand on, asked of the demo, and recorded under their
//! names with colons.

mod rules;

use reqwest::Client;
use serde_json::Value;
use tempfile::tempdir;

use crate::demo::Demo;
use crate::remote_write::{self, now_ms};
use crate::server::{PATIENCE, Server, Setup, eventually};
use rules::{OF_API_SERVERS, OF_NODES, OF_PODS, Rule};

/// Of these the demo has data from its first minute on.
const HISTORY: &str = "1h";

/// A series of an answer: its labels, its value.
type Series = (Vec<(String, String)>, f64);

/// Asks as the rules of a Prometheus do: at an instant, in milliseconds.
async fn ask(server: &str, expression: &str, time_ms: i64) -> Vec<Series> {
    let time = (time_ms as f64 / 1000.0).to_string();
    let form = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("query", expression), ("time", time.as_str())])
        .finish();
    let request = Client::new().post(format!("{server}/prometheus/api/v1/query")).body(form);
    let answer = request.header("content-type", "application/x-www-form-urlencoded").send().await.unwrap();
    let text = answer.text().await.unwrap();
    let answer: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(answer["status"], "success", "{expression}: {text}");
    let series = |series: &Value| {
        let labels = series["metric"].as_object().unwrap().iter();
        let labels = labels.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect();
        (labels, series["value"][1].as_str().unwrap().parse().unwrap())
    };
    answer["data"]["result"].as_array().unwrap().iter().map(series).collect()
}

fn all() -> Vec<Rule> {
    [&OF_PODS[..], &OF_API_SERVERS, &OF_NODES].concat()
}

/// The answer as series of the name under which it is recorded.
fn recorded(name: &str, answer: Vec<Series>) -> Vec<Series> {
    let named = |(mut labels, value): Series| {
        labels.retain(|(label, _)| label != "__name__");
        labels.push(("__name__".to_owned(), name.to_owned()));
        labels.sort();
        (labels, value)
    };
    let mut answer: Vec<Series> = answer.into_iter().map(named).collect();
    answer.sort_by(|a, b| a.0.cmp(&b.0));
    answer
}

#[tokio::test]
async fn rules_of_every_cluster_are_answered_and_found_by_the_names_they_are_recorded_under() {
    let demo = Demo::start(&["--history", HISTORY]);
    let of_demo = demo.after("answers on ");
    // One of the four may be silent just now.
    let fresh = "count(max by (cluster) (timestamp(node_load1)) > time() - 30) >= 3";
    eventually("the clusters are heard", PATIENCE, async || {
        (!ask(&of_demo, fresh, now_ms()).await.is_empty()).then_some(())
    })
    .await;
    let folder = tempdir().unwrap();
    let server = Server::start(&Setup::new(folder.path(), "")).await;
    let (rules, time_ms, mut wrong) = (all(), now_ms(), Vec::new());
    assert!(rules.len() >= 30, "{} rules", rules.len());
    for (name, expression, (least, most)) in &rules {
        let answer = recorded(name, ask(&of_demo, expression, time_ms).await);
        let clusters: std::collections::BTreeSet<&str> = answer
            .iter()
            .flat_map(|(labels, _)| labels.iter().filter(|(label, _)| label == "cluster"))
            .map(|(_, cluster)| cluster.as_str())
            .collect();
        if clusters.len() < 3 {
            wrong.push(format!("{name}: only of {clusters:?}"));
        }
        if let Some((labels, value)) = answer.iter().find(|(_, value)| !(*least..=*most).contains(value)) {
            wrong.push(format!("{name}: {value} is not between {least} and {most}: {labels:?}"));
        }
        let labels: Vec<Vec<(&str, &str)>> =
            answer.iter().map(|(labels, _)| labels.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect()).collect();
        let samples: Vec<[(i64, f64); 1]> = answer.iter().map(|(_, value)| [(time_ms, *value)]).collect();
        let series: Vec<_> = labels.iter().map(Vec::as_slice).zip(samples.iter().map(<[_; 1]>::as_slice)).collect();
        remote_write::write(&server, &series).await;
        let found = recorded(name, ask(&server.url(""), name, time_ms).await);
        if found != answer {
            wrong.push(format!("{name}: {} series were recorded, {} are found by it", answer.len(), found.len()));
        }
    }
    assert!(wrong.is_empty(), "{} of {} rules:\n{}", wrong.len(), rules.len(), wrong.join("\n"));
    // A recorded name in a rule over it, and in a matcher.
    let above = "sum by (cluster) (node_namespace_pod_container:container_memory_rss) \
                 / sum by (cluster) ({__name__=\"node_namespace_pod_container:container_memory_working_set_bytes\"})";
    let shares = ask(&server.url(""), above, time_ms).await;
    assert!(shares.len() >= 3 && shares.iter().all(|(_, share)| (0.5..1.0).contains(share)), "{shares:?}");
    let levels = ask(&server.url(""), "count by (__name__) ({__name__=~\"instance:node_.*:.+\"})", time_ms).await;
    assert!(levels.len() >= 5, "{levels:?}");
    server.terminate().await;
}
