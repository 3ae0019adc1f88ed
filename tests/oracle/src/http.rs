//! The least HTTP client that can post and read a status.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// The server is killed, not slow: who waits this long has met a hang, which the log shows as lost.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A connection that is kept open.
#[derive(Debug)]
pub(crate) struct Connection {
    reader: BufReader<TcpStream>,
    host: String,
}

impl Connection {
    /// Connects to `host:port`.
    pub(crate) fn open(address: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.set_write_timeout(Some(TIMEOUT))?;
        Ok(Connection { reader: BufReader::new(stream), host: address.to_owned() })
    }

    /// Posts a remote-write body and returns the status. After an error the connection is of no use.
    pub(crate) fn post(&mut self, path: &str, body: &[u8]) -> io::Result<u16> {
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/x-protobuf\r\ncontent-encoding: snappy\r\n\
             x-prometheus-remote-write-version: 0.1.0\r\ncontent-length: {}\r\n\r\n",
            self.host,
            body.len()
        );
        let stream = self.reader.get_mut();
        stream.write_all(head.as_bytes())?;
        stream.write_all(body)?;
        let (status, length) = self.head()?;
        io::copy(&mut (&mut self.reader).take(length), &mut io::sink())?;
        Ok(status)
    }

    /// Reads status line and headers; returns the status and the length of the body.
    fn head(&mut self) -> io::Result<(u16, u64)> {
        let odd = |line: &str| io::Error::new(io::ErrorKind::InvalidData, format!("odd answer: {line:?}"));
        let line = self.line()?;
        let status = line.split(' ').nth(1).and_then(|s| s.parse().ok()).ok_or_else(|| odd(&line))?;
        let mut length = 0;
        loop {
            let line = self.line()?.to_ascii_lowercase();
            if line.is_empty() {
                return Ok((status, length));
            }
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().map_err(|_| odd(&line))?;
            }
            if line.starts_with("transfer-encoding:") {
                return Err(odd(&line));
            }
        }
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.reader.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(line.trim_end().to_owned())
    }
}
