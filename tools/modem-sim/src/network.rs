//! The mobile network and its service centre, seen from one modem.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use serde::Serialize;

use crate::codec::{Address, ServiceTime, StatusReport, Submit, encode_status_report};
use crate::sent::OnAir;

/// The network's side of things: it outlives every restart of the modem.
#[derive(Debug, Clone)]
pub struct Network {
    /// The +CREG state that it grants: 1 home, 5 roaming, 0 or 3 none.
    pub grants: u8,
    /// Signal strength, 0 to 31 or 99.
    pub signal: u8,
    /// Bit error rate, 0 to 7 or 99.
    pub bit_errors: u8,
    /// The operator's long name.
    pub operator: String,
    /// The operator's number.
    pub operator_code: String,
    /// The service centre's address.
    pub service_centre: String,
    /// Quarters of an hour between local time and UTC.
    pub quarters: i8,
    /// Unix time when the simulation began.
    pub started_at: i64,
    /// What becomes of messages that ask for a report.
    pub reports: Reports,
    /// USSD codes and their answers.
    pub ussd: BTreeMap<String, String>,
    /// Whether somebody is at the other end of a USSD session that the network began.
    pub caller: bool,
    /// What the mobile said in such sessions, and how they ended.
    pub said: Vec<Said>,
    /// The error that every message is refused with, when there is one.
    pub refusal: Option<u16>,
    /// Messages for the mobile that could not be handed over yet.
    pub waiting: VecDeque<Vec<u8>>,
    /// Everything that the mobile sent.
    pub on_air: Vec<OnAir>,
}

/// What the mobile said to somebody in a USSD session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Said {
    /// A page, or that the mobile ended the session.
    pub text: Option<String>,
    /// Its data coding scheme on the air.
    pub coding: u8,
    /// Whether it fits the 160 octets of a USSD string (TS 24.080 §4.6.1).
    pub fits: bool,
}

/// Which status reports the service centre sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reports {
    /// Whether there are any.
    pub enabled: bool,
    /// TP-ST of all of them.
    pub status: u8,
    /// The least and the most time until one comes.
    pub delay_ms: [u64; 2],
}

impl Network {
    /// A network with good reception, where `started_at` is Unix time.
    pub fn new(started_at: i64) -> Self {
        let balance = "Your balance is MK 1,234.50. Valid until 31/12/2026.";
        Network {
            grants: 1,
            signal: 18,
            bit_errors: 0,
            operator: "Jibu Test".to_owned(),
            operator_code: "65001".to_owned(),
            service_centre: "+265888000111".to_owned(),
            quarters: 8,
            started_at,
            reports: Reports { enabled: true, status: 0, delay_ms: [2_000, 8_000] },
            ussd: BTreeMap::from([("*100#".to_owned(), balance.to_owned())]),
            caller: false,
            said: Vec::new(),
            refusal: None,
            waiting: VecDeque::new(),
            on_air: Vec::new(),
        }
    }

    /// The time at the service centre.
    pub fn time(&self, now: Duration) -> ServiceTime {
        let seconds = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        ServiceTime::from_unix(self.started_at.saturating_add(seconds), self.quarters)
    }

    /// The service centre's address as messages to the mobile carry it.
    pub fn centre(&self) -> Option<Address> {
        Address::new(&self.service_centre).ok()
    }

    /// What the network answers to a USSD code.
    pub fn answer(&self, code: &str) -> Option<&str> {
        self.ussd.get(code).map(String::as_str)
    }

    /// The status report on a message, in the form that AT commands carry.
    pub fn report_on(&self, submit: &Submit, sent_at: Duration, now: Duration) -> Vec<u8> {
        let report = StatusReport {
            reference: submit.reference,
            recipient: submit.destination.clone(),
            submitted: self.time(sent_at),
            settled: self.time(now),
            status: self.reports.status,
        };
        let mut pdu = crate::codec::service_centre(self.centre().as_ref());
        pdu.extend(encode_status_report(&report));
        pdu
    }
}
