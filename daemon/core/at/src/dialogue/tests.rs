use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

/// Plays a transcript and tells what the dialogue made of it. Lines of the script:
///
/// * `120ms > AT+CSQ` asks; what kind of answer is expected follows from the command
/// * `120ms < OK` the modem prints a line
/// * `120ms << \r\n> ` the modem prints exactly this
/// * `5s .` time passes
fn check(script: &str, expect: Expect) {
    expect.assert_eq(&play(script, usize::MAX));
}

fn play(script: &str, chunk: usize) -> String {
    let mut dialogue = Dialogue::new();
    let mut told = String::new();
    for line in script.lines().map(str::trim_start).filter(|line| !line.is_empty()) {
        let (time, rest) = line.split_once(' ').expect("a time and what happens");
        let now = moment(time);
        let mut drain = |dialogue: &mut Dialogue| {
            while let Some(output) = dialogue.poll() {
                told.push_str(&format!("{time} {}\n", tell(&output)));
            }
        };
        if let Some(command) = rest.strip_prefix("> ") {
            dialogue.handle(Input::Ask(request(command)), now);
            drain(&mut dialogue);
        } else if rest == "ESC" {
            dialogue.handle(Input::Escape, now);
        } else if rest == "." {
            dialogue.handle(Input::Tick, now);
        } else {
            let bytes = match rest.strip_prefix("<< ") {
                Some(raw) => raw.replace("\\r", "\r").replace("\\n", "\n"),
                None => format!("\r\n{}\r\n", rest.strip_prefix("< ").expect("a known arrow")),
            };
            for chunk in bytes.as_bytes().chunks(chunk) {
                dialogue.handle(Input::Bytes(chunk), now);
                drain(&mut dialogue);
            }
        }
        drain(&mut dialogue);
    }
    told
}

fn moment(text: &str) -> Timestamp {
    let ms = match text.strip_suffix("ms") {
        Some(ms) => ms.parse().expect("milliseconds"),
        None => text.strip_suffix('s').and_then(|s| s.parse::<i64>().ok()).expect("s") * 1000,
    };
    Timestamp::from_unix_ms(ms)
}

fn request(command: &str) -> Request {
    let name = command.split(['=', '?']).next().unwrap_or_default();
    match name {
        "AT+CSQ" => Request::proof(command, "+CSQ:", SECOND),
        "AT+CREG" => Request::lines(command, "+CREG:", SECOND),
        "AT+CGMI" => Request::text(command, "+CGMI:", SECOND),
        "AT+CMGL" => Request::pdus(command, "+CMGL:", SECOND),
        "AT+CMGR" => Request::pdus(command, "+CMGR:", SECOND),
        "AT+CMGW" => {
            Request::proof(command, "+CMGW:", SECOND).with_pdu(&[0x00, 0x11, 0x22], SECOND)
        }
        "AT+CMSS" => Request::proof(command, "+CMSS:", 60 * SECOND),
        _ => Request::plain(command, SECOND),
    }
}

fn tell(output: &Output) -> String {
    let line = |line: &Line| match (&line.pdu, line.whole) {
        (None, true) => line.text.clone(),
        (None, false) => format!("{} | no PDU", line.text),
        (Some(pdu), true) => format!("{} | {}", line.text, hex::encode_upper(pdu)),
        (Some(pdu), false) => format!("{} | {} not whole", line.text, hex::encode_upper(pdu)),
    };
    match output {
        Output::Write(bytes) => format!("> {}", bytes.escape_ascii()),
        Output::Line(l) => format!("line {}", line(l)),
        Output::Unsolicited(l) => format!("unsolicited {}", line(l)),
        Output::Done(outcome) => format!("{outcome:?}"),
        Output::StrayResult(result) => format!("stray {result:?}"),
        Output::StrayPrompt => "stray prompt".to_owned(),
        Output::Echo => "echo".to_owned(),
    }
}

