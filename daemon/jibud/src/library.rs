//! Questions against the index: spell, embed, search, rank, read, decide.
//!
//! One [`Library`] serves one thread; all share the models. The evaluation and
//! the golden queries go through here too, so what is measured is what runs.

use std::collections::{BTreeMap, HashMap};
use std::num::NonZero;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;
use jibu_answer::gloss::{self, Glossary};
use jibu_answer::letters;
use jibu_answer::rank::{Evidence, Listed, Named, Parameters, Part, Ranked, Ranker, diversify};
use jibu_answer::spelling::{self, Lexicon, Vocabulary};
use jibu_answer::{
    Answer, Budget, Candidate, Grounded, Identifier, LanguageModel, Query, Topic, decide, excerpt,
    sentences,
};
use jibu_inference::{Models, read_artefact};
use jibu_store::{
    ContentReader, EditionState, FieldWeights, MAX_TRIGRAMS, ModelHash, Outline, Scope, Snapshot,
    StoreError,
};
use jibu_types::{Embedding, IndexVersion, Language, Passage, PassageId, Reading, Span};

use crate::config::Config;

/// The models and the ranking, shared by all threads.
#[derive(Debug)]
pub struct Engine {
    models: Models,
    languages: Arc<LanguageModel>,
    lexicon: Lexicon,
    glossary: Glossary,
    ranker: Ranker,
}

/// The name of the ranking's parameters in the models' manifest.
const RANKING: &str = "ranking.parameters";
/// The name of what identifies languages.
const LANGUAGES: &str = "language.model";
/// The name of the words that are spelt as they should be.
const LEXICON: &str = "spelling.lexicon";
/// The name of the English words for words of other languages.
const GLOSSARY: &str = "gloss.glossary";

impl Engine {
    /// Opens the models folder; every artefact must have the hash of its manifest.
    ///
    /// # Errors
    /// When something is missing, altered or cannot be used.
    pub fn open(folder: &std::path::Path) -> anyhow::Result<Engine> {
        let models = Models::open(folder)?;
        let parameters = read_artefact(folder, RANKING)?;
        let parameters: Parameters = serde_json::from_slice(&parameters)
            .context("the ranking parameters cannot be read: make them again with their recipe")?;
        let languages = LanguageModel::read(&read_artefact(folder, LANGUAGES)?)
            .context("the language model cannot be read: make it again with its recipe")?;
        let lexicon = Lexicon::read(&read_artefact(folder, LEXICON)?)
            .context("the lexicon cannot be read: make it again with its recipe")?;
        let glossary = Glossary::read(&read_artefact(folder, GLOSSARY)?)
            .context("the glossary cannot be read: make it again with its recipe")?;
        let ranker = Ranker::new(parameters)?;
        Ok(Engine { models, languages: Arc::new(languages), lexicon, glossary, ranker })
    }

    /// What identifies the language of a text.
    pub fn identifier(&self) -> Identifier {
        Arc::clone(&self.languages).into()
    }

    /// A question as the pipeline takes it: in the language that it shows, or the
    /// one that its asker chose.
    pub fn query(&self, text: &str, chosen: Option<Language>, config: &Config) -> Query {
        let identified = self.languages.identify(text, &config.languages);
        let default = config.default_language();
        Query::analyse(text, jibu_answer::settle(chosen, identified, None, default))
    }

    /// The language of a question for the glossary, which has more than a site answers in.
    fn tongue(&self, query: &Query) -> Language {
        let all: Vec<Language> = self.glossary.languages().chain([Language::EN]).collect();
        let identified = self.languages.identify(&query.text, &all);
        jibu_answer::settle(None, identified, None, query.language)
    }

    /// The models.
    pub fn models(&self) -> &Models {
        &self.models
    }

    /// What judges passages.
    pub fn ranker(&self) -> &Ranker {
        &self.ranker
    }
}

