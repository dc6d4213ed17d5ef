//! Answered → sent: one part at a time and modem, its fate settled by evidence.

use jibu_types::{PhoneNumber, Timestamp};

use crate::parts::person;
use crate::{
    Change, MessageId, ModemName, ModemState, Output, PartId, PartRow, PartState, ReportOutcome,
    Slot, Spool, StoredPart, Ticket, Verdict,
};

/// A status report that came before the modem's reply to the sending.
#[derive(Debug)]
pub(crate) struct EarlyReport {
    recipient: PhoneNumber,
    reference: u8,
    outcome: ReportOutcome,
}

/// One part is in flight a modem, so a few are plenty.
const EARLY_REPORTS: usize = 16;

impl Spool {
    /// Settles what was given to the modem before it went away, then goes on.
    ///
    /// A modem that keeps parts is evidence: a copy marked sent is on the air, a
    /// copy marked unsent is not, and no copy means that it was never written,
    /// because copies are deleted only after the row says `Sent`.
    pub(crate) fn modem_ready(
        &mut self,
        modem: ModemName,
        keeps_parts: bool,
        mut stored: Vec<StoredPart>,
        now: Timestamp,
    ) {
        self.modems.insert(modem.clone(), ModemState { keeps_parts, busy: false, since: now });
        self.away.remove(&modem);
        let in_doubt: Vec<PartId> = self
            .parts
            .open()
            .filter(|row| matches!(&row.state, PartState::Sending { modem: m, .. } if *m == modem))
            .map(|row| row.id)
            .collect();

        let mut resumed = None;
        for part in in_doubt {
            match self.take_copy(part, &mut stored) {
                Some(copy) if copy.sent => {
                    self.settle(part, PartState::Sent { reference: None, at: now });
                    self.outputs
                        .push_back(Output::Forget { modem: modem.clone(), slot: copy.slot });
                }
                Some(copy) => resumed = Some((part, copy.slot)),
                None if keeps_parts => {
                    self.settle(part, PartState::Ready { not_before: now });
                }
                // Without evidence a status report may still come, or has come before
                // the modem was ready.
                None => self.conclude_early(part, None, now),
            }
        }
        for left in stored.into_iter().filter(|copy| copy.sent || keeps_parts) {
            self.outputs.push_back(Output::Forget { modem: modem.clone(), slot: left.slot });
        }
        if let Some((part, slot)) = resumed {
            self.set_busy(&modem, true);
            self.outputs.push_back(Output::Resume { modem, part, slot });
        }
    }

    fn take_copy(&self, part: PartId, stored: &mut Vec<StoredPart>) -> Option<StoredPart> {
        let row = self.parts.get(part)?;
        let PartState::Sending { slot, .. } = &row.state else { return None };
        let find = |fits: &dyn Fn(&StoredPart) -> bool| {
            stored.iter().position(|copy| copy.pdu == row.pdu && fits(copy))
        };
        // The power may have gone between +CMGW and the row, and a modem that
        // restarted may have written elsewhere than it was told: then the copy is
        // known by its words.
        let found = find(&|copy| Some(&copy.slot) == slot.as_ref())
            .or_else(|| find(&|copy| !copy.sent))
            .or_else(|| find(&|_| true))?;
        Some(stored.swap_remove(found))
    }

    pub(crate) fn written(&mut self, part: PartId, slot: Slot) {
        let Some(PartState::Sending { modem, since, .. }) = self.parts.get(part).map(|r| &r.state)
        else {
            return;
        };
        let state = PartState::Sending { modem: modem.clone(), slot: Some(slot), since: *since };
        self.settle(part, state);
    }

    pub(crate) fn sent(
        &mut self,
        part: PartId,
        reference: Option<u8>,
        slot: Option<Slot>,
        now: Timestamp,
    ) {
        let Some(modem) = self.end_of_sending(part) else { return };
        self.settle(part, PartState::Sent { reference, at: now });
        self.forget_copy(modem, slot);
        if reference.is_some() {
            self.conclude_early(part, reference, now);
        }
    }

