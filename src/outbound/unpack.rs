//! Bodies while they come: counted, and unpacked if they are gzip (RFC 9110, 8.4.1.3), which is the only coding that is asked for.
//!
//! `deflate`, `br` and `zstd` are not accepted: every API that packs at all has gzip, `deflate` means two formats, and each decoder more is
//! code that foreign bytes reach.

use std::io::{self, Write};

use bytes::{Bytes, BytesMut};
use flate2::write::MultiGzDecoder;
use reqwest::header::{CONTENT_ENCODING, CONTENT_LENGTH, HeaderMap};

use crate::domain::limits::{UNPACKED_BYTES_FREE, UNPACKED_RATIO_MAX};

/// What `Accept-Encoding` says.
pub(super) const ACCEPTED: &str = "gzip";

/// Why a body cannot be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// It does not fit under the cap.
    TooLarge,
    /// It grows out of all proportion.
    Bomb,
    /// It is in a coding that was not asked for, or is not what it says it is.
    Packed,
}

/// A body on its way in.
pub(super) enum Body {
    Plain { cap: usize, first: Bytes, more: BytesMut },
    Gzip(Box<MultiGzDecoder<Unpacked>>),
}

impl Body {
    /// A body with this head, of at most `cap` bytes when it is unpacked. The fields that speak of the packed body are taken out.
    pub fn of(headers: &mut HeaderMap, cap: usize) -> Result<Self, Unreadable> {
        let plain = Self::Plain { cap, first: Bytes::new(), more: BytesMut::new() };
        let mut codings = headers.get_all(CONTENT_ENCODING).iter();
        let coding = match (codings.next(), codings.next()) {
            (None, _) => return Ok(plain),
            (Some(coding), None) => coding.to_str().unwrap_or_default().trim().to_ascii_lowercase(),
            (Some(_), Some(_)) => return Err(Unreadable::Packed),
        };
        match coding.as_str() {
            "" | "identity" => Ok(plain),
            "gzip" | "x-gzip" => {
                headers.remove(CONTENT_ENCODING);
                headers.remove(CONTENT_LENGTH);
                let unpacked = Unpacked { bytes: Vec::new(), cap, received: 0, over: None };
                Ok(Self::Gzip(Box::new(MultiGzDecoder::new(unpacked))))
            }
            _ => Err(Unreadable::Packed),
        }
    }

    pub fn take(&mut self, chunk: Bytes) -> Result<(), Unreadable> {
        match self {
            Self::Plain { cap, first, more } => {
                if chunk.len() > *cap - first.len() - more.len() {
                    return Err(Unreadable::TooLarge);
                }
                // Most bodies come in one piece, which is not copied.
                if first.is_empty() && more.is_empty() {
                    *first = chunk;
                } else {
                    more.extend_from_slice(&std::mem::take(first));
                    more.extend_from_slice(&chunk);
                }
                Ok(())
            }
            Self::Gzip(decoder) => {
                decoder.get_mut().received += chunk.len();
                let unpacked = decoder.write_all(&chunk);
                unpacked.map_err(|_| decoder.get_ref().over.unwrap_or(Unreadable::Packed))
            }
        }
    }

    /// The whole body, after its last piece.
    pub fn whole(self) -> Result<Bytes, Unreadable> {
        match self {
            Self::Plain { first, more, .. } => Ok(if more.is_empty() { first } else { more.freeze() }),
            // An answer to HEAD, and one without content, may say how it would have been packed.
            Self::Gzip(decoder) if decoder.get_ref().received == 0 => Ok(Bytes::new()),
            Self::Gzip(mut decoder) => match decoder.try_finish() {
                Ok(()) => Ok(std::mem::take(&mut decoder.get_mut().bytes).into()),
                Err(_) => Err(decoder.get_ref().over.unwrap_or(Unreadable::Packed)),
            },
        }
    }
}

/// What came out of the decoder; it refuses what is too much before it takes memory for it.
pub(super) struct Unpacked {
    bytes: Vec<u8>,
    cap: usize,
    /// Packed bytes so far.
    received: usize,
    over: Option<Unreadable>,
}

impl Write for Unpacked {
    fn write(&mut self, more: &[u8]) -> io::Result<usize> {
        let size = self.bytes.len() + more.len();
        if size > self.cap {
            self.over = Some(Unreadable::TooLarge);
        } else if size > UNPACKED_BYTES_FREE && size / UNPACKED_RATIO_MAX > self.received {
            self.over = Some(Unreadable::Bomb);
        }
        if self.over.is_some() {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(more);
        Ok(more.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use flate2::{Compression, write::GzEncoder};

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// Reads a body that comes in pieces of this size.
    fn read(coding: &[&str], packed: &[u8], cap: usize, piece: usize) -> Result<Bytes, Unreadable> {
        let mut headers = HeaderMap::new();
        for coding in coding {
            headers.append(CONTENT_ENCODING, coding.parse().unwrap());
        }
        let mut body = Body::of(&mut headers, cap)?;
        for chunk in packed.chunks(piece) {
            body.take(Bytes::copy_from_slice(chunk))?;
        }
        body.whole()
    }

    #[test]
    fn gzip_is_unpacked_and_other_codings_are_not_guessed_at() {
        let packed = gzip(b"[1,2,3]");
        for piece in [1, 7, 1000] {
            assert_eq!(read(&["gzip"], &packed, 7, piece), Ok(Bytes::from_static(b"[1,2,3]")));
        }
        assert_eq!(read(&["X-GZIP"], &[packed.clone(), packed.clone()].concat(), 14, 5).unwrap().len(), 14, "several members");
        for coding in [&["br"][..], &["zstd"], &["deflate"], &["gzip, gzip"], &["gzip", "br"]] {
            assert_eq!(read(coding, &packed, 100, 100), Err(Unreadable::Packed), "{coding:?}");
        }
        assert_eq!(read(&["identity"], b"abc", 3, 1), Ok(Bytes::from_static(b"abc")));
        assert_eq!(read(&["gzip"], b"", 3, 1), Ok(Bytes::new()), "an answer without a body");
    }

    #[test]
    fn half_a_packed_body_and_garbage_are_no_body() {
        let packed = gzip(&[7; 1000]);
        assert_eq!(read(&["gzip"], &packed[..packed.len() - 3], 1000, 9), Err(Unreadable::Packed));
        assert_eq!(read(&["gzip"], b"not packed at all", 1000, 9), Err(Unreadable::Packed));
    }

    #[test]
    fn what_grows_too_much_is_stopped_before_it_is_held() {
        assert_eq!(read(&["gzip"], &gzip(&[0; 1001]), 1000, 100), Err(Unreadable::TooLarge));
        assert_eq!(read(&[], &[0; 1001], 1000, 100), Err(Unreadable::TooLarge));
        let bomb = gzip(&vec![0; 8 * UNPACKED_BYTES_FREE]);
        let mut body =
            Body::of(&mut HeaderMap::from_iter([(CONTENT_ENCODING, "gzip".parse().unwrap())]), 64 * UNPACKED_BYTES_FREE).unwrap();
        assert_eq!(body.take(Bytes::from(bomb)), Err(Unreadable::Bomb));
        let Body::Gzip(decoder) = body else { panic!("gzip") };
        assert!(decoder.get_ref().bytes.len() <= UNPACKED_BYTES_FREE, "{}", decoder.get_ref().bytes.len());
        assert_eq!(
            read(&["gzip"], &gzip(&vec![0; UNPACKED_BYTES_FREE]), 64 * UNPACKED_BYTES_FREE, 1000).unwrap().len(),
            UNPACKED_BYTES_FREE
        );
    }
}