/// A passage that was found for a question.
#[derive(Debug, Clone)]
pub struct Retrieved {
    /// Its row.
    pub id: PassageId,
    /// The passage.
    pub passage: Passage,
    /// The version of its collection.
    pub index_version: IndexVersion,
    /// The fused score; only its order means something.
    pub score: f64,
    /// How likely it answers the question, 0 to 1, calibrated.
    pub probability: f64,
    /// Which half of the answer it can be; none where the answer has no halves.
    pub part: Option<Part>,
    /// The words in it that answer, if it was read.
    pub span: Option<Span>,
}

/// Milliseconds by step.
pub type Timings = BTreeMap<String, f64>;

/// What was found for a question.
#[derive(Debug, Default)]
pub struct Found {
    /// The passages, best first.
    pub candidates: Vec<Retrieved>,
    /// The question's embedding; none where it could not be embedded.
    embedding: Option<Embedding>,
    /// How long it took.
    pub timings: Timings,
}

/// Which searches take part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Words and trigrams.
    Lexical,
    /// Embeddings.
    Dense,
    /// All of them.
    Hybrid,
    /// All of them, and the reader looks at the first few.
    #[default]
    Full,
}

/// The index as one thread asks it.
#[derive(Debug)]
pub struct Library {
    engine: Arc<Engine>,
    reader: ContentReader,
    threads: usize,
}

impl Library {
    /// Opens the configured index.
    ///
    /// # Errors
    /// When there is none yet, or it cannot be read.
    pub fn open(config: &Config, engine: Arc<Engine>) -> anyhow::Result<Library> {
        let reader = ContentReader::open(config.content_db())
            .context("the index cannot be opened (bring one with jibud index import)")?;
        Ok(Library::new(engine, reader))
    }

    /// A library over an index that is open.
    pub fn new(engine: Arc<Engine>, reader: ContentReader) -> Library {
        let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
        Library { engine, reader, threads }
    }

    /// Passages are read on so many threads; on as many as there are cores
    /// unless this says otherwise.
    #[must_use]
    pub fn reading_on(self, threads: NonZero<usize>) -> Library {
        Library { threads: threads.get(), ..self }
    }

    /// The models that it asks.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The version of each collection that is answered from.
    ///
    /// # Errors
    /// When the store refuses.
    pub fn versions(&self) -> anyhow::Result<BTreeMap<String, String>> {
        let editions = self.reader.active_editions()?.into_iter();
        Ok(editions.map(|e| (e.collection.to_string(), e.version.to_string())).collect())
    }

    /// What the index speaks of, in the documents' order.
    ///
    /// # Errors
    /// When the store refuses.
    pub fn outline(&self) -> anyhow::Result<Vec<Outline>> {
        Ok(self.reader.outline()?)
    }

    /// Finds the `most` best passages for a query.
    ///
    /// # Errors
    /// When the store or the embedder refuses.
    pub fn search(
        &mut self,
        query: &Query,
        scope: Scope,
        mode: Mode,
        most: usize,
    ) -> anyhow::Result<Found> {
        Ok(self.look_up(query, scope, mode, most)?.1)
    }

    /// The query in the index's words, and what was found for that.
    fn look_up(
        &mut self,
        query: &Query,
        scope: Scope,
        mode: Mode,
        most: usize,
    ) -> anyhow::Result<(Query, Found)> {
        let engine = Arc::clone(&self.engine);
        let snapshot = self.reader.snapshot()?;
        let begun = Instant::now();
        let index = IndexWords(&snapshot);
        let query = spelling::restore(query, &engine.lexicon, &index)?;
        let query = gloss::in_english(&query, &engine.glossary, engine.tongue(&query), &index)?;
        let query = letters::in_latin(&query, &index)?;
        let wording = begun.elapsed();
        let mut found = find(&engine, &snapshot, &query, scope, mode, self.threads)?;
        found.timings.insert("wording".into(), wording.as_secs_f64() * 1000.0);
        let begun = Instant::now();
        if let Some(named) = Named::of(&query, &listed(&found.candidates)) {
            let rest = named.rest();
            let aside = find(&engine, &snapshot, rest, scope, mode, self.threads)?.candidates;
            found.candidates = beside(&named, found.candidates, aside);
            found.timings.insert("aside".into(), begun.elapsed().as_secs_f64() * 1000.0);
        }
        found.candidates.truncate(most);
        Ok((query, found))
    }

