//! What requests for logs and for traces have in common: resources and scopes around records.
//!
//! Owns: the way to each record, what all records of a resource or scope share, what is refused.
//! Does not own: the records themselves ([`super::logs`], [`super::traces`]).
//!
//! ```text
//! Export…ServiceRequest { resource_… = 1 }
//! Resource… { resource = 1: Resource, scope_… = 2 }      Resource { attributes = 1: KeyValue }
//! Scope… { scope = 1: InstrumentationScope, records = 2 }
//! InstrumentationScope { name = 1, version = 2, attributes = 3: KeyValue }
//! ```

use std::ops::Range;
use std::sync::Arc;

use model::attributes::Attributes;
use model::resource::Scope;
use model::shared::Shared;
use model::texts::Texts;
use model::time::MS_NANOS;

use super::resource::SCOPE_ROWS;
use super::values::{self, Form, Pairs};
use super::{Fault, Refused};
use crate::error::quoted;
use crate::protobuf::wire::{Fields, Value};
use crate::{Error, Limits};

/// Text grows at most by this when it is written out: a body must not have more than a column has room for.
const MAX_GROWTH: usize = 16;
/// What attributes of scopes may take, written out for each record: so many times the body, and for a small one this.
const SCOPE_GROWTH: usize = 4;
const SCOPE_BYTES: usize = 64 << 10;

/// The words of a signal for its messages.
#[derive(Debug)]
pub(super) struct Words {
    pub(super) request: &'static str,
    pub(super) resource: &'static str,
    pub(super) scope: &'static str,
    /// One record, in messages to senders.
    pub(super) record: &'static str,
}

/// A resource as all its records have it.
#[derive(Debug)]
struct Resource {
    value: Arc<model::Resource>,
    /// Where it is in the body, if it is there in one piece.
    at: Option<Range<usize>>,
    /// Its place in the batch, once a record needed it.
    place: Option<u32>,
}

/// A scope as all its records have it.
#[derive(Debug)]
struct InScope {
    value: Arc<Scope>,
    place: Option<u32>,
    /// Its attributes under the names that they have in rows.
    attributes: Pairs,
    /// The bytes of those.
    bytes: usize,
}

/// A request while its records are gone through.
#[derive(Debug)]
pub(super) struct Envelope<'a> {
    pub(super) body: &'a [u8],
    pub(super) limits: &'a Limits,
    words: &'static Words,
    /// The latest time that is taken, in milliseconds since the Unix epoch.
    latest_ms: i64,
    /// What is left of the request, of the resource at hand and of the scope at hand.
    resources: Fields<'a>,
    scopes: Fields<'a>,
    records: Fields<'a>,
    /// Those at hand, or what is wrong with them: so it is with each of their records.
    resource: Result<Resource, String>,
    scope: Result<InScope, String>,
    rows: usize,
    /// Bytes of scopes that were written out.
    scope_bytes: usize,
    refused: Refused,
}

/// Where a record is, and the places of what it shares with others.
#[derive(Debug, Clone)]
pub(super) struct Record {
    pub(super) range: Range<usize>,
    pub(super) resource: u32,
    pub(super) scope: u32,
}

impl<'a> Envelope<'a> {
    /// A request in `body`.
    ///
    /// # Errors
    /// `TooLarge` if it has more bytes than it may.
    pub(super) fn new(
        body: &'a [u8],
        latest_ms: i64,
        limits: &'a Limits,
        words: &'static Words,
    ) -> Result<Self, Error> {
        let max = limits.max_decoded_bytes.min(Texts::MAX_BYTES / MAX_GROWTH);
        if body.len() > max {
            return Err(Error::too_large(format!("the request has {} bytes, the limit is {max}", body.len())));
        }
        Ok(Envelope {
            body,
            limits,
            words,
            latest_ms,
            resources: Fields::new(body, 0..body.len()),
            scopes: Fields::new(body, 0..0),
            records: Fields::new(body, 0..0),
            resource: Err(String::new()),
            scope: Err(String::new()),
            rows: 0,
            scope_bytes: 0,
            refused: Refused::default(),
        })
    }

