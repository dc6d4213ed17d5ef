use proptest::prelude::*;

use super::*;

#[test]
fn a_short_passage_is_one_window() {
    for tokens in [0, 100] {
        let mut found = windows(tokens, 200);
        assert_eq!((found.next(), found.next()), (Some(0..tokens), None));
    }
}

#[test]
fn windows_of_a_long_passage_overlap() {
    assert_eq!(windows(300, 200).collect::<Vec<_>>(), [0..200, 152..300]);
    assert_eq!(windows(9000, 200).count(), MOST_WINDOWS);
}

#[test]
fn an_answer_starts_before_it_ends() {
    let placed: Vec<Placed> = vec![(9, 0..8), (9, 10..13), (9, 13..15), (9, 16..20), (2, 20..20)];
    let placed: Vec<&Placed> = placed.iter().collect();
    // The end mark and the heading score best and are no words of the text.
    let scores = [[9.0, 9.0], [0.0, 5.0], [4.0, 0.0], [0.0, 3.0], [9.0, 9.0]];
    let span = best_span(&placed, &scores, 10).unwrap();
    assert_eq!(span.range, 3..10);
    assert!(span.probability > 0.1 && span.probability < 0.3);
    assert_eq!(best_span(&[], &[], 0), None);
}

proptest! {
    #[test]
    fn every_token_is_in_a_window_up_to_the_most(tokens in 1usize..600, room in 60usize..250) {
        let found: Vec<_> = windows(tokens, room).collect();
        prop_assert_eq!(found[0].start, 0);
        prop_assert!(found.windows(2).all(|w| w[1].start < w[0].end && w[0].end <= w[1].end));
        let end = found[found.len() - 1].end;
        prop_assert!(end == tokens || found.len() == MOST_WINDOWS);
    }
}

/// A line of `models/reader_golden.json`: what the unquantised model says.
#[derive(serde::Deserialize)]
struct Golden {
    question: String,
    heading: String,
    text: String,
    ids: Vec<u32>,
    /// Relevance, and the log-odds that it is answered.
    verdict: [f32; 2],
}

#[test]
fn readings_are_close_to_the_unquantised_ones() {
    let folder = std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../models");
    let models = crate::Models::open(&folder).unwrap();
    let reader = models.reader();
    let json = std::fs::read(folder.join("reader_golden.json")).unwrap();
    let golden: Vec<Golden> = serde_json::from_slice(&json).unwrap();
    assert!(golden.len() >= 16);
    for line in golden {
        let prompt = passage_prompt(&line.heading, &line.text);
        let query = reader.vocabulary.tokenizer.encode(&query_prompt(&line.question), QUERY_TOKENS);
        let passage = reader.vocabulary.tokenizer.encode(&prompt, WINDOW);
        assert_eq!([&query[..], &passage[1..]].concat(), line.ids, "{}", line.question);

        let reading = reader.read(&line.question, &line.heading, &line.text).unwrap();
        let found = [reading.relevance, reading.answered];
        let off = found.iter().zip(line.verdict).map(|(a, b)| (a - b).abs());
        let most = off.fold(0.0, f32::max);
        assert!(most < 0.5, "{} on {}: {found:?}, {:?}", line.question, line.heading, line.verdict);
        let span = reading.span.unwrap();
        assert!(line.text.get(span.range).is_some_and(|answer| !answer.trim().is_empty()));
    }
}
