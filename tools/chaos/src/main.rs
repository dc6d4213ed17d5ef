//! `jibu-chaos`: what the SMS side withstands.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the command's output")]

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand, ValueEnum};
use jibu_at::driver::SendVia;
use jibu_chaos::{Plan, Serial, World, is_fresh};

/// Runs the SMS side of a site in virtual time, with everything going wrong that
/// can, and prints as a table what the network saw. The same seed gives the same
/// run. Exits 1 when a message was lost or answered twice.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// People write, modems fail, the power goes.
    Run(Run),
}

#[derive(Debug, Args)]
struct Run {
    /// How many messages people send.
    #[arg(long, default_value_t = 1_000)]
    messages: u32,

    /// How often the power goes.
    #[arg(long, default_value_t = 10)]
    cuts: u32,

    /// The seed of everything random.
    #[arg(long, default_value_t = 1)]
    seed: u64,

    /// How many modems: of the makes named with --profile in turn.
    #[arg(long, default_value_t = 1)]
    modems: usize,

    /// A make, as jibu-modem-sim knows it; may be repeated.
    #[arg(long, default_values_t = ["generic", "sim7600", "sim800l", "ec25"].map(String::from))]
    profile: Vec<String>,

    /// By which way messages leave.
    #[arg(long, value_enum, default_value_t = Via::Storage)]
    via: Via,

    /// Nothing goes wrong but the power.
    #[arg(long)]
    fair_weather: bool,

    /// Where state.db is to lie, for example a folder in memory; a temporary one
    /// when not given.
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,

    /// Prints the AT dialogue of the two hours after this message to stderr (one
    /// modem).
    #[arg(long, value_name = "SERIAL")]
    trace: Option<Serial>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Via {
    /// Written to the modem's storage and sent from there.
    Storage,
    /// Sent at once; nothing is left to tell what became of it.
    Direct,
}

fn main() -> ExitCode {
    let Arguments { what } = Arguments::parse();
    let done = match what {
        What::Run(run) => chaos(&run),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("jibu-chaos: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn chaos(run: &Run) -> anyhow::Result<bool> {
    let (folder, _temporary) = folder(run.folder.as_ref())?;
    let plan = Plan {
        profiles: run.profile.iter().cycle().take(run.modems).cloned().collect(),
        via: match run.via {
            Via::Storage => SendVia::Storage,
            Via::Direct => SendVia::Direct,
        },
        troubles: !run.fair_weather,
        trace: run.trace,
        ..Plan::new(run.messages, run.cuts, run.seed, folder)
    };
    let begun = Instant::now();
    let report = World::new(plan)?.run()?;
    println!("seed {}; {} modem(s); {:.0} s", run.seed, run.modems, begun.elapsed().as_secs_f64());
    println!("{report}");
    let verdict = &report.verdict;
    for (what, serials) in [
        ("lost", &verdict.lost),
        ("answered twice", &verdict.doubled),
        ("wrongly answered", &verdict.wrongly),
    ] {
        if !serials.is_empty() {
            let shown: Vec<_> = serials.iter().take(20).collect();
            eprintln!("jibu-chaos: {what}: {shown:?}");
        }
    }
    Ok(report.is_clean())
}

/// The folder that was named, or one that goes with the run.
fn folder(named: Option<&PathBuf>) -> anyhow::Result<(PathBuf, Option<tempfile::TempDir>)> {
    match named {
        Some(folder) => {
            std::fs::create_dir_all(folder).with_context(|| format!("{}", folder.display()))?;
            is_fresh(folder)?;
            Ok((folder.clone(), None))
        }
        None => {
            let temporary = tempfile::tempdir().context("a temporary folder")?;
            Ok((temporary.path().to_owned(), Some(temporary)))
        }
    }
}
