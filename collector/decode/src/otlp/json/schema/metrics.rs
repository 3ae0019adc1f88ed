//! The messages of a request for metrics.
//!
//! Source: `opentelemetry/proto/{collector/metrics,metrics}/v1/*.proto`

use super::Kind::{self, Bool, Double, Enum, Fixed, Hex, SignedFixed, Text, Unsigned, ZigZag};
use super::{KEY_VALUE, Message, RESOURCE, SCOPE, many, one};

pub(in crate::otlp::json) static REQUEST: Message = Message {
    name: "ExportMetricsServiceRequest",
    fields: &[many(1, "resource_metrics", Kind::Message(&RESOURCE_METRICS))],
};

static RESOURCE_METRICS: Message = Message {
    name: "ResourceMetrics",
    fields: &[
        one(1, "resource", Kind::Message(&RESOURCE)),
        many(2, "scope_metrics", Kind::Message(&SCOPE_METRICS)),
        one(3, "schema_url", Text),
    ],
};

static SCOPE_METRICS: Message = Message {
    name: "ScopeMetrics",
    fields: &[
        one(1, "scope", Kind::Message(&SCOPE)),
        many(2, "metrics", Kind::Message(&METRIC)),
        one(3, "schema_url", Text),
    ],
};

static METRIC: Message = Message {
    name: "Metric",
    fields: &[
        one(1, "name", Text),
        one(2, "description", Text),
        one(3, "unit", Text),
        one(5, "gauge", Kind::Message(&GAUGE)),
        one(7, "sum", Kind::Message(&SUM)),
        one(9, "histogram", Kind::Message(&HISTOGRAM)),
        one(10, "exponential_histogram", Kind::Message(&EXPONENTIAL_HISTOGRAM)),
        one(11, "summary", Kind::Message(&SUMMARY)),
    ],
};

static TEMPORALITY: Kind = Enum(&[
    "AGGREGATION_TEMPORALITY_UNSPECIFIED",
    "AGGREGATION_TEMPORALITY_DELTA",
    "AGGREGATION_TEMPORALITY_CUMULATIVE",
]);

static GAUGE: Message = Message { name: "Gauge", fields: &[many(1, "data_points", Kind::Message(&NUMBER_POINT))] };

static SUM: Message = Message {
    name: "Sum",
    fields: &[
        many(1, "data_points", Kind::Message(&NUMBER_POINT)),
        one(2, "aggregation_temporality", TEMPORALITY),
        one(3, "is_monotonic", Bool),
    ],
};

static HISTOGRAM: Message = Message {
    name: "Histogram",
    fields: &[many(1, "data_points", Kind::Message(&HISTOGRAM_POINT)), one(2, "aggregation_temporality", TEMPORALITY)],
};

static EXPONENTIAL_HISTOGRAM: Message = Message {
    name: "ExponentialHistogram",
    fields: &[
        many(1, "data_points", Kind::Message(&EXPONENTIAL_POINT)),
        one(2, "aggregation_temporality", TEMPORALITY),
    ],
};

static SUMMARY: Message = Message { name: "Summary", fields: &[many(1, "data_points", Kind::Message(&SUMMARY_POINT))] };

static NUMBER_POINT: Message = Message {
    name: "NumberDataPoint",
    fields: &[
        one(2, "start_time_unix_nano", Fixed),
        one(3, "time_unix_nano", Fixed),
        one(4, "as_double", Double),
        many(5, "exemplars", Kind::Message(&EXEMPLAR)),
        one(6, "as_int", SignedFixed),
        many(7, "attributes", Kind::Message(&KEY_VALUE)),
        one(8, "flags", Unsigned),
    ],
};

static HISTOGRAM_POINT: Message = Message {
    name: "HistogramDataPoint",
    fields: &[
        one(2, "start_time_unix_nano", Fixed),
        one(3, "time_unix_nano", Fixed),
        one(4, "count", Fixed),
        one(5, "sum", Double),
        many(6, "bucket_counts", Fixed),
        many(7, "explicit_bounds", Double),
        many(8, "exemplars", Kind::Message(&EXEMPLAR)),
        many(9, "attributes", Kind::Message(&KEY_VALUE)),
        one(10, "flags", Unsigned),
    ],
};

static EXPONENTIAL_POINT: Message = Message {
    name: "ExponentialHistogramDataPoint",
    fields: &[
        many(1, "attributes", Kind::Message(&KEY_VALUE)),
        one(2, "start_time_unix_nano", Fixed),
        one(3, "time_unix_nano", Fixed),
        one(4, "count", Fixed),
        one(5, "sum", Double),
        one(6, "scale", ZigZag),
        one(7, "zero_count", Fixed),
        one(8, "positive", Kind::Message(&BUCKETS)),
        one(9, "negative", Kind::Message(&BUCKETS)),
        one(10, "flags", Unsigned),
        many(11, "exemplars", Kind::Message(&EXEMPLAR)),
        one(14, "zero_threshold", Double),
    ],
};

static BUCKETS: Message =
    Message { name: "Buckets", fields: &[one(1, "offset", ZigZag), many(2, "bucket_counts", Unsigned)] };

static SUMMARY_POINT: Message = Message {
    name: "SummaryDataPoint",
    fields: &[
        one(2, "start_time_unix_nano", Fixed),
        one(3, "time_unix_nano", Fixed),
        one(4, "count", Fixed),
        one(5, "sum", Double),
        many(6, "quantile_values", Kind::Message(&QUANTILE)),
        many(7, "attributes", Kind::Message(&KEY_VALUE)),
        one(8, "flags", Unsigned),
    ],
};

static QUANTILE: Message =
    Message { name: "ValueAtQuantile", fields: &[one(1, "quantile", Double), one(2, "value", Double)] };

static EXEMPLAR: Message = Message {
    name: "Exemplar",
    fields: &[
        one(2, "time_unix_nano", Fixed),
        one(3, "as_double", Double),
        one(4, "span_id", Hex),
        one(5, "trace_id", Hex),
        one(6, "as_int", SignedFixed),
        many(7, "filtered_attributes", Kind::Message(&KEY_VALUE)),
    ],
};
