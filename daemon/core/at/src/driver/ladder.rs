//! What is done about a modem that does not come back.
//!
//! A command without an answer is repeated ([`Wake`](super::wake::Wake)) and the
//! modem initialised again; that is where this begins: `AT+CFUN=1,1`, then its
//! power, twice; then somebody is told that it does not help, and its power is cut
//! ever more rarely, because a USB hub or a coverage hole may mend itself.

use std::time::Duration;

use jibu_types::Timestamp;

/// The longest wait between two cuts of the power.
const SELDOM: Duration = Duration::from_secs(60 * 60);

/// A modem that worked for so long begins at the lowest rung again.
const WELL: Duration = Duration::from_secs(10 * 60);

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rung {
    /// Let the modem restart itself.
    Restart,
    /// Cut its power.
    CutPower,
    /// Say that it does not help, and cut its power all the same.
    GiveUp,
}

/// Where the troubles with a modem stand.
#[derive(Debug)]
pub(super) struct Ladder {
    /// How many rungs were climbed.
    climbed: u32,
    /// A rung is given its time before the next one.
    not_before: Timestamp,
    /// When silence has lasted for long enough.
    next_at: Option<Timestamp>,
    well_since: Option<Timestamp>,
    /// How long a modem may be silent before its power is cut.
    patience: Duration,
}

impl Ladder {
    pub(super) fn new(patience: Duration) -> Self {
        Ladder {
            climbed: 0,
            not_before: Timestamp::default(),
            next_at: None,
            well_since: None,
            patience,
        }
    }

    /// The modem must be woken, whatever it does.
    pub(super) fn trouble(&mut self, now: Timestamp) {
        self.next_at = Some(self.not_before.max(now + self.patience / 3));
    }

    /// The modem is initialised.
    pub(super) fn is_well(&mut self, now: Timestamp) {
        self.well_since.get_or_insert(now);
    }

    /// A modem that was initialised is so no more.
    pub(super) fn is_lost(&mut self, now: Timestamp) {
        if self.well_since.take().is_some_and(|since| now.since(since) >= WELL) {
            self.climbed = 0;
            self.not_before = now;
        }
    }

    /// Whether silence has lasted for long enough.
    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        self.next_at.is_some_and(|at| at <= now)
    }

    /// Whether a modem that answers, but gets stuck, has had its time.
    pub(super) fn may_climb(&self, now: Timestamp) -> bool {
        self.not_before <= now
    }

    /// The next thing to do.
    pub(super) fn climb(&mut self, now: Timestamp) -> Rung {
        let rung = match self.climbed {
            0 => Rung::Restart,
            3 => Rung::GiveUp,
            _ => Rung::CutPower,
        };
        self.climbed = self.climbed.saturating_add(1);
        let wait = match self.climbed {
            0 | 1 => self.patience * 2 / 3,
            more => self.patience.saturating_mul(1 << (more - 2).min(16)),
        };
        self.not_before = now + wait.min(SELDOM.max(self.patience));
        self.next_at = Some(self.not_before);
        rung
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rung_comes_later_than_the_one_before_until_an_hour() {
        let mut ladder = Ladder::new(Duration::from_secs(150));
        let mut now = Timestamp::from_unix_seconds(0);
        ladder.trouble(now);
        let mut waits = Vec::new();
        let mut rungs = Vec::new();
        for _ in 0..9 {
            let at = ladder.next_at.unwrap();
            waits.push(at.since(now).as_secs());
            now = at;
            assert!(ladder.is_due(now));
            rungs.push(ladder.climb(now));
            assert!(!ladder.is_due(now));
        }
        assert_eq!(waits, [50, 100, 150, 300, 600, 1200, 2400, 3600, 3600]);
        assert_eq!(rungs[..4], [Rung::Restart, Rung::CutPower, Rung::CutPower, Rung::GiveUp]);
        assert_eq!(rungs[4..], [Rung::CutPower; 5]);
    }

    #[test]
    fn ten_good_minutes_begin_anew_and_nine_do_not() {
        let seconds = Timestamp::from_unix_seconds;
        let mut ladder = Ladder::new(Duration::from_secs(150));
        ladder.climb(seconds(0));
        ladder.is_well(seconds(10));
        ladder.is_lost(seconds(10 + 540));
        assert_eq!(ladder.climb(seconds(1000)), Rung::CutPower);
        ladder.is_well(seconds(2000));
        ladder.is_well(seconds(2500));
        ladder.is_lost(seconds(2600));
        assert_eq!(ladder.climb(seconds(3000)), Rung::Restart);
    }
}
