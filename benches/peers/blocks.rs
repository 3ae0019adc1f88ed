//! Our blocks alone: bytes by column, CPU time a row to write and to read, and the series index.
//!
//! It stands here for its data. There is no peer in it: `bytes` and `aggregate` have them.

use std::collections::BTreeMap;
use std::hint::black_box;

use ::bytes::Bytes;
use model::batch::Kind;
use model::labels::LabelsBuilder;
use model::{Error, SeriesKey};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use storage::Matcher;
use storage::block::{SamplesWriter, SeriesWriter};
use storage::index::SeriesBlock;
use storage::matcher::Condition;

use crate::fleet::{Fleet, MAX_SAMPLES, Series, yesterday_noon_ms};
use crate::process::own_cpu_seconds;
use crate::scrapes::Scrapes;
use crate::{Bench, Fault};

const INSTANCES: usize = 40;
/// The kernel counts CPU time in steps of 10 ms: what is timed is done until it has taken this long.
const LEAST_SECONDS: f64 = 0.5;

/// A series with its key, in the order of the tables.
struct Member<'a> {
    key: SeriesKey,
    id: i64,
    series: &'a Series,
}

pub(crate) async fn run(bench: &Bench) -> Result<(), Fault> {
    let fleet = Fleet::new(&Scrapes::load(bench).await?, INSTANCES, MAX_SAMPLES, yesterday_noon_ms())?;
    let members = members(&fleet)?;
    println!("{} series of {INSTANCES} instances", members.len());
    println!("samples       rows  bytes/sample  encode ns  decode ns  5 columns ns");
    for samples in [60, 240, 480] {
        let (bytes, rows, encode_ns) = encode(&fleet, &members, samples)?;
        let (rows, all) = (rows as f64, timed(|| decode(&bytes, None))? * 1e9);
        let five = timed(|| decode(&bytes, Some(&["series_id", "time_ms", "mantissa", "scale", "value"])))? * 1e9;
        println!(
            "{samples:>7} {rows:>10} {:>13.3} {:>10.1} {:>10.1} {:>13.1}",
            bytes.len() as f64 / rows,
            encode_ns / rows,
            all / rows,
            five / rows
        );
        columns(&bytes)?;
    }
    series_block(&fleet, &members)
}

fn members(fleet: &Fleet) -> Result<Vec<Member<'_>>, Fault> {
    let mut builder = LabelsBuilder::default();
    let mut members = Vec::new();
    for series in &fleet.series {
        builder.clear();
        for (name, value) in &series.labels {
            builder.push(name, value);
        }
        let key = builder.build(None)?;
        members.push(Member { id: key.labels.series_id(), key, series });
    }
    members.sort_by(|a, b| a.key.table_order(&b.key));
    Ok(members)
}

/// CPU seconds that one call takes.
fn timed<T>(mut call: impl FnMut() -> Result<T, Fault>) -> Result<f64, Fault> {
    let (mut calls, begin) = (0, own_cpu_seconds()?);
    loop {
        black_box(call()?);
        calls += 1;
        let seconds = own_cpu_seconds()? - begin;
        if seconds >= LEAST_SECONDS {
            return Ok(seconds / f64::from(calls));
        }
    }
}

/// A block, its rows, and the nanoseconds that writing it took.
fn encode(fleet: &Fleet, members: &[Member<'_>], samples: usize) -> Result<(Bytes, u64, f64), Fault> {
    let gather = |member: &Member<'_>, run: &mut Vec<(i64, u64)>| {
        run.clear();
        run.extend((0..samples).map(|i| (fleet.time_ms(i), member.series.value(i).to_bits())));
    };
    let mut run = Vec::with_capacity(samples);
    // Making up the samples is no part of writing them.
    let gathering = timed(|| {
        members.iter().for_each(|member| {
            gather(member, &mut run);
            black_box(&run);
        });
        Ok(())
    })?;
    let mut bytes = Vec::with_capacity(64 << 20);
    let begin = own_cpu_seconds()?;
    let mut writer = SamplesWriter::new(&mut bytes)?;
    for member in members {
        gather(member, &mut run);
        writer.push_series(&member.key, member.id, &run)?;
    }
    let meta = writer.finish()?;
    let seconds = own_cpu_seconds()? - begin - gathering;
    Ok((bytes.into(), meta.rows, seconds * 1e9))
}

