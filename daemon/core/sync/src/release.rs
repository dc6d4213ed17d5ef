//! A version as the hub holds it: all objects, packed and not, and what each
//! may be packed on.

use std::collections::BTreeMap;

use crate::pack::pack_on;
use crate::wire::Item;
use crate::{
    BundleError, Hash, MAX_PACKED_BYTES, Object, ObjectKind, Packed, Packing, PublicKey, ShortHash,
    SignedRoot, bundle, tree,
};

/// Objects of the older version that one object is tried on.
const MAX_BASES: usize = 3;

/// A version that the hub can serve.
#[derive(Debug, Clone)]
pub struct Release {
    root: SignedRoot,
    /// In the order of a bundle.
    objects: Vec<(Object, Vec<u8>)>,
    by_name: BTreeMap<Hash, usize>,
    /// The pages from the top one down.
    pages: Vec<Hash>,
    /// Segments in reading order, then golden queries.
    content: Vec<Hash>,
    /// What was packed ahead: on which version, which object.
    ahead: BTreeMap<(ShortHash, usize), Prepared>,
}

/// An object packed for sites that have a certain other version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Prepared {
    pub(crate) name: ShortHash,
    pub(crate) base: Option<ShortHash>,
    pub(crate) packed: Packed,
}

impl Prepared {
    pub(crate) fn item(&self) -> Item<'_> {
        let Packed { packing, bytes } = &self.packed;
        Item { name: self.name, packing: *packing, base: self.base, bytes }
    }
}

impl Release {
    /// Takes a version from its bundle, the form in which a hub keeps it.
    ///
    /// # Errors
    /// As [`bundle::read`].
    pub fn open(bytes: &[u8], key: &PublicKey) -> Result<Self, BundleError> {
        let bundle = bundle::read(bytes, key)?;
        let objects: Vec<(Object, Vec<u8>)> = bundle.objects().collect();
        let names = objects.iter().zip(0..);
        let by_name: BTreeMap<Hash, usize> =
            names.map(|((object, _), at)| (object.name, at)).collect();
        let root = bundle.signed_root().clone();
        let raw = |name: &Hash| by_name.get(name).and_then(|at| objects.get(*at));
        let survey = tree::survey(root.root().manifest, |name| raw(name).map(|(_, r)| r.clone()))
            .map_err(|source| BundleError::Object { part: 1, source })?;
        let pages = survey.pages.iter().map(|page| page.entry.name).collect();
        let content = survey.content.iter().map(|at| at.entry.name).collect();
        Ok(Release { root, objects, by_name, pages, content, ahead: BTreeMap::new() })
    }

    /// The signed root.
    pub fn root(&self) -> &SignedRoot {
        &self.root
    }

    /// What messages call this version by.
    pub fn id(&self) -> ShortHash {
        self.root.hash().short()
    }

    /// Every object: its name and its bytes before packing.
    pub fn objects(&self) -> impl Iterator<Item = (Hash, &[u8])> {
        self.objects.iter().map(|(object, raw)| (object.name, raw.as_slice()))
    }

    /// Packs what a site that has all of `base` lacks, so that a hub which is
    /// given this release need not: worth it where many are, as in simulations.
    pub fn pack_ahead(&mut self, base: &Release) {
        for position in self.lacking(Some(base)) {
            if let Some(prepared) = self.prepare(position, Some(base)) {
                self.ahead.insert((base.id(), position), prepared);
            }
        }
    }

    /// The top page.
    pub(crate) fn top(&self) -> Hash {
        self.root.root().manifest
    }

    pub(crate) fn get(&self, name: &Hash) -> Option<&(Object, Vec<u8>)> {
        self.objects.get(self.position(name)?)
    }

    /// Where the object stands in the order of a bundle.
    pub(crate) fn position(&self, name: &Hash) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// The page of this short name.
    pub(crate) fn page(&self, short: ShortHash) -> Option<&[u8]> {
        let (name, at) = self.by_name.range(Hash::first_of(short)..).next()?;
        let (object, raw) = self.objects.get(*at)?;
        (name.short() == short && object.kind == ObjectKind::Page).then_some(raw)
    }

    /// The places, in the order of a bundle, of what a site that has all of
    /// `base` lacks.
    pub(crate) fn lacking(&self, base: Option<&Release>) -> Vec<usize> {
        let has =
            |object: &Object| base.is_some_and(|base| base.by_name.contains_key(&object.name));
        (0..self.objects.len())
            .filter(|at| self.objects.get(*at).is_some_and(|(object, _)| !has(object)))
            .collect()
    }

    /// The object at `position` as small as it gets for a site that has all of
    /// `base`.
    pub(crate) fn prepare(&self, position: usize, base: Option<&Release>) -> Option<Prepared> {
        let (object, raw) = self.objects.get(position)?;
        let whole =
            Prepared { name: object.name.short(), base: None, packed: object.packed.clone() };
        let Some(base) = base else { return Some(whole) };
        if let Some(prepared) = self.ahead.get(&(base.id(), position)) {
            return Some(prepared.clone());
        }
        let (new, old) = match object.kind {
            ObjectKind::Page => (&self.pages, &base.pages),
            _ => (&self.content, &base.content),
        };
        let is_shared = |name: &Hash| self.by_name.contains_key(name);
        let was_there = |name: &Hash| base.by_name.contains_key(name);
        let at = new.iter().position(|name| *name == object.name)?;
        let tried = replaced(new, old, at, &was_there, &is_shared).into_iter().filter_map(|name| {
            let (_, base_raw) = base.get(name)?;
            let bytes = pack_on(base_raw, raw).filter(|bytes| bytes.len() <= MAX_PACKED_BYTES)?;
            let packed = Packed { packing: Packing::ZstdPrefix, bytes };
            Some(Prepared { name: whole.name, base: Some(name.short()), packed })
        });
        let bytes = |prepared: &Prepared| prepared.item().encoded_bytes();
        let best = tried.min_by_key(bytes);
        Some(match best {
            Some(best) if bytes(&best) < bytes(&whole) => best,
            _ => whole,
        })
    }
}

/// The old objects that the new one at `at` may have come from: those that are
/// gone and stood between the same neighbours, the likeliest of them.
fn replaced<'a>(
    new: &[Hash],
    old: &'a [Hash],
    at: usize,
    was_there: &dyn Fn(&Hash) -> bool,
    is_still: &dyn Fn(&Hash) -> bool,
) -> Vec<&'a Hash> {
    // How many new objects in a row this one is in, and its place among them.
    let before = new.iter().take(at).rev().take_while(|name| !was_there(name)).count();
    let after = new.iter().skip(at + 1).take_while(|name| !was_there(name)).count();
    let neighbour = at.checked_sub(before + 1).and_then(|at| new.get(at));
    let start = neighbour.and_then(|name| old.iter().position(|other| other == name));
    let run: Vec<&Hash> = old
        .iter()
        .skip(start.map_or(0, |start| start + 1))
        .take_while(|name| !is_still(name))
        .collect();
    let likeliest = before * run.len() / (before + after + 1);
    let first = likeliest.saturating_sub(MAX_BASES / 2);
    run.into_iter().skip(first).take(MAX_BASES).collect()
}
