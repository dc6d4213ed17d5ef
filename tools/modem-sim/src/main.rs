//! `jibu-modem-sim`: a modem on a pseudo-terminal.

use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context;
use clap::Parser;
use jibu_modem_sim::{Noise, Options, Profile, Server};

/// Simulates a GSM modem on a pseudo-terminal, with a network behind it.
///
/// It prints its seed, stays until SIGTERM, Ctrl-C or a `quit` request, and
/// removes the link when it ends. The port outlives the host that uses it, as
/// a modem that stays powered does.
///
/// The control socket takes one JSON object a line and answers with one, e.g.
/// {"op":"deliver","from":"+265991234567","text":"HELP"}, {"op":"sent"},
/// {"op":"wait_sent","count":1}, {"op":"storage"}, {"op":"noise","level":"light"},
/// {"op":"fault","kind":"hang","when":"+CMGS","ms":5000}, {"op":"set","signal":3},
/// {"op":"log"}, {"op":"state"}, {"op":"quit"}; README.md beside the source
/// lists them all.
#[derive(Debug, Parser)]
#[command(version, about, verbatim_doc_comment)]
struct Arguments {
    /// Where to put the link to the pseudo-terminal; hosts open this.
    #[arg(long, value_name = "LINK")]
    pty: PathBuf,

    /// Where to put the control socket.
    #[arg(long, value_name = "SOCKET")]
    control: PathBuf,

    /// The make: generic, sim800l, sim7600, ec25, huawei, minimal, or the path
    /// of a .toml file.
    #[arg(long, default_value = "generic", value_parser = Profile::load)]
    profile: Profile,

    /// The seed of everything random; a new one each time when missing.
    #[arg(long)]
    seed: Option<u64>,

    /// Multiplies all simulated delays; 0 for none.
    #[arg(long, default_value_t = 1.0, value_name = "FACTOR")]
    time_scale: f64,

    /// The SIM asks for this PIN.
    #[arg(long)]
    pin: Option<String>,

    /// What goes wrong by chance: off, light (unsolicited lines anywhere, output
    /// in pieces) or heavy (errors, lost replies, hangs and resets too).
    #[arg(long, default_value = "off", value_name = "LEVEL", value_parser = noise)]
    noise: Noise,

    /// Switches the modem on only now: it boots first.
    #[arg(long)]
    cold: bool,
}

fn noise(name: &str) -> Result<Noise, &'static str> {
    Noise::named(name).ok_or("off, light or heavy")
}

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Whoever cannot write to stderr learns it from the exit status.
            let _ = writeln!(io::stderr(), "jibu-modem-sim: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> anyhow::Result<()> {
    let seed = arguments.seed.unwrap_or_else(|| fastrand::u64(..=u64::from(u32::MAX)));
    let name = arguments.profile.name.clone();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let options = Options {
        time_scale: arguments.time_scale,
        started_at: i64::try_from(now.as_secs()).unwrap_or(0),
        pin: arguments.pin,
        cold: arguments.cold,
        noise: arguments.noise,
        ..Options::new(arguments.profile, seed)
    };

    let (stop, stopped) = UnixStream::pair().context("a pipe for signals")?;
    for signal in [signal_hook::consts::SIGTERM, signal_hook::consts::SIGINT] {
        let stop = stop.try_clone().context("a pipe for signals")?;
        signal_hook::low_level::pipe::register(signal, stop).context("signals")?;
    }
    let server = Server::bind(options, &arguments.pty, &arguments.control)?;
    let mut stdout = io::stdout();
    writeln!(
        stdout,
        "jibu-modem-sim: {name} on {}, control {}, seed {seed}",
        arguments.pty.display(),
        arguments.control.display()
    )?;
    stdout.flush()?;
    server.run(stopped)?;
    Ok(())
}
