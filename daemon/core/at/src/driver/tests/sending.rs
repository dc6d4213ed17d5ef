use expect_test::expect;

use super::*;

#[test]
fn a_message_is_written_and_sent_from_the_storage() {
    check_ready(
        r#"
        10s send 7
        20s send 8
        30s .
        "#,
        expect![[""]],
    );
}

#[test]
fn messages_leave_one_at_a_time() {
    check_ready(
        r#"
        pdu: +CMGW: 1 / OK
        pdu: +CMGW: 2 / OK
        10s send 7
        10s send 8
        20s .
        "#,
        expect![[""]],
    );
}

#[test]
fn nothing_is_sent_before_ready() {
    check_events(
        r#"
        1ms send 7
        10s .
        "#,
        expect![[""]],
    );
}

#[test]
fn a_send_from_before_a_new_session_is_dropped() {
    check_ready(
        r#"
        10s < RDY
        20s send-old 7
        21s .
        "#,
        expect![[""]],
    );
}

#[test]
fn the_network_refuses_and_the_copy_stays() {
    check_ready(
        r#"
        once AT+CMSS=*: +CMS ERROR: 38
        once AT+CMSS=*: +CMS ERROR: 500
        once AT+CMSS=*: +CMS ERROR: 30
        once AT+CMSS=*: +CMS ERROR: 331
        10s send 7
        20s resume 8 SM 1
        30s resume 9 SM 1
        40s resume 10 SM 1
        50s .
        "#,
        expect![[""]],
    );
}

#[test]
fn a_stored_message_is_resumed() {
    check_ready(
        r#"
        on AT+CMGL=4: +CMGL: 4,2,,3 / 00AABBCC / +CMGL: 5,3,,3 / 00AABBCC / +CMGL: 6,1,,3 / 00112233 / OK
        10s resume 7 SM 4
        20s resume 8 SM 5
        30s resume 9 SM 6
        40s resume 10 SM 9
        50s .
        "#,
        expect![[""]],
    );
}

#[test]
fn a_lost_answer_to_a_sending_is_looked_up_in_the_storage() {
    check_ready(
        r#"
        once AT+CMSS=*: \
        on AT+CMGR=1: +CMGR: 3,,3 / 00AABBCC / OK
        10s send 7
        200s .
        "#,
        expect![[""]],
    );
}

#[test]
fn a_sending_that_did_not_happen_is_looked_up_in_the_storage() {
    check_ready(
        r#"
        once AT+CMSS=*: \
        on AT+CMGR=1: +CMGR: 2,,3 / 00AABBCC / OK
        10s send 7
        200s .
        "#,
        expect![[""]],
    );
}

#[test]
fn an_answer_that_comes_late_is_still_the_answer() {
    check_ready(
        r#"
        once AT+CMSS=*: \
        once AT: \
        10s send 7
        130500ms < +CMSS: 99 / OK
        200s .
        "#,
        expect![[""]],
    );
}

#[test]
fn a_storage_that_never_marks_what_was_sent_is_no_evidence() {
    check_ready(
        r#"
        on AT+CMGR=1: +CMGR: 2,,3 / 00AABBCC / OK
        10s send 7
        20s .
        once AT+CMSS=*: \
        30s send 8
        200s close
        201s open
        210s .
        "#,
        expect![[""]],
    );
}

#[test]
fn a_modem_that_goes_while_it_sends_is_asked_when_it_is_back() {
    check_ready(
        r#"
        once AT+CMSS=*: \
        10s send 7
        15s close
        on AT+CMGL=4: +CMGL: 1,3,,3 / 00AABBCC / OK
        20s open
        30s .
        once AT+CMSS=*: \
        pdu: +CMGW: 2 / OK
        40s send 8
        45s close
        on AT+CMGL=4: +CMGL: 2,2,,3 / 00AABBCC / OK
        50s open
        60s .
        once AT+CMSS=*: \
        pdu: +CMGW: 3 / OK
        70s send 9
        71s close
        on AT+CMGL=4: OK
        72s open
        80s .
        "#,
        expect![[""]],
    );
}

#[test]
fn messages_that_wait_when_the_modem_goes_have_not_been_sent() {
    check_ready(
        r#"
        once AT+CMSS=*: \
        10s send 7
        11s send 8
        12s close
        13s .
        "#,
        expect![[""]],
    );
}

#[test]
fn a_prompt_that_never_comes_is_given_up() {
    check_ready(
        r#"
        once AT+CMGW=*: \
        10s send 7
        60s .
        "#,
        expect![[""]],
    );
}

#[test]
fn a_place_that_is_not_told_is_found_by_a_new_session() {
    check_ready(
        r#"
        pdu: \
        10s send 7
        35s .
        on AT+CMGL=4: +CMGL: 1,2,,3 / 00AABBCC / OK
        60s .
        "#,
        expect![[""]],
    );
}

#[test]
fn a_storage_without_room_is_given_up_after_the_second_time() {
    check_ready(
        r#"
        once AT+CMGW=*: +CMS ERROR: 322
        once AT+CMGW=*: +CMS ERROR: 322
        pdu: +CMGS: 5 / OK
        10s send 7
        20s send 8
        30s send 9
        40s .
        "#,
        expect![[""]],
    );
}

#[test]
fn direct_sending_knows_less() {
    check_ready(
        r#"
        on AT+CMGW=?: ERROR
        pdu: +CMGS: 5 / OK
        pdu: +CMS ERROR: 42
        pdu: \
        pdu: \
        10s send 7
        20s send 8
        30s send 9
        200s .
        300s send 10
        420500ms < +CMGS: 77 / OK
        500s .
        "#,
        expect![[""]],
    );
}

#[test]
fn a_restart_while_sending_directly_leaves_the_fate_unknown() {
    check_ready(
        r#"
        on AT+CMGW=?: ERROR
        pdu: \
        10s send 7
        11s send 8
        12s < RDY
        13s .
        "#,
        expect![[""]],
    );
}

#[test]
fn announcements_around_the_prompt_do_not_disturb_it() {
    check_ready(
        r#"
        on AT+CMGW=*: +CMTI: "SM",3 / >
        on AT+CMGR=3: +CMGR: 0,,3 / 00112233 / OK
        10s send 7
        10006ms < >
        10007ms < +CDS: 3 / 00445566
        10008ms < +CMGW: 4 / OK
        20s .
        "#,
        expect![[""]],
    );
}

#[test]
fn what_is_no_pdu_is_refused() {
    check_ready(
        r#"
        10s send-broken 7
        11s .
        "#,
        expect![[""]],
    );
}
