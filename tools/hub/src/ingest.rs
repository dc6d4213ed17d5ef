use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jibu_sync::{Document, GoldenQuery};
use jibu_types::{CollectionName, Language};
use serde::Serialize;

use crate::hub::while_;
use crate::read::known_extensions;
use crate::state::{DatabaseError, Transaction, values};
use crate::walk::{is_golden, sidecar, walk};
use crate::{Hub, HubError, Meta, MetaError, ReadError, chunk, golden, languages, reader_for};

/// The most bytes of a document's file.
const MAX_FILE_BYTES: u64 = 32 * 1024 * 1024;

/// Where documents come from that an admin's answers made. No folder has them,
/// and none takes them out.
pub(crate) const ANSWERS: &str = "jibu-hub answer";

/// What an ingest did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IngestReport {
    /// The collection.
    pub collection: CollectionName,
    /// Documents that were not there before.
    pub added: Vec<String>,
    /// Documents whose text or fields changed.
    pub changed: Vec<String>,
    /// How many documents are as they were.
    pub unchanged: usize,
    /// Documents that `--prune` took out.
    pub removed: Vec<String>,
    /// Documents that an earlier ingest of the same folder found and this one
    /// did not; they are kept.
    pub missing: Vec<String>,
    /// Files of no known kind in an ingested folder.
    pub skipped: Vec<String>,
    /// How many documents the collection now has.
    pub documents: usize,
    /// How many passages, without what stands twice.
    pub passages: usize,
    /// How many passages are left out because they stand twice.
    pub repeated: usize,
    /// How many golden queries.
    pub golden: usize,
    /// Files that were not taken, and why; an earlier version of them is kept.
    pub faults: Vec<Fault>,
}

/// A file that was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The file.
    pub path: String,
    /// What is wrong with it and what to do.
    pub problem: String,
}

/// Why a file does not become a document.
#[derive(Debug, thiserror::Error)]
enum FileError {
    #[error("it cannot be opened ({0}): look at its path and permissions")]
    Open(io::Error),
    #[error("it is larger than {} MiB: split it", MAX_FILE_BYTES / 1024 / 1024)]
    TooLarge,
    #[error("files of this kind cannot be read: convert it to one of {}", known_extensions())]
    Kind,
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("its front matter {name}: {source}")]
    Sidecar { name: String, source: MetaError },
    #[error("its name is not UTF-8: rename it")]
    Name,
    #[error(
        "its language is not known: write `language: …` in its front matter, put it in a folder \
         named after its language (…/sw/…), or give --lang"
    )]
    Language,
    #[error("another file of this ingest has the same path \"{0}\": rename one of them")]
    Twice(String),
}

/// What one run of `ingest` has found so far.
#[derive(Default)]
struct Gathered {
    /// Documents by path, each with the folder that it was found in.
    documents: BTreeMap<String, (PathBuf, Document)>,
    /// Golden queries by folder; `None` where their file cannot be read.
    golden: BTreeMap<PathBuf, Option<Vec<GoldenQuery>>>,
    /// Folders that were walked.
    folders: BTreeSet<PathBuf>,
    /// Paths of documents that are there and cannot be read.
    unread: BTreeSet<String>,
    skipped: Vec<String>,
    faults: Vec<Fault>,
    /// Whether something could not be looked into, so that what is not found
    /// may still be there.
    incomplete: bool,
}

