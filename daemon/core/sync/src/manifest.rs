//! The manifest: a tree of pages that names every object of a version.
//!
//! A leaf page lists content objects, an inner page lists pages; the top page's
//! name is the Merkle root. Pages end where those of the version before did, or
//! where an entry's name says so, so one changed segment changes one page on each
//! level.

use minicbor::{Decode, Encode};

use crate::regroup::{Group, Rules, regroup};
use crate::segment::{with_kind, without_kind};
use crate::{Hash, ObjectError, ObjectKind};

/// The most entries of a page, which keeps a page below
/// [`crate::MAX_PACKED_BYTES`] though hashes do not compress.
pub const MAX_PAGE_ENTRIES: usize = 128;

/// The fewest entries of any page but a level's last: the tree gets narrower
/// towards the top.
const MIN_PAGE_ENTRIES: usize = 8;

/// Beyond the minimum a page ends after this many entries on average.
const SPREAD_ENTRIES: u64 = 32;

/// The most levels of pages: room for 8⁸ objects in the narrowest tree.
pub(crate) const MAX_LEVELS: usize = 8;

/// What a page says of one object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) kind: ObjectKind,
    pub(crate) name: Hash,
    /// The object's bytes before packing.
    pub(crate) raw_bytes: u32,
    /// Passages or golden queries in the object; below a page, all passages.
    pub(crate) items: u32,
}

impl Entry {
    /// The passages in the object or below it.
    pub(crate) fn passages(&self) -> u64 {
        match self.kind {
            ObjectKind::Page | ObjectKind::Passages | ObjectKind::Shared => u64::from(self.items),
            ObjectKind::Golden => 0,
        }
    }
}

#[derive(Encode, Decode)]
#[cbor(array)]
struct Wire {
    #[n(0)]
    kind: u8,
    #[n(1)]
    name: Hash,
    #[n(2)]
    raw_bytes: u32,
    #[n(3)]
    items: u32,
}

/// A page's bytes.
pub(crate) fn encode(entries: &[Entry]) -> Vec<u8> {
    let wire: Vec<Wire> = entries
        .iter()
        .map(|entry| Wire {
            kind: entry.kind as u8,
            name: entry.name,
            raw_bytes: entry.raw_bytes,
            items: entry.items,
        })
        .collect();
    with_kind(ObjectKind::Page, &wire)
}

/// A page's entries: all of them pages, or none.
///
/// # Errors
/// [`ObjectError::Content`].
pub(crate) fn decode(raw: &[u8]) -> Result<Vec<Entry>, ObjectError> {
    let wire: Vec<Wire> = without_kind(ObjectKind::Page, raw)?;
    if wire.is_empty() || wire.len() > MAX_PAGE_ENTRIES {
        return Err(ObjectError::Content);
    }
    let entries: Vec<Entry> = wire
        .into_iter()
        .map(|entry| {
            let kind = ObjectKind::from_wire(entry.kind)?;
            Some(Entry { kind, name: entry.name, raw_bytes: entry.raw_bytes, items: entry.items })
        })
        .collect::<Option<_>>()
        .ok_or(ObjectError::Content)?;
    let pages = entries.iter().filter(|entry| entry.kind == ObjectKind::Page).count();
    if pages == 0 || pages == entries.len() { Ok(entries) } else { Err(ObjectError::Content) }
}

/// Where pages of these entries end, as the names decide.
pub(crate) fn page_ends(names: &[Hash]) -> Vec<usize> {
    let (mut ends, mut start) = (Vec::new(), 0);
    for (end, name) in (1..).zip(names) {
        if end == names.len() || ends_page(end - start, name) {
            ends.push(end);
            start = end;
        }
    }
    ends
}

/// Where they end with the borders of `old`, the same level's pages in the
/// version before.
pub(crate) fn page_ends_after(names: &[Hash], old: &[Vec<Hash>]) -> Vec<usize> {
    let rules = Rules {
        least: MIN_PAGE_ENTRIES,
        most: MAX_PAGE_ENTRIES,
        size: &|range| range.len(),
        is_kept: &|Group { range, from }| {
            names.get(range.clone()) == old.get(*from).map(Vec::as_slice)
        },
    };
    regroup(old, names, &rules).into_iter().map(|group| group.range.end).collect()
}

/// Whether a page of `entries` entries ends after one called `last`.
fn ends_page(entries: usize, last: &Hash) -> bool {
    entries >= MAX_PAGE_ENTRIES
        || entries >= MIN_PAGE_ENTRIES && last.leading().is_multiple_of(SPREAD_ENTRIES)
}
