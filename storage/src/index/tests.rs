use bytes::Bytes;
use model::batch::Kind;
use model::labels::LabelsBuilder;
use model::{ErrorKind, SeriesKey};
use proptest::prelude::*;
use regex::Regex;
use roaring::RoaringBitmap;

use super::*;
use crate::Matcher;
use crate::block::SeriesWriter;
use crate::matcher::Condition;

#[path = "../../../fuzz/checks/series_index.rs"]
mod check;

fn key(labels: &[(&str, &str)]) -> SeriesKey {
    let mut builder = LabelsBuilder::default();
    labels.iter().for_each(|(name, value)| builder.push(name, value));
    builder.build(None).unwrap()
}

/// The keys in table order, each once.
fn sorted(mut keys: Vec<SeriesKey>) -> Vec<SeriesKey> {
    keys.sort_by(SeriesKey::table_order);
    keys.dedup();
    keys
}

fn live(keys: &[SeriesKey]) -> LivePostings {
    let mut postings = LivePostings::default();
    keys.iter().zip(0..).for_each(|(key, ordinal)| postings.insert(ordinal, key));
    postings
}

fn encoded(keys: &[SeriesKey]) -> Vec<u8> {
    let mut builder = IndexBuilder::default();
    keys.iter().for_each(|key| builder.push(key));
    builder.encode().unwrap()
}

fn file(keys: &[SeriesKey]) -> Bytes {
    let mut bytes = Vec::new();
    let mut writer = SeriesWriter::new(&mut bytes).unwrap();
    for (key, i) in keys.iter().zip(0..) {
        writer.push(key, key.labels.series_id(), Kind::ALL[i as usize % 7], i * 1000).unwrap();
    }
    let meta = writer.finish().unwrap();
    assert_eq!((meta.rows, meta.size_bytes), (keys.len() as u64, bytes.len() as u64));
    bytes.into()
}

fn value_of<'a>(key: &'a SeriesKey, label: &str) -> &'a str {
    match label {
        "__name__" => &key.name,
        "cluster" => &key.cluster,
        other => key.labels.get(other).unwrap_or(""),
    }
}

fn naive(keys: &[SeriesKey], matchers: &[Matcher]) -> RoaringBitmap {
    let fits = |key: &SeriesKey| matchers.iter().all(|m| m.condition.holds(value_of(key, &m.label)));
    keys.iter().zip(0..).filter(|(key, _)| fits(key)).map(|(_, ordinal)| ordinal).collect()
}

fn fleet() -> Vec<SeriesKey> {
    let mut keys = vec![key(&[("lonely", "ü")]), key(&[("__name__", "bare")])];
    for i in 0..300 {
        let instance = format!("10.0.{}.{}:9100", i % 7, i);
        let mode = ["idle", "user", "system"][i % 3];
        let cluster = ["", "east", "west"][i % 3];
        let mut labels = vec![("__name__", "node_cpu_seconds_total"), ("instance", &instance), ("cluster", cluster)];
        if i % 5 > 0 {
            labels.push(("mode", mode));
        }
        keys.push(key(&labels));
    }
    sorted(keys)
}

fn equals(label: &str, value: &str) -> Matcher {
    Matcher { label: label.into(), condition: Condition::In(vec![value.into()]) }
}

#[test]
fn a_block_gives_back_its_series() {
    let keys = fleet();
    let block = SeriesBlock::open(file(&keys)).unwrap();
    assert_eq!(block.rows() as usize, keys.len());
    for (key, i) in keys.iter().zip(0..) {
        let info = block.info(i).unwrap();
        assert_eq!(&info.key, key);
        assert_eq!(info.id, key.labels.series_id());
        assert_eq!(info.kind, Kind::ALL[i as usize % 7]);
        assert_eq!(info.first_time_ms, i64::from(i) * 1000);
    }
    assert_eq!(block.info(keys.len() as u32).unwrap_err().kind(), ErrorKind::Internal);
    assert!(block.memory_bytes() > 0);
}

#[test]
fn an_absent_label_is_an_empty_value() {
    let keys = fleet();
    let block = SeriesBlock::open(file(&keys)).unwrap();
    for matcher in [equals("mode", ""), equals("cluster", ""), equals("nowhere", ""), equals("nowhere", "x")] {
        let want = naive(&keys, std::slice::from_ref(&matcher));
        assert_eq!(block.select(std::slice::from_ref(&matcher)), want, "{matcher:?}");
    }
    assert_eq!(block.select(&[]).len(), keys.len() as u64);
}

