//! Any bytes are a text that is read whole or refused with its place.
#![no_main]

use bytes::Bytes;
use decode::{Limits, text};
use libfuzzer_sys::fuzz_target;
use model::Batch;
use model::labels::LabelsBuilder;

fuzz_target!(|input: &[u8]| {
    let body = Bytes::copy_from_slice(input);
    match text::decode(&body, 0, &Limits::default()) {
        Err(error) => assert!(error.position().is_some()),
        Ok(batch) => {
            assert_eq!(batch.series.len(), batch.samples.len());
            let mut builder = LabelsBuilder::default();
            for (index, sample) in batch.samples.iter().enumerate() {
                let range = &batch.series[index].labels;
                assert_eq!(batch.series[index].hash, Batch::hash(&body[range.start as usize..range.end as usize]));
                // What is read and written again reads the same, but for two spellings of one quoted name.
                let Ok(key) = batch.key(index, &mut builder) else { continue };
                let mut line = String::new();
                text::write_sample(&mut line, &key.name, key.labels.iter(), sample.value, Some(sample.time_ms))
                    .expect("a string");
                // A cluster is not among the labels, and resolved escapes may be longer when written.
                let wide = Limits { max_name_bytes: 1 << 20, max_value_bytes: 1 << 20, ..Limits::default() };
                let again = text::decode(&Bytes::from(line.clone()), 0, &wide).expect(&line);
                let key_again = again.key(0, &mut builder).expect("a series");
                assert_eq!((&key.name, &key.labels), (&key_again.name, &key_again.labels), "{line}");
                assert_eq!(sample.value.to_bits(), again.samples[0].value.to_bits());
                assert_eq!(sample.time_ms, again.samples[0].time_ms);
            }
        }
    }
});
