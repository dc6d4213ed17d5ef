//! What every message got, as the network saw it.

use std::collections::HashMap;
use std::time::Duration;

use crate::words::Serial;

/// The most parts that an answer has here.
const MOST_PARTS: usize = 4;

/// What one number may be answered in a day, as the spool is configured here. A
/// loop that the spool's memory does not end, because the power goes again and
/// again, ends there.
const QUOTA: u64 = 50;

/// What a message must get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    /// One answer.
    Once,
    /// None: it came from a name, a short code or ourselves.
    Never,
    /// Few, and in the end none: its sender answers whatever it gets.
    Loop,
}

/// A message's account.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    /// Whom it came from.
    pub(crate) sender: String,
    /// What it must get.
    pub(crate) due: Due,
    /// When it was sent.
    pub(crate) sent_at: Duration,
    /// Whether its answer must wait for parts that never come.
    pub(crate) waits: bool,
    /// The parts of its answer, once one is on the air.
    total: u8,
    /// How often each part went on the air.
    seen: [u16; MOST_PARTS],
    /// Parts that went by +CMGS, which keeps no copy.
    direct: [bool; MOST_PARTS],
    /// Parts of which nobody could say whether they went.
    unknown: [bool; MOST_PARTS],
    /// Parts that were refused in words after the network had taken them.
    denied: [bool; MOST_PARTS],
    answered_at: Option<Duration>,
}

impl Account {
    /// A new account.
    pub(crate) fn new(sender: String, due: Due, waits: bool, sent_at: Duration) -> Self {
        Account {
            sender,
            due,
            sent_at,
            waits,
            total: 0,
            seen: [0; MOST_PARTS],
            direct: [false; MOST_PARTS],
            unknown: [false; MOST_PARTS],
            denied: [false; MOST_PARTS],
            answered_at: None,
        }
    }

    /// Whether all parts of an answer went.
    fn is_whole(&self) -> bool {
        let total = usize::from(self.total);
        total > 0 && self.seen.iter().take(total).all(|count| *count > 0)
    }
}

/// What all accounts say together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Messages that must be answered once.
    pub due: u64,
    /// Those that were.
    pub once: u64,
    /// Those that were not, or not wholly.
    pub lost: Vec<Serial>,
    /// Those of which a part went twice although its fate could be known.
    pub doubled: Vec<Serial>,
    /// Parts sent without a copy of which, after a cut or a lost reply, neither
    /// modem nor network told whether they had gone.
    pub unknown: u64,
    /// Parts sent without a copy that the modem refused in words although the
    /// network had taken them.
    pub denied: u64,
    /// Messages of which such a part, of either kind, reached the network twice.
    pub doubled_unknown: u64,
    /// Messages that must not be answered.
    pub never: u64,
    /// Those that were.
    pub wrongly: Vec<Serial>,
    /// Parts on the air that belong to no message, or to another person's.
    pub stray: u64,
    /// Machines that answer whatever they get.
    pub loops: u64,
    /// Answers that they were sent.
    pub loop_answers: u64,
    /// The most that one of them was sent.
    pub loop_worst: u64,
    /// The longest time from a question to its whole answer.
    pub slowest: Duration,
}

impl Verdict {
    /// Nothing lost, nothing doubled that could be known, nobody bothered.
    pub fn is_clean(&self) -> bool {
        self.lost.is_empty()
            && self.doubled.is_empty()
            && self.wrongly.is_empty()
            && self.stray == 0
            && self.loop_worst <= QUOTA
    }
}

/// The accounts.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    accounts: HashMap<Serial, Account>,
    open: usize,
    closed: Verdict,
    last: Option<Serial>,
}

