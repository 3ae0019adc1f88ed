//! How much one body may be and become.

/// What one body may cost. Each limit bounds memory or what reaches the tables; none trusts a length the sender claims.
///
/// The figures start from what peers ship (Prometheus, Mimir, VictoriaMetrics; see the list of bad inputs in
/// docs/reliability.md) and are wider for labels than theirs, because a page or an answer is taken whole or refused
/// whole: one long label must not cost a cluster all of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes on the wire, still compressed; of a streamed answer those of one frame. Default 16 MiB; federation 64 MiB.
    pub max_body_bytes: usize,
    /// Bytes after decompression. Default 64 MiB; federation 256 MiB: `/federate` of a big Prometheus may send 200 MB.
    pub max_decoded_bytes: usize,
    /// Samples, buckets of native histograms, exemplars, exemplars' labels and metadata entries of one body together, or its log
    /// rows, spans, events and links, because two bytes of a hostile body can stand for a row of a hundred; a histogram counts
    /// for eight. Rows of logs may come from an eighth as many resources. Default 500,000; federation 4 million.
    pub max_rows: usize,
    /// Labels of one series or exemplar, the name not counted. Default 64.
    pub max_labels: usize,
    /// Bytes of a metric name or label name as written. Default 1 KiB.
    pub max_name_bytes: usize,
    /// Bytes of a label value as written. Default 16 KiB.
    pub max_value_bytes: usize,
    /// Bytes of the body of a log row. Default 1 MiB.
    pub max_line_bytes: usize,
    /// Attributes of a log row, a span, an event, a link, a resource or a scope. Default 128.
    pub max_attributes: usize,
    /// Bytes of the value of an attribute, as text, and of each other text of a row that is no line: names of spans, events and
    /// scopes, states, messages. The name of an attribute may have [`Limits::max_name_bytes`]. Default 64 KiB.
    pub max_attribute_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            max_body_bytes: 16 << 20,
            max_decoded_bytes: 64 << 20,
            max_rows: 500_000,
            max_labels: 64,
            max_name_bytes: 1 << 10,
            max_value_bytes: 16 << 10,
            max_line_bytes: 1 << 20,
            max_attributes: 128,
            max_attribute_bytes: 64 << 10,
        }
    }
}

impl Limits {
    /// The limits for an answer of a source that the operator has chosen: a whole Prometheus in one body.
    pub fn federation() -> Self {
        Limits { max_body_bytes: 64 << 20, max_decoded_bytes: 256 << 20, max_rows: 4_000_000, ..Limits::default() }
    }
}
