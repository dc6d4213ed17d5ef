//! Received: keeping what came, putting parts together, asking once.

use std::collections::VecDeque;
use std::time::Duration;

use jibu_types::{Channel, PhoneNumber, Timestamp};

use crate::{
    AnswerSummary, Change, Group, IgnoreReason, MessageId, MessageRow, MessageState, ModemName,
    Output, PartId, PartRow, PartState, Segment, SegmentKey, Spool, Ticket,
};

/// What the parts of one concatenated message have in common. Two senders may
/// use the same reference, and so may one sender with the other width.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct GroupKey {
    sender: String,
    reference: u16,
    wide: bool,
    total: u8,
}

impl GroupKey {
    fn of(segment: &Segment) -> Option<GroupKey> {
        segment.group.map(|Group { reference, wide, total, .. }| GroupKey {
            sender: segment.key.sender.clone(),
            reference,
            wide,
            total,
        })
    }
}

/// A concatenated message that went on although parts of it were missing.
#[derive(Debug)]
pub(crate) struct Closed {
    message: MessageId,
    pub(crate) at: Timestamp,
    sent_at: Timestamp,
    parts: Vec<u8>,
}

impl Closed {
    /// Whether a segment with the same reference is a part that was missing, and
    /// not of a later message: some phones give every message the same reference.
    fn misses(&self, segment: &Segment) -> bool {
        let part = segment.group.map_or(1, |group| group.part);
        !self.parts.contains(&part) && were_sent_together(self.sent_at, segment.key.sent_at)
    }
}

/// How far the service centre's time stamps of one message's parts may lie apart.
const TOGETHER: Duration = Duration::from_secs(60 * 60);

fn were_sent_together(a: Timestamp, b: Timestamp) -> bool {
    let unknown = Timestamp::default();
    a == unknown || b == unknown || a.since(b).max(b.since(a)) <= TOGETHER
}

impl Spool {
    pub(crate) fn arrived(
        &mut self,
        modem: ModemName,
        ticket: Ticket,
        segment: Segment,
        now: Timestamp,
    ) {
        if self.keys.insert(segment.key.clone(), now).is_none() {
            self.keep(&modem, segment, now);
        }
        self.erase(modem, ticket);
    }

    fn keep(&mut self, modem: &ModemName, segment: Segment, now: Timestamp) {
        let group = GroupKey::of(&segment);
        if let Some(id) = group.as_ref().and_then(|key| self.gathering(key, &segment)) {
            self.add_part(id, segment);
            return;
        }
        let closed = group.and_then(|key| self.closed_groups.get_mut(&key));
        if let Some(closed) = closed.filter(|closed| closed.misses(&segment)) {
            // The person has been answered without this part; keep it for the record.
            closed.parts.extend(segment.group.map(|group| group.part));
            let message = closed.message;
            self.save(vec![Change::AddSegment { message, segment }]);
            return;
        }

        let sender = segment.sender.as_ref();
        let state = match self.reason_to_ignore(modem, sender, now) {
            Some(reason) => MessageState::Ignored(reason),
            None if segment.group.is_some_and(|g| g.total > 1) => MessageState::Gathering,
            None => MessageState::Received,
        };
        let row = self.new_message(modem.clone(), segment, state, now);
        match row.state {
            MessageState::Ignored(_) | MessageState::Answered => {}
            MessageState::Gathering => {
                self.messages.insert(row.id, row);
            }
            MessageState::Received => {
                let id = row.id;
                self.messages.insert(id, row);
                self.ask(id);
            }
        }
    }

    /// The message that still misses this very part.
    fn gathering(&self, key: &GroupKey, segment: &Segment) -> Option<MessageId> {
        let part = segment.group.map(|g| g.part);
        self.messages
            .values()
            .filter(|row| row.state == MessageState::Gathering)
            .filter(|row| row.segments.first().and_then(GroupKey::of).as_ref() == Some(key))
            .filter(|row| row.segments.iter().all(|s| s.group.map(|g| g.part) != part))
            .find(|row| {
                let first = row.segments.first().map(|s| s.key.sent_at).unwrap_or_default();
                were_sent_together(first, segment.key.sent_at)
            })
            .map(|row| row.id)
    }

