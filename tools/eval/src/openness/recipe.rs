//! The code that makes an artefact, and the code that runs it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::Deserialize;

use super::{Entry, Findings, licence, read, read_toml};

const RECIPES: &str = "models/recipes";

/// Python's own modules, as far as a recipe may want them.
const STANDARD: &str = "__future__ abc argparse array ast base64 bisect bz2 cmath collections \
    concurrent contextlib copy csv ctypes dataclasses datetime decimal difflib enum fractions \
    functools gc glob gzip hashlib heapq html http importlib inspect io itertools json locale \
    logging lzma math mmap multiprocessing operator os pathlib pickle platform queue random re \
    resource shlex shutil signal sqlite3 statistics string struct subprocess sys tarfile tempfile \
    textwrap threading time tomllib typing unicodedata urllib zipfile";

/// What the check needs to know of the repository's code.
pub(super) struct Code {
    root: PathBuf,
    /// What is wrong with the terms of all code.
    terms: Vec<String>,
    /// The packages that the recipes' requirements pin, by normalised name.
    pinned: BTreeSet<String>,
    /// What the requirements name without a version.
    loose: Vec<String>,
    /// The daemon's source.
    daemon: String,
}

/// The scripts that a recipe's command line runs.
pub(super) fn scripts(recipe: &str) -> impl Iterator<Item = &str> {
    recipe.split_whitespace().filter(|word| word.ends_with(".py"))
}

impl Code {
    pub(super) fn read(root: &Path) -> anyhow::Result<Code> {
        let mut code = Code {
            root: root.to_owned(),
            terms: terms(root)?,
            pinned: BTreeSet::new(),
            loose: Vec::new(),
            daemon: String::new(),
        };
        code.read_requirements()?;
        read_rust(&root.join("daemon"), &mut code.daemon)?;
        Ok(code)
    }

    /// Whether the recipe is here, with all that it imports, under an open
    /// licence.
    pub(super) fn training(&self, entry: &Entry, found: &mut Findings) {
        found.lacks.extend(self.terms.iter().cloned());
        let mut waiting: Vec<(PathBuf, String)> = scripts(&entry.recipe)
            .map(|script| (script.into(), "the manifest names it".to_owned()))
            .collect();
        if waiting.is_empty() {
            found.lack("the manifest names no script that makes it; fill in `recipe`");
        }
        found.lacks.extend(self.loose.iter().cloned());
        let mut seen = BTreeSet::new();
        let mut strangers = BTreeSet::new();
        while let Some((path, why)) = waiting.pop() {
            if !seen.insert(path.clone()) {
                continue;
            }
            let Ok(text) = std::fs::read_to_string(self.root.join(&path)) else {
                found.lack(format!("there is no {}, and {why}; add it", path.display()));
                continue;
            };
            for module in imports(&text) {
                let beside = path.with_file_name(format!("{module}.py"));
                if self.root.join(&beside).exists() {
                    waiting.push((beside, format!("{} imports it", path.display())));
                } else if !STANDARD.split_whitespace().any(|own| own == module)
                    && !self.pinned.contains(&normalised(module))
                    && strangers.insert(module.to_owned())
                {
                    found.lack(format!(
                        "{} imports {module}, which is neither beside it nor pinned; add it there, \
                         or to {RECIPES}/requirements.txt as {module}==VERSION",
                        path.display()
                    ));
                }
            }
        }
    }

    /// Whether the daemon opens the artefact by its name.
    pub(super) fn inference(&self, entry: &Entry, found: &mut Findings) {
        if !self.daemon.contains(&format!("\"{}\"", entry.name)) {
            found.lack(format!(
                "no source file below daemon names \"{}\"; open it there, or take it out of the \
                 manifest",
                entry.name
            ));
        }
    }

    /// Reads `requirements.txt` and its sisters.
    fn read_requirements(&mut self) -> anyhow::Result<()> {
        for path in files(&self.root.join(RECIPES))? {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if !(name.starts_with("requirements") && name.ends_with(".txt")) {
                continue;
            }
            for line in read(&path)?.lines() {
                let wanted = line.split('#').next().unwrap_or_default().trim();
                if wanted.is_empty() || wanted.starts_with('-') {
                    continue;
                }
                match wanted.split_once("==") {
                    Some((package, _)) => {
                        self.pinned.insert(normalised(package.trim()));
                    }
                    None => self.loose.push(format!(
                        "{RECIPES}/{name} does not pin \"{wanted}\"; write the version with =="
                    )),
                }
            }
        }
        Ok(())
    }
}

/// Whether all code of the repository is under an open licence, and says so.
fn terms(root: &Path) -> anyhow::Result<Vec<String>> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Cargo {
        workspace: Workspace,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Workspace {
        package: Package,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Package {
        license: String,
    }

    let mut terms = Vec::new();
    if !root.join("LICENSE").exists() {
        terms.push("the repository has no LICENSE; add the text of its licence".to_owned());
    }
    let cargo: Cargo = read_toml(&root.join("Cargo.toml"))?;
    if let Err(closed) = licence::of_code(&cargo.workspace.package.license) {
        terms.push(format!("the repository's code: {closed}; correct it in Cargo.toml"));
    }
    Ok(terms)
}

/// The modules that a Python file imports, without what follows a dot.
fn imports(text: &str) -> BTreeSet<&str> {
    let mut modules = BTreeSet::new();
    let mut in_string = false;
    for line in text.lines() {
        let in_docstring = in_string;
        in_string ^= line.matches("\"\"\"").count() % 2 == 1;
        let line = line.split('#').next().unwrap_or_default().trim();
        if in_docstring {
            continue;
        }
        if let Some(names) = line.strip_prefix("import ") {
            modules.extend(names.split(',').map(module));
        } else if let Some((name, _)) =
            line.strip_prefix("from ").and_then(|rest| rest.split_once(" import "))
        {
            modules.insert(module(name));
        }
    }
    modules
}

/// `numpy` of `numpy.linalg as la`.
fn module(name: &str) -> &str {
    name.trim().split(['.', ' ']).next().unwrap_or_default()
}

/// A package's name as the Python package index compares it.
fn normalised(package: &str) -> String {
    package.to_ascii_lowercase().replace(['-', '.'], "_")
}

/// Appends every Rust file below a folder.
fn read_rust(folder: &Path, source: &mut String) -> anyhow::Result<()> {
    for path in files(folder)? {
        if path.is_dir() {
            read_rust(&path, source)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            source.push_str(&read(&path)?);
        }
    }
    Ok(())
}

/// What a folder holds, nothing where there is none.
fn files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let doing = || format!("read {}", folder.display());
    let entries = std::fs::read_dir(folder).with_context(doing)?;
    entries.map(|entry| Ok(entry.with_context(doing)?.path())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_are_read_and_docstrings_are_not() {
        let text = "\"\"\"Reads\n\nfrom here import nothing\n\"\"\"\nimport json, numpy as np\n\
                    from os.path import join  # import that\n\ndef f():\n    import torch\n";
        assert_eq!(Vec::from_iter(imports(text)), ["json", "numpy", "os", "torch"]);
    }
}
