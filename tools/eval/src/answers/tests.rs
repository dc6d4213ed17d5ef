use std::io::Write;
use std::path::PathBuf;

use jibu_types::Span;
use proptest::prelude::*;

use super::*;

/// Version 2.0: one question that the passage does not answer.
const SQUAD: &str = r#"{"version": "v2.0", "data": [{"title": "Safe_water", "paragraphs": [
    {"context": "Boil water for one minute. Above 2,000 m boil it for three minutes.", "qas": [
        {"id": "a", "question": "How  long at 2,500 m?", "is_impossible": false,
         "answers": [{"text": "three minutes", "answer_start": 54}]},
        {"id": "b", "question": "Who founded the clinic?", "is_impossible": true, "answers": [],
         "plausible_answers": [{"text": "water", "answer_start": 5}]}]},
    {"context": "", "qas": [{"id": "c", "question": ""}]}]}]}"#;

/// Version 1.1: no title, and nothing is impossible.
const OLD: &str = r#"{"data": [{"paragraphs": [{"context": "Wash.", "qas":
    [{"id": "1", "question": "What?", "answers": [{"text": "Wash", "answer_start": 0}]}]}]}]}"#;

fn read(json: impl AsRef<[u8]>) -> anyhow::Result<Squad> {
    let mut file = tempfile::NamedTempFile::new()?;
    file.write_all(json.as_ref())?;
    Squad::read(file.path())
}

fn refused(json: &str) -> String {
    format!("{:#}", read(json).unwrap_err())
}

#[test]
fn both_versions_are_read_packed_or_not() {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(SQUAD.as_bytes()).unwrap();
    for json in [SQUAD.into(), packed.finish().unwrap()] {
        let squad = read(json).unwrap();
        let questions: Vec<Question<'_>> = squad.questions().collect();
        assert_eq!(questions.iter().map(|q| q.id).collect::<String>(), "abc");
        assert_eq!(questions[0].text, "How long at 2,500 m?");
        assert_eq!((questions[1].title, &questions[1].context[..4]), ("Safe water", "Boil"));
    }
    assert_eq!(read(OLD).unwrap().questions().next().unwrap().title, "");
}

