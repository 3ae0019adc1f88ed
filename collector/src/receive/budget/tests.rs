use super::*;

fn cluster(name: &str) -> Option<Arc<str>> {
    Some(Arc::from(name))
}

#[test]
fn no_more_requests_come_in_than_there_is_room_for() {
    let budget = Budget::new("remote_write", 2, 1 << 20);
    let (one, _two) = (budget.enter(None).unwrap(), budget.enter(cluster("berlin").as_ref()).unwrap());
    for who in [None, cluster("berlin"), cluster("dublin")] {
        let error = budget.enter(who.as_ref()).unwrap_err();
        assert_eq!((error.kind(), error.retry_after()), (ErrorKind::Busy, Some(RETRY_AFTER)));
    }
    drop(one);
    budget.enter(None).unwrap();
}

#[test]
fn bytes_are_shared_by_all_and_come_back() {
    let budget = Budget::new("remote_write", 10, 8 << 10);
    let (mut one, mut two) = (budget.enter(None).unwrap(), budget.enter(cluster("berlin").as_ref()).unwrap());
    one.grow_to(5 << 10).unwrap();
    one.grow_to(100).unwrap();
    two.grow_to(3 << 10).unwrap();
    assert_eq!(two.grow_to((3 << 10) + 1).unwrap_err().kind(), ErrorKind::Busy);
    assert_eq!(one.grow_to(usize::MAX).unwrap_err().kind(), ErrorKind::Busy);
    drop(one);
    two.grow_to(8 << 10).unwrap();
}

#[test]
fn one_that_sends_without_end_leaves_room_for_others() {
    let budget = Budget::new("remote_write", 100, 1 << 20);
    let (berlin, dublin) = (cluster("berlin"), cluster("dublin"));
    let fill = |who: &Option<Arc<str>>| std::iter::from_fn(|| budget.enter(who.as_ref()).ok()).collect::<Vec<_>>();
    let of_berlin = fill(&berlin);
    assert_eq!(of_berlin.len(), 80);
    let of_dublin = fill(&dublin);
    assert_eq!(of_dublin.len(), 16);
    // Whoever is new finds a place still.
    budget.enter(None).unwrap();
    drop(of_berlin);
    assert_eq!(fill(&dublin).len() + of_dublin.len(), 80, "what was given back is there for the others");
}

#[test]
fn bytes_are_left_for_others_but_a_single_request_may_have_all() {
    let budget = Budget::new("remote_write", 10, 1000);
    let (berlin, dublin) = (cluster("berlin"), cluster("dublin"));
    let mut only = budget.enter(berlin.as_ref()).unwrap();
    only.grow_to(1000).unwrap();
    drop(only);
    let [mut one, mut two] = [(); 2].map(|()| budget.enter(berlin.as_ref()).unwrap());
    one.grow_to(500).unwrap();
    two.grow_to(300).unwrap();
    assert_eq!(two.grow_to(301).unwrap_err().kind(), ErrorKind::Busy);
    budget.enter(dublin.as_ref()).unwrap().grow_to(200).unwrap();
    drop(one);
    two.grow_to(1000).unwrap();
}
