use std::sync::Arc;

use super::Resource;

#[test]
fn columns_are_found_under_the_names_of_all_senders() {
    let otlp = Resource::new([
        ("service.name", "shop"),
        ("k8s.namespace.name", "prod"),
        ("k8s.pod.name", "shop-1"),
        ("k8s.container.name", "main"),
        ("k8s.node.name", "n1"),
        ("k8s.cluster.name", "eu-1"),
    ]);
    let promtail = Resource::new([
        ("namespace", "prod"),
        ("app", "shop"),
        ("pod", "shop-1"),
        ("container", "main"),
        ("node_name", "n1"),
        ("cluster", "eu-1"),
    ]);
    assert_eq!(otlp.columns(), promtail.columns());
    let columns = otlp.columns().map(|column| column.to_string());
    assert_eq!(columns, ["eu-1", "prod", "shop-1", "main", "n1", "shop"]);
    assert_eq!(promtail.attributes.get("cluster"), None);
    assert_eq!(promtail.attributes.get("namespace"), Some("prod"));
}

#[test]
fn an_empty_value_says_nothing() {
    let resource = Resource::new([("service.name", ""), ("app", "shop")]);
    assert_eq!((&*resource.service, resource.attributes.get("service.name")), ("shop", Some("")));
}

#[test]
fn a_displaced_cluster_is_exported() {
    let own = Resource::new([("cluster", "a"), ("exported_cluster", "z"), ("x", "1")]);
    let cluster = Arc::from("b");
    let stamped = own.stamped(&cluster);
    assert_eq!(&*stamped.cluster, "b");
    assert_eq!(stamped.attributes.iter().collect::<Vec<_>>(), [("exported_cluster", "a"), ("x", "1")]);
    let same = own.stamped(&Arc::from("a"));
    assert_eq!(same, own);
    assert_eq!(Resource::new([("x", "1")]).stamped(&cluster).attributes.get("exported_cluster"), None);
}
