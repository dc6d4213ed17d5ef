//! Asks a corpus its questions through the daemon's own library.

use std::num::NonZero;
use std::sync::Arc;

use anyhow::Context;
use clap::ValueEnum;
use jibu_answer::{Query, settle};
use jibu_store::{ContentReader, Scope};
use jibu_types::{Language, PassageId};
use jibud::library::{self, Engine, Library, Timings};

use crate::beir::Question;
use crate::index::Index;
use crate::parallel::in_parallel;

/// Which searches take part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    /// BM25 over words, as the store gives it.
    Words,
    /// BM25 over letter trigrams, as the store gives it.
    Trigrams,
    /// Words and trigrams, ranked together.
    Lexical,
    /// The cosine of embeddings, as the store gives it.
    Dense,
    /// All three, ranked together.
    Hybrid,
    /// All that the daemon does with a question: hybrid, and the first are read.
    Full,
}

/// The documents for a question with their scores, the best first.
pub type Ranking = Vec<(String, f64)>;

/// The languages whose stop words are known; a question in another keeps all
/// of its words.
const LANGUAGES: [Language; 5] =
    [Language::EN, Language::SW, Language::FR, Language::PT, Language::NY];

/// What was found for a question, and how long each step took, where the daemon's
/// library looked.
#[derive(Debug)]
pub struct Asked {
    /// The documents.
    pub ranking: Ranking,
    /// Milliseconds by step.
    pub timings: Timings,
}

/// Ranks up to `k` documents of the index for each question, in their order.
///
/// # Errors
/// When the store or the model refuses.
pub fn ask(
    engine: &Arc<Engine>,
    index: &Index,
    questions: &[Question],
    mode: Mode,
    k: usize,
    threads: usize,
) -> anyhow::Result<Vec<Asked>> {
    in_parallel(
        questions,
        threads,
        || Searcher::new(engine, index, mode),
        |searcher, question| searcher.search(&question.text, k),
    )
}

/// One thread's way to the index.
enum Searcher<'a> {
    /// A list of the store by itself.
    Store { reader: ContentReader, engine: &'a Engine, mode: Mode },
    /// The daemon's searches and ranking.
    Library { library: Library, mode: library::Mode },
}

impl<'a> Searcher<'a> {
    fn new(engine: &'a Arc<Engine>, index: &Index, mode: Mode) -> anyhow::Result<Self> {
        let reader = index.open().context("open the index for a thread")?;
        let mode = match mode {
            Mode::Words | Mode::Trigrams | Mode::Dense => {
                return Ok(Searcher::Store { reader, engine, mode });
            }
            Mode::Lexical => library::Mode::Lexical,
            Mode::Hybrid => library::Mode::Hybrid,
            Mode::Full => library::Mode::Full,
        };
        // Every thread here has its own question.
        let library = Library::new(Arc::clone(engine), reader).reading_on(NonZero::<usize>::MIN);
        Ok(Searcher::Library { library, mode })
    }

    fn search(&mut self, text: &str, k: usize) -> anyhow::Result<Asked> {
        let engine: &Engine = match self {
            Searcher::Library { library, .. } => library.engine(),
            Searcher::Store { engine, .. } => engine,
        };
        let identified = engine.identifier().identify(text, &LANGUAGES);
        let language = settle(None, identified, None, Language::EN);
        let query = Query::analyse(text, language);
        match self {
            Searcher::Library { library, mode } => {
                let found = library.search(&query, Scope::Active, *mode, k)?;
                let candidates = found.candidates.into_iter();
                let ranking = candidates.map(|found| (found.passage.document, found.score));
                Ok(Asked { ranking: ranking.collect(), timings: found.timings })
            }
            Searcher::Store { reader, engine, mode } => {
                let hits = match mode {
                    Mode::Words => reader.search_words(&query.words, k)?,
                    Mode::Trigrams => reader.search_trigrams(&query.words.join(" "), k)?,
                    _ => reader.search_dense(&engine.models().embedder().query(&query.text)?, k)?,
                };
                let ids: Vec<PassageId> = hits.iter().map(|hit| hit.passage).collect();
                // Nobody writes to the index while it is read: all are there.
                let documents = reader.passages(&ids)?.into_iter().map(|(_, p)| p.document);
                let ranking = documents.zip(hits.iter().map(|hit| hit.score)).collect();
                Ok(Asked { ranking, timings: Timings::new() })
            }
        }
    }
}

#[cfg(test)]
mod tests;
