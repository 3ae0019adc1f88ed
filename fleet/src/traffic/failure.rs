//! What goes wrong in an application: as an exception of a span, and in the words of its log.

use opentelemetry_proto::tonic::trace::v1::span::Event;

use crate::chance::Chance;
use crate::traffic::arguments::{Attributes, text};

/// What a database refuses with: its code and message.
const REFUSALS: [(&str, &str); 3] = [
    ("57014", "canceling statement due to statement timeout"),
    ("40P01", "deadlock detected"),
    ("53300", "sorry, too many clients already"),
];

/// Something that went wrong.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    /// The type of the error, as the program's language has it.
    pub(crate) kind: &'static str,
    pub(crate) message: String,
    /// The functions that were at work; empty where the failure is only passed on.
    pub(crate) stack: String,
    /// The code that a database gave.
    pub(crate) code: Option<&'static str>,
}

impl Failure {
    /// A database that refuses a statement of a service.
    pub(crate) fn of_database(service: &str, table: &str, chance: Chance) -> Self {
        let (code, why) = REFUSALS[chance.below(REFUSALS.len() as u64) as usize];
        let stack = stack(
            service,
            &[("postgres.(*Store).query", "store.go", 88), (&format!("{table}.Handle"), "handle.go", 41)],
        );
        Failure { kind: "*pgconn.PgError", message: format!("ERROR: {why} (SQLSTATE {code})"), stack, code: Some(code) }
    }

    /// A program that has more to do than it may.
    pub(crate) fn of_load(service: &str, waited_ns: i64, chance: Chance) -> Self {
        let (milliseconds, waiting) = (waited_ns / 1_000_000, 16 + chance.below(64));
        let message = format!("no worker was free for {milliseconds} ms, {waiting} requests wait");
        let stack = stack(
            service,
            &[("admission.(*Gate).Enter", "gate.go", 57), ("server.(*Server).ServeHTTP", "server.go", 132)],
        );
        Failure { kind: "*admission.OverloadError", message, stack, code: None }
    }

    /// A service that did not answer well.
    pub(crate) fn of_call(service: &str, called: &str, status: &str) -> Self {
        let function = format!("{called}.(*Client).Do");
        let stack = stack(service, &[(&function, "client.go", 203), ("server.(*Server).ServeHTTP", "server.go", 132)]);
        Failure { kind: "*client.StatusError", message: format!("{called} answered {status}"), stack, code: None }
    }

    /// The same, seen by a span that it did not happen in.
    pub(crate) fn passed_on(&self) -> Self {
        Failure { stack: String::new(), ..self.clone() }
    }

    /// The attributes that an event and a line have of it.
    pub(crate) fn attributes(&self) -> Attributes {
        vec![
            text("exception.type", self.kind),
            text("exception.message", &self.message),
            text("exception.stacktrace", &self.stack),
        ]
    }

    /// The event of the span in which it happened.
    pub(crate) fn event(&self, time_unix_nano: u64) -> Option<Event> {
        (!self.stack.is_empty()).then(|| Event {
            time_unix_nano,
            name: "exception".to_owned(),
            attributes: self.attributes(),
            ..Event::default()
        })
    }
}

/// A stack as a Go program prints it.
fn stack(service: &str, frames: &[(&str, &str, u32)]) -> String {
    let mut text = "goroutine 1 [running]:".to_owned();
    for (function, file, line) in frames {
        let package = function.split('.').next().unwrap_or_default();
        text += &format!("\n{service}/internal/{function}(...)\n\t/src/{service}/internal/{package}/{file}:{line}");
    }
    text
}