#[test]
fn labels_are_listed_for_all_series_and_for_some() {
    let keys = fleet();
    let (block, live) = (SeriesBlock::open(file(&keys)).unwrap(), live(&keys));
    assert_eq!(block.label_names(None), ["__name__", "cluster", "instance", "lonely", "mode"]);
    assert_eq!(live.label_names(None), block.label_names(None));
    assert_eq!(block.label_values("mode", None), ["idle", "system", "user"]);
    let east = block.select(&[equals("cluster", "east")]);
    assert_eq!(block.label_values("mode", Some(&east)), ["user"]);
    assert_eq!(live.label_values("mode", Some(&east)), ["user"]);
    assert_eq!(block.label_names(Some(&east)), ["__name__", "cluster", "instance", "mode"]);
    assert!(block.label_values("nowhere", None).is_empty());
}

#[test]
fn a_file_without_an_index_is_indexed_when_it_is_opened() {
    let keys = fleet();
    let bytes = file(&keys);
    // Another program rewrote the file: the same rows, no index.
    let reader =
        parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(bytes).unwrap().build().unwrap();
    let batches: Vec<_> = reader.map(|batch| batch.unwrap()).collect();
    let mut rewritten = Vec::new();
    let mut writer = parquet::arrow::ArrowWriter::try_new(&mut rewritten, batches[0].schema(), None).unwrap();
    batches.iter().for_each(|batch| writer.write(batch).unwrap());
    writer.close().unwrap();
    let block = SeriesBlock::open(rewritten.into()).unwrap();
    for (key, i) in keys.iter().zip(0..) {
        assert_eq!(&block.info(i).unwrap().key, key);
    }
    let matchers = [equals("mode", "user")];
    assert_eq!(block.select(&matchers), naive(&keys, &matchers));
}

#[test]
fn a_block_without_series_has_an_index_without_labels() {
    let block = SeriesBlock::open(file(&[])).unwrap();
    assert_eq!(block.rows(), 0);
    assert!(block.select(&[]).is_empty());
    assert!(block.label_names(None).is_empty());
}

#[test]
fn the_bytes_are_those_of_the_format_page() {
    let keys = sorted(vec![key(&[("__name__", "up"), ("job", "node")]), key(&[("__name__", "up"), ("job", "nodes")])]);
    let bytes = encoded(&keys);
    let (node, nodes) = if value_of(&keys[0], "job") == "node" { (0, 1) } else { (1, 0) };
    let mut want = b"FSIX\x01\x02\x02".to_vec();
    want.extend(b"\x08__name__\x01\x00\x02up\x04\x00\x00");
    want.extend(b"\x03job\x02\x00\x04node\x02");
    want.push(node);
    want.extend(b"\x04\x01s\x02");
    want.push(nodes);
    let crc = crc32c::crc32c(&want);
    want.extend(crc.to_le_bytes());
    assert_eq!(bytes, want);
}

#[test]
fn damage_is_found() {
    let keys = fleet();
    let bytes = encoded(&keys);
    let decode = |bytes: &[u8], rows| SeriesIndex::decode(Bytes::copy_from_slice(bytes), rows);
    assert!(decode(&bytes, keys.len() as u32).is_ok());
    assert_eq!(decode(&bytes, keys.len() as u32 + 1).unwrap_err().kind(), ErrorKind::Corrupt);
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x10;
        assert_eq!(decode(&damaged, keys.len() as u32).unwrap_err().kind(), ErrorKind::Corrupt, "at {at}");
        assert!(decode(&bytes[..at], keys.len() as u32).is_err(), "cut at {at}");
    }
}

/// Puts a fitting checksum behind damaged bytes, so that what lies behind the checksum is tried too.
fn resealed(mut bytes: Vec<u8>) -> Bytes {
    let body = bytes.len() - 4;
    let crc = crc32c::crc32c(&bytes[..body]);
    bytes[body..].copy_from_slice(&crc.to_le_bytes());
    bytes.into()
}

const LABELS: [&str; 5] = ["__name__", "cluster", "a", "b", "long_label_name"];
const VALUES: [&str; 7] = ["", "x", "xy", "xyz", "ü", "üß", "z"];

fn keys() -> impl Strategy<Value = Vec<SeriesKey>> {
    let labels = prop::collection::btree_map(prop::sample::select(&LABELS), prop::sample::select(&VALUES), 0..5);
    prop::collection::vec(labels, 0..60)
        .prop_map(|all| sorted(all.into_iter().map(|labels| key(&labels.into_iter().collect::<Vec<_>>())).collect()))
}

