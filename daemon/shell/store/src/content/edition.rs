//! Editions: staged, embedded, activated, reverted.

use jibu_types::{CollectionName, Embedding, IndexVersion, Passage, PassageId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{
    ContentReader, ContentStore, Edition, EditionId, EditionInfo, EditionState, GoldenQuery,
    ModelHash, passage,
};
use crate::StoreError;
use crate::database;
use crate::error::Doing;

impl ContentStore {
    /// Lays a new edition beside the active one. Passages that the file has
    /// already, with their embeddings, are shared. Whatever was staged of the
    /// collection before is replaced; the same edition again is found as it
    /// stands, so an import that was cut off goes on where it was.
    ///
    /// # Errors
    /// [`StoreError::OtherCollection`] for a passage that does not belong here;
    /// when SQLite refuses. Then nothing is staged.
    pub fn stage(
        &mut self,
        info: &EditionInfo,
        passages: impl IntoIterator<Item = Passage>,
    ) -> Result<EditionId, StoreError> {
        self.in_transaction("stage an edition", |transaction| {
            let mut ids = Vec::new();
            let mut hashes = Vec::new();
            for passage in passages {
                if passage.collection != info.collection {
                    return Err(StoreError::OtherCollection {
                        wanted: info.collection.clone(),
                        found: passage.collection,
                    });
                }
                let hash = passage::hash(&passage);
                ids.push(
                    keep_passage(transaction, &info.model_hash, &hash, &passage)
                        .doing("stage a passage")?,
                );
                hashes.push(hash);
            }
            hashes.sort_unstable();
            hashes.dedup();
            let digest: [u8; 32] = blake3::hash(hashes.as_flattened()).into();
            place(transaction, info, &digest, &ids).doing("stage an edition")
        })
    }

    /// Up to `limit` passages of an edition that lack an embedding, in the
    /// order of their ids. Empty when the edition is complete.
    ///
    /// # Errors
    /// When SQLite refuses, or a row cannot be read.
    pub fn missing_embeddings(
        &self,
        edition: EditionId,
        limit: usize,
    ) -> Result<Vec<(PassageId, Passage)>, StoreError> {
        const DOING: &str = "look for passages without embeddings";
        let sql = format!(
            "SELECT {} FROM passage AS p JOIN membership AS m ON m.passage = p.id
             WHERE m.edition = ?1 AND p.embedded = 0 ORDER BY p.id LIMIT ?2",
            passage::COLUMNS
        );
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut statement = self.connection.prepare_cached(&sql).doing(DOING)?;
        let mut rows = statement.query(params![edition.0, limit]).doing(DOING)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next().doing(DOING)? {
            found.push(passage::read(row).doing(DOING)??);
        }
        Ok(found)
    }

    /// Keeps embeddings, all of these or none. One for a passage that left the
    /// file meanwhile, or has its embedding already, is left aside.
    ///
    /// # Errors
    /// [`StoreError::Width`] for an embedding of another width; when SQLite refuses.
    pub fn put_embeddings(
        &mut self,
        embeddings: &[(PassageId, Embedding)],
    ) -> Result<(), StoreError> {
        const DOING: &str = "keep embeddings";
        self.in_transaction(DOING, |transaction| {
            for (id, embedding) in embeddings {
                let vector = passage::vector(embedding)?;
                keep_vector(transaction, *id, &vector).doing(DOING)?;
            }
            Ok(())
        })
    }

    /// Makes a staged edition the one that is answered from, in one
    /// transaction: what was active becomes the previous one, and what was
    /// previous leaves the file with all that nobody else needs. An edition
    /// that is active already stays so.
    ///
    /// `running` is the model that questions are embedded with.
    ///
    /// # Errors
    /// [`StoreError::EmbeddingsMissing`], [`StoreError::OtherModel`],
    /// [`StoreError::NotStaged`], [`StoreError::NoEdition`]; when SQLite
    /// refuses. Then what was active still is.
    pub fn activate(
        &mut self,
        now: Timestamp,
        edition: EditionId,
        running: ModelHash,
    ) -> Result<(), StoreError> {
        const DOING: &str = "activate an edition";
        self.in_transaction(DOING, |transaction| {
            let found = edition_by_id(transaction, edition)?;
            let (collection, version) = (found.collection, found.version);
            if found.model_hash != running {
                let edition = found.model_hash;
                return Err(StoreError::OtherModel { collection, version, edition, running });
            }
            match found.state {
                EditionState::Active => return Ok(()),
                EditionState::Staged => {}
                _ => return Err(StoreError::NotStaged { edition, collection }),
            }
            if found.missing > 0 {
                let missing = found.missing;
                return Err(StoreError::EmbeddingsMissing { collection, version, missing });
            }
            flip(transaction, now, edition, &collection).doing(DOING)
        })
    }

    /// Refuses a staged edition and says why; its passages leave the file
    /// unless another edition has them.
    ///
    /// # Errors
    /// [`StoreError::NotStaged`], [`StoreError::NoEdition`]; when SQLite refuses.
    pub fn fail(&mut self, edition: EditionId, why: &str) -> Result<(), StoreError> {
        const DOING: &str = "refuse an edition";
        self.in_transaction(DOING, |transaction| {
            let found = edition_by_id(transaction, edition)?;
            if found.state != EditionState::Staged {
                return Err(StoreError::NotStaged { edition, collection: found.collection });
            }
            (|| {
                transaction.execute(
                    "UPDATE edition SET state = 'failed', failure = ?2 WHERE id = ?1",
                    params![edition.0, why],
                )?;
                transaction.execute("DELETE FROM membership WHERE edition = ?1", [edition.0])?;
                drop_orphans(transaction)
            })()
            .doing(DOING)
        })
    }

    /// Goes back to the version before the active one, which in turn becomes
    /// the previous one; gives the version that is active now.
    ///
    /// # Errors
    /// [`StoreError::NothingToRevert`] when there is no previous version; when
    /// SQLite refuses.
    pub fn revert(
        &mut self,
        now: Timestamp,
        collection: &CollectionName,
    ) -> Result<IndexVersion, StoreError> {
        const DOING: &str = "go back to the version before";
        self.in_transaction(DOING, |transaction| {
            let in_state = |state| -> rusqlite::Result<Option<i64>> {
                transaction
                    .query_row(
                        "SELECT id FROM edition WHERE collection = ?1 AND state = ?2",
                        [collection.as_str(), state],
                        |row| row.get(0),
                    )
                    .optional()
            };
            let active = in_state("active").doing(DOING)?;
            let previous = in_state("previous").doing(DOING)?;
            let Some(previous) = previous else {
                return Err(StoreError::NothingToRevert(collection.clone()));
            };
            (|| {
                // Out of the way first: an index allows one edition in a state.
                transaction
                    .execute("UPDATE edition SET state = 'failed' WHERE id = ?1", [active])?;
                transaction.execute(
                    "UPDATE edition SET state = 'active', activated_at = ?2 WHERE id = ?1",
                    [previous, now.unix_ms()],
                )?;
                transaction.execute("UPDATE edition SET state = 'previous' WHERE id = ?1", [active])
            })()
            .doing(DOING)?;
            Ok(edition_by_id(transaction, EditionId(previous))?.version)
        })
    }

    /// Makes the file small and fast again after versions came and went: merges
    /// the full-text indexes' segments, rewrites the vectors when most of their
    /// space is holes, and moves the write-ahead log into the file. For an idle
    /// moment; readers are not disturbed.
    ///
    /// # Errors
    /// When SQLite refuses; nothing is lost by that.
    pub fn tidy(&mut self) -> Result<(), StoreError> {
        const DOING: &str = "tidy content.db";
        self.in_transaction(DOING, |transaction| {
            transaction
                .execute_batch(
                    "INSERT INTO word (word) VALUES ('optimize');
                     INSERT INTO trigram (trigram) VALUES ('optimize');",
                )
                .and_then(|()| close_holes(transaction))
                .doing(DOING)
        })?;
        self.connection
            .execute_batch("PRAGMA optimize; PRAGMA wal_checkpoint(PASSIVE);")
            .doing(DOING)
    }

    pub(super) fn in_transaction<T>(
        &mut self,
        doing: &'static str,
        work: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        database::in_transaction(&mut self.reader.connection, doing, work)
    }
}

impl ContentReader {
    /// The questions that an edition must be able to answer, in their order.
    ///
    /// # Errors
    /// When SQLite refuses.
    pub fn golden(&self, edition: EditionId) -> Result<Vec<GoldenQuery>, StoreError> {
        self.connection
            .prepare_cached(
                "SELECT question, document FROM golden WHERE edition = ?1 ORDER BY place",
            )
            .and_then(|mut statement| {
                statement
                    .query_map([edition.0], |row| {
                        Ok(GoldenQuery { question: row.get(0)?, document: row.get(1)? })
                    })?
                    .collect()
            })
            .doing("read golden queries")
    }
}

/// Finds or makes the row of a passage, with its full-text entries.
fn keep_passage(
    transaction: &Connection,
    model: &ModelHash,
    hash: &[u8; 32],
    passage: &Passage,
) -> rusqlite::Result<i64> {
    let known = transaction
        .prepare_cached("SELECT id FROM passage WHERE model = ?1 AND hash = ?2")?
        .query_row(params![model.0, hash], |row| row.get(0))
        .optional()?;
    if let Some(id) = known {
        return Ok(id);
    }
    transaction
        .prepare_cached(
            "INSERT INTO passage (model, hash, collection, document, title, section, language,
                                  source_url, date, text)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )?
        .execute(params![
            model.0,
            hash,
            passage.collection.as_str(),
            passage.document,
            passage.title,
            serde_json::Value::from(passage.section.as_slice()).to_string(),
            passage.language.as_str(),
            passage.source_url,
            passage.date.map(|date| date.to_string()),
            passage.text,
        ])?;
    let id = transaction.last_insert_rowid();
    let heading = passage.heading();
    for sql in [
        "INSERT INTO word (rowid, heading, body) VALUES (?1, ?2, ?3)",
        "INSERT INTO trigram (rowid, heading, body) VALUES (?1, ?2, ?3)",
    ] {
        transaction.prepare_cached(sql)?.execute(params![id, heading, passage.text])?;
    }
    Ok(id)
}

