//! Parameters of a request: of its address and, if it is a form, of its body.

use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::Method;
use axum::http::header::CONTENT_TYPE;

use super::envelope::Failure;

/// Bytes of a form.
const MAX_BODY_BYTES: usize = 10 << 20;
const FORM: &str = "application/x-www-form-urlencoded";

/// Parameters in the order in which they came; those of the body first, as Go's `Request.Form` has them.
#[derive(Debug, Default)]
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    /// Reads the parameters of a request.
    ///
    /// # Errors
    /// `bad_data` if the body is too large or cannot be read.
    pub(super) async fn read(request: Request) -> Result<Self, Failure> {
        let (head, body) = request.into_parts();
        let mut pairs = Vec::new();
        let content_type = head.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
        let is_form = content_type.split(';').next().is_some_and(|of| of.trim().eq_ignore_ascii_case(FORM));
        if head.method == Method::POST && is_form {
            let body = to_bytes(body, MAX_BODY_BYTES).await;
            let body = body.map_err(|e| Failure::bad_data(format!("error parsing form values: {e}")))?;
            pairs.extend(url::form_urlencoded::parse(&body).into_owned());
        }
        pairs.extend(url::form_urlencoded::parse(head.uri.query().unwrap_or("").as_bytes()).into_owned());
        Ok(Form(pairs))
    }

    /// The first value of a parameter; empty if it is not there.
    pub(super) fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(other, _)| other == name).map_or("", |(_, value)| value)
    }

    /// All values of a parameter.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(other, _)| other == name).map(|(_, value)| value.as_str())
    }
}