    fn add_part(&mut self, id: MessageId, segment: Segment) {
        let Some(row) = self.messages.get_mut(&id) else { return };
        let total = segment.group.map_or(1, |g| usize::from(g.total));
        row.segments.push(segment.clone());
        let mut changes = vec![Change::AddSegment { message: id, segment }];
        let complete = row.segments.len() >= total;
        if complete {
            row.state = MessageState::Received;
            changes.push(Change::SetMessage { message: id, state: MessageState::Received });
        }
        self.save(changes);
        if complete {
            self.ask(id);
        }
    }

    fn new_message(
        &mut self,
        modem: ModemName,
        segment: Segment,
        state: MessageState,
        now: Timestamp,
    ) -> MessageRow {
        self.last_message += 1;
        let row = MessageRow {
            id: MessageId(self.last_message),
            channel: Channel::Sms,
            modem,
            sender: segment.sender.clone(),
            received_at: now,
            state,
            segments: vec![segment],
        };
        self.save(vec![Change::AddMessage(row.clone())]);
        row
    }

    pub(crate) fn unreadable(
        &mut self,
        modem: ModemName,
        ticket: Ticket,
        key: SegmentKey,
        pdu: Vec<u8>,
        now: Timestamp,
    ) {
        if self.keys.insert(key.clone(), now).is_none() {
            let segment = Segment { key, sender: None, group: None, pdu };
            let state = MessageState::Ignored(IgnoreReason::Unreadable);
            self.new_message(modem.clone(), segment, state, now);
        }
        self.erase(modem, ticket);
    }

    fn erase(&mut self, modem: ModemName, ticket: Ticket) {
        self.outputs.push_back(Output::Erase { modem, ticket });
    }

    fn reason_to_ignore(
        &self,
        modem: &ModemName,
        sender: Option<&PhoneNumber>,
        now: Timestamp,
    ) -> Option<IgnoreReason> {
        let Some(sender) = sender else { return Some(IgnoreReason::NotAPerson) };
        if sender.is_short_code() || self.config.never_answer.contains(sender) {
            return Some(IgnoreReason::NotAPerson);
        }
        let today = |times: Option<&VecDeque<Timestamp>>| {
            // They are in order, and most of them are of today.
            let old = |times: &VecDeque<Timestamp>| {
                times.iter().take_while(|at| now.since(**at) >= crate::DAY).count()
            };
            times.map_or(0, |times| times.len() - old(times))
        };
        let waiting = |counts: &dyn Fn(&MessageRow) -> bool| {
            self.messages.values().filter(|row| counts(row)).count()
        };
        let of_sender =
            today(self.answered.get(sender)) + waiting(&|row| row.sender.as_ref() == Some(sender));
        // What counts is which SIM pays.
        let modem = self.config.route(sender, modem);
        let pays = |row: &MessageRow| {
            let payer = row.sender.as_ref().map(|sender| self.config.route(sender, &row.modem));
            payer.unwrap_or(&row.modem) == modem
        };
        let of_modem = today(self.answered_by.get(modem)) + waiting(&pays);
        let in_all = self.answered_by.values().map(|times| today(Some(times))).sum::<usize>()
            + self.messages.len();
        let is_spent = |spent: usize, allowed: u32| {
            usize::try_from(allowed).is_ok_and(|allowed| spent >= allowed)
        };
        let spent = is_spent(of_sender, self.config.answers_per_day)
            || is_spent(of_modem, self.config.answers_per_day_and_modem)
            || is_spent(in_all, self.config.answers_per_day_in_all);
        spent.then_some(IgnoreReason::Quota)
    }

