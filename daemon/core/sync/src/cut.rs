//! Where one segment ends and the next begins.
//!
//! After a version the borders stay where they were ([`cut_after`]). Where there
//! is none, or for a hub that has lost it, content decides ([`cut`]): a border
//! depends on the passage before it and on the size of its own segment, not on
//! what stands further up. So two hubs cut the same documents alike, and what
//! was edited meanwhile changes few segments.

use crate::past::PastSegment;
use crate::regroup::{Group, Rules, regroup};
use crate::segment::{encode, encode_body};
use crate::{Body, Document, Hash};

/// No border before a segment has this many bytes.
const MIN_BYTES: usize = 8 * 1024;

/// Beyond the minimum a border comes after this many bytes on average.
const SPREAD_BYTES: u64 = 8 * 1024;

/// A border always comes before a segment gets larger than this.
const MAX_BYTES: usize = 22 * 1024;

/// A segment that an edit leaves with less is joined to a neighbour.
const LEAST_BYTES: usize = 4 * 1024;

/// A border after a document's last passage is likelier, since the next
/// segment then need not repeat the document's fields.
const END_WEIGHT: u64 = 2;

/// The documents as consecutive segments.
pub(crate) fn cut(documents: Vec<Document>) -> Vec<Vec<Document>> {
    let mut cutter = Cutter::default();
    for document in documents {
        let head = document.head();
        let head_bytes = crate::segment::encode(std::slice::from_ref(&head)).len();
        let last = document.passages.len().saturating_sub(1);
        cutter.begun = false;
        for (position, body) in document.passages.into_iter().enumerate() {
            cutter.take(&head, head_bytes, body, position == last);
        }
    }
    cutter.finish()
}

/// The documents as consecutive segments with the borders of the version before,
/// each with the place of the old segment that it goes on from.
pub(crate) fn cut_after(
    documents: &[Document],
    past: &[PastSegment],
) -> Vec<(Vec<Document>, usize)> {
    let old: Vec<Vec<Hash>> = past.iter().map(|segment| keys(&segment.documents)).collect();
    let new = keys(documents);
    let passages = Passages::of(documents);
    let rules = Rules {
        least: LEAST_BYTES,
        most: MAX_BYTES,
        size: &|range| passages.bytes(range.start, range.end),
        is_kept: &|Group { range, from }| {
            let raw = encode(&passages.documents(range.start, range.end));
            past.get(*from).is_some_and(|old| old.name == Hash::of(&raw))
        },
    };
    let groups = regroup(&old, &new, &rules).into_iter();
    groups.map(|Group { range, from }| (passages.documents(range.start, range.end), from)).collect()
}

/// What each passage is known again by: its document's path, and itself.
fn keys(documents: &[Document]) -> Vec<Hash> {
    let key = |path: &str, body: &Body| {
        Hash::of(&[Hash::of(path.as_bytes()).as_bytes(), encode_body(body).as_slice()].concat())
    };
    documents
        .iter()
        .flat_map(|document| document.passages.iter().map(|body| key(&document.path, body)))
        .collect()
}

/// All passages in a row, and what they take.
struct Passages<'a> {
    /// Each with its document's fields and those fields' bytes.
    items: Vec<(&'a Document, usize, &'a Body)>,
    /// The bytes up to each, the fields of every document that has begun once
    /// among them.
    sums: Vec<usize>,
}

impl<'a> Passages<'a> {
    fn of(documents: &'a [Document]) -> Self {
        let (mut items, mut sums, mut sum) = (Vec::new(), vec![0], 0);
        for document in documents {
            let head = encode(&[document.head()]).len();
            sum += head;
            for body in &document.passages {
                items.push((document, head, body));
                sum += encode_body(body).len();
                sums.push(sum);
            }
        }
        Passages { items, sums }
    }

    /// What a segment of these passages takes.
    fn bytes(&self, start: usize, end: usize) -> usize {
        let sum = |at: usize| self.sums.get(at).copied().unwrap_or_default();
        let before = start.checked_sub(1).and_then(|at| self.items.get(at));
        let goes_on = |(document, head, _): &(&Document, usize, &Body)| {
            let same = before.is_some_and(|(before, ..)| std::ptr::eq(*before, *document));
            if same { *head } else { 0 }
        };
        sum(end) - sum(start) + self.items.get(start).map_or(0, goes_on)
    }

    /// They as documents, or parts of documents.
    fn documents(&self, start: usize, end: usize) -> Vec<Document> {
        let items = self.items.get(start..end).unwrap_or_default();
        let runs = items.chunk_by(|(one, ..), (next, ..)| std::ptr::eq(*one, *next));
        runs.filter_map(|run| {
            let (document, ..) = run.first()?;
            let passages = run.iter().map(|(_, _, body)| (*body).clone()).collect();
            Some(Document { passages, ..document.head() })
        })
        .collect()
    }
}

#[derive(Default)]
struct Cutter {
    segments: Vec<Vec<Document>>,
    open: Vec<Document>,
    open_bytes: usize,
    /// Whether the open segment has a run of the current document already.
    begun: bool,
}

impl Cutter {
    fn take(&mut self, head: &Document, head_bytes: usize, body: Body, is_last: bool) {
        let encoded = encode_body(&body);
        let mut bytes = encoded.len() + if self.begun { 0 } else { head_bytes };
        if !self.open.is_empty() && self.open_bytes + bytes > MAX_BYTES {
            self.close();
            bytes = encoded.len() + head_bytes;
        }
        if !self.begun {
            self.open.push(head.clone());
            self.begun = true;
        }
        if let Some(run) = self.open.last_mut() {
            run.passages.push(body);
        }
        self.open_bytes += bytes;
        // A longer passage is a border as much likelier, so that segments come
        // out alike from long and short passages.
        let weight = encoded.len() as u64 * if is_last { END_WEIGHT } else { 1 };
        let is_border =
            Hash::of(&encoded).leading() < (u64::MAX / SPREAD_BYTES).saturating_mul(weight);
        if is_border && self.open_bytes >= MIN_BYTES {
            self.close();
        }
    }

