//! Asks a corpus its questions with the searches and the ranker of the daemon.

use std::collections::HashMap;

use clap::ValueEnum;
use jibu_answer::rank::{Evidence, Ranker};
use jibu_answer::{Query, identify, settle};
use jibu_inference::Embedder;
use jibu_store::ContentReader;
use jibu_types::{Embedding, Hit, Language, PassageId};

/// Which searches take part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    /// BM25 over words.
    Words,
    /// BM25 over letter trigrams.
    Trigrams,
    /// Words and trigrams, ranked together.
    Lexical,
    /// The cosine of embeddings.
    Dense,
    /// All three, ranked together.
    Hybrid,
    /// All that the daemon does with a question: today the same as hybrid.
    Full,
}

impl Mode {
    /// Whether questions must be embedded.
    pub fn embeds(self) -> bool {
        matches!(self, Mode::Dense | Mode::Hybrid | Mode::Full)
    }
}

/// The languages that have words of their own here; others keep all words.
const PACKS: [Language; 5] = [Language::EN, Language::SW, Language::FR, Language::PT, Language::NY];

/// Searches one corpus.
pub struct Searcher<'a> {
    reader: ContentReader,
    ranker: &'a Ranker,
    documents: HashMap<PassageId, String>,
}

impl<'a> Searcher<'a> {
    /// A searcher on an index.
    pub fn new(reader: ContentReader, ranker: &'a Ranker) -> Self {
        Searcher { reader, ranker, documents: HashMap::new() }
    }

    /// Up to `k` documents for a question, the best first. `embedding` is the
    /// question's, where the mode embeds.
    ///
    /// # Errors
    /// When the store refuses.
    pub fn search(
        &mut self,
        text: &str,
        embedding: Option<&Embedding>,
        mode: Mode,
        k: usize,
    ) -> anyhow::Result<Vec<(String, f64)>> {
        let language = settle(None, identify(text, &PACKS), None, Language::EN);
        let query = Query::analyse(text, language);
        let search = self.ranker.search();
        let depth = match mode {
            Mode::Words | Mode::Trigrams | Mode::Dense => k,
            Mode::Lexical | Mode::Hybrid | Mode::Full => search.depth,
        };
        let words = match mode {
            Mode::Trigrams | Mode::Dense => Vec::new(),
            _ => self.reader.search_words(&query.words, depth)?,
        };
        let trigrams = match mode {
            Mode::Words | Mode::Dense => Vec::new(),
            _ => self.reader.search_trigrams(&query.words.join(" "), depth)?,
        };
        let dense = match embedding {
            Some(embedding) if mode.embeds() => self.reader.search_dense(embedding, depth)?,
            _ => Vec::new(),
        };
        let mut ranking: Vec<(PassageId, f64)> = match mode {
            Mode::Words => scored(&words),
            Mode::Trigrams => scored(&trigrams),
            Mode::Dense => scored(&dense),
            Mode::Lexical | Mode::Hybrid | Mode::Full => {
                let frequencies = self.reader.document_frequencies(&query.words)?;
                let passages =
                    self.reader.passages(&Evidence::candidates(&words, &trigrams, &dense))?;
                let evidence = Evidence {
                    words: &words,
                    trigrams: &trigrams,
                    dense: &dense,
                    frequencies: &frequencies,
                    passage_count: self.reader.passage_count()?,
                    passages: &passages,
                };
                self.ranker.rank(&query, &evidence).iter().map(|r| (r.passage, r.score)).collect()
            }
        };
        ranking.truncate(k);
        ranking.into_iter().map(|(id, score)| Ok((self.document(id)?, score))).collect()
    }

    /// The corpus's name for a passage.
    fn document(&mut self, id: PassageId) -> anyhow::Result<String> {
        if let Some(document) = self.documents.get(&id) {
            return Ok(document.clone());
        }
        let passage = self.reader.passage(id)?;
        // Nobody writes to this index while it is read.
        let document =
            passage.ok_or_else(|| anyhow::anyhow!("passage {} left the index", id.0))?.document;
        self.documents.insert(id, document.clone());
        Ok(document)
    }
}

fn scored(hits: &[Hit]) -> Vec<(PassageId, f64)> {
    hits.iter().map(|hit| (hit.passage, hit.score)).collect()
}

/// Embeds questions.
///
/// # Errors
/// When the model cannot be run.
pub fn embed(
    embedder: &Embedder,
    questions: &[crate::beir::Question],
    threads: usize,
) -> anyhow::Result<Vec<Embedding>> {
    crate::index::in_parallel(questions, threads, |question| Ok(embedder.query(&question.text)?))
}
