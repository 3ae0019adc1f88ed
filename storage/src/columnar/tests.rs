use proptest::prelude::*;

use super::testing::{Seed, logs, spans};
use super::*;

fn seeds() -> impl Strategy<Value = Vec<Seed>> {
    prop::collection::vec((any::<i64>(), any::<u8>()), 0..60)
}

fn comes_back<C: Columnar + PartialEq>(rows: &C) {
    let mut bytes = Vec::new();
    rows.encode(&mut bytes);
    let read = read_rows::<C>(&bytes).expect("what was written is read");
    assert_eq!(&*read, rows);
    for end in (0..bytes.len()).step_by(bytes.len() / 20 + 1) {
        assert!(read_rows::<C>(&bytes[..end]).is_err(), "{end} of {} bytes are not all", bytes.len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn rows_come_back_from_their_bytes(seeds in seeds()) {
        comes_back(&logs(&seeds));
        comes_back(&spans(&seeds));
    }

    #[test]
    fn damaged_bytes_are_an_error_and_never_a_panic(seeds in seeds(), at in any::<usize>(), flip in 1u8..) {
        let mut bytes = Vec::new();
        logs(&seeds).encode(&mut bytes);
        let at = at % bytes.len();
        bytes[at] ^= flip;
        let _ = read_rows::<model::Logs>(&bytes);
        let mut bytes = Vec::new();
        spans(&seeds).encode(&mut bytes);
        let at = at % bytes.len();
        bytes[at] ^= flip;
        let _ = read_rows::<model::Spans>(&bytes);
    }
}
