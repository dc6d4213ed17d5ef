//! Stories in virtual time, told as transcripts.

use std::time::Duration;

use expect_test::{Expect, expect};
use serde_json::{Value, json};

use super::{Input, Options, Output, Simulator};
use crate::control::Request;
use crate::profile::Profile;

/// SMS-SUBMIT "HELP" to +265991234567 with a status report, in PDU mode.
const HELP: &str = "0021000C91629519325476000004C822130A";

/// A host that does as the script says, and what the line then shows.
struct Story {
    simulator: Simulator,
    now: Duration,
    shown: String,
    answers: Vec<Value>,
}

impl Story {
    fn new(profile: &str) -> Self {
        Self::with(|options| options.profile = Profile::load(profile).expect("a built-in profile"))
    }

    /// Delays are a tenth of the real ones, to keep transcripts short.
    fn with(change: impl FnOnce(&mut Options)) -> Self {
        let mut options = Options::new(Profile::load("generic").expect("built in"), 1);
        options.time_scale = 0.1;
        change(&mut options);
        let mut story = Story {
            simulator: Simulator::new(options),
            now: Duration::ZERO,
            shown: String::new(),
            answers: Vec::new(),
        };
        story.handle(Input::Opened);
        story.shown.clear();
        story
    }

    fn handle(&mut self, input: Input<'_>) {
        self.simulator.handle(input, self.now);
        while let Some(output) = self.simulator.poll() {
            match output {
                Output::Bytes(bytes) => self.shown += &String::from_utf8_lossy(&bytes),
                Output::Answer(_, answer) => self.answers.push(answer),
                Output::Unplug => self.shown += "[unplugged]",
                Output::Plug => self.shown += "[plugged]",
                Output::Quit => self.shown += "[quit]",
            }
        }
    }

    /// Lets time go by, stopping wherever something happens.
    fn wait(&mut self, ms: u64) -> &mut Self {
        let until = self.now + Duration::from_millis(ms);
        while let Some(at) = self.simulator.deadline().filter(|at| *at <= until) {
            self.now = at.max(self.now);
            self.handle(Input::Tick);
        }
        self.now = until;
        self
    }

    fn write(&mut self, text: &str) -> &mut Self {
        self.handle(Input::Bytes(text.as_bytes()));
        self
    }

    /// Writes command lines, waiting a second after each.
    fn at(&mut self, lines: &[&str]) -> &mut Self {
        for line in lines {
            self.write(&format!("{line}\r")).wait(1_000);
        }
        self
    }

    fn ask(&mut self, request: Value) -> Value {
        let request = Request::parse(&request.to_string()).expect("a request");
        self.handle(Input::Request(1, request));
        self.answers.pop().unwrap_or(Value::Null)
    }

    fn deliver(&mut self, text: &str) -> &mut Self {
        self.ask(json!({ "op": "deliver", "from": "+265991234567", "text": text }));
        self.wait(1_000)
    }

    /// What the host saw since the last look, line ends made visible by lines.
    fn seen(&mut self) -> String {
        std::mem::take(&mut self.shown).replace("\r\n\r\n", "\n").replace('\r', "")
    }

    #[track_caller]
    fn shows(&mut self, expected: Expect) -> &mut Self {
        let seen = self.seen();
        expected.assert_eq(&format!("\n{}\n", seen.trim_matches('\n')));
        self
    }

    /// The whole dialogue with its times.
    #[track_caller]
    fn transcript(&mut self, expected: Expect) {
        let lines: Vec<String> =
            self.simulator.transcript().since(0).map(ToString::to_string).collect();
        // `expect!` takes off the indent that all lines share, so this does too.
        let indent = lines.iter().map(|line| line.len() - line.trim_start().len()).min();
        let lines: Vec<&str> = lines.iter().map(|line| &line[indent.unwrap_or(0)..]).collect();
        expected.assert_eq(&format!("\n{}\n", lines.join("\n")));
    }
}

