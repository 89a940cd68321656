//! A reply that is read while it comes: its head is there, its body follows piece by piece, each within a limit and all within the deadline.

use std::time::Duration;

use bytes::Bytes;
use reqwest::{Response, header::CONTENT_ENCODING};
use tokio::time::{Instant, timeout_at};
use tracing::debug;

use super::{
    Headers, Reply, SendError, cause,
    unpack::{Body, Unreadable},
};

/// A reply whose body is still coming. Dropping it drops the connection.
#[derive(Debug)]
pub struct Incoming {
    pub status: u16,
    response: Response,
    end: Instant,
    cap: usize,
    taken: usize,
}

impl Incoming {
    pub(super) fn new(response: Response, end: Instant, cap: usize) -> Result<Self, SendError> {
        let incoming = Self { status: response.status().as_u16(), response, end, cap, taken: 0 };
        if incoming.response.content_length().is_some_and(|promised| promised > cap as u64) {
            return Err(incoming.unreadable(Unreadable::TooLarge));
        }
        Ok(incoming)
    }

    /// The next piece, which must come within `patience`; none: the body is at its end. A packed body has no pieces that could be read.
    ///
    /// # Errors
    /// Why there is no next piece; there will be none after it either.
    pub async fn piece(&mut self, patience: Duration) -> Result<Option<Bytes>, SendError> {
        let packed = self.response.headers().get_all(CONTENT_ENCODING).iter().any(|coding| coding != "identity" && !coding.is_empty());
        if packed {
            return Err(self.unreadable(Unreadable::Packed));
        }
        let end = self.end.min(Instant::now() + patience);
        let piece = timeout_at(end, self.response.chunk()).await;
        let piece = piece.map_err(|_| self.late())?.map_err(|error| self.broken(&error))?;
        self.taken += piece.as_ref().map_or(0, Bytes::len);
        if self.taken > self.cap {
            return Err(self.unreadable(Unreadable::TooLarge));
        }
        Ok(piece)
    }

    /// The whole reply, unpacked.
    ///
    /// # Errors
    /// Why it cannot be had whole.
    pub async fn whole(mut self) -> Result<Reply, SendError> {
        let mut body = Body::of(self.response.headers_mut(), self.cap).map_err(|why| self.unreadable(why))?;
        loop {
            let chunk = timeout_at(self.end, self.response.chunk()).await;
            match chunk.map_err(|_| self.late())?.map_err(|error| self.broken(&error))? {
                Some(chunk) => body.take(chunk).map_err(|why| self.unreadable(why))?,
                None => break,
            }
        }
        let body = body.whole().map_err(|why| self.unreadable(why))?;
        Ok(Reply { status: self.status, headers: Headers::from_map(std::mem::take(self.response.headers_mut())), body })
    }

    fn late(&self) -> SendError {
        SendError::TimedOut { status: Some(self.status) }
    }

    fn broken(&self, error: &reqwest::Error) -> SendError {
        debug!(cause = cause(error), "a reply broke off");
        SendError::Broken { status: Some(self.status) }
    }

    fn unreadable(&self, why: Unreadable) -> SendError {
        match why {
            Unreadable::TooLarge => SendError::TooLarge { status: self.status, cap: self.cap },
            Unreadable::Bomb => SendError::Bomb { status: self.status },
            Unreadable::Packed => SendError::Packed { status: self.status },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            Outbound, Sending, Url,
            scripted::{Act, Scripted},
        },
        *,
    };

    const CAP: usize = 1000;
    const SOON: Duration = Duration::from_millis(100);

    async fn opened(act: Act) -> Incoming {
        let server = Scripted::start([act]).await;
        let sending = Sending {
            method: "GET".to_owned(),
            url: Url::parse(&server.url).unwrap(),
            headers: Headers::default(),
            body: None,
            deadline: Duration::from_secs(1),
            reply_bytes_max: CAP,
        };
        let outbound = Outbound::new(SOON, SOON).unwrap();
        outbound.named_by_operator(&sending.url);
        let incoming = outbound.open(sending).await.unwrap();
        assert_eq!(server.requests()[0].header("accept-encoding"), Some("identity"));
        incoming
    }

    #[tokio::test]
    async fn pieces_come_until_the_body_ends() {
        let mut incoming = opened(Act::reply(200, "", b"abc")).await;
        assert_eq!(incoming.piece(SOON).await, Ok(Some(Bytes::from_static(b"abc"))));
        assert_eq!(incoming.piece(SOON).await, Ok(None));
        let whole = opened(Act::reply(418, "x-a: b\r\n", b"abc")).await.whole().await.unwrap();
        assert_eq!((whole.status, &whole.body[..], whole.headers.get("x-a")), (418, &b"abc"[..], Some("b")));
    }

    #[tokio::test]
    async fn a_piece_that_does_not_come_is_not_waited_for() {
        let mut incoming = opened(Act::WriteAndHang(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\na".to_vec())).await;
        assert_eq!(incoming.piece(SOON).await, Ok(Some(Bytes::from_static(b"a"))));
        let began = Instant::now();
        assert_eq!(incoming.piece(SOON).await, Err(SendError::TimedOut { status: Some(200) }));
        assert!(began.elapsed() < SOON * 5, "{:?}", began.elapsed());
    }

    #[tokio::test]
    async fn too_much_packed_and_broken_off_are_told_apart() {
        let flood = b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n".to_vec();
        let mut incoming = opened(Act::WriteAndFlood(flood)).await;
        let over = loop {
            match incoming.piece(SOON).await {
                Ok(piece) => assert!(piece.is_some()),
                Err(over) => break over,
            }
        };
        assert_eq!(over, SendError::TooLarge { status: 200, cap: CAP });
        let mut packed = opened(Act::reply(200, "content-encoding: br\r\n", b"abc")).await;
        assert_eq!(packed.piece(SOON).await, Err(SendError::Packed { status: 200 }));
        let mut half = opened(Act::WriteAndClose(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n".to_vec())).await;
        assert_eq!(half.piece(SOON).await, Err(SendError::Broken { status: Some(200) }));
    }
}
