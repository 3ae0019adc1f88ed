//! The answer of samples: `ReadResponse { results = 1: QueryResult { timeseries = 1: TimeSeries } }`.

use super::{Series, histogram, labels};
use crate::Error;
use crate::protobuf::message::Message;

/// What field number and length of a result take at most.
const RESULT_HEAD_BYTES: usize = 11;

/// An answer of samples while it grows.
#[derive(Debug)]
pub struct SamplesAnswer {
    max_bytes: usize,
    /// The results of the queries that are complete.
    response: Message,
    /// The result of the query at hand.
    result: Message,
}

impl SamplesAnswer {
    /// An answer to the first query, with no series yet. Before it is compressed it may have so many bytes.
    pub fn new(max_bytes: usize) -> Self {
        SamplesAnswer { max_bytes, response: Message::default(), result: Message::default() }
    }

    /// Adds a series to the result of the query at hand.
    ///
    /// # Errors
    /// `TooLarge` if the answer has too many bytes.
    pub fn push(&mut self, series: &Series<'_>) -> Result<(), Error> {
        let mut message = labels(series);
        for (time_ms, value) in series.times_ms.iter().zip(series.values) {
            let mut sample = Message::default();
            sample.double(1, *value);
            sample.number(2, *time_ms);
            message.sized(2, &sample.0);
        }
        for (time_ms, value) in series.histograms {
            message.sized(4, &histogram::message(*time_ms, value).0);
        }
        self.result.sized(1, &message.0);
        let bytes = self.response.0.len() + self.result.0.len() + RESULT_HEAD_BYTES;
        if bytes > self.max_bytes {
            let limit = self.max_bytes;
            let what = format!("the answer has more than {limit} bytes: ask for fewer series or less time");
            return Err(Error::too_large(what));
        }
        Ok(())
    }

    /// Ends the result of the query at hand; what is added from now on is of the next one.
    pub fn end_query(&mut self) {
        let result = std::mem::take(&mut self.result);
        self.response.sized(1, &result.0);
    }

    /// The body of the answer, compressed with snappy. Results of queries that did not end are left out.
    ///
    /// # Errors
    /// `TooLarge` if it has more than 4 GiB, which snappy cannot hold.
    pub fn finish(self) -> Result<Vec<u8>, Error> {
        let too_large = |error: snap::Error| Error::too_large(format!("the answer cannot be compressed: {error}"));
        snap::raw::Encoder::new().compress_vec(&self.response.0).map_err(too_large)
    }
}
