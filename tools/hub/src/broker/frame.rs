//! MQTT packets as they stand in a stream: a byte of kind and flags, the length of
//! the rest in one to four bytes, the rest (MQTT v5 §2.1).

use std::io;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt as _};

use super::MAX_PACKET;

/// Reads packets, one at a time.
pub(super) struct Frames<R> {
    reader: R,
    buffer: BytesMut,
}

impl<R: AsyncRead + Unpin> Frames<R> {
    pub(super) fn new(reader: R) -> Self {
        Frames { reader, buffer: BytesMut::with_capacity(4096) }
    }

    /// The next packet; `None` at the stream's end. It may be dropped and called
    /// again between two packets and within one.
    pub(super) async fn next(&mut self) -> io::Result<Option<BytesMut>> {
        loop {
            if let Some(length) = whole(&self.buffer)? {
                return Ok(Some(self.buffer.split_to(length)));
            }
            if self.reader.read_buf(&mut self.buffer).await? == 0 {
                return Ok(None);
            }
        }
    }
}

/// The length of the packet at the beginning, once all of it is there.
fn whole(bytes: &[u8]) -> io::Result<Option<usize>> {
    let mut rest = 0;
    for at in 1..=4 {
        let Some(byte) = bytes.get(at) else { return Ok(None) };
        rest |= usize::from(byte & 0x7F) << (7 * (at - 1));
        if byte & 0x80 == 0 {
            if rest > MAX_PACKET {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "a packet is too long"));
            }
            let length = 1 + at + rest;
            return Ok((bytes.len() >= length).then_some(length));
        }
    }
    Err(io::Error::new(io::ErrorKind::InvalidData, "a packet's length has no end"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn packets_are_cut_where_they_end_and_nonsense_ends_the_stream() {
        let long = [&[0x30, 0xC8, 0x01][..], &[7; 200]].concat();
        let stream = [&[0xC0, 0][..], &long, &[0x30, 2, 1]].concat();
        let mut frames = Frames::new(&stream[..]);
        assert_eq!(frames.next().await.unwrap().unwrap()[..], [0xC0, 0]);
        assert_eq!(frames.next().await.unwrap().unwrap()[..], long[..]);
        // The last one is cut off.
        assert!(frames.next().await.unwrap().is_none());

        assert!(Frames::new(&[0x30, 0xFF, 0xFF, 0xFF, 0xFF][..]).next().await.is_err());
        assert!(Frames::new(&[0x30, 0xFF, 0xFF, 0x7F][..]).next().await.is_err());
    }
}