fn decode(bytes: &Bytes, columns: Option<&[&str]>) -> Result<(), Fault> {
    let mut builder = ParquetRecordBatchReaderBuilder::try_new(bytes.clone())?.with_batch_size(8192);
    if let Some(columns) = columns {
        let mask = ProjectionMask::columns(builder.parquet_schema(), columns.iter().copied());
        builder = builder.with_projection(mask);
    }
    for batch in builder.build()? {
        black_box(batch?);
    }
    Ok(())
}

/// Prints what each column takes, in bytes a row.
fn columns(bytes: &Bytes) -> Result<(), Fault> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(bytes.clone())?;
    let metadata = builder.metadata();
    let rows = metadata.file_metadata().num_rows() as f64;
    let mut sizes: BTreeMap<String, i64> = BTreeMap::new();
    for column in metadata.row_groups().iter().flat_map(|group| group.columns()) {
        *sizes.entry(column.column_path().string()).or_default() += column.compressed_size();
    }
    let rest = bytes.len() as i64 - sizes.values().sum::<i64>();
    sizes.insert("footer and indexes".into(), rest);
    let texts: Vec<String> = sizes.iter().map(|(name, size)| format!("{name} {:.4}", *size as f64 / rows)).collect();
    println!("        {}", texts.join(", "));
    Ok(())
}

fn series_block(fleet: &Fleet, members: &[Member<'_>]) -> Result<(), Fault> {
    let rows = members.len() as f64;
    let write = || -> Result<Vec<u8>, Fault> {
        let mut bytes = Vec::new();
        let mut writer = SeriesWriter::new(&mut bytes)?;
        for member in members {
            writer.push(&member.key, member.id, Kind::Gauge, fleet.start_ms)?;
        }
        writer.finish()?;
        Ok(bytes)
    };
    let bytes = Bytes::from(write()?);
    let labels: usize = members.iter().map(|member| member.key.labels.as_bytes().len()).sum();
    println!(
        "series: {:.0} bytes of labels, {:.1} bytes a row, written in {:.0} ns a row",
        labels as f64 / rows,
        bytes.len() as f64 / rows,
        timed(write)? * 1e9 / rows
    );
    columns(&bytes)?;
    let block = SeriesBlock::open(bytes.clone())?;
    let opened = timed(|| Ok(SeriesBlock::open(bytes.clone())?))?;
    println!(
        "series: opened in {:.0} ns a row, {:.1} bytes of memory a row",
        opened * 1e9 / rows,
        block.memory_bytes() as f64 / rows
    );
    let name = matcher("__name__", Condition::In(vec!["node_cpu_seconds_total".into()]));
    let mode = matcher("mode", Condition::In(vec!["idle".into()]));
    let instance = matcher("instance", Condition::Matches(regex::Regex::new("^.*7:9100$")?));
    for (text, matchers) in
        [("node_cpu_seconds_total{mode=\"idle\"}", vec![name, mode]), ("{instance=~\".*7:9100\"}", vec![instance])]
    {
        let selected = block.select(&matchers);
        let select = timed(|| Ok(block.select(&matchers)))?;
        let name = timed(|| {
            let infos: Result<Vec<_>, Error> = selected.iter().map(|row| block.info(row)).collect();
            Ok(infos?)
        })?;
        let found = selected.len();
        println!(
            "series: {text}: {found} in {:.1} µs, named in {:.0} ns each",
            select * 1e6,
            name * 1e9 / found as f64
        );
    }
    Ok(())
}

fn matcher(label: &str, condition: Condition) -> Matcher {
    Matcher { label: label.into(), condition }
}
