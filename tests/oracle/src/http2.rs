//! The least HTTP/2 client that can make a call of gRPC and read its status: one call at a time, no compression of headers
//! of its own, and no table for those of the server.
//!
//! Source: RFC 9113

use std::io::{self, BufReader, Read, Write};
use std::net::TcpStream;

use crate::hpack;
use crate::http::{connect, odd};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// What the server may send for its part, before it says how much it takes itself: window and length of a frame.
const FIRST_WINDOW: i64 = 65_535;
const MAX_FRAME_BYTES: usize = 16_384;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;

const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const PADDED_OR_PRIORITY: u8 = 0x28;

/// A connection that is kept open.
#[derive(Debug)]
pub(crate) struct Connection {
    reader: BufReader<TcpStream>,
    host: String,
    /// The number of the next stream: a client's are odd.
    next: u32,
    /// What may be sent before the server must make room again.
    window: i64,
}

/// What was answered to a call.
#[derive(Debug, Default)]
pub(crate) struct Reply {
    /// Of the trailers, or of an answer that has nothing else.
    pub(crate) grpc_status: Option<u32>,
    pub(crate) body: Vec<u8>,
}

#[derive(Debug)]
struct Frame {
    kind: u8,
    flags: u8,
    stream: u32,
    payload: Vec<u8>,
}

impl Frame {
    /// The number of four bytes at the begin of the payload.
    fn number(&self) -> io::Result<u32> {
        self.payload.first_chunk().map(|bytes| u32::from_be_bytes(*bytes)).ok_or_else(|| odd("a frame is too short"))
    }
}

impl Connection {
    /// Connects to `host:port`.
    pub(crate) fn open(address: &str) -> io::Result<Self> {
        let reader = BufReader::new(connect(address)?);
        let mut connection = Connection { reader, host: address.to_owned(), next: 1, window: FIRST_WINDOW };
        connection.reader.get_mut().write_all(PREFACE)?;
        // SETTINGS_HEADER_TABLE_SIZE and SETTINGS_ENABLE_PUSH, both 0.
        connection.write(SETTINGS, 0, 0, &[0, 1, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0])?;
        Ok(connection)
    }

    /// Sends the message of a call; gives the number of its stream.
    pub(crate) fn post(&mut self, path: &str, message: &[u8]) -> io::Result<u32> {
        let stream = self.next;
        self.next += 2;
        if message.len() as i64 > FIRST_WINDOW {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "a message larger than a stream's first window"));
        }
        let headers = [
            (":method", "POST"),
            (":scheme", "http"),
            (":path", path),
            (":authority", &self.host.clone()),
            ("te", "trailers"),
            ("content-type", "application/grpc"),
        ];
        self.write(HEADERS, END_HEADERS, stream, &hpack::encode(&headers))?;
        while self.window < message.len() as i64 {
            let frame = self.read()?;
            self.note(&frame)?;
        }
        self.window -= message.len() as i64;
        let mut parts = message.chunks(MAX_FRAME_BYTES).peekable();
        while let Some(part) = parts.next() {
            let flags = if parts.peek().is_none() { END_STREAM } else { 0 };
            self.write(DATA, flags, stream, part)?;
        }
        Ok(stream)
    }

    /// Waits for the answer of a call. After an error the connection is of no use.
    pub(crate) fn reply(&mut self, stream: u32) -> io::Result<Reply> {
        let mut reply = Reply::default();
        loop {
            let frame = self.read()?;
            if frame.stream != stream || !matches!(frame.kind, DATA | HEADERS) {
                self.note(&frame)?;
                continue;
            }
            if frame.flags & PADDED_OR_PRIORITY != 0 || frame.kind == HEADERS && frame.flags & END_HEADERS == 0 {
                return Err(odd("padding, priorities or headers in parts"));
            }
            if frame.kind == HEADERS {
                if let Some(status) = hpack::find(&frame.payload, "grpc-status")? {
                    reply.grpc_status = Some(status.parse().map_err(|_| odd(&status))?);
                }
            } else if !frame.payload.is_empty() {
                // What came is room for more.
                self.write(WINDOW_UPDATE, 0, 0, &(frame.payload.len() as u32).to_be_bytes())?;
                reply.body.extend_from_slice(&frame.payload);
            }
            if frame.flags & END_STREAM != 0 {
                return Ok(reply);
            }
        }
    }

    /// Takes what belongs to no call.
    fn note(&mut self, frame: &Frame) -> io::Result<()> {
        match (frame.kind, frame.flags & ACK) {
            (SETTINGS, 0) => self.write(SETTINGS, ACK, 0, &[]),
            (PING, 0) => self.write(PING, ACK, 0, &frame.payload),
            (WINDOW_UPDATE, _) if frame.stream == 0 => {
                self.window += i64::from(frame.number()?);
                Ok(())
            }
            (RST_STREAM | GOAWAY, _) => Err(odd("the call or the connection was broken off")),
            _ => Ok(()),
        }
    }

    fn read(&mut self) -> io::Result<Frame> {
        let mut head = [0; 9];
        self.reader.read_exact(&mut head)?;
        let [a, b, c, kind, flags, stream @ ..] = head;
        let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
        self.reader.read_exact(&mut payload)?;
        Ok(Frame { kind, flags, stream: u32::from_be_bytes(stream), payload })
    }

    fn write(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) -> io::Result<()> {
        let mut frame = (payload.len() as u32).to_be_bytes()[1..].to_vec();
        frame.extend_from_slice(&[kind, flags]);
        frame.extend_from_slice(&stream.to_be_bytes());
        frame.extend_from_slice(payload);
        self.reader.get_mut().write_all(&frame)
    }
}
