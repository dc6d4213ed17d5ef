use expect_test::expect;

use super::*;

#[test]
fn a_time_out_is_followed_by_getting_back_in_step() {
    check_all_ready(
        r#"
        2s .
        once AT+CREG?: \
        10s status
        40s .
        "#,
        expect![[r#"
            10s > AT+CREG?
            15s > \x1b
            15250ms > AT
            15255ms < OK
            15505ms > AT+CMEE?
            15510ms < +CMEE: 1 / OK
            15510ms > AT+CPMS?
            15515ms < +CPMS: "SM",0,30,"SM",0,30,"SM",0,30 / OK
            15515ms > AT+CREG?
            15520ms < +CREG: 1,1 / OK
            15520ms > AT+CSQ
            15525ms < +CSQ: 18,0 / OK
            15525ms = signal Some(-77)
        "#]],
    );
}

#[test]
fn a_modem_that_hangs_at_one_command_is_initialised_again_and_then_reset() {
    check_events(
        r#"
        on AT+CMGL=4: \
        1200s .
        "#,
        expect![[r#"
            565ms = storage SM 0/30
            600ms = registration Home
            605ms = signal Some(-77)
            92215ms = storage SM 0/30
            92250ms = registration Home
            92255ms = signal Some(-77)
            183300ms = fault: the modem gets stuck again and again; cut its power for ten seconds
            183300ms = restarting
            188865ms = storage SM 0/30
            188900ms = registration Home
            188905ms = signal Some(-77)
            280515ms = storage SM 0/30
            280550ms = registration Home
            280555ms = signal Some(-77)
            371600ms = reset wanted
            372165ms = storage SM 0/30
            372200ms = registration Home
            372205ms = signal Some(-77)
            463815ms = storage SM 0/30
            463850ms = registration Home
            463855ms = signal Some(-77)
            554900ms = reset wanted
            555465ms = storage SM 0/30
            555500ms = registration Home
            555505ms = signal Some(-77)
            647115ms = storage SM 0/30
            647150ms = registration Home
            647155ms = signal Some(-77)
            738200ms = fault: the modem does not come back, also after its power was cut; look at its power supply and cable, or replace it
            738200ms = reset wanted
            738765ms = storage SM 0/30
            738800ms = registration Home
            738805ms = signal Some(-77)
            830415ms = storage SM 0/30
            830450ms = registration Home
            830455ms = signal Some(-77)
            922065ms = storage SM 0/30
            922100ms = registration Home
            922105ms = signal Some(-77)
            1013715ms = storage SM 0/30
            1013750ms = registration Home
            1013755ms = signal Some(-77)
            1104800ms = reset wanted
            1105365ms = storage SM 0/30
            1105400ms = registration Home
            1105405ms = signal Some(-77)
            1197015ms = storage SM 0/30
            1197050ms = registration Home
            1197055ms = signal Some(-77)
        "#]],
    );
}

#[test]
fn a_modem_that_restarts_is_initialised_again() {
    check_all_ready(
        r#"
        10s < RDY
        10100ms < +CFUN: 1
        11s < +CPIN: READY
        12s < Call Ready
        13s < SMS Ready
        14s .
        "#,
        expect![[r#"
            10s < RDY
            10s = interrupted: the modem restarted by itself
            10s > \x1b
            10100ms < +CFUN: 1
            10350ms > AT
            10355ms < OK
            10605ms > AT+CMEE?
            10610ms < +CMEE: 1 / OK
            10610ms > ATE0
            10615ms < OK
            10615ms > AT+CMEE=1
            10620ms < OK
            10620ms > AT+CGMI
            10625ms < SIMCOM_Ltd / OK
            10625ms > AT+CGMM
            10630ms < SIMCOM_SIM800L / OK
            10630ms > AT+CGMR
            10635ms < Revision:1418B05SIM800L24 / OK
            10635ms > AT+CGSN
            10640ms < 860123456789042 / OK
            10640ms > AT+CPIN?
            10645ms < +CPIN: READY / OK
            10645ms > AT+CMGF=0
            10650ms < OK
            10650ms > AT+CSMS?
            10655ms < +CSMS: 0,1,1,1 / OK
            10655ms > AT+CPMS=?
            10660ms < +CPMS: ("SM"),("SM"),("SM") / OK
            10660ms > AT+CPMS="SM","SM","SM"
            10665ms < +CPMS: 0,30,0,30,0,30 / OK
            10665ms = storage SM 0/30
            10665ms > AT+CMGW=?
            10670ms < OK
            10670ms > AT+CMSS=?
            10675ms < OK
            10675ms > AT+CNMI=?
            10680ms < +CNMI: (0,1,2),(0,1,2,3),(0,2),(0,1),(0,1) / OK
            10680ms > AT+CNMI=2,1,0,1,0
            10685ms < OK
            10685ms > AT+CREG=1
            10690ms < OK
            10690ms > AT+CSCA?
            10695ms < +CSCA: "+254722500029",145 / OK
            10695ms > AT+CREG?
            10700ms < +CREG: 1,1 / OK
            10700ms = registration Home
            10700ms > AT+CSQ
            10705ms < +CSQ: 18,0 / OK
            10705ms = signal Some(-77)
            10705ms > AT+CPMS="SM"
            10710ms < +CPMS: 0,30,0,30,0,30 / OK
            10710ms > AT+CMGL=4
            10715ms < OK
            10715ms = ready 2, keeps parts, announces, stored []
            11s < +CPIN: READY
            12s < Call Ready
            13s < SMS Ready
        "#]],
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
        expect![[r#"
            565ms = storage SM 0/30
            600ms = registration Home
            605ms = signal Some(-77)
            615ms = ready 1, keeps parts, announces, stored []
            20005ms = interrupted: the modem restarted by itself
            20570ms = storage SM 0/30
            20605ms = registration Home
            20610ms = signal Some(-77)
            20620ms = ready 2, keeps parts, announces, stored []
        "#]],
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
        expect![[r#"
            565ms = storage SM 0/30
            600ms = registration Home
            605ms = signal Some(-93)
            615ms = ready 1, keeps parts, announces, stored []
            20010ms = signal Some(-93)
        "#]],
    );
}

#[test]
fn floods_of_announcements_change_nothing() {
    check_all_ready(
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
        expect![[r#"
            10s < ^RSSI:20
            10s < ^BOOT:1,0,0,0,6
            10s < +CUSD: 0,"x",15
            10s = ussd "+CUSD: 0,\"x\",15"
            10s < RING
            10s < NO CARRIER
            10s < +CBM: 3 / 112233
            11s > AT+CREG?
            11005ms < +CREG: 1,1 / OK
            11005ms > AT+CSQ
            11010ms < +CSQ: 18,0 / OK
            11010ms = signal Some(-77)
        "#]],
    );
}

#[test]
fn a_prompt_out_of_nowhere_is_escaped_from() {
    check_all_ready(
        r#"
        10s < >
        20s .
        "#,
        expect![[r#"
            10s < >
            10s > \x1b
            10250ms > AT
            10255ms < OK
            10505ms > AT+CMEE?
            10510ms < +CMEE: 1 / OK
            10510ms > AT+CPMS?
            10515ms < +CPMS: "SM",0,30,"SM",0,30,"SM",0,30 / OK
        "#]],
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
        expect![[r#"
            565ms = storage SM 0/30
            600ms = registration Home
            605ms = signal Some(-77)
            615ms = ready 1, keeps parts, announces, stored []
            20s = interrupted: the SIM is gone
            30595ms = fault: there is no SIM in the modem, or it does not make contact
        "#]],
    );
}

#[test]
fn a_modem_that_comes_back_after_restarting_itself_needs_nobody() {
    check_ready(
        r#"
        10s .
        on AT+CREG?: \
        on AT: \
        on ATQ0V1E0: \
        on AT+CFUN=1,1: OK
        11s status
        49s .
        on AT: OK
        on AT+CREG?: +CREG: 1,1 / OK
        51s < RDY
        70s .
        "#,
        expect![[r#"
            11s > AT+CREG?
            16s > \x1b
            16250ms > AT
            17250ms > AT
            18250ms > AT
            19250ms > ATQ0V1E0
            20250ms > \x1b
            20500ms > AT
            21500ms > AT
            22500ms > AT
            23500ms > ATQ0V1E0
            24500ms > \x1b
            24750ms > AT
            25750ms > AT
            26750ms > AT
            27750ms > ATQ0V1E0
            28750ms > \x1b
            29s > AT
            30s > AT
            31s = fault: the modem does not answer; look at its power, its cable and the port's name
            31s > AT
            34s > ATQ0V1E0
            37s > \x1b
            37250ms > AT
            40250ms > AT
            43250ms > AT
            46250ms = restarting
            46250ms = interrupted: the modem stopped answering
            46250ms > AT+CFUN=1,1
            46255ms < OK
            51s < RDY
            51s > \x1b
            51540ms > AT+CPIN?
            51545ms < +CPIN: READY / OK
            51560ms > AT+CPMS="SM","SM","SM"
            51565ms < +CPMS: 0,30,0,30,0,30 / OK
            51565ms = storage SM 0/30
            51600ms = registration Home
            51605ms = signal Some(-77)
            51605ms > AT+CPMS="SM"
            51610ms < +CPMS: 0,30,0,30,0,30 / OK
            51615ms = ready 2, keeps parts, announces, stored []
        "#]],
    );
}

#[test]
fn a_modem_that_restarted_without_a_word_is_known_by_its_storages() {
    // It was told to use ME, hangs, restarts, and would now delete from SM.
    check_ready(
        r#"
        on AT+CPMS=?: +CPMS: ("ME","SM"),("ME","SM"),("ME","SM") / OK
        on AT+CPMS="ME","ME","ME": +CPMS: 0,50,0,50,0,50 / OK
        on AT+CPMS?: +CPMS: "SM",1,30,"SM",1,30,"SM",1,30 / OK
        once AT+CSQ: +CSQ: 18,0 / OK
        once AT+CSQ: \
        10s status
        60s .
        "#,
        expect![[r#"
            10005ms > AT+CSQ
            15005ms > \x1b
            15515ms > AT+CPMS?
            15520ms < +CPMS: "SM",1,30,"SM",1,30,"SM",1,30 / OK
            15520ms = interrupted: the modem restarted by itself
            15520ms > \x1b
            16060ms > AT+CPIN?
            16065ms < +CPIN: READY / OK
            16075ms > AT+CPMS=?
            16080ms < +CPMS: ("ME","SM"),("ME","SM"),("ME","SM") / OK
            16080ms > AT+CPMS="ME","ME","ME"
            16085ms < +CPMS: 0,50,0,50,0,50 / OK
            16085ms > AT+CPMS="SM","SM","SM"
            16090ms < +CPMS: 0,30,0,30,0,30 / OK
            16090ms > AT+CPMS="ME","ME","ME"
            16095ms < +CPMS: 0,50,0,50,0,50 / OK
            16095ms = storage ME 0/50
            16130ms = registration Home
            16135ms = signal Some(-77)
            16135ms > AT+CPMS="ME"
            16140ms < +CPMS: 0,30,0,30,0,30 / OK
            16140ms = storage ME 0/30
            16145ms > AT+CPMS="SM"
            16150ms < +CPMS: 0,30,0,30,0,30 / OK
            16155ms = ready 2, keeps parts, announces, stored []
        "#]],
    );
}
