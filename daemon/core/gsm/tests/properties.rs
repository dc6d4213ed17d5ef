//! What is written is read back the same, whatever it is.

use jibu_gsm::alphabet::{from_septets, from_ucs2, pack, to_septets, to_ucs2, unpack};
use jibu_gsm::ussd::{self, RequestForm};
use jibu_gsm::{
    Address, Alphabet, Assembly, Body, Class, ConcatReference, Content, DataCoding, Deliver,
    Element, Encoding, Incoming, Layout, NationalLanguage, NumberingPlan, Parameters, Pdu, Plan,
    ServiceCentreTime, Shift, Shifts, Status, StatusReport, Submit, SubmitOptions, Tpdu,
    TypeOfNumber, UserData, UserDataHeader, ValidityPeriod, assemble, describe, submit,
    submit_parts,
};
use jibu_types::{PhoneNumber, Timestamp};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

fn shift() -> impl Strategy<Value = Shift> {
    let locking = select(&NationalLanguage::ALL[..]).prop_filter("a table", |l| l.has_locking());
    let single = select(&NationalLanguage::ALL[..]);
    (option::of(locking), option::of(single))
        .prop_map(|(locking, single)| Shift { locking, single })
}

/// Text that the tables of a shift can write.
fn text_in(shift: Shift) -> impl Strategy<Value = String> {
    let mut characters: Vec<char> = Vec::new();
    for code in 0..128 {
        characters.extend(from_septets(&[code], shift).chars());
        characters.extend(from_septets(&[0x1b, code], shift).chars());
    }
    vec(select(characters), 0..400).prop_map(String::from_iter)
}

/// Words as people send them, in every script and with emoji, some long.
fn text() -> impl Strategy<Value = String> {
    let character = prop_oneof![
        8 => select("abc xyz 0123 éñŵ .,?[€".chars().collect::<Vec<_>>()),
        1 => any::<char>(),
        1 => select("😀🩺ğşİखગ்أ".chars().collect::<Vec<_>>()),
    ];
    vec(character, 0..500).prop_map(String::from_iter)
}

fn address() -> impl Strategy<Value = Address> {
    let kinds = vec![
        TypeOfNumber::Unknown,
        TypeOfNumber::International,
        TypeOfNumber::National,
        TypeOfNumber::NetworkSpecific,
        TypeOfNumber::Subscriber,
        TypeOfNumber::Abbreviated,
        TypeOfNumber::Reserved,
    ];
    let digits = vec(select("0123456789*#abc".chars().collect::<Vec<_>>()), 0..=20);
    let number = (select(kinds), 0u8..16, digits).prop_map(|(kind, plan, digits)| {
        let plan = NumberingPlan::from_code(plan);
        Address::digits(kind, plan, &String::from_iter(digits)).expect("these digits fit")
    });
    let letters = "ABCabc019 @$_éäñ".chars().collect::<Vec<_>>();
    let name = vec(select(letters), 0..=11)
        .prop_map(|name| Address::name(&String::from_iter(name)).expect("eleven letters fit"));
    prop_oneof![number, name]
}

fn time() -> impl Strategy<Value = ServiceCentreTime> {
    any::<[u8; 7]>().prop_map(ServiceCentreTime::from_octets)
}

fn class() -> impl Strategy<Value = Option<Class>> {
    option::of(select(vec![Class::Flash, Class::Phone, Class::Sim, Class::Equipment]))
}

/// User data of any kind with the coding scheme that announces it.
fn user_data() -> impl Strategy<Value = (DataCoding, UserData)> {
    let element = (any::<u8>(), vec(any::<u8>(), 0..6)).prop_map(|(id, data)| Element { id, data });
    let header = vec(element, 0..4).prop_map(|elements| UserDataHeader { elements });
    let body = prop_oneof![
        vec(0u8..128, 0..110).prop_map(Body::Gsm7),
        vec(any::<u8>(), 0..100).prop_map(Body::Ucs2),
        vec(any::<u8>(), 0..100).prop_map(Body::Data),
    ];
    (class(), header, body).prop_map(|(class, header, body)| {
        let alphabet = match body {
            Body::Gsm7(_) => Alphabet::Gsm7,
            Body::Ucs2(_) => Alphabet::Ucs2,
            Body::Data(_) | Body::Compressed(_) => Alphabet::Data,
        };
        (DataCoding::new(alphabet, class), UserData { header, body })
    })
}

fn deliver() -> impl Strategy<Value = Deliver> {
    (any::<[bool; 4]>(), address(), any::<u8>(), time(), user_data()).prop_map(
        |(flags, originator, protocol, service_centre_time, (coding, user_data))| {
            let [more_messages, loop_prevention, reply_path, status_report] = flags;
            Deliver {
                more_messages,
                loop_prevention,
                reply_path,
                status_report,
                originator,
                protocol,
                coding,
                service_centre_time,
                user_data,
            }
        },
    )
}

