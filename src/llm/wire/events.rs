//! Server-sent events as a stream of bytes brings them (WHATWG HTML, 9.2.6), cut anywhere: in the middle of a line end or of a character.

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::llm) struct Event {
    /// What `event:` calls it; mostly nothing.
    pub(in crate::llm) name: Vec<u8>,
    /// The lines of `data:`, with line feeds between them.
    pub(in crate::llm) data: Vec<u8>,
}

/// Reads events while bytes come. What it holds is bounded by what it is given.
#[derive(Debug, Default)]
pub(in crate::llm) struct Events {
    /// The line that has not ended yet.
    line: Vec<u8>,
    /// Whether the last byte was a carriage return, which a line feed may belong to.
    after_return: bool,
    begun: bool,
    name: Vec<u8>,
    data: Option<Vec<u8>>,
}

impl Events {
    /// Takes the next bytes; the events that ended in them.
    pub(in crate::llm) fn take(&mut self, mut bytes: &[u8]) -> Vec<Event> {
        let mut events = Vec::new();
        while let Some(at) = bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
            let (line, rest) = bytes.split_at(at);
            let (end, rest) = rest.split_first().unwrap_or((&b'\n', &[]));
            bytes = rest;
            if *end == b'\n' && self.after_return && line.is_empty() {
                self.after_return = false;
                continue;
            }
            self.after_return = *end == b'\r';
            self.line.extend_from_slice(line);
            events.extend(self.end_of_line());
        }
        if !bytes.is_empty() {
            self.after_return = false;
            self.line.extend_from_slice(bytes);
        }
        events
    }

    /// What stands at the end without the empty line that would have ended it: some servers close right behind their last word.
    pub(in crate::llm) fn rest(mut self) -> Option<Event> {
        let ended = self.end_of_line();
        ended.or_else(|| self.dispatch())
    }

    /// Whether nothing but line ends has come.
    pub(in crate::llm) fn is_untouched(&self) -> bool {
        self.line.is_empty() && self.data.is_none() && self.name.is_empty()
    }

    fn end_of_line(&mut self) -> Option<Event> {
        let line = std::mem::take(&mut self.line);
        let line = if std::mem::replace(&mut self.begun, true) { &line[..] } else { line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&line) };
        if line.is_empty() {
            return self.dispatch();
        }
        let (field, value) = match line.iter().position(|byte| *byte == b':') {
            // A comment: it only keeps the connection alive.
            Some(0) => return None,
            Some(colon) => line.split_at(colon),
            None => (line, &b""[..]),
        };
        let value = value.strip_prefix(b":").unwrap_or(value);
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match field {
            b"data" => match &mut self.data {
                Some(data) => {
                    data.push(b'\n');
                    data.extend_from_slice(value);
                }
                None => self.data = Some(value.to_vec()),
            },
            b"event" => self.name = value.to_vec(),
            _ => {}
        }
        None
    }

    fn dispatch(&mut self) -> Option<Event> {
        let name = std::mem::take(&mut self.name);
        self.data.take().map(|data| Event { name, data })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The data of all events, with the stream cut into pieces of this size.
    fn read(stream: &[u8], piece: usize) -> Vec<String> {
        let mut events = Events::default();
        let mut all: Vec<Event> = stream.chunks(piece).flat_map(|bytes| events.take(bytes)).collect();
        all.extend(events.rest());
        all.into_iter().map(|event| String::from_utf8(event.data).unwrap()).collect()
    }

    #[test]
    fn events_are_the_same_wherever_the_stream_is_cut() {
        let stream = ": hello\n\ndata: {\"a\":\"你好\"}\n\nevent: x\nid: 7\ndata:b\ndata: c\n\n:ping\r\n\r\ndata: d\r\n\r\ndata: e\r\rdata\n\nretry: 9\n\ndata: [DONE]";
        let expected = ["{\"a\":\"你好\"}", "b\nc", "d", "e", "", "[DONE]"];
        for piece in 1..stream.len() {
            assert_eq!(read(stream.as_bytes(), piece), expected, "{piece}");
        }
    }

    #[test]
    fn a_mark_of_byte_order_comes_first_or_not_at_all() {
        assert_eq!(read("\u{feff}data: a\n\n".as_bytes(), 2), ["a"]);
        assert_eq!(read("data: a\n\n\u{feff}data: b\n\n".as_bytes(), 100), ["a"], "in the middle it is part of a field nobody knows");
    }

    #[test]
    fn the_name_of_an_event_is_its_own() {
        let mut events = Events::default();
        let read = events.take(b"event: error\ndata: a\n\ndata: b\n\n");
        let names: Vec<&[u8]> = read.iter().map(|event| &event.name[..]).collect();
        assert_eq!(names, [&b"error"[..], b""]);
    }

    #[test]
    fn what_is_no_event_stream_has_no_events() {
        for stream in [&b""[..], b"<html>\n\n<body>", b"{\"choices\": []}", b"\0\0\0", b"\n\n\n"] {
            assert_eq!(read(stream, 3), [""; 0], "{stream:?}");
        }
    }
}
