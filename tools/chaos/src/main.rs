//! `jibu-chaos`: what the SMS side withstands.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the command's output")]

mod memory;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

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
    /// A steady flow for a long time: what is kept must not grow.
    Soak(Soak),
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

    /// Where state.db is to lie; a temporary folder in memory when not given.
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,

    /// Prints the AT dialogue of the two hours after this message to stderr.
    #[arg(long, value_name = "SERIAL")]
    trace: Option<Serial>,
}

#[derive(Debug, Args)]
struct Soak {
    /// How long, in virtual time.
    #[arg(long, default_value_t = 24)]
    hours: u32,

    /// The seed of everything random.
    #[arg(long, default_value_t = 1)]
    seed: u64,

    /// After how many hours the spool and the store forget; a real box keeps
    /// messages for 90 days. A modem in trouble brings a message twice hours apart,
    /// which is known only while the first is.
    #[arg(long, default_value_t = 6)]
    keep: u32,

    /// Where state.db is to lie.
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
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
        What::Soak(soak) => steady(&soak),
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
    for story in report.stories.iter().take(20) {
        eprintln!("jibu-chaos: {story}");
    }
    Ok(report.is_clean())
}

/// How much what is kept may differ between the middle and the end of a soak.
const TOLERANCE: f64 = 1.25;

fn steady(soak: &Soak) -> anyhow::Result<bool> {
    const HOUR: Duration = Duration::from_secs(60 * 60);
    let (folder, _temporary) = folder(soak.folder.as_ref())?;
    let keep = HOUR * soak.keep;
    let mut world = World::new(Plan {
        people: 2_000,
        forget_after: Some(keep),
        ..Plan::new(u32::MAX, 0, soak.seed, folder)
    })?;
    println!("seed {}; kept for {} h", soak.seed, soak.keep);
    println!("| hour | messages | rows: messages | parts | audit | allocated, KiB | files open |");
    println!("|---:|---:|---:|---:|---:|---:|---:|");
    let mut kept = Vec::new();
    for hour in 1..=soak.hours {
        world.run_for(HOUR)?;
        world.keep_house()?;
        world.close_accounts(keep);
        let [messages, parts, audit] = world.rows()?;
        let (allocated, files) = (memory::allocated(), open_files());
        kept.push([messages as f64, parts as f64, allocated as f64, files as f64]);
        if hour % 2 == 0 || hour == soak.hours {
            println!(
                "| {hour} | {} | {messages} | {parts} | {audit} | {} | {files} |",
                world.messages(),
                allocated / 1024
            );
        }
    }
    let verdict = world.verdict();
    println!();
    println!("answered twice {}, stray {}", verdict.doubled.len(), verdict.stray);
    let highest =
        |hours: &[[f64; 4]], what: usize| hours.iter().map(|hour| hour[what]).fold(0.0, f64::max);
    let (first, second) = kept.split_at(kept.len() / 2);
    let grew: Vec<usize> =
        (0..4).filter(|what| highest(second, *what) > highest(first, *what) * TOLERANCE).collect();
    for what in &grew {
        let name = ["rows of messages", "rows of parts", "allocated bytes", "open files"][*what];
        eprintln!("jibu-chaos: {name} grew between the first half and the second");
    }
    Ok(grew.is_empty() && verdict.doubled.is_empty() && verdict.stray == 0)
}

/// What `/proc` says; 0 where there is none.
fn open_files() -> usize {
    std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count)
}

/// Where temporary files cost no writes to a disk, if there is such a place.
const IN_MEMORY: &str = "/dev/shm";

/// The folder that was named, or one that goes with the run.
fn folder(named: Option<&PathBuf>) -> anyhow::Result<(PathBuf, Option<tempfile::TempDir>)> {
    match named {
        Some(folder) => {
            std::fs::create_dir_all(folder).with_context(|| format!("{}", folder.display()))?;
            is_fresh(folder)?;
            Ok((folder.clone(), None))
        }
        None => {
            let temporary = match Path::new(IN_MEMORY).is_dir() {
                true => tempfile::tempdir_in(IN_MEMORY),
                false => tempfile::tempdir(),
            };
            let temporary = temporary.context("a temporary folder")?;
            Ok((temporary.path().to_owned(), Some(temporary)))
        }
    }
}
