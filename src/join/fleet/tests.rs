use super::*;
use crate::join::probe::tests::labelled;

/// The external labels of a server.
type Labels = [(&'static str, &'static str)];

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

/// The fleet of servers `http://0`, `http://1`, … with these external labels.
fn fleet(servers: &[&Labels]) -> Fleet {
    let answers =
        servers.iter().enumerate().map(|(n, labels)| (url(&format!("http://host-{n}")), Ok(labelled(labels))));
    assemble(answers.collect())
}

/// For each source its cluster, and the host that it is a replica of.
fn told(fleet: &Fleet) -> Vec<String> {
    let twin =
        |source: &Source| source.twin_of.as_ref().and_then(|url| url.host_str().map(|host| format!(" = {host}")));
    fleet.sources.iter().map(|source| format!("{}{}", source.cluster, twin(source).unwrap_or_default())).collect()
}

#[test]
fn a_cluster_has_the_name_and_the_attributes_that_its_labels_say() {
    let fleet = fleet(&[
        &[("cluster", "berlin"), ("k8s_cluster", "other"), ("region", "eu"), ("env", "production"), ("team", "x")],
        &[
            ("kubernetes_cluster", "dublin"),
            ("zone", "a"),
            ("role", "passive"),
            ("environment", "staging"),
            ("env", "x"),
        ],
        &[("team", "y")],
    ]);
    assert_eq!(told(&fleet), ["berlin", "dublin", "host-2"]);
    let labels: Vec<_> = fleet.clusters.iter().map(|named| named.label).collect();
    assert_eq!(labels, [Some("cluster"), Some("kubernetes_cluster"), None]);
    let berlin = &fleet.clusters[0].cluster;
    assert_eq!((berlin.region.as_str(), berlin.environment.as_str(), berlin.role.as_str()), ("eu", "production", ""));
    let dublin = &fleet.clusters[1].cluster;
    assert_eq!((dublin.zone.as_str(), dublin.environment.as_str(), dublin.role.as_str()), ("a", "staging", "passive"));
    assert!(fleet.sources.iter().all(|source| source.warnings.is_empty()), "{fleet:?}");
}

#[test]
fn replicas_are_found_by_the_label_that_tells_them_apart_and_others_are_not_taken_for_some() {
    let cases: [(&[&Labels], &[&str]); 10] = [
        (&[&[("cluster", "a"), ("replica", "0")], &[("cluster", "a"), ("replica", "1")]], &["a", "a = host-0"]),
        (&[&[("cluster", "a")], &[("cluster", "a"), ("__replica__", "1")]], &["a", "a = host-0"]),
        (
            &[&[("cluster", "a"), ("x", "0")], &[("cluster", "b"), ("x", "0")], &[("cluster", "a"), ("x", "1")]],
            &["a", "b", "a = host-0"],
        ),
        (
            &[&[("prometheus_replica", "p-0")], &[("prometheus_replica", "p-1")], &[("prometheus_replica", "p-2")]],
            &["host-0", "host-0 = host-0", "host-0 = host-0"],
        ),
        (
            &[
                &[("cluster", "a"), ("replica", "0"), ("x_replica", "0")],
                &[("cluster", "a"), ("replica", "1"), ("x_replica", "1")],
            ],
            &["a", "a = host-0"],
        ),
        // Two clusters.
        (&[&[("cluster", "a"), ("replica", "0")], &[("cluster", "b"), ("replica", "0")]], &["a", "b"]),
        (&[&[("team", "x"), ("region", "eu")], &[("team", "x"), ("region", "us")]], &["host-0", "host-1"]),
        (&[&[("site", "a")], &[("site", "b")]], &["host-0", "host-1"]),
        (&[&[], &[]], &["host-0", "host-1"]),
        // Two of one cluster that are no replicas.
        (&[&[("cluster", "a"), ("x", "0"), ("y", "0")], &[("cluster", "a"), ("x", "1"), ("y", "1")]], &["a", "a"]),
    ];
    for (servers, expected) in cases {
        assert_eq!(told(&fleet(servers)), expected, "{servers:?}");
    }
    let pair = fleet(&[&[("cluster", "a"), ("x", "0")], &[("cluster", "a"), ("x", "1")]]);
    assert_eq!(pair.sources[1].replica_labels, ["x"]);
    assert_eq!((pair.clusters.len(), pair.clusters[0].urls.len(), pair.federated().count()), (1, 2, 1));
}

#[test]
fn two_servers_of_one_cluster_that_are_no_replicas_are_told_of() {
    let same = fleet(&[&[("cluster", "a")], &[("cluster", "a")]]);
    assert!(
        same.sources[1].warnings[0].contains("http://host-0 is of this cluster too: it has the very same"),
        "{same:?}"
    );
    let other = fleet(&[&[("cluster", "a"), ("x", "0"), ("y", "0")], &[("cluster", "a"), ("x", "1"), ("y", "1")]]);
    assert!(other.sources[1].warnings[0].contains("no replica"), "{other:?}");
    assert!(other.sources[0].warnings.is_empty());
}

#[test]
fn sources_that_only_their_path_tells_apart_get_a_job_name() {
    let label: &[_] = &[("cluster", "a")];
    let urls = ["http://gate/x", "http://gate:80/y", "http://gate:81/x", "http://gate/z"];
    let fleet = assemble(urls.map(|place| (url(place), Ok(labelled(label)))).into());
    let names: Vec<_> = fleet.sources.iter().map(|source| source.job_name.as_deref()).collect();
    assert_eq!(names, [None, Some("federate-2"), None, Some("federate-3")]);
    let fleet = assemble(urls.map(|place| (url(place), Ok(labelled(&[])))).into());
    assert_eq!(told(&fleet), ["gate/x", "gate/y", "gate:81/x", "gate/z"]);
}

#[test]
fn a_clock_is_told_of_only_if_it_is_off_whatever_the_way_takes() {
    for (ahead_ms, uncertain_ms, expected) in [
        (0, 0, None),
        (1_900, 0, None),
        (-1_900, 0, None),
        (5_000, 4_000, None),
        (5_000, 100, Some("5.0 s ahead of")),
        (-61_240, 1_000, Some("61.2 s behind")),
        (i64::MIN, 0, Some("behind")),
    ] {
        let told = skewed(Skew { ahead_ms, uncertain_ms });
        assert!(
            told.as_deref().map_or(expected.is_none(), |told| expected.is_some_and(|e| told.contains(e))),
            "{told:?}"
        );
    }
}
