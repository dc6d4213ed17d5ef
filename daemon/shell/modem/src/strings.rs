//! How USSD strings are written for the modem at hand.
//!
//! The standard leaves it to +CSCS, makers do as they like: Huawei wants packed
//! septets in hexadecimal whatever +CSCS says. What the modem itself prints gives
//! its habit away, and so does what it refuses.

use jibu_at::driver::Charset;
use jibu_gsm::ussd::{self, RequestForm, Ussd, UssdError, Writing};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// UCS-2 characters in a USSD string's 160 octets; some networks take no more than 70.
const UCS2_ROOM: usize = 70;

/// The data coding scheme of UCS-2 (TS 23.038 §5).
const UCS2: u8 = 72;

/// The forms that one modem takes.
#[derive(Debug, Default)]
pub(crate) struct Strings {
    /// As configured.
    fixed: Option<RequestForm>,
    charset: Option<Charset>,
    manufacturer: String,
    learnt: Option<RequestForm>,
    /// It writes strings in UCS-2, whatever scheme it says they are in.
    prints_ucs2: bool,
    /// It writes strings of the default alphabet in packed septets.
    prints_packed: bool,
    /// The forms of what was said last.
    said: Vec<RequestForm>,
}

impl Strings {
    pub(crate) fn new(fixed: Option<RequestForm>) -> Self {
        Strings { fixed, ..Strings::default() }
    }

    /// The modem is initialised.
    pub(crate) fn ready(&mut self, manufacturer: &str, charset: Option<Charset>) {
        let manufacturer = manufacturer.to_ascii_lowercase();
        if self.charset != charset || self.manufacturer != manufacturer {
            (self.learnt, self.prints_ucs2, self.prints_packed) = (None, false, false);
        }
        (self.charset, self.manufacturer) = (charset, manufacturer);
    }

    /// Reads a `+CUSD` line. What a short string is written in cannot be told from
    /// itself, but from longer ones before it.
    pub(crate) fn read(&mut self, line: &str) -> Result<Ussd, UssdError> {
        let read = ussd::parse_line(line)?;
        let string = line.split_once('"').and_then(|(_, rest)| rest.rsplit_once('"'));
        let string = string.map(|(string, _)| string);
        let is_short = string.is_some_and(|string| string.len() <= 8);
        let is_septets = matches!(read.coding, Some(0 | 15));
        match read.writing {
            Writing::Ucs2Hex if is_septets => self.prints_ucs2 = true,
            // Two letters in UCS-2 may pass for packed septets.
            Writing::Plain | Writing::PackedHex
                if self.prints_ucs2 && !self.prints_packed && is_short =>
            {
                let again = ussd::decode(read.mode, string, Some(UCS2));
                if again.writing == Writing::Ucs2Hex {
                    return Ok(Ussd { coding: read.coding, ..again });
                }
            }
            Writing::Plain | Writing::SeptetHex if self.prints_packed => {
                let again =
                    string.and_then(|string| ussd::decode_packed(read.mode, string, read.coding));
                return Ok(again.unwrap_or(read));
            }
            Writing::PackedHex => {
                self.prints_packed = true;
                self.learnt = Some(RequestForm::PackedHex);
            }
            _ => {}
        }
        Ok(read)
    }

    /// The modem took this one of the last ways.
    pub(crate) fn said(&mut self, way: usize) {
        if way > 0 {
            self.learnt = self.said.get(way).copied().or(self.learnt);
        }
    }

    /// The command lines that say a text, the likeliest form first.
    pub(crate) fn ways(&mut self, text: &str) -> Vec<String> {
        let own = match self.charset {
            _ if self.manufacturer.contains("huawei") => RequestForm::PackedHex,
            Some(Charset::Ucs2) => RequestForm::Ucs2Hex,
            Some(Charset::Plain) | None => RequestForm::Plain,
        };
        let mut forms = vec![self.fixed.or(self.learnt).unwrap_or(own)];
        if self.fixed.is_none() {
            let others = [own, RequestForm::Plain, RequestForm::PackedHex];
            for form in others {
                if !forms.contains(&form) {
                    forms.push(form);
                }
            }
        }
        let mut ways = Vec::new();
        self.said.clear();
        for form in forms {
            if let Some(line) = written(text, form)
                && !ways.contains(&line)
            {
                ways.push(line);
                self.said.push(form);
            }
        }
        ways
    }
}

/// A text in one form; where its alphabet lacks something, on the air in UCS-2 if
/// there is room, or with plainer letters.
fn written(text: &str, form: RequestForm) -> Option<String> {
    let on_air = || ussd::request(text, RequestForm::Ucs2OnAir);
    ussd::request(text, form).or_else(|| match text.encode_utf16().count() > UCS2_ROOM {
        true => ussd::request(&plainer(text), form).or_else(on_air),
        false => on_air(),
    })
}

