//! `jibud`: the daemon of a Jibu site, and the commands of whoever looks after it.

#![allow(clippy::print_stderr, reason = "what went wrong is said to the person at the terminal")]

use std::process::ExitCode;

use clap::Parser;
use jibud::commands::Arguments;

fn main() -> ExitCode {
    match Arguments::parse().run() {
        Ok(code) => code,
        Err(error) => {
            // The causes one after another, as one sentence.
            eprintln!("jibud: {error:#}");
            ExitCode::from(1)
        }
    }
}
