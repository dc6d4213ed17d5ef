//! A person, a phone, an answer.

use serde_json::json;

use crate::{PATIENCE, stage};

const ASKER: &str = "+265991234567";

#[test]
fn a_question_is_answered_with_its_source_and_nothing_of_it_is_logged() {
    let stage = stage();
    let mut modem = stage.modem(&["--time-scale", "0.05", "--seed", "1"]).unwrap();
    let mut daemon = stage.daemon().unwrap();

    let question = "How long must I boil water before drinking it?";
    modem.control.deliver(ASKER, question).unwrap();
    let answer = modem.wait_for(ASKER, &mut daemon, PATIENCE).unwrap();
    assert!(answer.contains("one minute"), "{answer}");
    assert!(answer.contains("Source"), "{answer}");

    // WHY speaks of the answer before it, over a conversation that was kept.
    modem.control.deliver(ASKER, "WHY").unwrap();
    let begun = std::time::Instant::now();
    while modem.sent_to(ASKER).unwrap().len() < 2 {
        assert!(begun.elapsed() < PATIENCE, "WHY got no reply");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let why = modem.sent_to(ASKER).unwrap().pop().unwrap();
    assert!(why.contains("Safe drinking water"), "{why}");

    let other = "+265997654321";
    modem.control.deliver(other, "HELP").unwrap();
    let help = modem.wait_for(other, &mut daemon, PATIENCE).unwrap();
    assert!(help.contains("112"), "{help}");

    let messages = jibu_tests::run(&mut stage.jibud(&["messages", "--json"])).unwrap();
    for shown in [stage.log(), messages] {
        assert!(!shown.contains("991234567") && !shown.contains("997654321"), "{shown}");
        assert!(!shown.contains("boil water"), "{shown}");
    }
    assert!(phone_shaped(&stage.log()).is_empty(), "{:?}", phone_shaped(&stage.log()));
}

/// Runs of digits that could be somebody's number.
fn phone_shaped(log: &str) -> Vec<String> {
    log.split(|c: char| !c.is_ascii_digit() && c != '+')
        .filter(|run| run.trim_start_matches('+').len() >= 9)
        // Dates and fractions of seconds are shorter; nothing else may be this long.
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_backlog_on_the_sim_is_answered_at_start_and_a_long_question_in_any_order() {
    let stage = stage();
    let mut modem = stage.modem(&["--time-scale", "0.05", "--seed", "2"]).unwrap();
    // The box was off when these came.
    let long = "Hello, I live far from the clinic and my neighbour told me to write here. \
                My youngest child has had watery diarrhoea since yesterday and I want to \
                know how to make the drink with sugar and salt at home, please tell me.";
    modem
        .control
        .request(&json!({ "op": "deliver", "from": ASKER, "text": long, "order": [2, 1], "repeat": [2] }))
        .unwrap();
    modem.control.deliver("+265990000001", "HELP").unwrap();

    let mut daemon = stage.daemon().unwrap();
    let answer = modem.wait_for(ASKER, &mut daemon, PATIENCE).unwrap();
    assert!(answer.to_lowercase().contains("sugar"), "{answer}");
    modem.wait_for("+265990000001", &mut daemon, PATIENCE).unwrap();

    std::thread::sleep(std::time::Duration::from_secs(2));
    assert_eq!(modem.sent_to(ASKER).unwrap().len(), 1);
    let storage = modem.control.request(&json!({ "op": "storage" })).unwrap().to_string();
    assert!(!storage.contains("REC "), "answered messages leave the SIM: {storage}");
}

#[test]
fn operators_and_short_codes_are_not_answered_and_a_broken_pdu_does_no_harm() {
    let stage = stage();
    let mut modem = stage.modem(&["--time-scale", "0.05", "--seed", "3"]).unwrap();
    let mut daemon = stage.daemon().unwrap();
    modem.control.deliver("AIRTEL", "Win a phone! Send WIN to 50131").unwrap();
    modem.control.deliver("50131", "You have subscribed").unwrap();
    for pdu in ["00", "0004FF", "07911326040000F0040B911346610089F60000208062917314080CC8F71D14"] {
        modem.control.request(&json!({ "op": "deliver_pdu", "pdu": pdu })).unwrap();
    }
    modem.control.deliver(ASKER, "HELP").unwrap();
    modem.wait_for(ASKER, &mut daemon, PATIENCE).unwrap();

    let sent = modem.control.request(&json!({ "op": "sent" })).unwrap();
    assert_eq!(sent["messages"].as_array().unwrap().len(), 1, "{sent}");
}

#[test]
fn what_arrived_is_known_from_the_status_report() {
    let stage = stage();
    let mut modem = stage.modem(&["--time-scale", "0.05", "--seed", "4"]).unwrap();
    let mut daemon = stage.daemon().unwrap();
    modem.control.deliver(ASKER, "HELP").unwrap();
    modem.wait_for(ASKER, &mut daemon, PATIENCE).unwrap();
    let begun = std::time::Instant::now();
    loop {
        let messages = jibu_tests::run(&mut stage.jibud(&["messages", "--json"])).unwrap();
        if messages.contains("\"delivered\"") {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "{messages}");
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
}
