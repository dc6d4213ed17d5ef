//! `jibu-hub`: see `jibu-hub --help` and the README beside this crate.

use std::io;
use std::process::ExitCode;

use clap::Parser as _;
use jibu_types::Timestamp;

fn main() -> ExitCode {
    let cli = jibu_hub::Cli::parse();
    let now = Timestamp::from_unix_ms(jiff::Timestamp::now().as_millisecond());
    match jibu_hub::run(&cli, now, &mut io::stdout().lock(), &mut io::stderr().lock()) {
        Ok(true) => ExitCode::SUCCESS,
        // Nobody is reading any more, so nobody can be told.
        Ok(false) | Err(_) => ExitCode::FAILURE,
    }
}
