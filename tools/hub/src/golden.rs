//! Golden queries: questions that an index must answer before it goes live.

use jibu_answer::text::normalise_line;
use jibu_sync::GoldenQuery;
use jibu_types::Language;
use serde::Deserialize;

/// Why a file of golden queries cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GoldenError {
    /// Not UTF-8.
    #[error("the file is not UTF-8: save it as UTF-8")]
    NotUtf8,
    /// Not the expected TOML.
    #[error(
        "{0}\nwrite each query as [[golden]] with question = \"…\", language = \"sw\", \
         document = \"health/sw/malaria.md\""
    )]
    Toml(String),
    /// Not the expected CSV.
    #[error(
        "line {line}: {problem} (the header is question,language,document, and each row has \
         three fields)"
    )]
    Csv {
        /// The line, counted from 1.
        line: u64,
        /// What is wrong.
        problem: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    golden: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    question: String,
    language: Language,
    document: String,
}

/// Reads `golden.toml`.
pub(crate) fn from_toml(bytes: &[u8]) -> Result<Vec<GoldenQuery>, GoldenError> {
    let text = std::str::from_utf8(bytes).map_err(|_| GoldenError::NotUtf8)?;
    let text = text.trim_start_matches('\u{feff}');
    let file: File = toml::from_str(text)
        .map_err(|error| GoldenError::Toml(error.to_string().trim().to_owned()))?;
    Ok(file.golden.into_iter().map(query).collect())
}

/// Reads `golden.csv`.
pub(crate) fn from_csv(bytes: &[u8]) -> Result<Vec<GoldenQuery>, GoldenError> {
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let mut reader = csv::ReaderBuilder::new().comment(Some(b'#')).from_reader(bytes);
    let rows = reader.deserialize::<Row>().map(|row| {
        row.map(query).map_err(|error| GoldenError::Csv {
            line: error.position().map_or(1, csv::Position::line),
            problem: match error.into_kind() {
                csv::ErrorKind::Deserialize { err, .. } => err.to_string(),
                csv::ErrorKind::Utf8 { .. } => "it is not UTF-8".to_owned(),
                _ => "the row cannot be read".to_owned(),
            },
        })
    });
    rows.collect()
}

fn query(row: Row) -> GoldenQuery {
    GoldenQuery {
        question: normalise_line(&row.question),
        language: row.language,
        document: row.document,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expected() -> Vec<GoldenQuery> {
        vec![GoldenQuery {
            question: "dalili za malaria, tafadhali".into(),
            language: Language::SW,
            document: "health/sw/malaria.md".into(),
        }]
    }

    #[test]
    fn both_forms_are_read() {
        let toml = "# ours\n[[golden]]\nquestion = \"dalili za malaria, tafadhali\"\n\
                    language = \"sw\"\ndocument = \"health/sw/malaria.md\"\n";
        assert_eq!(from_toml(toml.as_bytes()), Ok(expected()));
        let csv = "# ours\nquestion,language,document\n\
                   \"dalili za malaria, tafadhali\",sw,health/sw/malaria.md\n";
        assert_eq!(from_csv(csv.as_bytes()), Ok(expected()));
        assert_eq!(from_toml(b""), Ok(vec![]));
    }

    #[test]
    fn mistakes_are_named() {
        let toml = |text: &str| from_toml(text.as_bytes()).unwrap_err().to_string();
        let unknown = toml("[[golden]]\nquestion = \"a\"\nlanguage = \"sw\"\ndoc = \"b\"");
        assert!(unknown.contains("line 4") && unknown.contains("doc"), "{unknown}");
        assert!(toml("[[golden]]\nquestion = \"a\"").contains("missing field"));
        assert!(
            toml("[[golden]]\nquestion = \"a\"\nlanguage = \"swahili\"").contains("two or three")
        );
        let csv = |text: &str| from_csv(text.as_bytes()).unwrap_err().to_string();
        assert!(csv("question,language,document\na,swahili,b\n").starts_with("line 2:"));
        assert!(csv("question,language\na,sw\n").contains("document"));
        assert_eq!(from_toml(b"\xff"), Err(GoldenError::NotUtf8));
    }
}
