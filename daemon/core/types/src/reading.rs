use std::ops::Range;

/// What the reader says of a passage, asked a question.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Reading {
    /// How well the passage fits the question; comparable among the passages of
    /// one question.
    pub relevance: f32,
    /// The log-odds that the passage answers the question, as the model has
    /// them: not calibrated.
    pub answered: f32,
    /// The words that answer best, if the passage has any words.
    pub span: Option<Span>,
}

/// Words of a passage that answer a question.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// Their bytes in the passage's text.
    pub range: Range<usize>,
    /// How likely it is just these words, if the passage answers at all, 0 to 1.
    pub probability: f32,
}
