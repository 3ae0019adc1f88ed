//! Bodies that the other tests read, damage and pack.

use std::io::Write;

use decode::remote_read::xor_chunk;
use flate2::Compression;
use flate2::write::GzEncoder;

/// A text with every form that the format has.
pub(crate) const TEXT: &str = "# HELP http_requests_total Requests \\\\ served \\n so far.\n\
# TYPE http_requests_total counter\n\
http_requests_total{code=\"200\",path=\"/a\\\"b\\\\c\\nd}\",} 1027 1700000000000\n\
http_requests_total{ code = \"500\" } 3\n\
# TYPE latency_seconds histogram\n\
latency_seconds_bucket{le=\"0.1\"} 24054\n\
latency_seconds_bucket{le=\"+Inf\"} 144320\n\
latency_seconds_sum 53423.017\n\
latency_seconds_count 144320\n\
# a comment with é\n\
{\"my.metric\",\"a label\"=\"é漢\"} -1.5e-07 -1\n\
odd NaN\nodd +Inf\n\
last 12345678901234567890123";

/// The same for OpenMetrics.
pub(crate) const OPENMETRICS: &str = "# TYPE requests counter\n\
# HELP requests Requests \\\\ \\\"served\\\" \\n so far.\n\
requests_total{code=\"200\",path=\"/a\\\"b\\\\c\\nd}\",} 1027 1600000000.123 # {trace_id=\"4bf92f\",\"é\"=\"\"} 0.5 1.001\n\
requests_created{code=\"200\"} 1.6e9\n\
# TYPE latency_seconds histogram\n\
# UNIT latency_seconds seconds\n\
latency_seconds_bucket{le=\"0.1\"} 24054 # {} -1.5e-07\n\
latency_seconds_bucket{le=\"+Inf\"} 144320 # {\"span id\"=\"é漢\"} NaN -5\n\
latency_seconds_sum 53423.017\n\
# TYPE \"my.build\" info\n\
{\"my.build_info\",\"a label\"=\"é漢\"} 1 -1\n\
odd NaN\nodd +Inf\n\
last 12345678901234567890123\n\
# EOF\n";

/// Writes protobuf, for requests of tests.
#[derive(Debug, Default, Clone)]
pub(crate) struct Message(pub(crate) Vec<u8>);

