//! What speaks for each candidate, and what the question itself tells.
//!
//! The recipe computes the same in Python; `tests/ranking.json` holds both to
//! the same figures.

use std::collections::{HashMap, HashSet};

use jibu_types::{Hit, Passage, PassageId};

use super::{Evidence, Signal, Trust};
use crate::query::Query;
use crate::text::{fold, is_word};

/// What the question itself tells about whom to trust, each from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Context {
    /// The share of the question's words, by rarity, that stand in no passage.
    pub(super) unknown: f64,
    /// The share of the ten best that trigrams and cosine have in common.
    pub(super) agreement: f64,
}

impl Context {
    pub(super) fn of(evidence: &Evidence<'_>) -> Self {
        const LOOKED_AT: usize = 10;
        let rarities = rarities(evidence);
        let whole: f64 = rarities.iter().sum();
        let known: f64 = rarities
            .iter()
            .zip(evidence.frequencies)
            .filter(|(_, frequency)| **frequency > 0)
            .map(|(rarity, _)| rarity)
            .sum();
        let best = |hits: &[Hit]| -> HashSet<PassageId> {
            hits.iter().take(LOOKED_AT).map(|hit| hit.passage).collect()
        };
        let common = best(evidence.trigrams).intersection(&best(evidence.dense)).count();
        Context {
            unknown: if whole > 0.0 { 1.0 - known / whole } else { 1.0 },
            agreement: common as f64 / LOOKED_AT as f64,
        }
    }
}

impl Context {
    /// How far something is trusted for this question.
    pub(super) fn trust(self, trust: Trust) -> f64 {
        trust.always + trust.unknown * self.unknown + trust.agreement * self.agreement
    }
}

/// The signals of one candidate.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Signals([f64; Signal::ALL.len()]);

impl Signals {
    pub(super) fn of(&self, signal: Signal) -> f64 {
        self.0[signal as usize]
    }

    fn set(&mut self, signal: Signal, value: f64) {
        self.0[signal as usize] = value;
    }
}

/// The signals of every candidate.
pub(super) fn signals(query: &Query, evidence: &Evidence<'_>) -> Vec<(PassageId, Signals)> {
    let words = Side::of(evidence.words);
    let trigrams = Side::of(evidence.trigrams);
    let dense = Side::of(evidence.dense);
    let texts = Texts::of(query, evidence);
    let passages: HashMap<PassageId, &Passage> =
        evidence.passages.iter().map(|(id, passage)| (*id, passage)).collect();
    Evidence::candidates(evidence.words, evidence.trigrams, evidence.dense)
        .into_iter()
        .map(|id| {
            let cosine = dense.score(id).unwrap_or(dense.last);
            let mut signals = Signals::default();
            signals.set(Signal::Cosine, (cosine - 0.85) * 20.0);
            signals.set(Signal::Standing, (cosine - dense.mean) / dense.deviation);
            signals.set(Signal::Words, words.share(id));
            signals.set(Signal::Trigrams, trigrams.share(id));
            signals.set(Signal::WordsPlace, words.by_place(id));
            signals.set(Signal::TrigramsPlace, trigrams.by_place(id));
            signals.set(Signal::DensePlace, dense.by_place(id));
            if let Some(passage) = passages.get(&id) {
                let (coverage, adjacency) = texts.compare(passage);
                signals.set(Signal::Coverage, coverage);
                signals.set(Signal::Adjacency, adjacency);
            }
            (id, signals)
        })
        .collect()
}

/// BM25's inverse document frequency, as FTS5 has it: never below a millionth.
fn rarities(evidence: &Evidence<'_>) -> Vec<f64> {
    let all = evidence.passage_count as f64;
    evidence
        .frequencies
        .iter()
        .map(|frequency| {
            let with = *frequency as f64;
            let odds = (all - with + 0.5) / (with + 0.5);
            if odds > 0.0 { odds.ln().max(1e-6) } else { 1e-6 }
        })
        .collect()
}

/// One search's hits.
struct Side {
    hits: HashMap<PassageId, (usize, f64)>,
    best: f64,
    last: f64,
    mean: f64,
    deviation: f64,
}

