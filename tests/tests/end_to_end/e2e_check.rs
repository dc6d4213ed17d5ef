//! `jibud check --modem` in front of modems that want something.

use std::os::fd::OwnedFd;
use std::path::Path;

use jibu_tests::{Modem, Stage};
use rustix::fs::{FlockOperation, Mode, OFlags};
use serde_json::{Value, json};

use crate::e2e_ussd::NUMBER;

/// What it says of each thing, and whether that is ok.
fn check(stage: &Stage, arguments: &[&str]) -> Vec<(String, bool, String)> {
    let output = stage.jibud(&[&["check", "--json"], arguments].concat()).output().unwrap();
    let said: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    let text = |line: &Value, key: &str| line[key].as_str().unwrap().to_owned();
    let lines: Vec<_> = said
        .as_array()
        .unwrap()
        .iter()
        .map(|line| (text(line, "what"), line["ok"] == true, text(line, "says")))
        .collect();
    assert_eq!(output.status.success(), lines.iter().all(|(_, ok, _)| *ok), "{lines:?}");
    lines
}

fn configured(more: &str) -> Stage {
    let stage = Stage::new(None).unwrap();
    stage.configure(more).unwrap();
    stage
}

fn started(stage: &Stage, arguments: &[&str]) -> Modem {
    stage.modem(&[&["--time-scale", "0.02", "--seed", "8"], arguments].concat()).unwrap()
}

/// The one thing that is not ok.
fn fault(stage: &Stage) -> (String, String) {
    let lines = check(stage, &["--modem"]);
    let mut faults = lines.iter().filter(|(_, ok, _)| !ok);
    let (what, _, says) = faults.next().unwrap_or_else(|| panic!("all is well: {lines:?}"));
    assert!(faults.next().is_none(), "{lines:?}");
    (what.strip_prefix("modem simulated: ").unwrap().to_owned(), says.clone())
}

#[test]
fn a_modem_that_works_is_told_of_in_full_and_sends_a_test_message() {
    for profile in ["generic", "sim800l", "sim7600", "ec25", "huawei"] {
        let stage = configured(
            "[modem.airtime]\ncode = \"*100#\"\npattern = \"MK {balance}\"\nlow = 100\n",
        );
        let mut modem = started(&stage, &["--profile", profile]);
        let lines = check(&stage, &["--modem", "simulated", "--send", NUMBER]);
        assert!(lines.iter().all(|(_, ok, _)| *ok), "{profile}: {lines:?}");
        let whats: Vec<&str> =
            lines.iter().map(|(what, ..)| what.rsplit(": ").next().unwrap()).collect();
        assert_eq!(
            whats,
            [
                "port",
                "make",
                "SIM",
                "signal",
                "network",
                "service centre",
                "storage",
                "airtime",
                "test message"
            ],
            "{profile}"
        );
        assert!(lines.iter().any(|(_, _, says)| says == "1234.50 left"), "{lines:?}");
        let sent = modem.sent_to(NUMBER).unwrap();
        assert_eq!(sent.len(), 1);
        let shown = format!("{lines:?}");
        assert!(!shown.contains("991234567"), "{shown}");
    }
}

#[test]
fn each_fault_is_named_with_what_to_do() {
    let stage = configured("");
    let (what, says) = fault(&stage);
    assert_eq!(what, "port");
    assert!(says.contains("is the modem plugged in"), "{says}");

    let modem = started(&stage, &["--pin", "4711"]);
    let (what, says) = fault(&stage);
    assert!(what == "SIM" && says.contains("set `pin`"), "{what}: {says}");
    drop(modem);

    let cases: [(Value, &str, &str); 5] = [
        (json!({ "sim_present": false }), "SIM", "there is no SIM"),
        (json!({ "registration": 3 }), "network", "activated"),
        (json!({ "service_centre": "" }), "service centre", "message centre number"),
        (json!({ "signal": 99 }), "signal", "antenna"),
        (json!({ "signal": 2 }), "signal", "higher place"),
    ];
    for (set, thing, words) in cases {
        let stage = configured("");
        let mut modem = started(&stage, &[]);
        let mut request = set.clone();
        request["op"] = "set".into();
        modem.control.request(&request).unwrap();
        let (what, says) = fault(&stage);
        assert!(what == thing && says.contains(words), "{set}: {what}: {says}");
    }
}

#[test]
fn a_full_sim_and_a_port_in_use_are_named() {
    let stage = configured("");
    let mut modem = started(&stage, &["--profile", "minimal"]);
    for text in 0..6 {
        modem.control.deliver(NUMBER, &text.to_string()).unwrap();
    }
    std::thread::sleep(std::time::Duration::from_millis(500));
    let (what, says) = fault(&stage);
    assert!(what == "storage" && says.contains("SM is full (5 of 5)"), "{what}: {says}");

    let _other = open(&stage.path("modem"));
    let (what, says) = fault(&stage);
    assert!(what == "port" && says.contains("another program uses"), "{what}: {says}");
}

/// As another program would, for itself alone.
fn open(port: &Path) -> OwnedFd {
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK;
    let port = rustix::fs::open(port, flags, Mode::empty()).unwrap();
    rustix::fs::flock(&port, FlockOperation::NonBlockingLockExclusive).unwrap();
    port
}
