use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use jibu_types::{Channel, Language};
use jibu_web::Question;

use super::{Configured, print, print_json};
use crate::answering::ask_once;
use crate::library::{Engine, Library};

/// Ask one question through the whole pipeline; nothing of it is kept.
#[derive(Debug, Args)]
pub(super) struct Ask {
    /// The question.
    #[arg(value_name = "TEXT")]
    text: String,
    /// The language to answer in [default: the one that the question shows].
    #[arg(long, value_name = "L")]
    lang: Option<Language>,
    /// The channel to fit the answer to: sms, ussd or kiosk.
    #[arg(long, default_value = "sms")]
    channel: Channel,
    /// JSON: answer, kind, pages, language, citations, index_version, timings_ms.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    configured: Configured,
}

impl Ask {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let config = self.configured.load()?;
        let engine = Arc::new(Engine::open(&config.models)?);
        let mut library = Library::open(&config, engine)?;
        let question = Question { text: self.text, language: self.lang, channel: self.channel };
        let asked = ask_once(&mut library, &config, &question)?;
        if self.json {
            print_json(&asked)?;
        } else {
            asked.pages.iter().try_for_each(|page| print(page))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
