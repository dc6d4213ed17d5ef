//! A message spread out for a technician: `jibud pdu`.
//!
//! Numbers and text are whole here, because somebody asked for them; nothing of
//! it belongs in a log.

use serde::Serialize;

use crate::deliver::HAS_HEADER;
use crate::{
    Alphabet, Body, DataCoding, DecodeError, Deliver, Field, MessageType, Pdu, ServiceCentreTime,
    StatusReport, Submit, Tpdu, UserData, ValidityPeriod, ussd,
};

/// What a line says, under the field names of the conformance vectors. Absent
/// fields are left out of the JSON; a `null` says that there is no such thing in
/// this message.
#[derive(Debug, Clone, PartialEq, Serialize, Default)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub struct Description {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub smsc: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tpdu_len: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_reference: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pid: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dcs: Option<Option<u8>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alphabet: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tz_quarters: Option<i8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub discharge: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub discharge_tz_quarters: Option<i8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_meaning: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vp: Option<Validity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub udh: Option<Vec<HeaderElement>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concat: Option<Part>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub national_single: Option<Option<&'static str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub national_locking: Option<Option<&'static str>>,
    /// The session's state, of a `+CUSD` line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub m: Option<u8>,
    /// How the string of a `+CUSD` line was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoding: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<Option<String>>,
    /// User data that is no text, in hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
}

/// TP-VP.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Validity {
    /// The relative format's octet.
    Relative(u8),
    /// The absolute format's time, or the enhanced format's octets.
    Other(String),
}

/// An element of the user data header.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HeaderElement {
    /// Its identifier in hexadecimal.
    pub iei: String,
    /// Its data in hexadecimal.
    pub data: String,
}

/// The part's place in its message.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Part {
    /// The reference that the parts share.
    #[serde(rename = "ref")]
    pub reference: u16,
    /// How many there are.
    pub total: u8,
    /// Which one this is.
    pub seq: u8,
    /// The width of the reference.
    pub bits: u8,
}

/// Describes a line: a PDU in hexadecimal as modems print it, a `+CUSD` line, or
/// an `AT+CUSD` command. What cannot be read is an `error` with as much as is
/// known.
pub fn line(line: &str) -> Description {
    let line = line.trim();
    if line.starts_with("+CUSD") {
        return cusd(line);
    }
    if line.starts_with("AT+CUSD") {
        return cusd_request(line);
    }
    pdu(line)
}

/// Describes a PDU in hexadecimal, as modems print it: the service centre's
/// address in front. Octets that are not so, but exactly a TPDU, are that.
pub fn pdu(hexadecimal: &str) -> Description {
    let octets = match octets(hexadecimal) {
        Ok(octets) => octets,
        Err(error) => return Description { error: Some(error), ..Description::default() },
    };
    let described = match Pdu::split(&octets) {
        Ok((service_centre, rest)) => {
            Description { smsc: service_centre.map(|address| address.reveal()), ..from_tpdu(rest) }
        }
        Err(error) => Description { error: Some(error.to_string()), ..Description::default() },
    };
    let bare = || matches!(Tpdu::decode_first(&octets), Ok((_, [])));
    if described.error.is_some() && bare() { from_tpdu(&octets) } else { described }
}

/// Describes a TPDU in hexadecimal, without an address in front.
pub fn tpdu(hexadecimal: &str) -> Description {
    match octets(hexadecimal) {
        Ok(octets) => from_tpdu(&octets),
        Err(error) => Description { error: Some(error), ..Description::default() },
    }
}

fn octets(hexadecimal: &str) -> Result<Vec<u8>, String> {
    let digits: String = hexadecimal.split_whitespace().collect();
    if digits.is_empty() {
        return Err("there are no hexadecimal digits".to_owned());
    }
    if let Some(other) = digits.chars().find(|digit| !digit.is_ascii_hexdigit()) {
        return Err(format!("{other:?} is no hexadecimal digit"));
    }
    hex::decode(&digits)
        .map_err(|_| format!("there is an odd number of hexadecimal digits, {}", digits.len()))
}

