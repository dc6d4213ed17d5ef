//! What a test can ask of the simulator: one JSON object a line, answered by
//! one. `README.md` beside the crate is the reference for people.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::codec::Alphabet;
use crate::fault::Fault;

/// A request.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum Request {
    /// A text to the mobile.
    Deliver(Deliver),
    /// A finished TPDU to the mobile.
    DeliverPdu(DeliverPdu),
    /// What went on the air.
    Sent(SentQuery),
    /// The same, once there is enough of it.
    WaitSent(WaitSent),
    /// What is stored.
    Storage(Nothing),
    /// What goes wrong by chance from now on: a `level`, or [`crate::Noise`]'s
    /// values.
    Noise(serde_json::Map<String, Value>),
    /// What goes wrong with a certain command.
    Fault(Fault),
    /// Conditions from now on.
    Set(Box<Set>),
    /// The dialogue so far.
    Log(LogQuery),
    /// Where everything stands.
    State(Nothing),
    /// An unsolicited line of one's own.
    Urc(Urc),
    /// A USSD line from the network.
    Ussd(Ussd),
    /// What the host said in USSD sessions.
    UssdSaid(Nothing),
    /// The power key.
    Reset(Nothing),
    /// Pulls the plug of the port for a while.
    Unplug(Unplug),
    /// Ends the simulator.
    Quit(Nothing),
}

/// A text to the mobile.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deliver {
    /// Who sends it: a number, or a name of up to eleven characters.
    pub from: String,
    /// What it says.
    pub text: String,
    /// The service centre's time stamp; the simulated time when missing.
    pub time: Option<String>,
    /// The concatenation reference; random when missing.
    pub reference: Option<u16>,
    /// The width of the reference.
    pub bits: Option<u8>,
    /// The alphabet; the cheapest when missing.
    pub alphabet: Option<Alphabet>,
    /// The message class.
    pub class: Option<u8>,
    /// Parts, from 1, that get lost.
    #[serde(default)]
    pub drop_parts: Vec<u8>,
    /// The order of the parts, from 1; parts that it does not name follow.
    #[serde(default)]
    pub order: Vec<u8>,
    /// Parts that come twice.
    #[serde(default)]
    pub repeat: Vec<u8>,
    /// Time until the first part arrives and between parts.
    pub delay_ms: Option<u64>,
}

/// A finished TPDU to the mobile.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeliverPdu {
    /// Service centre's address and TPDU in hexadecimal; checked for nothing.
    pub pdu: String,
    /// Time until it arrives.
    pub delay_ms: Option<u64>,
}

/// Which sent messages.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SentQuery {
    /// Only those to this number.
    pub to: Option<String>,
}

/// How many sent messages, and how long to wait.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WaitSent {
    /// Complete messages since the start.
    pub count: usize,
    /// Only those to this number.
    pub to: Option<String>,
    /// How long to wait.
    #[serde(default = "ten_seconds")]
    pub timeout_ms: u64,
}

fn ten_seconds() -> u64 {
    10_000
}

/// Of operations without fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// Conditions to change; what is not named stays.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Set {
    /// Signal strength, 0 to 31 or 99.
    pub signal: Option<u8>,
    /// The +CREG state that the network grants.
    pub registration: Option<u8>,
    /// The SIM's PIN; asked for after the next restart when `pin_required`.
    pub pin: Option<String>,
    /// Whether the SIM asks for its PIN; `true` locks it at once.
    pub pin_required: Option<bool>,
    /// Whether there is a SIM.
    pub sim_present: Option<bool>,
    /// All simulated delays are multiplied by this.
    pub time_scale: Option<f64>,
    /// Places on the SIM.
    pub sm_capacity: Option<usize>,
    /// Places in the module.
    pub me_capacity: Option<usize>,
    /// Places for status reports.
    pub sr_capacity: Option<usize>,
    /// TP-ST of status reports from now on.
    pub report_status: Option<u8>,
    /// Whether status reports come.
    pub reports: Option<bool>,
    /// The least and the most time until a status report comes.
    pub report_delay_ms: Option<[u64; 2]>,
    /// Every message is refused with this +CMS number; 0 ends that.
    pub refuse_with: Option<u16>,
    /// USSD codes and answers, added to those that are known.
    pub ussd: Option<BTreeMap<String, String>>,
    /// Quarters of an hour between local time and UTC.
    pub quarters: Option<i8>,
    /// The service centre's address on the SIM.
    pub service_centre: Option<String>,
    /// TP-MR of the next message.
    pub next_reference: Option<u8>,
}

/// Which part of the dialogue.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogQuery {
    /// From this line on.
    pub since: usize,
}

/// An unsolicited line of one's own.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Urc {
    /// The line.
    pub line: String,
}

/// A USSD line from the network.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ussd {
    /// What it says; without text the line is a bare `+CUSD: m`.
    pub text: Option<String>,
    /// 0 final, 1 asks for an answer, which somebody at the other end then reads;
    /// 2 ended by the network, …
    #[serde(default)]
    pub m: u8,
}

/// How long the port is away.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unplug {
    /// Milliseconds.
    #[serde(default = "two_seconds")]
    pub ms: u64,
}

fn two_seconds() -> u64 {
    2_000
}

impl Request {
    /// Reads one line.
    ///
    /// # Errors
    /// The answer that says what is wrong with it.
    pub fn parse(line: &str) -> Result<Self, Value> {
        serde_json::from_str(line).map_err(|error| failure(error.to_string()))
    }
}

/// The answer to a request that cannot be met.
pub fn failure(message: impl Into<String>) -> Value {
    json!({ "error": message.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_request_is_told_what_is_wrong() {
        for (line, hint) in [
            ("", "EOF"),
            ("[]", "op"),
            (r#"{"op":"dance"}"#, "dance"),
            (r#"{"op":"deliver","from":"+1"}"#, "text"),
            (r#"{"op":"set","colour":1}"#, "colour"),
            (r#"{"op":"fault","kind":"rain"}"#, "rain"),
            (r#"{"op":"state","of":"mind"}"#, "of"),
        ] {
            let answer = Request::parse(line).expect_err(line);
            let message = answer["error"].as_str().expect("a message").to_owned();
            assert!(message.contains(hint), "{line}: {message}");
        }
    }
}
