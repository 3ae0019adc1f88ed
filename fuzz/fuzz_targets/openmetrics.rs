//! Any bytes are OpenMetrics that is read whole or refused with its place.
#![no_main]

use bytes::Bytes;
use decode::{Limits, openmetrics, text};
use libfuzzer_sys::fuzz_target;
use model::Batch;
use model::batch::Exemplar;
use model::labels::LabelsBuilder;

fuzz_target!(|input: &[u8]| {
    let body = Bytes::copy_from_slice(input);
    let batch = match openmetrics::decode(&body, 0, &Limits::default()) {
        Err(error) => return assert!(error.position().is_some()),
        Ok(batch) => batch,
    };
    assert!(input.ends_with(b"# EOF") || input.ends_with(b"# EOF\n"));
    assert_eq!(batch.series.len(), batch.samples.len());
    // Resolved escapes may be longer when written.
    let wide = Limits { max_name_bytes: 1 << 20, max_value_bytes: 1 << 20, ..Limits::default() };
    let mut builder = LabelsBuilder::default();
    let mut exemplars = batch.exemplars.iter().peekable();
    for (index, sample) in batch.samples.iter().enumerate() {
        let range = &batch.series[index].labels;
        let labels = body.slice(range.start as usize..range.end as usize);
        assert_eq!(batch.series[index].hash, Batch::hash(&labels));
        let exemplar = exemplars.next_if(|exemplar| exemplar.series == sample.series);
        // The text format reads the series too, and as the same one.
        let line = Bytes::from([&labels, &b" 1\n"[..]].concat());
        assert_eq!(text::decode(&line, 0, &wide).expect("a series").series[0].hash, batch.series[index].hash);
        // What is read and written again reads the same, but for two spellings of one quoted name.
        let Ok(key) = batch.key(index, &mut builder) else { continue };
        let mut line = String::new();
        let (value, time_ms) = (sample.value, Some(sample.time_ms));
        openmetrics::write_sample(&mut line, &key.name, key.labels.iter(), value, time_ms, exemplar).expect("a string");
        openmetrics::write_end(&mut line).expect("a string");
        let again = openmetrics::decode(&Bytes::from(line.clone()), 0, &wide).expect(&line);
        // A cluster is not among the labels.
        let key_again = again.key(0, &mut builder).expect("a series");
        assert_eq!((&key.name, &key.labels), (&key_again.name, &key_again.labels), "{line}");
        assert_eq!(sample.value.to_bits(), again.samples[0].value.to_bits());
        assert_eq!(sample.time_ms, again.samples[0].time_ms);
        let parts = |it: &Exemplar| (it.time_ms, it.value.to_bits(), it.labels.clone());
        assert_eq!(exemplar.map(parts), again.exemplars.first().map(parts), "{line}");
    }
    assert!(exemplars.next().is_none());
});
