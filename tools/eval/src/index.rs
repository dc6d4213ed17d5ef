//! A corpus as a `content.db`, kept so that a second run need not embed again.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use anyhow::{Context, anyhow};
use jibu_answer::normalise;
use jibu_inference::Embedder;
use jibu_store::{ContentReader, ContentStore, EditionInfo, ModelHash};
use jibu_types::{
    CollectionName, Embedding, IndexVersion, Language, Passage, PassageId, Timestamp,
};

use crate::beir::Document;

/// Passages embedded between two commits.
const BATCH: usize = 256;

/// Opens the index of a corpus below `folder`, and makes what is missing of it.
/// `progress` hears how many passages are embedded, of how many.
///
/// # Errors
/// When the folder, the store or the model refuses.
pub fn open(
    folder: &Path,
    documents: &[Document],
    embedder: &Embedder,
    threads: usize,
    mut progress: impl FnMut(usize, usize),
) -> anyhow::Result<ContentReader> {
    let path = folder.join(format!("{}.db", name(documents, embedder)));
    std::fs::create_dir_all(folder).with_context(|| format!("make {}", folder.display()))?;
    let mut store = ContentStore::open(&path)?;
    let collection = CollectionName::parse("corpus")?;
    let model_hash = ModelHash(embedder.model_hash());
    if store.active_editions()?.is_empty() {
        let info = EditionInfo {
            collection: collection.clone(),
            version: IndexVersion { epoch: 1, version: 1 },
            model_hash,
            golden: Vec::new(),
        };
        // Nothing says what language a document is in, and no search asks.
        let language = Language::parse("und")?;
        let edition = store.stage(
            &info,
            documents.iter().map(|document| Passage {
                collection: collection.clone(),
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
            let done = embed(embedder, &batch, threads)?;
            store.put_embeddings(&done)?;
            let missing: u64 =
                store.editions()?.iter().filter(|e| e.id == edition).map(|e| e.missing).sum();
            progress(documents.len().saturating_sub(missing as usize), documents.len());
        }
        store.activate(Timestamp::from_unix_ms(0), edition, model_hash)?;
        store.tidy()?;
    }
    drop(store);
    Ok(ContentReader::open(&path)?)
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
    hash.finalize().to_hex()[..32].to_owned()
}

fn embed(
    embedder: &Embedder,
    passages: &[(PassageId, Passage)],
    threads: usize,
) -> anyhow::Result<Vec<(PassageId, Embedding)>> {
    in_parallel(passages, threads, |(id, passage)| {
        Ok((*id, embedder.passage(&passage.heading(), &passage.text)?))
    })
}

/// Maps items on several threads; the results are in the items' order.
///
/// # Errors
/// The first error that the work gave.
pub(crate) fn in_parallel<T: Sync, R: Send>(
    items: &[T],
    threads: usize,
    work: impl Fn(&T) -> anyhow::Result<R> + Sync,
) -> anyhow::Result<Vec<R>> {
    let next = std::sync::atomic::AtomicUsize::new(0);
    let done: Mutex<Vec<(usize, anyhow::Result<R>)>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..threads.clamp(1, items.len().max(1)) {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    let Some(item) = items.get(at) else { break };
                    let result = work(item);
                    // Poisoned only where `work` panicked, which ends the scope.
                    if let Ok(mut done) = done.lock() {
                        done.push((at, result));
                    }
                }
            });
        }
    });
    let mut done = done.into_inner().map_err(|_| anyhow!("a thread panicked"))?;
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parallel_work_keeps_its_order_and_tells_its_error() {
        let items: Vec<usize> = (0..500).collect();
        assert_eq!(in_parallel(&items, 4, |n| Ok(n * 2)).unwrap()[499], 998);
        assert!(
            in_parallel(&items, 4, |n| if *n == 7 { Err(anyhow!("seven")) } else { Ok(()) })
                .is_err()
        );
        assert!(in_parallel(&[] as &[usize], 4, |n| Ok(*n)).unwrap().is_empty());
    }
}
