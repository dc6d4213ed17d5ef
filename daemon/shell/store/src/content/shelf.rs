//! What the sync protocol has fetched of a collection and not yet let go.

use std::collections::{BTreeMap, BTreeSet};

use jibu_sync::site::Save;
use jibu_sync::{Hash, Shelf, ShortHash};
use jibu_types::CollectionName;
use rusqlite::{OptionalExtension, params};

use super::{ContentReader, ContentStore, EditionState};
use crate::StoreError;
use crate::error::Doing;

/// A collection's objects, by name.
#[derive(Debug)]
pub struct Objects<'s> {
    reader: &'s ContentReader,
    collection: &'s CollectionName,
}

/// What is on the shelf, the objects' bytes left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fetched {
    /// The objects' names.
    pub objects: BTreeSet<Hash>,
    /// Items that wait for what they are packed on.
    pub parked: BTreeMap<ShortHash, Vec<u8>>,
    /// Bytes that the present update has cost.
    pub spent: u64,
}

impl Shelf for Objects<'_> {
    fn object(&self, name: &Hash) -> Option<Vec<u8>> {
        // One that cannot be read is as good as lost: it is fetched again.
        self.reader
            .connection
            .prepare_cached("SELECT raw FROM object WHERE collection = ?1 AND name = ?2")
            .and_then(|mut s| {
                s.query_row(params![self.collection.as_str(), name.as_bytes()], |row| row.get(0))
                    .optional()
            })
            .ok()
            .flatten()
    }
}

impl ContentStore {
    /// Keeps what the sync protocol wants kept of what it fetched; saves of other
    /// things are `state.db`'s and leave this file as it is.
    ///
    /// # Errors
    /// When SQLite refuses, for want of room among other things; then nothing of
    /// it is kept.
    pub fn keep(&mut self, collection: &CollectionName, save: &Save) -> Result<(), StoreError> {
        const DOING: &str = "keep what was fetched";
        self.in_transaction(DOING, |transaction| {
            let key = collection.as_str();
            let spend = |spent: u64| {
                transaction
                    .prepare_cached(
                        "INSERT INTO spent (collection, bytes) VALUES (?1, ?2)
                         ON CONFLICT (collection) DO UPDATE SET bytes = ?2",
                    )?
                    .execute(params![key, spent.cast_signed()])
            };
            let unpark = |name: ShortHash| {
                transaction
                    .prepare_cached("DELETE FROM parked WHERE collection = ?1 AND name = ?2")?
                    .execute(params![key, name.0])
            };
            match save {
                Save::Object { name, raw, spent } => transaction
                    .prepare_cached(
                        "INSERT OR REPLACE INTO object (collection, name, raw)
                             VALUES (?1, ?2, ?3)",
                    )
                    .and_then(|mut s| s.execute(params![key, name.as_bytes(), raw]))
                    .and_then(|_| unpark(name.short()))
                    .and_then(|_| spend(*spent)),
                Save::Parked { name, parcel, spent } => transaction
                    .prepare_cached(
                        "INSERT OR REPLACE INTO parked (collection, name, parcel)
                         VALUES (?1, ?2, ?3)",
                    )
                    .and_then(|mut s| s.execute(params![key, name.0, parcel]))
                    .and_then(|_| spend(*spent)),
                Save::Unparked(name) => unpark(*name),
                Save::Newest(_) => spend(0),
                Save::Floor(_) | Save::Active(_) | Save::Refused(_) | Save::Allowed(_) => Ok(0),
            }
            .map(drop)
            .doing(DOING)
        })
    }

    /// Lets objects go that no version needs any more.
    ///
    /// # Errors
    /// When SQLite refuses; then all are kept.
    pub fn forget(
        &mut self,
        collection: &CollectionName,
        names: &[Hash],
    ) -> Result<(), StoreError> {
        const DOING: &str = "let objects go";
        self.in_transaction(DOING, |transaction| {
            let mut delete = transaction
                .prepare_cached("DELETE FROM object WHERE collection = ?1 AND name = ?2")
                .doing(DOING)?;
            for name in names {
                delete.execute(params![collection.as_str(), name.as_bytes()]).doing(DOING)?;
            }
            Ok(())
        })
    }
}

impl ContentReader {
    /// Where the objects of a collection are read.
    pub fn objects<'s>(&'s self, collection: &'s CollectionName) -> Objects<'s> {
        Objects { reader: self, collection }
    }

    /// What is on the shelf of a collection.
    ///
    /// # Errors
    /// When SQLite refuses.
    pub fn fetched(&self, collection: &CollectionName) -> Result<Fetched, StoreError> {
        const DOING: &str = "look at what was fetched";
        let key = collection.as_str();
        let all = || -> rusqlite::Result<Fetched> {
            let snapshot = self.connection.unchecked_transaction()?;
            let objects = snapshot
                .prepare_cached("SELECT name FROM object WHERE collection = ?1")?
                .query_map([key], |row| row.get(0).map(Hash::from_bytes))?
                .collect::<rusqlite::Result<_>>()?;
            let parked = snapshot
                .prepare_cached("SELECT name, parcel FROM parked WHERE collection = ?1")?
                .query_map([key], |row| Ok((ShortHash(row.get(0)?), row.get(1)?)))?
                .collect::<rusqlite::Result<_>>()?;
            let spent: Option<i64> = snapshot
                .prepare_cached("SELECT bytes FROM spent WHERE collection = ?1")?
                .query_row([key], |row| row.get(0))
                .optional()?;
            Ok(Fetched { objects, parked, spent: spent.unwrap_or(0).cast_unsigned() })
        };
        all().doing(DOING)
    }

    /// The signed root of a collection's edition in this state, where there is
    /// such an edition and it came with one.
    ///
    /// # Errors
    /// When SQLite refuses.
    pub fn root(
        &self,
        collection: &CollectionName,
        state: EditionState,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        self.connection
            .prepare_cached(
                "SELECT root FROM edition WHERE collection = ?1 AND state = ?2
                 ORDER BY id DESC LIMIT 1",
            )
            .and_then(|mut s| {
                s.query_row([collection.as_str(), state.as_sql()], |row| row.get(0)).optional()
            })
            .map(Option::flatten)
            .doing("read a version's root")
    }
}
