use super::*;

#[test]
fn a_built_batch_gives_its_series_back() {
    let mut builder = BatchBuilder::default();
    let up = builder.series("up", &[("job", "a"), ("cluster", "us")], Kind::Gauge);
    builder.sample(up, 5, 1.0);
    let batch = builder.build().stamped("eu".into());
    let key = batch.key(0, &mut LabelsBuilder::default()).unwrap();
    assert_eq!((key.name.as_ref(), key.cluster.as_ref()), ("up", "eu"));
    assert_eq!(key.labels.iter().collect::<Vec<_>>(), [("exported_cluster", "us"), ("job", "a")]);
    assert!(batch.key(1, &mut LabelsBuilder::default()).is_err());
}

#[test]
fn cluster_and_encoding_keep_equal_bytes_apart() {
    let plain = Batch::new(Bytes::new(), PLAIN);
    let other = Batch::new(Bytes::new(), LabelEncoding { name: "other", ..PLAIN });
    assert_ne!(plain.salt(), other.salt());
    assert_ne!(plain.salt(), plain.clone().stamped("eu".into()).salt());
    assert_ne!(plain.clone().stamped("us".into()).salt(), plain.clone().stamped("eu".into()).salt());
}

#[test]
fn kinds_read_back() {
    for kind in Kind::ALL {
        assert_eq!(Kind::from_u8(kind as u8), Some(kind));
    }
    assert_eq!(Kind::from_u8(7), None);
}
