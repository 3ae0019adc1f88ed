//! Errors of DataFusion and of the store, each as the other.

use datafusion::common::DataFusionError;
use datafusion::sql::sqlparser::parser::ParserError;
use model::{Error, ErrorKind};

/// Carries an error of ours through DataFusion; [`from_datafusion`] takes it out again.
pub(crate) fn external(error: Error) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

/// Names an error of DataFusion by what the caller must do.
pub(crate) fn from_datafusion(error: DataFusionError) -> Error {
    let kind = match error.find_root() {
        DataFusionError::External(inner) => match inner.downcast_ref::<Error>() {
            Some(ours) => return copy(ours),
            None => ErrorKind::Unavailable,
        },
        DataFusionError::ObjectStore(_) | DataFusionError::IoError(_) => ErrorKind::Unavailable,
        DataFusionError::ParquetError(_) => ErrorKind::Corrupt,
        DataFusionError::ResourcesExhausted(_) => ErrorKind::TooLarge,
        DataFusionError::Internal(_) => ErrorKind::Internal,
        _ => ErrorKind::Invalid,
    };
    Error::new(kind, message(&error))
}

/// An error of ours is found behind shared pointers, so it is made anew.
fn copy(error: &Error) -> Error {
    let copy = Error::new(error.kind(), error.to_string());
    match error.retry_after() {
        Some(after) => copy.with_retry_after(after),
        None => copy,
    }
}

/// The text of the innermost error, without the layers that DataFusion puts before it.
fn message(error: &DataFusionError) -> String {
    let root = error.find_root();
    let text = match root {
        DataFusionError::Plan(text)
        | DataFusionError::Execution(text)
        | DataFusionError::NotImplemented(text)
        | DataFusionError::ResourcesExhausted(text)
        | DataFusionError::Configuration(text) => text.clone(),
        DataFusionError::SQL(parser, _) => match parser.as_ref() {
            ParserError::ParserError(text) | ParserError::TokenizerError(text) => text.clone(),
            ParserError::RecursionLimitExceeded => "the statement is nested too deeply".to_owned(),
        },
        other => other.strip_backtrace(),
    };
    text
}
