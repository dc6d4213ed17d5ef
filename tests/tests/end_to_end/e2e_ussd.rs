//! A USSD gateway's session with the whole daemon.

use std::time::{Duration, Instant};

use jibu_tests::Stage;

use crate::e2e_kiosk::{get, wait_for_kiosk};
use crate::{PATIENCE, stage};

pub(crate) const SECRET: &str = "only-the-gateway-knows-this";
pub(crate) const NUMBER: &str = "+265991234567";

/// As Africa's Talking and its like call: everything entered so far, every time.
pub(crate) struct Gateway {
    url: String,
    session: &'static str,
    pub(crate) number: &'static str,
    text: String,
}

impl Gateway {
    pub(crate) fn at(stage: &Stage, session: &'static str) -> Gateway {
        let url = format!("http://127.0.0.1:{}/ussd", stage.port);
        Gateway { url, session, number: NUMBER, text: String::new() }
    }

    fn call(&self, secret: Option<&str>) -> (u16, String) {
        let agent: ureq::Agent =
            ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let mut request = agent
            .post(&self.url)
            .header("Content-Type", "application/x-www-form-urlencoded; charset=utf-8");
        if let Some(secret) = secret {
            request = request.header("Authorization", &format!("Bearer {secret}"));
        }
        let fields = [
            ("sessionId", self.session),
            ("serviceCode", "*384*77#"),
            ("phoneNumber", self.number),
            ("text", &self.text),
        ];
        let fields = fields.map(|(name, value)| format!("{name}={}", escaped(value)));
        let mut response = request.send(fields.join("&")).unwrap();
        (response.status().as_u16(), response.body_mut().read_to_string().unwrap())
    }

    /// The last page of the session.
    pub(crate) fn end(&mut self, entry: &str) -> String {
        self.add(entry);
        let (status, body) = self.call(Some(SECRET));
        assert_eq!(status, 200, "{body}");
        body.strip_prefix("END ").unwrap_or_else(|| panic!("it goes on: {body}")).to_owned()
    }

    /// The page that comes next, which fits on a screen and goes on.
    pub(crate) fn page(&self) -> String {
        let (status, body) = self.call(Some(SECRET));
        assert_eq!(status, 200, "{body}");
        let page = body.strip_prefix("CON ").unwrap_or_else(|| panic!("it ends: {body}"));
        assert!(page.chars().count() <= 182, "{page}");
        page.to_owned()
    }

    pub(crate) fn enter(&mut self, entry: &str) -> String {
        self.add(entry);
        self.page()
    }

    fn add(&mut self, entry: &str) {
        if !self.text.is_empty() {
            self.text.push('*');
        }
        self.text.push_str(entry);
    }

    /// Enters a question and waits as its page says.
    pub(crate) fn ask(&mut self, question: &str) -> String {
        let begun = Instant::now();
        let mut page = self.enter(question);
        while page.contains("I am looking for the answer.") {
            assert!(begun.elapsed() < PATIENCE, "{page}");
            std::thread::sleep(Duration::from_millis(500));
            page = self.enter("1");
        }
        page
    }
}

fn escaped(text: &str) -> String {
    let escape = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(escape).collect()
}

/// A page without its line of keys.
fn words(page: &str) -> &str {
    page.rsplit_once('\n').map_or(page, |(words, _)| words)
}

fn configured(addresses: &str) -> Stage {
    let stage = stage();
    let more = format!("[web.ussd]\nsecret = {SECRET:?}\naddresses = {addresses}\n");
    stage.configure(&more).unwrap();
    stage
}

#[test]
fn a_caller_chooses_a_language_asks_and_turns_the_pages() {
    const QUESTION: &str = "How long do I boil water?";
    let stage = configured("[\"127.0.0.0/8\"]");
    let mut daemon = stage.daemon().unwrap();
    let base = format!("http://127.0.0.1:{}", stage.port);
    wait_for_kiosk(&base, &mut daemon);

    let mut gateway = Gateway::at(&stage, "ATUid_1");
    for wrong in [None, Some("only-the-gateway-knows-thit"), Some("")] {
        let (status, body) = gateway.call(wrong);
        assert_eq!(status, 401, "{body}");
        assert!(!body.contains("CON") && !body.contains("English"), "{body}");
    }

    let languages = gateway.page();
    assert!(languages.starts_with("Jibu\n1.English\n2.Kiswahili"), "{languages}");
    let write = gateway.enter("1");
    // What the documents speak of can be chosen instead.
    assert!(write.starts_with("Choose a number, or write your question:\n1."), "{write}");

    let first = gateway.ask(QUESTION);
    let mut pages = vec![first.clone()];
    while pages.last().unwrap().contains("9.More") {
        assert!(pages.len() < 10, "{pages:?}");
        pages.push(gateway.enter("9"));
    }
    // The answer and its source come first, the passage around it follows.
    assert!(first.contains("minute") && first.contains("\nSource: Safe drinking"), "{first}");
    let text = pages.iter().map(|page| words(page)).collect::<Vec<_>>().join(" ");
    assert!(pages.len() > 1 && text.contains("strongly for one minute"), "{pages:?}");
    assert!(!text.contains("MORE"), "{pages:?}");
    // Back through the pages to where the question was written.
    for page in pages.iter().rev().skip(1) {
        assert_eq!(gateway.enter("0"), *page);
    }
    assert_eq!(gateway.enter("0"), write);
    assert_eq!(gateway.enter("0"), languages);

    // Whoever was cut off dials again and finds the page, another caller does not.
    assert!(gateway.enter("2").starts_with("Andika swali lako"));
    let again = Gateway::at(&stage, "ATUid_2");
    assert!(again.page().starts_with("Andika swali lako"));

    let metrics = get(&format!("{base}/metrics"));
    let counted = "jibu_answers_total{channel=\"ussd\",kind=\"found\"} 1";
    assert!(metrics.contains(counted), "{metrics}");
    let log = stage.log();
    for private in [SECRET, NUMBER, &NUMBER[1..], QUESTION, "boil"] {
        assert!(!log.contains(private), "{log}");
    }
}

#[test]
fn the_right_secret_from_an_unlisted_address_is_refused() {
    let stage = configured("[\"196.0.2.0/24\"]");
    let mut daemon = stage.daemon().unwrap();
    wait_for_kiosk(&format!("http://127.0.0.1:{}", stage.port), &mut daemon);
    let (status, body) = Gateway::at(&stage, "ATUid_1").call(Some(SECRET));
    assert_eq!(status, 403, "{body}");
    assert!(!body.contains("CON"), "{body}");
}
