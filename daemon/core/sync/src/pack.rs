//! Packing: how an object's bytes are made smaller for a link or a stick.
//!
//! An object is named by its bytes before packing. So a site checks what it
//! unpacked, whichever way it was packed, and a hub may pack better later (with
//! another dictionary, or prefixed on the object that it replaces) without
//! giving any object a new name.

use zstd::bulk::{Compressor, Decompressor};
use zstd::dict::{DecoderDictionary, EncoderDictionary};
use zstd::zstd_safe::CParameter;

use crate::Hash;
use crate::hash::{from_cbor, to_cbor};

/// The most bytes of a packed object: with its envelope it fits a packet of
/// 10 KiB, the limit that MQTT clients come with.
pub const MAX_PACKED_BYTES: usize = 8 * 1024;

/// The most bytes that an object may unpack to.
pub const MAX_RAW_BYTES: usize = 64 * 1024;

/// The most bytes of a dictionary.
pub(crate) const MAX_DICTIONARY_BYTES: usize = 128 * 1024;

/// The hub packs once and every site unpacks, so it may take its time.
const LEVEL: i32 = 19;

/// A dictionary takes this part of the segments: more would cost the parts more
/// than it saves the rest (FORMAT.md has the measurement).
const DICTIONARY_SHARE: usize = 5;

/// How an object is packed. The numbers are part of the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// As it is.
    Stored = 0,
    /// A zstd frame (RFC 8878).
    Zstd = 1,
    /// A zstd frame made with the collection's dictionary; a part of the
    /// dictionary itself, with the parts before it.
    ZstdDictionary = 2,
}

impl Packing {
    /// The packing of a number on the wire.
    pub fn from_wire(number: u8) -> Option<Self> {
        match number {
            0 => Some(Packing::Stored),
            1 => Some(Packing::Zstd),
            2 => Some(Packing::ZstdDictionary),
            _ => None,
        }
    }
}

/// An object's bytes as they travel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packed {
    /// How they are packed.
    pub packing: Packing,
    /// At most [`MAX_PACKED_BYTES`].
    pub bytes: Vec<u8>,
}

/// Why packed bytes are not the object that the manifest names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ObjectError {
    /// More packed bytes, or a larger announced size, than an object may have.
    #[error("it is larger than an object may be")]
    TooLarge,
    /// The packing is unknown here.
    #[error("it is packed in a way that this program does not know")]
    Packing,
    /// The packing needs a dictionary that is not there.
    #[error("it needs a dictionary that has not come before it")]
    NoDictionary,
    /// The frame cannot be unpacked to the announced size.
    #[error("it cannot be unpacked")]
    Frame,
    /// The bytes are not those that the manifest names.
    #[error("its bytes are not the ones that the hub signed")]
    Name,
    /// The bytes are the hub's, but this program cannot read them.
    #[error("its content cannot be read by this program")]
    Content,
}

/// What the objects of a collection are packed with: bytes that zstd may refer
/// to as if they stood before the object's own.
///
/// Its parts are segments of the collection, picked evenly. So a first sync
/// carries nothing that is not content, where a trained dictionary would say
/// again what the documents say. When content changes, the dictionary stays.
pub struct Dictionary {
    parts: Vec<Vec<u8>>,
    names: Vec<Hash>,
    hash: Hash,
    decoder: DecoderDictionary<'static>,
}

impl Dictionary {
    /// The dictionary of these parts, in order.
    pub(crate) fn from_parts(parts: Vec<Vec<u8>>) -> Option<Self> {
        let bytes = parts.concat();
        if bytes.is_empty() || bytes.len() > MAX_DICTIONARY_BYTES {
            return None;
        }
        let decoder = DecoderDictionary::try_copy(&bytes).ok()?;
        let names = parts.iter().map(|part| Hash::of(part)).collect();
        Some(Dictionary { hash: Hash::of(&bytes), names, parts, decoder })
    }