fn matcher() -> impl Strategy<Value = Matcher> {
    let values = || prop::collection::vec(prop::sample::select(&VALUES).prop_map(str::to_owned), 0..4);
    let regex = || {
        const TEXTS: [&str; 10] = ["", "x", "^x.*", "^$", ".+", ".*", "z$", "^(x|ü)$", "ß", "[xy]{2}"];
        prop::sample::select(&TEXTS[..]).prop_map(|text| Regex::new(text).unwrap())
    };
    let condition = prop_oneof![
        values().prop_map(Condition::In),
        values().prop_map(Condition::NotIn),
        regex().prop_map(Condition::Matches),
        regex().prop_map(Condition::MatchesNot),
    ];
    let label = prop_oneof![9 => prop::sample::select(&LABELS[..]), 1 => Just("nowhere")];
    (label, condition).prop_map(|(label, condition)| Matcher { label: label.into(), condition })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn selects_what_a_naive_filter_selects(keys in keys(), matchers in prop::collection::vec(matcher(), 0..4)) {
        let want = naive(&keys, &matchers);
        let live = live(&keys);
        prop_assert_eq!(live.select(&matchers), want.clone());
        let index = SeriesIndex::decode(encoded(&keys).into(), keys.len() as u32).unwrap();
        prop_assert_eq!(index.select(&matchers), want.clone());
        for label in LABELS {
            prop_assert_eq!(index.label_values(label, Some(&want)), live.label_values(label, Some(&want)));
        }
        prop_assert_eq!(index.label_names(Some(&want)), live.label_names(Some(&want)));
    }

    #[test]
    fn however_much_is_gathered_at_a_time_the_bytes_are_the_same(keys in keys(), gathered in 0usize..40) {
        let mut builder = IndexBuilder::default().gathering(gathered);
        keys.iter().for_each(|key| builder.push(key));
        prop_assert_eq!(builder.encode().unwrap(), encoded(&keys));
    }

    #[test]
    fn no_bytes_are_too_hostile(keys in keys(), damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let rows = keys.len() as u32;
        let mut bytes = encoded(&keys);
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Ok(index) = SeriesIndex::decode(resealed(bytes), rows) {
            let any = Matcher { label: "a".into(), condition: Condition::Matches(Regex::new("x").unwrap()) };
            prop_assert!(index.select(&[any]).max().is_none_or(|max| max < rows));
        }
    }

    #[test]
    fn random_bytes_are_no_index(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let bytes = [b"FSIX\x01".as_slice(), &body, &[0; 4]].concat();
        let _ = SeriesIndex::decode(resealed(bytes), 40);
    }

    #[test]
    fn postings_keep_any_set(ordinals in prop::collection::btree_set(0u32..4000, 1..300), runs in any::<bool>()) {
        let set: RoaringBitmap = ordinals.iter().flat_map(|o| *o * 8..*o * 8 + if runs { 8 } else { 1 }).collect();
        let mut iter = set.iter();
        let all: Vec<(u32, u32)> =
            std::iter::from_fn(|| iter.next_range().map(|range| (*range.start(), *range.end()))).collect();
        let mut bytes = Vec::new();
        postings::encode(all.into_iter(), &mut bytes);
        let mut back = RoaringBitmap::new();
        postings::Postings::Encoded(&bytes).add_to(&mut back);
        prop_assert_eq!(back, set);
    }
}

proptest! {
    /// Whatever came and went, the index is that of the series which are there.
    #[test]
    fn removing_leaves_no_trace(changes in proptest::collection::vec((any::<bool>(), 0usize..20), 0..80)) {
        let fleet = fleet();
        let mut there = std::collections::BTreeMap::<u32, &SeriesKey>::new();
        let mut postings = LivePostings::default();
        for (insert, at) in changes {
            // A number may stand for one series now and for another later.
            let (ordinal, key) = ((at % 7) as u32, &fleet[at * 13]);
            if insert && !there.contains_key(&ordinal) {
                postings.insert(ordinal, key);
                there.insert(ordinal, key);
            } else if !insert && let Some(key) = there.remove(&ordinal) {
                postings.remove(ordinal, key);
                postings.remove(ordinal, key);
            }
        }
        let mut fresh = LivePostings::default();
        there.iter().for_each(|(ordinal, key)| fresh.insert(*ordinal, key));
        prop_assert_eq!(postings.memory_bytes(), fresh.memory_bytes());
        prop_assert_eq!(postings.all(), fresh.all());
        prop_assert_eq!(postings.label_names(None), fresh.label_names(None));
        for label in ["__name__", "cluster", "instance", "mode", "lonely"] {
            let values = fresh.label_values(label, None);
            prop_assert_eq!(postings.label_values(label, None), values.clone());
            for value in &values {
                let matchers = [equals(label, value)];
                prop_assert_eq!(postings.select(&matchers), fresh.select(&matchers));
            }
        }
    }
}

#[test]
fn the_seeds_of_the_fuzzer_are_read_or_refused() {
    crate::seeds::replay("series_index", check::check);
}
