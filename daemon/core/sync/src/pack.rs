//! Packing: how an object's bytes are made smaller for a link or a stick.
//!
//! An object is named by its bytes before packing. So a site checks what it
//! unpacked, whichever way it was packed, and a hub may pack better later (with
//! another dictionary, or prefixed on the object that it replaces) without
//! giving any object a new name.

use zstd::bulk::{Compressor, Decompressor};
use zstd::dict::{DecoderDictionary, EncoderDictionary};

use crate::Hash;

/// The most bytes of a packed object: with its envelope it fits a packet of
/// 10 KiB, the limit that MQTT clients come with.
pub const MAX_PACKED_BYTES: usize = 8 * 1024;

/// The most bytes that an object may unpack to.
pub const MAX_RAW_BYTES: usize = 64 * 1024;

/// The most bytes of a dictionary.
pub(crate) const MAX_DICTIONARY_BYTES: usize = 112 * 1024;

/// The hub packs once and every site unpacks, so it may take its time.
const LEVEL: i32 = 19;

/// Below this a frame's overhead and a dictionary's own bytes eat the gain.
const MIN_TRAINING_BYTES: usize = 64 * 1024;

/// The most text that a dictionary is trained and chosen on.
const MAX_TRAINING_BYTES: usize = 2 * 1024 * 1024;

/// Bytes of a dictionary in one object: even one that does not compress fits.
pub(crate) const DICTIONARY_PART_BYTES: usize = 8_000;

/// How an object is packed. The numbers are part of the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// As it is.
    Stored = 0,
    /// A zstd frame (RFC 8878).
    Zstd = 1,
    /// A zstd frame made with the collection's dictionary.
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

/// A zstd dictionary trained on a collection.
pub struct Dictionary {
    bytes: Vec<u8>,
    hash: Hash,
    encoder: EncoderDictionary<'static>,
    decoder: DecoderDictionary<'static>,
}

impl Dictionary {
    /// A dictionary by its bytes, where zstd can use them.
    pub fn from_bytes(bytes: Vec<u8>) -> Option<Self> {
        if bytes.is_empty() || bytes.len() > MAX_DICTIONARY_BYTES {
            return None;
        }
        let encoder = EncoderDictionary::try_copy(&bytes, LEVEL).ok()?;
        let decoder = DecoderDictionary::try_copy(&bytes).ok()?;
        Some(Dictionary { hash: Hash::of(&bytes), bytes, encoder, decoder })
    }

    /// Trains a dictionary on `samples`, of the size that makes samples and
    /// dictionary together smallest. `None` where there is too little text, or
    /// no size saves anything.
    pub(crate) fn train(samples: &[Vec<u8>]) -> Option<Self> {
        let total: usize = samples.iter().map(Vec::len).sum();
        if total < MIN_TRAINING_BYTES {
            return None;
        }
        // Evenly spread, so that the last documents have their say.
        let every = total.div_ceil(MAX_TRAINING_BYTES);
        let samples: Vec<&Vec<u8>> = samples.iter().step_by(every).collect();
        let cost = |dictionary: Option<&Dictionary>| -> usize {
            let packed = samples.iter().map(|sample| pack(sample, dictionary).bytes.len());
            packed.sum::<usize>() * every
        };
        let plain = (cost(None), None);
        let trained = [4, 8, 16, 32, 64, 110].into_iter().filter_map(|kib| {
            // zstd wants many times more text than dictionary.
            (total >= kib * 1024 * 8).then_some(())?;
            let bytes = zstd::dict::from_samples(&samples, kib * 1024).ok()?;
            let dictionary = Dictionary::from_bytes(bytes)?;
            let own: usize = dictionary.parts().map(|part| pack(part, None).bytes.len()).sum();
            Some((cost(Some(&dictionary)) + own, Some(dictionary)))
        });
        std::iter::once(plain).chain(trained).min_by_key(|(cost, _)| *cost)?.1
    }

    /// The dictionary's name.
    pub fn hash(&self) -> Hash {
        self.hash
    }

    /// The dictionary's bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The bytes in pieces that fit an object each.
    pub(crate) fn parts(&self) -> impl Iterator<Item = &[u8]> {
        self.bytes.chunks(DICTIONARY_PART_BYTES)
    }
}

impl std::fmt::Debug for Dictionary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Dictionary({}, {} bytes)", self.hash, self.bytes.len())
    }
}

/// The smallest packing of `raw`.
pub(crate) fn pack(raw: &[u8], dictionary: Option<&Dictionary>) -> Packed {
    let plain = Compressor::new(LEVEL).and_then(|mut zstd| zstd.compress(raw));
    let plain = plain.ok().map(|bytes| Packed { packing: Packing::Zstd, bytes });
    let shared = dictionary.and_then(|dictionary| {
        let mut zstd = Compressor::with_prepared_dictionary(&dictionary.encoder).ok()?;
        // The packing says which dictionary it is; four bytes less a frame.
        zstd.set_parameter(zstd::zstd_safe::CParameter::DictIdFlag(false)).ok()?;
        let bytes = zstd.compress(raw).ok()?;
        Some(Packed { packing: Packing::ZstdDictionary, bytes })
    });
    let stored = Packed { packing: Packing::Stored, bytes: raw.to_vec() };
    let smaller = |best: Packed, next: Packed| {
        if next.bytes.len() < best.bytes.len() { next } else { best }
    };
    plain.into_iter().chain(shared).fold(stored, smaller)
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
        let dictionary = Dictionary::from_bytes(b"go to the nearest clinic ".repeat(20)).unwrap();
        let text = b"with fever go to the nearest clinic at once".as_slice();
        let noise: Vec<u8> = std::iter::repeat_with({
            let mut rng = fastrand::Rng::with_seed(1);
            move || rng.u8(..)
        })
        .take(500)
        .collect();
        for (raw, packing) in
            [(text, Packing::ZstdDictionary), (&noise, Packing::Stored), (&[7; 900], Packing::Zstd)]
        {
            let with = (packing == Packing::ZstdDictionary).then_some(&dictionary);
            let packed = pack(raw, with);
            assert_eq!(packed.packing, packing);
            let back = unpack(packing, &packed.bytes, Hash::of(raw), raw.len(), with);
            assert_eq!(back.as_deref(), Ok(raw));
        }
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
        let packed = pack(b"one", None);
        let wrong = unpack(packed.packing, &packed.bytes, Hash::of(b"two"), 3, None);
        assert_eq!(wrong, Err(ObjectError::Name));
        let missing = unpack(Packing::ZstdDictionary, b"", Hash::of(b""), 0, None);
        assert_eq!(missing, Err(ObjectError::NoDictionary));
    }

    #[test]
    fn little_text_gets_no_dictionary() {
        assert!(Dictionary::train(&[b"a few words".to_vec()]).is_none());
    }
}