impl Hub {
    /// Takes the documents of `paths` into a collection. A document that is
    /// there already is replaced; `language` is for those that do not say
    /// theirs. With `prune` the collection afterwards holds nothing else.
    ///
    /// Files that cannot be read are listed in the report, and the others taken.
    ///
    /// # Errors
    /// When the database fails; then nothing is changed.
    pub fn ingest(
        &mut self,
        collection: &CollectionName,
        paths: &[PathBuf],
        language: Option<Language>,
        prune: bool,
    ) -> Result<IngestReport, HubError> {
        let mut gathered = Gathered::default();
        for path in paths {
            self.gather(collection, path, language, &mut gathered)?;
        }
        let doing = while_("storing documents");
        let mut report = IngestReport {
            collection: collection.clone(),
            added: Vec::new(),
            changed: Vec::new(),
            unchanged: 0,
            removed: Vec::new(),
            missing: Vec::new(),
            skipped: std::mem::take(&mut gathered.skipped),
            documents: 0,
            passages: 0,
            repeated: 0,
            golden: 0,
            faults: std::mem::take(&mut gathered.faults),
        };
        let before = self.known_documents(collection)?;
        let old: BTreeMap<String, Document> = self.stored(collection)?;
        let mut transaction = self.database.begin().map_err(&doing)?;
        transaction
            .execute(
                "INSERT INTO collection (name) VALUES (?1) ON CONFLICT DO NOTHING",
                values![collection.as_str()],
            )
            .map_err(&doing)?;
        for (path, (source, document)) in &gathered.documents {
            match old.get(path) {
                Some(old) if old == document => report.unchanged += 1,
                Some(_) => report.changed.push(path.clone()),
                None => report.added.push(path.clone()),
            }
            store(&mut *transaction, collection, source, document).map_err(&doing)?;
        }
        for (source, queries) in &gathered.golden {
            if let Some(queries) = queries {
                store_golden(&mut *transaction, collection, source, queries).map_err(&doing)?;
            }
        }
        let gone = before.iter().filter(|(path, _)| {
            !gathered.documents.contains_key(*path) && !gathered.unread.contains(*path)
        });
        for (path, source) in gone {
            if prune && !gathered.incomplete {
                remove(&mut *transaction, collection, path).map_err(&doing)?;
                report.removed.push(path.clone());
            } else if gathered.folders.contains(source) {
                report.missing.push(path.clone());
            }
        }
        if prune && gathered.incomplete {
            report.faults.push(Fault {
                path: collection.to_string(),
                problem: "nothing was pruned, since not all paths could be looked into".to_owned(),
            });
        }
        if prune && !gathered.incomplete {
            prune_golden(&mut *transaction, collection, &gathered).map_err(&doing)?;
        }
        transaction.commit().map_err(&doing)?;

        let (content, repeated) = self.content(collection)?;
        report.documents = content.documents.len();
        report.passages = content.documents.iter().map(|d| d.passages.len()).sum();
        report.repeated = repeated;
        report.golden = content.golden.len();
        let paths: BTreeSet<&str> = content.documents.iter().map(|d| d.path.as_str()).collect();
        for query in content.golden.iter().filter(|query| !paths.contains(query.document.as_str()))
        {
            report.faults.push(Fault {
                path: query.document.clone(),
                problem: format!(
                    "the golden query \"{}\" wants this document, which is not in the collection: \
                     correct its path, or ingest the document",
                    query.question
                ),
            });
        }
        Ok(report)
    }

    fn gather(
        &mut self,
        collection: &CollectionName,
        path: &Path,
        language: Option<Language>,
        gathered: &mut Gathered,
    ) -> Result<(), HubError> {
        let Ok(full) =
            fs::canonicalize(path).map_err(|error| gathered.fault(path, &FileError::Open(error)))
        else {
            gathered.incomplete = true;
            return Ok(());
        };
        if full.is_dir() {
            let found = walk(&full);
            gathered.incomplete |= !found.faults.is_empty();
            for (path, error) in found.faults {
                gathered.fault(&path, &FileError::Open(error));
            }
            for file in &found.golden {
                gathered.golden(&full, file);
            }
            for file in &found.documents {
                let name = file.strip_prefix(&full).unwrap_or(file);
                gathered.document(&full, name, file, language);
            }
            gathered.skipped.extend(found.skipped.iter().map(|path| path.display().to_string()));
            gathered.folders.insert(full);
            return Ok(());
        }
        let folder = full.parent().unwrap_or(&full).to_owned();
        if is_golden(&full) {
            gathered.golden(&folder, &full);
            return Ok(());
        }
        // A file of a folder that was ingested before keeps its path there.
        let known = self.known_documents(collection)?;
        let known = known.iter().find(|(path, source)| source.join(path) == full);
        match known {
            Some((path, source)) => gathered.document(source, Path::new(path), &full, language),
            None => {
                let name = full.strip_prefix(&folder).unwrap_or(&full).to_owned();
                gathered.document(&folder, &name, &full, language);
            }
        }
        Ok(())
    }

