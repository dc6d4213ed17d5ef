use std::convert::Infallible;
use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;
use crate::danger::Danger;

static LEXICON: LazyLock<Lexicon> = LazyLock::new(|| {
    let shipped =
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../models/lexicon.bin"));
    Lexicon::read(shipped).unwrap()
});

/// Words with the numbers of their passages; those with `sw` are Swahili.
struct Index<'a>(&'a [(&'a str, u64)]);

const INDEX: Index<'static> = Index(&[
    ("the", 90),
    ("child", 30),
    ("children", 12),
    ("chill", 1),
    ("has", 60),
    ("fever", 20),
    ("hypotension", 3),
    ("convulsions", 4),
    ("medicine", 9),
    ("amoxicillin", 2),
    ("what", 40),
    ("mtoto_sw", 7),
]);

impl Vocabulary for Index<'_> {
    type Error = Infallible;

    fn knows(&self, word: &str) -> Result<bool, Infallible> {
        Ok(self.0.iter().any(|(term, _)| term.trim_end_matches("_sw") == word))
    }

    fn beginning_with(&self, letter: char) -> Result<Vec<(String, u64)>, Infallible> {
        let terms =
            self.0.iter().map(|(term, count)| (term.trim_end_matches("_sw").into(), *count));
        Ok(terms.filter(|(term, _): &(String, u64)| term.starts_with(letter)).collect())
    }

    fn is_used_in(&self, word: &str, language: Language) -> Result<bool, Infallible> {
        let swahili = self.0.iter().any(|(term, _)| term.strip_suffix("_sw") == Some(word));
        Ok(swahili == (language == Language::SW))
    }
}

fn restored(text: &str) -> String {
    restore(&Query::analyse(text, Language::EN), &LEXICON, &INDEX).unwrap().text
}

#[test]
fn a_hurried_question_is_spelt_as_the_passages_are() {
    assert_eq!(
        restored("what mdcn 4 the chld has fevver?"),
        "what medicine 4 the child has fever?"
    );
    assert_eq!(restored("the child has amoxcillin"), "the child has amoxicillin");
    // Swapped, wrong and missing letters.
    assert_eq!(restored("the chlidren has fevwr"), "the children has fever");
    assert_eq!(restored("THE CHILD HAS FEVVR"), "THE CHILD HAS fever");
}

#[test]
fn what_is_a_word_stays_although_no_passage_has_it() {
    for text in ["what has hypertension", "the child has mtto", "what has chile", "the fever has x"]
    {
        assert_eq!(restored(text), text);
    }
}

/// Pairs that pharmacists and nurses mix up, and others that differ as little.
const LOOK_ALIKE: &str = "prednisolone prednisone  cotrimoxazole clotrimazole  \
    amoxicillin ampicillin  mucous mucus  rubella rubeola  inulin insulin  beast breast  \
    injection infection  inhabit inhibit  constipation consultation  widow window  \
    hypertension hypotension  hyperglycemia hypoglycemia  hyperthyroidism hypothyroidism  \
    chloroquine chlorpromazine  quinine quinidine  ileum ilium  dysphagia dysphasia  \
    rabies scabies  leukemia leukopenia  arthritis arteritis  metformin metronidazole  \
    hydralazine hydroxyzine  dopamine dobutamine  vincristine vinblastine  \
    cefotaxime cefoxitin  clonidine clonazepam  lamotrigine lamivudine  \
    nifedipine nimodipine  carbamazepine carbimazole  ephedrine epinephrine  \
    lactation laceration  palpitation palpation  prostate prostrate  radiation radiator  \
    sulfadiazine sulfasalazine  urethra ureter  abortion absorption  breathing breeding  \
    bleeding breeding  cancer canker  cramp crap  fever fewer  heart hearth  liver lever  \
    malt salt  moth mother  pain paint  patient patent  sleep sheep  snake shake  soap soup  \
    throat threat  vein vain  wheat what  would wound  fetal fatal  nasal natal  \
    pleural plural  coastal costal  cystine cysteine  nitrate nitrite  sulfate sulfite  \
    iodine iodide  irrigation irritation  bandage bondage  sedation sensation  \
    viable variable  desert dessert  anemia anaemia  tetanus tetany  oxytocin oxycodone";

