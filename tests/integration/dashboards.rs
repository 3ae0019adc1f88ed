//! The dashboards: whatever their panels and variables ask is put to the demo in Grafana's words, and must be answered.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use model::duration;
use regex::{Captures, Regex};
use reqwest::{Client, Url};
use serde_json::Value;

use crate::demo::Demo;
use crate::remote_write::now_ms;
use crate::server::{PATIENCE, eventually};

/// Panels that may have nothing to show, each with its reason.
const MAY_BE_EMPTY: [(&str, &str); 2] = [
    ("Why containers wait", "most of the time no container waits"),
    ("Containers that restarted", "an hour may pass without a restart"),
];
/// What the data source is called in every panel.
const DATA_SOURCE: &str = "${datasource}";
/// Pixels of one of the 24 columns of a dashboard on a usual screen.
const COLUMN_PIXELS: f64 = 72.0;
/// Lengths of a step that Grafana rounds to, in seconds.
const STEPS: [f64; 13] = [1.0, 2.0, 5.0, 10.0, 15.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1200.0];

/// A dashboard as it is in its file.
struct Dashboard {
    file: String,
    json: Value,
}

impl Dashboard {
    fn all() -> Vec<Self> {
        let files = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
        let files = files.filter(|path| path.extension().is_some_and(|e| e == "json"));
        let dashboards: Vec<Dashboard> = files
            .map(|path| Dashboard {
                file: path.file_name().unwrap().to_string_lossy().into_owned(),
                json: serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap(),
            })
            .collect();
        assert!(dashboards.len() >= 2, "{} dashboards", dashboards.len());
        dashboards
    }

    fn uid(&self) -> &str {
        text(&self.json, "uid")
    }

    /// The panels that ask something; rows do not.
    fn panels(&self) -> Vec<&Value> {
        list(&self.json, "panels").iter().filter(|panel| text(panel, "type") != "row").collect()
    }

    fn variables(&self) -> &[Value] {
        list(&self.json["templating"], "list")
    }

    /// How much time it shows.
    fn range_seconds(&self) -> f64 {
        assert_eq!(self.json["time"]["to"], "now", "{}", self.file);
        let from = text(&self.json["time"], "from").strip_prefix("now-").unwrap();
        duration::parse(from).unwrap().as_secs_f64()
    }
}

fn folder() -> PathBuf {
    PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap()).join("dashboards")
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| panic!("no text {key:?} in {value}"))
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().unwrap_or_else(|| panic!("no list {key:?} in {value}"))
}

/// A file of provisioning.
fn provisioned(path: &str) -> Value {
    serde_saphyr::from_str(&std::fs::read_to_string(folder().join("provisioning").join(path)).unwrap()).unwrap()
}

/// The interval that the data source is provisioned with, in seconds.
fn scrape_interval() -> f64 {
    let sources = provisioned("datasources/fleetscope.yaml");
    let interval = text(&sources["datasources"][0]["jsonData"], "timeInterval");
    duration::parse(interval).unwrap().as_secs_f64()
}

/// Names of the variables in a text, as Grafana sees them; `$1` is a group of an expression.
fn variables_of(text: &str) -> BTreeSet<String> {
    variable().captures_iter(text).map(|found| name_of(&found).to_owned()).collect()
}

fn variable() -> Regex {
    Regex::new(r"\$(?:\{(\w+)(?::\w+)?\}|([A-Za-z_]\w*))").unwrap()
}

fn name_of<'a>(found: &'a Captures<'_>) -> &'a str {
    found.get(1).or(found.get(2)).unwrap().as_str()
}

fn interpolate(text: &str, values: &BTreeMap<String, String>) -> String {
    let value = |found: &Captures<'_>| match values.get(name_of(found)) {
        Some(value) => value.clone(),
        None => panic!("nothing is known of {} in {text}", &found[0]),
    };
    variable().replace_all(text, value).into_owned()
}

/// Several values of a variable as a regular expression inside a text in quotes.
fn alternatives(values: &[String]) -> String {
    let escaped = |value: &String| {
        let mut text = String::new();
        for c in value.chars() {
            match c {
                '\\' => text.push_str(r"\\\\"),
                c if "$^*{}[]'+?.()|".contains(c) => text.extend(['\\', '\\', c]),
                c => text.push(c),
            }
        }
        text
    };
    match values {
        [one] => escaped(one),
        several => format!("({})", several.iter().map(escaped).collect::<Vec<_>>().join("|")),
    }
}

