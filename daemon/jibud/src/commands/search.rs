use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use jibu_store::Scope;
use jibu_types::Language;
use serde_json::json;

use super::{Configured, print, print_json};
use crate::library::{Engine, Library, Mode};

/// Show the passages that are found for a text, best first.
#[derive(Debug, Args)]
pub(super) struct Search {
    /// What to look for.
    #[arg(value_name = "TEXT")]
    text: String,
    /// How many passages.
    #[arg(short = 'k', default_value_t = 10)]
    most: usize,
    /// The text's language [default: the one that it shows].
    #[arg(long, value_name = "L")]
    lang: Option<Language>,
    /// JSON: a list with passage, probability, score, title, document and text.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    configured: Configured,
}

impl Search {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let config = self.configured.load()?;
        let engine = Arc::new(Engine::open(&config.models)?);
        let query = engine.query(&self.text, self.lang, &config);
        let mut library = Library::open(&config, engine)?;
        let found = library.search(&query, Scope::Active, Mode::Full, self.most)?;
        if self.json {
            let rows = found.candidates.iter().map(|candidate| {
                json!({
                    "passage": candidate.id,
                    "probability": candidate.probability,
                    "score": candidate.score,
                    "collection": candidate.passage.collection,
                    "document": candidate.passage.document,
                    "title": candidate.passage.heading(),
                    "language": candidate.passage.language,
                    "text": candidate.passage.text,
                })
            });
            print_json(&rows.collect::<Vec<_>>())?;
        } else {
            for (rank, candidate) in (1..).zip(&found.candidates) {
                let percent = 100.0 * candidate.probability;
                let heading = candidate.passage.heading();
                let language = candidate.passage.language;
                print(&format!("{rank:>3}. {percent:>3.0} %  [{language}] {heading}"))?;
                print(&format!("            {}", candidate.passage.text.replace('\n', " ")))?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
