//! USSD strings: what a modem prints in `+CUSD` and takes in `AT+CUSD`
//! (TS 27.007 §7.15).

mod reading;

use std::fmt;

/// What a `+CUSD` line says about the session, its first number `m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// 0: done, nothing more is wanted.
    Done,
    /// 1: the network waits for an answer.
    ActionNeeded,
    /// 2: the network ended the session.
    Ended,
    /// 3: another client on this SIM answered.
    OtherClient,
    /// 4: the operation is not supported.
    NotSupported,
    /// 5: no answer from the network.
    TimedOut,
}

impl Mode {
    /// The mode with a number.
    pub fn from_number(m: u8) -> Option<Self> {
        Some(match m {
            0 => Mode::Done,
            1 => Mode::ActionNeeded,
            2 => Mode::Ended,
            3 => Mode::OtherClient,
            4 => Mode::NotSupported,
            5 => Mode::TimedOut,
            _ => return None,
        })
    }

    /// The number.
    pub fn number(self) -> u8 {
        self as u8
    }
}

/// How a modem wrote a string between the quotation marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Writing {
    /// There is no string.
    Absent,
    /// As text.
    Plain,
    /// As hexadecimal octets of packed septets.
    PackedHex,
    /// As hexadecimal octets of one septet each.
    SeptetHex,
    /// As hexadecimal octets of 8-bit text.
    DataHex,
    /// As hexadecimal UTF-16.
    Ucs2Hex,
    /// As hexadecimal of which no reading makes sense.
    Undecided,
}

/// A `+CUSD` line. `Debug` shows the text's length only.
#[derive(Clone, PartialEq, Eq)]
pub struct Ussd {
    /// What becomes of the session.
    pub mode: Mode,
    /// The text, where there is one that can be read.
    pub text: Option<String>,
    /// The data coding scheme as the line gives it (TS 23.038 §5).
    pub coding: Option<u8>,
    /// How the text was written.
    pub writing: Writing,
}

impl fmt::Debug for Ussd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let length = self.text.as_ref().map(|text| text.chars().count());
        write!(f, "Ussd({:?}, {length:?} characters, {:?})", self.mode, self.writing)
    }
}

/// Why a line is no `+CUSD` line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UssdError {
    /// It begins with something else.
    #[error("the line does not begin with +CUSD:")]
    NotCusd,
    /// `m` is not one of 0 to 5.
    #[error("the line's first value is not one of 0 to 5 (TS 27.007 §7.15)")]
    Mode,
    /// What follows `m` is neither a string nor a number.
    #[error("what follows the first value is no string and data coding scheme")]
    Syntax,
}

/// Reads the string of a `+CUSD` line.
///
/// Modems differ in how they write it, and many say a coding scheme that it is
/// not in; so what the octets make sense as counts, in the order that the
/// scheme suggests.
pub fn decode(mode: Mode, text: Option<&str>, coding: Option<u8>) -> Ussd {
    let Some(written) = text else {
        let expects_text = matches!(mode, Mode::Done | Mode::ActionNeeded | Mode::Ended);
        let writing = if expects_text { Writing::Plain } else { Writing::Absent };
        return Ussd { mode, text: None, coding, writing };
    };
    let (text, writing) = reading::read(written, coding);
    Ussd { mode, text, coding, writing }
}

/// Reads the string of a `+CUSD` line from a modem that is known to write packed
/// septets in hexadecimal: "31" is then the digit 1, which the string itself cannot
/// tell. `None` when it is not hexadecimal.
pub fn decode_packed(mode: Mode, written: &str, coding: Option<u8>) -> Option<Ussd> {
    let text = Some(reading::packed_hex(written, coding)?);
    Some(Ussd { mode, text, coding, writing: Writing::PackedHex })
}

/// Reads a whole line, `+CUSD: <m>[,"<str>"[,<dcs>]]`.
///
/// # Errors
/// When it is another line, or has another form.
pub fn parse_line(line: &str) -> Result<Ussd, UssdError> {
    let values = line.trim().strip_prefix("+CUSD:").ok_or(UssdError::NotCusd)?.trim();
    let (mode, rest) = match values.split_once(',') {
        Some((mode, rest)) => (mode, Some(rest)),
        None => (values, None),
    };
    let mode = mode.trim().parse().ok().and_then(Mode::from_number).ok_or(UssdError::Mode)?;
    let Some(rest) = rest else {
        return Ok(decode(mode, None, None));
    };
    let (text, coding) = string_and_number(rest)?;
    Ok(decode(mode, text, coding))
}

