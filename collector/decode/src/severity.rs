//! Words of severity as numbers of OpenTelemetry.

/// Words in lower case with the number each has.
///
/// Source: <https://opentelemetry.io/docs/specs/otel/logs/data-model-appendix/>, appendix B, and the abbreviations that
/// Loki knows. `critical` is as severe as `fatal` here, which is what libraries that have but one of the two mean by it.
const WORDS: [(&str, u8); 24] = [
    ("info", 9),
    ("error", 17),
    ("warn", 13),
    ("debug", 5),
    ("warning", 13),
    ("trace", 1),
    ("fatal", 21),
    ("critical", 21),
    ("notice", 10),
    ("information", 9),
    ("informational", 9),
    ("inf", 9),
    ("err", 17),
    ("wrn", 13),
    ("dbg", 5),
    ("trc", 1),
    ("crit", 21),
    ("panic", 21),
    ("alert", 21),
    ("emerg", 21),
    ("emergency", 21),
    ("verbose", 5),
    ("severe", 17),
    ("finest", 1),
];

/// The number of a word, in whatever case: 1 (TRACE) to 24 (FATAL4); 0 if it is not known.
pub(crate) fn number(word: &str) -> u8 {
    WORDS.iter().find(|(known, _)| known.eq_ignore_ascii_case(word)).map_or(0, |(_, number)| *number)
}
