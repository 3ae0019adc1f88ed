//! The certificate that the server shows, read anew when its files change.
//!
//! Owns: reading certificate and key, the one in force, the looking for another one.
//! Does not own: sockets and handshakes (`server`), which files there are (`config`).

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use model::worker::{Stop, Worker};
use model::{Error, ErrorKind};
use parking_lot::{Mutex, RwLock};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use crate::config::TlsServer;

/// How often it is looked whether a file has changed.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// No chain of certificates is longer, and a wrong path must not be read into memory whole.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// The certificate in force. Cloning shares it.
#[derive(Clone)]
pub struct Tls(Arc<Shared>);

struct Shared {
    files: TlsServer,
    current: RwLock<Arc<ServerConfig>>,
    last: Mutex<Look>,
}

/// What the last look found.
struct Look {
    /// What was there; nothing if it could not be read.
    material: Option<Material>,
    /// Why it is not in force.
    fault: Option<String>,
}

/// What the files hold. Has no `Debug`, for there is a key in it.
#[derive(PartialEq, Eq)]
struct Material {
    certificates: Vec<u8>,
    key: Vec<u8>,
}

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// `Invalid` if they are no certificate and its key; the message names the file.
    pub fn new(files: &TlsServer) -> Result<Self, Error> {
        let material = Material::read(files)?;
        let current = RwLock::new(material.config(files)?);
        let last = Mutex::new(Look { material: Some(material), fault: None });
        Ok(Tls(Arc::new(Shared { files: files.clone(), current, last })))
    }

    /// What shakes hands, with the certificate in force.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        self.0.current.read().clone().into()
    }

    /// Why the files cannot be used as they are; then the last good ones count.
    pub fn fault(&self) -> Option<String> {
        self.0.last.lock().fault.clone()
    }

    /// Begins to look for changes of the files.
    pub fn watch(&self) -> Worker {
        let tls = self.clone();
        Worker::task("certificate", |stop| async move { tls.look_on(stop).await })
    }

    async fn look_on(&self, stop: Stop) {
        loop {
            tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => {}
                () = stop.stopped() => return,
            }
            self.look().await;
        }
    }

    /// Goes over to what the files hold now, away from the runtime, for a disk may hang. A certificate whose key has not come
    /// yet waits for it; connections that are open keep theirs.
    pub async fn look(&self) {
        let tls = self.clone();
        if tokio::task::spawn_blocking(move || tls.look_now()).await.is_err() {
            tracing::error!("looking at the files of tls_server_config broke off");
        }
    }

    fn look_now(&self) {
        let files = &self.0.files;
        let mut last = self.0.last.lock();
        let (material, read) = match Material::read(files) {
            Ok(material) if last.material.as_ref() == Some(&material) => return,
            Ok(material) => {
                let config = material.config(files);
                (Some(material), config)
            }
            Err(error) => (None, Err(error)),
        };
        let fault = match read {
            Ok(config) => {
                tracing::info!(cert_file = %files.cert_file.display(), "another certificate is in force");
                *self.0.current.write() = config;
                None
            }
            Err(error) => Some(error.to_string()),
        };
        if let Some(error) = fault.as_ref().filter(|fault| last.fault.as_ref() != Some(*fault)) {
            tracing::error!(error, "the certificate that was read before stays in force");
        }
        *last = Look { material, fault };
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("files", &self.0.files).finish_non_exhaustive()
    }
}

impl Material {
    fn read(files: &TlsServer) -> Result<Self, Error> {
        let certificates = read_file("cert_file", &files.cert_file)?;
        Ok(Material { certificates, key: read_file("key_file", &files.key_file)? })
    }

    /// What rustls makes of it.
    fn config(&self, files: &TlsServer) -> Result<Arc<ServerConfig>, Error> {
        let (cert, key) = (files.cert_file.display(), files.key_file.display());
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&self.certificates).collect();
        let chain = chain.map_err(|e| invalid(format!("cert_file {cert} is not PEM: {e}")))?;
        if chain.is_empty() {
            return Err(invalid(format!("cert_file {cert} holds no certificate in PEM")));
        }
        let secret = PrivateKeyDer::from_pem_slice(&self.key)
            .map_err(|e| invalid(format!("key_file {key} holds no key in PEM: {e}")))?;
        // The provider that reqwest takes too.
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|e| Error::internal("TLS has no protocol version").with_source(e))?
            .with_no_client_auth()
            .with_single_cert(chain, secret);
        let mut config = config.map_err(|e| {
            invalid(format!("cert_file {cert} and key_file {key} are not a certificate and its key: {e}"))
        })?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}

/// Checks that the files are a certificate and its key.
///
/// # Errors
/// As [`Tls::new`].
pub(crate) fn check(files: &TlsServer) -> Result<(), Error> {
    Material::read(files)?.config(files).map(drop)
}

fn read_file(field: &str, path: &Path) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes));
    match read {
        Err(e) => Err(invalid(format!("{field} {} cannot be read: {e}", path.display()))),
        Ok(count) if count as u64 > MAX_FILE_BYTES => {
            Err(invalid(format!("{field} {} is larger than any certificate", path.display())))
        }
        Ok(_) => Ok(bytes),
    }
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::Invalid, message).context("tls_server_config")
}
