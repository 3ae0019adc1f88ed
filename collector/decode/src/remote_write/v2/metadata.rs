//! What series say of their families: each series says it again, the batch once.

use std::collections::HashSet;

use model::Batch;
use model::batch::{Kind, Metadata};

use super::Decoder;
use super::symbols::bytes_of;
use crate::Error;
use crate::protobuf::wire::{Fields, Value};
use crate::protobuf::wrong_type;
use crate::refused::{Bad, Reason};
use crate::remote_write::kind_of;

/// What a series says of its family: its type's number, and the symbols of help and unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Said {
    pub(super) kind: u8,
    pub(super) help: u32,
    pub(super) unit: u32,
}

/// What of families is in the batch already.
#[derive(Debug, Default)]
pub(super) struct Families(HashSet<Known>);

/// Hashes of the family's name, of help and unit, and the kind.
type Known = (u128, u128, u128, Kind);

impl Decoder<'_> {
    /// Reads a `Metadata`.
    pub(super) fn said(&self, range: std::ops::Range<usize>) -> Result<Said, Error> {
        let mut said = Said::default();
        let mut fields = Fields::new(self.draft.body, range);
        let symbol = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        while let Some((number, value)) = fields.next()? {
            match (number, value) {
                (1, Value::Varint(kind)) => said.kind = u8::try_from(kind).unwrap_or(0),
                (3, Value::Varint(help)) => said.help = symbol(help),
                (4, Value::Varint(unit)) => said.unit = symbol(unit),
                (1 | 3 | 4, _) => return Err(wrong_type("Metadata", number)),
                _ => {}
            }
        }
        Ok(said)
    }

    /// What is wrong with what a series says, if anything is.
    pub(super) fn check_said(&mut self, said: Said) -> Result<(), Box<Bad>> {
        let limits = self.draft.limits;
        for (what, number, limit) in
            [("help", said.help, limits.max_value_bytes), ("unit", said.unit, limits.max_name_bytes)]
        {
            let invalid = |text: String| Bad::new(Reason::InvalidMetadata, text);
            let looked = self.symbols.look_at(number, self.draft.body, &self.draft.batch.symbols);
            looked.map_err(|bad| invalid(format!("the {what} of a series: {}", bad.what)))?;
            let len = self.symbols.get(number).len as usize;
            if len > limit {
                return Err(invalid(format!("the {what} of a series has {len} bytes, the limit is {limit}")));
            }
        }
        Ok(())
    }

    /// Enters what a series says of its family, unless it is in the batch; `name` is the symbol of the series' name.
    pub(super) fn tell(&mut self, name: u32, said: Said) -> Result<(), Error> {
        if said == Said::default() || !self.symbols.say(name, said) {
            return Ok(());
        }
        let (body, ranges) = (self.draft.body, &self.draft.batch.symbols);
        let (help_hash, unit_hash) = (self.symbols.get(said.help).hash, self.symbols.get(said.unit).hash);
        let text = |number: u32| &body[bytes_of(&ranges[number as usize])];
        let kind = kind_of(u64::from(said.kind));
        let family = family(text(name), said.kind);
        if !self.families.0.insert((Batch::hash(family), help_hash, unit_hash, kind)) {
            return Ok(());
        }
        let owned = |text: &[u8]| String::from_utf8_lossy(text).into_owned();
        let (help, unit) = (text(said.help), text(said.unit));
        let bytes = family.len() + help.len() + unit.len();
        let metadata = Metadata { name: owned(family), kind, unit: owned(unit), help: owned(help) };
        self.draft.count_rows(1)?;
        self.draft.count_text(bytes)?;
        self.draft.batch.metadata.push(metadata);
        Ok(())
    }
}

/// The name of the family that a series belongs to: that of the series without what its kind has appended.
///
/// The text that Prometheus scrapes, and which its senders repeat, counts `_total` of a counter to the name.
fn family(name: &[u8], kind: u8) -> &[u8] {
    let suffixes: &[&[u8]] = match kind {
        3 | 4 => &[b"_bucket", b"_count", b"_sum"],
        5 => &[b"_count", b"_sum"],
        _ => &[],
    };
    let stem = suffixes.iter().find_map(|suffix| name.strip_suffix(*suffix));
    stem.filter(|stem| !stem.is_empty()).unwrap_or(name)
}

#[cfg(test)]
mod tests;
