//! The sentence encoder: a text's place among other texts of any language.

use std::path::Path;
use std::sync::Arc;

use jibu_types::Embedding;
use sha2::{Digest, Sha256};

use crate::encoder::Encoder;
use crate::error::ModelError;
use crate::vocabulary::Vocabulary;

/// How many tokens of a text are read, the two that mark its ends included.
/// What is beyond does not count.
///
/// Time grows with the tokens, and a passage's first ones say what it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Of a question. A message of three parts has about 120.
    pub query_tokens: usize,
    /// Of a passage with its heading.
    pub passage_tokens: usize,
}

impl Limits {
    /// The longest input that the encoder has positions for.
    pub const WINDOW: usize = 512;
}

impl Default for Limits {
    fn default() -> Self {
        Limits { query_tokens: 128, passage_tokens: 256 }
    }
}

/// multilingual-e5-small: embeds questions and passages so that a question
/// lies near the passages that answer it.
#[derive(Debug)]
pub struct Embedder {
    vocabulary: Arc<Vocabulary>,
    encoder: Encoder,
    limits: Limits,
    hash: [u8; 32],
}

impl Embedder {
    /// Opens the graph: token embeddings in, the mean of the hidden states out.
    pub(crate) fn graph(path: &Path) -> Result<Encoder, ModelError> {
        Encoder::load(path, &[Embedding::WIDTH], 1)
    }

    pub(crate) fn new(
        vocabulary: Arc<Vocabulary>,
        encoder: Encoder,
        limits: Limits,
        artefacts: &[String],
    ) -> Self {
        let window = |tokens: usize| tokens.clamp(2, Limits::WINDOW);
        let limits = Limits {
            query_tokens: window(limits.query_tokens),
            passage_tokens: window(limits.passage_tokens),
        };
        let mut hash = Sha256::new();
        for artefact in artefacts {
            hash.update(artefact);
        }
        // A question's limit changes no stored vector.
        hash.update((limits.passage_tokens as u64).to_le_bytes());
        Embedder { vocabulary, encoder, limits, hash: hash.finalize().into() }
    }

    /// Embeds a question.
    ///
    /// # Errors
    /// When the encoder cannot be run; no text by itself makes it fail.
    pub fn query(&self, text: &str) -> Result<Embedding, ModelError> {
        self.embed(&query_prompt(text), self.limits.query_tokens)
    }

    /// Embeds a passage under its heading (which may be empty).
    ///
    /// # Errors
    /// As [`Embedder::query`].
    pub fn passage(&self, heading: &str, text: &str) -> Result<Embedding, ModelError> {
        self.embed(&passage_prompt(heading, text), self.limits.passage_tokens)
    }

    /// The tokens of a text as it stands, without the model's prefix: as many
    /// as the model has positions for, the two that mark its ends included.
    pub fn tokens(&self, text: &str) -> Vec<u32> {
        self.vocabulary.tokenizer.encode(text, Limits::WINDOW)
    }

    /// Names what a stored vector depends on: vectors of different hashes must
    /// not be compared.
    pub fn model_hash(&self) -> [u8; 32] {
        self.hash
    }

    fn embed(&self, prompt: &str, limit: usize) -> Result<Embedding, ModelError> {
        let tokens = self.vocabulary.tokenizer.encode(prompt, limit);
        let embeddings = self.vocabulary.embeddings(tokens.iter().copied());
        let tokens = tokens.len();
        let pooled = self.encoder.run(tokens, &[&embeddings])?.swap_remove(0);
        Embedding::normalised(pooled).map_err(|source| ModelError::Direction { tokens, source })
    }
}

// The model was trained with these words before the text, and wants them.

pub(crate) fn query_prompt(text: &str) -> String {
    format!("query: {text}")
}

pub(crate) fn passage_prompt(heading: &str, text: &str) -> String {
    format!("passage: {heading}\n{text}")
}

#[cfg(test)]
#[path = "embedder_tests.rs"]
mod tests;
