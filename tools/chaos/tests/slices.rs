//! Small slices of the great runs, with every kind of trouble in them.

use std::path::Path;

use jibu_chaos::{Plan, Report, World};

fn run(plan: impl FnOnce(Plan) -> Plan, messages: u32, cuts: u32, seed: u64) -> Report {
    // Memory, where there is some: the saves are many, and each waits for the disk.
    let memory = Path::new("/dev/shm");
    let folder = match memory.is_dir() {
        true => tempfile::tempdir_in(memory),
        false => tempfile::tempdir(),
    }
    .expect("a temporary folder");
    let plan = plan(Plan::new(messages, cuts, seed, folder.path()));
    let report = World::new(plan).and_then(World::run).expect("the run ends");
    assert!(report.is_clean(), "seed {seed}: {:?}\n{report}", report.stories);
    report
}

fn makes(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn with_one_modem_everyone_is_answered_exactly_once() {
    for seed in 1..=5 {
        let report = run(|plan| plan, 500, 20, seed);
        assert_eq!(report.cuts.values().sum::<u64>(), 20);
        assert!(report.verdict.due > 400);
    }
}

#[test]
fn with_four_modems_everyone_is_answered_exactly_once() {
    for seed in 1..=5 {
        let profiles = makes(&["generic", "sim7600", "sim800l", "ec25"]);
        run(|plan| Plan { profiles, ..plan }, 500, 20, seed);
    }
}

#[test]
fn the_same_seed_gives_the_same_run() {
    assert_eq!(run(|plan| plan, 200, 10, 7), run(|plan| plan, 200, 10, 7));
}

#[test]
fn in_fair_weather_nothing_is_refused_and_nothing_is_in_doubt() {
    let report = run(|plan| Plan { troubles: false, ..plan }, 300, 0, 1);
    assert_eq!((report.refused, report.verdict.unknown, report.sessions), (0, 0, 1));
}
