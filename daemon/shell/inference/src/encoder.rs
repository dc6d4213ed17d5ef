//! The encoder's graph, run by tract.

use std::path::Path;
use std::sync::Arc;

use tract_onnx::prelude::*;

use crate::error::ModelError;

/// `embedder.onnx`: token embeddings f32 `[sequence, width]` in, their encoded
/// mean f32 `[width]` out (`models/recipes/encoder.py`).
#[derive(Debug)]
pub(crate) struct Encoder {
    plan: Arc<TypedSimplePlan>,
}

impl Encoder {
    pub(crate) fn load(path: &Path) -> Result<Self, ModelError> {
        let plan =
            plan(path).map_err(|source| ModelError::Graph { path: path.to_owned(), source })?;
        Ok(Encoder { plan })
    }

    /// Encodes one text; `embeddings` holds `tokens` rows.
    pub(crate) fn run(&self, tokens: usize, embeddings: &[f32]) -> TractResult<Vec<f32>> {
        let width = embeddings.len().checked_div(tokens).unwrap_or_default();
        let input = Tensor::from_shape(&[tokens, width], embeddings)?;
        let output = self.plan.run(tvec!(input.into_tvalue()))?;
        Ok(output[0].try_as_plain_ram()?.as_slice::<f32>()?.to_vec())
    }
}

fn plan(path: &Path) -> TractResult<Arc<TypedSimplePlan>> {
    let mut model = tract_onnx::onnx().model_for_path(path)?;
    let width = jibu_types::Embedding::WIDTH.to_dim();
    // A text has a token at least; without knowing so, tract leaves additions
    // on its slowest path for the sake of empty tensors.
    model.symbols.add_assertion("S>=1")?;
    let sequence = model.symbols.sym("S").to_dim();
    model.set_input_fact(0, f32::fact(&[sequence, width]).into())?;
    model.into_optimized()?.into_runnable()
}
