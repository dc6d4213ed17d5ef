//! Spelling a text with the characters that cost least.
//!
//! One character outside the default alphabet makes a message of 160 characters
//! one of 70. For many such characters people who type with few keys have long
//! agreed on another spelling.

use unicode_normalization::UnicodeNormalization;

use crate::alphabet::{Presence, Shift};

/// What becomes of letters that the default alphabet lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Letters {
    /// They stay.
    Kept,
    /// Latin letters go without their marks, hooks and strokes: `ação` → `acao`,
    /// `ŵanthu` → `wanthu`, `ɗaya` → `daya`.
    Bare,
}

/// A text with the characters that the GSM 7-bit default alphabet lacks replaced
/// where there is a spelling that means the same; the others stay as they are.
///
/// Signs (dashes, quotation marks, `°C`, `½`, `≥`) are replaced always, letters as
/// `letters` says. Letters that the alphabet has keep their accents. No digit is
/// lost, and none is added to a number: `1½` becomes `1 1/2`.
pub fn plain(text: &str, letters: Letters) -> String {
    let bare = letters == Letters::Bare;
    let is_digit = |c: char| c.is_ascii_digit();
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let after = characters.peek().copied();
        if is_in_default_alphabet(character) {
            out.push(character);
        } else if bare && is_latin_mark(character) && out.ends_with(is_latin) {
            // The letter goes without it.
        } else if let Some(sign) = sign(character, out.chars().next_back(), after) {
            let is_number = sign.starts_with(is_digit);
            let before = if is_number && out.ends_with(is_digit) { " " } else { "" };
            let behind = if is_number && after.is_some_and(is_digit) { " " } else { "" };
            out.extend([before, sign, behind]);
        } else if let Some(letter) = bare_letter(character).filter(|_| bare) {
            out.extend(letter.into_iter().flatten());
        } else {
            out.push(character);
        }
    }
    out
}

fn is_in_default_alphabet(character: char) -> bool {
    Presence::of(character).septets(Shift::NONE).is_some()
}

fn is_latin(character: char) -> bool {
    character.is_alphabetic() && character < '\u{250}'
}

/// The combining marks of Latin, Greek and Cyrillic letters.
fn is_latin_mark(character: char) -> bool {
    ('\u{300}'..='\u{36f}').contains(&character)
}

/// The spelling of a sign between two neighbours.
fn sign(sign: char, before: Option<char>, after: Option<char>) -> Option<&'static str> {
    Some(match sign {
        '‘' | '’' | '‚' | '‛' | '′' | 'ʼ' | '‹' | '›' | '`' | '´' => "'",
        '“' | '”' | '„' | '‟' | '″' | '«' | '»' => "\"",
        '‐' | '‑' | '‒' | '–' | '—' | '―' | '−' | '•' | '▪' | '●' | '◦' | '·' => {
            "-"
        }
        '…' => "...",
        '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' => " ",
        '×' => "x",
        '≤' => "<=",
        '≥' => ">=",
        '¼' => "1/4",
        '½' => "1/2",
        '¾' => "3/4",
        '⅓' => "1/3",
        '⅔' => "2/3",
        '⁄' => "/",
        // A degree says the same without its ring; in a number's name it is an o.
        '°' if matches!(after, Some('C' | 'F')) => "",
        '°' if matches!(before, Some('n' | 'N')) => "o",
        'º' => "o",
        'ª' => "a",
        // As the WHO wants micrograms written, so that nobody reads milligrams.
        'µ' | 'μ' if after == Some('g') => "mc",
        _ => return None,
    })
}

