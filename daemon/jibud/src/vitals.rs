//! What the daemon knows of its own state: for health, metrics, the status page
//! and the watchdog. Numbers and names only; nobody's words.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use jibu_modem::{Event, Registration};
use jibu_spool::ModemName;
use jibu_sync::telemetry::Count;
use jibu_sync::wire::{Report, Stall};
use jibu_types::{Channel, Language, Timestamp};
use jibu_ussd::Balance;
use jibu_web::Health;
use serde::Serialize;

use crate::board;
use crate::clock::now;

/// After this long without a sign of life from the spool thread something hangs.
const HUNG: Duration = Duration::from_secs(60);

/// The state, shared by all threads.
#[derive(Debug)]
pub struct Vitals {
    started: Timestamp,
    spool_seen: AtomicI64,
    unanswered: AtomicUsize,
    unsent: AtomicUsize,
    store_works: AtomicBool,
    modems: Mutex<BTreeMap<String, Modem>>,
    answers: Mutex<BTreeMap<(ChannelName, String), Tally>>,
    hub: Mutex<Option<Hub>>,
    /// By channel and language, since the hub was last told.
    usage: Mutex<BTreeMap<(u8, Language), Count>>,
    power_cuts: OnceLock<u32>,
}

/// The link to the hub, and what comes over it.
#[derive(Debug, Clone, Default, Serialize)]
struct Hub {
    /// Whether there is a session with its broker.
    connected: bool,
    /// Since when it is as it is.
    since: String,
    /// Why there is no session.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Each collection that is followed.
    collections: BTreeMap<String, Collection>,
}

/// Where a collection stands against the hub.
#[derive(Debug, Clone, Serialize)]
struct Collection {
    /// The version that answers.
    active: Option<String>,
    /// The highest version that was heard of.
    newest: Option<String>,
    /// Parts of it that are still to come.
    missing: u64,
    /// Bytes that it has cost.
    spent: u64,
    /// Why it does not go on.
    #[serde(skip_serializing_if = "Option::is_none")]
    stall: Option<&'static str>,
    /// Whether what answers is past its date.
    expired: bool,
}

/// How many answers of one kind were given, and how long they took.
#[derive(Debug, Default, Clone, Copy)]
struct Tally {
    count: u64,
    milliseconds: f64,
}

/// A channel's name, which orders.
type ChannelName = &'static str;

/// What a modem last told.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Modem {
    /// Whether it is initialised.
    pub ready: bool,
    /// Make and model.
    pub identity: Option<String>,
    /// Where it stands with the network.
    pub registration: Option<String>,
    /// Whether messages can go.
    pub registered: bool,
    /// Received power in dBm.
    pub signal_dbm: Option<i16>,
    /// What somebody must do.
    pub fault: Option<String>,
    /// Messages in its storage, and how many fit.
    pub storage: Option<(u16, u16)>,
    /// The SIM's airtime, where it is asked for.
    pub airtime: Option<Airtime>,
    /// How often it was told to restart itself because it did not come back.
    pub restarts: u64,
    /// How often its power had to be cut.
    pub power_cuts: u64,
}

/// What is known of a SIM's airtime.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Airtime {
    /// As it was read last, in the currency's unit.
    pub balance: Option<f64>,
    /// When.
    pub at: Option<String>,
    /// Whether somebody should buy more.
    pub low: bool,
    /// What is wrong with reading it.
    pub fault: Option<String>,
}

impl Vitals {
    /// A daemon that starts now with these modems.
    pub fn new(modems: impl IntoIterator<Item = String>) -> Self {
        let started = now();
        Vitals {
            started,
            spool_seen: AtomicI64::new(started.unix_ms()),
            unanswered: AtomicUsize::new(0),
            unsent: AtomicUsize::new(0),
            store_works: AtomicBool::new(true),
            modems: Mutex::new(modems.into_iter().map(|name| (name, Modem::default())).collect()),
            answers: Mutex::default(),
            hub: Mutex::default(),
            usage: Mutex::default(),
            power_cuts: OnceLock::new(),
        }
    }

    /// There is a session with the hub's broker, or there is none, and why.
    pub fn hub_link(&self, link: Result<(), String>) {
        let mut hub = self.hub.lock().unwrap_or_else(PoisonError::into_inner);
        let hub = hub.get_or_insert_default();
        if hub.connected != link.is_ok() || hub.since.is_empty() {
            hub.since = now().to_string();
        }
        hub.connected = link.is_ok();
        hub.reason = link.err();
    }

