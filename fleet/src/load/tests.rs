use proptest::prelude::*;

use super::*;
use crate::settings::Settings;

fn sites(seed: u64, clusters: usize) -> Vec<Arc<Site>> {
    let settings = Settings { clusters, ..Settings::default() };
    (0..clusters).map(|index| Arc::new(Site::new(seed, &settings, index))).collect()
}

proptest! {
    #[test]
    fn load_is_moved_and_not_lost(seed: u64, clusters in 2usize..7, gone: u64, cell in 0..CELLS, service in 0usize..3) {
        let sites = sites(seed, clusters);
        // One of them stays.
        let gone = gone & ((1 << (clusters - 1)) - 1);
        let (all, on) = (Silences::new(seed, clusters, false), Silences::new(seed, clusters, true));
        let usual: f64 = Load { sites: &sites, gone: 0 }.served(&all, service, cell).iter().sum();
        let moved = Load { sites: &sites, gone }.served(&on, service, cell);
        for (cluster, served) in moved.iter().enumerate() {
            prop_assert!(*served >= 0.0);
            prop_assert!(gone >> cluster & 1 == 0 || *served == 0.0);
        }
        let away = |cluster: usize| if gone >> cluster & 1 == 1 { 1.0 } else { on.gone(cluster, cell) };
        let left: Vec<f64> = (0..clusters).map(away).filter(|away| *away < 1.0).collect();
        let sum: f64 = moved.iter().sum();
        // The last cluster may fall silent itself; then there is nobody to go to.
        match left.as_slice() {
            [] => prop_assert_eq!(sum, 0.0),
            [away] if *away > 0.0 => prop_assert!((0.0..usual).contains(&sum)),
            _ => prop_assert!((sum - usual).abs() < 1e-9 * usual, "{sum} is not {usual}"),
        }
    }
}

#[test]
fn most_comes_in_the_afternoon_and_little_where_a_service_is_passive() {
    let sites = sites(7, 4);
    let load = Load { sites: &sites, gone: 0 };
    let at = |hour: usize| load.expected(0, hour * 360);
    let (night, day) = (at(3), at(13));
    assert!(day[0] > 1.8 * night[0], "{} and {}", day[0], night[0]);
    assert!(day[1] < 0.04 * day[0] && day[2] < 0.04 * day[3], "{day:?}");
    // The second service has it the other way round.
    let other = load.expected(1, 13 * 360);
    assert!(other[0] < 0.04 * other[1], "{other:?}");
}

#[test]
fn most_goes_to_the_cluster_of_the_same_region() {
    let sites = sites(7, 4);
    let usual = Load { sites: &sites, gone: 0 }.expected(0, 4_000);
    let moved = Load { sites: &sites, gone: 1 }.expected(0, 4_000);
    let more: Vec<f64> = moved.iter().zip(&usual).map(|(moved, usual)| moved - usual).collect();
    assert!((more[1] - usual[0] / 2.0).abs() < 1e-9 && (more[2] - usual[0] / 4.0).abs() < 1e-9, "{more:?}");
}
