//! The remote-write request, encoded by hand.
//!
//! Source: the Prometheus remote-write 1.0 specification: `WriteRequest{timeseries=1}`, `TimeSeries{labels=1,
//! samples=2}`, `Label{name=1, value=2}`, `Sample{value=1, timestamp=2}`.

use crate::log::Sample;

/// The body of a request, snappy block format: a series for each run of samples of the same series.
pub(crate) fn request(connection: u64, samples: &[Sample]) -> Vec<u8> {
    let mut message = Vec::new();
    for run in samples.chunk_by(|a, b| a.series == b.series) {
        let mut series = Vec::new();
        let (connection, number) = (connection.to_string(), run[0].series.to_string());
        // Sorted by name, as the specification wants.
        for (name, value) in [("__name__", "oracle_sample"), ("connection", &connection), ("series", &number)] {
            let mut label = Vec::new();
            field(&mut label, 1, name.as_bytes());
            field(&mut label, 2, value.as_bytes());
            field(&mut series, 1, &label);
        }
        for sample in run {
            let mut bytes = vec![1 << 3 | 1];
            bytes.extend_from_slice(&sample.value.to_bits().to_le_bytes());
            bytes.push(2 << 3);
            varint(&mut bytes, sample.time_ms as u64);
            field(&mut series, 2, &bytes);
        }
        field(&mut message, 1, &series);
    }
    // Only an input of 4 GiB could fail.
    snap::raw::Encoder::new().compress_vec(&message).unwrap_or_default()
}

fn field(out: &mut Vec<u8>, number: u8, bytes: &[u8]) {
    out.push(number << 3 | 2);
    varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}
