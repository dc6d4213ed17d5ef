//! What Jibu itself says and understands, one file a language.
//!
//! A language is a [`Pack`] of constants, so a phrase that is missing in one
//! language does not compile. Answers come from documents in any language;
//! only the words around them need a pack.

mod en;
mod fr;
mod ny;
mod pt;
mod sw;

use jibu_types::Language;

use crate::danger::Danger;

/// Every language with words of its own. English comes first: it stands in for
/// a language without.
pub(crate) static ALL: [&Pack; 5] = [&en::PACK, &sw::PACK, &fr::PACK, &pt::PACK, &ny::PACK];

/// The words of a language, if it has a pack.
pub(crate) fn pack(language: Language) -> Option<&'static Pack> {
    ALL.iter().copied().find(|pack| pack.language == language)
}

/// The phrases to speak to somebody: in `language`, else in the site's own,
/// else in English.
pub(crate) fn spoken(language: Language, default: Language) -> &'static Pack {
    pack(language).or_else(|| pack(default)).unwrap_or(&en::PACK)
}

/// One language.
pub(crate) struct Pack {
    /// Its subtag.
    pub(crate) language: Language,
    /// Its name in itself.
    pub(crate) name: &'static str,
    /// Its names in the languages around it, folded, for `LANG`.
    pub(crate) names: &'static [&'static str],
    /// The words that command, folded; the first is the one that help names.
    pub(crate) commands: Commands,
    /// The numbers of a menu in words, from one, folded.
    pub(crate) numbers: [&'static str; 4],
    /// Words that carry no topic, folded, split by white space.
    pub(crate) stop_words: &'static str,
    /// What hurried thumbs type for everyday words, folded, and the words that are
    /// meant. None that is also a word, a unit or a vitamin.
    pub(crate) short_forms: &'static [(&'static str, &'static str)],
    /// Greetings, thanks and pleas that stand around a question and are none of it,
    /// folded.
    pub(crate) courtesies: &'static [&'static str],
    /// Whom these name, folded.
    pub(crate) addresses: &'static [&'static str],
    /// Words that ask for an amount, a time or a number, folded.
    pub(crate) quantity: &'static [&'static str],
    /// Words that make a sentence hang on the one before, folded.
    pub(crate) leaning: &'static [&'static str],
    /// Words that open a warning about the sentence before, folded.
    pub(crate) caveats: &'static [&'static str],
    /// Words that turn a meaning round; nothing is cut behind them. Folded.
    pub(crate) negations: &'static [&'static str],
    /// Words that say when or for whom something holds; what has one is not left
    /// out of a sentence. Folded.
    pub(crate) conditions: &'static [&'static str],
    /// Words that open a clause which only explains, and may be left out. Folded.
    pub(crate) asides: &'static [&'static str],
    /// Patterns of danger (see [`mod@crate::danger`]), folded.
    pub(crate) danger: &'static [(Danger, &'static [&'static str])],
    /// What Jibu says.
    pub(crate) phrases: Phrases,
}

/// The words of each command.
pub(crate) struct Commands {
    pub(crate) help: &'static [&'static str],
    pub(crate) more: &'static [&'static str],
    pub(crate) why: &'static [&'static str],
    pub(crate) lang: &'static [&'static str],
    pub(crate) stop: &'static [&'static str],
    pub(crate) start: &'static [&'static str],
    pub(crate) person: &'static [&'static str],
    /// A greeting is answered like HELP.
    pub(crate) greeting: &'static [&'static str],
    /// Thanks need no answer that somebody pays for.
    pub(crate) thanks: &'static [&'static str],
}

