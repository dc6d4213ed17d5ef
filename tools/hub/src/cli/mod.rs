use std::error::Error;
use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Parser, Subcommand};
use jibu_types::{CollectionName, Language, Timestamp};
use serde::Serialize;

use crate::{BundleReport, CollectionSummary, Hub, HubError, IngestReport};

/// The hub of a Jibu fleet: takes documents in and gives signed bundles out.
#[derive(Debug, Parser)]
#[command(name = "jibu-hub", version)]
pub struct Cli {
    /// The hub's folder: hub.key (keep it secret, keep a backup) and hub.db.
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
    /// Lists the collections.
    List {
        /// Prints the list as JSON.
        #[arg(long)]
        json: bool,
    },
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
            let mut sentence = error.to_string();
            let mut cause = error.source();
            while let Some(error) = cause {
                sentence = format!("{sentence} ({error})");
                cause = error.source();
            }
            writeln!(err, "jibu-hub: {sentence}")?;
            Ok(false)
        }
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
        Command::List { json } => {
            let list = Hub::open(&cli.data)?.collections()?;
            if *json { print(&list, out) } else { show_list(&list, out) }.map(|()| true)
        }
    })
}

fn print<T: Serialize>(value: &T, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value)?;
    writeln!(out)
}

fn greet(cli: &Cli, hub: &Hub, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "a new hub in {folder}\n\
         its public key, for hub.public_key of every site:\n  {key}\n\
         keep {folder}/hub.key secret and keep a backup of the folder",
        folder = cli.data.display(),
        key = hub.public_key(),
    )
}

fn show_ingest(report: &IngestReport, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<()> {
    for fault in &report.faults {
        writeln!(err, "{}: {}", fault.path, fault.problem)?;
    }
    for path in &report.skipped {
        writeln!(out, "left aside, no kind of document: {path}")?;
    }
    for path in &report.missing {
        writeln!(out, "no longer in its folder, kept (--prune takes it out): {path}")?;
    }
    let IngestReport { collection, added, changed, unchanged, removed, faults, .. } = report;
    writeln!(
        out,
        "{collection}: {} added, {} changed, {unchanged} unchanged, {} removed",
        added.len(),
        changed.len(),
        removed.len(),
    )?;
    let repeated = match report.repeated {
        0 => String::new(),
        count => format!(" ({count} that stand twice left out)"),
    };
    writeln!(
        out,
        "it now has {}, {}{repeated} and {}",
        counted(report.documents, "document"),
        counted(report.passages, "passage"),
        counted(report.golden, "golden query"),
    )?;
    if !faults.is_empty() {
        writeln!(err, "{}: correct and ingest again", counted(faults.len(), "fault"))?;
    }
    Ok(())
}

fn show_bundle(report: &BundleReport, out: &mut dyn Write) -> io::Result<()> {
    let news = if report.is_new { "new" } else { "unchanged" };
    writeln!(
        out,
        "{} version {} ({news}): {}, {}, {}",
        report.collection,
        report.version,
        counted(report.documents, "document"),
        counted(usize::try_from(report.passages).unwrap_or(usize::MAX), "passage"),
        counted(report.golden, "golden query"),
    )?;
    writeln!(out, "{}: {} bytes", report.file.display(), report.bytes)?;
    writeln!(out, "signed by {}", report.public_key)
}

fn show_list(list: &[CollectionSummary], out: &mut dyn Write) -> io::Result<()> {
    if list.is_empty() {
        return writeln!(out, "no collections yet: `jibu-hub ingest COLLECTION PATH…` makes one");
    }
    for collection in list {
        let languages: Vec<&str> = collection.languages.iter().map(Language::as_str).collect();
        let version = match (&collection.version, &collection.issued) {
            (Some(version), Some(issued)) => format!("version {version} of {issued}"),
            _ => "not bundled yet".to_owned(),
        };
        writeln!(
            out,
            "{}: {}, {}, {}, {} ({version})",
            collection.collection,
            counted(collection.documents, "document"),
            counted(collection.passages, "passage"),
            counted(collection.golden, "golden query"),
            languages.join(" "),
        )?;
    }
    Ok(())
}

fn counted(count: usize, noun: &str) -> String {
    match (count, noun.strip_suffix('y')) {
        (1, _) => format!("1 {noun}"),
        (_, Some(stem)) => format!("{count} {stem}ies"),
        (_, None) => format!("{count} {noun}s"),
    }
}
