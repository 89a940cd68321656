//! Where requests begin and end on a connection, judged more strictly than the parser behind does, so that nobody in front can see other
//! borders than we do (request smuggling; RFC 9112, 2.2, 5, 6.1 and 6.3).
//!
//! The parser takes a bare LF for the end of a line, both lengths of a body at once, a length that is said twice, and any coding before
//! `chunked`, and an LF inside a line that begins a chunk. Here the line that does so loses its end, and every byte behind it is a NUL, which
//! no head and no chunk's line may have: the parser refuses the request, closes the connection, and never sees what comes behind.

/// What of a line is kept to be looked at, in bytes; the fields that decide are shorter.
const LINE_KEPT_MAX: usize = 128;

/// How far a connection's bytes have been followed.
#[derive(Debug)]
pub(super) struct Framing {
    at: At,
    /// The line that is being read, without its end, as far as it is kept.
    line: Vec<u8>,
    /// Bytes of that line, kept or not.
    line_bytes: usize,
    /// Whether the newest byte is a CR.
    after_cr: bool,
    /// What the head says of the body's length so far.
    length: Option<Length>,
    /// Requests whose last byte has come.
    complete: u64,
    /// Whether nothing at all has come since the last of them, or ever.
    untouched: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// In the request line, or in empty lines before it.
    RequestLine,
    Field,
    /// In a body of so many bytes more.
    Body(u64),
    /// In the line that says a chunk's size.
    ChunkSize,
    /// In a chunk of so many bytes more, the CRLF behind it included.
    Chunk(u64),
    Trailer,
    /// The parser refuses what came: the connection ends.
    Over,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Length {
    Bytes(u64),
    Chunked,
}

/// A line that is not to be taken.
struct Refused;

impl Framing {
    pub fn new() -> Self {
        Self { at: At::RequestLine, line: Vec::new(), line_bytes: 0, after_cr: false, length: None, complete: 0, untouched: true }
    }

    /// How many requests have come whole, if what has come ends with the last of them: not one byte more, no empty line either.
    pub fn whole(&self) -> Option<u64> {
        self.untouched.then_some(self.complete)
    }

    /// Follows what was read; what may not be taken is spoilt.
    pub fn follow(&mut self, mut bytes: &mut [u8]) {
        while !bytes.is_empty() {
            self.untouched = false;
            let taken = match self.at {
                At::Over => {
                    bytes.fill(0);
                    return;
                }
                At::Body(left) => self.skip(left, bytes.len(), At::Body, Self::request_over),
                At::Chunk(left) => self.skip(left, bytes.len(), At::Chunk, |_| At::ChunkSize),
                At::RequestLine | At::Field | At::ChunkSize | At::Trailer => self.read_line(bytes),
            };
            bytes = bytes.get_mut(taken..).unwrap_or_default();
        }
    }

    fn skip(&mut self, left: u64, there: usize, more: fn(u64) -> At, then: fn(&mut Self) -> At) -> usize {
        let taken = usize::try_from(left).map_or(there, |left| left.min(there));
        let left = left.saturating_sub(taken as u64);
        self.at = if left == 0 { then(self) } else { more(left) };
        taken
    }

    /// The last byte of a request was taken.
    fn request_over(&mut self) -> At {
        self.complete += 1;
        self.untouched = true;
        At::RequestLine
    }

    /// Reads to the end of the line or of the bytes, and returns how many were taken.
    fn read_line(&mut self, bytes: &mut [u8]) -> usize {
        let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else {
            self.keep(bytes);
            return bytes.len();
        };
        let (line, rest) = bytes.split_at_mut(end);
        self.keep(line);
        let ended = if self.after_cr { self.line_over() } else { Err(Refused) };
        if ended.is_err() {
            // In a chunk's line and in a trailer the parser passes everything but CR over, and wants LF behind that.
            let spoilt = if matches!(self.at, At::ChunkSize | At::Trailer) { b'\r' } else { 0 };
            rest.iter_mut().take(1).for_each(|lf| *lf = spoilt);
            self.at = At::Over;
        }
        self.line.clear();
        (self.line_bytes, self.after_cr) = (0, false);
        end + 1
    }

