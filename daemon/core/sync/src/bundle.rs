//! The bundle file: a version of a collection on a stick. `FORMAT.md` has its
//! bytes.

use jibu_types::Passage;

use crate::manifest::{self, Entry, MAX_LEVELS};
use crate::pack::{Dictionary, unpack};
use crate::{
    Document, GoldenQuery, Hash, MAX_PACKED_BYTES, MAX_RAW_BYTES, Object, ObjectError, ObjectKind,
    Packed, Packing, PublicKey, Root, RootError, SignedRoot, Snapshot, segment,
};

/// The first bytes of a bundle. Like PNG's they show when a transfer cut the
/// eighth bit or changed line ends.
pub const MAGIC: [u8; 8] = *b"\x89JIBU\r\n\x1a";

/// The format that this program writes and reads.
pub const FORMAT: u16 = 1;

const HEADER_BYTES: usize = 20;
const CHECKSUM_BYTES: usize = 32;

/// A bundle whose signature, hashes and counts have all been found right.
pub struct Bundle<'a> {
    root: SignedRoot,
    dictionary: Option<Dictionary>,
    objects: Vec<Sealed<'a>>,
    segments: Vec<Part<'a>>,
    golden: Vec<GoldenQuery>,
}

/// Why bytes are no bundle that this site may use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// Another kind of file.
    #[error("this is not a Jibu bundle: choose a file that `jibu-hub bundle` has written")]
    NotABundle,
    /// A format of another time.
    #[error(
        "the bundle has format {found} and this program reads format {FORMAT}: {}",
        if *found > FORMAT {
            "update this program"
        } else {
            "let a current jibu-hub write the bundle again"
        }
    )]
    Format {
        /// The format that the file names.
        found: u16,
    },
    /// The file ends too early.
    #[error(
        "the bundle is cut short: {found} bytes of {}: copy it again",
        expected.map_or("a longer file".to_owned(), |bytes| bytes.to_string())
    )]
    Truncated {
        /// The bytes that are there.
        found: u64,
        /// The bytes that should be, where the file says so.
        expected: Option<u64>,
    },
    /// Something follows the bundle's end.
    #[error("{0} bytes follow the bundle's end, so something was added to it: copy it again")]
    TrailingBytes(u64),
    /// The checksum does not fit.
    #[error("the bundle was damaged on its way (its checksum does not fit): copy it again")]
    Damaged,
    /// Signed by a key that this site does not follow.
    #[error(
        "the bundle was signed by another hub (key {}): import a bundle of your own hub \
         (key {}), or set hub.public_key",
        found.short(),
        expected.short()
    )]
    OtherHub {
        /// The key that signed it.
        found: PublicKey,
        /// The key that this site follows.
        expected: PublicKey,
    },
    /// The root is not to be believed.
    #[error(
        "the bundle's root is not your hub's: do not use this file, and get a new one from the hub"
    )]
    Root(#[source] RootError),
    /// An object is not what the signed manifest says.
    #[error(
        "part {part} of the bundle is not what your hub signed: do not use this file, and get a \
         new one from the hub"
    )]
    Object {
        /// The object's place in the file, counted from 1.
        part: usize,
        /// What is wrong with it.
        #[source]
        source: ObjectError,
    },
    /// The root and what it names disagree.
    #[error(
        "the bundle holds {found} {what} where its root says {said}: get a new one from the hub"
    )]
    Count {
        /// What was counted.
        what: &'static str,
        /// The root's figure.
        said: u64,
        /// The file's figure.
        found: u64,
    },
    /// A bundle was to be written of a root and a snapshot that do not belong
    /// together.
    #[error("the root names another snapshot: sign a root of this snapshot")]
    OtherSnapshot,
}

/// What a caller may want to know of a [`BundleError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BundleErrorKind {
    /// Copying the file again may help.
    CopyAgain,
    /// It is another file than the one that was meant, or of another hub.
    WrongFile,
    /// One side's program is too old.
    Outdated,
    /// Somebody or something changed what the hub signed.
    NotAuthentic,
}

