//! Debian's mosquitto on what `jibu-hub site export` wrote.

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::postgres::is_root;
use crate::{Running, free_port, run};

/// A running mosquitto.
pub struct Mosquitto {
    process: Running,
    conf: PathBuf,
    /// Where sites and workers come in, with their certificates.
    pub port: u16,
    /// Where strangers enrol, without TLS.
    pub strangers: u16,
}

impl Mosquitto {
    /// Starts it with the exported settings of `folder`, on free ports of the
    /// loopback and as the user who runs this.
    ///
    /// # Errors
    /// When it is not installed or does not come up.
    pub fn start(folder: &Path) -> anyhow::Result<Self> {
        let (port, strangers) = (free_port()?, free_port()?);
        let exported = folder.join("mosquitto.conf");
        let text = std::fs::read_to_string(&exported)
            .with_context(|| format!("{}: site export --broker writes it", exported.display()))?;
        let user = if is_root() { "\nuser root" } else { "" };
        let text = text
            .replace("listener 8883", &format!("listener {port} 127.0.0.1"))
            .replace("listener 8884", &format!("listener {strangers} 127.0.0.1"))
            .replace("persistence true", &format!("persistence false{user}"));
        let conf = folder.join("mosquitto.here.conf");
        std::fs::write(&conf, text)?;
        let process = process(&conf)?;
        let mut broker = Mosquitto { process, conf, port, strangers };
        broker.wait()?;
        Ok(broker)
    }

    /// Tells it to read the access list again.
    ///
    /// # Errors
    /// When the signal cannot be sent.
    pub fn reload(&self) -> anyhow::Result<()> {
        run(Command::new("kill").args(["-HUP", &self.id().to_string()])).map(drop)
    }

    /// Ends it and starts it again on the same ports: it forgets what it retained.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn restart(&mut self) -> anyhow::Result<()> {
        self.process.kill()?;
        self.process = process(&self.conf)?;
        self.wait()
    }

    /// Its process number.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    fn wait(&mut self) -> anyhow::Result<()> {
        let begun = Instant::now();
        for port in [self.port, self.strangers] {
            while TcpStream::connect(("127.0.0.1", port)).is_err() {
                let ended = self.process.ended()?.is_some();
                if ended || begun.elapsed() > Duration::from_secs(10) {
                    bail!("mosquitto does not listen: mosquitto -c {}", self.conf.display());
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        Ok(())
    }
}

fn process(conf: &Path) -> anyhow::Result<Running> {
    let places = ["/usr/sbin/mosquitto", "/usr/bin/mosquitto"];
    let program = places.into_iter().find(|path| Path::new(path).exists()).context(
        "mosquitto is not installed: `apt-get install mosquitto` (cargo xtask test does it)",
    )?;
    let mut command = Command::new(program);
    Running::start(command.arg("-c").arg(conf).stdout(Stdio::null()).stderr(Stdio::null()))
}
