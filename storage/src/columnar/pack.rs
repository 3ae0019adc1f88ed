//! Logs or spans with the record that the journal keeps of them, made before the journal's writer has a look at them.

use std::sync::Arc;

use model::time::MS_NANOS;
use model::{Error, Resource};

use super::Columnar;
use crate::codec::{Reader, damaged};
use crate::record::{Origin, Summary, pack};

/// Which part of which cut's carried rows a record holds. Their originals lie below the cut's position: as long as the cut
/// is in no block they count, and the carried ones do not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Carry {
    /// The position of the cut in the journal.
    pub(crate) cut: u64,
    pub(crate) part: u32,
}

/// Rows, and the record of them.
#[derive(Debug)]
pub(crate) struct Packed<C> {
    pub(crate) rows: Arc<C>,
    payload: Vec<u8>,
    tag: Vec<u8>,
}

impl<C: Columnar> Packed<C> {
    /// Makes the record of these rows.
    pub(crate) fn new(rows: Arc<C>, carry: Option<Carry>) -> Self {
        let mut plain = Vec::with_capacity(rows.memory_bytes());
        rows.encode(&mut plain);
        let origin = if carry.is_some() { Origin::Carried } else { Origin::Written };
        let mut payload = vec![C::VERSION, u8::from(origin == Origin::Carried)];
        if let Some(Carry { cut, part }) = carry {
            payload.extend_from_slice(&cut.to_le_bytes());
            payload.extend_from_slice(&part.to_le_bytes());
        }
        pack(&plain, &mut payload);
        let mut tag = Vec::new();
        summary(&*rows).write(&mut tag);
        Packed { rows, payload, tag }
    }

    /// Appends the record to one of the journal.
    pub(crate) fn write(&self, tag: &mut Vec<u8>, payload: &mut Vec<u8>) {
        tag.extend_from_slice(&self.tag);
        payload.extend_from_slice(&self.payload);
    }
}

/// Reads what stands between the first two bytes of a carried record and its rows.
pub(crate) fn read_carry(reader: &mut Reader<'_>) -> Result<Carry, Error> {
    let (mut cut, mut part) = ([0; 8], [0; 4]);
    cut.copy_from_slice(reader.bytes(8)?);
    part.copy_from_slice(reader.bytes(4)?);
    Ok(Carry { cut: u64::from_le_bytes(cut), part: u32::from_le_bytes(part) })
}

/// Reads rows from the unpacked payload of a record.
pub(crate) fn read_rows<C: Columnar>(plain: &[u8]) -> Result<Arc<C>, Error> {
    let mut reader = Reader::new(plain);
    let rows = C::decode(&mut reader)?;
    match reader.left() {
        0 => Ok(Arc::new(rows)),
        left => Err(damaged(&format!("{left} bytes behind its rows"))),
    }
}

fn summary<C: Columnar>(rows: &C) -> Summary {
    let (resources, places) = rows.resources();
    // Of each resource how many rows, and between which times.
    let mut of_resource: Vec<Option<(u64, i64, i64)>> = vec![None; resources.len()];
    for (place, time) in places.iter().zip(rows.times()) {
        let time_ms = time.div_euclid(MS_NANOS);
        let (count, min, max) = of_resource[*place as usize].get_or_insert((0, time_ms, time_ms));
        (*count, *min, *max) = (*count + 1, time_ms.min(*min), time_ms.max(*max));
    }
    let mut summary = Summary::default();
    for (resource, told) in resources.iter().zip(of_resource) {
        let resource: &Arc<Resource> = resource;
        if let Some((count, min, max)) = told {
            summary.add(&resource.cluster, count, min..=max);
        }
    }
    summary
}
