//! A passage as a row, and its name by content.

use jibu_types::{CollectionName, Date, Embedding, Language, Passage, PassageId};
use rusqlite::Row;

use crate::StoreError;

/// The columns that [`read`] wants, in its order.
pub(super) const COLUMNS: &str =
    "p.id, p.collection, p.document, p.title, p.section, p.language, p.source_url, p.date, p.text";

/// A hash over every field, so that two passages with the same hash are the same.
pub(super) fn hash(passage: &Passage) -> [u8; 32] {
    let Passage { collection, document, title, section, language, source_url, date, text } =
        passage;
    let mut hasher = blake3::Hasher::new_derive_key("jibu passage 1");
    let mut field = |text: &str| {
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    };
    for text in [collection.as_str(), document, title, language.as_str(), text] {
        field(text);
    }
    for optional in [source_url.clone(), date.map(|date| date.to_string())] {
        // A field that is there begins with a mark, so that an empty one and
        // one that is not there differ.
        field(&optional.map_or_else(String::new, |text| format!("+{text}")));
    }
    section.iter().for_each(|heading| field(heading));
    hasher.finalize().into()
}

/// Reads [`COLUMNS`].
pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Result<(PassageId, Passage), StoreError>> {
    let id: i64 = row.get(0)?;
    let (collection, document, title): (String, String, String) =
        (row.get(1)?, row.get(2)?, row.get(3)?);
    let (section, language): (String, String) = (row.get(4)?, row.get(5)?);
    let (source_url, date, text): (Option<String>, Option<String>, String) =
        (row.get(6)?, row.get(7)?, row.get(8)?);
    let passage = (|| {
        Ok(Passage {
            collection: CollectionName::parse(&collection).map_err(|e| e.to_string())?,
            document,
            title,
            section: serde_json::from_str(&section).map_err(|e| e.to_string())?,
            language: Language::parse(&language).map_err(|e| e.to_string())?,
            source_url,
            date: date.map(|d| Date::parse(&d)).transpose().map_err(|e| e.to_string())?,
            text,
        })
    })();
    Ok(passage.map(|passage| (PassageId(id), passage)).map_err(|found: String| StoreError::Row {
        table: "passage",
        row: id,
        found,
    }))
}

/// An embedding as sqlite-vec's `int8[384]`.
pub(super) fn vector(embedding: &Embedding) -> Result<Vec<u8>, StoreError> {
    let found = embedding.values().len();
    if found != Embedding::WIDTH {
        return Err(StoreError::Width { wanted: Embedding::WIDTH, found });
    }
    Ok(embedding.to_int8().into_iter().map(i8::cast_unsigned).collect())
}