fn from_tpdu(octets: &[u8]) -> Description {
    let described = match Tpdu::decode(octets) {
        Ok(Tpdu::Deliver(message)) => deliver(&message),
        Ok(Tpdu::Submit(message)) => submit(&message),
        Ok(Tpdu::StatusReport(report)) => status_report(&report),
        Err(error) => {
            let known = cut_short(octets, error).map(|octets| from_tpdu(&octets));
            Description { error: Some(error.to_string()), ..known.unwrap_or_default() }
        }
    };
    // A header that holds nothing, or nothing that can be read, is still one.
    let announced = octets.first().is_some_and(|first| first & HAS_HEADER != 0);
    let header = described.text.is_some() && announced;
    Description {
        kind: octets.first().copied().and_then(MessageType::stored).map(|kind| kind.to_string()),
        tpdu_len: Some(octets.len()),
        udh: described.udh.or(header.then(Vec::new)),
        ..described
    }
}

/// A message whose user data ends too early, with a length that fits what is
/// there: it can be shown, though not taken for whole.
fn cut_short(octets: &[u8], error: DecodeError) -> Option<Vec<u8>> {
    let DecodeError::Truncated { field: Field::UserData, wanted, left } = error else {
        return None;
    };
    let mut octets = octets.to_vec();
    let at = octets.len().checked_sub(left + 1)?;
    let length = octets.get_mut(at)?;
    // A length in septets differs from the octets that it asks for, unless there
    // are fewer than eight; then a septet or so less is shown.
    let fitting = if wanted == usize::from(*length) { left } else { left * 8 / 7 };
    *length = u8::try_from(fitting).ok().filter(|fitting| fitting < length)?;
    Some(octets)
}

fn deliver(message: &Deliver) -> Description {
    Description {
        number: Some(message.originator.reveal()),
        pid: Some(message.protocol),
        timestamp: civil(message.service_centre_time),
        tz_quarters: message.service_centre_time.zone_quarters(),
        ..user_data(message.coding, &message.user_data)
    }
}

fn submit(message: &Submit) -> Description {
    Description {
        number: Some(message.recipient.reveal()),
        message_reference: Some(message.reference),
        pid: Some(message.protocol),
        vp: message.validity.map(|validity| match validity {
            ValidityPeriod::Relative(code) => Validity::Relative(code),
            ValidityPeriod::Absolute(time) => Validity::Other(time.to_string()),
            ValidityPeriod::Enhanced(octets) => Validity::Other(hex::encode_upper(octets)),
        }),
        ..user_data(message.coding, &message.user_data)
    }
}

fn status_report(report: &StatusReport) -> Description {
    let parameters = &report.parameters;
    let described = match &parameters.user_data {
        Some(data) => user_data(parameters.coding.unwrap_or_default(), data),
        None => Description {
            dcs: parameters.coding.map(|coding| Some(coding.octet())),
            ..Description::default()
        },
    };
    Description {
        number: Some(report.recipient.reveal()),
        message_reference: Some(report.reference),
        pid: parameters.protocol,
        timestamp: civil(report.service_centre_time),
        tz_quarters: report.service_centre_time.zone_quarters(),
        discharge: civil(report.discharge),
        discharge_tz_quarters: report.discharge.zone_quarters(),
        status: Some(report.status.octet()),
        status_meaning: Some(report.status.meaning()),
        ..described
    }
}