/// `"<str>"[,<dcs>]`. The string may hold quotation marks and line ends; modems
/// do not escape them, so it ends at the last mark.
fn string_and_number(values: &str) -> Result<(Option<&str>, Option<u8>), UssdError> {
    let values = values.trim();
    let Some(open) = values.strip_prefix('"') else {
        // Some modems leave the string out and print the scheme: `+CUSD: 2,,15`.
        let number = values.trim_start_matches(',').trim();
        return match number.parse() {
            Ok(coding) => Ok((None, Some(coding))),
            Err(_) if number.is_empty() => Ok((None, None)),
            Err(_) => Err(UssdError::Syntax),
        };
    };
    // A text cut short by the modem has no mark at its end, and is still a text.
    let Some((text, after)) = open.rsplit_once('"') else {
        return Ok((Some(open), None));
    };
    let after = after.trim();
    match after.strip_prefix(',').map(str::trim) {
        None if after.is_empty() => Ok((Some(text), None)),
        Some("") => Ok((Some(text), None)),
        Some(coding) => match coding.parse() {
            Ok(coding) => Ok((Some(text), Some(coding))),
            Err(_) => Err(UssdError::Syntax),
        },
        None => Err(UssdError::Syntax),
    }
}

/// Reads what an `AT+CUSD=<n>,"<str>",<dcs>` command asks the network.
///
/// # Errors
/// When the line is no such command.
pub fn parse_request(line: &str) -> Result<(String, Writing), UssdError> {
    let values = line.trim();
    let values = values.strip_prefix("AT+CUSD=").ok_or(UssdError::NotCusd)?;
    let (_, rest) = values.split_once(',').ok_or(UssdError::Syntax)?;
    let (text, coding) = string_and_number(rest)?;
    let (text, writing) = reading::read(text.ok_or(UssdError::Syntax)?, coding);
    Ok((text.ok_or(UssdError::Syntax)?, writing))
}

/// How a request is written for a modem; it depends on its character set
/// (`AT+CSCS`) and its make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum RequestForm {
    /// As text, which most modems take.
    #[default]
    Plain,
    /// As hexadecimal octets of packed septets (Huawei and others).
    PackedHex,
    /// As hexadecimal UTF-16 (`AT+CSCS="UCS2"`).
    Ucs2Hex,
    /// As hexadecimal UTF-16, which also goes on the air so: strings of this scheme
    /// are octets in hexadecimal whatever `AT+CSCS` says (TS 27.007 §7.15).
    Ucs2OnAir,
}

