//! `deliver_sm` → SMS-DELIVER.

use jibu_gsm::{
    Address, Alphabet, Body, Concat, ConcatReference, DataCoding, Deliver, Element, MAX_OCTETS,
    NumberingPlan, Pdu, ServiceCentreTime, Shift, Tpdu, TypeOfNumber, UserData, UserDataHeader,
    alphabet,
};
use jibu_types::Timestamp;

use crate::DefaultAlphabet;
use crate::pdu::{Delivery, Frame, WireAddress, esm, tag};

/// What cannot be put into SMS-DELIVERs: a header longer than the message, or a
/// message beyond 255 parts.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Untranslatable;

/// The SMS-DELIVERs that say what a delivery says; several where it is longer than
/// the air would have carried. They have no time of the service centre yet.
pub(crate) fn delivers(
    delivery: &Delivery,
    default: DefaultAlphabet,
) -> Result<Vec<Deliver>, Untranslatable> {
    let (mut header, octets) = split_header(delivery)?;
    let Text { mut body, mut coding, mut converted } = text(delivery.data_coding, octets, default);
    let has_place = header.concat().is_some();
    if has_place && body_octets(&body) > room(&header)? && converted {
        // One part stays one part; what its alphabet lacks is lost rather than all.
        (body, coding, converted) = (Body::Gsm7(lossy(octets)), DataCoding::GSM7, true);
    }
    if converted {
        // It no longer is in the tables that the header speaks of.
        header.elements.retain(|element| !matches!(element.id, 0x24 | 0x25));
    }
    let headers_and_bodies = if body_octets(&body) <= room(&header)? {
        vec![(header, body)]
    } else if has_place {
        return Err(Untranslatable);
    } else {
        cut(&header, &body)?
    };
    let delivers = headers_and_bodies.into_iter().map(|(header, body)| Deliver {
        more_messages: false,
        loop_prevention: false,
        reply_path: false,
        status_report: false,
        originator: address(&delivery.source),
        protocol: delivery.protocol,
        coding,
        service_centre_time: ServiceCentreTime::from_octets([0; 7]),
        user_data: UserData { header, body },
    });
    Ok(delivers.collect())
}

/// SMSC octet and TPDU, as a modem prints them.
pub(crate) fn encode(deliver: Deliver) -> Result<Vec<u8>, Untranslatable> {
    let pdu = Pdu { service_centre: None, tpdu: Tpdu::Deliver(deliver) };
    pdu.encode().map_err(|_| Untranslatable)
}

/// The time of the service centre for a moment. A box whose clock was never set
/// lives in 1970, which a TPDU cannot say; it counts from 2000 there.
pub(crate) fn time(seconds: i64) -> ServiceCentreTime {
    const YEAR_2000: i64 = 946_684_800;
    let seconds =
        if seconds < YEAR_2000 { seconds.rem_euclid(YEAR_2000) + YEAR_2000 } else { seconds };
    ServiceCentreTime::new(Timestamp::from_unix_seconds(seconds), 0)
        .unwrap_or(ServiceCentreTime::from_octets([0; 7]))
}

/// Octets that nobody takes for a TPDU: no service centre, and the first octet
/// that the standard keeps in reserve. So the spool keeps what could not be read.
pub(crate) fn unreadable(frame: &Frame) -> Vec<u8> {
    let mut octets = vec![0, 3];
    // What would be too long to keep is no message anyway.
    octets.extend(frame.body.iter().take(1024));
    octets
}

/// An address; whatever is no number is a name, which is not answered.
pub(crate) fn address(wire: &WireAddress) -> Address {
    const ALPHANUMERIC: u8 = 5;
    let text = wire.text.trim();
    let (kind, digits) = match (text.strip_prefix('+'), wire.ton) {
        (Some(digits), _) => (TypeOfNumber::International, digits),
        (None, 1) => (TypeOfNumber::International, text),
        (None, 2) => (TypeOfNumber::National, text),
        (None, 3) => (TypeOfNumber::NetworkSpecific, text),
        (None, 4) => (TypeOfNumber::Subscriber, text),
        (None, 6) => (TypeOfNumber::Abbreviated, text),
        (None, _) => (TypeOfNumber::Unknown, text),
    };
    let number = || Address::digits(kind, NumberingPlan::from_code(wire.npi), digits).ok();
    let is_number = wire.ton != ALPHANUMERIC && digits.bytes().all(|b| b.is_ascii_digit());
    is_number.then(number).flatten().unwrap_or_else(|| name(text))
}

