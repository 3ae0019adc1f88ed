use std::sync::Arc;

use model::labels::LabelsBuilder;

use super::*;

fn key(pod: usize, path: &str) -> SeriesKey {
    let mut labels = LabelsBuilder::default();
    labels.push("__name__", "requests_total");
    labels.push("pod", &format!("pod-{pod}"));
    labels.push("path", path);
    labels.build(Some(&Arc::from("eu"))).unwrap()
}

#[test]
fn the_label_that_grows_is_named() {
    let cluster = ClusterState::default();
    let limits = SeriesLimits { max_new_series_per_minute: 4, ..SeriesLimits::default() };
    for n in 0..4 {
        cluster.admit(&key(n, ["/", "/a"][n % 2]), Some((&limits, 59_999))).unwrap();
    }
    let error = cluster.admit(&key(4, "/"), Some((&limits, 59_999))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert_eq!(
        error.message(),
        "cluster \"eu\": 4 of its series are new in this minute, its limit is 4 (new_series_per_minute_limit); label \
         \"pod\" makes most of them, with 5 values; series requests_total is left out"
    );
    cluster.admit(&key(4, "/"), Some((&limits, 60_000))).unwrap();
}

#[test]
fn series_that_go_make_room() {
    let cluster = ClusterState::default();
    let limits = SeriesLimits { max_series: 2, ..SeriesLimits::default() };
    cluster.admit(&key(0, "/"), None).unwrap();
    cluster.admit(&key(1, "/"), Some((&limits, 0))).unwrap();
    let error = cluster.admit(&key(2, "/"), Some((&limits, 0))).unwrap_err();
    assert!(error.message().contains("has 2 series in memory, its limit is 2"), "{error}");
    cluster.release();
    cluster.admit(&key(2, "/"), Some((&limits, 0))).unwrap();
}

#[test]
fn clusters_that_are_known_or_not_named_come_in_when_there_is_no_room_for_new_ones() {
    let clusters = Clusters::default();
    let of = |cluster: &str, max| clusters.entry_within(&Arc::from(cluster), max, &|| "its rows are".into());
    of("a", 2).unwrap();
    clusters.entry(&Arc::from("b"));
    for known in ["a", "b", ""] {
        of(known, 2).unwrap();
    }
    let error = of(&"ü".repeat(1000), 2).unwrap_err();
    assert_eq!(
        (error.kind(), error.message()),
        (
            ErrorKind::Forbidden,
            format!(
                "cluster {:?}… is new, and there are 3 clusters, the limit for those that a push without a token names is 2 \
                 (push.cluster_limit): give the cluster a token, or raise the limit; its rows are left out",
                "ü".repeat(60)
            )
            .as_str()
        )
    );
    of("c", 4).unwrap();
    assert_eq!(clusters.0.read().len(), 4, "what was refused left nothing");
}
