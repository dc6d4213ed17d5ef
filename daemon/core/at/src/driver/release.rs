//! Letting go of a message that is safe elsewhere.

use std::time::Duration;

use jibu_types::Timestamp;

use super::api::Event;
use super::modem::{Content, Modem, Release};
use super::task::{Answer, Step, Task};
use crate::dialogue::Request;
use crate::{Held, Slot};

/// A storage that fails to delete is often just busy.
const PAUSE: Duration = Duration::from_secs(1);
const TRIES: u32 = 3;

/// Deletes (+CMGD) or acknowledges (+CNMA) one message.
pub(super) struct LetGo {
    release: Release,
    tries: u32,
}

impl LetGo {
    pub(super) fn new(release: Release) -> Self {
        LetGo { release, tries: 0 }
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

    /// The message stays, so it is told again with the next sweep.
    fn give_up(&self, modem: &mut Modem) -> Step {
        let content = self.slot(modem).and_then(|slot| modem.slots.get_mut(&slot));
        if let Some(Content::Incoming { told, .. }) = content {
            *told = false;
        }
        Step::Done
    }
}

impl Task for LetGo {
    fn next(&mut self, modem: &mut Modem, answer: Option<Answer>, _now: Timestamp) -> Step {
        if let Some(answer) = answer {
            let direct = matches!(self.release, Release::Incoming(Held::Direct { .. }));
            match answer.error() {
                None => return self.done(modem),
                // Too late, or not wanted: the network decides whether it repeats.
                Some(_) if direct => return self.done(modem),
                Some(error) if error.is_empty_slot() => return self.done(modem),
                Some(_) if self.tries >= TRIES => return self.give_up(modem),
                Some(_) => return Step::Wait(PAUSE),
            }
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
}
