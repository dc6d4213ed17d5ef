use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use clap::{Args, Subcommand};
use jibu_store::{ContentReader, Edition};
use jibu_types::CollectionName;

use super::{Configured, print, print_json};
use crate::index::follower::Stores;
use crate::index::import::{Outcome, import};
use crate::library::Engine;

/// List, verify, import or revert index versions.
#[derive(Debug, Subcommand)]
pub(super) enum Index {
    /// The versions that are here and where they stand.
    List(List),
    /// Look for everything that can be wrong with the index.
    Verify(Verify),
    /// Verify a bundle from the hub, embed it, try it, and answer from it.
    Import(Import),
    /// Go back to the version before.
    Revert(Revert),
}

#[derive(Debug, Args)]
pub(super) struct List {
    /// JSON instead of lines.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    configured: Configured,
}

#[derive(Debug, Args)]
pub(super) struct Verify {
    /// JSON instead of lines.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    configured: Configured,
}

#[derive(Debug, Args)]
pub(super) struct Import {
    /// A file that `jibu-hub bundle` has written.
    #[arg(value_name = "F")]
    bundle: PathBuf,
    /// JSON instead of a sentence.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    configured: Configured,
}

#[derive(Debug, Args)]
pub(super) struct Revert {
    /// Which collection; needed where there are several.
    #[arg(value_name = "COLLECTION")]
    collection: Option<CollectionName>,
    #[command(flatten)]
    configured: Configured,
}

impl Index {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Index::List(list) => list.run(),
            Index::Verify(verify) => verify.run(),
            Index::Import(import) => import.run(),
            Index::Revert(revert) => revert.run(),
        }
    }
}

impl List {
    fn run(self) -> anyhow::Result<ExitCode> {
        let config = self.configured.load()?;
        let editions = ContentReader::open(config.content_db())?.editions()?;
        if self.json {
            print_json(&editions)?;
        } else if editions.is_empty() {
            print("no index yet: bring one with jibud index import")?;
        } else {
            editions.iter().try_for_each(|edition| print(&line(edition)))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn line(edition: &Edition) -> String {
    let state = format!("{:?}", edition.state).to_lowercase();
    let since = edition.activated_at.map(|at| format!(", since {at}")).unwrap_or_default();
    let failure = edition.failure.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
    format!(
        "{} {}: {state}{since}, {} passages{failure}",
        edition.collection, edition.version, edition.passages
    )
}

impl Verify {
    fn run(self) -> anyhow::Result<ExitCode> {
        let config = self.configured.load()?;
        let reader = ContentReader::open(config.content_db())?;
        let findings: Vec<String> = reader.verify()?.iter().map(ToString::to_string).collect();
        if self.json {
            print_json(&serde_json::json!({ "findings": findings }))?;
        } else if findings.is_empty() {
            print(&format!("ok: {} passages", reader.passage_count()?))?;
        } else {
            findings.iter().try_for_each(|finding| print(finding))?;
        }
        Ok(if findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
    }
}

impl Import {
    fn run(self) -> anyhow::Result<ExitCode> {
        let config = Arc::new(self.configured.load()?);
        let file = self.bundle.display();
        let bytes =
            std::fs::read(&self.bundle).with_context(|| format!("{file} cannot be read"))?;
        let engine = Arc::new(Engine::open(&config.models)?);
        let mut stores = Stores::open(&config)?;
        let outcome = import(&config, &engine, &mut stores, &bytes)
            .with_context(|| format!("{file} was not imported"))?;
        if self.json {
            print_json(&outcome)?;
        } else {
            print(&sentence(&outcome))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn sentence(outcome: &Outcome) -> String {
    let Outcome { collection, version, passages, embedded, already_active, golden, .. } = outcome;
    if *already_active {
        return format!("{collection} {version} is answered from already");
    }
    format!(
        "{collection} {version} is now answered from: {passages} passages, {embedded} of them \
         embedded here; {} of {} golden queries found their document",
        golden.found, golden.asked
    )
}

impl Revert {
    fn run(self) -> anyhow::Result<ExitCode> {
        let config = self.configured.load()?;
        let mut stores = Stores::open(&config)?;
        let collection = match self.collection {
            Some(collection) => collection,
            None => {
                let active = stores.active_editions()?;
                let [only] = active.as_slice() else {
                    let names: Vec<String> =
                        active.iter().map(|edition| edition.collection.to_string()).collect();
                    anyhow::bail!("say which collection: {}", names.join(", "));
                };
                only.collection.clone()
            }
        };
        let version = stores.revert(&collection)?;
        print(&format!("{collection} is answered from version {version} again"))?;
        Ok(ExitCode::SUCCESS)
    }
}
