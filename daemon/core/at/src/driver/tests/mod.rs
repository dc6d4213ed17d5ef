//! A stage on which a modem and the driver play transcripts.

use std::collections::VecDeque;
use std::fmt::Write as _;

use expect_test::Expect;

use super::*;
use crate::{Held, Slot};

mod pains;
mod receiving;
mod robustness;
mod sending;
mod starting;
mod trouble;
mod ussd;

/// A modem that answers from a table, and a script of what else happens.
///
/// Lines of the script:
///
/// * `on AT+CSQ: +CSQ: 18,0 / OK` answers a command so from now on; `\` in place
///   of the answer is silence, `>` a prompt; a command ending in `*` is a beginning,
///   and no test command
/// * `once AT+CSQ: …` answers it so the first time; several are used up in order
/// * `pdu: +CMGW: 1 / OK` answers the next written PDU
/// * `5s < +CMTI: "SM",3` the modem says something by itself
/// * `5s ussd AT+CUSD=1,"*100#",15` says something, `|` stands between ways to say it
/// * `5s send 7` and `resume`, `erase`, `forget`, `status`: somebody wants that
/// * `5s open`, `5s close` the port
/// * `5s .` the story goes on to here
///
/// The port opens at 0s. What is told: `>` to the modem, `<` from it, `=` events.
fn play(setting: Setting, script: &str) -> String {
    Stage::new(setting).play(script)
}

/// The whole story.
fn check(script: &str, expect: Expect) {
    expect.assert_eq(&play(Setting::default(), script));
}

/// The story from the first `Ready` on, without the steps that every start has.
fn check_ready(script: &str, expect: Expect) {
    expect.assert_eq(&without_usual(&after_ready(script)));
}

/// The whole story from the first `Ready` on.
fn check_all_ready(script: &str, expect: Expect) {
    expect.assert_eq(&after_ready(script));
}

fn after_ready(script: &str) -> String {
    let told = play(Setting::default(), script);
    let ready = told.find("= ready").unwrap_or_else(|| panic!("never ready:\n{told}"));
    let line_end = told[ready..].find('\n').map_or(told.len(), |at| ready + at + 1);
    told[line_end..].to_owned()
}

/// The story without the steps that every start has.
fn check_start(script: &str, expect: Expect) {
    expect.assert_eq(&without_usual(&play(Setting::default(), script)));
}

/// The same with a PIN configured.
fn check_pin(script: &str, expect: Expect) {
    let config = Config { pin: Pin::parse("1234").ok(), ..Config::default() };
    expect.assert_eq(&without_usual(&play(Setting { config }, script)));
}

/// The story from the first `Ready` on, of a modem with USSD.
fn check_ussd(script: &str, expect: Expect) {
    let config = Config { ussd: true, ..Config::default() };
    let told = play(Setting { config }, script);
    let (_, ready) = told.split_once("= ready").unwrap_or_else(|| panic!("never ready:\n{told}"));
    expect.assert_eq(&without_usual(ready.split_once('\n').map_or("", |(_, after)| after)));
}

