//! Searching: words, character trigrams, vectors.

use std::ops::Deref;

use jibu_types::{CollectionName, Embedding, Hit, IndexVersion, Language, Passage, PassageId};
use rusqlite::{OptionalExtension, ToSql, params};

use super::{ContentReader, Edition, EditionId, EditionState, passage, query};
use crate::StoreError;
use crate::error::Doing;

/// sqlite-vec's own limit of k.
const MAX_NEIGHBOURS: usize = 4096;

/// Which passages a search may give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scope {
    /// Those of all active editions.
    #[default]
    Active,
    /// Those of one edition, such as a staged one that is being tried.
    Edition(EditionId),
}

/// What a match in each field counts for in BM25.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FieldWeights {
    /// [`Passage::heading`].
    pub heading: f64,
    /// [`Passage::text`].
    pub body: f64,
}

impl Default for FieldWeights {
    /// Heading and text count the same.
    fn default() -> Self {
        FieldWeights { heading: 1.0, body: 1.0 }
    }
}

/// What a document speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outline {
    /// Its language.
    pub language: Language,
    /// Its title.
    pub title: String,
    /// The innermost headings over its passages, without the title.
    pub headings: Vec<String>,
}

/// One state of the file: whatever is asked here is answered from it, also when
/// an edition is activated meanwhile.
#[derive(Debug)]
pub struct Snapshot<'a> {
    reader: &'a ContentReader,
}

impl Deref for Snapshot<'_> {
    type Target = ContentReader;

    fn deref(&self) -> &ContentReader {
        self.reader
    }
}

impl Drop for Snapshot<'_> {
    fn drop(&mut self) {
        if let Err(error) = self.reader.connection.execute_batch("ROLLBACK") {
            tracing::warn!(%error, "a snapshot of content.db could not be given back");
        }
    }
}

