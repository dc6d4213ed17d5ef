//! Whether each artefact of `models/manifest.toml` comes with all that others
//! need to use, study, change and share it.
//!
//! The components are those of the Open Source AI Definition 1.0 (data
//! information, code, parameters) and of the Digital Public Goods Standard for
//! AI systems (openly licensed data, code and model; documentation, evaluation,
//! limitations). Whether what a card says is true is for its readers to judge;
//! here it is there, and agrees with the files beside it.

mod card;
mod data;
mod licence;
mod recipe;
mod table;

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Context;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use self::card::Card;
use self::data::Data;

/// The assessment of risks that the DPG Standard asks of AI systems.
const RISKS: &str = "risks.md";

/// What the check found.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Each artefact of the manifest, in its order.
    pub artefacts: Vec<Checked>,
    /// What is wrong with the folder as a whole.
    pub lacks: Vec<String>,
}

/// An artefact, component by component.
#[derive(Debug, Serialize)]
pub struct Checked {
    /// Its name in the manifest.
    pub name: String,
    /// Every component, in the order of the table.
    pub components: Vec<Findings>,
}

/// What was found of one component of one artefact.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Findings {
    /// Which component.
    pub component: Component,
    /// What is missing, and what to do.
    pub lacks: Vec<String>,
    /// What others, such as the makers of a base model, do not give, and what
    /// `data.toml` therefore states.
    pub stated: Vec<String>,
}

/// What an artefact must come with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Component {
    /// The file, as the manifest pins it, under an open licence (OSAID:
    /// Parameters).
    Parameters,
    /// What the parameters were learnt from, where to get it, and what was left
    /// out (OSAID: Data Information).
    DataInformation,
    /// All of that under open licences (DPG Standard, indicator 2; the OSAID
    /// contents itself with the information).
    OpenData,
    /// The recipe, all that it imports, and the versions of the packages (OSAID:
    /// Code, "used to train").
    TrainingCode,
    /// The daemon's own code that runs the artefact (OSAID: Code, "and run").
    InferenceCode,
    /// A card in the common form (DPG Standard, indicator 5).
    Card,
    /// The card's figures, with the command that gives them.
    Evaluation,
    /// The card's known failures.
    Limitations,
}

impl Component {
    /// In the order of the table.
    pub const ALL: [Component; 8] = [
        Component::Parameters,
        Component::DataInformation,
        Component::OpenData,
        Component::TrainingCode,
        Component::InferenceCode,
        Component::Card,
        Component::Evaluation,
        Component::Limitations,
    ];

    /// The head of its column.
    pub fn title(self) -> &'static str {
        match self {
            Component::Parameters => "parameters",
            Component::DataInformation => "data information",
            Component::OpenData => "open data",
            Component::TrainingCode => "training code",
            Component::InferenceCode => "inference code",
            Component::Card => "card",
            Component::Evaluation => "evaluation",
            Component::Limitations => "limitations",
        }
    }
}

impl Report {
    /// All that is missing; nothing when the models are as open as this project
    /// can make them.
    pub fn missing(&self) -> impl Iterator<Item = String> {
        let of_artefacts = self.artefacts.iter().flat_map(|artefact| {
            let components = artefact.components.iter();
            components
                .flat_map(|found| &found.lacks)
                .map(|lack| format!("{}: {lack}", artefact.name))
        });
        self.lacks.iter().cloned().chain(of_artefacts)
    }
}

