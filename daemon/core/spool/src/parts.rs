//! The parts of answers: those that are still to be sent, and those that were,
//! for as long as a status report may come.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jibu_types::PhoneNumber;

use crate::{PartId, PartRow, PartState};

/// Every part that is remembered. Many more are done than open, and each event looks
/// through the open ones, each report through those of one person.
#[derive(Debug, Clone, Default)]
pub(crate) struct Parts {
    rows: BTreeMap<PartId, PartRow>,
    /// Those that wait or are being sent.
    open: BTreeSet<PartId>,
    by_person: HashMap<String, BTreeSet<PartId>>,
}

impl Parts {
    pub(crate) fn insert(&mut self, row: PartRow) {
        if is_open(&row.state) {
            self.open.insert(row.id);
        }
        self.by_person.entry(person(&row.recipient)).or_default().insert(row.id);
        self.rows.insert(row.id, row);
    }

    pub(crate) fn get(&self, part: PartId) -> Option<&PartRow> {
        self.rows.get(&part)
    }

    /// Those that wait or are being sent, the oldest first.
    pub(crate) fn open(&self) -> impl Iterator<Item = &PartRow> {
        self.open.iter().filter_map(|part| self.rows.get(part))
    }

    /// How many wait or are being sent.
    pub(crate) fn open_count(&self) -> usize {
        self.open.len()
    }

    /// Those to a person, the newest first.
    pub(crate) fn to(&self, recipient: &PhoneNumber) -> impl Iterator<Item = &PartRow> {
        let theirs = self.by_person.get(&person(recipient));
        theirs.into_iter().flatten().rev().filter_map(|part| self.rows.get(part))
    }

    /// Counts an attempt, and gives what is to be sent.
    pub(crate) fn attempt(&mut self, part: PartId) -> Option<Vec<u8>> {
        let row = self.rows.get_mut(&part)?;
        row.attempts += 1;
        Some(row.pdu.clone())
    }

    /// Gives a part its new state; how often it was attempted.
    pub(crate) fn settle(&mut self, part: PartId, state: PartState) -> Option<u32> {
        let row = self.rows.get_mut(&part)?;
        match is_open(&state) {
            true => self.open.insert(part),
            false => self.open.remove(&part),
        };
        row.state = state;
        Some(row.attempts)
    }

    /// Forgets the parts that are done, but those to be kept.
    pub(crate) fn forget(&mut self, is_kept: impl Fn(&PartState) -> bool) {
        let by_person = &mut self.by_person;
        self.rows.retain(|part, row| {
            let kept = is_open(&row.state) || is_kept(&row.state);
            if !kept && let Some(theirs) = by_person.get_mut(&person(&row.recipient)) {
                theirs.remove(part);
            }
            kept
        });
        by_person.retain(|_, theirs| !theirs.is_empty());
    }
}

impl FromIterator<PartRow> for Parts {
    fn from_iter<I: IntoIterator<Item = PartRow>>(rows: I) -> Self {
        let mut parts = Parts::default();
        rows.into_iter().for_each(|row| parts.insert(row));
        parts
    }
}

fn is_open(state: &PartState) -> bool {
    matches!(state, PartState::Ready { .. } | PartState::Sending { .. })
}

/// What tells people apart: a network may report a number in national form that was
/// sent to in international form, and the last nine digits stay the same.
pub(crate) fn person(number: &PhoneNumber) -> String {
    let digits = number.digits();
    digits[digits.len().saturating_sub(9)..].to_owned()
}
