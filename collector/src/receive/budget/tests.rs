use super::*;

#[test]
fn no_more_requests_come_in_than_there_is_room_for() {
    let budget = Budget::new("remote_write", 2, 1 << 20);
    let (one, _two) = (budget.enter().unwrap(), budget.enter().unwrap());
    let error = budget.enter().unwrap_err();
    assert_eq!((error.kind(), error.retry_after()), (ErrorKind::Busy, Some(RETRY_AFTER)));
    drop(one);
    budget.enter().unwrap();
}

#[test]
fn bytes_are_shared_by_all_and_come_back() {
    let budget = Budget::new("remote_write", 10, 8 << 10);
    let (mut one, mut two) = (budget.enter().unwrap(), budget.enter().unwrap());
    one.grow_to(5 << 10).unwrap();
    one.grow_to(100).unwrap();
    two.grow_to(3 << 10).unwrap();
    assert_eq!(two.grow_to((3 << 10) + 1).unwrap_err().kind(), ErrorKind::Busy);
    assert_eq!(one.grow_to(usize::MAX).unwrap_err().kind(), ErrorKind::Busy);
    drop(one);
    two.grow_to(8 << 10).unwrap();
}
