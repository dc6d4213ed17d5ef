//! Who writes what.

use std::collections::HashMap;
use std::time::Duration;

use jibu_modem_sim::codec::{Alphabet, ServiceTime};
use jibu_modem_sim::control::{Deliver, DeliverPdu};

use crate::ledger::{Account, Due};
use crate::words::{self, Serial};

/// Our own number, which a network may send to.
pub(crate) const OURS: &str = "+265880000001";

/// What is delivered, and how much later than the message.
pub(crate) enum Delivery {
    Text(Deliver),
    Pdu(DeliverPdu),
}

/// A message on its way.
pub(crate) struct Message {
    pub(crate) account: Account,
    pub(crate) deliveries: Vec<(Duration, Delivery)>,
    /// Its kind, for the table.
    pub(crate) kind: Kind,
}

/// Kinds of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A question in one part.
    Short,
    /// A question in several parts, in any order, some parts twice.
    Long,
    /// A question of which a part never comes.
    Missing,
    /// A question of which a part comes after it was answered.
    Late,
    /// A question that the network delivers again.
    Repeated,
    /// From a name, a short code or our own number.
    NoPerson,
    /// Bytes that are no message.
    Garbage,
    /// From a machine that sends back what it gets.
    Echo,
    /// From a machine that always says the same.
    AutoReply,
}

impl Kind {
    /// All of them, as the table lists them.
    pub const ALL: [Kind; 9] = [
        Kind::Short,
        Kind::Long,
        Kind::Missing,
        Kind::Late,
        Kind::Repeated,
        Kind::NoPerson,
        Kind::Garbage,
        Kind::Echo,
        Kind::AutoReply,
    ];

    /// In words.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Short => "in one part",
            Kind::Long => "in two to four parts, any order, some parts twice",
            Kind::Missing => "with a part that never comes",
            Kind::Late => "with a part that comes after the answer",
            Kind::Repeated => "delivered twice",
            Kind::NoPerson => "from names, short codes, ourselves",
            Kind::Garbage => "bytes that are no message",
            Kind::Echo => "from machines that send answers back",
            Kind::AutoReply => "from machines that reply the same to each answer",
        }
    }

    fn any(rng: &mut fastrand::Rng) -> Self {
        match rng.u16(..1000) {
            0..=689 => Kind::Short,
            690..=839 => Kind::Long,
            840..=869 => Kind::Missing,
            870..=889 => Kind::Late,
            890..=929 => Kind::Repeated,
            930..=964 => Kind::NoPerson,
            965..=989 => Kind::Garbage,
            990..=994 => Kind::Echo,
            _ => Kind::AutoReply,
        }
    }
}

/// Everybody who writes.
pub(crate) struct People {
    /// How many there are.
    pub(crate) count: u32,
    /// How long the box waits for parts.
    pub(crate) wait: Duration,
    /// The references that phones gave last: each counts its own.
    pub(crate) references: HashMap<u32, u8>,
}

impl People {
    fn next_reference(&mut self, person: u32, rng: &mut fastrand::Rng) -> u16 {
        let reference = self.references.entry(person).or_insert_with(|| rng.u8(..));
        *reference = reference.wrapping_add(1);
        u16::from(*reference)
    }
}

