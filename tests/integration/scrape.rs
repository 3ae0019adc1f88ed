//! Scraping beside a real Prometheus: one exporter, two scrapers, and what they kept compared row by row.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path as UrlPath, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use model::worker::Worker;
use parking_lot::Mutex;
use tempfile::tempdir;

use crate::peers::{Prometheus, python};
use crate::remote_write::now_ms;
use crate::server::{PATIENCE, Server, Setup, eventually};

const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What the exporter answers to one request.
#[derive(Debug, Clone)]
struct Page {
    status: StatusCode,
    content_type: &'static str,
    body: String,
}

impl Page {
    fn text(body: impl Into<String>) -> Self {
        Page { status: StatusCode::OK, content_type: TEXT, body: body.into() }
    }

    fn open_metrics(body: impl Into<String>) -> Self {
        Page { content_type: OPEN_METRICS, ..Page::text(body) }
    }
}

/// Gives each scraper the same pages in the same order, whenever it comes; the last one again and again.
#[derive(Debug, Clone)]
struct Exporter {
    jobs: Arc<HashMap<&'static str, Vec<Page>>>,
    /// How often each scraper has asked for the pages of each job.
    asked: Arc<Mutex<HashMap<(String, String), usize>>>,
}

impl Exporter {
    async fn start(jobs: HashMap<&'static str, Vec<Page>>) -> (Self, String, Worker) {
        let exporter = Exporter { jobs: Arc::new(jobs), asked: Arc::default() };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let router = Router::new().route("/{job}", get(answer)).with_state(exporter.clone());
        let serve = async move { axum::serve(listener, router).await.unwrap() };
        (exporter, address, Worker::task("exporter", |_| serve))
    }

    fn asked(&self, scraper: &str) -> Option<usize> {
        let asked = self.asked.lock();
        self.jobs.keys().map(|job| asked.get(&(scraper.to_owned(), (*job).to_owned())).copied().unwrap_or(0)).min()
    }
}

async fn answer(State(exporter): State<Exporter>, UrlPath(job): UrlPath<String>, headers: HeaderMap) -> Response {
    let agent = headers[header::USER_AGENT].to_str().unwrap().split('/').next().unwrap().to_ascii_lowercase();
    let pages = &exporter.jobs[&*job];
    let number = {
        let mut asked = exporter.asked.lock();
        let count = asked.entry((agent, job)).or_default();
        *count += 1;
        *count - 1
    };
    let Page { status, content_type, body } = pages[number.min(pages.len() - 1)].clone();
    (status, [(header::CONTENT_TYPE, content_type)], body).into_response()
}

/// The pages of a text exporter: every odd form of the format, with and without timestamps, series that come and go.
fn text_pages(base_ms: i64) -> Vec<Page> {
    let at = |page: i64, offset_ms: i64| base_ms + page * 1000 + offset_ms;
    let forms = |page: i64| {
        let (t0, t1, t2) = (at(page, 0), at(page, 1), at(page, 333));
        format!(
            "# HELP c A counter, with \\\\ and \\n in its help\n# TYPE c counter\nc {page} {t0}\n\
             # A comment\n\n# TYPE h histogram\nh_bucket{{le=\"0.1\"}} 1\nh_bucket{{le=\"+Inf\"}} 2\nh_sum 0.3\nh_count 2\n\
             v{{k=\"quote \\\" backslash \\\\ line \\n end\"}} 1.5 {t1}\n\
             v{{k=\"brace }} comma , equals = hash #\",}} 2.5 {t1}\n\
             v {{ k = \"blanks\" , l=\"\" }}   3.5   {t2}\nv{{k=\"ü€😀\"}} 4.5 {t2}\n\
             n{{f=\"inf\"}} +Inf {t0}\nn{{f=\"-inf\"}} -Inf {t0}\nn{{f=\"nan\"}} NaN {t0}\nn{{f=\"minus zero\"}} -0 {t0}\n\
             n{{f=\"hex free\"}} 1e-320 {t0}\nn{{f=\"long\"}} 0.1000000000000000055511151231257827 {t0}\n\
             n{{f=\"big\"}} 179769313486231570000000000000000000000 {t0}\nn{{f=\"int\"}} 9007199254740993 {t0}\n\
             n{{f=\"untimed\"}} {page}\nlast_line_without_label {page}\n"
        )
    };
    vec![
        Page::text(forms(0)),
        Page::text(format!("{}comes 1\n", forms(1))),
        // Some are gone, one stands twice with other values, one at three times and out of order.
        Page::text(format!(
            "n{{f=\"untimed\"}} 2\ntwice 1\ntwice 2\ntwice 1\nthrice 2 {}\nthrice 3 {}\nthrice 1 {}\n",
            at(2, 20),
            at(2, 30),
            at(2, 10)
        )),
        Page::text(forms(3)),
        // Broken: nothing of it counts, everything ends.
        Page::text("this is no line\ncomes 1\nn{f=\"untimed\"} 2\n"),
        Page::text(forms(5)),
        Page { status: StatusCode::INTERNAL_SERVER_ERROR, ..Page::text("comes 1\n") },
        Page::text(forms(7)),
        Page::text(""),
        Page::text(format!("{}scrape_samples_scraped{{x=\"y\"}} 9\n", forms(9))),
        // The same row as before, and another value at a time that is taken: the first counts.
        Page::text(format!("c 9 {}\nv{{k=\"ü€😀\"}} 99 {}\nq 1 {}\n", at(9, 0), at(9, 333), at(10, 0))),
        // Labels that the target has too, and an empty one.
        Page::text("l{job=\"own\",instance=\"\",exported_job=\"taken\",a=\"\"} 1\nl{job=\"other\"} 2\n"),
        Page::text(forms(12)),
    ]
}

