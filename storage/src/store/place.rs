//! Where a store is: a local folder, or a bucket and a local folder for what is on its way there.

use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use model::files::{Lock, create_dirs};
use model::{Error, ErrorKind};
use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{ObjectStore, ObjectStoreScheme, RetryConfig};
use url::Url;

use super::Parts;
use crate::config::Config;
use crate::durable::DurableLocal;

/// A request to a bucket that fails is repeated, after longer and longer pauses, so often and so long before whoever made
/// it is told. Cuts are staged meanwhile and repeat it themselves, so this covers a slip, not an outage.
const RETRIES: usize = 10;
const RETRY_TIMEOUT: Duration = Duration::from_secs(15);

/// Where a store is.
pub(super) struct Place {
    /// The bucket, or the folder as one.
    pub(super) object_store: Arc<dyn ObjectStore>,
    pub(super) url: Url,
    /// The folder of journal and staged blocks.
    pub(super) local: PathBuf,
    /// Held as long as the store is open: opening removes what a process before has left unfinished.
    pub(super) lock: Lock,
}

/// The name of the lock in the local folder.
const LOCK: &str = "store.lock";

impl Place {
    /// Finds the place that the settings name, and makes a folder that is not there.
    ///
    /// # Errors
    /// `Invalid` if the URL is not one of a place that can be written, `Unavailable` if a folder cannot be made.
    pub(super) async fn find(config: &Config, parts: &Parts) -> Result<Self, Error> {
        let text = config.url.trim_end_matches('/');
        match Url::parse(text) {
            Ok(url) if url.scheme() == "file" => {
                let folder = url.to_file_path();
                let folder = folder.map_err(|()| Error::invalid(format!("storage.url {text} is not a folder")))?;
                Self::folder(config, parts, folder).await
            }
            Ok(url) if text.contains("://") => {
                let (bucket, root) = bucket(&url).map_err(|e| {
                    Error::invalid(format!("storage.url {text} is not a folder or a bucket this program can use"))
                        .with_source(e)
                })?;
                let local = PathBuf::from(config.local_dir.as_deref().unwrap_or("data/local"));
                let lock = lock(parts, &local)?;
                Ok(Place { object_store: Arc::new(PrefixStore::new(bucket, root)), url, local, lock })
            }
            _ => Self::folder(config, parts, PathBuf::from(text)).await,
        }
    }

    async fn folder(config: &Config, parts: &Parts, folder: PathBuf) -> Result<Self, Error> {
        let folder = std::path::absolute(&folder).map_err(|e| unreachable_folder(&folder, e))?;
        create_dirs(&*parts.files, &folder).map_err(|e| unreachable_folder(&folder, e))?;
        let url = Url::from_directory_path(&folder)
            .map_err(|()| Error::invalid(format!("storage.url {} is not a folder", folder.display())))?;
        let local = config.local_dir.as_ref().map_or_else(|| folder.join("local"), PathBuf::from);
        let lock = lock(parts, &local)?;
        let (files, root) = (parts.files.clone(), folder.clone());
        let opened = tokio::task::spawn_blocking(move || DurableLocal::open(files, root)).await;
        let opened = opened.map_err(|e| Error::internal("opening the folder panicked").with_source(e))?;
        let object_store = Arc::new(opened.map_err(|e| unreachable_folder(&folder, e))?);
        Ok(Place { object_store, url, local, lock })
    }
}

/// Makes the local folder and locks it.
fn lock(parts: &Parts, local: &FilePath) -> Result<Lock, Error> {
    create_dirs(&*parts.files, local).map_err(|e| unreachable_folder(local, e))?;
    let name = local.join(LOCK);
    parts.files.lock(&name).map_err(|e| match e.kind() {
        std::io::ErrorKind::WouldBlock => {
            let message = format!(
                "another process has the store open: {} is locked; end it first. A store of its own needs a storage.url and a \
                 storage.local_dir of its own",
                name.display()
            );
            Error::new(ErrorKind::Unavailable, message)
        }
        _ => unreachable_folder(local, e),
    })
}

/// A bucket, with the credentials and endpoints of the environment (`AWS_…`, `GOOGLE_…`, `AZURE_…`), and the path in it.
fn bucket(url: &Url) -> object_store::Result<(Arc<dyn ObjectStore>, Path)> {
    let (scheme, root) = ObjectStoreScheme::parse(url)?;
    let retry = RetryConfig { max_retries: RETRIES, retry_timeout: RETRY_TIMEOUT, ..RetryConfig::default() };
    let bucket: Arc<dyn ObjectStore> = match scheme {
        ObjectStoreScheme::AmazonS3 => {
            Arc::new(AmazonS3Builder::from_env().with_url(url.as_str()).with_retry(retry).build()?)
        }
        ObjectStoreScheme::GoogleCloudStorage => {
            Arc::new(GoogleCloudStorageBuilder::from_env().with_url(url.as_str()).with_retry(retry).build()?)
        }
        ObjectStoreScheme::MicrosoftAzure => {
            Arc::new(MicrosoftAzureBuilder::from_env().with_url(url.as_str()).with_retry(retry).build()?)
        }
        _ => return object_store::parse_url_opts(url, std::env::vars()).map(|(store, root)| (store.into(), root)),
    };
    Ok((bucket, root))
}

/// A folder that cannot be made or used.
pub(super) fn unreachable_folder(path: &FilePath, error: std::io::Error) -> Error {
    Error::new(ErrorKind::Unavailable, format!("cannot use the folder {}", path.display())).with_source(error)
}