impl Side {
    fn of(hits: &[Hit]) -> Self {
        let count = hits.len().max(1) as f64;
        let mean = hits.iter().map(|hit| hit.score).sum::<f64>() / count;
        let variance = hits.iter().map(|hit| (hit.score - mean).powi(2)).sum::<f64>() / count;
        Side {
            hits: hits.iter().enumerate().map(|(at, hit)| (hit.passage, (at, hit.score))).collect(),
            best: hits.first().map_or(0.0, |hit| hit.score),
            last: hits.last().map_or(0.0, |hit| hit.score),
            mean,
            deviation: variance.sqrt().max(1e-4),
        }
    }

    fn score(&self, id: PassageId) -> Option<f64> {
        self.hits.get(&id).map(|(_, score)| *score)
    }

    fn share(&self, id: PassageId) -> f64 {
        if self.best > 0.0 { self.score(id).unwrap_or(0.0) / self.best } else { 0.0 }
    }

    fn by_place(&self, id: PassageId) -> f64 {
        self.hits.get(&id).map_or(0.0, |(at, _)| 1.0 / (1 + at) as f64)
    }
}

/// The question's words, ready to be looked for in passages.
struct Texts<'a> {
    /// Each with its place in the query.
    places: HashMap<&'a str, usize>,
    /// The first letters, by which another form of a word is recognised.
    stems: HashMap<&'a str, Vec<usize>>,
    rarities: Vec<f64>,
    whole: f64,
}

impl<'a> Texts<'a> {
    fn of(query: &'a Query, evidence: &Evidence<'_>) -> Self {
        // Where frequencies are missing, the word counts nothing.
        let mut rarities = rarities(evidence);
        rarities.resize(query.words.len(), 0.0);
        let mut stems: HashMap<&str, Vec<usize>> = HashMap::new();
        for (at, word) in query.words.iter().enumerate() {
            stems.entry(stem(word)).or_default().push(at);
        }
        Texts {
            places: query.words.iter().enumerate().map(|(at, word)| (word.as_str(), at)).collect(),
            stems,
            whole: rarities.iter().sum(),
            rarities,
        }
    }

    /// Coverage and adjacency.
    fn compare(&self, passage: &Passage) -> (f64, f64) {
        let mut seen = vec![false; self.rarities.len()];
        for word in folded(&passage.heading()) {
            self.see(&word, &mut seen);
        }
        // The query's place of each of the last words, where it is one of its.
        let mut before: [Option<usize>; 3] = [None; 3];
        let mut pairs = HashSet::new();
        for word in folded(&passage.text) {
            self.see(&word, &mut seen);
            let place = self.places.get(word.as_str()).copied();
            if let Some(second) = place {
                let firsts = before.iter().flatten().filter(|first| **first + 1 == second);
                pairs.extend(firsts.copied());
            }
            before = [place, before[0], before[1]];
        }
        let covered: f64 =
            seen.iter().zip(&self.rarities).filter(|(s, _)| **s).map(|(_, rarity)| rarity).sum();
        let neighbours = self.rarities.len().saturating_sub(1);
        (
            if self.whole > 0.0 { covered / self.whole } else { 0.0 },
            if neighbours > 0 { pairs.len() as f64 / neighbours as f64 } else { 0.0 },
        )
    }

    fn see(&self, word: &str, seen: &mut [bool]) {
        for at in self.stems.get(stem(word)).into_iter().flatten() {
            if let Some(seen) = seen.get_mut(*at) {
                *seen = true;
            }
        }
    }
}

/// The first five letters: what most forms of a word share.
fn stem(word: &str) -> &str {
    word.char_indices().nth(5).map_or(word, |(end, _)| word.get(..end).unwrap_or(word))
}

/// As [`words`](crate::text::words), quicker on plain letters.
fn folded(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(|c: char| !is_word(c))
        .filter(|word| !word.is_empty())
        .map(|word| if word.is_ascii() { word.to_ascii_lowercase() } else { fold(word) })
}
