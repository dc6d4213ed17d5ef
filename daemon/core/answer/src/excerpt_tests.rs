use expect_test::{Expect, expect};
use jibu_types::{CollectionName, IndexVersion, Passage, PassageId};
use proptest::prelude::*;

use super::*;

fn passage(text: &str) -> Passage {
    Passage {
        collection: CollectionName::parse("health").unwrap(),
        document: "guide.md".into(),
        title: "Guide".into(),
        section: Vec::new(),
        language: Language::EN,
        source_url: None,
        date: None,
        text: text.into(),
    }
}

fn picked(question: &str, text: &str, cosines: Option<&[f32]>, room: usize) -> String {
    picked_with(question, text, cosines, None, room)
}

/// What is picked where the reader says that `words` answer.
fn read(question: &str, text: &str, words: &str, probability: f32) -> String {
    let start = text.find(words).unwrap();
    let span = Span { range: start..start + words.len(), probability };
    picked_with(question, text, None, Some(&span), 300)
}

fn picked_with(
    question: &str,
    text: &str,
    cosines: Option<&[f32]>,
    span: Option<&Span>,
    room: usize,
) -> String {
    let passage = passage(text);
    let candidate = Candidate {
        id: PassageId(1),
        passage: &passage,
        index_version: IndexVersion::default(),
        probability: 0.9,
        part: None,
        span,
    };
    let query = Query::analyse(question, Language::EN);
    let grounded = excerpt(&query, &candidate, cosines, &|text: &str| text.chars().count() <= room);
    grounded.spans.iter().map(|span| format!("[{}]\n", &text[span.clone()])).collect()
}

fn check(question: &str, text: &str, expected: Expect) {
    expected.assert_eq(&picked(question, text, None, 300));
}

