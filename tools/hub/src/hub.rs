use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};

use jibu_sync::{
    Body, Content, Document, GoldenQuery, HubKey, KeyError, PublicKey, RootError, SignedRoot,
    SnapshotError,
};
use jibu_types::{CollectionName, Date, IndexVersion, Language};
use rusqlite::{Connection, OptionalExtension as _, Row};
use serde::Serialize;

use crate::{key, schema};

/// The hub's folder: its key, and the database of its collections.
#[derive(Debug)]
pub struct Hub {
    pub(crate) connection: Connection,
    pub(crate) key: HubKey,
    pub(crate) epoch: u32,
}

/// What the hub could not do, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum HubError {
    /// There is no hub in this folder.
    #[error(
        "there is no hub in {}: make one with `jibu-hub init`, or name its folder with --data",
        .0.display()
    )]
    NoHub(PathBuf),
    /// The folder could not be made.
    #[error("the hub's folder {} cannot be made: look at its path and permissions", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The key file could not be read or made.
    #[error("the key file {} cannot be used: look at its owner and permissions", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others may read the key file.
    #[error(
        "others may read the hub's key (mode {mode:03o}): close it with `chmod 600 {}`",
        path.display()
    )]
    OpenKey {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// The key file holds no key.
    #[error(transparent)]
    BadKey(#[from] KeyError),
    /// A database without its key.
    #[error(
        "the hub in {} has lost its key: restore hub.key from its backup (a hub with a new key \
         is a new hub to every site)",
        .0.display()
    )]
    LostKey(PathBuf),
    /// A key without its database.
    #[error(
        "the hub in {} has lost its database: restore hub.db from its backup, or begin anew with \
         `jibu-hub init --epoch N`, where N is higher than any epoch that sites have seen \
         (`jibud index list` shows it)",
        .0.display()
    )]
    LostDatabase(PathBuf),
    /// An epoch was named for a hub that has one.
    #[error("this hub exists already, with epoch {0}: leave --epoch out")]
    EpochIsSet(u32),
    /// A later program's database.
    #[error("hub.db was made by a later jibu-hub: update this one")]
    LaterSchema,
    /// SQLite failed.
    #[error(
        "hub.db failed while {doing}: look at the disk's free space and the file's permissions"
    )]
    Database {
        /// What was being done.
        doing: &'static str,
        /// Why it failed.
        source: rusqlite::Error,
    },
    /// A row that this program did not write.
    #[error("hub.db holds a row that cannot be read ({0}): restore it from its backup")]
    DamagedRow(&'static str),
    /// No such collection.
    #[error("there is no collection \"{name}\" here ({known}): ingest documents into it first")]
    NoCollection {
        /// The name that was given.
        name: CollectionName,
        /// Those that there are.
        known: String,
    },
    /// The content cannot be published.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// The root cannot be signed.
    #[error(transparent)]
    Root(#[from] RootError),
    /// The bundle cannot be written.
    #[error("the bundle cannot be written to {}: look at its folder and free space", path.display())]
    Output {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// A collection in a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CollectionSummary {
    /// Its name.
    pub collection: CollectionName,
    /// How many documents it has.
    pub documents: usize,
    /// How many passages those have, without what stands twice.
    pub passages: usize,
    /// How many golden queries it has.
    pub golden: usize,
    /// The languages of its documents.
    pub languages: Vec<Language>,
    /// The version that was bundled last, `epoch.version`.
    pub version: Option<String>,
    /// When that was.
    pub issued: Option<String>,
}

/// SQLite's error with what was being done.
pub(crate) fn while_(doing: &'static str) -> impl Fn(rusqlite::Error) -> HubError {
    move |source| HubError::Database { doing, source }
}

impl Hub {
    /// Opens the hub in `folder`.
    ///
    /// # Errors
    /// When there is none, or it is not whole.
    pub fn open(folder: &Path) -> Result<Hub, HubError> {
        let (key_path, database) = (folder.join("hub.key"), folder.join("hub.db"));
        match (key_path.exists(), database.exists()) {
            (false, false) => return Err(HubError::NoHub(folder.to_owned())),
            (false, true) => return Err(HubError::LostKey(folder.to_owned())),
            (true, false) => return Err(HubError::LostDatabase(folder.to_owned())),
            (true, true) => {}
        }
        let key = key::load(&key_path)?;
        let connection = connect(&database)?;
        let epoch = connection
            .query_row("SELECT epoch FROM hub", [], |row| row.get(0))
            .map_err(while_("reading the hub's epoch"))?;
        Ok(Hub { connection, key, epoch })
    }

    /// Opens the hub in `folder` or makes one there; says whether it is new.
    /// `epoch` is for a hub that goes on with its old key and no database.
    ///
    /// # Errors
    /// When the hub is not whole, or cannot be made.
    pub fn init(folder: &Path, epoch: Option<u32>) -> Result<(Hub, bool), HubError> {
        match (Hub::open(folder), epoch) {
            (Ok(hub), None) => Ok((hub, false)),
            (Ok(hub), Some(_)) => Err(HubError::EpochIsSet(hub.epoch)),
            (Err(HubError::NoHub(_)), epoch) => {
                key::create_folder(folder)
                    .map_err(|source| HubError::Folder { path: folder.to_owned(), source })?;
                let key = key::create(&folder.join("hub.key"))?;
                begin(folder, key, epoch.unwrap_or(1))
            }
            (Err(HubError::LostDatabase(_)), Some(epoch)) => {
                begin(folder, key::load(&folder.join("hub.key"))?, epoch)
            }
            (Err(error), _) => Err(error),
        }
    }

    /// The key that sites need to trust this hub (`hub.public_key`).
    pub fn public_key(&self) -> PublicKey {
        self.key.public()
    }

    /// Every collection, by name.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn collections(&self) -> Result<Vec<CollectionSummary>, HubError> {
        self.collection_names()?.into_iter().map(|name| self.summary(name)).collect()
    }

    pub(crate) fn collection_names(&self) -> Result<Vec<CollectionName>, HubError> {
        let doing = while_("listing collections");
        let mut query =
            self.connection.prepare("SELECT name FROM collection ORDER BY name").map_err(&doing)?;
        let names = query.query_map([], |row| row.get::<_, String>(0)).map_err(&doing)?;
        names
            .map(|name| {
                let name = name.map_err(&doing)?;
                CollectionName::parse(&name).map_err(|_| HubError::DamagedRow("collection"))
            })
            .collect()
    }

    fn summary(&self, name: CollectionName) -> Result<CollectionSummary, HubError> {
        let (content, _) = self.content(&name)?;
        let last = self.last_release(&name)?;
        let mut languages: Vec<Language> = content.documents.iter().map(|d| d.language).collect();
        languages.sort();
        languages.dedup();
        Ok(CollectionSummary {
            collection: name,
            documents: content.documents.len(),
            passages: content.documents.iter().map(|d| d.passages.len()).sum(),
            golden: content.golden.len(),
            languages,
            version: last.as_ref().map(|last| last.root().version.to_string()),
            issued: last.as_ref().map(|last| last.root().issued.to_string()),
        })
    }

    /// A collection's content in order of path, and how many passages were left
    /// out because the same words stand before under the same headings.
    pub(crate) fn content(&self, name: &CollectionName) -> Result<(Content, usize), HubError> {
        let mut documents = self.documents(name)?;
        let mut seen = HashSet::new();
        let mut repeated = 0;
        for document in &mut documents {
            let Document { language, title, passages, .. } = document;
            passages.retain(|body| {
                let is_new = seen.insert((*language, title.clone(), body.clone()));
                repeated += usize::from(!is_new);
                is_new
            });
        }
        documents.retain(|document| !document.passages.is_empty());
        let golden = self.golden(name)?;
        Ok((Content { collection: name.clone(), documents, golden }, repeated))
    }

    /// A collection's documents as they are stored, in order of path.
    pub(crate) fn documents(&self, name: &CollectionName) -> Result<Vec<Document>, HubError> {
        let doing = while_("reading a collection");
        let mut documents: Vec<Document> = Vec::new();
        let mut query = self
            .connection
            .prepare(
                "SELECT d.path, d.title, d.language, d.source_url, d.date, d.licence, d.reviewed,
                        p.section, p.text
                 FROM document d JOIN passage p ON p.document = d.id
                 WHERE d.collection = ?1 ORDER BY d.path, p.position",
            )
            .map_err(&doing)?;
        let mut rows = query.query([name.as_str()]).map_err(&doing)?;
        while let Some(row) = rows.next().map_err(&doing)? {
            let (head, body) = document_row(row).map_err(&doing)??;
            match documents.last_mut() {
                Some(last) if last.path == head.path => last.passages.push(body),
                _ => documents.push(Document { passages: vec![body], ..head }),
            }
        }
        Ok(documents)
    }

    fn golden(&self, name: &CollectionName) -> Result<Vec<GoldenQuery>, HubError> {
        let doing = while_("reading golden queries");
        let mut query = self
            .connection
            .prepare(
                "SELECT question, language, document FROM golden
                 WHERE collection = ?1 ORDER BY source, position",
            )
            .map_err(&doing)?;
        let rows = query
            .query_map([name.as_str()], |row| {
                Ok((row.get(0)?, row.get::<_, String>(1)?, row.get(2)?))
            })
            .map_err(&doing)?;
        rows.map(|row| {
            let (question, language, document) = row.map_err(&doing)?;
            let language =
                Language::parse(&language).map_err(|_| HubError::DamagedRow("golden"))?;
            Ok(GoldenQuery { question, language, document })
        })
        .collect()
    }

    /// The root of the collection's last release.
    pub(crate) fn last_release(
        &self,
        name: &CollectionName,
    ) -> Result<Option<SignedRoot>, HubError> {
        let bytes: Option<Vec<u8>> = self
            .connection
            .query_row(
                "SELECT root FROM release WHERE collection = ?1
                 ORDER BY epoch DESC, version DESC LIMIT 1",
                [name.as_str()],
                |row| row.get(0),
            )
            .optional()
            .map_err(while_("reading the last release"))?;
        let root = bytes.map(|bytes| SignedRoot::verify(&bytes, &self.public_key()));
        root.transpose().map_err(|_| HubError::DamagedRow("release"))
    }

    /// The version after the last one.
    pub(crate) fn next_version(&self, last: Option<IndexVersion>) -> IndexVersion {
        match last {
            Some(last) if last.epoch >= self.epoch => {
                IndexVersion { epoch: last.epoch, version: last.version.saturating_add(1) }
            }
            _ => IndexVersion { epoch: self.epoch, version: 1 },
        }
    }
}

fn begin(folder: &Path, key: HubKey, epoch: u32) -> Result<(Hub, bool), HubError> {
    let connection = connect(&folder.join("hub.db"))?;
    connection
        .execute("INSERT INTO hub (epoch) VALUES (?1)", [epoch])
        .map_err(while_("writing the hub's epoch"))?;
    Ok((Hub { connection, key, epoch }, true))
}

fn connect(path: &Path) -> Result<Connection, HubError> {
    let doing = while_("being opened");
    let mut connection = Connection::open(path).map_err(&doing)?;
    connection.busy_timeout(std::time::Duration::from_secs(10)).map_err(&doing)?;
    connection.pragma_update(None, "journal_mode", "WAL").map_err(&doing)?;
    connection.pragma_update(None, "synchronous", "FULL").map_err(&doing)?;
    connection.pragma_update(None, "foreign_keys", "ON").map_err(&doing)?;
    if schema::migrate(&mut connection).map_err(&doing)? {
        Ok(connection)
    } else {
        Err(HubError::LaterSchema)
    }
}

/// A row of document fields and one passage: the document without passages, and
/// the passage.
fn document_row(row: &Row<'_>) -> rusqlite::Result<Result<(Document, Body), HubError>> {
    let language: String = row.get(2)?;
    let date: Option<String> = row.get(4)?;
    let section: String = row.get(7)?;
    let (Ok(language), Ok(date), Ok(section)) = (
        Language::parse(&language),
        date.as_deref().map(Date::parse).transpose(),
        serde_json::from_str(&section),
    ) else {
        return Ok(Err(HubError::DamagedRow("document")));
    };
    let document = Document {
        path: row.get(0)?,
        title: row.get(1)?,
        language,
        source_url: row.get(3)?,
        date,
        licence: row.get(5)?,
        reviewed: row.get(6)?,
        passages: Vec::new(),
    };
    Ok(Ok((document, Body { section, text: row.get(8)? })))
}
