//! From a file's bytes to headings, paragraphs, lists and tables.
//!
//! One [`Reader`] for each kind of file. A reader sees bytes and a path and
//! touches nothing else; what the text is cut into is [`crate::chunk`]'s matter.
//! A further kind (PDF, Word) is one more implementation in [`READERS`].

mod blocks;
mod csv;
mod html;
mod markdown;
mod plain;

use std::path::Path;

use crate::{Meta, MetaError};

/// What a reader has found in a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parsed {
    /// What the document says of itself.
    pub meta: Meta,
    /// Its text in reading order.
    pub blocks: Vec<Block>,
}

impl Parsed {
    /// The heading that the text begins with, which is its title where it has
    /// no other.
    pub(crate) fn first_heading(&self) -> Option<String> {
        match self.blocks.first() {
            Some(Block::Heading { text, .. }) => Some(jibu_answer::text::normalise_line(text)),
            _ => None,
        }
    }
}

/// A piece of a document that has a shape of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    /// A heading, of level 1 (outermost) to 6.
    Heading {
        /// The level.
        level: u8,
        /// Its words.
        text: String,
    },
    /// Running text; a line end in it is meant.
    Paragraph(String),
    /// A list with the lists inside it.
    List(Vec<Item>),
    /// A table.
    Table(Table),
}

/// An item of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// How many lists it is inside of, less one.
    pub depth: usize,
    /// `-` or a number with its full stop.
    pub marker: String,
    /// Its words without those of lists inside it.
    pub text: String,
}

/// A table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Table {
    /// The names of the columns, empty where the table has none.
    pub header: Vec<String>,
    /// The rows' cells.
    pub rows: Vec<Vec<String>>,
    /// Whether every row stands by itself (a CSV file) and becomes a passage.
    pub row_is_passage: bool,
}

/// Reads one kind of file.
pub trait Reader: Sync {
    /// The file name endings that it is for, in lower case without the dot.
    fn extensions(&self) -> &'static [&'static str];

    /// Reads a file. The path is for messages and titles; nothing is opened.
    ///
    /// # Errors
    /// When the bytes are not what the file's name says, with the line or byte.
    fn read(&self, bytes: &[u8], path: &Path) -> Result<Parsed, ReadError>;
}

/// Why a file's bytes cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The bytes are text of another encoding, or no text.
    #[error(
        "byte {byte} (line {line}) is not UTF-8: save the file as UTF-8 (it may be \
         Windows-1252 or Latin-1)"
    )]
    NotUtf8 {
        /// The place of the first bad byte, counted from 1.
        byte: usize,
        /// Its line, counted from 1.
        line: usize,
    },
    /// The bytes are UTF-16.
    #[error("the file is UTF-16: save it as UTF-8")]
    Utf16,
    /// Front matter that cannot be used.
    #[error(transparent)]
    Meta(#[from] MetaError),
    /// Front matter that does not end.
    #[error("line 1: the front matter has no closing \"{0}\" line: add it")]
    OpenMeta(&'static str),
    /// A table that cannot be used.
    #[error("line {line}: {problem}")]
    Table {
        /// The line, counted from 1.
        line: u64,
        /// What is wrong and what to do.
        problem: String,
    },
    /// Nothing to read.
    #[error("there is no text in it: write some, or remove the file")]
    Empty,
}

/// Every kind of file that can be ingested.
static READERS: &[&dyn Reader] =
    &[&markdown::Markdown, &plain::PlainText, &html::HtmlPage, &csv::CsvTable];

/// The reader for a file, by the ending of its name.
pub fn reader_for(path: &Path) -> Option<&'static dyn Reader> {
    let extension = path.extension()?.to_str()?.to_ascii_lowercase();
    READERS.iter().copied().find(|reader| reader.extensions().contains(&extension.as_str()))
}

/// Every file name ending that can be ingested, for messages.
pub(crate) fn known_extensions() -> String {
    let all = READERS.iter().flat_map(|reader| reader.extensions());
    all.map(|extension| format!(".{extension}")).collect::<Vec<_>>().join(", ")
}

/// A text file's characters: UTF-8 with or without a byte order mark, any line
/// ends as line feeds.
fn decode(bytes: &[u8]) -> Result<String, ReadError> {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(ReadError::Utf16);
    }
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let good = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let line = 1 + good.iter().filter(|byte| **byte == b'\n').count();
        ReadError::NotUtf8 { byte: error.valid_up_to() + 1, line }
    })?;
    Ok(text.replace("\r\n", "\n").replace('\r', "\n"))
}

/// The front matter before a text and the rest: `key: value` lines between two
/// `---` lines, or TOML between two `+++` lines, from the first line on.
fn front_matter(text: &str) -> Result<(Meta, &str), ReadError> {
    let Some((first, rest)) = text.split_once('\n') else { return Ok((Meta::default(), text)) };
    let fence = match first.trim_end() {
        "---" => "---",
        "+++" => "+++",
        _ => return Ok((Meta::default(), text)),
    };
    let mut at = 0;
    for line in rest.split_inclusive('\n') {
        if line.trim_end() == fence {
            let (inside, after) = (&rest[..at], &rest[at + line.len()..]);
            let meta = match fence {
                "---" => Meta::from_colon_lines(inside, 2)?,
                _ => Meta::from_toml_lines(inside, 2)?,
            };
            return Ok((meta, after));
        }
        at += line.len();
    }
    Err(ReadError::OpenMeta(fence))
}

#[cfg(test)]
mod tests;