    /// Takes the status report on a part that came before it was known to be of one;
    /// with any reference where none is known.
    fn conclude_early(&mut self, part: PartId, reference: Option<u8>, now: Timestamp) {
        let Some(row) = self.parts.get(part) else { return };
        let early = self.early_reports.iter().position(|report| {
            reference.is_none_or(|reference| report.reference == reference)
                && person(&row.recipient) == person(&report.recipient)
        });
        if let Some(report) = early.and_then(|at| self.early_reports.remove(at)) {
            self.conclude(part, report.reference, report.outcome, now);
        }
    }

    pub(crate) fn send_failed(
        &mut self,
        part: PartId,
        verdict: Verdict,
        why: String,
        slot: Option<Slot>,
        now: Timestamp,
    ) {
        let Some(modem) = self.end_of_sending(part) else { return };
        let attempts = self.parts.get(part).map_or(0, |row| row.attempts);
        let is_refused = verdict == Verdict::GiveUp && !self.refused.insert(part);
        let state = if is_refused || attempts >= self.config.max_attempts {
            PartState::Failed { reference: None, at: now, why }
        } else {
            PartState::Ready { not_before: now + self.wait_after(attempts, verdict) }
        };
        let failed = matches!(state, PartState::Failed { .. });
        self.settle(part, state);
        self.forget_copy(modem, slot);
        if failed {
            self.give_up_the_rest(part, now);
        }
    }

    /// Without its beginning the rest of an answer only costs money and confuses.
    fn give_up_the_rest(&mut self, failed: PartId, now: Timestamp) {
        let Some(message) = self.parts.get(failed).map(|row| row.message) else { return };
        let rest: Vec<PartId> = self
            .parts
            .open()
            .filter(|row| row.message == message && row.id > failed)
            .filter(|row| matches!(row.state, PartState::Ready { .. }))
            .map(|row| row.id)
            .collect();
        for part in rest {
            let why = "an earlier part failed".to_owned();
            self.settle(part, PartState::Failed { reference: None, at: now, why });
        }
    }

    fn wait_after(&self, attempts: u32, verdict: Verdict) -> std::time::Duration {
        let waits = &self.config.retry_waits;
        let step = usize::try_from(attempts.saturating_sub(1)).unwrap_or(usize::MAX);
        // "Later" means that trying at once is known to be useless.
        let step = if verdict == Verdict::Later { step.saturating_add(2) } else { step };
        waits.get(step).or(waits.last()).copied().unwrap_or_default()
    }

    /// The modem is free again; gives its name if the part was indeed with it.
    fn end_of_sending(&mut self, part: PartId) -> Option<ModemName> {
        let row = self.parts.get(part)?;
        let PartState::Sending { modem, .. } = &row.state else { return None };
        let modem = modem.clone();
        self.set_busy(&modem, false);
        Some(modem)
    }

    fn set_busy(&mut self, modem: &ModemName, busy: bool) {
        if let Some(state) = self.modems.get_mut(modem) {
            state.busy = busy;
        }
    }

    fn forget_copy(&mut self, modem: ModemName, slot: Option<Slot>) {
        if let Some(slot) = slot {
            self.outputs.push_back(Output::Forget { modem, slot });
        }
    }

    pub(crate) fn report(
        &mut self,
        modem: ModemName,
        ticket: Ticket,
        recipient: &PhoneNumber,
        reference: u8,
        outcome: ReportOutcome,
        now: Timestamp,
    ) {
        match self.reported_part(recipient, reference) {
            Some(part) => self.conclude(part, reference, outcome, now),
            None if self.has_settled(recipient, reference) => {}
            // The report can overtake the modem's own reply to the sending.
            None if self.is_sending_to(recipient) => {
                if self.early_reports.len() >= EARLY_REPORTS {
                    self.early_reports.pop_front();
                }
                let recipient = recipient.clone();
                self.early_reports.push_back(EarlyReport { recipient, reference, outcome });
            }
            None => {}
        }
        self.outputs.push_back(Output::Erase { modem, ticket });
    }

