//! What embedding costs here: memory after opening the models, and CPU time by
//! the number of tokens, on one thread.
//!
//!     cargo run --package jibu-inference --example embed_cost -- models
//!
//! CPU time is read from the scheduler, so that other work on the machine
//! disturbs it little.

#![allow(clippy::print_stdout)]

use std::error::Error;
use std::path::PathBuf;
use std::time::Instant;

use jibu_inference::{Limits, Models};

const ROUNDS: usize = 10;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args_os().nth(1).map(PathBuf::from);
    let folder = folder.ok_or("which models folder? (an example: models)")?;
    println!("before: {}", memory()?);
    let start = Instant::now();
    let limits = Limits { passage_tokens: Limits::WINDOW, query_tokens: Limits::WINDOW };
    let models = Models::open_with(&folder, limits)?;
    println!("opened in {} ms: {}", start.elapsed().as_millis(), memory()?);

    println!("tokens    CPU ms (least of {ROUNDS})    wall ms (least)");
    for tokens in [16, 64, 128, 256, 512] {
        // Frequent words, one token each, between the prefix and the two ends.
        let mut text = String::new();
        while models.embedder().tokens(&format!("query: {text}")).len() < tokens {
            text.push_str(" water");
        }
        let (mut cpu, mut wall) = (f64::INFINITY, f64::INFINITY);
        for _ in 0..ROUNDS {
            let (start, spent) = (Instant::now(), cpu_ms()?);
            models.embedder().query(&text)?;
            cpu = cpu.min(cpu_ms()? - spent);
            wall = wall.min(start.elapsed().as_secs_f64() * 1e3);
        }
        println!("{tokens:>6} {cpu:>12.1} {wall:>22.1}");
    }
    println!("after: {}", memory()?);
    Ok(())
}

/// What this thread has run so far, in milliseconds.
fn cpu_ms() -> Result<f64, Box<dyn Error>> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let spent = text.split(' ').next().ok_or("schedstat is empty")?;
    Ok(spent.parse::<f64>()? / 1e6)
}

fn memory() -> std::io::Result<String> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let lines = status.lines().filter(|line| {
        ["VmRSS", "VmHWM", "RssAnon", "RssFile"].iter().any(|name| line.starts_with(name))
    });
    Ok(lines
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect::<Vec<_>>()
        .join(", "))
}
