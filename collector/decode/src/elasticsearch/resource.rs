//! What documents come from: the fields that many of them share, made into a resource once.

use std::collections::HashMap;
use std::sync::Arc;

use model::Resource;
use model::resource::CLUSTER_NAMES;
use xxhash_rust::xxh3::{xxh3_64, xxh3_128_with_seed};

use super::document::Wrong;
use super::fields::walk;
use crate::error::Fault;
use crate::json::{Reader, Text};
use crate::log_rows::{LogRows, too_many_attributes};

/// The attribute that says the index a document was pushed to.
const INDEX: &str = "elasticsearch.index";

/// Fields of these names, and those below them, are attributes of the resource.
const ROOTS: [&str; 9] =
    ["kubernetes", "host", "service", "cloud", "container", "agent", "orchestrator", "data_stream", "k8s"];

/// Whose attributes they are, for messages.
pub(super) const WHOSE: &str = "the resource of a document";

/// Whether a field of a document is one of its resource.
#[inline]
pub(super) fn is_of_resource(name: &str) -> bool {
    let root = match memchr::memchr(b'.', name.as_bytes()) {
        Some(dot) => &name[..dot],
        None => name,
    };
    ROOTS.contains(&root) || CLUSTER_NAMES.contains(&name)
}

/// A field of a document as it is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part<'a> {
    pub(super) key: Text<'a>,
    pub(super) value: &'a str,
}

impl PartialEq for Part<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.key.raw() == other.key.raw() && self.value == other.value
    }
}

/// Bytes at the start of an object by which it is looked for; a shorter one is read sooner than found.
const PREFIX_BYTES: usize = 64;
/// Objects that are kept of those with one start.
const MAX_OF_PREFIX: usize = 8;

/// The resources of a request, by the bytes they are written with.
#[derive(Debug, Default)]
pub(super) struct Resources<'a> {
    known: HashMap<u128, Known<'a>>,
    /// Objects that were read, by the hash of their start: most documents have them byte for byte again.
    objects: HashMap<u64, Vec<&'a str>>,
}

#[derive(Debug)]
struct Known<'a> {
    parts: Vec<Part<'a>>,
    index: Arc<str>,
    place: u32,
}

impl<'a> Resources<'a> {
    /// Steps over the next value, which is one of the resource.
    #[inline]
    pub(super) fn read(&mut self, reader: &mut Reader<'a>) -> Result<&'a str, Box<Fault>> {
        reader.kind()?;
        let start = reader.at();
        let rest = reader.rest();
        let Some(prefix) = rest.first_chunk::<PREFIX_BYTES>() else { return reader.skip() };
        let prefix = xxh3_64(prefix);
        let objects = self.objects.get(&prefix).map_or(&[][..], Vec::as_slice);
        // An object ends where its brace says so: what begins with all of one is that one.
        if let Some(known) = objects.iter().find(|known| rest.starts_with(known.as_bytes())) {
            reader.advance(known.len());
            return Ok(reader.since(start));
        }
        let value = reader.skip()?;
        if value.starts_with('{') && value.len() >= PREFIX_BYTES {
            let objects = self.objects.entry(prefix).or_default();
            if objects.len() == MAX_OF_PREFIX {
                objects.remove(0);
            }
            objects.push(value);
        }
        Ok(value)
    }

    /// The place of the resource with these fields.
    pub(super) fn place(&mut self, parts: &[Part<'a>], index: &Arc<str>, rows: &mut LogRows<'_>) -> Result<u32, Wrong> {
        let hash = |seed: u128, text: &str| xxh3_128_with_seed(text.as_bytes(), seed as u64 ^ (seed >> 64) as u64);
        let key = parts.iter().fold(hash(0, index), |seed, part| hash(hash(seed, part.key.raw()), part.value));
        if let Some(known) = self.known.get(&key).filter(|known| known.index == *index && known.parts == parts) {
            return Ok(known.place);
        }
        let place = rows.resource(built(parts, index, rows)?)?;
        // Two with one hash, which nobody has by chance, take turns: the work stays the same for each document.
        self.known.insert(key, Known { parts: parts.to_vec(), index: index.clone(), place });
        Ok(place)
    }
}

fn built(parts: &[Part<'_>], index: &str, rows: &LogRows<'_>) -> Result<Resource, Wrong> {
    let mut attributes: Vec<(String, String)> = Vec::new();
    let (mut path, mut scratch) = (String::new(), String::new());
    for part in parts {
        path.clear();
        part.key.resolve(&mut path)?;
        walk(&mut Reader::new(part.value), &mut path, 1, &mut |name, value| {
            let value = value.written(&mut scratch)?;
            rows.check_attribute(name, value)?;
            if attributes.len() >= rows.limits().max_attributes {
                return Err(Wrong::Bad(too_many_attributes(WHOSE, rows.limits())));
            }
            attributes.push((name.to_owned(), value.to_owned()));
            Ok(())
        })?;
    }
    let index = Some((INDEX, index)).filter(|(_, index)| !index.is_empty());
    let attributes = attributes.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    Ok(Resource::new(attributes.chain(index)))
}
