//! Messages as text mode shows and takes them (TS 27.005 §3.1 `<data>`).

use super::messages::{pdu_line, tpdu_length};
use super::{Argument, Charset};
use crate::codec::{
    self, Address, Alphabet, Deliver, StatusReport, Submit, UserData, split_service_centre,
};
use crate::modem::{Failure, Line, Modem};
use crate::store::{Status, Stored};

/// A stored message, taken apart by its own type.
enum Content {
    Deliver(Deliver),
    Submit(Submit),
    Report(StatusReport),
    /// Nothing that could be read; shown as its PDU.
    Unknown,
}

fn content(pdu: &[u8], status: Status) -> Content {
    let Ok((_, tpdu)) = split_service_centre(pdu) else { return Content::Unknown };
    if let Ok(report) = codec::decode_status_report(tpdu) {
        return Content::Report(report);
    }
    match status.is_received() {
        true => codec::decode_deliver(tpdu).map_or(Content::Unknown, Content::Deliver),
        false => codec::decode_submit(tpdu).map_or(Content::Unknown, Content::Submit),
    }
}

/// The lines of one message in +CMGL.
pub(super) fn listed(modem: &Modem, index: usize, message: &Stored) -> Vec<Line> {
    let head = format!("+CMGL: {index},\"{}\",", message.status.words()).into_bytes();
    let more = modem.settings.show_header;
    match content(&message.pdu, message.status) {
        Content::Deliver(deliver) => {
            let mut tail = format!(",,\"{}\"", deliver.time);
            if more {
                tail += &format!(",{},{}", deliver.origin.kind, shown_length(&deliver.data));
            }
            let origin = address(modem, &deliver.origin);
            vec![[head, origin, tail.into_bytes()].concat(), body(modem, &deliver.data)]
        }
        Content::Submit(submit) => {
            let mut tail = ",,".to_owned();
            if more {
                tail += &format!(",{},{}", submit.destination.kind, shown_length(&submit.data));
            }
            let destination = address(modem, &submit.destination);
            vec![[head, destination, tail.into_bytes()].concat(), body(modem, &submit.data)]
        }
        Content::Report(report) => vec![[head, report_values(modem, &report)].concat()],
        Content::Unknown => vec![head, pdu_line(&message.pdu).1],
    }
}

/// The lines of +CMGR.
pub(super) fn read(modem: &Modem, message: &Stored) -> Vec<Line> {
    let head = format!("+CMGR: \"{}\",", message.status.words()).into_bytes();
    let more = modem.settings.show_header;
    match content(&message.pdu, message.status) {
        Content::Deliver(deliver) => {
            let tail = if more { header_values(modem, &message.pdu, &deliver) } else { Vec::new() };
            let time = format!(",,\"{}\"", deliver.time).into_bytes();
            let origin = address(modem, &deliver.origin);
            vec![[head, origin, time, tail].concat(), body(modem, &deliver.data)]
        }
        Content::Submit(submit) => {
            let mut tail = ",".to_owned();
            if more {
                let validity = submit.validity.first().map(u8::to_string).unwrap_or_default();
                tail += &format!(
                    ",{},{},{},{},{validity},\"{}\",145,{}",
                    submit.destination.kind,
                    first_octet(&message.pdu),
                    submit.protocol,
                    submit.coding,
                    modem.service_centre,
                    shown_length(&submit.data)
                );
            }
            let destination = address(modem, &submit.destination);
            vec![[head, destination, tail.into_bytes()].concat(), body(modem, &submit.data)]
        }
        Content::Report(report) => vec![[head, report_values(modem, &report)].concat()],
        Content::Unknown => vec![head, pdu_line(&message.pdu).1],
    }
}

/// The +CMT or +CDS lines of a message that goes straight to the host.
pub(crate) fn direct_lines(modem: &Modem, pdu: &[u8]) -> Vec<Line> {
    let message = content(pdu, Status::RecUnread);
    let is_report = matches!(message, Content::Report(_));
    match (modem.settings.text_mode, message) {
        (true, Content::Deliver(deliver)) => {
            let tail = if modem.settings.show_header {
                header_values(modem, pdu, &deliver)
            } else {
                Vec::new()
            };
            let head = [b"+CMT: ".to_vec(), address(modem, &deliver.origin)].concat();
            let time = format!(",,\"{}\"", deliver.time).into_bytes();
            vec![[head, time, tail].concat(), body(modem, &deliver.data)]
        }
        (true, Content::Report(report)) => {
            vec![[b"+CDS: ".to_vec(), report_values(modem, &report)].concat()]
        }
        _ => {
            let (length, line) = pdu_line(pdu);
            let head = if is_report { "+CDS: " } else { "+CMT: ," };
            vec![format!("{head}{length}").into_bytes(), line]
        }
    }
}

