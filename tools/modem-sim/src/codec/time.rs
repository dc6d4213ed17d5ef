//! Time stamps as service centres write them (TS 23.040 §9.2.3.11).

/// A local time and its distance from UTC in quarters of an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServiceTime {
    /// Year of the century; the stamp has no century.
    pub year: u8,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 59.
    pub second: u8,
    /// Quarters of an hour east of UTC, −79 to 79.
    pub quarters: i8,
}

impl ServiceTime {
    /// The local time at a Unix time in a zone.
    pub fn from_unix(seconds: i64, quarters: i8) -> Self {
        let quarters = quarters.clamp(-79, 79);
        let local = seconds.saturating_add(i64::from(quarters) * 900);
        let (days, of_day) = (local.div_euclid(86_400), local.rem_euclid(86_400));
        // Days to a civil date, with years that begin in March so that the
        // leap day stands last.
        let shifted = days.saturating_add(719_468);
        let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let from_march = (5 * of_year + 2) / 153;
        let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        // Each value is reduced below 100 first, so it fits an octet.
        let octet = |value: i64| u8::try_from(value.rem_euclid(100)).unwrap_or(0);
        ServiceTime {
            year: octet(year),
            month: octet(month),
            day: octet(of_year - (153 * from_march + 2) / 5 + 1),
            hour: octet(of_day / 3_600),
            minute: octet(of_day / 60 % 60),
            second: octet(of_day % 60),
            quarters,
        }
    }

    /// Reads `2026-12-02 15:58:11`, with `T` for the space and `Z` or `±hh:mm`
    /// after it where they stand. Without a zone it is UTC.
    pub fn parse(text: &str) -> Option<Self> {
        let date_time = text.get(..19)?;
        let mut numbers = date_time.split(['-', ' ', 'T', ':']).map(str::parse::<u16>);
        let mut next = |low: u16, high: u16| {
            let value = numbers.next()?.ok()?;
            (low..=high).contains(&value).then_some(value)
        };
        let year = next(1900, 2099)? % 100;
        let fields = [next(1, 12)?, next(1, 31)?, next(0, 23)?, next(0, 59)?, next(0, 59)?];
        let [month, day, hour, minute, second] = fields.map(|v| u8::try_from(v).unwrap_or(0));
        let quarters = match text.get(19..)?.trim() {
            "" | "Z" => 0,
            zone => {
                let sign = match zone.get(..1)? {
                    "+" => 1,
                    "-" => -1,
                    _ => return None,
                };
                let (hours, minutes) = match zone.get(1..)?.split_once(':') {
                    Some((hours, minutes)) => {
                        (hours.parse::<i8>().ok()?, minutes.parse::<i8>().ok()?)
                    }
                    None => (zone.get(1..)?.parse::<i8>().ok()?, 0),
                };
                if !(0..=19).contains(&hours) || !matches!(minutes, 0 | 15 | 30 | 45) {
                    return None;
                }
                sign * (hours * 4 + minutes / 15)
            }
        };
        let year = u8::try_from(year).ok()?;
        Some(ServiceTime { year, month, day, hour, minute, second, quarters })
    }

    /// The seven semi-octet pairs.
    pub fn to_octets(self) -> [u8; 7] {
        let swapped = |value: u8| (value / 10 % 10) | ((value % 10) << 4);
        let zone = swapped(self.quarters.unsigned_abs()) | if self.quarters < 0 { 0x08 } else { 0 };
        [
            swapped(self.year),
            swapped(self.month),
            swapped(self.day),
            swapped(self.hour),
            swapped(self.minute),
            swapped(self.second),
            zone,
        ]
    }

    /// Reads seven semi-octet pairs. Digits above nine count as what they are,
    /// as real service centres send them.
    pub fn from_octets(octets: [u8; 7]) -> Self {
        let plain = |octet: u8| (octet & 0x0f).saturating_mul(10).saturating_add(octet >> 4);
        let [year, month, day, hour, minute, second, zone] = octets;
        let size = i8::try_from(plain(zone & 0xf7)).unwrap_or(0);
        ServiceTime {
            year: plain(year),
            month: plain(month),
            day: plain(day),
            hour: plain(hour),
            minute: plain(minute),
            second: plain(second),
            quarters: if zone & 0x08 == 0 { size } else { -size },
        }
    }
}

/// As text mode and +CCLK print it: `26/12/02,15:58:11+08`.
impl std::fmt::Display for ServiceTime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ServiceTime { year, month, day, hour, minute, second, quarters } = self;
        write!(f, "{year:02}/{month:02}/{day:02},{hour:02}:{minute:02}:{second:02}")?;
        let sign = if *quarters < 0 { '-' } else { '+' };
        write!(f, "{sign}{:02}", quarters.unsigned_abs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unix_time_becomes_local_time() {
        // date -u -d '2026-12-02 15:58:11' +%s
        let time = ServiceTime::from_unix(1_796_227_091, 8);
        assert_eq!(time.to_string(), "26/12/02,17:58:11+08");
        assert_eq!(ServiceTime::from_unix(951_782_400, 0).to_string(), "00/02/29,00:00:00+00");
    }

    #[test]
    fn a_zone_west_of_greenwich_has_its_sign_in_the_fourth_bit() {
        let time = ServiceTime::parse("2026-12-02T15:58:11-03:30").expect("a time");
        assert_eq!(time.quarters, -14);
        assert_eq!(hex::encode_upper(time.to_octets()), "62212051851149");
        assert_eq!(ServiceTime::from_octets(time.to_octets()), time);
    }

    #[test]
    fn nonsense_is_no_time() {
        for text in ["", "2026-13-02 15:58:11", "2026-12-02 15:58:1é", "2026-12-02 15:58:11 noon"]
        {
            assert_eq!(ServiceTime::parse(text), None, "{text}");
        }
    }
}
