//! Expressions that 2.42 and 3.x answer alike.
//!
//! Left out, since 3.x answers otherwise, which the text cases of `query/promql/cases` cover:
//! `atan2` of a vector, whose result had the name of the metric; windows of subqueries that begin at one of their steps, which
//! belonged to them (so windows here are half a second longer than so many steps); `rate` and `increase` of what begins
//! close to zero, which was carried on further towards it; and what was renamed, as `holt_winters`.

/// Selectors of instants.
const VECTORS: [&str; 12] = [
    "up",
    "temperature",
    "requests_total",
    "churn",
    r#"requests_total{code="500"}"#,
    r#"requests_total{code!="200",instance=~"a.*|b:9100"}"#,
    r#"temperature{cluster="berlin"}"#,
    r#"temperature{instance!~"[ab].*"}"#,
    r#"{__name__=~"up|temperature"}"#,
    r#"churn{kind="holes"}"#,
    r#"churn{kind=~"late|ended"}"#,
    "requests_total offset 7m",
];
/// Functions of one range.
const OVER_RANGES: [&str; 18] = [
    "rate",
    "increase",
    "delta",
    "irate",
    "idelta",
    "deriv",
    "changes",
    "resets",
    "avg_over_time",
    "sum_over_time",
    "min_over_time",
    "max_over_time",
    "count_over_time",
    "stddev_over_time",
    "stdvar_over_time",
    "last_over_time",
    "present_over_time",
    "absent_over_time",
];
const RANGES: [&str; 4] = ["2m", "5m", "17m", "1h"];
const FUNCTIONS: [&str; 22] = [
    "abs",
    "ceil",
    "floor",
    "exp",
    "ln",
    "log2",
    "log10",
    "sqrt",
    "sgn",
    "sin",
    "cos",
    "tanh",
    "deg",
    "rad",
    "minute",
    "hour",
    "day_of_week",
    "month",
    "timestamp",
    "absent",
    "sort",
    "scalar",
];
const AGGREGATIONS: [&str; 8] = ["sum", "avg", "min", "max", "count", "group", "stddev", "stdvar"];
const GROUPINGS: [&str; 5] = ["", "by (cluster)", "by (cluster, code)", "without (instance)", "by (none)"];
const BINARIES: [&str; 6] = ["+", "-", "*", "/", "%", "^"];
const COMPARISONS: [&str; 6] = ["==", "!=", "<", "<=", ">", ">="];

/// All of them.
pub(super) fn all() -> Vec<String> {
    let mut all: Vec<String> = VECTORS.map(str::to_owned).into();
    for function in OVER_RANGES {
        for range in RANGES {
            let of: &[&str] = match function {
                "rate" | "increase" => &["requests_total", "latency_seconds_bucket"],
                _ => &["requests_total", "temperature", "churn"],
            };
            all.extend(of.iter().map(|of| format!("{function}({of}[{range}])")));
        }
    }
    for vector in &VECTORS[..4] {
        for function in FUNCTIONS {
            all.push(format!("{function}({vector})"));
        }
    }
    for aggregation in AGGREGATIONS {
        for grouping in GROUPINGS {
            for of in ["requests_total", "rate(requests_total[5m])", "churn"] {
                all.push(format!("{aggregation} {grouping} ({of})"));
            }
        }
    }
    for operator in BINARIES {
        all.push(format!("temperature {operator} 3"));
        all.push(format!("2 {operator} temperature"));
        all.push(format!("temperature {operator} on (cluster, instance) up"));
        all.push(format!("requests_total {operator} on (cluster, instance) group_left () temperature"));
        all.push(format!("up {operator} ignoring (job) group_right (job) requests_total"));
        all.push(format!("sum(requests_total) {operator} scalar(sum(up))"));
    }
    for operator in COMPARISONS {
        all.push(format!("temperature {operator} 25"));
        all.push(format!("temperature {operator} bool 25"));
        all.push(format!("requests_total {operator} on (cluster, instance) group_left () temperature"));
        all.push(format!("rate(requests_total[5m]) {operator} bool (rate(requests_total[17m]))"));
    }
    for operator in ["and", "or", "unless"] {
        all.push(format!("requests_total {operator} on (instance) temperature > 20"));
        all.push(format!("churn {operator} churn offset 10m"));
        all.push(format!("temperature {operator} ignoring (job) up"));
    }
    all.extend(others());
    all
}