    /// Answers a query.
    ///
    /// # Errors
    /// When the store or the embedder refuses.
    pub fn answer(
        &mut self,
        query: &Query,
        budget: &Budget<'_>,
    ) -> anyhow::Result<(Answer, Found)> {
        let (query, mut found) = self.look_up(query, Scope::Active, Mode::Full, SHOWN)?;
        let begun = Instant::now();
        let candidates: Vec<Candidate<'_>> = found.candidates.iter().map(candidate).collect();
        let decision = decide(&query, &candidates, self.engine.ranker.thresholds());
        let embedding = found.embedding.as_ref();
        let answer = decision.into_answer(&query, &candidates, |candidate| {
            self.ground(&query, embedding, candidate, budget)
        });
        found.timings.insert("excerpt".into(), begun.elapsed().as_secs_f64() * 1000.0);
        Ok((answer, found))
    }

    /// Answers a query from the topic that the asker chose; as
    /// [`Library::answer`] where its passage is not there any more.
    ///
    /// # Errors
    /// When the store or the embedder refuses.
    pub fn open_topic(
        &mut self,
        topic: &Topic,
        query: &Query,
        budget: &Budget<'_>,
    ) -> anyhow::Result<(Answer, Found)> {
        let passage = self.reader.passage(topic.passage)?;
        let Some(passage) = passage.filter(|passage| passage.heading() == topic.heading) else {
            return self.answer(query, budget);
        };
        let (query, mut found) = self.look_up(query, Scope::Active, Mode::Full, SHOWN)?;
        let index_version = self.reader.index_version(&passage.collection)?.unwrap_or_default();
        // A person pointed at it: it is no guess.
        let chosen = Retrieved {
            id: topic.passage,
            passage,
            index_version,
            score: 0.0,
            probability: 1.0,
            part: None,
            span: None,
        };
        let grounded = self.ground(&query, found.embedding.as_ref(), &candidate(&chosen), budget);
        found.candidates.retain(|other| other.id != chosen.id);
        found.candidates.insert(0, chosen);
        Ok((Answer::Found(grounded), found))
    }

    /// Picks the sentences of a passage that answer.
    fn ground(
        &self,
        query: &Query,
        embedding: Option<&Embedding>,
        candidate: &Candidate<'_>,
        budget: &Budget<'_>,
    ) -> Grounded {
        let question = embedding.filter(|_| !candidate.is_settled());
        let cosines = question.and_then(|question| self.sentence_cosines(question, candidate));
        let language = candidate.passage.language;
        excerpt(query, candidate, cosines.as_deref(), &|text| budget.fits(text, language))
    }

    /// How close each sentence of a passage is to the question; none where the
    /// embedder refuses, because words alone will do then.
    fn sentence_cosines(
        &self,
        question: &Embedding,
        candidate: &Candidate<'_>,
    ) -> Option<Vec<f32>> {
        let text = &candidate.passage.text;
        let heading = candidate.passage.heading();
        let embedder = self.engine.models.embedder();
        let ranges = sentences(text);
        if ranges.len() > MOST_SENTENCES {
            return None;
        }
        ranges
            .into_iter()
            .map(|range| {
                let sentence = embedder.passage(&heading, text.get(range)?).ok()?;
                Some(sentence.cosine(question))
            })
            .collect()
    }
}

/// How many passages are looked at for an answer and shown as citations.
const SHOWN: usize = 8;
/// Beyond so many sentences embedding each one takes longer than a person waits.
const MOST_SENTENCES: usize = 16;

