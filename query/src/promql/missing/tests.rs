use model::source::SourceId;
use storage::Selection;

use super::sources::is;
use super::*;

fn status(kind: &'static str, cluster: &str, job: &str) -> SourceStatus {
    let id = SourceId {
        kind,
        cluster: cluster.to_owned(),
        job: job.to_owned(),
        instance: "10.0.0.1:9100".to_owned(),
        url: "http://10.0.0.1:9100/metrics".to_owned(),
        labels: String::new(),
    };
    SourceStatus { interval_ms: Some(15_000), own_labels: kind == "scrape", ..SourceStatus::new(&id) }
}

fn gap(after_ms: i64, until_ms: i64) -> Gap {
    Gap { after_ms, until_ms }
}

#[test]
fn sources_without_up_are_not_waited_for() {
    let pushed = SourceStatus { interval_ms: None, ..status("remote_write", "eu", "x") };
    assert_eq!(Asked::of(&pushed), None);
    assert_eq!(Asked::of(&status("file_sd", "eu", "x")), None);
    assert_eq!(Asked::of(&status("federate", "eu", "x")).unwrap().apart_ms, 30_000);
}

#[test]
fn a_selector_reaches_the_sources_whose_rows_may_fulfil_it() {
    let reach = Reach::default();
    let selection = |matchers, time_ms| Selection { matchers, time_ms };
    reach.add(&selection(vec![is("cluster", "eu"), is("job", "node"), is("le", "1")], 100..=200));
    reach.add(&selection(vec![is("cluster", "eu")], 301..=400));
    reach.add(&selection(vec![is("job", "node")], 500..=600));
    let time = |status: SourceStatus| reach.time(&Asked::of(&status).unwrap());
    assert_eq!(time(status("scrape", "eu", "node")), Some(gap(99, 600)));
    // Another job: the rows of a page that is scraped have none but this.
    assert_eq!(time(status("scrape", "eu", "api")), Some(gap(300, 400)));
    assert_eq!(time(status("scrape", "us", "api")), None);
    // Out of another Prometheus come rows of any job.
    assert_eq!(time(status("federate", "us", "federate")), Some(gap(499, 600)));
}

#[test]
fn a_warning_names_cluster_sources_and_times() {
    let asked = |cluster: &str, job: &str| Asked::of(&status("scrape", cluster, job)).unwrap();
    let missing = [
        (asked("eu", "a"), gap(0, 200_000), vec![gap(0, 60_000), gap(120_000, 200_000)]),
        (asked("eu", "b"), gap(0, 200_000), vec![]),
        (asked("us", "c"), gap(0, 280_000), (0..5).map(|n| gap(n * 60_000, n * 60_000 + 40_000)).collect()),
    ];
    let place = "http://10.0.0.1:9100/metrics";
    let expected = [
        format!(
            "data of cluster \"eu\" is missing: nothing from job \"a\" at {place} since 1970-01-01T00:02:00Z, from \
             1970-01-01T00:00:00Z to 1970-01-01T00:01:00Z"
        ),
        format!(
            "data of cluster \"us\" is missing: nothing from job \"c\" at {place} from 1970-01-01T00:04:00Z to \
             1970-01-01T00:04:40Z, from 1970-01-01T00:03:00Z to 1970-01-01T00:03:40Z, from 1970-01-01T00:02:00Z to \
             1970-01-01T00:02:40Z, and 2 times before"
        ),
    ];
    assert_eq!(warnings(&missing[..2], 200_000), expected[..1]);
    assert_eq!(warnings(&missing[2..], 300_000), expected[1..]);
    let many: Vec<_> = (0..5).map(|n| (asked("eu", &n.to_string()), gap(0, 200_000), vec![gap(0, 60_000)])).collect();
    assert!(warnings(&many, 200_000)[0].ends_with("; and 2 more sources"));
}