    /// The next record whose resource and scope are right. Those of others are counted as refused.
    pub(super) fn next(
        &mut self,
        resources: &mut Shared<model::Resource>,
        scopes: &mut Shared<Scope>,
    ) -> Result<Option<Record>, Fault> {
        loop {
            while let Some(range) = next_message(&mut self.records, 2, self.words.scope)? {
                self.count_rows(1)?;
                match (&mut self.resource, &mut self.scope) {
                    (Ok(resource), Ok(scope)) => {
                        return Ok(Some(Record {
                            range,
                            resource: *resource.place.get_or_insert_with(|| resources.place(&resource.value)),
                            scope: *scope.place.get_or_insert_with(|| scopes.place(&scope.value)),
                        }));
                    }
                    (Err(why), _) | (_, Err(why)) => self.refused.add(1, format!("{}: {why}", self.words.record)),
                }
            }
            if let Some(range) = next_message(&mut self.scopes, 2, self.words.resource)? {
                self.begin_scope(range)?;
            } else if let Some(range) = next_message(&mut self.resources, 1, self.words.request)? {
                self.begin_resource(range)?;
            } else {
                return Ok(None);
            }
        }
    }

    /// Counts a record that is left out; `named` is how it is told from others.
    #[cold]
    pub(super) fn refuse(&mut self, named: &[u8], reason: &str) {
        let service = self.resource.as_ref().map_or("", |resource| &resource.value.service);
        let service = quoted(service.as_bytes());
        let named = if named.is_empty() { String::new() } else { format!(" {}", quoted(named)) };
        self.refused.add(1, format!("{}{named} of service {service}: {reason}", self.words.record));
    }

    /// What was refused, once all records were gone through.
    pub(super) fn finish(self) -> Refused {
        self.refused
    }

    /// Counts rows against the limit before they are kept.
    #[inline]
    pub(super) fn count_rows(&mut self, rows: usize) -> Result<(), Fault> {
        self.rows += rows;
        if self.rows > self.limits.max_rows { Err(self.too_many_rows()) } else { Ok(()) }
    }

    #[cold]
    fn too_many_rows(&self) -> Fault {
        let max = self.limits.max_rows;
        let what =
            format!("the request has more than {max} rows, events, links, resources and scopes: send it in parts");
        Fault::Fatal(Error::too_large(what))
    }

    /// A time as a table holds it.
    #[inline]
    pub(super) fn time(&self, nanos: u64, what: &str) -> Result<i64, Fault> {
        i64::try_from(nanos).map_err(|_| no_such_time(nanos, what))
    }

    /// Refuses a time too far in the future.
    #[inline]
    pub(super) fn check_time(&self, nanos: i64, what: &str) -> Result<(), Fault> {
        if nanos / MS_NANOS > self.latest_ms { Err(self.too_late(nanos, what)) } else { Ok(()) }
    }

    #[cold]
    fn too_late(&self, nanos: i64, what: &str) -> Fault {
        let (time_ms, latest_ms) = (nanos / MS_NANOS, self.latest_ms);
        Fault::Refused(format!(
            "{what}, {time_ms} ms, is too far in the future: nothing after {latest_ms} ms is taken (future_limit)"
        ))
    }

    /// Adds the attributes of the scope to the row at hand, for those who have no other of the same name.
    #[inline]
    pub(super) fn push_scope(&mut self, attributes: &mut Attributes) -> Result<(), Fault> {
        let Ok(scope) = &self.scope else { return Ok(()) };
        if scope.attributes.is_empty() {
            return Ok(());
        }
        self.scope_bytes += scope.bytes;
        let max = (self.body.len() * SCOPE_GROWTH).max(SCOPE_BYTES);
        if self.scope_bytes > max {
            let what = format!(
                "the attributes of scopes, written out for each {}, are over {max} bytes: say them of the resource",
                self.words.record
            );
            return Err(Fault::Fatal(Error::too_large(what)));
        }
        for (name, value) in &scope.attributes {
            attributes.push(name, value);
        }
        Ok(())
    }

