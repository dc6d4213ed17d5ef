//! `jibu-modem-sim`: a modem on a pseudo-terminal.

use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
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
    #[arg(long, default_value = "generic")]
    profile: String,

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
    #[arg(long, default_value = "off", value_name = "LEVEL")]
    noise: String,

    /// Switches the modem on only now: it boots first.
    #[arg(long)]
    cold: bool,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let seed = arguments.seed.unwrap_or_else(|| fastrand::u64(..=u64::from(u32::MAX)));
    let profile = Profile::load(&arguments.profile)?;
    let noise = Noise::named(&arguments.noise)
        .with_context(|| format!("--noise {:?}: off, light or heavy", arguments.noise))?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let options = Options {
        time_scale: arguments.time_scale,
        started_at: i64::try_from(now.as_secs()).unwrap_or(0),
        pin: arguments.pin,
        cold: arguments.cold,
        noise,
        ..Options::new(profile, seed)
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
        "jibu-modem-sim: {} on {}, control {}, seed {seed}",
        arguments.profile,
        arguments.pty.display(),
        arguments.control.display()
    )?;
    stdout.flush()?;
    server.run(stopped)?;
    Ok(())
}
