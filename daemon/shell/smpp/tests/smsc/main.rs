//! The link against a small SMSC, whose PDUs are read and written by `rusmpp`, so
//! that one mistake cannot pass at both ends.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a broken link should fail loudly")]

mod peer;

use std::time::Duration;

use jibu_gsm::{
    Address, ConcatReference, Incoming, Outcome, Pdu, SubmitOptions, ValidityPeriod, submit_parts,
};
use jibu_modem::{Command, Event, Handle, Held, Remedy};
use jibu_smpp::{Bind, Config, Password, Tls, spawn};
use jibu_types::PhoneNumber;
use rusmpp::CommandStatus;
use rusmpp::pdus::{DeliverSm, SubmitSm, SubmitSmResp};
use rusmpp::types::{COctetString, OctetString};
use rusmpp::values::{DataCoding, EsmClass, Npi, Ton};

use peer::{Peer, Smsc};

const SECRET: &str = "s3cr3tpw";

fn config(smsc: &Smsc) -> Config {
    let mut config = Config::new("smsc", "127.0.0.1", smsc.port());
    config.system_id = "jibu".into();
    config.password = Password::parse(SECRET).unwrap();
    config.source = "50131".into();
    config.source_type = (3, 0);
    config.response_timeout = Duration::from_secs(5);
    config
}

/// The next event that matters here.
async fn next(handle: &mut Handle) -> Event {
    loop {
        let event = tokio::time::timeout(Duration::from_secs(20), handle.events.recv());
        match event.await.expect("something is told").expect("the link runs") {
            Event::Registration(_) | Event::Erased { .. } => {}
            event => return event,
        }
    }
}

async fn ready(handle: &mut Handle) -> u32 {
    match next(handle).await {
        Event::Ready { session, keeps_parts: false, reports: true, .. } => session,
        other => panic!("{other:?}"),
    }
}

async fn incoming(handle: &mut Handle) -> (Held, Vec<u8>) {
    match next(handle).await {
        Event::Incoming { held, pdu } => (held, pdu.0),
        other => panic!("{other:?}"),
    }
}

async fn lost(handle: &mut Handle) -> String {
    match next(handle).await {
        Event::Lost { reason, .. } => reason,
        other => panic!("{other:?}"),
    }
}

fn text(pdu: &[u8]) -> (String, String) {
    match Pdu::decode_incoming(pdu).unwrap() {
        Incoming::Deliver(deliver) => (deliver.originator.reveal(), deliver.text().unwrap()),
        other => panic!("{other:?}"),
    }
}

fn message(text: &str) -> DeliverSm {
    DeliverSm::builder()
        .source_addr_ton(Ton::International)
        .source_addr_npi(Npi::Isdn)
        .source_addr(COctetString::from_slice(b"265991234567\0").unwrap())
        .destination_addr(COctetString::from_slice(b"50131\0").unwrap())
        .esm_class(EsmClass::from(0))
        .short_message(OctetString::from_slice(text.as_bytes()).unwrap())
        .build()
}

fn pdus(text: &str) -> Vec<Vec<u8>> {
    let number = PhoneNumber::parse("+265991234567").unwrap();
    let options = SubmitOptions {
        concat_reference: ConcatReference::Short(7),
        status_report: true,
        validity: Some(ValidityPeriod::at_least(Duration::from_secs(48 * 3600))),
        ..SubmitOptions::default()
    };
    let parts = submit_parts(&Address::from(&number), text, &options).unwrap();
    parts.into_iter().map(|part| part.pdu).collect()
}

async fn send(handle: &Handle, id: i64, session: u32, pdu: Vec<u8>) {
    handle.commands.send(Command::Send { id, session, pdu }).await.unwrap();
}

async fn erase(handle: &Handle, held: Held) {
    handle.commands.send(Command::Erase { held }).await.unwrap();
}

fn accepted(id: &str) -> SubmitSmResp {
    let id = COctetString::from_string(id.to_owned()).unwrap();
    SubmitSmResp::new(id, Vec::new())
}