#[test]
fn a_host_sets_up_and_reads_a_message() {
    let mut story = Story::new("sim800l");
    story.at(&["ATE0", "AT+CMGF=0;+CNMI=2,1,0,1", "AT+CPIN?"]).deliver("HELP");
    story.at(&["AT+CMGR=1", "AT+CMGR=1", "AT+CMGD=1", "AT+CMGR=1"]);
    story.transcript(expect![[r#"

               0ms # host opened the port
               0ms > ATE0
               0ms < OK
            1000ms > AT+CMGF=0;+CNMI=2,1,0,1
            1002ms < OK
            2000ms > AT+CPIN?
            2000ms < +CPIN: READY
            2000ms < OK
            3022ms < +CMTI: "SM",1
            4000ms > AT+CMGR=1
            4001ms < +CMGR: 0,,23
            4001ms < 0791628588001011040C9162951932547600006221207185418004C822130A
            4001ms < OK
            5000ms > AT+CMGR=1
            5001ms < +CMGR: 1,,23
            5001ms < 0791628588001011040C9162951932547600006221207185418004C822130A
            5001ms < OK
            6000ms > AT+CMGD=1
            6001ms < OK
            7000ms > AT+CMGR=1
            7001ms < +CMS ERROR: 321
    "#]]);
}

#[test]
fn a_stored_message_is_sent_once_and_marked() {
    let mut story = Story::new("ec25");
    story.at(&["ATE0", "AT+CNMI=2,1,0,2", "AT+CMGW=17"]).write(&format!("{HELP}\x1a")).wait(100);
    story.at(&["AT+CMGL=2", "AT+CMSS=0", "AT+CMGL=2", "AT+CMGL=3"]);
    story.shows(expect![[r#"

        ATE0
        OK
        OK
        > 
        +CMGW: 0
        OK
        +CMGL: 0,2,,17
        0021000C91629519325476000004C822130A
        OK
        +CMSS: 177
        OK
        +CDSI: "SR",0
        OK
        +CMGL: 0,3,,17
        0021000C91629519325476000004C822130A
        OK
    "#]]);
}

#[test]
fn a_host_that_died_in_the_prompt_finds_itself_in_the_prompt() {
    let mut story = Story::new("generic");
    story.at(&["ATE0", "AT+CMGS=17"]).write("0021000C9162");
    story.handle(Input::Closed);
    story.wait(5_000).handle(Input::Opened);
    story.at(&["AT", "AT+CSQ"]).write("\x1b").wait(100).at(&["AT+CSQ"]);
    story.shows(expect![[r#"

        ATE0
        OK
        > 
        OK
        +CSQ: 18,0
        OK
    "#]]);
    assert_eq!(story.simulator.sent(), []);
}

#[test]
fn a_command_under_way_goes_on_when_the_host_dies() {
    let mut story = Story::new("generic");
    story.at(&["ATE0", "AT+CMGW=17"]).write(&format!("{HELP}\x1a")).wait(100).write("AT+CMSS=1\r");
    story.handle(Input::Closed);
    story.wait(5_000).seen();
    assert_eq!(story.simulator.sent().len(), 1);
    story.handle(Input::Opened);
    story.at(&["AT+CMGR=1"]);
    // The reply of the dead host's command sat in the modem's buffer.
    story.shows(expect![[r#"

        +CMSS: 177
        OK
        +CMGR: 3,,17
        0021000C91629519325476000004C822130A
        OK
    "#]]);
}

#[test]
fn a_full_sim_keeps_messages_in_the_network_until_there_is_room() {
    let mut story = Story::new("sim800l");
    story.ask(json!({ "op": "set", "sm_capacity": 2 }));
    story.at(&["ATE0", "AT+CNMI=2,1,0,1"]).deliver("one").deliver("two").deliver("three");
    story.at(&["AT+CPMS?", "AT+CMGD=2", "AT+CMGD=1,4", "AT+CMGD=1,1"]);
    story.shows(expect![[r#"

        ATE0
        OK
        OK
        +CMTI: "SM",1
        +CMTI: "SM",2
        +SMSFULL
        +CPMS: "SM",2,2,"SM",2,2,"SM",2,2
        OK
        OK
        +CMTI: "SM",2
        OK
        OK
    "#]]);
}

#[test]
fn messages_routed_directly_wait_for_acknowledgement_in_phase_2_plus() {
    let mut story = Story::new("generic");
    story.at(&["ATE0", "AT+CNMA", "AT+CSMS=1", "AT+CNMI=2,2,0,1"]).deliver("one");
    story.at(&["AT+CNMA"]).deliver("two").deliver("three").wait(20_000);
    story.at(&["AT+CNMI?", "AT+CMGL=4"]);
    story.shows(expect![[r#"

        ATE0
        OK
        +CMS ERROR: 340
        +CSMS: 1,1,1
        OK
        OK
        +CMT: ,22
        0791628588001011040C91629519325476000062212071855180036F7719
        OK
        +CMT: ,22
        0791628588001011040C9162951932547600006221207185718003F4FB1B
        +CNMI: 2,0,0,0,0
        OK
        +CMGL: 1,0,,22
        0791628588001011040C9162951932547600006221207185718003F4FB1B
        +CMGL: 2,0,,24
        0791628588001011040C916295193254760000622120718581800574B4BC5C06
        OK
    "#]]);
}

#[test]
fn status_reports_come_as_cds_or_cdsi_or_not_at_all() {
    for (route, expected) in [
        (
            "AT+CNMI=2,1,0,0",
            expect![[r#"

            +CMGS: 255
            OK
        "#]],
        ),
        (
            "AT+CNMI=2,1,0,1",
            expect![[r#"

            +CMGS: 255
            OK
            +CDS: 25
            079162858800101106FF0C91629519325476622120718541806221207185418000
        "#]],
        ),
        (
            "AT+CNMI=2,1,0,2",
            expect![[r#"

            +CMGS: 255
            OK
            +CDSI: "SR",1
        "#]],
        ),
    ] {
        let mut story = Story::new("generic");
        story.ask(json!({ "op": "set", "next_reference": 255 }));
        story.at(&["ATE0", route, "AT+CMGS=17"]).seen();
        story.write(&format!("{HELP}\x1a")).wait(5_000).shows(expected);
    }
}

#[test]
fn the_pin_is_asked_for_and_wrong_ones_are_counted() {
    let mut story = Story::with(|options| options.pin = Some("4711".to_owned()));
    story.at(&[
        "ATE0",
        "AT+CMEE=2",
        "AT+CPIN?",
        "AT+CMGL=4",
        "AT+CPIN=\"0000\"",
        "AT+CPIN=\"0000\"",
    ]);
    story.at(&["AT+CPIN=\"0000\"", "AT+CPIN?", "AT+CPIN=\"4711\""]);
    story.at(&["AT+CREG=1", "AT+CPIN=\"12345678\",\"1111\"", "AT+CREG?", "AT+CLCK=\"SC\",2"]);
    story.shows(expect![[r#"

        ATE0
        OK
        OK
        +CPIN: SIM PIN
        OK
        +CMS ERROR: 311
        +CME ERROR: incorrect password
        +CME ERROR: incorrect password
        +CME ERROR: incorrect password
        +CPIN: SIM PUK
        OK
        +CME ERROR: SIM PUK required
        OK
        +CPIN: READY
        OK
        +CREG: 1
        +CREG: 1,1
        OK
        +CLCK: 1
        OK
    "#]]);
}

#[test]
fn text_mode_reads_and_sends() {
    let mut story = Story::new("generic");
    story.at(&["ATE0", "AT+CMGF=1", "AT+CNMI=2,1"]).deliver("It costs €5").deliver("Ŵana");
    story.at(&["AT+CSCS=\"IRA\"", "AT+CMGL=\"ALL\"", "AT+CSDH=1", "AT+CMGR=1"]);
    story.at(&["AT+CMGS=\"+265991234567\""]).write("Open\rat 7\x1a").wait(1_000);
    story.at(&["AT+CMGW=\"0991234567\"", "later\x1a", "AT+CMGL=\"STO UNSENT\"", "AT+CMSS=3"]);
    story.shows(expect![[r#"

        ATE0
        OK
        OK
        OK
        +CMTI: "SM",1
        +CMTI: "SM",2
        OK
        +CMGL: 1,"REC UNREAD","+265991234567",,"26/12/02,17:58:14+08"
        It costs ?5
        +CMGL: 2,"REC UNREAD","+265991234567",,"26/12/02,17:58:15+08"
        01740061006E0061
        OK
        OK
        +CMGR: "REC READ","+265991234567",,"26/12/02,17:58:14+08",145,4,0,0,"+265888000111",145,11
        It costs ?5
        OK
        > 
        > 
        +CMGS: 177
        OK
        > 
        +CMGW: 3
        OK
        +CMGL: 3,"STO UNSENT","0991234567",,,129,5
        later
        OK
        +CMSS: 178
        OK
    "#]]);
    let sent: Vec<_> = story.simulator.sent().into_iter().map(|m| (m.to, m.text)).collect();
    assert_eq!(sent[0], ("+265991234567".to_owned(), "Open\nat 7".to_owned()));
    assert_eq!(sent[1], ("0991234567".to_owned(), "later".to_owned()));
}

#[test]
fn bad_commands_and_bad_messages_are_refused() {
    let mut story = Story::new("generic");
    story.at(&["ATE0", "AT+NOPE", "AT+CMGF=7", "AT+CMGR=99", "AT+CMGS=3", "AT+CSQ=\"", "AT^X"]);
    story.at(&[
        "AT+CMGS=17",
        "AT+CMGS=17\x1a",
        "AT+CMGS=16",
        &format!("{HELP}\x1a"),
        "AT+CPMS=\"XX\"",
    ]);
    story.at(&["AT+CMSS=1", "AT+CMGD=1,9", "not a command", "A/", "AT+CNMI=5"]);
    story.shows(expect![[r#"

        ATE0
        OK
        ERROR
        +CMS ERROR: 303
        +CMS ERROR: 321
        +CMS ERROR: 304
        ERROR
        ERROR
        > 
        +CMS ERROR: 304
        > 
        +CMS ERROR: 304
        +CMS ERROR: 302
        +CMS ERROR: 321
        +CMS ERROR: 304
        +CMS ERROR: 304
        +CMS ERROR: 303
    "#]]);
}

#[test]
fn faults_strike_the_commands_that_they_name() {
    let mut story = Story::new("generic");
    for fault in [
        json!({ "op": "fault", "kind": "cms_error", "when": "+CMGS", "code": 38 }),
        json!({ "op": "fault", "kind": "cms_error", "when": "+CMGS", "code": 332, "after": true }),
        json!({ "op": "fault", "kind": "drop_reply", "when": "+CSQ", "skip": 1 }),
        json!({ "op": "fault", "kind": "hang", "when": "+CCLK", "ms": 3000 }),
    ] {
        story.ask(fault);
    }
    story.at(&["ATE0", "AT+CSQ", "AT+CSQ", "AT+CSQ"]);
    for _ in 0..3 {
        story.at(&["AT+CMGS=17"]).write(&format!("{HELP}\x1a")).wait(1_000);
    }
    story.at(&["AT+CCLK?", "AT+CSQ"]).wait(5_000);
    story.shows(expect![[r#"

        ATE0
        OK
        +CSQ: 18,0
        OK
        +CSQ: 18,0
        OK
        > 
        +CMS ERROR: 38
        > 
        +CMS ERROR: 332
        > 
        +CMGS: 178
        OK
        +CCLK: "26/12/02,17:58:24+08"
        OK
        +CSQ: 18,0
        OK
    "#]]);
    // The second failed by its word alone.
    assert_eq!(story.simulator.sent().len(), 2);
}

#[test]
fn a_reset_forgets_the_settings_and_keeps_the_messages() {
    let mut story = Story::new("sim7600");
    story.at(&["ATE0", "AT+CNMI=2,1"]).deliver("HELP").at(&["AT+CFUN=1,1"]).wait(3_000);
    story.at(&["AT+CNMI?", "AT+CPMS?"]);
    story.shows(expect![[r#"

        ATE0
        OK
        OK
        +CMTI: "ME",0
        OK
        [unplugged][plugged]
        *ATREADY: 1
        RDY
        +CPIN: READY
        SMS DONE
        PB DONE
        AT+CNMI?
        +CNMI: 0,0,0,0,0
        OK
        AT+CPMS?
        +CPMS: "ME",1,100,"ME",1,100,"ME",1,100
        OK
    "#]]);
}

#[test]
fn a_hung_modem_says_nothing_until_the_power_key() {
    let mut story = Story::new("generic");
    story.ask(json!({ "op": "fault", "kind": "hang" }));
    story.at(&["ATE0", "AT", "AT"]).wait(60_000).shows(expect![[r#"

        ATE0
    "#]]);
    story.ask(json!({ "op": "reset" }));
    story.wait(1_000).at(&["AT"]).shows(expect![[r#"

        AT
        OK
    "#]]);
}

#[test]
fn unsolicited_lines_come_inside_replies_when_there_is_noise() {
    let mut story = Story::new("huawei");
    story.at(&["ATE0", "AT+CNMI=2,1"]).deliver("one").deliver("two").seen();
    story.ask(json!({ "op": "noise", "urc": 0.5 }));
    story.at(&["AT+CMGL=4"]).shows(expect![[r#"

        +CMGL: 0,0,,22
        ^RSSI:17
        0791628588001011040C91629519325476000062212071853180036F7719
        ^MODE:5,4
        +CMGL: 1,0,,22
        0791628588001011040C9162951932547600006221207185418003F4FB1B
        ^RSSI:21
        OK
        ^BOOT:27781461,0,0,0,77
        ^RSSI:17
        ^STIN: 0,0,0
    "#]]);
}

#[test]
fn ussd_answers_come_after_the_ok() {
    let mut story = Story::with(|options| {
        options.profile = Profile::load("huawei").expect("built in");
        options.profile.chatter_ms = 0;
    });
    story.at(&["ATE0", "AT+CUSD=1,\"AA180C3602\",15"]).wait(2_000);
    story.at(&["AT+CUSD=1,\"AA18AC3602\",15"]).wait(2_000);
    story.ask(json!({ "op": "ussd", "text": "1 Clinic 2 Land", "m": 1 }));
    story.ask(json!({ "op": "ussd", "m": 5 }));
    story.wait(10).shows(expect![[r#"

        ATE0
        OK
        OK
        +CUSD: 0,"D9775D0E1287D961F7B80C4ACF41CD2528C692CD68AE1ACC05B286D96932A8EEA6A7D9A059EC1593BD643099CD05",15
        OK
        +CUSD: 4
        +CUSD: 1,"31D0909D76A7C72019881976931B",15
        +CUSD: 5
    "#]]);
}

#[test]
fn somebody_at_the_other_end_reads_what_the_host_says() {
    let mut story = Story::with(|options| {
        options.profile.quirks.ussd_before_ok = true;
        options.profile.quirks.ussd_coding = Some(0);
    });
    let refused = story.ask(json!({ "op": "ussd", "text": "1", "m": 1 }));
    assert!(refused["error"].as_str().is_some_and(|error| error.contains("AT+CUSD=1")));
    story.at(&["ATE0", "AT+CUSD=1", "AT+CSCS=\"UCS2\"", "AT+CUSD=1,\"002A0031003000300023\",15"]);
    story.ask(json!({ "op": "ussd", "text": "ሀ", "m": 1 }));
    story.at(&["AT+CUSD=1,\"00410042\",15", "AT+CUSD=1,\"1200\",72", "AT+CUSD=2"]);
    let said = story.ask(json!({ "op": "ussd_said" }));
    assert_eq!(
        said["said"],
        json!([
            { "text": "AB", "coding": 15, "fits": true },
            { "text": "ሀ", "coding": 72, "fits": true },
            { "text": null, "coding": 15, "fits": true },
        ])
    );
    assert_eq!(said["caller"], false);
    story.shows(expect![[r#"

        ATE0
        OK
        OK
        OK
        +CUSD: 0,"0059006F00750072002000620061006C0061006E006300650020006900730020004D004B00200031002C003200330034002E00350030002E002000560061006C0069006400200075006E00740069006C002000330031002F00310032002F0032003000320036002E",0
        OK
        +CUSD: 1,"1200",0
        OK
        OK
        OK
    "#]]);
}

#[test]
fn parts_can_be_lost_swapped_and_doubled() {
    let mut story = Story::new("generic");
    let text = "a".repeat(500);
    let answer = story.ask(json!({
        "op": "deliver", "from": "+265991234567", "text": text, "bits": 16, "reference": 513,
        "order": [4, 2], "drop_parts": [3], "repeat": [2],
    }));
    assert_eq!(answer["parts"], 4);
    let pdus: Vec<&str> = answer["pdus"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|p| p.as_str().expect("hex"))
        .collect();
    let numbers: Vec<&str> = pdus
        .iter()
        .map(|pdu| pdu.split("0608040201").nth(1).expect("a header").get(..4).expect("numbers"))
        .collect();
    assert_eq!(numbers, ["0404", "0402", "0402", "0401"]);
}

#[test]
fn wait_sent_answers_when_enough_was_sent_or_time_is_up() {
    let mut story = Story::new("generic");
    assert_eq!(
        story.ask(json!({ "op": "wait_sent", "count": 1, "timeout_ms": 60_000 })),
        Value::Null
    );
    story.at(&["AT+CMGS=17"]).write(&format!("{HELP}\x1a")).wait(2_000);
    let answer = story.answers.pop().expect("the answer that was waited for");
    assert_eq!(answer["messages"][0]["text"], "HELP");
    assert_eq!(answer["messages"][0]["parts"][0]["wants_report"], true);
    story.ask(json!({ "op": "wait_sent", "count": 2, "timeout_ms": 500 }));
    story.wait(600);
    assert_eq!(story.answers.pop().expect("an answer")["error"], "timeout");
}

#[test]
fn the_same_seed_tells_the_same_story() {
    let tell = |seed| {
        let mut story = Story::with(|options| {
            options.seed = seed;
            options.profile = Profile::load("huawei").expect("built in");
            options.noise = crate::Noise::heavy();
        });
        story.at(&["ATE0", "AT+CNMI=2,1,0,2"]).deliver(&"long ".repeat(60));
        for _ in 0..20 {
            story.at(&["AT+CMGL=4", "AT+CMGS=17", &format!("{HELP}\x1a")]);
        }
        (story.seen(), story.simulator.sent())
    };
    assert_eq!(tell(7), tell(7));
    assert_ne!(tell(7), tell(8));
}

#[test]
fn nothing_that_a_host_writes_makes_it_panic() {
    let words = [
        "AT",
        "at+",
        "+CMGS=",
        "+CMGW=17",
        "+CMGL=4",
        "+CMGR=0",
        "+CMSS=1",
        "+CMGD=1,4",
        "\r",
        "\r",
        "\r",
        "\n",
        "\x1a",
        "\x1b",
        "\"",
        ",",
        ";",
        "=?",
        "?",
        "A/",
        "0021000C91",
        HELP,
        "17",
        "164",
        "+CMGF=1",
        "+CMGF=0",
        "+CUSD=1,\"AA\",15",
        "+CSCS=\"UCS2\"",
        "é",
        "\u{0}",
        "99999999999999999999",
        "+CPIN=\"1\"",
        "+COPS=?",
        "D*#",
    ];
    for profile in Profile::known() {
        let mut rng = fastrand::Rng::with_seed(3);
        let mut story = Story::new(profile);
        story.ask(json!({ "op": "noise", "level": "heavy" }));
        for _ in 0..3_000 {
            let word = rng.choice(words).unwrap_or("AT");
            story.write(word).wait(rng.u64(..300));
            if rng.u8(..30) == 0 {
                let octets: Vec<u8> = (0..rng.usize(..60)).map(|_| rng.u8(..)).collect();
                story.ask(json!({ "op": "deliver_pdu", "pdu": hex::encode(&octets) }));
                story.handle(Input::Bytes(&octets));
            }
        }
        assert!(story.simulator.transcript().total() > 100, "{profile}");
    }
}
