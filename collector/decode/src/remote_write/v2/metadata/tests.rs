use super::family;

#[test]
fn a_family_is_named_without_what_its_kind_appends() {
    for (name, kind, expected) in [
        ("latency_bucket", 3, "latency"),
        ("latency_count", 3, "latency"),
        ("latency_sum", 4, "latency"),
        ("latency", 3, "latency"),
        ("latency_count", 5, "latency"),
        ("latency_bucket", 5, "latency_bucket"),
        ("requests_total", 1, "requests_total"),
        ("queue_count", 2, "queue_count"),
        ("_sum", 3, "_sum"),
    ] {
        assert_eq!(family(name.as_bytes(), kind), expected.as_bytes(), "{name} {kind}");
    }
}
