//! BEIR's files: a corpus and its questions, JSON a line, gzip or not.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use anyhow::{Context, bail};
use flate2::read::MultiGzDecoder;
use jibu_answer::text::normalise_line;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// A document of the corpus.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Document {
    /// What a run names it by.
    #[serde(rename = "_id")]
    pub id: String,
    /// Its title, often empty.
    #[serde(default)]
    pub title: String,
    /// Its text.
    pub text: String,
}

/// A question.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Question {
    /// What a run names it by.
    #[serde(rename = "_id")]
    pub id: String,
    /// The question.
    pub text: String,
}

/// Reads the documents of a corpus.
///
/// # Errors
/// When the file cannot be read, a line is no document, or two have one id.
pub fn corpus(path: &Path) -> anyhow::Result<Vec<Document>> {
    let documents: Vec<Document> = lines(path)?;
    unique(path, documents.iter().map(|document| document.id.as_str()))?;
    Ok(documents)
}

/// Reads questions.
///
/// # Errors
/// When the file cannot be read, a line is no question, or two have one id.
pub fn questions(path: &Path) -> anyhow::Result<Vec<Question>> {
    let mut questions: Vec<Question> = lines(path)?;
    unique(path, questions.iter().map(|question| question.id.as_str()))?;
    for question in &mut questions {
        question.text = normalise_line(&question.text);
    }
    Ok(questions)
}

fn lines<T: DeserializeOwned>(path: &Path) -> anyhow::Result<Vec<T>> {
    let mut reader: Box<dyn BufRead> = open(path)?;
    let mut found = Vec::new();
    let mut line = String::new();
    for number in 1.. {
        line.clear();
        let read = reader
            .read_line(&mut line)
            .with_context(|| format!("read line {number} of {}", path.display()))?;
        if read == 0 {
            break;
        }
        if line.trim().is_empty() {
            continue;
        }
        found.push(
            serde_json::from_str(&line)
                .with_context(|| format!("read line {number} of {} as JSON", path.display()))?,
        );
    }
    Ok(found)
}

/// Opens a file, unpacked where it begins as gzip does.
pub(crate) fn open(path: &Path) -> anyhow::Result<Box<dyn BufRead>> {
    const GZIP: [u8; 2] = [0x1f, 0x8b];
    let doing = || format!("open {}", path.display());
    let mut start = Vec::new();
    File::open(path).with_context(doing)?.take(2).read_to_end(&mut start).with_context(doing)?;
    let file = BufReader::new(File::open(path).with_context(doing)?);
    Ok(if start == GZIP {
        Box::new(BufReader::new(MultiGzDecoder::new(file)))
    } else {
        Box::new(file)
    })
}

fn unique<'a>(path: &Path, ids: impl Iterator<Item = &'a str>) -> anyhow::Result<()> {
    let mut seen = std::collections::HashSet::new();
    for id in ids {
        if id.is_empty() || id.chars().any(char::is_whitespace) {
            bail!("{}: the id {id:?} cannot stand in a TREC run", path.display());
        }
        if !seen.insert(id) {
            bail!("{}: the id {id:?} stands there twice", path.display());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    const LINES: &str = "{\"_id\":\"a\",\"text\":\"Boil  water\",\"lang\":\"en\"}\n\n{\"_id\":\"b\",\"text\":\"x\"}\n";

    #[test]
    fn gzip_is_told_by_its_first_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let plain = folder.path().join("plain");
        std::fs::write(&plain, LINES).unwrap();
        let packed = folder.path().join("packed");
        let mut encoder = flate2::write::GzEncoder::new(
            File::create(&packed).unwrap(),
            flate2::Compression::default(),
        );
        encoder.write_all(LINES.as_bytes()).unwrap();
        encoder.finish().unwrap();
        assert_eq!(corpus(&plain).unwrap(), corpus(&packed).unwrap());
        assert_eq!(questions(&packed).unwrap()[0].text, "Boil water");
    }

    #[test]
    fn a_bad_line_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("corpus.jsonl");
        std::fs::write(&path, "{\"_id\":\"a\",\"text\":\"x\"}\n{").unwrap();
        let error = corpus(&path).unwrap_err();
        assert!(error.to_string().contains("line 2"), "{error}");
        std::fs::write(&path, LINES.repeat(2)).unwrap();
        assert!(corpus(&path).unwrap_err().to_string().contains("twice"));
        std::fs::write(&path, "{\"_id\":\"a b\",\"text\":\"x\"}").unwrap();
        assert!(questions(&path).unwrap_err().to_string().contains("TREC"));
    }
}