/// The pages of an exporter that speaks OpenMetrics.
fn open_metrics_pages(base_ms: i64) -> Vec<Page> {
    let seconds = |page: i64, offset_ms: i64| (base_ms + page * 1000 + offset_ms) as f64 / 1000.0;
    let forms = |page: i64| {
        let (t0, t1) = (seconds(page, 0), seconds(page, 777));
        format!(
            "# TYPE c counter\n# UNIT c_seconds seconds\n# HELP c A \\\"counter\\\"\nc_total{{a=\"b\"}} {page} {t0}\n\
             c_created{{a=\"b\"}} 1.5e9 {t0}\n# TYPE u unknown\nu {page}\n# TYPE i info\ni_info{{v=\"1.2\"}} 1\n\
             # TYPE s stateset\ns{{s=\"on\"}} 1\ns{{s=\"off\"}} 0\n# TYPE h histogram\nh_bucket{{le=\"1.0\"}} 2 # \
             {{trace_id=\"abc\"}} 0.5 {t0}\nh_bucket{{le=\"+Inf\"}} 3\nh_sum 5.5\nh_count 3\nh_created 1.5e9\n\
             # TYPE g gauge\ng{{f=\"nan\"}} NaN {t1}\ng{{f=\"inf\"}} +Inf {t1}\ng{{f=\"neg\"}} -1.25e-7 {t1}\n# EOF\n"
        )
    };
    vec![
        Page::open_metrics(forms(0)),
        Page::open_metrics(forms(1).replace("u 1\n", "u 1\nonce 1\n")),
        Page::open_metrics(forms(2)),
        Page::open_metrics("a 1\n"),
        Page::open_metrics(forms(4)),
        Page::open_metrics("# EOF\n"),
        // It may go over to the other format.
        Page::text("u 6\nplain 1\n"),
        Page::open_metrics("# EOF\nmore 1\n"),
        Page::open_metrics(forms(8)),
    ]
}

/// The jobs for both scrapers: the words are the same, ours names the cluster besides.
fn jobs(address: &str, cluster: &str) -> String {
    let job = |name: &str, page: &str, further: &str| {
        format!(
            "  - {{job_name: {name}, {cluster}scrape_interval: 1s, metrics_path: /{page}, {further}\
             static_configs: [{{targets: ['{address}'], labels: {{zone: a, target: {name}}}}}]}}\n"
        )
    };
    let rules = "relabel_configs: [{source_labels: [zone, __metrics_path__], separator: '', target_label: place}], \
                 metric_relabel_configs: [{source_labels: [__name__], regex: 'h_.*', action: drop}, \
                 {source_labels: [f], regex: '(in|na).*', target_label: form, replacement: 'x$1'}, \
                 {regex: 'k', action: labeldrop}, {source_labels: [job, f], target_label: shard, modulus: 3, \
                 action: hashmod}], ";
    [
        job("text", "text", ""),
        job("open", "open", ""),
        job("rules", "rules", rules),
        job("honors", "honors", "honor_labels: true, "),
        job("untimed", "untimed", "honor_timestamps: false, "),
        job("limited", "limited", "sample_limit: 15, "),
    ]
    .concat()
}

#[tokio::test]
async fn what_prometheus_scrapes_of_a_page_is_what_we_scrape_of_it() {
    let folder = tempdir().unwrap();
    let base_ms = now_ms() - 60_000;
    let text = text_pages(base_ms);
    let pages = ["text", "rules", "honors", "untimed", "limited"].map(|job| (job, text.clone()));
    let count = text.len();
    let all = pages.into_iter().chain([("open", open_metrics_pages(base_ms))]).collect();
    let (exporter, address, _worker) = Exporter::start(all).await;
    let theirs = Prometheus::start_scraping(&folder.path().join("theirs"), &jobs(&address, "")).await;
    let yaml = format!("storage: {{cut_every: 5s}}\nscrape_configs:\n{}", jobs(&address, "cluster: east, "));
    let ours = Server::start(&Setup::new(folder.path(), &yaml)).await;
    eventually("all pages were fetched by both", PATIENCE, async || {
        let (ours, theirs) = (exporter.asked("fleetscope")?, exporter.asked("prometheus")?);
        (ours > count + 1 && theirs > count + 1).then_some(())
    })
    .await;
    let compared = python("compare_scrapes.py", &[&ours.url(""), "east", &theirs.url, &count.to_string()]);
    println!("{compared}");
    let compared: serde_json::Value = serde_json::from_str(&compared).unwrap();
    assert_eq!((&compared["missing"], &compared["foreign"]), (&0.into(), &0.into()), "{compared:#}");
    assert!(compared["equal"].as_u64() > Some(1000), "{compared}");
    assert!(compared["markers"].as_u64() > Some(150), "{compared}");
    ours.terminate().await;
}
