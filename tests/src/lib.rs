//! A hub, a simulated modem and a site on this machine: the stage for the
//! end-to-end tests and for `cargo xtask demo`.
//!
//! The programs are the real ones, as processes; what a [`Stage`] starts ends
//! with it.

mod mosquitto;
mod postgres;

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use jibu_modem_sim::Client;
use tempfile::TempDir;

pub use mosquitto::Mosquitto;
pub use postgres::Postgres;

/// The folder with the workspace's `Cargo.toml`: that of the clone one works in,
/// because several clones may share one target folder and what it holds.
pub fn root() -> PathBuf {
    let here = std::env::current_dir().unwrap_or_default();
    let root = here.ancestors().find(|folder| folder.join("daemon/ARCHITECTURE.md").exists());
    root.unwrap_or(&here).to_owned()
}

/// The folder of the built programs: that of the program which runs, or the one
/// above it for a test.
///
/// # Errors
/// When they are not built.
pub fn programs() -> anyhow::Result<PathBuf> {
    let this = std::env::current_exe().context("this program does not know where it is")?;
    this.ancestors()
        .skip(1)
        .take(2)
        .find(|folder| folder.join("jibud").exists())
        .map(Path::to_owned)
        .context("the programs are not built: cargo build --workspace --all-targets")
}

/// A folder with a hub, a modem and a site in it.
pub struct Stage {
    folder: TempDir,
    programs: PathBuf,
    /// The kiosk's port on localhost.
    pub port: u16,
    /// The port of the hub's own broker.
    broker: u16,
    /// The hub's other broker, if it has one.
    pub mosquitto: Option<Mosquitto>,
    /// The hub's state, if it is not in a file.
    postgres: Option<Postgres>,
    /// How long the hub gathers requests, in seconds.
    pub gather_s: u32,
    /// How long sites' certificates are good, if it is not the usual time.
    pub certificates: Option<Duration>,
}

/// What the hub of a stage stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Footing {
    /// Its own broker, and SQLite.
    Own,
    /// mosquitto, and SQLite.
    Mosquitto,
    /// mosquitto, and PostgreSQL.
    MosquittoAndPostgres,
}

/// A process that ends with this value.
pub struct Running(Child);

/// A simulated modem and the line to its control socket.
pub struct Modem {
    _process: Running,
    /// Delivers, and tells what was sent.
    pub control: Client,
}

impl Stage {
    /// An empty stage, its kiosk on this port or on a free one.
    ///
    /// # Errors
    /// When the programs are not built or the disk refuses.
    pub fn new(port: Option<u16>) -> anyhow::Result<Stage> {
        let port = match port {
            Some(port) => port,
            None => free_port()?,
        };
        let broker = free_port()?;
        let folder = tempfile::Builder::new().prefix("jibu-").tempdir()?;
        let (programs, mosquitto, postgres) = (programs()?, None, None);
        Ok(Stage {
            folder,
            programs,
            port,
            broker,
            mosquitto,
            postgres,
            gather_s: 1,
            certificates: None,
        })
    }

    /// An empty stage with a hub of this footing.
    ///
    /// # Errors
    /// As [`Stage::new`], or when mosquitto or PostgreSQL are not installed.
    pub fn on(footing: Footing) -> anyhow::Result<Stage> {
        let mut stage = Stage::new(None)?;
        if footing == Footing::Own {
            return Ok(stage);
        }
        if footing == Footing::MosquittoAndPostgres {
            stage.postgres = Some(Postgres::start()?);
        }
        stage.settle()?;
        run(&mut stage.hub(&["init"]))?;
        let folder = stage.export()?;
        stage.mosquitto = Some(Mosquitto::start(&folder)?);
        stage.settle()?;
        Ok(stage)
    }

    /// Writes `hub.toml`.
    fn settle(&self) -> anyhow::Result<()> {
        let days = self.certificates.map(|life| life.as_secs_f64() / 86_400.0);
        let mut settings =
            days.map(|days| format!("certificate_days = {days}\n\n")).unwrap_or_default();
        settings += &match &self.mosquitto {
            None => {
                let port = self.broker;
                format!("[broker]\nlisten = \"127.0.0.1:{port}\"\nhosts = [\"localhost\"]\n")
            }
            Some(Mosquitto { port, .. }) => {
                format!("[broker]\nurl = \"mqtts://localhost:{port}\"\nshared = true\n")
            }
        };
        settings += &format!("gather_s = {}\n", self.gather_s);
        if let Some(postgres) = &self.postgres {
            settings += &format!("\n[state]\npostgres = \"{}\"\n", postgres.words());
        }
        std::fs::create_dir_all(self.path("hub"))?;
        Ok(std::fs::write(self.path("hub").join("hub.toml"), settings)?)
    }

    /// Writes what mosquitto needs, and gives the folder.
    fn export(&self) -> anyhow::Result<PathBuf> {
        let folder = self.path("broker");
        run(self.hub(&["site", "export", "--broker", "localhost"]).arg(&folder))?;
        Ok(folder)
    }

