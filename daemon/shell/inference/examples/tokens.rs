//! Prints the token ids of texts: JSON strings on standard input, one a line;
//! JSON arrays on standard output.
//!
//! `models/recipes/check_embedder.py` compares them with another tokenizer's.

#![allow(clippy::print_stdout)]

use std::error::Error;
use std::io::BufRead;
use std::path::PathBuf;

use jibu_inference::Models;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args_os().nth(1).map(PathBuf::from);
    let models = Models::open(&folder.ok_or("which models folder? (an example: models)")?)?;
    for line in std::io::stdin().lock().lines() {
        let text: String = serde_json::from_str(&line?)?;
        println!("{}", serde_json::to_string(&models.embedder().tokens(&text))?);
    }
    Ok(())
}
