use std::collections::BTreeSet;

use jibu_types::{CollectionName, IndexVersion, Language, Timestamp};

use crate::manifest::{self, Entry};
use crate::pack::{Dictionary, MAX_PACKED_BYTES, Packer};
use crate::past::Past;
use crate::{
    Content, Document, GoldenQuery, Hash, MAX_PASSAGE_BYTES, Packed, Release, Root, cut, segment,
};

/// What an object is. The numbers are part of the format, and the first byte
/// of every object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ObjectKind {
    /// A page of the manifest.
    Page = 1,
    /// A segment of passages.
    Passages = 2,
    /// A list of golden queries.
    Golden = 3,
    /// A segment of passages that is also a part of the dictionary. The object
    /// itself is of the kind before; a manifest's entry says this of it.
    Shared = 4,
}

impl ObjectKind {
    /// The kind of a number on the wire.
    pub fn from_wire(number: u8) -> Option<Self> {
        match number {
            1 => Some(ObjectKind::Page),
            2 => Some(ObjectKind::Passages),
            3 => Some(ObjectKind::Golden),
            4 => Some(ObjectKind::Shared),
            _ => None,
        }
    }
}

/// An immutable object: what is fetched, kept and passed on by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// What it is.
    pub kind: ObjectKind,
    /// The hash of its bytes before packing.
    pub name: Hash,
    /// How many bytes those are.
    pub raw_bytes: u32,
    /// Its bytes as they travel.
    pub packed: Packed,
}

/// A collection's content as objects.
#[derive(Debug)]
pub struct Snapshot {
    collection: CollectionName,
    objects: Vec<Object>,
    manifest: Hash,
    passages: u64,
    dictionary: Option<Hash>,
    languages: Vec<Language>,
}

/// Why content cannot become a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    /// There is no passage.
    #[error("the collection \"{0}\" has no passages: ingest documents first")]
    Empty(CollectionName),
    /// Two documents share a path.
    #[error("the document \"{0}\" is there twice: give one of them another path")]
    Duplicate(String),
    /// A passage or its document's fields are too long.
    #[error(
        "a passage of \"{document}\" has {bytes} bytes with its document's fields and may have \
         {MAX_PASSAGE_BYTES}: split it (it begins \"{beginning}\")"
    )]
    TooLong {
        /// The document's path.
        document: String,
        /// The passage's first words.
        beginning: String,
        /// Its encoded bytes.
        bytes: usize,
    },
    /// A golden query names a document that is not there, or is too long.
    #[error(
        "the golden query \"{question}\" wants the document \"{document}\", which is not in the \
         collection: correct its path, or ingest the document"
    )]
    GoldenDocument {
        /// The query's question.
        question: String,
        /// The document that it names.
        document: String,
    },
    /// A golden query is too long.
    #[error(
        "the golden query that begins \"{0}\" is longer than {MAX_PASSAGE_BYTES} bytes: shorten it"
    )]
    GoldenTooLong(String),
    /// More objects than a manifest can name.
    #[error("the collection is too large for one manifest: split it into several collections")]
    TooLarge,
}

impl Snapshot {
    /// Cuts, packs and names a collection's content, as content alone decides:
    /// the same content always gives the same names.
    ///
    /// # Errors
    /// When there is nothing, something is too long, or something is named that
    /// is not there.
    pub fn build(content: Content) -> Result<Self, SnapshotError> {
        Self::build_on(content, None)
    }

    /// As [`Snapshot::build`], but with the borders of the version before, so
    /// that what has changed costs its words. Content that has not changed since
    /// gives that version's manifest.
    ///
    /// # Errors
    /// As [`Snapshot::build`].
    pub fn build_after(content: Content, before: &Release) -> Result<Self, SnapshotError> {
        Self::build_on(content, Past::of(before).as_ref())
    }

