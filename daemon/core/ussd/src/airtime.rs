//! The airtime balance: dialled for on a schedule, read by a pattern, told when low.
//!
//! Operators word the reply as they like and change it as they like, so what to
//! look for is configured in the operator's own words: `balance is MWK {balance}`.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use jibu_types::Timestamp;

/// An amount of airtime in hundredths of the currency's unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Balance(pub i64);

impl fmt::Display for Balance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let hundredths = self.0.unsigned_abs();
        write!(f, "{sign}{}.{:02}", hundredths / 100, hundredths % 100)
    }
}

/// Where the balance stands in a reply: words that must be there, `*` for
/// whatever may stand between, and `{balance}` once. Case and the width of
/// spaces do not matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BalancePattern {
    /// The pieces between the `*`; each is looked for behind the one before.
    segments: Vec<Segment>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Segment {
    before: Vec<char>,
    /// The balance, and the words behind it.
    balance: Option<Vec<char>>,
}

/// Why a pattern was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" does not hold {{balance}} just once (an example: balance is MWK {{balance}})")]
pub struct BalancePatternError(pub String);

impl BalancePattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// When `{balance}` is not in it, or more than once.
    pub fn parse(text: &str) -> Result<Self, BalancePatternError> {
        const MARK: &str = "{balance}";
        if text.matches(MARK).count() != 1 {
            return Err(BalancePatternError(text.to_owned()));
        }
        let segments = text.split('*').map(|segment| match segment.split_once(MARK) {
            Some((before, after)) => Segment { before: fold(before), balance: Some(fold(after)) },
            None => Segment { before: fold(segment), balance: None },
        });
        Ok(BalancePattern { segments: segments.collect() })
    }

    /// The balance in an operator's reply; none where the words are others.
    pub fn read(&self, reply: &str) -> Option<Balance> {
        let reply = fold(reply);
        let (mut at, mut found) = (0, None);
        for segment in &self.segments {
            let (end, balance) = (at..=reply.len()).find_map(|start| segment.at(&reply, start))?;
            (at, found) = (end, balance.or(found));
        }
        found
    }
}

impl Segment {
    /// Where the segment ends that begins at `start`, with the balance in it.
    fn at(&self, reply: &[char], start: usize) -> Option<(usize, Option<Balance>)> {
        let rest = reply.get(start..)?.strip_prefix(self.before.as_slice())?;
        let at = start + self.before.len();
        let Some(after) = &self.balance else { return Some((at, None)) };
        let inside = at.checked_sub(1).and_then(|at| reply.get(at));
        if inside.is_some_and(|c| c.is_ascii_digit() || matches!(c, '.' | ',')) {
            return None;
        }
        let (length, balance) = amount(rest)?;
        rest.get(length..)?.strip_prefix(after.as_slice())?;
        Some((at + length + after.len(), Some(balance)))
    }
}

/// Small letters, and one space for any white space.
fn fold(text: &str) -> Vec<char> {
    let mut folded: Vec<char> = Vec::new();
    for c in text.chars() {
        match c.is_whitespace() {
            true if folded.last() == Some(&' ') => {}
            true => folded.push(' '),
            false => folded.extend(c.to_lowercase()),
        }
    }
    folded
}

/// An amount at the beginning and its length: `1250`, `2,500.00`, `2.500,5`,
/// `1 250`. One or two digits behind the last point or comma are hundredths,
/// three are a group.
fn amount(text: &[char]) -> Option<(usize, Balance)> {
    let sign = usize::from(text.first() == Some(&'-'));
    let digits_from = |at: usize| {
        text.get(at..).unwrap_or_default().iter().take_while(|c| c.is_ascii_digit()).count()
    };
    let mut end = sign + digits_from(sign);
    if end == sign {
        return None;
    }
    let mut digits: String = text.get(sign..end)?.iter().collect();
    let mut hundredths = String::new();
    while let Some(mark) = text.get(end).filter(|c| matches!(c, '.' | ',' | '\'' | ' ')) {
        let count = digits_from(end + 1);
        let next: String = text.get(end + 1..end + 1 + count)?.iter().collect();
        if count == 3 {
            digits.push_str(&next);
            end += 1 + count;
        } else if matches!(mark, '.' | ',') && (1..=2).contains(&count) {
            hundredths = format!("{next:0<2}");
            end += 1 + count;
            break;
        } else {
            break;
        }
    }
    let units: i64 = digits.parse().ok()?;
    let part: i64 = if hundredths.is_empty() { 0 } else { hundredths.parse().ok()? };
    let all = units.checked_mul(100)?.checked_add(part)?;
    Some((end, Balance(if sign > 0 { -all } else { all })))
}

