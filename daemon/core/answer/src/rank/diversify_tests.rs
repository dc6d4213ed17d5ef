use expect_test::{Expect, expect};
use jibu_types::{CollectionName, Language};
use proptest::prelude::*;

use super::*;

fn passage(title: &str, section: &str, text: &str) -> Passage {
    Passage {
        collection: CollectionName::parse("health").unwrap(),
        document: format!("{title}.md"),
        title: title.into(),
        section: section.split(" > ").filter(|s| !s.is_empty()).map(Into::into).collect(),
        language: Language::EN,
        source_url: None,
        date: None,
        text: text.into(),
    }
}

/// Leaflets on vaccines, a handbook that they refer to, and other papers.
fn library() -> Vec<Passage> {
    vec![
        passage("Measles vaccine", "Who", "The measles vaccine is given at nine months."),
        passage("Measles vaccine", "What it is", "The measles vaccine holds weak measles virus."),
        passage("Measles vaccine", "Side effects", "The measles vaccine may bring a fever."),
        passage(
            "Measles vaccine",
            "2. Storage",
            "Mixed doses are thrown away after six hours. For more see the rules of the cold chain \
             handbook.",
        ),
        passage("Polio vaccine", "2. Storage", "Store the drops frozen."),
        passage("BCG vaccine", "2. Storage", "Store it in the dark."),
        passage("Cold chain handbook", "3. Storage", "Store every vaccine at 2 to 8 degrees."),
        passage("Cold chain handbook", "Transport", "Store cool boxes clean."),
        passage("Drug shop rules", "Storage", "Store drugs and vaccines apart from food."),
        passage("Seed fair", "Storage", "Store maize in dry bags."),
    ]
}

#[test]
fn the_best_part_of_a_section_stands_behind_its_opening() {
    let library = [
        passage("Handbook", "Storage", "These rules hold for every vaccine."),
        passage("Handbook", "Transport", "Cool boxes are clean."),
        passage("Handbook", "Storage > Fridges", "Store at 2 to 8 degrees."),
        passage("Handbook", "Storage > Freezers", "Store at 20 below."),
        passage("Manual", "Storage > Sheds", "Store it dry."),
        passage("Handbook", "", "About this handbook."),
    ];
    let ranked = [0, 1, 4, 3, 2, 5].map(|at| (at, 0.1));
    let listed = list(&library, &ranked);
    let order: Vec<i64> = with_sections_behind(&listed).iter().map(|l| l.id.0).collect();
    assert_eq!(order, [0, 3, 1, 4, 2, 5]);
}

/// A list with these passages of the library and how likely each is.
fn list<'a>(library: &'a [Passage], ranked: &[(usize, f64)]) -> Vec<Listed<'a>> {
    let listed = |(at, probability): &(usize, f64)| Listed {
        id: PassageId(*at as i64),
        passage: &library[*at],
        probability: *probability,
    };
    ranked.iter().map(listed).collect()
}

/// What the searches bring for the whole question: the name counts most.
const FOUND: [(usize, f64); 8] =
    [(3, 0.8), (0, 0.5), (1, 0.4), (2, 0.4), (4, 0.3), (5, 0.3), (9, 0.1), (8, 0.05)];

fn shown(question: &str, aside: &[(usize, f64)]) -> String {
    let library = library();
    let query = Query::analyse(question, Language::EN);
    let found = list(&library, &FOUND);
    let Some(named) = Named::of(&query, &found) else { return "no kind\n".into() };
    let places = diversify(&named, &found, &list(&library, aside));
    let rest = named.rest().words.join(" ");
    let lines = places.iter().map(|place| {
        let passage = &library[place.id.0 as usize];
        let part = place.part.map_or_else(String::new, |part| format!(" {part:?}"));
        format!("{:.2} {}{part}\n", place.probability, passage.heading())
    });
    format!("{rest}?\n{}", lines.collect::<String>())
}

fn check(question: &str, aside: &[(usize, f64)], expected: Expect) {
    expected.assert_eq(&shown(question, aside));
}