/// Leaves out each command that is answered as usual, with its answer.
fn without_usual(told: &str) -> String {
    let mut kept = String::new();
    let mut lines = told.lines().peekable();
    while let Some(line) = lines.next() {
        let command = line.split_once(" > ").map(|(_, command)| command);
        let usual = USUAL.iter().find(|(usual, _)| Some(*usual) == command).map(|(_, a)| *a);
        let answered = lines.peek().and_then(|next| next.split_once(" < ")).map(|(_, a)| a);
        if command.is_some_and(|c| !c.starts_with("AT+CPIN"))
            && usual.is_some()
            && usual == answered
        {
            lines.next();
        } else {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

/// The events only.
fn check_events(script: &str, expect: Expect) {
    let told = play(Setting::default(), script);
    let events: Vec<&str> = told.lines().filter(|line| line.contains(" = ")).collect();
    expect.assert_eq(&(events.join("\n") + "\n"));
}

#[derive(Default)]
struct Setting {
    config: Config,
}

/// As a modem of the usual kind answers.
const USUAL: &[(&str, &str)] = &[
    ("AT", "OK"),
    ("ATE0", "OK"),
    ("AT+CMEE?", "+CMEE: 1 / OK"),
    ("AT+CMEE=1", "OK"),
    ("AT+CGMI", "SIMCOM_Ltd / OK"),
    ("AT+CGMM", "SIMCOM_SIM800L / OK"),
    ("AT+CGMR", "Revision:1418B05SIM800L24 / OK"),
    ("AT+CGSN", "860123456789042 / OK"),
    ("AT+CPIN?", "+CPIN: READY / OK"),
    ("AT+CMGF=0", "OK"),
    ("AT+CSMS?", "+CSMS: 0,1,1,1 / OK"),
    ("AT+CPMS=?", "+CPMS: (\"SM\"),(\"SM\"),(\"SM\") / OK"),
    ("AT+CPMS?", "+CPMS: \"SM\",0,30,\"SM\",0,30,\"SM\",0,30 / OK"),
    ("AT+CPMS=\"*", "+CPMS: 0,30,0,30,0,30 / OK"),
    ("AT+CMGW=?", "OK"),
    ("AT+CMSS=?", "OK"),
    ("AT+CNMI=?", "+CNMI: (0,1,2),(0,1,2,3),(0,2),(0,1),(0,1) / OK"),
    ("AT+CNMI=2,1,0,1,0", "OK"),
    ("AT+CREG=1", "OK"),
    ("AT+CUSD=1", "OK"),
    ("AT+CSCS=\"UCS2\"", "OK"),
    ("AT+CSCA?", "+CSCA: \"+254722500029\",145 / OK"),
    ("AT+CREG?", "+CREG: 1,1 / OK"),
    ("AT+CSQ", "+CSQ: 18,0 / OK"),
    ("AT+CMGL=4", "OK"),
    ("AT+CMGD=*", "OK"),
    ("AT+CNMA", "OK"),
    ("AT+CMGW=*", ">"),
    ("AT+CMGS=*", ">"),
    ("AT+CMSS=*", "+CMSS: 12 / OK"),
    ("AT+CMGR=*", "+CMGR: 3,,3 / 00AABBCC / OK"),
];

struct Stage {
    driver: Driver,
    answers: Vec<(String, String)>,
    once: Vec<(String, String)>,
    pdus: VecDeque<String>,
    from_modem: VecDeque<(i64, String)>,
    in_prompt: bool,
    session: u32,
    held: Vec<Held>,
    told: String,
}

impl Stage {
    fn new(setting: Setting) -> Self {
        let mut config = setting.config;
        config.signal_interval = Duration::from_secs(100_000);
        config.sweep_interval = config.sweep_interval.max(Duration::from_secs(600));
        Stage {
            driver: Driver::new(config),
            answers: USUAL.iter().map(|(c, a)| ((*c).to_owned(), (*a).to_owned())).collect(),
            once: Vec::new(),
            pdus: VecDeque::new(),
            from_modem: VecDeque::new(),
            in_prompt: false,
            session: 0,
            held: Vec::new(),
            told: String::new(),
        }
    }

    fn play(mut self, script: &str) -> String {
        self.driver.handle(Input::Opened, Timestamp::default());
        self.drain(0);
        for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (first, rest) = line.split_once(' ').expect("two words at least");
            let answer = |rest: &str| {
                let (command, answer) = rest.split_once(": ").expect("a command and its answer");
                (command.to_owned(), answer.to_owned())
            };
            match first {
                "on" => self.answers.insert(0, answer(rest)),
                "once" => self.once.push(answer(rest)),
                "pdu:" => self.pdus.push_back(rest.to_owned()),
                time => {
                    let at = milliseconds(time);
                    self.go_on_to(at);
                    self.happen(at, rest);
                }
            }
        }
        self.told
    }

    fn go_on_to(&mut self, end: i64) {
        loop {
            let says = self.from_modem.front().map(|(at, _)| *at);
            let wakes = self.driver.deadline().map(Timestamp::unix_ms);
            let next = says.into_iter().chain(wakes).min();
            let Some(at) = next.filter(|at| *at <= end) else { return };
            if says == Some(at) {
                let (_, text) = self.from_modem.pop_front().expect("it is there");
                self.modem_says(at, &text);
            } else {
                self.driver.handle(Input::Tick, Timestamp::from_unix_ms(at));
                self.drain(at);
            }
        }
    }

    fn modem_says(&mut self, at: i64, text: &str) {
        self.tell(at, &format!("< {text}"));
        let mut bytes = format!("\r\n{}\r\n", text.replace(" / ", "\r\n"));
        if bytes.ends_with(">\r\n") {
            bytes.truncate(bytes.len() - 2);
            bytes.push(' ');
        }
        self.driver.handle(Input::Bytes(bytes.as_bytes()), Timestamp::from_unix_ms(at));
        self.drain(at);
    }

    fn happen(&mut self, at: i64, what: &str) {
        if let Some(text) = what.strip_prefix("< ") {
            return self.modem_says(at, text);
        }
        let session = self.session;
        let words: Vec<&str> = what.split(' ').collect();
        let id = words.get(1).and_then(|id| id.parse().ok()).unwrap_or_default();
        let slot = |at: usize| Slot {
            storage: words[at].parse().expect("a storage"),
            index: words[at + 1].parse().expect("an index"),
        };
        let input = match words[0] {
            "." => return,
            "open" => Input::Opened,
            "close" => Input::Closed,
            "status" => Input::Command(Command::Status),
            "send" => Input::Command(Command::Send { id, session, pdu: vec![0, 0xAA, 0xBB, 0xCC] }),
            "send-broken" => Input::Command(Command::Send { id, session, pdu: vec![7, 0x91] }),
            "send-old" => {
                Input::Command(Command::Send { id, session: session - 1, pdu: vec![0, 1] })
            }
            "resume" => Input::Command(Command::Resume { id, session, slot: slot(2) }),
            "erase" => {
                let held = *self.held.last().expect("something came");
                Input::Command(Command::Erase { held })
            }
            "erase-first" => {
                let held = *self.held.first().expect("something came");
                Input::Command(Command::Erase { held })
            }
            "ussd" => {
                let ways = what.strip_prefix("ussd ").unwrap_or_default();
                let ways = ways.split(" | ").map(str::to_owned).collect();
                Input::Command(Command::Ussd { ways })
            }
            "end-ussd" => Input::Command(Command::EndUssd),
            "forget" => Input::Command(Command::Forget { slot: slot(1) }),
            other => panic!("what is {other}?"),
        };
        self.driver.handle(input, Timestamp::from_unix_ms(at));
        self.drain(at);
    }

    fn drain(&mut self, at: i64) {
        while let Some(output) = self.driver.poll() {
            match output {
                Output::Write(bytes) => {
                    self.tell(at, &format!("> {}", readable(&bytes)));
                    self.answer(at, &bytes);
                }
                Output::Event(event) => {
                    match &event {
                        Event::Ready(ready) => self.session = ready.session,
                        Event::Incoming { held, .. } => self.held.push(*held),
                        _ => {}
                    }
                    self.tell(at, &format!("= {}", story(&event)));
                }
            }
        }
    }

    fn answer(&mut self, at: i64, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes).trim_end().to_owned();
        if text == "\u{1b}" {
            if std::mem::take(&mut self.in_prompt) {
                self.from_modem.push_back((at + 5, "OK".to_owned()));
            }
            return;
        }
        let answer = if std::mem::take(&mut self.in_prompt) {
            self.pdus.pop_front().unwrap_or_else(|| "+CMGW: 1 / OK".to_owned())
        } else {
            let matches = |(command, _): &(String, String)| match command.strip_suffix('*') {
                Some(beginning) => text.starts_with(beginning) && !text.ends_with("=?"),
                None => *command == text,
            };
            match self.once.iter().position(matches) {
                Some(at) => self.once.remove(at).1,
                None => {
                    let found = self.answers.iter().find(|answer| matches(answer));
                    found.map_or("ERROR", |(_, answer)| answer).to_owned()
                }
            }
        };
        self.in_prompt = answer.ends_with('>');
        if answer != "\\" {
            self.from_modem.push_back((at + 5, answer));
        }
    }

    fn tell(&mut self, at: i64, what: &str) {
        let time = if at % 1000 == 0 { format!("{}s", at / 1000) } else { format!("{at}ms") };
        writeln!(self.told, "{time} {what}").expect("a string takes all");
    }
}

fn milliseconds(time: &str) -> i64 {
    match time.strip_suffix("ms") {
        Some(ms) => ms.parse().expect("milliseconds"),
        None => time.strip_suffix('s').and_then(|s| s.parse::<i64>().ok()).expect("s") * 1000,
    }
}

fn readable(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string().replace("\\r", "").replace("\\\"", "\"")
}

fn story(event: &Event) -> String {
    let place = |slot: &Option<Slot>| slot.map_or("no slot".to_owned(), |slot| slot.to_string());
    let held = |held: &Held| match held {
        Held::Stored { slot, .. } => slot.to_string(),
        Held::Direct { serial } => format!("direct {serial}"),
    };
    match event {
        Event::Ready(ready) => {
            let stored: Vec<String> = ready
                .stored
                .iter()
                .map(|s| format!("{} {}", s.slot, if s.sent { "sent" } else { "unsent" }))
                .collect();
            format!(
                "ready {}{}{}{}, stored [{}]",
                ready.session,
                if ready.identity.revision.starts_with("Rev") { "" } else { ", of no revision" },
                if ready.keeps_parts { ", keeps parts" } else { "" },
                if ready.announces { ", announces" } else { "" },
                stored.join(", ")
            )
        }
        Event::Incoming { held: h, pdu } => {
            format!("incoming {} {}", held(h), hex::encode_upper(&pdu.0))
        }
        Event::Written { id, slot } => format!("written {id} in {slot}"),
        Event::Sent { id, reference, slot } => {
            format!("sent {id}, reference {reference:?}, {}", place(slot))
        }
        Event::SendFailed { id, error, slot } => {
            format!("failed {id}, {:?}: {error}, {}", error.remedy(), place(slot))
        }
        Event::SendUnknown { id } => format!("unknown {id}"),
        Event::Erased { held: h } => format!("erased {}", held(h)),
        Event::Forgotten { slot } => format!("forgotten {slot}"),
        Event::Ussd(UssdLine(line)) => format!("ussd {line:?}"),
        Event::UssdSaid { way } => format!("ussd said, way {way}"),
        Event::UssdFailed(error) => format!("ussd failed: {error}"),
        Event::Signal(signal) => format!("signal {:?}", signal.dbm),
        Event::Registration(registration) => format!("registration {registration:?}"),
        Event::Storage { name, used, capacity } => format!("storage {name} {used}/{capacity}"),
        Event::Interrupted(why) => format!("interrupted: {why}"),
        Event::Fault(fault) => format!("fault: {fault}"),
        Event::Restarting => "restarting".to_owned(),
        Event::ResetWanted => "reset wanted".to_owned(),
    }
}