impl BundleError {
    /// What can be done about it.
    pub fn kind(&self) -> BundleErrorKind {
        match self {
            BundleError::Truncated { .. }
            | BundleError::TrailingBytes(_)
            | BundleError::Damaged => BundleErrorKind::CopyAgain,
            BundleError::NotABundle | BundleError::OtherHub { .. } | BundleError::OtherSnapshot => {
                BundleErrorKind::WrongFile
            }
            BundleError::Format { .. } | BundleError::Root(RootError::Format(_)) => {
                BundleErrorKind::Outdated
            }
            BundleError::Root(_) | BundleError::Object { .. } | BundleError::Count { .. } => {
                BundleErrorKind::NotAuthentic
            }
        }
    }
}

/// Writes a version as a bundle file.
///
/// # Errors
/// [`BundleError::OtherSnapshot`] when `root` does not name `snapshot`.
pub fn write(root: &SignedRoot, snapshot: &Snapshot) -> Result<Vec<u8>, BundleError> {
    if root.root().manifest != snapshot.manifest() || root.root().bytes != snapshot.bytes() {
        return Err(BundleError::OtherSnapshot);
    }
    let objects = snapshot.objects().iter();
    let packed = objects.map(|object| (object.packed.packing, object.packed.bytes.as_slice()));
    Ok(assemble(root, packed))
}

/// Writes a bundle's content once more under another root: an old version that
/// is published again as a higher one.
///
/// # Errors
/// As [`read`], and [`BundleError::OtherSnapshot`] when `root` does not name
/// what the bundle holds.
pub fn rewrite(bytes: &[u8], key: &PublicKey, root: &SignedRoot) -> Result<Vec<u8>, BundleError> {
    let bundle = read(bytes, key)?;
    let (old, new) = (bundle.root(), root.root());
    if (old.manifest, old.bytes, old.passages) != (new.manifest, new.bytes, new.passages) {
        return Err(BundleError::OtherSnapshot);
    }
    Ok(assemble(root, bundle.objects.iter().map(|sealed| sealed.packed)))
}

/// A bundle's bytes. Objects are at most [`MAX_PACKED_BYTES`] long.
fn assemble<'o>(root: &SignedRoot, objects: impl Iterator<Item = (Packing, &'o [u8])>) -> Vec<u8> {
    let mut body = Vec::new();
    for (packing, bytes) in objects {
        body.push(packing as u8);
        body.extend((bytes.len() as u16).to_be_bytes());
        body.extend(bytes);
    }
    let total = HEADER_BYTES + root.as_bytes().len() + body.len() + CHECKSUM_BYTES;
    let mut file = Vec::with_capacity(total);
    file.extend(MAGIC);
    file.extend(FORMAT.to_be_bytes());
    file.extend((root.as_bytes().len() as u16).to_be_bytes());
    file.extend((total as u64).to_be_bytes());
    file.extend(root.as_bytes());
    file.append(&mut body);
    let checksum = Hash::of(&file);
    file.extend(checksum.as_bytes());
    file
}

/// Reads a bundle and checks all of it: that the file is whole, that `key`
/// signed its root, that every object is the one that the root's manifest
/// names, that nothing is missing and nothing is added. Whether the version may
/// be used here is [`crate::admissible`]'s question.
///
/// # Errors
/// See [`BundleError`]; its sentences are for whoever holds the stick.
pub fn read<'a>(bytes: &'a [u8], key: &PublicKey) -> Result<Bundle<'a>, BundleError> {
    let (root, body) = open(bytes)?;
    let root = SignedRoot::verify(root, key).map_err(|error| match error {
        RootError::OtherHub { found, expected } => BundleError::OtherHub { found, expected },
        other => BundleError::Root(other),
    })?;
    let mut walk = Walk { rest: body, ..Walk::default() };
    walk.content(root.root())?;
    let Walk { dictionary, objects, segments, golden, .. } = walk;
    Ok(Bundle { root, dictionary, objects, segments, golden })
}

impl Bundle<'_> {
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
    /// that reaches over several segments comes in as many parts.
    pub fn documents(&self) -> impl Iterator<Item = Document> {
        self.segments.iter().flat_map(|part| {
            // `read` has unpacked and decoded these same borrowed bytes with
            // this dictionary, and both are pure functions.
            part.documents(self.dictionary.as_ref()).expect("a verified segment reads again")
        })
    }

    /// Every object in the order of the file, with its bytes before packing.
    pub fn objects(&self) -> impl Iterator<Item = (Object, Vec<u8>)> {
        self.objects.iter().map(|sealed| {
            let Sealed { kind, name, packed: (packing, bytes) } = *sealed;
            let dictionary = self.dictionary.as_ref();
            let part = dictionary.and_then(|dictionary| dictionary.part(name));
            let raw = match part {
                Some(part) => part.to_vec(),
                // `read` has unpacked these same borrowed bytes so.
                None => unpack(packing, bytes, name, MAX_RAW_BYTES, dictionary)
                    .expect("a verified object unpacks again"),
            };
            let packed = Packed { packing, bytes: bytes.to_vec() };
            (Object { kind, name, raw_bytes: raw.len() as u32, packed }, raw)
        })
    }

    /// Every passage in reading order.
    pub fn passages(&self) -> impl Iterator<Item = Passage> {
        self.documents().flat_map(|document| document.into_passages(&self.root().collection))
    }
}