#[test]
fn an_error_names_the_place() {
    let lacks = refused(&SQUAD.replacen(r#""question": "Who"#, r#""asks": "Who"#, 1));
    assert!(lacks.contains("data[0].paragraphs[0].qas[1]: missing field `question`"), "{lacks}");
    let number = refused(&OLD.replace(r#""1""#, "1"));
    assert!(number.contains("data[0].paragraphs[0].qas[0].id: invalid type"), "{number}");
    assert!(refused(&SQUAD.replace(r#""id": "b""#, r#""id": "a""#)).contains(r#"id "a" stands"#));
    assert!(refused(&SQUAD[..90]).contains("line 2"));
    assert!(refused(&format!("{OLD}x")).contains("trailing"));
    assert!(refused("[]").contains("as SQuAD"));
}

/// `marked` shows in ⟦⟧ what the reader chose.
fn quoted(marked: &str) -> String {
    let (before, rest) = marked.split_once('⟦').unwrap();
    let (chosen, after) = rest.split_once('⟧').unwrap();
    let span = before.len()..before.len() + chosen.len();
    quote(&format!("{before}{chosen}{after}"), &span).into()
}

#[test]
fn a_quotation_has_no_separators_at_its_ends() {
    assert_eq!(quoted("It took⟦ 11 hours, ⟧not ten."), "11 hours");
    assert_eq!(quoted("Take it at ⟦, or after, meals…⟧"), "or after, meals");
    assert_eq!(quoted("አንድ⟦ ደቂቃ።⟧"), "ደቂቃ");
    assert_eq!(quoted("Keep at ⟦-20 °C.⟧"), "-20 °C");
    assert_eq!(quoted("Give ⟦.5 ml;⟧"), ".5 ml");
    assert_eq!(quoted("made in the ⟦U.S.⟧"), "U.S.");
    assert_eq!(quoted("of the year ⟦1.5.⟧"), "1.5");
    assert_eq!(quoted("for ⟦$5, 20 %,⟧ or"), "$5, 20 %");
    assert_eq!(quoted("Yes⟦ . – ⟧no"), "");
}

#[test]
fn a_quotation_has_whole_numbers() {
    assert_eq!(quoted("about 2⟦,5⟧00 people"), "2,500");
    assert_eq!(quoted("from 1⟦990 to 19⟧95, and"), "1990 to 1995");
    assert_eq!(quoted("give 1.⟦5⟧."), "1.5");
    assert_eq!(quoted("in the years 1990,⟦ 1991⟧, 1992"), "1991");
    assert_eq!(quoted("wan⟦aume⟧ na"), "aume");
}

#[test]
fn a_quotation_has_no_half_pairs() {
    assert_eq!(quoted("the ⟦Red Cross (ICRC⟧) said"), "Red Cross (ICRC)");
    assert_eq!(quoted("des ⟦« costumes » et « coiffes⟧ »"), "« costumes » et « coiffes »");
    assert_eq!(quoted("the agency ⟦(WHO⟧) said"), "WHO");
    assert_eq!(quoted("the agency (⟦WHO)⟧ said"), "WHO");
    assert_eq!(quoted("the ⟦agency of health (WHO⟧, in Geneva) said"), "agency of health");
    assert_eq!(quoted("called (now ⟦in French) the Normands⟧"), "the Normands");
    assert_eq!(quoted("called ⟦\"The Iron Lady\".⟧"), "\"The Iron Lady\"");
    assert_eq!(quoted("said: “⟦boil it” and “drink⟧”"), "“boil it” and “drink”");
    // These open and close nothing.
    assert_eq!(quoted("⟦a) wash b) rinse⟧"), "a) wash b) rinse");
    assert_eq!(quoted("a board of ⟦6\"⟧ by 4\""), "6\"");
}

proptest! {
    #[test]
    fn a_quotation_is_part_of_its_passage(
        context in r#"[a-c0-9 .,()"“”«»\-ក្។é]{0,24}"#, start in 0usize..40, length in 0usize..40,
    ) {
        let text = quote(&context, &(start..start + length));
        prop_assert!(context.contains(text));
        prop_assert_eq!(text, text.trim());
    }
}

#[test]
fn it_abstains_below_the_threshold_and_where_there_are_no_words() {
    let reading = Reading { span: None, ..Reading::default() };
    assert_eq!(prediction("", &reading, 0.9, true), Prediction { text: "", no_answer: 1.0 });
    let span = Span { range: 5..11, probability: 0.5 };
    let reading = Reading { span: Some(span), ..reading };
    let said = prediction("Boil, water.", &reading, 0.25, true);
    assert_eq!(said.text, "water");
    assert!((said.no_answer - 0.75).abs() < 1e-6, "{said:?}");
    assert_eq!(prediction("Boil, water.", &reading, 0.25, false), Prediction { text: "", ..said });
}

#[test]
fn the_shipped_reader_answers_every_question() {
    let models = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../models"));
    let engine = Engine::open(&models).unwrap();
    let long = "maji ".repeat(1000);
    let strange = ["", "?", "😀", "\u{0}\u{7}", "Wie ist ما 水", &long];
    let squad = read(SQUAD).unwrap();
    let mut questions: Vec<Question<'_>> = squad.questions().collect();
    for text in strange {
        let of = |id, text: &str, context| Question { id, text: text.into(), title: "", context };
        questions.push(of("asked", text, "Boil water for one minute."));
        questions.push(of("read", "How long?", text));
    }

    let always = answer(&engine, &questions, true, 2).unwrap();
    let may_abstain = answer(&engine, &questions, false, 1).unwrap();
    assert_eq!(always.len(), questions.len());
    assert!(!always[0].text.is_empty());
    for ((question, said), unsure) in questions.iter().zip(&always).zip(&may_abstain) {
        assert!(question.context.contains(said.text), "{question:?} {said:?}");
        assert!((0.0..=1.0).contains(&said.no_answer), "{question:?} {said:?}");
        assert_eq!(said.no_answer, unsure.no_answer);
        assert!(unsure.text.is_empty() || unsure.text == said.text, "{said:?} {unsure:?}");
    }
}