    /// Picks a dictionary's parts among a collection's segments. `None` where
    /// there are too few of them.
    pub(crate) fn of_segments(segments: &[Vec<u8>]) -> Option<Self> {
        let total: usize = segments.iter().map(Vec::len).sum();
        let wanted = (total / DICTIONARY_SHARE).min(MAX_DICTIONARY_BYTES);
        // Evenly spread, so that every language and topic has its say.
        let every = total.checked_div(wanted)?;
        let mut parts: Vec<Vec<u8>> = segments.iter().step_by(every).cloned().collect();
        while parts.iter().map(Vec::len).sum::<usize>() > wanted {
            parts.pop();
        }
        Self::from_parts(parts)
    }

    /// The dictionary's name: the hash of all its bytes.
    pub fn hash(&self) -> Hash {
        self.hash
    }

    /// How many bytes it has.
    pub fn bytes(&self) -> usize {
        self.parts.iter().map(Vec::len).sum()
    }

    /// The parts, each an object by itself.
    pub fn parts(&self) -> &[Vec<u8>] {
        &self.parts
    }

    /// The dictionary as a hub keeps it from one version to the next.
    pub fn to_bytes(&self) -> Vec<u8> {
        let parts: Vec<&minicbor::bytes::ByteSlice> =
            self.parts.iter().map(|part| part.as_slice().into()).collect();
        to_cbor(&parts)
    }

    /// Reads what [`Dictionary::to_bytes`] wrote.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let parts: Vec<minicbor::bytes::ByteVec> = from_cbor(bytes)?;
        Self::from_parts(parts.into_iter().map(Vec::from).collect())
    }

    /// The part of this name.
    pub(crate) fn part(&self, name: Hash) -> Option<&[u8]> {
        let at = self.names.iter().position(|part| *part == name)?;
        self.parts.get(at).map(Vec::as_slice)
    }
}

impl std::fmt::Debug for Dictionary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Dictionary({}, {} parts)", self.hash, self.parts.len())
    }
}

