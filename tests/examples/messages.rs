//! How many messages an answer takes, by language.
//!
//! ```text
//! messages [SENTENCES.jsonl]
//! ```
//!
//! Brings the starter collection into a site, asks its golden questions and counts
//! the messages of each first page, in three configurations. With a file of
//! sentences (JSON lines with `text` and `lang`) it counts what each would take in
//! place of an answer, as it stands and as Jibu spells it, so that there are figures
//! for languages without a collection.
//!
//! Build everything first (`cargo build --workspace --all-targets`) and run it from
//! the target folder.

#![allow(clippy::print_stdout, reason = "it talks to a person at a terminal")]

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Context;
use jibu_answer::{Medium, Words};
use jibu_tests::{Stage, root};
use jibu_types::{Channel, Language};
use jibu_web::Question;
use jibud::config::{Config, Sms};
use jibud::library::{Engine, Library};
use serde::Deserialize;

#[derive(Deserialize)]
struct Golden {
    golden: Vec<Asked>,
}

#[derive(Deserialize)]
struct Asked {
    question: String,
    language: Language,
}

#[derive(Deserialize)]
struct Sentence {
    text: String,
    lang: Language,
}

/// What stands below each sentence, as below an answer.
const SOURCE: &str = "\nSource: Community guide 2024";

fn main() -> anyhow::Result<()> {
    let stage = Stage::new(None)?;
    let starter = root().join("tools/hub/starter");
    let bundle = stage.bundle("starter", &starter)?;
    stage.configure("")?;
    stage.import(&bundle)?;
    let config = Config::load(Some(&stage.path("jibu.toml")))?;

    answers(config.clone(), &std::fs::read_to_string(starter.join("golden.toml"))?)?;
    if let Some(file) = std::env::args().nth(1) {
        sentences(&config.sms, &std::fs::read_to_string(file)?)?;
    }
    Ok(())
}

/// How a text is spelt.
const COLUMNS: [&str; 4] = ["as it stands", "default", "transliterate", "national_shifts"];

/// The configurations of the last three columns.
fn ways(sms: &Sms, language: Language) -> [Sms; 3] {
    let plain = Sms { transliterate: Vec::new(), national_shifts: false, ..sms.clone() };
    let bare = Sms { transliterate: vec![language], ..plain.clone() };
    let national = Sms { national_shifts: true, ..plain.clone() };
    [plain, bare, national]
}

fn answers(mut config: Config, golden: &str) -> anyhow::Result<()> {
    let asked: Golden = toml::from_str(golden)?;
    let engine = Arc::new(Engine::open(&config.models)?);
    let usual = config.sms.clone();
    let mut counts = Counts::default();
    for Asked { question, language } in asked.golden {
        let mut messages = Vec::new();
        for sms in ways(&usual, language) {
            config.sms = sms;
            let mut library = Library::open(&config, Arc::clone(&engine))?;
            let question = Question {
                text: question.clone(),
                language: Some(language),
                channel: Channel::Sms,
            };
            let answer = jibud::answering::ask_once(&mut library, &config, &question)?;
            if matches!(answer.kind.as_str(), "found" | "urgent") {
                let page = answer.pages.first().context("an answer has a page")?;
                messages.push(config.sms.parts(page));
            }
        }
        if let [plain, bare, national] = messages[..] {
            counts.add(language, [None, Some(plain), Some(bare), Some(national)]);
        }
    }
    counts.print("answers");
    Ok(())
}

fn sentences(sms: &Sms, lines: &str) -> anyhow::Result<()> {
    let mut counts = Counts::default();
    for (number, line) in lines.lines().enumerate() {
        let Sentence { text, lang } =
            serde_json::from_str(line).with_context(|| format!("line {}", number + 1))?;
        let text = format!("{text}{SOURCE}");
        let [plain, bare, national] =
            ways(sms, lang).map(|sms| Some(sms.parts(&sms.cheapest(&text, Words::Quoted(lang)))));
        let [as_it_stands, ..] = ways(sms, lang);
        counts.add(lang, [Some(as_it_stands.parts(&text)), plain, bare, national]);
    }
    counts.print("sentences");
    Ok(())
}

/// For each language how many texts, and how many messages they take in each column.
#[derive(Default)]
struct Counts(BTreeMap<Language, (usize, [Option<usize>; 4])>);

impl Counts {
    fn add(&mut self, language: Language, messages: [Option<usize>; 4]) {
        let (texts, sums) = self.0.entry(language).or_insert((0, [Some(0); 4]));
        *texts += 1;
        for (sum, messages) in sums.iter_mut().zip(messages) {
            *sum = sum.zip(messages).map(|(sum, messages)| sum + messages);
        }
    }

    fn print(&self, what: &str) {
        println!("| language | {what} | {} |", COLUMNS.join(" | "));
        println!("|---|{}", "---:|".repeat(1 + COLUMNS.len()));
        for (language, (texts, sums)) in &self.0 {
            let each = |sum: &Option<usize>| {
                sum.map_or_else(|| "–".into(), |sum| format!("{:.2}", sum as f64 / *texts as f64))
            };
            let each: Vec<String> = sums.iter().map(each).collect();
            println!("| {language} | {texts} | {} |", each.join(" | "));
        }
        println!();
    }
}
