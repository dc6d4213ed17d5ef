use expect_test::expect;

use super::*;

#[test]
fn a_modem_is_initialised() {
    check(
        r#"
        10s .
        "#,
        expect![[r#"
            0s > \x1b
            250ms > AT
            255ms < OK
            505ms > AT+CMEE?
            510ms < +CMEE: 1 / OK
            510ms > ATE0
            515ms < OK
            515ms > AT+CMEE=1
            520ms < OK
            520ms > AT+CGMI
            525ms < SIMCOM_Ltd / OK
            525ms > AT+CGMM
            530ms < SIMCOM_SIM800L / OK
            530ms > AT+CGMR
            535ms < Revision:1418B05SIM800L24 / OK
            535ms > AT+CGSN
            540ms < 860123456789042 / OK
            540ms > AT+CPIN?
            545ms < +CPIN: READY / OK
            545ms > AT+CMGF=0
            550ms < OK
            550ms > AT+CSMS?
            555ms < +CSMS: 0,1,1,1 / OK
            555ms > AT+CPMS=?
            560ms < +CPMS: ("SM"),("SM"),("SM") / OK
            560ms > AT+CPMS="SM","SM","SM"
            565ms < +CPMS: 0,30,0,30,0,30 / OK
            565ms = storage SM 0/30
            565ms > AT+CMGW=?
            570ms < OK
            570ms > AT+CMSS=?
            575ms < OK
            575ms > AT+CNMI=?
            580ms < +CNMI: (0,1,2),(0,1,2,3),(0,2),(0,1),(0,1) / OK
            580ms > AT+CNMI=2,1,0,1,0
            585ms < OK
            585ms > AT+CREG=1
            590ms < OK
            590ms > AT+CSCA?
            595ms < +CSCA: "+254722500029",145 / OK
            595ms > AT+CREG?
            600ms < +CREG: 1,1 / OK
            600ms = registration Home
            600ms > AT+CSQ
            605ms < +CSQ: 18,0 / OK
            605ms = signal Some(-77)
            605ms > AT+CPMS="SM"
            610ms < +CPMS: 0,30,0,30,0,30 / OK
            610ms > AT+CMGL=4
            615ms < OK
            615ms = ready 1, keeps parts, announces, stored []
        "#]],
    );
}

#[test]
fn a_kill_inside_a_prompt_is_escaped_from() {
    check_start(
        r#"
        0ms < >
        10s .
        "#,
        expect![[r#"
            0s > \x1b
            0s < >
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
            615ms = ready 1, keeps parts, announces, stored []
        "#]],
    );
}

#[test]
fn a_prompt_that_takes_our_bytes_is_escaped_from_again() {
    check_start(
        r#"
        260ms < >
        10s .
        "#,
        expect![[r#"
            0s > \x1b
            260ms < >
            260ms > \x1b
            800ms > AT+CPIN?
            805ms < +CPIN: READY / OK
            820ms > AT+CPMS="SM","SM","SM"
            825ms < +CPMS: 0,30,0,30,0,30 / OK
            825ms = storage SM 0/30
            860ms = registration Home
            865ms = signal Some(-77)
            865ms > AT+CPMS="SM"
            870ms < +CPMS: 0,30,0,30,0,30 / OK
            875ms = ready 1, keeps parts, announces, stored []
        "#]],
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
        expect![[r#"
            0s > \x1b
            250ms > AT
            1250ms > AT
            2100ms < +CMSS: 12
            2100ms < OK
            2101ms < OK
            2386ms > AT+CPIN?
            2391ms < +CPIN: READY / OK
            2406ms > AT+CPMS="SM","SM","SM"
            2411ms < +CPMS: 0,30,0,30,0,30 / OK
            2411ms = storage SM 0/30
            2446ms = registration Home
            2451ms = signal Some(-77)
            2451ms > AT+CPMS="SM"
            2456ms < +CPMS: 0,30,0,30,0,30 / OK
            2461ms = ready 1, keeps parts, announces, stored []
        "#]],
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
        expect![[r#"
            0s > \x1b
            505ms > AT+CMEE?
            510ms < +CMS ERROR: 38
            600ms < +CMEE: 1 / OK
            885ms > AT+CPIN?
            890ms < +CPIN: READY / OK
            905ms > AT+CPMS="SM","SM","SM"
            910ms < +CPMS: 0,30,0,30,0,30 / OK
            910ms = storage SM 0/30
            945ms = registration Home
            950ms = signal Some(-77)
            950ms > AT+CPMS="SM"
            955ms < +CPMS: 0,30,0,30,0,30 / OK
            960ms = ready 1, keeps parts, announces, stored []
        "#]],
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
        expect![[r#"
            0s > \x1b
            250ms > AT
            1250ms > AT
            2250ms > AT
            3250ms > ATQ0V1E0
            3255ms < OK
            3540ms > AT+CPIN?
            3545ms < +CPIN: READY / OK
            3560ms > AT+CPMS="SM","SM","SM"
            3565ms < +CPMS: 0,30,0,30,0,30 / OK
            3565ms = storage SM 0/30
            3600ms = registration Home
            3605ms = signal Some(-77)
            3605ms > AT+CPMS="SM"
            3610ms < +CPMS: 0,30,0,30,0,30 / OK
            3615ms = ready 1, keeps parts, announces, stored []
        "#]],
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
        expect![[r#"
            0s > \x1b
            505ms > AT+CMEE?
            510ms < ERROR
            760ms > AT+CSQ
            765ms < +CME ERROR: 4
            1015ms > AT+CMEE?
            1020ms < ERROR
            1270ms > AT+CSQ
            1275ms < +CME ERROR: 4
            1305ms > AT+CPIN?
            1310ms < +CPIN: READY / OK
            1325ms > AT+CPMS="SM","SM","SM"
            1330ms < +CPMS: 0,30,0,30,0,30 / OK
            1330ms = storage SM 0/30
            1365ms = registration Home
            1365ms > AT+CSQ
            1370ms < +CME ERROR: 4
            1370ms > AT+CPMS="SM"
            1375ms < +CPMS: 0,30,0,30,0,30 / OK
            1380ms = ready 1, keeps parts, announces, stored []
        "#]],
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
        expect![[r#"
            0s > \x1b
            540ms > AT+CPIN?
            545ms < +CPIN: SIM PIN / OK
            545ms > AT+CPINR
            550ms < +CPINR: SIM PIN,3,3 / +CPINR: SIM PUK,10,10 / OK
            550ms > AT+CPIN="1234"
            555ms < OK
            1555ms > AT+CPIN?
            1560ms < +CME ERROR: 14
            2560ms > AT+CPIN?
            2565ms < +CPIN: READY / OK
            2580ms > AT+CPMS="SM","SM","SM"
            2585ms < +CPMS: 0,30,0,30,0,30 / OK
            2585ms = storage SM 0/30
            2620ms = registration Home
            2625ms = signal Some(-77)
            2625ms > AT+CPMS="SM"
            2630ms < +CPMS: 0,30,0,30,0,30 / OK
            2635ms = ready 1, keeps parts, announces, stored []
        "#]],
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
        expect![[r#"
            0s > \x1b
            540ms > AT+CPIN?
            545ms < +CPIN: SIM PIN / OK
            545ms > AT+CPINR
            550ms < ERROR
            550ms > AT+SPIC
            555ms < ERROR
            555ms > AT+QPINC="SC"
            560ms < ERROR
            560ms > AT+CPIN="1234"
            565ms < +CME ERROR: 16
            565ms = fault: the SIM refused the PIN in jibu.toml; it is not tried again, because a third wrong one locks the SIM: correct `pin` and restart
            30565ms > AT+CPIN?
            30570ms < +CPIN: SIM PIN / OK
            60570ms > AT+CPIN?
            60575ms < +CPIN: SIM PIN / OK
            90575ms > AT+CPIN?
            90580ms < +CPIN: SIM PIN / OK
            120580ms > AT+CPIN?
            120585ms < +CPIN: SIM PIN / OK
            150585ms > AT+CPIN?
            150590ms < +CPIN: SIM PIN / OK
            180590ms > AT+CPIN?
            180595ms < +CPIN: SIM PIN / OK
            210595ms > AT+CPIN?
            210600ms < +CPIN: SIM PIN / OK
            240600ms > AT+CPIN?
            240605ms < +CPIN: SIM PIN / OK
            270605ms > AT+CPIN?
            270610ms < +CPIN: SIM PIN / OK
            300610ms > AT+CPIN?
            300615ms < +CPIN: SIM PIN / OK
            302s > \x1b
            302540ms > AT+CPIN?
            302545ms < +CPIN: SIM PIN / OK
        "#]],
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
        expect![[r#"
            0s > \x1b
            540ms > AT+CPIN?
            545ms < +CPIN: SIM PIN / OK
            545ms > AT+CPINR
            550ms < ERROR
            550ms > AT+SPIC
            555ms < ERROR
            555ms > AT+QPINC="SC"
            560ms < ERROR
            560ms > AT+CPIN="1234"
            15560ms > \x1b
            16070ms > AT+CPIN?
            16075ms < +CPIN: SIM PIN / OK
            16075ms = fault: the SIM refused the PIN in jibu.toml; it is not tried again, because a third wrong one locks the SIM: correct `pin` and restart
            46075ms > AT+CPIN?
            46080ms < +CPIN: SIM PIN / OK
        "#]],
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
        expect![[r#"
            0s > \x1b
            540ms > AT+CPIN?
            545ms < +CPIN: SIM PIN / OK
            545ms > AT+CPINR
            550ms < ERROR
            550ms > AT+SPIC
            555ms < ERROR
            555ms > AT+QPINC="SC"
            560ms < +QPINC: "SC",2,10 / OK
            560ms = fault: a wrong PIN was entered before and 2 tries are left; put the SIM in a phone, enter its PIN there once, and put it back
        "#]],
    );
}

#[test]
fn a_pin_that_is_not_configured_is_asked_for() {
    check_events(
        r#"
        on AT+CPIN?: +CPIN: SIM PIN / OK
        90s .
        "#,
        expect![[r#"
            545ms = fault: the SIM wants its PIN; set `pin` for this modem in jibu.toml
        "#]],
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
        expect![[r#"
            545ms = fault: the SIM is locked and wants its PUK; put it in a phone and enter the PUK there
            30570ms = storage SM 0/30
            30605ms = registration Home
            30610ms = signal Some(-77)
            30620ms = ready 1, keeps parts, announces, stored []
        "#]],
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
        expect![[r#"
            10595ms = fault: there is no SIM in the modem, or it does not make contact
            40620ms = storage SM 0/30
            40655ms = registration Home
            40660ms = signal Some(-77)
            40670ms = ready 1, keeps parts, announces, stored []
        "#]],
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
        expect![[r#"
            3580ms = storage SM 0/30
            3615ms = registration Home
            3620ms = signal Some(-77)
            3630ms = ready 1, keeps parts, announces, stored []
        "#]],
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
        expect![[r#"
            0s > \x1b
            540ms > AT+CPIN?
            545ms < +CPIN: READY / OK
            555ms > AT+CPMS=?
            560ms < +CPMS: ("SM","ME","MT","SR"),("SM","ME","MT"),("SM","ME","MT") / OK
            560ms > AT+CPMS="ME","ME","ME"
            565ms < +CPMS: 0,255,0,255,0,255 / OK
            565ms > AT+CPMS="SM","SM","SM"
            570ms < +CPMS: 1,20,1,20,1,20 / OK
            570ms > AT+CPMS="ME","ME","ME"
            575ms < +CPMS: 0,255,0,255,0,255 / OK
            575ms = storage ME 0/255
            585ms > AT+CNMI=?
            590ms < +CNMI: (0-3),(0-3),(0,2),(0-2),(0,1) / OK
            590ms > AT+CNMI=2,1,0,2,0
            595ms < OK
            610ms = registration Home
            615ms = signal Some(-77)
            615ms > AT+CPMS="ME"
            620ms < +CPMS: 0,255,0,255,0,255 / OK
            625ms > AT+CPMS="SM"
            630ms < +CPMS: 1,20,0,255,0,255 / OK
            640ms > AT+CPMS="SR"
            645ms < +CPMS: 0,5,0,255,0,255 / OK
            650ms = ready 1, keeps parts, announces, stored []
        "#]],
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
        expect![[r#"
            570ms = storage SM 0/30
            605ms = registration Home
            610ms = signal Some(-77)
            620ms = incoming SM 1 00112233
            625ms = ready 1, keeps parts, announces, stored []
        "#]],
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
        expect![[r#"
            0s > \x1b
            540ms > AT+CPIN?
            545ms < +CPIN: READY / OK
            555ms > AT+CPMS=?
            560ms < ERROR
            560ms > AT+CPMS?
            565ms < ERROR
            600ms = registration Home
            605ms = signal Some(-77)
            610ms = ready 1, keeps parts, announces, stored []
        "#]],
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
        expect![[r#"
            0s > \x1b
            540ms > AT+CPIN?
            545ms < +CPIN: READY / OK
            560ms > AT+CPMS="SM","SM","SM"
            565ms < +CPMS: 0,30,0,30,0,30 / OK
            565ms = storage SM 0/30
            575ms > AT+CNMI=?
            580ms < ERROR
            580ms > AT+CNMI=2,1,0,1,0
            585ms < +CMS ERROR: 303
            585ms > AT+CNMI=2,1,0,1,1
            590ms < ERROR
            590ms > AT+CNMI=2,1,0,1
            595ms < OK
            610ms = registration Home
            615ms = signal Some(-77)
            615ms > AT+CPMS="SM"
            620ms < +CPMS: 0,30,0,30,0,30 / OK
            625ms = ready 1, keeps parts, announces, stored []
        "#]],
    );
}

#[test]
fn a_modem_that_announces_nothing_is_asked_often() {
    check_ready(
        r#"
        on AT+CNMI=2,1,0,1,0: ERROR
        6s .
        "#,
        expect![[r#"
            5670ms > AT+CPMS="SM"
            5675ms < +CPMS: 0,30,0,30,0,30 / OK
        "#]],
    );
}

#[test]
fn a_modem_that_only_sends_directly_says_that_it_keeps_nothing() {
    check_events(
        r#"
        on AT+CMGW=?: ERROR
        10s .
        "#,
        expect![[r#"
            565ms = storage SM 0/30
            595ms = registration Home
            600ms = signal Some(-77)
            610ms = ready 1, announces, stored []
        "#]],
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
        expect![[r#"
            0s > \x1b
            540ms > AT+CPIN?
            545ms < +CPIN: READY / OK
            560ms > AT+CPMS="SM","SM","SM"
            565ms < +CPMS: 0,30,0,30,0,30 / OK
            565ms = storage SM 0/30
            595ms > AT+CREG?
            600ms < +CREG: 1,0 / OK
            600ms > AT+CEREG?
            605ms < +CEREG: 0,1 / OK
            605ms = registration Home
            610ms = signal Some(-77)
            610ms > AT+CPMS="SM"
            615ms < +CPMS: 0,30,0,30,0,30 / OK
            620ms = ready 1, keeps parts, announces, stored []
        "#]],
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
        expect![[r#"
            10s < +CREG: 3
            10s = registration Denied
            20s < +CREG: 1,"00C3","0B1F"
            20s = registration Home
            21s < +CREG: 1
        "#]],
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
        expect![[r#"
            0s > \x1b
            540ms > AT+CPIN?
            545ms < +CPIN: READY / OK
            550ms > AT+CSMS?
            5550ms > \x1b
            6060ms > AT+CSMS?
            11060ms > \x1b
            11575ms > AT+CPMS="SM","SM","SM"
            11580ms < +CPMS: 0,30,0,30,0,30 / OK
            11580ms = storage SM 0/30
            11605ms > AT+CSCA?
            16605ms > \x1b
            17120ms > AT+CSCA?
            22120ms > \x1b
            22640ms = registration Home
            22645ms = signal Some(-77)
            22645ms > AT+CPMS="SM"
            22650ms < +CPMS: 0,30,0,30,0,30 / OK
            22655ms = ready 1, keeps parts, announces, stored []
        "#]],
    );
}

#[test]
fn an_answer_about_the_sim_that_never_ends_is_believed_the_second_time() {
    // Wavecom Multiband 900E 1800, as python-gsmmodem recorded it.
    check_start(
        r#"
        on AT+CPIN?: +CPIN: READY
        60s .
        "#,
        expect![[r#"
            0s > \x1b
            540ms > AT+CPIN?
            545ms < +CPIN: READY
            5545ms > \x1b
            6055ms > AT+CPIN?
            6060ms < +CPIN: READY
            11060ms > \x1b
            11585ms > AT+CPMS="SM","SM","SM"
            11590ms < +CPMS: 0,30,0,30,0,30 / OK
            11590ms = storage SM 0/30
            11625ms = registration Home
            11630ms = signal Some(-77)
            11630ms > AT+CPMS="SM"
            11635ms < +CPMS: 0,30,0,30,0,30 / OK
            11640ms = ready 1, keeps parts, announces, stored []
        "#]],
    );
}

#[test]
fn a_silent_modem_is_told_of_restarted_reset_and_given_up() {
    check_events(
        r#"
        on AT: \
        on ATQ0V1E0: \
        10000s .
        "#,
        expect![[r#"
            15s = fault: the modem does not answer; look at its power, its cable and the port's name
            30250ms = restarting
            92s = reset wanted
            183750ms = reset wanted
            364500ms = fault: the modem does not come back, also after its power was cut; look at its power supply and cable, or replace it
            364500ms = reset wanted
            725750ms = reset wanted
            1448500ms = reset wanted
            2891s = reset wanted
            5772750ms = reset wanted
            9374250ms = reset wanted
        "#]],
    );
}

#[test]
fn a_strangers_number_is_no_name_of_a_modem() {
    check_events(
        r#"
        once AT+CGMR: called 0991234567 / OK
        10s .
        "#,
        expect![[r#"
            565ms = storage SM 0/30
            600ms = registration Home
            605ms = signal Some(-77)
            615ms = ready 1, of no revision, keeps parts, announces, stored []
        "#]],
    );
}

#[test]
fn an_error_that_passes_is_no_matter_for_a_technician() {
    check_events(
        r#"
        once AT+CPIN?: +CMS ERROR: 500
        once AT+CPIN?: +CME ERROR: 100
        60s .
        "#,
        expect![[r#"
            2575ms = storage SM 0/30
            2610ms = registration Home
            2615ms = signal Some(-77)
            2625ms = ready 1, keeps parts, announces, stored []
        "#]],
    );
}

#[test]
fn a_storage_that_is_refused_at_start_is_asked_again_before_it_counts_as_evidence() {
    let three = r#"
        once AT+CPMS="SM": +CMS ERROR: 500
        once AT+CPMS="SM": +CMS ERROR: 500
        once AT+CMGL=4: +CMS ERROR: 500
        on AT+CMGL=4: +CMGL: 1,3,,3 / 00AABBCC / OK
        10s .
        "#;
    check_events(
        three,
        expect![[r#"
        565ms = storage SM 0/30
        600ms = registration Home
        605ms = signal Some(-77)
        3630ms = ready 1, keeps parts, announces, stored [SM 1 sent]
    "#]],
    );
    let always = r#"
        on AT+CPMS="SM": +CMS ERROR: 500
        10s .
        "#;
    check_events(
        always,
        expect![[r#"
        565ms = storage SM 0/30
        600ms = registration Home
        605ms = signal Some(-77)
        3625ms = ready 1, announces, stored []
    "#]],
    );
}

#[test]
fn a_step_that_decides_about_evidence_is_not_given_up_for_one_refusal() {
    check_events(
        r#"
        on AT+CPMS=?: +CPMS: ("ME","SM"),("ME","SM"),("ME","SM") / OK
        on AT+CPMS="ME","ME","ME": +CPMS: 0,50,0,50,0,50 / OK
        once AT+CPMS="ME","ME","ME": +CPMS: 0,50,0,50,0,50 / OK
        once AT+CPMS="ME","ME","ME": +CMS ERROR: 500
        once AT+CMGW=?: +CMS ERROR: 500
        once AT+CMSS=?: +CMS ERROR: 500
        10s .
        "#,
        expect![[r#"
            1580ms = storage ME 0/50
            3625ms = registration Home
            3630ms = signal Some(-77)
            3635ms = storage ME 0/30
            3650ms = ready 1, keeps parts, announces, stored []
        "#]],
    );
}
