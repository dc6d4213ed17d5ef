use std::io::{BufRead, IsTerminal};
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use jibu_gsm::describe;

use super::print;

/// Decode PDUs and +CUSD lines, one JSON object a line.
///
/// Numbers and texts are shown whole: it is you who brings them.
#[derive(Debug, Args)]
pub(super) struct Pdus {
    /// PDUs in hexadecimal digits with the SMSC in front, or +CUSD lines; "-" or
    /// nothing reads lines from standard input.
    #[arg(value_name = "HEX", allow_hyphen_values = true)]
    lines: Vec<String>,
    /// JSON is the only form; the flag is taken so that scripts read alike.
    #[arg(long)]
    json: bool,
}

impl Pdus {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let mut all_decoded = true;
        let mut show = |line: &str| -> anyhow::Result<()> {
            let line = line.trim();
            if !line.is_empty() {
                let description = describe::line(line);
                all_decoded &= description.error.is_none();
                print(&serde_json::to_string(&description)?)?;
            }
            Ok(())
        };
        let from_input = self.lines.is_empty() || self.lines == ["-"];
        if from_input {
            let input = std::io::stdin();
            if input.is_terminal() {
                anyhow::bail!("name PDUs on the command line, or pipe lines in");
            }
            for line in input.lock().split(b'\n') {
                let line = line.context("standard input cannot be read")?;
                show(&String::from_utf8_lossy(&line))?;
            }
        } else {
            self.lines.iter().try_for_each(|line| show(line))?;
        }
        Ok(if all_decoded { ExitCode::SUCCESS } else { ExitCode::from(1) })
    }
}
