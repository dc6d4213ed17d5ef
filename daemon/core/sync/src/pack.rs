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

/// The most bytes of a packed object: with its envelope it fits a packet of
/// 10 KiB, the limit that MQTT clients come with.
pub const MAX_PACKED_BYTES: usize = 8 * 1024;

/// The most bytes that an object may unpack to.
pub const MAX_RAW_BYTES: usize = 64 * 1024;

/// The most bytes of a dictionary.
pub(crate) const MAX_DICTIONARY_BYTES: usize = 512 * 1024;

/// The hub packs once and every site unpacks, so it may take its time.
const LEVEL: i32 = 19;

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
    /// A zstd frame made with another object's bytes before it, usually those
    /// of the object that it replaces. Only in messages, where the other is named.
    ZstdPrefix = 3,
}

impl Packing {
    /// The packing of a number on the wire.
    pub fn from_wire(number: u8) -> Option<Self> {
        match number {
            0 => Some(Packing::Stored),
            1 => Some(Packing::Zstd),
            2 => Some(Packing::ZstdDictionary),
            3 => Some(Packing::ZstdPrefix),
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
    /// The packing needs another object that is not there.
    #[error("it is packed on another object that is not here")]
    NoBase,
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
/// Its parts are segments of the collection itself. So it costs a first sync
/// nothing, where a trained dictionary would say again what the documents say,
/// and another choice costs a site nothing that has the segments.
pub(crate) struct Dictionary {
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

    /// Picks a dictionary's parts among a collection's segments: whether each is
    /// one. A segment's name decides, so that an edit changes the choice little.
    pub(crate) fn choose(segments: &[Vec<u8>]) -> Vec<bool> {
        let mut room = Self::wanted_bytes(segments);
        let mut order: Vec<(Hash, usize)> =
            segments.iter().map(|segment| Hash::of(segment)).zip(0..).collect();
        order.sort_unstable();
        let mut chosen = vec![false; segments.len()];
        for (_, at) in order {
            let bytes = segments.get(at).map_or(0, Vec::len);
            if let Some(chosen) = chosen.get_mut(at).filter(|_| bytes <= room) {
                *chosen = true;
                room -= bytes;
            }
        }
        chosen
    }

    /// The choice of the version before, `kept`, while it is about as large as a
    /// new one would be; else a new one.
    pub(crate) fn choose_after(segments: &[Vec<u8>], kept: Vec<bool>) -> Vec<bool> {
        let parts = segments.iter().zip(&kept).filter(|(_, kept)| **kept);
        let bytes: usize = parts.map(|(segment, _)| segment.len()).sum();
        let wanted = Self::wanted_bytes(segments);
        let most = (wanted / 10 * 11).min(MAX_DICTIONARY_BYTES);
        if (wanted / 4 * 3..=most).contains(&bytes) { kept } else { Self::choose(segments) }
    }

    /// Five sixths of the collection, up to the most that there may be.
    fn wanted_bytes(segments: &[Vec<u8>]) -> usize {
        let total: usize = segments.iter().map(Vec::len).sum();
        (total / 6 * 5).min(MAX_DICTIONARY_BYTES)
    }

    /// The dictionary of the chosen segments, and its parts, each packed with
    /// those before it, by their names, in order. `None` where there is none. A
    /// part that would be too large so is left out.
    pub(crate) fn of_segments(
        segments: &[Vec<u8>],
        chosen: &[bool],
    ) -> Option<(Self, Vec<(Hash, Packed)>)> {
        let mut parts: Vec<Vec<u8>> = Vec::new();
        let mut packed = Vec::new();
        for (segment, _) in segments.iter().zip(chosen).filter(|(_, chosen)| **chosen) {
            let part = Packer::new(&parts).pack(segment);
            if part.bytes.len() <= MAX_PACKED_BYTES {
                parts.push(segment.clone());
                packed.push(part);
            }
        }
        let dictionary = Self::from_parts(parts)?;
        let packed = dictionary.names.iter().copied().zip(packed).collect();
        Some((dictionary, packed))
    }

    /// The dictionary's name: the hash of all its bytes.
    pub(crate) fn hash(&self) -> Hash {
        self.hash
    }

    /// The parts, each an object by itself.
    pub(crate) fn parts(&self) -> &[Vec<u8>] {
        &self.parts
    }

    /// The part of this name.
    pub(crate) fn part(&self, name: Hash) -> Option<&[u8]> {
        let at = self.names.iter().position(|part| *part == name)?;
        self.parts.get(at).map(Vec::as_slice)
    }
}

impl std::fmt::Debug for Dictionary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Dictionary({} parts)", self.parts.len())
    }
}

/// Packs objects, with a dictionary or without.
pub(crate) struct Packer(Option<EncoderDictionary<'static>>);

impl Packer {
    /// A packer with the dictionary of these parts, or without where there are none.
    pub(crate) fn new(parts: &[Vec<u8>]) -> Self {
        let bytes = parts.concat();
        let some = (!bytes.is_empty()).then_some(bytes);
        Packer(some.and_then(|bytes| EncoderDictionary::try_copy(&bytes, LEVEL).ok()))
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

/// `raw` packed on `base`, where that can be done.
pub(crate) fn pack_on(base: &[u8], raw: &[u8]) -> Option<Vec<u8>> {
    Compressor::with_dictionary(LEVEL, base).and_then(|mut zstd| zstd.compress(raw)).ok()
}

/// Unpacks what [`pack_on`] packed, as [`unpack`] does.
///
/// # Errors
/// As [`unpack`].
pub(crate) fn unpack_on(
    base: &[u8],
    bytes: &[u8],
    name: Hash,
    limit: usize,
) -> Result<Vec<u8>, ObjectError> {
    if bytes.len() > MAX_PACKED_BYTES || limit > MAX_RAW_BYTES {
        return Err(ObjectError::TooLarge);
    }
    let raw = decompress(Decompressor::with_dictionary(base), bytes, limit)?;
    if Hash::of(&raw) == name { Ok(raw) } else { Err(ObjectError::Name) }
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
        Packing::ZstdPrefix => return Err(ObjectError::NoBase),
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

    fn of(segments: &[Vec<u8>]) -> Option<(Dictionary, Vec<(Hash, Packed)>)> {
        Dictionary::of_segments(segments, &Dictionary::choose(segments))
    }

    #[test]
    fn what_is_packed_is_unpacked() {
        let parts = vec![b"go to the nearest clinic when a child cannot drink".to_vec()];
        let dictionary = Dictionary::from_parts(parts.clone()).unwrap();
        let text = b"when a child cannot drink go to the nearest clinic".as_slice();
        let mut rng = fastrand::Rng::with_seed(1);
        let noise: Vec<u8> = std::iter::repeat_with(|| rng.u8(..)).take(500).collect();
        for (raw, packing) in
            [(text, Packing::ZstdDictionary), (&noise, Packing::Stored), (&[7; 900], Packing::Zstd)]
        {
            let with = (packing == Packing::ZstdDictionary).then_some(&dictionary);
            let packed = Packer::new(with.map_or(&[], Dictionary::parts)).pack(raw);
            assert_eq!(packed.packing, packing);
            let back = unpack(packing, &packed.bytes, Hash::of(raw), raw.len(), with);
            assert_eq!(back.as_deref(), Ok(raw));
        }
    }

    #[test]
    fn a_dictionary_is_five_sixths_of_the_segments_in_their_order() {
        let segments: Vec<Vec<u8>> = (0..20).map(|at| vec![2 + at; 100]).collect();
        let (dictionary, packed) = of(&segments).unwrap();
        assert_eq!((dictionary.parts().len(), packed.len()), (16, 16));
        assert!(dictionary.parts().is_sorted());
        let mut edited = segments;
        edited[7] = vec![99; 101];
        let (again, _) = of(&edited).unwrap();
        let kept = again.parts().iter().filter(|part| dictionary.parts().contains(part));
        assert!(kept.count() >= 15);
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
        let packed = Packer::new(&[]).pack(b"one");
        let wrong = unpack(packed.packing, &packed.bytes, Hash::of(b"two"), 3, None);
        assert_eq!(wrong, Err(ObjectError::Name));
        let missing = unpack(Packing::ZstdDictionary, b"", Hash::of(b""), 0, None);
        assert_eq!(missing, Err(ObjectError::NoDictionary));
    }

    #[test]
    fn few_segments_get_no_dictionary() {
        assert!(of(&[]).is_none());
        assert!(of(&[b"a few words".to_vec()]).is_none());
    }
}