/// What Jibu says, short and in plain words. `{…}` is filled in.
pub(crate) struct Phrases {
    /// What can be sent.
    pub(crate) help: &'static str,
    /// Behind help, where an emergency number is known.
    pub(crate) help_danger: &'static str,
    /// Under an answer.
    pub(crate) source: &'static str,
    /// Under an answer that has more.
    pub(crate) more: &'static str,
    /// MORE, and nothing is left.
    pub(crate) nothing_more: &'static str,
    /// Above a menu.
    pub(crate) choose: &'static str,
    /// A number that is not in the menu.
    pub(crate) choose_again: &'static str,
    /// A number without a menu.
    pub(crate) no_menu: &'static str,
    /// Above an answer to a message of which parts never came.
    pub(crate) incomplete: &'static str,
    /// No answer.
    pub(crate) unknown: &'static str,
    /// No answer, and a person can be called.
    pub(crate) ask_person: &'static str,
    /// WHY: where an answer comes from.
    pub(crate) why: &'static str,
    /// WHY, for a document with a date.
    pub(crate) why_date: &'static str,
    /// WHY, for a document without.
    pub(crate) why_no_date: &'static str,
    /// WHY: how sure.
    pub(crate) sure: &'static str,
    /// WHY: how sure.
    pub(crate) fairly_sure: &'static str,
    /// WHY: how sure.
    pub(crate) not_sure: &'static str,
    /// WHY: who chose.
    pub(crate) machine: &'static str,
    /// WHY without an answer before.
    pub(crate) why_nothing: &'static str,
    /// A language was chosen; said in that language.
    pub(crate) language_set: &'static str,
    /// Which languages there are.
    pub(crate) language_list: &'static str,
    /// After STOP.
    pub(crate) stopped: &'static str,
    /// After START.
    pub(crate) started: &'static str,
    /// PERSON, with a number to call.
    pub(crate) person: &'static str,
    /// PERSON, without one.
    pub(crate) person_unset: &'static str,
    /// PERSON, where the last question travels to one.
    pub(crate) person_asked: &'static str,
    /// Nothing to read in the message.
    pub(crate) not_understood: &'static str,
    /// A question as an example.
    pub(crate) example: &'static str,
    /// Danger to a body.
    pub(crate) urgent_medical: &'static str,
    /// Danger from oneself.
    pub(crate) urgent_self_harm: &'static str,
    /// Danger from others.
    pub(crate) urgent_violence: &'static str,
    /// Behind a danger, where an emergency number is known.
    pub(crate) urgent_call: &'static str,
}

impl Phrases {
    /// Every phrase with its name, for checks over all of them.
    #[cfg(test)]
    fn all(&self) -> [(&'static str, &'static str); 32] {
        [
            ("help", self.help),
            ("help_danger", self.help_danger),
            ("source", self.source),
            ("more", self.more),
            ("nothing_more", self.nothing_more),
            ("choose", self.choose),
            ("choose_again", self.choose_again),
            ("no_menu", self.no_menu),
            ("incomplete", self.incomplete),
            ("unknown", self.unknown),
            ("ask_person", self.ask_person),
            ("why", self.why),
            ("why_date", self.why_date),
            ("why_no_date", self.why_no_date),
            ("sure", self.sure),
            ("fairly_sure", self.fairly_sure),
            ("not_sure", self.not_sure),
            ("machine", self.machine),
            ("why_nothing", self.why_nothing),
            ("language_set", self.language_set),
            ("language_list", self.language_list),
            ("stopped", self.stopped),
            ("started", self.started),
            ("person", self.person),
            ("person_unset", self.person_unset),
            ("person_asked", self.person_asked),
            ("not_understood", self.not_understood),
            ("example", self.example),
            ("urgent_medical", self.urgent_medical),
            ("urgent_self_harm", self.urgent_self_harm),
            ("urgent_violence", self.urgent_violence),
            ("urgent_call", self.urgent_call),
        ]
    }
}

/// Whether some words, folded, open with one of the patterns: a word, two words,
/// or `start*`.
pub(crate) fn opens(patterns: &[&str], words: &[String]) -> bool {
    let [one, rest @ ..] = words else { return false };
    patterns.iter().any(|pattern| match (pattern.strip_suffix('*'), pattern.split_once(' ')) {
        (Some(start), _) => one.starts_with(start),
        (None, Some((first, second))) => one == first && rest.first().is_some_and(|w| w == second),
        (None, None) => one == pattern,
    })
}

