//! Sessions as their callers see them, through both doors.

#![allow(clippy::unwrap_used, reason = "a page that does not come should fail loudly")]

use std::time::Duration;

use expect_test::{Expect, expect};
use jibu_types::{Language, PhoneNumber, Timestamp};
use jibu_ussd::{
    Config, Exchange, Heard, Input, Limits, Line, Output, QuestionId, Reply, Sessions, Topic,
};

fn septets(text: &str) -> Option<usize> {
    jibu_gsm::alphabet::to_septets(text, jibu_gsm::Shift::NONE).map(|septets| septets.len())
}

fn config() -> Config {
    let topic = |language, title: &str, questions: &[&str]| Topic {
        language,
        title: title.into(),
        questions: questions.iter().map(|q| (*q).to_owned()).collect(),
    };
    let mut config = Config::new(vec![Language::EN, Language::SW], Limits::new(septets));
    config.topics = vec![
        topic(Language::EN, "Water", &["How do I boil water?", "How do I store water?"]),
        topic(Language::EN, "Malaria", &[]),
        topic(Language::SW, "Maji", &["Nichemshe maji vipi?"]),
    ];
    config
}

/// Three pages in the GSM alphabet.
const LONG: &str = "Bring clear water to a rolling boil and let it boil for 1 minute. Above \
    2 000 metres let it boil for 3 minutes. Cool it in the same pot with a lid on it. Pour it into \
    a clean can with a narrow neck and a lid. Do not put hands or cups into the can. Give a child \
    10 ml of it with a clean spoon when it vomits. Cloudy water is strained through a clean cloth \
    first. Source: Safe water.";

/// A person at a phone, at a gateway or at a modem, and whoever answers.
struct Stage {
    sessions: Sessions,
    now: Timestamp,
    exchanges: u64,
    questions: u64,
    asked: Vec<String>,
    sent: Vec<String>,
}

impl Stage {
    fn new(config: Config) -> Self {
        Stage {
            sessions: Sessions::new(config),
            now: Timestamp::from_unix_seconds(1000),
            exchanges: 0,
            questions: 0,
            asked: Vec::new(),
            sent: Vec::new(),
        }
    }

    fn pass(&mut self, seconds: u64) -> Option<String> {
        self.now = self.now + Duration::from_secs(seconds);
        self.handle(Input::Tick)
    }

    /// The page that comes at once, if one does.
    fn handle(&mut self, input: Input) -> Option<String> {
        self.sessions.handle(input, self.now);
        let mut shown = None;
        while let Some(output) = self.sessions.poll() {
            match output {
                Output::Show { page, ends, .. } => {
                    let limit = if septets(&page).is_some() { 182 } else { 70 };
                    let length = septets(&page).unwrap_or(page.encode_utf16().count());
                    assert!(length <= limit, "{length}: {page}");
                    shown = Some(format!("{} {page}", if ends { "END" } else { "CON" }));
                }
                Output::Ask { question, text, topic, language, conversation } => {
                    self.questions = question.0;
                    let language = language.map_or("?".into(), |l| l.to_string());
                    let topic = topic.map(|topic| format!(" under {topic}")).unwrap_or_default();
                    let state = conversation.map(|c| format!(" after {c}")).unwrap_or_default();
                    self.asked.push(format!("{language}: {text}{topic}{state}"));
                }
                Output::Sms { to, text, .. } => {
                    self.sent.push(format!("{to}: {} characters", text.chars().count()));
                }
            }
        }
        shown
    }

    fn request(&mut self, line: Line, caller: Option<&str>, heard: Heard) -> Option<String> {
        self.exchanges += 1;
        let caller = caller.map(|number| PhoneNumber::parse(number).unwrap());
        self.handle(Input::Request { exchange: Exchange(self.exchanges), line, caller, heard })
    }

    /// A gateway's call-back.
    fn calls(&mut self, session: &str, number: &str, text: &str) -> Option<String> {
        self.request(Line::Gateway(session.into()), Some(number), Heard::History(text.into()))
    }

    /// A `+CUSD: 1` line.
    fn cusd(&mut self, text: &str) -> Option<String> {
        self.request(Line::Modem("gsm".into()), None, Heard::Entry(text.into()))
    }

