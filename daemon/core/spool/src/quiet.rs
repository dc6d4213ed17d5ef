//! Hours in which nobody is woken.

use std::time::Duration;

use jibu_types::Timestamp;

const DAY_MINUTES: i64 = 24 * 60;

/// Hours of the day, in local time, in which late answers wait for the morning.
/// Somebody who has just asked is awake and is answered at any hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuietHours {
    /// The first minute of the day, 21:00 is 1260.
    pub from_minute: u16,
    /// The first minute that is not quiet any more; before `from_minute` where
    /// midnight lies between.
    pub to_minute: u16,
    /// Local time ahead of UTC, in minutes.
    pub utc_offset_minutes: i16,
}

impl QuietHours {
    /// When the quiet hours around a moment end; none where it is not quiet.
    pub fn end(&self, now: Timestamp) -> Option<Timestamp> {
        let local = now.unix_ms().div_euclid(60_000) + i64::from(self.utc_offset_minutes);
        let since = |minute: u16| (local - i64::from(minute)).rem_euclid(DAY_MINUTES);
        let length =
            (i64::from(self.to_minute) - i64::from(self.from_minute)).rem_euclid(DAY_MINUTES);
        let left = length - since(self.from_minute);
        let begun = now - Duration::from_millis(now.unix_ms().rem_euclid(60_000).unsigned_abs());
        (left > 0).then(|| begun + Duration::from_secs(60 * left.unsigned_abs()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quiet_hours_may_go_over_midnight() {
        // 21:00 to 06:00 in Malawi, UTC+2.
        let quiet = QuietHours { from_minute: 1260, to_minute: 360, utc_offset_minutes: 120 };
        let at =
            |hour: i64, minute: i64| Timestamp::from_unix_seconds((hour * 60 + minute) * 60 + 7);
        let ends = |hour, minute| quiet.end(at(hour, minute)).map(|at| at.to_string());
        assert_eq!(ends(18, 59), None);
        assert_eq!(ends(19, 0).as_deref(), Some("1970-01-02T04:00:00Z"));
        assert_eq!(ends(23, 30).as_deref(), Some("1970-01-02T04:00:00Z"));
        assert_eq!(ends(3, 59).as_deref(), Some("1970-01-01T04:00:00Z"));
        assert_eq!(ends(4, 0), None);
        let never = QuietHours { to_minute: 1260, ..quiet };
        assert_eq!(never.end(at(19, 0)), None);
    }
}
