//! Machines that talk to each other fall silent; people are not cut off.
//! Named after what burnt people's credit (medic/cht-core#4715, mwana#81).

#![allow(clippy::unwrap_used, reason = "a number of the test's own should parse")]

use std::time::Duration;

use fastrand::Rng;
use jibu_spool::{Machines, Suspicion};
use jibu_types::{PhoneNumber, Timestamp};

fn somebody() -> PhoneNumber {
    PhoneNumber::parse("+265991234567").unwrap()
}

const WORDS: &str = "clinic open monday malaria fever child water boil card land office fee price \
    maize seed fertiliser rain road school teacher exam form letter chief court birth death \
    register vote passport tax market phone net soap latrine cholera measles vaccine baby mother \
    milk weight tablet dose nurse doctor district capital bus bicycle radio flood drought goat \
    chicken cow bean rice salt sugar oil fire stove smoke cough blood test result tomorrow \
    yesterday week month year morning evening night river bridge well pump pipe tank filter lid";

fn words(rng: &mut Rng, most: usize) -> String {
    let all: Vec<&str> = WORDS.split_whitespace().collect();
    let count = rng.usize(3..=most);
    (0..count).map(|_| all[rng.usize(..all.len())]).collect::<Vec<_>>().join(" ")
}

/// A machine writes back to whatever it gets; how many answers it costs us until
/// `seconds` have passed.
fn answers_to_a_machine(
    seed: u64,
    seconds: u64,
    mut writes: impl FnMut(&mut Rng, &str) -> String,
) -> usize {
    let mut rng = Rng::with_seed(seed);
    let mut machines = Machines::new();
    let mut now = Timestamp::from_unix_seconds(0);
    let end = now + Duration::from_secs(seconds);
    let mut text = words(&mut rng, 9);
    let mut answers = 0;
    while now < end {
        if machines.hear(&somebody(), &text, now).is_some() {
            // Silence gives it nothing to reply to.
            return answers;
        }
        let ours = format!("{} Source: {}. Send MORE.", words(&mut rng, 25), words(&mut rng, 4));
        machines.say(&somebody(), &ours, now);
        answers += 1;
        text = writes(&mut rng, &ours);
        now = now + Duration::from_secs(rng.u64(1..15));
    }
    panic!("seed {seed}: {answers} answers in {seconds} s");
}

#[test]
fn reply_loops_that_burn_the_credit_stop_after_a_few_messages() {
    for seed in 0..300 {
        let fixed = answers_to_a_machine(seed, 3600, |_, _| {
            "I am driving and cannot read your message. I will call you back.".into()
        });
        assert!(fixed <= 5, "seed {seed}: {fixed}");
        let ticket = answers_to_a_machine(seed, 3600, |rng, _| {
            let (number, hour) = (rng.u32(..), rng.u32(..24));
            format!("Dear customer, your request {number} was received at {hour}:05. Thank you.")
        });
        assert!(ticket <= 5, "seed {seed}: {ticket}");
        let named = answers_to_a_machine(seed, 3600, |rng, _| {
            let name = words(rng, 3).split(' ').next().unwrap_or_default().to_owned();
            format!("Hello {name}, the office is closed now, please write again on Monday morning.")
        });
        assert!(named <= 6, "seed {seed}: {named}");
    }
}

#[test]
fn a_bounce_of_our_own_words_is_not_answered() {
    let ours = "Boil the water for one minute and let it cool with a lid on. Source: Safe water.";
    for theirs in [
        ours.to_owned(),
        ours.to_uppercase(),
        format!("Message could not be delivered: \"{ours}\""),
        format!("FWD> {}", &ours[..60]),
    ] {
        let mut machines = Machines::new();
        let now = Timestamp::from_unix_seconds(0);
        assert_eq!(machines.hear(&somebody(), "how do i boil water", now), None);
        machines.say(&somebody(), ours, now);
        let heard = machines.hear(&somebody(), &theirs, now + Duration::from_secs(3000));
        assert_eq!(heard, Some(Suspicion::Echo), "{theirs}");
        // The same words from another number are nobody's echo.
        let other = PhoneNumber::parse("+265997654321").unwrap();
        assert_eq!(machines.hear(&other, &theirs, now), None);
    }
}

