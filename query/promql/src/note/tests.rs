use super::{Note, Notes};

#[test]
fn texts_are_those_of_prometheus() {
    for (note, text) in [
        (Note::HistogramIgnoredInAggregation("min"), "PromQL info: ignored histogram in min aggregation"),
        (
            Note::HistogramIgnoredInMixedRange("up".to_owned()),
            "PromQL info: ignored histograms in a range containing both floats and histograms for metric name \"up\"",
        ),
        (
            Note::InvalidQuantile("1.234567e+06".to_owned()),
            "PromQL warning: quantile value should be between 0 and 1, got 1.234567e+06",
        ),
        (
            Note::InvalidRatio("-1.5".to_owned(), -1),
            "PromQL warning: ratio value should be between -1 and 1, got -1.5, capping to -1",
        ),
        (
            Note::MixedFloatsHistograms("up".to_owned()),
            "PromQL warning: encountered a mix of histograms and floats for metric name \"up\"",
        ),
        (
            Note::MixedFloatsHistogramsAggregation,
            "PromQL warning: encountered a mix of histograms and floats for aggregation",
        ),
        (
            Note::PossibleNonCounter("up".to_owned()),
            "PromQL info: metric might not be a counter, name does not end in _total/_sum/_count/_bucket: \"up\"",
        ),
        (
            Note::SortInRangeQuery,
            "PromQL warning: sort is ineffective for range queries since results are always ordered by labels",
        ),
    ] {
        assert_eq!(note.to_string(), text);
    }
}

#[test]
fn a_note_is_told_once() {
    let mut notes = Notes::default();
    notes.add(Note::SortInRangeQuery);
    notes.add(Note::SortInRangeQuery);
    assert_eq!(notes.iter().count(), 1);
}
