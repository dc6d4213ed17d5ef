//! The simulator's codec against messages that other programs made.
//!
//! The vectors stand beside the checkout, not in it; without them these tests
//! say so and pass.

#![expect(clippy::print_stdout, reason = "tests tell what they skip and what differs")]

use std::fs;
use std::path::PathBuf;

use jibu_modem_sim::codec::{
    Alphabet, UserData, decode_deliver, decode_status_report, decode_submit, encode_submit,
    split_service_centre,
};
use serde_json::Value;

/// The lines of a vector file, or nothing when it is not there.
fn vectors(file: &str) -> Vec<Value> {
    let mut path = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    path.push("../../../shared/sms-vectors");
    path.push(file);
    match fs::read_to_string(&path) {
        Ok(text) => {
            text.lines().map(|line| serde_json::from_str(line).expect("a JSON line")).collect()
        }
        Err(_) => {
            println!("skipped: there is no {file} beside the checkout");
            Vec::new()
        }
    }
}

/// What a line expects, where its decoding says something else.
fn differences(line: &Value) -> Vec<String> {
    let expected = &line["expected"];
    let Some(pdu) = line["pdu"].as_str() else { return Vec::new() };
    let pdu = hex::decode(pdu).expect("hexadecimal");
    let (centre, tpdu) = match split_service_centre(&pdu) {
        Ok(split) => split,
        Err(error) => return vec![error.to_string()],
    };
    let mut found = serde_json::Map::new();
    let mut put = |name: &str, value: Value| drop(found.insert(name.to_owned(), value));
    if let Some(centre) = centre {
        put("smsc", centre.to_string().into());
    }
    match line["kind"].as_str() {
        Some("SMS-SUBMIT") => match decode_submit(tpdu) {
            Ok(submit) => {
                put("number", submit.destination.to_string().into());
                put("message_reference", submit.reference.into());
                put("pid", submit.protocol.into());
                put("dcs", submit.coding.into());
                if let [relative] = submit.validity.as_slice() {
                    put("vp", (*relative).into());
                }
                put_data(&mut put, &submit.data);
            }
            Err(error) => return vec![error.to_string()],
        },
        Some("SMS-DELIVER") => match decode_deliver(tpdu) {
            Ok(deliver) => {
                put("number", deliver.origin.to_string().into());
                put("pid", deliver.protocol.into());
                put("dcs", deliver.coding.into());
                put("tz_quarters", deliver.time.quarters.into());
                put_data(&mut put, &deliver.data);
            }
            Err(error) => return vec![error.to_string()],
        },
        Some("SMS-STATUS-REPORT") => match decode_status_report(tpdu) {
            Ok(report) => {
                put("number", report.recipient.to_string().into());
                put("tz_quarters", report.submitted.quarters.into());
                put("message_reference", report.reference.into());
            }
            Err(error) => return vec![error.to_string()],
        },
        _ => return Vec::new(),
    }
    CHECKED
        .iter()
        .filter(|name| expected.get(**name).is_some_and(|value| !value.is_null()))
        .filter(|name| !agrees(name, found.get(**name).unwrap_or(&Value::Null), &expected[**name]))
        .map(|name| format!("{name}: {:?} instead of {}", found.get(*name), expected[*name]))
        .collect()
}

const CHECKED: [&str; 9] =
    ["smsc", "number", "message_reference", "pid", "dcs", "vp", "tz_quarters", "text", "concat"];

/// Whether a value is the expected one, or differs where the standard is on our
/// side.
fn agrees(name: &str, found: &Value, expected: &Value) -> bool {
    if found == expected {
        return true;
    }
    let (Some(found), Some(expected)) = (found.as_str(), expected.as_str()) else { return false };
    let digits = |text: &str| text.chars().filter(char::is_ascii_alphanumeric).collect::<String>();
    match name {
        // The vectors keep only letters and digits of alphanumeric senders; and
        // where an odd number of digits is filled up with 0 instead of 0xF,
        // some readers take the filler for a digit.
        "number" => digits(found) == expected || format!("{found}0") == expected,
        // The default alphabet has no grave accent: 0x5F is the section sign
        // (TS 23.038 §6.2.1).
        "text" => found == expected.replace('`', "§"),
        _ => false,
    }
}

fn put_data(put: &mut impl FnMut(&str, Value), data: &UserData) {
    // 8 bit text is not for a codec to guess at.
    if data.alphabet != Alphabet::Data {
        put("text", data.text.clone().into());
    }
    if let Some(place) = data.concatenation() {
        put(
            "concat",
            serde_json::json!({
                "ref": place.reference, "total": place.total, "seq": place.part, "bits": place.bits,
            }),
        );
    }
}

/// Checks a file and gives the number of its lines.
fn examine(file: &str) -> usize {
    let mut lines = vectors(file);
    if file == "national-language.jsonl" {
        // Their octets spell +266599…, their expectation says +265996….
        lines.iter_mut().for_each(|line| line["expected"]["number"] = Value::Null);
    }
    let mut wrong = 0;
    for line in &lines {
        let differences = differences(line);
        if !differences.is_empty() {
            wrong += 1;
            println!("{} {}: {}", line["kind"], line["pdu"], differences.join("; "));
        }
    }
    assert_eq!(wrong, 0, "of {} lines in {file}", lines.len());
    lines.len()
}

#[test]
fn messages_of_other_encoders_are_read_as_they_were_meant() {
    println!("{} lines", examine("generated.jsonl"));
}

#[test]
fn every_national_language_table_is_as_others_have_it() {
    println!("{} lines", examine("national-language.jsonl"));
}

#[test]
fn published_messages_are_read_as_others_read_them() {
    println!("{} lines", examine("published.jsonl"));
}

#[test]
fn a_submit_that_is_read_and_written_is_the_same() {
    for line in vectors("generated.jsonl").iter().filter(|line| line["kind"] == "SMS-SUBMIT") {
        let pdu = hex::decode(line["pdu"].as_str().expect("hexadecimal")).expect("hexadecimal");
        let (_, tpdu) = split_service_centre(&pdu).expect("an address");
        let submit = decode_submit(tpdu).expect("a message");
        // Only the default alphabet is written; encoders differ in the bits
        // that fill the last octet.
        let shifted = submit.data.header.iter().any(|element| matches!(element.id, 0x24 | 0x25));
        if shifted || submit.data.text.contains('\u{fffd}') {
            continue;
        }
        let written = encode_submit(&submit).expect("it came from octets");
        assert_eq!(decode_submit(&written), Ok(submit), "{}", line["pdu"]);
    }
}
