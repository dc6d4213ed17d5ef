//! `models/data.toml`: what the models are learnt from.

use serde::Deserialize;

use super::card::Card;
use super::{Entry, Findings, licence};

/// The table of sources and of base models; what an entry lacks is empty.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Data {
    /// What was done to all sources.
    processing: String,
    source: Vec<Source>,
    base: Vec<Base>,
}

/// A set of data that our own training reads.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Source {
    name: String,
    title: String,
    licence: String,
    from: String,
    languages: Vec<String>,
    about: String,
    left_out: String,
}

/// A model of others that ours start from.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Base {
    name: String,
    title: String,
    licence: String,
    from: String,
    /// Where its authors describe data and training.
    paper: String,
    about: String,
    /// Its training code, or what there is instead.
    code: String,
    code_lacks: String,
    data: Vec<Inherited>,
}

/// A set of data that a base model was learnt from.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Inherited {
    title: String,
    licence: String,
    from: String,
    about: String,
}

impl Data {
    /// What is said of the data that an artefact was learnt from, in the table
    /// and on the card.
    pub(super) fn information(&self, entry: &Entry, card: &Card, found: &mut Findings) {
        if entry.data.is_empty() {
            found.lack("the manifest names no data; name there what it was learnt from (`data`)");
        }
        for name in &entry.data {
            if !self.source.iter().any(|source| source.name == *name)
                && !self.base.iter().any(|base| base.name == *name)
            {
                found.lack(format!("models/data.toml has no \"{name}\"; describe it there"));
            }
        }
        for source in self.sources(entry) {
            let languages = source.languages.join(" ");
            let keys = [
                ("title", &source.title),
                ("licence", &source.licence),
                ("from", &source.from),
                ("languages", &languages),
                ("about", &source.about),
                ("left_out", &source.left_out),
            ];
            said(&source.name, &keys, found);
            card.names_data(&source.title, &source.licence, found);
        }
        if self.sources(entry).next().is_some() && self.processing.is_empty() {
            found.lack("models/data.toml does not say how the data was selected (`processing`)");
        }
        for base in self.bases(entry) {
            let keys = [
                ("title", &base.title),
                ("licence", &base.licence),
                ("from", &base.from),
                ("paper", &base.paper),
                ("about", &base.about),
            ];
            said(&base.name, &keys, found);
            card.names_data(&base.title, &base.licence, found);
            if base.data.is_empty() {
                found.lack(format!(
                    "models/data.toml lists no data of {}; take the list from its paper",
                    base.name
                ));
            }
            for inherited in &base.data {
                let keys = [
                    ("licence", &inherited.licence),
                    ("from", &inherited.from),
                    ("about", &inherited.about),
                ];
                said(&format!("{}, {}", base.name, inherited.title), &keys, found);
            }
        }
    }

    /// Whether the data may be used and shared by everyone. What a base model
    /// was learnt from is stated where it may not.
    pub(super) fn openness(&self, entry: &Entry, found: &mut Findings) {
        for source in self.sources(entry) {
            if let Err(closed) = licence::of_data_or_parameters(&source.licence) {
                found.lack(format!("{}: {closed}; train without it", source.name));
            }
        }
        for base in self.bases(entry) {
            if let Err(closed) = licence::of_data_or_parameters(&base.licence) {
                found.lack(format!("{}: {closed}; start from another model", base.name));
            }
            let closed = |data: &&Inherited| licence::of_data_or_parameters(&data.licence).is_err();
            let closed: Vec<&str> =
                base.data.iter().filter(closed).map(|data| data.title.as_str()).collect();
            if !closed.is_empty() {
                found.stated.push(format!(
                    "{} was learnt by its authors from data of which {} of {} sets have no open \
                     licence ({}); what they are is known",
                    base.name,
                    closed.len(),
                    base.data.len(),
                    closed.join("; ")
                ));
            }
        }
    }

    /// The training code of the models that the artefact starts from.
    pub(super) fn training_code(&self, entry: &Entry, found: &mut Findings) {
        for base in self.bases(entry).filter(|base| base.code.is_empty()) {
            if base.code_lacks.is_empty() {
                found.lack(format!(
                    "models/data.toml does not say where the training code of {} is; fill in \
                     `code`, or `code_lacks`",
                    base.name
                ));
            } else {
                found.stated.push(format!("{}: {}", base.name, base.code_lacks));
            }
        }
    }

    fn sources(&self, entry: &Entry) -> impl Iterator<Item = &Source> {
        self.source.iter().filter(|source| entry.data.contains(&source.name))
    }

    fn bases(&self, entry: &Entry) -> impl Iterator<Item = &Base> {
        self.base.iter().filter(|base| entry.data.contains(&base.name))
    }
}

/// Every key must say something, and `from` and `paper` where to go.
fn said(of: &str, keys: &[(&str, &String)], found: &mut Findings) {
    for (key, value) in keys {
        if value.is_empty() {
            found.lack(format!("models/data.toml says nothing of {of} under `{key}`; fill it in"));
        } else if matches!(*key, "from" | "paper") && !value.starts_with("https://") {
            found.lack(format!("models/data.toml: `{key}` of {of} is no https address; give one"));
        }
    }
}