impl Ledger {
    /// What became of a message, for a person who looks for the fault.
    pub(crate) fn story(&self, serial: Serial) -> String {
        let Some(account) = self.accounts.get(&serial) else {
            return format!("message {serial}: closed");
        };
        format!(
            "message {serial} of {}, sent at {:.3} s: parts on the air {:?}, by +CMGS {:?}",
            account.sender,
            account.sent_at.as_secs_f64(),
            account.seen,
            account.direct,
        )
    }

    /// Opens an account.
    pub(crate) fn expect(&mut self, serial: Serial, account: Account) {
        self.open += usize::from(account.due == Due::Once && !account.waits);
        self.accounts.insert(serial, account);
        self.last = self.last.max(Some(serial));
    }

    /// The account of a message.
    pub(crate) fn account(&self, serial: Serial) -> Option<&Account> {
        self.accounts.get(&serial)
    }

    /// Messages that wait for their answer, without those that wait for parts.
    pub(crate) fn open(&self) -> usize {
        self.open
    }

    /// Whether every message that is due an answer has it.
    pub(crate) fn is_settled(&self) -> bool {
        self.accounts.values().all(|account| account.due != Due::Once || account.is_whole())
    }

    /// A part went on the air: number `part` of `total`, to `to`. Gives the
    /// account that it belongs to.
    pub(crate) fn on_air(
        &mut self,
        serial: Option<Serial>,
        to: &str,
        (part, total): (u8, u8),
        direct: bool,
        now: Duration,
    ) -> Option<(Serial, &Account)> {
        let place = usize::from(part).wrapping_sub(1);
        let found = serial.and_then(|serial| Some((serial, self.accounts.get_mut(&serial)?)));
        let Some((serial, account)) = found.filter(|(_, a)| tail(&a.sender) == tail(to)) else {
            self.closed.stray += 1;
            return None;
        };
        let Some(seen) = account.seen.get_mut(place) else {
            self.closed.stray += 1;
            return None;
        };
        *seen += 1;
        account.total = total;
        if let Some(was_direct) = account.direct.get_mut(place) {
            *was_direct |= direct;
        }
        if account.answered_at.is_none() && account.is_whole() {
            account.answered_at = Some(now);
            self.open -= usize::from(account.due == Due::Once && !account.waits);
        }
        Some((serial, account))
    }

    /// Nobody can say whether a part went.
    pub(crate) fn unknown(&mut self, serial: Serial, part: u8) {
        self.closed.unknown += 1;
        let place = usize::from(part).wrapping_sub(1);
        if let Some(mark) = self.accounts.get_mut(&serial).and_then(|a| a.unknown.get_mut(place)) {
            *mark = true;
        }
    }

    /// A modem refused a part. Notes when the network has it all the same.
    pub(crate) fn refused(&mut self, serial: Serial, part: u8) {
        let place = usize::from(part).wrapping_sub(1);
        let Some(account) = self.accounts.get_mut(&serial) else { return };
        let taken = account.seen.get(place).is_some_and(|count| *count > 0);
        if taken
            && account.direct.get(place) == Some(&true)
            && let Some(mark) = account.denied.get_mut(place)
        {
            *mark = true;
            self.closed.denied += 1;
        }
    }

    /// Closes accounts that were settled before `before`. What comes for them
    /// later is stray.
    pub(crate) fn close(&mut self, before: Duration) {
        let done = |account: &Account| {
            account.sent_at < before
                && match account.due {
                    Due::Once => account.answered_at.is_some_and(|at| at < before),
                    Due::Never | Due::Loop => true,
                }
        };
        let closed: Vec<Serial> =
            self.accounts.iter().filter(|(_, a)| done(a)).map(|(serial, _)| *serial).collect();
        for serial in closed {
            if let Some(account) = self.accounts.remove(&serial) {
                judge(&mut self.closed, serial, &account);
            }
        }
        self.accounts.shrink_to_fit();
    }

