//! The parts that records of logs and spans are written with.

use std::sync::Arc;

use model::Error;
use model::attributes::{AttributeSet, Attributes};
use model::resource::{Resource, Scope};
use model::shared::Shared;
use model::texts::{Dictionary, Texts};

use crate::codec::{Reader, TimeDecoder, TimeEncoder, damaged, put_bytes, put_signed, put_varint};

/// The length of each text, then all of them. How many there are is known.
pub(super) fn put_texts(out: &mut Vec<u8>, texts: &Texts) {
    texts.iter().for_each(|text| put_varint(out, text.len() as u64));
    out.extend_from_slice(texts.all().as_bytes());
}

pub(super) fn take_texts(reader: &mut Reader<'_>, count: usize) -> Result<Texts, Error> {
    let mut lengths = Vec::with_capacity(count.min(reader.left()));
    let mut bytes = 0usize;
    for _ in 0..count {
        let length = usize::try_from(reader.varint()?).map_err(|_| damaged("a text of impossible length"))?;
        bytes = bytes.checked_add(length).ok_or_else(|| damaged("a text of impossible length"))?;
        lengths.push(length);
    }
    let all = std::str::from_utf8(reader.bytes(bytes)?).map_err(|_| damaged("a text that is not UTF-8"))?;
    let (mut texts, mut at) = (Texts::default(), 0);
    for length in lengths {
        let text = all.get(at..at + length).ok_or_else(|| damaged("a text that ends within a character"))?;
        texts.push(text);
        at += length;
    }
    Ok(texts)
}

/// How many texts, and they.
pub(super) fn put_dictionary(out: &mut Vec<u8>, texts: &Texts) {
    put_varint(out, texts.len() as u64);
    put_texts(out, texts);
}

pub(super) fn take_dictionary(reader: &mut Reader<'_>) -> Result<Dictionary, Error> {
    let count = reader.count()?;
    let (texts, mut dictionary) = (take_texts(reader, count)?, Dictionary::default());
    for (place, text) in (0u32..).zip(texts.iter()) {
        if dictionary.place(text) != place {
            return Err(damaged("a dictionary has a text twice"));
        }
    }
    Ok(dictionary)
}

/// Small numbers.
pub(super) fn put_numbers(out: &mut Vec<u8>, numbers: impl Iterator<Item = u32>) {
    numbers.for_each(|number| put_varint(out, u64::from(number)));
}

/// Numbers below `limit`.
pub(super) fn take_numbers(reader: &mut Reader<'_>, count: usize, limit: usize) -> Result<Vec<u32>, Error> {
    let mut numbers = Vec::with_capacity(count.min(reader.left()));
    for _ in 0..count {
        let number = reader.varint()?;
        if number >= limit as u64 || number > u64::from(u32::MAX) {
            return Err(damaged("a number too large for its place"));
        }
        numbers.push(number as u32);
    }
    Ok(numbers)
}

/// Running ends, as the length of each.
pub(super) fn put_ends(out: &mut Vec<u8>, ends: &[u32]) {
    let mut start = 0;
    for end in ends {
        put_varint(out, u64::from(end - start));
        start = *end;
    }
}

pub(super) fn take_ends(reader: &mut Reader<'_>, count: usize) -> Result<Vec<u32>, Error> {
    let mut end = 0u32;
    let mut ends = Vec::with_capacity(count.min(reader.left()));
    for _ in 0..count {
        let length = u32::try_from(reader.varint()?).ok();
        end = length.and_then(|length| end.checked_add(length)).ok_or_else(|| damaged("a length too large"))?;
        ends.push(end);
    }
    Ok(ends)
}

pub(super) fn put_times(out: &mut Vec<u8>, times: &[i64]) {
    let mut encoder = TimeEncoder::default();
    times.iter().for_each(|time| encoder.put(out, *time));
}

pub(super) fn take_times(reader: &mut Reader<'_>, count: usize) -> Result<Vec<i64>, Error> {
    let mut decoder = TimeDecoder::default();
    (0..count).map(|_| decoder.take(reader)).collect()
}

/// Numbers of either sign.
pub(super) fn put_signeds(out: &mut Vec<u8>, numbers: &[i64]) {
    numbers.iter().for_each(|number| put_signed(out, *number));
}

pub(super) fn take_signeds(reader: &mut Reader<'_>, count: usize) -> Result<Vec<i64>, Error> {
    (0..count).map(|_| reader.signed()).collect()
}

pub(super) fn put_ids<const N: usize>(out: &mut Vec<u8>, ids: &[[u8; N]]) {
    out.extend_from_slice(ids.as_flattened());
}

pub(super) fn take_ids<const N: usize>(reader: &mut Reader<'_>, count: usize) -> Result<Vec<[u8; N]>, Error> {
    let bytes = count.checked_mul(N).ok_or_else(|| damaged("too many ids"))?;
    let (ids, _) = reader.bytes(bytes)?.as_chunks::<N>();
    Ok(ids.to_vec())
}

/// The names, how many attributes each row has, the place of the name of each, the values.
pub(super) fn put_attributes(out: &mut Vec<u8>, attributes: &Attributes) {
    put_dictionary(out, attributes.names());
    let mut start = 0;
    for row in 0..attributes.rows() {
        let end = attributes.range(row).end;
        put_varint(out, (end - start) as u64);
        start = end;
    }
    put_numbers(out, attributes.keys().iter().copied());
    put_texts(out, attributes.values());
}

pub(super) fn take_attributes(reader: &mut Reader<'_>, rows: usize) -> Result<Attributes, Error> {
    let names = take_dictionary(reader)?;
    let ends = take_ends(reader, rows)?;
    let count = ends.last().map_or(0, |end| *end as usize);
    let keys = take_numbers(reader, count, names.texts().len())?;
    let values = take_texts(reader, count)?;
    Attributes::from_parts(names, ends, keys, values).map_err(|error| damaged(error.message()))
}

pub(super) fn put_resources(out: &mut Vec<u8>, resources: &Shared<Resource>, scopes: &Shared<Scope>) {
    put_varint(out, resources.len() as u64);
    for resource in resources.iter() {
        resource.columns().into_iter().for_each(|column| put_bytes(out, column.as_bytes()));
        put_bytes(out, resource.attributes.as_bytes());
    }
    put_varint(out, scopes.len() as u64);
    for scope in scopes.iter() {
        put_bytes(out, scope.name.as_bytes());
        put_bytes(out, scope.version.as_bytes());
    }
}

pub(super) fn take_resources(reader: &mut Reader<'_>) -> Result<(Shared<Resource>, Shared<Scope>), Error> {
    let (mut resources, mut scopes) = (Shared::default(), Shared::default());
    for place in 0..reader.count()? {
        let mut column = || reader.text().map(Arc::<str>::from);
        let (cluster, namespace, pod) = (column()?, column()?, column()?);
        let (container, node, service) = (column()?, column()?, column()?);
        let attributes = AttributeSet::from_bytes(reader.sized()?).map_err(|error| damaged(error.message()))?;
        let resource = Resource { cluster, service, namespace, pod, container, node, attributes };
        if resources.place(&Arc::new(resource)) as usize != place {
            return Err(damaged("a resource is there twice"));
        }
    }
    for place in 0..reader.count()? {
        let (name, version) = (reader.text()?.to_owned(), reader.text()?.to_owned());
        if scopes.place(&Arc::new(Scope { name, version })) as usize != place {
            return Err(damaged("a scope is there twice"));
        }
    }
    Ok((resources, scopes))
}