impl std::fmt::Debug for Bundle<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bundle")
            .field("root", self.root())
            .field("segments", &self.segments.len())
            .field("golden", &self.golden.len())
            .finish()
    }
}

/// The envelope: whole and undamaged, as far as the file itself can say. Gives
/// the signed root's bytes and the objects'.
fn open(bytes: &[u8]) -> Result<(&[u8], &[u8]), BundleError> {
    let cut_short = BundleError::Truncated { found: bytes.len() as u64, expected: None };
    let seen = &bytes[..bytes.len().min(MAGIC.len())];
    if !MAGIC.starts_with(seen) {
        return Err(BundleError::NotABundle);
    }
    let Some((header, rest)) = bytes.split_first_chunk::<HEADER_BYTES>() else {
        return Err(cut_short);
    };
    let [.., f0, f1, r0, r1, t0, t1, t2, t3, t4, t5, t6, t7] = *header;
    let found = u16::from_be_bytes([f0, f1]);
    if found != FORMAT {
        return Err(BundleError::Format { found });
    }
    let total = u64::from_be_bytes([t0, t1, t2, t3, t4, t5, t6, t7]);
    match (bytes.len() as u64).checked_sub(total) {
        None => {
            let expected = Some(total);
            return Err(BundleError::Truncated { found: bytes.len() as u64, expected });
        }
        Some(0) => {}
        Some(extra) => return Err(BundleError::TrailingBytes(extra)),
    }
    let (content, checksum) = bytes.split_last_chunk::<CHECKSUM_BYTES>().ok_or(cut_short)?;
    if Hash::of(content).as_bytes() != checksum {
        return Err(BundleError::Damaged);
    }
    let rest = rest.strip_suffix(checksum).ok_or(BundleError::Damaged)?;
    let root_bytes = usize::from(u16::from_be_bytes([r0, r1]));
    rest.split_at_checked(root_bytes).ok_or(BundleError::Damaged)
}

/// An object as it lies in the file.
struct Sealed<'a> {
    kind: ObjectKind,
    name: Hash,
    packed: (Packing, &'a [u8]),
}

/// A segment of a bundle: where it lies in the file, or nowhere when the
/// dictionary holds it.
struct Part<'a> {
    entry: Entry,
    packed: Option<(Packing, &'a [u8])>,
}

impl Part<'_> {
    fn documents(&self, dictionary: Option<&Dictionary>) -> Result<Vec<Document>, ObjectError> {
        match self.packed {
            Some(packed) => segment::decode(&raw(&self.entry, packed, dictionary)?),
            None => {
                let part = dictionary.and_then(|dictionary| dictionary.part(self.entry.name));
                segment::decode(part.ok_or(ObjectError::NoDictionary)?)
            }
        }
    }
}

/// An object's bytes, found to be what the manifest's entry says.
fn raw(
    entry: &Entry,
    (packing, bytes): (Packing, &[u8]),
    dictionary: Option<&Dictionary>,
) -> Result<Vec<u8>, ObjectError> {
    let raw = unpack(packing, bytes, entry.name, entry.raw_bytes as usize, dictionary)?;
    if raw.len() == entry.raw_bytes as usize { Ok(raw) } else { Err(ObjectError::Content) }
}

/// The way through a bundle's objects: the manifest, the segments that make up
/// the dictionary, then the others.
#[derive(Default)]
struct Walk<'a> {
    rest: &'a [u8],
    part: usize,
    bytes: u64,
    passages: u64,
    dictionary: Option<Dictionary>,
    objects: Vec<Sealed<'a>>,
    segments: Vec<Part<'a>>,
    golden: Vec<GoldenQuery>,
}

