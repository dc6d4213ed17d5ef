use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use jibu_sync::{Hash, Release, SignedRoot, Snapshot, bundle};
use jibu_types::{CollectionName, IndexVersion, Timestamp};
use serde::Serialize;

use crate::hub::{no_collection, while_};
use crate::rollout::{self, Plan};
use crate::sites::raise_changes;
use crate::state::{DatabaseError, Row, Transaction, values};
use crate::{Hub, HubError};

/// Releases that keep their whole file; of older ones the root is kept. The
/// sync protocol serves eight.
const KEPT_BUNDLES: u32 = 10;

/// On which terms a version is made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Terms {
    /// When sites begin to worry about having nothing newer.
    pub expires: Option<Timestamp>,
    /// The content is that of this older version.
    pub roll_back_to: Option<IndexVersion>,
    /// Sites have had this version, which the hub does not know.
    pub above: Option<IndexVersion>,
    /// Not to every site at once.
    pub rollout: Option<Plan>,
}

/// A version that has been made or found and is not recorded yet.
#[derive(Debug)]
pub struct Draft {
    pub(crate) root: SignedRoot,
    /// The bundle.
    pub(crate) bytes: Vec<u8>,
    /// Whether it is not a recorded one.
    pub(crate) is_new: bool,
    /// The version that was the newest when this one was made.
    last: Option<IndexVersion>,
    /// The manifest of the documents, where this version is not theirs.
    instead_of: Option<Hash>,
    /// How it goes to sites, where not to all at once.
    rollout: Option<Plan>,
}

/// What `bundle` wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BundleReport {
    /// The collection.
    pub collection: CollectionName,
    /// The version, `epoch.version`.
    pub version: String,
    /// Whether the content had changed, so that this is a new version.
    pub is_new: bool,
    /// The file.
    pub file: PathBuf,
    /// Its size.
    pub bytes: usize,
    /// Documents in it.
    pub documents: usize,
    /// Passages in it.
    pub passages: u64,
    /// Golden queries in it.
    pub golden: usize,
    /// The key that it is signed with, for `hub.public_key`.
    pub public_key: String,
}

impl Draft {
    /// The version.
    pub fn version(&self) -> IndexVersion {
        self.root.root().version
    }
}

impl Hub {
    /// Writes the collection's newest version as a bundle to `file`. A new
    /// version is made where the documents have changed since the last one.
    ///
    /// # Errors
    /// When there is no such collection, its content cannot be published, or
    /// the file cannot be written.
    pub fn bundle(
        &mut self,
        collection: &CollectionName,
        file: &Path,
        now: Timestamp,
    ) -> Result<BundleReport, HubError> {
        let draft = self.draft(collection, &Terms::default(), now)?;
        self.record(&draft)?;
        replace(file, &draft.bytes, false)
            .map_err(|source| HubError::Output { path: file.to_owned(), source })?;
        let held = bundle::read(&draft.bytes, &self.public_key())
            .map_err(|_| HubError::DamagedRow("release"))?;
        let mut documents: Vec<String> = held.documents().map(|document| document.path).collect();
        documents.dedup();
        Ok(BundleReport {
            collection: collection.clone(),
            version: draft.root.root().version.to_string(),
            is_new: draft.is_new,
            file: file.to_owned(),
            bytes: draft.bytes.len(),
            documents: documents.len(),
            passages: draft.root.root().passages,
            golden: held.golden().len(),
            public_key: self.public_key().to_string(),
        })
    }

    /// The versions of a collection that can still be served, the oldest first,
    /// without one that a roll-out keeps from some sites.
    ///
    /// # Errors
    /// When the state cannot be read, or what it holds is damaged.
    pub fn releases(&mut self, collection: &CollectionName) -> Result<Vec<Release>, HubError> {
        let newest = self.newest_version(collection)?;
        let sql = "SELECT epoch, version, bundle FROM release
                   WHERE collection = ?1 AND bundle IS NOT NULL ORDER BY epoch, version";
        let doing = while_("reading releases");
        let rows = self.database.query(sql, values![collection.as_str()]).map_err(&doing)?;
        let key = self.public_key();
        let mut releases = Vec::new();
        for row in &rows {
            if Some(version_of(row).map_err(&doing)?) <= newest {
                let bytes: Vec<u8> = row.get(2).map_err(&doing)?;
                let release = Release::open(&bytes, &key);
                releases.push(release.map_err(|_| HubError::DamagedRow("release"))?);
            }
        }
        Ok(releases)
    }

