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
        expect![[r#"
            565ms = storage SM 0/30
            600ms = registration Home
            605ms = signal Some(-77)
            610ms = storage SM 4/30
            615ms = incoming SM 1 00112233
            615ms = incoming SM 2 00445566
            615ms = ready 1, keeps parts, announces, stored [SM 3 unsent, SM 7 sent]
        "#]],
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
        expect![[r#"
            10s < +CMTI: "SM",3
            10s > AT+CMGR=3
            10005ms < +CMGR: 0,,3 / 00112233 / OK
            10005ms = incoming SM 3 00112233
            20s > AT+CMGD=3
            20005ms < OK
            20005ms = erased SM 3
            30s = erased SM 3
        "#]],
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
        expect![[r#"
            10s < +CDSI: "SR",1
            10s > AT+CMGR=1
            10005ms < +CMGR: 0,,3 / 00060102 / OK
            10005ms = incoming SR 1 00060102
            20s > AT+CMGD=1
            20005ms < OK
            20005ms = erased SR 1
            21s < +CMTI: "SM",1
            21s > AT+CPMS="SM"
            21005ms < +CPMS: 0,30,0,30,0,30 / OK
            21005ms > AT+CMGR=1
            21010ms < +CMGR: 0,,3 / 00060102 / OK
            21010ms = incoming SM 1 00060102
        "#]],
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
        expect![[r#"
            10s < +CMTI: "SM",3
            10s > AT+CMGR=3
            10005ms < +CMGR: 0,,3 / +CMTI: "SM",4 / 00112233 / OK
            10005ms = incoming SM 3 00112233
            10005ms > AT+CMGR=4
            10010ms < +CMGR: 0,,3 / 00445566 / OK
            10010ms = incoming SM 4 00445566
        "#]],
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
        expect![[r#"
            600615ms > AT+CPMS="SM"
            600620ms < +CPMS: 0,30,0,30,0,30 / OK
            600620ms > AT+CMGL=4
            600625ms < +CMGL: 5,0,,3 / 00112233 / OK
            600625ms = incoming SM 5 00112233
            1200625ms > AT+CPMS="SM"
            1200630ms < +CPMS: 0,30,0,30,0,30 / OK
            1200630ms > AT+CMGL=4
            1200635ms < +CMGL: 5,0,,3 / 00112233 / OK
        "#]],
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
        expect![[r#"
            10s < +CMTI: "SM",3
            10s > AT+CMGR=3
            10005ms < +CMGR: 0,,3 / 00112233 / OK
            10005ms = incoming SM 3 00112233
            11s < +CMTI: "SM",3
            11s > AT+CMGR=3
            11005ms < +CMGR: 0,,3 / 00999999 / OK
            11005ms = incoming SM 3 00999999
            12s = erased SM 3
        "#]],
    );
}

#[test]
fn a_slot_that_is_announced_again_is_read_before_anything_is_erased_there() {
    check_ready(
        r#"
        on AT+CMGR=3: +CMGR: 0,,3 / 00112233 / OK
        10s < +CMTI: "SM",3
        on AT+CMGR=3: +CMGR: 0,,3 / 00999999 / OK
        on AT+CREG?: \
        11s status
        12s < +CMTI: "SM",3
        13s erase-first
        14s < +CREG: 0,1
        15s < OK
        20s .
        "#,
        expect![[r#"
            10s < +CMTI: "SM",3
            10s > AT+CMGR=3
            10005ms < +CMGR: 0,,3 / 00112233 / OK
            10005ms = incoming SM 3 00112233
            11s > AT+CREG?
            12s < +CMTI: "SM",3
            14s < +CREG: 0,1
            15s < OK
            15005ms = signal Some(-77)
            15005ms > AT+CMGR=3
            15010ms < +CMGR: 0,,3 / 00999999 / OK
            15010ms = incoming SM 3 00999999
        "#]],
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
        expect![[r#"
            565ms = storage SM 0/30
            600ms = registration Home
            605ms = signal Some(-77)
            615ms = incoming SM 1 00112233
            615ms = ready 1, keeps parts, announces, stored []
            11565ms = storage SM 0/30
            11600ms = registration Home
            11605ms = signal Some(-77)
            11615ms = incoming SM 1 00112233
            11615ms = ready 2, keeps parts, announces, stored []
        "#]],
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
        expect![[r#"
            0s > \x1b
            540ms > AT+CPIN?
            545ms < +CPIN: READY / OK
            560ms > AT+CPMS="SM","SM","SM"
            565ms < +CPMS: 0,30,0,30,0,30 / OK
            565ms = storage SM 0/30
            600ms = registration Home
            605ms = signal Some(-77)
            605ms > AT+CPMS="SM"
            610ms < +CPMS: 2,30,2,30,2,30 / OK
            610ms = storage SM 2/30
            610ms > AT+CMGL=4
            615ms < +CMGL: 1,1,,3 / 00112233 / OK
            615ms = incoming SM 1 00112233
            615ms > AT+CMGL=4
            620ms < +CMGL: 1,1,,3 / 00112233 / +CMGL: 2,1,,3 / 00445566 / OK
            620ms = incoming SM 2 00445566
            620ms = ready 1, keeps parts, announces, stored []
        "#]],
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
        expect![[r#"
            0s > \x1b
            540ms > AT+CPIN?
            545ms < +CPIN: READY / OK
            560ms > AT+CPMS="SM","SM","SM"
            565ms < +CPMS: 0,30,0,30,0,30 / OK
            565ms = storage SM 0/30
            600ms = registration Home
            605ms = signal Some(-77)
            605ms > AT+CPMS="SM"
            610ms < +CPMS: 0,30,0,30,0,30 / OK
            610ms > AT+CMGL=4
            615ms < +CMGL: 1,1,,3 / 001122 / +CMGL: 2,3,,3 / OK
            615ms > AT+CMGR=2
            620ms < +CMGR: 3,,3 / 00AAAAAA / OK
            620ms > AT+CMGR=1
            625ms < +CMGR: 1,,3 / 0011 / OK
            625ms > AT+CMGR=1
            630ms < +CMGR: 1,,3 / 00112233 / OK
            630ms = incoming SM 1 00112233
            630ms = ready 1, keeps parts, announces, stored [SM 2 sent]
        "#]],
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
        expect![[r#"
            10s < +CMTI: "SM",3
            10s > AT+CMGR=3
            10005ms < +CMGR: 0,,9 / 001122 / OK
            10005ms > AT+CMGR=3
            10010ms < +CMGR: 0,,9 / 001122 / OK
            10010ms = incoming SM 3 001122
        "#]],
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
        expect![[r#"
            10s < +CMTI: "SM",3
            10s > AT+CMGR=3
            10005ms < OK
            11s < +CMTI: "SM",4
            11s > AT+CMGR=4
            11005ms < +CMS ERROR: 321
        "#]],
    );
}

#[test]
fn a_direct_delivery_is_acknowledged_once_it_is_safe() {
    check_all_ready(
        r#"
        on AT+CSMS?: +CSMS: 1,1,1,1 / OK
        10s < +CMT: ,3 / 00112233
        20s erase
        30s < +CDS: 3 / 00445566
        31s erase
        32s .
        "#,
        expect![[r#"
            10s < +CMT: ,3 / 00112233
            10s = incoming direct 1 00112233
            20s > AT+CNMA
            20005ms < OK
            20005ms = erased direct 1
            30s < +CDS: 3 / 00445566
            30s = incoming direct 2 00445566
            31s > AT+CNMA
            31005ms < OK
            31005ms = erased direct 2
        "#]],
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
        expect![[r#"
            10s < +CDS: 3 / 00112233
            10s = incoming direct 1 00112233
            11s = erased direct 1
        "#]],
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
        expect![[r#"
            10s < ^SMMEMFULL: "SM"
            10s > AT+CPMS="SM"
            10005ms < +CPMS: 30,30,30,30,30,30 / OK
            10005ms = storage SM 30/30
        "#]],
    );
}

#[test]
fn a_message_that_cannot_be_deleted_is_told_again() {
    check_ready(
        r#"
        on AT+CMGL=4: +CMGL: 1,1,,3 / 00112233 / OK
        on AT+CMGR=1: +CMGR: 1,,3 / 00112233 / OK
        on AT+CMGD=1: +CMS ERROR: 320
        10s erase
        20s .
        700s .
        "#,
        expect![[r#"
            10s > AT+CMGD=1
            10005ms < +CMS ERROR: 320
            11005ms > AT+CMGR=1
            11010ms < +CMGR: 1,,3 / 00112233 / OK
            11010ms > AT+CMGD=1
            11015ms < +CMS ERROR: 320
            12015ms > AT+CMGR=1
            12020ms < +CMGR: 1,,3 / 00112233 / OK
            12020ms > AT+CMGD=1
            12025ms < +CMS ERROR: 320
            13025ms > AT+CMGR=1
            13030ms < +CMGR: 1,,3 / 00112233 / OK
            600615ms > AT+CPMS="SM"
            600620ms < +CPMS: 0,30,0,30,0,30 / OK
            600620ms > AT+CMGL=4
            600625ms < +CMGL: 1,1,,3 / 00112233 / OK
            600625ms = incoming SM 1 00112233
        "#]],
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
        expect![[r#"
            10s > AT+CMGD=1
            10005ms < +CMS ERROR: 321
            10005ms = erased SM 1
        "#]],
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
        expect![[r#"
            10s > AT+CMGD=2
            10005ms < OK
            10005ms = forgotten SM 2
            11s = forgotten SM 1
            12s = forgotten SM 9
        "#]],
    );
}

#[test]
fn what_came_into_the_place_of_a_deleted_message_is_not_deleted() {
    // The answer to +CMGD is lost, or an error for what was done.
    check_ready(
        r#"
        on AT+CMGL=4: +CMGL: 1,1,,3 / 00112233 / OK
        once AT+CMGD=1: \
        on AT+CMGR=1: +CMGR: 0,,3 / 00445566 / OK
        10s erase
        11s < +CMTI: "SM",1
        40s .
        once AT+CMGD=1: +CMS ERROR: 500
        on AT+CMGR=1: +CMGR: 0,,3 / 00778899 / OK
        41s erase
        50s .
        "#,
        expect![[r#"
            10s > AT+CMGD=1
            11s < +CMTI: "SM",1
            25s > \x1b
            25515ms > AT+CPMS="SM"
            25520ms < +CPMS: 0,30,0,30,0,30 / OK
            25520ms > AT+CMGR=1
            25525ms < +CMGR: 0,,3 / 00445566 / OK
            25525ms = incoming SM 1 00445566
            25525ms > AT+CMGR=1
            25530ms < +CMGR: 0,,3 / 00445566 / OK
            41s > AT+CMGD=1
            41005ms < +CMS ERROR: 500
            42005ms > AT+CMGR=1
            42010ms < +CMGR: 0,,3 / 00778899 / OK
            42010ms = incoming SM 1 00778899
            42010ms = erased SM 1
        "#]],
    );
}

#[test]
fn a_message_that_was_damaged_on_the_way_is_read_again_before_it_is_told() {
    check_events(
        r#"
        once AT+CMGR=1: +CMGR: 0,,x / 00112233 / OK
        once AT+CMGR=1: +CMGR: 0,,3 / 001z2233 / OK
        once AT+CMGR=1: +CMGR: 0,,3 / 001122 / OK
        once AT+CMGR=1: +CMGR: 0,,3 / 00112233 / OK
        on AT+CMGR=2: +CMGR: 0,,3 / 0011 / OK
        10s < +CMTI: "SM",1
        20s < +CMTI: "SM",2
        30s .
        "#,
        expect![[r#"
            565ms = storage SM 0/30
            600ms = registration Home
            605ms = signal Some(-77)
            615ms = ready 1, keeps parts, announces, stored []
            10020ms = incoming SM 1 00112233
            20010ms = incoming SM 2 0011
        "#]],
    );
}

#[test]
fn a_copy_that_cannot_be_deleted_is_tried_again_after_the_next_sweep() {
    check_ready(
        r#"
        on AT+CMGL=4: +CMGL: 2,3,,3 / 00AAAAAA / OK
        on AT+CMGR=2: +CMGR: 3,,3 / 00AAAAAA / OK
        on AT+CMGD=2: +CMS ERROR: 320
        10s forget SM 2
        20s .
        on AT+CMGD=2: OK
        700s .
        "#,
        expect![[r#"
            10s > AT+CMGD=2
            10005ms < +CMS ERROR: 320
            11005ms > AT+CMGR=2
            11010ms < +CMGR: 3,,3 / 00AAAAAA / OK
            11010ms > AT+CMGD=2
            11015ms < +CMS ERROR: 320
            12015ms > AT+CMGR=2
            12020ms < +CMGR: 3,,3 / 00AAAAAA / OK
            12020ms > AT+CMGD=2
            12025ms < +CMS ERROR: 320
            13025ms > AT+CMGR=2
            13030ms < +CMGR: 3,,3 / 00AAAAAA / OK
            600615ms > AT+CPMS="SM"
            600620ms < +CPMS: 0,30,0,30,0,30 / OK
            600620ms > AT+CMGL=4
            600625ms < +CMGL: 2,3,,3 / 00AAAAAA / OK
            600625ms > AT+CMGD=2
            600630ms < OK
            600630ms = forgotten SM 2
        "#]],
    );
}
