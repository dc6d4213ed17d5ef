//! What hub and site say to each other: topics, parcels, requests, states.
//! `WIRE.md` beside this crate has the bytes.
//!
//! Decoding says only whether bytes have the form; nothing that a message
//! carries is believed before it has been unpacked and its hash compared.

use jibu_types::{CollectionName, IndexVersion};
use minicbor::{Decode, Encode};

use crate::hash::{from_cbor, to_cbor};
use crate::manifest::MAX_PAGE_ENTRIES;
use crate::{MAX_PACKED_BYTES, Packing, ShortHash};

/// The most bytes of any message, topic left out: with its topic it fits a
/// packet of 10 KiB, the limit that MQTT clients come with.
pub const MAX_MESSAGE_BYTES: usize = 9 * 1024;

/// The most pages that one request may speak of.
pub const MAX_NEEDS: usize = 32;

/// The most collections in one state.
const MAX_REPORTS: usize = 64;

const PARCEL: u8 = 0x01;
const REQUEST: u8 = 0x02;
const STATE: u8 = 0x03;

const PREFIX: &str = "jibu/1/";

/// A site's name: 1 to 64 of `a-z`, `0-9` and `-`, beginning with a letter.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SiteName(Box<str>);

/// Why a text is no site's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"{0}\" is not a site's name: 1 to 64 lower-case letters, digits and hyphens, beginning \
     with a letter (an example: mangochi-2)"
)]
pub struct SiteNameError(pub String);

impl SiteName {
    /// Checks a name.
    ///
    /// # Errors
    /// When it has another form.
    pub fn parse(text: &str) -> Result<Self, SiteNameError> {
        let fits = (1..=64).contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if fits { Ok(SiteName(text.into())) } else { Err(SiteNameError(text.into())) }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for SiteName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where a message belongs. `Display` writes the MQTT topic.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// A collection's newest signed root; retained.
    Root(CollectionName),
    /// What a site that has all of `base` lacks of the newest version, where
    /// that fits one parcel; retained.
    Delta {
        /// The collection.
        collection: CollectionName,
        /// The short hash of the root that the site has.
        base: ShortHash,
    },
    /// An object that somebody asked for.
    Chunk {
        /// The collection.
        collection: CollectionName,
        /// The short hash of the root that the askers have, if any: the object
        /// may be packed on theirs.
        base: Option<ShortHash>,
        /// The object.
        name: ShortHash,
    },
    /// A site's requests.
    Request(SiteName),
    /// What a site runs; retained.
    State(SiteName),
}

impl Topic {
    /// Reads a topic. `None` for anything else than `Display` writes.
    pub fn parse(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.strip_prefix(PREFIX)?.split('/').collect();
        let collection = |name: &str| CollectionName::parse(name).ok();
        match *parts {
            ["c", name, "root"] => Some(Topic::Root(collection(name)?)),
            ["c", name, "d", base] => {
                let base = ShortHash::parse(base)?;
                Some(Topic::Delta { collection: collection(name)?, base })
            }
            ["c", collection_name, "k", base, name] => Some(Topic::Chunk {
                collection: collection(collection_name)?,
                base: if base == "0" { None } else { Some(ShortHash::parse(base)?) },
                name: ShortHash::parse(name)?,
            }),
            ["s", site, "req"] => Some(Topic::Request(SiteName::parse(site).ok()?)),
            ["s", site, "state"] => Some(Topic::State(SiteName::parse(site).ok()?)),
            _ => None,
        }
    }

    /// The collection, where the topic is one's.
    pub fn collection(&self) -> Option<&CollectionName> {
        match self {
            Topic::Root(collection)
            | Topic::Delta { collection, .. }
            | Topic::Chunk { collection, .. } => Some(collection),
            Topic::Request(_) | Topic::State(_) => None,
        }
    }
}

impl std::fmt::Display for Topic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(PREFIX)?;
        match self {
            Topic::Root(collection) => write!(f, "c/{collection}/root"),
            Topic::Delta { collection, base } => write!(f, "c/{collection}/d/{base}"),
            Topic::Chunk { collection, base: None, name } => write!(f, "c/{collection}/k/0/{name}"),
            Topic::Chunk { collection, base: Some(base), name } => {
                write!(f, "c/{collection}/k/{base}/{name}")
            }
            Topic::Request(site) => write!(f, "s/{site}/req"),
            Topic::State(site) => write!(f, "s/{site}/state"),
        }
    }
}

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
        (!items.is_empty()).then_some(Parcel(items))
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

