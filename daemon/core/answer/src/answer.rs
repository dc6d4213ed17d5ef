//! What can be said to a question, before it is put into words.

use std::ops::Range;

use jibu_types::{CollectionName, Date, IndexVersion, Language, Passage, PassageId};
use serde::{Deserialize, Serialize};

use crate::danger::Danger;

/// What Jibu has to say to a question.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// A passage answers the question.
    Found(Grounded),
    /// Several topics are close; ask which one was meant.
    Choose(Vec<Topic>),
    /// Nothing good enough is known here. Say so plainly, and offer a person.
    Unknown,
    /// The words suggest danger: the emergency line goes first.
    Urgent(EmergencyLine),
}

impl Answer {
    /// What the documents say.
    pub fn grounded(&self) -> Option<&Grounded> {
        match self {
            Answer::Found(grounded) => Some(grounded),
            Answer::Urgent(line) => line.found.as_ref(),
            Answer::Choose(_) | Answer::Unknown => None,
        }
    }
}

/// An answer that stands in a document, and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Grounded {
    /// Where it comes from.
    pub citation: Citation,
    /// The whole passage.
    pub text: String,
    /// The sentences of the passage that answer, in order, as byte ranges of
    /// [`Grounded::text`]. At least one, unless the passage is empty.
    pub spans: Vec<Range<usize>>,
    /// The very words among them that answer, where a reader found some.
    pub key: Option<Range<usize>>,
    /// The language that the passage is written in.
    pub language: Language,
    /// The other half of the answer: beside what is said of the one that was
    /// named, what holds for its whole kind, or the other way about.
    pub beside: Option<Box<Grounded>>,
}

impl Grounded {
    /// It and what stands beside it.
    pub fn halves(&self) -> impl Iterator<Item = &Grounded> {
        std::iter::successors(Some(self), |half| half.beside.as_deref())
    }
}

/// The words that mean danger, and what is known about them.
#[derive(Debug, Clone, PartialEq)]
pub struct EmergencyLine {
    /// Which line is said first.
    pub danger: Danger,
    /// What the documents say, if they do.
    pub found: Option<Grounded>,
}

/// One line of a menu.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Topic {
    /// The passage that is opened when it is chosen.
    pub passage: PassageId,
    /// [`Passage::heading`], to recognise the passage after an index update has
    /// given it another row.
    pub heading: String,
    /// What the menu shows.
    pub label: String,
}

/// Where an answer comes from and how well it fits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Citation {
    /// The collection.
    pub collection: CollectionName,
    /// The passage's row.
    pub passage: PassageId,
    /// The document within the collection.
    pub document: String,
    /// The document's title.
    pub title: String,
    /// The headings above the passage, outermost first.
    pub section: Vec<String>,
    /// Where the whole document can be read.
    pub source_url: Option<String>,
    /// The day that the document speaks for.
    pub date: Option<Date>,
    /// The state of the collection's index.
    pub index_version: IndexVersion,
    /// How likely the passage answers the question, 0 to 1, calibrated.
    pub probability: f64,
}

impl Citation {
    /// The citation of a passage.
    pub fn of(
        passage: &Passage,
        id: PassageId,
        index_version: IndexVersion,
        probability: f64,
    ) -> Self {
        Citation {
            collection: passage.collection.clone(),
            passage: id,
            document: passage.document.clone(),
            title: passage.title.clone(),
            section: passage.section.clone(),
            source_url: passage.source_url.clone(),
            date: passage.date,
            index_version,
            probability,
        }
    }
}
