//! SIGKILL at seeded moments while messages flow: every question is answered
//! exactly once, as the modem saw it.

use std::time::{Duration, Instant};

use jibu_tests::{Modem, Stage};
use serde_json::json;

use crate::stage;

/// How many times the power is cut, in all.
const CUTS: usize = 200;
/// Runs side by side, each with its own site, modem and seed.
const RUNS: usize = 2;

#[test]
fn after_two_hundred_cuts_everybody_is_answered_exactly_once() {
    std::thread::scope(|scope| {
        for seed in 1..=RUNS as u64 {
            scope.spawn(move || one_run(seed));
        }
    });
}

fn one_run(seed: u64) {
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let stage = stage();
    // Sending takes 0.1 to 0.4 s, so that many cuts fall into it.
    let mut modem = stage.modem(&["--time-scale", "0.1", "--seed", &seed.to_string()]).unwrap();
    let mut people = 0;
    for _ in 0..CUTS / RUNS {
        for _ in 0..random.usize(0..=2) {
            ask(&mut modem, people);
            people += 1;
        }
        let mut daemon = stage.daemon().unwrap();
        std::thread::sleep(Duration::from_millis(random.u64(200..3_500)));
        assert!(daemon.ended().unwrap().is_none(), "jibud ended by itself:\n{}", stage.log());
        daemon.kill().unwrap();
    }
    settle(&stage, &mut modem, people);
    check(&mut modem, people);
}

fn number(person: usize) -> String {
    format!("+26599200{person:04}")
}

fn ask(modem: &mut Modem, person: usize) {
    let questions =
        ["HELP", "How long must I boil water?", "What are the danger signs in a child?", "LANG sw"];
    let from = number(person);
    // Some questions come in two parts, and some parts come twice.
    let long = "I live far from the clinic and the road is bad after the rain, so I write to ask \
                you about the water from the river: how long must we boil the water to make it \
                safe?";
    let deliver = match person % 5 {
        4 => json!({ "op": "deliver", "from": from, "text": long, "repeat": [1] }),
        kind => json!({ "op": "deliver", "from": from, "text": questions[kind] }),
    };
    modem.control.request(&deliver).unwrap();
}

/// Lets the daemon finish what is left.
fn settle(stage: &Stage, modem: &mut Modem, people: usize) {
    let mut daemon = stage.daemon().unwrap();
    let begun = Instant::now();
    while (0..people).any(|person| modem.sent_to(&number(person)).unwrap().is_empty()) {
        assert!(begun.elapsed() < Duration::from_secs(180), "somebody waits:\n{}", stage.log());
        assert!(daemon.ended().unwrap().is_none());
        std::thread::sleep(Duration::from_millis(200));
    }
    // What would come twice comes now.
    std::thread::sleep(Duration::from_secs(5));
}

fn check(modem: &mut Modem, people: usize) {
    let all = modem.control.request(&json!({ "op": "sent" })).unwrap();
    for person in 0..people {
        let to = number(person);
        let sent: Vec<_> =
            all["messages"].as_array().unwrap().iter().filter(|m| m["to"] == to.as_str()).collect();
        assert_eq!(sent.len(), 1, "to …{person:04}: {sent:?}");
    }
    let storage = modem.control.request(&json!({ "op": "storage" })).unwrap().to_string();
    assert!(!storage.contains("REC "), "answered messages stay on the SIM: {storage}");
    println!("{people} people, each answered once");
}
