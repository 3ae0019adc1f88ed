use super::*;

#[test]
fn the_bounds_are_the_days_they_name() {
    assert_eq!(Date::of_ms(MIN_TIME_MS).to_string(), "0001-01-01");
    assert_eq!(Date::of_ms(MAX_TIME_MS).to_string(), "9999-12-31");
    assert_eq!(Date::of_ms(-1).to_string(), "1969-12-31");
    assert!(!in_range(MIN_TIME_MS - 1));
    assert!(!in_range(MAX_TIME_MS + 1));
}

#[test]
fn a_day_reads_back_as_it_was_written() {
    for day in (Date::of_ms(MIN_TIME_MS).0..=Date::of_ms(MAX_TIME_MS).0).step_by(97) {
        assert_eq!(Date::parse(&Date(day).to_string()), Some(Date(day)));
    }
    for text in ["2023-02-29", "2023-13-01", "2023-00-01", "2023-01-32", "2023-01", "x-y-z", ""] {
        assert_eq!(Date::parse(text), None, "{text}");
    }
}