/// Whether the vectors that are searched come from the model that runs. After
/// the box got another model they do not, until the bundle is imported again;
/// words still find something then.
fn is_of_this_model(engine: &Engine, snapshot: &Snapshot<'_>) -> anyhow::Result<bool> {
    let running = ModelHash(engine.models.embedder().model_hash());
    let live = |state| matches!(state, EditionState::Active | EditionState::Staged);
    let mut editions = snapshot.editions()?.into_iter().filter(|edition| live(edition.state));
    let stale = editions.find(|edition| edition.model_hash != running);
    if let Some(edition) = &stale {
        tracing::warn!(
            collection = %edition.collection,
            "the index was embedded by another model; bring its bundle again"
        );
    }
    Ok(stale.is_none())
}

fn candidate(found: &Retrieved) -> Candidate<'_> {
    Candidate {
        id: found.id,
        passage: &found.passage,
        index_version: found.index_version,
        probability: found.probability,
        part: found.part,
        span: found.span.as_ref(),
    }
}

/// What a question's words are compared with.
struct IndexWords<'a>(&'a Snapshot<'a>);

impl Vocabulary for IndexWords<'_> {
    type Error = StoreError;

    fn knows(&self, word: &str) -> Result<bool, StoreError> {
        self.0.is_in_some_passage(word)
    }

    fn beginning_with(&self, letter: char) -> Result<Vec<(String, u64)>, StoreError> {
        self.0.terms_beginning_with(letter)
    }

    fn is_used_in(&self, word: &str, language: Language) -> Result<bool, StoreError> {
        self.0.is_used_in(word, language)
    }
}

/// All passages that the searches find for a query, in the ranking's order.
fn find(
    engine: &Engine,
    snapshot: &Snapshot<'_>,
    query: &Query,
    scope: Scope,
    mode: Mode,
    threads: usize,
) -> anyhow::Result<Found> {
    let mut clock = Clock::start();
    let wants_dense = mode != Mode::Lexical && !query.text.is_empty();
    let embedding = match wants_dense && is_of_this_model(engine, snapshot)? {
        true => Some(engine.models.embedder().query(&query.text)?),
        false => None,
    };
    clock.lap("embed");

    let depth = engine.ranker.search().depth;
    let (mut words, mut trigrams) = (Vec::new(), Vec::new());
    if mode != Mode::Dense {
        words = snapshot.search_words_in(scope, FieldWeights::default(), &query.words, depth)?;
        clock.lap("words");
        trigrams = snapshot.search_trigrams_in(
            scope,
            FieldWeights::default(),
            MAX_TRIGRAMS,
            &query.words.join(" "),
            depth,
        )?;
        clock.lap("trigrams");
    }
    let dense = match &embedding {
        Some(embedding) => snapshot.search_dense_in(scope, embedding, depth)?,
        None => Vec::new(),
    };
    clock.lap("dense");

    let ids = Evidence::candidates(&words, &trigrams, &dense);
    let passages = snapshot.passages(&ids)?;
    let evidence = Evidence {
        words: &words,
        trigrams: &trigrams,
        dense: &dense,
        frequencies: &snapshot.document_frequencies(&query.words)?,
        passage_count: snapshot.passage_count()?,
        passages: &passages,
    };
    let mut ranked = engine.ranker.rank(query, &evidence);
    clock.lap("rank");
    let mut spans = HashMap::new();
    if mode == Mode::Full {
        let first = &ranked[..ranked.len().min(engine.ranker.most_read())];
        let readings = read(engine, query, first, &passages, threads);
        for (ranked, reading) in first.iter().zip(&readings) {
            let span = reading.as_ref().and_then(|reading| reading.span.clone());
            spans.extend(span.map(|span| (ranked.passage, span)));
        }
        ranked = engine.ranker.reread(&evidence, ranked, &readings);
        clock.lap("read");
    }
    let candidates = retrieved(snapshot, ranked, passages, spans)?;
    Ok(Found { candidates, embedding, timings: clock.timings })
}