#[test]
fn the_sentence_with_the_words_of_the_question_answers() {
    check(
        "how much does a birth certificate cost",
        "Every birth must be registered within six weeks. A birth certificate costs 1,500 kwacha. \
         The office opens at eight.",
        expect![[r#"
            [A birth certificate costs 1,500 kwacha.]
        "#]],
    );
}

#[test]
fn amounts_beside_each_other_are_quoted_together() {
    let text = "Boil water until it bubbles for one minute. On mountains above 2,000 metres, boil \
                water for three minutes. Let it cool in a covered pot. The clinic opens at eight.";
    let quoted = read("how long do i boil water", text, "three minutes", 0.7);
    assert_eq!(
        quoted,
        "[Boil water until it bubbles for one minute. On mountains above 2,000 metres, boil water \
         for three minutes.]\n"
    );
}

#[test]
fn it_keeps_what_it_stands_for_and_a_warning_is_not_left_off() {
    check(
        "at what age is zinc given in tablets",
        "Zinc helps a child with diarrhoea. It is given as tablets from two months of age. Do not \
         stop before ten days. Wash your hands.",
        expect![[r#"
            [Zinc helps a child with diarrhoea. It is given as tablets from two months of age. Do not stop before ten days.]
        "#]],
    );
}

#[test]
fn a_list_keeps_its_lead_in() {
    check(
        "what papers to bring for registering a birth",
        "The office is in town.\nBring these papers to register a birth:\n- the health passport of the \
         child\n- the mother's identity card\n- two witnesses\nIt is free.",
        expect![[r#"
            [Bring these papers to register a birth:
            - the health passport of the child
            - the mother's identity card
            - two witnesses]
        "#]],
    );
}

#[test]
fn numbered_steps_are_given_from_the_first() {
    check(
        "stir the sugar",
        "How to mix the drink:\n1. Boil one litre of water.\n2. Add six spoons of sugar. Stir it.\n3. \
         Add half a spoon of salt.",
        expect![[r#"
            [How to mix the drink:
            1. Boil one litre of water.
            2. Add six spoons of sugar. Stir it.
            3. Add half a spoon of salt.]
        "#]],
    );
}

#[test]
fn the_answer_stands_behind_the_question() {
    check(
        "is malaria testing free",
        "Who can be tested? Everybody. Is the malaria test free? Yes, in every public clinic. \
         Bring your card.",
        expect![[r#"
            [Yes, in every public clinic.]
        "#]],
    );
}

#[test]
fn a_row_gives_its_name_and_the_field_asked_for() {
    let row = "Clinic: Kasungu. Opens: 7.30. Closes: 16.00. Phone: +265 1 253 400. Days: Monday to Friday.";
    check(
        "phone of kasungu clinic",
        row,
        expect![[r#"
            [Clinic: Kasungu.]
            [Phone: +265 1 253 400.]
        "#]],
    );
    check(
        "kasungu clinic",
        row,
        expect![[r#"
            [Clinic: Kasungu. Opens: 7.30. Closes: 16.00. Phone: +265 1 253 400. Days: Monday to Friday.]
        "#]],
    );
}

#[test]
fn cosines_decide_where_words_do_not() {
    let text = "The form is blue. Maternity care has no charge. The office is in town.";
    assert_eq!(
        picked("giving birth price", text, Some(&[0.78, 0.86, 0.79]), 300),
        "[Maternity care has no charge.]\n"
    );
    // A wrong number of cosines is not used.
    assert_eq!(picked("form", text, Some(&[0.1]), 300), "[The form is blue.]\n");
}

#[test]
fn an_empty_passage_has_no_sentence() {
    assert_eq!(picked("anything", "", None, 300), "");
    assert_eq!(picked("", "One. Two.", Some(&[f32::NAN, f32::NAN]), 0), "[One.]\n");
}

#[test]
fn words_that_the_reader_found_are_quoted_with_their_sentence() {
    let text = "Malaria tablets are taken with food. A child of two years gets two tablets a day. \
                Tablets are kept dry. Do not crush the tablets.";
    assert_eq!(
        read("how many malaria tablets", text, "two tablets", 0.8),
        "[A child of two years gets two tablets a day.]\n"
    );
    // What leans on the sentence before and what warns behind it stay with it.
    let text = "ORS replaces lost water. It is given in small sips. Do not stop the breast milk. \
                Salt is cheap.";
    assert_eq!(
        read("how to give ORS", text, "small sips", 0.8),
        "[ORS replaces lost water. It is given in small sips. Do not stop the breast milk.]\n"
    );
}

#[test]
fn a_reader_that_is_not_sure_does_not_outweigh_the_words() {
    let text = "A birth certificate costs 1,500 kwacha. Every birth is registered by the chief.";
    let question = "how much does a birth certificate cost";
    for (probability, expected) in [
        (0.1, "[A birth certificate costs 1,500 kwacha.]\n"),
        (f32::NAN, "[A birth certificate costs 1,500 kwacha.]\n"),
        (0.5, "[Every birth is registered by the chief.]\n"),
        (f32::INFINITY, "[Every birth is registered by the chief.]\n"),
    ] {
        assert_eq!(read(question, text, "the chief", probability), expected, "{probability}");
    }
}

#[test]
fn an_amount_is_answered_by_its_item_with_the_lead_in() {
    let text = "To make the drink, mix:\n- one litre of clean water\n- six spoons of sugar\n- half a \
                spoon of salt\nGive it by the cup.";
    assert_eq!(
        read("how much salt", text, "half a spoon", 0.9),
        "[To make the drink, mix:]\n[- half a spoon of salt]\n"
    );
    // Who asks for no amount needs them all.
    assert_eq!(
        read("what is in the drink", text, "six spoons of sugar", 0.9),
        "[To make the drink, mix:\n- one litre of clean water\n- six spoons of sugar\n- half a \
         spoon of salt]\n"
    );
    let steps = "How to mix it:\n1. Boil the water.\n2. Add six spoons of sugar.\n3. Add half a spoon of salt.";
    assert_eq!(
        read("how much sugar", steps, "six spoons", 0.9),
        "[How to mix it:]\n[2. Add six spoons of sugar.]\n"
    );
}

#[test]
fn an_item_never_loses_the_line_that_forbids_it() {
    let text = "Never give these to a child:\n- aspirin\n- codeine syrup\n- expired drugs";
    assert!(picked("codeine syrup", text, None, 300).contains("Never give"));
    assert!(read("codeine syrup", text, "codeine", 0.9).contains("Never give"));
}

#[test]
fn a_line_that_says_for_whom_stays_with_its_paragraph() {
    let text = "Adults\nTake two tablets. Swallow them with water.\nChildren under five\nGive one \
                tablet. Crush it in milk.";
    assert_eq!(
        read("how many tablets", text, "one tablet", 0.9),
        "[Children under five\nGive one tablet.]\n"
    );
    assert_eq!(
        read("with what is it taken", text, "with water", 0.9),
        "[Adults]\n[Swallow them with water.]\n"
    );
}

#[test]
fn a_row_gives_the_field_that_the_reader_found() {
    let row = "Clinic: Kasungu. Opens: 7.30. Closes: 16.00. Phone: +265 1 253 400.";
    assert_eq!(read("from when", row, "7.30", 0.9), "[Clinic: Kasungu. Opens: 7.30.]\n");
}

proptest! {
    #[test]
    fn spans_are_ordered_and_lie_on_sentence_borders(
        question in "\\PC{0,40}",
        text in "[A-Za-z .:\n0-9?-]{0,200}|\\PC{0,60}",
        room in 0usize..200,
        start in 0usize..220,
        length in 0usize..40,
        probability in prop::num::f32::ANY,
    ) {
        let source = passage(&text);
        let span = Span { range: start..start + length, probability };
        let candidate = Candidate {
            id: PassageId(1),
            passage: &source,
            index_version: IndexVersion::default(),
            probability: f64::NAN,
            part: None,
            span: Some(&span),
        };
        let query = Query::analyse(&question, Language::EN);
        let grounded = excerpt(&query, &candidate, None, &|t: &str| t.len() <= room);
        if let Some(key) = &grounded.key {
            prop_assert!(grounded.spans.iter().any(|s| s.start <= key.start && key.end <= s.end));
        }
        let borders = sentences(&text);
        prop_assert_eq!(grounded.spans.is_empty(), borders.is_empty());
        let mut end = 0;
        for span in &grounded.spans {
            prop_assert!(span.start >= end && span.start < span.end);
            prop_assert!(borders.iter().any(|b| b.start == span.start));
            prop_assert!(borders.iter().any(|b| b.end == span.end));
            end = span.end;
        }
    }
}
