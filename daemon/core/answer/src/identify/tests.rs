use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::Value;

use super::*;

const SHIPPED: &[u8] =
    include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../models/language.bin"));
/// What the recipe computed with the shipped model.
const GOLDEN: &str = include_str!("golden.json");

static MODEL: LazyLock<LanguageModel> = LazyLock::new(|| LanguageModel::read(SHIPPED).unwrap());

const OFFERED: [Language; 5] =
    [Language::EN, Language::SW, Language::FR, Language::PT, Language::NY];

fn language(code: &str) -> Language {
    Language::parse(code).unwrap()
}

fn identify(text: &str, offered: &[Language]) -> Option<Identified> {
    MODEL.identify(text, offered)
}

fn confident(text: &str) -> Option<Language> {
    identify(text, &OFFERED).filter(|f| f.confidence >= CONFIDENT).map(|f| f.language)
}

/// The twelve that the recipe offered.
fn twelve() -> Vec<Language> {
    "am en fr ha hi km ny pt rw sw yo zu".split(' ').map(language).collect()
}

#[test]
fn the_daemon_and_the_recipe_compute_the_same() {
    let golden: Value = serde_json::from_str(GOLDEN).unwrap();
    for case in golden.as_array().unwrap() {
        let text = case["text"].as_str().unwrap();
        let found = identify(text, &twelve());
        assert_eq!(found.map(|f| f.language.to_string()).as_deref(), case["language"].as_str());
        let wanted = case["confidence"].as_f64().unwrap_or_default();
        let confidence = found.map_or(0.0, |found| found.confidence);
        assert!((confidence - wanted).abs() < 1e-5, "{text}: {confidence} {wanted}");
    }
}

#[test]
fn short_questions_show_their_language() {
    for (text, language) in [
        ("how to get passport", Language::EN),
        ("baby not eating fever", Language::EN),
        ("where is the chief's office", Language::EN),
        ("nataka kujua bei ya mbolea", Language::SW),
        ("mtoto anaharisha nifanyeje", Language::SW),
        ("leseni ya biashara inapatikana wapi", Language::SW),
        ("mon fils tousse la nuit", Language::FR),
        ("ou faire un passeport", Language::FR),
        ("prix du casier judiciaire", Language::FR),
        ("onde faco o passaporte", Language::PT),
        ("a minha filha tem diarreia", Language::PT),
        ("preco da carta de conducao", Language::PT),
        ("mwana akutsegula m'mimba", Language::NY),
        ("ndingapeze bwanji laisensi", Language::NY),
        ("ndikufuna kudziwa za katemera", Language::NY),
    ] {
        assert_eq!(confident(text), Some(language), "{text}: {:?}", identify(text, &OFFERED));
    }
}

#[test]
fn a_text_without_letters_shows_nothing() {
    assert_eq!(identify("", &OFFERED), None);
    assert_eq!(identify("12 🙂 !!", &OFFERED), None);
    assert_eq!(identify("malaria", &[]), None);
}

#[test]
fn a_word_of_several_languages_convinces_nobody() {
    for text in ["malaria", "certificate", "hospital", "Maria", "covid", "a", "xzqv kwrt"] {
        assert_eq!(confident(text), None, "{text}: {:?}", identify(text, &OFFERED));
    }
}

#[test]
fn more_words_say_more() {
    let sure = |text| identify(text, &OFFERED).unwrap().confidence;
    assert!(sure("mbolea bei") > sure("mbolea"));
    assert!(sure("nataka kujua bei ya mbolea") > sure("mbolea bei"));
}

#[test]
fn words_of_another_script_and_what_is_no_word_count_for_nothing() {
    let plain = identify("mtoto anaharisha nifanyeje", &OFFERED);
    assert!(plain.is_some());
    for text in [
        "mtoto 🤒 anaharisha, 2 nifanyeje??",
        "MTOTO\u{7}anaharisha\u{0}\u{202e}nifanyeje",
        "mtoto anaharisha बुखार nifanyeje",
    ] {
        assert_eq!(identify(text, &OFFERED), plain, "{text:?}");
    }
    assert_eq!(identify("🙂🤒👍🏽", &OFFERED), None);
}

#[test]
fn a_text_of_any_length_is_identified() {
    let long = "mtoto anaharisha nifanyeje ".repeat(200);
    assert_eq!(confident(&long), Some(Language::SW));
    let word = "ab".repeat(2500);
    assert!(identify(&word, &OFFERED).unwrap().confidence.is_finite());
}

