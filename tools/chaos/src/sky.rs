//! What goes wrong at a modem for a while, and then something else.

use std::time::Duration;

use jibu_modem_sim::control::Request;
use serde_json::{Value, json};

/// A kind of trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sky {
    /// Nothing.
    Calm,
    /// Unsolicited lines anywhere, output in pieces.
    Restless,
    /// That, and errors, lost, broken and garbled replies, hangs, restarts.
    Rough,
    /// Unsolicited lines without pause.
    Flood,
    /// The network refuses every message.
    Refusing,
    /// No network.
    OffNetwork,
    /// Hardly any room for what comes, and a crowd that writes at once.
    FullSim,
    /// Hardly any room for what is to be sent.
    FullStorage,
    /// Status reports get lost.
    NoReports,
    /// Status reports come after hours, some of them with bad news.
    LateReports,
    /// Time stamps of any zone.
    WrongZones,
    /// The modem hangs until somebody presses its power key.
    Hanging,
    /// The port goes away.
    Unplugged,
    /// The modem restarts.
    Restarting,
    /// The SIM loses its contact.
    SimOut,
    /// Errors for what was done all the same.
    Lying,
    /// The prompt for a message does not come.
    NoPrompt,
    /// Replies to what was done get lost.
    Mute,
    /// Bytes on the line that nobody sent.
    Static,
}

impl Sky {
    /// Each with how often it comes.
    const WEIGHTS: [(Sky, u32); 19] = [
        (Sky::Calm, 20),
        (Sky::Restless, 16),
        (Sky::Rough, 16),
        (Sky::Flood, 5),
        (Sky::Refusing, 6),
        (Sky::OffNetwork, 5),
        (Sky::FullSim, 6),
        (Sky::FullStorage, 4),
        (Sky::NoReports, 4),
        (Sky::LateReports, 4),
        (Sky::WrongZones, 4),
        (Sky::Hanging, 4),
        (Sky::Unplugged, 4),
        (Sky::Restarting, 4),
        (Sky::SimOut, 2),
        (Sky::Lying, 6),
        (Sky::NoPrompt, 4),
        (Sky::Mute, 6),
        (Sky::Static, 4),
    ];

    /// All of them.
    pub fn all() -> impl Iterator<Item = Sky> {
        Self::WEIGHTS.into_iter().map(|(sky, _)| sky)
    }

    pub(crate) fn any(rng: &mut fastrand::Rng) -> Self {
        let mut at = rng.u32(..Self::WEIGHTS.iter().map(|(_, weight)| *weight).sum::<u32>());
        for (sky, weight) in Self::WEIGHTS {
            if at < weight {
                return sky;
            }
            at -= weight;
        }
        Sky::Calm
    }

    pub(crate) fn lasts(rng: &mut fastrand::Rng) -> Duration {
        Duration::from_secs(if rng.u8(..10) == 0 { rng.u64(600..3_600) } else { rng.u64(20..600) })
    }