    /// Where everything stands.
    pub(crate) fn verdict(&self) -> Verdict {
        let mut verdict = self.closed.clone();
        for (serial, account) in &self.accounts {
            judge(&mut verdict, *serial, account);
        }
        for list in [&mut verdict.lost, &mut verdict.doubled, &mut verdict.wrongly] {
            list.sort_unstable();
        }
        verdict
    }
}

fn judge(verdict: &mut Verdict, serial: Serial, account: &Account) {
    match account.due {
        Due::Never => {
            verdict.never += 1;
            if account.seen.iter().any(|count| *count > 0) {
                verdict.wrongly.push(serial);
            }
        }
        Due::Loop => {
            let answers = account.seen.iter().copied().max().map_or(0, u64::from);
            verdict.loops += 1;
            verdict.loop_answers += answers;
            verdict.loop_worst = verdict.loop_worst.max(answers);
        }
        Due::Once => {
            verdict.due += 1;
            let mut twice = (0..MOST_PARTS).filter(|part| account.seen[*part] > 1).peekable();
            if !account.is_whole() {
                verdict.lost.push(serial);
            } else if twice.peek().is_none() {
                verdict.once += 1;
            } else if twice
                .all(|part| account.direct[part] && (account.unknown[part] || account.denied[part]))
            {
                verdict.doubled_unknown += 1;
            } else {
                verdict.doubled.push(serial);
            }
            if let Some(at) = account.answered_at.filter(|_| !account.waits) {
                verdict.slowest = verdict.slowest.max(at.saturating_sub(account.sent_at));
            }
        }
    }
}

/// What tells people apart, in international form or not.
fn tail(number: &str) -> &str {
    &number[number.len().saturating_sub(9)..]
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERSON: &str = "+265991234567";

    fn judged(parts: &[(u8, u8, bool)], unknown: &[u8]) -> Verdict {
        let mut ledger = Ledger::default();
        ledger.expect(1, Account::new(PERSON.into(), Due::Once, false, Duration::ZERO));
        for part in unknown {
            ledger.unknown(1, *part);
        }
        for (part, total, direct) in parts {
            ledger.on_air(Some(1), "0991234567", (*part, *total), *direct, Duration::ZERO);
        }
        ledger.verdict()
    }

    #[test]
    fn an_answer_is_whole_with_all_its_parts_and_once_with_each_of_them_once() {
        assert_eq!(judged(&[], &[]).lost, [1]);
        assert_eq!(judged(&[(1, 2, false)], &[]).lost, [1]);
        assert_eq!(judged(&[(2, 2, false), (1, 2, false)], &[]).once, 1);
        assert_eq!(judged(&[(1, 1, false), (1, 1, false)], &[]).doubled, [1]);
    }

    #[test]
    fn a_double_is_excused_only_for_the_part_that_went_without_a_copy_and_in_doubt() {
        assert_eq!(judged(&[(1, 1, true), (1, 1, true)], &[1]).doubled_unknown, 1);
        assert_eq!(judged(&[(1, 1, false), (1, 1, false)], &[1]).doubled, [1]);
        assert_eq!(judged(&[(1, 1, true), (1, 1, true)], &[]).doubled, [1]);
        let other = [(1, 2, true), (1, 2, true), (2, 2, true)];
        assert_eq!(judged(&other, &[2]).doubled, [1]);
    }

    #[test]
    fn what_belongs_to_nobody_is_stray() {
        let mut ledger = Ledger::default();
        ledger.expect(1, Account::new(PERSON.into(), Due::Never, false, Duration::ZERO));
        ledger.on_air(Some(2), PERSON, (1, 1), false, Duration::ZERO);
        ledger.on_air(Some(1), "+265990000000", (1, 1), false, Duration::ZERO);
        ledger.on_air(None, PERSON, (1, 1), false, Duration::ZERO);
        assert_eq!(ledger.verdict().stray, 3);
        ledger.on_air(Some(1), PERSON, (1, 1), false, Duration::ZERO);
        assert_eq!(ledger.verdict().wrongly, [1]);
    }
}
