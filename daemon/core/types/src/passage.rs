use serde::{Deserialize, Serialize};

use crate::Language;

/// A collection's name: lower-case letters, digits and hyphens, as it stands in
/// MQTT topics and on command lines.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CollectionName(Box<str>);

/// Why a text is no collection name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"{0}\" is not a collection name: 1 to 64 lower-case letters, digits and hyphens, \
     beginning with a letter (an example: health-sw)"
)]
pub struct CollectionNameError(pub String);

impl CollectionName {
    /// Checks a name.
    ///
    /// # Errors
    /// When it is not 1 to 64 of `a-z`, `0-9` and `-`, beginning with a letter.
    pub fn parse(text: &str) -> Result<Self, CollectionNameError> {
        let fits = (1..=64).contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if fits { Ok(CollectionName(text.into())) } else { Err(CollectionNameError(text.into())) }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for CollectionName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for CollectionName {
    type Err = CollectionNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        CollectionName::parse(text)
    }
}

impl TryFrom<String> for CollectionName {
    type Error = CollectionNameError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        CollectionName::parse(&text)
    }
}

impl From<CollectionName> for String {
    fn from(name: CollectionName) -> Self {
        name.0.into()
    }
}

/// A calendar day, ISO 8601: `2026-11-22`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Date(jiff::civil::Date);

/// Why a text is no date.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not a date (an example: 2026-11-22)")]
pub struct DateError(pub String);

impl Date {
    /// Reads `YYYY-MM-DD`.
    ///
    /// # Errors
    /// When the text has another form or names no day of the calendar.
    pub fn parse(text: &str) -> Result<Self, DateError> {
        text.trim().parse().map(Date).map_err(|_| DateError(text.to_owned()))
    }
}

impl std::fmt::Display for Date {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl TryFrom<String> for Date {
    type Error = DateError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Date::parse(&text)
    }
}

impl From<Date> for String {
    fn from(date: Date) -> Self {
        date.to_string()
    }
}

/// A state of a collection's index. A site only ever moves to a higher one; an
/// admin's roll-back is a higher version that names old content.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize,
)]
pub struct IndexVersion {
    /// Raised when a hub starts anew from nothing or from an old backup.
    pub epoch: u32,
    /// Raised by one at every publication.
    pub version: u64,
}

impl std::fmt::Display for IndexVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.epoch, self.version)
    }
}

/// What is indexed, ranked, quoted and cited: a few sentences or a table row
/// that make sense by themselves.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Passage {
    /// The collection that it belongs to.
    pub collection: CollectionName,
    /// The document within the collection, by its path or identifier.
    pub document: String,
    /// The document's title.
    pub title: String,
    /// The headings above the passage, outermost first, without the title.
    pub section: Vec<String>,
    /// The language that it is written in.
    pub language: Language,
    /// Where the document can be read in full.
    pub source_url: Option<String>,
    /// The day that the document speaks for.
    pub date: Option<Date>,
    /// The passage's own words.
    pub text: String,
}

impl Passage {
    /// Title and section path as one line, `Malaria › Treatment`: the context
    /// that is indexed and embedded with the text.
    pub fn heading(&self) -> String {
        let mut parts = vec![self.title.as_str()];
        parts.extend(self.section.iter().map(String::as_str).filter(|s| *s != self.title));
        parts.retain(|part| !part.is_empty());
        parts.join(" › ")
    }
}

/// A passage's row in the site's index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PassageId(pub i64);

/// One retrieved passage. A higher score is better; what it means depends on
/// who retrieved it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hit {
    /// Which passage.
    pub passage: PassageId,
    /// BM25 (positive) from a lexical search, the cosine from a dense one.
    pub score: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collection_name_can_stand_in_a_topic() {
        assert!(CollectionName::parse("health-sw").is_ok());
        for bad in ["", "Health", "a/b", "a+", "-a", "9a", "#"] {
            assert!(CollectionName::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn versions_order_by_epoch_first() {
        let old = IndexVersion { epoch: 1, version: 900 };
        assert!(IndexVersion { epoch: 2, version: 1 } > old);
        assert_eq!(old.to_string(), "1.900");
    }

    #[test]
    fn the_heading_does_not_repeat_the_title() {
        let passage = Passage {
            collection: CollectionName::parse("health").unwrap(),
            document: "malaria.md".into(),
            title: "Malaria".into(),
            section: vec!["Malaria".into(), "Treatment".into()],
            language: Language::EN,
            source_url: None,
            date: Some(Date::parse("2026-01-31").unwrap()),
            text: "Go to the clinic on the first day of fever.".into(),
        };
        assert_eq!(passage.heading(), "Malaria › Treatment");
    }
}
