use model::files::sim::SimDisk;
use object_store::ObjectStoreExt;
use object_store::memory::InMemory;

use super::*;

fn staging() -> Staging {
    let bucket = Arc::new(InMemory::new());
    Staging::open(bucket, Arc::new(SimDisk::new()), "/local/staged".into()).unwrap()
}

async fn content(store: &Staging, name: &str) -> Result<bytes::Bytes> {
    store.get(&Path::from(name)).await?.bytes().await
}

#[tokio::test]
async fn a_staged_object_is_read_from_the_folder_until_it_is_in_the_bucket() {
    let store = staging();
    let object = Path::from("samples/date=2026-11-22/a.parquet");
    assert!(matches!(content(&store, object.as_ref()).await, Err(Error::NotFound { .. })));
    store.folder().put(&Path::from("a.parquet"), "staged".into()).await.unwrap();
    store.insert(object.clone(), Path::from("a.parquet"));
    let found = store.get(&object).await.unwrap();
    assert_eq!((&found.meta.location, found.meta.size), (&object, 6), "it is told under the name that was asked for");
    assert_eq!(store.get_range(&object, 2..6).await.unwrap(), "aged");
    assert_eq!(store.get_ranges(&object, &[0..2, 4..6]).await.unwrap(), ["st", "ed"]);

    // A reader that has looked at the map when the file goes finds the object in the bucket.
    store.put(&object, "bucket".into()).await.unwrap();
    assert_eq!(content(&store, object.as_ref()).await.unwrap(), "staged");
    store.clear(&["a.parquet".to_owned(), "not-there".to_owned()]);
    assert_eq!(content(&store, object.as_ref()).await.unwrap(), "bucket");
    assert_eq!(store.get_ranges(&object, &[0..2, 4..6]).await.unwrap(), ["bu", "et"]);
    store.remove(&object);
    assert_eq!(content(&store, object.as_ref()).await.unwrap(), "bucket");
}