/// Why an update does not go on by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stall {
    /// It goes on, or there is nothing to do.
    None = 0,
    /// It would cost more than it may.
    OverBudget = 1,
    /// The disk is full.
    NoSpace = 2,
    /// The version did not answer its golden queries; the one before stays.
    Refused = 3,
    /// The hub signed something that cannot be read or does not add up.
    Faulty = 4,
    /// The hub signed two roots of one version.
    Conflict = 5,
}

impl Stall {
    fn from_wire(number: u8) -> Option<Self> {
        [
            Stall::None,
            Stall::OverBudget,
            Stall::NoSpace,
            Stall::Refused,
            Stall::Faulty,
            Stall::Conflict,
        ]
        .into_iter()
        .find(|stall| *stall as u8 == number)
    }
}

/// What a site says of one collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The collection.
    pub collection: CollectionName,
    /// What it answers from: the version and its root.
    pub active: Option<(IndexVersion, ShortHash)>,
    /// The highest version whose root it has seen.
    pub newest: Option<IndexVersion>,
    /// Objects that it still lacks, as far as it can tell.
    pub missing: u32,
    /// Bytes that the present update has cost so far.
    pub spent: u64,
    /// Why it does not go on.
    pub stall: Stall,
    /// Whether the active root has expired, by the site's clock.
    pub expired: bool,
}

#[derive(Encode, Decode)]
#[cbor(array)]
struct WireReport<'b> {
    #[b(0)]
    collection: &'b str,
    #[n(1)]
    active: Option<WireActive>,
    #[n(2)]
    newest: Option<WireVersion>,
    #[n(3)]
    missing: u32,
    #[n(4)]
    spent: u64,
    #[n(5)]
    stall: u8,
    #[n(6)]
    expired: bool,
}

#[derive(Encode, Decode)]
#[cbor(array)]
struct WireVersion {
    #[n(0)]
    epoch: u32,
    #[n(1)]
    version: u64,
}

#[derive(Encode, Decode)]
#[cbor(array)]
struct WireActive {
    #[n(0)]
    epoch: u32,
    #[n(1)]
    version: u64,
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    root: [u8; 8],
}

/// The message of a site's reports, one a collection.
pub fn encode_state(reports: &[Report]) -> Vec<u8> {
    let wire: Vec<WireReport<'_>> = reports
        .iter()
        .take(MAX_REPORTS)
        .map(|report| WireReport {
            collection: report.collection.as_str(),
            active: report.active.map(|(version, root)| WireActive {
                epoch: version.epoch,
                version: version.version,
                root: root.0,
            }),
            newest: report
                .newest
                .map(|version| WireVersion { epoch: version.epoch, version: version.version }),
            missing: report.missing,
            spent: report.spent,
            stall: report.stall as u8,
            expired: report.expired,
        })
        .collect();
    let mut bytes = vec![STATE];
    bytes.append(&mut to_cbor(&wire));
    bytes
}

/// Reads a state. `None` when it is none.
pub fn decode_state(bytes: &[u8]) -> Option<Vec<Report>> {
    let wire: Vec<WireReport<'_>> = from_cbor(body(STATE, bytes)?)?;
    if wire.len() > MAX_REPORTS {
        return None;
    }
    let report = |wire: WireReport<'_>| {
        Some(Report {
            collection: CollectionName::parse(wire.collection).ok()?,
            active: wire.active.map(|active| {
                let version = IndexVersion { epoch: active.epoch, version: active.version };
                (version, ShortHash(active.root))
            }),
            newest: wire
                .newest
                .map(|newest| IndexVersion { epoch: newest.epoch, version: newest.version }),
            missing: wire.missing,
            spent: wire.spent,
            stall: Stall::from_wire(wire.stall)?,
            expired: wire.expired,
        })
    };
    wire.into_iter().map(report).collect()
}

/// What follows the byte that says the message's kind.
fn body(kind: u8, bytes: &[u8]) -> Option<&[u8]> {
    let (first, rest) = bytes.split_first()?;
    (*first == kind && bytes.len() <= MAX_MESSAGE_BYTES).then_some(rest)
}

fn short(bytes: &[u8]) -> Option<(ShortHash, &[u8])> {
    let (short, rest) = bytes.split_first_chunk::<8>()?;
    Some((ShortHash(*short), rest))
}

#[cfg(test)]
mod tests;
