//! A question without the courtesies around it.
//!
//! People write to a box as to a person: "Hello doctor, what ... please tell me,
//! thank you". The models were taught on questions that come to the point, and a
//! greeting costs them more than a misspelt word.

use jibu_types::Language;

use crate::languages::{self, Pack};
use crate::text::words;

/// The text without greetings, thanks and pleas at the borders of its clauses; the
/// text itself where hardly anything else is in it.
///
/// Those of English go in every language.
pub(crate) fn without_courtesies(text: &str, language: Language) -> String {
    let english = languages::pack(Language::EN);
    let packs: Vec<&Pack> = languages::pack(language).into_iter().chain(english).collect();
    let tokens: Vec<Token<'_>> = text.split(' ').map(Token::from).collect();
    let mut out = String::with_capacity(text.len());
    let mut kept = 0;
    for whole in tokens.split_inclusive(|token| token.end.is_some()) {
        let clause = stripped(whole, &packs);
        for token in clause {
            if !out.is_empty() {
                out.push(' ');
            }
            out.push_str(token.written);
            kept += usize::from(!token.folded.is_empty());
        }
        // A clause that lost its last word still ends there.
        if clause.last().is_some_and(|token| token.end.is_none()) {
            out.extend(whole.last().and_then(|token| token.end));
        }
    }
    if kept < FEWEST {
        return text.to_owned();
    }
    out.truncate(out.trim_end_matches([',', ';', ':']).len());
    out
}

/// Fewer words are no question.
const FEWEST: usize = 2;
/// The longest courtesy has so many words.
const LONGEST: usize = 6;

/// What ends a sentence or a clause.
const ENDS: [char; 11] = [',', '.', '!', '?', ';', ':', '…', '።', '፣', '។', '।'];

/// What stands between two spaces.
struct Token<'a> {
    written: &'a str,
    /// Its words, folded, with spaces between.
    folded: String,
    /// What ends a clause behind it.
    end: Option<char>,
}

impl<'a> From<&'a str> for Token<'a> {
    fn from(written: &'a str) -> Self {
        let folded = words(written).collect::<Vec<_>>().join(" ");
        let end = written.chars().last().filter(|last| ENDS.contains(last));
        Token { written, folded, end }
    }
}

/// A clause without the courtesies at its ends.
fn stripped<'c, 'a>(mut clause: &'c [Token<'a>], packs: &[&Pack]) -> &'c [Token<'a>] {
    let is_one = |tokens: &[Token<'_>]| {
        let phrase = phrase(tokens);
        packs.iter().any(|pack| pack.courtesies.contains(&phrase.as_str()))
    };
    let is_address = |token: &Token<'_>| {
        packs.iter().any(|pack| pack.addresses.contains(&token.folded.as_str()))
    };
    loop {
        let most = clause.len().min(LONGEST);
        if let Some(n) = (1..=most).rev().find(|n| is_one(&clause[..*n])) {
            clause = &clause[n..];
            let addressed = clause.first().is_some_and(is_address);
            clause = &clause[usize::from(addressed)..];
            continue;
        }
        let addressed = usize::from(clause.len() > 1 && clause.last().is_some_and(is_address));
        let end = clause.len() - addressed;
        let courtesy = (1..=end.min(LONGEST)).rev().find(|n| is_one(&clause[end - n..end]));
        let Some(n) = courtesy else { break };
        clause = &clause[..end - n];
    }
    // "Doctor, my child ..."
    if let [token] = clause
        && is_address(token)
    {
        return &[];
    }
    clause
}

fn phrase(tokens: &[Token<'_>]) -> String {
    tokens.iter().map(|token| token.folded.as_str()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bare(text: &str, language: &str) -> String {
        without_courtesies(text, Language::parse(language).unwrap())
    }

    #[test]
    fn a_polite_question_comes_to_the_point() {
        for (text, language, wanted) in [
            ("Hello doctor, what is malaria? Thank you", "en", "what is malaria?"),
            ("Good morning sir please tell me how to treat a burn", "en", "how to treat a burn"),
            ("how to treat a burn, please tell me.", "en", "how to treat a burn"),
            ("how to treat a burn pls", "en", "how to treat a burn"),
            ("Doctor, my child coughs. Thank you doctor.", "en", "my child coughs."),
            ("Hi. My child coughs please. What to do?", "en", "My child coughs. What to do?"),
            (
                "Habari yako daktari, dalili za malaria ni zipi? Asante sana",
                "sw",
                "dalili za malaria ni zipi?",
            ),
            ("please dalili za malaria ni zipi", "sw", "dalili za malaria ni zipi"),
            (
                "Bonjour docteur, je voudrais savoir comment soigner une brûlure s'il vous plaît",
                "fr",
                "comment soigner une brûlure",
            ),
            (
                "Bom dia, gostaria de saber como tratar a malária, por favor",
                "pt",
                "como tratar a malária",
            ),
            (
                "Moni dokotala, malungo amachiritsidwa bwanji chonde",
                "ny",
                "malungo amachiritsidwa bwanji",
            ),
            ("Hello, ina zan samu rigakafi", "ha", "ina zan samu rigakafi"),
        ] {
            assert_eq!(bare(text, language), wanted);
        }
    }

    #[test]
    fn what_is_asked_about_stays() {
        for text in [
            "who was the first doctor",
            "hello",
            "thank you",
            "please help me doctor",
            "doctor fees",
            "what does please mean in law?",
            "",
        ] {
            assert_eq!(bare(text, "en"), text);
        }
    }

    proptest! {
        #[test]
        fn words_only_go(text in any::<String>()) {
            let text = crate::text::normalise_line(&text);
            let kept = bare(&text, "en");
            let all: Vec<String> = words(&text).collect();
            let mut left = all.iter();
            prop_assert!(words(&kept).all(|word| left.any(|other| *other == word)));
        }

        #[test]
        fn once_is_enough(
            text in "((hello|please|tell me|thank|you|doctor|fever|my child)(|[,.?!]) ){0,9}",
        ) {
            let kept = bare(text.trim(), "en");
            prop_assert_eq!(bare(&kept, "en"), kept);
        }
    }
}
