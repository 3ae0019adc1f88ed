//! Any bytes are a column of times and values that is read or refused; what is read comes back the same.

use crate::codec::{Reader, TimeDecoder, TimeEncoder, ValueDecoder, ValueEncoder};

pub(crate) fn check(input: &[u8]) {
    let (mut times, mut values) = (TimeDecoder::default(), ValueDecoder::default());
    let (mut reader, mut rows) = (Reader::new(input), Vec::new());
    while reader.left() > 0 {
        let Ok(time_ms) = times.take(&mut reader) else { break };
        let Ok(bits) = values.take(&mut reader) else { break };
        rows.push((time_ms, bits));
    }
    let (mut times, mut values, mut bytes) = (TimeEncoder::default(), ValueEncoder::default(), Vec::new());
    for (time_ms, bits) in &rows {
        times.put(&mut bytes, *time_ms);
        values.put(&mut bytes, *bits);
    }
    let (mut times, mut values) = (TimeDecoder::default(), ValueDecoder::default());
    let mut reader = Reader::new(&bytes);
    for row in rows {
        let again = (times.take(&mut reader).expect("ours"), values.take(&mut reader).expect("ours"));
        assert_eq!(again, row);
    }
    assert_eq!(reader.left(), 0);
    let mut reader = Reader::new(input);
    let _ = (reader.text(), reader.sized(), reader.count(), reader.signed());
}
