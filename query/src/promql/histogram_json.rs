//! A native histogram as the JSON of an answer.

use std::fmt::Write;

use promql::histogram::FloatHistogram;
use promql::number::answer_text;

/// Appends `{"count":"…","sum":"…","buckets":[[boundaries,"lower","upper","count"],…]}`. Buckets without observations are
/// left out; which boundaries belong to a bucket: 0 the upper, 1 the lower, 2 none, 3 both.
pub(crate) fn push_histogram(text: &mut String, histogram: &FloatHistogram) {
    let (count, sum) = (answer_text(histogram.count), answer_text(histogram.sum));
    // Writing to a text cannot fail.
    let _ = write!(text, "{{\"count\":\"{count}\",\"sum\":\"{sum}\"");
    let mut before = ",\"buckets\":[";
    for bucket in histogram.ascending().filter(|bucket| bucket.count != 0.0) {
        let [lower, upper, count] = [bucket.lower, bucket.upper, bucket.count].map(answer_text);
        let _ = write!(text, "{before}[{},\"{lower}\",\"{upper}\",\"{count}\"]", bucket.boundaries());
        before = ",";
    }
    text.push_str(if before == "," { "]}" } else { "}" });
}
