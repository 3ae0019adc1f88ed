use model::batch::Kind;

use super::*;

fn series(hashes: &[u128]) -> Vec<RawSeries> {
    hashes.iter().map(|hash| RawSeries { labels: 0..0, hash: *hash, kind: Kind::Gauge }).collect()
}

/// The hashes of the whole pieces.
fn whole(hashes: &[u128]) -> Vec<Vec<u128>> {
    let series = series(hashes);
    let whole = pieces(&series, 7).filter(|piece| piece.key.is_some());
    whole.map(|piece| hashes[piece.places].to_vec()).collect()
}

#[test]
fn pieces_are_the_same_wherever_a_batch_begins() {
    // Of every 16 hashes one ends a piece; of the second half none does.
    let hashes: Vec<u128> = (1..=300u128).map(|n| if n < 150 { n * 7 } else { n * 16 + 1 }).collect();
    let all = whole(&hashes);
    assert!(all.len() > 8 && all.iter().any(|piece| piece.len() == MAX_SERIES), "{all:?}");
    for start in 0..hashes.len() {
        for end in [start + 10, start + 100, hashes.len()] {
            let end = end.min(hashes.len());
            let found = whole(&hashes[start..end]);
            assert!(found.iter().all(|piece| all.contains(piece)), "{start}..{end}: {found:?}");
            let covered: usize = pieces(&series(&hashes[start..end]), 7).map(|piece| piece.places.len()).sum();
            assert_eq!(covered, end - start);
        }
    }
}

#[test]
fn the_keys_of_other_series_another_order_and_another_salt_differ() {
    let key = |hashes: &[u128], salt| {
        let mut all = vec![16];
        all.extend_from_slice(hashes);
        pieces(&series(&all), salt).last().and_then(|piece| piece.key)
    };
    let keys = [key(&[1, 2, 32], 0), key(&[2, 1, 32], 0), key(&[1, 2, 48], 0), key(&[2, 32], 0), key(&[1, 2, 32], 1)];
    for (place, one) in keys.iter().enumerate() {
        assert!(one.is_some());
        assert!(keys[..place].iter().all(|other| other != one), "{keys:?}");
    }
}
