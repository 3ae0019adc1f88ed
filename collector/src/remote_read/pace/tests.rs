use super::*;

const INTERVAL: Duration = Duration::from_secs(20);

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

#[test]
fn pieces_grow_towards_the_aim_and_not_past_it() {
    let mut pace = Pace::new(INTERVAL, 1_000_000);
    assert_eq!(pace.piece_ms(), 60_000);
    // 1,000 rows a second of data, 100,000 rows a second of time.
    for _ in 0..10 {
        let rows = pace.piece_ms() as u64;
        pace.answered(pace.piece_ms(), rows, seconds(rows as f64 / 100_000.0));
    }
    // Five seconds are aimed at, in which 500,000 rows come.
    assert!((480_000..=520_000).contains(&pace.piece_ms()), "{}", pace.piece_ms());
}

#[test]
fn a_quick_answer_of_nothing_does_not_grow_without_end() {
    let mut pace = Pace::new(INTERVAL, 1_000_000);
    for _ in 0..20 {
        pace.answered(pace.piece_ms(), 0, Duration::ZERO);
    }
    assert_eq!(pace.piece_ms(), MOST_MS);
}

#[test]
fn too_much_is_halved_down_to_a_second() {
    let mut pace = Pace::new(INTERVAL, 1_000_000);
    assert!(pace.was_too_much(60_000));
    assert_eq!(pace.piece_ms(), 30_000);
    let tried = std::iter::repeat_with(|| pace.was_too_much(pace.piece_ms())).take_while(|is_left| *is_left).count();
    assert_eq!((tried, pace.piece_ms()), (5, 1_000));
}

/// A server that answers at most `limit_ms` at once: of `tries`, how many it refuses.
fn refused(pace: &mut Pace, limit_ms: i64, tries: usize) -> usize {
    let mut one = || {
        let piece_ms = pace.piece_ms();
        if piece_ms > limit_ms {
            pace.was_too_much(piece_ms);
        } else {
            pace.answered(piece_ms, 10, seconds(0.01));
        }
        piece_ms > limit_ms
    };
    (0..tries).filter(|_| one()).count()
}

#[test]
fn a_limit_is_kept_to_and_tried_again_now_and_then() {
    let mut pace = Pace::new(INTERVAL, 1_000_000);
    let first = refused(&mut pace, 7_000, 10);
    assert!((4..=6).contains(&first), "{first}");
    let later = refused(&mut pace, 7_000, 100);
    assert!((5..=25).contains(&later), "{later}");
    // Once there is none any more, it is as if there had been none.
    assert_eq!(refused(&mut pace, i64::MAX, 20), 0);
    assert_eq!(pace.piece_ms(), MOST_MS);
}

#[test]
fn a_slow_answer_makes_the_next_piece_shorter_at_once() {
    let mut pace = Pace::new(INTERVAL, 1_000_000);
    pace.answered(60_000, 10, seconds(10.0));
    assert_eq!(pace.piece_ms(), 30_000);
}

#[test]
fn a_short_rest_says_nothing_of_long_pieces() {
    let mut pace = Pace::new(INTERVAL, 1_000_000);
    pace.answered(2_000, 100, seconds(0.01));
    assert_eq!(pace.piece_ms(), 60_000);
    pace.answered(2_000, 100, seconds(10.0));
    assert_eq!(pace.piece_ms(), 1_000);
}

#[test]
fn pieces_are_no_larger_than_the_rate_allows() {
    let mut pace = Pace::new(INTERVAL, 1_000);
    pace.answered(60_000, 600_000, seconds(0.1));
    // A quarter of an interval's rows, 5,000 of the 10,000 a second.
    assert_eq!(pace.piece_ms(), LEAST_MS);
    pace.answered(1_000, 100, seconds(0.1));
    assert_eq!(pace.piece_ms(), 4_000);
}

#[test]
fn the_past_takes_half_of_the_time_and_no_more_than_its_rate() {
    assert_eq!(pause(1_000, seconds(2.0), 1_000_000), seconds(2.0));
    assert_eq!(pause(1_000_000, seconds(2.0), 100_000), seconds(8.0));
    assert_eq!(pause(0, Duration::ZERO, 0), Duration::ZERO);
}
