//! What comes from outside: messages, reports, USSD, and noise.

use std::collections::VecDeque;
use std::time::Duration;

use super::{Event, Output, Simulator};
use crate::at::{direct_lines, ussd_text};
use crate::codec::alphabet;
use crate::modem::{Line, Received};
use crate::network::Said;

/// How long the host has to acknowledge a directly routed message
/// (TS 23.040 leaves it to the RP layer's timers; 27.005 §3.4.4). A time of
/// the host's, so it is not scaled.
const ACKNOWLEDGEMENT: Duration = Duration::from_secs(15);

impl Simulator {
    /// A message reaches the mobile, or the network keeps it.
    pub(super) fn arrive(&mut self, pdu: Vec<u8>) {
        self.modem.network.waiting.push_back(pdu);
        self.retry();
    }

    /// The service centre hands over what it has, in order. What finds no room
    /// stays, and does not hold up what comes after it.
    pub(super) fn retry(&mut self) {
        let mut refused = VecDeque::new();
        while self.modem.is_in_service()
            && self.unacknowledged.is_none()
            && let Some(pdu) = self.modem.network.waiting.pop_front()
        {
            match self.modem.receive(pdu.clone()) {
                Some(received) => self.received(received),
                None => refused.push_back(pdu),
            }
        }
        if !refused.is_empty() {
            self.note("no room for a message");
            if let Some(line) = self.modem.profile.storage.full_line.clone() {
                self.announce(vec![line.into_bytes()]);
            }
            refused.append(&mut self.modem.network.waiting);
            self.modem.network.waiting = refused;
        }
    }

    fn received(&mut self, received: Received) {
        match received {
            Received::Stored => self.note("message stored"),
            Received::Dropped => self.note("status report dropped"),
            Received::Indicated(memory, index) => {
                let is_report = self.modem.store.get(memory, index).is_some_and(|message| {
                    crate::codec::split_service_centre(&message.pdu)
                        .is_ok_and(|(_, tpdu)| tpdu.first().is_some_and(|first| first & 3 == 2))
                });
                let name = if is_report { "+CDSI" } else { "+CMTI" };
                self.indicate(vec![format!("{name}: \"{memory}\",{index}").into_bytes()]);
            }
            Received::Direct(pdu) => {
                let lines = direct_lines(&self.modem, &pdu);
                self.indicate(lines);
                if self.modem.settings.service == 1 {
                    self.unacknowledged = Some(pdu);
                    self.at(
                        self.now.saturating_add(ACKNOWLEDGEMENT),
                        Event::AcknowledgementTimeout,
                    );
                }
            }
        }
    }

    /// Tells the host of a message, unless +CNMI mode 0 keeps it back.
    fn indicate(&mut self, lines: Vec<Line>) {
        if self.modem.settings.indications[0] == 0 {
            self.buffered.push_back(lines);
            // TS 27.005 §3.4.1: a full buffer loses its oldest.
            if self.buffered.len() > 32 {
                self.buffered.pop_front();
            }
        } else {
            self.announce(lines);
        }
    }

    /// +CNMI left mode 0: give out what was kept, or forget it, as `<bfr>` says.
    pub(super) fn flush_indications(&mut self) {
        let kept = std::mem::take(&mut self.buffered);
        if self.modem.settings.indications[4] == 0 {
            self.held.extend(kept);
        }
        self.after_ms([100, 500], Event::Retry);
    }

    pub(super) fn acknowledged(&mut self, accepted: bool) {
        self.events.retain(|_, event| !matches!(event, Event::AcknowledgementTimeout));
        if let Some(pdu) = self.unacknowledged.take()
            && !accepted
        {
            self.modem.network.waiting.push_front(pdu);
        }
        self.after_ms([100, 500], Event::Retry);
    }

