//! What Jibu itself says in a USSD session, one block a language. Answers,
//! topics and questions come from outside and may be in any language.
//!
//! Phrases keep to the GSM 7-bit alphabet and are short: on a page in UCS-2 they
//! share 70 characters with the answer. Only the English ones were checked by a
//! speaker.

use jibu_types::Language;

/// The words of one language.
#[derive(Debug)]
pub(crate) struct Words {
    language: &'static str,
    name: &'static str,
    /// Other names that somebody may write for the language, in small letters.
    names: &'static [&'static str],
    /// Above a menu.
    pub(crate) choose: &'static str,
    /// Above a menu after something that led nowhere.
    pub(crate) choose_again: &'static str,
    /// Where a question is to be written.
    pub(crate) write: &'static str,
    /// The same after something that was no question.
    pub(crate) write_again: &'static str,
    /// Under a text, after something that led nowhere.
    pub(crate) keys_again: &'static str,
    /// The answer takes a while.
    pub(crate) looking: &'static str,
    /// The key that shows the answer when it is there.
    pub(crate) show: &'static str,
    /// The next page.
    pub(crate) more: &'static str,
    /// The page before.
    pub(crate) back: &'static str,
    /// Send the answer by SMS.
    pub(crate) sms: &'static str,
    /// What happens then.
    pub(crate) sms_follows: &'static str,
    /// Nothing could be looked up.
    pub(crate) failed: &'static str,
    /// Words that mean the key, in small letters.
    more_words: &'static [&'static str],
    back_words: &'static [&'static str],
}

/// The words to speak to somebody with: in `language`, else in the site's own,
/// else in English.
pub(crate) fn spoken(language: Option<Language>, default: Option<Language>) -> &'static Words {
    let of = |language: Language| ALL.iter().find(|words| words.language == language.as_str());
    language.and_then(of).or_else(|| default.and_then(of)).unwrap_or(&ALL[0])
}

/// A language's name in itself, or its subtag.
pub(crate) fn name(language: Language) -> String {
    let code = language.as_str();
    let pack = ALL.iter().find(|words| words.language == code).map(|words| words.name);
    let other = OTHER_NAMES.iter().find(|(other, _)| *other == code).map(|(_, name)| *name);
    pack.or(other).unwrap_or(code).to_owned()
}

/// Which of the offered languages a word names.
pub(crate) fn named(word: &str, offered: &[Language]) -> Option<Language> {
    let word = word.trim().to_lowercase();
    offered.iter().copied().find(|language| {
        let pack = ALL.iter().find(|words| words.language == language.as_str());
        word == language.as_str()
            || word == name(*language).to_lowercase()
            || pack.is_some_and(|words| words.names.contains(&word.as_str()))
    })
}

/// Whether a word asks for the next page, in any language.
pub(crate) fn means_more(word: &str) -> bool {
    ALL.iter().any(|words| words.more_words.contains(&word))
}

/// Whether a word asks for the page before, in any language.
pub(crate) fn means_back(word: &str) -> bool {
    ALL.iter().any(|words| words.back_words.contains(&word))
}

