//! The same USSD session through a gateway and on the modem, and the airtime.

use std::time::{Duration, Instant};

use jibu_tests::{Modem, Running, Stage};
use serde_json::{Value, json};

use crate::e2e_kiosk::{get, wait_for_kiosk};
use crate::e2e_ussd::{Gateway, NUMBER, SECRET};
use crate::{PATIENCE, documents};

const AMHARIC: &str = "---
title: ንጹህ ውሃ
language: am
date: 2026-11-22
licence: CC0-1.0
---

# ንጹህ ውሃ

## ውሃ ማፍላት
ውሃውን ለአንድ ደቂቃ በደንብ ያፍሉ። ከዚያ ተሸፍኖ እንዲቀዘቅዝ ይተዉት። የፈላውን ውሃ በንጹህ ዕቃ ውስጥ ክዳን አድርገው ያስቀምጡ። \
ውሃውን ሲቀዱ እጅዎን አያስገቡ፤ ንጹህ ጭልፋ ይጠቀሙ። የተቀመጠ ውሃ ከቆሸሸ እንደገና ያፍሉ።
";

/// A site that answers in English and Amharic, with a modem of this make.
fn site(more: &str) -> Stage {
    let stage = Stage::new(None).unwrap();
    let folder = stage.path("documents");
    std::fs::create_dir(&folder).unwrap();
    std::fs::copy(documents().join("safe-water.md"), folder.join("water.md")).unwrap();
    std::fs::write(folder.join("water-am.md"), AMHARIC).unwrap();
    let bundle = stage.bundle("health", &folder).unwrap();
    stage
        .configure(&format!(
            "ussd = true\n\n[modem.airtime]\ncode = \"*100#\"\n\
             pattern = \"balance is MK {{balance}}\"\nlow = 2000\n\n\
             [web.ussd]\nsecret = {SECRET:?}\n\n{more}"
        ))
        .unwrap();
    let file = stage.path("jibu.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let two = text.replace("[\"en\", \"sw\", \"fr\", \"pt\", \"ny\"]", "[\"en\", \"am\"]");
    assert_ne!(two, text);
    std::fs::write(&file, two).unwrap();
    stage.import(&bundle).unwrap();
    stage
}

/// Somebody's phone at the other end of the modem's session.
struct Phone<'a> {
    modem: &'a mut Modem,
    seen: usize,
}