/// A Latin letter, or the two that stand for it, without what is put on it.
fn bare_letter(character: char) -> Option<[Option<char>; 2]> {
    const HOOKED: &str = "ɓbƁBɖdɗdđdƉDƊDĐDɛeǝeƐEƎEƒfɣgƔGɩiıiɨiƙkƘKłlŁLɔoƆOʋuʉuƴyƳY";
    let pair = match character {
        'œ' => ['o', 'e'],
        'Œ' => ['O', 'E'],
        'ŋ' => ['n', 'g'],
        'Ŋ' => ['N', 'G'],
        _ => {
            let mut hooked = HOOKED.chars().zip(HOOKED.chars().skip(1)).step_by(2);
            let known = hooked.find(|(hooked, _)| *hooked == character);
            let bare = known.map(|(_, bare)| bare).or_else(|| character.nfd().next())?;
            return bare.is_ascii_alphabetic().then_some([Some(bare), None]);
        }
    };
    Some(pair.map(Some))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::alphabet::to_septets;

    #[track_caller]
    fn check(text: &str, kept: &str, bare: &str) {
        assert_eq!(plain(text, Letters::Kept), kept);
        assert_eq!(plain(text, Letters::Bare), bare);
    }

    #[test]
    fn signs_are_spelt_as_they_are_typed() {
        check("“Fever” – 38.5 °C…", "\"Fever\" - 38.5 C...", "\"Fever\" - 38.5 C...");
        check("5–10 mg, 2×", "5-10 mg, 2x", "5-10 mg, 2x");
        check("• ≥ 5 ans : « oui »", "- >= 5 ans : \" oui \"", "- >= 5 ans : \" oui \"");
        check("n° 12, 1º", "no 12, 1o", "no 12, 1o");
    }

    #[test]
    fn amounts_stay_what_they_are() {
        check("1½ tablets, ½ l, ½2", "1 1/2 tablets, 1/2 l, 1/2 2", "1 1/2 tablets, 1/2 l, 1/2 2");
        check("400 µg", "400 mcg", "400 mcg");
        check("−5 m, 90°", "-5 m, 90°", "-5 m, 90°");
        check("5 µl, 10 m²", "5 µl, 10 m²", "5 µl, 10 m²");
    }

    #[test]
    fn letters_stay_or_lose_what_the_alphabet_lacks() {
        check("Vacinação do bebé", "Vacinação do bebé", "Vacinacao do bebé");
        check(
            "ŵanthu ɗaya œuvre ŋŋanda",
            "ŵanthu ɗaya œuvre ŋŋanda",
            "wanthu daya oeuvre ngnganda",
        );
        // A tone above, a dot below, of which one has a character of its own.
        check("ẹ̀kọ́", "ẹ̀kọ́", "eko");
    }

    #[test]
    fn other_scripts_stay() {
        for text in ["ውሃ አፍላ", "ដាំទឹក", "पानी उबालें", "Ζεστό"]
        {
            check(text, text, text);
        }
    }

    proptest! {
        #[test]
        fn what_the_alphabet_has_stays(text in "[ -_a-z{}éèùìòÇäöñüà€]{0,80}") {
            prop_assert_eq!(plain(&text, Letters::Bare), text);
        }

        #[test]
        fn digits_are_neither_lost_nor_joined(text in "[0-9a-z ½–°µç]{0,40}") {
            let spelt = plain(&text, Letters::Bare);
            let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
            prop_assert_eq!(digits(&spelt), digits(&text.replace('½', "12")));
            prop_assert!(!spelt.contains("01/2") && !spelt.contains("11/2"));
        }

        #[test]
        fn twice_is_once(text in "\\PC{0,60}") {
            for letters in [Letters::Kept, Letters::Bare] {
                let once = plain(&text, letters);
                prop_assert_eq!(plain(&once, letters), once);
            }
        }

        #[test]
        fn languages_of_latin_letters_fit_the_alphabet(text in "[a-zA-ZãõâêôçíáúŵẹọṣɓɗƙŋûîïÀœ .,?0-9]{0,80}") {
            prop_assert!(to_septets(&plain(&text, Letters::Bare), Shift::NONE).is_some());
        }
    }
}
