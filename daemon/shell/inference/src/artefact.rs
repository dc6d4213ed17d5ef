//! The manifest, and the artefacts that it pins.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use memmap2::Mmap;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::embedder::{Embedder, Limits};
use crate::error::ModelError;
use crate::reader::Reader;
use crate::table::Table;
use crate::tokenizer::Tokenizer;
use crate::vocabulary::Vocabulary;

/// What the daemon runs, opened and checked.
///
/// It can be shared between threads; each call runs on the thread that makes
/// it.
#[derive(Debug)]
pub struct Models {
    embedder: Embedder,
    reader: Reader,
}

impl Models {
    /// Opens the models in a folder, such as the release's `models`.
    ///
    /// # Errors
    /// When a file is missing, or is not the one that `manifest.toml` pins. The
    /// message says which, and what to do.
    pub fn open(folder: &Path) -> Result<Self, ModelError> {
        Self::open_with(folder, Limits::default())
    }

    /// Opens the models with other limits than the usual ones.
    ///
    /// # Errors
    /// As [`Models::open`].
    pub fn open_with(folder: &Path, limits: Limits) -> Result<Self, ModelError> {
        let manifest = Manifest::read(folder)?;

        let tokenizer = manifest.artefact("embedder.tokenizer")?;
        let table = manifest.artefact("embedder.table")?;
        let encoder = manifest.artefact("embedder.encoder")?;
        let hashes = [&tokenizer.hash, &table.hash, &encoder.hash].map(String::clone);

        let tokenizer = Tokenizer::parse(&tokenizer.path, &tokenizer.map()?)?;
        let table_path = table.path.clone();
        let table = Table::read(&table_path, table.map()?)?;
        if table.rows() != tokenizer.pieces() {
            let what = format!("it has {} rows for {} tokens", table.rows(), tokenizer.pieces());
            return Err(ModelError::Layout { path: table_path, what });
        }
        let vocabulary = Arc::new(Vocabulary { tokenizer, table });
        encoder.verify()?;
        let encoder = Embedder::graph(&encoder.path)?;
        let embedder = Embedder::new(Arc::clone(&vocabulary), encoder, limits, &hashes);

        let reader = manifest.artefact("reader.encoder")?;
        reader.verify()?;
        let reader = Reader::new(vocabulary, Reader::graph(&reader.path)?);
        Ok(Models { embedder, reader })
    }

    /// The sentence encoder.
    pub fn embedder(&self) -> &Embedder {
        &self.embedder
    }

    /// What reads a passage for a question.
    pub fn reader(&self) -> &Reader {
        &self.reader
    }
}

/// The bytes of an artefact that another crate understands, such as the
/// ranking's parameters, once they are known to be the ones that
/// `manifest.toml` pins.
///
/// # Errors
/// As [`Models::open`].
pub fn read_artefact(folder: &Path, name: &'static str) -> Result<Vec<u8>, ModelError> {
    Ok(Manifest::read(folder)?.artefact(name)?.map()?.to_vec())
}

/// `manifest.toml`, as far as the daemon needs it.
struct Manifest {
    path: PathBuf,
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    name: String,
    file: PathBuf,
    sha256: String,
}

impl Manifest {
    fn read(folder: &Path) -> Result<Self, ModelError> {
        #[derive(Deserialize)]
        struct Document {
            artefact: Vec<Entry>,
        }

        let path = folder.join("manifest.toml");
        let text = std::fs::read_to_string(&path)
            .map_err(|source| ModelError::Read { path: path.clone(), source })?;
        match toml::from_str::<Document>(&text) {
            Ok(document) => Ok(Manifest { path, entries: document.artefact }),
            Err(source) => Err(ModelError::Manifest { path, source }),
        }
    }

    fn artefact(&self, name: &'static str) -> Result<Artefact, ModelError> {
        let entry = self.entries.iter().find(|entry| entry.name == name);
        let entry = entry.ok_or_else(|| ModelError::Unlisted { path: self.path.clone(), name })?;
        Ok(Artefact { path: self.path.with_file_name(&entry.file), hash: entry.sha256.clone() })
    }
}

/// A file, and the hash that it must have.
struct Artefact {
    path: PathBuf,
    hash: String,
}

impl Artefact {
    /// The file mapped into memory, once its bytes are known to be the right
    /// ones.
    ///
    /// Bytes that are read once and dropped would leave the daemon larger than
    /// it need be: the C library keeps what it gets back from large buffers.
    fn map(&self) -> Result<Mmap, ModelError> {
        let file = self.verify()?;
        map(&file).map_err(|source| self.unreadable(source))
    }

    /// The file, once its bytes are known to be the right ones.
    fn verify(&self) -> Result<File, ModelError> {
        let mut file = File::open(&self.path).map_err(|source| self.unreadable(source))?;
        let mut hash = Sha256::new();
        let mut buffer = vec![0; 1 << 16];
        loop {
            match file.read(&mut buffer).map_err(|source| self.unreadable(source))? {
                0 => break,
                count => hash.update(&buffer[..count]),
            }
        }
        self.compare(hash.finalize().as_slice())?;
        Ok(file)
    }

    fn compare(&self, digest: &[u8]) -> Result<(), ModelError> {
        let found: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        if found.eq_ignore_ascii_case(&self.hash) {
            return Ok(());
        }
        Err(ModelError::Changed { path: self.path.clone(), expected: self.hash.clone(), found })
    }

    fn unreadable(&self, source: std::io::Error) -> ModelError {
        ModelError::Read { path: self.path.clone(), source }
    }
}

#[allow(unsafe_code)]
fn map(file: &File) -> std::io::Result<Mmap> {
    // SAFETY: the bytes of a map change, or cease to exist, if another process
    // writes to the file. Nothing does while the daemon runs: the file is part
    // of a release, which is installed by writing new files beside the old ones
    // and renaming, and its hash was compared just before. Whoever reads the map
    // checks its bounds and takes any byte for what it is, so that a file that
    // did change could give a wrong embedding; one cut short ends the process
    // with SIGBUS.
    unsafe { Mmap::map(file) }
}
