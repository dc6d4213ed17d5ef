use crate::manifest::{self, Entry};
use crate::{Document, Hash, ObjectKind, Release, segment};

/// How a version is grouped: what the next one keeps of it, so that an edit
/// costs its words.
pub(crate) struct Past {
    /// The segments in reading order.
    pub(crate) segments: Vec<PastSegment>,
    /// The manifest's levels from the leaves to the top: the pages of each, as
    /// the names that they list.
    pub(crate) levels: Vec<Vec<Vec<Hash>>>,
}

/// A segment of that version.
pub(crate) struct PastSegment {
    pub(crate) name: Hash,
    /// Whether it is a part of the dictionary.
    pub(crate) is_shared: bool,
    pub(crate) documents: Vec<Document>,
}

impl Past {
    /// Reads a release. `None` for one that another program has grouped in a way
    /// that this one does not know.
    pub(crate) fn of(release: &Release) -> Option<Self> {
        let raw = |name: &Hash| release.get(name).map(|(_, raw)| raw.as_slice());
        let mut levels = Vec::new();
        let mut pages = vec![release.top()];
        let content = loop {
            let read = |page| manifest::decode(raw(page)?).ok();
            let entries: Vec<Vec<Entry>> = pages.iter().map(read).collect::<Option<_>>()?;
            let names = |page: &Vec<Entry>| page.iter().map(|entry| entry.name).collect();
            levels.push(entries.iter().map(names).collect::<Vec<Vec<Hash>>>());
            let entries = entries.concat();
            match entries.iter().filter(|entry| entry.kind == ObjectKind::Page).count() {
                0 => break entries,
                count if count < entries.len() => return None,
                _ => pages = entries.iter().map(|entry| entry.name).collect(),
            }
        };
        levels.reverse();
        let segments = content
            .iter()
            .filter(|entry| entry.kind != ObjectKind::Golden)
            .map(|entry| {
                let documents = segment::decode(raw(&entry.name)?).ok()?;
                let is_shared = entry.kind == ObjectKind::Shared;
                Some(PastSegment { name: entry.name, is_shared, documents })
            })
            .collect::<Option<Vec<_>>>()?;
        (!segments.is_empty()).then_some(Past { segments, levels })
    }
}
