//! Commands, told apart from questions.
//!
//! A command is the whole message, in any language that is known here and in
//! whatever case and punctuation a phone made of it. Anything longer is a
//! question: "help my child has fever" must be searched for, not explained.

use jibu_types::Language;

use crate::languages::{self, Commands, Pack};
use crate::text::{fold, is_word, normalise_line};

/// What a message wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intent {
    /// To know what can be sent.
    Help,
    /// The rest of the last answer.
    More,
    /// Where the last answer came from.
    Why,
    /// Another language, or to hear which there are.
    Lang(Option<Language>),
    /// No more messages.
    Stop,
    /// Messages again.
    Start,
    /// A human being.
    Person,
    /// A line of the last menu, as it is numbered there.
    Number(u32),
    /// Nothing: it was a thank-you.
    Thanks,
    /// Something that no question can be read from: no word of two letters.
    Nothing,
    /// An answer.
    Question,
}

/// A message's intent, with the language that its command word belongs to. The
/// plain words that every poster has (`HELP`, `STOP` …) belong to no language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heard {
    /// What it wants.
    pub intent: Intent,
    /// The language of the command word.
    pub language: Option<Language>,
}

/// Reads a message.
pub fn intent(text: &str) -> Heard {
    let heard = |intent, language| Heard { intent, language };
    let typed = bare(&normalise_line(text).to_lowercase());
    if typed == "?" {
        return heard(Intent::Help, None);
    }
    if let Some(number) = number(&typed) {
        return heard(Intent::Number(number), None);
    }
    if let Some((intent, language)) = command(&typed) {
        return heard(intent, language);
    }
    if is_wordless(&typed) { heard(Intent::Nothing, None) } else { heard(Intent::Question, None) }
}

/// The words that are printed on posters in every country: they show nothing
/// about the sender's language.
const UNIVERSAL: [&str; 7] = ["help", "more", "why", "lang", "stop", "start", "person"];

fn command(typed: &str) -> Option<(Intent, Option<Language>)> {
    if let Some(language) = language_wanted(typed) {
        return Some((Intent::Lang(language), language));
    }
    let heard: Vec<(Intent, Language)> = languages::ALL
        .iter()
        .filter_map(|pack| Some((intent_in(&pack.commands, typed)?, pack.language)))
        .collect();
    let (intent, language) = *heard.first()?;
    // "Source" is English and French.
    let shows = heard.len() == 1 && !UNIVERSAL.contains(&typed);
    Some((intent, shows.then_some(language)))
}

fn intent_in(commands: &Commands, typed: &str) -> Option<Intent> {
    [
        (commands.help, Intent::Help),
        (commands.more, Intent::More),
        (commands.why, Intent::Why),
        (commands.lang, Intent::Lang(None)),
        (commands.stop, Intent::Stop),
        (commands.start, Intent::Start),
        (commands.person, Intent::Person),
        (commands.greeting, Intent::Help),
        (commands.thanks, Intent::Thanks),
    ]
    .into_iter()
    .find(|(list, _)| list.iter().any(|word| is_command(word, typed)))
    .map(|(_, intent)| intent)
}

/// Whether the message is this command. Accents may be missing, but one that is
/// there counts: French "maïs" is maize, not Portuguese "mais".
fn is_command(word: &str, typed: &str) -> bool {
    typed == word || (fold(typed) == word && ACCENTED.contains(&typed))
}

/// The commands that are spelt with accents, as they are spelt.
const ACCENTED: [&str; 20] = [
    "arrêt",
    "arrêter",
    "désabonner",
    "début",
    "démarrer",
    "parler à une personne",
    "allô",
    "informação",
    "porquê",
    "por quê",
    "porque é que",
    "língua",
    "começar",
    "olá",
    "está bem",
    "français",
    "português",
    "anglais",
    "francês",
    "inglês",
];

/// `Some(Some(sw))` for "LANG sw", "lugha kiswahili" or "Kiswahili" alone;
/// `Some(None)` where a language was asked for that nobody here can name.
fn language_wanted(typed: &str) -> Option<Option<Language>> {
    let words: Vec<&str> = typed.split(' ').collect();
    match words.as_slice() {
        [name] => named(name).map(Some),
        [verb, name] => {
            let is_verb = languages::ALL
                .iter()
                .any(|pack| pack.commands.lang.iter().any(|word| is_command(word, verb)));
            is_verb.then(|| named(name).or_else(|| Language::parse(name).ok()))
        }
        _ => None,
    }
}

fn named(name: &str) -> Option<Language> {
    let is_named = |pack: &&&Pack| pack.names.iter().any(|known| is_command(known, name));
    languages::ALL.iter().find(is_named).map(|pack| pack.language)
}

/// A message's words without the punctuation around each and the double
/// spaces; `?` where nothing else is there.
fn bare(text: &str) -> String {
    let words: Vec<&str> = text
        .split(' ')
        .map(|word| word.trim_matches(|c| !is_word(c)))
        .filter(|w| !w.is_empty())
        .collect();
    if words.is_empty() && text.contains('?') { "?".to_owned() } else { words.join(" ") }
}

/// A number of up to three digits, in the digits of any script that phones
/// here write, or one of the first four in words.
fn number(typed: &str) -> Option<u32> {
    let in_words = languages::ALL
        .iter()
        .find_map(|pack| pack.numbers.iter().position(|word| *word == typed))
        .and_then(|at| u32::try_from(at + 1).ok());
    let digits: Option<Vec<u32>> = typed.chars().map(digit).collect();
    let in_digits = digits
        .filter(|digits| (1..=3).contains(&digits.len()))
        .map(|digits| digits.iter().fold(0, |number, digit| number * 10 + digit));
    in_words.or(in_digits)
}

