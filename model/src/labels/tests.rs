use super::*;

fn key(pairs: &[(&str, &str)], stamp: Option<&str>) -> Result<SeriesKey, Error> {
    let mut builder = LabelsBuilder::default();
    for (name, value) in pairs {
        builder.push(name, value);
    }
    builder.build(stamp.map(Arc::from).as_ref())
}

fn pairs(key: &SeriesKey) -> Vec<(&str, &str)> {
    key.labels.iter().collect()
}

#[test]
fn order_of_sending_does_not_matter() {
    let a = key(&[("b", "2"), ("__name__", "up"), ("a", "1")], None).unwrap();
    let b = key(&[("a", "1"), ("b", "2"), ("__name__", "up")], None).unwrap();
    assert_eq!(a, b);
    assert_eq!(pairs(&a), [("a", "1"), ("b", "2")]);
    assert_eq!(a.labels.series_id(), b.labels.series_id());
    assert_eq!(Labels::from_bytes(a.labels.as_bytes()).unwrap(), a.labels);
}

#[test]
fn a_stamp_moves_a_foreign_cluster_and_drops_an_equal_one() {
    let own = key(&[("cluster", "eu"), ("a", "1")], None).unwrap();
    assert_eq!((own.cluster.as_ref(), pairs(&own)), ("eu", vec![("a", "1")]));
    let equal = key(&[("cluster", "eu"), ("a", "1")], Some("eu")).unwrap();
    assert_eq!(equal, own);
    let foreign = key(&[("cluster", "us"), ("a", "1")], Some("eu")).unwrap();
    assert_eq!(pairs(&foreign), [("a", "1"), ("exported_cluster", "us")]);
    let taken = key(&[("cluster", "us"), ("exported_cluster", "x")], Some("eu")).unwrap();
    assert_eq!(pairs(&taken), [("exported_cluster", "x"), ("exported_exported_cluster", "us")]);
}

#[test]
fn an_empty_value_is_no_label_and_a_repeated_name_is_refused() {
    assert!(key(&[("a", "")], None).unwrap().labels.is_empty());
    assert!(key(&[("a", "1"), ("a", "1")], None).unwrap_err().message().contains("\"a\" comes twice"));
    assert!(key(&[("", "1")], None).unwrap_err().message().contains("empty name"));
}

#[test]
fn bytes_that_are_not_canonical_are_refused() {
    for bytes in [&b"a"[..], b"a\xff", b"a\xff1", b"b\xff1\xffa\xff1\xff", b"a\xff\xff", b"\xff1\xff", b"\xc3\xff1\xff"]
    {
        assert!(Labels::from_bytes(bytes).is_err(), "{bytes:?}");
    }
}
