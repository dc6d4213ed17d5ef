//! What no modem and nobody should send, and some do.

use std::path::Path;
use std::time::Duration;

use jibu_chaos::{Plan, Sky, World, question};
use jibu_modem_sim::codec::{Address, Deliver, UserData, encode_deliver};
use jibu_modem_sim::codec::{Alphabet, ServiceTime};
use jibu_modem_sim::control::{self, Request};

fn folder() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    match memory.is_dir() {
        true => tempfile::tempdir_in(memory),
        false => tempfile::tempdir(),
    }
    .expect("a temporary folder")
}

/// A box with a modem and nobody who writes by himself.
fn quiet(folder: &tempfile::TempDir) -> World {
    let plan = Plan { troubles: false, ..Plan::new(0, 0, 1, folder.path()) };
    World::new(plan).expect("it starts")
}

fn deliver(from: &str, text: String) -> Request {
    let line = serde_json::json!({ "op": "deliver", "from": from, "text": text });
    Request::parse(&line.to_string()).expect("a request")
}

fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(60 * minutes)
}

#[test]
fn each_trouble_alone_loses_nothing_and_doubles_nothing() {
    for sky in Sky::all() {
        let folder = folder();
        let plan = Plan { only: Some(sky), ..Plan::new(50, 3, 1, folder.path()) };
        let report = World::new(plan).and_then(World::run).expect("the run ends");
        assert!(report.is_clean(), "{sky:?}: {:?}\n{report}", report.stories);
    }
}

#[test]
fn random_bytes_on_the_port_for_ten_minutes_and_more_are_survived() {
    let folder = folder();
    let plan = Plan {
        only: Some(Sky::Static),
        pause: Duration::from_secs(30),
        ..Plan::new(40, 0, 1, folder.path())
    };
    let report = World::new(plan).and_then(World::run).expect("the run ends");
    assert!(report.lasted > minutes(10) && report.is_clean(), "{:?}\n{report}", report.stories);
}

#[test]
fn a_modem_that_was_left_in_text_mode_and_another_character_set_is_put_right() {
    for left in [
        "AT+CSCS=\"UCS2\";+CMGF=1\r",
        "AT+CSCS=\"HEX\"\r",
        "ATE1V0Q1\r",
        "AT+CMGF=1\rAT+CMGS=\"+265991234567\"\r half a message",
        "AT+CNMI=0,0,0,0,0;+CPMS=\"SM\",\"SM\",\"SM\";+CMEE=2\r",
    ] {
        let folder = folder();
        let mut world = quiet(&folder);
        world.somebody_wrote(0, left.as_bytes());
        world.run_for(minutes(1)).expect("time goes by");
        world.ask(0, deliver("+265991234567", question(1, 1, true)));
        world.run_for(minutes(2)).expect("time goes by");
        let counts = world.counts().expect("rows");
        assert_eq!(counts.messages.get("answered"), Some(&1), "{left:?}: {counts:?}");
        assert_eq!(counts.parts.get("ready"), None, "{left:?}: {counts:?}");
        assert_eq!(world.lying(), 0, "{left:?}");
    }
}

#[test]
fn a_thousand_messages_at_once_from_one_sender_spend_the_day_s_answers_and_no_more() {
    let folder = folder();
    let mut world = quiet(&folder);
    for serial in 0..1_000 {
        world.ask(0, deliver("+265991234567", question(serial, 1, false)));
    }
    world.ask(0, deliver("+265997654321", question(1_000, 1, false)));
    world.run_for(minutes(60)).expect("time goes by");
    let counts = world.counts().expect("rows");
    assert_eq!(counts.messages.get("answered"), Some(&51), "{counts:?}");
    assert_eq!(counts.messages.get("ignored"), Some(&950), "{counts:?}");
    assert_eq!(world.lying(), 0);
}

#[test]
fn a_message_of_255_parts_is_put_together_and_answered() {
    let folder = folder();
    let mut world = quiet(&folder);
    let line = serde_json::json!({ "op": "deliver", "from": "+265991234567", "bits": 16,
        "text": question(1, 255, true) });
    let answer = world.ask(0, Request::parse(&line.to_string()).expect("a request"));
    assert_eq!(answer["parts"], 255);
    world.run_for(minutes(20)).expect("time goes by");
    let counts = world.counts().expect("rows");
    assert_eq!(counts.messages.get("answered"), Some(&1), "{counts:?}");
    assert_eq!(counts.messages.len(), 1, "{counts:?}");
    assert_eq!(world.lying(), 0);
}

#[test]
fn addresses_of_every_odd_type_are_kept_and_leave_the_sim() {
    let folder = folder();
    let mut world = quiet(&folder);
    let digits = ["", "1", "0", "12345678901234567890", "*100#", "abc", "265991234567", "00265991"];
    let mut sent = 0;
    for kind in [
        0x81, 0x91, 0xA1, 0xB1, 0xC1, 0xD0, 0xE1, 0xF1, 0x80, 0x83, 0x88, 0x89, 0x8F, 0xFF, 0x00,
        0x7F,
    ] {
        for digits in digits {
            let deliver = Deliver {
                origin: Address { digits: digits.to_owned(), kind },
                protocol: 0,
                coding: 0,
                time: ServiceTime::from_unix(1_796_227_091 + sent, 8),
                more: false,
                data: UserData {
                    header: Vec::new(),
                    alphabet: Alphabet::Gsm7,
                    text: question(u32::try_from(sent).unwrap_or(0), 1, false),
                },
            };
            let Ok(tpdu) = encode_deliver(&deliver) else { continue };
            let pdu: String = [vec![0], tpdu].concat().iter().map(|b| format!("{b:02X}")).collect();
            world.ask(0, Request::DeliverPdu(control::DeliverPdu { pdu, delay_ms: None }));
            sent += 1;
        }
    }
    assert!(sent > 100, "{sent}");
    world.run_for(minutes(60)).expect("time goes by");
    let counts = world.counts().expect("rows");
    let kept: u64 = counts.messages.values().sum();
    assert_eq!(kept, u64::try_from(sent).unwrap_or(0), "{counts:?}");
    assert!(!counts.messages.contains_key("received"), "{counts:?}");
    assert_eq!(world.lying(), 0);
    // What has no number is not answered, and what has one is, once.
    let answered = counts.messages.get("answered").copied().unwrap_or(0);
    let parts: u64 = counts.parts.values().sum();
    assert!(answered > 0 && parts >= answered, "{counts:?}");
    assert!(!counts.parts.contains_key("ready"), "{counts:?}");
}