/// What an installation sets for a SIM.
#[derive(Debug, Clone)]
pub struct AirtimeConfig {
    /// What is dialled, `*137#`.
    pub code: String,
    /// How the reply reads.
    pub pattern: BalancePattern,
    /// How often it is dialled.
    pub every: Duration,
    /// Below this somebody should buy airtime.
    pub low: Balance,
}

/// Something happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AirtimeInput {
    /// The network's reply.
    Reply(String),
    /// None came, or the modem was busy with a session.
    NoReply,
    /// Time has passed.
    Tick,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AirtimeOutput {
    /// Ask the network.
    Dial(String),
    /// Show and report the balance.
    Read {
        /// The balance.
        balance: Balance,
        /// Whether it is below the limit.
        is_low: bool,
    },
    /// A reply came in which the pattern finds nothing; said once until it does.
    Unreadable,
}

/// The watch over one SIM's airtime: handle, poll, deadline.
#[derive(Debug)]
pub struct Airtime {
    config: AirtimeConfig,
    outputs: VecDeque<AirtimeOutput>,
    next: Timestamp,
    waits_since: Option<Timestamp>,
    failures: u32,
    unreadable: bool,
}

/// A reply that has not come by now does not come.
const PATIENCE: Duration = Duration::from_secs(90);
/// The first wait after a failure; it doubles up to the schedule's own.
const FIRST_RETRY: Duration = Duration::from_secs(5 * 60);

impl Airtime {
    /// Dials at the first tick.
    pub fn new(config: AirtimeConfig, now: Timestamp) -> Self {
        Airtime {
            config,
            outputs: VecDeque::new(),
            next: now,
            waits_since: None,
            failures: 0,
            unreadable: false,
        }
    }

    /// Takes in what happened.
    pub fn handle(&mut self, input: AirtimeInput, now: Timestamp) {
        match input {
            // What comes unasked is an advertisement as often as a balance.
            AirtimeInput::Reply(_) if self.waits_since.is_none() => {}
            AirtimeInput::Reply(reply) => match self.config.pattern.read(&reply) {
                Some(balance) => {
                    let is_low = balance < self.config.low;
                    self.outputs.push_back(AirtimeOutput::Read { balance, is_low });
                    (self.failures, self.unreadable, self.waits_since) = (0, false, None);
                    self.next = now + self.config.every;
                }
                None => {
                    if !std::mem::replace(&mut self.unreadable, true) {
                        self.outputs.push_back(AirtimeOutput::Unreadable);
                    }
                    self.failed(now);
                }
            },
            AirtimeInput::NoReply if self.waits_since.is_some() => self.failed(now),
            AirtimeInput::NoReply | AirtimeInput::Tick => {}
        }
        if self.waits_since.is_some_and(|since| now.since(since) >= PATIENCE) {
            self.failed(now);
        }
        if self.waits_since.is_none() && self.next <= now {
            self.waits_since = Some(now);
            self.outputs.push_back(AirtimeOutput::Dial(self.config.code.clone()));
        }
    }

    fn failed(&mut self, now: Timestamp) {
        self.waits_since = None;
        let wait = FIRST_RETRY.saturating_mul(1 << self.failures.min(10));
        self.failures = self.failures.saturating_add(1);
        self.next = now + wait.min(self.config.every.max(FIRST_RETRY));
    }

    /// Whether a reply is waited for: what the network says next is it.
    pub fn is_waiting(&self) -> bool {
        self.waits_since.is_some()
    }

    /// The next thing to do.
    pub fn poll(&mut self) -> Option<AirtimeOutput> {
        self.outputs.pop_front()
    }