/// `,<tooa>,<fo>,<pid>,<dcs>,<sca>,<tosca>,<length>`
fn header_values(modem: &Modem, pdu: &[u8], deliver: &Deliver) -> Vec<u8> {
    let centre = split_service_centre(pdu).ok().and_then(|(centre, _)| centre);
    let kind = centre.as_ref().map_or(129, |centre| centre.kind);
    let centre = match centre {
        Some(centre) => address(modem, &centre),
        None => b"\"\"".to_vec(),
    };
    let head = format!(
        ",{},{},{},{},",
        deliver.origin.kind,
        first_octet(pdu),
        deliver.protocol,
        deliver.coding
    );
    let tail = format!(",{kind},{}", shown_length(&deliver.data));
    [head.as_bytes(), &centre, tail.as_bytes()].concat()
}

/// `<fo>,<mr>,<ra>,<tora>,<scts>,<dt>,<st>`
fn report_values(modem: &Modem, report: &StatusReport) -> Vec<u8> {
    let head = format!("6,{},", report.reference).into_bytes();
    let StatusReport { recipient, submitted, settled, status, .. } = report;
    let tail = format!(",{},\"{submitted}\",\"{settled}\",{status}", recipient.kind).into_bytes();
    [head, address(modem, recipient), tail].concat()
}

fn first_octet(pdu: &[u8]) -> u8 {
    pdu.get(pdu.len() - tpdu_length(pdu)).copied().unwrap_or(0)
}

fn shown_length(data: &UserData) -> usize {
    match data.alphabet {
        Alphabet::Data => data.text.len() / 2,
        _ => data.text.chars().count(),
    }
}

fn address(modem: &Modem, address: &Address) -> Vec<u8> {
    let shown = modem.settings.charset.write(&address.to_string());
    [b"\"".as_slice(), &shown, b"\""].concat()
}

/// UCS-2 and 8 bit text is hexadecimal whatever the character set.
fn body(modem: &Modem, data: &UserData) -> Vec<u8> {
    match data.alphabet {
        Alphabet::Gsm7 => modem.settings.charset.write(&data.text),
        Alphabet::Ucs2 => Charset::Ucs2.write(&data.text),
        Alphabet::Data => data.text.clone().into_bytes(),
    }
}

/// A number as the host wrote it: in the set character set, or plainly.
pub(super) fn number(
    modem: &Modem,
    written: &Argument,
    kind: Option<&Argument>,
) -> Result<String, Failure> {
    let is_number = |text: &String| Address::new(text).is_ok_and(|a| !a.is_alphanumeric());
    let plain = Some(written.text.clone());
    let charset = modem.settings.charset;
    let number = match charset {
        // "0031" is a number and also hexadecimal for "1": hexadecimal wins
        // when a whole number comes out of it.
        Charset::Ucs2 => charset.read(written.text.as_bytes()).filter(is_number).or(plain),
        _ => plain,
    };
    let number = number.filter(is_number).ok_or(Failure::Cms(305))?;
    let international = kind.and_then(Argument::number::<u8>) == Some(145);
    let plus = if international && !number.starts_with('+') { "+" } else { "" };
    Ok(format!("{plus}{number}"))
}

/// The message for a text that was entered after the prompt.
pub(super) fn compose(modem: &Modem, to: &str, body: &[u8]) -> Result<Submit, Failure> {
    let [first, validity, protocol, coding] = modem.settings.parameters;
    // The prompt takes the line end after the command's carriage return too.
    let body = body.strip_prefix(b"\n").unwrap_or(body);
    let text = match Alphabet::of_coding(coding) {
        Alphabet::Gsm7 => modem.settings.charset.read(body),
        Alphabet::Ucs2 => super::charset::from_ucs2_hex(body),
        Alphabet::Data => String::from_utf8(body.to_vec()).ok(),
    };
    let text = text.ok_or(Failure::Cms(305))?;
    let destination = Address::new(to).map_err(|_| Failure::Cms(305))?;
    codec::submit(first, validity, protocol, coding, destination, &text)
        .map_err(|_| Failure::Cms(305))
}