    /// What the simulator is asked for. `room` is what its storages hold in fair
    /// weather: the SIM's and the module's places.
    pub(crate) fn requests(self, room: (usize, usize), rng: &mut fastrand::Rng) -> Vec<Request> {
        let mut all = vec![
            json!({ "op": "noise", "level": "off" }),
            json!({ "op": "set", "registration": 1, "refuse_with": 0, "sm_capacity": room.0,
                    "me_capacity": room.1, "reports": true, "report_status": 0,
                    "report_delay_ms": [2_000, 8_000], "quarters": 8, "sim_present": true }),
        ];
        let some = |rng: &mut fastrand::Rng, of: &[&str]| {
            rng.choice(of).copied().unwrap_or_default().to_owned()
        };
        match self {
            Sky::Calm => {}
            Sky::Restless => all.push(json!({ "op": "noise", "level": "light" })),
            Sky::Rough => all.push(json!({ "op": "noise", "level": "heavy" })),
            Sky::Flood => all.push(json!({ "op": "noise", "urc": 0.5, "urc_every_ms": 60,
                "split": 0.5, "lines": ["RING", "+CREG: 1", "+CTZV: +08,0", "^RSSI:19",
                    "+CMTI: \"SM\",3", "+CDSI: \"SR\",2", "NO CARRIER", "+CUSD: 2", ""] })),
            Sky::Refusing => {
                let codes = [10, 21, 27, 38, 41, 42, 47, 331, 332, 500, 512, 600];
                let code = rng.choice(&codes).copied().unwrap_or(38);
                all.push(json!({ "op": "set", "refuse_with": code }));
            }
            Sky::OffNetwork => {
                let state = rng.choice(&[0, 2, 3]).copied().unwrap_or(0);
                all.push(json!({ "op": "set", "registration": state }));
            }
            Sky::FullSim => {
                all.push(json!({ "op": "set", "sm_capacity": rng.usize(1..5),
                                 "me_capacity": rng.usize(1..5) }));
            }
            Sky::FullStorage => all.push(json!({ "op": "set", "me_capacity": rng.usize(..2) })),
            Sky::NoReports => all.push(json!({ "op": "set", "reports": false })),
            Sky::LateReports => {
                let status = rng.choice(&[0, 0, 0, 0x20, 0x41, 0x63]).copied().unwrap_or(0);
                all.push(json!({ "op": "set", "report_delay_ms": [60_000, 14_400_000],
                                 "report_status": status }));
            }
            Sky::WrongZones => all.push(json!({ "op": "set", "quarters": rng.i8(-48..=56) })),
            Sky::Hanging => {
                let when = some(rng, &["", "+CMGS", "+CMSS", "+CMGW", "+CMGR", "+CMGD", "+CPMS"]);
                all.push(fault("hang", &when, rng, json!({ "ms": 0 })));
            }
            Sky::Unplugged => {
                let ms = rng.u64(500..120_000);
                match rng.bool() {
                    true => all.push(json!({ "op": "unplug", "ms": ms })),
                    false => {
                        let when = some(rng, &["+CMSS", "+CMGW", "+CMGR", "+CMGD", ""]);
                        all.push(fault("unplug", &when, rng, json!({ "ms": ms, "count": 1 })));
                    }
                }
            }
            Sky::Restarting => {
                let when = some(rng, &["", "+CMGS", "+CMSS", "+CMGW", "+CMGR", "+CMGD", "+CMGL"]);
                let after = rng.bool();
                all.push(fault("reset", &when, rng, json!({ "after": after })));
            }
            Sky::SimOut => all.push(json!({ "op": "set", "sim_present": false })),
            Sky::Lying => {
                let code = rng.choice(&[38, 42, 300, 320, 331, 332, 500, 512]).copied();
                let when = some(rng, &["+CMSS", "+CMGS", "+CMGW", "+CMGD", "+CMGR"]);
                let more = json!({ "after": true, "code": code });
                all.push(fault("cms_error", &when, rng, more));
            }
            Sky::NoPrompt => {
                let kind = some(rng, &["hang", "drop_reply", "partial", "garble"]);
                let when = some(rng, &["+CMGW", "+CMGS"]);
                let more = json!({ "prompt": true, "after": true, "ms": 20_000 });
                all.push(fault(&kind, &when, rng, more));
            }
            Sky::Mute => {
                let kind = some(rng, &["drop_reply", "partial", "garble", "delay"]);
                let when =
                    some(rng, &["+CMSS", "+CMSS", "+CMGS", "+CMGW", "+CMGD", "+CMGL", "+CMGR"]);
                let ms = rng.u64(1_000..200_000);
                all.push(fault(&kind, &when, rng, json!({ "after": true, "ms": ms })));
            }
            Sky::Static => {}
        }
        all.into_iter().filter_map(|request| Request::parse(&request.to_string()).ok()).collect()
    }

    /// In words.
    pub fn as_str(self) -> &'static str {
        match self {
            Sky::Calm => "calm",
            Sky::Restless => "unsolicited lines, output in pieces",
            Sky::Rough => "errors, lost and garbled replies, hangs, restarts",
            Sky::Flood => "flood of unsolicited lines",
            Sky::Refusing => "network refuses messages",
            Sky::OffNetwork => "no network",
            Sky::FullSim => "no room for what comes",
            Sky::FullStorage => "no room for what is sent",
            Sky::NoReports => "no status reports",
            Sky::LateReports => "late status reports, bad news among them",
            Sky::WrongZones => "time stamps of any zone",
            Sky::Hanging => "hangs until its power key is pressed",
            Sky::Unplugged => "port unplugged",
            Sky::Restarting => "restart in the middle of a command",
            Sky::SimOut => "SIM without contact",
            Sky::Lying => "errors for what was done",
            Sky::NoPrompt => "the prompt does not come",
            Sky::Mute => "lost, broken and late replies",
            Sky::Static => "random bytes on the line",
        }
    }
}

fn fault(kind: &str, when: &str, rng: &mut fastrand::Rng, more: Value) -> Value {
    let mut fault = json!({ "op": "fault", "kind": kind, "when": when,
        "count": if kind == "hang" { 1 } else { rng.u32(1..5) }, "skip": rng.u32(..4) });
    if let (Some(fault), Value::Object(more)) = (fault.as_object_mut(), more) {
        fault.extend(more);
    }
    fault
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_simulator_understands_every_sky() {
        let mut rng = fastrand::Rng::with_seed(1);
        for sky in Sky::all() {
            for _ in 0..50 {
                let extra = match sky {
                    Sky::Calm | Sky::Static => 0,
                    _ => 1,
                };
                assert_eq!(sky.requests((20, 50), &mut rng).len(), 2 + extra, "{sky:?}");
            }
        }
    }
}