    /// Every document's path and the folder that it came from, answers left out.
    fn known_documents(
        &mut self,
        collection: &CollectionName,
    ) -> Result<BTreeMap<String, PathBuf>, HubError> {
        let doing = while_("listing documents");
        let sql = "SELECT path, source FROM document WHERE collection = ?1 AND source <> ?2";
        let rows =
            self.database.query(sql, values![collection.as_str(), ANSWERS]).map_err(&doing)?;
        rows.iter()
            .map(|row| Ok((row.get(0)?, PathBuf::from(row.get::<String>(1)?))))
            .collect::<Result<_, DatabaseError>>()
            .map_err(&doing)
    }

    /// Every document as it was stored, with passages that stand elsewhere too.
    fn stored(
        &mut self,
        collection: &CollectionName,
    ) -> Result<BTreeMap<String, Document>, HubError> {
        let documents = self.documents(collection)?;
        Ok(documents.into_iter().map(|document| (document.path.clone(), document)).collect())
    }
}

impl Gathered {
    fn fault(&mut self, path: &Path, error: &FileError) {
        self.faults.push(Fault { path: path.display().to_string(), problem: error.to_string() });
    }

    fn document(&mut self, source: &Path, name: &Path, file: &Path, language: Option<Language>) {
        let Some(path) = portable(name) else {
            return self.fault(file, &FileError::Name);
        };
        if self.documents.contains_key(&path) {
            return self.fault(file, &FileError::Twice(path));
        }
        match read(&path, source, name, file, language) {
            Ok(document) => {
                self.documents.insert(path, (source.to_owned(), document));
            }
            Err(error) => {
                self.unread.insert(path);
                self.fault(file, &error);
            }
        }
    }

    fn golden(&mut self, source: &Path, file: &Path) {
        let queries =
            fs::read(file).map_err(|error| FileError::Open(error).to_string()).and_then(|bytes| {
                let is_csv = file.extension().is_some_and(|extension| extension == "csv");
                let queries =
                    if is_csv { golden::from_csv(&bytes) } else { golden::from_toml(&bytes) };
                queries.map_err(|error| error.to_string())
            });
        let slot = self.golden.entry(source.to_owned()).or_insert_with(|| Some(Vec::new()));
        match queries {
            Ok(mut queries) => slot.iter_mut().for_each(|all| all.append(&mut queries)),
            Err(problem) => {
                *slot = None;
                self.faults.push(Fault { path: file.display().to_string(), problem });
            }
        }
    }
}

/// A path's name in the collection: its parts with `/` between them.
fn portable(path: &Path) -> Option<String> {
    let parts: Option<Vec<&str>> =
        path.components().map(|part| part.as_os_str().to_str()).collect();
    parts.map(|parts| parts.join("/"))
}

/// Reads a file as the document called `path`; `name` is its place below the
/// ingested folder `source`.
fn read(
    path: &str,
    source: &Path,
    name: &Path,
    file: &Path,
    language: Option<Language>,
) -> Result<Document, FileError> {
    let reader = reader_for(file).ok_or(FileError::Kind)?;
    let size = fs::metadata(file).map_err(FileError::Open)?.len();
    if size > MAX_FILE_BYTES {
        return Err(FileError::TooLarge);
    }
    let bytes = fs::read(file).map_err(FileError::Open)?;
    let parsed = reader.read(&bytes, name)?;
    let heading = parsed.first_heading();
    let meta = parsed.meta.or(beside(file)?);
    // The ingested folder's own name counts, too; those above it do not.
    let place = Path::new(source.file_name().unwrap_or_default()).join(name);
    let folder = languages::of_folder(&place);
    let language = meta.language.or(folder).or(language).ok_or(FileError::Language)?;
    let title = meta.title.or(heading).unwrap_or_else(|| title_of(name));
    let passages = chunk(&title, &parsed.blocks);
    if passages.is_empty() {
        return Err(ReadError::Empty.into());
    }
    Ok(Document {
        path: path.to_owned(),
        title,
        language,
        source_url: meta.source_url,
        date: meta.date,
        licence: meta.licence,
        reviewed: meta.reviewed,
        passages,
    })
}

