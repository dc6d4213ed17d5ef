use std::convert::Infallible;

use minicbor::decode::{self, Decoder};
use minicbor::encode::{self, Encoder, Write};

/// A BLAKE3 hash of 32 bytes: an object's name. It covers an object's bytes
/// before packing, so that another compression leaves the name as it is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hash([u8; 32]);

impl Hash {
    /// The hash of some bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Hash(*blake3::hash(bytes).as_bytes())
    }

    /// A hash that was computed elsewhere.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Hash(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The first eight bytes: what messages call it by.
    pub fn short(&self) -> ShortHash {
        ShortHash(self.leading().to_be_bytes())
    }

    /// The lowest hash that begins with `short`.
    pub(crate) fn first_of(short: ShortHash) -> Self {
        let mut bytes = [0; 32];
        bytes.iter_mut().zip(short.0).for_each(|(slot, byte)| *slot = byte);
        Hash(bytes)
    }

    /// The first eight bytes as a number, evenly spread: what content-defined
    /// cutting asks of a hash.
    pub(crate) fn leading(&self) -> u64 {
        let mut first = [0; 8];
        first.iter_mut().zip(&self.0).for_each(|(slot, byte)| *slot = *byte);
        u64::from_be_bytes(first)
    }
}

/// The first eight bytes of a hash. It routes and looks up; what it found is
/// then checked with the whole hash, so another thing of the same first bytes
/// costs a fetch and is not taken.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ShortHash(pub [u8; 8]);

impl ShortHash {
    /// Reads the sixteen hexadecimal digits that `Display` writes.
    pub fn parse(text: &str) -> Option<Self> {
        let lower = text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        let value = (text.len() == 16 && lower).then(|| u64::from_str_radix(text, 16).ok())??;
        Some(ShortHash(value.to_be_bytes()))
    }
}

impl std::fmt::Display for ShortHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl std::fmt::Debug for ShortHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}…")
    }
}

impl std::fmt::Display for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl std::fmt::Debug for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Hash({self})")
    }
}

impl<C> minicbor::Encode<C> for Hash {
    fn encode<W: Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        e.bytes(&self.0)?.ok()
    }
}

impl<'b, C> minicbor::Decode<'b, C> for Hash {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        let bytes = d.bytes()?;
        let bytes = bytes.try_into().map_err(|_| decode::Error::message("a hash has 32 bytes"))?;
        Ok(Hash(bytes))
    }
}

/// CBOR of a value of this crate.
pub(crate) fn to_cbor<T: minicbor::Encode<()>>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::new();
    let written: Result<(), encode::Error<Infallible>> = minicbor::encode(value, &mut bytes);
    // A Vec takes every write (its error is Infallible), and no Encode of this
    // crate makes an error of its own.
    written.expect("encoding into memory cannot fail");
    bytes
}

/// Reads one CBOR value that fills all of `bytes`.
pub(crate) fn from_cbor<'b, T: minicbor::Decode<'b, ()>>(bytes: &'b [u8]) -> Option<T> {
    let mut decoder = Decoder::new(bytes);
    let value = decoder.decode().ok()?;
    (decoder.position() == bytes.len()).then_some(value)
}