    /// Makes the collection's next version, or finds the newest where there is
    /// nothing new. Nothing is written.
    ///
    /// # Errors
    /// When there is no such collection or version, its content cannot be
    /// published, or sites have had higher versions than this hub knows.
    pub fn draft(
        &mut self,
        collection: &CollectionName,
        terms: &Terms,
        now: Timestamp,
    ) -> Result<Draft, HubError> {
        let names = self.collection_names()?;
        if !names.contains(collection) {
            return Err(no_collection(collection, &names));
        }
        let last = self.last_release(collection)?;
        let newest = last.as_ref().map(|(root, _)| root.root().version);
        self.refuse_behind(collection, newest, terms.above)?;
        if self.is_rolling_out(collection)? {
            return Err(HubError::RollingOut(collection.clone()));
        }
        let rollout = terms.rollout.clone();
        let (content, _) = self.content(collection)?;
        // What the documents are is told by a snapshot of them alone.
        let fingerprint = |content| Snapshot::build(content).map(|snapshot| snapshot.manifest());
        let stands_instead = last.as_ref().is_some_and(|(_, instead_of)| instead_of.is_some());
        let present = match stands_instead || terms.roll_back_to.is_some() {
            true => Some(fingerprint(content.clone())?),
            false => None,
        };
        let snapshot = match self.release_to_follow(collection, newest)? {
            Some(release) => Snapshot::build_after(content, &release)?,
            None => Snapshot::build(content)?,
        };
        // A version whose roll-out was stopped has not reached everybody.
        let is_public = self.newest_version(collection)? == newest;
        let same_terms = terms.expires.is_none() && terms.above.is_none() && is_public;
        let old = match terms.roll_back_to {
            Some(version) => Some(self.kept_bundle(collection, version)?),
            // A version that was rolled back from stays so until its documents
            // change.
            None => match &last {
                Some((root, instead_of))
                    if (instead_of.is_some() && *instead_of == present)
                        || (same_terms && root.root().manifest == snapshot.manifest()) =>
                {
                    Some(self.kept_bundle(collection, root.root().version)?)
                }
                _ => None,
            },
        };
        let version = self.next_version(newest, terms.above);
        let previous = last.as_ref().map(|(root, _)| root.hash());
        let Some(old) = old else {
            let root =
                SignedRoot::sign(snapshot.root(version, previous, now, terms.expires), &self.key)?;
            let bytes =
                bundle::write(&root, &snapshot).map_err(|_| HubError::DamagedRow("release"))?;
            return Ok(Draft {
                root,
                bytes,
                is_new: true,
                last: newest,
                instead_of: None,
                rollout,
            });
        };
        let damaged = |_| HubError::DamagedRow("release");
        let key = self.public_key();
        let found = bundle::read(&old, &key).map_err(damaged)?.signed_root().clone();
        let is_newest = Some(found.root().version) == newest;
        if is_newest && same_terms {
            let last = newest;
            return Ok(Draft {
                root: found,
                bytes: old,
                is_new: false,
                last,
                instead_of: None,
                rollout: None,
            });
        }
        let mut root = found.root().clone();
        (root.version, root.previous) = (version, previous);
        (root.issued, root.expires) = (now, terms.expires);
        let instead_of = present.filter(|_| snapshot.manifest() != root.manifest);
        let root = SignedRoot::sign(root, &self.key)?;
        let bytes = bundle::rewrite(&old, &key, &root).map_err(damaged)?;
        Ok(Draft { root, bytes, is_new: true, last: newest, instead_of, rollout })
    }

