use std::collections::HashSet;
use std::path::Path;

use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;
use crate::reader_for;

fn passages(name: &str, text: &str) -> Vec<Body> {
    let path = Path::new(name);
    let parsed = reader_for(path).unwrap().read(text.as_bytes(), path).unwrap();
    chunk(parsed.meta.title.as_deref().unwrap_or("Title"), &parsed.blocks)
}

fn check(name: &str, text: &str, drawing: Expect) {
    let drawn: String = passages(name, text)
        .iter()
        .map(|body| {
            format!(
                "[{}] {} words\n{}\n",
                body.section.join(" › "),
                count_words(&body.text),
                body.text
            )
        })
        .collect();
    drawing.assert_eq(&drawn);
}

/// A sentence of `count` words, told apart by `seed`.
fn sentence(seed: usize, count: usize) -> String {
    let words: Vec<String> = (0..count).map(|at| format!("w{seed}x{at}")).collect();
    format!("Z{}.", words.join(" "))
}

#[test]
fn a_passage_does_not_cross_a_heading() {
    check(
        "a.md",
        "# Title\n\nIntro.\n\n## Signs\n\nFever.\n\nChills.\n\n### In babies\n\nNo appetite.\n\n## Where to go\n\n## Empty\n",
        expect![[r#"
            [] 1 words
            Intro.
            [Signs] 2 words
            Fever.

            Chills.
            [Signs › In babies] 2 words
            No appetite.
            [] 3 words
            Where to go
            [] 1 words
            Empty
        "#]],
    );
}

#[test]
fn a_list_stays_with_its_lead_in() {
    check(
        "a.md",
        "Some words first. Go at once if the child:\n\n- cannot drink\n- vomits everything\n  - also at night\n\nAfterwards rest.",
        expect![[r#"
            [] 21 words
            Some words first. Go at once if the child:
            - cannot drink
            - vomits everything
            * also at night

            Afterwards rest.
        "#]],
    );
}

#[test]
fn a_long_list_repeats_its_lead_in() {
    let items: String = (0..6).map(|at| format!("- {}\n", sentence(at, 45))).collect();
    let bodies = passages("a.md", &format!("Bring these:\n\n{items}"));
    assert!(bodies.len() >= 2);
    for body in &bodies {
        assert!(body.text.starts_with("Bring these:\n- Zw"), "{}", body.text);
    }
    let items = bodies.iter().flat_map(|body| body.text.lines()).filter(|l| l.starts_with('-'));
    assert_eq!(items.count(), 6, "no item is cut or repeated");
}

#[test]
fn a_nested_item_is_repeated_below_its_parent() {
    let inner: String = (0..6).map(|at| format!("  - {}\n", sentence(at, 45))).collect();
    let bodies = passages("a.md", &format!("List:\n\n- Parent item\n{inner}"));
    assert!(bodies.len() >= 2);
    let starts = bodies.iter().all(|body| body.text.starts_with("List:\n- Parent item\n* Z"));
    assert!(starts, "{bodies:?}");
}

#[test]
fn rows_name_their_columns() {
    check(
        "a.md",
        "Fees are:\n\n| service | fee_now | |\n|---|---|---|\n| Birth | free! | x |\n| Death | | |\n",
        expect![[r#"
            [] 10 words
            Fees are:
            Service: Birth. Fee now: free! x.
            Service: Death.
        "#]],
    );
    check(
        "a.csv",
        "# title: Fees\nservice,fee_now\n\"Birth, late\",20 shillings\nDeath,\n",
        expect![[r#"
            [] 7 words
            Service: Birth, late. Fee now: 20 shillings.
            [] 2 words
            Service: Death.
        "#]],
    );
}

#[test]
fn a_cell_over_the_whole_row_names_no_column() {
    check(
        "a.html",
        "<table><tr><th>Day<th>Hours<tr><td>Monday<td>8-12<tr><td colspan=2>Closed on Sunday</table>",
        expect![[r#"
            [] 7 words
            Day: Monday. Hours: 8-12.
            Closed on Sunday.
        "#]],
    );
}

#[test]
fn a_row_that_is_too_long_keeps_its_first_field_in_each_piece() {
    let text = format!("name,a,b\nClinic,{},{}\n", sentence(1, 120), sentence(2, 120));
    let bodies = passages("a.csv", &text);
    assert_eq!(bodies.len(), 2);
    assert!(bodies.iter().all(|body| body.text.starts_with("Name: Clinic. ")), "{bodies:?}");
}

#[test]
fn long_paragraphs_are_cut_between_sentences() {
    let text: Vec<String> = (0..30).map(|at| sentence(at, 20)).collect();
    let bodies = passages("a.txt", &text.join(" "));
    assert!((4..=7).contains(&bodies.len()), "{}", bodies.len());
    for body in &bodies {
        assert!(body.text.starts_with('Z') && body.text.ends_with('.'), "{}", body.text);
        assert!((60..=180).contains(&count_words(&body.text)));
    }
}

#[test]
fn a_scant_rest_joins_what_is_before() {
    let text = format!("{}\n\n{}\n\n{}", sentence(1, 70), sentence(2, 45), sentence(3, 20));
    let bodies = passages("a.txt", &text);
    assert_eq!(bodies.len(), 1, "{bodies:?}");
}

#[test]
fn a_paragraph_that_comes_twice_is_kept_once() {
    let long = sentence(1, 130);
    let bodies = passages("a.txt", &format!("{long}\n\n{long}\n\n{}", sentence(2, 130)));
    assert_eq!(bodies.len(), 2);
}

#[test]
fn text_without_spaces_is_cut_too() {
    let letter = |at: u32| char::from_u32(0x1780 + at * at % 31).unwrap();
    let bodies = passages("a.txt", &(0..9000).map(letter).collect::<String>());
    assert!(bodies.len() > 4, "{}", bodies.len());
    assert!(bodies.iter().all(|body| body.text.len() <= MAX_BYTES));
}

/// Words of letters and digits, which are no Markdown.
fn words(text: &str) -> HashSet<String> {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| word.len() > 1);
    words.map(str::to_owned).collect()
}

fn block() -> impl Strategy<Value = String> {
    let prose = proptest::collection::vec("[a-z]{2,9}[,.;:]?", 1..120).prop_map(|w| w.join(" "));
    let line = proptest::collection::vec("[a-z]{2,9}", 1..9).prop_map(|w| w.join(" "));
    let item = proptest::collection::vec("[a-zé]{2,9}[.]?", 1..70).prop_map(|w| w.join(" "));
    let items = proptest::collection::vec((0usize..3, item), 1..9);
    let cells = proptest::collection::vec("[a-z]{2,9}( [a-z]{2,9}){0,9}", 3);
    prop_oneof![
        4 => prose.clone(),
        1 => (prose, Just(":")).prop_map(|(text, colon)| text + colon),
        2 => (1usize..5, line).prop_map(|(level, text)| format!("{} {text}", "#".repeat(level))),
        2 => items.prop_map(|items| items
            .iter()
            .map(|(depth, text)| format!("{}- {text}\n", "  ".repeat(*depth)))
            .collect()),
        1 => proptest::collection::vec(cells, 1..6).prop_map(|rows| {
            let rows: String = rows.iter().map(|row| format!("| {} |\n", row.join(" | "))).collect();
            format!("| one | two | three |\n|---|---|---|\n{rows}")
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_word_is_in_some_passage_and_none_is_too_long(
        blocks in proptest::collection::vec(block(), 1..12),
    ) {
        let bodies = passages("a.md", &blocks.join("\n\n"));
        let kept: HashSet<String> = bodies
            .iter()
            .flat_map(|body| words(&format!("{} {}", body.section.join(" "), body.text)))
            .map(|word| word.to_lowercase())
            .collect();
        for block in &blocks {
            let has_rows = !block.starts_with("| one");
            for word in words(block).into_iter().filter(|_| has_rows) {
                prop_assert!(kept.contains(&word), "{word} is lost");
            }
        }
        for body in &bodies {
            prop_assert!(count_words(&body.text) <= MAX_WORDS, "{}", body.text);
            prop_assert!(body.text.len() <= MAX_BYTES);
            prop_assert!(!body.text.trim().is_empty());
        }
    }

    #[test]
    fn any_text_is_cut_within_the_caps(text in "\\PC{0,3000}") {
        for name in ["a.md", "a.txt", "a.html"] {
            let parsed = reader_for(Path::new(name)).unwrap().read(text.as_bytes(), Path::new(name));
            for body in parsed.map(|parsed| chunk("Title", &parsed.blocks)).unwrap_or_default() {
                prop_assert!(count_words(&body.text) <= MAX_WORDS, "{}", body.text);
                prop_assert!(body.text.len() <= MAX_BYTES);
            }
        }
    }

    #[test]
    fn any_markup_is_read_and_keeps_its_words(
        marks in proptest::collection::vec(proptest::sample::select(MARKS.to_vec()), 0..80),
    ) {
        // Every mark is followed by a word of its own.
        let text: String =
            marks.iter().enumerate().map(|(at, mark)| format!("{mark}word{at}z ")).collect();
        for name in ["a.md", "a.txt", "a.html"] {
            let parsed = reader_for(Path::new(name)).unwrap().read(text.as_bytes(), Path::new(name));
            let bodies = parsed.map(|parsed| chunk("Title", &parsed.blocks)).unwrap_or_default();
            let kept: String =
                bodies.iter().map(|body| format!("{} {} ", body.section.join(" "), body.text)).collect();
            // The name of a column that has no values is left out.
            let has_columns = marks.contains(&"<th>");
            for at in (0..marks.len()).filter(|_| !has_columns) {
                prop_assert!(kept.contains(&format!("word{at}z")), "{name}: word{at}z is lost");
            }
        }
        let _ = reader_for(Path::new("a.csv")).unwrap().read(text.as_bytes(), Path::new("a.csv"));
    }
}

/// What documents are made of, well-formed or not.
const MARKS: &[&str] = &[
    "",
    "\n",
    "\n\n",
    "- ",
    "\n- ",
    "\n  - ",
    "\n1. ",
    "\n# ",
    "\n### ",
    "\n> ",
    "| ",
    " |\n",
    "**",
    "`",
    ",",
    "\"",
    "<p>",
    "</p>",
    "<br>",
    "<b>",
    "</i>",
    "<h2>",
    "</h2>",
    "<ul>",
    "</ul>",
    "<ol>",
    "</ol>",
    "<li>",
    "</li>",
    "<dl>",
    "<dt>",
    "<dd>",
    "</dl>",
    "<table>",
    "</table>",
    "<tr>",
    "</tr>",
    "<td rowspan=3>",
    "<td colspan=2>",
    "<th>",
    "</td>",
    "<caption>",
    "<pre>",
    "</pre>",
    "<div>",
    "</div>",
    "&amp;",
    "&lt;",
];
