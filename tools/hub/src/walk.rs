//! What lies in an ingested folder: documents, golden queries, and files that
//! are left aside.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::reader_for;

/// The files of one ingested path, each list sorted by name.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) documents: Vec<PathBuf>,
    pub(crate) golden: Vec<PathBuf>,
    /// Files of no known kind.
    pub(crate) skipped: Vec<PathBuf>,
    /// Folders and files that could not be looked at.
    pub(crate) faults: Vec<(PathBuf, io::Error)>,
}

/// Looks through a folder in the order of names. Names that begin with a dot or
/// an underscore, `README` files and folders that are links are passed over.
pub(crate) fn walk(root: &Path) -> Found {
    let mut found = Found::default();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        match entries(&folder) {
            Ok(entries) => {
                for (path, is_folder) in entries {
                    if is_folder { folders.push(path) } else { sort_in(path, &mut found) }
                }
            }
            Err(error) => found.faults.push((folder, error)),
        }
    }
    found.documents.sort();
    found.golden.sort();
    found.skipped.sort();
    found
}

/// A folder's visible entries, and whether each is a folder.
fn entries(folder: &Path) -> io::Result<Vec<(PathBuf, bool)>> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let is_hidden = name.to_str().is_some_and(|name| name.starts_with(['.', '_']));
        let kind = entry.file_type()?;
        // A link to a folder may lead back up; a link to a file is that file.
        let is_loop = kind.is_symlink() && entry.path().is_dir();
        if !is_hidden && !is_loop {
            entries.push((entry.path(), kind.is_dir()));
        }
    }
    Ok(entries)
}

fn sort_in(path: PathBuf, found: &mut Found) {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let is_readme = path.file_stem().is_some_and(|stem| stem.eq_ignore_ascii_case("readme"));
    if is_golden(&path) {
        found.golden.push(path);
    } else if is_readme || is_sidecar(name) {
        // Not content, and nothing to wonder about.
    } else if reader_for(&path).is_some() {
        found.documents.push(path);
    } else {
        found.skipped.push(path);
    }
}

/// Whether a file holds golden queries.
pub(crate) fn is_golden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == "golden.toml" || name == "golden.csv")
}

/// Whether a file is the front matter of the file whose name it extends:
/// `fees.csv.toml`.
fn is_sidecar(name: &str) -> bool {
    name.strip_suffix(".toml").is_some_and(|of| reader_for(Path::new(of)).is_some())
}

/// The front matter file beside a document.
pub(crate) fn sidecar(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".toml");
    PathBuf::from(name)
}
