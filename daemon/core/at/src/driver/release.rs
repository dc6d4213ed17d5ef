//! Letting go of a message that is safe elsewhere.

use std::time::Duration;

use jibu_types::Timestamp;

use super::api::Event;
use super::modem::{Content, Modem, Release};
use super::sweep::Read;
use super::task::{Answer, Step, Task};
use crate::dialogue::Request;
use crate::{Held, Slot};

/// A storage that fails to delete is often just busy.
const PAUSE: Duration = Duration::from_secs(1);
const TRIES: u32 = 3;

enum Stage {
    /// +CMGD or +CNMA.
    Delete,
    /// +CMGR: it is not known whether the message was deleted, and another may
    /// have come into its place.
    Check(Read),
}

/// Deletes (+CMGD) or acknowledges (+CNMA) one message.
pub(super) struct LetGo {
    release: Release,
    stage: Stage,
    tries: u32,
}

impl LetGo {
    pub(super) fn new(release: Release) -> Self {
        LetGo { release, stage: Stage::Delete, tries: 0 }
    }

    /// The slot to delete. What stands there is checked against what was told, so
    /// that a message which came since is never deleted in place of the one before.
    fn slot(&self, modem: &Modem) -> Option<Slot> {
        match self.release {
            Release::Incoming(Held::Stored { slot, fingerprint }) => {
                let expected = Content::Incoming { fingerprint, told: true };
                (modem.slots.get(&slot) == Some(&expected)).then_some(slot)
            }
            Release::Outgoing(slot) => {
                let content = modem.slots.get(&slot);
                matches!(content, Some(Content::Outgoing { .. })).then_some(slot)
            }
            Release::Incoming(Held::Direct { .. }) => None,
        }
    }

    fn done(&self, modem: &mut Modem) -> Step {
        if let Some(slot) = self.slot(modem) {
            modem.slots.remove(&slot);
        }
        modem.tell(match self.release {
            Release::Incoming(held) => Event::Erased { held },
            Release::Outgoing(slot) => Event::Forgotten { slot },
        });
        Step::Done
    }

    /// Whether a message is announced in its place and was not read yet: to delete
    /// now would delete that one.
    fn is_overtaken(&self, modem: &Modem) -> bool {
        match self.release {
            Release::Incoming(Held::Stored { slot, .. }) | Release::Outgoing(slot) => {
                modem.announced.contains(&slot)
            }
            Release::Incoming(Held::Direct { .. }) => false,
        }
    }

    /// The message stays, so it is told again when it is next read; a copy is tried
    /// again after the next sweep.
    fn give_up(&self, modem: &mut Modem) -> Step {
        if matches!(self.release, Release::Outgoing(_)) {
            modem.postponed.push(self.release);
        }
        let content = self.slot(modem).and_then(|slot| modem.slots.get_mut(&slot));
        if let Some(Content::Incoming { told, .. }) = content {
            *told = false;
        }
        Step::Done
    }
}

impl LetGo {
    /// Takes an answer. With a step the procedure is at its end, or pauses.
    fn take(&mut self, modem: &mut Modem, answer: &Answer) -> Option<Step> {
        if let Stage::Check(read) = &mut self.stage {
            if !read.take(modem, answer) {
                return None;
            }
            self.stage = Stage::Delete;
            let unreadable = answer.error().is_some_and(|error| !error.is_empty_slot());
            return (unreadable || self.tries >= TRIES).then(|| self.give_up(modem));
        }
        let direct = matches!(self.release, Release::Incoming(Held::Direct { .. }));
        match answer.error() {
            None => Some(self.done(modem)),
            // Too late, or not wanted: the network decides whether it repeats.
            Some(_) if direct => Some(self.done(modem)),
            Some(error) if error.is_empty_slot() => Some(self.done(modem)),
            Some(_) => {
                self.doubt();
                Some(Step::Wait(PAUSE))
            }
        }
    }

    /// The message may be deleted or not: deleting again could hit another.
    fn doubt(&mut self) {
        if let Release::Incoming(Held::Stored { slot, .. }) | Release::Outgoing(slot) = self.release
        {
            self.stage = Stage::Check(Read::new(slot));
        }
    }
}

impl Task for LetGo {
    fn next(&mut self, modem: &mut Modem, answer: Option<Answer>, _now: Timestamp) -> Step {
        if let Some(answer) = answer
            && let Some(step) = self.take(modem, &answer)
        {
            return step;
        }
        if let Stage::Check(read) = &self.stage {
            return read.ask(modem);
        }
        if self.is_overtaken(modem) {
            return self.give_up(modem);
        }
        self.tries += 1;
        if let Release::Incoming(Held::Direct { serial }) = self.release {
            if modem.acknowledges && modem.unacknowledged == Some(serial) {
                modem.unacknowledged = None;
                return Step::Ask(modem.plain("AT+CNMA"));
            }
            return self.done(modem);
        }
        match self.slot(modem) {
            Some(slot) => {
                let delete = format!("AT+CMGD={}", slot.index);
                Step::AskIn(slot.storage, Request::plain(delete, modem.patience()))
            }
            None => self.done(modem),
        }
    }

    fn timed_out(&mut self, _pdu_written: bool) -> bool {
        if matches!(self.stage, Stage::Delete) {
            self.doubt();
        }
        false
    }
}