    fn conclude(&mut self, part: PartId, reference: u8, outcome: ReportOutcome, now: Timestamp) {
        let was_in_doubt = self.parts.get(part).is_some_and(|row| self.is_in_doubt(row));
        let reference = Some(reference);
        match outcome {
            ReportOutcome::Delivered => {
                self.settle(part, PartState::Delivered { reference, at: now });
            }
            ReportOutcome::Failed { status } => {
                let why = format!("the network reported status 0x{status:02X}");
                self.settle(part, PartState::Failed { reference, at: now, why });
            }
            ReportOutcome::Trying if was_in_doubt => {
                self.settle(part, PartState::Sent { reference, at: now });
            }
            ReportOutcome::Trying => {}
        }
    }

    fn is_sending_to(&self, recipient: &PhoneNumber) -> bool {
        self.parts.to(recipient).any(|row| matches!(row.state, PartState::Sending { .. }))
    }

    /// The newest part to this number with this reference; failing that, one
    /// whose reference was lost in a cut, unless the report is an old one.
    fn reported_part(&self, recipient: &PhoneNumber, reference: u8) -> Option<PartId> {
        let known = self.parts.to(recipient).find(
            |row| matches!(row.state, PartState::Sent { reference: Some(r), .. } if r == reference),
        );
        let unknown = || {
            if self.has_settled(recipient, reference) {
                return None;
            }
            let sent =
                |row: &&PartRow| matches!(row.state, PartState::Sent { reference: None, .. });
            let in_doubt = || self.parts.to(recipient).find(|row| self.is_in_doubt(row));
            self.parts.to(recipient).find(sent).or_else(in_doubt)
        };
        known.or_else(unknown).map(|row| row.id)
    }

    /// Whether a report with this reference has settled a part to this number: it is
    /// shown again where the power went before the modem let it go.
    fn has_settled(&self, recipient: &PhoneNumber, reference: u8) -> bool {
        self.parts.to(recipient).any(|row| match &row.state {
            PartState::Delivered { reference: r, .. } | PartState::Failed { reference: r, .. } => {
                *r == Some(reference)
            }
            _ => false,
        })
    }

    /// Given to a modem that has since gone away and come back without a copy.
    fn is_in_doubt(&self, row: &PartRow) -> bool {
        match &row.state {
            PartState::Sending { modem, .. } => {
                self.modems.get(modem).is_some_and(|state| !state.busy && !state.keeps_parts)
            }
            _ => false,
        }
    }

    /// A part in doubt for which no report came is sent again: better twice than never.
    pub(crate) fn release_unknown_fates(&mut self, now: Timestamp) {
        let released: Vec<PartId> = self
            .parts
            .open()
            .filter(|row| self.is_in_doubt(row))
            .filter(|row| self.doubt_ends(row).is_some_and(|at| at <= now))
            .map(|row| row.id)
            .collect();
        for part in released {
            self.settle(part, PartState::Ready { not_before: now });
        }
    }

    fn doubt_ends(&self, row: &PartRow) -> Option<Timestamp> {
        let PartState::Sending { modem, since, .. } = &row.state else { return None };
        // While the modem was away no report could come.
        let there = self.modems.get(modem).map_or(*since, |state| state.since);
        Some(there.max(*since) + self.config.unknown_fate_wait)
    }