#[tokio::test]
async fn a_message_gets_its_response_when_it_is_committed_and_comes_again_otherwise() {
    let smsc = Smsc::open().await;
    let mut handle = spawn(config(&smsc));
    let mut peer = smsc.bound().await;
    ready(&mut handle).await;

    peer.deliver(1, message("How long must water boil?")).await;
    let (_, first) = incoming(&mut handle).await;
    let said = ("+265991234567".to_owned(), "How long must water boil?".to_owned());
    assert_eq!(text(&first), said);
    peer.is_quiet(Duration::from_millis(300)).await;

    // The power of the SMSC goes before anything was committed.
    drop(peer);
    lost(&mut handle).await;
    let mut peer = smsc.bound().await;
    assert_eq!(ready(&mut handle).await, 2);
    peer.deliver(1, message("How long must water boil?")).await;
    let (held, again) = incoming(&mut handle).await;
    assert_eq!(again, first, "it is the same message");
    erase(&handle, held).await;
    peer.delivered(1).await;

    // Our response is on its way when the connection goes: in doubt once more.
    drop(peer);
    lost(&mut handle).await;
    let mut peer = smsc.bound().await;
    ready(&mut handle).await;
    peer.deliver(9, message("How long must water boil?")).await;
    let (held, again) = incoming(&mut handle).await;
    assert_eq!(again, first);
    erase(&handle, held).await;
    peer.delivered(9).await;

    // The SMSC shows that it read our response; what comes now was sent on purpose.
    peer.enquired().await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    peer.deliver(10, message("How long must water boil?")).await;
    let (_, second) = incoming(&mut handle).await;
    assert_eq!(text(&second), said);
    assert_ne!(second, first);
}