impl ContentReader {
    /// Holds on to the state that the file has at the first question.
    ///
    /// # Errors
    /// When SQLite refuses.
    pub fn snapshot(&mut self) -> Result<Snapshot<'_>, StoreError> {
        self.connection.execute_batch("BEGIN DEFERRED").doing("read content.db")?;
        Ok(Snapshot { reader: self })
    }

    /// The `k` passages of the active editions with the best BM25 for any of
    /// the terms, best first. A term is folded as the index folds words (case
    /// and diacritics do not matter); one with something else than letters and
    /// digits inside must match as a phrase. Terms that stand in more than half
    /// of the passages are left aside where there are others.
    ///
    /// # Errors
    /// When SQLite refuses.
    pub fn search_words(&self, terms: &[String], k: usize) -> Result<Vec<Hit>, StoreError> {
        self.search_words_in(Scope::Active, FieldWeights::default(), terms, k)
    }

    /// As [`search_words`](Self::search_words), with all choices open.
    ///
    /// # Errors
    /// When SQLite refuses.
    pub fn search_words_in(
        &self,
        scope: Scope,
        weights: FieldWeights,
        terms: &[String],
        k: usize,
    ) -> Result<Vec<Hit>, StoreError> {
        const DOING: &str = "search by words";
        let counted = query::words(terms)
            .into_iter()
            .map(|phrase| self.passages_with(&phrase).map(|count| (phrase, count)))
            .collect::<rusqlite::Result<_>>()
            .doing(DOING)?;
        let all = self.passages_in_file().doing(DOING)?;
        let phrases = query::telling(counted, all, query::MAX_TERMS);
        self.full_text("word", scope, weights, &phrases, k).doing(DOING)
    }

    /// The `k` passages of the active editions with the best BM25 for the
    /// character trigrams of the text's words, best first. Only the rarest
    /// [`MAX_TRIGRAMS`](crate::MAX_TRIGRAMS) are looked up. Finds other forms and
    /// misspellings of words; words shorter than three characters have no
    /// trigrams.
    ///
    /// # Errors
    /// When SQLite refuses.
    pub fn search_trigrams(&self, text: &str, k: usize) -> Result<Vec<Hit>, StoreError> {
        let weights = FieldWeights::default();
        self.search_trigrams_in(Scope::Active, weights, query::MAX_TRIGRAMS, text, k)
    }

    /// As [`search_trigrams`](Self::search_trigrams), with all choices open.
    ///
    /// # Errors
    /// When SQLite refuses.
    pub fn search_trigrams_in(
        &self,
        scope: Scope,
        weights: FieldWeights,
        max_trigrams: usize,
        text: &str,
        k: usize,
    ) -> Result<Vec<Hit>, StoreError> {
        const DOING: &str = "search by trigrams";
        let counted = query::trigrams(text)
            .into_iter()
            .map(|trigram| {
                let count = self.passages_with_trigram(&trigram)?;
                Ok((format!("\"{trigram}\""), count))
            })
            .collect::<rusqlite::Result<_>>()
            .doing(DOING)?;
        let all = self.passages_in_file().doing(DOING)?;
        let phrases = query::telling(counted, all, max_trigrams);
        self.full_text("trigram", scope, weights, &phrases, k).doing(DOING)
    }

    /// The `k` passages of the active editions whose vectors have the highest
    /// cosine with the embedding, best first; at most 4,096.
    ///
    /// # Errors
    /// [`StoreError::Width`] for an embedding of another width; when SQLite refuses.
    pub fn search_dense(&self, embedding: &Embedding, k: usize) -> Result<Vec<Hit>, StoreError> {
        self.search_dense_in(Scope::Active, embedding, k)
    }

    /// As [`search_dense`](Self::search_dense), in any scope.
    ///
    /// # Errors
    /// [`StoreError::Width`] for an embedding of another width; when SQLite refuses.
    pub fn search_dense_in(
        &self,
        scope: Scope,
        embedding: &Embedding,
        k: usize,
    ) -> Result<Vec<Hit>, StoreError> {
        let vector = passage::vector(embedding)?;
        let k = k.min(MAX_NEIGHBOURS);
        let sql = match scope {
            Scope::Active => {
                "SELECT passage, 1.0 - distance FROM vector
                 WHERE embedding MATCH vec_int8(?1) AND k = ?2
                   AND passage IN (SELECT m.passage FROM membership AS m
                                   WHERE m.edition IN
                                       (SELECT id FROM edition WHERE state = 'active'))
                 ORDER BY distance"
            }
            Scope::Edition(_) => {
                "SELECT passage, 1.0 - distance FROM vector
                 WHERE embedding MATCH vec_int8(?1) AND k = ?2
                   AND passage IN (SELECT m.passage FROM membership AS m WHERE m.edition = ?3)
                 ORDER BY distance"
            }
        };
        self.hits(sql, scope, &[&vector, &(k as i64)]).doing("search by vector")
    }

    fn full_text(
        &self,
        table: &'static str,
        scope: Scope,
        weights: FieldWeights,
        phrases: &[String],
        k: usize,
    ) -> rusqlite::Result<Vec<Hit>> {
        let Some(query) = query::any(phrases) else { return Ok(Vec::new()) };
        // The filter is asked for each match in the order of rank until k are
        // found; `+` keeps it from being used to look up matches one by one.
        let filter = match scope {
            Scope::Active => {
                "EXISTS (SELECT 1 FROM membership AS m JOIN edition AS e ON e.id = m.edition
                         WHERE m.passage = +t.rowid AND e.state = 'active')"
            }
            Scope::Edition(_) => {
                "EXISTS (SELECT 1 FROM membership AS m
                         WHERE m.edition = ?4 AND m.passage = +t.rowid)"
            }
        };
        // `rank` is bm25(), which is lower for a better match.
        let sql = format!(
            "SELECT t.rowid, -t.rank FROM {table} AS t
             WHERE t.{table} MATCH ?1 AND t.rank MATCH ?2 AND {filter}
             ORDER BY t.rank LIMIT ?3"
        );
        let rank = format!("bm25({:?}, {:?})", weights.heading, weights.body);
        let k = i64::try_from(k).unwrap_or(i64::MAX);
        self.hits(&sql, scope, &[&query, &rank, &k])
    }

    fn hits(&self, sql: &str, scope: Scope, values: &[&dyn ToSql]) -> rusqlite::Result<Vec<Hit>> {
        let mut values = values.to_vec();
        if let Scope::Edition(edition) = &scope {
            values.push(&edition.0);
        }
        let mut hits: Vec<Hit> = self
            .connection
            .prepare_cached(sql)?
            .query_map(values.as_slice(), |row| {
                Ok(Hit { passage: PassageId(row.get(0)?), score: row.get(1)? })
            })?
            .collect::<rusqlite::Result<_>>()?;
        // Equal scores come in any order; the same question deserves the same answer.
        hits.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.passage.cmp(&b.passage)));
        Ok(hits)
    }

    fn passages_with(&self, phrase: &str) -> rusqlite::Result<u64> {
        self.connection
            .prepare_cached("SELECT count(*) FROM word WHERE word MATCH ?1")?
            .query_row([phrase], |row| row.get(0))
    }

    fn passages_with_trigram(&self, trigram: &str) -> rusqlite::Result<u64> {
        let count = self
            .connection
            .prepare_cached("SELECT passages FROM trigram_count WHERE trigram = ?1")?
            .query_row([trigram], |row| row.get(0))
            .optional()?;
        // The index folds some letters, so only ASCII is certain not to be there.
        Ok(count.unwrap_or(if trigram.is_ascii() { 0 } else { 1 }))
    }

    fn passages_in_file(&self) -> rusqlite::Result<u64> {
        self.connection
            .prepare_cached("SELECT count(*) FROM passage")?
            .query_row([], |row| row.get(0))
    }

    /// For each word, in how many passages of the file it stands.
    ///
    /// # Errors
    /// When SQLite refuses.
    pub fn document_frequencies(&self, words: &[String]) -> Result<Vec<u64>, StoreError> {
        words
            .iter()
            .map(|word| query::phrase(word).map_or(Ok(0), |phrase| self.passages_with(&phrase)))
            .collect::<rusqlite::Result<_>>()
            .doing("count passages by word")
    }

    /// Whether a word stands in some passage of the file.
    ///
    /// # Errors
    /// When SQLite refuses.
    pub fn is_in_some_passage(&self, word: &str) -> Result<bool, StoreError> {
        let Some(phrase) = query::phrase(word) else { return Ok(false) };
        self.connection
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM word WHERE word MATCH ?1)")
            .and_then(|mut s| s.query_row([phrase], |row| row.get(0)))
            .doing("look for a word")
    }

    /// The words of the file's passages that begin with a letter, as the index folds
    /// them, each with the number of passages that it stands in.
    ///
    /// # Errors
    /// When SQLite refuses.
    pub fn terms_beginning_with(&self, letter: char) -> Result<Vec<(String, u64)>, StoreError> {
        const DOING: &str = "list the index's words";
        // U+10FFFF is above every letter in the order of UTF-8.
        let (from, until) = (letter.to_string(), format!("{letter}\u{10FFFF}"));
        let sql = "SELECT term, doc FROM word_vocabulary WHERE term >= ?1 AND term < ?2";
        let mut statement = self.connection.prepare_cached(sql).doing(DOING)?;
        let rows = statement.query_map([from, until], |row| Ok((row.get(0)?, row.get(1)?)));
        rows.and_then(Iterator::collect).doing(DOING)
    }

    /// Whether a word stands in an active passage in a language.
    ///
    /// # Errors
    /// When SQLite refuses.
    pub fn is_used_in(&self, word: &str, language: Language) -> Result<bool, StoreError> {
        let Some(phrase) = query::phrase(word) else { return Ok(false) };
        let sql = "SELECT EXISTS (SELECT 1 FROM word AS t
                   JOIN passage AS p ON p.id = t.rowid
                   JOIN membership AS m ON m.passage = p.id
                   JOIN edition AS e ON e.id = m.edition
                   WHERE t.word MATCH ?1 AND p.language = ?2 AND e.state = 'active')";
        self.connection
            .prepare_cached(sql)
            .and_then(|mut s| s.query_row([phrase.as_str(), language.as_str()], |row| row.get(0)))
            .doing("look for a word's language")
    }

    /// A passage by its id; none when it left the file meanwhile.
    ///
    /// # Errors
    /// When SQLite refuses, or the row cannot be read.
    pub fn passage(&self, id: PassageId) -> Result<Option<Passage>, StoreError> {
        const DOING: &str = "read a passage";
        let sql = format!("SELECT {} FROM passage AS p WHERE p.id = ?1", passage::COLUMNS);
        let found = self
            .connection
            .prepare_cached(&sql)
            .and_then(|mut s| s.query_row([id.0], passage::read).optional())
            .doing(DOING)?;
        Ok(found.transpose()?.map(|(_, passage)| passage))
    }

    /// The passages of these ids, in this order; those that left the file
    /// meanwhile are not among them.
    ///
    /// # Errors
    /// When SQLite refuses, or a row cannot be read.
    pub fn passages(&self, ids: &[PassageId]) -> Result<Vec<(PassageId, Passage)>, StoreError> {
        ids.iter()
            .filter_map(|id| match self.passage(*id) {
                Ok(found) => found.map(|passage| Ok((*id, passage))),
                Err(error) => Some(Err(error)),
            })
            .collect()
    }

    /// All editions, by collection and then by age.
    ///
    /// # Errors
    /// When SQLite refuses, or a row cannot be read.
    pub fn editions(&self) -> Result<Vec<Edition>, StoreError> {
        super::edition::editions(&self.connection)
    }

    /// The editions that are answered from.
    ///
    /// # Errors
    /// When SQLite refuses, or a row cannot be read.
    pub fn active_editions(&self) -> Result<Vec<Edition>, StoreError> {
        let mut editions = self.editions()?;
        editions.retain(|edition| edition.state == EditionState::Active);
        Ok(editions)
    }

    /// The active version of a collection.
    ///
    /// # Errors
    /// When SQLite refuses.
    pub fn index_version(
        &self,
        collection: &CollectionName,
    ) -> Result<Option<IndexVersion>, StoreError> {
        self.connection
            .prepare_cached(
                "SELECT epoch, version FROM edition WHERE collection = ?1 AND state = 'active'",
            )
            .and_then(|mut s| {
                s.query_row([collection.as_str()], |row| {
                    Ok(IndexVersion {
                        epoch: row.get(0)?,
                        version: row.get::<_, i64>(1)?.cast_unsigned(),
                    })
                })
                .optional()
            })
            .doing("read the index version")
    }

    /// How many passages the active editions have.
    ///
    /// # Errors
    /// When SQLite refuses.
    pub fn passage_count(&self) -> Result<u64, StoreError> {
        self.connection
            .prepare_cached(
                "SELECT count(*) FROM membership
                 WHERE edition IN (SELECT id FROM edition WHERE state = 'active')",
            )
            .and_then(|mut s| s.query_row([], |row| row.get(0)))
            .doing("count passages")
    }

    /// What the active editions speak of: each document's title with its headings,
    /// in the documents' order.
    ///
    /// # Errors
    /// When SQLite refuses, or a row cannot be read.
    pub fn outline(&self) -> Result<Vec<Outline>, StoreError> {
        const DOING: &str = "list titles and headings";
        let mut statement = self
            .connection
            .prepare_cached(
                "SELECT p.collection || '/' || p.document, p.language, p.title,
                     json_extract(p.section, '$[#-1]') AS heading, min(p.id) AS first
                 FROM passage AS p
                 JOIN membership AS m ON m.passage = p.id
                 JOIN edition AS e ON e.id = m.edition AND e.state = 'active'
                 GROUP BY p.collection, p.document, p.language, p.title, heading
                 ORDER BY p.collection, p.document, first",
            )
            .doing(DOING)?;
        type Row = (String, String, String, Option<String>, i64);
        let rows: Vec<Row> = statement
            .query_map(params![], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
            })
            .and_then(Iterator::collect)
            .doing(DOING)?;
        let mut outline: Vec<(String, Outline)> = Vec::new();
        for (document, language, title, heading, first) in rows {
            let language = language_of(&language, first)?;
            let known = outline.last().is_some_and(|(last, of)| {
                *last == document && of.title == title && of.language == language
            });
            if !known {
                let headings = Vec::new();
                outline.push((document, Outline { language, title: title.clone(), headings }));
            }
            if let (Some((_, of)), Some(heading)) = (outline.last_mut(), heading)
                && heading != title
            {
                of.headings.push(heading);
            }
        }
        Ok(outline.into_iter().map(|(_, outline)| outline).collect())
    }

    /// The languages of the active editions' passages, the commonest first.
    ///
    /// # Errors
    /// When SQLite refuses, or a row cannot be read.
    pub fn languages(&self) -> Result<Vec<Language>, StoreError> {
        const DOING: &str = "list languages";
        let mut statement = self
            .connection
            .prepare_cached(
                "SELECT p.language, min(p.id) FROM passage AS p
                 JOIN membership AS m ON m.passage = p.id
                 JOIN edition AS e ON e.id = m.edition AND e.state = 'active'
                 GROUP BY p.language ORDER BY count(*) DESC, p.language",
            )
            .doing(DOING)?;
        let found: Vec<(String, i64)> = statement
            .query_map(params![], |row| Ok((row.get(0)?, row.get(1)?)))
            .and_then(Iterator::collect)
            .doing(DOING)?;
        found.into_iter().map(|(language, row)| language_of(&language, row)).collect()
    }
}

fn language_of(text: &str, row: i64) -> Result<Language, StoreError> {
    Language::parse(text).map_err(|error| StoreError::Row {
        table: "passage",
        row,
        found: error.to_string(),
    })
}
