use super::*;

#[test]
fn times_are_to_the_second() {
    assert_eq!(date_time(1_795_720_030_999), "2026-11-26T19:07:10Z");
    assert_eq!(date_time(0), "1970-01-01T00:00:00Z");
}
