/// A text's embedding: a unit vector, so that a dot product is the cosine.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedding(Box<[f32]>);

/// Why a vector is no embedding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a vector without length or with a value that is not finite has no direction")]
pub struct EmbeddingError;

impl Embedding {
    /// How many components the models of this generation give.
    pub const WIDTH: usize = 384;

    /// Scales a vector to length 1.
    ///
    /// # Errors
    /// When the vector is zero or holds a value that is not finite.
    pub fn normalised(mut values: Vec<f32>) -> Result<Self, EmbeddingError> {
        let length = values.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>().sqrt();
        if !length.is_finite() || length == 0.0 {
            return Err(EmbeddingError);
        }
        for value in &mut values {
            *value = (f64::from(*value) / length) as f32;
        }
        Ok(Embedding(values.into_boxed_slice()))
    }

    /// The components.
    pub fn values(&self) -> &[f32] {
        &self.0
    }

    /// The cosine with another embedding of the same width.
    pub fn cosine(&self, other: &Embedding) -> f32 {
        self.0.iter().zip(&other.0).map(|(a, b)| a * b).sum()
    }

    /// The components as int8, scaled so that the largest is ±127. Cosines
    /// between such vectors do not depend on the scale.
    pub fn to_int8(&self) -> Vec<i8> {
        let peak = self.0.iter().fold(0f32, |peak, v| peak.max(v.abs()));
        self.0.iter().map(|v| (v / peak * 127.0).round() as i8).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn int8_keeps_the_direction() {
        let embedding =
            Embedding::normalised((0..384).map(|i| (i as f32 * 0.37).sin()).collect()).unwrap();
        let rough = Embedding::normalised(embedding.to_int8().into_iter().map(f32::from).collect());
        assert!(rough.unwrap().cosine(&embedding) > 0.9999);
    }

    #[test]
    fn zero_has_no_direction() {
        assert!(Embedding::normalised(vec![0.0; 384]).is_err());
        assert!(Embedding::normalised(vec![f32::NAN; 384]).is_err());
    }
}