    fn build_on(content: Content, past: Option<&Past>) -> Result<Self, SnapshotError> {
        let Content { collection, mut documents, golden } = content;
        documents.retain(|document| !document.passages.is_empty());
        documents.sort_by(|a, b| a.path.cmp(&b.path));
        check(&collection, &documents, &golden)?;
        let languages: BTreeSet<Language> = documents.iter().map(|d| d.language).collect();

        let Segments { segments, raw, shared } = Segments::of(documents, past);
        let (dictionary, parts) = Dictionary::of_segments(&raw, &shared).unzip();
        let packer = Packer::new(dictionary.as_ref().map_or(&[], Dictionary::parts));
        let mut parts = parts.unwrap_or_default().into_iter().peekable();
        let mut nodes = Vec::new();
        for (documents, raw) in segments.into_iter().zip(raw) {
            // The parts come in the order of the segments.
            match parts.next_if(|(name, _)| *name == Hash::of(&raw)) {
                Some((_, packed)) => nodes.push(Node::shared(&documents, &raw, packed)),
                None => push_segments(&mut nodes, documents, &packer),
            }
        }
        push_golden(&mut nodes, golden, &packer);

        let passages = nodes.iter().map(|node| node.entry().passages()).sum();
        let levels = past.map_or(&[][..], |past| &past.levels);
        let top = tree(nodes, levels).ok_or(SnapshotError::TooLarge)?;
        let manifest = top.object.name;
        let mut objects = Vec::new();
        top.flatten(&mut objects);
        objects.sort_by_key(|object| match object.kind {
            ObjectKind::Page => 0,
            ObjectKind::Shared => 1,
            ObjectKind::Passages | ObjectKind::Golden => 2,
        });
        Ok(Snapshot {
            collection,
            objects,
            manifest,
            passages,
            dictionary: dictionary.as_ref().map(Dictionary::hash),
            languages: languages.into_iter().collect(),
        })
    }

    /// The root that names this snapshot.
    pub fn root(
        &self,
        version: IndexVersion,
        previous: Option<Hash>,
        issued: Timestamp,
        expires: Option<Timestamp>,
    ) -> Root {
        Root {
            collection: self.collection.clone(),
            version,
            previous,
            manifest: self.manifest,
            bytes: self.bytes(),
            passages: self.passages,
            dictionary: self.dictionary,
            model: None,
            issued,
            expires,
            languages: self.languages.clone(),
        }
    }

    /// Every object in the order of a bundle: the manifest's pages, the parts of
    /// the dictionary, then the rest in reading order.
    pub fn objects(&self) -> &[Object] {
        &self.objects
    }

    /// The manifest's top page.
    pub fn manifest(&self) -> Hash {
        self.manifest
    }

    /// The packed bytes of all objects.
    pub fn bytes(&self) -> u64 {
        self.objects.iter().map(|object| object.packed.bytes.len() as u64).sum()
    }

    /// How many passages there are.
    pub fn passages(&self) -> u64 {
        self.passages
    }
}

/// Documents as segments, their bytes, and which are to be parts of the
/// dictionary.
struct Segments {
    segments: Vec<Vec<Document>>,
    raw: Vec<Vec<u8>>,
    shared: Vec<bool>,
}

impl Segments {
    fn of(documents: Vec<Document>, past: Option<&Past>) -> Self {
        let encode = |segments: &[Vec<Document>]| -> Vec<Vec<u8>> {
            segments.iter().map(|segment| segment::encode(segment)).collect()
        };
        let Some(past) = past else {
            let segments = cut::cut(documents);
            let raw = encode(&segments);
            return Segments { shared: Dictionary::choose(&raw), segments, raw };
        };
        let (segments, from): (Vec<_>, Vec<usize>) =
            cut::cut_after(&documents, &past.segments).into_iter().unzip();
        let raw = encode(&segments);
        let was = |from: &usize| past.segments.get(*from).is_some_and(|old| old.is_shared);
        let kept = from.iter().map(was).collect();
        let names = past.segments.iter().map(|old| old.name);
        let shared = match raw.iter().map(|raw| Hash::of(raw)).eq(names) {
            true => kept,
            false => Dictionary::choose_after(&raw, kept),
        };
        Segments { segments, raw, shared }
    }
}

/// An object and what it names.
struct Node {
    object: Object,
    items: u32,
    children: Vec<Node>,
}

impl Node {
    fn object(kind: ObjectKind, raw: &[u8], items: usize, packer: &Packer) -> Self {
        let object = Object {
            kind,
            name: Hash::of(raw),
            raw_bytes: raw.len() as u32,
            packed: packer.pack(raw),
        };
        Node { object, items: items as u32, children: Vec::new() }
    }

    /// A segment that is a part of the dictionary and packed as such.
    fn shared(documents: &[Document], raw: &[u8], packed: Packed) -> Self {
        let kind = ObjectKind::Shared;
        let object = Object { kind, name: Hash::of(raw), raw_bytes: raw.len() as u32, packed };
        Node { object, items: count(documents) as u32, children: Vec::new() }
    }

    fn page(children: Vec<Node>) -> Self {
        let entries: Vec<Entry> = children.iter().map(Node::entry).collect();
        let items = entries.iter().map(Entry::passages).sum::<u64>() as usize;
        let raw = manifest::encode(&entries);
        let page = Node::object(ObjectKind::Page, &raw, items, &Packer::new(&[]));
        Node { children, ..page }
    }