fn name(text: &str) -> Address {
    let known = |c: &char| alphabet::to_septets(c.encode_utf8(&mut [0; 4]), Shift::NONE).is_some();
    let mut name: String = text.chars().filter(known).take(11).collect();
    loop {
        match Address::name(&name) {
            Ok(address) => return address,
            // Some characters count twice; without any it fits.
            Err(_) => drop(name.pop()),
        }
    }
}

/// The user data header and what follows it.
fn split_header(delivery: &Delivery) -> Result<(UserDataHeader, &[u8]), Untranslatable> {
    if delivery.esm_class & esm::UDHI != 0 {
        let (length, rest) = delivery.message.split_first().ok_or(Untranslatable)?;
        let (elements, rest) = rest.split_at_checked(usize::from(*length)).ok_or(Untranslatable)?;
        return Ok((UserDataHeader::decode(elements), rest));
    }
    let mut header = UserDataHeader::default();
    let place = [tag::SAR_MSG_REF_NUM, tag::SAR_TOTAL_SEGMENTS, tag::SAR_SEGMENT_SEQNUM];
    if let [Some(reference), Some(total), Some(sequence)] = place.map(|tag| delivery.number(tag)) {
        let [high, low] = reference.to_be_bytes();
        let (total, sequence) = (total.to_be_bytes()[1], sequence.to_be_bytes()[1]);
        if (1..=total).contains(&sequence) && total > 1 {
            // A reference of 16 bits would take the room of one character that
            // parts with one of 8 bits have.
            let reference = ConcatReference::Short(high ^ low);
            header.elements.push(Element::concat(Concat { reference, total, sequence }));
        }
    }
    Ok((header, &delivery.message))
}

struct Text {
    body: Body,
    coding: DataCoding,
    /// Whether it is in another alphabet than it came in.
    converted: bool,
}

/// The body by its `data_coding` (§5.2.19).
fn text(data_coding: u8, octets: &[u8], default: DefaultAlphabet) -> Text {
    let as_it_is = |body, coding| Text { body, coding, converted: false };
    // From 0x10 on SMSCs hand TP-DCS through.
    let gsm = DataCoding::from_octet(data_coding);
    match data_coding {
        0x00 => in_default(octets, DataCoding::GSM7, default),
        0x01 | 0x03 => converted(octets, DataCoding::GSM7),
        0x08 => as_it_is(Body::Ucs2(octets.to_vec()), DataCoding::UCS2),
        0x10.. if !gsm.is_compressed() && gsm.alphabet() == Alphabet::Gsm7 => {
            in_default(octets, gsm, default)
        }
        0x10.. if !gsm.is_compressed() && gsm.alphabet() == Alphabet::Ucs2 => {
            as_it_is(Body::Ucs2(octets.to_vec()), gsm)
        }
        _ => as_it_is(Body::Data(octets.to_vec()), DataCoding::DATA),
    }
}

fn in_default(octets: &[u8], coding: DataCoding, default: DefaultAlphabet) -> Text {
    if default == DefaultAlphabet::Gsm7 && octets.is_ascii() {
        return Text { body: Body::Gsm7(octets.to_vec()), coding, converted: false };
    }
    converted(octets, coding)
}

fn converted(latin1: &[u8], coding: DataCoding) -> Text {
    let text: String = latin1.iter().map(|octet| char::from(*octet)).collect();
    let (body, coding) = match alphabet::to_septets(&text, Shift::NONE) {
        Some(septets) => (Body::Gsm7(septets), coding),
        None => (Body::Ucs2(alphabet::to_ucs2(&text)), DataCoding::UCS2),
    };
    Text { body, coding, converted: true }
}

fn lossy(latin1: &[u8]) -> Vec<u8> {
    let septets = |octet: &u8| {
        let text = char::from(*octet).to_string();
        alphabet::to_septets(&text, Shift::NONE).unwrap_or_else(|| vec![b'?'])
    };
    latin1.iter().flat_map(septets).collect()
}

fn body_octets(body: &Body) -> usize {
    match body {
        Body::Gsm7(septets) => (septets.len() * 7).div_ceil(8),
        Body::Ucs2(octets) | Body::Data(octets) | Body::Compressed(octets) => octets.len(),
    }
}

/// Octets that a header leaves, less one where septets begin on a new border.
fn room(header: &UserDataHeader) -> Result<usize, Untranslatable> {
    let octets = header.encode().ok_or(Untranslatable)?.len();
    MAX_OCTETS.checked_sub(octets).ok_or(Untranslatable)
}

