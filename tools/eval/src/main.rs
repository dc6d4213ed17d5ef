//! `jibu-eval`: the evaluation's command line.
#![allow(clippy::print_stderr, clippy::print_stdout)]

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, bail};
use clap::{Parser, Subcommand};
use jibu_eval::answers::{self, Question, Squad};
use jibu_eval::index::{self, Index};
use jibu_eval::retrieval::{self, Mode};
use jibu_eval::{beir, openness, trec};
use jibud::library::Engine;
use serde::Serialize;

/// Questions between two reports of progress.
const ASKED_AT_ONCE: usize = 500;

/// Measures what Jibu does with public test sets.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Ranks a corpus for each question: BEIR files in, a TREC run out.
    Retrieval(Retrieval),
    /// Answers questions from the passages that come with them: SQuAD in,
    /// predictions out.
    Answers(Answers),
    /// Checks what each model comes with: data information, code, parameters,
    /// licences, card.
    ///
    /// The components are those of the Open Source AI Definition 1.0 and of the
    /// Digital Public Goods Standard for AI systems. "in part" marks what the
    /// makers of a base model do not give and models/data.toml therefore states;
    /// "no" is for us to mend.
    Openness(Openness),
}

#[derive(Debug, clap::Args)]
struct Retrieval {
    /// The documents: JSON lines with _id, title and text; gzip is accepted.
    #[arg(long, value_name = "F")]
    corpus: PathBuf,
    /// The questions: JSON lines with _id and text; gzip is accepted.
    #[arg(long, value_name = "F")]
    queries: PathBuf,
    /// Where the run goes: `qid Q0 docid rank score jibu`.
    #[arg(long, value_name = "OUT")]
    run: PathBuf,
    /// Where the milliseconds of each step go: a JSON object a question, by line.
    #[arg(long, value_name = "OUT")]
    timings: Option<PathBuf>,
    /// Which searches take part.
    #[arg(long, value_enum, default_value = "full")]
    mode: Mode,
    /// How many documents a question gets.
    #[arg(short, default_value_t = NonZero::new(100).expect("100 is not 0"))]
    k: NonZero<usize>,
    /// The folder of the models and of the ranking's parameters.
    #[arg(long, value_name = "DIR", default_value = "models")]
    models: PathBuf,
    /// Where embedded corpora are kept [default: jibu-eval in the user's cache folder].
    #[arg(long, value_name = "DIR")]
    cache: Option<PathBuf>,
    /// How many threads embed and search [default: as many as there are cores].
    #[arg(long, value_name = "N")]
    threads: Option<NonZero<usize>>,
}

#[derive(Debug, clap::Args)]
struct Answers {
    /// Questions with their passages: SQuAD 1.1 or 2.0; gzip is accepted.
    #[arg(long, value_name = "F")]
    squad: PathBuf,
    /// Where the predictions go: a JSON object with a text for each id, "" where
    /// the passage is taken not to answer.
    #[arg(long, value_name = "OUT")]
    predictions: PathBuf,
    /// Where the probabilities of no answer go: a JSON object with a number from
    /// 0 to 1 for each id, as the SQuAD 2.0 scorer takes it.
    #[arg(long, value_name = "OUT")]
    na_probs: Option<PathBuf>,
    /// Never abstains: the likeliest words, whether or not they answer.
    #[arg(long)]
    always: bool,
    /// The folder of the models and of the ranking's parameters.
    #[arg(long, value_name = "DIR", default_value = "models")]
    models: PathBuf,
    /// How many threads read [default: as many as there are cores].
    #[arg(long, value_name = "N")]
    threads: Option<NonZero<usize>>,
}

#[derive(Debug, clap::Args)]
struct Openness {
    /// The folder of the repository.
    #[arg(long, value_name = "DIR", default_value = ".")]
    repository: PathBuf,
    /// Prints JSON instead of the table.
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Retrieval(given) => retrieval(&given),
        Command::Answers(given) => answers(&given),
        Command::Openness(given) => openness(&given),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("jibu-eval: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn retrieval(given: &Retrieval) -> anyhow::Result<()> {
    let documents = beir::corpus(&given.corpus)?;
    let questions = beir::questions(&given.queries)?;
    let threads = threads(given.threads);
    let folder = given.cache.clone().map_or_else(index::default_folder, Ok)?;
    let engine = Arc::new(Engine::open(&given.models)?);

    let embedder = engine.models().embedder();
    let index = Index::of(&folder, &documents, embedder, threads, |done| {
        eprintln!("embedded {done} of {} documents", documents.len());
    })?;
    let doing = || format!("write {}", given.run.display());
    let mut out = BufWriter::new(File::create(&given.run).with_context(doing)?);
    let mut timings = String::new();
    for (at, some) in questions.chunks(ASKED_AT_ONCE).enumerate() {
        let asked = retrieval::ask(&engine, &index, some, given.mode, given.k.get(), threads)?;
        for (question, asked) in some.iter().zip(&asked) {
            trec::write(&mut out, &question.id, &asked.ranking).with_context(doing)?;
            timings += &(serde_json::to_string(&asked.timings)? + "\n");
        }
        eprintln!("asked {} of {} questions", at * ASKED_AT_ONCE + some.len(), questions.len());
    }
    out.flush().with_context(doing)?;
    given.timings.as_ref().map_or(Ok(()), |path| {
        std::fs::write(path, timings).with_context(|| format!("write {}", path.display()))
    })
}

fn answers(given: &Answers) -> anyhow::Result<()> {
    let squad = Squad::read(&given.squad)?;
    let questions: Vec<Question<'_>> = squad.questions().collect();
    let engine = Engine::open(&given.models)?;
    let threads = threads(given.threads);
    let mut predictions = BTreeMap::new();
    let mut na_probs = BTreeMap::new();
    for some in questions.chunks(ASKED_AT_ONCE) {
        let answers = answers::answer(&engine, some, given.always, threads)?;
        for (question, answer) in some.iter().zip(answers) {
            predictions.insert(question.id, answer.text);
            na_probs.insert(question.id, answer.no_answer);
        }
        eprintln!("read for {} of {} questions", predictions.len(), questions.len());
    }
    write_json(&given.predictions, &predictions)?;
    given.na_probs.as_ref().map_or(Ok(()), |path| write_json(path, &na_probs))
}

fn write_json(path: &Path, object: &impl Serialize) -> anyhow::Result<()> {
    let json = serde_json::to_string_pretty(object)? + "\n";
    std::fs::write(path, json).with_context(|| format!("write {}", path.display()))
}

fn threads(wanted: Option<NonZero<usize>>) -> usize {
    wanted.or_else(|| std::thread::available_parallelism().ok()).map_or(1, NonZero::get)
}

fn openness(given: &Openness) -> anyhow::Result<()> {
    let report = openness::check(&given.repository)?;
    if given.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print!("{report}");
    }
    let missing: Vec<String> = report.missing().collect();
    match missing.as_slice() {
        [] => Ok(()),
        [first] => bail!("{first}"),
        [first, more @ ..] => bail!("{first} (and {} more)", more.len()),
    }
}