#[test]
fn a_word_never_becomes_another_that_looks_alike() {
    let words: Vec<&str> = LOOK_ALIKE.split_whitespace().collect();
    for pair in words.chunks(2) {
        for (typed, other) in [(pair[0], pair[1]), (pair[1], pair[0])] {
            let terms = [("what", 40), ("the", 90), (other, 5)];
            let query = Query::analyse(&format!("what is the {typed}"), Language::EN);
            assert_eq!(restore(&query, &LEXICON, &Index(&terms)).unwrap(), query);
        }
    }
}

#[test]
fn names_and_numbers_stay() {
    assert_eq!(restored("has the child Fevre fever"), "has the child Fevre fever");
    assert_eq!(restored("what has fev3r the child"), "what has fev3r the child");
}

#[test]
fn a_text_in_another_language_stays() {
    let text = "wangu ana medcine fevvr chilld homa";
    assert_eq!(restored(text), text);
}

#[test]
fn a_language_that_the_lexicon_does_not_cover_stays() {
    let covered = |language| LEXICON.covers(Language::parse(language).unwrap());
    assert!(["en", "fr", "pt", "sw", "zu"].map(covered).iter().all(|covered| *covered));
    let amharic = Language::parse("am").unwrap();
    assert!(!LEXICON.covers(amharic));
    let query = Query::analyse("the child has fevvr", amharic);
    assert_eq!(restore(&query, &LEXICON, &INDEX).unwrap(), query);
}

#[test]
fn a_damaged_lexicon_is_refused() {
    let head = |version: u32, languages: u32, hashes: u32, bits: u32| {
        let numbers = [version, languages, hashes, bits].map(u32::to_le_bytes);
        [&b"JBLX"[..], numbers.as_flattened()].concat()
    };
    let read = |bytes: &[u8]| Lexicon::read(bytes).unwrap_err();
    for bytes in [&b""[..], b"JBLX", b"no lexicon at all, whatever it is", &head(2, 0, 1, 8)] {
        assert_eq!(read(bytes), LexiconError::Unknown);
    }
    assert_eq!(read(&head(1, 0, 0, 8)), LexiconError::Head);
    assert_eq!(read(&head(1, 0, 1, 0)), LexiconError::Head);
    assert_eq!(read(&head(1, 0, 1, 9)), LexiconError::Length { wanted: 22, found: 20 });
    let most = LexiconError::Length { wanted: 20 + 4 * 0xffff_ffff + 0x2000_0000, found: 20 };
    assert_eq!(read(&head(1, u32::MAX, 1, u32::MAX)), most);
    assert_eq!(read(&[&head(1, 1, 1, 8)[..], b"\xff\xff??!"].concat()), LexiconError::Entry(0));
}

#[test]
fn danger_that_was_misspelt_is_heard() {
    let query = Query::analyse("the child has convlsions", Language::EN);
    assert_eq!(query.danger, None);
    let query = restore(&query, &LEXICON, &INDEX).unwrap();
    assert_eq!(query.danger, Some(Danger::Medical));
    assert_eq!(query.words, ["child", "convulsions"]);
}

#[test]
fn an_error_has_its_price() {
    let cost = |typed: &str, meant: &str, most| {
        let letters = |word: &str| word.chars().collect::<Vec<_>>();
        cost(&letters(typed), &letters(meant), most)
    };
    for (typed, meant, wanted) in [
        ("fever", "fever", 0.0),
        ("fevr", "fever", SLIGHT),
        ("fevver", "fever", SLIGHT),
        ("leter", "letter", SLIGHT),
        ("fevre", "fever", SWAPPED),
        ("fecer", "fever", ERROR),
        ("feer", "fever", ERROR),
        ("fewver", "fever", ERROR),
        ("mdcn", "medicine", 4.0 * SLIGHT),
    ] {
        assert!((cost(typed, meant, 9.0) - wanted).abs() < 1e-9, "{typed} for {meant}");
    }
    assert_eq!(cost("abcdef", "uvwxyz", 2.0), f64::INFINITY);
}

proptest! {
    #[test]
    fn any_text_can_be_restored(text in any::<String>()) {
        let query = Query::analyse(&text, Language::EN);
        let once = restore(&query, &LEXICON, &INDEX).unwrap();
        prop_assert_eq!(once.language, query.language);
        prop_assert!(once.danger.is_some() || query.danger.is_none());
    }

    #[test]
    fn known_words_stay(text in "(the |child |has |fever ){0,8}") {
        let query = Query::analyse(&text, Language::EN);
        prop_assert_eq!(restore(&query, &LEXICON, &INDEX).unwrap(), query);
    }
}
