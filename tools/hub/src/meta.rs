use jibu_types::{Date, Language};

/// What a document says of itself beside its text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Meta {
    /// The title.
    pub title: Option<String>,
    /// The language that it is written in.
    pub language: Option<Language>,
    /// Where it can be read in full.
    pub source_url: Option<String>,
    /// The day that it speaks for.
    pub date: Option<Date>,
    /// The licence that it may be passed on under.
    pub licence: Option<String>,
    /// What is known of its checking, in free words.
    pub reviewed: Option<String>,
}

/// A line of front matter that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct MetaError {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong with it and what to write instead.
    pub problem: String,
}

const KEYS: &str = "title, language, source_url, date, licence, reviewed";

impl Meta {
    /// What `self` leaves open, filled from `other`.
    #[must_use]
    pub fn or(self, other: Meta) -> Meta {
        Meta {
            title: self.title.or(other.title),
            language: self.language.or(other.language),
            source_url: self.source_url.or(other.source_url),
            date: self.date.or(other.date),
            licence: self.licence.or(other.licence),
            reviewed: self.reviewed.or(other.reviewed),
        }
    }

    /// Takes `key: value` from line `line`.
    pub(crate) fn set(&mut self, key: &str, value: &str, line: usize) -> Result<(), MetaError> {
        let problem = |problem: String| MetaError { line, problem };
        let value = jibu_answer::text::normalise_line(unquoted(value.trim()));
        if value.is_empty() {
            return Err(problem(format!("\"{key}\" has no value: give it one or drop the line")));
        }
        let text = match key {
            "language" => {
                let language = Language::parse(&value).map_err(|e| problem(e.to_string()))?;
                return fill(&mut self.language, key, language, line);
            }
            "date" => {
                let date = Date::parse(&value).map_err(|e| problem(e.to_string()))?;
                return fill(&mut self.date, key, date, line);
            }
            "title" => &mut self.title,
            "source_url" => &mut self.source_url,
            "licence" => &mut self.licence,
            "reviewed" => &mut self.reviewed,
            _ => return Err(problem(format!("\"{key}\" is not a known key: use {KEYS}"))),
        };
        fill(text, key, value, line)
    }

    /// Reads `key: value` lines, of which the first is line `first`. Blank
    /// lines and lines that begin with `#` are left aside.
    pub(crate) fn from_colon_lines(text: &str, first: usize) -> Result<Meta, MetaError> {
        let mut meta = Meta::default();
        for (line, text) in numbered(text, first) {
            let (key, value) = text.split_once(':').ok_or_else(|| MetaError {
                line,
                problem: format!("\"{text}\" is not \"key: value\" (keys are {KEYS})"),
            })?;
            meta.set(key.trim(), value, line)?;
        }
        Ok(meta)
    }

    /// Reads `key = "value"` lines of TOML, of which the first is line `first`.
    pub(crate) fn from_toml_lines(text: &str, first: usize) -> Result<Meta, MetaError> {
        let mut meta = Meta::default();
        for (line, text) in numbered(text, first) {
            let table: toml::Table = text.parse().map_err(|_| MetaError {
                line,
                problem: format!("\"{text}\" is not `key = \"value\"` (keys are {KEYS})"),
            })?;
            for (key, value) in table {
                let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                meta.set(&key, &value, line)?;
            }
        }
        Ok(meta)
    }
}

fn numbered(text: &str, first: usize) -> impl Iterator<Item = (usize, &str)> {
    let lines = text.lines().enumerate().map(move |(at, line)| (first + at, line.trim()));
    lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
}

fn fill<T>(slot: &mut Option<T>, key: &str, value: T, line: usize) -> Result<(), MetaError> {
    if slot.is_some() {
        let problem = format!("\"{key}\" is there twice: keep one of them");
        return Err(MetaError { line, problem });
    }
    *slot = Some(value);
    Ok(())
}

/// A YAML value without the quotes around it.
fn unquoted(value: &str) -> &str {
    let inner = |quote| value.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    inner('"').or_else(|| inner('\'')).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_say_the_same() {
        let colons = "title: \"Malaria: signs\"\nlanguage: sw\n# checked\n\ndate: 2026-01-31\n\
                      source_url: https://example.org/a?b=c";
        let toml = "title = \"Malaria: signs\"\nlanguage = 'sw'\n# checked\n\ndate = 2026-01-31\n\
                    source_url = \"https://example.org/a?b=c\"";
        let meta = Meta::from_colon_lines(colons, 2).unwrap();
        assert_eq!(meta, Meta::from_toml_lines(toml, 2).unwrap());
        assert_eq!(meta.title.as_deref(), Some("Malaria: signs"));
        assert_eq!(meta.source_url.as_deref(), Some("https://example.org/a?b=c"));
    }

    #[test]
    fn a_bad_line_is_named() {
        let problem = |text| Meta::from_colon_lines(text, 2).unwrap_err().to_string();
        assert_eq!(
            problem("title: A\nauthor: B"),
            "line 3: \"author\" is not a known key: use \
             title, language, source_url, date, licence, reviewed"
        );
        assert_eq!(problem("title A").split(':').next(), Some("line 2"));
        assert!(problem("language: swahili").contains("two or three letters"));
        assert!(problem("date: 31/01/2026").contains("2026-11-22"));
        assert!(problem("title: A\n\ntitle: B").starts_with("line 4: \"title\" is there twice"));
        assert!(problem("licence:").contains("has no value"));
        assert!(Meta::from_toml_lines("title = oops", 1).is_err());
    }
}
