//! What hub and site say to each other: topics, parcels, requests, states.
//! `WIRE.md` beside this crate has the bytes.
//!
//! Decoding says only whether bytes have the form; nothing that a message
//! carries is believed before it has been unpacked and its hash compared.

mod state;
mod topic;

pub use self::state::{Report, Stall, State, StateError};
pub use self::topic::{SiteName, SiteNameError, Stream, Topic};

use crate::manifest::MAX_PAGE_ENTRIES;
use crate::{MAX_PACKED_BYTES, Packing, ShortHash};

/// The most bytes of any message, topic left out: with its topic it fits a
/// packet of 10 KiB, the limit that MQTT clients come with.
pub const MAX_MESSAGE_BYTES: usize = 9 * 1024;

/// The most pages that one request may speak of.
pub const MAX_NEEDS: usize = 32;

const PARCEL: u8 = 0x01;
const REQUEST: u8 = 0x02;

/// A message of objects: the whole of a small update, or one object that was
/// asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Parcel<'b>(pub Vec<Item<'b>>);

/// An object in a parcel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Item<'b> {
    /// Which object.
    pub name: ShortHash,
    /// How it is packed.
    pub packing: Packing,
    /// The object that it is packed on, where `packing` is
    /// [`Packing::ZstdPrefix`]; none otherwise.
    pub base: Option<ShortHash>,
    /// At most [`MAX_PACKED_BYTES`].
    pub bytes: &'b [u8],
}

impl<'b> Item<'b> {
    /// The bytes that it takes in a parcel.
    pub fn encoded_bytes(&self) -> usize {
        11 + if self.base.is_some() { 8 } else { 0 } + self.bytes.len()
    }
}

impl<'b> Parcel<'b> {
    /// The bytes of the message.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![PARCEL];
        for item in &self.0 {
            bytes.push(item.packing as u8);
            bytes.extend(item.name.0);
            bytes.extend(item.base.iter().flat_map(|base| base.0));
            // MAX_PACKED_BYTES fits.
            bytes.extend((item.bytes.len() as u16).to_be_bytes());
            bytes.extend(item.bytes);
        }
        bytes
    }

    /// Reads a message. `None` when it is no parcel.
    pub fn decode(bytes: &'b [u8]) -> Option<Self> {
        let mut rest = body(PARCEL, bytes)?;
        let mut items = Vec::new();
        while let Some((packing, after)) = rest.split_first() {
            let packing = Packing::from_wire(*packing)?;
            let (name, mut after) = short(after)?;
            let mut base = None;
            if packing == Packing::ZstdPrefix {
                let (found, left) = short(after)?;
                (base, after) = (Some(found), left);
            }
            let (length, after) = after.split_first_chunk::<2>()?;
            let length = usize::from(u16::from_be_bytes(*length));
            let (bytes, left) = after.split_at_checked(length)?;
            if length > MAX_PACKED_BYTES {
                return None;
            }
            items.push(Item { name, packing, base, bytes });
            rest = left;
        }
        Some(Parcel(items))
    }
}

/// What a site lacks now of a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The root of the version that it wants.
    pub root: ShortHash,
    /// The root of the version that it has whole.
    pub base: Option<ShortHash>,
    /// What it lacks. Empty means the top page.
    pub needs: Vec<Need>,
}

/// What a site lacks of the objects that a page names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// The page, which the site has.
    pub page: ShortHash,
    /// The places of the page's entries that are wanted.
    pub places: Places,
}

/// A set of places in a page: a bitmap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Places(u128);

impl Places {
    /// Adds a place below [`MAX_PAGE_ENTRIES`]; a higher one is left out.
    pub fn insert(&mut self, place: u8) {
        self.0 |= 1u128.checked_shl(place.into()).unwrap_or(0);
    }

    /// Whether the place is in the set.
    pub fn contains(&self, place: u8) -> bool {
        self.0 & 1u128.checked_shl(place.into()).unwrap_or(0) != 0
    }

    /// The places in order.
    pub fn iter(self) -> impl Iterator<Item = u8> {
        (0..MAX_PAGE_ENTRIES as u8).filter(move |place| self.contains(*place))
    }

    /// The bytes up to the last that is not zero; bit 0 of the first is place 0.
    fn to_bytes(self) -> Vec<u8> {
        let mut bytes = self.0.to_le_bytes().to_vec();
        while bytes.last() == Some(&0) {
            bytes.pop();
        }
        bytes
    }
}

impl Request {
    /// The bytes of the message: at most 817.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![REQUEST];
        bytes.extend(self.root.0);
        bytes.extend(self.base.map_or([0; 8], |base| base.0));
        for need in self.needs.iter().take(MAX_NEEDS) {
            let bitmap = need.places.to_bytes();
            bytes.extend(need.page.0);
            bytes.push(bitmap.len() as u8);
            bytes.extend(bitmap);
        }
        bytes
    }

    /// Reads a message. `None` when it is no request.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (root, rest) = short(body(REQUEST, bytes)?)?;
        let (base, mut rest) = short(rest)?;
        let mut needs = Vec::new();
        while !rest.is_empty() {
            let (page, after) = short(rest)?;
            let (length, after) = after.split_first()?;
            let (bitmap, after) = after.split_at_checked(usize::from(*length))?;
            let mut places = [0; 16];
            places.get_mut(..bitmap.len())?.copy_from_slice(bitmap);
            // One set has one form.
            if bitmap.last().is_none_or(|last| *last == 0) || needs.len() == MAX_NEEDS {
                return None;
            }
            needs.push(Need { page, places: Places(u128::from_le_bytes(places)) });
            rest = after;
        }
        Some(Request { root, base: (base.0 != [0; 8]).then_some(base), needs })
    }
}

/// What follows the byte that says the message's kind.
pub(crate) fn body(kind: u8, bytes: &[u8]) -> Option<&[u8]> {
    let (first, rest) = bytes.split_first()?;
    (*first == kind && bytes.len() <= MAX_MESSAGE_BYTES).then_some(rest)
}

fn short(bytes: &[u8]) -> Option<(ShortHash, &[u8])> {
    let (short, rest) = bytes.split_first_chunk::<8>()?;
    Some((ShortHash(*short), rest))
}

#[cfg(test)]
mod tests;