impl Phone<'_> {
    fn enter(&mut self, entry: &str) -> String {
        let op = json!({ "op": "ussd", "m": 1, "text": entry });
        let told = self.modem.control.request(&op).unwrap();
        assert!(told.get("error").is_none(), "{told}");
        let begun = Instant::now();
        loop {
            let said = self.modem.control.request(&json!({ "op": "ussd_said" })).unwrap();
            if let Some(page) = said["said"].get(self.seen) {
                self.seen += 1;
                assert_eq!(page["fits"], Value::Bool(true), "{page}");
                return page["text"].as_str().expect("a page").to_owned();
            }
            assert!(begun.elapsed() < PATIENCE, "no page for {entry}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// What a person enters, and the pages that they see; waiting pages left out.
fn play(mut enter: impl FnMut(&str) -> String, script: &[&str]) -> Vec<String> {
    let begun = Instant::now();
    let mut pages = Vec::new();
    for entry in script {
        let mut page = enter(entry);
        while page.contains("I am looking for the answer.") {
            assert!(begun.elapsed() < PATIENCE, "{page}");
            std::thread::sleep(Duration::from_millis(500));
            page = enter("1");
        }
        pages.push(page);
    }
    pages
}

fn until_ready(base: &str, daemon: &mut Running) {
    wait_for_kiosk(base, daemon);
    let begun = Instant::now();
    while !get(&format!("{base}/metrics")).contains("jibu_modem_airtime{modem=\"simulated\"}") {
        assert!(begun.elapsed() < PATIENCE, "the airtime was not read");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn a_session_on_the_modem_shows_the_pages_that_the_gateway_shows() {
    const ENGLISH: &[&str] = &["", "1", "How long do I boil water?", "9", "9", "0", "0", "0", "0"];
    // By its name, then the topic, the question, and the pages of the answer.
    const AMHARIC: &[&str] = &["", "am", "1", "1", "9", "9", "0"];
    for profile in ["generic", "huawei", "sim800l"] {
        let stage = site("[ussd]\nby_sms = false\n");
        let options = ["--time-scale", "0.05", "--seed", "5", "--profile", profile];
        let mut modem = stage.modem(&options).unwrap();
        let mut daemon = stage.daemon().unwrap();
        let base = format!("http://127.0.0.1:{}", stage.port);
        until_ready(&base, &mut daemon);

        let sessions = [("english", NUMBER, ENGLISH), ("amharic", "+265997654321", AMHARIC)];
        for (session, number, script) in sessions {
            // Two people: one alone would go on where they were.
            let mut gateway = Gateway::at(&stage, session);
            gateway.number = number;
            let by_gateway = play(
                |entry| if entry.is_empty() { gateway.page() } else { gateway.enter(entry) },
                script,
            );
            let seen = modem.control.request(&json!({ "op": "ussd_said" })).unwrap();
            let seen = seen["said"].as_array().unwrap().len();
            let mut phone = Phone { modem: &mut modem, seen };
            let on_modem = play(
                |entry| phone.enter(if entry.is_empty() { "*384*77#" } else { entry }),
                script,
            );
            assert_eq!(on_modem, by_gateway, "{profile}, {session}");
            for page in &on_modem {
                let most = if page.chars().any(|c| c >= '\u{1200}') { 70 } else { 182 };
                assert!(page.encode_utf16().count() <= most, "{page}");
            }
            // The network ends it; whoever comes next begins anew.
            modem.control.request(&json!({ "op": "ussd", "m": 2 })).unwrap();
            match session {
                "english" => assert!(on_modem[2].contains("minute"), "{on_modem:?}"),
                _ => assert!(on_modem[2].contains("1.ውሃ ማፍላት"), "{on_modem:?}"),
            }
        }
        let log = stage.log();
        for private in ["991234567", "997654321", "boil", "ውሃ"] {
            assert!(!log.contains(private), "{log}");
        }
    }
}

#[test]
fn airtime_is_read_and_a_low_one_is_told_everywhere() {
    let stage = site("");
    let _modem = stage.modem(&["--time-scale", "0.05", "--seed", "6"]).unwrap();
    let mut daemon = stage.daemon().unwrap();
    let base = format!("http://127.0.0.1:{}", stage.port);
    until_ready(&base, &mut daemon);
    let metrics = get(&format!("{base}/metrics"));
    assert!(metrics.contains("jibu_modem_airtime{modem=\"simulated\"} 1234.5"), "{metrics}");
    assert!(metrics.contains("jibu_modem_airtime_low{modem=\"simulated\"} 1"), "{metrics}");
    let agent: ureq::Agent =
        ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let mut health = agent.get(format!("{base}/healthz")).call().unwrap();
    let said = health.body_mut().read_to_string().unwrap();
    assert!(said.contains("1234.50 left: buy airtime"), "{said}");
    // The exit status says that somebody is needed.
    let status = stage.jibud(&["status"]).output().unwrap();
    let shown = String::from_utf8_lossy(&status.stdout).into_owned();
    assert!(shown.contains("modems.simulated.airtime.balance: 1234.5"), "{shown}");
    assert!(stage.log().contains("airtime is low"));
}

#[test]
fn the_answer_follows_by_sms_when_its_reader_chose_so() {
    let stage = site("");
    let mut modem = stage.modem(&["--time-scale", "0.05", "--seed", "7"]).unwrap();
    let mut daemon = stage.daemon().unwrap();
    until_ready(&format!("http://127.0.0.1:{}", stage.port), &mut daemon);
    let mut gateway = Gateway::at(&stage, "sms");
    gateway.page();
    gateway.enter("1");
    let answer = gateway.ask("How long do I boil water?");
    assert!(answer.contains("8.SMS"), "{answer}");
    assert_eq!(gateway.end("8"), "The answer comes to you by SMS.");
    let sms = modem.wait_for(NUMBER, &mut daemon, PATIENCE).unwrap();
    assert!(sms.contains("minute") && sms.contains("Source"), "{sms}");
    assert!(sms.chars().count() <= 3 * 153, "{sms}");
}
