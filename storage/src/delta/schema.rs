//! Protocol, schema and properties of our tables in Delta's words, and whether a table found has them.
//!
//! Format: Delta Transaction Log Protocol, "Schema Serialization Format", "Table Properties".

use std::collections::BTreeMap;

use arrow::datatypes::{DataType, Field};
use model::{Error, ErrorKind};
use serde_json::{Value, json};
use uuid::Uuid;

use super::action::{MetaData, Protocol};
use crate::Table;
use crate::tables::DATE;

/// Features of a version 7 writer that ask nothing of us: we write no such thing.
const HARMLESS_FEATURES: [&str; 2] = ["appendOnly", "invariants"];

/// The lowest protocol that has all we use.
pub(super) fn protocol() -> Protocol {
    Protocol { min_reader_version: 1, min_writer_version: 2, reader_features: None, writer_features: None }
}

/// Identity, schema and properties of a new table.
///
/// # Errors
/// `Internal` if a column has a type that Delta lacks.
pub(super) fn metadata(table: Table, id: Uuid, now_ms: i64) -> Result<MetaData, Error> {
    let schema = json!({ "type": "struct", "fields": fields(table)? });
    let properties = [
        // For other writers; we count for ourselves.
        ("delta.checkpointInterval", "100"),
        // Tombstones leave the checkpoint after this; by then the store has deleted the files.
        ("delta.deletedFileRetentionDuration", "interval 1 days"),
        ("delta.logRetentionDuration", "interval 1 days"),
    ];
    Ok(MetaData {
        id: id.to_string(),
        name: Some(table.name().to_owned()),
        format: json!({ "provider": "parquet", "options": {} }),
        schema_string: schema.to_string(),
        partition_columns: vec![DATE.to_owned()],
        configuration: properties.map(|(key, value)| (key.to_owned(), Some(value.to_owned()))).into(),
        created_time: Some(now_ms),
    })
}

/// The columns of the files and the partition column.
fn fields(table: Table) -> Result<Vec<Value>, Error> {
    let mut fields = Vec::new();
    for field in table.schema().fields() {
        fields.push(column(field.name(), delta_type(field)?, field.is_nullable()));
    }
    fields.push(column(DATE, json!("date"), true));
    Ok(fields)
}

fn column(name: &str, data_type: Value, nullable: bool) -> Value {
    json!({ "name": name, "type": data_type, "nullable": nullable, "metadata": {} })
}

fn delta_type(field: &Field) -> Result<Value, Error> {
    Ok(match field.data_type() {
        DataType::Utf8 => json!("string"),
        DataType::Int64 => json!("long"),
        DataType::Int32 => json!("integer"),
        DataType::Int8 => json!("byte"),
        DataType::Float64 => json!("double"),
        DataType::Binary => json!("binary"),
        DataType::List(item) => json!({
            "type": "array",
            "elementType": delta_type(item)?,
            "containsNull": item.is_nullable(),
        }),
        DataType::Struct(parts) => {
            let parts = parts.iter().map(|part| Ok(column(part.name(), delta_type(part)?, part.is_nullable())));
            json!({ "type": "struct", "fields": parts.collect::<Result<Vec<_>, Error>>()? })
        }
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(pair) if pair.len() == 2 => json!({
                "type": "map",
                "keyType": delta_type(&pair[0])?,
                "valueType": delta_type(&pair[1])?,
                "valueContainsNull": pair[1].is_nullable(),
            }),
            other => return Err(Error::internal(format!("a map of {other} is no map"))),
        },
        other => return Err(Error::internal(format!("column {} has type {other}, unknown to delta", field.name()))),
    })
}

/// Whether we can read and write a table with this protocol.
///
/// # Errors
/// `Invalid`, naming what is asked of us.
pub(super) fn check_protocol(table: Table, found: &Protocol) -> Result<(), Error> {
    let features = found.writer_features.iter().chain(&found.reader_features).flatten();
    let unknown: Vec<_> = features.filter(|f| !HARMLESS_FEATURES.contains(&f.as_str())).cloned().collect();
    let versions = (found.min_reader_version, found.min_writer_version);
    if unknown.is_empty() && matches!(versions, (1 | 3, 1 | 2 | 7)) {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "table {} asks for delta reader version {}, writer version {} and the features {unknown:?}; \
         this version knows reader 1 and writer 2: another program changed the table, restore it or use another store",
        table.name(),
        versions.0,
        versions.1
    )))
}

/// Whether a table found has our columns and partition. Columns beyond ours are let be if they may be null.
///
/// # Errors
/// `Corrupt` if the schema is no JSON, `Invalid` if it is another.
pub(super) fn check_metadata(table: Table, found: &MetaData) -> Result<(), Error> {
    let name = table.name();
    let schema: Value = serde_json::from_str(&found.schema_string)
        .map_err(|e| Error::new(ErrorKind::Corrupt, format!("the schema of table {name} is no json")).with_source(e))?;
    let other = |what: String| {
        Err(Error::invalid(format!(
            "table {name} has another schema: {what}; it is not a table of ours, use another store"
        )))
    };
    if found.partition_columns != [DATE] {
        return other(format!("it is partitioned by {:?}", found.partition_columns));
    }
    let columns: BTreeMap<&str, &Value> = schema["fields"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|field| Some((field["name"].as_str()?, field)))
        .collect();
    let ours = fields(table)?;
    for field in &ours {
        let column = field["name"].as_str().unwrap_or_default();
        match columns.get(column) {
            None => return other(format!("column {column} is missing")),
            Some(there) if there["type"] != field["type"] => {
                return other(format!("column {column} is {} instead of {}", there["type"], field["type"]));
            }
            Some(_) => {}
        }
    }
    let foreign = |column: &&str| ours.iter().all(|field| field["name"] != **column);
    match columns.iter().find(|(column, field)| foreign(column) && field["nullable"] != true) {
        Some((column, _)) => other(format!("column {column} must be filled")),
        None => Ok(()),
    }
}