    /// When to come back with [`AirtimeInput::Tick`] if nothing else happens.
    pub fn deadline(&self) -> Timestamp {
        self.waits_since.map_or(self.next, |since| since + PATIENCE)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(pattern: &str, reply: &str) -> Option<String> {
        let balance = BalancePattern::parse(pattern).unwrap().read(reply);
        balance.map(|balance| balance.to_string())
    }

    #[test]
    fn a_balance_is_read_as_operators_write_it() {
        for (pattern, reply, balance) in [
            ("balance is MWK {balance}", "Your Balance is  MWK 1250. Dial *444#", "1250.00"),
            ("ni Tsh {balance}", "Salio lako ni\nTsh 2,500.00. Piga *149*01#", "2500.00"),
            ("de {balance} F CFA", "Votre credit est de 12 500 F CFA.", "12500.00"),
            ("Saldo: * {balance}MT", "Saldo: principal 1.250,5MT, bonus 3MT", "1250.50"),
            ("{balance} kwacha", "24/11: airtime 99.9 kwacha, valid 30 days", "99.90"),
            ("owe * {balance}", "You owe the operator -3.05", "-3.05"),
            ("{balance}", "K0", "0.00"),
            ("ksh{balance}", "Ksh 5; Ksh5,000,000", "5000000.00"),
        ] {
            assert_eq!(read(pattern, reply).as_deref(), Some(balance), "{pattern}: {reply}");
        }
        assert_eq!(read("balance is {balance}", "Try again later"), None);
        assert_eq!(read("balance is {balance}", "balance is unknown"), None);
        assert_eq!(read("{balance} kwacha", "99999999999999999999 kwacha"), None);
        for refused in ["", "balance", "{balance} or {balance}"] {
            assert!(BalancePattern::parse(refused).is_err(), "{refused}");
        }
    }

    fn airtime() -> Airtime {
        let config = AirtimeConfig {
            code: "*137#".into(),
            pattern: BalancePattern::parse("balance {balance}").unwrap(),
            every: Duration::from_secs(6 * 3600),
            low: Balance(10_000),
        };
        Airtime::new(config, Timestamp::from_unix_seconds(0))
    }

    fn drain(airtime: &mut Airtime, input: AirtimeInput, now: Timestamp) -> Vec<AirtimeOutput> {
        airtime.handle(input, now);
        std::iter::from_fn(|| airtime.poll()).collect()
    }

    #[test]
    fn airtime_is_asked_for_on_schedule_and_told_when_low() {
        let mut airtime = airtime();
        let dial = || AirtimeOutput::Dial("*137#".into());
        let mut now = airtime.deadline();
        assert_eq!(drain(&mut airtime, AirtimeInput::Tick, now), [dial()]);
        let reply = AirtimeInput::Reply("Balance 99.50 left".into());
        let low = AirtimeOutput::Read { balance: Balance(9950), is_low: true };
        assert_eq!(drain(&mut airtime, reply.clone(), now), [low]);
        assert_eq!(drain(&mut airtime, reply, now), [], "unasked");
        assert_eq!(airtime.deadline(), now + Duration::from_secs(6 * 3600));
        now = airtime.deadline();
        assert_eq!(drain(&mut airtime, AirtimeInput::Tick, now), [dial()]);
        // Other words than before: told once, tried again after a while.
        let changed = AirtimeInput::Reply("New! Bundles for all!".into());
        assert_eq!(drain(&mut airtime, changed.clone(), now), [AirtimeOutput::Unreadable]);
        now = airtime.deadline();
        assert_eq!(drain(&mut airtime, AirtimeInput::Tick, now), [dial()]);
        assert_eq!(drain(&mut airtime, changed, now), []);
    }

    #[test]
    fn a_network_that_never_replies_is_asked_ever_less_often() {
        let mut airtime = airtime();
        let (mut now, mut dialled) = (airtime.deadline(), 0);
        while now < Timestamp::from_unix_seconds(7 * 24 * 3600) {
            dialled += drain(&mut airtime, AirtimeInput::Tick, now).len();
            assert!(airtime.deadline() > now);
            now = airtime.deadline();
        }
        assert!((28..=40).contains(&dialled), "{dialled}");
    }

    proptest! {
        #[test]
        fn any_pattern_and_any_reply_are_read_without_panic(
            before in "\\PC{0,12}",
            after in "\\PC{0,12}",
            reply in "([0-9 .,'*-]|\\PC){0,60}",
        ) {
            if let Ok(pattern) = BalancePattern::parse(&format!("{before}{{balance}}{after}")) {
                pattern.read(&reply);
            }
        }

        #[test]
        fn an_amount_is_read_in_any_grouping(units in 0i64..9_999_999, part in 0i64..100) {
            let digits = units.to_string();
            for (group, point) in [("", "."), (",", "."), (".", ","), (" ", ".")] {
                let mut grouped = String::new();
                for (at, digit) in digits.chars().enumerate() {
                    if at > 0 && (digits.len() - at) % 3 == 0 {
                        grouped.push_str(group);
                    }
                    grouped.push(digit);
                }
                let reply = format!("balance {grouped}{point}{part:02} until 3");
                let read = BalancePattern::parse("balance {balance} until").unwrap().read(&reply);
                prop_assert_eq!(read, Some(Balance(units * 100 + part)), "{}", reply);
            }
        }
    }
}
