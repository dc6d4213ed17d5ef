//! Puts what the searches found into one order, and says how likely each
//! passage answers.
//!
//! Three searches look at a question: BM25 over words, BM25 over letter
//! trigrams, and the cosine of embeddings. None is right alone: words fail
//! across languages, trigrams forgive spelling and confuse topics, embeddings
//! miss names and numbers. How far each is to be trusted depends on the
//! question, and [`Parameters`] hold what was fitted about that
//! (`models/recipes/ranking.py`).

use std::collections::{HashMap, HashSet};

use jibu_types::{Hit, Passage, PassageId};
use serde::{Deserialize, Serialize};

use crate::decide::Thresholds;
use crate::query::Query;

/// A passage with its place in the fused order.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ranked {
    /// Which passage.
    pub passage: PassageId,
    /// The fused score; only its order means something.
    pub score: f64,
    /// How likely the passage answers the question, 0 to 1, calibrated.
    pub probability: f64,
}

/// What the searches found for one question, each list best first.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    /// BM25 of the query's words.
    pub words: &'a [Hit],
    /// BM25 of the letter trigrams of the query's words.
    pub trigrams: &'a [Hit],
    /// Cosines.
    pub dense: &'a [Hit],
    /// In how many passages each of [`Query::words`] stands, in that order.
    pub frequencies: &'a [u64],
    /// How many passages are searched.
    pub passage_count: u64,
    /// The passages of [`Ranker::candidates`]; one that is missing here is
    /// judged without its words.
    pub passages: &'a [(PassageId, Passage)],
}

impl Evidence<'_> {
    /// The passages that are ranked: whatever one of the searches found, each
    /// once. Their texts belong into [`Evidence::passages`].
    pub fn candidates(words: &[Hit], trigrams: &[Hit], dense: &[Hit]) -> Vec<PassageId> {
        let mut seen = HashSet::new();
        [words, trigrams, dense]
            .into_iter()
            .flatten()
            .map(|hit| hit.passage)
            .filter(|passage| seen.insert(*passage))
            .collect()
    }
}

/// What was fitted: `ranking.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// How to search.
    pub search: Search,
    /// How far each search is trusted.
    pub weights: Weights,
    /// From a score to a probability.
    pub calibration: Calibration,
    /// Where the borders of the decision lie.
    pub thresholds: Thresholds,
}

/// How to search, so that what is found is what the weights were fitted on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Search {
    /// How many hits of each search are looked at.
    pub depth: usize,
    /// How many letter trigrams are looked up at most.
    pub trigrams: usize,
}

/// What one unit of each signal adds to a score.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Weights {
    /// The cosine, in standard deviations of the question's own hits.
    pub cosine: f64,
    /// BM25 over words, as a share of what the question could reach.
    pub words: f64,
    /// BM25 over trigrams, as a share of the best.
    pub trigrams: f64,
}

/// The logistic curve from the signals to a probability.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// The log-odds where nothing speaks for a passage.
    pub intercept: f64,
    /// What one unit of the score adds.
    pub score: f64,
    /// What one unit of lead over the best other passage adds.
    pub lead: f64,
}

/// Why parameters cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParametersError {
    /// A value is infinite or no number.
    #[error("the ranking parameters hold a value that is not finite")]
    NotFinite,
    /// A search that finds nothing, or thresholds out of order.
    #[error("the ranking parameter `{0}` is out of its range")]
    OutOfRange(&'static str),
}

/// Puts candidates into order.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranker {
    parameters: Parameters,
}

impl Ranker {
    /// Checks parameters and takes them.
    ///
    /// # Errors
    /// When a value is out of its range.
    pub fn new(parameters: Parameters) -> Result<Self, ParametersError> {
        let Parameters { search, weights: w, calibration: c, thresholds: t } = &parameters;
        let values = [
            w.cosine, w.words, w.trigrams, c.intercept, c.score, c.lead, t.sure, t.found, t.choose,
            t.lead,
        ];
        if values.iter().any(|value| !value.is_finite()) {
            return Err(ParametersError::NotFinite);
        }
        if search.depth == 0 {
            return Err(ParametersError::OutOfRange("search.depth"));
        }
        if !t.is_consistent() {
            return Err(ParametersError::OutOfRange("thresholds"));
        }
        Ok(Ranker { parameters })
    }

    /// How to search.
    pub fn search(&self) -> &Search {
        &self.parameters.search
    }

    /// Where the borders of the decision lie.
    pub fn thresholds(&self) -> &Thresholds {
        &self.parameters.thresholds
    }

    /// All candidates, the best first; probabilities fall along the list.
    pub fn rank(&self, query: &Query, evidence: &Evidence<'_>) -> Vec<Ranked> {
        let _ = query;
        let Parameters { weights, calibration, .. } = &self.parameters;
        let cosine = standardised(evidence.dense);
        let attainable: f64 = evidence
            .frequencies
            .iter()
            .map(|frequency| 2.2 * idf(*frequency, evidence.passage_count))
            .sum();
        let words = scores(evidence.words, attainable);
        let best = evidence.trigrams.first().map_or(0.0, |hit| hit.score);
        let trigrams = scores(evidence.trigrams, best);
        let of = |side: &HashMap<PassageId, f64>, id| side.get(&id).copied().unwrap_or(0.0);
        let mut ranked: Vec<Ranked> =
            Evidence::candidates(evidence.words, evidence.trigrams, evidence.dense)
                .into_iter()
                .map(|passage| Ranked {
                    passage,
                    score: weights.cosine * of(&cosine, passage)
                        + weights.words * of(&words, passage)
                        + weights.trigrams * of(&trigrams, passage),
                    probability: 0.0,
                })
                .collect();
        ranked.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.passage.cmp(&b.passage)));
        let first = ranked.first().map_or(0.0, |r| r.score);
        let second = ranked.get(1).map_or(0.0, |r| r.score);
        for (at, candidate) in ranked.iter_mut().enumerate() {
            let lead = candidate.score - if at == 0 { second } else { first };
            let odds =
                calibration.intercept + calibration.score * candidate.score + calibration.lead * lead;
            candidate.probability = 1.0 / (1.0 + (-odds).exp());
        }
        ranked
    }
}

/// BM25's inverse document frequency, as FTS5 computes it: never below 1e-6.
fn idf(frequency: u64, passages: u64) -> f64 {
    let (frequency, passages) = (frequency as f64, passages as f64);
    ((passages - frequency + 0.5) / (frequency + 0.5)).ln().max(1e-6)
}

/// Scores as shares of a whole.
fn scores(hits: &[Hit], whole: f64) -> HashMap<PassageId, f64> {
    if whole <= 0.0 {
        return HashMap::new();
    }
    hits.iter().map(|hit| (hit.passage, hit.score / whole)).collect()
}

/// Scores in standard deviations above the last.
fn standardised(hits: &[Hit]) -> HashMap<PassageId, f64> {
    let count = hits.len().max(1) as f64;
    let mean = hits.iter().map(|hit| hit.score).sum::<f64>() / count;
    let variance = hits.iter().map(|hit| (hit.score - mean).powi(2)).sum::<f64>() / count;
    let last = hits.last().map_or(0.0, |hit| hit.score);
    let deviation = variance.sqrt().max(1e-6);
    hits.iter().map(|hit| (hit.passage, (hit.score - last) / deviation)).collect()
}
