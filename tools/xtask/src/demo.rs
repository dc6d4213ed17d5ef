//! `cargo xtask demo`: a hub, a simulated modem and a site, all on this machine,
//! and two people who ask by SMS.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use clap::Args;
use serde_json::{Value, json};

use crate::shell::{cargo, output, root, run};

/// Start a hub, a simulated modem and a site; ask by SMS and show the answers.
#[derive(Args)]
pub(crate) struct Demo {
    /// End after the answers instead of leaving the kiosk open until Ctrl-C.
    #[arg(long)]
    once: bool,
    /// The kiosk's port on localhost.
    #[arg(long, default_value_t = 8480)]
    port: u16,
}

const QUESTIONS: [(&str, &str); 2] = [
    ("+265991234567", "How long must I boil water to make it safe to drink?"),
    ("+254712345678", "Mtoto wangu ana homa, nifanye nini?"),
];

impl Demo {
    pub(crate) fn once() -> Demo {
        Demo { once: true, port: 8481 }
    }

    pub(crate) fn run(self) -> anyhow::Result<()> {
        say("building");
        run(cargo(&[
            "build",
            "--locked",
            "-p",
            "jibu-hub",
            "-p",
            "jibud",
            "-p",
            "jibu-modem-sim",
        ]))?;
        let programs = programs()?;
        let folder = std::env::temp_dir().join(format!("jibu-demo-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        let folder = Folder(folder);

        say("hub: ingesting the starter collection and signing a bundle");
        let hub = |arguments: &[&str]| -> Command {
            let mut command = Command::new(programs.join("jibu-hub"));
            command.current_dir(root()).arg("--data").arg(folder.0.join("hub")).args(arguments);
            command
        };
        let key: Value = serde_json::from_str(&output(hub(&["init", "--json"]))?)?;
        let key = key["public_key"].as_str().context("jibu-hub init printed no public_key")?;
        let bundle = folder.text("starter.bundle");
        run(hub(&["ingest", "starter", "tools/hub/starter"]))?;
        run(hub(&["bundle", "starter", "--out", &bundle]))?;

        say("modem: starting the simulator");
        let (pty, control) = (folder.text("modem"), folder.text("control"));
        let _modem = Running::start(
            Command::new(programs.join("jibu-modem-sim"))
                .args(["--pty", &pty, "--control", &control, "--profile", "ec25"])
                .stdout(Stdio::null()),
        )?;
        wait_until("the simulated modem", || Path::new(&pty).exists())?;

        say("site: importing the bundle (each passage is embedded once)");
        let configuration = folder.text("jibu.toml");
        std::fs::write(&configuration, self.configuration(&folder, key, &pty))?;
        let site = |arguments: &[&str]| -> Command {
            let mut command = Command::new(programs.join("jibud"));
            command.current_dir(root()).args(arguments).args(["--config", &configuration]);
            command
        };
        run(site(&["index", "import", &bundle]))?;

        say("site: starting the daemon");
        let log = std::fs::File::create(folder.0.join("jibud.log"))?;
        let mut daemon = Running::start(site(&["run"]).stdout(log.try_clone()?).stderr(log))?;
        self.ask(&control, &mut daemon).with_context(|| {
            let log = std::fs::read_to_string(folder.0.join("jibud.log")).unwrap_or_default();
            format!("the daemon's log:\n{log}")
        })?;

        println!("\nThe kiosk is at http://127.0.0.1:{}/", self.port);
        if !self.once {
            open_browser(self.port);
            println!("Ctrl-C ends the demonstration.");
            daemon.0.wait()?;
        }
        Ok(())
    }

    fn configuration(&self, folder: &Folder, key: &str, pty: &str) -> String {
        let (data, models) = (folder.text("site"), root().join("models"));
        format!(
            "[site]\n\
             name = \"Jibu demonstration\"\n\
             data = {data:?}\n\
             models = {models:?}\n\
             languages = [\"en\", \"sw\", \"fr\", \"pt\", \"ny\"]\n\
             \n\
             [hub]\n\
             public_key = {key:?}\n\
             \n\
             [web]\n\
             listen = \"127.0.0.1:{port}\"\n\
             \n\
             [[modem]]\n\
             name = \"simulated\"\n\
             port = {pty:?}\n",
            port = self.port
        )
    }

    fn ask(&self, control: &str, daemon: &mut Running) -> anyhow::Result<()> {
        let mut modem = Control::open(control)?;
        for (answered, (from, text)) in (1..).zip(QUESTIONS) {
            println!("\n{from} asks:   {text}");
            modem.request(&json!({ "op": "deliver", "from": from, "text": text }))?;
            let begun = Instant::now();
            let sent = loop {
                let wait = json!({ "op": "wait_sent", "count": answered, "timeout_ms": 1_000 });
                if let Ok(reply) = modem.request(&wait)
                    && let Some(message) = answer_to(&reply, from)
                {
                    break message;
                }
                if let Some(status) = daemon.0.try_wait()? {
                    bail!("jibud ended with {status}");
                }
                if begun.elapsed() > Duration::from_secs(120) {
                    bail!("no answer came within two minutes");
                }
            };
            println!("{from} receives, after {:.1} s:", begun.elapsed().as_secs_f64());
            for line in sent.lines() {
                println!("    {line}");
            }
        }
        Ok(())
    }
}

/// The text of the complete message that was sent to this number, if any.
fn answer_to(reply: &Value, number: &str) -> Option<String> {
    let sent = reply["sent"].as_array()?.iter();
    let texts: Vec<&str> = sent
        .filter(|message| message["to"] == number && message["complete"] != json!(false))
        .filter_map(|message| message["text"].as_str())
        .collect();
    (!texts.is_empty()).then(|| texts.join("\n"))
}

/// Where cargo puts the programs of the dev profile.
pub(crate) fn programs() -> anyhow::Result<PathBuf> {
    let metadata = output(cargo(&["metadata", "--format-version", "1", "--no-deps", "--locked"]))?;
    let metadata: Value = serde_json::from_str(&metadata)?;
    let folder = metadata["target_directory"].as_str().context("cargo has no target folder")?;
    Ok(Path::new(folder).join("debug"))
}

fn say(what: &str) {
    println!("-- {what}");
}

fn wait_until(what: &str, ready: impl Fn() -> bool) -> anyhow::Result<()> {
    let begun = Instant::now();
    while !ready() {
        if begun.elapsed() > Duration::from_secs(10) {
            bail!("{what} did not start within ten seconds");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// Opens the kiosk where there is a screen to open it on.
fn open_browser(port: u16) {
    if std::env::var_os("DISPLAY").is_some() || std::env::var_os("WAYLAND_DISPLAY").is_some() {
        // Without a browser the printed address still does.
        let _ = Command::new("xdg-open")
            .arg(format!("http://127.0.0.1:{port}/"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
    }
}

/// The demonstration's folder, which goes with it.
struct Folder(PathBuf);

impl Folder {
    fn text(&self, name: &str) -> String {
        self.0.join(name).to_string_lossy().into_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A program that ends with the demonstration.
struct Running(Child);

impl Running {
    fn start(command: &mut Command) -> anyhow::Result<Running> {
        let name = command.get_program().to_string_lossy().into_owned();
        Ok(Running(command.spawn().with_context(|| format!("{name} could not be started"))?))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The simulator's control socket: a line of JSON each way.
struct Control(BufReader<UnixStream>);

impl Control {
    fn open(path: &str) -> anyhow::Result<Control> {
        wait_until("the simulator's control socket", || Path::new(path).exists())?;
        Ok(Control(BufReader::new(UnixStream::connect(path)?)))
    }

    fn request(&mut self, request: &Value) -> anyhow::Result<Value> {
        writeln!(self.0.get_mut(), "{request}")?;
        let mut line = String::new();
        self.0.read_line(&mut line)?;
        let reply: Value = serde_json::from_str(&line)?;
        if let Some(error) = reply["error"].as_str() {
            bail!("the simulator refused {request}: {error}");
        }
        Ok(reply)
    }
}