/// The step of a panel: its range in as many points as it has pixels, rounded, and never below its least interval.
fn step_seconds(range_seconds: f64, pixels: f64, least_seconds: f64) -> f64 {
    let exact = range_seconds / pixels;
    let nearest = STEPS.into_iter().min_by(|a, b| (a - exact).abs().total_cmp(&(b - exact).abs())).unwrap();
    nearest.max(least_seconds)
}

/// Asks the server as Grafana does.
struct Grafana {
    base: String,
    client: Client,
    scrape_interval: f64,
    now: f64,
}

/// Which values of its variables a dashboard shows.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Selection {
    All,
    /// The first and the last.
    Two,
}

impl Grafana {
    fn new(server: &str) -> Self {
        let now = now_ms() as f64 / 1000.0;
        let base = format!("{server}/prometheus/api/v1");
        Grafana { base, client: Client::new(), scrape_interval: scrape_interval(), now }
    }

    /// The data of an answer; the error as it came otherwise.
    async fn post(&self, path: &str, parameters: &[(&str, String)]) -> Result<Value, String> {
        let form = Url::parse_with_params("http://form", parameters).unwrap().query().unwrap().to_owned();
        let request = self.client.post(format!("{}/{path}", self.base)).body(form);
        let answer = request.header("content-type", "application/x-www-form-urlencoded").send().await.unwrap();
        Self::data(answer.text().await.unwrap())
    }

    fn data(body: String) -> Result<Value, String> {
        match serde_json::from_str::<Value>(&body) {
            Ok(mut answer) if answer["status"] == "success" => Ok(answer["data"].take()),
            _ => Err(body),
        }
    }

    /// What `label_values(selector, label)` gives.
    async fn label_values(&self, query: &str, range_seconds: f64) -> Vec<String> {
        let inner = query.strip_prefix("label_values(").and_then(|rest| rest.strip_suffix(')'));
        let (selector, label) = inner.and_then(|inner| inner.rsplit_once(", ")).unwrap_or_else(|| panic!("{query}"));
        let (start, end) = (self.now - range_seconds, self.now);
        let parameters = [("match[]", selector.to_owned()), ("start", start.to_string()), ("end", end.to_string())];
        let url = Url::parse_with_params(&format!("{}/label/{label}/values", self.base), parameters).unwrap();
        let data = Self::data(self.client.get(url).send().await.unwrap().text().await.unwrap());
        let values = data.unwrap_or_else(|error| panic!("{query}: {error}"));
        let values: Vec<String> = serde_json::from_value(values).unwrap();
        assert!(!values.is_empty(), "{query} has no value");
        values
    }

    /// The values of a dashboard's variables.
    async fn values(&self, dashboard: &Dashboard, selection: Selection) -> BTreeMap<String, String> {
        let mut known = BTreeMap::new();
        for variable in dashboard.variables() {
            let value = match text(variable, "type") {
                "datasource" => continue,
                "custom" => text(&variable["current"], "value").to_owned(),
                "query" => {
                    let query = interpolate(text(&variable["query"], "query"), &known);
                    let values = self.label_values(&query, dashboard.range_seconds()).await;
                    match selection {
                        Selection::All => text(variable, "allValue").to_owned(),
                        Selection::Two => alternatives(&[values[0].clone(), values[values.len() - 1].clone()]),
                    }
                }
                other => panic!("a variable of the type {other}"),
            };
            known.insert(text(variable, "name").to_owned(), value);
        }
        known
    }

    /// How many series a target of a panel gives.
    async fn series(
        &self,
        panel: &Value,
        target: &Value,
        range_seconds: f64,
        values: &BTreeMap<String, String>,
    ) -> Result<usize, String> {
        let least = panel["interval"].as_str().map(|interval| duration::parse(interval).unwrap().as_secs_f64());
        let pixels = panel["gridPos"]["w"].as_f64().unwrap() * COLUMN_PIXELS;
        let step = step_seconds(range_seconds, pixels, least.unwrap_or(self.scrape_interval));
        let rate_interval = (step + self.scrape_interval).max(4.0 * self.scrape_interval);
        let mut values = values.clone();
        for (name, seconds) in [("interval", step), ("rate_interval", rate_interval), ("range", range_seconds)] {
            values.insert(format!("__{name}"), format!("{seconds}s"));
        }
        let query = ("query", interpolate(text(target, "expr"), &values));
        let data = if target["instant"] == true {
            self.post("query", &[query, ("time", self.now.to_string())]).await
        } else {
            let end = (self.now / step).floor() * step;
            let start = ((self.now - range_seconds) / step).floor() * step;
            let times = [("start", start), ("end", end), ("step", step)].map(|(name, t)| (name, t.to_string()));
            let [start, end, step] = times;
            self.post("query_range", &[query, start, end, step]).await
        };
        data.map(|data| list(&data, "result").len())
    }
}

