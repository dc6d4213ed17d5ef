//! `jibu-eval`: the evaluation's command line.
#![allow(clippy::print_stderr)]

use std::fs::File;
use std::io::{BufWriter, Write};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, Subcommand};
use jibu_answer::rank::Ranker;
use jibu_eval::retrieval::{self, Mode, Searcher};
use jibu_eval::{beir, index, trec};
use jibu_inference::Models;

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

fn main() -> ExitCode {
    let Command::Retrieval(given) = Arguments::parse().command;
    match run(&given) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("jibu-eval: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(given: &Retrieval) -> anyhow::Result<()> {
    let documents = beir::corpus(&given.corpus)?;
    let questions = beir::questions(&given.queries)?;
    let threads = given.threads.or_else(|| std::thread::available_parallelism().ok());
    let threads = threads.map_or(1, NonZero::get);
    let folder = given.cache.clone().map_or_else(index::default_folder, Ok)?;
    let models = Models::open(&given.models)?;
    let ranker = ranker(&given.models)?;

    let reader = index::open(&folder, &documents, models.embedder(), threads, |done, of| {
        eprintln!("embedded {done} of {of} documents");
    })?;
    let embeddings = if given.mode.embeds() {
        eprintln!("embedding {} questions", questions.len());
        retrieval::embed(models.embedder(), &questions, threads)?
    } else {
        Vec::new()
    };
    let mut searcher = Searcher::new(reader, &ranker);
    let doing = || format!("write {}", given.run.display());
    let mut out = BufWriter::new(File::create(&given.run).with_context(doing)?);
    for (at, question) in questions.iter().enumerate() {
        let ranking =
            searcher.search(&question.text, embeddings.get(at), given.mode, given.k.get())?;
        let ranking = ranking.iter().map(|(document, score)| (document.as_str(), *score));
        trec::write(&mut out, &question.id, ranking).with_context(doing)?;
        if (at + 1) % 1000 == 0 {
            eprintln!("asked {} of {} questions", at + 1, questions.len());
        }
    }
    out.flush().with_context(doing)
}

fn ranker(models: &Path) -> anyhow::Result<Ranker> {
    let path = models.join("ranking.json");
    let doing = || format!("read {}", path.display());
    let parameters = serde_json::from_slice(&std::fs::read(&path).with_context(doing)?);
    Ok(Ranker::new(parameters.with_context(doing)?)?)
}
