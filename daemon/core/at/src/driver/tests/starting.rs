use expect_test::expect;

use super::*;

#[test]
fn a_modem_is_initialised() {
    check(
        r#"
        10s .
        "#,
        expect![[""]],
    );
}

#[test]
fn a_kill_inside_a_prompt_is_escaped_from() {
    check_start(
        r#"
        0ms < >
        10s .
        "#,
        expect![[""]],
    );
}

#[test]
fn a_prompt_that_takes_our_bytes_is_escaped_from_again() {
    check_start(
        r#"
        260ms < >
        10s .
        "#,
        expect![[""]],
    );
}

/// The last process was killed while +CMSS ran; the modem answers nothing until it is done.
#[test]
fn a_sending_that_still_runs_is_waited_for() {
    check_start(
        r#"
        once AT: \
        once AT: \
        once AT: \
        2100ms < +CMSS: 12
        2100ms < OK
        2101ms < OK
        10s .
        "#,
        expect![[""]],
    );
}

#[test]
fn a_late_error_of_an_earlier_sending_is_no_answer_to_the_proof() {
    check_start(
        r#"
        once AT+CMEE?: \
        510ms < +CMS ERROR: 38
        600ms < +CMEE: 1 / OK
        10s .
        "#,
        expect![[""]],
    );
}

/// ATQ1 or ATV0 was set by somebody else.
#[test]
fn a_modem_in_another_mood_is_brought_back() {
    check_start(
        r#"
        on AT: \
        on ATQ0V1E0: OK
        20s .
        "#,
        expect![[""]],
    );
}

#[test]
fn a_modem_that_knows_neither_proof_is_believed_in_the_end() {
    check_start(
        r#"
        on AT+CMEE?: ERROR
        on AT+CSQ: +CME ERROR: 4
        20s .
        "#,
        expect![[""]],
    );
}

#[test]
fn the_pin_is_entered_once() {
    check_pin(
        r#"
        once AT+CPIN?: +CPIN: SIM PIN / OK
        on AT+CPINR: +CPINR: SIM PIN,3,3 / +CPINR: SIM PUK,10,10 / OK
        on AT+CPIN="1234": OK
        once AT+CPIN?: +CME ERROR: 14
        10s .
        "#,
        expect![[""]],
    );
}

#[test]
fn a_wrong_pin_is_never_tried_again() {
    check_pin(
        r#"
        on AT+CPIN?: +CPIN: SIM PIN / OK
        on AT+CPIN="1234": +CME ERROR: 16
        300s .
        301s close
        302s open
        320s .
        "#,
        expect![[""]],
    );
}

#[test]
fn a_pin_whose_answer_is_lost_is_not_tried_again() {
    check_pin(
        r#"
        on AT+CPIN?: +CPIN: SIM PIN / OK
        on AT+CPIN="1234": \
        60s .
        "#,
        expect![[""]],
    );
}

#[test]
fn a_pin_is_not_tried_where_somebody_tried_a_wrong_one() {
    check_pin(
        r#"
        on AT+CPIN?: +CPIN: SIM PIN / OK
        on AT+QPINC="SC": +QPINC: "SC",2,10 / OK
        20s .
        "#,
        expect![[""]],
    );
}

#[test]
fn a_pin_that_is_not_configured_is_asked_for() {
    check_events(
        r#"
        on AT+CPIN?: +CPIN: SIM PIN / OK
        90s .
        "#,
        expect![[""]],
    );
}

#[test]
fn a_puk_is_nothing_that_a_program_enters() {
    check_events(
        r#"
        on AT+CPIN?: +CPIN: SIM PUK / OK
        20s .
        once AT+CPIN?: +CPIN: READY / OK
        90s .
        "#,
        expect![[""]],
    );
}

#[test]
fn a_sim_that_is_missing_is_waited_for() {
    check_events(
        r#"
        on AT+CPIN?: +CME ERROR: 10
        35s .
        on AT+CPIN?: +CPIN: READY / OK
        90s .
        "#,
        expect![[""]],
    );
}