/// The command that sends a request or an answer to the network,
/// `AT+CUSD=1,"*100#",15`; `None` when its alphabet lacks a character or the
/// text holds a quotation mark or a control character that plain text cannot.
pub fn request(text: &str, form: RequestForm) -> Option<String> {
    let written = match form {
        RequestForm::Plain => {
            let fits = text.chars().all(|c| c.is_ascii() && !c.is_ascii_control() && c != '"');
            fits.then(|| text.to_owned())?
        }
        RequestForm::PackedHex => hex::encode_upper(reading::pack(text)?),
        RequestForm::Ucs2Hex | RequestForm::Ucs2OnAir => {
            hex::encode_upper(crate::alphabet::to_ucs2(text))
        }
    };
    // What the default alphabet cannot write goes on the air in UCS-2 (TS 23.038 §5).
    let in_septets = crate::alphabet::to_septets(text, crate::Shift::NONE).is_some();
    let coding = if in_septets && form != RequestForm::Ucs2OnAir { 15 } else { 72 };
    Some(format!("AT+CUSD=1,\"{written}\",{coding}"))
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn check(line: &str, expected: Expect) {
        expected.assert_eq(&match parse_line(line) {
            Ok(Ussd { mode, text, coding, writing }) => {
                format!("{mode:?} {text:?} {coding:?} {writing:?}")
            }
            Err(error) => error.to_string(),
        });
    }

    #[test]
    fn lines_are_read_as_modems_print_them() {
        check(
            "+CUSD: 1,\"1. Salio\n2. Ofa\",15",
            expect![[r#"ActionNeeded Some("1. Salio\n2. Ofa") Some(15) Plain"#]],
        );
        check(
            "+CUSD: 0,\"D3303BFDD681623218\",15",
            expect![[r#"Done Some("Salio: 120") Some(15) PackedHex"#]],
        );
        check(
            "+CUSD: 2,\"004E00640061006C0061006D0061003A00200175\",72",
            expect![[r#"Ended Some("Ndalama: ŵ") Some(72) Ucs2Hex"#]],
        );
        check(
            "+CUSD:0,\"say \"hi\" to us\", 0",
            expect![[r#"Done Some("say \"hi\" to us") Some(0) Plain"#]],
        );
        check("+CUSD: 2,,15", expect!["Ended None Some(15) Plain"]);
        check("+CUSD: 4", expect!["NotSupported None None Absent"]);
        check("+CUSD: 0,\"cut short", expect![[r#"Done Some("cut short") None Plain"#]]);
    }

    #[test]
    fn what_looks_hexadecimal_need_not_be() {
        check("+CUSD: 0,\"2500\",15", expect![[r#"Done Some("2500") Some(15) Plain"#]]);
        check("+CUSD: 0,\"BEEF\",15", expect![[r#"Done Some("BEEF") Some(15) Plain"#]]);
        check("+CUSD: 0,\"12345678\"", expect![[r#"Done Some("12345678") None Plain"#]]);
    }

    /// Whatever the length, a text is read back from either way of writing it.
    #[test]
    fn packed_septets_are_told_from_one_an_octet() {
        let texts = [
            "Salio lako ni Tsh 2,500.00. Piga *149*01# kununua kifurushi.",
            "Your balance is MWK 1250. Dial *444# for bundles! Valid to 22/11/2026",
            "1. My account\n2. Borrow airtime\n3. Buy data\n0. Back\n",
            "Votre credit est de 500 F CFA. Composez #123# pour recharger",
        ];
        for text in texts {
            for end in 6..=text.len() {
                let text = text[..end].trim_end_matches(['\n', '\r']);
                let packed = hex::encode_upper(reading::pack(text).unwrap());
                let octets = hex::encode_upper(text);
                for (written, writing) in
                    [(packed, Writing::PackedHex), (octets, Writing::SeptetHex)]
                {
                    let read = decode(Mode::Done, Some(&written), Some(15));
                    assert_eq!((read.text.as_deref(), read.writing), (Some(text), writing));
                }
            }
        }
    }

    #[test]
    fn a_language_may_stand_before_the_text() {
        check("+CUSD: 0,\"F33B00640061\",17", expect![[r#"Done Some("da") Some(17) Ucs2Hex"#]]);
    }

    #[test]
    fn other_lines_are_refused() {
        check(
            "+CUSD: 7,\"x\",15",
            expect!["the line's first value is not one of 0 to 5 (TS 27.007 §7.15)"],
        );
        check(
            "+CUSD: 0,x",
            expect!["what follows the first value is no string and data coding scheme"],
        );
        check(
            "+CUSD: 0,\"x\",many",
            expect!["what follows the first value is no string and data coding scheme"],
        );
        check("+CSQ: 18,0", expect!["the line does not begin with +CUSD:"]);
    }

    #[test]
    fn a_request_is_written_for_the_modem_at_hand() {
        let forms = [RequestForm::Plain, RequestForm::PackedHex, RequestForm::Ucs2Hex];
        let written = forms.map(|form| request("*100#", form).unwrap_or_default());
        expect![[r#"
            AT+CUSD=1,"*100#",15
            AT+CUSD=1,"AA180C3602",15
            AT+CUSD=1,"002A0031003000300023",15"#]]
        .assert_eq(&written.join("\n"));
        assert_eq!(request("say \"hi\"", RequestForm::Plain), None);
        let on_air = request("é\n", RequestForm::Ucs2OnAir).unwrap();
        assert_eq!(on_air, "AT+CUSD=1,\"00E9000A\",72");
        let khmer = request("ទឹក", RequestForm::Ucs2Hex).unwrap();
        assert_eq!(khmer, "AT+CUSD=1,\"179117B91780\",72");
        assert_eq!(request("ទឹក", RequestForm::PackedHex), None);
        // Seven septets leave seven bits, which must not read as "@".
        let seven = request("*12345#", RequestForm::PackedHex).unwrap();
        assert_eq!(parse_request(&seven).unwrap().0, "*12345#");
    }
}
