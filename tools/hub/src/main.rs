//! `jibu-hub`: see `jibu-hub --help` and the README beside this crate.

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Parser as _;
use jibu_types::Timestamp;

fn main() -> ExitCode {
    let cli = jibu_hub::Cli::parse();
    let done = match cli.serves() {
        Some(folder) => serve(folder),
        None => jibu_hub::run(&cli, now(), &mut io::stdout().lock(), &mut io::stderr().lock()),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        // Nobody is reading any more, so nobody can be told.
        Ok(false) | Err(_) => ExitCode::FAILURE,
    }
}

fn serve(folder: &std::path::Path) -> io::Result<bool> {
    use tracing_subscriber::EnvFilter;
    // The embedded broker's own words are for its developers.
    let filter = EnvFilter::new("info,rumqttd=error");
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).init();
    match jibu_hub::serve(folder, now) {
        Ok(()) => Ok(true),
        Err(error) => {
            writeln!(io::stderr(), "jibu-hub: {}", jibu_hub::sentence(&error))?;
            Ok(false)
        }
    }
}

fn now() -> Timestamp {
    Timestamp::from_unix_ms(jiff::Timestamp::now().as_millisecond())
}
