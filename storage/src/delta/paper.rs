//! A change on paper: what a manifest of staged blocks says of a commit that is still to be made.
//!
//! Owns: turning a [`Change`] into the JSON of its actions and back, so that a later process makes the same commit.
//! Does not own: the file that this stands in (`cut::manifest`).

use model::{Error, ErrorKind};
use serde_json::Value;
use uuid::Uuid;

use super::action::{Add, LAST_SAMPLES, Line, NewBlock};
use super::commit::{Change, Txn};
use super::state::State;
use crate::Table;

impl Change {
    /// The actions of this change as a JSON array. Versions and times in it mean nothing: the commit has its own.
    ///
    /// # Errors
    /// `Internal` if the change is not one that only adds, or has no JSON.
    pub(crate) fn to_json(&self, table: Table) -> Result<Value, Error> {
        let lines = self.lines(table, &State::new(table), 0, 0)?;
        serde_json::to_value(lines).map_err(|e| Error::internal("a change cannot be written as json").with_source(e))
    }

    /// Reads what [`Change::to_json`] wrote; it is the same change, and knows its commit if that came through.
    ///
    /// # Errors
    /// `Corrupt` if it is something else.
    pub(crate) fn from_json(table: Table, actions: Value) -> Result<Self, Error> {
        let damaged = |what: &str| {
            Error::new(ErrorKind::Corrupt, format!("the planned commit to table {}: {what}", table.name()))
        };
        let lines: Vec<Line> = serde_json::from_value(actions).map_err(|e| damaged(&e.to_string()))?;
        let id = lines.iter().find_map(|line| line.commit_info.as_ref()?.txn_id.as_deref());
        let id = id.and_then(|id| Uuid::try_parse(id).ok()).ok_or_else(|| damaged("it has no id"))?;
        let mut txn = None;
        if let Some(action) = lines.iter().find_map(|line| line.txn.as_ref()) {
            let app_id = Uuid::try_parse(&action.app_id).map_err(|_| damaged("its journal is not named by a UUID"))?;
            txn = Some(Txn { app_id, position: action.version });
        }
        let adds = lines.iter().filter_map(|line| line.add.as_ref()).map(|add| add.new_block(table));
        Ok(Change { id, adds: adds.collect::<Result<_, _>>()?, removes: Vec::new(), txn, data_change: true })
    }
}

impl Add {
    fn new_block(&self, table: Table) -> Result<NewBlock, Error> {
        let mut new = NewBlock::new(self.block(table, 0)?);
        let stats = self.stats.as_deref().and_then(|text| serde_json::from_str::<Value>(text).ok()).unwrap_or_default();
        let bounds = |column: &str| {
            let bound = |of: &str| stats[of][column].as_str().map(str::to_owned);
            bound("minValues").zip(bound("maxValues"))
        };
        let [first, second] = table.keys();
        new.keys = bounds(first).zip(bounds(second)).map(|(first, second)| [first, second]);
        if let Some(tag) = self.tag(LAST_SAMPLES) {
            new.last_samples.take_in(tag);
        }
        Ok(new)
    }
}

#[cfg(test)]
mod tests {
    use model::time::Date;

    use super::*;
    use crate::block::Block;

    #[test]
    fn a_change_on_paper_is_the_same_change() {
        let journal = Uuid::new_v4();
        let late = NewBlock::new(Block {
            path: "date=2026-11-22/a.parquet".into(),
            size_bytes: 1_234,
            date: Date::of_ms(1_795_342_800_000),
            rows: 7,
            min_time_ms: 1_795_342_800_000,
            max_time_ms: 1_795_342_800_999,
            window_ms: None,
            journal,
            gen_min: 0,
            gen_max: 0,
        });
        let mut window = late.clone();
        window.block.path = "date=2026-11-22/b.parquet".into();
        window.block.window_ms = Some((1_795_342_800_000, 1_795_343_700_000));
        window.keys = Some([("a".into(), "z\"\u{e9}".into()), (String::new(), "eu-1".into())]);
        window.last_samples.saw(&"eu-1".into(), 1_795_342_800_998);
        let change = Change::add(vec![late, window], Some(Txn { app_id: journal, position: 41 }));
        for table in [Table::Samples, Table::Series, Table::Logs] {
            let read = Change::from_json(table, change.to_json(table).unwrap()).unwrap();
            assert_eq!((read.id, &read.adds, read.txn), (change.id, &change.adds, change.txn));
        }
        assert!(Change::from_json(Table::Samples, serde_json::json!([{"commitInfo": {}}])).is_err());
        assert!(Change::from_json(Table::Samples, serde_json::json!("what")).is_err());
    }
}