    fn keep(&mut self, part: &[u8]) {
        self.line_bytes = self.line_bytes.saturating_add(part.len());
        let room = LINE_KEPT_MAX.saturating_sub(self.line.len());
        self.line.extend_from_slice(part.get(..room).unwrap_or(part));
        if let Some(last) = part.last() {
            self.after_cr = *last == b'\r';
        }
    }

    fn line_over(&mut self) -> Result<(), Refused> {
        let empty = self.line_bytes <= 1;
        self.at = match self.at {
            // The parser passes empty lines before a request over (RFC 9112, 2.2).
            At::RequestLine if empty => At::RequestLine,
            At::RequestLine => At::Field,
            At::Field if empty => match self.length.take() {
                None | Some(Length::Bytes(0)) => self.request_over(),
                Some(Length::Bytes(bytes)) => At::Body(bytes),
                Some(Length::Chunked) => At::ChunkSize,
            },
            At::Field => {
                self.length = self.length_after_field()?;
                At::Field
            }
            At::ChunkSize => match self.chunk_size() {
                Some(0) => At::Trailer,
                Some(bytes) => At::Chunk(bytes.saturating_add(2)),
                None => return Err(Refused),
            },
            At::Trailer if empty => self.request_over(),
            other @ (At::Trailer | At::Body(_) | At::Chunk(_) | At::Over) => other,
        };
        Ok(())
    }

    /// The body's length after the field of this line.
    fn length_after_field(&self) -> Result<Option<Length>, Refused> {
        let Some(colon) = self.line.iter().position(|byte| *byte == b':') else { return Ok(self.length) };
        let (name, value) = self.line.split_at(colon);
        let says = |field: &str| name.eq_ignore_ascii_case(field.as_bytes());
        let (bytes, coded) = (says("content-length"), says("transfer-encoding"));
        if !bytes && !coded {
            return Ok(self.length);
        }
        if self.length.is_some() || self.line_bytes > LINE_KEPT_MAX {
            return Err(Refused);
        }
        let value = value.get(1..).unwrap_or_default().trim_ascii();
        if coded {
            return if value.eq_ignore_ascii_case(b"chunked") { Ok(Some(Length::Chunked)) } else { Err(Refused) };
        }
        let digits = std::str::from_utf8(value).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
        digits.and_then(|digits| digits.parse().ok()).map(|bytes| Some(Length::Bytes(bytes))).ok_or(Refused)
    }

