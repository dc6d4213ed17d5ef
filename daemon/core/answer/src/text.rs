//! Text in one form, for the hub that indexes and for the site that asks.
//!
//! Whoever writes passages and whoever matches questions against them must see
//! the same characters, so both pass their text through [`normalise`], and
//! compare words through [`fold`]. Sentence borders are next door, in
//! [`crate::sentences()`].

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// A text in canonical composition (NFC), without control and invisible
/// characters, with straight quotes, single spaces, and at most one empty line
/// in a row. Lines stay apart, because list items and table rows are lines.
///
/// Doing it twice changes nothing.
pub fn normalise(text: &str) -> String {
    // Characters are dropped before composing, so that a letter and an accent
    // which stood around an invisible character find each other.
    let composed = text.chars().filter_map(plain).nfc();
    let mut out = String::with_capacity(text.len());
    let (mut space, mut lines) = (false, 0);
    for c in composed {
        match c {
            '\n' => lines += 1,
            ' ' => space = true,
            _ => {
                if !out.is_empty() {
                    match lines {
                        0 if space => out.push(' '),
                        0 => {}
                        1 => out.push('\n'),
                        _ => out.push_str("\n\n"),
                    }
                }
                (space, lines) = (false, 0);
                out.push(c);
            }
        }
    }
    out
}

/// [`normalise`] on one line: what a question or a heading is.
pub fn normalise_line(text: &str) -> String {
    normalise(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The character that stands in normalised text for this one, if any.
fn plain(c: char) -> Option<char> {
    match c {
        '\n' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => Some('\n'),
        // A carriage return comes with a line feed, or alone from old systems;
        // two line ends instead of one would make a paragraph of every line.
        '\r' => Some(' '),
        c if c.is_whitespace() => Some(' '),
        c if c.is_control() => None,
        // Soft hyphen, zero-width space, word joiner, byte order mark,
        // directional marks. The joiners U+200C and U+200D spell words.
        '\u{ad}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' => None,
        '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{206f}' | '\u{feff}' => None,
        '‘' | '’' | '‚' | '‛' | '′' | 'ʼ' => Some('\''),
        '“' | '”' | '„' | '‟' | '″' => Some('"'),
        '\u{2010}' | '\u{2011}' => Some('-'),
        c => Some(c),
    }
}

/// A word as it is compared: lower case, Latin accents off (`Âge` → `age`).
///
/// Marks of other scripts stay, because there they are vowels. It agrees with
/// SQLite's `unicode61 remove_diacritics 2` on Latin letters.
pub fn fold(word: &str) -> String {
    plain_latin(&word.to_lowercase())
}

/// A text without accents on its Latin letters, in the same case.
pub(crate) fn plain_latin(text: &str) -> String {
    let mut latin = false;
    let kept = text.nfd().filter(|c| {
        if !is_combining_mark(*c) {
            latin = *c < '\u{250}';
            return true;
        }
        !latin
    });
    kept.nfc().collect()
}

/// The words of a text: runs of letters, marks and digits, as FTS5's
/// `unicode61` cuts them, folded.
pub fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(|c: char| !is_word(c)).filter(|word| !word.is_empty()).map(fold)
}

/// Whether a character belongs to a word.
pub(crate) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || is_combining_mark(c) || matches!(c, '\u{200c}' | '\u{200d}')
}

/// At most `chars` characters from the start, ended at a word's border where
/// one is near.
pub(crate) fn clip(text: &str, chars: usize) -> &str {
    let Some((end, _)) = text.char_indices().nth(chars) else { return text };
    let head = &text[..end];
    match head.rfind(char::is_whitespace) {
        Some(space) if space > end / 2 => head[..space].trim_end(),
        _ => head,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn quotes_spaces_and_invisible_characters_are_made_plain() {
        assert_eq!(
            normalise(
                "\u{feff}Don’t  give\u{a0}“aspirin”\u{7}.\r\n\r\n\r\n\r\n- one\u{ad}two \r\n"
            ),
            "Don't give \"aspirin\".\n\n- onetwo"
        );
        assert_eq!(normalise("e\u{ad}\u{301}tat"), "état");
        assert_eq!(normalise_line(" a\n\n b "), "a b");
    }

    #[test]
    fn folding_takes_accents_off_latin_letters_only() {
        assert_eq!(fold("ÂGÉ"), "age");
        assert_eq!(fold("CRIANÇA"), "crianca");
        // The vowel signs of Devanagari and the marks of Khmer spell the word.
        assert_eq!(fold("हिन्दी"), "हिन्दी");
        assert_eq!(fold("ភាសា"), "ភាសា");
    }

    #[test]
    fn words_are_cut_at_everything_that_is_no_letter() {
        assert_eq!(words("L'acte, 38.5°C!").collect::<Vec<_>>(), ["l", "acte", "38", "5", "c"]);
    }

    #[test]
    fn clipping_prefers_the_space_between_words() {
        assert_eq!(clip("boil the water", 11), "boil the");
        assert_eq!(clip("boil", 11), "boil");
        assert_eq!(clip("ééééé", 3), "ééé");
    }

    proptest! {
        #[test]
        fn normalising_twice_changes_nothing(text in any::<String>()) {
            let once = normalise(&text);
            prop_assert_eq!(normalise(&once), once.clone());
            prop_assert!(!once.chars().any(|c| c.is_control() && c != '\n'));
        }
    }
}
