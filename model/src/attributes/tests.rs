use super::{AttributeSet, Attributes};

#[test]
fn rows_keep_their_attributes_in_order_and_each_name_once() {
    let mut attributes = Attributes::default();
    let rows = [vec![("a", "1"), ("b", "2"), ("a", "3")], vec![], vec![("a", "4"), ("c", "")], vec![("c", "5")]];
    for row in &rows {
        row.iter().for_each(|(name, value)| attributes.push(name, value));
        attributes.end_row();
    }
    let read = |row| attributes.row(row).collect::<Vec<_>>();
    assert_eq!(read(0), [("a", "1"), ("b", "2")]);
    assert_eq!(read(1), []);
    assert_eq!(read(2), [("a", "4"), ("c", "")]);
    assert_eq!(read(3), [("c", "5")]);
    assert_eq!((attributes.rows(), attributes.len(), attributes.names().len()), (4, 5, 3));
    assert_eq!((attributes.get(2, "c"), attributes.get(2, "b")), (Some(""), None));
}

#[test]
fn a_row_can_be_taken_back() {
    let mut attributes = Attributes::default();
    attributes.push("a", "1");
    attributes.end_row();
    attributes.push("b", "2");
    assert_eq!(attributes.pending(), 1);
    attributes.cancel();
    attributes.push("c", "3");
    attributes.end_row();
    assert_eq!(attributes.row(1).collect::<Vec<_>>(), [("c", "3")]);
    attributes.push("d", "4");
    attributes.truncate(1);
    attributes.end_row();
    assert_eq!((attributes.row(0).count(), attributes.row(1).count()), (1, 0));
}

#[test]
fn rows_of_another_batch_come_along_with_their_names() {
    let (mut one, mut other) = (Attributes::default(), Attributes::default());
    one.push("x", "1");
    one.end_row();
    for value in ["2", "3"] {
        other.push("y", value);
        other.push("x", value);
        other.end_row();
    }
    let places = one.adopt(&other);
    one.push_row(&other, 1, &places);
    assert_eq!(one.row(1).collect::<Vec<_>>(), [("y", "3"), ("x", "3")]);
}

#[test]
fn a_set_is_sorted_and_read_back_from_its_bytes() {
    let set = AttributeSet::new([("b", "2"), ("a", ""), ("b", "3")]);
    assert_eq!(set.iter().collect::<Vec<_>>(), [("a", ""), ("b", "2")]);
    assert_eq!(AttributeSet::from_bytes(set.as_bytes()).ok(), Some(set.clone()));
    assert_eq!((set.get("b"), set.get("c")), (Some("2"), None));
    assert_eq!(AttributeSet::from_bytes(b"").map(|set| set.is_empty()).ok(), Some(true));
    for bytes in [&b"a"[..], b"a\xff", b"a\xff1", b"b\xff1\xffa\xff1\xff", b"a\xff1\xffa\xff2\xff", b"a\xff\xc3\xff"] {
        assert!(AttributeSet::from_bytes(bytes).is_err(), "{bytes:?}");
    }
}