#[test]
fn what_holds_for_all_of_a_kind_stands_beside_what_holds_for_one() {
    check(
        "How do I store the measles vaccine?",
        &[(9, 0.7), (6, 0.6), (3, 0.6), (8, 0.5), (4, 0.5), (7, 0.3)],
        expect![[r#"
            store?
            0.80 Measles vaccine › 2. Storage Own
            0.50 Measles vaccine › Who Own
            0.60 Cold chain handbook › 3. Storage General
            0.40 Measles vaccine › What it is Own
            0.50 Drug shop rules › Storage
            0.40 Measles vaccine › Side effects Own
            0.30 Cold chain handbook › Transport General
            0.30 Polio vaccine › 2. Storage
            0.30 BCG vaccine › 2. Storage
            0.10 Seed fair › Storage
        "#]],
    );
}

#[test]
fn a_general_work_that_has_less_to_say_changes_nothing() {
    check(
        "When is a mixed dose of the measles vaccine thrown away?",
        &[(3, 0.9), (6, 0.3), (8, 0.3)],
        expect![[r#"
            mixed dose thrown away?
            0.80 Measles vaccine › 2. Storage
            0.50 Measles vaccine › Who
            0.40 Measles vaccine › What it is
            0.40 Measles vaccine › Side effects
            0.30 Polio vaccine › 2. Storage
            0.30 BCG vaccine › 2. Storage
            0.10 Seed fair › Storage
            0.05 Drug shop rules › Storage
        "#]],
    );
}

#[test]
fn passages_of_the_named_work_that_only_the_rest_finds_come_up() {
    let found = shown("How do I store the polio vaccine?", &[(6, 0.6), (4, 0.9), (2, 0.5)]);
    // The polio leaflet does not refer to the handbook: shown, and no part of an answer.
    assert!(found.contains("0.60 Cold chain handbook › 3. Storage\n"), "{found}");
    assert!(found.contains("0.30 Polio vaccine › 2. Storage Own\n"), "{found}");
}

#[test]
fn a_question_without_a_name_or_with_nothing_else_is_left_alone() {
    for question in ["How do I store a vaccine?", "the measles vaccine", "", "Seed fair storage"] {
        assert_eq!(shown(question, &[(6, 0.9)]), "no kind\n", "{question}");
    }
}

#[test]
fn works_without_sections_are_not_compared() {
    let library: Vec<Passage> = ["Breast cancer", "Lung cancer", "Skin cancer", "Melanoma"]
        .map(|title| passage(title, "", "How cancer is treated."))
        .into();
    let query = Query::analyse("How is breast cancer treated?", Language::EN);
    let found = list(&library, &[(0, 0.9), (1, 0.5), (2, 0.5), (3, 0.5)]);
    assert!(Named::of(&query, &found).is_none());
}

#[test]
fn a_path_in_the_title_is_a_path() {
    let whole = passage("Measles vaccine > 2 Storage > 2.1 In the clinic", "", "");
    assert_eq!(path(&whole), ["Measles vaccine", "2 Storage", "2.1 In the clinic"]);
    let titles: Vec<String> = titles(&path(&whole)).collect();
    assert_eq!(titles, ["storage", "in the clinic"]);
}

#[test]
fn a_reference_has_most_of_a_name() {
    let refers = |sentence: &str, name: &str| {
        let split = |text: &str| words(text).collect::<Vec<_>>();
        refers(&split(sentence), &split(name))
    };
    assert!(refers("It adds to the rules of the cold chain guide.", "cold chain handbook"));
    assert!(!refers("Keep it cold.", "cold chain handbook"));
    assert!(!refers("It may look like typhoid.", "typhoid"));
}

proptest! {
    #[test]
    fn the_first_keeps_its_place_and_nothing_is_lost(
        found in prop::collection::vec((0usize..10, 0.0f64..1.0), 0..10),
        aside in prop::collection::vec((0usize..10, prop::num::f64::ANY), 0..10),
        question in "(store|the|measles|polio|vaccine|dose|cold| |é){0,8}",
    ) {
        let library = library();
        let query = Query::analyse(&question, Language::EN);
        let mut seen = HashSet::new();
        let found: Vec<_> = found.into_iter().filter(|(at, _)| seen.insert(*at)).collect();
        let found = list(&library, &found);
        let Some(named) = Named::of(&query, &found) else { return Ok(()) };
        let places = diversify(&named, &found, &list(&library, &aside));
        prop_assert_eq!(places[0].id, found[0].id);
        let ids: HashSet<PassageId> = places.iter().map(|place| place.id).collect();
        prop_assert_eq!(ids.len(), places.len());
        prop_assert!(found.iter().all(|listed| ids.contains(&listed.id)));
    }
}
