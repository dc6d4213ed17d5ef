use expect_test::expect;

use super::*;

#[test]
fn a_message_is_written_and_sent_from_the_storage() {
    check_ready(
        r#"
        pdu: +CMGW: 1 / OK
        pdu: +CMGW: 2 / OK
        10s send 7
        20s send 8
        30s .
        "#,
        expect![[r#"
            10s > AT+CMGW=3
            10005ms < >
            10005ms > 00AABBCC\x1a
            10010ms < +CMGW: 1 / OK
            10010ms = written 7 in SM 1
            10010ms > AT+CMSS=1
            10015ms < +CMSS: 12 / OK
            10015ms = sent 7, reference Some(12), SM 1
            10015ms > AT+CMGR=1
            10020ms < +CMGR: 3,,3 / 00AABBCC / OK
            20s > AT+CMGW=3
            20005ms < >
            20005ms > 00AABBCC\x1a
            20010ms < +CMGW: 2 / OK
            20010ms = written 8 in SM 2
            20010ms > AT+CMSS=2
            20015ms < +CMSS: 12 / OK
            20015ms = sent 8, reference Some(12), SM 2
        "#]],
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
        expect![[r#"
            10s > AT+CMGW=3
            10005ms < >
            10005ms > 00AABBCC\x1a
            10010ms < +CMGW: 1 / OK
            10010ms = written 7 in SM 1
            10010ms > AT+CMSS=1
            10015ms < +CMSS: 12 / OK
            10015ms = sent 7, reference Some(12), SM 1
            10015ms > AT+CMGR=1
            10020ms < +CMGR: 3,,3 / 00AABBCC / OK
            10020ms > AT+CMGW=3
            10025ms < >
            10025ms > 00AABBCC\x1a
            10030ms < +CMGW: 2 / OK
            10030ms = written 8 in SM 2
            10030ms > AT+CMSS=2
            10035ms < +CMSS: 12 / OK
            10035ms = sent 8, reference Some(12), SM 2
        "#]],
    );
}

#[test]
fn nothing_is_sent_before_ready() {
    check_events(
        r#"
        1ms send 7
        10s .
        "#,
        expect![[r#"
            1ms = failed 7, Retry: the modem is not ready, no slot
            565ms = storage SM 0/30
            600ms = registration Home
            605ms = signal Some(-77)
            615ms = ready 1, keeps parts, announces, stored []
        "#]],
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
        expect![[r#"
            10s < RDY
            10s = interrupted: the modem restarted by itself
            10s > \x1b
            10540ms > AT+CPIN?
            10545ms < +CPIN: READY / OK
            10560ms > AT+CPMS="SM","SM","SM"
            10565ms < +CPMS: 0,30,0,30,0,30 / OK
            10565ms = storage SM 0/30
            10600ms = registration Home
            10605ms = signal Some(-77)
            10605ms > AT+CPMS="SM"
            10610ms < +CPMS: 0,30,0,30,0,30 / OK
            10615ms = ready 2, keeps parts, announces, stored []
        "#]],
    );
}

#[test]
fn the_network_refuses_and_the_copy_stays() {
    check_ready(
        r#"
        on AT+CMGR=1: +CMGR: 2,,3 / 00AABBCC / OK
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
        expect![[r#"
            10s > AT+CMGW=3
            10005ms < >
            10005ms > 00AABBCC\x1a
            10010ms < +CMGW: 1 / OK
            10010ms = written 7 in SM 1
            10010ms > AT+CMSS=1
            10015ms < +CMS ERROR: 38
            10015ms > AT+CMGR=1
            10020ms < +CMGR: 2,,3 / 00AABBCC / OK
            10020ms = failed 7, Later: the network is out of order (+CMS ERROR: 38), SM 1
            20s > AT+CMSS=1
            20005ms < +CMS ERROR: 500
            20005ms > AT+CMGR=1
            20010ms < +CMGR: 2,,3 / 00AABBCC / OK
            20010ms = failed 8, Retry: the modem gave no reason; look at signal, credit and service centre (+CMS ERROR: 500), SM 1
            30s > AT+CMSS=1
            30005ms < +CMS ERROR: 30
            30005ms > AT+CMGR=1
            30010ms < +CMGR: 2,,3 / 00AABBCC / OK
            30010ms = failed 9, GiveUp: the network does not know the recipient (+CMS ERROR: 30), SM 1
            40s > AT+CMSS=1
            40005ms < +CMS ERROR: 331
            40005ms > AT+CMGR=1
            40010ms < +CMGR: 2,,3 / 00AABBCC / OK
            40010ms = failed 10, Later: there is no network (+CMS ERROR: 331), SM 1
        "#]],
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
        expect![[r#"
            10s > AT+CMSS=4
            10005ms < +CMSS: 12 / OK
            10005ms = sent 7, reference Some(12), SM 4
            10005ms > AT+CMGR=4
            10010ms < +CMGR: 3,,3 / 00AABBCC / OK
            20s = sent 8, reference None, SM 5
            30s = failed 9, Retry: the modem no longer stores the message there, no slot
            40s = failed 10, Retry: the modem no longer stores the message there, no slot
        "#]],
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
        expect![[r#"
            10s > AT+CMGW=3
            10005ms < >
            10005ms > 00AABBCC\x1a
            10010ms < +CMGW: 1 / OK
            10010ms = written 7 in SM 1
            10010ms > AT+CMSS=1
            130010ms > \x1b
            130525ms > AT+CPMS="SM"
            130530ms < +CPMS: 0,30,0,30,0,30 / OK
            130530ms > AT+CMGR=1
            130535ms < +CMGR: 3,,3 / 00AABBCC / OK
            130535ms = sent 7, reference None, SM 1
        "#]],
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
        expect![[r#"
            10s > AT+CMGW=3
            10005ms < >
            10005ms > 00AABBCC\x1a
            10010ms < +CMGW: 1 / OK
            10010ms = written 7 in SM 1
            10010ms > AT+CMSS=1
            130010ms > \x1b
            130525ms > AT+CPMS="SM"
            130530ms < +CPMS: 0,30,0,30,0,30 / OK
            130530ms > AT+CMGR=1
            130535ms < +CMGR: 2,,3 / 00AABBCC / OK
            130535ms = failed 7, Retry: the modem did not answer in time, SM 1
        "#]],
    );
}

#[test]
fn a_network_that_did_not_answer_may_have_taken_it_all_the_same() {
    check_ready(
        r#"
        pdu: +CMGW: 1 / OK
        pdu: +CMGW: 2 / OK
        on AT+CMSS=*: +CMS ERROR: 332
        once AT+CMGR=1: +CMGR: 3,,3 / 00AABBCC / OK
        once AT+CMGR=2: +CMGR: 2,,3 / 00AABBCC / OK
        10s send 7
        20s send 8
        30s .
        "#,
        expect![[r#"
            10s > AT+CMGW=3
            10005ms < >
            10005ms > 00AABBCC\x1a
            10010ms < +CMGW: 1 / OK
            10010ms = written 7 in SM 1
            10010ms > AT+CMSS=1
            10015ms < +CMS ERROR: 332
            10015ms > AT+CMGR=1
            10020ms < +CMGR: 3,,3 / 00AABBCC / OK
            10020ms = sent 7, reference None, SM 1
            20s > AT+CMGW=3
            20005ms < >
            20005ms > 00AABBCC\x1a
            20010ms < +CMGW: 2 / OK
            20010ms = written 8 in SM 2
            20010ms > AT+CMSS=2
            20015ms < +CMS ERROR: 332
            20015ms > AT+CMGR=2
            20020ms < +CMGR: 2,,3 / 00AABBCC / OK
            20020ms = failed 8, Retry: the network did not answer in time (+CMS ERROR: 332), SM 2
        "#]],
    );
}

#[test]
fn an_answer_that_comes_late_is_still_the_answer() {
    check_ready(
        r#"
        once AT+CMSS=*: \
        2s .
        once AT: \
        10s send 7
        130500ms < +CMSS: 99 / OK
        200s .
        "#,
        expect![[r#"
            10s > AT+CMGW=3
            10005ms < >
            10005ms > 00AABBCC\x1a
            10010ms < +CMGW: 1 / OK
            10010ms = written 7 in SM 1
            10010ms > AT+CMSS=1
            130010ms > \x1b
            130260ms > AT
            130500ms < +CMSS: 99 / OK
            130760ms = sent 7, reference Some(99), SM 1
            130760ms > AT+CPMS="SM"
            130765ms < +CPMS: 0,30,0,30,0,30 / OK
            130765ms > AT+CMGR=1
            130770ms < +CMGR: 3,,3 / 00AABBCC / OK
        "#]],
    );
}

#[test]
fn a_storage_that_never_marks_what_was_sent_is_no_evidence() {
    check_ready(
        r#"
        pdu: +CMGW: 1 / OK
        pdu: +CMGW: 2 / OK
        pdu: +CMGW: 3 / OK
        on AT+CMGR=*: +CMGR: 2,,3 / 00AABBCC / OK
        10s send 7
        20s .
        once AT+CMSS=*: +CMS ERROR: 38
        25s send 9
        29s .
        once AT+CMSS=*: \
        30s send 8
        200s close
        201s open
        210s .
        "#,
        expect![[r#"
            10s > AT+CMGW=3
            10005ms < >
            10005ms > 00AABBCC\x1a
            10010ms < +CMGW: 1 / OK
            10010ms = written 7 in SM 1
            10010ms > AT+CMSS=1
            10015ms < +CMSS: 12 / OK
            10015ms = sent 7, reference Some(12), SM 1
            10015ms > AT+CMGR=1
            10020ms < +CMGR: 2,,3 / 00AABBCC / OK
            25s > AT+CMGW=3
            25005ms < >
            25005ms > 00AABBCC\x1a
            25010ms < +CMGW: 2 / OK
            25010ms = written 9 in SM 2
            25010ms > AT+CMSS=2
            25015ms < +CMS ERROR: 38
            25015ms = failed 9, Later: the network is out of order (+CMS ERROR: 38), SM 2
            30s > AT+CMGW=3
            30005ms < >
            30005ms > 00AABBCC\x1a
            30010ms < +CMGW: 3 / OK
            30010ms = written 8 in SM 3
            30010ms > AT+CMSS=3
            150010ms > \x1b
            150525ms > AT+CPMS="SM"
            150530ms < +CPMS: 0,30,0,30,0,30 / OK
            150530ms > AT+CMGR=3
            150535ms < +CMGR: 2,,3 / 00AABBCC / OK
            150535ms = unknown 8
            150535ms = interrupted: the modem did not say whether it sent a message
            150535ms > \x1b
            151075ms > AT+CPIN?
            151080ms < +CPIN: READY / OK
            151095ms > AT+CPMS="SM","SM","SM"
            151100ms < +CPMS: 0,30,0,30,0,30 / OK
            151100ms = storage SM 0/30
            151135ms = registration Home
            151140ms = signal Some(-77)
            151140ms > AT+CPMS="SM"
            151145ms < +CPMS: 0,30,0,30,0,30 / OK
            151150ms = ready 2, announces, stored []
            201s > \x1b
            201540ms > AT+CPIN?
            201545ms < +CPIN: READY / OK
            201560ms > AT+CPMS="SM","SM","SM"
            201565ms < +CPMS: 0,30,0,30,0,30 / OK
            201565ms = storage SM 0/30
            201600ms = registration Home
            201605ms = signal Some(-77)
            201605ms > AT+CPMS="SM"
            201610ms < +CPMS: 0,30,0,30,0,30 / OK
            201615ms = ready 3, announces, stored []
        "#]],
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
        expect![[r#"
            10s > AT+CMGW=3
            10005ms < >
            10005ms > 00AABBCC\x1a
            10010ms < +CMGW: 1 / OK
            10010ms = written 7 in SM 1
            10010ms > AT+CMSS=1
            20s > \x1b
            20540ms > AT+CPIN?
            20545ms < +CPIN: READY / OK
            20560ms > AT+CPMS="SM","SM","SM"
            20565ms < +CPMS: 0,30,0,30,0,30 / OK
            20565ms = storage SM 0/30
            20600ms = registration Home
            20605ms = signal Some(-77)
            20605ms > AT+CPMS="SM"
            20610ms < +CPMS: 0,30,0,30,0,30 / OK
            20610ms > AT+CMGL=4
            20615ms < +CMGL: 1,3,,3 / 00AABBCC / OK
            20615ms = sent 7, reference None, SM 1
            20615ms = ready 2, keeps parts, announces, stored [SM 1 sent]
            40s > AT+CMGW=3
            40005ms < >
            40005ms > 00AABBCC\x1a
            40010ms < +CMGW: 2 / OK
            40010ms = written 8 in SM 2
            40010ms > AT+CMSS=2
            50s > \x1b
            50540ms > AT+CPIN?
            50545ms < +CPIN: READY / OK
            50560ms > AT+CPMS="SM","SM","SM"
            50565ms < +CPMS: 0,30,0,30,0,30 / OK
            50565ms = storage SM 0/30
            50600ms = registration Home
            50605ms = signal Some(-77)
            50605ms > AT+CPMS="SM"
            50610ms < +CPMS: 0,30,0,30,0,30 / OK
            50610ms > AT+CMGL=4
            50615ms < +CMGL: 2,2,,3 / 00AABBCC / OK
            50615ms = failed 8, Retry: the modem did not answer in time, SM 2
            50615ms = ready 3, keeps parts, announces, stored [SM 2 unsent]
            70s > AT+CMGW=3
            70005ms < >
            70005ms > 00AABBCC\x1a
            70010ms < +CMGW: 3 / OK
            70010ms = written 9 in SM 3
            70010ms > AT+CMSS=3
            72s > \x1b
            72540ms > AT+CPIN?
            72545ms < +CPIN: READY / OK
            72560ms > AT+CPMS="SM","SM","SM"
            72565ms < +CPMS: 0,30,0,30,0,30 / OK
            72565ms = storage SM 0/30
            72600ms = registration Home
            72605ms = signal Some(-77)
            72605ms > AT+CPMS="SM"
            72610ms < +CPMS: 0,30,0,30,0,30 / OK
            72615ms = unknown 9
            72615ms = ready 4, keeps parts, announces, stored []
        "#]],
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
        expect![[r#"
            10s > AT+CMGW=3
            10005ms < >
            10005ms > 00AABBCC\x1a
            10010ms < +CMGW: 1 / OK
            10010ms = written 7 in SM 1
            10010ms > AT+CMSS=1
            12s = failed 8, Retry: the modem is not ready, no slot
        "#]],
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
        expect![[r#"
            10s > AT+CMGW=3
            15s > \x1b
            15515ms = failed 7, Retry: the modem did not answer in time, no slot
        "#]],
    );
}

#[test]
fn a_place_that_is_not_told_is_found_by_a_new_session() {
    check_ready(
        r#"
        pdu: \
        10s send 7
        20s .
        on AT+CMGL=4: +CMGL: 1,2,,3 / 00AABBCC / OK
        60s .
        "#,
        expect![[r#"
            10s > AT+CMGW=3
            10005ms < >
            10005ms > 00AABBCC\x1a
            25005ms > \x1b
            25520ms = failed 7, Retry: the modem did not answer in time, no slot
            25520ms = interrupted: the modem did not say where it stored a message
            25520ms > \x1b
            26060ms > AT+CPIN?
            26065ms < +CPIN: READY / OK
            26080ms > AT+CPMS="SM","SM","SM"
            26085ms < +CPMS: 0,30,0,30,0,30 / OK
            26085ms = storage SM 0/30
            26120ms = registration Home
            26125ms = signal Some(-77)
            26125ms > AT+CPMS="SM"
            26130ms < +CPMS: 0,30,0,30,0,30 / OK
            26130ms > AT+CMGL=4
            26135ms < +CMGL: 1,2,,3 / 00AABBCC / OK
            26135ms = ready 2, keeps parts, announces, stored [SM 1 unsent]
        "#]],
    );
}

#[test]
fn a_storage_without_room_is_given_up_after_the_second_time() {
    check_ready(
        r#"
        once AT+CMGW=*: +CMS ERROR: 322
        once AT+CMGW=*: +CMS ERROR: 322
        pdu: +CMGS: 5 / OK
        on AT+CPMS="SM": +CPMS: 30,30,30,30,30,30 / OK
        10s send 7
        20s send 8
        30s send 9
        40s .
        on AT+CPMS="SM": +CPMS: 9,30,9,30,9,30 / OK
        50s < ^SMMEMFULL
        60s .
        "#,
        expect![[r#"
            10s > AT+CMGW=3
            10005ms < +CMS ERROR: 322
            10005ms = failed 7, Retry: the message storage is full (+CMS ERROR: 322), no slot
            20s > AT+CMGW=3
            20005ms < +CMS ERROR: 322
            20005ms = failed 8, Retry: the message storage is full (+CMS ERROR: 322), no slot
            20005ms = interrupted: the modem's storage takes no messages; they are sent directly for now
            20005ms > \x1b
            20545ms > AT+CPIN?
            20550ms < +CPIN: READY / OK
            20565ms > AT+CPMS="SM","SM","SM"
            20570ms < +CPMS: 0,30,0,30,0,30 / OK
            20570ms = storage SM 0/30
            20595ms = registration Home
            20600ms = signal Some(-77)
            20600ms > AT+CPMS="SM"
            20605ms < +CPMS: 30,30,30,30,30,30 / OK
            20605ms = storage SM 30/30
            20615ms = ready 2, announces, stored []
            30s > AT+CMGS=3
            30005ms < >
            30005ms > 00AABBCC\x1a
            30010ms < +CMGS: 5 / OK
            30010ms = sent 9, reference Some(5), no slot
            50s < ^SMMEMFULL
            50s > AT+CPMS="SM"
            50005ms < +CPMS: 9,30,9,30,9,30 / OK
            50005ms = storage SM 9/30
            50015ms = interrupted: the modem's storage has room again; messages are sent through it
            50015ms > \x1b
            50555ms > AT+CPIN?
            50560ms < +CPIN: READY / OK
            50575ms > AT+CPMS="SM","SM","SM"
            50580ms < +CPMS: 0,30,0,30,0,30 / OK
            50580ms = storage SM 0/30
            50615ms = registration Home
            50620ms = signal Some(-77)
            50620ms > AT+CPMS="SM"
            50625ms < +CPMS: 9,30,9,30,9,30 / OK
            50625ms = storage SM 9/30
            50635ms = ready 3, keeps parts, announces, stored []
        "#]],
    );
}

#[test]
fn an_error_that_says_nothing_of_the_storage_does_not_condemn_it() {
    check_ready(
        r#"
        once AT+CMGW=*: +CMS ERROR: 500
        once AT+CMGW=*: +CMS ERROR: 320
        once AT+CMGW=*: +CMS ERROR: 304
        10s send 7
        20s send 8
        30s send 9
        40s .
        "#,
        expect![[r#"
            10s > AT+CMGW=3
            10005ms < +CMS ERROR: 500
            10005ms = failed 7, Retry: the modem gave no reason; look at signal, credit and service centre (+CMS ERROR: 500), no slot
            20s > AT+CMGW=3
            20005ms < +CMS ERROR: 320
            20005ms = failed 8, Retry: the message storage failed (+CMS ERROR: 320), no slot
            30s > AT+CMGW=3
            30005ms < +CMS ERROR: 304
            30005ms = failed 9, GiveUp: the modem found the message malformed (+CMS ERROR: 304), no slot
        "#]],
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
        expect![[r#"
            10s > AT+CMGS=3
            10005ms < >
            10005ms > 00AABBCC\x1a
            10010ms < +CMGS: 5 / OK
            10010ms = sent 7, reference Some(5), no slot
            20s > AT+CMGS=3
            20005ms < >
            20005ms > 00AABBCC\x1a
            20010ms < +CMS ERROR: 42
            20010ms = failed 8, Retry: the network is congested (+CMS ERROR: 42), no slot
            30s > AT+CMGS=3
            30005ms < >
            30005ms > 00AABBCC\x1a
            150005ms > \x1b
            150520ms = unknown 9
            150520ms = interrupted: the modem did not say whether it sent a message
            150520ms > \x1b
            151060ms > AT+CPIN?
            151065ms < +CPIN: READY / OK
            151080ms > AT+CPMS="SM","SM","SM"
            151085ms < +CPMS: 0,30,0,30,0,30 / OK
            151085ms = storage SM 0/30
            151085ms > AT+CMGW=?
            151090ms < ERROR
            151115ms = registration Home
            151120ms = signal Some(-77)
            151120ms > AT+CPMS="SM"
            151125ms < +CPMS: 0,30,0,30,0,30 / OK
            151130ms = ready 2, announces, stored []
            300s > AT+CMGS=3
            300005ms < >
            300005ms > 00AABBCC\x1a
            420005ms > \x1b
            420500ms < +CMGS: 77 / OK
            420760ms = sent 10, reference Some(77), no slot
        "#]],
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
        expect![[r#"
            10s > AT+CMGS=3
            10005ms < >
            10005ms > 00AABBCC\x1a
            12s < RDY
            12s = interrupted: the modem restarted by itself
            12s = unknown 7
            12s = failed 8, Retry: the modem is not ready, no slot
            12s > \x1b
            12540ms > AT+CPIN?
            12545ms < +CPIN: READY / OK
            12560ms > AT+CPMS="SM","SM","SM"
            12565ms < +CPMS: 0,30,0,30,0,30 / OK
            12565ms = storage SM 0/30
            12565ms > AT+CMGW=?
            12570ms < ERROR
            12595ms = registration Home
            12600ms = signal Some(-77)
            12600ms > AT+CPMS="SM"
            12605ms < +CPMS: 0,30,0,30,0,30 / OK
            12610ms = ready 2, announces, stored []
        "#]],
    );
}

#[test]
fn announcements_around_the_prompt_do_not_disturb_it() {
    check_ready(
        r#"
        on AT+CMGW=*: +CMTI: "SM",3 / >
        on AT+CMGR=3: +CMGR: 0,,3 / 00112233 / OK
        pdu: +CDS: 3 / 00445566 / +CMGW: 4 / OK
        10s send 7
        20s .
        "#,
        expect![[r#"
            10s > AT+CMGW=3
            10005ms < +CMTI: "SM",3 / >
            10005ms > 00AABBCC\x1a
            10010ms < +CDS: 3 / 00445566 / +CMGW: 4 / OK
            10010ms = incoming direct 1 00445566
            10010ms = written 7 in SM 4
            10010ms > AT+CMSS=4
            10015ms < +CMSS: 12 / OK
            10015ms = sent 7, reference Some(12), SM 4
            10015ms > AT+CMGR=4
            10020ms < +CMGR: 3,,3 / 00AABBCC / OK
            10020ms > AT+CMGR=3
            10025ms < +CMGR: 0,,3 / 00112233 / OK
            10025ms = incoming SM 3 00112233
        "#]],
    );
}

#[test]
fn what_is_no_pdu_is_refused() {
    check_ready(
        r#"
        10s send-broken 7
        11s .
        "#,
        expect![[r#"
            10s = failed 7, GiveUp: the PDU is not complete, no slot
        "#]],
    );
}

#[test]
fn an_error_for_what_the_network_took_is_not_believed() {
    check_ready(
        r#"
        on AT+CMSS=*: +CMS ERROR: 500
        on AT+CMGR=1: +CMGR: 3,,3 / 00AABBCC / OK
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
            10015ms < +CMS ERROR: 500
            10015ms > AT+CMGR=1
            10020ms < +CMGR: 3,,3 / 00AABBCC / OK
            10020ms = sent 7, reference None, SM 1
        "#]],
    );
}

#[test]
fn a_place_that_was_misheard_is_looked_for_and_nothing_else_is_sent() {
    // +CMGW: 2 arrives as +CMGW: 9, where nothing stands, then as +CMGW: 1, where
    // another message stands.
    check_ready(
        r#"
        on AT+CMGL=4: +CMGL: 1,3,,3 / 00DDEEFF / OK
        once AT+CMSS=9: +CMS ERROR: 321
        pdu: +CMGW: 9 / OK
        pdu: +CMGW: 1 / OK
        10s send 7
        20s send 8
        30s .
        "#,
        expect![[r#"
            10s > AT+CMGW=3
            10005ms < >
            10005ms > 00AABBCC\x1a
            10010ms < +CMGW: 9 / OK
            10010ms = written 7 in SM 9
            10010ms > AT+CMSS=9
            10015ms < +CMS ERROR: 321
            10015ms = failed 7, Retry: the modem no longer stores the message there, no slot
            10015ms = interrupted: the modem did not say where it stored a message
            10015ms > \x1b
            10555ms > AT+CPIN?
            10560ms < +CPIN: READY / OK
            10575ms > AT+CPMS="SM","SM","SM"
            10580ms < +CPMS: 0,30,0,30,0,30 / OK
            10580ms = storage SM 0/30
            10615ms = registration Home
            10620ms = signal Some(-77)
            10620ms > AT+CPMS="SM"
            10625ms < +CPMS: 0,30,0,30,0,30 / OK
            10625ms > AT+CMGL=4
            10630ms < +CMGL: 1,3,,3 / 00DDEEFF / OK
            10630ms = ready 2, keeps parts, announces, stored [SM 1 sent]
            20s > AT+CMGW=3
            20005ms < >
            20005ms > 00AABBCC\x1a
            20010ms < +CMGW: 1 / OK
            20010ms = failed 8, Retry: the modem refused (ERROR), no slot
            20010ms = interrupted: the modem did not say where it stored a message
            20010ms > \x1b
            20550ms > AT+CPIN?
            20555ms < +CPIN: READY / OK
            20570ms > AT+CPMS="SM","SM","SM"
            20575ms < +CPMS: 0,30,0,30,0,30 / OK
            20575ms = storage SM 0/30
            20610ms = registration Home
            20615ms = signal Some(-77)
            20615ms > AT+CPMS="SM"
            20620ms < +CPMS: 0,30,0,30,0,30 / OK
            20620ms > AT+CMGL=4
            20625ms < +CMGL: 1,3,,3 / 00DDEEFF / OK
            20625ms = ready 3, keeps parts, announces, stored [SM 1 sent]
        "#]],
    );
}