    /// TS 27.005 §3.4.4: without acknowledgement direct routing ends, and the
    /// network keeps the message.
    pub(super) fn acknowledgement_timeout(&mut self) {
        let Some(pdu) = self.unacknowledged.take() else { return };
        self.note("no +CNMA came; direct routing ends");
        self.modem.network.waiting.push_front(pdu);
        self.modem.settings.indications[1] = 0;
        self.modem.settings.indications[3] = 0;
        self.after_ms([1_000, 3_000], Event::Retry);
    }

    /// A message went on the air: its report will come, and tests may wait.
    pub(super) fn went_out(&mut self, position: usize) {
        let Some(sent) = self.modem.network.on_air.get(position) else { return };
        let reports = self.modem.network.reports;
        if sent.submit.wants_report && reports.enabled {
            let (submit, sent_at) = (sent.submit.clone(), sent.at);
            let settled = self.now.saturating_add(self.delay(reports.delay_ms));
            let pdu = self.modem.network.report_on(&submit, sent_at, settled);
            self.at(settled, Event::Arrive(pdu));
        }
        self.answer_waiters();
    }

    /// The host dialled a code, or answered in a session.
    pub(super) fn ussd_said(&mut self, text: String, coding: u8) {
        if self.modem.network.caller {
            // The page is on somebody's screen; what is entered next comes from a test.
            let units = text.encode_utf16().count();
            let fits = match (coding, alphabet::encode(&text)) {
                (72, _) => units <= 80,
                (_, Some(septets)) => septets.len() <= 182,
                (_, None) => false,
            };
            self.modem.network.said.push(Said { text: Some(text), coding, fits });
            return;
        }
        if self.modem.profile.quirks.ussd_before_ok {
            return self.answer_ussd(&text);
        }
        let range = self.modem.profile.timing.ussd_ms;
        self.after_ms(range, Event::UssdAnswer(text));
    }

    /// The host ended the session.
    pub(super) fn ussd_ended(&mut self) {
        if std::mem::take(&mut self.modem.network.caller) {
            self.modem.network.said.push(Said { text: None, coding: 15, fits: true });
        }
    }

    pub(super) fn answer_ussd(&mut self, code: &str) {
        let answer = self.modem.network.answer(code).map(str::to_owned);
        let line = match answer {
            Some(answer) => {
                let text = ussd_text(&self.modem, &answer);
                [b"+CUSD: 0,".as_slice(), &text].concat()
            }
            // 4: operation not supported (TS 27.007 §7.15).
            None => b"+CUSD: 4".to_vec(),
        };
        if self.modem.settings.ussd_lines == 1 {
            self.announce(vec![line]);
        }
    }

    /// Plans the next unsolicited line, if the noise or the make has any.
    pub(super) fn plan_chatter(&mut self) {
        self.events.retain(|_, event| !matches!(event, Event::Chatter));
        let mean = match self.noise.urc_every_ms {
            0 => self.modem.profile.chatter_ms,
            other => other,
        };
        if mean > 0 {
            self.after_ms([mean / 2, mean.saturating_add(mean / 2)], Event::Chatter);
        }
    }

    pub(super) fn chatter(&mut self) {
        if let Some(line) = self.noise_line() {
            self.announce(vec![line]);
        }
        self.plan_chatter();
    }

    /// An unsolicited line in the middle of things.
    pub(super) fn say_noise(&mut self) {
        if let Some(line) = self.noise_line() {
            self.say_now(&[line]);
        }
    }

    fn noise_line(&mut self) -> Option<Line> {
        let lines = match self.noise.lines.is_empty() {
            true => &self.modem.profile.noise.lines,
            false => &self.noise.lines,
        };
        self.rng.choice(lines).map(|line| line.clone().into_bytes())
    }

    /// The port goes away and comes back; the modem stays on.
    pub(super) fn unplug(&mut self, ms: u64) {
        self.note("port unplugged");
        self.outputs.push_back(Output::Unplug);
        self.at(self.now.saturating_add(Duration::from_millis(ms)), Event::Plug);
    }
}