fn others() -> Vec<String> {
    let mut all = Vec::new();
    for number in ["0", "0.01", "0.5", "0.9", "0.99", "1"] {
        all.push(format!("histogram_quantile({number}, rate(latency_seconds_bucket[5m]))"));
        all.push(format!("histogram_quantile({number}, sum by (le, cluster) (rate(latency_seconds_bucket[17m])))"));
        all.push(format!("quantile_over_time({number}, temperature[17m])"));
        all.push(format!("quantile by (cluster) ({number}, requests_total)"));
    }
    for number in [1, 2, 5, 100] {
        all.push(format!("topk({number}, requests_total)"));
        all.push(format!("bottomk by (cluster) ({number}, temperature)"));
        all.push(format!("topk without (instance) ({number}, rate(requests_total[5m]))"));
    }
    for range in ["10m500ms:1m", "20m500ms:30s", "1h500ms:5m", "10m500ms:"] {
        all.push(format!("max_over_time(rate(requests_total[2m])[{range}])"));
        all.push(format!("avg_over_time(sum by (cluster) (temperature)[{range}])"));
        all.push(format!("count_over_time(churn[{range}])"));
        all.push(format!("rate(requests_total[{range}])"));
        all.push(format!("deriv(temperature[{range}] offset 3m)"));
    }
    for modifier in ["offset 5m", "offset -5m", "@ start()", "@ end()", "@ end() offset 10m"] {
        all.push(format!("requests_total {modifier}"));
        all.push(format!("rate(requests_total[5m] {modifier})"));
        all.push(format!("sum(churn {modifier})"));
    }
    for vector in VECTORS {
        all.push(format!("sum without (instance, code) ({vector})"));
        all.push(format!("{vector} * 2 > 10"));
    }
    let single = [
        "clamp(temperature, 10, 30)",
        "clamp_min(temperature, 22)",
        "clamp_max(temperature, 22)",
        "round(temperature)",
        "round(temperature, 5)",
        "predict_linear(temperature[17m], 600)",
        "predict_linear(requests_total[5m], -60)",
        "count_values(\"value\", round(temperature, 10))",
        "count_values by (cluster) (\"value\", up)",
        "label_replace(up, \"host\", \"$1\", \"instance\", \"(.*):.*\")",
        "label_replace(up, \"host\", \"x-$1-$2\", \"instance\", \"([a-b]):(.*)\")",
        "label_join(up, \"both\", \"/\", \"cluster\", \"instance\")",
        "vector(1)",
        "vector(time())",
        "time() - timestamp(up)",
        "scalar(up{instance=\"a:9100\",cluster=\"berlin\"}) + temperature",
        "1 + 2 * 3 ^ 2 ^ 0.5",
        "-temperature",
        "-(1 + sum(up))",
        "sum(up) by (cluster) / count(up) by (cluster)",
        "sum by (cluster) (rate(requests_total{code=\"500\"}[5m])) / sum by (cluster) (rate(requests_total[5m]))",
        "absent(nothing{a=\"b\",c=~\"d\"})",
        "absent(sum(nothing))",
        "absent_over_time(churn{kind=\"ended\"}[5m])",
        "sum(churn) or vector(0)",
        "max by (cluster) (temperature) - min by (cluster) (temperature)",
        "avg(avg by (cluster) (temperature))",
        "sum(rate(requests_total[5m])) by (code) > 3",
        "temperature > on (cluster, instance) group_left () (up * 20)",
        "count(requests_total > 1000) by (cluster)",
        "stddev(rate(requests_total[5m]))",
        "days_in_month(vector(time()))",
        "year()",
        "minute(vector(0))",
        "(sum(requests_total) - sum(requests_total offset 30m)) / 1800",
        "topk(1, sum by (code) (requests_total))",
        "sum(requests_total) / on () group_left () sum(up)",
        "requests_total{code=~\"2..|4..\"} unless requests_total{code=\"404\"}",
    ];
    all.extend(single.map(str::to_owned));
    all
}
