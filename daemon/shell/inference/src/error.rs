use std::path::PathBuf;

use jibu_types::EmbeddingError;
use tract_onnx::prelude::TractError;

/// What the caller can do about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// A file is missing, unreadable or not the right one: a person puts the
    /// release's `models` folder back.
    Install,
    /// The model could not be run; it will fail for this text again.
    GiveUp,
}

/// Why a model was not opened or did not give an embedding.
///
/// No message repeats the text that was embedded.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// A file cannot be read.
    #[error("{} cannot be read; put the release's models folder there", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The manifest is not what the recipes write.
    #[error("{} is no manifest of models; put the release's models folder there", path.display())]
    Manifest {
        /// Which file.
        path: PathBuf,
        /// Where it went wrong.
        #[source]
        source: toml::de::Error,
    },
    /// The manifest does not name an artefact that the daemon runs.
    #[error("{} has no artefact \"{name}\"; it belongs to another release", path.display())]
    Unlisted {
        /// The manifest.
        path: PathBuf,
        /// The artefact's name in it.
        name: &'static str,
    },
    /// The file is not the one that the manifest pins.
    #[error(
        "{} has the SHA-256 {found}, and the manifest says {expected}; copy the file again from \
         the release, or make it again with its recipe",
        path.display()
    )]
    Changed {
        /// Which file.
        path: PathBuf,
        /// The hash that the manifest gives.
        expected: String,
        /// The file's hash.
        found: String,
    },
    /// The file is the pinned one, but not laid out as this release expects.
    #[error("{} belongs to another release: {what}", path.display())]
    Layout {
        /// Which file.
        path: PathBuf,
        /// What was expected of it.
        what: String,
    },
    /// The encoder's graph cannot be prepared.
    #[error("{} is no graph that can be run", path.display())]
    Graph {
        /// Which file.
        path: PathBuf,
        /// What tract said.
        #[source]
        source: TractError,
    },
    /// Running the encoder failed.
    #[error("the encoder failed on {tokens} tokens")]
    Run {
        /// How long its input was.
        tokens: usize,
        /// What tract said.
        #[source]
        source: TractError,
    },
    /// The encoder gave something without a direction.
    #[error("the encoder gave no embedding for {tokens} tokens")]
    Direction {
        /// How long its input was.
        tokens: usize,
        /// What was wrong with it.
        #[source]
        source: EmbeddingError,
    },
}

impl ModelError {
    /// What the caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            ModelError::Read { .. }
            | ModelError::Manifest { .. }
            | ModelError::Unlisted { .. }
            | ModelError::Changed { .. }
            | ModelError::Layout { .. }
            | ModelError::Graph { .. } => ErrorKind::Install,
            ModelError::Run { .. } | ModelError::Direction { .. } => ErrorKind::GiveUp,
        }
    }
}
