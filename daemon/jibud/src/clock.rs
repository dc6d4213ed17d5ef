//! The one place where the daemon looks at a clock.

use std::time::{SystemTime, UNIX_EPOCH};

use jibu_types::Timestamp;

/// Before this program was written no clock can be right.
const WRITTEN: i64 = 1_763_000_000_000;

/// What time it is, where the clock can be right.
pub fn calendar() -> Option<Timestamp> {
    Some(now()).filter(|now| now.unix_ms() > WRITTEN)
}

/// What time it is. A box whose clock was never set lives in 1970, which every
/// core can work with.
pub fn now() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_unix_ms(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
}
