//! The certificates of a source, read from their files.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use model::Error;
use reqwest::{Certificate, ClientBuilder, Identity};
use xxhash_rust::xxh3::xxh3_128;

use super::authorize::read_secret;
use super::client::build;
use super::endpoint::Endpoint;
use super::failure::whole;
use crate::config::TlsConfig;

/// No bundle of authorities is longer, and a wrong path must not be read into memory whole.
const MAX_FILE_BYTES: u64 = 4 << 20;

/// What the files of a `tls_config` hold. Has no `Debug`, for there is a key in it.
#[derive(Default)]
pub(crate) struct Material {
    authorities: Option<Vec<u8>>,
    /// Certificate and key, one after the other.
    identity: Option<Vec<u8>>,
}

impl Material {
    /// Reads the files. The error names the one that cannot be read.
    pub(crate) fn read(tls: &TlsConfig) -> Result<Self, String> {
        let authorities = tls.ca_file.as_deref().map(|path| read_file("ca_file", path)).transpose()?;
        let identity = match (&tls.cert_file, &tls.key_file) {
            (Some(cert), Some(key)) => {
                let mut pem = read_file("cert_file", cert)?;
                pem.push(b'\n');
                pem.extend(read_file("key_file", key)?);
                Some(pem)
            }
            _ => None,
        };
        Ok(Material { authorities, identity })
    }

    /// What tells it from what the files held before.
    pub(super) fn fingerprint(&self) -> u128 {
        let mut all = xxh3_128(self.authorities.as_deref().unwrap_or_default()).to_le_bytes().to_vec();
        all.extend(xxh3_128(self.identity.as_deref().unwrap_or_default()).to_le_bytes());
        xxh3_128(&all)
    }

    /// Puts the certificates into a client. The error names the file that holds no usable one.
    pub(super) fn apply(&self, mut builder: ClientBuilder, tls: &TlsConfig) -> Result<ClientBuilder, String> {
        if let (Some(pem), Some(path)) = (&self.authorities, &tls.ca_file) {
            let path = path.display();
            let certificates = Certificate::from_pem_bundle(pem)
                .map_err(|e| format!("tls_config: ca_file {path} is not PEM: {}", whole(&e)))?;
            if certificates.is_empty() {
                return Err(format!("tls_config: ca_file {path} holds no certificate in PEM"));
            }
            builder = builder.tls_certs_only(certificates);
        }
        if let (Some(pem), Some(cert), Some(key)) = (&self.identity, &tls.cert_file, &tls.key_file) {
            let identity = Identity::from_pem(pem).map_err(|e| {
                let (cert, key) = (cert.display(), key.display());
                format!(
                    "tls_config: cert_file {cert} and key_file {key} are not a certificate and its key: {}",
                    whole(&e)
                )
            })?;
            builder = builder.identity(identity);
        }
        Ok(builder)
    }
}

/// Checks that the files of an endpoint's credentials and certificates can be read and used.
///
/// # Errors
/// `Invalid`; the message names the file.
pub(crate) fn check_files(endpoint: &Endpoint) -> Result<(), Error> {
    let http = &endpoint.http;
    let basic = http.basic_auth.iter().flat_map(|basic| basic.username_file.iter().chain([&basic.password_file]));
    let secrets = basic.chain(http.authorization.iter().map(|authorization| &authorization.credentials_file));
    for file in secrets {
        read_secret(file).map_err(Error::invalid)?;
    }
    let material = Material::read(&http.tls_config).map_err(Error::invalid)?;
    build(endpoint, &material).map(drop).map_err(Error::invalid)
}

fn read_file(field: &str, path: &Path) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes));
    match read {
        Err(e) => Err(format!("tls_config: {field} {} cannot be read: {e}", path.display())),
        Ok(count) if count as u64 > MAX_FILE_BYTES => {
            Err(format!("tls_config: {field} {} is larger than any certificate", path.display()))
        }
        Ok(_) => Ok(bytes),
    }
}
