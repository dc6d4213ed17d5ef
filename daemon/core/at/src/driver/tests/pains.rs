//! What users of SMS gateways complain of, most often first, a transcript each.
//!
//! Told elsewhere: hangs, restarts, echo and floods between commands in
//! `trouble`; the backlog at start, the PIN, storages and slow starts in
//! `starting`; announcements inside stored messages, holes in listings, +CMT with
//! +CNMA, slots used again and a full storage in `receiving`; the prompt that never
//! comes, lost replies and a storage without room in `sending`; +CUSD in `ussd`;
//! framing byte by byte in the dialogue's tests; the port itself in `jibu-modem`.

use expect_test::expect;

use super::*;

#[test]
fn a_talkative_modem_that_interrupts_every_reply_hides_nothing() {
    check_ready(
        r#"
        on AT+CPMS="SM": ^RSSI:17 / +CPMS: 2,30,2,30,2,30 / ^BOOT:1,0,0,0,6 / OK
        on AT+CMGL=4: ^RSSI:18 / +CMGL: 1,1,,3 / ^RSSI:19 / 00112233 / ^MODE:5,4 / +CMGL: 2,1,,3 / ^DSFLOWRPT:0000000A,00000000 / 00445566 / ^RSSI:20 / OK
        on AT+CMGW=3: ^RSSI:21 / >
        pdu: ^RSSI:22 / +CMGW: 5 / ^RSSI:23 / OK
        on AT+CMSS=5: ^BOOT:1,0,0,0,6 / +CMSS: 12 / ^RSSI:24 / OK
        on AT+CMGD=1: ^RSSI:25 / OK
        10s send 7
        20s erase-first
        21s .
        "#,
        expect![[r#"
            10s > AT+CMGW=3
            10005ms < ^RSSI:21 / >
            10005ms > 00AABBCC\x1a
            10010ms < ^RSSI:22 / +CMGW: 5 / ^RSSI:23 / OK
            10010ms = written 7 in SM 5
            10010ms > AT+CMSS=5
            10015ms < ^BOOT:1,0,0,0,6 / +CMSS: 12 / ^RSSI:24 / OK
            10015ms = sent 7, reference Some(12), SM 5
            10015ms > AT+CMGR=5
            10020ms < +CMGR: 3,,3 / 00AABBCC / OK
            20s > AT+CMGD=1
            20005ms < ^RSSI:25 / OK
            20005ms = erased SM 1
        "#]],
    );
}

/// gammu#4, #266, #400: the listing hangs, and with it everything.
#[test]
fn a_modem_that_stops_listing_is_woken_and_listed_again() {
    check_ready(
        r#"
        once AT+CPMS="SM": +CPMS: 0,30,0,30,0,30 / OK
        once AT+CMGL=4: OK
        once AT+CMGL=4: \
        on AT+CPMS="SM": +CPMS: 1,30,1,30,1,30 / OK
        on AT+CMGL=4: +CMGL: 1,1,,3 / 00112233 / OK
        700s .
        "#,
        expect![[r#"
            600615ms > AT+CPMS="SM"
            600620ms < +CPMS: 1,30,1,30,1,30 / OK
            600620ms = storage SM 1/30
            600620ms > AT+CMGL=4
            630620ms > \x1b
            631135ms > AT+CPMS="SM"
            631140ms < +CPMS: 1,30,1,30,1,30 / OK
            631140ms > AT+CMGL=4
            631145ms < +CMGL: 1,1,,3 / 00112233 / OK
            631145ms = incoming SM 1 00112233
        "#]],
    );
}

#[test]
fn text_between_the_lines_of_a_listing_is_no_message() {
    check_events(
        r#"
        on AT+CPMS="SM": +CPMS: 2,30,2,30,2,30 / OK
        on AT+CMGL=4: +CMGL: 1,1,,3 / Hello, is the clinic open? / 00112233 / 0044 / Call Ready / +CMGL: 2,1,,3 / OK OK / 00445566 / OK
        10s .
        "#,
        expect![[r#"
            565ms = storage SM 0/30
            600ms = registration Home
            605ms = signal Some(-77)
            610ms = storage SM 2/30
            615ms = incoming SM 1 00112233
            615ms = incoming SM 2 00445566
            615ms = ready 1, keeps parts, announces, stored []
        "#]],
    );
}

/// Direct deliveries in the middle of a listing, one with a PDU as long as a listed one.
#[test]
fn a_message_that_comes_inside_a_listing_is_told_and_so_are_the_others() {
    check_events(
        r#"
        on AT+CPMS="SM": +CPMS: 2,30,2,30,2,30 / OK
        on AT+CMGL=4: +CMGL: 1,1,,3 / +CMT: ,3 / 00AAAAAA / 00112233 / +CDS: 4 / 0006010203 / +CMGL: 2,1,,3 / 00445566 / OK
        10s .
        "#,
        expect![[r#"
            565ms = storage SM 0/30
            600ms = registration Home
            605ms = signal Some(-77)
            610ms = storage SM 2/30
            615ms = incoming direct 1 00AAAAAA
            615ms = incoming SM 1 00112233
            615ms = incoming direct 2 0006010203
            615ms = incoming SM 2 00445566
            615ms = ready 1, keeps parts, announces, stored []
        "#]],
    );
}

/// What each error of the network and the modem is taken for: the copy stays in
/// its place, and whoever sends knows when to try again.
#[test]
fn every_error_of_a_sending_has_its_remedy() {
    let mut told = String::new();
    for code in [38, 41, 42, 500, 512, 330, 331, 8, 21, 50] {
        let script = format!(
            "on AT+CMSS=*: +CMS ERROR: {code}\non AT+CMGR=1: +CMGR: 2,,3 / 00AABBCC / OK\n\
             10s send 7\n11s ."
        );
        let story = play(Setting::default(), &script);
        let failed = story.lines().filter_map(|line| line.split_once(" = failed 7, "));
        told.extend(failed.map(|(_, line)| format!("{line}\n")));
    }
    expect![[r#"
        Later: the network is out of order (+CMS ERROR: 38), SM 1
        Retry: the network failed for a moment (+CMS ERROR: 41), SM 1
        Retry: the network is congested (+CMS ERROR: 42), SM 1
        Retry: the modem gave no reason; look at signal, credit and service centre (+CMS ERROR: 500), SM 1
        Retry: the modem could not reach the network for this message (+CMS ERROR: 512), SM 1
        Later: no service centre is set; AT+CSCA sets its number (+CMS ERROR: 330), SM 1
        Later: there is no network (+CMS ERROR: 331), SM 1
        Later: the operator bars messages from this SIM (+CMS ERROR: 8), SM 1
        Later: the network rejected the message; look at the SIM's credit (+CMS ERROR: 21), SM 1
        Later: this SIM's contract does not include messages (+CMS ERROR: 50), SM 1
    "#]].assert_eq(&told);
}

/// The wrong store and the empty place: babca#106, gammu#154.
#[test]
fn an_announced_place_with_nothing_in_it_is_looked_into_no_further() {
    check_ready(
        r#"
        on AT+CMGR=9: +CMS ERROR: 321
        on AT+CMGR=8: +CMS ERROR: 500
        10s < +CMTI: "SM",9
        20s < +CMTI: "SM",8
        30s < +CDSI: "SR",1
        31s .
        "#,
        expect![[r#"
            10s < +CMTI: "SM",9
            10s > AT+CMGR=9
            10005ms < +CMS ERROR: 321
            20s < +CMTI: "SM",8
            20s > AT+CMGR=8
            20005ms < +CMS ERROR: 500
            20005ms > AT+CMGR=8
            20010ms < +CMS ERROR: 500
            20010ms > AT+CMGR=8
            20015ms < +CMS ERROR: 500
            20015ms > AT+CMGR=8
            20020ms < +CMS ERROR: 500
            20020ms > AT+CMGR=8
            20025ms < +CMS ERROR: 500
            20025ms > AT+CMGR=8
            20030ms < +CMS ERROR: 500
            30s < +CDSI: "SR",1
            30s > AT+CPMS="SM"
            30005ms < +CPMS: 0,30,0,30,0,30 / OK
        "#]],
    );
}

/// What the SIM may say at start, by its number: whether the modem becomes ready,
/// waits, or somebody must come.
#[test]
fn every_error_of_a_sim_at_start_is_waited_out_or_explained() {
    let mut told = String::new();
    for code in [10, 11, 12, 13, 14, 15, 16, 17, 18, 515] {
        let script =
            format!("once AT+CPIN?: +CME ERROR: {code}\nonce AT+CPIN?: +CME ERROR: {code}\n60s .");
        let story = play(Setting::default(), &script);
        let first = story.lines().find(|line| line.contains("= fault") || line.contains("= ready"));
        told += &format!("{code}: {}\n", first.unwrap_or("nothing"));
    }
    expect![[r#"
        10: 2625ms = ready 1, keeps parts, announces, stored []
        11: 545ms = fault: the SIM wants its PIN; set `pin` for this modem in jibu.toml
        12: 545ms = fault: the SIM is locked and wants its PUK; put it in a phone and enter the PUK there
        13: 545ms = fault: the SIM failed; clean its contacts or replace it
        14: 2625ms = ready 1, keeps parts, announces, stored []
        15: 545ms = fault: the SIM failed; clean its contacts or replace it
        16: 2625ms = ready 1, keeps parts, announces, stored []
        17: 615ms = ready 1, keeps parts, announces, stored []
        18: 615ms = ready 1, keeps parts, announces, stored []
        515: 2625ms = ready 1, keeps parts, announces, stored []
    "#]].assert_eq(&told);
}

#[test]
fn a_sim_that_stays_busy_is_told_of() {
    check_events(
        r#"
        on AT+CPIN?: +CME ERROR: 14
        70s .
        "#,
        expect![[r#"
            59840ms = fault: the modem does not become ready: the SIM is busy (+CME ERROR: 14)
        "#]],
    );
}

#[test]
fn a_status_report_delivered_directly_is_acknowledged_once_it_is_safe() {
    check_ready(
        r#"
        on AT+CSMS?: +CSMS: 1,1,1,1 / OK
        10s < +CDS: 3 / 00060102
        20s erase
        21s < +CDS: 3
        22s < 00060103
        30s erase
        31s .
        "#,
        expect![[r#"
            10s < +CDS: 3 / 00060102
            10s = incoming direct 1 00060102
            20005ms = erased direct 1
            21s < +CDS: 3
            22s < 00060103
            22s = incoming direct 2 00060103
            30005ms = erased direct 2
        "#]],
    );
}

/// 0 is a reference like any other (onomondo-uicc#174).
#[test]
fn a_message_reference_may_be_zero() {
    check_ready(
        r#"
        on AT+CMSS=1: +CMSS: 0 / OK
        10s send 7
        11s .
        "#,
        expect![[r#"
            10s > AT+CMGW=3
            10005ms < >
            10005ms > 00AABBCC\x1a
            10010ms < +CMGW: 1 / OK
            10010ms = written 7 in SM 1
            10010ms > AT+CMSS=1
            10015ms < +CMSS: 0 / OK
            10015ms = sent 7, reference Some(0), SM 1
            10015ms > AT+CMGR=1
            10020ms < +CMGR: 3,,3 / 00AABBCC / OK
        "#]],
    );
}

/// A full SIM keeps the network's messages waiting: what is safe leaves at once,
/// and what waited comes.
#[test]
fn a_full_sim_is_emptied_message_by_message() {
    check_ready(
        r#"
        on AT+CPMS="SM": +CPMS: 2,2,2,2,2,2 / OK
        on AT+CMGL=4: +CMGL: 1,1,,3 / 00112233 / +CMGL: 2,1,,3 / 00445566 / OK
        on AT+CMGR=1: +CMGR: 0,,3 / 00778899 / OK
        10s erase-first
        12s < +CMTI: "SM",1
        13s .
        "#,
        expect![[r#"
            10s > AT+CMGD=1
            10005ms < OK
            10005ms = erased SM 1
            12s < +CMTI: "SM",1
            12s > AT+CMGR=1
            12005ms < +CMGR: 0,,3 / 00778899 / OK
            12005ms = incoming SM 1 00778899
        "#]],
    );
}

/// Bytes of another character set, or of another baud rate, are no answers.
#[test]
fn an_answer_in_the_wrong_charset_is_no_answer() {
    check_ready(
        r#"
        once AT+CMGW=3: +CéGW: 1 / éK
        10s < ééOéKé
        10s < +éMTI: "SM",é
        11s < +CMTI: "Sé",3
        12s < +CPMS: é
        13s send 7
        40s .
        "#,
        expect![[r#"
            10s < ééOéKé
            10s < +éMTI: "SM",é
            11s < +CMTI: "Sé",3
            11s > AT+CPMS="SM"
            11005ms < +CPMS: 0,30,0,30,0,30 / OK
            12s < +CPMS: é
            13s > AT+CMGW=3
            13005ms < +CéGW: 1 / éK
            18s > \x1b
            18515ms = failed 7, Retry: the modem did not answer in time, no slot
        "#]],
    );
}
