//! Which incoming messages the SMSC may deliver again.
//!
//! SMPP gives a message neither a time nor a name, so a copy can only be told
//! from an equal text that was sent on purpose by what the SMSC can know: it
//! delivers again what it has no response to. Each message is remembered from its
//! arrival until the SMSC has shown that it read our response.

use std::collections::VecDeque;
use std::time::Duration;

use jibu_gsm::{Deliver, Incoming, Pdu, ServiceCentreTime};
use jibu_types::Timestamp;

use crate::incoming::{Untranslatable, encode, time};

/// An equal text within this time, on one connection and before our response, is
/// a second message: SMSCs wait longer before they deliver again.
const RETRANSMITTED_AFTER: Duration = Duration::from_secs(5);

/// How long after the next bind the SMSC may deliver again what it perhaps has
/// our response to.
const PERHAPS: Duration = Duration::from_secs(60 * 60);

/// And what it certainly has none to: as long as SMSCs keep messages.
const CERTAINLY: Duration = Duration::from_secs(3 * 24 * 60 * 60);

/// Messages that are remembered at most.
const MOST: usize = 1024;

/// A message's octets with its time left out.
type Key = Vec<u8>;

#[derive(Debug)]
struct Entry {
    key: Key,
    pdu: Vec<u8>,
    state: State,
}

#[derive(Debug, Clone, Copy)]
enum State {
    /// Shown, on a connection that still stands.
    Shown { delivery: u64, since: Timestamp },
    /// Our response is written behind this request of ours.
    Answered { wire: usize, after: u32, since: Timestamp },
    /// The connection is gone.
    Open { keep: Duration, until: Option<Timestamp> },
}

#[derive(Debug, Default)]
pub(crate) struct Doubts {
    entries: VecDeque<Entry>,
    /// When equal messages came last, in seconds: two never share a time.
    stamps: VecDeque<(Key, i64)>,
}

impl Doubts {
    /// With messages from before the start.
    pub(crate) fn new(in_doubt: &[Vec<u8>]) -> Self {
        let entries = in_doubt.iter().filter_map(|pdu| match Pdu::decode_incoming(pdu) {
            Ok(Incoming::Deliver(deliver)) => {
                let state = State::Open { keep: PERHAPS, until: None };
                Some(Entry { key: key(&deliver).ok()?, pdu: pdu.clone(), state })
            }
            _ => None,
        });
        Doubts { entries: entries.collect(), stamps: VecDeque::new() }
    }

    /// The PDU of a message that comes now: the earlier one's where it may be a
    /// copy of that, else one with the present time, `clock` in seconds.
    pub(crate) fn pdu_of(
        &mut self,
        deliver: &Deliver,
        delivery: u64,
        clock: i64,
        now: Timestamp,
    ) -> Result<Vec<u8>, Untranslatable> {
        let key = key(deliver)?;
        let state = State::Shown { delivery, since: now };
        let copied = self.entries.iter_mut().find(|entry| {
            let may_be_copied = match entry.state {
                State::Shown { since, .. } | State::Answered { since, .. } => {
                    now.since(since) >= RETRANSMITTED_AFTER
                }
                State::Open { until, .. } => until.is_none_or(|until| now < until),
            };
            may_be_copied && entry.key == key
        });
        if let Some(entry) = copied {
            entry.state = state;
            return Ok(entry.pdu.clone());
        }
        let service_centre_time = time(self.stamp(&key, clock));
        let pdu = encode(Deliver { service_centre_time, ..deliver.clone() })?;
        if self.entries.len() >= MOST {
            self.entries.pop_front();
        }
        self.entries.push_back(Entry { key, pdu: pdu.clone(), state });
        Ok(pdu)
    }

    /// A time of the service centre counts seconds.
    fn stamp(&mut self, key: &Key, clock: i64) -> i64 {
        let last = self.stamps.iter().rev().find(|(k, _)| k == key).map(|(_, stamp)| *stamp);
        // Where the clock was set back, a second beside the old ones is enough.
        let stamp = match last {
            Some(last) if (0..60).contains(&(last - clock)) => last + 1,
            _ => clock,
        };
        if self.stamps.len() >= MOST {
            self.stamps.pop_front();
        }
        self.stamps.push_back((key.clone(), stamp));
        stamp
    }

    /// Our response is written; `after` numbers the requests that follow it.
    pub(crate) fn answered(&mut self, answered: u64, wire: usize, after: u32, now: Timestamp) {
        for entry in &mut self.entries {
            if let State::Shown { delivery, .. } = entry.state
                && delivery == answered
            {
                entry.state = State::Answered { wire, after, since: now };
            }
        }
    }

    /// The SMSC answered our request of this number, so it read what came before.
    pub(crate) fn confirmed(&mut self, by: usize, number: u32) {
        self.entries.retain(|entry| match entry.state {
            State::Answered { wire, after, .. } => wire != by || number < after,
            _ => true,
        });
    }

    /// Whether the SMSC has yet to show that it read a response.
    pub(crate) fn waits_for(&self, on: usize) -> bool {
        let waits = |state| matches!(state, State::Answered { wire, .. } if wire == on);
        self.entries.iter().any(|entry| waits(entry.state))
    }

