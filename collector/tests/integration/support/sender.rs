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

/// A request of remote write 2.0 while it is made.
#[derive(Debug)]
pub(crate) struct Request2 {
    symbols: Vec<String>,
    series: Vec<u8>,
}

impl Default for Request2 {
    fn default() -> Self {
        Request2 { symbols: vec![String::new()], series: Vec::new() }
    }
}

impl Request2 {
    pub(crate) fn symbol(&mut self, text: &str) -> u64 {
        let known = self.symbols.iter().position(|symbol| symbol == text);
        let number = known.unwrap_or_else(|| {
            self.symbols.push(text.to_owned());
            self.symbols.len() - 1
        });
        number as u64
    }

    /// Adds a series with labels, and fields of its own behind them.
    pub(crate) fn push(&mut self, labels: &[(&str, &str)], fields: &[(u8, Vec<u8>)]) {
        let mut numbers = Vec::new();
        for text in labels.iter().flat_map(|(name, value)| [name, value]) {
            let number = self.symbol(text);
            varint(&mut numbers, number);
        }
        let mut series = Vec::new();
        field(&mut series, 1, &numbers);
        fields.iter().for_each(|(number, bytes)| field(&mut series, *number, bytes));
        field(&mut self.series, 5, &series);
    }

    pub(crate) fn body(&self) -> Vec<u8> {
        let mut message = Vec::new();
        self.symbols.iter().for_each(|symbol| field(&mut message, 4, symbol.as_bytes()));
        message.extend_from_slice(&self.series);
        compressed(&message)
    }
}

/// A sample, which began to count at `start_ms`, if that is not 0.
pub(crate) fn sample(time_ms: i64, value: f64, start_ms: i64) -> Vec<u8> {
    let mut sample = vec![1 << 3 | 1];
    sample.extend_from_slice(&value.to_bits().to_le_bytes());
    for (number, time_ms) in [(2, time_ms), (3, start_ms)] {
        sample.push(number << 3);
        varint(&mut sample, time_ms as u64);
    }
    sample
}

/// A native histogram that says it has `count` observations; its two buckets have one and two.
pub(crate) fn histogram(time_ms: i64, count: u8) -> Vec<u8> {
    let mut histogram = vec![1 << 3, count, 4 << 3, 2];
    field(&mut histogram, 11, &[1 << 3, 0, 2 << 3, 2]);
    field(&mut histogram, 12, &[2, 2]);
    histogram.push(15 << 3);
    varint(&mut histogram, time_ms as u64);
    histogram
}
