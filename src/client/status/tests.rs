use super::*;

fn cluster(name: &str, state: &str, failing: i64) -> Cluster {
    Cluster {
        cluster: name.into(),
        region: "eu-central-1".into(),
        environment: String::new(),
        role: "active".into(),
        state: state.into(),
        last_sample: (state != "never").then(|| "2026-01-01 00:00:00".into()),
        gap_ms: (state != "never").then_some(63_500),
        series: 1200,
        samples: 24_000,
        sources: 2,
        failing,
    }
}

#[test]
fn a_line_says_what_matters_of_a_cluster() {
    let text = render(&[cluster("dublin", "silent", 0), cluster("berlin", "ok", 1)], false);
    let expected = "\
CLUSTER  REGION        ENVIRONMENT  ROLE    STATE   LAST SAMPLE           GAP  SERIES  SAMPLES/S  SOURCES
dublin   eu-central-1  -            active  silent  2026-01-01 00:00:00  1m3s    1200       80.0  2 ok
berlin   eu-central-1  -            active  ok      2026-01-01 00:00:00  1m3s    1200       80.0  1 of 2 fail
";
    assert_eq!(text, expected);
}

#[test]
fn colour_says_what_to_look_at() {
    let fleet = [cluster("a", "silent", 0), cluster("b", "never", 0), cluster("c", "ok", 1), cluster("d", "ok", 0)];
    let text = render(&fleet, true);
    let colours: Vec<&str> = text.lines().map(|line| &line[..line.find('m').unwrap() + 1]).collect();
    assert_eq!(colours, [BOLD, RED, RED, YELLOW, GREEN]);
    assert!(text.lines().all(|line| line.ends_with(PLAIN)));
}

#[test]
fn nothing_known_is_said() {
    assert!(render(&[], false).ends_with("no cluster is configured, and none has sent a sample\n"));
}

#[test]
fn a_name_cannot_move_the_cursor() {
    assert!(!render(&[cluster("\x1b[2J", "ok", 0)], false).contains('\x1b'));
}