    /// The connection is gone.
    pub(crate) fn lost(&mut self) {
        for entry in &mut self.entries {
            let keep = match entry.state {
                State::Shown { .. } => CERTAINLY,
                State::Answered { .. } => PERHAPS,
                State::Open { .. } => continue,
            };
            entry.state = State::Open { keep, until: None };
        }
    }

    /// There is a bind again; from here on the SMSC can deliver.
    pub(crate) fn bound(&mut self, now: Timestamp) {
        for entry in &mut self.entries {
            if let State::Open { keep, until: until @ None } = &mut entry.state {
                *until = Some(now + *keep);
            }
        }
        let is_over =
            |state: State| matches!(state, State::Open { until: Some(u), .. } if u <= now);
        self.entries.retain(|entry| !is_over(entry.state));
    }
}

fn key(deliver: &Deliver) -> Result<Key, Untranslatable> {
    let service_centre_time = ServiceCentreTime::from_octets([0; 7]);
    encode(Deliver { service_centre_time, ..deliver.clone() })
}

#[cfg(test)]
mod tests {
    use jibu_gsm::{Address, Body, DataCoding, UserData};

    use super::*;

    fn message(text: &str) -> Deliver {
        Deliver {
            more_messages: false,
            loop_prevention: false,
            reply_path: false,
            status_report: false,
            originator: Address::name("Test").unwrap(),
            protocol: 0,
            coding: DataCoding::GSM7,
            service_centre_time: ServiceCentreTime::from_octets([0; 7]),
            user_data: UserData::plain(Body::Gsm7(text.as_bytes().to_vec())),
        }
    }

    const CLOCK: i64 = 1_795_367_760;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::default() + Duration::from_secs(seconds)
    }

    #[test]
    fn equal_texts_are_two_messages_while_nothing_is_in_doubt() {
        let mut doubts = Doubts::default();
        let more = message("MORE");
        let first = doubts.pdu_of(&more, 1, CLOCK, at(0)).unwrap();
        let second = doubts.pdu_of(&more, 2, CLOCK, at(0)).unwrap();
        assert_ne!(first, second, "in one second, both before our response");
        doubts.answered(1, 0, 5, at(1));
        doubts.answered(2, 0, 5, at(1));
        doubts.confirmed(0, 4);
        assert!(doubts.waits_for(0), "what was asked before proves nothing");
        doubts.confirmed(0, 5);
        assert!(!doubts.waits_for(0));
        doubts.lost();
        doubts.bound(at(10));
        let third = doubts.pdu_of(&more, 3, CLOCK, at(10)).unwrap();
        assert!(third != first && third != second, "even if the clock stood still");
    }

    #[test]
    fn what_was_in_doubt_comes_again_once() {
        let mut doubts = Doubts::default();
        let more = message("MORE");
        let first = doubts.pdu_of(&more, 1, CLOCK, at(0)).unwrap();
        let second = doubts.pdu_of(&more, 2, CLOCK, at(0)).unwrap();
        doubts.answered(1, 0, 5, at(1));
        doubts.lost();
        doubts.bound(at(100));
        let mut again = |delivery| doubts.pdu_of(&more, delivery, CLOCK + 100, at(101)).unwrap();
        assert_eq!([again(3), again(4)], [first.clone(), second.clone()]);
        let fifth = again(5);
        assert!(fifth != first && fifth != second);
    }

    #[test]
    fn a_doubt_ends_an_hour_after_the_bind_if_we_had_answered() {
        for (answered, later, same) in
            [(true, 3_500, true), (true, 3_700, false), (false, 3_700, true)]
        {
            let mut doubts = Doubts::default();
            let text = message("HELP");
            let first = doubts.pdu_of(&text, 1, CLOCK, at(0)).unwrap();
            if answered {
                doubts.answered(1, 0, 1, at(0));
            }
            doubts.lost();
            // However long there is no connection.
            doubts.bound(at(90_000));
            let later = 90_000 + later;
            let again = doubts.pdu_of(&text, 2, CLOCK + later as i64, at(later)).unwrap();
            assert_eq!(again == first, same);
        }
    }

    #[test]
    fn what_was_committed_before_the_start_is_known() {
        let mut before = Doubts::default();
        let pdu = before.pdu_of(&message("1"), 1, CLOCK, at(0)).unwrap();
        let mut doubts = Doubts::new(&[pdu.clone(), vec![1, 2, 3]]);
        doubts.bound(at(0));
        assert_eq!(doubts.pdu_of(&message("1"), 1, CLOCK + 60, at(2)).unwrap(), pdu);
        assert_ne!(doubts.pdu_of(&message("1"), 2, CLOCK + 61, at(3)).unwrap(), pdu);
    }

    #[test]
    fn a_retransmission_on_one_connection_is_the_same() {
        let mut doubts = Doubts::default();
        let first = doubts.pdu_of(&message("1"), 1, CLOCK, at(0)).unwrap();
        assert_eq!(doubts.pdu_of(&message("1"), 2, CLOCK + 30, at(30)).unwrap(), first);
    }
}