fn submission() -> impl Strategy<Value = Submit> {
    let validity = prop_oneof![
        any::<u8>().prop_map(ValidityPeriod::Relative),
        time().prop_map(ValidityPeriod::Absolute),
        any::<[u8; 7]>().prop_map(ValidityPeriod::Enhanced),
    ];
    let numbers = (any::<u8>(), any::<u8>());
    (any::<[bool; 3]>(), numbers, address(), option::of(validity), user_data()).prop_map(
        |(flags, (reference, protocol), recipient, validity, (coding, user_data))| {
            let [reject_duplicates, reply_path, status_report] = flags;
            Submit {
                reject_duplicates,
                reply_path,
                status_report,
                reference,
                protocol,
                validity,
                ..Submit::new(recipient, coding, user_data)
            }
        },
    )
}

fn report() -> impl Strategy<Value = StatusReport> {
    let parameters =
        (option::of(any::<u8>()), option::of(user_data())).prop_map(|(protocol, user_data)| {
            match user_data {
                Some((coding, data)) => {
                    Parameters { protocol, coding: Some(coding), user_data: Some(data) }
                }
                None => Parameters { protocol, ..Parameters::default() },
            }
        });
    (any::<[bool; 3]>(), any::<[u8; 2]>(), address(), time(), time(), parameters).prop_map(
        |(flags, [reference, status], recipient, accepted, discharge, parameters)| {
            let [more_messages, loop_prevention, answers_command] = flags;
            StatusReport {
                more_messages,
                loop_prevention,
                answers_command,
                reference,
                recipient,
                service_centre_time: accepted,
                discharge,
                status: Status::from_octet(status),
                parameters,
            }
        },
    )
}

fn written_and_read(tpdu: Tpdu) -> Result<(), TestCaseError> {
    let pdu = Pdu { service_centre: None, tpdu };
    let octets = pdu.encode().expect("what was built fits");
    prop_assert_eq!(Pdu::decode(&octets), Ok(pdu));
    Ok(())
}

