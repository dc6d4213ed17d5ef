//! A corpus as a `content.db`, kept so that a second run need not embed again.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use jibu_answer::normalise;
use jibu_inference::Embedder;
use jibu_store::{ContentReader, ContentStore, EditionInfo, ModelHash};
use jibu_types::{CollectionName, IndexVersion, Language, Passage, Timestamp};

use crate::beir::Document;
use crate::parallel::in_parallel;

/// Passages embedded between two commits.
const BATCH: usize = 256;

/// An indexed corpus: one passage a document, its title as heading.
#[derive(Debug)]
pub struct Index {
    path: PathBuf,
}

impl Index {
    /// Finds the index of a corpus below `folder`, and makes what is missing of
    /// it. `progress` hears how many documents are embedded.
    ///
    /// # Errors
    /// When the folder, the store or the model refuses.
    pub fn of(
        folder: &Path,
        documents: &[Document],
        embedder: &Embedder,
        threads: usize,
        mut progress: impl FnMut(u64),
    ) -> anyhow::Result<Index> {
        std::fs::create_dir_all(folder).with_context(|| format!("make {}", folder.display()))?;
        let path = folder.join(format!("{}.db", name(documents, embedder)));
        let mut store = ContentStore::open(&path)?;
        if !store.active_editions()?.is_empty() {
            return Ok(Index { path });
        }
        let info = EditionInfo {
            collection: CollectionName::parse("corpus")?,
            version: IndexVersion { epoch: 1, version: 1 },
            model_hash: ModelHash(embedder.model_hash()),
            golden: Vec::new(),
            root: None,
        };
        // Nothing says what language a document is in, and no search asks.
        let language = Language::parse("und")?;
        let edition = store.stage(
            &info,
            documents.iter().map(|document| Passage {
                collection: info.collection.clone(),
                document: document.id.clone(),
                title: normalise(&document.title),
                section: Vec::new(),
                language,
                source_url: None,
                date: None,
                text: normalise(&document.text),
            }),
        )?;
        loop {
            let batch = store.missing_embeddings(edition, BATCH)?;
            if batch.is_empty() {
                break;
            }
            let embeddings = in_parallel(
                &batch,
                threads,
                || Ok(()),
                |(), (id, passage)| Ok((*id, embedder.passage(&passage.heading(), &passage.text)?)),
            )?;
            store.put_embeddings(&embeddings)?;
            let staged = store.editions()?.into_iter().find(|found| found.id == edition);
            progress(staged.map_or(0, |staged| staged.passages - staged.missing));
        }
        store.activate(Timestamp::from_unix_ms(0), edition, info.model_hash)?;
        store.tidy()?;
        Ok(Index { path })
    }

    /// A connection for one thread.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn open(&self) -> anyhow::Result<ContentReader> {
        Ok(ContentReader::open(&self.path)?)
    }
}

/// Where indexes are kept: the user's cache folder.
///
/// # Errors
/// When the environment names neither a cache nor a home.
pub fn default_folder() -> anyhow::Result<PathBuf> {
    let from = |key: &str| std::env::var_os(key).filter(|v| !v.is_empty()).map(PathBuf::from);
    from("XDG_CACHE_HOME")
        .or_else(|| from("HOME").map(|home| home.join(".cache")))
        .map(|cache| cache.join("jibu-eval"))
        .ok_or_else(|| anyhow!("no cache folder is known: set XDG_CACHE_HOME or HOME"))
}

/// Names an index by all that it depends on.
fn name(documents: &[Document], embedder: &Embedder) -> String {
    let mut hash = blake3::Hasher::new();
    hash.update(&embedder.model_hash());
    for Document { id, title, text } in documents {
        for field in [id, title, text] {
            hash.update(&(field.len() as u64).to_le_bytes());
            hash.update(field.as_bytes());
        }
    }
    let mut name = hash.finalize().to_hex().to_string();
    name.truncate(32);
    name
}