/// The value of a decimal digit: ASCII, Arabic, Devanagari, Bengali, Khmer,
/// Myanmar, and full-width ones.
fn digit(c: char) -> Option<u32> {
    let zeros = ['0', '٠', '۰', '०', '০', '០', '၀', '０'];
    zeros.iter().find_map(|zero| (c as u32).checked_sub(*zero as u32).filter(|value| *value < 10))
}

/// Whether nothing in the text can be a question: no two letters in a row. One
/// sign is a word in some scripts, but not in those with an alphabet.
fn is_wordless(typed: &str) -> bool {
    let is_alphabet = |c: char| (c as u32) < 0x530 || ('\u{1e00}'..='\u{1fff}').contains(&c);
    let mut run = 0;
    for c in typed.chars() {
        run = if c.is_alphabetic() { run + 1 } else { 0 };
        if run >= 2 || (run == 1 && !is_alphabet(c)) {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Intent {
        intent(text).intent
    }

    #[test]
    fn a_command_is_heard_in_any_dress() {
        for text in [
            "HELP",
            "help",
            " Help! ",
            "\"help\"",
            "h\u{ad}elp",
            "?",
            "??",
            "Msaada.",
            "AIDE",
            "Ajuda",
            "THANDIZO",
        ] {
            assert_eq!(read(text), Intent::Help, "{text}");
        }
        for text in ["MORE", "more...", "zaidi", "SUITE", "mais", "Zambiri"] {
            assert_eq!(read(text), Intent::More, "{text}");
        }
        for text in
            ["why?", "KWA  NINI", "kwanini", "Pourquoi ?", "Porquê?", "por que", "chifukwa chiyani"]
        {
            assert_eq!(read(text), Intent::Why, "{text}");
        }
        for text in ["STOP", "Acha", "ARRÊT", "arret", "PARAR", "siyani"] {
            assert_eq!(read(text), Intent::Stop, "{text}");
        }
        for text in ["start", "ANZA", "reprendre", "Começar", "comecar", "yambani"] {
            assert_eq!(read(text), Intent::Start, "{text}");
        }
        for text in ["person", "MTU", "Personne", "pessoa", "munthu"] {
            assert_eq!(read(text), Intent::Person, "{text}");
        }
        assert_eq!(read("Asante sana!"), Intent::Thanks);
        assert_eq!(read("Bonjour"), Intent::Help);
    }

    #[test]
    fn a_question_that_begins_like_a_command_is_a_question() {
        for text in [
            "stop bleeding how",
            "help my child has fever",
            "more about malaria",
            "why is the clinic closed",
            "start a business",
            "person lost ID",
            "language school where",
            "lang sw please now",
            "mais ou est la clinique",
            "maïs",
            "acha kuvuta sigara vipi",
            "1 month old baby",
            "how",
            "水",
        ] {
            assert_eq!(read(text), Intent::Question, "{text}");
        }
    }

    #[test]
    fn a_language_is_chosen_by_code_or_name() {
        for text in ["LANG sw", "lang: SW", "LUGHA KISWAHILI", "language swahili", "Kiswahili"] {
            assert_eq!(read(text), Intent::Lang(Some(Language::SW)), "{text}");
        }
        assert_eq!(read("langue français"), Intent::Lang(Some(Language::FR)));
        assert_eq!(read("LANG hau"), Intent::Lang(Language::parse("hau").ok()));
        assert_eq!(read("lang"), Intent::Lang(None));
        assert_eq!(read("lang klingon"), Intent::Lang(None));
    }

    #[test]
    fn numbers_come_in_digits_and_words() {
        for text in ["2", " 2. ", "#2", "(2)", "٢", "२", "two", "Mbili", "deux", "dois", "ziwiri"]
        {
            assert_eq!(read(text), Intent::Number(2), "{text}");
        }
        assert_eq!(read("12"), Intent::Number(12));
        assert_eq!(read("0991234567"), Intent::Nothing);
    }

    #[test]
    fn where_no_word_is_nothing_is_asked() {
        for text in ["", " ", "a", "🙂🙂", "...", "\u{1}\u{2}", "x 1 y", "\u{feff}"] {
            assert_eq!(read(text), Intent::Nothing, "{text:?}");
        }
    }

    #[test]
    fn a_command_word_shows_its_language_where_it_has_only_one() {
        assert_eq!(intent("msaada").language, Some(Language::SW));
        assert_eq!(intent("lang fr").language, Some(Language::FR));
        for text in ["HELP", "source", "menu", "2"] {
            assert_eq!(intent(text).language, None, "{text}");
        }
    }

    #[test]
    fn every_command_word_leads_to_its_own_command() {
        for pack in languages::ALL {
            let commands = &pack.commands;
            for (list, expected) in [
                (commands.help, Intent::Help),
                (commands.more, Intent::More),
                (commands.why, Intent::Why),
                (commands.lang, Intent::Lang(None)),
                (commands.stop, Intent::Stop),
                (commands.start, Intent::Start),
                (commands.person, Intent::Person),
                (commands.greeting, Intent::Help),
                (commands.thanks, Intent::Thanks),
            ] {
                for word in list {
                    assert_eq!(read(word), expected, "{word} in {}", pack.language);
                }
            }
        }
    }

    #[test]
    fn accented_spellings_are_spellings_of_something() {
        for spelling in ACCENTED {
            assert_ne!(read(spelling), Intent::Question, "{spelling}");
        }
    }

    proptest! {
        #[test]
        fn any_text_has_an_intent(text in any::<String>()) {
            intent(&text);
        }
    }
}