proptest! {
    #[test]
    fn a_deliver_is_read_as_it_was_written(deliver in deliver()) {
        written_and_read(Tpdu::Deliver(deliver))?;
    }

    #[test]
    fn a_submit_is_read_as_it_was_written(submit in submission()) {
        written_and_read(Tpdu::Submit(submit))?;
    }

    #[test]
    fn a_status_report_is_read_as_it_was_written(report in report()) {
        written_and_read(Tpdu::StatusReport(report))?;
    }

    #[test]
    fn septets_are_unpacked_as_they_were_packed(
        septets in vec(0u8..128, 0..180),
        fill in 0usize..7,
    ) {
        prop_assert_eq!(unpack(&pack(&septets, fill), fill, septets.len()), septets);
    }

    #[test]
    fn every_table_reads_what_it_writes(
        (shift, text) in shift().prop_flat_map(|shift| (Just(shift), text_in(shift))),
    ) {
        let septets = to_septets(&text, shift).expect("the text is of the table");
        prop_assert_eq!(from_septets(&septets, shift), text);
    }

    #[test]
    fn utf16_reads_what_it_writes(text in text()) {
        prop_assert_eq!(from_ucs2(&to_ucs2(&text)), text);
    }

    #[test]
    fn a_phone_number_is_read_as_it_was_written(digits in "\\+?[0-9]{1,20}") {
        let number = PhoneNumber::parse(&digits).expect("digits");
        let address = Address::from(&number);
        prop_assert_eq!(address.number(), Some(number));
    }

    #[test]
    fn a_moment_is_read_as_it_was_written(
        seconds in 631_238_400i64..3_786_825_600,
        quarters in -79i8..=79,
    ) {
        let moment = Timestamp::from_unix_seconds(seconds);
        let time = ServiceCentreTime::new(moment, quarters).expect("a year of two digits");
        prop_assert_eq!(time.timestamp(), Some(moment));
        prop_assert_eq!(time.zone_quarters(), Some(quarters));
    }

    #[test]
    fn parts_are_the_text_and_fit(text in text(), shifts in shifts(), long in any::<bool>()) {
        let plan = Plan::new(&text, Layout { shifts, long_reference: long });
        prop_assert_eq!(plan.parts.concat(), text.clone());
        let fewest = plan.units.div_ceil(plan.units_per_part).max(1);
        prop_assert!(plan.parts.len() >= fewest);
        // A character of two units may leave one unit of a part unused.
        let most = plan.units.div_ceil(plan.units_per_part - 1).max(1);
        prop_assert!(plan.parts.len() <= most);
        if shifts == Shifts::None {
            let plain = to_septets(&text, Shift::NONE).is_some();
            prop_assert_eq!(matches!(plan.encoding, Encoding::Gsm7(_)), plain);
        }
    }

    #[test]
    fn tables_never_cost_more_parts(text in text()) {
        let parts = |shifts| Plan::new(&text, Layout { shifts, long_reference: false }).parts.len();
        prop_assert!(parts(Shifts::All) <= parts(Shifts::Single));
        prop_assert!(parts(Shifts::Single) <= parts(Shifts::None));
    }

    #[test]
    fn what_is_split_is_assembled_again(
        text in text(),
        shifts in shifts(),
        long in any::<bool>(),
        reference in any::<u16>(),
        order in any::<prop::sample::Index>(),
    ) {
        let concat_reference = if long {
            ConcatReference::Long(reference)
        } else {
            ConcatReference::Short(reference.to_le_bytes()[0])
        };
        let recipient = Address::from(&PhoneNumber::parse("+265991000042").expect("digits"));
        let options = SubmitOptions { shifts, concat_reference, ..SubmitOptions::default() };
        let submits = submit(&recipient, &text, &options).expect("under 255 parts");
        let mut parts: Vec<Deliver> = submits.into_iter().map(carried).collect();
        let first = order.index(parts.len());
        parts.rotate_left(first);
        parts.push(parts[first].clone());
        prop_assert_eq!(assemble(&parts), Assembly::Complete(Content::Text(text)));
    }

    /// Cut anywhere, also inside a character, the parts give the text.
    #[test]
    fn units_split_anywhere_are_assembled_again(
        text in text(),
        places in vec(any::<prop::sample::Index>(), 0..5),
    ) {
        let units = match to_septets(&text, Shift::NONE) {
            Some(septets) => Body::Gsm7(septets),
            None => Body::Ucs2(to_ucs2(&text)),
        };
        let (Body::Gsm7(octets) | Body::Ucs2(octets)) = &units else { unreachable!() };
        let mut ends: Vec<usize> =
            places.iter().map(|place| place.index(octets.len() + 1)).collect();
        ends.sort_unstable();
        ends.push(octets.len());
        let total = ends.len() as u8;
        let mut start = 0;
        let mut parts = Vec::new();
        for (sequence, end) in (1..=total).zip(ends) {
            let piece = octets[start..end].to_vec();
            start = end;
            let body = match units {
                Body::Gsm7(_) => Body::Gsm7(piece),
                _ => Body::Ucs2(piece),
            };
            parts.push(numbered(body, total, sequence));
        }
        parts.reverse();
        prop_assert_eq!(assemble(&parts), Assembly::Complete(Content::Text(text)));
    }

    #[test]
    fn the_length_for_the_modem_is_the_tpdus(text in text(), number in "[0-9]{1,20}") {
        let recipient = Address::from(&PhoneNumber::parse(&number).expect("digits"));
        for part in submit_parts(&recipient, &text, &SubmitOptions::default()).expect("fits") {
            prop_assert_eq!(part.pdu.first(), Some(&0));
            prop_assert_eq!(part.pdu.len(), part.tpdu_len + 1);
            let described = describe::pdu(&part.hex());
            prop_assert_eq!(described.number.as_deref(), Some(number.as_str()));
        }
    }

    #[test]
    fn any_octets_are_read_or_refused(octets in vec(any::<u8>(), 0..200)) {
        let _ = Pdu::decode_incoming(&octets);
        let _ = describe::line(&String::from_utf8_lossy(&octets));
        if let Ok(Incoming::Deliver(deliver)) = Pdu::decode_incoming(&octets) {
            let _ = assemble(&[deliver.clone(), deliver]);
        }
    }

    #[test]
    fn a_ussd_request_is_read_as_it_was_written(text in "[*][0-9*]{1,20}#") {
        for form in [RequestForm::Plain, RequestForm::PackedHex, RequestForm::Ucs2Hex] {
            let command = ussd::request(&text, form).expect("plain letters");
            let (read, _) = ussd::parse_request(&command).expect("our own command");
            prop_assert_eq!(&read, &text, "as {:?}", form);
        }
    }
}

fn shifts() -> impl Strategy<Value = Shifts> {
    prop_oneof![
        Just(Shifts::None),
        Just(Shifts::Single),
        Just(Shifts::All),
        select(&NationalLanguage::ALL[..]).prop_map(Shifts::Only),
    ]
}

/// The message as the network hands it on.
fn carried(submit: Submit) -> Deliver {
    Deliver {
        more_messages: false,
        loop_prevention: false,
        reply_path: false,
        status_report: false,
        originator: submit.recipient,
        protocol: submit.protocol,
        coding: submit.coding,
        service_centre_time: ServiceCentreTime::from_octets([0x62, 0x11, 0x22, 0, 0, 0, 0]),
        user_data: submit.user_data,
    }
}

fn numbered(body: Body, total: u8, sequence: u8) -> Deliver {
    let alphabet = match body {
        Body::Gsm7(_) => Alphabet::Gsm7,
        _ => Alphabet::Ucs2,
    };
    let reference = ConcatReference::Short(9);
    let concat = jibu_gsm::Concat { reference, total, sequence };
    let header = UserDataHeader { elements: vec![Element::concat(concat)] };
    let recipient = Address::from(&PhoneNumber::parse("50131").expect("digits"));
    carried(Submit::new(recipient, DataCoding::new(alphabet, None), UserData { header, body }))
}
