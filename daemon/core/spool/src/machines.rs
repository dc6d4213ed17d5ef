//! Tells machines from people by how they write, so that two of them never talk
//! to each other at somebody's expense.
//!
//! Silence ends a loop, so one refusal to answer is enough; a person who is
//! refused by mistake is answered again with the next question in other words.
//! Names, short codes and our own numbers are known by their numbers already
//! ([`Config::never_answer`](crate::Config::never_answer)); what writes from an
//! ordinary number is known by
//!
//! * our own words coming back: a bounce, a forwarder, another box like this;
//! * the same words again and again, whatever number or date they hold;
//! * an answer to every answer, each within seconds, for longer than thumbs last.
//!
//! Nothing is kept over a restart, and no words are: only numbers made of them.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use jibu_types::{PhoneNumber, Timestamp};

/// Why a message is better left without an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suspicion {
    /// It holds what we said.
    Echo,
    /// It says what its sender said several times within an hour.
    Repetition,
    /// Its sender has replied to everything at once for a long time.
    Cadence,
}

impl Suspicion {
    /// The name in the audit trail.
    pub fn as_str(self) -> &'static str {
        match self {
            Suspicion::Echo => "echo",
            Suspicion::Repetition => "repetition",
            Suspicion::Cadence => "cadence",
        }
    }
}

/// How often the same words are answered within an hour.
const SAME_WORDS: usize = 3;
/// The same for words as short as `MORE` or a number of a menu.
const SAME_COMMAND: usize = 20;
/// The words that make a sentence rather than a command.
const SENTENCE: usize = 4;
/// How many replies in a row may come within [`AT_ONCE`].
const REPLIES_AT_ONCE: u32 = 20;
/// Between our answer being found and the reply to it. Sending, reading and
/// writing take a person longer.
const AT_ONCE: Duration = Duration::from_secs(20);
/// For how long what was written counts.
const MEMORY: Duration = Duration::from_secs(60 * 60);
/// The texts that are remembered of each side.
const TEXTS: usize = 24;
/// The senders that are remembered.
const SENDERS: usize = 2000;

/// What was said with whom within the last hour.
#[derive(Debug, Default)]
pub struct Machines {
    talks: HashMap<PhoneNumber, Talk>,
}

#[derive(Debug, Default)]
struct Talk {
    heard: VecDeque<(Timestamp, Words)>,
    said: VecDeque<(Timestamp, Words)>,
    /// Replies in a row that came at once.
    at_once: u32,
    /// Whether our last answer has had its reply.
    replied: bool,
}

impl Machines {
    /// Nobody has said anything.
    pub fn new() -> Self {
        Machines::default()
    }

    /// Takes in a message when it came; with a suspicion it is better not answered.
    pub fn hear(&mut self, sender: &PhoneNumber, text: &str, now: Timestamp) -> Option<Suspicion> {
        self.make_room(now);
        let talk = self.talks.entry(sender.clone()).or_default();
        talk.forget_old(now);
        let words = Words::of(text);

        let prompted = talk.said.back().filter(|_| !talk.replied);
        talk.at_once = match prompted {
            Some((at, _)) if now.since(*at) <= AT_ONCE => talk.at_once.saturating_add(1),
            // Whoever writes twice between two answers does not wait for them.
            _ => 0,
        };
        talk.replied = true;

        let echoed = talk.said.iter().any(|(_, ours)| words.holds(ours) || ours.holds(&words));
        let same = talk.heard.iter().filter(|(_, before)| words.is_like(before)).count();
        let most = if words.is_sentence() { SAME_WORDS } else { SAME_COMMAND };
        keep(&mut talk.heard, now, words);
        if echoed {
            Some(Suspicion::Echo)
        } else if same >= most {
            Some(Suspicion::Repetition)
        } else if talk.at_once > REPLIES_AT_ONCE {
            Some(Suspicion::Cadence)
        } else {
            None
        }
    }

    /// Takes in what is about to be answered.
    pub fn say(&mut self, to: &PhoneNumber, text: &str, now: Timestamp) {
        let talk = self.talks.entry(to.clone()).or_default();
        keep(&mut talk.said, now, Words::of(text));
        talk.replied = false;
    }

    fn make_room(&mut self, now: Timestamp) {
        if self.talks.len() < SENDERS {
            return;
        }
        self.talks.retain(|_, talk| talk.is_recent(now));
        if self.talks.len() >= SENDERS {
            self.talks.clear();
        }
    }
}

impl Talk {
    fn forget_old(&mut self, now: Timestamp) {
        for texts in [&mut self.heard, &mut self.said] {
            while texts.front().is_some_and(|(at, _)| now.since(*at) >= MEMORY) {
                texts.pop_front();
            }
        }
    }

    fn is_recent(&self, now: Timestamp) -> bool {
        let last = [self.heard.back(), self.said.back()];
        last.into_iter().flatten().any(|(at, _)| now.since(*at) < MEMORY)
    }
}

fn keep(texts: &mut VecDeque<(Timestamp, Words)>, at: Timestamp, words: Words) {
    if texts.len() >= TEXTS {
        texts.pop_front();
    }
    texts.push_back((at, words));
}

/// The words of a text as sorted hashes, each once; every number is the same.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Words(Vec<u64>);

impl Words {
    fn of(text: &str) -> Self {
        let mut hashes: Vec<u64> = text
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .take(400)
            .map(|word| match word.contains(char::is_numeric) {
                true => 0,
                false => hash(word),
            })
            .collect();
        hashes.sort_unstable();
        hashes.dedup();
        Words(hashes)
    }

    fn is_sentence(&self) -> bool {
        self.0.len() >= SENTENCE
    }

    fn shared(&self, other: &Words) -> usize {
        self.0.iter().filter(|word| other.0.binary_search(word).is_ok()).count()
    }

    /// Whether both say the same but for a name or so: Jaccard's index is 0.8
    /// at least.
    fn is_like(&self, other: &Words) -> bool {
        let shared = self.shared(other);
        let all = self.0.len() + other.0.len() - shared;
        self == other || (self.is_sentence() && shared * 5 >= all * 4)
    }

    /// Whether nearly all of a longer text stands in this one. Somebody may quote
    /// a line of a menu; nobody writes a whole answer again.
    fn holds(&self, other: &Words) -> bool {
        other.0.len() >= 2 * SENTENCE && self.shared(other) * 10 >= other.0.len() * 9
    }
}

/// FNV-1a over the word in small letters.
fn hash(word: &str) -> u64 {
    word.chars()
        .flat_map(char::to_lowercase)
        .fold(0xcbf2_9ce4_8422_2325, |hash, c| (hash ^ u64::from(c)).wrapping_mul(0x0100_0000_01b3))
}
