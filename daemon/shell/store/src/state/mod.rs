//! `state.db`: what must not be lost.
//!
//! The spool's rows, what was answered, conversations, the audit trail and the
//! floors of the index versions. Whole telephone numbers and PDUs stand in this
//! file, since answers must be sent to them after a power cut; what leaves it
//! for a screen goes through [`MessageView`], which masks them.

mod apply;
mod audit;
mod followed;
mod restore;
mod row;
mod telling;
mod view;

use std::ops::Deref;
use std::path::Path;
use std::time::Duration;

use jibu_spool::{Change, Restored};
use jibu_sync::site::Save;
use jibu_sync::telemetry;
use jibu_types::{CollectionName, IndexVersion, PhoneNumber, Timestamp};
use rusqlite::{Connection, OptionalExtension, Transaction, params};

pub use audit::AuditEntry;
pub use followed::Followed;
pub use telling::Asker;
pub use view::{AnswerView, Counts, MessageFilter, MessageView, PartView};

use crate::StoreError;
use crate::database::{self, Schema};
use crate::error::Doing;

pub(crate) const SCHEMA: Schema = Schema {
    name: "state.db",
    application_id: 0x4A_42_53_31,
    migrations: &[include_str!("001.sql"), include_str!("002.sql"), include_str!("003.sql")],
    // FULL: a save is on the disk before anyone acts on it.
    writer: "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;
             PRAGMA secure_delete = ON; PRAGMA cache_size = -2048;
             PRAGMA journal_size_limit = 4194304;",
    reader: "PRAGMA query_only = ON; PRAGMA cache_size = -1024;",
    remedy: "Stop jibud and move state.db, state.db-wal and state.db-shm together to a safe \
             place: they hold messages that were not answered yet, and `sqlite3 state.db \
             .recover` often gets them back. jibud then starts with an empty file",
};

/// The writer of `state.db`; there is one in a running box.
#[derive(Debug)]
pub struct StateStore {
    reader: StateReader,
}

/// A reader of `state.db`, beside the writer, in the same process or another.
#[derive(Debug)]
pub struct StateReader {
    connection: Connection,
}

impl Deref for StateStore {
    type Target = StateReader;

    fn deref(&self) -> &StateReader {
        &self.reader
    }
}