#[tokio::test]
async fn what_leaves_is_what_the_spool_wrote_and_its_receipt_finds_it() {
    let smsc = Smsc::open().await;
    let mut handle = spawn(config(&smsc));
    let mut peer = smsc.bound().await;
    let session = ready(&mut handle).await;

    let long = "Boil the water for one minute. ".repeat(8);
    let mut seen = Vec::new();
    for (number, pdu) in (0i64..).zip(pdus(&long)) {
        send(&handle, number, session, pdu).await;
        let (sequence, submit): (u32, SubmitSm) = peer.submitted().await;
        assert_eq!(submit.destination_addr.as_str(), "265991234567");
        assert_eq!((submit.dest_addr_ton, submit.dest_addr_npi), (Ton::International, Npi::Isdn));
        assert_eq!(submit.source_addr.as_str(), "50131");
        assert_eq!(submit.source_addr_ton, Ton::NetworkSpecific);
        assert_eq!(submit.validity_period.as_str(), "000002000000000R");
        assert_eq!(u8::from(submit.registered_delivery), 1);
        assert_eq!(u8::from(submit.esm_class), 0x40);
        assert_eq!(submit.data_coding, DataCoding::McSpecific);
        let octets = submit.short_message().as_ref().to_vec();
        assert_eq!(octets[..6], [5, 0, 3, 7, 2, number as u8 + 1]);
        seen.extend(octets[6..].to_vec());
        peer.respond(sequence, CommandStatus::EsmeRok, accepted(&format!("A{number}"))).await;
        match next(&mut handle).await {
            Event::Sent { id, reference: Some(reference), slot: None } => {
                assert_eq!(id, number);
                let receipt = format!(
                    "id:a{number} sub:001 dlvrd:001 submit date:2611231200 done date:2611231201 \
                     stat:DELIVRD err:000 text:Boil"
                );
                let mut receipt = message(&receipt);
                receipt.esm_class = EsmClass::from(0x04);
                peer.deliver(100 + number as u32, receipt).await;
                let (held, pdu) = incoming(&mut handle).await;
                let Ok(Incoming::StatusReport(report)) = Pdu::decode_incoming(&pdu) else {
                    panic!("a report is wanted");
                };
                assert_eq!(report.reference, reference);
                assert_eq!(report.recipient.reveal(), "+265991234567");
                assert_eq!(report.status.outcome(), Outcome::Delivered);
                erase(&handle, held).await;
                peer.delivered(100 + number as u32).await;
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(String::from_utf8(seen).unwrap(), long);

    // Chichewa needs UCS-2.
    send(&handle, 9, session, pdus("Ŵana akatentha thupi").remove(0)).await;
    let (sequence, submit) = peer.submitted().await;
    assert_eq!((submit.data_coding, u8::from(submit.esm_class)), (DataCoding::Ucs2, 0));
    assert_eq!(submit.short_message().as_ref()[..4], [0x01, 0x74, 0x00, 0x61]);
    // An SMSC that gives no id gives no reference.
    peer.respond(sequence, CommandStatus::EsmeRok, accepted("")).await;
    assert_eq!(next(&mut handle).await, Event::Sent { id: 9, reference: None, slot: None });
}

#[tokio::test]
async fn refusals_say_what_to_do_and_a_cut_leaves_the_fate_unknown() {
    let smsc = Smsc::open().await;
    let mut handle = spawn(config(&smsc));
    let mut peer = smsc.bound().await;
    let session = ready(&mut handle).await;
    let pdu = pdus("Yes.").remove(0);

    for (id, status, remedy) in [
        (1, CommandStatus::EsmeRthrottled, Remedy::Later),
        (2, CommandStatus::EsmeRmsgqful, Remedy::Later),
        (3, CommandStatus::EsmeRsyserr, Remedy::Retry),
        (4, CommandStatus::EsmeRinvdstadr, Remedy::GiveUp),
        (5, CommandStatus::Other(0x0450), Remedy::Later),
    ] {
        send(&handle, id, session, pdu.clone()).await;
        let (sequence, _) = peer.submitted().await;
        // §4.4.2: a refusal has no body.
        peer.refuse(sequence, status).await;
        match next(&mut handle).await {
            Event::SendFailed { id: failed, error, slot: None } => {
                assert_eq!((failed, error.remedy()), (id, remedy), "{error}");
            }
            other => panic!("{other:?}"),
        }
    }
    send(&handle, 6, session, vec![0, 4, 0]).await;
    assert!(matches!(next(&mut handle).await, Event::SendFailed { id: 6, .. }));
    // Given before this session: dropped, as the contract says.
    send(&handle, 7, session.wrapping_sub(1), pdu.clone()).await;

    send(&handle, 8, session, pdu.clone()).await;
    peer.submitted().await;
    drop(peer);
    assert_eq!(next(&mut handle).await, Event::SendUnknown { id: 8 });
    lost(&mut handle).await;
    send(&handle, 9, session, pdu).await;
    assert!(matches!(next(&mut handle).await, Event::SendFailed { id: 9, .. }));
    let _peer = smsc.bound().await;
    assert_eq!(ready(&mut handle).await, session + 1);
}

#[tokio::test]
async fn a_submit_without_a_response_is_of_unknown_fate() {
    let smsc = Smsc::open().await;
    let mut config = config(&smsc);
    config.response_timeout = Duration::from_millis(500);
    let mut handle = spawn(config);
    let mut peer = smsc.bound().await;
    let session = ready(&mut handle).await;
    send(&handle, 1, session, pdus("Yes.").remove(0)).await;
    peer.submitted().await;
    assert_eq!(next(&mut handle).await, Event::SendUnknown { id: 1 });
    assert!(lost(&mut handle).await.contains("submit_sm"));
}

#[tokio::test]
async fn a_wrong_password_names_the_key_and_is_never_shown() {
    let smsc = Smsc::open().await;
    let config = config(&smsc);
    assert!(!format!("{config:?}").contains(SECRET));
    let mut handle = spawn(config.clone());
    smsc.refuses(CommandStatus::EsmeRinvpaswd).await;
    match next(&mut handle).await {
        Event::Lost { reason, retry_in } => {
            assert!(reason.contains("smpp.password") && !reason.contains(SECRET), "{reason}");
            // Some SMSCs lock whoever insists.
            assert!(retry_in >= Duration::from_secs(30), "{retry_in:?}");
        }
        other => panic!("{other:?}"),
    }
    let examined = tokio::spawn(jibu_smpp::examine(config.clone()));
    smsc.refuses(CommandStatus::EsmeRinvsysid).await;
    assert!(examined.await.unwrap().unwrap_err().contains("smpp.system_id"));
    let examined = tokio::spawn(jibu_smpp::examine(config));
    let mut peer = smsc.bound().await;
    assert_eq!(examined.await.unwrap(), Ok("Test-SMSC".to_owned()));
    peer.unbound().await;
}

#[tokio::test]
async fn silence_is_asked_about_and_then_ends_the_link() {
    let smsc = Smsc::open().await;
    let mut config = config(&smsc);
    config.enquire_every = Duration::from_millis(200);
    config.response_timeout = Duration::from_millis(500);
    let mut handle = spawn(config);
    let mut peer = smsc.bound().await;
    ready(&mut handle).await;
    for _ in 0..3 {
        peer.enquired().await;
    }
    // It asks as well, and is answered; then it says nothing more.
    peer.enquires(77).await;
    assert!(lost(&mut handle).await.contains("enquire_link"));
    // The SMSC may end the session in good order.
    let mut peer = smsc.bound().await;
    ready(&mut handle).await;
    peer.unbinds(78).await;
    assert!(lost(&mut handle).await.contains("unbind"));
}

/// Seeded: whatever length-framed octets come, the next message is read.
#[tokio::test]
async fn noise_between_messages_does_no_harm() {
    let seed = 20261123;
    let mut random = fastrand::Rng::with_seed(seed);
    let smsc = Smsc::open().await;
    let mut handle = spawn(config(&smsc));
    let mut peer = smsc.bound().await;
    ready(&mut handle).await;
    let commands = [5u32, 0x103, 0x15, 0x102, 0x0B, 0x8000_0004, 0x8000_0015, 0x8000_0000, 0x777];
    for round in 0..200u32 {
        let mut octets = Vec::new();
        for _ in 0..random.usize(..4) {
            let body: Vec<u8> = (0..random.usize(..80)).map(|_| random.u8(..)).collect();
            octets.extend((16 + body.len() as u32).to_be_bytes());
            octets.extend(commands[random.usize(..commands.len())].to_be_bytes());
            octets.extend(random.u32(..).to_be_bytes());
            octets.extend((1_000_000 + random.u32(..1000)).to_be_bytes());
            octets.extend(body);
        }
        let good = format!("Question {round}");
        octets.extend(peer::octets(round + 1, CommandStatus::EsmeRok, message(&good)));
        while !octets.is_empty() {
            let size = random.usize(1..=octets.len().min(40));
            let piece: Vec<u8> = octets.drain(..size).collect();
            peer.raw(&piece).await;
        }
        loop {
            let (held, pdu) = incoming(&mut handle).await;
            erase(&handle, held).await;
            if Pdu::decode_incoming(&pdu).is_ok() && text(&pdu).1 == good {
                break;
            }
        }
        peer.delivered(round + 1).await;
    }
    // A length that no PDU has: nothing behind it can be found.
    peer.raw(&[0, 0, 0, 3, 0, 0, 0, 0]).await;
    assert!(lost(&mut handle).await.contains("no SMPP"), "seed {seed}");
}

#[tokio::test]
async fn two_connections_are_one_link() {
    let smsc = Smsc::open().await;
    let mut config = config(&smsc);
    config.bind = Bind::Pair;
    let mut handle = spawn(config);
    let (mut transmitter, mut receiver) = smsc.bound_pair().await;
    let session = ready(&mut handle).await;

    receiver.deliver(1, message("HELP")).await;
    let (held, pdu) = incoming(&mut handle).await;
    assert_eq!(text(&pdu).1, "HELP");
    erase(&handle, held).await;
    receiver.delivered(1).await;
    send(&handle, 1, session, pdus("Yes.").remove(0)).await;
    let (sequence, _) = transmitter.submitted().await;
    transmitter.respond(sequence, CommandStatus::EsmeRok, accepted("1")).await;
    assert!(matches!(next(&mut handle).await, Event::Sent { id: 1, .. }));

    drop(receiver);
    lost(&mut handle).await;
    let (_transmitter, _receiver) = smsc.bound_pair().await;
    assert_eq!(ready(&mut handle).await, session + 1);
}

#[tokio::test]
async fn tls_hides_it_all_from_whoever_listens() {
    let smsc = Smsc::open_with_tls().await;
    let mut config = config(&smsc);
    config.host = "localhost".into();
    config.tls = Some(Tls::from_pem(smsc.authority()).unwrap());
    let mut handle = spawn(config.clone());
    let mut peer = smsc.bound().await;
    ready(&mut handle).await;
    peer.deliver(1, message("HELP")).await;
    assert_eq!(text(&incoming(&mut handle).await.1).1, "HELP");

    let strangers = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    config.tls = Some(Tls::from_pem(strangers.cert.pem().as_bytes()).unwrap());
    let mut handle = spawn(config);
    let (_, reason) = tokio::join!(smsc.fails_to_shake_hands(), lost(&mut handle));
    assert!(reason.contains("smpp.tls_authority"), "{reason}");
    assert!(Tls::from_pem(b"nothing").is_err());
}

#[tokio::test]
async fn what_a_modem_could_and_an_smsc_cannot_is_said() {
    let smsc = Smsc::open().await;
    let mut handle = spawn(config(&smsc));
    let _peer = smsc.bound().await;
    let session = ready(&mut handle).await;
    let slot = jibu_modem::Slot { storage: jibu_modem::StorageName::SM, index: 1 };
    handle.commands.send(Command::Ussd { text: "*100#".into() }).await.unwrap();
    assert!(matches!(next(&mut handle).await, Event::UssdFailed { .. }));
    handle.commands.send(Command::Resume { id: 1, session, slot }).await.unwrap();
    assert!(matches!(next(&mut handle).await, Event::SendFailed { id: 1, .. }));
    handle.commands.send(Command::Forget { slot }).await.unwrap();
    assert_eq!(next(&mut handle).await, Event::Forgotten { slot });
}

#[tokio::test]
async fn an_address_beyond_the_standard_still_arrives() {
    // 5.2.8 allows 20 characters. `rusmpp` refuses the PDU; here it is a name.
    let mut body = b"\0\x01\x01".to_vec();
    body.extend([b'9'; 30]);
    body.extend(b"\0\x00\x0150131\0");
    body.extend([0; 9]);
    body.extend(b"\x05Hello");
    assert!(Peer::reads(0x05, &body).is_err());
    let smsc = Smsc::open().await;
    let mut handle = spawn(config(&smsc));
    let mut peer = smsc.bound().await;
    ready(&mut handle).await;
    let mut octets = (16 + body.len() as u32).to_be_bytes().to_vec();
    octets.extend([0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 7]);
    peer.raw(&[octets, body].concat()).await;
    let (_, pdu) = incoming(&mut handle).await;
    assert_eq!(text(&pdu), ("9".repeat(11), "Hello".to_owned()));
}