    fn close(&mut self) {
        self.segments.push(std::mem::take(&mut self.open));
        self.open_bytes = 0;
        self.begun = false;
    }

    fn finish(mut self) -> Vec<Vec<Document>> {
        if !self.open.is_empty() {
            self.close();
        }
        self.segments
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(rng: &mut fastrand::Rng) -> Body {
        let length = if rng.u8(..12) == 0 { rng.usize(1..7_500) } else { rng.usize(200..900) };
        let text = std::iter::repeat_with(|| rng.char('a'..='z')).take(length).collect();
        Body { section: vec![], text }
    }

    fn document(number: u32, rng: &mut fastrand::Rng) -> Document {
        Document {
            path: format!("{number:09}.md"),
            title: format!("Document {number}"),
            language: jibu_types::Language::EN,
            source_url: None,
            date: None,
            licence: None,
            reviewed: None,
            passages: (0..rng.usize(1..40)).map(|_| body(rng)).collect(),
        }
    }

    /// An edit, an addition or a removal, of a passage, some, or a document.
    fn change(documents: &mut Vec<Document>, rng: &mut fastrand::Rng) {
        let at = rng.usize(..documents.len());
        let passages = &mut documents[at].passages;
        let place = rng.usize(..passages.len());
        match rng.u8(..12) {
            0..4 => passages[place] = body(rng),
            4..6 => passages.insert(place, body(rng)),
            6 => passages.push(body(rng)),
            7..9 => drop(passages.remove(place)),
            9 => {
                let many: Vec<Body> = (0..rng.usize(1..80)).map(|_| body(rng)).collect();
                passages.splice(place..rng.usize(place..=passages.len()), many);
            }
            10 => {
                let document = document(rng.u32(..1_000_000_000), rng);
                documents.push(document);
            }
            _ if documents.len() > 5 => drop(documents.remove(at)),
            _ => documents[at].title.push('!'),
        }
        documents.retain(|document| !document.passages.is_empty());
        documents.sort_by(|a, b| a.path.cmp(&b.path));
        documents.dedup_by(|a, b| a.path == b.path);
    }

    fn past(segments: &[Vec<Document>]) -> Vec<PastSegment> {
        let segments = segments.iter().map(|documents| PastSegment {
            name: Hash::of(&encode(documents)),
            is_shared: false,
            documents: documents.clone(),
        });
        segments.collect()
    }

    /// The documents that the segments hold.
    fn joined(segments: &[Vec<Document>]) -> Vec<Document> {
        let mut whole: Vec<Document> = Vec::new();
        for part in segments.concat() {
            match whole.last_mut().filter(|last| last.path == part.path) {
                Some(last) => last.passages.extend(part.passages),
                None => whole.push(part),
            }
        }
        whole
    }

    #[test]
    fn segments_keep_their_size_over_two_hundred_changes() {
        for seed in 0..20 {
            let mut rng = fastrand::Rng::with_seed(seed);
            let mut documents: Vec<Document> =
                (0..30).map(|number| document(number * 1_000_000, &mut rng)).collect();
            let mut segments = cut(documents.clone());
            let mut renamed = Vec::new();
            for number in 0..200 {
                change(&mut documents, &mut rng);
                let old = past(&segments);
                segments = cut_after(&documents, &old).into_iter().map(|(cut, _)| cut).collect();
                assert_eq!(joined(&segments), documents, "seed {seed}, change {number}");
                let sizes: Vec<usize> = segments.iter().map(|cut| encode(cut).len()).collect();
                let (_, but_last) = sizes.split_last().unwrap();
                // What a segment's own brackets take, besides.
                let bounds = LEAST_BYTES - 100..=MAX_BYTES + 100;
                assert!(but_last.iter().all(|bytes| bounds.contains(bytes)), "{seed}: {sizes:?}");
                let is_new = |name: &Hash| !old.iter().any(|old| old.name == *name);
                let names = past(&segments).into_iter().map(|segment| segment.name);
                renamed.push(names.filter(is_new).count());
                let again = cut_after(&documents, &past(&segments)).into_iter();
                assert!(again.map(|(cut, _)| cut).eq(segments.iter().cloned()), "seed {seed}");
            }
            let fresh = cut(documents).len();
            let count = segments.len();
            assert!(count * 2 <= fresh * 3 && fresh * 2 <= count * 3, "{count} segments, {fresh}");
            renamed.sort_unstable();
            // Half of the changes are of one passage, and change one segment.
            assert_eq!(renamed[100], 1, "seed {seed}: {renamed:?}");
        }
    }

    #[test]
    fn an_edited_passage_changes_one_segment() {
        let mut rng = fastrand::Rng::with_seed(1);
        let documents: Vec<Document> = (0..20).map(|at| document(at, &mut rng)).collect();
        let old = past(&cut(documents.clone()));
        for at in 0..documents.len() {
            for place in 0..documents[at].passages.len() {
                let mut edited = documents.clone();
                edited[at].passages[place].text.replace_range(..1, "Ä");
                let new: Vec<_> =
                    cut_after(&edited, &old).into_iter().map(|(cut, _)| cut).collect();
                let names: Vec<Hash> = past(&new).iter().map(|segment| segment.name).collect();
                assert_eq!(names.len(), old.len());
                let changed = names.iter().zip(&old).filter(|(name, old)| **name != old.name);
                assert_eq!(changed.count(), 1, "passage {place} of document {at}");
            }
        }
    }
}
