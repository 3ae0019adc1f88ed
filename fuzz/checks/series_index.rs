//! Any bytes are the index of a block, read or refused; what is read answers every question about its rows.
//!
//! The first two bytes are the number of rows; a checksum that fits is put behind the rest.

use bytes::Bytes;

use crate::index::SeriesIndex;
use crate::matcher::{Condition, Matcher};

pub(crate) fn check(input: &[u8]) {
    let Some(([low, high], rest)) = input.split_first_chunk::<2>() else { return };
    let rows = u32::from(u16::from_le_bytes([*low, *high]));
    let mut bytes = rest.to_vec();
    bytes.extend_from_slice(&crc32c::crc32c(rest).to_le_bytes());
    let Ok(index) = SeriesIndex::decode(Bytes::from(bytes), rows) else { return };
    assert_eq!(index.rows(), rows);
    let all = index.select(&[]);
    assert_eq!(all.len(), u64::from(rows));
    for name in index.label_names(None).iter().take(16) {
        let values = index.label_values(name, None);
        assert!(!values.is_empty() && values.is_sorted());
        let mut reached = 0;
        for value in values.iter().take(64) {
            let found = index.select(&[Matcher { label: name.clone(), condition: Condition::In(vec![value.clone()]) }]);
            assert!(!found.is_empty() && found.max() < Some(rows));
            assert!(index.label_values(name, Some(&found)).contains(value));
            reached += found.len();
        }
        assert!(reached <= u64::from(rows), "a row has one value of a label");
    }
}
