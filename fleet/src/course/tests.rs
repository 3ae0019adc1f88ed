use super::*;
use crate::load::Load;
use crate::plan::Plan;
use crate::settings::Settings;
use crate::silence::Silences;
use crate::track::{NodeTrack, PodTrack};

const NOW_MS: i64 = 1_767_268_800_000;

fn sites() -> Vec<Arc<Site>> {
    let settings = Settings { clusters: 2, namespaces: 1, deployments: 1, ..Settings::default() };
    (0..2).map(|index| Arc::new(Site::new(1, &settings, index))).collect()
}

fn world(sites: &[Arc<Site>], gone: u64) -> Arc<World> {
    let load = Load { sites, gone };
    let plans: Vec<Arc<Plan>> = sites.iter().map(|site| Arc::new(Plan::new(site, Load { sites, gone: 0 }))).collect();
    Arc::new(World::new(load, &Silences::new(1, 2, true), &plans))
}

/// Frankfurt while berlin is silenced.
fn course() -> (Arc<Site>, Course) {
    let sites = sites();
    let (usual, alone) = (world(&sites, 0), world(&sites, 1));
    let stage = |seconds: i64, step: i64| {
        let from = if seconds == 20 { &alone } else { &usual };
        let start_ms = if seconds < 0 { i64::MIN } else { NOW_MS + seconds * 1000 };
        Stage { start_ms, from: Arc::clone(from), to: Arc::clone(&alone), step }
    };
    (Arc::clone(&sites[1]), Course::new(1, &[stage(-1, 0), stage(0, 1), stage(10, 2), stage(20, 0)]))
}

#[test]
fn every_track_goes_on_without_a_jump_where_a_stage_begins() {
    let (site, course) = course();
    let pod = [PodTrack::Work, PodTrack::Slow, PodTrack::Cores, PodTrack::Throttled];
    let tracks = [Track::Service(0), Track::Cluster, Track::Node(2, NodeTrack::Cores), Track::Node(2, NodeTrack::Work)];
    for track in tracks.into_iter().chain(pod.map(|track| Track::Pod(0, track))) {
        let most =
            (-40_000..60_000).step_by(10_000).map(|ms| course.rate(&site, track, NOW_MS + ms)).fold(0.0, f64::max);
        let mut sum = 0;
        for ms in -30_000..50_000 {
            let passed = course.between(&site, track, NOW_MS + ms, NOW_MS + ms + 1);
            assert!(passed >= 0 && passed as f64 <= most * 1_000.0 + 2.0, "{track:?} at {ms}: {passed} of {most}");
            sum += passed;
        }
        assert_eq!(sum, course.between(&site, track, NOW_MS - 30_000, NOW_MS + 50_000));
    }
}

#[test]
fn the_rate_goes_over_in_thirds() {
    let (site, course) = course();
    let sites = sites();
    let (usual, alone) = (world(&sites, 0), world(&sites, 1));
    for (seconds, part) in [(-1, 0.0), (0, 1.0 / 3.0), (10, 2.0 / 3.0), (20, 1.0), (3_600, 1.0)] {
        let time_ms = NOW_MS + seconds * 1000;
        let (from, to) = (usual.curve(1, 0).rate(time_ms), alone.curve(1, 0).rate(time_ms));
        let expected = from + (to - from) * part;
        assert!((course.rate(&site, Track::Service(0), time_ms) - expected).abs() < 1e-9, "after {seconds} s");
    }
}

#[test]
fn parts_add_up_wherever_time_is_cut() {
    let (site, course) = course();
    let (from, to) = (NOW_MS - 600_000, NOW_MS + 600_000);
    let track = Track::Pod(0, PodTrack::Work);
    for cut in (from..to).step_by(997) {
        let parts = course.between(&site, track, from, cut) + course.between(&site, track, cut, to);
        assert_eq!(parts, course.between(&site, track, from, to), "at {cut}");
    }
}
