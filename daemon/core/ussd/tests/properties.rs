//! What holds for every text and every entry.

use std::time::Duration;

use jibu_types::{Language, PhoneNumber, Timestamp};
use jibu_ussd::{Config, Exchange, Heard, Input, Limits, Line, Output, Reply, Sessions, Topic};
use proptest::prelude::*;

fn septets(text: &str) -> Option<usize> {
    jibu_gsm::alphabet::to_septets(text, jibu_gsm::Shift::NONE).map(|septets| septets.len())
}

fn limits() -> impl Strategy<Value = Limits> {
    (Limits::SMALLEST..200, Limits::SMALLEST..90).prop_map(|(septets_, units)| Limits {
        septets: septets_,
        units,
        count: septets,
    })
}

/// The pages of one answer, as its reader turns them.
fn read(limits: Limits, answer: &str) -> Vec<String> {
    let mut sessions = Sessions::new(Config::new(vec![Language::EN], limits));
    let (line, now) = (Line::Modem("gsm".into()), Timestamp::from_unix_seconds(0));
    let caller = PhoneNumber::parse("+265991234567").ok();
    let mut pages = Vec::new();
    for (number, entry) in (0..).zip(["", "boil water"].into_iter().chain(["9"; 2000])) {
        let (line, caller) = (line.clone(), caller.clone());
        let heard = Heard::Entry(entry.into());
        sessions.handle(Input::Request { exchange: Exchange(number), line, caller, heard }, now);
        let mut is_last = false;
        while let Some(output) = sessions.poll() {
            match output {
                Output::Show { page, .. } if number > 0 => {
                    is_last = !page.lines().last().unwrap_or_default().starts_with("9.");
                    pages.push(page);
                }
                Output::Ask { question, .. } => {
                    let reply =
                        Reply::Text { text: answer.into(), brief: None, language: Language::EN };
                    let conversation = None;
                    sessions.handle(Input::Answered { question, reply, conversation }, now);
                }
                _ => {}
            }
        }
        if is_last {
            return pages;
        }
    }
    panic!("an answer without an end");
}

fn body(page: &str) -> &str {
    page.rsplit_once('\n').map_or("", |(body, _)| body)
}

/// Words, doses and numbers of several groups.
fn prose() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        6 => "[a-z]{1,12}[,.]?",
        1 => "[0-9]{1,3}( [0-9]{3}){0,2}",
        1 => "[0-9]{1,2}\\.[0-9] (ml|mg|kwacha)",
        1 => "[éàŵካមق]{1,6}",
        1 => "[a-z]{2,9}(\n|  )[a-z]{2,9}",
    ];
    prop::collection::vec(word, 0..120).prop_map(|words| words.join(" "))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn every_page_of_every_text_is_within_the_limits(limits in limits(), text in "\\PC{0,400}") {
        for page in read(limits, &text) {
            prop_assert!(limits.fits(&page), "{page}");
        }
    }

    #[test]
    fn pages_together_are_the_text_and_cut_no_word_and_no_number(
        limits in limits(),
        text in prose(),
    ) {
        let pages = read(limits, &text);
        let words = |text: &str| -> Vec<String> {
            text.split_whitespace().map(str::to_owned).collect()
        };
        let read: Vec<String> = pages.iter().flat_map(|page| words(body(page))).collect();
        prop_assert_eq!(read, words(&text));
        for pair in pages.windows(2) {
            prop_assert!(limits.fits(&pair[0]));
            let (last, next) = (body(&pair[0]), body(&pair[1]));
            let cuts_a_number = last.ends_with(|c: char| c.is_numeric())
                && next.starts_with(|c: char| c.is_numeric());
            let is_all_number = !last.contains(char::is_alphabetic);
            prop_assert!(!cuts_a_number || is_all_number, "{last:?} {next:?}");
        }
    }

    #[test]
    fn every_request_gets_one_page_whatever_is_entered(
        limits in limits(),
        title in "\\PC{0,90}",
        question in "\\PC{0,300}",
        steps in prop::collection::vec(
            (0..3u8, 0..4u8, prop_oneof![
                3 => "[0-9]",
                1 => "\\PC{0,30}",
                1 => "\\PC{0,9}\\*\\PC{0,9}",
            ], 0..400u64),
            1..60,
        ),
    ) {
        let mut config = Config::new(vec![Language::EN, Language::SW, Language::FR], limits);
        let topic = Topic {
            language: Language::SW,
            title: title.clone(),
            questions: vec![question.clone(); 9],
        };
        config.topics = vec![topic; 9];
        config.most_sessions = 2;
        let mut sessions = Sessions::new(config);
        let mut now = Timestamp::from_unix_seconds(0);
        let mut texts = [const { String::new() }; 3];
        let mut open = std::collections::BTreeSet::new();
        let mut asked = Vec::new();
        for (number, (who, what, entry, seconds)) in (0..).zip(&steps) {
            let at = usize::from(*who);
            now = now + Duration::from_secs(*seconds);
            let line = match who {
                0 => Line::Modem("gsm".into()),
                _ => Line::Gateway(format!("session {}", who % 2)),
            };
            let caller = PhoneNumber::parse(&format!("+26599{who}")).ok().filter(|_| at > 0);
            let input = match what {
                0 => Input::Tick,
                1 if *seconds < 50 => Input::Dropped { line },
                _ => {
                    texts[at] = match texts[at].is_empty() || entry.len() > 20 {
                        true => entry.clone(),
                        false => format!("{}*{entry}", texts[at]),
                    };
                    let heard = match who {
                        0 => Heard::Entry(entry.clone()),
                        _ => Heard::History(texts[at].clone()),
                    };
                    open.insert(number);
                    Input::Request { exchange: Exchange(number), line, caller, heard }
                }
            };
            sessions.handle(input, now);
            let mut fed = false;
            loop {
                while let Some(output) = sessions.poll() {
                    match output {
                        Output::Show { exchange, page, .. } => {
                            prop_assert!(open.remove(&exchange.0), "shown twice");
                            prop_assert!(limits.fits(&page), "{page}");
                        }
                        Output::Ask { question, .. } => asked.push(question),
                        Output::Sms { .. } => {}
                    }
                }
                // Some answers come at once, some late, some never.
                match asked.pop() {
                    Some(found) if !fed && number % 3 > 0 => {
                        fed = true;
                        let reply = match number % 5 {
                            0 => Reply::Failed,
                            1 => Reply::Choose {
                                labels: vec![title.clone(), question.clone()],
                                language: Language::FR,
                            },
                            _ => Reply::Text { text: question.clone(), brief: None, language: Language::FR },
                        };
                        let conversation = None;
                        sessions.handle(
                            Input::Answered { question: found, reply, conversation }, now,
                        );
                    }
                    left => {
                        asked.extend(left);
                        break;
                    }
                }
            }
        }
        sessions.handle(Input::Tick, now + Duration::from_secs(6));
        while let Some(output) = sessions.poll() {
            if let Output::Show { exchange, .. } = output {
                prop_assert!(open.remove(&exchange.0), "shown twice");
            }
        }
        prop_assert!(open.is_empty(), "without a page: {open:?}");
    }
}
