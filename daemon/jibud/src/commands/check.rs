//! `jibud check`.

mod modem;

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use jibu_store::{ContentReader, StateReader};
use jibu_types::PhoneNumber;
use serde::Serialize;

use super::{Configured, print, print_json};
use crate::clock::{calendar, now};
use crate::config::Config;
use crate::hub::credentials::Credentials;
use crate::library::Engine;

/// Look at configuration, modem, models, stores, clock and disk; a line each.
#[derive(Debug, Args)]
pub(super) struct Check {
    /// The modems alone, a line for each thing that they need; or the one of this name.
    #[arg(long, value_name = "NAME", num_args = 0..=1)]
    modem: Option<Option<String>>,
    /// Send a test message to this number, by the first modem or the one named.
    #[arg(long, value_name = "NUMBER", value_parser = number)]
    send: Option<PhoneNumber>,
    /// JSON instead of lines.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    configured: Configured,
}

/// What was found about one thing.
#[derive(Debug, Serialize)]
struct Line {
    what: String,
    ok: bool,
    says: String,
}

impl Line {
    fn of(what: impl Into<String>, found: Result<String, String>) -> Line {
        let ok = found.is_ok();
        Line { what: what.into(), ok, says: found.unwrap_or_else(|fault| fault) }
    }
}

impl Check {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let config = self.configured.load()?;
        let mut lines = match self.modem.is_some() || self.send.is_some() {
            true => Vec::new(),
            false => around(&config),
        };
        self.modems(&config, &mut lines)?;
        self.smscs(&config, &mut lines)?;
        if self.json {
            print_json(&lines)?;
        } else {
            for Line { what, ok, says } in &lines {
                print(&format!("{:<4} {what}: {says}", if *ok { "ok" } else { "!!" }))?;
            }
        }
        let all_ok = lines.iter().all(|line| line.ok);
        Ok(if all_ok { ExitCode::SUCCESS } else { ExitCode::from(1) })
    }

    fn modems(&self, config: &Config, lines: &mut Vec<Line>) -> anyhow::Result<()> {
        let named = self.modem.as_ref().and_then(Option::as_deref);
        let is_named = |name: &str| named.is_none_or(|named| named == name);
        let mut modems =
            config.modems.iter().filter(|modem| is_named(&modem.driver.name)).peekable();
        if modems.peek().is_none() && !config.smpp.iter().any(|smpp| is_named(&smpp.link.name)) {
            let fault = match named {
                Some(_) => "there is no such modem in the configuration",
                None => {
                    "none is configured: add a [[modem]] table, or people can ask at the kiosk only"
                }
            };
            let what = named.map_or("modem".to_owned(), |name| format!("modem {name}"));
            lines.push(Line::of(what, Err(fault.into())));
        }
        let daemon_runs = daemon_runs(config);
        let mut send_to = self.send.as_ref();
        for modem in modems {
            if daemon_runs {
                let what = format!("modem {}", modem.driver.name);
                let found = match self.modem.is_some() || self.send.is_some() {
                    false => Ok("in use by the running daemon: see jibud status".into()),
                    true => Err("the running daemon uses it: see jibud status, or stop it \
                                 (systemctl stop jibud) and check again"
                        .into()),
                };
                lines.push(Line::of(what, found));
                continue;
            }
            lines.extend(modem::look_at(modem, config, send_to.take())?);
        }
        Ok(())
    }
}

impl Check {
    /// Whether each SMSC lets us in. A test message goes by a modem only.
    fn smscs(&self, config: &Config, lines: &mut Vec<Line>) -> anyhow::Result<()> {
        let named = self.modem.as_ref().and_then(Option::as_deref);
        let smscs = config.smpp.iter().filter(|smpp| named.is_none_or(|n| n == smpp.link.name));
        let daemon_runs = daemon_runs(config);
        for smpp in smscs {
            let what = format!("SMSC {}", smpp.link.name);
            if daemon_runs {
                // A second bind might throw the daemon out.
                let says = "in use by the running daemon: see jibud status";
                lines.push(Line::of(what, Ok(says.into())));
                continue;
            }
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let found = runtime.block_on(jibu_smpp::examine(smpp.link.clone()));
            runtime.shutdown_background();
            lines.push(Line::of(what, found.map(|name| format!("\"{name}\" lets us in"))));
            if self.send.is_some() && config.modems.is_empty() {
                let fault = "a test message leaves by a modem only: send HELP to smpp.source";
                lines.push(Line::of("test message", Err(fault.into())));
            }
        }
        Ok(())
    }
}

