use jibu_types::Passage;

use crate::manifest::Entry;
use crate::{
    Document, GoldenQuery, Hash, ObjectError, ObjectKind, Root, SignedRoot, segment, tree,
};

/// Where a site keeps the objects that it has: by name, before packing.
pub trait Shelf {
    /// An object's bytes. `None` when it is not there or cannot be read.
    fn object(&self, name: &Hash) -> Option<Vec<u8>>;
}

/// A version whose objects all lie on the shelf, every one of them found to be
/// what the signed root names.
#[derive(Debug)]
pub struct Edition {
    root: SignedRoot,
    segments: Vec<Entry>,
    golden: Vec<GoldenQuery>,
}

/// Why a version cannot be read from the shelf.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditionError {
    /// Objects are missing or damaged: tell the site peer with
    /// [`crate::site::Input::Lost`], and it fetches them again.
    #[error("{} stored parts of the version are missing or damaged", .0.len())]
    Lost(Vec<Hash>),
    /// What the hub signed cannot be read or does not add up.
    #[error("the version cannot be used though your hub signed it: publish it again there")]
    Faulty(#[source] ObjectError),
}

impl Edition {
    /// Reads and checks a version: every object's hash, form and count, the
    /// dictionary and the sums that the root gives.
    ///
    /// # Errors
    /// See [`EditionError`].
    pub fn open(root: &SignedRoot, shelf: &dyn Shelf) -> Result<Self, EditionError> {
        let genuine = |name: &Hash| shelf.object(name).filter(|raw| Hash::of(raw) == *name);
        let faulty = EditionError::Faulty;
        let survey = tree::survey(root.root().manifest, genuine).map_err(faulty)?;
        let mut lost: Vec<Hash> = survey.missing.iter().map(|page| page.entry.name).collect();
        let mut golden = Vec::new();
        let mut dictionary = blake3::Hasher::new();
        for located in &survey.content {
            let Some(raw) = genuine(&located.entry.name) else {
                lost.push(located.entry.name);
                continue;
            };
            if !located.fits(&raw) {
                return Err(faulty(ObjectError::Content));
            }
            check(&located.entry, &raw).map_err(faulty)?;
            match located.entry.kind {
                ObjectKind::Golden => {
                    golden.append(&mut segment::decode_golden(&raw).map_err(faulty)?);
                }
                ObjectKind::Shared => drop(dictionary.update(&raw)),
                ObjectKind::Passages | ObjectKind::Page => {}
            }
        }
        if !lost.is_empty() {
            return Err(EditionError::Lost(lost));
        }
        let shares = survey.content.iter().any(|at| at.entry.kind == ObjectKind::Shared);
        let dictionary = shares.then(|| Hash::from_bytes(*dictionary.finalize().as_bytes()));
        if survey.passages() != root.root().passages || dictionary != root.root().dictionary {
            return Err(faulty(ObjectError::Content));
        }
        let entries = survey.content.into_iter().map(|located| located.entry);
        let segments = entries.filter(|entry| entry.kind != ObjectKind::Golden).collect();
        Ok(Edition { root: root.clone(), segments, golden })
    }

    /// What the hub says of this version.
    pub fn root(&self) -> &Root {
        self.root.root()
    }

    /// The root as it was signed.
    pub fn signed_root(&self) -> &SignedRoot {
        &self.root
    }

    /// The questions that the site must answer well before it uses this version.
    pub fn golden(&self) -> &[GoldenQuery] {
        &self.golden
    }

    /// The documents in order of their paths, segment by segment: a document
    /// that reaches over several segments comes in as many parts. An error is
    /// of a shelf that has changed since [`Edition::open`].
    pub fn documents(
        &self,
        shelf: &dyn Shelf,
    ) -> impl Iterator<Item = Result<Document, EditionError>> {
        self.segments.iter().flat_map(|entry| {
            let raw = shelf.object(&entry.name).filter(|raw| Hash::of(raw) == entry.name);
            let documents = raw
                .ok_or_else(|| EditionError::Lost(vec![entry.name]))
                .and_then(|raw| segment::decode(&raw).map_err(EditionError::Faulty));
            let (documents, error) = match documents {
                Ok(documents) => (documents, None),
                Err(error) => (Vec::new(), Some(Err(error))),
            };
            documents.into_iter().map(Ok).chain(error)
        })
    }

    /// Every passage in reading order; errors as of [`Edition::documents`].
    pub fn passages(
        &self,
        shelf: &dyn Shelf,
    ) -> impl Iterator<Item = Result<Passage, EditionError>> {
        self.documents(shelf).flat_map(|document| {
            let (passages, error) = match document {
                Ok(document) => (Some(document.into_passages(&self.root().collection)), None),
                Err(error) => (None, Some(Err(error))),
            };
            passages.into_iter().flatten().map(Ok).chain(error)
        })
    }
}

/// Whether the bytes of an object have the form and the count that its entry
/// gives. Pages are for [`tree::survey`] to read.
///
/// # Errors
/// [`ObjectError::Content`].
pub(crate) fn check(entry: &Entry, raw: &[u8]) -> Result<(), ObjectError> {
    let items = match entry.kind {
        ObjectKind::Page => return Ok(()),
        ObjectKind::Golden => segment::decode_golden(raw)?.len(),
        ObjectKind::Passages | ObjectKind::Shared => {
            segment::decode(raw)?.iter().map(|document| document.passages.len()).sum()
        }
    };
    if items as u64 == u64::from(entry.items) { Ok(()) } else { Err(ObjectError::Content) }
}