/// Without accents, quotation marks and line ends.
fn plainer(text: &str) -> String {
    let bare = text.nfd().filter(|c| !is_combining_mark(*c));
    bare.map(|c| match c {
        '"' => '\'',
        c if c.is_control() => ' ',
        c => c,
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(strings: &mut Strings, text: &str) -> String {
        strings.ways(text).into_iter().next().unwrap_or_default()
    }

    #[test]
    fn a_code_is_written_as_the_charset_says_and_huawei_as_it_likes() {
        let mut strings = Strings::default();
        strings.ready("SIMCOM_Ltd", Some(Charset::Plain));
        assert_eq!(first(&mut strings, "*100#"), "AT+CUSD=1,\"*100#\",15");
        strings.ready("SIMCOM_Ltd", Some(Charset::Ucs2));
        assert_eq!(first(&mut strings, "*100#"), "AT+CUSD=1,\"002A0031003000300023\",15");
        strings.ready("huawei", Some(Charset::Ucs2));
        assert_eq!(first(&mut strings, "*100#"), "AT+CUSD=1,\"AA180C3602\",15");
        let mut fixed = Strings::new(Some(RequestForm::Plain));
        fixed.ready("huawei", Some(Charset::Ucs2));
        assert_eq!(fixed.ways("*100#"), ["AT+CUSD=1,\"*100#\",15"]);
    }

    #[test]
    fn a_modem_that_prints_or_takes_packed_septets_is_spoken_to_so() {
        let mut strings = Strings::default();
        strings.ready("Other", Some(Charset::Plain));
        let packed = "AT+CUSD=1,\"AA180C3602\",15";
        let ways = strings.ways("*100#");
        assert_eq!(ways.iter().position(|way| way == packed), Some(1), "{ways:?}");
        strings.said(1);
        assert_eq!(first(&mut strings, "*100#"), packed);

        let mut strings = Strings::default();
        strings.ready("Other", Some(Charset::Plain));
        strings.read("+CUSD: 0,\"D3303BFDD681623218\",15").unwrap();
        assert_eq!(first(&mut strings, "*100#"), packed);
        strings.ready("Another", Some(Charset::Plain));
        assert_eq!(first(&mut strings, "*100#"), "AT+CUSD=1,\"*100#\",15");
    }

    #[test]
    fn a_short_string_is_read_as_the_longer_ones_before_it() {
        let mut strings = Strings::default();
        strings.ready("Other", Some(Charset::Ucs2));
        let mut text = |line: &str| strings.read(line).unwrap().text.unwrap();
        assert_eq!(text("+CUSD: 1,\"2500\",15"), "2500", "nothing is known yet");
        assert_eq!(text("+CUSD: 1,\"002A0031003000300023\",15"), "*100#");
        assert_eq!(text("+CUSD: 1,\"12CD1203\",15"), "ውሃ");
        assert_eq!(text("+CUSD: 1,\"0031\",15"), "1");
        assert_eq!(text("+CUSD: 1,\"0061006D\",15"), "am");
        assert_eq!(text("+CUSD: 1,\"no hex\",15"), "no hex");
    }

    #[test]
    fn a_digit_in_packed_septets_is_no_number_of_two_digits() {
        let mut strings = Strings::default();
        strings.ready("huawei", Some(Charset::Plain));
        let mut text = |line: &str| strings.read(line).unwrap().text.unwrap();
        assert_eq!(text("+CUSD: 1,\"31\",15"), "31", "nothing is known yet");
        assert_eq!(text("+CUSD: 1,\"AA180C3602\",15"), "*100#");
        assert_eq!(text("+CUSD: 1,\"31\",15"), "1");
        assert_eq!(text("+CUSD: 1,\"no hex\",15"), "no hex");
    }

    #[test]
    fn what_an_alphabet_lacks_goes_in_ucs2_or_in_plainer_letters() {
        let mut strings = Strings::default();
        strings.ready("Other", Some(Charset::Plain));
        assert!(first(&mut strings, "1.Été").ends_with(",72"));
        let long = format!("Réponse \"{}\"\n0.Retour", "a".repeat(100));
        let line = first(&mut strings, &long);
        assert!(line.contains("Reponse 'aa") && line.ends_with(" 0.Retour\",15"), "{line}");
        strings.ready("huawei", Some(Charset::Ucs2));
        assert_eq!(first(&mut strings, "ውሃ"), "AT+CUSD=1,\"12CD1203\",72");
    }
}
