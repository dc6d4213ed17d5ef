//! What the reader's word is worth beside what the searches found.

use jibu_types::Reading;
use serde::{Deserialize, Serialize};

use super::parameters::Trust;
use super::signals::Context;
use super::{MOST_LEAD, Ranked, log_share, logistic};

/// How the first passages are put into order again once they were read.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rereading {
    /// How many of the first passages are read.
    pub most: usize,
    /// What speaks for a passage that was read.
    pub weights: ReadingWeights,
    /// From a standing among them to a probability.
    pub calibration: ReadingCalibration,
    /// From what is said of a passage given by itself to a probability.
    pub alone: AloneCalibration,
}

/// What each unit adds to the score of a passage that was read.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadingWeights {
    /// Of the score before reading.
    pub score: Trust,
    /// Of [`Reading::relevance`].
    pub relevance: Trust,
    /// Of [`Reading::answered`].
    pub answered: Trust,
    /// Of the logarithm of the span's probability.
    pub span: Trust,
}

/// The log-odds that a passage that was read answers the question.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadingCalibration {
    /// Where nothing speaks for a passage.
    pub intercept: f64,
    /// For each unit of score above the best of the others, 6 at most.
    pub lead: f64,
    /// For each unit of the logarithm of its share among those read.
    pub share: f64,
    /// For each unit of [`Reading::relevance`].
    pub relevance: f64,
    /// For each unit of [`Reading::answered`].
    pub answered: f64,
    /// For each unit of the logarithm of the span's probability.
    pub span: f64,
    /// For each unit of the log-odds before reading.
    pub before: f64,
    /// Where no word of the question stands in any passage.
    pub unknown: f64,
    /// Where trigrams and cosine agree.
    pub agreement: f64,
}

/// The log-odds that a passage answers that was given by itself; right ones and
/// wrong ones are expected equally often.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AloneCalibration {
    /// Where nothing speaks for it.
    pub intercept: f64,
    /// For each unit of [`Reading::relevance`].
    pub relevance: f64,
    /// For each unit of [`Reading::answered`].
    pub answered: f64,
    /// For each unit of the logarithm of the span's probability.
    pub span: f64,
}

impl AloneCalibration {
    pub(super) fn probability(&self, reading: &Reading) -> f64 {
        logistic(
            self.intercept
                + self.relevance * f64::from(reading.relevance)
                + self.answered * f64::from(reading.answered)
                + self.span * log_span(reading),
        )
    }
}

/// The logarithm of the span's probability.
fn log_span(reading: &Reading) -> f64 {
    let span = reading.span.as_ref().map_or(0.0, |span| f64::from(span.probability));
    span.clamp(LEAST, 1.0).ln()
}

/// Beyond this a difference in probability says nothing more.
const LEAST: f64 = 1e-4;

impl Rereading {
    /// Every number in it.
    pub(super) fn values(&self) -> impl Iterator<Item = f64> {
        let Rereading { weights: w, calibration: c, alone: a, .. } = self;
        [w.score, w.relevance, w.answered, w.span]
            .into_iter()
            .flat_map(|trust| [trust.always, trust.unknown, trust.agreement])
            .chain([
                c.intercept,
                c.lead,
                c.share,
                c.relevance,
                c.answered,
                c.span,
                c.before,
                c.unknown,
                c.agreement,
                a.intercept,
                a.relevance,
                a.answered,
                a.span,
            ])
    }

    /// The ranked passages again: those that were read in their new order with
    /// new probabilities, the others behind them. `readings` belong to the
    /// first of them; where one is missing, the passage counts as not read.
    pub(super) fn apply(
        &self,
        context: Context,
        ranked: Vec<Ranked>,
        readings: &[Option<Reading>],
    ) -> Vec<Ranked> {
        let mut read: Vec<Read> = Vec::new();
        let mut unread: Vec<Ranked> = Vec::new();
        for (at, ranked) in ranked.into_iter().enumerate() {
            match readings.get(at).and_then(Option::as_ref) {
                Some(reading) => read.push(Read::of(ranked, reading)),
                None => unread.push(ranked),
            }
        }
        for read in &mut read {
            read.ranked.score = self.score(context, read);
        }
        read.sort_by(|a, b| b.ranked.score.total_cmp(&a.ranked.score));
        let scores: Vec<f64> = read.iter().map(|read| read.ranked.score).collect();
        let mut above: f64 = 1.0;
        for (at, read) in read.iter_mut().enumerate() {
            above = self.probability(context, read, &scores, at).min(above);
            read.ranked.probability = above;
        }
        // What was not read keeps its distance to the last that was.
        let last = scores.last().copied();
        let first = unread.first().map(|ranked| ranked.score);
        for ranked in &mut unread {
            if let (Some(last), Some(first)) = (last, first) {
                ranked.score = last - (first - ranked.score);
            }
            ranked.probability = ranked.probability.min(above);
        }
        read.into_iter().map(|read| read.ranked).chain(unread).collect()
    }

    fn score(&self, context: Context, read: &Read) -> f64 {
        let w = &self.weights;
        context.trust(w.score) * read.ranked.score
            + context.trust(w.relevance) * read.relevance
            + context.trust(w.answered) * read.answered
            + context.trust(w.span) * read.span
    }

    fn probability(&self, context: Context, read: &Read, scores: &[f64], at: usize) -> f64 {
        let c = &self.calibration;
        let rival = scores.get(usize::from(at == 0));
        let own = read.ranked.score;
        let lead = rival.map_or(MOST_LEAD, |rival| own - rival).clamp(-MOST_LEAD, MOST_LEAD);
        logistic(
            c.intercept
                + c.lead * lead
                + c.share * log_share(own, scores)
                + c.relevance * read.relevance
                + c.answered * read.answered
                + c.span * read.span
                + c.before * read.before
                + c.unknown * context.unknown
                + c.agreement * context.agreement,
        )
    }
}

/// A passage that was read.
struct Read {
    ranked: Ranked,
    relevance: f64,
    answered: f64,
    /// The logarithm of the span's probability.
    span: f64,
    /// The log-odds before reading.
    before: f64,
}

impl Read {
    fn of(ranked: Ranked, reading: &Reading) -> Read {
        let before = ranked.probability.clamp(LEAST, 1.0 - LEAST);
        Read {
            ranked,
            relevance: f64::from(reading.relevance),
            answered: f64::from(reading.answered),
            span: log_span(reading),
            before: (before / (1.0 - before)).ln(),
        }
    }
}