    /// Where a followed collection stands.
    pub fn collection(&self, report: Report) {
        let text = |version: jibu_types::IndexVersion| version.to_string();
        let stands = Collection {
            active: report.active.map(|(version, _)| text(version)),
            newest: report.newest.map(text),
            missing: report.missing as u64,
            spent: report.spent,
            stall: stall(report.stall),
            expired: report.expired,
        };
        let mut hub = self.hub.lock().unwrap_or_else(PoisonError::into_inner);
        let hub = hub.get_or_insert_default();
        hub.collections.insert(report.collection.to_string(), stands);
    }

    fn hub(&self) -> Option<Hub> {
        self.hub.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The spool thread goes round.
    pub fn spool_is_alive(&self, unanswered: usize, unsent: usize) {
        self.spool_seen.store(now().unix_ms(), Ordering::Relaxed);
        self.unanswered.store(unanswered, Ordering::Relaxed);
        self.unsent.store(unsent, Ordering::Relaxed);
    }

    /// Whether `state.db` takes rows.
    pub fn store_works(&self, works: bool) {
        self.store_works.store(works, Ordering::Relaxed);
    }

    /// An answer was given.
    pub fn answered(&self, channel: Channel, language: Language, kind: &str, took: Duration) {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let tally = answers.entry((channel.as_str(), kind.to_owned())).or_default();
        tally.count += 1;
        tally.milliseconds += took.as_secs_f64() * 1000.0;
        let number = match channel {
            Channel::Sms => 0,
            Channel::Ussd => 1,
            Channel::Kiosk => 2,
        };
        let mut usage = self.usage.lock().unwrap_or_else(PoisonError::into_inner);
        let new = Count { channel: number, language, asked: 0, answered: 0, person: 0 };
        let count = usage.entry((number, language)).or_insert(new);
        match kind {
            "found" | "choose" | "urgent" => {
                (count.asked, count.answered) = (count.asked + 1, count.answered + 1)
            }
            "unknown" => count.asked += 1,
            "person" => count.person += 1,
            // Commands are no questions.
            _ => {}
        }
    }

    /// What was asked since the last call.
    pub fn take_usage(&self) -> Vec<Count> {
        let mut usage = self.usage.lock().unwrap_or_else(PoisonError::into_inner);
        let counts = std::mem::take(&mut *usage).into_values();
        counts.filter(|count| count.asked + count.person > 0).collect()
    }

    /// How the box is, for the hub: `free` kilobytes are left on its disk.
    pub fn telemetry(&self, free: Option<u64>) -> jibu_sync::telemetry::Health {
        let waiting = self.unanswered.load(Ordering::Relaxed) + self.unsent.load(Ordering::Relaxed);
        let modems = self.modems();
        let airtimes = || modems.values().filter_map(|modem| modem.airtime.as_ref());
        let balances = airtimes().filter_map(|airtime| airtime.balance);
        jibu_sync::telemetry::Health {
            at: crate::clock::calendar(),
            uptime_s: u32::try_from(now().since(self.started).as_secs()).unwrap_or(u32::MAX),
            disk_free_kb: free,
            card_wear_percent: board::card_wear(Path::new("/sys/block")),
            signal_dbm: modems.values().filter_map(|modem| modem.signal_dbm).max(),
            power_cuts: self.power_cuts.get().copied(),
            temperature_dc: board::temperature(),
            waiting: u32::try_from(waiting).ok(),
            airtime: balances.map(|balance| (balance * 100.0).round() as i64).min(),
            airtime_low: airtimes().map(|airtime| airtime.low).max(),
        }
    }

    /// How often the box's power went, as far as is known.
    pub fn power_went(&self, times: u32) {
        // It is counted once, at the start.
        let _ = self.power_cuts.set(times);
    }

    /// Whether a SIM is low in airtime.
    pub fn airtime_is_low(&self) -> bool {
        self.modems().values().any(|modem| modem.airtime.as_ref().is_some_and(|a| a.low))
    }

    /// Keeps what a modem tells of itself.
    pub fn modem_says(&self, name: &ModemName, event: &Event) {
        let mut modems = self.modems.lock().unwrap_or_else(PoisonError::into_inner);
        let modem = modems.entry(name.0.clone()).or_default();
        match event {
            Event::Ready { identity, .. } => {
                modem.ready = true;
                modem.identity = Some(format!("{} {}", identity.manufacturer, identity.model));
                modem.fault = None;
            }
            Event::Lost { reason, .. } => {
                modem.ready = false;
                modem.fault = Some(reason.clone());
            }
            Event::Fault(fault) => modem.fault = Some(fault.to_string()),
            Event::Registration(registration) => {
                modem.registered = registration.is_registered();
                modem.registration = Some(words(*registration).to_owned());
            }
            Event::Signal(signal) => modem.signal_dbm = signal.dbm,
            Event::Restarting => modem.restarts += 1,
            Event::ResetWanted => modem.power_cuts += 1,
            Event::Storage { used, capacity, .. } => modem.storage = Some((*used, *capacity)),
            _ => {}
        }
    }

    /// A SIM's airtime was read.
    pub fn airtime_read(&self, name: &str, balance: Balance, low: bool) {
        let at = Some(now().to_string());
        let balance = Some(balance.0 as f64 / 100.0);
        self.airtime(name, |airtime| *airtime = Airtime { balance, at, low, fault: None });
    }

    /// A SIM's airtime cannot be read.
    pub fn airtime_fault(&self, name: &str, fault: &str) {
        self.airtime(name, |airtime| airtime.fault = Some(fault.to_owned()));
    }

    fn airtime(&self, name: &str, change: impl FnOnce(&mut Airtime)) {
        let mut modems = self.modems.lock().unwrap_or_else(PoisonError::into_inner);
        let modem = modems.entry(name.to_owned()).or_default();
        change(modem.airtime.get_or_insert_default());
    }

    /// Whether the thread that moves messages goes round.
    pub fn spool_goes_round(&self) -> bool {
        let seen = Timestamp::from_unix_ms(self.spool_seen.load(Ordering::Relaxed));
        now().since(seen) < HUNG
    }

    fn modems(&self) -> BTreeMap<String, Modem> {
        self.modems.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A line for each thing, ok or what is wrong.
    pub fn health(&self) -> Health {
        let mut parts = BTreeMap::new();
        let mut ok = true;
        let mut look = |name: String, fault: Option<String>| {
            ok &= fault.is_none();
            parts.insert(name, fault.unwrap_or_else(|| "ok".into()));
        };
        look("spool".into(), (!self.spool_goes_round()).then(|| "does not go round".into()));
        let writes = self.store_works.load(Ordering::Relaxed);
        look("state.db".into(), (!writes).then(|| "cannot be written: is the disk full?".into()));
        for (name, modem) in self.modems() {
            let fault = match (&modem.fault, modem.ready) {
                (Some(fault), _) => Some(fault.clone()),
                (None, false) => Some("not ready yet".into()),
                (None, true) => None,
            };
            look(format!("modem {name}"), fault);
            if let Some(Airtime { balance, low, .. }) = modem.airtime {
                let left = balance.map(|balance| format!("{balance:.2} left: buy airtime"));
                look(format!("airtime {name}"), left.filter(|_| low));
            }
        }
        Health { ok, parts }
    }

    /// Everything as JSON.
    pub fn status(&self) -> serde_json::Value {
        let answers: BTreeMap<String, u64> = self
            .answers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .map(|((channel, kind), tally)| (format!("{channel}.{kind}"), tally.count))
            .collect();
        serde_json::json!({
            "version": env!("CARGO_PKG_VERSION"),
            "started": self.started.to_string(),
            "uptime_s": now().since(self.started).as_secs(),
            "health": self.health(),
            "spool": {
                "unanswered": self.unanswered.load(Ordering::Relaxed),
                "unsent": self.unsent.load(Ordering::Relaxed),
            },
            "power_cuts": self.power_cuts.get(),
            "modems": self.modems(),
            "hub": self.hub(),
            "answers": answers,
        })
    }

    /// Prometheus' text format 0.0.4.
    pub fn metrics(&self) -> String {
        let mut page = String::new();
        let mut gauge = |name: &str, help: &str, values: Vec<(String, f64)>| {
            // Writing to a String cannot fail.
            let _ = writeln!(page, "# HELP {name} {help}\n# TYPE {name} gauge");
            for (labels, value) in values {
                let _ = writeln!(page, "{name}{labels} {value}");
            }
        };
        let number = |value: &AtomicUsize| value.load(Ordering::Relaxed) as f64;
        let uptime = now().since(self.started).as_secs_f64();
        gauge("jibu_uptime_seconds", "Since the daemon started.", vec![(String::new(), uptime)]);
        gauge(
            "jibu_messages_unanswered",
            "Messages that wait for their answer.",
            vec![(String::new(), number(&self.unanswered))],
        );
        gauge(
            "jibu_parts_unsent",
            "Parts that wait to be sent.",
            vec![(String::new(), number(&self.unsent))],
        );
        let modems = self.modems();
        let of_each = |value: &dyn Fn(&Modem) -> Option<f64>| {
            let labelled = modems.iter().filter_map(|(name, modem)| {
                Some((format!("{{modem=\"{}\"}}", label(name)), value(modem)?))
            });
            labelled.collect::<Vec<_>>()
        };
        gauge(
            "jibu_modem_ready",
            "Whether the modem is initialised.",
            of_each(&|modem| Some(f64::from(modem.ready))),
        );
        gauge(
            "jibu_modem_registered",
            "Whether the network serves the modem.",
            of_each(&|modem| Some(f64::from(modem.registered))),
        );
        gauge(
            "jibu_modem_signal_dbm",
            "Received power.",
            of_each(&|modem| modem.signal_dbm.map(f64::from)),
        );
        gauge(
            "jibu_modem_airtime",
            "The SIM's airtime in the currency's unit.",
            of_each(&|modem| modem.airtime.as_ref()?.balance),
        );
        gauge(
            "jibu_modem_airtime_low",
            "Whether somebody should buy airtime.",
            of_each(&|modem| Some(f64::from(modem.airtime.as_ref()?.low))),
        );

        if let Some(hub) = self.hub() {
            gauge(
                "jibu_hub_connected",
                "Whether there is a session with the hub's broker.",
                vec![(String::new(), f64::from(hub.connected))],
            );
            let of_each = |value: &dyn Fn(&Collection) -> f64| {
                let labelled = hub.collections.iter().map(|(name, collection)| {
                    (format!("{{collection=\"{}\"}}", label(name)), value(collection))
                });
                labelled.collect::<Vec<_>>()
            };
            gauge(
                "jibu_index_missing_parts",
                "Parts of the newest version that are still to come.",
                of_each(&|collection| collection.missing as f64),
            );
            gauge(
                "jibu_index_is_newest",
                "Whether the newest version that was heard of answers.",
                of_each(&|collection| f64::from(collection.active == collection.newest)),
            );
        }

        gauge(
            "jibu_modem_restarts",
            "How often the modem was told to restart because it did not come back.",
            of_each(&|modem| Some(modem.restarts as f64)),
        );
        gauge(
            "jibu_modem_power_cuts",
            "How often the modem's power had to be cut.",
            of_each(&|modem| Some(modem.power_cuts as f64)),
        );

        let answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let mut counters = |name: &str, help: &str, value: &dyn Fn(&Tally) -> f64| {
            let _ = writeln!(page, "# HELP {name} {help}\n# TYPE {name} counter");
            for ((channel, kind), tally) in answers.iter() {
                let kind = label(kind);
                let value = value(tally);
                let _ = writeln!(page, "{name}{{channel=\"{channel}\",kind=\"{kind}\"}} {value}");
            }
        };
        counters("jibu_answers_total", "Answers given.", &|tally| tally.count as f64);
        counters("jibu_answer_seconds_total", "Time spent on answers.", &|tally| {
            tally.milliseconds / 1000.0
        });
        page
    }
}

fn stall(stall: Stall) -> Option<&'static str> {
    match stall {
        Stall::None => None,
        Stall::OverBudget => Some("the update costs more than hub.update_budget_kb"),
        Stall::NoSpace => Some("the disk is full"),
        Stall::Refused => Some("the newest version did not answer its golden queries"),
        Stall::Faulty => Some("the newest version is faulty: publish it again at the hub"),
        Stall::Conflict => Some("two versions have one number: look at the hub"),
    }
}

/// A label's value, with what the format gives a meaning to escaped.
fn label(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', " ")
}

fn words(registration: Registration) -> &'static str {
    match registration {
        Registration::Idle => "not registered and not looking",
        Registration::Home => "registered, home network",
        Registration::Searching => "looking for a network",
        Registration::Denied => "refused by the network",
        Registration::Unknown => "unknown",
        Registration::Roaming => "registered, roaming",
    }
}