fn user_data(coding: DataCoding, user_data: &UserData) -> Description {
    let header = &user_data.header;
    let gsm7 = coding.alphabet() == Alphabet::Gsm7;
    let shift = header.shift();
    Description {
        dcs: Some(Some(coding.octet())),
        alphabet: Some(match coding.alphabet() {
            Alphabet::Gsm7 => "gsm7",
            Alphabet::Data => "8bit",
            Alphabet::Ucs2 => "ucs2",
        }),
        class: coding.class().map(|class| class.number()),
        udh: (!header.elements.is_empty()).then(|| {
            let element = |element: &crate::Element| HeaderElement {
                iei: format!("{:02X}", element.id),
                data: hex::encode_upper(&element.data),
            };
            header.elements.iter().map(element).collect()
        }),
        concat: header.concat().map(|concat| Part {
            reference: concat.reference.value(),
            total: concat.total,
            seq: concat.sequence,
            bits: concat.reference.bits(),
        }),
        national_single: gsm7.then(|| shift.single.map(|language| language.name())),
        national_locking: gsm7.then(|| shift.locking.map(|language| language.name())),
        text: Some(user_data.text()),
        data: match &user_data.body {
            Body::Data(octets) | Body::Compressed(octets) => Some(hex::encode_upper(octets)),
            Body::Gsm7(_) | Body::Ucs2(_) => None,
        },
        ..Description::default()
    }
}

fn civil(time: ServiceCentreTime) -> Option<String> {
    let civil = time.civil()?;
    Some(format!("{} {}", civil.date(), civil.time()))
}

fn cusd(line: &str) -> Description {
    let kind = Some("CUSD".to_owned());
    match ussd::parse_line(line) {
        Ok(ussd) => Description {
            kind,
            m: Some(ussd.mode.number()),
            dcs: Some(ussd.coding),
            encoding: Some(writing(ussd.writing)),
            text: Some(ussd.text),
            ..Description::default()
        },
        Err(error) => {
            Description { kind, error: Some(error.to_string()), ..Description::default() }
        }
    }
}

fn cusd_request(line: &str) -> Description {
    let kind = Some("CUSD-REQUEST".to_owned());
    match ussd::parse_request(line) {
        Ok((text, written)) => Description {
            kind,
            encoding: Some(writing(written)),
            text: Some(Some(text)),
            ..Description::default()
        },
        Err(error) => {
            Description { kind, error: Some(error.to_string()), ..Description::default() }
        }
    }
}

