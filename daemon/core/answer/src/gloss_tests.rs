use std::convert::Infallible;
use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;

const SHIPPED: &[u8] =
    include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../models/glossary.bin"));

static GLOSSARY: LazyLock<Glossary> = LazyLock::new(|| Glossary::read(SHIPPED).unwrap());

/// An index with these words.
struct Index(&'static str);

impl Vocabulary for Index {
    type Error = Infallible;

    fn knows(&self, word: &str) -> Result<bool, Infallible> {
        Ok(self.0.split(' ').any(|known| known == word))
    }

    fn beginning_with(&self, _: char) -> Result<Vec<(String, u64)>, Infallible> {
        Ok(Vec::new())
    }

    fn is_used_in(&self, _: &str, _: Language) -> Result<bool, Infallible> {
        Ok(false)
    }
}

const ENGLISH: Index = Index("the child has fever malaria mosquito water president medicine");

fn zulu() -> Language {
    Language::parse("zu").unwrap()
}

#[test]
fn what_no_passage_says_is_said_in_english() {
    let asked = Query::analyse("Mtoto wangu ana homa ya malaria", Language::SW);
    let said = in_english(&asked, &GLOSSARY, Language::SW, &ENGLISH).unwrap();
    assert_eq!(said.text, "Mtoto wangu ana homa ya malaria child fever");
    assert_eq!(said.words, ["child", "fever", "malaria"]);
    assert!(said.trigrams.contains(&"fev".to_owned()));
    assert_eq!(said.language, Language::SW);

    let asked = Query::analyse("Ngubani umongameli?", Language::EN);
    let said = in_english(&asked, &GLOSSARY, zulu(), &ENGLISH).unwrap();
    assert_eq!(said.words, ["ngubani", "president"]);
}

#[test]
fn forms_that_no_sentence_had_are_known_by_their_stems() {
    assert_eq!(GLOSSARY.of(zulu(), "umongameli"), ["president"]);
    // "To the president", "presidents", "and in the hospital".
    for (form, gloss) in
        [("komongameli", "president"), ("abongameli", "president"), ("nasesibhedlela", "hospital")]
    {
        assert_eq!(GLOSSARY.of(zulu(), form), [gloss]);
    }
    assert!(GLOSSARY.of(zulu(), "qqqqqqqqq").is_empty());
    assert!(GLOSSARY.of(zulu(), "").is_empty());
}

#[test]
fn greek_is_said_in_english() {
    let greek = Language::parse("el").unwrap();
    let asked = Query::analyse("Ο πυρετός του παιδιού", Language::EN);
    let said = in_english(&asked, &GLOSSARY, greek, &ENGLISH).unwrap();
    assert_eq!(said.text, "Ο πυρετός του παιδιού fever child");
}

#[test]
fn passages_in_the_askers_language_are_asked_in_it() {
    let asked = Query::analyse("Mtoto ana homa", Language::SW);
    let own = Index("mtoto homa child fever");
    assert_eq!(in_english(&asked, &GLOSSARY, Language::SW, &own).unwrap(), asked);
    let without = Index("maji");
    assert_eq!(in_english(&asked, &GLOSSARY, Language::SW, &without).unwrap(), asked);
}

#[test]
fn a_language_that_it_does_not_have_stays() {
    let asked = Query::analyse("the pain is bad", Language::EN);
    assert_eq!(in_english(&asked, &GLOSSARY, Language::EN, &ENGLISH).unwrap(), asked);
}

#[test]
fn bytes_that_are_no_glossary_are_refused() {
    assert_eq!(Glossary::read(b"JBLX").unwrap_err(), GlossaryError::Unknown);
    let mut newer = SHIPPED[..20].to_vec();
    newer[4] = 9;
    assert_eq!(Glossary::read(&newer).unwrap_err(), GlossaryError::Unknown);
    let half = &SHIPPED[..SHIPPED.len() / 2];
    assert_eq!(Glossary::read(half).unwrap_err(), GlossaryError::Short(half.len()));
    let cut = &SHIPPED[..SHIPPED.len() - 1];
    assert!(matches!(Glossary::read(cut).unwrap_err(), GlossaryError::Word(_)));
    let mut nonsense = SHIPPED.to_vec();
    nonsense[28..32].copy_from_slice(&[0xff; 4]);
    assert_eq!(Glossary::read(&nonsense).unwrap_err(), GlossaryError::Language(0));
}

proptest! {
    #[test]
    fn no_bytes_panic(head in any::<[u8; 12]>(), rest in prop::collection::vec(any::<u8>(), 0..200)) {
        let counts: Vec<u8> = head.iter().enumerate().map(|(at, b)| if at % 4 == 0 { b % 8 } else { 0 }).collect();
        let bytes = [&SHIPPED[..8], &counts, &rest].concat();
        if let Ok(glossary) = Glossary::read(&bytes) {
            for language in glossary.languages() {
                let _ = glossary.of(language, "ngesibhedlela");
            }
        }
    }

    #[test]
    fn any_text_can_be_said(text in any::<String>()) {
        let query = Query::analyse(&text, Language::SW);
        let said = in_english(&query, &GLOSSARY, Language::SW, &ENGLISH).unwrap();
        prop_assert!(said.text.starts_with(&query.text));
        prop_assert!(said.words.len() <= Query::MOST_WORDS);
    }
}
