use expect_test::expect;

use super::*;

#[test]
fn the_backlog_is_told_before_ready() {
    check_events(
        r#"
        on AT+CPMS="SM": +CPMS: 4,30,4,30,4,30 / OK
        on AT+CMGL=4: +CMGL: 1,1,,3 / 00112233 / +CMGL: 2,0,,3 / 00445566 / +CMGL: 3,2,,3 / 00AAAAAA / +CMGL: 7,3,,3 / 00BBBBBB / OK
        10s .
        "#,
        expect![[""]],
    );
}

#[test]
fn an_announced_message_is_read_told_and_erased_on_request_only() {
    check_ready(
        r#"
        on AT+CMGR=3: +CMGR: 0,,3 / 00112233 / OK
        10s < +CMTI: "SM",3
        20s erase
        30s erase
        31s .
        "#,
        expect![[""]],
    );
}

#[test]
fn a_status_report_in_its_own_storage_is_read_there() {
    check_ready(
        r#"
        on AT+CPMS=?: +CPMS: ("SM","SR"),("SM"),("SM") / OK
        on AT+CMGR=1: +CMGR: 0,,3 / 00060102 / OK
        10s < +CDSI: "SR",1
        20s erase
        21s < +CMTI: "SM",1
        22s .
        "#,
        expect![[""]],
    );
}

#[test]
fn an_announcement_inside_another_message_loses_neither() {
    check_ready(
        r#"
        on AT+CMGR=3: +CMGR: 0,,3 / +CMTI: "SM",4 / 00112233 / OK
        on AT+CMGR=4: +CMGR: 0,,3 / 00445566 / OK
        10s < +CMTI: "SM",3
        20s .
        "#,
        expect![[""]],
    );
}

#[test]
fn a_missed_announcement_is_made_good_by_the_next_sweep() {
    check_ready(
        r#"
        2s .
        on AT+CMGL=4: +CMGL: 5,0,,3 / 00112233 / OK
        601s .
        1300s .
        "#,
        expect![[""]],
    );
}

#[test]
fn a_message_in_a_slot_that_was_used_again_is_not_erased_in_place_of_the_first() {
    check_ready(
        r#"
        on AT+CMGR=3: +CMGR: 0,,3 / 00112233 / OK
        10s < +CMTI: "SM",3
        on AT+CMGR=3: +CMGR: 0,,3 / 00999999 / OK
        11s < +CMTI: "SM",3
        12s erase-first
        13s .
        "#,
        expect![[""]],
    );
}

#[test]
fn each_session_tells_of_stored_messages_again() {
    check_events(
        r#"
        on AT+CMGL=4: +CMGL: 1,1,,3 / 00112233 / OK
        10s close
        11s open
        20s .
        "#,
        expect![[""]],
    );
}

#[test]
fn a_listing_with_a_hole_is_repeated() {
    check_start(
        r#"
        on AT+CPMS="SM": +CPMS: 2,30,2,30,2,30 / OK
        once AT+CMGL=4: +CMGL: 1,1,,3 / 00112233 / OK
        on AT+CMGL=4: +CMGL: 1,1,,3 / 00112233 / +CMGL: 2,1,,3 / 00445566 / OK
        10s .
        "#,
        expect![[""]],
    );
}

#[test]
fn a_message_whose_line_lost_bytes_is_read_alone() {
    check_start(
        r#"
        on AT+CMGL=4: +CMGL: 1,1,,3 / 001122 / +CMGL: 2,3,,3 / OK
        once AT+CMGR=1: +CMGR: 1,,3 / 0011 / OK
        on AT+CMGR=1: +CMGR: 1,,3 / 00112233 / OK
        on AT+CMGR=2: +CMGR: 3,,3 / 00AAAAAA / OK
        10s .
        "#,
        expect![[""]],
    );
}

#[test]
fn a_message_that_stays_in_pieces_is_told_as_it_is() {
    check_ready(
        r#"
        on AT+CMGR=3: +CMGR: 0,,9 / 001122 / OK
        10s < +CMTI: "SM",3
        20s .
        "#,
        expect![[""]],
    );
}

#[test]
fn an_empty_slot_is_no_message() {
    check_ready(
        r#"
        on AT+CMGR=3: OK
        on AT+CMGR=4: +CMS ERROR: 321
        10s < +CMTI: "SM",3
        11s < +CMTI: "SM",4
        12s .
        "#,
        expect![[""]],
    );
}

#[test]
fn a_direct_delivery_is_acknowledged_once_it_is_safe() {
    check_ready(
        r#"
        on AT+CSMS?: +CSMS: 1,1,1,1 / OK
        10s < +CMT: ,3 / 00112233
        20s erase
        30s < +CDS: 3 / 00445566
        31s erase
        32s .
        "#,
        expect![[""]],
    );
}

#[test]
fn a_direct_delivery_that_the_modem_acknowledged_itself_needs_nothing() {
    check_ready(
        r#"
        10s < +CDS: 3 / 00112233
        11s erase
        12s .
        "#,
        expect![[""]],
    );
}

#[test]
fn a_storage_that_fills_up_is_told_and_looked_into() {
    check_ready(
        r#"
        2s .
        on AT+CPMS="SM": +CPMS: 30,30,30,30,30,30 / OK
        10s < ^SMMEMFULL: "SM"
        11s .
        "#,
        expect![[""]],
    );
}

#[test]
fn a_message_that_cannot_be_deleted_is_told_again() {
    check_ready(
        r#"
        on AT+CMGL=4: +CMGL: 1,1,,3 / 00112233 / OK
        on AT+CMGD=1: +CMS ERROR: 320
        10s erase
        20s .
        700s .
        "#,
        expect![[""]],
    );
}

#[test]
fn a_message_that_is_gone_counts_as_erased() {
    check_ready(
        r#"
        on AT+CMGL=4: +CMGL: 1,1,,3 / 00112233 / OK
        on AT+CMGD=1: +CMS ERROR: 321
        10s erase
        11s .
        "#,
        expect![[""]],
    );
}

#[test]
fn an_outgoing_message_is_forgotten_and_an_incoming_one_is_not() {
    check_ready(
        r#"
        on AT+CMGL=4: +CMGL: 1,1,,3 / 00112233 / +CMGL: 2,3,,3 / 00AAAAAA / OK
        10s forget SM 2
        11s forget SM 1
        12s forget SM 9
        13s .
        "#,
        expect![[""]],
    );
}
