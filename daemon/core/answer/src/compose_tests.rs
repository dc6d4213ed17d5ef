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
        key: None,
        language: Language::EN,
        beside: None,
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
    let budget = Budget { parts, medium: &sms };
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
    let budget = Budget { parts: 2, medium: &sms };
    let pages = pages(&answer, Some("CALL 112."), pack(Language::EN).unwrap(), &budget);
    assert!(pages[0].starts_with("CALL 112.\nKeep the arm still.\nSource: "));
}

#[test]
fn accents_of_our_own_words_go_where_they_cost_money() {
    let budget = Budget { parts: 2, medium: &sms };
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
    let budget = Budget { parts: 1, medium: &sms };
    let (page, shown) = menu(&|_| "Which one?".into(), &topics, &budget);
    assert_eq!(shown, 4);
    assert_eq!(
        page,
        "Which one?\n1 How to register the birth of a child that..\n2 How to register the birth of a child that..\n\
         3 How to register the birth of a child that..\n4 Fees"
    );
}

fn keyed(text: &str, words: &str) -> Grounded {
    let mut answer = grounded(text, &[text]);
    let start = text.find(words).unwrap();
    answer.key = Some(start..start + words.len());
    answer
}

#[test]
fn a_sentence_that_is_too_long_gives_the_clause_that_answers_and_then_itself() {
    let text = "Go to the old school by the river as soon as the siren sounds, which stands on high \
                ground and has been made ready by the village with blankets and clean water.";
    let pages = english(&keyed(text, "the old school"), 1);
    assert_eq!(
        pages[0],
        "Go to the old school by the river as soon as the siren sounds ...\nSource: Ministry of \
         Health, community guide to.. 2024\nSend MORE for the rest."
    );
    assert!(pages[1..].concat().replace(" ...", "").contains("sounds, which stands"), "{pages:?}");
    assert!(pages.iter().all(|page| sms(page) == 1));
}

#[test]
fn a_sentence_whose_clauses_hang_together_goes_over_two_pages() {
    let text = "Give the tablets with a full glass of clean water and some food in the morning, because \
                they burn, unless the child is under 2 years old or has been sick in the last hour.";
    let pages = english(&keyed(text, "clean water"), 1);
    let said: String = pages.iter().flat_map(|page| quoted(page, &keyed(text, "water"))).collect();
    assert!(said.contains("because they burn,"), "{pages:?}");
    assert!(said.replace(' ', "").ends_with("sickinthelasthour."), "{pages:?}");
    assert!(pages[0].ends_with("Send MORE for the rest."), "{pages:?}");
}

#[test]
fn what_was_left_out_of_a_list_shows() {
    let text = "Never give these:\n- aspirin\n- codeine\n- expired drugs";
    let pages = english(&grounded(text, &["Never give these:", "- codeine"]), 1);
    assert!(pages[0].starts_with("Never give these:\n...\n- codeine\n"), "{pages:?}");
}

#[test]
fn a_label_does_not_stand_on_a_page_alone() {
    let long = "Take the tablets with a full glass of clean water and some food in the morning and \
                in the evening and keep the rest of them in a dry place where no child can reach it.";
    let text = format!("Adults\n{long}");
    let pages = english(&grounded(&text, &[&text]), 1);
    assert!(pages[0].starts_with("Adults\nTake the tablets with a full glass"), "{pages:?}");
    assert!(pages.iter().all(|page| sms(page) == 1));
}

/// An answer about one vaccine and the rule for all.
fn halves(own: &str, general: &str) -> Grounded {
    let mut answer = grounded(own, &[own]);
    answer.citation.title = "Measles vaccine".into();
    let mut beside = grounded(general, &[general.split_inclusive('.').next().unwrap()]);
    beside.citation.title = "Cold chain handbook".into();
    beside.citation.date = None;
    answer.beside = Some(Box::new(beside));
    answer
}

#[test]
fn both_halves_of_an_answer_stand_on_one_page_with_their_sources() {
    let answer = halves(
        "Mixed doses are thrown away after six hours.",
        "Keep all vaccines at 2 to 8 degrees. Look at the thermometer twice a day.",
    );
    assert_eq!(
        english(&answer, 2),
        [
            "Mixed doses are thrown away after six hours.\nSource: Measles vaccine 2024\nKeep all \
             vaccines at 2 to 8 degrees.\nSource: Cold chain handbook",
            "Look at the thermometer twice a day."
        ]
    );
}

#[test]
fn the_second_half_comes_before_the_rest_of_the_first() {
    let own = "Mixed doses of the vaccine are thrown away six hours after they were mixed, or at the \
               end of the session.";
    let mut answer =
        halves(own, "Keep all vaccines at 2 to 8 degrees in every season and on every road.");
    answer.text.push_str(" Write the hour of mixing on the label of every one of the vials.");
    let pages = english(&answer, 1);
    assert!(
        pages[0].starts_with(own) && pages[0].ends_with("Send MORE for the rest."),
        "{pages:?}"
    );
    assert!(pages[1].starts_with("Keep all vaccines"), "{pages:?}");
    assert!(pages[1].contains("Source: Cold chain handbook"), "{pages:?}");
    assert_eq!(pages[2], "Write the hour of mixing on the label of every one of the vials.");
    assert!(pages.iter().all(|page| sms(page) == 1));
}

/// Takes every page apart: what is no phrase of Jibu's must stand in the
/// passage, in full and in order.
fn quoted(page: &str, grounded: &Grounded) -> Vec<String> {
    let mut body = page;
    for label in source_labels(&grounded.citation) {
        // An empty passage leaves the source alone on its page.
        let source = format!("Source: {label}");
        if let Some(cut) = body.find(&format!("\n{source}")) {
            body = &body[..cut];
        }
        body = body.strip_prefix(&source).unwrap_or(body);
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
        has_key in any::<bool>(),
        has_halves in any::<bool>(),
    ) {
        let text = crate::text::normalise(&text);
        let all = sentences(&text);
        let mut answer = grounded(&text, &[]);
        if !all.is_empty() {
            answer.spans.push(all[pick.index(all.len())].clone());
        }
        if has_halves {
            answer.beside = Some(Box::new(answer.clone()));
        }
        if has_key {
            let words = answer.spans.first().and_then(|span| {
                let sentence = &text[span.clone()];
                let words: Vec<(usize, &str)> = sentence.match_indices(char::is_alphanumeric).collect();
                let (at, letter) = words.get(pick.index(words.len().max(1)))?;
                Some(span.start + at..span.start + at + letter.len())
            });
            answer.key = words;
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
