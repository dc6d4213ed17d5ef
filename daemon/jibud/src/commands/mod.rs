//! `jibud`'s command line.

#![allow(clippy::print_stdout, reason = "the commands speak to a terminal or a pipe")]

mod ask;
mod check;
mod enrol;
mod index;
mod messages;
mod pdu;
mod search;
mod status;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::config::Config;

/// Answers people's questions by SMS, by USSD and at a kiosk, without a network.
#[derive(Debug, Parser)]
#[command(name = "jibud", version, after_help = EXIT_CODES)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str =
    "Exit status: 0 done; 1 a finding or a failure, with a sentence on stderr; 2 wrong usage.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the daemon until SIGTERM or Ctrl-C.
    Run(Configured),
    /// Ask one question through the whole pipeline; nothing of it is kept.
    Ask(ask::Ask),
    /// Show the passages that are found for a text, best first.
    Search(search::Search),
    /// Look at configuration, modem, models, stores, clock and disk; a line each.
    Check(check::Check),
    /// Show what the running daemon says of itself.
    Status(status::Status),
    /// Become a site of a hub.
    Enrol(enrol::Enrol),
    /// List, verify, import or revert index versions.
    #[command(subcommand)]
    Index(index::Index),
    /// Show the spool and its audit trail, numbers masked.
    Messages(messages::Messages),
    /// Decode PDUs and +CUSD lines, one JSON object a line.
    Pdu(pdu::Pdus),
}

/// Which configuration.
#[derive(Debug, Args)]
struct Configured {
    /// The configuration file [default: ./jibu.toml, then /etc/jibu/jibu.toml].
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl Configured {
    fn load(&self) -> anyhow::Result<Config> {
        Ok(Config::load(self.config.as_deref())?)
    }
}

impl Arguments {
    /// Does what was asked for.
    ///
    /// # Errors
    /// When it cannot be done; the chain of causes reads as one sentence.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            Command::Run(configured) => crate::run::run(configured.load()?),
            Command::Ask(ask) => ask.run(),
            Command::Search(search) => search.run(),
            Command::Check(check) => check.run(),
            Command::Status(status) => status.run(),
            Command::Enrol(enrol) => enrol.run(),
            Command::Index(index) => index.run(),
            Command::Messages(messages) => messages.run(),
            Command::Pdu(pdus) => pdus.run(),
        }
    }
}

/// Prints for a program or for a person. A reader that has gone away, as `head`
/// does, is no failure.
fn print(text: &str) -> anyhow::Result<()> {
    match writeln!(std::io::stdout(), "{text}") {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}

fn print_json(value: &impl serde::Serialize) -> anyhow::Result<()> {
    print(&serde_json::to_string_pretty(value)?)
}
