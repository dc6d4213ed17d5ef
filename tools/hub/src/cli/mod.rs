mod condition;
mod show;
mod site;

use std::error::Error;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand};
use jibu_types::{CollectionName, IndexVersion, Language, Timestamp};

use self::show::{
    greet, print, show_answered, show_bundle, show_ingest, show_list, show_publish, show_questions,
    show_rollouts,
};
use crate::authority::DAY;
use crate::{Hub, HubError, Plan, Terms};

pub(crate) use self::show::counted;

/// The hub of a Jibu fleet: takes documents in and gives signed bundles out.
#[derive(Debug, Parser)]
#[command(name = "jibu-hub", version)]
pub struct Cli {
    /// The hub's folder: hub.key (keep it secret, keep a backup), hub.db, and
    /// hub.toml where something is set.
    #[arg(long, value_name = "DIR", default_value = "hub-data", global = true)]
    data: PathBuf,

    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Makes the hub's folder and key, or shows the public key of the hub that
    /// is there.
    Init {
        /// Begins anew with the old key after the database was lost; higher
        /// than any epoch that sites have seen.
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
        epoch: Option<u32>,
    },
    /// Takes documents into a collection: Markdown, plain text, HTML and CSV
    /// files, or folders of them. Those that are there already are replaced.
    Ingest {
        /// The collection, such as health-sw; made when it is not there.
        collection: CollectionName,
        /// Files and folders.
        #[arg(required = true)]
        paths: Vec<PathBuf>,
        /// The language of documents that do not say theirs.
        #[arg(long, value_name = "LANG")]
        lang: Option<Language>,
        /// Takes out every document that is not in PATHS.
        #[arg(long)]
        prune: bool,
        /// Prints the result as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Writes a collection as a signed bundle for `jibud index import`.
    Bundle {
        /// The collection.
        collection: CollectionName,
        /// The file to write.
        #[arg(long, value_name = "F")]
        out: PathBuf,
        /// Prints the result as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Makes the documents' present state the version that sites are to have.
    /// Prints what it costs each of them.
    Publish {
        /// The collection.
        collection: CollectionName,
        /// Prints what it would cost, and publishes nothing.
        #[arg(long)]
        dry_run: bool,
        /// Publishes even where it costs a site more than its budget.
        #[arg(long)]
        over_budget: bool,
        /// Publishes an older version's content again, as the newest version.
        #[arg(long, value_name = "VERSION", value_parser = version)]
        roll_back_to: Option<IndexVersion>,
        /// Sites begin to worry after so many days without anything newer.
        #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=36500))]
        expires: Option<u32>,
        /// Begins a new epoch above this version, which sites have had and this
        /// hub does not know.
        #[arg(long, value_name = "VERSION", value_parser = version)]
        above: Option<IndexVersion>,
        #[command(flatten)]
        rollout: RolloutOptions,
        /// Prints the result as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Roll-outs: versions that go to some sites first.
    #[command(subcommand)]
    Rollout(RolloutCommand),
    /// Serves what is published until SIGTERM or Ctrl-C: brings its own broker
    /// along, or goes to the one that [broker] in hub.toml names. Several may
    /// serve one state.
    Serve,
    /// Lets only sites of some groups read a collection.
    Entitle {
        /// The collection.
        collection: CollectionName,
        /// A group; several are given by several --group.
        #[arg(long = "group", value_name = "GROUP", value_parser = site::group, required_unless_present = "everyone")]
        groups: Vec<String>,
        /// Lets every site read it.
        #[arg(long, conflicts_with = "groups")]
        everyone: bool,
    },
    /// Lists the questions that wait for an answer: those for a person first.
    Questions {
        /// Also those that have an answer.
        #[arg(long)]
        all: bool,
        /// Prints the list as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Answers a question: whoever waits for it gets a message, and the next who
    /// asks finds it in the collection, from its next version on.
    Answer {
        /// The question's number.
        id: i64,
        /// The answer.
        #[arg(long)]
        text: String,
        /// The collection to put it in.
        #[arg(long)]
        collection: Option<CollectionName>,
        /// The question as it should stand there, if not as it was asked.
        #[arg(long, requires = "collection")]
        question: Option<String>,
        /// Prints the result as JSON.
        #[arg(long)]
        json: bool,
    },
    /// The sites: who may connect, and what each runs.
    #[command(subcommand)]
    Site(site::Command),
    /// Lists the collections.
    List {
        /// Prints the list as JSON.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
enum RolloutCommand {
    /// Lists each collection's last roll-out, and how far it is.
    List {
        /// Prints the list as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Stops a roll-out: no other site gets the version.
    Stop {
        /// The collection.
        collection: CollectionName,
    },
    /// Ends a roll-out early: every site gets the version.
    Promote {
        /// The collection.
        collection: CollectionName,
    },
}

#[derive(Debug, Args)]
struct RolloutOptions {
    /// A site or group that gets the version first; several are given by several
    /// --canary.
    #[arg(long = "canary", value_name = "SITE|GROUP", value_parser = site::group)]
    canaries: Vec<String>,
    /// The shares of all sites that get it after them, in per cent, such as
    /// 10,50; everybody follows.
    #[arg(long, value_delimiter = ',', value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(1..100))]
    steps: Vec<u8>,
    /// Hours that each step lasts at least.
    #[arg(long, value_name = "N", default_value_t = 24, value_parser = clap::value_parser!(u32).range(0..=8760))]
    wait_hours: u32,
    /// It stops by itself when more than this share of the sites that got it
    /// gave it up, in per cent.
    #[arg(long, value_name = "PERCENT", default_value_t = 5, value_parser = clap::value_parser!(u8).range(0..=100))]
    max_failures: u8,
}

impl RolloutOptions {
    /// The plan, where canaries or steps are named.
    fn plan(&self) -> Option<Plan> {
        let mut steps = self.steps.clone();
        steps.sort_unstable();
        (!self.canaries.is_empty() || !steps.is_empty()).then(|| Plan {
            canaries: self.canaries.clone(),
            steps,
            wait_s: u64::from(self.wait_hours) * 3600,
            max_failures: self.max_failures,
        })
    }
}

/// Runs a command; results go to `out`, what was wrong to `err`. Whether all
/// went well.
///
/// # Errors
/// When `out` or `err` cannot be written.
pub fn run(
    cli: &Cli,
    now: Timestamp,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> io::Result<bool> {
    match execute(cli, now, out, err) {
        Ok(done) => done,
        Err(error) => {
            writeln!(err, "jibu-hub: {}", sentence(&error))?;
            Ok(false)
        }
    }
}

/// An error with its causes, as one sentence.
pub fn sentence(error: &dyn Error) -> String {
    let mut sentence = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        sentence = format!("{sentence} ({error})");
        cause = error.source();
    }
    sentence
}

impl Cli {
    /// The hub's folder, where the command is to serve: it runs until it is told
    /// to end, with a clock of its own (see [`crate::serve`]).
    pub fn serves(&self) -> Option<&Path> {
        matches!(self.command, Command::Serve).then_some(&self.data)
    }
}

fn execute(
    cli: &Cli,
    now: Timestamp,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<io::Result<bool>, HubError> {
    Ok(match &cli.command {
        Command::Init { epoch } => {
            let (hub, is_new) = Hub::init(&cli.data, *epoch)?;
            if is_new { greet(cli, &hub, out) } else { writeln!(out, "{}", hub.public_key()) }
                .map(|()| true)
        }
        Command::Ingest { collection, paths, lang, prune, json } => {
            let (mut hub, is_new) = Hub::init(&cli.data, None)?;
            let report = hub.ingest(collection, paths, *lang, *prune)?;
            // With --json the greeting must not stand in the JSON.
            let greeting = match (is_new, json) {
                (true, true) => greet(cli, &hub, err),
                (true, false) => greet(cli, &hub, out),
                (false, _) => Ok(()),
            };
            greeting
                .and_then(
                    |()| {
                        if *json { print(&report, out) } else { show_ingest(&report, out, err) }
                    },
                )
                .map(|()| report.faults.is_empty())
        }
        Command::Bundle { collection, out: file, json } => {
            let report = Hub::open(&cli.data)?.bundle(collection, file, now)?;
            if *json { print(&report, out) } else { show_bundle(&report, out) }.map(|()| true)
        }
        Command::Publish {
            collection,
            dry_run,
            over_budget,
            roll_back_to,
            expires,
            above,
            rollout,
            json,
        } => {
            let terms = Terms {
                expires: expires.map(|days| now + DAY * days),
                roll_back_to: *roll_back_to,
                above: *above,
                rollout: rollout.plan(),
            };
            let mut hub = Hub::open(&cli.data)?;
            let report = hub.publish(collection, &terms, *dry_run, *over_budget, now)?;
            if *json { print(&report, out) } else { show_publish(&report, out) }.map(|()| true)
        }
        Command::Rollout(command) => {
            let mut hub = Hub::open(&cli.data)?;
            match command {
                RolloutCommand::List { json } => {
                    let list = hub.rollouts(now)?;
                    if *json { print(&list, out) } else { show_rollouts(&list, out) }
                }
                RolloutCommand::Stop { collection } => {
                    hub.end_rollout(collection, false)?;
                    writeln!(
                        out,
                        "{collection}: stopped; sites that have the version keep it until the next"
                    )
                }
                RolloutCommand::Promote { collection } => {
                    hub.end_rollout(collection, true)?;
                    writeln!(out, "{collection}: for every site")
                }
            }
            .map(|()| true)
        }
        // It is started where the process' clock and signals are: `main`.
        Command::Serve => writeln!(err, "jibu-hub: serve runs as a program").map(|()| false),
        Command::Entitle { collection, groups, everyone: _ } => {
            Hub::open(&cli.data)?.entitle(collection, groups)?;
            let who = if groups.is_empty() { "every site".to_owned() } else { groups.join(", ") };
            writeln!(out, "{collection}: for {who}").map(|()| true)
        }
        Command::Questions { all, json } => {
            let questions = Hub::open(&cli.data)?.questions(*all)?;
            if *json { print(&questions, out) } else { show_questions(&questions, out) }
                .map(|()| true)
        }
        Command::Answer { id, text, collection, question, json } => {
            let mut hub = Hub::open(&cli.data)?;
            let answered = hub.answer(*id, text, collection.as_ref(), question.as_deref(), now)?;
            if *json { print(&answered, out) } else { show_answered(&answered, out) }.map(|()| true)
        }
        Command::Site(command) => {
            return site::execute(command, &mut Hub::open(&cli.data)?, now, out);
        }
        Command::List { json } => {
            let list = Hub::open(&cli.data)?.collections()?;
            if *json { print(&list, out) } else { show_list(&list, out) }.map(|()| true)
        }
    })
}

/// A version as `1.57`.
fn version(text: &str) -> Result<IndexVersion, String> {
    let parts = text.split_once('.').and_then(|(epoch, version)| {
        Some(IndexVersion { epoch: epoch.parse().ok()?, version: version.parse().ok()? })
    });
    parts.ok_or_else(|| "an epoch and a version are wanted, such as 1.57".to_owned())
}
