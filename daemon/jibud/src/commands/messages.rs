use std::fmt::Write;
use std::process::ExitCode;

use anyhow::bail;
use clap::Args;
use jibu_spool::MessageId;
use jibu_store::{MessageFilter, MessageView, StateReader};

use super::{Configured, print, print_json};

/// Show the spool and its audit trail, numbers masked.
#[derive(Debug, Args)]
pub(super) struct Messages {
    /// One message alone, with its parts and citations.
    #[arg(long, value_name = "I")]
    id: Option<i64>,
    /// How many of the newest.
    #[arg(long, short = 'n', default_value_t = 20)]
    newest: usize,
    /// JSON instead of lines.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    configured: Configured,
}

impl Messages {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let config = self.configured.load()?;
        let store = StateReader::open(config.state_db())?;
        let filter = match self.id {
            Some(id) => MessageFilter::Id(MessageId(id)),
            None => MessageFilter::Newest(self.newest),
        };
        let messages = store.messages(filter)?;
        if let (Some(id), true) = (self.id, messages.is_empty()) {
            bail!("there is no message {id}");
        }
        if self.json {
            print_json(&messages)?;
        } else {
            for message in &messages {
                print(&line(message))?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn line(message: &MessageView) -> String {
    let sender = message.sender.as_deref().unwrap_or("a name");
    let answer = message.answer.as_ref().map_or("", |answer| answer.kind.as_str());
    let mut line = format!(
        "{:>6}  {}  {:<8} from {sender}  {} {answer}",
        message.id, message.received_at, message.channel, message.state
    );
    for part in &message.parts {
        let why = part.why.as_deref().map(|why| format!(" ({why})")).unwrap_or_default();
        // Writing to a String cannot fail.
        let _ = write!(
            line,
            "\n        part {} to {}: {} {}, {} tries{why}",
            part.sequence + 1,
            part.recipient,
            part.state,
            part.at,
            part.attempts
        );
    }
    line
}
