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
