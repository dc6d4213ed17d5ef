//! Puts what the searches found into one order, and says how likely each
//! passage answers.
//!
//! Three searches look at a question: BM25 over words, BM25 over letter
//! trigrams, and the cosine of embeddings. None is right alone: words fail
//! across languages, trigrams forgive spelling and confuse topics, embeddings
//! miss names and numbers. So a passage has a few [signals](Signal), and how
//! far each is trusted depends on the question: on how much of it the
//! collection's vocabulary knows, and on whether spelling and meaning point to
//! the same passages. Then the reader looks at the first few, and its word is
//! weighed against theirs. The weights are fitted by `models/recipes/ranking.py`.

mod diversify;
mod parameters;
mod reading;
mod signals;

use std::collections::HashSet;

use jibu_types::{Hit, Passage, PassageId, Reading};

pub use diversify::{Listed, Named, Part, Place, diversify};
pub use parameters::{Calibration, Fitting, Parameters, ParametersError, Search, Signal, Trust};
pub use reading::{ReadingCalibration, ReadingWeights, Rereading};

use crate::decide::Thresholds;
use crate::query::Query;
use signals::{Context, Signals};

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
    /// The passages of [`Evidence::candidates`]; one that is missing here is
    /// judged without its text.
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

/// Puts candidates into order.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranker {
    parameters: Parameters,
}

impl Ranker {
    /// Checks parameters and takes them.
    ///
    /// # Errors
    /// When one is missing or out of its range.
    pub fn new(parameters: Parameters) -> Result<Self, ParametersError> {
        parameters.check()?;
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

    /// All candidates, the best first; probabilities never rise along the list.
    pub fn rank(&self, query: &Query, evidence: &Evidence<'_>) -> Vec<Ranked> {
        let context = Context::of(evidence);
        let mut found: Vec<(Signals, Ranked)> = signals::signals(query, evidence)
            .into_iter()
            .map(|(passage, signals)| {
                let score = self.score(&signals, context);
                (signals, Ranked { passage, score, probability: 0.0 })
            })
            .collect();
        // What comes in is finite, or `total_cmp` still gives an order.
        found.sort_by(|(_, a), (_, b)| {
            b.score.total_cmp(&a.score).then_with(|| a.passage.cmp(&b.passage))
        });
        let scores: Vec<f64> = found.iter().map(|(_, ranked)| ranked.score).collect();
        let mut above = 1.0;
        for (at, (signals, ranked)) in found.iter_mut().enumerate() {
            above = self.probability(signals, context, &scores, at).min(above);
            ranked.probability = above;
        }
        found.into_iter().map(|(_, ranked)| ranked).collect()
    }

    /// How many of the first passages the reader looks at.
    pub fn most_read(&self) -> usize {
        self.parameters.reading.most
    }

    /// The ranked passages in the order that they have once the first were read:
    /// `readings` belong to the first of them, in their order; one that is
    /// missing leaves its passage behind those that were read.
    pub fn reread(
        &self,
        evidence: &Evidence<'_>,
        ranked: Vec<Ranked>,
        readings: &[Option<Reading>],
    ) -> Vec<Ranked> {
        self.parameters.reading.apply(Context::of(evidence), ranked, readings)
    }

    /// How likely a passage answers, 0 to 1, that was given by itself, not found
    /// among others.
    pub fn answers_alone(&self, reading: &Reading) -> f64 {
        self.parameters.reading.alone.probability(reading)
    }

    fn score(&self, signals: &Signals, context: Context) -> f64 {
        let weights = self.parameters.weights.iter();
        weights.map(|(signal, trust)| context.trust(*trust) * signals.of(*signal)).sum()
    }

    /// The logistic curve over how a candidate stands among the others and what
    /// speaks for it by itself.
    fn probability(&self, signals: &Signals, context: Context, scores: &[f64], at: usize) -> f64 {
        let c = &self.parameters.calibration;
        let Some(own) = scores.get(at) else { return 0.0 };
        let rival = scores.get(usize::from(at == 0));
        let lead = rival.map_or(MOST_LEAD, |rival| own - rival).clamp(-MOST_LEAD, MOST_LEAD);
        logistic(
            c.intercept
                + c.lead * lead
                + c.share * log_share(*own, scores)
                + c.cosine * signals.of(Signal::Cosine)
                + c.standing * signals.of(Signal::Standing)
                + c.coverage * signals.of(Signal::Coverage)
                + c.adjacency * signals.of(Signal::Adjacency)
                + c.unknown * context.unknown
                + c.agreement * context.agreement,
        )
    }
}

/// A lead of more says no more.
const MOST_LEAD: f64 = 6.0;

/// The logarithm of a score's share of all exponentiated scores, the best first.
fn log_share(own: f64, scores: &[f64]) -> f64 {
    let best = scores.first().copied().unwrap_or(own);
    own - best - scores.iter().map(|score| (score - best).exp()).sum::<f64>().ln()
}

/// The probability at these log-odds; 0 where they are no number.
fn logistic(odds: f64) -> f64 {
    let probability = 1.0 / (1.0 + (-odds).exp());
    if probability.is_finite() { probability } else { 0.0 }
}

#[cfg(test)]
mod tests;
