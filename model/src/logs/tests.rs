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