impl Message {
    fn raw_varint(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    pub(crate) fn varint(mut self, field: u64, number: u64) -> Self {
        self.raw_varint(field << 3);
        self.raw_varint(number);
        self
    }

    pub(crate) fn double(mut self, field: u64, value: f64) -> Self {
        self.raw_varint(field << 3 | 1);
        self.0.extend_from_slice(&value.to_bits().to_le_bytes());
        self
    }

    pub(crate) fn bytes(mut self, field: u64, content: impl AsRef<[u8]>) -> Self {
        self.raw_varint(field << 3 | 2);
        self.raw_varint(content.as_ref().len() as u64);
        self.0.extend_from_slice(content.as_ref());
        self
    }
}

impl AsRef<[u8]> for Message {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

pub(crate) fn label(name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Message {
    Message::default().bytes(1, name).bytes(2, value)
}

pub(crate) fn sample(value: f64, time_ms: i64) -> Message {
    Message::default().double(1, value).varint(2, time_ms as u64)
}

/// A `TimeSeries` with labels and samples.
pub(crate) fn series(labels: &[(&str, &str)], samples: &[(f64, i64)]) -> Message {
    let series = labels.iter().fold(Message::default(), |series, (name, value)| series.bytes(1, label(name, value)));
    samples.iter().fold(series, |series, (value, time_ms)| series.bytes(2, sample(*value, *time_ms)))
}

/// The data of a chunk with these samples, each a time and the bits of its value.
pub(crate) fn chunk(samples: &[(i64, u64)]) -> Vec<u8> {
    xor_chunk(samples.iter().copied())
}

/// A `Chunk` of an encoding.
pub(crate) fn packed_chunk(encoding: u64, data: impl AsRef<[u8]>) -> Message {
    Message::default().varint(1, 7).varint(2, 9).varint(3, encoding).bytes(4, data)
}

/// A `ChunkedSeries` with labels and XOR chunks.
pub(crate) fn chunked_series(labels: &[(&str, &str)], chunks: &[Vec<u8>]) -> Message {
    chunks.iter().fold(series(labels, &[]), |series, chunk| series.bytes(2, packed_chunk(1, chunk)))
}

/// Samples whose steps change by each number of bits that a change may take.
pub(crate) fn steps() -> Vec<(i64, u64)> {
    let changes = [0, 0, 1, -8_191, 8_192, 8_193, -65_535, 65_537, -524_287, 524_289, 1 << 33, -(1 << 33), 0];
    let (mut time_ms, mut step_ms) = (1_600_000_000_000, 15_000);
    let walk = changes.into_iter().map(|change| {
        step_ms += change;
        time_ms += step_ms;
        (time_ms, 1.0f64.to_bits())
    });
    walk.collect()
}

/// Samples whose values change in each way, staleness markers and odd numbers among them.
pub(crate) fn values() -> Vec<(i64, u64)> {
    let numbers = [1.0, 1.0, 2.0, 2.5, -2.5, 0.0, -0.0, 0.1, 1e300, f64::INFINITY, f64::NAN, 5e-324].map(f64::to_bits);
    let bits = [model::batch::STALE_NAN_BITS, u64::MAX, 0, 1 << 63, 0xfff8_dead_beef_0001];
    let values = numbers.into_iter().chain(bits).enumerate();
    values.map(|(index, bits)| (1_600_000_000_000 + index as i64 * 15_000, bits)).collect()
}

/// A request for a remote read with two queries, matchers of each kind, hints and both forms of an answer.
pub(crate) fn read_request() -> Vec<u8> {
    let matcher = |kind, name, value| Message::default().varint(1, kind).bytes(2, name).bytes(3, value);
    let first = Message::default().varint(1, 1_600_000_000_000).varint(2, 1_700_000_000_000);
    let first = first.bytes(3, matcher(0, "__name__", "up")).bytes(3, matcher(1, "job", "a"));
    let first = first.bytes(4, Message::default().varint(1, 15_000).bytes(2, "rate"));
    let second = Message::default().bytes(3, matcher(2, "é", "a|b")).bytes(3, matcher(3, "x", ".+"));
    Message::default().bytes(1, first).bytes(1, second).bytes(2, [1, 0]).0
}

/// The payload of a frame with every field that one may have.
pub(crate) fn frame() -> Vec<u8> {
    let chunks = [chunk(&steps()), chunk(&values())];
    let first = chunked_series(&[("__name__", "up"), ("job", "a")], &chunks);
    let second = chunked_series(&[("__name__", "é")], &[chunk(&[(1_600_000_000_000, 1)])]);
    Message::default().bytes(1, first).bytes(1, second).varint(2, 0).varint(99, 7).0
}

/// A streamed answer of two frames, and an empty one between them.
pub(crate) fn stream() -> Vec<u8> {
    let short = Message::default().bytes(1, chunked_series(&[("__name__", "b")], &[chunk(&[(7, 7)])])).0;
    let frames = [frame(), Vec::new(), short].into_iter().map(|payload| {
        let mut frame = Message::default();
        frame.raw_varint(payload.len() as u64);
        [&frame.0[..], &crc32c(&payload).to_be_bytes(), &payload].concat()
    });
    frames.collect::<Vec<_>>().concat()
}

/// CRC-32C bit by bit.
fn crc32c(bytes: &[u8]) -> u32 {
    let step = |sum: u32, _| sum >> 1 ^ if sum & 1 == 1 { 0x82f6_3b78 } else { 0 };
    !bytes.iter().fold(!0, |sum, byte| (0..8).fold(sum ^ u32::from(*byte), step))
}

/// A native histogram with whole counts: 3 and 5 in buckets 1 and 2, 2 in bucket −1 of the negative side, one zero.
pub(crate) fn integer(time_ms: i64) -> Message {
    let spans = [span(1, 2), span(-1, 1)];
    let histogram = Message::default().varint(1, 11).double(3, 5.5).varint(4, 6).double(5, 1e-9).varint(6, 1);
    let histogram = histogram.bytes(8, &spans[1]).bytes(9, [4]).bytes(11, &spans[0]).bytes(12, [6, 4]);
    histogram.varint(14, 2).varint(15, time_ms as u64)
}

/// One with weights, and bounds of its own.
pub(crate) fn float(time_ms: i64) -> Message {
    let doubles = |numbers: &[f64]| numbers.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<u8>>();
    let histogram = Message::default().double(2, 4.0).double(3, 0.25).varint(4, 105).bytes(11, span(0, 3));
    let histogram = histogram.bytes(13, doubles(&[0.5, 1.5, 2.0])).varint(14, 3).varint(15, time_ms as u64);
    histogram.bytes(16, doubles(&[0.1, 1.0]))
}

/// Signs are in the lowest bit.
pub(crate) fn span(offset: i64, length: u64) -> Message {
    Message::default().varint(1, (offset << 1 ^ offset >> 63) as u64).varint(2, length)
}

/// A request of remote write 2.0 with every field that one may have.
pub(crate) fn request_2() -> Vec<u8> {
    let symbols = ["", "__name__", "up", "job", "a", "latency", "trace_id", "4bf9", "Time of a request.", "seconds"];
    let message = symbols.iter().fold(Message::default(), |message, symbol| message.bytes(4, symbol));
    let up = Message::default().bytes(1, [1, 2, 3, 4]).bytes(2, sample(1.0, 1_700_000_000_000).varint(3, 7));
    let metadata = Message::default().varint(1, 3).varint(3, 8).varint(4, 9);
    let exemplar = Message::default().bytes(1, [6, 7]).double(2, 0.25).varint(3, 5);
    let latency = Message::default().varint(1, 1).varint(1, 5).bytes(3, integer(9).varint(17, 3)).bytes(3, float(10));
    let latency = latency.bytes(4, exemplar).bytes(5, metadata).varint(6, 2).varint(77, 1);
    message.bytes(5, up).bytes(5, latency).varint(99, 7).0
}

/// A request with every field that a request may have.
pub(crate) fn request() -> Vec<u8> {
    let exemplar = Message::default().bytes(1, label("trace_id", "4bf92f3577b34da6")).double(2, 0.25).varint(3, 5);
    let metadata = Message::default().varint(1, 1).bytes(2, "requests").bytes(4, "Requests.").bytes(5, "requests");
    let first = series(&[("__name__", "up"), ("job", "a")], &[(1.0, 1_700_000_000_000), (0.0, -1)]);
    let second = series(&[("__name__", "é"), ("漢", "🦀")], &[(f64::NAN, 0)]).bytes(3, exemplar);
    let second = second.bytes(4, integer(1_600_000_000_000)).bytes(4, float(1_600_000_000_001));
    Message::default().bytes(1, first).bytes(1, second).bytes(3, metadata).varint(99, 7).0
}

pub(crate) fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn snappy(body: &[u8]) -> Vec<u8> {
    snap::raw::Encoder::new().compress_vec(body).unwrap()
}
