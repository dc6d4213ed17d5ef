//! Stages a version beside the one that answers, embeds it, and asks it its
//! golden queries.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use jibu_store::{ContentStore, EditionId, EditionInfo, GoldenQuery, ModelHash, Scope};
use jibu_sync::{Edition, EditionError, Shelf, SignedRoot};
use jibu_types::{Embedding, IndexVersion, Passage, PassageId};
use serde::Serialize;

use crate::config::Config;
use crate::library::{Engine, Library, Mode};

/// A golden query finds its document when a passage of it is among so many; a
/// person is shown fewer, but a version is judged by what it holds, not by the
/// last step of ranking.
const GOLDEN_DEPTH: usize = 5;
/// The share of golden queries that must find their document. A collection in
/// several languages has some that only a perfect embedder would find.
const GOLDEN_SHARE: f64 = 0.8;

/// Passages embedded between two commits: what a power cut can cost.
const BATCH: usize = 64;

/// How a version did.
#[derive(Debug, Clone)]
pub struct Trial {
    /// Which version.
    pub version: IndexVersion,
    /// Where it is staged.
    pub edition: EditionId,
    /// How many passages it has.
    pub passages: u64,
    /// How many were new and were embedded here.
    pub embedded: usize,
    /// How the golden queries went.
    pub golden: Golden,
    /// Why it is not to be used.
    pub refusal: Option<String>,
}

/// How the golden queries of a version went.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Golden {
    /// How many there are.
    pub asked: usize,
    /// How many found their document.
    pub found: usize,
    /// The documents that were not found.
    pub missed: Vec<String>,
}

impl Golden {
    fn refusal(&self) -> Option<String> {
        ((self.found as f64) < GOLDEN_SHARE * self.asked as f64).then(|| {
            format!(
                "{} of {} golden queries found their document, {:.0} in 100 are wanted; missed: {}",
                self.found,
                self.asked,
                100.0 * GOLDEN_SHARE,
                self.missed.join(", ")
            )
        })
    }
}

/// Why a version could not even be tried.
#[derive(Debug)]
pub(super) enum Untried {
    /// What lies on the shelf is not what the root names.
    Shelf(EditionError),
    /// A store or the models refuse.
    Failed(anyhow::Error),
}

impl<E: Into<anyhow::Error>> From<E> for Untried {
    fn from(error: E) -> Self {
        Untried::Failed(error.into())
    }
}

/// Tries the version of `root`, all of whose objects lie on the shelf. One that
/// was cut off goes on where it was.
pub(super) fn run(
    config: &Config,
    engine: &Arc<Engine>,
    content: &mut ContentStore,
    root: &SignedRoot,
    shelf: &dyn Shelf,
) -> Result<Trial, Untried> {
    let edition = Edition::open(root, shelf).map_err(Untried::Shelf)?;
    let golden = edition.golden().iter().map(|query| GoldenQuery {
        question: query.question.clone(),
        document: query.document.clone(),
    });
    let info = EditionInfo {
        collection: root.root().collection.clone(),
        version: root.root().version,
        model_hash: model(engine),
        golden: golden.collect(),
        root: Some(root.as_bytes().to_vec()),
    };
    let mut fault = None;
    let passages =
        edition.passages(shelf).map_while(|one| one.map_err(|error| fault = Some(error)).ok());
    let staged = content.stage(&info, passages)?;
    if let Some(fault) = fault {
        return Err(Untried::Shelf(fault));
    }
    let embedded = embed(engine, content, staged)?;
    let golden = ask_golden(config, engine, staged, &info.golden)?;
    let refusal = golden.refusal();
    if let Some(why) = &refusal {
        content.fail(staged, why)?;
    }
    Ok(Trial {
        version: info.version,
        edition: staged,
        passages: root.root().passages,
        embedded,
        golden,
        refusal,
    })
}

/// The model that questions are embedded with.
pub(super) fn model(engine: &Engine) -> ModelHash {
    ModelHash(engine.models().embedder().model_hash())
}

/// Embeds what the edition lacks, on all cores; gives how many passages.
fn embed(engine: &Engine, content: &mut ContentStore, edition: EditionId) -> anyhow::Result<usize> {
    let mut embedded = 0;
    loop {
        let missing = content.missing_embeddings(edition, BATCH)?;
        if missing.is_empty() {
            return Ok(embedded);
        }
        let embeddings = embed_all(engine, &missing)?;
        content.put_embeddings(&embeddings)?;
        embedded += embeddings.len();
        tracing::info!(embedded, "passages embedded");
    }
}
fn embed_all(
    engine: &Engine,
    passages: &[(PassageId, Passage)],
) -> anyhow::Result<Vec<(PassageId, Embedding)>> {
    let embedder = engine.models().embedder();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let next = AtomicUsize::new(0);
    let work = || -> anyhow::Result<Vec<(PassageId, Embedding)>> {
        let mut done = Vec::new();
        while let Some((id, passage)) = passages.get(next.fetch_add(1, Ordering::Relaxed)) {
            let embedding = embedder.passage(&passage.heading(), &passage.text)?;
            done.push((*id, embedding));
        }
        Ok(done)
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let mut all = Vec::with_capacity(passages.len());
        for worker in workers {
            match worker.join() {
                Ok(done) => all.extend(done?),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        Ok(all)
    })
}

/// Asks the staged edition its golden queries.
fn ask_golden(
    config: &Config,
    engine: &Arc<Engine>,
    edition: EditionId,
    queries: &[GoldenQuery],
) -> anyhow::Result<Golden> {
    let mut library = Library::open(config, Arc::clone(engine))?;
    let mut golden = Golden { asked: queries.len(), ..Golden::default() };
    for golden_query in queries {
        let question = engine.query(&golden_query.question, None, config);
        let found = library
            .search(&question, Scope::Edition(edition), Mode::Full, GOLDEN_DEPTH)?
            .candidates
            .iter()
            .any(|candidate| candidate.passage.document == golden_query.document);
        if found {
            golden.found += 1;
        } else {
            golden.missed.push(golden_query.document.clone());
        }
    }
    Ok(golden)
}