#[test]
fn a_language_that_nobody_offered_is_not_taken_for_another() {
    for text in [
        "ngifuna ukwazi ukuthi umtholampilo uvula nini",
        "bawo ni mo se le ri dokita loni",
        "ina zan samu rigakafi na yaro na",
        "waa maxay astaamaha cudurka duumada",
    ] {
        assert_eq!(confident(text), None, "{text}: {:?}", identify(text, &OFFERED));
    }
}

#[test]
fn a_script_of_its_own_is_enough() {
    let greek = language("el");
    let found = identify("πού είναι η κλινική", &[Language::EN, greek]).unwrap();
    assert_eq!(found.language, greek);
    assert_eq!(identify("где клиника", &[Language::EN, greek]), None);
}

#[test]
fn languages_of_one_script_are_told_apart() {
    let (amharic, tigrinya) = (language("am"), language("ti"));
    let both = [Language::EN, amharic, tigrinya];
    let found = |text, offered: &[Language]| identify(text, offered).unwrap();
    assert_eq!(found("የወባ በሽታ ምልክቶች ምንድን ናቸው", &both).language, amharic);
    assert_eq!(found("ሕማም ዓሶ ምልክታቱ እንታይ እዩ", &both).language, tigrinya);
    // Tigrinya is no Amharic where Amharic alone is offered.
    let found = found("ሕማም ዓሶ ምልክታቱ እንታይ እዩ", &[Language::EN, amharic]);
    assert!(found.confidence < CONFIDENT, "{found:?}");
}

#[test]
fn the_senders_choice_stands_above_all() {
    let shown = Some(Identified { language: Language::FR, confidence: 0.9 });
    let faint = Some(Identified { language: Language::FR, confidence: 0.5 });
    let (sw, pt, en) = (Language::SW, Language::PT, Language::EN);
    assert_eq!(settle(Some(sw), shown, Some(pt), en), sw);
    assert_eq!(settle(None, shown, Some(pt), en), Language::FR);
    assert_eq!(settle(None, faint, Some(pt), en), pt);
    assert_eq!(settle(None, faint, None, en), en);
}

/// A model that knows Swahili and English, with one row of one part.
fn small() -> Vec<u8> {
    let mut bytes = b"JBLI".to_vec();
    bytes.extend([1u32, 2, 1, 1].iter().flat_map(|number| number.to_le_bytes()));
    bytes.extend([1f32, 0.5, 0.1].iter().flat_map(|number| number.to_le_bytes()));
    bytes.extend(b"sw\0\0Latn\0\0\0\0en\0\0Latn\0\0\0\0");
    bytes.extend([1f32, -1.0].iter().flat_map(|weight| weight.to_le_bytes()));
    bytes.push(5);
    bytes
}

#[test]
fn other_bytes_are_no_model() {
    let whole = small();
    let read = |bytes: &[u8]| LanguageModel::read(bytes).map(|_| ());
    assert_eq!(read(&whole), Ok(()));
    assert_eq!(read(b""), Err(LanguageModelError::Unknown));
    for end in 0..whole.len() {
        assert!(read(&whole[..end]).is_err(), "{end}");
    }
    let with = |at: usize, new: &[u8]| {
        let mut bytes = whole.clone();
        bytes[at..at + new.len()].copy_from_slice(new);
        read(&bytes)
    };
    assert_eq!(with(4, &[2]), Err(LanguageModelError::Unknown));
    assert_eq!(with(8, &[0; 4]), Err(LanguageModelError::Head));
    assert_eq!(
        with(8, &[0xff; 12]),
        Err(LanguageModelError::Length { wanted: u64::MAX, found: whole.len() as u64 })
    );
    for at in [20, 24, 28] {
        assert_eq!(with(at, &f32::NAN.to_le_bytes()), Err(LanguageModelError::Head));
    }
    assert_eq!(with(28, &1f32.to_le_bytes()), Err(LanguageModelError::Head));
    assert_eq!(with(44, b"1?"), Err(LanguageModelError::Entry(1)));
    assert_eq!(with(48, b"????"), Err(LanguageModelError::Entry(1)));
    assert_eq!(with(60, &f32::INFINITY.to_le_bytes()), Err(LanguageModelError::Entry(1)));
}

proptest! {
    #[test]
    fn any_text_is_in_an_offered_language_or_none(text in any::<String>()) {
        if let Some(found) = identify(&text, &OFFERED) {
            prop_assert!(OFFERED.contains(&found.language));
            prop_assert!((0.0..=1.0).contains(&found.confidence));
        }
    }

    #[test]
    fn any_bytes_behind_a_head_are_a_model_or_an_error(mut bytes in any::<Vec<u8>>(), cut in 0usize..40) {
        bytes.splice(0..0, small().into_iter().take(cut));
        if let Ok(model) = LanguageModel::read(&bytes) {
            let _ = model.identify("habari za leo", &OFFERED);
        }
    }
}