fn writing(writing: ussd::Writing) -> &'static str {
    match writing {
        ussd::Writing::Absent => "none",
        ussd::Writing::Plain => "plain",
        ussd::Writing::PackedHex => "gsm7-packed-hex",
        ussd::Writing::SeptetHex => "one septet per hex octet (CSCS \"HEX\" quirk)",
        ussd::Writing::DataHex => "8bit-hex",
        ussd::Writing::Ucs2Hex => "ucs2-hex",
        ussd::Writing::Undecided => "gsm7-packed-hex or hex: undecided",
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn check(input: &str, expected: Expect) {
        expected.assert_eq(&serde_json::to_string(&line(input)).unwrap());
    }

    #[test]
    fn a_message_is_spread_out() {
        check(
            "0791628588001011040C916295190000240000621122617161800ACDB03A0D9A87CDE91F",
            expect![[
                r#"{"kind":"SMS-DELIVER","smsc":"+265888000111","tpdu_len":28,"number":"+265991000042","pid":0,"dcs":0,"alphabet":"gsm7","timestamp":"2026-11-22 16:17:16","tz_quarters":8,"national_single":null,"national_locking":null,"text":"Maji safi?"}"#
            ]],
        );
        check(
            "0791628588001011440C91629519000024000062112261716180 0D062401012501036161E28D19",
            expect![[
                r#"{"kind":"SMS-DELIVER","smsc":"+265888000111","tpdu_len":31,"number":"+265991000042","pid":0,"dcs":0,"alphabet":"gsm7","timestamp":"2026-11-22 16:17:16","tz_quarters":8,"udh":[{"iei":"24","data":"01"},{"iei":"25","data":"03"}],"national_single":"turkish","national_locking":"portuguese","text":"aBço€"}"#
            ]],
        );
        check(
            "0791628588001011440C9162951900002400086211226171618009060804000702 02DE00",
            expect![[
                r#"{"kind":"SMS-DELIVER","smsc":"+265888000111","tpdu_len":28,"number":"+265991000042","pid":0,"dcs":8,"alphabet":"ucs2","timestamp":"2026-11-22 16:17:16","tz_quarters":8,"udh":[{"iei":"08","data":"00070202"}],"concat":{"ref":7,"total":2,"seq":2,"bits":16},"text":"�"}"#
            ]],
        );
        check(
            "0791628588001011440C91629519000024000462112261716180 0A0605040B8423F0010203",
            expect![[
                r#"{"kind":"SMS-DELIVER","smsc":"+265888000111","tpdu_len":29,"number":"+265991000042","pid":0,"dcs":4,"alphabet":"8bit","timestamp":"2026-11-22 16:17:16","tz_quarters":8,"udh":[{"iei":"05","data":"0B8423F0"}],"text":null,"data":"010203"}"#
            ]],
        );
    }

    #[test]
    fn what_we_send_and_what_became_of_it() {
        check(
            "0031090581 0531F100 10A702EF35",
            expect![[
                r#"{"kind":"SMS-SUBMIT","tpdu_len":13,"number":"50131","message_reference":9,"pid":0,"dcs":16,"alphabet":"gsm7","class":0,"vp":167,"national_single":null,"national_locking":null,"text":"ok"}"#
            ]],
        );
        check(
            "07916285880010110609 0C916295190000246211226171618062112261716180 46",
            expect![[
                r#"{"kind":"SMS-STATUS-REPORT","smsc":"+265888000111","tpdu_len":25,"number":"+265991000042","message_reference":9,"timestamp":"2026-11-22 16:17:16","tz_quarters":8,"discharge":"2026-11-22 16:17:16","discharge_tz_quarters":8,"status":70,"status_meaning":"validity period expired"}"#
            ]],
        );
    }

    #[test]
    fn a_tpdu_alone_is_recognised() {
        check(
            "06090C91629519000024621122617161806211226171618000",
            expect![[
                r#"{"kind":"SMS-STATUS-REPORT","tpdu_len":25,"number":"+265991000042","message_reference":9,"timestamp":"2026-11-22 16:17:16","tz_quarters":8,"discharge":"2026-11-22 16:17:16","discharge_tz_quarters":8,"status":0,"status_meaning":"received by the recipient"}"#
            ]],
        );
    }

    #[test]
    fn what_is_wrong_is_said_with_what_is_known() {
        check("", expect![[r#"{"error":"there are no hexadecimal digits"}"#]]);
        check("MPESA", expect![[r#"{"error":"'M' is no hexadecimal digit"}"#]]);
        check("0791F", expect![[r#"{"error":"there is an odd number of hexadecimal digits, 5"}"#]]);
        check(
            "0003",
            expect![[
                r#"{"error":"the first octet names a message type that does not exist","tpdu_len":1}"#
            ]],
        );
        check(
            "0791628588001011040C916295190000240000621122617161800ACDB03A0D9A",
            expect![[
                r#"{"kind":"SMS-DELIVER","error":"the PDU ends in its user data: 5 of 9 octets are there","smsc":"+265888000111","tpdu_len":24,"number":"+265991000042","pid":0,"dcs":0,"alphabet":"gsm7","timestamp":"2026-11-22 16:17:16","tz_quarters":8,"national_single":null,"national_locking":null,"text":"Maji "}"#
            ]],
        );
        check(
            "00441581",
            expect![[
                r#"{"kind":"SMS-DELIVER","error":"the originating address says that it has 21 digits; 20 are the most","tpdu_len":3}"#
            ]],
        );
        check(
            "+CUSD: 9",
            expect![[
                r#"{"kind":"CUSD","error":"the line's first value is not one of 0 to 5 (TS 27.007 §7.15)"}"#
            ]],
        );
    }
}
