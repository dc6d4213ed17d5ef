//! The conformance vectors beside the checkout, `../shared/sms-vectors`: PDUs
//! that third-party encoders wrote and independent decoders agree on. A test is
//! skipped, and says so, where the folder is missing.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may panic and speak")]
#![allow(clippy::disallowed_methods, reason = "a test reads its vectors from files")]

use std::path::PathBuf;

use jibu_gsm::{Pdu, describe};
use serde_json::{Map, Value};

fn vectors(file: &str) -> Option<String> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let path = beside
        .ancestors()
        .map(|folder| folder.join("../shared/sms-vectors").join(file))
        .find(|path| path.exists());
    match path {
        Some(path) => Some(std::fs::read_to_string(path).unwrap()),
        None => {
            println!("skipped: ../shared/sms-vectors/{file} is not beside the checkout");
            None
        }
    }
}

/// Describes every line of a file and compares every field that is expected.
fn check(file: &str, at_least: usize) {
    let Some(lines) = vectors(file) else { return };
    let (mut count, mut wrong) = (0, Vec::new());
    for (number, line) in lines.lines().enumerate() {
        let vector: Value = serde_json::from_str(line).unwrap();
        let input = vector.get("pdu").or(vector.get("at_line")).unwrap().as_str().unwrap();
        let Value::Object(described) = serde_json::to_value(describe::line(input)).unwrap() else {
            unreachable!("a description is an object");
        };
        let mut expected = vector["expected"].as_object().unwrap().clone();
        expected.insert("kind".to_owned(), vector["kind"].clone());
        // A remark on the vector, not a field.
        expected.remove("note");
        correct(file, input, &mut expected);
        count += 1;
        wrong.extend(
            differences(&expected, &described)
                .into_iter()
                .map(|what| format!("{file}:{}: {what}\n  {input}", number + 1)),
        );
    }
    println!("{file}: {count} lines, {} differences", wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count >= at_least, "{file} had {at_least} lines, now {count}");
}

/// Where a vector contradicts the standard, the standard is right. Every such
/// place is named here; what is expected in it is still compared.
fn correct(file: &str, input: &str, expected: &mut Map<String, Value>) {
    let text = expected.get("text").and_then(Value::as_str).unwrap_or_default().to_owned();
    match file {
        // The header that these were given reads +26 65 99 12 34 56.
        "national-language.jsonl" => {
            assert!(input.contains("0C91625699214365"), "{input}");
            expected.insert("number".to_owned(), "+266599123456".into());
        }
        // Two lines. The default alphabet has no "`": its code 0x5F is "§". The
        // two decoders that agree here are the dissenting ones on other lines.
        "generated.jsonl" if expected.get("alphabet") == Some(&"gsm7".into()) => {
            expected.insert("text".to_owned(), text.replace('`', "§").into());
        }
        // One line, whose septets 0x7E and 0x7B were read as ASCII.
        "ussd.jsonl" if text.starts_with("Ihr Guthaben f~r") => {
            let german = text.replace("f~r", "für").replace("betr{gt", "beträgt");
            expected.insert("text".to_owned(), german.into());
        }
        _ => {}
    }
}

fn differences(expected: &Map<String, Value>, described: &Map<String, Value>) -> Vec<String> {
    let differs = |(field, expected): (&String, &Value)| {
        let found = described.get(field).unwrap_or(&Value::Null);
        let same = match field.as_str() {
            // The vectors hold a number in the form in which decoders were
            // compared: letters, digits and `+*#`, so `wwwtimit` for www.tim.it.
            "number" => comparable(expected) == comparable(found),
            _ => expected == found,
        };
        (!same).then(|| format!("{field}: expected {expected}, found {found}"))
    };
    expected.iter().filter_map(differs).collect()
}

fn comparable(number: &Value) -> String {
    let kept = |c: &char| c.is_ascii_alphanumeric() || "+*#".contains(*c);
    number.as_str().unwrap_or_default().chars().filter(kept).collect()
}

#[test]
fn generated_vectors_decode_to_what_is_expected() {
    check("generated.jsonl", 1261);
}

#[test]
fn national_language_vectors_decode_to_what_is_expected() {
    check("national-language.jsonl", 151);
}

#[test]
fn published_vectors_decode_to_what_is_expected() {
    check("published.jsonl", 189);
}

#[test]
fn ussd_vectors_decode_to_what_is_expected() {
    check("ussd.jsonl", 18);
}

/// What is decoded and written again decodes to the same, and is the same octet
/// for octet where their writer had no freedom: some count a name of five
/// letters in ten semi-octets, set the fill bits after a header, announce a
/// header without elements or a service centre without digits.
#[test]
fn every_vector_survives_being_written_again() {
    let (mut count, mut identical) = (0, 0);
    for file in ["generated.jsonl", "national-language.jsonl", "published.jsonl"] {
        let Some(lines) = vectors(file) else { return };
        for line in lines.lines() {
            let vector: Value = serde_json::from_str(line).unwrap();
            let octets = hex::decode(vector["pdu"].as_str().unwrap()).unwrap();
            let pdu = Pdu::decode(&octets).unwrap();
            let again = pdu.encode().unwrap_or_else(|error| panic!("{error}: {line}"));
            assert_eq!(Pdu::decode(&again).unwrap(), pdu, "{line}");
            count += 1;
            identical += usize::from(again == octets);
        }
    }
    println!("{identical} of {count} PDUs are written as their writers wrote them");
    assert!(identical * 10 >= count * 9, "{identical} of {count}");
}
