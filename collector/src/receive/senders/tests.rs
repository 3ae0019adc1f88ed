use std::net::Ipv4Addr;

use super::*;

#[test]
fn senders_have_entries_of_their_own_up_to_a_limit() {
    let sources = Sources::default();
    let senders = Senders::new(sources.clone());
    for number in 0..MAX_SENDERS as u32 + 50 {
        let peer = IpAddr::V4(Ipv4Addr::from(0x0a00_0000 + number));
        senders.update("remote_write", "", Some(peer), |status| status.samples += 1);
    }
    senders.update("remote_write", "", Some(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1))), |status| status.samples += 1);
    let all = sources.all();
    let samples = |instance: &str| all.iter().find(|s| s.instance == instance).map(|s| s.samples);
    assert_eq!(all.len(), MAX_SENDERS + 1);
    assert_eq!((samples("10.0.0.1"), samples("others")), (Some(2), Some(50)));
}

#[test]
fn an_address_that_is_mapped_into_version_six_is_the_same_sender() {
    let sources = Sources::default();
    let senders = Senders::new(sources.clone());
    senders.update("remote_write", "", Some("::ffff:10.1.2.3".parse().unwrap()), |_| ());
    senders.update("remote_write", "", Some("10.1.2.3".parse().unwrap()), |_| ());
    let instances: Vec<String> = sources.all().into_iter().map(|source| source.instance).collect();
    assert_eq!(instances, ["10.1.2.3"]);
}