impl<'a> Walk<'a> {
    fn content(&mut self, root: &Root) -> Result<(), BundleError> {
        self.objects(root).map_err(|source| BundleError::Object { part: self.part, source })?;
        if !self.rest.is_empty() {
            return Err(BundleError::TrailingBytes(self.rest.len() as u64));
        }
        let count = |what, said, found| match said == found {
            true => Ok(()),
            false => Err(BundleError::Count { what, said, found }),
        };
        count("bytes", root.bytes, self.bytes)?;
        count("passages", root.passages, self.passages)
    }

    fn objects(&mut self, root: &Root) -> Result<(), ObjectError> {
        let entries = self.manifest(root)?;
        let mut parts = Vec::new();
        for entry in entries.iter().filter(|entry| entry.kind == ObjectKind::Shared) {
            let packed = self.next_object(entry.kind, entry.name)?;
            // A part may be packed with those before it.
            parts.push(raw(entry, packed, self.dictionary.as_ref())?);
            self.dictionary =
                Some(Dictionary::from_parts(parts.clone()).ok_or(ObjectError::TooLarge)?);
        }
        if self.dictionary.as_ref().map(Dictionary::hash) != root.dictionary {
            return Err(ObjectError::Name);
        }
        for entry in entries {
            let shared = entry.kind == ObjectKind::Shared;
            let packed = match shared {
                true => None,
                false => Some(self.next_object(entry.kind, entry.name)?),
            };
            match packed {
                Some(packed) if entry.kind == ObjectKind::Golden => {
                    let raw = raw(&entry, packed, self.dictionary.as_ref())?;
                    self.golden.append(&mut segment::decode_golden(&raw)?);
                }
                packed => self.segment(Part { entry, packed })?,
            }
        }
        Ok(())
    }

    /// The manifest's pages, from the top one down; gives the entries of content.
    fn manifest(&mut self, root: &Root) -> Result<Vec<Entry>, ObjectError> {
        let (packing, bytes) = self.next_object(ObjectKind::Page, root.manifest)?;
        // The root gives the top page's name alone.
        let top = manifest::decode(&unpack(packing, bytes, root.manifest, MAX_RAW_BYTES, None)?)?;
        let mut content = Vec::new();
        // What is still to be looked at, the next one last.
        let mut wanted: Vec<(usize, Entry)> =
            top.into_iter().rev().map(|entry| (1, entry)).collect();
        while let Some((level, entry)) = wanted.pop() {
            if entry.kind != ObjectKind::Page {
                content.push(entry);
                continue;
            }
            let packed = self.next_object(entry.kind, entry.name)?;
            let below = manifest::decode(&raw(&entry, packed, None)?)?;
            let passages: u64 = below.iter().map(Entry::passages).sum();
            if level >= MAX_LEVELS || passages != u64::from(entry.items) {
                return Err(ObjectError::Content);
            }
            wanted.extend(below.into_iter().rev().map(|entry| (level + 1, entry)));
        }
        Ok(content)
    }

    fn segment(&mut self, part: Part<'a>) -> Result<(), ObjectError> {
        let documents = part.documents(self.dictionary.as_ref())?;
        let count: usize = documents.iter().map(|document| document.passages.len()).sum();
        if count as u64 != u64::from(part.entry.items) {
            return Err(ObjectError::Content);
        }
        self.passages += count as u64;
        self.segments.push(part);
        Ok(())
    }

    /// The next object of the file, which has to be the one called `name`.
    fn next_object(
        &mut self,
        kind: ObjectKind,
        name: Hash,
    ) -> Result<(Packing, &'a [u8]), ObjectError> {
        self.part += 1;
        let (head, rest) = self.rest.split_first_chunk::<3>().ok_or(ObjectError::Frame)?;
        let [packing, l0, l1] = *head;
        let packing = Packing::from_wire(packing).ok_or(ObjectError::Packing)?;
        let length = usize::from(u16::from_be_bytes([l0, l1]));
        if length > MAX_PACKED_BYTES {
            return Err(ObjectError::TooLarge);
        }
        let (bytes, rest) = rest.split_at_checked(length).ok_or(ObjectError::Frame)?;
        self.rest = rest;
        self.bytes += length as u64;
        self.objects.push(Sealed { kind, name, packed: (packing, bytes) });
        Ok((packing, bytes))
    }
}

#[cfg(test)]
mod tests;
