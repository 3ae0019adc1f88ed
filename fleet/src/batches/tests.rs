use crate::{Fleet, Settings};
use model::labels::LabelsBuilder;
use std::collections::BTreeMap;

#[test]
fn look() {
    let start = std::time::Instant::now();
    let fleet = Fleet::new(7, &Settings::default()).unwrap();
    eprintln!("new {:?}", start.elapsed());
    for cluster in fleet.clusters() {
        eprintln!("{} {} cpus {:?}", cluster.name(), cluster.site().cpus, cluster.attributes().services);
        for hour in [0, 3, 6, 9, 12, 15, 18, 21] {
            let t = 1_767_225_600_000 + hour * 3_600_000;
            let text = cluster.federate(t);
            let lines = text.lines().filter(|l| !l.starts_with('#')).count();
            let pods = cluster.moment(t).pods(&mut Default::default()).len();
            eprintln!(
                "{hour} {lines} {} pods {pods} bytes {}",
                cluster.requests_per_second("shop", t).unwrap(),
                text.len()
            );
        }
    }
    let berlin = &fleet.clusters()[0];
    let t = 1_767_225_600_000 + 12 * 3_600_000;
    std::fs::write("/tmp/w/federate.txt", berlin.federate(t)).unwrap();
    for target in berlin.targets(t) {
        let page = berlin.page(&target.name, t).unwrap();
        std::fs::write(format!("/tmp/w/page-{}.txt", target.name.replace('/', "_")), page).unwrap();
    }
    let mut by: BTreeMap<String, usize> = BTreeMap::new();
    let mut b = LabelsBuilder::default();
    for batch in berlin.batches(t, t + 15_000, 15_000).unwrap() {
        for i in 0..batch.series.len() {
            let key = batch.key(i, &mut b).unwrap();
            *by.entry(key.labels.get("job").unwrap().to_owned()).or_default() += 1;
        }
    }
    eprintln!("{by:?}");
}
