//! Times in TPDUs: the service centre's time stamp and the validity period.

use std::fmt;
use std::time::Duration;

use jibu_types::Timestamp;

use crate::EncodeError;

/// A service centre's time: local civil time and its zone (TS 23.040 §9.2.3.11).
///
/// The seven octets are kept as they came. Networks send impossible ones (a day
/// 0, a zone of all ones), and a message is not lost for that: what can be read
/// is read, the rest is `None`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ServiceCentreTime([u8; 7]);

impl ServiceCentreTime {
    /// The time in seven octets.
    pub const fn from_octets(octets: [u8; 7]) -> Self {
        ServiceCentreTime(octets)
    }

    /// The seven octets.
    pub const fn octets(self) -> [u8; 7] {
        self.0
    }

    /// A moment as it is written in a zone of so many quarters of an hour east
    /// of UTC (−79 to 79); seconds are kept, milliseconds dropped.
    ///
    /// # Errors
    /// When the zone is out of range or the year is not 1990 to 2089.
    pub fn new(moment: Timestamp, zone_quarters: i8) -> Result<Self, EncodeError> {
        if !(-79..=79).contains(&zone_quarters) {
            return Err(EncodeError::Time);
        }
        let local =
            moment.unix_ms().div_euclid(1000).saturating_add(i64::from(zone_quarters) * 900);
        let local = jiff::Timestamp::from_second(local).map_err(|_| EncodeError::Time)?;
        let civil = jiff::tz::Offset::UTC.to_datetime(local);
        if !(1990..2090).contains(&civil.year()) {
            return Err(EncodeError::Time);
        }
        let sign = if zone_quarters < 0 { 0x08 } else { 0 };
        Ok(ServiceCentreTime([
            swapped((civil.year() % 100) as u8),
            swapped(civil.month() as u8),
            swapped(civil.day() as u8),
            swapped(civil.hour() as u8),
            swapped(civil.minute() as u8),
            swapped(civil.second() as u8),
            swapped(zone_quarters.unsigned_abs()) | sign,
        ]))
    }

    /// The time on a clock in its zone, `None` when the digits name no day or
    /// no time of day. Years from 90 on are of the last century, which had the
    /// first short messages.
    pub fn civil(self) -> Option<jiff::civil::DateTime> {
        let [year, month, day, hour, minute, second, _] = self.0;
        let year = i16::from(decimal(year)?);
        jiff::civil::DateTime::new(
            if year < 90 { 2000 + year } else { 1900 + year },
            decimal(month)? as i8,
            decimal(day)? as i8,
            decimal(hour)? as i8,
            decimal(minute)? as i8,
            decimal(second)? as i8,
            0,
        )
        .ok()
    }

    /// The zone in quarters of an hour east of UTC, `None` when it is no number.
    pub fn zone_quarters(self) -> Option<i8> {
        let [.., zone] = self.0;
        // Bit 3 is the sign: it takes the highest bit of the tens.
        let quarters = decimal(zone & !0x08).filter(|quarters| *quarters < 80)? as i8;
        Some(if zone & 0x08 != 0 { -quarters } else { quarters })
    }

    /// The moment, when both the time and the zone can be read.
    pub fn timestamp(self) -> Option<Timestamp> {
        let local = jiff::tz::Offset::UTC.to_timestamp(self.civil()?).ok()?;
        let quarters = i64::from(self.zone_quarters()?);
        Some(Timestamp::from_unix_seconds(local.as_second() - quarters * 900))
    }
}

impl fmt::Display for ServiceCentreTime {
    /// `2026-11-22 17:16:00+02:00`, with `?` for what cannot be read.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.civil() {
            Some(civil) => write!(f, "{} {}", civil.date(), civil.time())?,
            None => f.write_str("?")?,
        }
        match self.zone_quarters() {
            Some(quarters) => {
                let sign = if quarters < 0 { '-' } else { '+' };
                let minutes = u32::from(quarters.unsigned_abs()) * 15;
                write!(f, "{sign}{:02}:{:02}", minutes / 60, minutes % 60)
            }
            None => f.write_str("?"),
        }
    }
}

impl fmt::Debug for ServiceCentreTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServiceCentreTime({self})")
    }
}

/// Two digits, the tens in the low half. Some networks write 32 as two tens and
/// twelve, so a digit above 9 counts for what it is; decoders in the field agree.
fn decimal(octet: u8) -> Option<u8> {
    let number = (octet & 0xf) * 10 + (octet >> 4);
    (number < 100).then_some(number)
}

fn swapped(number: u8) -> u8 {
    (number % 10) << 4 | (number / 10)
}

/// How long the service centre keeps trying to deliver (TS 23.040 §9.2.3.12).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ValidityPeriod {
    /// From its acceptance, in the steps of the standard: 5 minutes up to 12
    /// hours, 30 minutes up to a day, a day up to 30 days, a week up to 63 weeks.
    Relative(u8),
    /// Until a moment.
    Absolute(ServiceCentreTime),
    /// In one of the formats of TS 23.040 §9.2.3.12.3.
    Enhanced([u8; 7]),
}

