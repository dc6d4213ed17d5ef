//! What was fitted: `models/ranking.json`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::reading::Rereading;
use crate::decide::Thresholds;

/// Everything that ranking was fitted to, with what it was fitted on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// Where the rest comes from.
    pub fitting: Fitting,
    /// How to search.
    pub search: Search,
    /// How far each signal is trusted; all of [`Signal::ALL`] are there.
    pub weights: BTreeMap<Signal, Trust>,
    /// From a standing among the candidates to a probability.
    pub calibration: Calibration,
    /// How the first passages are put into order again once they were read.
    pub reading: Rereading,
    /// Where the borders of the decision lie.
    pub thresholds: Thresholds,
}

/// Where the parameters come from, for whoever reads the file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fitting {
    /// The command that fits.
    pub recipe: String,
    /// The pools of questions and passages that it was fitted on.
    pub pools: Vec<String>,
    /// How many questions they have in all.
    pub questions: u64,
    /// The SHA-256 of the encoder whose cosines these weights are for.
    pub encoder: String,
    /// The SHA-256 of the reader whose readings they are for.
    pub reader: String,
}

/// How to search, so that what is found is what the weights were fitted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Search {
    /// How many hits of each search are looked at.
    pub depth: usize,
}

/// What speaks for a passage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signal {
    /// The cosine, in steps of a twentieth above 0.85: what a passage that has
    /// little to do with the question reaches.
    Cosine,
    /// The cosine, in standard deviations above the mean of this question's
    /// dense hits.
    Standing,
    /// BM25 over words, as a share of the best.
    Words,
    /// BM25 over trigrams, as a share of the best.
    Trigrams,
    /// The share of the question's words that stand in the passage, also in
    /// another form, each counted by its rarity.
    Coverage,
    /// The share of the question's neighbouring words that are near each other
    /// in the passage.
    Adjacency,
    /// One by the place among the words' hits.
    WordsPlace,
    /// One by the place among the trigrams' hits.
    TrigramsPlace,
    /// One by the place among the dense hits.
    DensePlace,
}

impl Signal {
    /// All of them.
    pub const ALL: [Signal; 9] = [
        Signal::Cosine,
        Signal::Standing,
        Signal::Words,
        Signal::Trigrams,
        Signal::Coverage,
        Signal::Adjacency,
        Signal::WordsPlace,
        Signal::TrigramsPlace,
        Signal::DensePlace,
    ];
}

/// What one unit of a signal adds to a score.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trust {
    /// Whatever the question.
    pub always: f64,
    /// More so, the more of the question stands in no passage: it is in another
    /// language, or misspelt.
    pub unknown: f64,
    /// More so, the more the best by trigrams and the best by cosine agree.
    pub agreement: f64,
}

/// The log-odds that a candidate answers the question.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// Where nothing speaks for a passage.
    pub intercept: f64,
    /// For each unit of score above the best of the others, 6 at most.
    pub lead: f64,
    /// For each unit of the logarithm of its share among all candidates.
    pub share: f64,
    /// For each unit of [`Signal::Cosine`].
    pub cosine: f64,
    /// For each unit of [`Signal::Standing`].
    pub standing: f64,
    /// For [`Signal::Coverage`].
    pub coverage: f64,
    /// For [`Signal::Adjacency`].
    pub adjacency: f64,
    /// Where no word of the question stands in any passage.
    pub unknown: f64,
    /// Where trigrams and cosine agree.
    pub agreement: f64,
}

/// Why parameters cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParametersError {
    /// A value is infinite or no number.
    #[error("the ranking parameters hold a value that is not finite: run the recipe again")]
    NotFinite,
    /// A signal has no weights.
    #[error("the ranking parameters lack the weights of {0:?}: run the recipe again")]
    Missing(Signal),
    /// A search that finds nothing, or thresholds out of order.
    #[error("the ranking parameter `{0}` is out of its range: run the recipe again")]
    OutOfRange(&'static str),
}

impl Parameters {
    pub(super) fn check(&self) -> Result<(), ParametersError> {
        let Parameters { search, weights, calibration: c, reading, thresholds: t, .. } = self;
        if let Some(signal) = Signal::ALL.into_iter().find(|s| !weights.contains_key(s)) {
            return Err(ParametersError::Missing(signal));
        }
        let weights = weights.values().flat_map(|w| [w.always, w.unknown, w.agreement]);
        let others = [
            c.intercept,
            c.lead,
            c.share,
            c.cosine,
            c.standing,
            c.coverage,
            c.adjacency,
            c.unknown,
            c.agreement,
            t.sure,
            t.found,
            t.choose,
            t.lead,
        ];
        if !weights.chain(others).chain(reading.values()).all(f64::is_finite) {
            return Err(ParametersError::NotFinite);
        }
        if search.depth == 0 {
            return Err(ParametersError::OutOfRange("search.depth"));
        }
        if reading.most == 0 {
            return Err(ParametersError::OutOfRange("reading.most"));
        }
        if !t.is_consistent() {
            return Err(ParametersError::OutOfRange("thresholds"));
        }
        Ok(())
    }
}