    pub(crate) fn send_deadlines(&self) -> impl Iterator<Item = Timestamp> + '_ {
        // While modems are busy or come back, their next event wakes us.
        let due = self.first_waiting().filter_map(move |(row, not_before)| {
            match self.is_free(&row.modem) {
                true => Some(not_before),
                false => {
                    let stands_in = self.stand_in(&row.modem).is_some();
                    let fails_over = self.fails_over_at(&row.modem).filter(|_| stands_in);
                    fails_over.map(|at| at.max(not_before))
                }
            }
        });
        let doubts = self.parts.open().filter(|row| self.is_in_doubt(row));
        due.chain(doubts.filter_map(|row| self.doubt_ends(row)))
    }

    pub(crate) fn send_what_can_be_sent(&mut self, now: Timestamp) {
        self.hold_what_would_wake_somebody(now);
        while let Some((part, modem)) = self.next_part(now) {
            let Some(pdu) = self.parts.attempt(part) else { return };
            let state = PartState::Sending { modem: modem.clone(), slot: None, since: now };
            self.settle(part, state);
            self.set_busy(&modem, true);
            self.outputs.push_back(Output::Send { modem, part, pdu });
        }
    }

    /// In quiet hours an answer that comes late waits for the morning.
    fn hold_what_would_wake_somebody(&mut self, now: Timestamp) {
        let Some(morning) = self.config.quiet.and_then(|quiet| quiet.end(now)) else { return };
        let held: Vec<PartId> = self
            .first_waiting()
            .filter(|(row, not_before)| {
                *not_before <= now && self.awake.get(&row.message).is_none_or(|until| *until <= now)
            })
            .map(|(row, _)| row.id)
            .collect();
        for part in held {
            self.settle(part, PartState::Ready { not_before: morning });
        }
    }

    /// The oldest part that is due, and the free modem that it leaves by.
    fn next_part(&self, now: Timestamp) -> Option<(PartId, ModemName)> {
        self.first_waiting().filter(|(_, not_before)| *not_before <= now).find_map(|(row, _)| {
            let modem = self.carrier(&row.modem, now)?;
            Some((row.id, modem.clone()))
        })
    }

    /// The modem itself; where it has been away or without its network for long,
    /// another one.
    fn carrier<'a>(&'a self, own: &'a ModemName, now: Timestamp) -> Option<&'a ModemName> {
        let fails_over = self.fails_over_at(own).is_some_and(|at| at <= now);
        let stand_in = if fails_over { self.stand_in(own) } else { None };
        stand_in.or_else(|| Some(own).filter(|own| self.is_free(own)))
    }

    /// A modem that is free and in its network.
    fn stand_in(&self, own: &ModemName) -> Option<&ModemName> {
        let others = self.modems.keys().filter(|name| *name != own);
        others.filter(|name| self.is_free(name) && !self.unregistered.contains_key(*name)).min()
    }

    /// When others may stand in for a modem; none while it is there and registered.
    fn fails_over_at(&self, modem: &ModemName) -> Option<Timestamp> {
        let away = match self.modems.contains_key(modem) {
            true => None,
            false => Some(self.away.get(modem).unwrap_or(&self.started)),
        };
        let since = away.into_iter().chain(self.unregistered.get(modem)).min()?;
        Some(*since + self.config.fail_over_after)
    }

    /// Of every answer the first part that waits, unless one before it is being
    /// sent: pages arrive in reading order. An answer's parts have neighbouring ids.
    fn first_waiting(&self) -> impl Iterator<Item = (&PartRow, Timestamp)> + '_ {
        let mut unfinished: Option<MessageId> = None;
        self.parts.open().filter_map(move |row| {
            let waiting_since = match row.state {
                PartState::Ready { not_before } => Some(not_before),
                _ => None,
            };
            let behind_another = unfinished.replace(row.message) == Some(row.message);
            waiting_since.filter(|_| !behind_another).map(|at| (row, at))
        })
    }

    fn is_free(&self, modem: &ModemName) -> bool {
        self.modems.get(modem).is_some_and(|state| !state.busy)
    }

    fn settle(&mut self, part: PartId, state: PartState) {
        let Some(attempts) = self.parts.settle(part, state.clone()) else { return };
        if matches!(state, PartState::Sent { .. } | PartState::Failed { .. }) {
            self.refused.remove(&part);
        }
        self.save(vec![Change::SetPart { part, attempts, state }]);
    }
}
