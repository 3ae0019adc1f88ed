use super::*;

const STEP_MS: i64 = 5_000;

#[test]
fn in_every_ten_minutes_one_cluster_is_silent_for_one_minute() {
    let silences = Silences::new(3, 4, true);
    let mut minutes = [0; 4];
    for stretch in 0..DAY_MS / EVERY_MS {
        let silent: Vec<usize> = (0..EVERY_MS / STEP_MS)
            .flat_map(|step| (0..4).filter(move |c| silences.is_silent(*c, stretch * EVERY_MS + step * STEP_MS)))
            .collect();
        assert_eq!(silent.len() as i64, LASTS_MS / STEP_MS, "in stretch {stretch}");
        assert!(silent.windows(2).all(|pair| pair[0] == pair[1]), "in stretch {stretch}");
        minutes[silent[0]] += 1;
    }
    assert!(minutes.iter().all(|count| *count > 20), "{minutes:?}");
}

#[test]
fn every_day_has_the_same_silences() {
    let silences = Silences::new(4, 3, true);
    for step in 0..DAY_MS / 60_000 {
        let time_ms = step * 60_000 + 1_234;
        assert_eq!(silences.is_silent(1, time_ms), silences.is_silent(1, time_ms + 20_000 * DAY_MS));
    }
}

#[test]
fn load_has_left_half_a_minute_after_a_silence_begins_and_is_back_half_a_minute_after_it_ends() {
    let silences = Silences::new(5, 4, true);
    let mut begun = 0;
    for cluster in 0..4 {
        for cell in 1..CELLS {
            let at = |cell: usize| silences.is_silent(cluster, cell as i64 * CELL_MS);
            if at(cell) && !at(cell - 1) {
                begun += 1;
                let gone: Vec<f64> = (cell - 1..cell + 10).map(|cell| silences.gone(cluster, cell)).collect();
                let thirds: Vec<f64> = gone.iter().map(|gone| (gone * 3.0).round()).collect();
                assert_eq!(thirds, [0.0, 1.0, 2.0, 3.0, 3.0, 3.0, 3.0, 2.0, 1.0, 0.0, 0.0]);
            }
        }
    }
    assert_eq!(begun, 144);
}

#[test]
fn none_if_they_are_off() {
    let silences = Silences::new(3, 4, false);
    assert!((0..CELLS).all(|cell| !silences.is_silent(0, cell as i64 * CELL_MS) && silences.gone(0, cell) == 0.0));
}