/// Finds or makes the row of an edition whose passages are in the file.
fn place(
    transaction: &Connection,
    info: &EditionInfo,
    digest: &[u8; 32],
    passages: &[i64],
) -> rusqlite::Result<EditionId> {
    let (epoch, version) = (info.version.epoch, info.version.version.cast_signed());
    let same = transaction
        .query_row(
            "SELECT id FROM edition
             WHERE collection = ?1 AND epoch = ?2 AND version = ?3 AND model = ?4 AND digest = ?5
               AND state IN ('staged', 'active') ORDER BY state LIMIT 1",
            params![info.collection.as_str(), epoch, version, info.model_hash.0, digest],
            |row| row.get(0),
        )
        .optional()?;
    let edition: i64 = match same {
        Some(edition) => edition,
        None => {
            transaction.execute(
                "UPDATE edition SET state = 'failed' WHERE collection = ?1 AND state = 'staged'",
                [info.collection.as_str()],
            )?;
            transaction.execute(
                "INSERT INTO edition (collection, epoch, version, model, digest, state)
                 VALUES (?1, ?2, ?3, ?4, ?5, 'staged')",
                params![info.collection.as_str(), epoch, version, info.model_hash.0, digest],
            )?;
            let edition = transaction.last_insert_rowid();
            let mut add = transaction.prepare_cached(
                "INSERT OR IGNORE INTO membership (edition, passage) VALUES (?1, ?2)",
            )?;
            for passage in passages {
                add.execute([edition, *passage])?;
            }
            edition
        }
    };
    transaction
        .execute("UPDATE edition SET root = ?2 WHERE id = ?1", params![edition, info.root])?;
    transaction.execute("DELETE FROM golden WHERE edition = ?1", [edition])?;
    for (place, GoldenQuery { question, document }) in (0i64..).zip(&info.golden) {
        transaction
            .prepare_cached(
                "INSERT INTO golden (edition, place, question, document) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![edition, place, question, document])?;
    }
    // An edition that was staged before and is not this one was replaced, not
    // refused: it has no failure.
    transaction.execute(
        "DELETE FROM edition WHERE collection = ?1 AND state = 'failed' AND failure IS NULL",
        [info.collection.as_str()],
    )?;
    drop_orphans(transaction)?;
    transaction.execute_batch(
        "DELETE FROM trigram_count;
         INSERT INTO trigram_count SELECT term, doc FROM trigram_vocabulary;",
    )?;
    Ok(EditionId(edition))
}

fn keep_vector(transaction: &Connection, id: PassageId, vector: &[u8]) -> rusqlite::Result<()> {
    let marked = transaction
        .prepare_cached("UPDATE passage SET embedded = 1 WHERE id = ?1 AND embedded = 0")?
        .execute([id.0])?;
    if marked == 1 {
        transaction
            .prepare_cached("INSERT INTO vector (passage, embedding) VALUES (?1, vec_int8(?2))")?
            .execute(params![id.0, vector])?;
    }
    Ok(())
}

fn flip(
    transaction: &Connection,
    now: Timestamp,
    edition: EditionId,
    collection: &CollectionName,
) -> rusqlite::Result<()> {
    transaction.execute(
        "DELETE FROM edition WHERE collection = ?1 AND state IN ('previous', 'failed')",
        [collection.as_str()],
    )?;
    transaction.execute(
        "UPDATE edition SET state = 'previous' WHERE collection = ?1 AND state = 'active'",
        [collection.as_str()],
    )?;
    transaction.execute(
        "UPDATE edition SET state = 'active', activated_at = ?2 WHERE id = ?1",
        [edition.0, now.unix_ms()],
    )?;
    drop_orphans(transaction)
}

/// Deletes the passages that no edition has, with their index entries.
fn drop_orphans(transaction: &Connection) -> rusqlite::Result<()> {
    let orphans: Vec<i64> = transaction
        .prepare_cached(
            "SELECT id FROM passage AS p
             WHERE NOT EXISTS (SELECT 1 FROM membership WHERE passage = p.id)",
        )?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for sql in [
        "DELETE FROM vector WHERE passage = ?1",
        "DELETE FROM word WHERE rowid = ?1",
        "DELETE FROM trigram WHERE rowid = ?1",
        "DELETE FROM passage WHERE id = ?1",
    ] {
        let mut delete = transaction.prepare_cached(sql)?;
        for orphan in &orphans {
            delete.execute([orphan])?;
        }
    }
    Ok(())
}

/// Writes the vectors anew when at least half of their chunks' places are empty.
/// sqlite-vec 0.1.9 never fills a hole, and frees a chunk only when all of it is
/// empty.
fn close_holes(transaction: &Connection) -> rusqlite::Result<()> {
    let (places, vectors): (i64, i64) = transaction.query_row(
        "SELECT (SELECT total(size) FROM vector_chunks), (SELECT count(*) FROM vector_rowids)",
        [],
        |row| Ok((row.get::<_, f64>(0)? as i64, row.get(1)?)),
    )?;
    if places <= 2 * vectors + CHUNK {
        return Ok(());
    }
    // No ORDER BY at the end: a sorter loses the mark that vec_int8() leaves.
    transaction.execute_batch(
        "CREATE TEMP TABLE kept AS SELECT passage, embedding FROM vector ORDER BY passage;
         DELETE FROM vector;
         INSERT INTO vector (passage, embedding)
             SELECT passage, vec_int8(embedding) FROM kept;
         DROP TABLE kept;",
    )
}

/// How many vectors share a chunk, as the schema says.
const CHUNK: i64 = 128;

const EDITIONS: &str = "SELECT e.id, e.collection, e.epoch, e.version, e.model, e.state,
    e.activated_at, e.failure,
    (SELECT count(*) FROM membership WHERE edition = e.id),
    (SELECT count(*) FROM passage AS p JOIN membership AS m ON m.passage = p.id
     WHERE m.edition = e.id AND p.embedded = 0)
    FROM edition AS e";

pub(super) fn editions(connection: &Connection) -> Result<Vec<Edition>, StoreError> {
    const DOING: &str = "list editions";
    let mut statement = connection
        .prepare_cached(&format!("{EDITIONS} ORDER BY e.collection, e.id"))
        .doing(DOING)?;
    let mut rows = statement.query([]).doing(DOING)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().doing(DOING)? {
        found.push(edition(row).doing(DOING)??);
    }
    Ok(found)
}

fn edition_by_id(connection: &Connection, id: EditionId) -> Result<Edition, StoreError> {
    connection
        .prepare_cached(&format!("{EDITIONS} WHERE e.id = ?1"))
        .and_then(|mut statement| statement.query_row([id.0], edition).optional())
        .doing("look up an edition")?
        .ok_or(StoreError::NoEdition(id))?
}

fn edition(row: &Row<'_>) -> rusqlite::Result<Result<Edition, StoreError>> {
    let id: i64 = row.get(0)?;
    let (collection, state): (String, String) = (row.get(1)?, row.get(5)?);
    let version =
        IndexVersion { epoch: row.get(2)?, version: row.get::<_, i64>(3)?.cast_unsigned() };
    let (model_hash, activated_at) = (ModelHash(row.get(4)?), row.get::<_, Option<i64>>(6)?);
    let (failure, passages, missing) = (row.get(7)?, row.get(8)?, row.get(9)?);
    Ok((|| {
        Ok(Edition {
            id: EditionId(id),
            collection: CollectionName::parse(&collection).map_err(|error| error.to_string())?,
            version,
            model_hash,
            state: EditionState::from_sql(&state)
                .ok_or_else(|| format!("the state is \"{state}\""))?,
            activated_at: activated_at.map(Timestamp::from_unix_ms),
            failure,
            passages,
            missing,
        })
    })()
    .map_err(|found| StoreError::Row { table: "edition", row: id, found }))
}