/// The next message; `time` is the service centre's clock.
pub(crate) fn next(
    serial: Serial,
    people: &mut People,
    now: Duration,
    time: ServiceTime,
    rng: &mut fastrand::Rng,
) -> Message {
    let kind = Kind::any(rng);
    let ucs2 = rng.u8(..8) == 0;
    let account = |sender: &str, due, waits| Account::new(sender.to_owned(), due, waits, now);
    match kind {
        Kind::Short | Kind::Repeated => {
            let from = number(rng.u32(..people.count));
            let mut draft = draft(&from, words::question(serial, 1, ucs2));
            if rng.u8(..50) == 0 {
                draft.class = Some(rng.u8(..4));
            }
            let account = account(&from, Due::Once, false);
            let mut deliveries = vec![(Duration::ZERO, Delivery::Text(draft))];
            if kind == Kind::Repeated
                && let Some((_, Delivery::Text(draft))) = deliveries.first_mut()
            {
                draft.repeat = vec![1];
            }
            Message { account, deliveries, kind }
        }
        Kind::Long | Kind::Missing | Kind::Late => {
            let person = rng.u32(..people.count);
            let from = number(person);
            let parts = rng.u8(2..=4);
            let mut long = draft(&from, words::question(serial, usize::from(parts), ucs2));
            long.bits = Some(if rng.bool() { 8 } else { 16 });
            long.reference = Some(people.next_reference(person, rng));
            // A part that comes late was sent with the others.
            long.time = Some(written(time));
            long.order = (1..=parts).collect();
            rng.shuffle(&mut long.order);
            long.repeat = (1..=parts).filter(|_| rng.u8(..5) == 0).collect();
            let gone = rng.u8(1..=parts);
            let mut deliveries = Vec::new();
            if kind != Kind::Long {
                if kind == Kind::Late {
                    let rest = Deliver {
                        drop_parts: (1..=parts).filter(|part| *part != gone).collect(),
                        ..long.clone()
                    };
                    let late = people.wait + Duration::from_secs(rng.u64(60..7_200));
                    deliveries.push((late, Delivery::Text(rest)));
                }
                long.drop_parts = vec![gone];
            }
            deliveries.push((Duration::ZERO, Delivery::Text(long)));
            let waits = kind != Kind::Long;
            Message { account: account(&from, Due::Once, waits), deliveries, kind }
        }
        Kind::NoPerson => {
            let names = ["Airtel", "TNM Info", "MPESA", "50131", "111", "8484", OURS];
            let from = rng.choice(names).unwrap_or("111");
            let draft = draft(from, words::question(serial, 1, false));
            let deliveries = vec![(Duration::ZERO, Delivery::Text(draft))];
            Message { account: account(from, Due::Never, false), deliveries, kind }
        }
        Kind::Garbage => {
            let bytes: Vec<u8> = (0..rng.usize(1..170)).map(|_| rng.u8(..)).collect();
            let pdu = DeliverPdu { pdu: hex::encode_upper(bytes), delay_ms: None };
            let deliveries = vec![(Duration::ZERO, Delivery::Pdu(pdu))];
            Message { account: account("", Due::Never, false), deliveries, kind }
        }
        Kind::Echo | Kind::AutoReply => {
            let from = format!("+26599{:07}", 5_000_000 + serial % 4_000_000);
            let draft = draft(&from, words::question(serial, 1, false));
            let deliveries = vec![(Duration::ZERO, Delivery::Text(draft))];
            Message { account: account(&from, Due::Loop, false), deliveries, kind }
        }
    }
}

/// What a machine writes when it gets an answer.
pub(crate) fn reply_of_machine(kind: Kind, serial: Serial, from: &str, answer: &str) -> Delivery {
    let text = match kind {
        Kind::Echo => format!("Fwd: {answer}"),
        _ => format!("I am on the road and cannot read this now {}", words::token(serial)),
    };
    Delivery::Text(draft(from, text))
}

/// A time stamp as the simulator reads it.
fn written(time: ServiceTime) -> String {
    let ServiceTime { year, month, day, hour, minute, second, quarters } = time;
    let sign = if quarters < 0 { '-' } else { '+' };
    let zone = quarters.unsigned_abs();
    format!(
        "20{year:02}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}{sign}{:02}:{:02}",
        zone / 4,
        zone % 4 * 15
    )
}

/// People's numbers: most in international form, some in national form.
fn number(index: u32) -> String {
    match index % 20 {
        0 => format!("0991{index:06}"),
        _ => format!("+265991{index:06}"),
    }
}

fn draft(from: &str, text: String) -> Deliver {
    Deliver {
        from: from.to_owned(),
        text,
        time: None,
        reference: None,
        bits: None,
        alphabet: None::<Alphabet>,
        class: None,
        drop_parts: Vec::new(),
        order: Vec::new(),
        repeat: Vec::new(),
        delay_ms: None,
    }
}