    fn begin_resource(&mut self, range: Range<usize>) -> Result<(), Fault> {
        self.count_rows(SCOPE_ROWS)?;
        self.scopes = Fields::new(self.body, range.clone());
        let (mut at, mut parts) = (None, 0);
        let mut fields = Fields::new(self.body, range.clone());
        while let Some(part) = next_message(&mut fields, 1, self.words.resource)? {
            (at, parts) = (Some(part), parts + 1);
        }
        let at = at.filter(|_| parts == 1);
        // Some senders say the resource again with each record.
        let is_same = |before: &Resource| match (&before.at, &at) {
            (Some(before), Some(at)) => self.body[before.clone()] == self.body[at.clone()],
            _ => false,
        };
        if self.resource.as_ref().is_ok_and(is_same) {
            return Ok(());
        }
        self.resource = match self.read_resource(range) {
            Ok(value) => Ok(Resource { value: Arc::new(value), at, place: None }),
            Err(Fault::Refused(reason)) => Err(format!("its resource is wrong: {reason}")),
            Err(fatal) => return Err(fatal),
        };
        Ok(())
    }

    fn read_resource(&self, range: Range<usize>) -> Result<model::Resource, Fault> {
        let mut pairs = Pairs::new();
        let mut parts = Fields::new(self.body, range);
        while let Some(part) = next_message(&mut parts, 1, self.words.resource)? {
            self.read_pairs(part, 1, &mut pairs)?;
        }
        Ok(model::Resource::new(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()))))
    }

    fn begin_scope(&mut self, range: Range<usize>) -> Result<(), Fault> {
        self.count_rows(SCOPE_ROWS)?;
        self.records = Fields::new(self.body, range.clone());
        self.scope = match self.read_scope(range) {
            Ok(scope) => Ok(scope),
            Err(Fault::Refused(reason)) => Err(format!("its scope is wrong: {reason}")),
            Err(fatal) => return Err(fatal),
        };
        Ok(())
    }

    fn read_scope(&self, range: Range<usize>) -> Result<InScope, Fault> {
        let form = Form::attribute(self.limits);
        let (mut name, mut version, mut pairs) = (0..0, 0..0, Pairs::new());
        let mut scopes = Fields::new(self.body, range);
        while let Some(scope) = next_message(&mut scopes, 1, self.words.scope)? {
            let mut fields = Fields::new(self.body, scope.clone());
            while let Some((number, value)) = fields.next()? {
                match (number, value) {
                    (1, Value::Bytes(range)) => name = range,
                    (2, Value::Bytes(range)) => version = range,
                    (1 | 2, _) => return Err(Fault::wrong_type("InstrumentationScope", number)),
                    _ => {}
                }
            }
            self.read_pairs(scope, 3, &mut pairs)?;
        }
        let text = |range: Range<usize>, what| Form { what, ..form }.text(&self.body[range]).map(String::from);
        let value = Scope { name: text(name, "its name")?, version: text(version, "its version")? };
        for (name, _) in &mut pairs {
            name.insert_str(0, "otel.scope.");
        }
        let bytes = pairs.iter().map(|(name, value)| name.len() + value.len()).sum();
        Ok(InScope { value: Arc::new(value), place: None, attributes: pairs, bytes })
    }

    fn read_pairs(&self, range: Range<usize>, number: u64, pairs: &mut Pairs) -> Result<(), Fault> {
        let (form, known) = (Form::attribute(self.limits), pairs.len());
        values::read_pairs(self.body, range, number, self.limits.max_attributes, &form, pairs)?;
        match pairs[known..].iter().find(|(name, _)| name.len() > self.limits.max_name_bytes) {
            Some((name, _)) => Err(long_key(name.as_bytes(), self.limits)),
            None => Ok(()),
        }
    }
}

/// The next field `number` of a message called `message`, which is a message itself; others are skipped.
fn next_message(fields: &mut Fields<'_>, number: u64, message: &str) -> Result<Option<Range<usize>>, Fault> {
    while let Some((found, value)) = fields.next()? {
        match value {
            Value::Bytes(range) if found == number => return Ok(Some(range)),
            _ if found == number => return Err(Fault::wrong_type(message, number)),
            _ => {}
        }
    }
    Ok(None)
}

/// What is wrong with a key that is too long.
#[cold]
pub(super) fn long_key(key: &[u8], limits: &Limits) -> Fault {
    let (shown, max) = (quoted(key), limits.max_name_bytes);
    Fault::Refused(format!(
        "the attribute key {shown} has {} bytes, the limit is {max} (label_name_length_limit)",
        key.len()
    ))
}

#[cold]
fn no_such_time(nanos: u64, what: &str) -> Fault {
    Fault::Refused(format!("{what}, {nanos} ns, is later than a table can hold, which is the year 2262"))
}
