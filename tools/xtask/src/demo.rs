//! `cargo xtask demo`: a hub with its broker, a simulated modem and a site, all on
//! this machine, and people who ask by SMS, one of them again after the hub
//! published a change.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Args;
use jibu_tests::{Modem, Running, Stage, root};

use crate::shell::{cargo, run};

/// Start a hub, a simulated modem and a site; ask by SMS and show the answers.
#[derive(Args)]
pub(crate) struct Demo {
    /// End after the answers instead of leaving the kiosk open until Ctrl-C.
    #[arg(long)]
    once: bool,
    /// The kiosk's port on localhost [default: a free one].
    #[arg(long)]
    port: Option<u16>,
}

const NOTICE: &str = "---\nlanguage: en\n---\n# Opening hours of the service centre\n\n\
    The service centre opens at 8:00 and closes at 16:00 from Monday to Friday.\n";
const HOURS: &str = "When does the service centre open?";

const QUESTIONS: [(&str, &str); 2] = [
    ("+265991234567", "How long must I boil water to make it safe to drink?"),
    ("+254712345678", "Maji yanapaswa kuchemka kwa muda gani?"),
];

/// As long as an answer may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// What builds every program and test in one go. Other choices of packages would
/// build the dependencies once more, with other features.
pub(crate) const BUILD: [&str; 4] = ["build", "--workspace", "--all-targets", "--locked"];

impl Demo {
    pub(crate) fn once() -> Demo {
        Demo { once: true, port: None }
    }

    pub(crate) fn run(self) -> anyhow::Result<()> {
        say("building");
        run(cargo(&BUILD))?;
        let stage = Stage::new(self.port)?;

        say("hub: ingesting the starter collection and a notice, and signing a bundle");
        let notices = stage.path("notices");
        std::fs::create_dir(&notices)?;
        std::fs::write(notices.join("opening-hours.md"), NOTICE)?;
        stage.publish("starter", &notices)?;
        let bundle = stage.bundle("starter", &root().join("tools/hub/starter"))?;

        say("hub: serving at its own broker");
        let _hub = stage.serve()?;

        say("modem: switching a simulated Quectel EC25 on");
        let mut modem = stage.modem(&["--profile", "ec25"])?;

        say("site: enrolling over the link");
        stage.configure_with(&stage.link(), "")?;
        print!("{}", stage.enrol("demo")?);

        say("site: importing the bundle from a stick; each passage is embedded once");
        print!("{}", stage.import(&bundle)?);

        say("site: starting the daemon");
        let mut daemon = stage.daemon()?;
        for (number, text) in QUESTIONS {
            ask(&mut modem, &mut daemon, number, text)
                .with_context(|| format!("the daemon's log:\n{}", stage.log()))?;
        }

        ask(&mut modem, &mut daemon, "+265881112222", HOURS)?;
        say("hub: publishing a change: the service centre opens earlier");
        std::fs::write(notices.join("opening-hours.md"), NOTICE.replace("8:00", "7:30"))?;
        let before = active(&stage)?;
        print!("{}", stage.publish("starter", &notices)?);
        let begun = Instant::now();
        while active(&stage)? == before {
            if begun.elapsed() > PATIENCE {
                anyhow::bail!("the change did not reach the site:\n{}", stage.log());
            }
            std::thread::sleep(Duration::from_millis(250));
        }
        say(&format!("site: answers from it after {:.0} s", begun.elapsed().as_secs_f64()));
        ask(&mut modem, &mut daemon, "+265883334444", HOURS)?;

        println!("\nThe kiosk is at http://127.0.0.1:{}/", stage.port);
        if !self.once {
            open_browser(stage.port);
            println!("Ctrl-C ends the demonstration.");
            daemon.wait()?;
        }
        Ok(())
    }
}

/// What the site answers from.
fn active(stage: &Stage) -> anyhow::Result<Vec<String>> {
    let versions = stage.versions()?;
    Ok(versions.lines().filter(|line| line.contains(": active")).map(str::to_owned).collect())
}

fn ask(modem: &mut Modem, daemon: &mut Running, number: &str, text: &str) -> anyhow::Result<()> {
    println!("\n{number} asks:  {text}");
    modem.control.deliver(number, text)?;
    let begun = Instant::now();
    let answer = modem.wait_for(number, daemon, PATIENCE)?;
    println!("{number} reads, after {:.1} s:", begun.elapsed().as_secs_f64());
    for line in answer.lines() {
        println!("    {line}");
    }
    Ok(())
}

fn say(what: &str) {
    println!("-- {what}");
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