    pub(crate) fn gather_deadlines(&self) -> impl Iterator<Item = Timestamp> + '_ {
        self.messages
            .values()
            .filter(|row| row.state == MessageState::Gathering)
            .map(|row| row.received_at + self.config.gather_wait)
    }

    /// Parts that do not come are not waited for any longer: what is there is asked.
    pub(crate) fn close_stale_groups(&mut self, now: Timestamp) {
        let stale: Vec<MessageId> = self
            .messages
            .values()
            .filter(|row| row.state == MessageState::Gathering)
            .filter(|row| row.received_at + self.config.gather_wait <= now)
            .map(|row| row.id)
            .collect();
        for id in stale {
            let Some(row) = self.messages.get_mut(&id) else { continue };
            row.state = MessageState::Received;
            let row = row.clone();
            self.close_group(&row, now);
            self.save(vec![Change::SetMessage { message: id, state: MessageState::Received }]);
            self.ask(id);
        }
    }

    pub(crate) fn close_group(&mut self, row: &MessageRow, at: Timestamp) {
        let Some(first) = row.segments.first() else { return };
        let Some(key) = GroupKey::of(first) else { return };
        let parts = row.segments.iter().filter_map(|s| s.group).map(|group| group.part).collect();
        let closed = Closed { message: row.id, at, sent_at: first.key.sent_at, parts };
        self.closed_groups.insert(key, closed);
    }

    pub(crate) fn ask(&mut self, id: MessageId) {
        let Some(row) = self.messages.get(&id) else { return };
        let Some(sender) = row.sender.clone() else { return };
        let mut segments: Vec<&Segment> = row.segments.iter().collect();
        segments.sort_by_key(|segment| segment.group.map_or(1, |g| g.part));
        let total = segments.first().and_then(|s| s.group).map_or(1, |g| usize::from(g.total));
        self.outputs.push_back(Output::Ask {
            message: id,
            sender,
            pdus: segments.iter().map(|segment| segment.pdu.clone()).collect(),
            missing: total.saturating_sub(segments.len()),
        });
    }

    pub(crate) fn found(
        &mut self,
        id: MessageId,
        pdus: Vec<Vec<u8>>,
        summary: AnswerSummary,
        conversation: Option<String>,
        now: Timestamp,
    ) {
        // A message that is not waiting was answered already.
        let Some(row) = self.messages.remove(&id) else { return };
        let Some(sender) = row.sender else { return };

        let awake_until = match summary.kind.as_str() {
            "urgent" => now + crate::URGENT,
            _ => row.received_at + crate::AWAKE,
        };
        self.awake.insert(id, awake_until);
        let mut changes = vec![
            Change::SetMessage { message: id, state: MessageState::Answered },
            Change::Summarise { message: id, at: now, summary },
        ];
        changes.extend(self.add_parts(id, &row.modem, &sender, pdus, now));
        if let Some(state) = conversation {
            changes.push(Change::KeepConversation { number: sender.clone(), at: now, state });
        }
        self.answered_now(sender, row.modem, now);
        self.save(changes);
    }

    pub(crate) fn follows(
        &mut self,
        modem: ModemName,
        recipient: PhoneNumber,
        channel: Channel,
        pdus: Vec<Vec<u8>>,
        summary: AnswerSummary,
        now: Timestamp,
    ) {
        let refused = self.reason_to_ignore(&modem, Some(&recipient), now);
        self.last_message += 1;
        let id = MessageId(self.last_message);
        let row = MessageRow {
            id,
            channel,
            modem: modem.clone(),
            sender: Some(recipient.clone()),
            received_at: now,
            state: refused.map_or(MessageState::Answered, MessageState::Ignored),
            segments: Vec::new(),
        };
        let mut changes = vec![Change::AddMessage(row)];
        if refused.is_none() {
            changes.push(Change::Summarise { message: id, at: now, summary });
            changes.extend(self.add_parts(id, &modem, &recipient, pdus, now));
            self.awake.insert(id, now + crate::AWAKE);
            self.answered_now(recipient, modem, now);
        }
        self.save(changes);
    }

    fn add_parts(
        &mut self,
        message: MessageId,
        modem: &ModemName,
        recipient: &PhoneNumber,
        pdus: Vec<Vec<u8>>,
        now: Timestamp,
    ) -> Vec<Change> {
        let mut changes = Vec::new();
        let modem = self.config.route(recipient, modem).clone();
        for (sequence, pdu) in (0..).zip(pdus) {
            self.last_part += 1;
            let part = PartRow {
                id: PartId(self.last_part),
                message,
                sequence,
                modem: modem.clone(),
                recipient: recipient.clone(),
                pdu,
                attempts: 0,
                state: PartState::Ready { not_before: now },
            };
            changes.push(Change::AddPart(part.clone()));
            self.parts.insert(part);
        }
        changes
    }

    fn answered_now(&mut self, sender: PhoneNumber, modem: ModemName, now: Timestamp) {
        let modem = self.config.route(&sender, &modem).clone();
        self.answered.entry(sender).or_default().push_back(now);
        self.answered_by.entry(modem).or_default().push_back(now);
    }
}
