use super::*;

#[test]
fn a_rule_hits_the_calls_it_names_and_no_others() {
    let rules = Rules::parse("sync,/journal/,2,before,eio; write,x,1+2,before,short=3").unwrap();
    let journal = Path::new("/s/journal/1.seg");
    assert_eq!(rules.before(Op::Sync, Path::new("/s/x")), Fault::None);
    assert_eq!(rules.before(Op::Sync, journal), Fault::None);
    assert_eq!(rules.before(Op::Write, journal), Fault::None);
    assert_eq!(rules.before(Op::Sync, journal), Fault::Error(EIO));
    assert_eq!(rules.before(Op::Sync, journal), Fault::None);
    let written: Vec<Fault> = (0..3).map(|_| rules.before(Op::Write, Path::new("x"))).collect();
    assert_eq!(written, [Fault::Short(3), Fault::Short(3), Fault::None]);
}

#[test]
fn a_rule_of_changes_passes_over_what_only_looks() {
    let rules = Rules::parse("change,/s/,2,before,eio").unwrap();
    let told: Vec<Fault> = [Op::Write, Op::Read, Op::Open, Op::List, Op::Lock, Op::SyncDir]
        .map(|op| rules.before(op, Path::new("/s/x")))
        .into();
    assert_eq!(told[..5], [Fault::None; 5]);
    assert_eq!(told[5], Fault::Error(EIO));
    assert_eq!((name(Op::SyncDir), name(Op::Lock)), ("sync_dir", "lock"));
}

#[test]
fn a_rule_that_cannot_be_is_refused() {
    assert!(Rules::parse("").is_ok());
    for wrong in ["sync", "sinc,a,1,before,eio", "sync,a,x,before,eio", "sync,a,1,after,eio", "sync,a,1,before,boom"] {
        assert!(Rules::parse(wrong).is_err(), "{wrong}");
    }
}
