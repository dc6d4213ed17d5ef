use expect_test::expect;

use super::*;

#[test]
fn a_time_out_is_followed_by_getting_back_in_step() {
    check_ready(
        r#"
        once AT+CREG?: \
        10s status
        40s .
        "#,
        expect![[""]],
    );
}

#[test]
fn a_modem_that_hangs_at_one_command_is_initialised_again_and_then_reset() {
    check_events(
        r#"
        on AT+CMGL=4: \
        600s .
        "#,
        expect![[""]],
    );
}

#[test]
fn a_modem_that_restarts_is_initialised_again() {
    check_ready(
        r#"
        10s < RDY
        10100ms < +CFUN: 1
        11s < +CPIN: READY
        12s < Call Ready
        13s < SMS Ready
        14s .
        "#,
        expect![[""]],
    );
}

#[test]
fn an_echo_gives_away_a_restart() {
    check_events(
        r#"
        10s .
        on AT+CREG?: AT+CREG? / +CREG: 0,1 / OK
        20s status
        30s .
        "#,
        expect![[""]],
    );
}

#[test]
fn an_echo_that_cannot_be_switched_off_is_lived_with() {
    check_events(
        r#"
        on ATE0: AT+E0 / OK
        on AT+CMEE=1: AT+CMEE=1 / OK
        on AT+CSQ: AT+CSQ / +CSQ: 10,0 / OK
        20s status
        30s .
        "#,
        expect![[""]],
    );
}

#[test]
fn floods_of_announcements_change_nothing() {
    check_ready(
        r#"
        10s < ^RSSI:20
        10s < ^BOOT:1,0,0,0,6
        10s < +CUSD: 0,"x",15
        10s < RING
        10s < NO CARRIER
        10s < +CBM: 3 / 112233
        11s status
        12s .
        "#,
        expect![[""]],
    );
}

#[test]
fn a_prompt_out_of_nowhere_is_escaped_from() {
    check_ready(
        r#"
        10s < >
        20s .
        "#,
        expect![[""]],
    );
}

#[test]
fn a_sim_that_is_pulled_is_told_of() {
    check_events(
        r#"
        10s .
        on AT+CPIN?: +CME ERROR: 10
        20s < +CPIN: NOT INSERTED
        40s .
        "#,
        expect![[""]],
    );
}
