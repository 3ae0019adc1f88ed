//! The formats of an answer.

use model::ErrorKind;

use crate::error::Error;

/// How the rows of an answer are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// `{"columns": [{"name", "type"}, …], "rows": [{…}, …]}`; an error on the way comes as a further key `error`.
    Json,
    /// One JSON object a row; an error on the way comes as a last object `{"error": …}`.
    Ndjson,
    /// A line of names, then a line a row. NULL is an empty field, the empty text is `""`.
    Csv,
    /// A stream of Arrow IPC; an error on the way leaves it without its end.
    Arrow,
    /// A Parquet file; an error on the way leaves it without its footer.
    Parquet,
}

const TYPES: [(&str, Format); 7] = [
    ("application/json", Format::Json),
    ("application/x-ndjson", Format::Ndjson),
    ("application/jsonl", Format::Ndjson),
    ("text/csv", Format::Csv),
    ("application/vnd.apache.arrow.stream", Format::Arrow),
    ("application/vnd.apache.parquet", Format::Parquet),
    ("application/x-parquet", Format::Parquet),
];

impl Format {
    /// The format that the values of `Accept` headers like best; JSON if they say nothing.
    ///
    /// # Errors
    /// `Invalid` if they name only formats that do not exist.
    pub(crate) fn accepted(accept: &[&str]) -> Result<Self, Error> {
        let mut best: Option<(f32, Format)> = None;
        let mut said = false;
        for range in accept.iter().flat_map(|value| value.split(',')) {
            let mut parts = range.split(';').map(str::trim);
            let name = parts.next().unwrap_or("").to_ascii_lowercase();
            if name.is_empty() {
                continue;
            }
            said = true;
            let quality = parts.find_map(|p| p.strip_prefix("q=")).and_then(|q| q.parse().ok()).unwrap_or(1.0);
            let format = match name.as_str() {
                "*/*" | "application/*" => Some(Format::Json),
                "text/*" => Some(Format::Csv),
                name => TYPES.iter().find(|(known, _)| *known == name).map(|(_, format)| *format),
            };
            if let Some(format) = format.filter(|_| quality > 0.0 && best.is_none_or(|(other, _)| quality > other)) {
                best = Some((quality, format));
            }
        }
        match best {
            Some((_, format)) => Ok(format),
            None if !said => Ok(Format::Json),
            None => {
                let known: Vec<&str> = TYPES.iter().map(|(name, _)| *name).collect();
                let what = format!("no format fits Accept: {}; there are {}", accept.join(", "), known.join(", "));
                Err(Error::new(ErrorKind::Invalid, what))
            }
        }
    }

    /// The value of `Content-Type`.
    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Format::Json => "application/json",
            Format::Ndjson => "application/x-ndjson",
            Format::Csv => "text/csv; charset=utf-8",
            Format::Arrow => "application/vnd.apache.arrow.stream",
            Format::Parquet => "application/vnd.apache.parquet",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_liked_format_wins() {
        let accepted = |accept: &[&str]| Format::accepted(accept).ok();
        assert_eq!(accepted(&[]), Some(Format::Json));
        assert_eq!(accepted(&["text/csv;q=0.5, application/x-ndjson"]), Some(Format::Ndjson));
        assert_eq!(accepted(&["text/html, */*;q=0.1"]), Some(Format::Json));
        assert_eq!(accepted(&["image/png"]), None);
        assert_eq!(accepted(&["text/csv; q=0"]), None);
        assert_eq!(accepted(&["APPLICATION/VND.APACHE.PARQUET"]), Some(Format::Parquet));
    }
}