/// Packs objects, with a dictionary or without.
pub(crate) struct Packer(Option<EncoderDictionary<'static>>);

impl Packer {
    pub(crate) fn new(dictionary: Option<&Dictionary>) -> Self {
        let encoder = dictionary.and_then(|dictionary| {
            EncoderDictionary::try_copy(&dictionary.parts.concat(), LEVEL).ok()
        });
        Packer(encoder)
    }

    /// The smallest packing of `raw`.
    pub(crate) fn pack(&self, raw: &[u8]) -> Packed {
        let plain = || Compressor::new(LEVEL)?.compress(raw);
        let shared = |encoder| -> std::io::Result<Vec<u8>> {
            let mut zstd = Compressor::with_prepared_dictionary(encoder)?;
            // The packing says which dictionary it is.
            zstd.set_parameter(CParameter::DictIdFlag(false))?;
            zstd.compress(raw)
        };
        let zstd = plain().ok().map(|bytes| Packed { packing: Packing::Zstd, bytes });
        let with = self.0.as_ref().and_then(|encoder| shared(encoder).ok());
        let with = with.map(|bytes| Packed { packing: Packing::ZstdDictionary, bytes });
        let stored = Packed { packing: Packing::Stored, bytes: raw.to_vec() };
        let smaller = |best: Packed, next: Packed| {
            if next.bytes.len() < best.bytes.len() { next } else { best }
        };
        zstd.into_iter().chain(with).fold(stored, smaller)
    }
}

/// Unpacks the object called `name`, which has at most `limit` bytes.
///
/// # Errors
/// When the bytes are anything else. Never gives out, nor makes room for, more
/// than `limit` and [`MAX_RAW_BYTES`].
pub(crate) fn unpack(
    packing: Packing,
    bytes: &[u8],
    name: Hash,
    limit: usize,
    dictionary: Option<&Dictionary>,
) -> Result<Vec<u8>, ObjectError> {
    if bytes.len() > MAX_PACKED_BYTES || limit > MAX_RAW_BYTES {
        return Err(ObjectError::TooLarge);
    }
    let raw = match packing {
        Packing::Stored => bytes.to_vec(),
        Packing::Zstd => decompress(Decompressor::new(), bytes, limit)?,
        Packing::ZstdDictionary => {
            let dictionary = dictionary.ok_or(ObjectError::NoDictionary)?;
            let zstd = Decompressor::with_prepared_dictionary(&dictionary.decoder);
            decompress(zstd, bytes, limit)?
        }
    };
    if raw.len() <= limit && Hash::of(&raw) == name { Ok(raw) } else { Err(ObjectError::Name) }
}

fn decompress(
    zstd: std::io::Result<Decompressor<'_>>,
    bytes: &[u8],
    capacity: usize,
) -> Result<Vec<u8>, ObjectError> {
    zstd.and_then(|mut zstd| zstd.decompress(bytes, capacity)).map_err(|_| ObjectError::Frame)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_is_unpacked() {
        let part = b"go to the nearest clinic when a child cannot drink".to_vec();
        let dictionary = Dictionary::from_parts(vec![part]).unwrap();
        let text = b"when a child cannot drink go to the nearest clinic".as_slice();
        let mut rng = fastrand::Rng::with_seed(1);
        let noise: Vec<u8> = std::iter::repeat_with(|| rng.u8(..)).take(500).collect();
        for (raw, packing) in
            [(text, Packing::ZstdDictionary), (&noise, Packing::Stored), (&[7; 900], Packing::Zstd)]
        {
            let with = (packing == Packing::ZstdDictionary).then_some(&dictionary);
            let packed = Packer::new(with).pack(raw);
            assert_eq!(packed.packing, packing);
            let back = unpack(packing, &packed.bytes, Hash::of(raw), raw.len(), with);
            assert_eq!(back.as_deref(), Ok(raw));
        }
    }

    #[test]
    fn a_dictionary_is_kept_and_read_again() {
        let segments: Vec<Vec<u8>> = (0..20).map(|at| vec![2 + at; 100]).collect();
        let dictionary = Dictionary::of_segments(&segments).unwrap();
        assert_eq!(dictionary.parts().len(), 4);
        let again = Dictionary::from_bytes(&dictionary.to_bytes()).unwrap();
        assert_eq!(again.hash(), dictionary.hash());
        assert_eq!(again.parts(), dictionary.parts());
        assert!(Dictionary::from_bytes(b"junk").is_none());
    }

    #[test]
    fn a_zip_bomb_is_stopped_at_the_announced_size() {
        let bomb = zstd::bulk::compress(&vec![0; 64 << 20], 3).unwrap();
        assert!(bomb.len() < MAX_PACKED_BYTES);
        let name = Hash::of(b"");
        assert_eq!(unpack(Packing::Zstd, &bomb, name, 1000, None), Err(ObjectError::Frame));
        let lie = unpack(Packing::Zstd, &bomb, name, 64 << 20, None);
        assert_eq!(lie, Err(ObjectError::TooLarge));
    }

    #[test]
    fn another_object_is_not_taken_for_the_named_one() {
        let packed = Packer::new(None).pack(b"one");
        let wrong = unpack(packed.packing, &packed.bytes, Hash::of(b"two"), 3, None);
        assert_eq!(wrong, Err(ObjectError::Name));
        let missing = unpack(Packing::ZstdDictionary, b"", Hash::of(b""), 0, None);
        assert_eq!(missing, Err(ObjectError::NoDictionary));
    }

    #[test]
    fn few_segments_get_no_dictionary() {
        assert!(Dictionary::of_segments(&[]).is_none());
        assert!(Dictionary::of_segments(&[b"a few words".to_vec()]).is_none());
    }
}