    /// Records a new version as the newest, unless another has become that
    /// since the draft was made.
    ///
    /// # Errors
    /// [`HubError::OtherPublisher`], or when the state cannot be written; then
    /// nothing is.
    pub fn record(&mut self, draft: &Draft) -> Result<(), HubError> {
        if !draft.is_new {
            return Ok(());
        }
        let doing = while_("recording a release");
        let root = draft.root.root();
        let name = root.collection.as_str();
        let mut transaction = self.database.begin().map_err(&doing)?;
        let newest = newest(&mut *transaction, name).map_err(&doing)?;
        if let Some(found) = newest.filter(|newest| Some(*newest) != draft.last) {
            return Err(HubError::OtherPublisher { collection: root.collection.clone(), found });
        }
        transaction
            .execute(
                "INSERT INTO release (collection, epoch, version, root, bundle, instead_of, staged)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                values![
                    name,
                    root.version.epoch,
                    root.version.version,
                    draft.root.as_bytes(),
                    draft.bytes.as_slice(),
                    draft.instead_of.map(|hash| hash.as_bytes().to_vec()),
                    draft.rollout.is_some(),
                ],
            )
            .map_err(&doing)?;
        transaction
            .execute(
                "UPDATE release SET bundle = NULL
                 WHERE collection = ?1 AND bundle IS NOT NULL AND (epoch, version) NOT IN (
                     SELECT epoch, version FROM release WHERE collection = ?1
                     ORDER BY epoch DESC, version DESC LIMIT ?2)",
                values![name, KEPT_BUNDLES],
            )
            .map_err(&doing)?;
        transaction
            .execute("DELETE FROM behind WHERE collection = ?1", values![name])
            .map_err(&doing)?;
        if let Some(plan) = &draft.rollout {
            rollout::begin(&mut *transaction, root, plan).map_err(&doing)?;
        }
        raise_changes(&mut *transaction).map_err(&doing)?;
        transaction.commit().map_err(&doing)
    }

    /// Remembers that a site has had a version above the newest of this hub;
    /// whether it is so. A worker that has not looked since may think it of a
    /// version that another has announced.
    ///
    /// # Errors
    /// When the state cannot be written.
    pub fn note_behind(
        &mut self,
        collection: &CollectionName,
        site: &str,
        seen: IndexVersion,
    ) -> Result<bool, HubError> {
        let doing = while_("noting a version that sites have had");
        let mut transaction = self.database.begin().map_err(&doing)?;
        let newest = newest(&mut *transaction, collection.as_str()).map_err(&doing)?;
        if newest >= Some(seen) {
            return Ok(false);
        }
        transaction
            .execute(
                "INSERT INTO behind (collection, epoch, version, site) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (collection) DO UPDATE
                 SET epoch = excluded.epoch, version = excluded.version, site = excluded.site
                 WHERE (excluded.epoch, excluded.version) > (behind.epoch, behind.version)",
                values![collection.as_str(), seen.epoch, seen.version, site],
            )
            .map_err(&doing)?;
        transaction.commit().map_err(&doing)?;
        Ok(true)
    }

    /// Refuses to publish what no site would take.
    fn refuse_behind(
        &mut self,
        collection: &CollectionName,
        newest: Option<IndexVersion>,
        above: Option<IndexVersion>,
    ) -> Result<(), HubError> {
        let doing = while_("reading what sites have had");
        let sql = "SELECT epoch, version, site FROM behind WHERE collection = ?1";
        let rows = self.database.query(sql, values![collection.as_str()]).map_err(&doing)?;
        let Some(row) = rows.first() else { return Ok(()) };
        let seen = version_of(row).map_err(&doing)?;
        if Some(seen) <= newest || Some(seen) <= above {
            return Ok(());
        }
        Err(HubError::Behind {
            collection: collection.clone(),
            site: row.get(2).map_err(&doing)?,
            seen,
            newest: newest.map_or("none".to_owned(), |newest| newest.to_string()),
        })
    }

    /// The collection's newest version that is for every site.
    pub(crate) fn newest_version(
        &mut self,
        collection: &CollectionName,
    ) -> Result<Option<IndexVersion>, HubError> {
        let doing = while_("reading versions");
        let sql = "SELECT epoch, version FROM release WHERE collection = ?1 AND staged = 0
                   ORDER BY epoch DESC, version DESC LIMIT 1";
        let rows = self.database.query(sql, values![collection.as_str()]).map_err(&doing)?;
        rows.first().map(version_of).transpose().map_err(&doing)
    }

    /// The release whose borders the next one keeps: the newest, where it is
    /// still kept and can be read.
    fn release_to_follow(
        &mut self,
        collection: &CollectionName,
        newest: Option<IndexVersion>,
    ) -> Result<Option<Release>, HubError> {
        let Some(newest) = newest else { return Ok(None) };
        let bytes = match self.kept_bundle(collection, newest) {
            Err(HubError::NoVersion { .. }) => return Ok(None),
            bytes => bytes?,
        };
        Ok(Release::open(&bytes, &self.public_key()).ok())
    }

    /// The root of the collection's last release, and the manifest of the
    /// documents that it stands instead of.
    pub(crate) fn last_release(
        &mut self,
        name: &CollectionName,
    ) -> Result<Option<(SignedRoot, Option<Hash>)>, HubError> {
        let doing = while_("reading the last release");
        let sql = "SELECT root, instead_of FROM release WHERE collection = ?1
                   ORDER BY epoch DESC, version DESC LIMIT 1";
        let rows = self.database.query(sql, values![name.as_str()]).map_err(&doing)?;
        let Some(row) = rows.first() else { return Ok(None) };
        let root: Vec<u8> = row.get(0).map_err(&doing)?;
        let root = SignedRoot::verify(&root, &self.public_key())
            .map_err(|_| HubError::DamagedRow("release"))?;
        let instead_of: Option<Vec<u8>> = row.get(1).map_err(&doing)?;
        let instead_of = instead_of.and_then(|bytes| bytes.try_into().ok()).map(Hash::from_bytes);
        Ok(Some((root, instead_of)))
    }

    /// The version after the last one. Above a version that this hub does not
    /// know there may be others: a new epoch is above all of them.
    fn next_version(
        &self,
        last: Option<IndexVersion>,
        above: Option<IndexVersion>,
    ) -> IndexVersion {
        let first = |epoch| IndexVersion { epoch, version: 1 };
        match (last, above) {
            (last, Some(above)) if last < Some(above) => {
                first(above.epoch.saturating_add(1).max(self.epoch))
            }
            (Some(last), _) if last.epoch >= self.epoch => {
                IndexVersion { epoch: last.epoch, version: last.version.saturating_add(1) }
            }
            _ => first(self.epoch),
        }
    }

    fn kept_bundle(
        &mut self,
        collection: &CollectionName,
        version: IndexVersion,
    ) -> Result<Vec<u8>, HubError> {
        let doing = while_("reading a release");
        let name = collection.as_str();
        let sql = "SELECT bundle FROM release
                   WHERE collection = ?1 AND epoch = ?2 AND version = ?3 AND bundle IS NOT NULL";
        let place = values![name, version.epoch, version.version];
        if let Some(row) = self.database.query(sql, place).map_err(&doing)?.first() {
            return row.get(0).map_err(&doing);
        }
        let sql = "SELECT epoch, version FROM release
                   WHERE collection = ?1 AND bundle IS NOT NULL ORDER BY epoch, version";
        let rows = self.database.query(sql, values![name]).map_err(&doing)?;
        let kept = rows.iter().map(|row| version_of(row).map(|version| version.to_string()));
        let kept: Vec<String> = kept.collect::<Result<_, _>>().map_err(&doing)?;
        let kept = if kept.is_empty() { "none".to_owned() } else { kept.join(", ") };
        Err(HubError::NoVersion { collection: collection.clone(), version, kept })
    }
}

fn newest(
    transaction: &mut dyn Transaction,
    collection: &str,
) -> Result<Option<IndexVersion>, DatabaseError> {
    let sql = "SELECT epoch, version FROM release WHERE collection = ?1
               ORDER BY epoch DESC, version DESC LIMIT 1";
    transaction.query(sql, values![collection])?.first().map(version_of).transpose()
}

/// A version in a row's first two columns.
pub(crate) fn version_of(row: &Row) -> Result<IndexVersion, DatabaseError> {
    Ok(IndexVersion { epoch: row.get(0)?, version: row.get(1)? })
}

/// Writes a file as a whole or not at all; nobody else may read a secret one.
pub(crate) fn replace(file: &Path, bytes: &[u8], is_secret: bool) -> io::Result<()> {
    let mut name = file.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_owned();
    name.push(".part");
    let part = file.with_file_name(name);
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    if is_secret {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    let written = options
        .open(&part)
        .and_then(|mut out| out.write_all(bytes).and_then(|()| out.sync_all()))
        .and_then(|()| fs::rename(&part, file));
    if written.is_err() {
        // What failed is reported; a rest that cannot be removed either is not.
        let _ = fs::remove_file(&part);
    }
    written
}