    fn answer(&mut self, text: &str) -> Option<String> {
        self.reply(Reply::Text { text: text.into(), brief: None, language: Language::EN })
    }

    fn reply(&mut self, reply: Reply) -> Option<String> {
        let question = QuestionId(self.questions);
        let conversation = Some(format!("state {}", question.0));
        self.handle(Input::Answered { question, reply, conversation })
    }
}

const AMINA: &str = "+265991234567";
const BUPE: &str = "+265997654321";

fn check(pages: &[Option<String>], expected: Expect) {
    let shown: Vec<&str> = pages.iter().map(|page| page.as_deref().unwrap_or("-")).collect();
    expected.assert_eq(&shown.join("\n---\n"));
}

#[test]
fn a_session_goes_from_the_language_to_the_last_page_of_an_answer() {
    let mut stage = Stage::new(config());
    let mut pages = vec![
        stage.calls("a", AMINA, ""),
        stage.calls("a", AMINA, "1"),
        stage.calls("a", AMINA, "1*1"),
        stage.calls("a", AMINA, "1*1*1"),
    ];
    pages.push(stage.answer(LONG));
    pages.push(stage.calls("a", AMINA, "1*1*1*9"));
    pages.push(stage.calls("a", AMINA, "1*1*1*9*9"));
    pages.push(stage.calls("a", AMINA, "1*1*1*9*9*0"));
    assert_eq!(stage.asked, ["en: How do I boil water? under Water"]);
    check(
        &pages,
        expect![[r#"
        CON Jibu
        1.English
        2.Kiswahili
        ---
        CON Choose a number, or write your question:
        1.Water
        2.Malaria
        0.Back
        ---
        CON Choose a number, or write your question:
        1.How do I boil water?
        2.How do I store water?
        0.Back
        ---
        -
        ---
        CON Bring clear water to a rolling boil and let it boil for 1 minute. Above 2 000 metres let it boil for 3 minutes.
        9.More 8.SMS 0.Back
        ---
        CON Cool it in the same pot with a lid on it. Pour it into a clean can with a narrow neck and a lid. Do not put hands or cups into the can.
        9.More 8.SMS 0.Back
        ---
        CON Give a child 10 ml of it with a clean spoon when it vomits. Cloudy water is strained through a clean cloth first. Source: Safe water.
        8.SMS 0.Back
        ---
        CON Cool it in the same pot with a lid on it. Pour it into a clean can with a narrow neck and a lid. Do not put hands or cups into the can.
        9.More 8.SMS 0.Back"#]],
    );
}

/// What the caller sees at the two doors, entry by entry.
#[test]
fn both_doors_lead_to_the_same_pages() {
    // Without SMS: a modem does not say who calls.
    let quiet = Config { sms: false, ..config() };
    let (mut gateway, mut modem) = (Stage::new(quiet.clone()), Stage::new(quiet));
    assert_eq!(gateway.calls("a", AMINA, ""), modem.cusd("*384#"));
    let mut text = String::new();
    for entry in ["2", "x", "1", "0", "1*1", "9", "nini?", "0", "0", "7"] {
        text = if text.is_empty() { entry.to_owned() } else { format!("{text}*{entry}") };
        let (a, b) = (gateway.calls("a", AMINA, &text), modem.cusd(entry));
        assert_eq!(a, b, "{entry}");
        if a.is_none() {
            assert_eq!(gateway.answer(LONG), modem.answer(LONG));
        }
    }
    assert_eq!(gateway.asked, modem.asked);
    assert!(gateway.asked.len() >= 2, "{:?}", gateway.asked);
}

#[test]
fn answers_in_khmer_and_amharic_keep_to_seventy_characters_a_page() {
    let km = "ដាំទឹកឱ្យពុះយ៉ាងហោចណាស់មួយនាទី មុនពេលផឹក។ ទុកទឹកក្នុងធុងស្អាត ដែលមានគម្រប។ \
              លាងដៃជាមួយសាប៊ូ មុនពេលញ៉ាំ និងក្រោយបង្គន់។ ឱ្យកុមារ 10 មល 3 ដងក្នុងមួយថ្ងៃ។";
    let am = "ውሃውን ቢያንስ 1 ደቂቃ አፍሉት። ንጹህ እቃ ውስጥ ክዳን ባለው ያስቀምጡት። ከመብላትዎ በፊት \
              እጅዎን በሳሙና ይታጠቡ። ለልጁ 10 ሚሊ በቀን 3 ጊዜ ይስጡት። ወደ ጤና ጣቢያ ይሂዱ።";
    for (code, answer) in [("km", km), ("am", am)] {
        let language = Language::parse(code).unwrap();
        let mut stage = Stage::new(Config::new(vec![language], Limits::new(septets)));
        stage.calls("a", AMINA, "");
        assert_eq!(stage.calls("a", AMINA, "ទឹក"), None);
        let mut text = "ទឹក".to_owned();
        let mut read = String::new();
        let mut page = stage.answer(answer);
        for pages in 1.. {
            assert!(pages < 12, "an end");
            let shown = page.unwrap();
            let (body, keys) = shown[4..].rsplit_once('\n').unwrap();
            assert!(shown[4..].encode_utf16().count() <= 70, "{shown}");
            read.push_str(body);
            if !keys.contains('9') {
                assert!(pages >= 3, "more than a page or two");
                break;
            }
            text.push_str("*9");
            page = stage.calls("a", AMINA, &text);
        }
        let bare = |text: &str| text.split_whitespace().collect::<String>();
        assert_eq!(bare(&read), bare(answer), "{code}");
    }
}

#[test]
fn a_dropped_session_goes_on_where_it_was_within_ten_minutes() {
    let mut stage = Stage::new(config());
    stage.calls("a", AMINA, "");
    stage.calls("a", AMINA, "1");
    stage.calls("a", AMINA, "1*boil water");
    stage.answer(LONG);
    let second = stage.calls("a", AMINA, "1*boil water*9").unwrap();
    stage.pass(590);
    assert_eq!(stage.calls("b", AMINA, "").as_ref(), Some(&second), "a new session of hers");
    let third = stage.calls("b", AMINA, "9").unwrap();
    assert_ne!(third, second);
    assert!(stage.calls("c", BUPE, "").unwrap().contains("Kiswahili"), "nobody else's");
    stage.pass(600);
    assert!(stage.calls("d", AMINA, "").unwrap().contains("Kiswahili"), "too late");
}

#[test]
fn an_answer_that_is_found_after_the_drop_is_there_on_return() {
    let mut stage = Stage::new(config());
    stage.calls("a", AMINA, "");
    assert_eq!(stage.calls("a", AMINA, "boil water"), None);
    let line = Line::Gateway("a".into());
    stage.handle(Input::Dropped { line });
    assert_eq!(stage.answer("Boil it for 1 minute."), None);
    stage.pass(100);
    check(
        &[stage.calls("b", AMINA, "")],
        expect![[r#"
            CON Boil it for 1 minute.
            8.SMS 0.Back"#]],
    );
}

#[test]
fn without_a_number_nobody_finds_the_session_before() {
    let mut stage = Stage::new(config());
    stage.cusd("*384#");
    stage.cusd("1");
    assert_eq!(stage.cusd("am I pregnant"), None);
    assert!(!stage.answer(LONG).unwrap().contains("SMS"), "there is no number to send to");
    stage.handle(Input::Dropped { line: Line::Modem("gsm".into()) });
    assert!(stage.cusd("*384#").unwrap().contains("Kiswahili"));
}

#[test]
fn the_answer_follows_by_sms_when_that_was_chosen() {
    let mut stage = Stage::new(config());
    stage.calls("a", AMINA, "");
    stage.calls("a", AMINA, "1");
    assert_eq!(stage.calls("a", AMINA, "1*boil water"), None);
    // The box is slow today.
    let looking = stage.pass(6);
    let chosen = stage.calls("a", AMINA, "1*boil water*8");
    check(
        &[looking, chosen],
        expect![[r#"
        CON I am looking for the answer.
        1.See it 8.SMS 0.Back
        ---
        END The answer comes to you by SMS."#]],
    );
    assert!(stage.sent.is_empty());
    assert_eq!(stage.answer(LONG), None);
    assert_eq!(stage.sent, [format!("…67: {} characters", LONG.chars().count())]);
    assert!(stage.sessions.is_empty());

    // From a page of the answer it goes at once, and whole.
    stage.calls("b", AMINA, "");
    stage.calls("b", AMINA, "1");
    stage.calls("b", AMINA, "1*boil water");
    stage.answer(LONG);
    stage.calls("b", AMINA, "1*boil water*9");
    assert!(stage.calls("b", AMINA, "1*boil water*9*8").unwrap().starts_with("END "));
    assert_eq!(stage.sent.len(), 2);
    assert_eq!(stage.sent[0], stage.sent[1]);
}

#[test]
fn somebody_who_waits_sees_the_answer_with_the_next_key() {
    let mut stage = Stage::new(config());
    stage.calls("a", AMINA, "");
    assert_eq!(stage.calls("a", AMINA, "boil water"), None);
    assert_eq!(stage.sessions.deadline(), Some(stage.now + Duration::from_secs(6)));
    assert!(stage.pass(6).unwrap().contains("looking"));
    assert_eq!(stage.answer("Boil it for 1 minute."), None);
    assert!(stage.calls("a", AMINA, "boil water*1").unwrap().contains("1 minute"));
    // Still looking: the key waits once more, and then the answer is shown.
    assert_eq!(stage.calls("a", AMINA, "boil water*1*how long"), None);
    assert!(stage.pass(6).is_some());
    assert_eq!(stage.calls("a", AMINA, "boil water*1*how long*1"), None);
    assert!(stage.answer("Until it cools.").unwrap().contains("cools"));
}

#[test]
fn a_gateway_that_asks_again_gets_the_same_page_and_asks_nobody_twice() {
    let mut stage = Stage::new(config());
    let first = stage.calls("a", AMINA, "");
    assert_eq!(stage.calls("a", AMINA, ""), first);
    let topics = stage.calls("a", AMINA, "1");
    assert_eq!(stage.calls("a", AMINA, "1"), topics);
    assert_eq!(stage.calls("a", AMINA, "1*boil"), None);
    assert_eq!(stage.calls("a", AMINA, "1*boil"), None);
    assert_eq!(stage.asked.len(), 1);
    assert!(stage.answer("Boil it.").is_some());
}

#[test]
fn what_was_dialled_at_once_or_lost_in_a_restart_is_entered_again() {
    let mut stage = Stage::new(config());
    let dialled = stage.calls("a", AMINA, "1*1");
    assert!(dialled.unwrap().contains("store water"));
    let mut restarted = Stage::new(config());
    assert_eq!(restarted.calls("a", AMINA, "1*1*1*9"), None);
    // The answer comes, and the entry after it turns the page.
    let second = restarted.answer(LONG).unwrap();
    assert!(!second.contains("Bring clear"), "{second}");
}

#[test]
fn a_star_in_a_question_belongs_to_it() {
    let mut stage = Stage::new(config());
    stage.calls("a", AMINA, "");
    stage.calls("a", AMINA, "1");
    stage.calls("a", AMINA, "1*is 2*3 tablets too much");
    assert_eq!(stage.asked, ["en: is 2*3 tablets too much"]);
}

#[test]
fn a_menu_of_meanings_is_chosen_from_by_number() {
    let mut stage = Stage::new(config());
    stage.calls("a", AMINA, "");
    stage.calls("a", AMINA, "1");
    stage.calls("a", AMINA, "1*fever");
    let labels = ["Fever in babies", "Fever and malaria", "Fever after a vaccine"];
    let labels = labels.map(str::to_owned).to_vec();
    let menu = stage.reply(Reply::Choose { labels, language: Language::EN });
    check(
        std::slice::from_ref(&menu),
        expect![[r#"
        CON Choose a number, or write your question:
        1.Fever in babies
        2.Fever and malaria
        3.Fever after a vaccine
        0.Back"#]],
    );
    assert_eq!(stage.calls("a", AMINA, "1*fever*2"), None);
    assert_eq!(stage.asked[1], "en: 2 after state 1");
    stage.answer("Go to the clinic.");
    assert_eq!(stage.calls("a", AMINA, "1*fever*2*0"), menu, "back to the menu");
    // Its numbers keep their meaning after another question.
    stage.calls("a", AMINA, "1*fever*2*0*cough");
    stage.answer("Drink warm water.");
    assert_eq!(stage.calls("a", AMINA, "1*fever*2*0*cough*0"), menu);
    stage.calls("a", AMINA, "1*fever*2*0*cough*0*1");
    assert_eq!(stage.asked[3], "en: 1 after state 1");
}

#[test]
fn bad_input_gives_a_page_that_says_what_to_do() {
    let mut stage = Stage::new(config());
    stage.calls("a", AMINA, "");
    let mut pages = vec![stage.calls("a", AMINA, "5"), stage.calls("a", AMINA, "5*")];
    let mut text = "5**1".to_owned();
    stage.calls("a", AMINA, &text);
    for entry in ["99", "?", "2", "3", "🙂"] {
        text = format!("{text}*{entry}");
        pages.push(stage.calls("a", AMINA, &text));
    }
    check(
        &pages,
        expect![[r#"
        CON Not on the list. Choose a number, or write your question:
        1.English
        2.Kiswahili
        ---
        CON Not on the list. Choose a number, or write your question:
        1.English
        2.Kiswahili
        ---
        CON Not on the list. Choose a number, or write your question:
        1.Water
        2.Malaria
        0.Back
        ---
        CON Not on the list. Choose a number, or write your question:
        1.Water
        2.Malaria
        0.Back
        ---
        CON Write your question in a few words:
        0.Back
        ---
        CON I see no question. Write it in a few words:
        0.Back
        ---
        CON I see no question. Write it in a few words:
        0.Back"#]],
    );
    assert!(stage.asked.is_empty());
}

#[test]
fn a_failure_is_told_and_the_place_is_kept() {
    let mut stage = Stage::new(config());
    stage.calls("a", AMINA, "");
    stage.calls("a", AMINA, "1");
    stage.calls("a", AMINA, "1*2");
    stage.calls("a", AMINA, "1*2*how many tablets");
    assert_eq!(stage.asked, ["en: how many tablets under Malaria"]);
    check(
        &[stage.reply(Reply::Failed)],
        expect![[r#"
        CON That did not work just now. Please try again.
        0.Back"#]],
    );
    assert_eq!(stage.calls("a", AMINA, "1*2*how many tablets*how many tablets"), None);
}

#[test]
fn digits_and_words_of_other_phones_are_understood() {
    let mut stage = Stage::new(config());
    stage.calls("a", AMINA, "");
    let topics = stage.calls("a", AMINA, "١").unwrap();
    assert!(topics.contains("Malaria"));
    assert!(stage.calls("a", AMINA, "١*០").unwrap().contains("Kiswahili"));
    assert!(stage.calls("a", AMINA, "١*០* 2. ").unwrap().contains("Maji"));
    assert!(stage.calls("a", AMINA, "١*០* 2. *RUDI").unwrap().contains("Kiswahili"));
    assert!(stage.calls("a", AMINA, "١*០* 2. *RUDI*kiswahili").unwrap().contains("Maji"));
}

#[test]
fn a_question_before_the_language_leaves_it_to_be_identified() {
    let mut stage = Stage::new(config());
    stage.calls("a", AMINA, "");
    assert_eq!(stage.calls("a", AMINA, "nichemshe maji vipi"), None);
    assert_eq!(stage.asked, ["?: nichemshe maji vipi"]);
    let reply = Reply::Text { text: "Chemsha maji.".into(), brief: None, language: Language::SW };
    assert!(stage.reply(reply).unwrap().ends_with("0.Rudi"));
}

#[test]
fn no_more_sessions_are_kept_than_allowed() {
    let mut stage = Stage::new(Config { most_sessions: 10, ..config() });
    for caller in 0..500 {
        let number = format!("+26599{caller:07}");
        assert!(stage.calls(&number, &number, "").is_some());
        stage.now = stage.now + Duration::from_millis(1);
    }
    assert_eq!(stage.sessions.len(), 10);
    stage.pass(600);
    assert!(stage.sessions.is_empty());
    assert_eq!(stage.sessions.deadline(), None);
}