/// Cuts a body that no part can carry; its parts find each other again by a
/// reference that follows from what it says.
fn cut(
    header: &UserDataHeader,
    body: &Body,
) -> Result<Vec<(UserDataHeader, Body)>, Untranslatable> {
    let (units, octets_of_unit) = match body {
        Body::Gsm7(units) => (units, 1),
        Body::Ucs2(units) => (units, 2),
        Body::Data(units) | Body::Compressed(units) => (units, 1),
    };
    let [reference, ..] = *blake3::hash(units).as_bytes();
    let part = |total, sequence| {
        let mut header = header.clone();
        let reference = ConcatReference::Short(reference);
        header.elements.push(Element::concat(Concat { reference, total, sequence }));
        header
    };
    let room = room(&part(2, 1))?;
    let size = match body {
        Body::Gsm7(_) => room * 8 / 7,
        _ => room / octets_of_unit * octets_of_unit,
    };
    if size == 0 {
        return Err(Untranslatable);
    }
    let total = u8::try_from(units.len().div_ceil(size)).map_err(|_| Untranslatable)?;
    let bodies = units.chunks(size).map(|units| match body {
        Body::Gsm7(_) => Body::Gsm7(units.to_vec()),
        Body::Ucs2(_) => Body::Ucs2(units.to_vec()),
        Body::Data(_) | Body::Compressed(_) => Body::Data(units.to_vec()),
    });
    Ok((1..=total).zip(bodies).map(|(sequence, body)| (part(total, sequence), body)).collect())
}

#[cfg(test)]
mod tests {
    use jibu_gsm::{Assembly, Content, Incoming, assemble};

    use super::*;
    use crate::pdu::id;

    /// A `deliver_sm` from +265991234567.
    fn delivery(esm_class: u8, data_coding: u8, message: &[u8], parameters: &[u8]) -> Delivery {
        let mut body = b"\0\x01\x01265991234567\0\0\x0150131\0".to_vec();
        body.extend([esm_class, 0, 0, 0, 0, 0, 0, data_coding, 0, message.len() as u8]);
        body.extend(message);
        body.extend(parameters);
        Delivery::decode(&Frame::request(id::DELIVER_SM, 1, body)).unwrap()
    }

    /// What the whole chain behind makes of deliveries.
    fn read(deliveries: &[Delivery], default: DefaultAlphabet) -> Result<String, Untranslatable> {
        let mut parts = Vec::new();
        for delivery in deliveries {
            for deliver in delivers(delivery, default)? {
                match Pdu::decode_incoming(&encode(deliver)?) {
                    Ok(Incoming::Deliver(deliver)) => parts.push(deliver),
                    other => panic!("{other:?}"),
                }
            }
        }
        match assemble(&parts) {
            Assembly::Complete(Content::Text(text)) => Ok(text),
            other => panic!("{other:?}"),
        }
    }

    fn one(data_coding: u8, message: &[u8], default: DefaultAlphabet) -> String {
        read(&[delivery(0, data_coding, message, &[])], default).unwrap()
    }

    #[test]
    fn every_coding_reads_as_what_it_says() {
        use DefaultAlphabet::{Ascii, Gsm7, Latin1};
        // 0x00 is "@" and 0x11 "_" in the GSM alphabet, 0x1b 0x65 the euro.
        assert_eq!(one(0, b"a\x00b\x11 \x1b\x65", Gsm7), "a@b_ €");
        assert_eq!(one(0, b"a@b_ \xe9", Gsm7), "a@b_ é", "no septets, so it is Latin-1");
        assert_eq!(one(0, b"a@b_ \xea", Latin1), "a@b_ ê");
        assert_eq!(one(0, b"a@b_{}", Ascii), "a@b_{}");
        assert_eq!(one(1, b"$100", Gsm7), "$100");
        assert_eq!(one(3, b"\xa3\xe8", Gsm7), "£è");
        assert_eq!(one(8, &[0x01, 0x75, 0x00, 0x61], Gsm7), "ŵa");
        assert_eq!(one(0x10, b"\x00", Gsm7), "@", "a flash message");
        assert_eq!(one(0x18, &[0, 0x41], Gsm7), "A");
        assert_eq!(one(0xf1, b"\x00", Gsm7), "@");
    }

    #[test]
    fn parts_find_each_other_by_their_header_or_by_parameters() {
        let header =
            |n: u8, text: &[u8]| delivery(0x40, 0, &[&[5, 0, 3, 9, 2, n], text].concat(), &[]);
        let full = vec![b'a'; 153];
        let text = read(&[header(2, b"end"), header(1, &full)], DefaultAlphabet::Gsm7).unwrap();
        assert_eq!(text, format!("{}end", "a".repeat(153)));

        let segment = |n: u8, text: &[u8]| {
            let parameters =
                [&[2, 0x0c, 0, 2, 7, 8, 2, 0x0e, 0, 1, 2, 2, 0x0f, 0, 1][..], &[n]].concat();
            delivery(0, 0, text, &parameters)
        };
        let text = read(&[segment(1, &full), segment(2, b"end")], DefaultAlphabet::Gsm7).unwrap();
        assert_eq!(text, format!("{}end", "a".repeat(153)));
    }

