//! Takes a bundle from the hub: verify, stage, embed, try, flip.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, bail};
use jibu_store::{
    ContentStore, EditionId, EditionInfo, EditionState, GoldenQuery, ModelHash, Scope, StateStore,
};
use jibu_sync::{Admission, admissible, bundle};
use jibu_types::{CollectionName, Embedding, IndexVersion, Passage, PassageId};
use serde::Serialize;

use crate::clock::now;
use crate::config::Config;
use crate::library::{Engine, Library, Mode};

/// What came of an import.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// Which collection.
    pub collection: CollectionName,
    /// Which version of it.
    #[serde(serialize_with = "as_text")]
    pub version: IndexVersion,
    /// How many passages it has.
    pub passages: u64,
    /// How many were new and were embedded here.
    pub embedded: usize,
    /// Whether there was nothing to do.
    pub already_active: bool,
    /// How the golden queries went.
    pub golden: Golden,
}

/// How the golden queries of a version went.
#[derive(Debug, Default, Serialize)]
pub struct Golden {
    /// How many there are.
    pub asked: usize,
    /// How many found their document.
    pub found: usize,
    /// The documents that were not found.
    pub missed: Vec<String>,
}

fn as_text<S: serde::Serializer>(version: &IndexVersion, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(version)
}

/// A golden query finds its document when a passage of it is among so many; a
/// person is shown fewer, but a version is judged by what it holds, not by the
/// last step of ranking.
const GOLDEN_DEPTH: usize = 5;
/// The share of golden queries that must find their document. A collection in
/// several languages has some that only a perfect embedder would find.
const GOLDEN_SHARE: f64 = 0.8;

/// Passages embedded between two commits: what a power cut can cost.
const BATCH: usize = 64;

/// Imports a bundle. An import that was cut off goes on where it was.
///
/// # Errors
/// When the bundle is not genuine, is older than what the site had, or does not
/// answer its own golden queries; and when a store refuses. The version that is
/// answered from stays.
pub fn import(
    config: &Config,
    engine: &Arc<Engine>,
    state: &mut StateStore,
    content: &mut ContentStore,
    bytes: &[u8],
) -> anyhow::Result<Outcome> {
    let key = config.hub_key.as_ref().context(
        "no hub is trusted yet: put what `jibu-hub init` prints into hub.public_key of the \
         configuration",
    )?;
    let bundle = bundle::read(bytes, key)?;
    let root = bundle.root();
    let collection = root.collection.clone();
    let admission = admissible(state.floor(&collection)?, root)?;

    let model_hash = ModelHash(engine.models().embedder().model_hash());
    let active = content.active_editions()?.into_iter().find(|e| e.collection == collection);
    if admission == Admission::Same
        && active.is_some_and(|e| e.version == root.version && e.model_hash == model_hash)
    {
        return Ok(Outcome {
            collection,
            version: root.version,
            passages: root.passages,
            embedded: 0,
            already_active: true,
            golden: Golden::default(),
        });
    }

    let golden = bundle.golden().iter().map(|query| GoldenQuery {
        question: query.question.clone(),
        document: query.document.clone(),
    });
    let info = EditionInfo {
        collection: collection.clone(),
        version: root.version,
        model_hash,
        golden: golden.collect(),
    };
    let edition = content.stage(&info, bundle.passages())?;
    let embedded = embed(engine, content, edition)?;
    let golden = try_golden(config, engine, edition, &info.golden)?;
    if (golden.found as f64) < GOLDEN_SHARE * golden.asked as f64 {
        let why = format!(
            "{} of {} golden queries found their document, {:.0} in 100 are wanted; missed: {}",
            golden.found,
            golden.asked,
            100.0 * GOLDEN_SHARE,
            golden.missed.join(", ")
        );
        content.fail(edition, &why)?;
        state.record(
            now(),
            "index refused",
            &serde_json::json!({
                "collection": collection, "version": root.version.to_string(), "why": why,
            }),
        )?;
        bail!("{why}. The version that was answered from stays; mend the collection at the hub");
    }

    // The floor first: after a cut between the two, the same bundle goes on here.
    state.raise_floor(&collection, root.version)?;
    content.activate(now(), edition, model_hash)?;
    content.tidy()?;
    state.record(
        now(),
        "index activated",
        &serde_json::json!({
            "collection": collection,
            "version": root.version.to_string(),
            "root": bundle.signed_root().hash().to_string(),
        }),
    )?;
    debug_assert!(
        content.editions()?.iter().any(|e| e.id == edition && e.state == EditionState::Active)
    );
    Ok(Outcome {
        collection,
        version: root.version,
        passages: root.passages,
        embedded,
        already_active: false,
        golden,
    })
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
fn try_golden(
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