    fn entry(&self) -> Entry {
        let Object { kind, name, raw_bytes, .. } = self.object;
        Entry { kind, name, raw_bytes, items: self.items }
    }

    fn flatten(self, objects: &mut Vec<Object>) {
        objects.push(self.object);
        self.children.into_iter().for_each(|child| child.flatten(objects));
    }
}

fn check(
    collection: &CollectionName,
    documents: &[Document],
    golden: &[GoldenQuery],
) -> Result<(), SnapshotError> {
    if documents.is_empty() {
        return Err(SnapshotError::Empty(collection.clone()));
    }
    if let Some(pair) = documents.windows(2).find(|pair| pair[0].path == pair[1].path) {
        return Err(SnapshotError::Duplicate(pair[0].path.clone()));
    }
    for document in documents {
        let head_bytes = segment::encode(&[document.head()]).len();
        for body in &document.passages {
            let bytes = head_bytes + segment::encode_body(body).len();
            if bytes > MAX_PASSAGE_BYTES {
                let document = document.path.clone();
                return Err(SnapshotError::TooLong {
                    document,
                    beginning: beginning(&body.text),
                    bytes,
                });
            }
        }
    }
    for query in golden {
        if documents.binary_search_by(|d| d.path.as_str().cmp(&query.document)).is_err() {
            let GoldenQuery { question, document, .. } = query.clone();
            return Err(SnapshotError::GoldenDocument { question, document });
        }
        if segment::encode_golden(std::slice::from_ref(query)).len() > MAX_PASSAGE_BYTES {
            return Err(SnapshotError::GoldenTooLong(beginning(&query.question)));
        }
    }
    Ok(())
}

fn beginning(text: &str) -> String {
    text.chars().take(40).collect()
}

/// Packs a segment, in halves where it does not fit as a whole (text that
/// hardly compresses).
fn push_segments(nodes: &mut Vec<Node>, documents: Vec<Document>, packer: &Packer) {
    let count = count(&documents);
    let node = Node::object(ObjectKind::Passages, &segment::encode(&documents), count, packer);
    if node.object.packed.bytes.len() <= MAX_PACKED_BYTES || count < 2 {
        return nodes.push(node);
    }
    let (mut first, mut second) = (Vec::new(), Vec::new());
    let mut room = count / 2;
    for mut document in documents {
        let kept = document.passages.len().min(room);
        room -= kept;
        let head = document.head();
        let rest = document.passages.split_off(kept);
        if !document.passages.is_empty() {
            first.push(document);
        }
        if !rest.is_empty() {
            second.push(Document { passages: rest, ..head });
        }
    }
    push_segments(nodes, first, packer);
    push_segments(nodes, second, packer);
}

fn count(documents: &[Document]) -> usize {
    documents.iter().map(|document| document.passages.len()).sum()
}

/// Packs golden queries in their order, as many to an object as surely fit.
fn push_golden(nodes: &mut Vec<Node>, golden: Vec<GoldenQuery>, packer: &Packer) {
    let mut open: Vec<GoldenQuery> = Vec::new();
    for query in golden {
        open.push(query);
        if segment::encode_golden(&open).len() > MAX_PASSAGE_BYTES
            && let Some(last) = open.pop()
        {
            let full = std::mem::replace(&mut open, vec![last]);
            let raw = segment::encode_golden(&full);
            nodes.push(Node::object(ObjectKind::Golden, &raw, full.len(), packer));
        }
    }
    if !open.is_empty() {
        let raw = segment::encode_golden(&open);
        nodes.push(Node::object(ObjectKind::Golden, &raw, open.len(), packer));
    }
}

/// Pages above `nodes` up to a single top page, with the borders of the version
/// before as far as its `levels` go. `None` when it would be too high.
fn tree(mut nodes: Vec<Node>, levels: &[Vec<Vec<Hash>>]) -> Option<Node> {
    for level in 0..manifest::MAX_LEVELS {
        let names: Vec<Hash> = nodes.iter().map(|node| node.object.name).collect();
        let ends = match levels.get(level) {
            Some(old) => manifest::page_ends_after(&names, old),
            None => manifest::page_ends(&names),
        };
        let mut nodes_left = nodes.into_iter();
        let mut start = 0;
        let mut pages = Vec::new();
        for end in ends {
            pages.push(Node::page(nodes_left.by_ref().take(end - start).collect()));
            start = end;
        }
        if pages.len() == 1 {
            return pages.pop();
        }
        nodes = pages;
    }
    None
}