impl ValidityPeriod {
    /// The shortest relative period that is not shorter than a span; at most 63
    /// weeks.
    pub fn at_least(span: Duration) -> Self {
        let code = (0..=u8::MAX).find(|code| relative(*code) >= span);
        ValidityPeriod::Relative(code.unwrap_or(u8::MAX))
    }

    /// How long the period lasts from the message's acceptance; `None` for an
    /// absolute one and for formats that name no length.
    pub fn duration(self) -> Option<Duration> {
        match self {
            ValidityPeriod::Relative(code) => Some(relative(code)),
            ValidityPeriod::Absolute(_) => None,
            ValidityPeriod::Enhanced([indicator, first, second, third, ..]) => {
                // Bit 7 would say that more indicator octets follow; none is defined.
                match indicator & 0x87 {
                    1 => Some(relative(first)),
                    2 => Some(Duration::from_secs(u64::from(first))),
                    3 => {
                        let [hours, minutes, seconds] =
                            [first, second, third].map(|octet| decimal(octet).map(u64::from));
                        Some(Duration::from_secs(hours? * 3600 + minutes? * 60 + seconds?))
                    }
                    _ => None,
                }
            }
        }
    }
}

fn relative(code: u8) -> Duration {
    let code = u64::from(code);
    let minutes = match code {
        0..=143 => (code + 1) * 5,
        144..=167 => 12 * 60 + (code - 143) * 30,
        168..=196 => (code - 166) * 24 * 60,
        _ => (code - 192) * 7 * 24 * 60,
    };
    Duration::from_secs(minutes * 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_west_of_greenwich_is_later_in_utc() {
        let time = ServiceCentreTime::from_octets([0x70, 0x11, 0x10, 0x31, 0x05, 0x45, 0x8a]);
        assert_eq!(time.to_string(), "2007-11-01 13:50:54-07:00");
        assert_eq!(time.timestamp().unwrap().to_string(), "2007-11-01T20:50:54Z");
    }

    #[test]
    fn what_can_be_read_of_a_time_is_kept() {
        let no_day = ServiceCentreTime::from_octets([0x62, 0x11, 0x00, 0x71, 0x61, 0x00, 0x80]);
        assert_eq!(
            (no_day.civil(), no_day.zone_quarters(), no_day.timestamp()),
            (None, Some(8), None)
        );
        let no_zone = ServiceCentreTime::from_octets([0x62, 0x11, 0x22, 0x71, 0x61, 0x00, 0xff]);
        assert_eq!(no_zone.to_string(), "2026-11-22 17:16:00?");
        let nothing = ServiceCentreTime::from_octets([0xff; 7]);
        assert_eq!(nothing.to_string(), "??");
    }

    #[test]
    fn a_digit_above_nine_counts_for_what_it_is() {
        let time = ServiceCentreTime::from_octets([0x61, 0x01, 0x03, 0x40, 0x95, 0x44, 0xc2]);
        assert_eq!(time.zone_quarters(), Some(32));
    }

    #[test]
    fn the_first_messages_were_of_the_last_century() {
        let time = ServiceCentreTime::from_octets([0x99, 0x30, 0x92, 0x51, 0x61, 0x95, 0x80]);
        assert_eq!(time.to_string(), "1999-03-29 15:16:59+02:00");
    }

    /// TS 23.040 §9.2.3.12.1.
    #[test]
    fn a_relative_period_has_four_steps() {
        let hours =
            |code| ValidityPeriod::Relative(code).duration().unwrap().as_secs() as f64 / 3600.0;
        assert_eq!([0, 11, 143].map(hours), [1.0 / 12.0, 1.0, 12.0]);
        assert_eq!([144, 167].map(hours), [12.5, 24.0]);
        assert_eq!([168, 196].map(hours), [48.0, 720.0]);
        assert_eq!([197, 255].map(hours), [5.0 * 168.0, 63.0 * 168.0]);
    }

    #[test]
    fn a_span_gets_the_next_longer_period() {
        let code = |minutes: u64| ValidityPeriod::at_least(Duration::from_secs(minutes * 60));
        assert_eq!(code(0), ValidityPeriod::Relative(0));
        assert_eq!(code(6), ValidityPeriod::Relative(1));
        assert_eq!(code(48 * 60), ValidityPeriod::Relative(168));
        assert_eq!(code(u64::MAX / 60), ValidityPeriod::Relative(255));
    }

    #[test]
    fn an_enhanced_period_may_name_a_length() {
        let period = |octets| ValidityPeriod::Enhanced(octets).duration().map(|d| d.as_secs());
        assert_eq!(period([1, 11, 0, 0, 0, 0, 0]), Some(3600));
        assert_eq!(period([2, 90, 0, 0, 0, 0, 0]), Some(90));
        assert_eq!(period([0x43, 0x10, 0x20, 0x30, 0, 0, 0]), Some(3600 + 2 * 60 + 3));
        assert_eq!(period([0, 1, 2, 3, 4, 5, 6]), None);
    }
}