/// Checks the models of the repository in this folder.
///
/// # Errors
/// When `models/manifest.toml` or `models/data.toml` cannot be read; all else
/// that is missing stands in the report.
pub fn check(repository: &Path) -> anyhow::Result<Report> {
    let models = repository.join("models");
    let manifest: Manifest = read_toml(&models.join("manifest.toml"))?;
    let data: Data = read_toml(&models.join("data.toml"))?;
    let code = recipe::Code::read(repository)?;

    let artefacts = manifest.artefact.iter().map(|entry| {
        let card = Card::read(&models, &entry.card);
        let components = Component::ALL.map(|component| {
            let mut found = Findings { component, lacks: Vec::new(), stated: Vec::new() };
            match component {
                Component::Parameters => parameters(&models, entry, &mut found),
                Component::DataInformation => data.information(entry, &card, &mut found),
                Component::OpenData => data.openness(entry, &mut found),
                Component::TrainingCode => {
                    code.training(entry, &mut found);
                    data.training_code(entry, &mut found);
                }
                Component::InferenceCode => code.inference(entry, &mut found),
                Component::Card => card.description(entry, &mut found),
                Component::Evaluation => card.evaluation(&mut found),
                Component::Limitations => card.limitations(&mut found),
            }
            found
        });
        Checked { name: entry.name.clone(), components: components.into() }
    });
    let mut lacks = unlisted(&models, &manifest)?;
    if !models.join(RISKS).is_file() {
        lacks.push(format!(
            "models/{RISKS} is not there: write down who can come to harm, and what stands against it"
        ));
    }
    Ok(Report { artefacts: artefacts.collect(), lacks })
}

#[derive(Deserialize)]
struct Manifest {
    artefact: Vec<Entry>,
}

/// An artefact's entry; what it lacks is empty.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry {
    name: String,
    file: String,
    sha256: String,
    bytes: u64,
    licence: String,
    source: String,
    recipe: String,
    card: String,
    data: Vec<String>,
}

impl Findings {
    fn lack(&mut self, what: impl Into<String>) {
        self.lacks.push(what.into());
    }
}

fn parameters(models: &Path, entry: &Entry, found: &mut Findings) {
    let Entry { file, recipe, .. } = entry;
    match hash(&models.join(file)) {
        Err(error) => found.lack(format!("models/{file} cannot be read ({error}); run {recipe}")),
        Ok((bytes, _)) if bytes != entry.bytes => found.lack(format!(
            "models/{file} has {bytes} bytes, and the manifest says {}; run {recipe}",
            entry.bytes
        )),
        Ok((_, sha256)) if !sha256.eq_ignore_ascii_case(&entry.sha256) => found.lack(format!(
            "models/{file} has the SHA-256 {sha256}, and the manifest says {}; run {recipe}",
            entry.sha256
        )),
        Ok(_) => {}
    }
    if let Err(closed) = licence::of_data_or_parameters(&entry.licence) {
        found.lack(format!("{closed}; name in the manifest an open licence that fits its data"));
    }
    if entry.source.is_empty() {
        found.lack("the manifest does not say what it was made of; fill in `source`");
    }
}

/// The size and the SHA-256 in hexadecimal digits.
fn hash(path: &Path) -> std::io::Result<(u64, String)> {
    let bytes = std::fs::read(path)?;
    let hash = Sha256::digest(&bytes);
    Ok((bytes.len() as u64, hash.iter().map(|byte| format!("{byte:02x}")).collect()))
}

/// Files beside the manifest that it does not name, documents and golden
/// examples aside.
fn unlisted(models: &Path, manifest: &Manifest) -> anyhow::Result<Vec<String>> {
    let listed: BTreeSet<&str> =
        manifest.artefact.iter().map(|entry| entry.file.as_str()).collect();
    let mut names = Vec::new();
    for found in std::fs::read_dir(models).with_context(|| format!("read {}", models.display()))? {
        let found = found?;
        if found.file_type()?.is_file() {
            names.push(found.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    let documents = |name: &str| name.ends_with(".md") || name.ends_with(".toml");
    names.retain(|name| {
        !(listed.contains(name.as_str()) || documents(name) || name.contains("golden"))
    });
    let says =
        |name| format!("models/{name} is not in the manifest; its recipe enters it, or it goes");
    Ok(names.into_iter().map(says).collect())
}

fn read_toml<T: DeserializeOwned>(path: &Path) -> anyhow::Result<T> {
    toml::from_str(&read(path)?)
        .with_context(|| format!("{} is not as the recipes need it", path.display()))
}

fn read(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("read {}", path.display()))
}

#[cfg(test)]
mod tests;
