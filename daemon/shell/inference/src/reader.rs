//! The reader: whether a passage answers a question, and with which words.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use jibu_types::{Embedding, Reading, Span};

use crate::embedder::{passage_prompt, query_prompt};
use crate::encoder::Encoder;
use crate::error::ModelError;
use crate::vocabulary::Vocabulary;

/// How many tokens of a question are read, its two ends included.
const QUERY_TOKENS: usize = 96;
/// How many tokens are read at a time, question and passage together.
const WINDOW: usize = 256;
/// How many tokens two windows of a long passage share, so that an answer on
/// the border stands whole in one of them.
const OVERLAP: usize = 48;
/// What is beyond so many windows does not count: time grows with each.
const MOST_WINDOWS: usize = 3;
/// An answer has at most so many tokens.
const LONGEST_ANSWER: usize = 48;

/// Reads a question and a passage in one pass: the joint reranker and reader.
///
/// It shares the embedder's vocabulary and word table.
#[derive(Debug)]
pub struct Reader {
    vocabulary: Arc<Vocabulary>,
    encoder: Encoder,
}

/// A token and the bytes of the passage's prompt that it stands for.
type Placed = (u32, Range<usize>);

impl Reader {
    /// Opens the graph: token embeddings and shares in, the verdict on the pair
    /// and the scores of the tokens out.
    pub(crate) fn graph(path: &Path) -> Result<Encoder, ModelError> {
        Encoder::load(path, &[Embedding::WIDTH, 2], 2)
    }

    pub(crate) fn new(vocabulary: Arc<Vocabulary>, encoder: Encoder) -> Self {
        Reader { vocabulary, encoder }
    }

    /// Reads the beginning of a passage under its heading (which may be empty)
    /// for a question: about a hundred words. What is beyond does not count.
    ///
    /// # Errors
    /// When the model cannot be run; no text by itself makes it fail.
    pub fn skim(&self, question: &str, heading: &str, text: &str) -> Result<Reading, ModelError> {
        self.read_windows(question, heading, text, 1)
    }

    /// As [`Reader::skim`], for a long passage to its end, in a few windows.
    ///
    /// # Errors
    /// As [`Reader::skim`].
    pub fn read(&self, question: &str, heading: &str, text: &str) -> Result<Reading, ModelError> {
        self.read_windows(question, heading, text, MOST_WINDOWS)
    }

    fn read_windows(
        &self,
        question: &str,
        heading: &str,
        text: &str,
        most: usize,
    ) -> Result<Reading, ModelError> {
        let query = self.vocabulary.tokenizer.encode(&query_prompt(question), QUERY_TOKENS);
        let prompt = passage_prompt(heading, text);
        let before = prompt.len() - text.len();
        let mut passage = self.vocabulary.tokenizer.encode_with_places(&prompt, WINDOW * most);
        // The question's end parts the two; the passage's own begin goes.
        let end = passage.pop();
        let tokens = passage.get(1..).unwrap_or_default();

        let mut best: Option<Reading> = None;
        for window in windows(tokens.len(), WINDOW - query.len() - 1).take(most) {
            let placed: Vec<&Placed> = tokens[window].iter().chain(&end).collect();
            let reading = self.read_window(&query, &placed, before)?;
            best = Some(match best.take() {
                None => reading,
                Some(best) => better(best, reading),
            });
        }
        Ok(best.unwrap_or_default())
    }

    fn read_window(
        &self,
        query: &[u32],
        placed: &[&Placed],
        before: usize,
    ) -> Result<Reading, ModelError> {
        let tokens: Vec<u32> =
            query.iter().copied().chain(placed.iter().map(|(token, _)| *token)).collect();
        let embeddings = self.vocabulary.embeddings(tokens.iter().copied());
        // One by their number for the question's tokens, then for the passage's.
        let shares = [[1.0 / query.len() as f32, 0.0], [0.0, 1.0 / placed.len() as f32]];
        let shares: Vec<f32> =
            (0..tokens.len()).flat_map(|at| shares[usize::from(at >= query.len())]).collect();
        let outputs = self.encoder.run(tokens.len(), &[&embeddings, &shares])?;
        let [verdict, scores] = outputs.as_slice() else { return Ok(Reading::default()) };
        let [relevance, answered] = verdict.as_slice() else { return Ok(Reading::default()) };
        let scores = scores.as_chunks::<2>().0.get(query.len()..).unwrap_or_default();
        Ok(Reading {
            relevance: *relevance,
            answered: *answered,
            span: best_span(placed, scores, before),
        })
    }
}

/// The parts of so many tokens that are read at a time; one at least.
fn windows(tokens: usize, room: usize) -> impl Iterator<Item = Range<usize>> {
    let step = room.saturating_sub(OVERLAP).max(1);
    (0..MOST_WINDOWS)
        .map(move |window| window * step)
        .take_while(move |start| *start == 0 || start + OVERLAP < tokens)
        .map(move |start| start..tokens.min(start + room))
}

/// What two windows say together: the answer of the one that is surer.
fn better(a: Reading, b: Reading) -> Reading {
    let relevance = a.relevance.max(b.relevance);
    let surer = if b.answered > a.answered { b } else { a };
    Reading { relevance, ..surer }
}

/// The likeliest run of tokens, as first and last of the answer, in the bytes
/// of the passage's text, which starts `before` bytes into the prompt.
fn best_span(placed: &[&Placed], scores: &[[f32; 2]], before: usize) -> Option<Span> {
    let in_text: Vec<(&Range<usize>, &[f32; 2])> = placed
        .iter()
        .zip(scores)
        .filter(|((_, place), _)| place.start >= before && !place.is_empty())
        .map(|((_, place), scores)| (place, scores))
        .collect();
    let starts = log_softmax(in_text.iter().map(|(_, scores)| scores[0]));
    let ends = log_softmax(in_text.iter().map(|(_, scores)| scores[1]));
    let (first, last, log_probability) = starts
        .iter()
        .enumerate()
        .flat_map(|(first, start)| {
            let until = ends.len().min(first + LONGEST_ANSWER);
            (first..until).map(move |last| (first, last, *start))
        })
        .map(|(first, last, start)| (first, last, start + ends[last]))
        .max_by(|a, b| a.2.total_cmp(&b.2))?;
    let range = in_text[first].0.start - before..in_text[last].0.end - before;
    Some(Span { range, probability: log_probability.exp() })
}

fn log_softmax(scores: impl Iterator<Item = f32> + Clone) -> Vec<f32> {
    let peak = scores.clone().fold(f32::NEG_INFINITY, f32::max);
    let sum: f32 = scores.clone().map(|score| (score - peak).exp()).sum();
    scores.map(|score| score - peak - sum.ln()).collect()
}

#[cfg(test)]
#[path = "reader_tests.rs"]
mod tests;
