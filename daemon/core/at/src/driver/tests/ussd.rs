use expect_test::expect;

use super::*;

#[test]
fn a_reply_to_a_code_may_come_before_or_after_ok_and_over_several_lines() {
    check_ussd(
        r#"
        on AT+CUSD=1,"*100#",15: OK
        on AT+CUSD=1,"*101#",15: +CUSD: 0,"Salio: 120",15 / OK
        10s ussd AT+CUSD=1,"*100#",15
        13s < +CUSD: 1,"1. Salio / 2. Ofa / OK / > 3. At home",15
        20s ussd AT+CUSD=1,"*101#",15
        21s end-ussd
        22s .
        "#,
        expect![[r#"
            10s > AT+CUSD=1,"*100#",15
            10005ms < OK
            10005ms = ussd said, way 0
            13s < +CUSD: 1,"1. Salio / 2. Ofa / OK / > 3. At home",15
            13s = ussd "+CUSD: 1,\"1. Salio\n2. Ofa\nOK\n>3. At home\",15"
            20s > AT+CUSD=1,"*101#",15
            20005ms < +CUSD: 0,"Salio: 120",15 / OK
            20005ms = ussd "+CUSD: 0,\"Salio: 120\",15"
            20005ms = ussd said, way 0
            21s > AT+CUSD=2
            21005ms < ERROR
        "#]],
    );
}

#[test]
fn every_end_of_a_session_is_told() {
    check_ussd(
        r#"
        10s < +CUSD: 0
        11s < +CUSD: 2
        12s < +CUSD: 3
        13s < +CUSD: 4
        14s < +CUSD: 5
        15s < +CUSD: 2,"Bye",15
        16s < +CUSD: 0,,15
        17s .
        "#,
        expect![[r#"
            10s < +CUSD: 0
            10s = ussd "+CUSD: 0"
            11s < +CUSD: 2
            11s = ussd "+CUSD: 2"
            12s < +CUSD: 3
            12s = ussd "+CUSD: 3"
            13s < +CUSD: 4
            13s = ussd "+CUSD: 4"
            14s < +CUSD: 5
            14s = ussd "+CUSD: 5"
            15s < +CUSD: 2,"Bye",15
            15s = ussd "+CUSD: 2,\"Bye\",15"
            16s < +CUSD: 0,,15
            16s = ussd "+CUSD: 0,,15"
        "#]],
    );
}

#[test]
fn a_string_that_was_cut_short_holds_nothing_up() {
    check_ussd(
        r#"
        10s < +CUSD: 0,"Salio lako ni
        10200ms < Tsh 2,5
        12s < +CUSD: 0,"cut
        12100ms < +CMTI: "SM",4
        14s < +CUSD: 0,"cut
        14s send 7
        16s .
        "#,
        expect![[r#"
            10s < +CUSD: 0,"Salio lako ni
            10200ms < Tsh 2,5
            11200ms = ussd "+CUSD: 0,\"Salio lako ni\nTsh 2,5"
            12s < +CUSD: 0,"cut
            12100ms < +CMTI: "SM",4
            12100ms = ussd "+CUSD: 0,\"cut"
            12100ms > AT+CMGR=4
            12105ms < +CMGR: 3,,3 / 00AABBCC / OK
            14s < +CUSD: 0,"cut
            14s > AT+CMGW=3
            14005ms < >
            14005ms > 00AABBCC\x1a
            14010ms < +CMGW: 1 / OK
            14010ms = ussd "+CUSD: 0,\"cut"
            14010ms = written 7 in SM 1
            14010ms > AT+CMSS=1
            14015ms < +CMSS: 12 / OK
            14015ms = sent 7, reference Some(12), SM 1
            14015ms > AT+CMGR=1
            14020ms < +CMGR: 3,,3 / 00AABBCC / OK
        "#]],
    );
}

#[test]
fn the_next_way_is_tried_where_the_modem_does_not_understand() {
    check_ussd(
        r#"
        on AT+CUSD=1,"*100#",15: +CME ERROR: 50
        on AT+CUSD=1,"AA180C3602",15: OK
        on AT+CUSD=1,"*101#",15: +CME ERROR: 30
        10s ussd AT+CUSD=1,"*100#",15 | AT+CUSD=1,"AA180C3602",15
        11s ussd AT+CUSD=1,"*101#",15 | AT+CUSD=1,"AA180C3602",15
        12s .
        "#,
        expect![[r#"
            10s > AT+CUSD=1,"*100#",15
            10005ms < +CME ERROR: 50
            10005ms > AT+CUSD=1,"AA180C3602",15
            10010ms < OK
            10010ms = ussd said, way 1
            11s > AT+CUSD=1,"*101#",15
            11005ms < +CME ERROR: 30
            11005ms = ussd failed: there is no network (+CME ERROR: 30)
        "#]],
    );
}

#[test]
fn a_code_that_gets_no_answer_is_not_said_twice() {
    check_ussd(
        r#"
        once AT+CUSD=1,"*100#",15: \
        once AT+CUSD=1,"*101#",15: \
        10s ussd AT+CUSD=1,"*100#",15
        40s ussd AT+CUSD=1,"*101#",15
        50s < +CUSD: 0,"Salio: 120",15
        60s .
        "#,
        expect![[r#"
            10s > AT+CUSD=1,"*100#",15
            25s > \x1b
            25515ms = ussd failed: the modem did not answer in time
            40s > AT+CUSD=1,"*101#",15
            50s < +CUSD: 0,"Salio: 120",15
            50s = ussd "+CUSD: 0,\"Salio: 120\",15"
            55s > \x1b
        "#]],
    );
}

#[test]
fn what_waits_to_be_said_is_answered_when_the_modem_goes() {
    check_ussd(
        r#"
        10s ussd AT+CUSD=1,"*100#",15
        10s ussd AT+CUSD=1,"*101#",15
        10001ms close
        11s ussd AT+CUSD=1,"*102#",15
        12s .
        "#,
        expect![[r#"
            10s > AT+CUSD=1,"*100#",15
            10001ms = ussd failed: the modem is not ready
            10001ms = ussd failed: the modem is not ready
            10005ms < ERROR
            11s = ussd failed: the modem is not ready
        "#]],
    );
}

#[test]
fn a_modem_without_ussd_becomes_ready_all_the_same() {
    check_ussd(
        r#"
        on AT+CUSD=1: +CME ERROR: 4
        10s < +CUSD: 0,"unasked",15
        11s .
        "#,
        expect![[r#"
            10s < +CUSD: 0,"unasked",15
            10s = ussd "+CUSD: 0,\"unasked\",15"
        "#]],
    );
}
