//! Identifies the language of each line of standard input.
//!
//! `identify MODEL LANGUAGES`: the file `language.bin`, and what is offered, as in
//! `sw,ny,en`. A line goes out for each that came in: subtag, tab, confidence;
//! an empty subtag where a line shows none. The time that it took goes to
//! standard error.

#![allow(clippy::disallowed_methods, reason = "a program for measuring reads files and clocks")]
#![allow(clippy::disallowed_types, reason = "a program for measuring reads clocks")]
#![allow(clippy::print_stdout, reason = "a program for measuring writes its results")]
#![allow(clippy::print_stderr, reason = "a program for measuring writes its results")]

use std::error::Error;
use std::io::stdin;
use std::time::Instant;

use jibu_answer::LanguageModel;
use jibu_answer::text::normalise_line;
use jibu_types::Language;

fn main() -> Result<(), Box<dyn Error>> {
    let [_, model, languages] = std::env::args().collect::<Vec<_>>().try_into().map_err(
        |_| "two arguments are wanted: the model and the languages, such as language.bin sw,ny,en",
    )?;
    let file = std::fs::read(model)?;
    let begun = Instant::now();
    let model = LanguageModel::read(&file)?;
    let reading = begun.elapsed();
    let offered: Vec<Language> = languages.split(',').map(str::parse).collect::<Result<_, _>>()?;
    let texts: Vec<String> = stdin().lines().collect::<Result<_, _>>()?;
    let begun = Instant::now();
    let found: Vec<_> =
        texts.iter().map(|text| model.identify(&normalise_line(text), &offered)).collect();
    let each = begun.elapsed() / u32::try_from(texts.len().max(1))?;
    eprintln!("model read in {reading:.1?}; {} texts, {each:.1?} each", texts.len());
    for found in found {
        match found {
            Some(found) => println!("{}\t{:.6}", found.language, found.confidence),
            None => println!("\t0"),
        }
    }
    Ok(())
}
