//! Any bytes are an OTLP request that is read or refused; what is read is sound.
//!
//! The first byte chooses form and translation.

use std::collections::BTreeSet;

use bytes::Bytes;
use decode::Limits;
use decode::otlp::{self, Decoded, Promotion, Strategy, Translation};
use model::labels::LabelsBuilder;
use model::{Batch, ErrorKind};

use super::rows::check_rows;

pub(crate) fn check(input: &[u8]) {
    let Some((choice, body)) = input.split_first() else { return };
    let limits = Limits { max_decoded_bytes: 1 << 20, max_rows: 10_000, ..Limits::default() };
    let is_json = choice & 1 != 0;
    let body = match is_json {
        false => Bytes::copy_from_slice(body),
        true => match otlp::json::to_protobuf(otlp::json::Request::Metrics, body, &limits) {
            Ok(body) => body,
            Err(_) => return,
        },
    };
    match otlp::decode(&body, i64::MAX, &translation(*choice), &limits, 1 << 20) {
        Ok(decoded) => check_decoded(&decoded, &limits),
        Err(error) => assert!(
            error.kind() == ErrorKind::TooLarge || (error.kind() == ErrorKind::Invalid && !is_json),
            "what was JSON is no message: {error}"
        ),
    }
}

fn translation(choice: u8) -> Translation {
    let strategies = [
        Strategy::UnderscoreEscapingWithSuffixes,
        Strategy::NoUtf8EscapingWithSuffixes,
        Strategy::UnderscoreEscapingWithoutSuffixes,
        Strategy::NoTranslation,
    ];
    let some = || BTreeSet::from(["host.name".to_owned()]);
    Translation {
        strategy: strategies[usize::from(choice >> 1 & 3)],
        promotion: if choice & 8 == 0 { Promotion::AllBut(some()) } else { Promotion::Only(some()) },
        keep_identifying: choice & 16 != 0,
        promote_scope: choice & 32 != 0,
        classic_to_native: choice & 64 != 0,
        key_before_underscore: choice & 128 != 0,
        keep_underscores: choice & 128 == 0,
    }
}

fn check_decoded(decoded: &Decoded, limits: &Limits) {
    let batch = &decoded.batch;
    let mut builder = LabelsBuilder::default();
    for (index, series) in batch.series.iter().enumerate() {
        let bytes = &batch.body[series.labels.start as usize..series.labels.end as usize];
        assert_eq!(series.hash, Batch::hash(bytes));
        let key = batch.key(index, &mut builder).expect("labels that were checked");
        assert!(!key.name.is_empty() && key.labels.iter().count() <= limits.max_labels + 1);
    }
    check_rows(batch);
    assert!(batch.starts.iter().all(|start| 0 < start.start_ms && start.start_ms <= start.time_ms));
    let series = batch.series.len() as u32;
    assert!(decoded.points.iter().all(|point| point.start < point.end && point.end <= series));
    let rows = batch.samples.len() + batch.histograms.len() + batch.exemplars.len() + batch.metadata.len();
    // One row of metadata tells of target_info.
    assert!(rows <= limits.max_rows + 1, "{rows}");
    let (mut samples, mut histograms, mut exemplars) = (0, 0, 0);
    for delta in &decoded.deltas {
        // In order, so that no row is of two deltas.
        assert!(samples <= delta.samples.start && delta.samples.start <= delta.samples.end);
        assert!(histograms <= delta.histograms.start && delta.histograms.start <= delta.histograms.end);
        assert!(exemplars <= delta.exemplars.start && delta.exemplars.start <= delta.exemplars.end);
        (samples, histograms, exemplars) = (delta.samples.end, delta.histograms.end, delta.exemplars.end);
        assert!((delta.point as usize) < decoded.points.len());
        for row in delta.samples.clone() {
            let sample = batch.samples[row as usize];
            assert!(sample.time_ms == delta.time_ms && sample.value.is_finite());
        }
    }
    assert!(samples as usize <= batch.samples.len() && histograms as usize <= batch.histograms.len());
    assert!(exemplars as usize <= batch.exemplars.len());
    assert!(decoded.refused.reasons.len() <= 10 && decoded.refused.reasons.iter().all(|reason| reason.len() < 1000));
}