    #[test]
    fn a_national_table_goes_through() {
        // The Turkish single shift table.
        let message = b"\x03\x24\x01\x01\x1bg\x1bs";
        let text = read(&[delivery(0x40, 0, message, &[])], DefaultAlphabet::Gsm7).unwrap();
        assert_eq!(text, "ğş");
    }

    #[test]
    fn a_long_payload_is_cut_and_joined_again() {
        let long: String = (0..500).map(|n| char::from(b'a' + (n % 26) as u8)).collect();
        let payload = |octets: &[u8]| {
            let length = (octets.len() as u16).to_be_bytes();
            [&[0x04, 0x24], &length[..], octets].concat()
        };
        for (coding, octets) in [(0, long.clone().into_bytes()), (8, alphabet::to_ucs2(&long))] {
            let delivery = delivery(0, coding, b"", &payload(&octets));
            assert!(delivers(&delivery, DefaultAlphabet::Gsm7).unwrap().len() >= 4);
            assert_eq!(read(&[delivery], DefaultAlphabet::Gsm7).unwrap(), long);
        }
        let endless = delivery(0, 8, b"", &payload(&[0; 60_000]));
        assert_eq!(delivers(&endless, DefaultAlphabet::Gsm7), Err(Untranslatable));
    }

    #[test]
    fn a_part_that_does_not_fit_its_alphabet_stays_one_part() {
        let text = [&[5, 0, 3, 9, 2, 1][..], &[0xea; 153]].concat();
        let delivers = delivers(&delivery(0x40, 3, &text, &[]), DefaultAlphabet::Gsm7).unwrap();
        assert_eq!(delivers.len(), 1);
        assert_eq!(delivers[0].text().unwrap(), "?".repeat(153));
    }

    #[test]
    fn a_header_beyond_the_message_is_refused() {
        for message in [&b""[..], b"\x05\x00", b"\xff\x00\x03"] {
            let delivery = delivery(0x40, 0, message, &[]);
            assert_eq!(delivers(&delivery, DefaultAlphabet::Gsm7), Err(Untranslatable));
        }
    }

    #[test]
    fn a_name_is_never_a_number() {
        let of =
            |ton, text: &str| address(&WireAddress { ton, npi: 1, text: text.to_owned() }).number();
        assert_eq!(of(1, "265991234567").unwrap().reveal(), "+265991234567");
        assert_eq!(of(0, "+265991234567").unwrap().reveal(), "+265991234567");
        assert_eq!(of(2, "0991234567").unwrap().reveal(), "0991234567");
        assert_eq!(of(0, "50131").unwrap().reveal(), "50131");
        for (ton, text) in [(5, "MPESA"), (5, "12345678"), (1, "MPESA"), (0, ""), (9, "\u{ff}?")] {
            assert_eq!(of(ton, text), None, "{ton} {text}");
        }
        assert_eq!(of(1, &"9".repeat(30)), None, "no number is that long");
    }

    #[test]
    fn what_cannot_be_read_is_taken_for_no_message() {
        let frame = Frame::request(id::DELIVER_SM, 1, b"\0\0\0".to_vec());
        assert!(Pdu::decode_incoming(&unreadable(&frame)).is_err());
        assert_eq!(time(0).timestamp().unwrap().to_string(), "2000-01-01T00:00:00Z");
        assert_eq!(time(1_795_367_760).timestamp().unwrap().unix_ms(), 1_795_367_760_000);
    }

    /// Seeded: no octets make this panic, and what comes out can be decoded.
    #[test]
    fn noise_is_translated_or_refused() {
        let mut random = fastrand::Rng::with_seed(2);
        for _ in 0..20_000 {
            let message: Vec<u8> = (0..random.usize(..200)).map(|_| random.u8(..)).collect();
            let parameters: Vec<u8> = (0..random.usize(..24)).map(|_| random.u8(..16)).collect();
            let delivery = delivery(random.u8(..), random.u8(..), &message, &parameters);
            for default in [DefaultAlphabet::Gsm7, DefaultAlphabet::Latin1] {
                for deliver in delivers(&delivery, default).unwrap_or_default() {
                    if let Ok(octets) = encode(deliver) {
                        Pdu::decode_incoming(&octets).unwrap();
                    }
                }
            }
        }
    }
}