/// Whether one of the patterns stands anywhere among some words, folded.
pub(crate) fn holds(patterns: &[&str], words: &[String]) -> bool {
    (0..words.len()).any(|at| opens(patterns, &words[at..]))
}

/// Fills `{name}` in a phrase. What is filled in is not looked at again.
pub(crate) fn fill(phrase: &str, values: &[(&str, &str)]) -> String {
    let mut out = String::with_capacity(phrase.len());
    let mut rest = phrase;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, after)) = after.split_once('}') else { break };
        out.push_str(before);
        out.push_str(values.iter().find(|(key, _)| *key == name).map_or("", |(_, value)| value));
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::fold;

    fn placeholders(phrase: &str) -> Vec<&str> {
        let mut names: Vec<&str> = phrase
            .split('{')
            .skip(1)
            .filter_map(|part| part.split_once('}'))
            .map(|(n, _)| n)
            .collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn every_phrase_has_the_same_placeholders_in_every_language() {
        for pack in ALL {
            for ((name, english), (_, phrase)) in
                en::PACK.phrases.all().iter().zip(pack.phrases.all())
            {
                assert!(!phrase.trim().is_empty(), "{name} in {}", pack.language);
                assert_eq!(
                    placeholders(english),
                    placeholders(phrase),
                    "{name} in {}",
                    pack.language
                );
            }
        }
    }

    #[test]
    fn no_phrase_is_longer_than_two_messages() {
        for pack in ALL {
            for (name, phrase) in pack.phrases.all() {
                assert!(phrase.chars().count() <= 220, "{name} in {}: {phrase}", pack.language);
            }
        }
    }

    #[test]
    fn phrases_keep_to_the_basic_alphabet_of_messages() {
        // TS 23.038 §6.2.1, without what no phrase needs. French and Portuguese
        // have letters beyond it; they are sent without accents where that is
        // cheaper.
        let basic =
            |c: char| c.is_ascii_graphic() && !"`^~|[]\\".contains(c) || " éèàùì".contains(c);
        for pack in ALL {
            for (name, phrase) in pack.phrases.all() {
                let plain = crate::text::plain_latin(phrase);
                assert!(plain.chars().all(basic), "{name} in {}: {phrase}", pack.language);
                let accents = [Language::FR, Language::PT].contains(&pack.language);
                assert!(accents || plain == phrase, "{name} in {}: {phrase}", pack.language);
            }
        }
    }

    #[test]
    fn words_are_written_as_they_are_compared() {
        for pack in ALL {
            let commands = &pack.commands;
            let lists = [
                commands.help,
                commands.more,
                commands.why,
                commands.lang,
                commands.stop,
                commands.start,
                commands.person,
                commands.greeting,
                commands.thanks,
                pack.names,
                &pack.numbers,
                pack.courtesies,
                pack.addresses,
                pack.quantity,
                pack.leaning,
                pack.caveats,
                pack.negations,
                pack.conditions,
                pack.asides,
            ];
            for list in lists {
                assert!(!list.is_empty());
                for word in list {
                    assert_eq!(&fold(word), word, "{}", pack.language);
                }
            }
            for word in pack.stop_words.split_whitespace() {
                assert_eq!(fold(word), word, "{}", pack.language);
            }
        }
    }

    #[test]
    fn patterns_are_words_or_beginnings_of_words() {
        let said: Vec<String> = crate::text::words("Hata hivyo usitumie dawa").collect();
        assert!(opens(&["hata hivyo"], &said));
        assert!(!opens(&["hata sasa", "usi*"], &said));
        assert!(holds(&["usi*"], &said));
        assert!(!holds(&["usi", "dawa hii"], &said));
    }

    #[test]
    fn filling_does_not_look_into_values() {
        assert_eq!(fill("{a} or {b}.", &[("a", "{b}"), ("b", "2")]), "{b} or 2.");
        assert_eq!(fill("open { only", &[]), "open { only");
    }
}
