use super::*;

#[test]
fn answers_are_counted_by_route_and_status() {
    let requests = Requests::default();
    requests.answered("/api/v1/sql", 200, 0.5);
    requests.answered("/api/v1/sql", 200, 0.25);
    requests.answered("other", 404, 0.0);
    let mut out = String::new();
    requests.render(&mut out);
    assert!(out.contains("fleetscope_http_requests_total{route=\"/api/v1/sql\",code=\"200\"} 2\n"), "{out}");
    assert!(out.contains("fleetscope_http_request_seconds_total{route=\"/api/v1/sql\",code=\"200\"} 0.75\n"), "{out}");
    assert!(out.contains("{route=\"other\",code=\"404\"} 1\n"), "{out}");
}

#[test]
fn the_process_is_measured_whatever_its_name() {
    assert!(process::Stat::parse("1 (a) b) R 1").is_none());
    let fields: Vec<String> = (3..=52).map(|n| n.to_string()).collect();
    let stat = process::Stat::parse(&format!("1 (a) b) {}", fields.join(" ")));
    assert_eq!(format!("{stat:?}"), "Some(Stat { cpu_ticks: 29, threads: 20, virtual_bytes: 23, resident_pages: 24 })");
    let mut out = String::new();
    render_process(&mut out);
    assert!(out.contains("process_resident_memory_bytes "), "{out}");
}
