//! Quoted text with the escapes of Go.
//!
//! Source: <https://go.dev/ref/spec#Rune_literals>, <https://prometheus.io/docs/prometheus/latest/querying/basics/#string-literals>

/// Why a text is not read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It begins with no quote.
    NoQuote,
    /// It does not end with the one it begins with.
    NoEnd,
    /// A backslash with what follows it says nothing.
    Escape,
}

/// Appends what the quoted text at the start of `text` says to `out`; gives how many bytes it is, quotes included.
pub(super) fn resolve(text: &str, out: &mut String) -> Result<usize, Fault> {
    let bytes = text.as_bytes();
    let quote = match bytes.first() {
        Some(quote @ (b'"' | b'\'' | b'`')) => *quote,
        _ => return Err(Fault::NoQuote),
    };
    if quote == b'`' {
        let end = 1 + memchr::memchr(b'`', &bytes[1..]).ok_or(Fault::NoEnd)?;
        out.push_str(&text[1..end]);
        return Ok(end + 1);
    }
    let mut at = 1;
    // Bytes that escapes say, until they make characters.
    let mut escaped = Vec::new();
    loop {
        let found = at + memchr::memchr2(quote, b'\\', &bytes[at..]).ok_or(Fault::NoEnd)?;
        if found > at {
            flush(&mut escaped, out);
            out.push_str(&text[at..found]);
        }
        if bytes[found] == quote {
            flush(&mut escaped, out);
            return Ok(found + 1);
        }
        at = found + 1 + escape(&text[found + 1..], quote, &mut escaped)?;
    }
}

fn flush(escaped: &mut Vec<u8>, out: &mut String) {
    if !escaped.is_empty() {
        out.push_str(&String::from_utf8_lossy(escaped));
        escaped.clear();
    }
}

/// Appends the bytes of the escape whose backslash stands before `text`; gives how many bytes of `text` it takes.
fn escape(text: &str, quote: u8, out: &mut Vec<u8>) -> Result<usize, Fault> {
    let first = *text.as_bytes().first().ok_or(Fault::NoEnd)?;
    let plain = match first {
        b'a' => 7,
        b'b' => 8,
        b't' => b'\t',
        b'n' => b'\n',
        b'v' => 11,
        b'f' => 12,
        b'r' => b'\r',
        b'\\' => b'\\',
        byte if byte == quote => byte,
        b'x' => {
            out.push(u8::try_from(digits(text, 1, 2, 16)?).map_err(|_| Fault::Escape)?);
            return Ok(3);
        }
        b'0'..=b'7' => {
            out.push(u8::try_from(digits(text, 0, 3, 8)?).map_err(|_| Fault::Escape)?);
            return Ok(3);
        }
        b'u' | b'U' => {
            let len = if first == b'u' { 4 } else { 8 };
            let c = char::from_u32(digits(text, 1, len, 16)?).ok_or(Fault::Escape)?;
            out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            return Ok(1 + len);
        }
        _ => return Err(Fault::Escape),
    };
    out.push(plain);
    Ok(1)
}

fn digits(text: &str, start: usize, len: usize, radix: u32) -> Result<u32, Fault> {
    let digits = text.as_bytes().get(start..start + len).ok_or(Fault::Escape)?;
    let number = digits.iter().try_fold(0u64, |number, digit| {
        Some(number * u64::from(radix) + u64::from(char::from(*digit).to_digit(radix)?))
    });
    number.and_then(|number| u32::try_from(number).ok()).ok_or(Fault::Escape)
}