fn number(text: &str) -> Result<PhoneNumber, String> {
    // The number itself is not repeated.
    PhoneNumber::parse(text).map_err(|error| error.to_string())
}

/// Everything but the modems.
fn around(config: &Config) -> Vec<Line> {
    vec![
        Line::of("configuration", Ok(config.file.display().to_string())),
        Line::of("hub", hub(config)),
        Line::of("clock", clock()),
        Line::of("disk", disk(&config.data)),
        Line::of("models", models(config)),
        Line::of("messages", state(config)),
        Line::of("index", content(config)),
    ]
}

fn hub(config: &Config) -> Result<String, String> {
    let (site, key) = crate::hub::trusted(config).map_err(|error| format!("{error:#}"))?;
    let Some(link) = &config.link else {
        return Ok(format!("bundles of {key} are accepted; no broker is configured"));
    };
    let own = Credentials::read(&config.credentials).map_err(|error| error.to_string())?;
    if own.until < now() {
        let until = own.until;
        return Err(format!("the certificate was good until {until}: enrol again (jibud enrol)"));
    }
    Ok(format!("{site} of {key}, at {}:{}", link.address.host, link.address.port))
}

fn clock() -> Result<String, String> {
    let now = now();
    if calendar().is_none() {
        return Err(format!("it is not {now}: set the clock, or give the box a battery clock"));
    }
    Ok(now.to_string())
}

/// Below this the spool cannot be trusted to grow.
const LEAST_FREE_MB: u64 = 100;

fn disk(data: &Path) -> Result<String, String> {
    let shown = data.display();
    let there = data.ancestors().find(|folder| folder.exists()).unwrap_or(data);
    let space = rustix::fs::statvfs(there)
        .map_err(|error| format!("{shown} cannot be looked at: {error}"))?;
    let free = space.f_bavail.saturating_mul(space.f_frsize) / 1_000_000;
    if free < LEAST_FREE_MB {
        return Err(format!(
            "{free} MB are free for {shown}; messages need {LEAST_FREE_MB}: delete something else"
        ));
    }
    if !data.exists() {
        return Ok(format!("{free} MB free; {shown} will be made"));
    }
    // Permissions, read-only mounts and quotas are all one to whoever writes.
    let probe = data.join(".jibud-check");
    match std::fs::write(&probe, b"jibu").and_then(|()| std::fs::remove_file(&probe)) {
        Ok(()) => Ok(format!("{free} MB free in {shown}")),
        Err(error) => Err(format!("{shown} cannot be written: {error}")),
    }
}

fn models(config: &Config) -> Result<String, String> {
    match Engine::open(&config.models) {
        Ok(_) => Ok(format!("{} has what its manifest names", config.models.display())),
        Err(error) => Err(format!("{error:#}")),
    }
}

fn state(config: &Config) -> Result<String, String> {
    let file = config.state_db();
    if !file.exists() {
        return Ok("none yet: state.db is made at the first start".into());
    }
    let look = || -> Result<String, jibu_store::StoreError> {
        let store = StateReader::open(&file)?;
        if let Some(fault) = store.quick_check()? {
            return Ok(format!("damaged: {fault}"));
        }
        let counts = store.counts()?;
        Ok(format!("{} kept, {} parts", sum(&counts.messages), sum(&counts.parts)))
    };
    match look() {
        Ok(says) if says.starts_with("damaged") => Err(says),
        Ok(says) => Ok(says),
        Err(error) => Err(error.to_string()),
    }
}

fn sum(counts: &std::collections::BTreeMap<String, u64>) -> u64 {
    counts.values().sum()
}

fn content(config: &Config) -> Result<String, String> {
    let none = "none yet: bring one with jibud index import";
    let file = config.content_db();
    if !file.exists() {
        return Err(none.into());
    }
    let look = || -> Result<String, jibu_store::StoreError> {
        let active = ContentReader::open(&file)?.active_editions()?;
        let lines = active.iter().map(|edition| {
            format!("{} {} ({} passages)", edition.collection, edition.version, edition.passages)
        });
        Ok(lines.collect::<Vec<_>>().join(", "))
    };
    match look() {
        Ok(says) if says.is_empty() => Err(none.into()),
        Ok(says) => Ok(says),
        Err(error) => Err(error.to_string()),
    }
}

fn daemon_runs(config: &Config) -> bool {
    config.listen.is_some_and(|address| {
        std::net::TcpStream::connect_timeout(&address, Duration::from_millis(500)).is_ok()
    })
}