    /// The size of the chunk that this line begins; none if it says none.
    fn chunk_size(&self) -> Option<u64> {
        let digits = self.line.iter().position(|byte| !byte.is_ascii_hexdigit()).unwrap_or(self.line.len());
        let digits = self.line.get(..digits).and_then(|digits| std::str::from_utf8(digits).ok())?;
        u64::from_str_radix(digits, 16).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the parser gets to see, whether the bytes come at once or one after the other.
    fn seen(text: &str) -> String {
        let mut at_once = text.as_bytes().to_vec();
        Framing::new().follow(&mut at_once);
        let (mut framing, mut one_by_one) = (Framing::new(), text.as_bytes().to_vec());
        one_by_one.chunks_mut(1).for_each(|byte| framing.follow(byte));
        assert_eq!(one_by_one, at_once, "{text:?}");
        String::from_utf8(at_once).unwrap()
    }

    #[test]
    fn requests_of_every_length_are_passed_as_they_are() {
        for text in [
            "GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\n\r\n",
            "\r\n\r\nPOST / HTTP/1.1\r\ncontent-length: 3\r\n\r\na\nbGET / HTTP/1.1\r\nContent-Length:0\r\n\r\nGET / HTTP/1.1\r\n\r\n",
            "POST / HTTP/1.1\r\nTransfer-Encoding:\t Chunked \r\n\r\n2;x=\"y\"\r\n\n\n\r\n0\r\nA: b\r\n\r\nGET / HTTP/1.1\r\nA: b\r\n\r\n",
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nA\r\n0123\n56789\r\n000\r\n\r\nGET / HTTP/1.1\r\n\r\n",
        ] {
            assert_eq!(seen(text), text);
        }
    }

    #[test]
    fn what_has_come_is_whole_behind_the_last_byte_of_a_request_only() {
        let requests = [
            "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
            "\r\nPOST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\na\nb",
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n\n\n\r\n0\r\nA: b\r\n\r\n",
        ];
        let mut framing = Framing::new();
        assert_eq!(framing.whole(), Some(0));
        for (request, complete) in requests.iter().zip(1..) {
            let (last, before) = request.as_bytes().split_last().unwrap();
            for byte in before {
                framing.follow(&mut [*byte]);
                assert_eq!(framing.whole(), None, "{request:?}");
            }
            framing.follow(&mut [*last]);
            assert_eq!(framing.whole(), Some(complete), "{request:?}");
        }
        // Nor behind several that come at once with the beginning of the next, nor where the parser refuses what came.
        let mut framing = Framing::new();
        framing.follow(&mut requests.concat().into_bytes());
        assert_eq!(framing.whole(), Some(4));
        framing.follow(&mut b"\r\n".to_vec());
        assert_eq!(framing.whole(), None);
        framing.follow(&mut b"GET / HTTP/1.1\n\r\n\r\n".to_vec());
        assert_eq!(framing.whole(), None);
    }

    #[test]
    fn a_line_that_may_not_be_taken_loses_its_end() {
        for (text, kept) in [
            ("GET / HTTP/1.1\n", "GET / HTTP/1.1"),
            ("\nGET /", ""),
            ("GET / HTTP/1.1\r\nA: b\nC: d\r\n\r\n", "GET / HTTP/1.1\r\nA: b"),
            ("P / H\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n", "P / H\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r"),
            ("P / H\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n", "P / H\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r"),
            ("P / H\r\nContent-Length: 1\r\nContent-Length: 1\r\n", "P / H\r\nContent-Length: 1\r\nContent-Length: 1\r"),
            ("P / H\r\nContent-Length: 1, 1\r\n", "P / H\r\nContent-Length: 1, 1\r"),
            ("P / H\r\nContent-Length: +1\r\n", "P / H\r\nContent-Length: +1\r"),
            ("P / H\r\nTransfer-Encoding: gzip, chunked\r\n", "P / H\r\nTransfer-Encoding: gzip, chunked\r"),
            ("P / H\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", "P / H\r\nTransfer-Encoding: chunked\r\n\r\nx\r\r"),
            ("P / H\r\nTransfer-Encoding: chunked\r\n\r\n1;a\n\n", "P / H\r\nTransfer-Encoding: chunked\r\n\r\n1;a\r"),
            ("P / H\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: b\n\r\n", "P / H\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: b\r"),
            // Behind a body of one byte a new head has begun.
            ("P / H\r\nContent-Length: 1\r\n\r\n\nGET / H\n", "P / H\r\nContent-Length: 1\r\n\r\n\nGET / H"),
        ] {
            let seen = seen(text);
            let spoilt = seen.strip_prefix(kept).unwrap_or_else(|| panic!("{text:?} is seen as {seen:?}"));
            assert!(spoilt.bytes().all(|byte| byte == 0) && seen != text, "{text:?} is seen as {seen:?}");
        }
        let far = format!("P / H\r\nContent-Length:{}1\r\n", " ".repeat(LINE_KEPT_MAX));
        assert!(seen(&far).ends_with("1\r\0"));
    }
}
