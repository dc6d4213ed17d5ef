//! The project's own commands: `cargo xtask demo`, `test` and `tidy`.

#![allow(clippy::print_stdout, reason = "it talks to a person at a terminal")]

mod demo;
mod install;
mod shell;
mod suite;
mod tidy;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "What people and CI do with this repository")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start a hub, a simulated modem and a site; ask by SMS and show the answers.
    Demo(demo::Demo),
    /// Run every test, installing what the tests need.
    Test(suite::Suite),
    /// Compare the crates' real dependencies with daemon/ARCHITECTURE.md.
    Tidy,
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().command {
        Command::Demo(demo) => demo.run(),
        Command::Test(suite) => suite.run(),
        Command::Tidy => tidy::run(),
    }
}
