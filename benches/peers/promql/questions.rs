//! What is asked.

use super::data::{Data, pod_name};

/// The metrics there are.
pub(super) const NAMES: [&str; 11] = [
    "http_requests_total",
    "http_request_duration_seconds_bucket",
    "http_request_duration_seconds_sum",
    "http_request_duration_seconds_count",
    "container_cpu_usage_seconds_total",
    "container_memory_working_set_bytes",
    "go_goroutines",
    "kube_pod_info",
    "up",
    "container_network_receive_bytes_total",
    "kube_pod_container_status_running",
];

/// A question.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) what: &'static str,
    /// The expression, or the selector of series whose pods are asked for.
    pub(super) text: String,
    pub(super) asked: Asked,
    /// What the answer of VictoriaMetrics has in common with ours. That of Prometheus must be the same.
    pub(super) victoria: Alike,
}

/// How it is asked, always of all the time there is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Asked {
    /// With a value every so many seconds.
    Range { step: i64 },
    /// For one value at the end.
    Instant,
    /// For the values of the label `pod`.
    LabelValues,
}

/// What must be alike of two answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Alike {
    Values,
    /// How many series there are: VictoriaMetrics takes rates, and steps of subqueries, by rules of its own.
    Series,
}

/// All of them.
pub(super) fn all(data: &Data) -> Vec<Question> {
    let (start, end) = data.range();
    // As many points as a panel of Grafana has on half a screen, in whole minutes.
    let step = ((end - start) / 288 / 60 * 60).max(60);
    let (range, raw) = (Asked::Range { step }, Asked::Range { step: ((end - start) / 5760).max(15) });
    let question = |what, text: &str, asked, victoria| Question { what, text: text.to_owned(), asked, victoria };
    let one = format!("go_goroutines{{pod=\"{}\"}}", pod_name(1, 0));
    vec![
        question("one series, a value every 15 s", &one, raw, Alike::Values),
        question(
            "sum by (cluster) of the rates of all counters",
            r#"sum by (cluster) (rate({__name__=~".+_total|.+_bucket"}[5m]))"#,
            range,
            Alike::Series,
        ),
        question(
            "99th percentile by cluster, from the rates of buckets",
            "histogram_quantile(0.99, sum by (le, cluster) (rate(http_request_duration_seconds_bucket[5m])))",
            range,
            Alike::Series,
        ),
        question("topk of a gauge", "topk(10, container_memory_working_set_bytes)", range, Alike::Values),
        question(
            "rates joined with their nodes by group_left",
            "sum by (cluster, node) (rate(container_cpu_usage_seconds_total[5m]) \
             * on (cluster, namespace, pod) group_left (node) kube_pod_info)",
            range,
            Alike::Series,
        ),
        question(
            "count by (namespace) of what comes and goes",
            "count by (namespace) (kube_pod_container_status_running)",
            range,
            Alike::Series,
        ),
        question(
            "quantile_over_time, an hour",
            // Without the name, which VictoriaMetrics keeps.
            "max by (cluster, pod) (quantile_over_time(0.95, container_memory_working_set_bytes[1h]))",
            range,
            Alike::Values,
        ),
        // Half a minute longer than so many steps: whether a window that begins at a step has it has changed since 2.42.
        question(
            "subquery: the highest rate of an hour",
            "max_over_time(sum by (cluster) (rate(http_requests_total[5m]))[59m30s:1m])",
            range,
            Alike::Series,
        ),
        question(
            "all series at an instant, by name",
            r#"count by (__name__) ({__name__=~".+"})"#,
            Asked::Instant,
            Alike::Series,
        ),
        question(
            "sum of the rates of all counters at an instant",
            r#"sum by (cluster) (rate({__name__=~".+_total|.+_bucket"}[1h]))"#,
            Asked::Instant,
            Alike::Series,
        ),
        question(
            "a regular expression that few of all series match",
            r#"count by (cluster) ({pod=~"(job|web)-.*(77|00).*0"})"#,
            range,
            Alike::Series,
        ),
        question("pods of what comes and goes", "kube_pod_container_status_running", Asked::LabelValues, Alike::Values),
        question("pods of one namespace", r#"{namespace="team-03"}"#, Asked::LabelValues, Alike::Values),
    ]
}
