use std::fmt;

/// A telephone number that can be sent to: an optional `+` and up to 20 digits.
///
/// `Debug` and `Display` show its last two digits only, so that a number
/// cannot reach a log by accident; [`PhoneNumber::reveal`] gives it whole.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PhoneNumber(Box<str>);

/// Why a text is no telephone number. The text itself is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PhoneNumberError {
    /// Nothing was left after separators were dropped.
    #[error("the number has no digits")]
    Empty,
    /// Something else than a digit, a leading `+`, or a separator.
    #[error("the number holds a character that is no digit (an example: +265991234567)")]
    NotADigit,
    /// More than the 20 digits of a TS 23.040 address (§9.1.2.5).
    #[error("the number has more than 20 digits")]
    TooLong,
}

impl PhoneNumber {
    /// The most digits that an address in a TPDU can hold (TS 23.040 §9.1.2.5).
    pub const MAX_DIGITS: usize = 20;

    /// Reads a number; spaces, hyphens, dots and brackets are dropped.
    ///
    /// # Errors
    /// When what remains is not an optional `+` followed by 1 to 20 digits.
    pub fn parse(text: &str) -> Result<Self, PhoneNumberError> {
        let kept: String =
            text.chars().filter(|c| !matches!(c, ' ' | '-' | '.' | '(' | ')')).collect();
        let digits = kept.strip_prefix('+').unwrap_or(&kept);
        if digits.is_empty() {
            return Err(PhoneNumberError::Empty);
        }
        if !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(PhoneNumberError::NotADigit);
        }
        if digits.len() > Self::MAX_DIGITS {
            return Err(PhoneNumberError::TooLong);
        }
        Ok(PhoneNumber(kept.into_boxed_str()))
    }

    /// The whole number. Every call is read in review: it may go to the modem
    /// and to the spool, never to a log or a screen.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The digits without the `+`.
    pub fn digits(&self) -> &str {
        self.0.strip_prefix('+').unwrap_or(&self.0)
    }

    /// Whether the number is in international format (`+…`).
    pub fn is_international(&self) -> bool {
        self.0.starts_with('+')
    }

    /// Whether this is a service's short code rather than a person's number:
    /// up to six digits without a `+`.
    pub fn is_short_code(&self) -> bool {
        !self.is_international() && self.0.len() <= 6
    }
}

impl fmt::Display for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.digits();
        write!(f, "…{}", &digits[digits.len().saturating_sub(2)..])
    }
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PhoneNumber({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_shows_two_digits_only() {
        let number = PhoneNumber::parse("+265 99 123-4567").unwrap();
        assert_eq!(format!("{number} {number:?}"), "…67 PhoneNumber(…67)");
        assert_eq!(number.reveal(), "+265991234567");
    }

    #[test]
    fn a_name_is_no_number() {
        assert_eq!(PhoneNumber::parse("MPESA"), Err(PhoneNumberError::NotADigit));
        assert_eq!(PhoneNumber::parse("+"), Err(PhoneNumberError::Empty));
        assert_eq!(PhoneNumber::parse(&"1".repeat(21)), Err(PhoneNumberError::TooLong));
    }

    #[test]
    fn a_short_code_is_known_by_its_length() {
        assert!(PhoneNumber::parse("50131").unwrap().is_short_code());
        assert!(!PhoneNumber::parse("+50131").unwrap().is_short_code());
        assert!(!PhoneNumber::parse("0991234567").unwrap().is_short_code());
    }
}
