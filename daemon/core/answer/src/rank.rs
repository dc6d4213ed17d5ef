//! Puts what the searches found into one order.

use jibu_types::PassageId;

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
