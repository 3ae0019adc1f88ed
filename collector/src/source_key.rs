//! What tells what is asked of a source from everything else that could be: it is kept in the store, beside what is said of it.

use xxhash_rust::xxh3::Xxh3;

use crate::config::HttpConfig;

/// The key of what is asked for, text by text, with these headers and credentials: 16 hexadecimal digits.
pub(crate) fn source_key(asked: impl IntoIterator<Item = String>, http: &HttpConfig) -> String {
    // Headers, users and tokens name the tenant at some servers.
    let headers = http.headers.iter().flat_map(|(name, value)| [name.clone(), value.clone()]);
    let user = http.basic_auth.iter().flat_map(|basic| {
        let files = basic.username_file.iter().chain([&basic.password_file]);
        files.map(|file| file.display().to_string()).chain([basic.username.clone()])
    });
    let token = http.authorization.iter().map(|token| token.credentials_file.display().to_string());
    let mut hasher = Xxh3::new();
    for text in asked.into_iter().chain(headers).chain(user).chain(token) {
        hasher.update(text.as_bytes());
        hasher.update(&[0xff]);
    }
    format!("{:016x}", hasher.digest())
}
