//! Runs the models: text in, embeddings and readings out.
//!
//! [`Models::open`] checks every artefact in `models/` against the hashes of
//! its `manifest.toml` and opens what the daemon runs. How the artefacts are
//! made is the business of `models/recipes`; what an embedding is good for, of
//! `jibu-answer`.
//!
//! The hub and the site embed with this crate, so that indexing and asking
//! cannot drift apart.

mod artefact;
mod embedder;
mod encoder;
mod error;
mod reader;
mod table;
mod tokenizer;
mod vocabulary;

pub use artefact::{Models, read_artefact};
pub use embedder::{Embedder, Limits};
pub use error::{ErrorKind, ModelError};
pub use reader::Reader;
