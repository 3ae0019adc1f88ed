//! From the bytes of a request to its rows: unpacked and decoded, within room that is taken before.

use std::sync::Arc;

use bytes::Bytes;
use decode::body::ContentEncoding;
use decode::otlp::{DecodedLogs, DecodedSpans, Refused, Translation, logs, traces};
use model::time::MS_NANOS;
use model::{Error, ErrorKind};

use super::records::Records;
use super::{Form, Origin, Sent, Settings, Signal};
use crate::receive::budget::Share;
use crate::receive::identity::Reason;
use crate::receive::unpack::unpack;

/// Bodies up to this size on the wire are decoded where they are: it takes less time than moving them to another thread.
const INLINE_BYTES: usize = 16 << 10;
/// Room for the labels of a body, in multiples of it, one tried after the other: enough for numbers, for histograms, and
/// for histograms with many buckets.
const LABEL_GROWTHS: [usize; 3] = [4, 16, 64];
/// Room for the columns of log records and spans, in multiples of their body: the texts once, and as much for the rest.
const COLUMN_GROWTH: usize = 2;

/// What a request has become.
#[derive(Debug)]
pub(super) enum Decoded {
    Metrics(Box<decode::otlp::Decoded>),
    Records(Records, Refused),
}

/// What a request must keep to.
#[derive(Debug)]
struct Bounds {
    limits: decode::Limits,
    /// The latest time that a row may have.
    latest_ms: i64,
    /// The present, for records without a time.
    now_ms: i64,
}

/// Unpacks and decodes, on another thread if that may take long.
///
/// # Errors
/// `Invalid` if the bytes are no such request, `TooLarge`, `Busy` if there is no room.
pub(super) async fn decode(
    sent: Sent,
    settings: &Arc<Settings>,
    origin: &Origin,
    now_ms: i64,
    mut share: Share,
) -> Result<(Decoded, Share), Error> {
    let (limits, latest_ms) = (settings.intake.limits(&origin.caller), origin.caller.latest_ms());
    let bounds = Bounds { limits, latest_ms, now_ms };
    let settings = settings.clone();
    let is_small = sent.wire.len() <= INLINE_BYTES && sent.encoding == ContentEncoding::Identity;
    let work = move || {
        let decoded = decode_within(sent, &settings, &bounds, &mut share)?;
        Ok::<_, Error>((decoded, share))
    };
    let done = if is_small {
        work()
    } else {
        let done = tokio::task::spawn_blocking(work).await;
        done.map_err(|_| Error::internal("the decoding of the request broke off"))?
    };
    done.map_err(|error| origin.caller.too_large(Reason::RequestSize, error))
}

fn decode_within(sent: Sent, settings: &Settings, bounds: &Bounds, share: &mut Share) -> Result<Decoded, Error> {
    let (wire_bytes, signal) = (sent.wire.len(), sent.signal);
    let mut body = unpack(sent.encoding, &sent.wire, &bounds.limits, share)?;
    drop(sent.wire);
    if sent.form == Form::Json {
        share.grow_to(wire_bytes + body.len() * 2)?;
        body = decode::otlp::json::to_protobuf(signal.json_request(), &body, &bounds.limits)?;
    }
    let held_bytes = wire_bytes + body.len();
    let most = settings.intake.memory_bytes().saturating_sub(held_bytes);
    let mut room = Room { share, body_bytes: body.len(), held_bytes, most };
    match signal {
        Signal::Metrics => decode_points(&body, &settings.translation, bounds, &mut room),
        Signal::Logs => {
            room.take(COLUMN_GROWTH)?;
            let now_nanos = bounds.now_ms.saturating_mul(MS_NANOS);
            let DecodedLogs { logs, refused } = logs::decode(&body, now_nanos, bounds.latest_ms, &bounds.limits)?;
            room.hold(Records::Logs(Box::new(logs)), refused)
        }
        Signal::Traces => {
            room.take(COLUMN_GROWTH)?;
            let DecodedSpans { spans, refused } = traces::decode(&body, bounds.latest_ms, &bounds.limits)?;
            room.hold(Records::Spans(Box::new(spans)), refused)
        }
    }
}

fn decode_points(
    body: &Bytes,
    translation: &Translation,
    bounds: &Bounds,
    room: &mut Room<'_>,
) -> Result<Decoded, Error> {
    for growth in LABEL_GROWTHS {
        let bytes = room.take(growth)?;
        match decode::otlp::decode(body, bounds.latest_ms, translation, &bounds.limits, bytes) {
            Err(error) if error.kind() == ErrorKind::TooLarge && bytes < room.most => {}
            done => return Ok(Decoded::Metrics(Box::new(done?))),
        }
    }
    let text =
        format!("the labels of the request, written out for each series, are over {} times its size", LABEL_GROWTHS[2]);
    Err(Error::new(ErrorKind::TooLarge, text))
}

/// The room of a request while its body is decoded.
struct Room<'a> {
    share: &'a mut Share,
    body_bytes: usize,
    /// Bytes that the request holds already, the body among them.
    held_bytes: usize,
    /// Bytes that it may hold besides if it is alone.
    most: usize,
}

impl Room<'_> {
    /// Takes room for what the body becomes, in multiples of it, and returns how many bytes that are.
    fn take(&mut self, growth: usize) -> Result<usize, Error> {
        let bytes = self.body_bytes.saturating_mul(growth).saturating_add(INLINE_BYTES).min(self.most);
        self.share.grow_to(self.held_bytes + bytes)?;
        Ok(bytes)
    }

    /// Sees to it that there is room for what the body has become.
    fn hold(&mut self, records: Records, refused: Refused) -> Result<Decoded, Error> {
        let (bytes, most) = (records.memory_bytes(), self.most);
        if bytes > most {
            let text =
                format!("the rows of the request take {bytes} bytes, there is room for {most}: send it in parts");
            return Err(Error::new(ErrorKind::TooLarge, text));
        }
        self.share.grow_to(self.held_bytes + bytes)?;
        Ok(Decoded::Records(records, refused))
    }
}
