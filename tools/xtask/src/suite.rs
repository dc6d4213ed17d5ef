//! `cargo xtask test`: every test, in the order in which a failure is cheapest.

use std::time::Instant;

use anyhow::{Context, bail};
use clap::Args;
use jibu_tests::root;

use crate::demo::{BUILD, Demo};
use crate::install;
use crate::shell::{cargo, program, run};

/// Run every test, installing what the tests need.
#[derive(Args)]
pub(crate) struct Suite {
    /// Leave these steps out (not in CI).
    #[arg(long, value_delimiter = ',')]
    skip: Vec<String>,
    /// Run these steps alone (not in CI).
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Print the steps and end.
    #[arg(long)]
    list: bool,
}

struct Step {
    name: &'static str,
    what: &'static str,
    run: fn() -> anyhow::Result<()>,
}

const STEPS: [Step; 10] = [
    Step { name: "format", what: "rustfmt", run: format },
    Step { name: "tidy", what: "the crates' edges against the map", run: crate::tidy::run },
    Step { name: "lint", what: "clippy, warnings refused", run: lint },
    Step { name: "unit", what: "the tests of every crate", run: unit },
    Step { name: "openness", what: "each model with its data, code and card", run: openness },
    Step { name: "third-party", what: "gammu, smstools, python-gsmmodem, smppy", run: third_party },
    Step { name: "end-to-end", what: "SMS, kill -9, kiosk in Chromium", run: end_to_end },
    Step {
        name: "retrieval",
        what: "slices of the evaluation, scored by ir-measures and SQuAD's scorer",
        run: retrieval,
    },
    Step { name: "demo", what: "the demonstration, once", run: demo },
    Step { name: "deny", what: "licences, sources and banned crates", run: deny },
];

impl Suite {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        if self.list {
            for step in &STEPS {
                println!("{:<12} {}", step.name, step.what);
            }
            return Ok(());
        }
        let in_ci = std::env::var_os("CI").is_some();
        if in_ci && !(self.skip.is_empty() && self.only.is_empty()) {
            bail!("CI runs every step: --skip and --only are for your own machine");
        }
        for name in self.skip.iter().chain(&self.only) {
            if !STEPS.iter().any(|step| step.name == name) {
                bail!("there is no step \"{name}\"; cargo xtask test --list names them");
            }
        }

        let wanted = |step: &&Step| {
            let named = |names: &[String]| names.iter().any(|name| name == step.name);
            (self.only.is_empty() || named(&self.only)) && !named(&self.skip)
        };
        let mut passed = 0;
        for step in STEPS.iter().filter(wanted) {
            println!("\n== {}: {}", step.name, step.what);
            let begun = Instant::now();
            (step.run)().with_context(|| format!("step \"{}\" failed", step.name))?;
            println!("== {}: passed in {} s", step.name, begun.elapsed().as_secs());
            passed += 1;
        }
        println!("\nsteps: {passed} passed, 0 failed, {} skipped", STEPS.len() - passed);
        Ok(())
    }
}

fn format() -> anyhow::Result<()> {
    run(cargo(&["fmt", "--all", "--check"]))
}

fn lint() -> anyhow::Result<()> {
    run(cargo(&["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"]))
}

/// Everything but the end-to-end tests, whose names begin with `e2e_`.
fn unit() -> anyhow::Result<()> {
    // The hub's state is tried in PostgreSQL, its certificates with OpenSSL and
    // its access list with mosquitto.
    install::debian(&["postgresql", "openssl", "mosquitto", "mosquitto-clients"])?;
    run(cargo(&["test", "--workspace", "--locked", "--", "--skip", "e2e_"]))
}

fn openness() -> anyhow::Result<()> {
    run(cargo(&BUILD))?;
    run(program(jibu_tests::programs()?.join("jibu-eval"), &["openness"]))
}

fn third_party() -> anyhow::Result<()> {
    run(cargo(&BUILD))?;
    let mut examiners = program("bash", &["tests/third-party/run.sh"]);
    examiners.env("JIBU_PROGRAMS", jibu_tests::programs()?);
    run(examiners)
}

fn end_to_end() -> anyhow::Result<()> {
    install::debian(&["chromium"])?;
    run(cargo(&BUILD))?;
    let test = ["test", "--workspace", "--locked", "--test", "end_to_end"];
    run(cargo(&[&test[..], &["--", "--test-threads", "2"]].concat()))
}

fn retrieval() -> anyhow::Result<()> {
    if !root().join("../shared/eval").is_dir() {
        println!("skipped: the evaluation data (../shared/eval) is not here");
        return Ok(());
    }
    let python = install::python("tools/eval/requirements.txt")?;
    run(cargo(&BUILD))?;
    for scorer in ["tools/eval/check.py", "tools/eval/answers.py"] {
        let mut slices = program(&python, &[scorer, "--slices", "--binary"]);
        slices.arg(jibu_tests::programs()?.join("jibu-eval"));
        run(slices)?;
    }
    Ok(())
}

fn demo() -> anyhow::Result<()> {
    Demo::once().run()
}

/// Advisories need a database from a network that CI does not reach; licences,
/// bans and sources need only what cargo has.
fn deny() -> anyhow::Result<()> {
    let deny = install::crates_io("cargo-deny", "0.20.2")?;
    run(program(&deny, &["--locked", "check", "licenses", "bans", "sources"]))
}
