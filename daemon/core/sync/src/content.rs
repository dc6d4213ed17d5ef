use jibu_types::{CollectionName, Date, Language, Passage};

/// A collection as the hub holds it: what a snapshot is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// The collection's name.
    pub collection: CollectionName,
    /// The documents; their order here does not matter, a snapshot sorts them
    /// by path.
    pub documents: Vec<Document>,
    /// Questions that a site must answer well before it uses a new version.
    pub golden: Vec<GoldenQuery>,
}

/// A document, or in a segment the part of one that falls there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// The path or identifier within the collection.
    pub path: String,
    /// The title.
    pub title: String,
    /// The language that it is written in.
    pub language: Language,
    /// Where it can be read in full.
    pub source_url: Option<String>,
    /// The day that it speaks for.
    pub date: Option<Date>,
    /// The licence that it may be passed on under, such as `CC-BY-4.0`.
    pub licence: Option<String>,
    /// What is known of its checking, in free words: `not checked by a speaker`.
    pub reviewed: Option<String>,
    /// Its passages in reading order.
    pub passages: Vec<Body>,
}

/// A passage without what its document already says.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Body {
    /// The headings above it, outermost first, without the title.
    pub section: Vec<String>,
    /// Its own words.
    pub text: String,
}

/// A question of the collection, and the document in which its answer stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoldenQuery {
    /// The question as a person would ask it.
    pub question: String,
    /// The language that it is asked in.
    pub language: Language,
    /// The path of the document that must be found.
    pub document: String,
}

impl Document {
    /// The passages with the document's fields, as a site indexes them.
    pub fn into_passages(self, collection: &CollectionName) -> impl Iterator<Item = Passage> {
        let collection = collection.clone();
        let Document { path, title, language, source_url, date, passages, .. } = self;
        passages.into_iter().map(move |body| Passage {
            collection: collection.clone(),
            document: path.clone(),
            title: title.clone(),
            section: body.section,
            language,
            source_url: source_url.clone(),
            date,
            text: body.text,
        })
    }

    /// The document's fields without any passage.
    pub(crate) fn head(&self) -> Document {
        Document {
            path: self.path.clone(),
            title: self.title.clone(),
            language: self.language,
            source_url: self.source_url.clone(),
            date: self.date,
            licence: self.licence.clone(),
            reviewed: self.reviewed.clone(),
            passages: Vec::new(),
        }
    }
}
