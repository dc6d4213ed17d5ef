//! The words that the models share: how a text is cut into tokens, and the
//! embedding of each.

use crate::table::Table;
use crate::tokenizer::Tokenizer;

/// One tokenizer and one embedding table for the embedder and the reader.
#[derive(Debug)]
pub(crate) struct Vocabulary {
    pub(crate) tokenizer: Tokenizer,
    pub(crate) table: Table,
}

impl Vocabulary {
    /// The tokens' embeddings, row after row.
    pub(crate) fn embeddings(&self, tokens: impl ExactSizeIterator<Item = u32>) -> Vec<f32> {
        let mut rows = Vec::with_capacity(tokens.len() * self.table.width());
        for token in tokens {
            self.table.append(token, &mut rows);
        }
        rows
    }
}