impl StateStore {
    /// Opens the file, makes it when there is none, checks it and brings an
    /// older one to the newest schema version.
    ///
    /// # Errors
    /// When it cannot be opened, is damaged, is something else's, or was
    /// written by a newer program. It is left as it was.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let connection = SCHEMA.open(path.as_ref())?;
        connection.set_prepared_statement_cache_capacity(64);
        Ok(StateStore { reader: StateReader { connection } })
    }

    /// Makes all the changes of one of the spool's saves, or none of them.
    /// When it returns, they are on the disk.
    ///
    /// `now` is kept as the moment at which the segments were seen.
    ///
    /// # Errors
    /// [`StoreError::SegmentKnown`] when a segment of a new message is kept
    /// already. Its key counts as seen now, so that the next
    /// [`restore`](StateReader::restore) tells the spool about it: start the
    /// spool anew from there. [`StoreError::NoRow`] when a change names a row
    /// that is not there. After an error nothing is kept, unless the file
    /// could not even be asked whether the save is in it; the next try then
    /// gives an error of kind [`GiveUp`](crate::ErrorKind::GiveUp), and
    /// `restore` tells.
    pub fn apply(&mut self, now: Timestamp, changes: &[Change]) -> Result<(), StoreError> {
        self.apply_with(now, changes, None)
    }

    /// As [`apply`](Self::apply), and keeps a setting's name and value with them:
    /// both are kept, or neither.
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub fn apply_with(
        &mut self,
        now: Timestamp,
        changes: &[Change],
        setting: Option<(&str, &str)>,
    ) -> Result<(), StoreError> {
        const DOING: &str = "save the spool's changes";
        let applied = self.in_transaction(DOING, |transaction| {
            changes.iter().try_for_each(|change| apply::change(transaction, now, change))?;
            setting.map_or(Ok(()), |(name, value)| set(transaction, name, value).doing(DOING))
        });
        if let Err(StoreError::SegmentKnown { .. }) = &applied {
            self.in_transaction("mark a segment as seen", |transaction| {
                apply::see_again(transaction, now, changes)
            })?;
        }
        applied
    }

    /// Adds an entry to the audit trail. `details` holds no words of a person's
    /// and no whole number.
    ///
    /// # Errors
    /// When SQLite refuses; then there is no entry.
    pub fn record(
        &mut self,
        at: Timestamp,
        event: &str,
        details: &serde_json::Value,
    ) -> Result<(), StoreError> {
        self.in_transaction("write the audit trail", |transaction| {
            audit::append(transaction, at, event, &details.to_string())
                .doing("write the audit trail")
        })
    }

    /// Raises the lowest index version that is accepted of a collection.
    ///
    /// # Errors
    /// [`StoreError::BelowFloor`] when the version is below the floor. The
    /// floor itself is accepted again.
    pub fn raise_floor(
        &mut self,
        collection: &CollectionName,
        wanted: IndexVersion,
    ) -> Result<(), StoreError> {
        const DOING: &str = "raise the floor of an index";
        self.in_transaction(DOING, |transaction| {
            let floor = floor(transaction, collection).doing(DOING)?.unwrap_or_default();
            if wanted < floor {
                return Err(StoreError::BelowFloor {
                    collection: collection.clone(),
                    floor,
                    wanted,
                });
            }
            transaction
                .prepare_cached(
                    "INSERT INTO floor (collection, epoch, version) VALUES (?1, ?2, ?3)
                     ON CONFLICT (collection) DO UPDATE SET epoch = ?2, version = ?3",
                )
                .and_then(|mut s| {
                    s.execute(params![
                        collection.as_str(),
                        wanted.epoch,
                        row::version_to_sql(wanted.version)
                    ])
                })
                .doing(DOING)?;
            Ok(())
        })
    }

    /// Keeps what the sync protocol wants kept over a power cut at any price;
    /// saves of other things are `content.db`'s and leave this file as it is.
    ///
    /// # Errors
    /// [`StoreError::BelowFloor`]; when SQLite refuses. Then nothing is kept.
    pub fn follow(&mut self, collection: &CollectionName, save: &Save) -> Result<(), StoreError> {
        const DOING: &str = "keep how far a collection is followed";
        match save {
            Save::Floor(version) => self.raise_floor(collection, *version),
            Save::Newest(_) | Save::Refused(_) | Save::Allowed(_) => self
                .in_transaction(DOING, |transaction| {
                    followed::keep(transaction, collection, save).doing(DOING)
                }),
            Save::Object { .. } | Save::Parked { .. } | Save::Unparked(_) | Save::Active(_) => {
                Ok(())
            }
        }
    }

    /// Carries out what the telemetry's queue wants kept or dropped.
    ///
    /// # Errors
    /// When SQLite refuses; then nothing has changed.
    pub fn keep_telemetry(&mut self, output: &telemetry::Output) -> Result<(), StoreError> {
        const DOING: &str = "keep what the hub is to be told";
        self.in_transaction(DOING, |transaction| telling::keep(transaction, output).doing(DOING))
    }

    /// Keeps whom the hub will call by this token.
    ///
    /// # Errors
    /// When SQLite refuses.
    pub fn keep_asker(
        &mut self,
        token: &[u8],
        asker: &Asker,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        const DOING: &str = "keep who wished for a person";
        self.in_transaction(DOING, |transaction| {
            telling::keep_asker(transaction, token, asker, at).doing(DOING)
        })
    }

    /// Keeps a small value under a name.
    ///
    /// # Errors
    /// When SQLite refuses; then the old value stands.
    pub fn set_setting(&mut self, name: &str, value: &str) -> Result<(), StoreError> {
        const DOING: &str = "keep a setting";
        self.in_transaction(DOING, |transaction| set(transaction, name, value).doing(DOING))
    }

    /// Forgets messages that came in before `before` and are done with; gives
    /// their number. Whoever wished for a person before that is forgotten, too.
    /// Conversations stay: one may hold a person's STOP.
    ///
    /// A copy that a modem still holds of a forgotten message would be taken
    /// for a new one, so `before` lies further back than `remember_keys`.
    ///
    /// # Errors
    /// When SQLite refuses; then all is kept.
    pub fn prune(&mut self, before: Timestamp) -> Result<usize, StoreError> {
        const DOING: &str = "forget old messages";
        self.in_transaction(DOING, |transaction| {
            transaction
                .execute("DELETE FROM asker WHERE at < ?1", [before.unix_ms()])
                .doing(DOING)?;
            transaction
                .execute(
                    "DELETE FROM message
                     WHERE received_at < ?1 AND state IN ('answered', 'ignored')
                       AND NOT EXISTS (SELECT 1 FROM segment
                                       WHERE message = message.id AND seen_at >= ?1)
                       AND NOT EXISTS (SELECT 1 FROM part
                                       WHERE message = message.id
                                         AND (state IN ('ready', 'sending') OR at >= ?1))",
                    [before.unix_ms()],
                )
                .doing(DOING)
        })
    }

    /// Moves the write-ahead log into the file, when there is nothing better to
    /// do. Readers are not disturbed.
    ///
    /// # Errors
    /// When SQLite refuses; nothing is lost by that.
    pub fn checkpoint(&self) -> Result<(), StoreError> {
        self.connection
            .query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
            .doing("checkpoint state.db")
    }

    fn in_transaction<T>(
        &mut self,
        doing: &'static str,
        work: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let connection = &mut self.reader.connection;
        let transaction = database::begin(connection).doing(doing)?;
        let value = work(&transaction)?;
        let number: i64 = transaction
            .prepare_cached("UPDATE save_count SET saves = saves + 1 RETURNING saves")
            .and_then(|mut s| s.query_row([], |row| row.get(0)))
            .doing(doing)?;
        let Err(source) = transaction.commit() else { return Ok(value) };
        // COMMIT can be done and report an error all the same (it was interrupted
        // behind the last write). Saying so would have the spool save again.
        let last: rusqlite::Result<i64> = database::settle(connection).and_then(|()| {
            connection.query_row("SELECT saves FROM save_count", [], |row| row.get(0))
        });
        match last {
            Ok(last) if last == number => Ok(value),
            _ => Err(StoreError::Statement { doing, source }),
        }
    }
}