#[test]
fn a_message_service_that_starts_slowly_is_waited_for() {
    check_events(
        r#"
        once AT+CPMS=?: +CMS ERROR: 515
        once AT+CPMS=?: +CMS ERROR: 500
        once AT+CMGF=0: +CME ERROR: 14
        20s .
        "#,
        expect![[""]],
    );
}

#[test]
fn the_larger_storage_is_chosen_and_all_are_read() {
    check_start(
        r#"
        on AT+CPMS=?: +CPMS: ("SM","ME","MT","SR"),("SM","ME","MT"),("SM","ME","MT") / OK
        on AT+CPMS="SM","SM","SM": +CPMS: 1,20,1,20,1,20 / OK
        on AT+CPMS="ME","ME","ME": +CPMS: 0,255,0,255,0,255 / OK
        on AT+CPMS="SM": +CPMS: 1,20,0,255,0,255 / OK
        on AT+CPMS="ME": +CPMS: 0,255,0,255,0,255 / OK
        on AT+CPMS="SR": +CPMS: 0,5,0,255,0,255 / OK
        on AT+CNMI=?: +CNMI: (0-3),(0-3),(0,2),(0-2),(0,1) / OK
        on AT+CNMI=2,1,0,2,0: OK
        10s .
        "#,
        expect![[""]],
    );
}

#[test]
fn a_storage_that_cannot_be_reached_is_left_out() {
    check_events(
        r#"
        on AT+CPMS=?: +CPMS: ("SM","ME"),("SM","ME"),("SM","ME") / OK
        on AT+CPMS="ME","ME","ME": +CMS ERROR: 302
        on AT+CPMS="ME": +CMS ERROR: 302
        on AT+CMGL=4: +CMGL: 1,0,,3 / 00112233 / OK
        10s .
        "#,
        expect![[""]],
    );
}

#[test]
fn a_modem_without_storage_commands_is_taken_as_it_is() {
    check_start(
        r#"
        on AT+CPMS=?: ERROR
        on AT+CPMS?: ERROR
        10s .
        "#,
        expect![[""]],
    );
}

#[test]
fn announcements_are_set_as_the_modem_lets_us() {
    check_start(
        r#"
        on AT+CNMI=2,1,0,1,0: +CMS ERROR: 303
        on AT+CNMI=?: ERROR
        on AT+CNMI=2,1,0,1: OK
        10s .
        "#,
        expect![[""]],
    );
}

#[test]
fn a_modem_that_announces_nothing_is_asked_often() {
    check_ready(
        r#"
        on AT+CNMI=2,1,0,1,0: ERROR
        6s .
        "#,
        expect![[""]],
    );
}

#[test]
fn a_modem_that_only_sends_directly_says_that_it_keeps_nothing() {
    check_events(
        r#"
        on AT+CMGW=?: ERROR
        10s .
        "#,
        expect![[""]],
    );
}

#[test]
fn a_modem_with_lte_only_is_registered_all_the_same() {
    check_start(
        r#"
        on AT+CREG?: +CREG: 1,0 / OK
        on AT+CEREG?: +CEREG: 0,1 / OK
        10s .
        "#,
        expect![[""]],
    );
}

#[test]
fn a_modem_that_is_not_registered_says_so() {
    check_ready(
        r#"
        on AT+CREG?: +CREG: 1,2 / OK
        10s < +CREG: 3
        20s < +CREG: 1,"00C3","0B1F"
        21s < +CREG: 1
        22s .
        "#,
        expect![[""]],
    );
}

#[test]
fn a_step_that_is_never_answered_is_skipped() {
    check_start(
        r#"
        on AT+CSCA?: \
        on AT+CSMS?: \
        90s .
        "#,
        expect![[""]],
    );
}

#[test]
fn a_silent_modem_is_told_of_and_then_reset() {
    check_events(
        r#"
        on AT: \
        on ATQ0V1E0: \
        400s .
        "#,
        expect![[""]],
    );
}