#[test]
fn a_command_its_answer_and_its_result() {
    check(
        "
        0ms > AT+CSQ
        4ms < +CSQ: 18,0
        5ms < OK
        ",
        expect![[r#"
            0ms > AT+CSQ\r
            4ms line +CSQ: 18,0
            5ms Final(Ok)
        "#]],
    );
}

#[test]
fn the_echo_may_be_on() {
    check(
        r"
        0ms > AT+CSQ
        1ms << AT+CSQ\r\r\n+CSQ: 18,0\r\n\r\nOK\r\n
        ",
        expect![[r#"
            0ms > AT+CSQ\r
            1ms echo
            1ms line +CSQ: 18,0
            1ms Final(Ok)
        "#]],
    );
}

#[test]
fn errors_come_with_a_number_or_words_or_nothing() {
    check(
        "
        0ms > AT+CMSS=3
        1ms < +CMS ERROR: 38
        2ms > AT+CMSS=3
        3ms < +CMS ERROR: network out of order
        4ms > AT+CSQ
        5ms < +CME ERROR: 14
        6ms > AT+CSQ
        7ms < ERROR
        8ms > AT+CSQ
        9ms < COMMAND NOT SUPPORT
        ",
        expect![[r#"
            0ms > AT+CMSS=3\r
            1ms Final(Error(Cms(38)))
            2ms > AT+CMSS=3\r
            3ms Final(Error(Cms(38)))
            4ms > AT+CSQ\r
            5ms Final(Error(Cme(14)))
            6ms > AT+CSQ\r
            7ms Final(Error(Plain))
            8ms > AT+CSQ\r
            9ms Final(Error(Plain))
        "#]],
    );
}

#[test]
fn an_announcement_may_stand_between_an_answer_and_its_result() {
    check(
        r#"
        0ms > AT+CSQ
        1ms < +CMTI: "SM",3
        2ms < +CSQ: 18,0
        3ms < ^RSSI:20
        4ms < OK
        5ms < +CDSI: "SR",1
        "#,
        expect![[r#"
            0ms > AT+CSQ\r
            1ms unsolicited +CMTI: "SM",3
            2ms line +CSQ: 18,0
            3ms unsolicited ^RSSI:20
            4ms Final(Ok)
            5ms unsolicited +CDSI: "SR",1
        "#]],
    );
}

#[test]
fn a_status_report_may_arrive_inside_a_stored_message() {
    check(
        "
        0ms > AT+CMGL=4
        1ms < +CMGL: 1,0,,3
        2ms < +CDS: 4
        3ms < 00AABBCCDD
        4ms < 00112233
        5ms < +CMGL: 2,1,,4
        6ms < 0055667788
        7ms < OK
        ",
        expect![[r#"
            0ms > AT+CMGL=4\r
            3ms unsolicited +CDS: 4 | 00AABBCCDD
            4ms line +CMGL: 1,0,,3 | 00112233
            6ms line +CMGL: 2,1,,4 | 0055667788
            7ms Final(Ok)
        "#]],
    );
}

#[test]
fn a_direct_delivery_may_stand_around_the_final_result() {
    check(
        "
        0ms > AT+CMGR=1
        1ms < +CMGR: 1,,3
        2ms < 00112233
        3ms < +CMT: ,4
        4ms < 00AABBCCDD
        5ms < OK
        ",
        expect![[r#"
            0ms > AT+CMGR=1\r
            2ms line +CMGR: 1,,3 | 00112233
            4ms unsolicited +CMT: ,4 | 00AABBCCDD
            5ms Final(Ok)
        "#]],
    );
}

#[test]
fn a_line_of_a_pair_that_lost_bytes_is_marked() {
    check(
        "
        0ms > AT+CMGL=4
        1ms < +CMGL: 1,0,,3
        2ms < 0011
        3ms < +CMGL: 2,0,,3
        4ms < +CMGL: 3,0,,3
        5ms < 00112233
        6ms < +CMGL: 4,0,,3
        7ms < OK
        ",
        expect![[r#"
            0ms > AT+CMGL=4\r
            2ms line +CMGL: 1,0,,3 | 0011 not whole
            4ms line +CMGL: 2,0,,3 | no PDU
            5ms line +CMGL: 3,0,,3 | 00112233
            7ms line +CMGL: 4,0,,3 | no PDU
            7ms Final(Ok)
        "#]],
    );
}

#[test]
fn the_prompt_comes_without_a_line_end() {
    check(
        r"
        0ms > AT+CMGW=2
        1ms << \r\n>
        2ms < +CMGW: 7
        3ms < OK
        ",
        expect![[r#"
            0ms > AT+CMGW=2\r
            1ms > 001122\x1a
            2ms line +CMGW: 7
            3ms Final(Ok)
        "#]],
    );
}

#[test]
fn announcements_and_an_echo_may_stand_around_the_prompt() {
    check(
        r#"
        0ms << AT+CMGW=2\r
        1ms > AT+CMGW=2
        2ms < +CMTI: "SM",3
        3ms << \r\n> \r\n+CMTI: "SM",4\r\n
        4ms << 001122\r\n
        5ms < +CMGW: 7
        6ms < OK
        "#,
        expect![[r#"
            0ms echo
            1ms > AT+CMGW=2\r
            2ms unsolicited +CMTI: "SM",3
            3ms > 001122\x1a
            3ms unsolicited +CMTI: "SM",4
            4ms echo
            5ms line +CMGW: 7
            6ms Final(Ok)
        "#]],
    );
}

#[test]
fn a_modem_may_refuse_before_the_prompt() {
    check(
        "
        0ms > AT+CMGW=2
        1ms < +CMS ERROR: 322
        ",
        expect![[r#"
            0ms > AT+CMGW=2\r
            1ms Final(Error(Cms(322)))
        "#]],
    );
}

#[test]
fn an_ok_from_before_is_not_taken_for_ours() {
    check(
        "
        0ms > AT+CSQ
        1ms < OK
        2ms < +CMSS: 12
        3ms < OK
        4ms < +CSQ: 18,0
        5ms < OK
        6ms < OK
        ",
        expect![[r#"
            0ms > AT+CSQ\r
            1ms stray Ok
            2ms unsolicited +CMSS: 12
            3ms stray Ok
            4ms line +CSQ: 18,0
            5ms Final(Ok)
            6ms stray Ok
        "#]],
    );
}

#[test]
fn a_prompt_from_before_is_noticed() {
    check(
        r"
        0ms << \r\n>
        1ms ESC
        2ms < OK
        3ms > AT+CSQ
        4ms << \r\n>
        ",
        expect![[r#"
            0ms stray prompt
            1ms > \x1b
            2ms stray Ok
            3ms > AT+CSQ\r
            4ms stray prompt
        "#]],
    );
}

#[test]
fn silence_ends_a_command_and_says_whether_the_pdu_was_written() {
    check(
        r"
        0ms > AT+CMGW=2
        999ms .
        1000ms .
        2s > AT+CMGW=2
        2500ms << \r\n>
        3499ms .
        3500ms .
        4s < +CMGW: 7
        ",
        expect![[r#"
            0ms > AT+CMGW=2\r
            1000ms TimedOut { pdu_written: false }
            2s > AT+CMGW=2\r
            2500ms > 001122\x1a
            3500ms TimedOut { pdu_written: true }
            4s unsolicited +CMGW: 7
        "#]],
    );
}

#[test]
fn an_answer_that_goes_on_is_waited_for_but_not_for_ever() {
    let mut script = String::from("0ms > AT+CMGL=4\n");
    for at in 1..14 {
        script += &format!("{}ms < +CMGL: 1,0,,0\n", at * 900);
    }
    let told = play(&script, usize::MAX);
    assert!(told.contains("9900ms line"), "{told}");
    assert!(told.contains("10800ms TimedOut"), "{told}");
}

#[test]
fn free_text_is_told_from_announcements() {
    check(
        r#"
        0ms > AT+CGMI
        1ms < RING
        2ms < ^BOOT:1,0,0,0,6
        3ms < NO CARRIER
        4ms < MISSED_CALL: 07:02AM 0991234567
        4ms < SIMCOM_Ltd
        5ms < OK
        6ms > AT+CGMI
        7ms < +CGMI: "Quectel"
        8ms < OK
        "#,
        expect![[r#"
            0ms > AT+CGMI\r
            1ms unsolicited RING
            2ms unsolicited ^BOOT:1,0,0,0,6
            3ms unsolicited NO CARRIER
            4ms unsolicited MISSED_CALL: 07:02AM 0991234567
            4ms line SIMCOM_Ltd
            5ms Final(Ok)
            6ms > AT+CGMI\r
            7ms line +CGMI: "Quectel"
            8ms Final(Ok)
        "#]],
    );
}

/// What a modem may say, to be chosen from at random.
const FRAGMENTS: &[&str] = &[
    "\r\n",
    "OK\r\n",
    "ERROR\r\n",
    "+CMS ERROR: 500\r\n",
    "+CMGL: 1,0,,3\r\n",
    "00112233\r\n",
    "> ",
    ">",
    "+CDS: 3\r\n",
    "+CMT: ,3\r\n",
    "+CMTI: \"SM\",1\r\n",
    "AT+CMGW=2\r",
    "+CMGW: 3\r\n",
    "+CSQ: 1,1\r\n",
    "0011",
    "AA",
    "\0",
    "\u{1b}",
    "+CREG: 1\r\n",
    "RING\r\n",
    "é\r\n",
];

proptest! {
    #[test]
    fn how_bytes_are_chunked_does_not_matter(
        picks in prop::collection::vec(0..FRAGMENTS.len(), 0..60),
        command in prop::sample::select(vec!["AT+CMGL=4", "AT+CMGW=2", "AT+CSQ", "AT+CGMI", "AT"]),
        chunk in 1usize..9,
    ) {
        let raw: String = picks.iter().filter_map(|pick| FRAGMENTS.get(*pick)).copied().collect();
        let escaped = raw.replace('\r', "\\r").replace('\n', "\\n");
        let script = format!("0ms > {command}\n1ms << {escaped}");
        prop_assert_eq!(play(&script, usize::MAX), play(&script, chunk));
    }

    #[test]
    fn any_bytes_are_survived_in_bounded_memory(
        bytes in prop::collection::vec(any::<u8>(), 0..4000),
        command in prop::sample::select(vec!["AT+CMGL=4", "AT+CMGW=2", "AT+CSQ", "AT+CGMI", "AT"]),
    ) {
        let mut dialogue = Dialogue::new();
        let now = Timestamp::default();
        dialogue.handle(Input::Ask(request(command)), now);
        for chunk in bytes.chunks(100) {
            dialogue.handle(Input::Bytes(chunk), now);
            while dialogue.poll().is_some() {}
        }
        prop_assert!(dialogue.held() <= 3 * 2048);
    }
}