/// The front matter in the file beside a document, `fees.csv.toml`.
fn beside(file: &Path) -> Result<Meta, FileError> {
    let path = sidecar(file);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Meta::default()),
        Err(error) => return Err(FileError::Open(error)),
    };
    Meta::from_toml_lines(&text, 1).map_err(|source| FileError::Sidecar {
        name: path.file_name().unwrap_or_default().display().to_string(),
        source,
    })
}

/// A title made of a file's name: `clinic-hours.csv` is "Clinic hours".
fn title_of(name: &Path) -> String {
    let stem = name.file_stem().unwrap_or_default().to_string_lossy().replace(['-', '_'], " ");
    let mut letters = stem.trim().chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// Takes a document in, in the place of the one that has its path.
pub(crate) fn store(
    transaction: &mut dyn Transaction,
    collection: &CollectionName,
    source: &Path,
    document: &Document,
) -> Result<(), DatabaseError> {
    remove(transaction, collection, &document.path)?;
    let rows = transaction.query(
        "INSERT INTO document
         (collection, path, source, title, language, source_url, date, licence, reviewed)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) RETURNING id",
        values![
            collection.as_str(),
            &document.path,
            source.to_string_lossy().into_owned(),
            &document.title,
            document.language.as_str(),
            document.source_url.as_ref(),
            document.date.map(|date| date.to_string()),
            document.licence.as_ref(),
            document.reviewed.as_ref(),
        ],
    )?;
    let id: i64 = rows.first().ok_or(DatabaseError::Damaged("document"))?.get(0)?;
    for (position, body) in document.passages.iter().enumerate() {
        let section = serde_json::Value::from(body.section.clone()).to_string();
        transaction.execute(
            "INSERT INTO passage (document, position, section, text) VALUES (?1, ?2, ?3, ?4)",
            values![id, position, section, &body.text],
        )?;
    }
    Ok(())
}

fn remove(
    transaction: &mut dyn Transaction,
    collection: &CollectionName,
    path: &str,
) -> Result<(), DatabaseError> {
    let sql = "DELETE FROM document WHERE collection = ?1 AND path = ?2";
    transaction.execute(sql, values![collection.as_str(), path]).map(drop)
}

fn store_golden(
    transaction: &mut dyn Transaction,
    collection: &CollectionName,
    source: &Path,
    queries: &[GoldenQuery],
) -> Result<(), DatabaseError> {
    let source = source.to_string_lossy();
    transaction.execute(
        "DELETE FROM golden WHERE collection = ?1 AND source = ?2",
        values![collection.as_str(), &*source],
    )?;
    for (position, query) in queries.iter().enumerate() {
        transaction.execute(
            "INSERT INTO golden (collection, source, position, question, language, document)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            values![
                collection.as_str(),
                &*source,
                position,
                &query.question,
                query.language.as_str(),
                &query.document,
            ],
        )?;
    }
    Ok(())
}

/// Takes out the golden queries of folders that this ingest did not name, and
/// those of named folders that have none any more.
fn prune_golden(
    transaction: &mut dyn Transaction,
    collection: &CollectionName,
    gathered: &Gathered,
) -> Result<(), DatabaseError> {
    let sql = "SELECT DISTINCT source FROM golden WHERE collection = ?1";
    for row in transaction.query(sql, values![collection.as_str()])? {
        let source: String = row.get(0)?;
        if !gathered.golden.contains_key(Path::new(&source)) {
            transaction.execute(
                "DELETE FROM golden WHERE collection = ?1 AND source = ?2",
                values![collection.as_str(), source],
            )?;
        }
    }
    Ok(())
}
