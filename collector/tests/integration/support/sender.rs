//! Builds remote-write requests.

/// One series: labels, then samples of time and value.
pub(crate) type Series<'a> = (&'a [(&'a str, &'a str)], &'a [(i64, f64)]);

/// The protobuf message, not compressed.
pub(crate) fn message(series: &[Series<'_>]) -> Vec<u8> {
    let mut request = Vec::new();
    for (labels, samples) in series {
        let mut timeseries = Vec::new();
        for (name, value) in *labels {
            let mut label = Vec::new();
            field(&mut label, 1, name.as_bytes());
            field(&mut label, 2, value.as_bytes());
            field(&mut timeseries, 1, &label);
        }
        for (time_ms, value) in *samples {
            let mut sample = vec![1 << 3 | 1];
            sample.extend_from_slice(&value.to_bits().to_le_bytes());
            sample.push(2 << 3);
            varint(&mut sample, *time_ms as u64);
            field(&mut timeseries, 2, &sample);
        }
        field(&mut request, 1, &timeseries);
    }
    request
}

/// A request's body.
pub(crate) fn body(series: &[Series<'_>]) -> Vec<u8> {
    compressed(&message(series))
}

/// Snappy, block format.
pub(crate) fn compressed(bytes: &[u8]) -> Vec<u8> {
    snap::raw::Encoder::new().compress_vec(bytes).unwrap()
}

pub(crate) fn field(out: &mut Vec<u8>, number: u8, bytes: &[u8]) {
    out.push(number << 3 | 2);
    varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

pub(crate) fn varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}
