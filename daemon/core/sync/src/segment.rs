//! The objects that hold a collection's content: segments of passages, and
//! lists of golden queries. A document's fields stand once in each segment that
//! it reaches into.

use jibu_types::{Date, Language};
use minicbor::{Decode, Encode};

use crate::hash::{from_cbor, to_cbor};
use crate::{Body, Document, GoldenQuery, ObjectError, ObjectKind};

/// The most bytes of one passage together with its document's fields, encoded.
/// A segment of this one passage stays below [`crate::MAX_PACKED_BYTES`] even
/// where it does not compress at all.
pub const MAX_PASSAGE_BYTES: usize = 8_000;

/// The order of fields is part of the format; see FORMAT.md.
#[derive(Encode, Decode)]
#[cbor(array)]
struct Run<'b> {
    #[b(0)]
    path: &'b str,
    #[b(1)]
    title: &'b str,
    #[b(2)]
    language: &'b str,
    #[b(3)]
    source_url: Option<&'b str>,
    #[b(4)]
    date: Option<&'b str>,
    #[b(5)]
    licence: Option<&'b str>,
    #[b(6)]
    reviewed: Option<&'b str>,
    #[b(7)]
    passages: Vec<Text<'b>>,
}

#[derive(Encode, Decode)]
#[cbor(array)]
struct Text<'b> {
    #[b(0)]
    section: Vec<&'b str>,
    #[b(1)]
    text: &'b str,
}

#[derive(Encode, Decode)]
#[cbor(array)]
struct Golden<'b> {
    #[b(0)]
    question: &'b str,
    #[b(1)]
    language: &'b str,
    #[b(2)]
    document: &'b str,
}

/// A segment's bytes.
pub(crate) fn encode(documents: &[Document]) -> Vec<u8> {
    // A date is written by its Display, which needs somewhere to stay.
    let dates: Vec<Option<String>> =
        documents.iter().map(|d| d.date.map(|date| date.to_string())).collect();
    let runs: Vec<Run<'_>> = documents
        .iter()
        .zip(&dates)
        .map(|(document, date)| Run {
            path: &document.path,
            title: &document.title,
            language: document.language.as_str(),
            source_url: document.source_url.as_deref(),
            date: date.as_deref(),
            licence: document.licence.as_deref(),
            reviewed: document.reviewed.as_deref(),
            passages: document.passages.iter().map(text).collect(),
        })
        .collect();
    with_kind(ObjectKind::Passages, &runs)
}

/// The bytes of one passage within a segment.
pub(crate) fn encode_body(body: &Body) -> Vec<u8> {
    to_cbor(&text(body))
}

/// The documents, or parts of documents, of a segment.
///
/// # Errors
/// [`ObjectError::Content`].
pub(crate) fn decode(raw: &[u8]) -> Result<Vec<Document>, ObjectError> {
    let runs: Vec<Run<'_>> = without_kind(ObjectKind::Passages, raw)?;
    runs.into_iter().map(document).collect::<Option<_>>().ok_or(ObjectError::Content)
}

/// A list of golden queries as an object's bytes.
pub(crate) fn encode_golden(queries: &[GoldenQuery]) -> Vec<u8> {
    let list: Vec<Golden<'_>> = queries
        .iter()
        .map(|query| Golden {
            question: &query.question,
            language: query.language.as_str(),
            document: &query.document,
        })
        .collect();
    with_kind(ObjectKind::Golden, &list)
}

/// The golden queries of an object.
///
/// # Errors
/// [`ObjectError::Content`].
pub(crate) fn decode_golden(raw: &[u8]) -> Result<Vec<GoldenQuery>, ObjectError> {
    let list: Vec<Golden<'_>> = without_kind(ObjectKind::Golden, raw)?;
    let queries = list.into_iter().map(|query| {
        Some(GoldenQuery {
            question: query.question.to_owned(),
            language: Language::parse(query.language).ok()?,
            document: query.document.to_owned(),
        })
    });
    queries.collect::<Option<_>>().ok_or(ObjectError::Content)
}

/// An object's bytes: a byte that says its kind, then CBOR. The kind is hashed
/// with the rest, so that an object of one kind is never taken for another's.
pub(crate) fn with_kind<T: Encode<()>>(kind: ObjectKind, value: &T) -> Vec<u8> {
    let mut raw = vec![kind as u8];
    raw.append(&mut to_cbor(value));
    raw
}

/// The CBOR of an object of the expected kind.
pub(crate) fn without_kind<'b, T: Decode<'b, ()>>(
    kind: ObjectKind,
    raw: &'b [u8],
) -> Result<T, ObjectError> {
    match raw.split_first() {
        Some((first, body)) if *first == kind as u8 => from_cbor(body).ok_or(ObjectError::Content),
        _ => Err(ObjectError::Content),
    }
}

fn text(body: &Body) -> Text<'_> {
    Text { section: body.section.iter().map(String::as_str).collect(), text: &body.text }
}

fn document(run: Run<'_>) -> Option<Document> {
    Some(Document {
        path: run.path.to_owned(),
        title: run.title.to_owned(),
        language: Language::parse(run.language).ok()?,
        source_url: run.source_url.map(str::to_owned),
        date: run.date.map(Date::parse).transpose().ok()?,
        licence: run.licence.map(str::to_owned),
        reviewed: run.reviewed.map(str::to_owned),
        passages: run
            .passages
            .into_iter()
            .map(|text| Body {
                section: text.section.into_iter().map(str::to_owned).collect(),
                text: text.text.to_owned(),
            })
            .collect(),
    })
}
