use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jibu_sync::command::MAX_REPLY_BYTES;
use jibu_sync::wire::SiteName;
use jibu_sync::{
    Body, Content, Document, GoldenQuery, HubKey, KeyError, PublicKey, RootError, SnapshotError,
};
use jibu_types::{CollectionName, Date, IndexVersion, Language};
use serde::Serialize;

use crate::authority::AuthorityError;
use crate::key;
use crate::settings::{Settings, SettingsError};
use crate::state::{Database, DatabaseError, Row, values};

/// The hub: its key, its settings, and the database of its collections.
#[derive(Debug)]
pub struct Hub {
    pub(crate) database: Box<dyn Database>,
    pub(crate) currency: Option<String>,
    /// How long a site's certificate is good.
    pub(crate) certificate: Duration,
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
        "the hub in {} has lost its database: restore it from its backup (hub.db, or the one of \
         [state] postgres in hub.toml), or begin anew with `jibu-hub init --epoch N`, where N is \
         higher than any epoch that sites have seen (`jibud index list` shows it)",
        .0.display()
    )]
    LostDatabase(PathBuf),
    /// An epoch was named for a hub that has one.
    #[error("this hub exists already, with epoch {0}: leave --epoch out")]
    EpochIsSet(u32),
    /// `hub.toml` says something that cannot be.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The database failed.
    #[error("the hub's state failed while {doing}")]
    Database {
        /// What was being done.
        doing: &'static str,
        /// Why it failed.
        source: DatabaseError,
    },
    /// A row that this program did not write.
    #[error("the hub's database holds a row that cannot be read ({0}): restore it from its backup")]
    DamagedRow(&'static str),
    /// No such version, or one that is no longer kept.
    #[error("version {version} of \"{collection}\" is not kept: choose one of {kept}")]
    NoVersion {
        /// The collection.
        collection: CollectionName,
        /// The version that was named.
        version: IndexVersion,
        /// Those that are kept.
        kept: String,
    },
    /// Two published at once.
    #[error(
        "somebody else has published version {found} of \"{collection}\" meanwhile, and nothing \
         was published here: look at it with `jibu-hub list`, and publish again"
    )]
    OtherPublisher {
        /// The collection.
        collection: CollectionName,
        /// The version that is there now.
        found: IndexVersion,
    },
    /// Sites have had higher versions than this hub's.
    #[error(
        "the site {site} has had version {seen} of \"{collection}\" and this hub's newest is \
         {newest}: this hub was restored from an old backup, or another hub has its key. Sites \
         take nothing from it until it publishes above that: `jibu-hub publish {collection} \
         --above {seen}`"
    )]
    Behind {
        /// The collection.
        collection: CollectionName,
        /// Who said so.
        site: String,
        /// What it has had.
        seen: IndexVersion,
        /// What this hub has.
        newest: String,
    },
    /// No such collection.
    #[error("there is no collection \"{name}\" here ({known}): ingest documents into it first")]
    NoCollection {
        /// The name that was given.
        name: CollectionName,
        /// Those that there are.
        known: String,
    },
    /// No such site.
    #[error("there is no site \"{0}\": `jibu-hub site list` shows those that there are")]
    NoSite(SiteName),
    /// A site of this name is there.
    #[error(
        "the site \"{0}\" is there already: change it with `jibu-hub site set {0}`, or invite it \
         anew with `jibu-hub site invite {0}`"
    )]
    SiteExists(SiteName),
    /// The hub's own name at the broker.
    #[error("no site can be called \"hub\", which is the hub's own name: choose another")]
    ReservedName,
    /// Several invitations and one file.
    #[error("--out takes one invitation: name one site, or leave --out away")]
    OneFile,
    /// The updates would cost sites more than they may.
    #[error(
        "nothing was published: it would cost {} more than their budget ({}). Raise it with \
         `jibu-hub site set SITE --budget-kb N`, or publish with --over-budget",
        crate::cli::counted(sites.len(), "site"),
        sites.join(", ")
    )]
    OverBudget {
        /// Each with what it would cost.
        sites: Vec<String>,
    },
    /// Something cannot be certified.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// The operating system gives no random numbers.
    #[error("the operating system gives no random numbers ({0}): look at its log")]
    Random(String),
    /// A file cannot be read.
    #[error("{} cannot be read: look at its path and permissions", path.display())]
    Input {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file of a site's that is refused.
    #[error(
        "{} is no request of a site that was invited, or its invitation has run out or was used by \
         another box: invite the site anew with `jibu-hub site invite SITE`",
        .0.display()
    )]
    NoClaim(PathBuf),
    /// No such question.
    #[error("there is no question {0}: `jibu-hub questions --all` shows those that there are")]
    NoQuestion(i64),
    /// An answer that reaches nobody.
    #[error(
        "nobody waits for the answer to question {0}, or it is empty: give words, and --collection \
         to put them where the next who asks finds them"
    )]
    NoUse(i64),
    /// A reply that no message holds.
    #[error("the reply has {bytes} bytes and a message may have {MAX_REPLY_BYTES}: shorten it")]
    LongReply {
        /// Its bytes.
        bytes: usize,
    },
    /// A roll-out has to end before another version is made.
    #[error(
        "a version of \"{0}\" is being rolled out: look at it with `jibu-hub rollout list`, and end \
         it with `jibu-hub rollout stop {0}` or `promote {0}` first"
    )]
    RollingOut(CollectionName),
    /// No roll-out is running.
    #[error("no version of \"{0}\" is being rolled out")]
    NoRollout(CollectionName),
    /// The content cannot be published.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// The root cannot be signed.
    #[error(transparent)]
    Root(#[from] RootError),
    /// The bundle cannot be written.
    #[error("{} cannot be written: look at its folder and free space", path.display())]
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

/// The database's error with what was being done.
pub(crate) fn while_(doing: &'static str) -> impl Fn(DatabaseError) -> HubError {
    move |source| HubError::Database { doing, source }
}

impl Hub {
    /// Opens the hub in `folder`.
    ///
    /// # Errors
    /// When there is none, or it is not whole.
    pub fn open(folder: &Path) -> Result<Hub, HubError> {
        let key_path = folder.join("hub.key");
        let settings = Settings::read(folder)?;
        let doing = while_("being opened");
        match (key_path.exists(), settings.state.is_begun().map_err(&doing)?) {
            (false, false) => return Err(HubError::NoHub(folder.to_owned())),
            (false, true) => return Err(HubError::LostKey(folder.to_owned())),
            (true, false) => return Err(HubError::LostDatabase(folder.to_owned())),
            (true, true) => {}
        }
        let key = key::load(&key_path)?;
        let mut database = settings.state.open().map_err(&doing)?;
        let doing = while_("reading the hub's epoch");
        let rows = database.query("SELECT epoch FROM hub", values![]).map_err(&doing)?;
        let row = rows.first().ok_or(HubError::DamagedRow("hub"))?;
        let epoch = row.get(0).map_err(&doing)?;
        let Settings { currency, certificate, .. } = settings;
        Ok(Hub { epoch, database, currency, certificate, key })
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
    pub fn collections(&mut self) -> Result<Vec<CollectionSummary>, HubError> {
        self.collection_names()?.into_iter().map(|name| self.summary(name)).collect()
    }

    pub(crate) fn collection_names(&mut self) -> Result<Vec<CollectionName>, HubError> {
        let doing = while_("listing collections");
        let sql = "SELECT name FROM collection ORDER BY name";
        let rows = self.database.query(sql, values![]).map_err(&doing)?;
        rows.iter().map(|row| collection(&row.get::<String>(0).map_err(&doing)?)).collect()
    }

    fn summary(&mut self, name: CollectionName) -> Result<CollectionSummary, HubError> {
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
            version: last.as_ref().map(|(last, _)| last.root().version.to_string()),
            issued: last.as_ref().map(|(last, _)| last.root().issued.to_string()),
        })
    }

    /// A collection's content in order of path, and how many passages were left
    /// out because the same words stand before under the same headings.
    pub(crate) fn content(&mut self, name: &CollectionName) -> Result<(Content, usize), HubError> {
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
    pub(crate) fn documents(&mut self, name: &CollectionName) -> Result<Vec<Document>, HubError> {
        let doing = while_("reading a collection");
        let mut documents: Vec<Document> = Vec::new();
        let rows = self
            .database
            .query(
                "SELECT d.path, d.title, d.language, d.source_url, d.date, d.licence, d.reviewed,
                        p.section, p.text
                 FROM document d JOIN passage p ON p.document = d.id
                 WHERE d.collection = ?1 ORDER BY d.path, p.position",
                values![name.as_str()],
            )
            .map_err(&doing)?;
        for row in &rows {
            let (head, body) = document_row(row)?;
            match documents.last_mut() {
                Some(last) if last.path == head.path => last.passages.push(body),
                _ => documents.push(Document { passages: vec![body], ..head }),
            }
        }
        Ok(documents)
    }

    fn golden(&mut self, name: &CollectionName) -> Result<Vec<GoldenQuery>, HubError> {
        let doing = while_("reading golden queries");
        let rows = self
            .database
            .query(
                "SELECT question, language, document FROM golden
                 WHERE collection = ?1 ORDER BY source, position",
                values![name.as_str()],
            )
            .map_err(&doing)?;
        let query = |row: &Row| -> Result<GoldenQuery, HubError> {
            let language: String = row.get(1).map_err(&doing)?;
            Ok(GoldenQuery {
                question: row.get(0).map_err(&doing)?,
                language: Language::parse(&language).map_err(|_| HubError::DamagedRow("golden"))?,
                document: row.get(2).map_err(&doing)?,
            })
        };
        rows.iter().map(query).collect()
    }
}

/// That a collection is not there, and which are.
pub(crate) fn no_collection(name: &CollectionName, names: &[CollectionName]) -> HubError {
    let known: Vec<&str> = names.iter().map(CollectionName::as_str).collect();
    let known = match known.as_slice() {
        [] => "none yet".to_owned(),
        known => format!("there are {}", known.join(", ")),
    };
    HubError::NoCollection { name: name.clone(), known }
}

fn begin(folder: &Path, key: HubKey, epoch: u32) -> Result<(Hub, bool), HubError> {
    let doing = while_("writing the hub's epoch");
    let Settings { state, currency, certificate, .. } = Settings::read(folder)?;
    let mut database = state.open().map_err(&doing)?;
    let mut transaction = database.begin().map_err(&doing)?;
    transaction.execute("INSERT INTO hub (epoch) VALUES (?1)", values![epoch]).map_err(&doing)?;
    transaction.commit().map_err(&doing)?;
    Ok((Hub { database, currency, certificate, key, epoch }, true))
}

pub(crate) fn collection(name: &str) -> Result<CollectionName, HubError> {
    CollectionName::parse(name).map_err(|_| HubError::DamagedRow("collection"))
}

/// A row of document fields and one passage: the document without passages, and
/// the passage.
fn document_row(row: &Row) -> Result<(Document, Body), HubError> {
    let doing = while_("reading a collection");
    let text = |at| row.get::<String>(at).map_err(&doing);
    let optional = |at| row.get::<Option<String>>(at).map_err(&doing);
    let (Ok(language), Ok(date), Ok(section)) = (
        Language::parse(&text(2)?),
        optional(4)?.as_deref().map(Date::parse).transpose(),
        serde_json::from_str(&text(7)?),
    ) else {
        return Err(HubError::DamagedRow("document"));
    };
    let document = Document {
        path: text(0)?,
        title: text(1)?,
        language,
        source_url: optional(3)?,
        date,
        licence: optional(5)?,
        reviewed: optional(6)?,
        passages: Vec::new(),
    };
    Ok((document, Body { section, text: text(8)? }))
}