    /// Tells a broker that is not the hub's own who may do what now, as an admin
    /// does after enrolments and revocations.
    ///
    /// # Errors
    /// When the hub refuses.
    pub fn tell_broker(&self) -> anyhow::Result<()> {
        let Some(mosquitto) = &self.mosquitto else { return Ok(()) };
        self.export()?;
        mosquitto.reload()
    }

    /// A path on the stage.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// One of our programs, to be run in the workspace's root.
    pub fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.programs.join(name));
        command.current_dir(root());
        command
    }

    /// `jibu-hub` with this stage's data.
    pub fn hub(&self, arguments: &[&str]) -> Command {
        let mut command = self.program("jibu-hub");
        command.arg("--data").arg(self.path("hub")).args(arguments);
        command
    }

    /// `jibud` with this stage's configuration.
    pub fn jibud(&self, arguments: &[&str]) -> Command {
        let mut command = self.program("jibud");
        command.args(arguments).arg("--config").arg(self.path("jibu.toml"));
        command
    }

    /// Takes documents into a collection of the hub and signs a bundle of it.
    ///
    /// # Errors
    /// When the hub refuses.
    pub fn bundle(&self, collection: &str, documents: &Path) -> anyhow::Result<PathBuf> {
        let bundle = self.path(&format!("{collection}.bundle"));
        run(self.hub(&["ingest", collection]).arg(documents))?;
        run(self.hub(&["bundle", collection, "--out"]).arg(&bundle))?;
        Ok(bundle)
    }

    /// Takes documents into a collection of the hub and makes what it now has the
    /// version that sites are to have.
    ///
    /// # Errors
    /// When the hub refuses.
    pub fn publish(&self, collection: &str, documents: &Path) -> anyhow::Result<String> {
        run(self.hub(&["ingest", collection]).arg(documents))?;
        run(&mut self.hub(&["publish", collection]))
    }

    /// Starts the hub at its broker, its log added to `hub.log`; another worker,
    /// where one is running.
    ///
    /// # Errors
    /// When it cannot be started or does not come up.
    pub fn serve(&self) -> anyhow::Result<Running> {
        self.settle()?;
        let path = self.path("hub.log");
        let log = std::fs::File::options().create(true).append(true).open(&path)?;
        let said = || std::fs::read_to_string(&path).unwrap_or_default();
        let serving = || said().matches("connected to the broker").count();
        let before = serving();
        let mut hub = Running::start(self.hub(&["serve"]).stdout(Stdio::null()).stderr(log))?;
        let begun = Instant::now();
        while serving() == before {
            if hub.ended()?.is_some() || begun.elapsed() > Duration::from_secs(30) {
                bail!("jibu-hub serve did not come up:\n{}", said());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(hub)
    }

    /// The port of the broker where sites come in.
    pub fn broker_port(&self) -> u16 {
        self.mosquitto.as_ref().map_or(self.broker, |mosquitto| mosquitto.port)
    }

    /// The table of the hub in `jibu.toml`, where the site has a link to it.
    pub fn link(&self) -> String {
        format!("broker = \"mqtts://localhost:{}\"\nrate_kbit = 1000\n", self.broker_port())
    }

    /// Makes the box a site of the hub, over the link.
    ///
    /// # Errors
    /// When the hub or `jibud` refuses.
    pub fn enrol(&self, site: &str) -> anyhow::Result<String> {
        let invitation = self.invite(&[site])?.remove(0);
        match &self.mosquitto {
            None => run(&mut self.jibud(&["enrol", &invitation])),
            Some(Mosquitto { strangers, .. }) => {
                let broker = format!("mqtt://localhost:{strangers}");
                let said = run(&mut self.jibud(&["enrol", &invitation, "--broker", &broker]))?;
                self.tell_broker()?;
                Ok(said)
            }
        }
    }

    /// Takes sites in at the hub, and gives their invitations.
    ///
    /// # Errors
    /// When the hub refuses.
    pub fn invite(&self, sites: &[&str]) -> anyhow::Result<Vec<String>> {
        let said = run(self.hub(&["site", "add"]).args(sites))?;
        let invitation = |site: &&str| {
            let mine = |word: &&str| word.starts_with(&format!("{site}:"));
            said.split_whitespace().find(mine).map(str::to_owned)
        };
        sites.iter().map(|site| invitation(site).context("no invitation was printed")).collect()
    }

    /// Writes `jibu.toml` with the hub's key; `more` goes at its end.
    ///
    /// # Errors
    /// When the hub refuses or the disk does.
    pub fn configure(&self, more: &str) -> anyhow::Result<()> {
        self.configure_with("", more)
    }

    /// Writes `jibu.toml` with the hub's key and more about the hub.
    ///
    /// # Errors
    /// When the hub refuses or the disk does.
    pub fn configure_with(&self, hub: &str, more: &str) -> anyhow::Result<()> {
        let said = run(&mut self.hub(&["init"]))?;
        let key = said.split_whitespace().find(|word| word.starts_with("hub-"));
        let key = key.context("jibu-hub init printed no key")?;
        let (data, models, pty) = (self.path("site"), root().join("models"), self.path("modem"));
        let port = self.port;
        let text = format!(
            "[site]\nname = \"Jibu\"\ndata = {data:?}\nmodels = {models:?}\n\
             languages = [\"en\", \"sw\", \"fr\", \"pt\", \"ny\"]\nemergency_number = \"112\"\n\n\
             [hub]\npublic_key = {key:?}\n{hub}\n\
             [web]\nlisten = \"127.0.0.1:{port}\"\n\n\
             [[modem]]\nname = \"simulated\"\nport = {pty:?}\n\n{more}"
        );
        Ok(std::fs::write(self.path("jibu.toml"), text)?)
    }

    /// Imports a bundle into the site.
    ///
    /// # Errors
    /// When `jibud` refuses it.
    pub fn import(&self, bundle: &Path) -> anyhow::Result<String> {
        run(self.jibud(&["index", "import"]).arg(bundle))
    }

    /// The site's index versions, a line each.
    ///
    /// # Errors
    /// When `jibud` refuses.
    pub fn versions(&self) -> anyhow::Result<String> {
        run(&mut self.jibud(&["index", "list"]))
    }

    /// Switches a simulated modem on.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn modem(&self, arguments: &[&str]) -> anyhow::Result<Modem> {
        let control = self.path("control");
        let mut command = self.program("jibu-modem-sim");
        command.arg("--pty").arg(self.path("modem")).arg("--control").arg(&control);
        let process = Running::start(command.args(arguments).stdout(Stdio::null()))?;
        let control = Client::connect(&control, Duration::from_secs(10))?;
        Ok(Modem { _process: process, control })
    }

    /// Starts the daemon, its log added to `jibud.log`.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn daemon(&self) -> anyhow::Result<Running> {
        let log =
            std::fs::File::options().create(true).append(true).open(self.path("jibud.log"))?;
        Running::start(self.jibud(&["run"]).stdout(Stdio::null()).stderr(log))
    }

    /// The daemon's log so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.path("jibud.log")).unwrap_or_default()
    }
}

fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

impl Running {
    /// Starts a process.
    ///
    /// # Errors
    /// When the program is not there.
    pub fn start(command: &mut Command) -> anyhow::Result<Running> {
        let name = command.get_program().to_string_lossy().into_owned();
        Ok(Running(command.spawn().with_context(|| format!("{name} could not be started"))?))
    }

    /// Ends it with SIGKILL, as a power cut would.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        self.0.kill()?;
        self.0.wait()?;
        Ok(())
    }

    /// Its process number.
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// Whether it has ended by itself, and how.
    ///
    /// # Errors
    /// When the system refuses to tell.
    pub fn ended(&mut self) -> anyhow::Result<Option<std::process::ExitStatus>> {
        Ok(self.0.try_wait()?)
    }

    /// Waits until it ends by itself.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn wait(&mut self) -> anyhow::Result<()> {
        self.0.wait()?;
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.kill();
    }
}

impl Modem {
    /// The texts that were sent to a number, complete ones only.
    ///
    /// # Errors
    /// When the simulator is gone.
    pub fn sent_to(&mut self, number: &str) -> anyhow::Result<Vec<String>> {
        let reply = self.control.request(&serde_json::json!({ "op": "sent", "to": number }))?;
        let sent = reply["messages"].as_array().context("the simulator told nothing")?;
        let texts = sent
            .iter()
            .filter(|message| message["complete"].as_bool() == Some(true))
            .filter_map(|message| message["text"].as_str().map(str::to_owned));
        Ok(texts.collect())
    }

    /// Waits for the first text to a number.
    ///
    /// # Errors
    /// When none comes in time or the daemon has ended.
    pub fn wait_for(
        &mut self,
        number: &str,
        daemon: &mut Running,
        patience: Duration,
    ) -> anyhow::Result<String> {
        let begun = Instant::now();
        while begun.elapsed() < patience {
            if let Some(text) = self.sent_to(number)?.into_iter().next() {
                return Ok(text);
            }
            if let Some(status) = daemon.ended()? {
                bail!("jibud ended with {status}");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        bail!("no answer came within {} seconds", patience.as_secs())
    }
}

/// Runs a program to its end and gives what it printed.
///
/// # Errors
/// When it fails; its stderr is in the error.
pub fn run(command: &mut Command) -> anyhow::Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| format!("{name} could not be started"))?;
    if !output.status.success() {
        let words: Vec<_> = command.get_args().map(|a| a.to_string_lossy()).collect();
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("{name} {} ended with {}:\n{said}", words.join(" "), output.status);
    }
    String::from_utf8(output.stdout).with_context(|| format!("{name} printed no UTF-8"))
}