const ALL: [Words; 5] = [
    Words {
        language: "en",
        name: "English",
        names: &["kiingereza", "anglais", "ingles", "chingerezi"],
        choose: "Choose a number, or write your question:",
        choose_again: "Not on the list. Choose a number, or write your question:",
        write: "Write your question in a few words:",
        write_again: "I see no question. Write it in a few words:",
        keys_again: "That key leads nowhere here. You may also write a new question.",
        looking: "I am looking for the answer.",
        show: "See it",
        more: "More",
        back: "Back",
        sms: "SMS",
        sms_follows: "The answer comes to you by SMS.",
        failed: "That did not work just now. Please try again.",
        more_words: &["more", "next"],
        back_words: &["back"],
    },
    Words {
        language: "sw",
        name: "Kiswahili",
        names: &["swahili", "suaili", "chiswahili"],
        choose: "Chagua namba, au andika swali lako:",
        choose_again: "Haipo katika orodha. Chagua namba, au andika swali lako:",
        write: "Andika swali lako kwa maneno machache:",
        write_again: "Sioni swali. Liandike kwa maneno machache:",
        keys_again: "Namba hiyo haitumiki hapa. Unaweza pia kuandika swali jipya.",
        looking: "Natafuta jibu.",
        show: "Lione",
        more: "Zaidi",
        back: "Rudi",
        sms: "SMS",
        sms_follows: "Jibu litakujia kwa SMS.",
        failed: "Haikuwezekana sasa hivi. Tafadhali jaribu tena.",
        more_words: &["zaidi", "endelea"],
        back_words: &["rudi", "nyuma"],
    },
    Words {
        language: "fr",
        name: "Francais",
        names: &["français", "french", "kifaransa"],
        choose: "Choisissez un numéro ou écrivez votre question:",
        choose_again: "Pas dans la liste. Choisissez un numéro ou écrivez votre question:",
        write: "Écrivez votre question en peu de mots:",
        write_again: "Je ne vois pas de question. Écrivez-la en peu de mots:",
        keys_again: "Cette touche ne sert pas ici. Vous pouvez aussi écrire une question.",
        looking: "Je cherche la réponse.",
        show: "La voir",
        more: "Suite",
        back: "Retour",
        sms: "SMS",
        sms_follows: "La réponse vous parvient par SMS.",
        failed: "Impossible pour le moment. Veuillez réessayer.",
        more_words: &["suite", "plus", "suivant"],
        back_words: &["retour"],
    },
    Words {
        language: "pt",
        name: "Portugues",
        names: &["português", "portuguese", "kireno"],
        choose: "Escolha da lista ou escreva a sua pergunta:",
        choose_again: "Isso falta na lista. Escolha ou escreva a sua pergunta:",
        write: "Escreva a sua pergunta em poucas palavras:",
        write_again: "Falta a pergunta. Escreva em poucas palavras:",
        keys_again: "Essa tecla nada faz aqui. Pode também escrever uma pergunta.",
        looking: "Procuro a resposta.",
        show: "Ver",
        more: "Mais",
        back: "Voltar",
        sms: "SMS",
        sms_follows: "A resposta chega por SMS.",
        failed: "Agora falhou. Por favor tente de novo.",
        more_words: &["mais"],
        back_words: &["voltar"],
    },
    Words {
        language: "ny",
        name: "Chichewa",
        names: &["chewa", "nyanja", "chinyanja"],
        choose: "Sankhani nambala, kapena lembani funso lanu:",
        choose_again: "Palibe pamndandanda. Sankhani nambala, kapena lembani funso lanu:",
        write: "Lembani funso lanu m'mawu ochepa:",
        write_again: "Sindikuona funso. Lembani m'mawu ochepa:",
        keys_again: "Nambalayi sigwira ntchito pano. Mutha kulemba funso lina.",
        looking: "Ndikufufuza yankho.",
        show: "Onani",
        more: "Zambiri",
        back: "Bwererani",
        sms: "SMS",
        sms_follows: "Yankho lifika pa SMS.",
        failed: "Zakanika panopa. Chonde yesaninso.",
        more_words: &["zambiri", "pitirizani", "pitiriza"],
        back_words: &["bwererani", "bwerera"],
    },
];

/// The names, in themselves, of languages that answers may be in although the
/// words above are not.
const OTHER_NAMES: [(&str, &str); 28] = [
    ("am", "አማርኛ"),
    ("ar", "العربية"),
    ("bem", "Ichibemba"),
    ("bn", "বাংলা"),
    ("es", "Espanol"),
    ("ha", "Hausa"),
    ("hi", "हिन्दी"),
    ("id", "Bahasa Indonesia"),
    ("ig", "Igbo"),
    ("km", "ខ្មែរ"),
    ("lg", "Luganda"),
    ("ln", "Lingala"),
    ("mg", "Malagasy"),
    ("my", "မြန်မာ"),
    ("ne", "नेपाली"),
    ("om", "Afaan Oromoo"),
    ("rn", "Ikirundi"),
    ("rw", "Ikinyarwanda"),
    ("sn", "chiShona"),
    ("so", "Soomaali"),
    ("st", "Sesotho"),
    ("ti", "ትግርኛ"),
    ("tn", "Setswana"),
    ("tum", "Chitumbuka"),
    ("ur", "اردو"),
    ("wo", "Wolof"),
    ("yo", "Yoruba"),
    ("zu", "isiZulu"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn septets(text: &str) -> Option<usize> {
        let shift = jibu_gsm::Shift::default();
        jibu_gsm::alphabet::to_septets(text, shift).map(|septets| septets.len())
    }

    #[test]
    fn every_phrase_is_short_and_in_the_seven_bit_alphabet() {
        for words in &ALL {
            let phrases = [
                words.name,
                words.choose,
                words.choose_again,
                words.write,
                words.write_again,
                words.keys_again,
                words.looking,
                words.show,
                words.more,
                words.back,
                words.sms,
                words.sms_follows,
                words.failed,
            ];
            for phrase in phrases {
                assert!(!phrase.is_empty(), "{}", words.language);
                let septets = septets(phrase);
                assert!(
                    septets.is_some_and(|n| n <= 80),
                    "{}: {phrase} {septets:?}",
                    words.language
                );
            }
        }
    }

    #[test]
    fn a_language_is_known_by_its_code_and_its_names() {
        let offered = [Language::EN, Language::FR, Language::parse("am").unwrap()];
        assert_eq!(named("FR", &offered), Some(Language::FR));
        assert_eq!(named("Français", &offered), Some(Language::FR));
        assert_eq!(named("አማርኛ", &offered), Language::parse("am").ok());
        assert_eq!(named("Kiswahili", &offered), None);
    }
}
