use jibu_types::{CollectionName, Date, IndexVersion, Language, PassageId};
use proptest::prelude::*;

use super::*;
use crate::languages::pack;

/// A cost like an SMS's: 160 characters, or 153 each where there are more; 70
/// and 67 where a character is not in the basic alphabet.
fn sms(text: &str) -> usize {
    let basic = text.chars().all(|c| c.is_ascii() || "éèàùìòñÑäöüÄÖÜÇ".contains(c));
    let (one, each) = if basic { (160, 153) } else { (70, 67) };
    let length = text.chars().count();
    if length <= one { 1 } else { length.div_ceil(each) }
}

fn grounded(text: &str, spans: &[&str]) -> Grounded {
    Grounded {
        citation: Citation {
            collection: CollectionName::parse("health").unwrap(),
            passage: PassageId(1),
            document: "malaria.md".into(),
            title: "Ministry of Health, community guide to malaria and other fevers".into(),
            section: Vec::new(),
            source_url: None,
            date: Some(Date::parse("2024-03-01").unwrap()),
            index_version: IndexVersion::default(),
            probability: 0.9,
        },
        text: text.into(),
        spans: spans
            .iter()
            .map(|span| {
                let at = text.find(span).unwrap();
                at..at + span.len()
            })
            .collect(),
    }
}

fn english(grounded: &Grounded, parts: usize) -> Vec<String> {
    let budget = Budget { parts, cost: &sms };
    pages(grounded, None, pack(Language::EN).unwrap(), &budget)
}

#[test]
fn the_source_is_shortened_before_it_costs_another_part() {
    let text = "Go to the clinic on the first day of fever. The test is free and takes a few minutes only.";
    let pages = english(&grounded(text, &[text]), 3);
    assert_eq!(pages, [format!("{text}\nSource: Ministry of Health, community guide to.. 2024")]);
    assert_eq!(sms(&pages[0]), 1);
}

#[test]
fn room_that_is_paid_for_is_filled_with_what_follows() {
    let text = "The office opens at eight. Bring water. It closes at four.";
    let pages = english(&grounded(text, &["The office opens at eight."]), 1);
    assert!(pages[0].starts_with(text), "{pages:?}");
    assert_eq!(pages.len(), 1);
}

#[test]
fn a_long_answer_goes_on_with_more() {
    let sentence = "Every child under five years should sleep under a net in every season. ";
    let text = sentence.repeat(8);
    let pages = english(&grounded(text.trim(), &[text.trim()]), 1);
    assert!(pages[0].ends_with(".. 2024\nSend MORE for the rest."), "{pages:?}");
    assert!(pages.iter().all(|page| sms(page) == 1));
    assert!(!pages.last().unwrap().contains("MORE"));
    assert_eq!(pages.concat().matches("Every child under five").count(), 8);
}

#[test]
fn the_emergency_line_goes_first() {
    let answer = grounded("Keep the arm still.", &["Keep the arm still."]);
    let budget = Budget { parts: 2, cost: &sms };
    let pages = pages(&answer, Some("CALL 112."), pack(Language::EN).unwrap(), &budget);
    assert!(pages[0].starts_with("CALL 112.\nKeep the arm still.\nSource: "));
}

#[test]
fn accents_of_our_own_words_go_where_they_cost_money() {
    let budget = Budget { parts: 2, cost: &sms };
    let said = "Agora não há lista para escolher. Envie a sua pergunta com palavras, por favor já.";
    assert_eq!(say(&[said], &[], &budget), plain_latin(said));
    assert_eq!(say(&["Não há."], &[], &budget), "Não há.");
}

#[test]
fn the_kiosk_shows_the_passage_with_the_answer_marked() {
    let answer = grounded("One. Two. Three.", &["Two."]);
    let shown: Vec<_> = marked(&answer).iter().map(|piece| (piece.text, piece.marked)).collect();
    assert_eq!(shown, [("One. ", false), ("Two.", true), (" Three.", false)]);
}

#[test]
fn a_menu_is_shortened_to_its_budget() {
    let topic =
        |label: &str| Topic { passage: PassageId(1), heading: label.into(), label: label.into() };
    let long = "How to register the birth of a child that was born at home without a midwife";
    let topics = [topic(long), topic(long), topic(long), topic("Fees")];
    let budget = Budget { parts: 1, cost: &sms };
    let (page, shown) = menu(&|_| "Which one?".into(), &topics, &budget);
    assert_eq!(shown, 4);
    assert_eq!(
        page,
        "Which one?\n1 How to register the birth of a child that..\n2 How to register the birth of a child that..\n\
         3 How to register the birth of a child that..\n4 Fees"
    );
}

/// Takes every page apart: what is no phrase of Jibu's must stand in the
/// passage, in full and in order.
fn quoted(page: &str, grounded: &Grounded) -> Vec<String> {
    let mut body = page;
    for label in source_labels(&grounded.citation) {
        if let Some(cut) = body.find(&format!("\nSource: {label}")) {
            body = &body[..cut];
        }
    }
    body.trim_end_matches("\nSend MORE for the rest.")
        .split("...")
        .flat_map(|piece| piece.split('\n'))
        .map(|piece| piece.trim().to_owned())
        .filter(|piece| !piece.is_empty())
        .collect()
}

proptest! {
    #[test]
    fn what_is_no_phrase_stands_in_the_passage(
        text in "([A-Za-zéã]{1,9}[ ,]{1,2}){0,40}([A-Z][a-z 0-9]{1,30}\\. ){0,12}(- [a-z ]{3,20}\n){0,4}",
        parts in 0usize..4,
        pick in any::<prop::sample::Index>(),
    ) {
        let text = crate::text::normalise(&text);
        let all = sentences(&text);
        let mut answer = grounded(&text, &[]);
        if !all.is_empty() {
            answer.spans.push(all[pick.index(all.len())].clone());
        }
        let pages = english(&answer, parts);
        prop_assert!(!pages.is_empty() && pages.len() <= MOST_PAGES);
        for page in &pages {
            for piece in quoted(page, &answer) {
                prop_assert!(text.contains(&piece), "{piece:?} is not in {text:?}");
            }
            prop_assert!(parts == 0 || sms(page) <= parts);
        }
    }

    #[test]
    fn any_passage_and_any_spans_make_pages(text in "\\PC{0,400}", parts in 0usize..3) {
        let mut answer = grounded(&text, &[]);
        answer.spans.push(0..text.len());
        let pages = english(&answer, parts);
        prop_assert!(!pages.is_empty());
        prop_assert_eq!(
            marked(&answer).iter().map(|piece| piece.text).collect::<String>(),
            text
        );
    }
}
