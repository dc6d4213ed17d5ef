//! What stands behind the web pages.

use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use jibu_types::Language;
use jibu_web::{AskError, Asked, Health, Question, Site};

use crate::answering::ask_once;
use crate::config::Config;
use crate::library::Library;
use crate::spooling::Told;
use crate::vitals::Vitals;

/// The daemon as its web server sees it.
#[derive(Clone)]
pub struct Appliance {
    /// The configuration.
    pub config: Arc<Config>,
    /// The index; kiosk questions take turns.
    pub library: Arc<Mutex<Library>>,
    /// The daemon's own state.
    pub vitals: Arc<Vitals>,
    /// The writer of the audit trail.
    pub told: Sender<Told>,
}

impl Site for Appliance {
    async fn ask(&self, question: Question) -> Result<Asked, AskError> {
        let this = self.clone();
        // Embedding takes a core for a while; the runtime's threads must not wait.
        let asked = tokio::task::spawn_blocking(move || this.ask_now(&question)).await;
        match asked {
            Ok(Ok(asked)) => Ok(asked),
            Ok(Err(error)) => {
                tracing::error!(error = format!("{error:#}"), "a kiosk question was not answered");
                Err(AskError::TryAgain("the index or the models do not work".into()))
            }
            Err(_) => Err(AskError::TryAgain("the answer was interrupted".into())),
        }
    }

    fn health(&self) -> Health {
        self.vitals.health()
    }

    fn metrics(&self) -> String {
        self.vitals.metrics()
    }

    fn status(&self) -> serde_json::Value {
        let mut status = self.vitals.status();
        let library = self.library.lock().unwrap_or_else(PoisonError::into_inner);
        if let (Ok(versions), Some(fields)) = (library.versions(), status.as_object_mut()) {
            fields.insert("index_version".into(), serde_json::json!(versions));
        }
        status
    }

    fn languages(&self) -> Vec<Language> {
        self.config.languages.clone()
    }
}

impl Appliance {
    fn ask_now(&self, question: &Question) -> anyhow::Result<Asked> {
        let begun = Instant::now();
        let mut library = self.library.lock().unwrap_or_else(PoisonError::into_inner);
        let asked = ask_once(&mut library, &self.config, question)?;
        drop(library);
        self.vitals.answered(question.channel, asked.language, &asked.kind, begun.elapsed());
        let details = serde_json::json!({
            "channel": question.channel.as_str(),
            "kind": asked.kind,
            "language": asked.language,
            "passages": asked.citations.iter().map(|c| c.passage).collect::<Vec<_>>(),
        });
        // The spool thread ends with the daemon only.
        let _ = self.told.send(Told::Record { event: "asked at the box", details });
        Ok(asked)
    }
}
