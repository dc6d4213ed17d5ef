use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use serde_json::Value;

use super::{Configured, print, print_json};

/// Show what the running daemon says of itself.
#[derive(Debug, Args)]
pub(super) struct Status {
    /// JSON instead of lines.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    configured: Configured,
}

impl Status {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let config = self.configured.load()?;
        let address = config
            .listen
            .context("the daemon has no web server to ask: set web.listen in the configuration")?;
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .timeout_global(Some(Duration::from_secs(5)))
            .build()
            .into();
        let mut response = agent
            .get(format!("http://{address}/api/status"))
            .call()
            .with_context(|| format!("no daemon answers at {address}: start it with jibud run"))?;
        let status: Value = response.body_mut().read_json()?;
        if self.json {
            print_json(&status)?;
        } else {
            show(&status, "")?;
        }
        let ok = status["health"]["ok"].as_bool().unwrap_or(false);
        Ok(if ok { ExitCode::SUCCESS } else { ExitCode::from(1) })
    }
}

/// `health.parts.spool: ok`, a line a value.
fn show(value: &Value, path: &str) -> anyhow::Result<()> {
    match value {
        Value::Object(fields) => fields.iter().try_for_each(|(name, value)| {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            show(value, &path)
        }),
        Value::String(text) => print(&format!("{path}: {text}")),
        other => print(&format!("{path}: {other}")),
    }
}
