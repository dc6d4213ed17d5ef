//! The models' graphs, run by tract.

use std::path::Path;
use std::sync::Arc;

use tract_onnx::prelude::*;

use crate::error::ModelError;

/// A graph over the tokens of a text: every input and output is f32
/// (`models/recipes/encoder.py`).
#[derive(Debug)]
pub(crate) struct Encoder {
    plan: Arc<TypedSimplePlan>,
}

impl Encoder {
    /// Opens a graph that takes so many values a token in each of its inputs and
    /// has so many outputs.
    pub(crate) fn load(path: &Path, widths: &[usize], outputs: usize) -> Result<Self, ModelError> {
        let plan = plan(path, widths)
            .map_err(|source| ModelError::Graph { path: path.to_owned(), source })?;
        let found = plan.model().outputs.len();
        if found != outputs {
            let what = format!("it has {found} outputs, and {outputs} are wanted");
            return Err(ModelError::Layout { path: path.to_owned(), what });
        }
        Ok(Encoder { plan })
    }

    /// Runs one text of so many tokens; each input holds a row for each of them.
    /// The values of each output.
    pub(crate) fn run(
        &self,
        tokens: usize,
        inputs: &[&[f32]],
    ) -> Result<Vec<Vec<f32>>, ModelError> {
        let run = || -> TractResult<Vec<Vec<f32>>> {
            let mut tensors = tvec!();
            for rows in inputs {
                let width = rows.len().checked_div(tokens).unwrap_or_default();
                tensors.push(Tensor::from_shape(&[tokens, width], rows)?.into_tvalue());
            }
            let outputs = self.plan.run(tensors)?;
            let values =
                |output: &TValue| Ok(output.try_as_plain_ram()?.as_slice::<f32>()?.to_vec());
            outputs.iter().map(values).collect()
        };
        run().map_err(|source| ModelError::Run { tokens, source })
    }
}

fn plan(path: &Path, widths: &[usize]) -> TractResult<Arc<TypedSimplePlan>> {
    let mut model = tract_onnx::onnx().model_for_path(path)?;
    // A text has a token at least; without knowing so, tract leaves additions
    // on its slowest path for the sake of empty tensors.
    model.symbols.add_assertion("S>=1")?;
    let sequence = model.symbols.sym("S").to_dim();
    for (input, width) in widths.iter().enumerate() {
        model.set_input_fact(input, f32::fact(&[sequence.clone(), width.to_dim()]).into())?;
    }
    model.into_optimized()?.into_runnable()
}
