//! The bundle file: a version of a collection on a stick. `FORMAT.md` has its
//! bytes.

use jibu_types::Passage;

use crate::manifest::{self, Entry, MAX_LEVELS};
use crate::pack::{Dictionary, unpack};
use crate::{
    Document, GoldenQuery, Hash, MAX_PACKED_BYTES, MAX_RAW_BYTES, ObjectError, ObjectKind, Packing,
    PublicKey, Root, RootError, SignedRoot, Snapshot, segment,
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
    let mut body = Vec::new();
    for object in snapshot.objects() {
        body.push(object.packed.packing as u8);
        // A snapshot's objects are at most MAX_PACKED_BYTES long.
        body.extend((object.packed.bytes.len() as u16).to_be_bytes());
        body.extend(&object.packed.bytes);
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
    Ok(file)
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
    let Walk { dictionary, segments, golden, .. } = walk;
    Ok(Bundle { root, dictionary, segments, golden })
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
            // this dictionary, which it completed first, and both are pure
            // functions.
            part.documents(self.dictionary.as_ref()).expect("a verified segment reads again")
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

/// An object where it lies in the file, with what the manifest says of it.
struct Part<'a> {
    entry: Entry,
    packing: Packing,
    bytes: &'a [u8],
}

impl Part<'_> {
    fn raw(&self, dictionary: Option<&Dictionary>) -> Result<Vec<u8>, ObjectError> {
        let Entry { name, raw_bytes, .. } = self.entry;
        let raw = match dictionary.and_then(|dictionary| dictionary.part(name)) {
            Some(part) => part.to_vec(),
            None => unpack(self.packing, self.bytes, name, raw_bytes as usize, dictionary)?,
        };
        if raw.len() == raw_bytes as usize { Ok(raw) } else { Err(ObjectError::Content) }
    }

    fn documents(&self, dictionary: Option<&Dictionary>) -> Result<Vec<Document>, ObjectError> {
        segment::decode(&self.raw(dictionary)?)
    }
}

/// The way through a bundle's objects, from the manifest's top page down.
#[derive(Default)]
struct Walk<'a> {
    rest: &'a [u8],
    part: usize,
    bytes: u64,
    passages: u64,
    dictionary: Option<Dictionary>,
    segments: Vec<Part<'a>>,
    golden: Vec<GoldenQuery>,
}

impl<'a> Walk<'a> {
    fn content(&mut self, root: &Root) -> Result<(), BundleError> {
        let top = self.top(root).map_err(|source| self.fault(source))?;
        // What is still to be read, the next one last.
        let mut wanted: Vec<(usize, Entry)> = Vec::new();
        wanted.extend(top.into_iter().rev().map(|entry| (1, entry)));
        while let Some((level, entry)) = wanted.pop() {
            let entries = self.object(level, entry).map_err(|source| self.fault(source))?;
            wanted.extend(entries.into_iter().rev().map(|entry| (level + 1, entry)));
        }
        if !self.rest.is_empty() {
            return Err(BundleError::TrailingBytes(self.rest.len() as u64));
        }
        let count = |what, said, found| match said == found {
            true => Ok(()),
            false => Err(BundleError::Count { what, said, found }),
        };
        count("bytes", root.bytes, self.bytes)?;
        count("passages", root.passages, self.passages)?;
        let dictionary = self.dictionary.as_ref().map(Dictionary::hash);
        if root.dictionary != dictionary {
            return Err(self.fault(ObjectError::Name));
        }
        Ok(())
    }

    /// The manifest's top page, of which the root gives the name alone.
    fn top(&mut self, root: &Root) -> Result<Vec<Entry>, ObjectError> {
        let (packing, bytes) = self.next_object()?;
        manifest::decode(&unpack(packing, bytes, root.manifest, MAX_RAW_BYTES, None)?)
    }

    /// Checks one object; a page gives the entries below it.
    fn object(&mut self, level: usize, entry: Entry) -> Result<Vec<Entry>, ObjectError> {
        // What the dictionary holds has come already and is not repeated.
        let dictionary = self.dictionary.as_ref();
        let known = dictionary.is_some_and(|dictionary| dictionary.part(entry.name).is_some());
        let (packing, bytes) = if known { (Packing::Stored, &[][..]) } else { self.next_object()? };
        let part = Part { entry, packing, bytes };
        match entry.kind {
            ObjectKind::Page if level >= MAX_LEVELS => return Err(ObjectError::Content),
            ObjectKind::Page => {
                let entries = manifest::decode(&part.raw(None)?)?;
                let passages: u64 = entries.iter().map(Entry::passages).sum();
                let fits = passages == u64::from(entry.items);
                return if fits { Ok(entries) } else { Err(ObjectError::Content) };
            }
            // What is read already was unpacked with the dictionary as it was.
            ObjectKind::DictionaryPart if !self.segments.is_empty() || !self.golden.is_empty() => {
                return Err(ObjectError::Content);
            }
            ObjectKind::DictionaryPart => {
                self.dictionary_part(part.raw(self.dictionary.as_ref())?)?
            }
            ObjectKind::Passages => {
                let documents = part.documents(self.dictionary.as_ref())?;
                let count: usize = documents.iter().map(|document| document.passages.len()).sum();
                if count as u64 != u64::from(entry.items) {
                    return Err(ObjectError::Content);
                }
                self.passages += count as u64;
                self.segments.push(part);
            }
            ObjectKind::Golden => {
                let raw = part.raw(self.dictionary.as_ref())?;
                self.golden.append(&mut segment::decode_golden(&raw)?);
            }
        }
        Ok(Vec::new())
    }

    /// Adds a part to the dictionary; it may be packed with those before it.
    fn dictionary_part(&mut self, raw: Vec<u8>) -> Result<(), ObjectError> {
        let mut parts = self.dictionary.take().map_or_else(Vec::new, |d| d.parts().to_vec());
        parts.push(raw);
        self.dictionary = Some(Dictionary::from_parts(parts).ok_or(ObjectError::TooLarge)?);
        Ok(())
    }

    fn next_object(&mut self) -> Result<(Packing, &'a [u8]), ObjectError> {
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
        Ok((packing, bytes))
    }

    fn fault(&self, source: ObjectError) -> BundleError {
        BundleError::Object { part: self.part, source }
    }
}

#[cfg(test)]
mod tests;
