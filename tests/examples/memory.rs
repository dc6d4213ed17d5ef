//! How much memory the daemon holds.
//!
//! Makes a collection of so many passages out of the starter collection's
//! sentences (shuffled, seeded), brings it into a site, asks by SMS and at the
//! kiosk, and prints what `/proc` says of the running daemon. Build everything
//! first (`cargo build --workspace --all-targets`) and run it from the target folder.

#![allow(clippy::print_stdout, reason = "it talks to a person at a terminal")]

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;
use jibu_tests::{Stage, root, run};

const WORDS_IN_A_PASSAGE: usize = 70;

fn main() -> anyhow::Result<()> {
    let wanted: usize = match std::env::args().nth(1) {
        Some(number) => number.parse().context("the number of passages is wanted")?,
        None => 5_000,
    };
    let stage = Stage::new(None)?;
    let documents = stage.path("documents");
    std::fs::create_dir(&documents)?;
    write_documents(&documents, wanted)?;
    let bundle = stage.bundle("memory", &documents)?;
    stage.configure("")?;
    let begun = Instant::now();
    print!("{}", stage.import(&bundle)?);
    println!("imported in {:.0} s", begun.elapsed().as_secs_f64());

    let mut modem = stage.modem(&["--time-scale", "0.05", "--seed", "1"])?;
    let mut daemon = stage.daemon()?;
    let questions = [
        "How long must I boil water?",
        "Mtoto ana homa kali, nifanye nini?",
        "Où enregistrer une naissance ?",
        "Que vacinas precisa o meu filho?",
        "Ndingapeze bwanji chiphaso?",
    ];
    for turn in 0..20 {
        let number = format!("+26599100{turn:04}");
        modem.control.deliver(&number, questions[turn % questions.len()])?;
        modem.wait_for(&number, &mut daemon, Duration::from_secs(60))?;
    }
    std::thread::sleep(Duration::from_secs(2));
    let status = std::fs::read_to_string(format!("/proc/{}/status", daemon.id()))?;
    for line in status.lines().filter(|l| l.starts_with("VmHWM") || l.contains("Rss")) {
        println!("{line}");
    }
    println!("{}", run(&mut stage.jibud(&["index", "list"]))?.trim_end());
    Ok(())
}

/// Plain text files of shuffled sentences, one passage each.
fn write_documents(folder: &Path, passages: usize) -> anyhow::Result<()> {
    let mut sentences = Vec::new();
    for language in ["en", "sw", "fr", "pt", "ny"] {
        for topic in ["health", "services"] {
            read_sentences(
                &root().join("tools/hub/starter").join(topic).join(language),
                &mut sentences,
            )?;
        }
    }
    let mut random = fastrand::Rng::with_seed(5);
    for number in 0..passages {
        let mut text = String::new();
        while text.split_whitespace().count() < WORDS_IN_A_PASSAGE {
            text.push_str(&sentences[random.usize(..sentences.len())]);
            text.push_str(". ");
        }
        let text = format!("---\ntitle: Passage {number}\nlanguage: en\n---\n\n{text}\n");
        std::fs::write(folder.join(format!("{number:05}.md")), text)?;
    }
    Ok(())
}

fn read_sentences(folder: &Path, into: &mut Vec<String>) -> anyhow::Result<()> {
    let mut files: Vec<_> = std::fs::read_dir(folder)?.collect::<Result<_, _>>()?;
    files.sort_by_key(std::fs::DirEntry::path);
    for file in files.iter().filter(|f| f.path().extension().is_some_and(|e| e == "md")) {
        let text = std::fs::read_to_string(file.path())?;
        let body = text.rsplit("---").next().unwrap_or_default();
        let prose = body.lines().filter(|line| !line.starts_with('#'));
        let prose = prose.collect::<Vec<_>>().join(" ");
        let kept = prose.split(". ").map(str::trim).filter(|s| s.split(' ').count() > 3);
        into.extend(kept.map(str::to_owned));
    }
    Ok(())
}