impl StateReader {
    /// Opens the file beside its writer.
    ///
    /// # Errors
    /// When there is no file yet, it is damaged, or of another version than
    /// this program's.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        Ok(StateReader { connection: SCHEMA.open_read_only(path.as_ref())? })
    }

    /// What the spool must know at start. `remember_keys` and `await_reports`
    /// are the spool's own settings of these names.
    ///
    /// # Errors
    /// When SQLite refuses, or a row cannot be read.
    pub fn restore(
        &self,
        now: Timestamp,
        remember_keys: Duration,
        await_reports: Duration,
    ) -> Result<Restored, StoreError> {
        let snapshot = self.snapshot("read the spool")?;
        restore::restore(&snapshot, now, remember_keys, await_reports)
    }

    /// The PDUs of messages that came by a modem since a moment, and of whose
    /// answer no part has been sent or given up: the network behind the modem may
    /// not know yet that they are kept.
    ///
    /// # Errors
    /// When SQLite refuses.
    pub fn unanswered_pdus(
        &self,
        modem: &str,
        since: Timestamp,
    ) -> Result<Vec<Vec<u8>>, StoreError> {
        const DOING: &str = "read unanswered messages";
        let snapshot = self.snapshot(DOING)?;
        let mut query = snapshot
            .prepare(
                "SELECT segment.pdu FROM message JOIN segment ON segment.message = message.id
                 WHERE message.received_at >= ?2 AND message.modem = ?1
                   AND message.state IN ('gathering', 'received', 'answered')
                   AND NOT EXISTS (SELECT 1 FROM part WHERE part.message = message.id
                                   AND part.state IN ('sent', 'delivered', 'failed'))
                 ORDER BY segment.id",
            )
            .doing(DOING)?;
        let pdus = query.query_map(params![modem, since.unix_ms()], |row| row.get(0));
        pdus.and_then(Iterator::collect).doing(DOING)
    }

    /// The state of the conversation with a person, as the spool kept it.
    ///
    /// # Errors
    /// When SQLite refuses.
    pub fn conversation(&self, number: &PhoneNumber) -> Result<Option<String>, StoreError> {
        const DOING: &str = "read a conversation";
        self.snapshot(DOING)?
            .prepare_cached("SELECT state FROM conversation WHERE number = ?1")
            .and_then(|mut s| s.query_row([number.reveal()], |row| row.get(0)).optional())
            .doing(DOING)
    }

    /// Messages for a person's eyes: numbers masked, nobody's words.
    ///
    /// # Errors
    /// When SQLite refuses, or a row cannot be read.
    pub fn messages(&self, filter: MessageFilter) -> Result<Vec<MessageView>, StoreError> {
        let snapshot = self.snapshot("read the messages")?;
        view::messages(&snapshot, filter)
    }

    /// How many messages, parts and audit entries there are of each kind.
    ///
    /// # Errors
    /// When SQLite refuses.
    pub fn counts(&self) -> Result<Counts, StoreError> {
        const DOING: &str = "count messages";
        view::counts(&*self.snapshot(DOING)?).doing(DOING)
    }

    /// The newest entries of the audit trail, newest first.
    ///
    /// # Errors
    /// When SQLite refuses, or an entry is not JSON.
    pub fn audit(&self, newest: usize) -> Result<Vec<AuditEntry>, StoreError> {
        audit::newest(&*self.snapshot("read the audit trail")?, newest)
    }

    /// Follows the audit trail's chain from its first entry to its last, and
    /// gives the number of entries.
    ///
    /// # Errors
    /// [`StoreError::AuditBroken`] at the first entry that was changed, added
    /// or removed from outside. Entries cut off at the end leave no trace here.
    pub fn verify_audit(&self) -> Result<u64, StoreError> {
        audit::verify(&*self.snapshot("read the audit trail")?)
    }

    /// The lowest index version that is accepted of a collection, where one was
    /// ever accepted.
    ///
    /// # Errors
    /// When SQLite refuses.
    pub fn floor(&self, collection: &CollectionName) -> Result<Option<IndexVersion>, StoreError> {
        const DOING: &str = "read the floor of an index";
        floor(&*self.snapshot(DOING)?, collection).doing(DOING)
    }

    /// How far a collection is followed.
    ///
    /// # Errors
    /// When SQLite refuses.
    pub fn followed(&self, collection: &CollectionName) -> Result<Followed, StoreError> {
        const DOING: &str = "read how far a collection is followed";
        followed::read(&*self.snapshot(DOING)?, collection).doing(DOING)
    }

    /// What the hub is to be told and has not acknowledged.
    ///
    /// # Errors
    /// When SQLite refuses.
    pub fn telemetry(&self) -> Result<telemetry::Saved, StoreError> {
        const DOING: &str = "read what the hub is to be told";
        telling::read(&*self.snapshot(DOING)?).doing(DOING)
    }

    /// Whom the hub calls by this token.
    ///
    /// # Errors
    /// When SQLite refuses.
    pub fn asker(&self, token: &[u8]) -> Result<Option<Asker>, StoreError> {
        const DOING: &str = "look up who wished for a person";
        telling::asker(&*self.snapshot(DOING)?, token).doing(DOING)
    }

    /// The value kept under a name.
    ///
    /// # Errors
    /// When SQLite refuses.
    pub fn setting(&self, name: &str) -> Result<Option<String>, StoreError> {
        const DOING: &str = "read a setting";
        self.snapshot(DOING)?
            .prepare_cached("SELECT value FROM setting WHERE name = ?1")
            .and_then(|mut s| s.query_row([name], |row| row.get(0)).optional())
            .doing(DOING)
    }

    /// The first thing that SQLite's own check finds wrong with the file.
    ///
    /// # Errors
    /// When the check itself cannot run.
    pub fn quick_check(&self) -> Result<Option<String>, StoreError> {
        const DOING: &str = "check state.db";
        database::quick_check(&*self.snapshot(DOING)?).doing(DOING)
    }

    /// One state of the file for all the questions that are put to it.
    fn snapshot(&self, doing: &'static str) -> Result<Transaction<'_>, StoreError> {
        database::settle(&self.connection).doing(doing)?;
        self.connection.unchecked_transaction().doing(doing)
    }
}

fn set(connection: &Connection, name: &str, value: &str) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO setting (name, value) VALUES (?1, ?2)
             ON CONFLICT (name) DO UPDATE SET value = ?2",
        )?
        .execute(params![name, value])
        .map(drop)
}

fn floor(
    connection: &Connection,
    collection: &CollectionName,
) -> rusqlite::Result<Option<IndexVersion>> {
    connection
        .prepare_cached("SELECT epoch, version FROM floor WHERE collection = ?1")?
        .query_row([collection.as_str()], |row| {
            Ok(IndexVersion { epoch: row.get(0)?, version: row::version_from_sql(row.get(1)?) })
        })
        .optional()
}

#[cfg(test)]
mod faults;
#[cfg(test)]
mod tests;
