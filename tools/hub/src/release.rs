use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use jibu_sync::{Hash, SignedRoot, Snapshot, bundle};
use jibu_types::{CollectionName, IndexVersion, Timestamp};
use rusqlite::{OptionalExtension as _, params};
use serde::Serialize;

use crate::hub::while_;
use crate::{Hub, HubError};

/// Releases that keep their whole file; of older ones the root is kept.
const KEPT_BUNDLES: u64 = 10;

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

impl Hub {
    /// Writes the collection's present content as a bundle to `file`. Content
    /// that has not changed since the last bundle gives the same version and
    /// the same bytes.
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
        let names = self.collection_names()?;
        if !names.contains(collection) {
            let known: Vec<&str> = names.iter().map(CollectionName::as_str).collect();
            let known = match known.as_slice() {
                [] => "none yet".to_owned(),
                known => format!("there are {}", known.join(", ")),
            };
            return Err(HubError::NoCollection { name: collection.clone(), known });
        }
        let (content, _) = self.content(collection)?;
        let (documents, golden) = (content.documents.len(), content.golden.len());
        let last = self.last_release(collection)?;
        let snapshot = Snapshot::build(content)?;

        let (root, bytes, is_new) = match last {
            Some(last) if last.root().manifest == snapshot.manifest() => {
                let kept = self.kept_bundle(collection, last.root().version)?;
                (last, kept, false)
            }
            last => {
                let version = self.next_version(last.as_ref().map(|last| last.root().version));
                let previous: Option<Hash> = last.as_ref().map(SignedRoot::hash);
                let root = snapshot.root(version, previous, now, None);
                let root = SignedRoot::sign(root, &self.key)?;
                let bytes =
                    bundle::write(&root, &snapshot).map_err(|_| HubError::DamagedRow("release"))?;
                self.record(collection, &root, &bytes)?;
                (root, bytes, true)
            }
        };
        replace(file, &bytes)
            .map_err(|source| HubError::Output { path: file.to_owned(), source })?;
        Ok(BundleReport {
            collection: collection.clone(),
            version: root.root().version.to_string(),
            is_new,
            file: file.to_owned(),
            bytes: bytes.len(),
            documents,
            passages: root.root().passages,
            golden,
            public_key: self.public_key().to_string(),
        })
    }

    fn kept_bundle(
        &self,
        collection: &CollectionName,
        version: IndexVersion,
    ) -> Result<Vec<u8>, HubError> {
        let bytes: Option<Option<Vec<u8>>> = self
            .connection
            .query_row(
                "SELECT bundle FROM release
                 WHERE collection = ?1 AND epoch = ?2 AND version = ?3",
                params![collection.as_str(), version.epoch, version.version as i64],
                |row| row.get(0),
            )
            .optional()
            .map_err(while_("reading a release"))?;
        bytes.flatten().ok_or(HubError::DamagedRow("release"))
    }

    fn record(
        &mut self,
        collection: &CollectionName,
        root: &SignedRoot,
        bytes: &[u8],
    ) -> Result<(), HubError> {
        let doing = while_("recording a release");
        let IndexVersion { epoch, version } = root.root().version;
        let name = collection.as_str();
        let transaction = self.connection.transaction().map_err(&doing)?;
        transaction
            .execute(
                "INSERT INTO release (collection, epoch, version, root, bundle)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
                params![name, epoch, version as i64, root.as_bytes(), bytes],
            )
            .map_err(&doing)?;
        transaction
            .execute(
                "UPDATE release SET bundle = NULL
                 WHERE collection = ?1 AND (epoch < ?2 OR version <= ?3)",
                params![name, epoch, version.saturating_sub(KEPT_BUNDLES) as i64],
            )
            .map_err(&doing)?;
        transaction.commit().map_err(&doing)
    }
}

/// Writes a file as a whole or not at all.
fn replace(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut name = file.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_owned();
    name.push(".part");
    let part = file.with_file_name(name);
    let written = fs::File::create(&part)
        .and_then(|mut out| out.write_all(bytes).and_then(|()| out.sync_all()))
        .and_then(|()| fs::rename(&part, file));
    if written.is_err() {
        // What failed is reported; a rest that cannot be removed either is not.
        let _ = fs::remove_file(&part);
    }
    written
}
