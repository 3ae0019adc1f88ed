use std::sync::Arc;

use super::{Log, Logs};
use crate::resource::{Resource, Scope};

fn logs(service: &str, bodies: &[&str]) -> Logs {
    let mut logs = Logs::default();
    let resource = logs.resources.place(&Arc::new(Resource::new([("service.name", service), ("cluster", "a")])));
    let scope = logs.scopes.place(&Arc::new(Scope::default()));
    for (body, time_unix_nano) in bodies.iter().zip(0..) {
        logs.attributes.push("len", &body.len().to_string());
        let row = Log { resource, scope, time_unix_nano, severity_text: "INFO", body, ..Log::default() };
        logs.push(&row);
    }
    logs
}

#[test]
fn rows_of_another_batch_bring_along_what_they_share() {
    let (mut all, other) = (logs("one", &["a", "bc"]), logs("two", &["def", "", "ghijk"]));
    all.append(&other, [2, 0].into_iter());
    assert_eq!(all.len(), 4);
    assert_eq!((all.row(2).body, all.row(3).body, all.row(3).time_unix_nano), ("ghijk", "def", 0));
    assert_eq!(all.attributes.get(2, "len"), Some("5"));
    let service = |row| all.resources.get(all.resource[row]).map(|resource| resource.service.to_string());
    assert_eq!((service(1).as_deref(), service(2).as_deref()), (Some("one"), Some("two")));

    all.append(&logs("one", &["x"]), 0..1);
    assert_eq!((all.resources.len(), all.scopes.len(), all.severity_texts.texts().len()), (2, 1, 1));
}

#[test]
fn a_stamp_decides_the_cluster_of_all_rows() {
    let mut all = logs("one", &["a"]);
    all.append(&logs("two", &["b"]), 0..1);
    let stamped = all.stamped(&Arc::from("b"));
    for row in 0..2 {
        let resource = stamped.resources.get(stamped.resource[row]).expect("a row has a resource");
        assert_eq!((&*resource.cluster, resource.attributes.get("exported_cluster")), ("b", Some("a")));
    }
}

#[test]
fn rows_of_resources_that_are_not_kept_go_with_all_that_is_theirs() {
    let mut all = logs("one", &["a", "bb"]);
    all.append(&logs("two", &["ccc", "dddd"]), [0, 1].into_iter());
    all.append(&logs("one", &["eeeee"]), 0..1);
    all.max_clusters = Some(7);
    let kept = all.clone().of_resources(&[false, true]);
    assert_eq!((kept.len(), kept.row(0).body, kept.row(1).body), (2, "ccc", "dddd"));
    assert_eq!((kept.attributes.get(0, "len"), kept.attributes.get(1, "len")), (Some("3"), Some("4")));
    let services: Vec<_> = kept.resources.iter().map(|resource| resource.service.to_string()).collect();
    assert_eq!((services, kept.resource.clone(), kept.max_clusters), (vec!["two".to_owned()], vec![0, 0], Some(7)));
    let kept = all.clone().of_resources(&[true, false]);
    let bodies: Vec<_> = (0..kept.len()).map(|row| kept.row(row).body.to_owned()).collect();
    assert_eq!(bodies, ["a", "bb", "eeeee"]);
    assert!(all.of_resources(&[false, false]).is_empty());
}