fn listed(found: &[Retrieved]) -> Vec<Listed<'_>> {
    let listed = found.iter().map(|found| Listed {
        id: found.id,
        passage: &found.passage,
        probability: found.probability,
    });
    listed.collect()
}

/// What was found for a question, with what was found for a part of it put
/// between. A score is never above the one before.
fn beside(named: &Named, found: Vec<Retrieved>, aside: Vec<Retrieved>) -> Vec<Retrieved> {
    let places = diversify(named, &listed(&found), &listed(&aside));
    let all = aside.into_iter().chain(found).map(|found| (found.id, found));
    let mut all: HashMap<PassageId, Retrieved> = all.collect();
    let mut above = f64::INFINITY;
    let placed = places.into_iter().filter_map(|place| {
        let found = all.remove(&place.id)?;
        above = above.min(found.score);
        let (part, probability) = (place.part, place.probability);
        Some(Retrieved { part, probability, score: above, ..found })
    });
    placed.collect()
}

/// What the reader says of each of the ranked passages; nothing of one that it
/// cannot read, because the searches alone will do then.
fn read(
    engine: &Engine,
    query: &Query,
    ranked: &[Ranked],
    passages: &[(PassageId, Passage)],
    threads: usize,
) -> Vec<Option<Reading>> {
    let passages: HashMap<PassageId, &Passage> = passages.iter().map(|(id, p)| (*id, p)).collect();
    let reader = engine.models.reader();
    let one = |ranked: &Ranked| {
        let passage = passages.get(&ranked.passage)?;
        let reading = reader.skim(&query.text, &passage.heading(), &passage.text);
        reading.inspect_err(|error| tracing::warn!(%error, "a passage was not read")).ok()
    };
    // Each thread takes every so many-th, which spreads the long ones.
    let threads = threads.clamp(1, ranked.len().max(1));
    let mut readings = vec![None; ranked.len()];
    std::thread::scope(|scope| {
        let one = &one;
        let others: Vec<_> = (1..threads)
            .map(|first| {
                let own = ranked.iter().skip(first).step_by(threads);
                scope.spawn(move || own.map(one).collect::<Vec<_>>())
            })
            .collect();
        let mut keep = |first: usize, found: Vec<Option<Reading>>| {
            let places = readings.iter_mut().skip(first).step_by(threads);
            places.zip(found).for_each(|(place, reading)| *place = reading);
        };
        keep(0, ranked.iter().step_by(threads).map(one).collect());
        for (thread, first) in others.into_iter().zip(1..) {
            // A thread that panicked has read nothing.
            keep(first, thread.join().unwrap_or_default());
        }
    });
    readings
}

/// The ranked passages with their texts and versions.
fn retrieved(
    snapshot: &Snapshot<'_>,
    ranked: Vec<Ranked>,
    passages: Vec<(PassageId, Passage)>,
    mut spans: HashMap<PassageId, Span>,
) -> anyhow::Result<Vec<Retrieved>> {
    let mut versions = HashMap::new();
    for edition in snapshot.editions()? {
        if edition.state == EditionState::Active {
            versions.insert(edition.collection, edition.version);
        }
    }
    let mut passages: HashMap<PassageId, Passage> = passages.into_iter().collect();
    let found = ranked.into_iter().filter_map(|ranked| {
        let passage = passages.remove(&ranked.passage)?;
        let index_version = versions.get(&passage.collection).copied().unwrap_or_default();
        Some(Retrieved {
            id: ranked.passage,
            passage,
            index_version,
            score: ranked.score,
            probability: ranked.probability,
            part: None,
            span: spans.remove(&ranked.passage),
        })
    });
    Ok(found.collect())
}

/// Measures the steps of a search.
struct Clock {
    last: Instant,
    timings: Timings,
}

impl Clock {
    fn start() -> Clock {
        Clock { last: Instant::now(), timings: Timings::new() }
    }

    fn lap(&mut self, step: &str) {
        let now = Instant::now();
        self.timings.insert(step.to_owned(), (now - self.last).as_secs_f64() * 1000.0);
        self.last = now;
    }
}
