use serde::{Deserialize, Serialize};

/// A language by its primary subtag (BCP 47, RFC 5646 §2.2.1): two or three
/// lower-case letters, such as `sw` for Swahili.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Language([u8; 3]);

/// Why a text is no language subtag.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not a language: two or three letters are wanted, such as \"en\" or \"sw\"")]
pub struct LanguageError(pub String);

impl Language {
    /// English.
    pub const EN: Language = Language(*b"en\0");
    /// Swahili.
    pub const SW: Language = Language(*b"sw\0");
    /// French.
    pub const FR: Language = Language(*b"fr\0");
    /// Portuguese.
    pub const PT: Language = Language(*b"pt\0");
    /// Chichewa (Nyanja).
    pub const NY: Language = Language(*b"ny\0");

    /// Reads a primary subtag in either case; a region (`pt-MZ`, `pt_MZ`) is left aside.
    ///
    /// # Errors
    /// When the subtag is not two or three ASCII letters.
    pub fn parse(text: &str) -> Result<Self, LanguageError> {
        let primary = text.trim().split(['-', '_']).next().unwrap_or_default();
        let letters = primary.as_bytes();
        if !(2..=3).contains(&letters.len()) || !letters.iter().all(u8::is_ascii_alphabetic) {
            return Err(LanguageError(text.to_owned()));
        }
        let mut code = [0; 3];
        for (slot, letter) in code.iter_mut().zip(letters) {
            *slot = letter.to_ascii_lowercase();
        }
        Ok(Language(code))
    }

    /// The subtag, `"sw"`.
    pub fn as_str(&self) -> &str {
        let end = if self.0[2] == 0 { 2 } else { 3 };
        // Every constructor admits ASCII letters only.
        std::str::from_utf8(&self.0[..end]).unwrap_or("und")
    }
}

impl std::fmt::Debug for Language {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Language({})", self.as_str())
    }
}

impl std::fmt::Display for Language {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for Language {
    type Err = LanguageError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Language::parse(text)
    }
}

impl TryFrom<String> for Language {
    type Error = LanguageError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Language::parse(&text)
    }
}

impl From<Language> for String {
    fn from(language: Language) -> Self {
        language.as_str().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_is_left_aside_and_case_does_not_matter() {
        assert_eq!(Language::parse("PT-mz"), Ok(Language::PT));
        assert_eq!(Language::parse("nya").unwrap().as_str(), "nya");
    }

    #[test]
    fn a_word_is_no_language() {
        assert!(Language::parse("swahili").is_err());
        assert!(Language::parse("").is_err());
        assert!(Language::parse("s1").is_err());
    }
}