/// Two boxes like this one, each other's person.
#[test]
fn two_boxes_that_answer_each_other_fall_silent() {
    for seed in 0..300 {
        let mut rng = Rng::with_seed(seed);
        let passages: Vec<String> = (0..rng.usize(1..6))
            .map(|_| (0..4).map(|_| words(&mut rng, 6)).collect::<Vec<_>>().join(", "))
            .collect();
        let mut boxes = [Machines::new(), Machines::new()];
        let mut now = Timestamp::from_unix_seconds(0);
        let mut text = words(&mut rng, 5);
        let mut sent = 0;
        for turn in 0.. {
            let one = &mut boxes[turn % 2];
            if one.hear(&somebody(), &text, now).is_some() {
                break;
            }
            text = passages[rng.usize(..passages.len())].clone();
            one.say(&somebody(), &text, now);
            sent += 1;
            now = now + Duration::from_secs(rng.u64(5..60));
        }
        assert!(sent <= 12, "seed {seed}: {sent} messages");
    }
}

#[test]
fn a_machine_that_never_repeats_itself_is_known_by_its_haste() {
    for seed in 0..100 {
        let answers = answers_to_a_machine(seed, 3600, |rng, _| words(rng, 12));
        assert!(answers <= 25, "seed {seed}: {answers}");
    }
}

/// Ten questions in a row, commands and numbers between them, an impatient
/// second try: at every pace, also all at once after an outage.
#[test]
fn a_person_who_asks_ten_questions_in_a_row_is_not_cut_off() {
    for seed in 0..500 {
        let mut rng = Rng::with_seed(seed);
        let mut machines = Machines::new();
        let mut now = Timestamp::from_unix_seconds(0);
        let pace = [0, 2, 10, 60, 600][rng.usize(..5)];
        for question in 0..10 {
            let asked = words(&mut rng, 9);
            let mut texts = vec![asked; rng.usize(1..=2)];
            if rng.bool() && pace > 2 {
                let command = ["MORE", "1", "2", "why", "zaidi"][rng.usize(..5)];
                texts.push(command.to_owned());
            }
            for text in texts {
                let heard = machines.hear(&somebody(), &text, now);
                assert_eq!(heard, None, "seed {seed}, question {question}, pace {pace}");
                if rng.u8(..4) > 0 {
                    let ours = format!("{} Send MORE.", words(&mut rng, 25));
                    machines.say(&somebody(), &ours, now);
                }
                now = now + Duration::from_secs(rng.u64(pace / 2..=pace + 20));
            }
        }
        // A whole document, page by page.
        for _ in 0..12 {
            assert_eq!(machines.hear(&somebody(), "MORE", now), None, "seed {seed}");
            machines.say(&somebody(), &words(&mut rng, 25), now);
            now = now + Duration::from_secs(rng.u64(25..90));
        }
    }
}

#[test]
fn a_person_who_repeats_is_heard_again_with_other_words_or_later() {
    let mut machines = Machines::new();
    let now = Timestamp::from_unix_seconds(0);
    let ask = "when does the clinic open";
    for _ in 0..3 {
        assert_eq!(machines.hear(&somebody(), ask, now), None);
    }
    assert_eq!(machines.hear(&somebody(), ask, now), Some(Suspicion::Repetition));
    assert_eq!(machines.hear(&somebody(), "how much is a passport please", now), None);
    assert_eq!(machines.hear(&somebody(), ask, now + Duration::from_secs(3600)), None);
}

#[test]
fn no_more_senders_are_remembered_than_fit() {
    let mut machines = Machines::new();
    for number in 0..10_000 {
        let sender = PhoneNumber::parse(&format!("+26599{number:07}")).unwrap();
        let now = Timestamp::from_unix_seconds(number / 100);
        assert_eq!(machines.hear(&sender, "when does the clinic open", now), None);
    }
    assert!(format!("{machines:?}").len() < 1_000_000);
}