#[tokio::test]
async fn every_panel_is_answered_by_the_demo() {
    let demo = Demo::start(&["--history", "1h"]);
    let server = demo.after("answers on ");
    // One of the four may be silent just now.
    let fresh = ("query", "count(max by (cluster) (timestamp(node_load1)) > time() - 30) >= 3".to_owned());
    eventually("the clusters are heard", PATIENCE, async || {
        let data = Grafana::new(&server).post("query", std::slice::from_ref(&fresh)).await.unwrap();
        (!list(&data, "result").is_empty()).then_some(())
    })
    .await;

    let grafana = Grafana::new(&server);
    let (mut asked, mut wrong) = (0, Vec::new());
    for dashboard in Dashboard::all() {
        for selection in [Selection::All, Selection::Two] {
            let values = grafana.values(&dashboard, selection).await;
            for panel in dashboard.panels() {
                let title = text(panel, "title");
                for target in list(panel, "targets") {
                    asked += 1;
                    let series = grafana.series(panel, target, dashboard.range_seconds(), &values).await;
                    let may_be_empty = MAY_BE_EMPTY.iter().any(|(name, _)| *name == title);
                    let what = match series {
                        Ok(0) if !may_be_empty => "nothing".to_owned(),
                        Ok(_) => continue,
                        Err(error) => error,
                    };
                    let place = format!("{}, {selection:?}, {title}, {}", dashboard.file, text(target, "refId"));
                    wrong.push(format!("{place}: {what}: {}", text(target, "expr")));
                }
            }
        }
    }
    assert!(asked > 200, "only {asked} questions");
    assert!(wrong.is_empty(), "{} of {asked} questions:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_panel_says_what_it_shows_and_why_and_asks_the_chosen_data_source() {
    let mut titles = BTreeSet::new();
    for dashboard in Dashboard::all() {
        let known: BTreeSet<&str> = dashboard.variables().iter().map(|variable| text(variable, "name")).collect();
        for panel in dashboard.panels() {
            let place = format!("{}: {}", dashboard.file, text(panel, "title"));
            titles.insert(text(panel, "title").to_owned());
            assert!(text(panel, "title").len() > 2, "{place}");
            assert!(text(panel, "description").len() > 30, "{place}: no description");
            assert!(!text(&panel["fieldConfig"]["defaults"], "unit").is_empty(), "{place}: no unit");
            assert_eq!(panel["datasource"]["uid"], DATA_SOURCE, "{place}");
            assert!(!list(panel, "targets").is_empty(), "{place}: asks nothing");
            let mut ids = BTreeSet::new();
            for target in list(panel, "targets") {
                assert!(ids.insert(text(target, "refId")), "{place}: two targets of one name");
                assert_eq!(target["datasource"]["uid"], DATA_SOURCE, "{place}");
                assert_ne!(target["instant"], target["range"], "{place}");
                let mut used = variables_of(text(target, "expr"));
                assert!(used.remove("cluster"), "{place}: asks all clusters, whatever is chosen");
                used.retain(|name| !name.starts_with("__") && !known.contains(name.as_str()));
                assert_eq!(used, BTreeSet::new(), "{place}");
            }
        }
        for variable in dashboard.variables().iter().filter(|variable| variable["type"] == "query") {
            assert_eq!(variable["datasource"]["uid"], DATA_SOURCE, "{}: {variable}", dashboard.file);
        }
        let cluster = dashboard.variables().iter().find(|variable| variable["name"] == "cluster").unwrap();
        assert_eq!((&cluster["multi"], &cluster["includeAll"]), (&true.into(), &true.into()), "{}", dashboard.file);
    }
    for (title, why) in MAY_BE_EMPTY {
        assert!(titles.contains(title), "no panel {title:?}, which may be empty because {why}");
    }
}

#[test]
fn dashboards_are_told_apart_and_find_each_other() {
    let dashboards = Dashboard::all();
    let uids: BTreeSet<&str> = dashboards.iter().map(Dashboard::uid).collect();
    assert_eq!(uids.len(), dashboards.len(), "{uids:?}");
    let tags: BTreeSet<&str> = dashboards
        .iter()
        .flat_map(|dashboard| list(&dashboard.json, "tags"))
        .map(|tag| tag.as_str().unwrap())
        .collect();
    let readme = std::fs::read_to_string(folder().join("README.md")).unwrap();
    let link = Regex::new(r#""/d/([^?"]+)"#).unwrap();
    for dashboard in &dashboards {
        let file = &dashboard.file;
        assert!(dashboard.json["schemaVersion"].as_u64().unwrap() >= 39, "{file}");
        assert!(dashboard.json.get("id").is_none_or(Value::is_null), "{file}: Grafana gives the id");
        assert!(readme.contains(&format!("## {}\n\n`{file}`", text(&dashboard.json, "title"))), "README.md: {file}");
        for found in link.captures_iter(&dashboard.json.to_string()) {
            assert!(uids.contains(&found[1]), "{file}: no dashboard {}", &found[1]);
        }
        for tag in list(&dashboard.json, "links").iter().flat_map(|link| list(link, "tags")) {
            assert!(tags.contains(tag.as_str().unwrap()), "{file}: no dashboard has the tag {tag}");
        }
        let (mut ids, mut taken) = (BTreeSet::new(), BTreeSet::new());
        for panel in list(&dashboard.json, "panels") {
            let title = text(panel, "title");
            assert!(ids.insert(panel["id"].as_u64().unwrap()), "{file}: two panels of the number of {title:?}");
            let [x, y, w, h] = ["x", "y", "w", "h"].map(|key| panel["gridPos"][key].as_u64().unwrap());
            assert!(w > 0 && h > 0 && x + w <= 24, "{file}: {title:?} is not on the grid");
            let free = (y..y + h).all(|y| (x..x + w).all(|x| taken.insert((x, y))));
            assert!(free, "{file}: {title:?} covers another panel");
        }
    }
}

#[test]
fn what_is_provisioned_is_the_data_source_of_the_dashboards() {
    let sources = provisioned("datasources/fleetscope.yaml");
    let source = &sources["datasources"][0];
    assert_eq!((text(source, "type"), text(source, "access")), ("prometheus", "proxy"));
    assert_eq!(text(source, "url"), "http://127.0.0.1:9911/prometheus");
    assert_eq!(text(&source["jsonData"], "httpMethod"), "POST");
    let providers = provisioned("dashboards/fleetscope.yaml");
    let path = text(&providers["providers"][0]["options"], "path");
    let readme = std::fs::read_to_string(folder().join("README.md")).unwrap();
    assert!(readme.contains(&format!("install -D -t {path} ")), "README.md puts the dashboards elsewhere than {path}");
    for dashboard in Dashboard::all() {
        let kinds: Vec<&str> =
            list(&dashboard.json, "panels").iter().filter_map(|p| p["datasource"]["type"].as_str()).collect();
        assert!(kinds.iter().all(|kind| *kind == text(source, "type")), "{}: {kinds:?}", dashboard.file);
        let variable = dashboard.variables().iter().find(|variable| variable["type"] == "datasource").unwrap();
        assert_eq!(variable["query"], source["type"], "{}", dashboard.file);
    }
}

#[test]
fn values_are_put_into_a_question_as_grafana_does() {
    let known = |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let values: BTreeMap<String, String> = known(&[("cluster", "(a|b)"), ("__rate_interval", "120s")]);
    let asked = interpolate(r#"rate(x{c=~"$cluster"}[$__rate_interval]) $1 ${cluster:regex}"#, &values);
    assert_eq!(asked, r#"rate(x{c=~"(a|b)"}[120s]) $1 (a|b)"#);
    let several = ["a.b", "c"].map(str::to_owned);
    assert_eq!(alternatives(&several), r"(a\\.b|c)");
    assert_eq!(alternatives(&several[1..]), "c");
    assert_eq!(step_seconds(10_800.0, 576.0, 1.0), 20.0);
    assert_eq!(step_seconds(10_800.0, 1728.0, 30.0), 30.0);
}
