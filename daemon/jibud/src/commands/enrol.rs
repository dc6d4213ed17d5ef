use std::io::Read as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use jibu_sync::enrol::{Grant, Invitation};

use super::{Configured, print};
use crate::config::Address;
use crate::hub::enrol;

/// Become a site of a hub.
///
/// Its admin makes an invitation with `jibu-hub site add`. Over a link:
/// `jibud enrol INVITATION`. Without one: `--request FILE` writes what a stick
/// carries to the hub, and `--answer FILE` takes what it brings back.
#[derive(Debug, Args)]
pub(super) struct Enrol {
    /// What the hub's admin wrote down, or - to read it from standard input.
    invitation: String,
    /// Write the request to a file instead of sending it.
    #[arg(long, value_name = "FILE", conflicts_with = "answer")]
    request: Option<PathBuf>,
    /// Take the hub's answer from a file.
    #[arg(long, value_name = "FILE")]
    answer: Option<PathBuf>,
    /// Where strangers are let in, if that is not hub.broker: a broker that is not
    /// the hub's own has a listener of its own for them.
    #[arg(long, value_name = "URL", value_parser = Address::parse, conflicts_with_all = ["request", "answer"])]
    broker: Option<Address>,
    #[command(flatten)]
    configured: Configured,
}

impl Enrol {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let config = self.configured.load()?;
        let mut text = self.invitation;
        if text == "-" {
            text.clear();
            std::io::stdin().read_to_string(&mut text).context("standard input")?;
        }
        let invitation = Invitation::parse(text.trim())?;
        if let Some(file) = self.request {
            let shown = file.display();
            std::fs::write(&file, enrol::request(&config, &invitation)?)
                .with_context(|| format!("{shown} cannot be written"))?;
            print(&format!(
                "{shown}: carry it to the hub (jibu-hub site enrol), and what it writes back here"
            ))?;
            return Ok(ExitCode::SUCCESS);
        }
        let grant = match self.answer {
            Some(file) => {
                let bytes = std::fs::read(&file)
                    .with_context(|| format!("{} cannot be read", file.display()))?;
                enrol::accept(&config, &invitation, &bytes)?
            }
            None => {
                let configured = config.link.as_ref().map(|link| &link.address);
                let broker = self.broker.as_ref().or(configured).context(
                    "no broker is configured: set hub.broker, or enrol by a stick with --request",
                )?;
                enrol::over_link(&config, broker, &invitation)?
            }
        };
        print(&sentence(&grant))?;
        Ok(ExitCode::SUCCESS)
    }
}

fn sentence(grant: &Grant) -> String {
    let collections: Vec<&str> = grant.collections.iter().map(|name| name.as_str()).collect();
    let may = match collections.as_slice() {
        [] => "may read no collection yet".to_owned(),
        names => format!("may read {}", names.join(", ")),
    };
    format!(
        "this box is {} of the hub {}; it {may}; its certificate is good until {}",
        grant.site, grant.hub, grant.until
    )
}
