//! The way from a root's top page to everything that it names.

use crate::manifest::{self, Entry, MAX_LEVELS};
use crate::{Hash, MAX_RAW_BYTES, ObjectError, ObjectKind, ShortHash};

/// The most objects that a version may name: far above any real collection, so
/// that a faulty manifest ends instead of filling the memory.
const MAX_OBJECTS: usize = 1 << 20;

/// An object that a page names, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Located {
    pub(crate) entry: Entry,
    /// The page that names it; `None` for the top page, which the root names
    /// without its length.
    pub(crate) page: Option<ShortHash>,
    /// Its place among the page's entries.
    pub(crate) place: u8,
}

impl Located {
    /// The top page as the root names it.
    pub(crate) fn top(manifest: Hash) -> Self {
        let entry = Entry {
            kind: ObjectKind::Page,
            name: manifest,
            raw_bytes: MAX_RAW_BYTES as u32,
            items: 0,
        };
        Located { entry, page: None, place: 0 }
    }

    /// Whether `raw` has the length that the page gives.
    pub(crate) fn fits(&self, raw: &[u8]) -> bool {
        self.page.is_none() || raw.len() == self.entry.raw_bytes as usize
    }
}

/// What the pages that are there say.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    /// The pages that are there, each before those that it names.
    pub(crate) pages: Vec<Located>,
    /// Pages that are named and not there.
    pub(crate) missing: Vec<Located>,
    /// Segments in reading order, then golden queries: all of them when no page
    /// is missing.
    pub(crate) content: Vec<Located>,
}

impl Survey {
    /// The passages that the content entries count.
    pub(crate) fn passages(&self) -> u64 {
        self.content.iter().map(|located| located.entry.passages()).sum()
    }

    /// Every name, the pages' first.
    pub(crate) fn names(&self) -> impl Iterator<Item = Hash> {
        self.pages.iter().chain(&self.content).map(|located| located.entry.name)
    }
}

/// Walks the manifest below `top` as far as `page` has its pages. The bytes that
/// `page` gives are taken for what their name says.
///
/// # Errors
/// When a page that is there cannot be read or counts wrong.
pub(crate) fn survey(
    top: Hash,
    page: impl Fn(&Hash) -> Option<Vec<u8>>,
) -> Result<Survey, ObjectError> {
    let mut survey = Survey::default();
    // What is still to be looked at, the next one last.
    let mut wanted = vec![(0, Located::top(top))];
    while let Some((level, located)) = wanted.pop() {
        if survey.content.len() + survey.pages.len() + wanted.len() > MAX_OBJECTS {
            return Err(ObjectError::TooLarge);
        }
        if located.entry.kind != ObjectKind::Page {
            survey.content.push(located);
            continue;
        }
        let name = located.entry.name;
        let Some(raw) = page(&name) else {
            survey.missing.push(located);
            continue;
        };
        let entries = manifest::decode(&raw)?;
        let passages: u64 = entries.iter().map(Entry::passages).sum();
        let counts_right = located.page.is_none() || passages == u64::from(located.entry.items);
        if level >= MAX_LEVELS || !counts_right || !located.fits(&raw) {
            return Err(ObjectError::Content);
        }
        survey.pages.push(located);
        if entries.iter().any(|entry| entry.raw_bytes as usize > MAX_RAW_BYTES) {
            return Err(ObjectError::TooLarge);
        }
        // A page has at most 128 entries.
        let page = Some(name.short());
        let below = entries.into_iter().zip(0u8..);
        let below: Vec<_> =
            below.map(|(entry, place)| (level + 1, Located { entry, page, place })).collect();
        wanted.extend(below.into_iter().rev());
    }
    Ok(survey)
}
