//! Answers to control requests.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{ClientId, Event, Output, Power, Reader, Simulator, Waiter};
use crate::at::ussd_text;
use crate::codec::{Address, Draft, ServiceTime, deliver_parts};
use crate::control::{Deliver, DeliverPdu, Request, Set, WaitSent, failure};
use crate::fault::Noise;
use crate::modem::CardState;
use crate::sent::{millis, reassemble};
use crate::store::Memory;

impl Simulator {
    /// The answer to a request, or `None` when it comes later.
    pub(super) fn answer(&mut self, client: ClientId, request: Request) -> Option<Value> {
        let result = match request {
            Request::Deliver(deliver) => self.deliver(&deliver),
            Request::DeliverPdu(deliver) => self.deliver_pdu(&deliver),
            Request::Sent(query) => Ok(self.sent_answer(query.to.as_deref(), None)),
            Request::WaitSent(wait) => return self.wait_sent(client, wait),
            Request::Storage(_) => Ok(self.storage()),
            Request::Noise(noise) => self.set_noise(noise),
            Request::Fault(fault) => {
                self.faults.push(fault);
                Ok(json!({ "ok": true, "pending": self.faults.len() }))
            }
            Request::Set(set) => self.set(*set),
            Request::Log(query) => {
                let entries: Vec<_> = self.transcript.since(query.since).collect();
                Ok(json!({ "ok": true, "next": self.transcript.total(), "entries": entries }))
            }
            Request::State(_) => Ok(self.state()),
            Request::Urc(urc) => {
                self.announce(vec![urc.line.into_bytes()]);
                Ok(json!({ "ok": true }))
            }
            Request::UssdSaid(_) => {
                let network = &self.modem.network;
                Ok(json!({ "ok": true, "caller": network.caller, "said": network.said }))
            }
            Request::Ussd(ussd) => {
                if self.modem.settings.ussd_lines != 1 && ussd.m == 1 {
                    return Some(failure("the modem does not take USSD now: AT+CUSD=1"));
                }
                self.modem.network.caller = ussd.m == 1;
                let line = match ussd.text {
                    Some(text) => {
                        let text = ussd_text(&self.modem, &text);
                        [format!("+CUSD: {},", ussd.m).as_bytes(), &text].concat()
                    }
                    None => format!("+CUSD: {}", ussd.m).into_bytes(),
                };
                self.announce(vec![line]);
                Ok(json!({ "ok": true }))
            }
            Request::Reset(_) => {
                self.restart();
                Ok(json!({ "ok": true }))
            }
            Request::Unplug(unplug) => {
                self.unplug(unplug.ms);
                Ok(json!({ "ok": true }))
            }
            Request::Quit(_) => {
                self.outputs.push_back(Output::Answer(client, json!({ "ok": true })));
                self.outputs.push_back(Output::Quit);
                return None;
            }
        };
        Some(result.unwrap_or_else(failure))
    }

    fn deliver(&mut self, deliver: &Deliver) -> Result<Value, String> {
        let origin = Address::new(&deliver.from).map_err(|error| format!("from: {error}"))?;
        let time = match &deliver.time {
            None => self.modem.network.time(self.now),
            Some(text) => ServiceTime::parse(text).ok_or_else(|| {
                format!("time {text:?} is none (an example: 2026-12-02 15:58:11+02:00)")
            })?,
        };
        let bits = deliver.bits.unwrap_or(8);
        if !matches!(bits, 8 | 16) {
            return Err(format!("bits must be 8 or 16, not {bits}"));
        }
        if deliver.class.is_some_and(|class| class > 3) {
            return Err("class must be 0 to 3".to_owned());
        }
        let reference = match deliver.reference {
            Some(reference) if bits == 8 && reference > 255 => {
                return Err(format!("the reference {reference} needs bits 16"));
            }
            Some(reference) => reference,
            None if bits == 8 => u16::from(self.rng.u8(..)),
            None => self.rng.u16(..),
        };
        let centre = self.modem.network.centre();
        let parts = deliver_parts(&Draft {
            service_centre: centre.as_ref(),
            origin: &origin,
            text: &deliver.text,
            time,
            alphabet: deliver.alphabet,
            reference,
            bits,
            class: deliver.class,
        })
        .map_err(|error| error.to_string())?;

        let total = u8::try_from(parts.len()).unwrap_or(u8::MAX);
        for number in deliver.order.iter().chain(&deliver.drop_parts).chain(&deliver.repeat) {
            if !(1..=total).contains(number) {
                return Err(format!("there is no part {number}; the message has {total}"));
            }
        }
        let rest = (1..=total).filter(|number| !deliver.order.contains(number));
        let order = deliver.order.iter().copied().chain(rest);
        let mut at = self.now;
        let mut pdus = Vec::new();
        for number in order.filter(|number| !deliver.drop_parts.contains(number)) {
            let Some(pdu) = parts.get(usize::from(number).wrapping_sub(1)) else { continue };
            let copies = if deliver.repeat.contains(&number) { 2 } else { 1 };
            for _ in 0..copies {
                at = at.saturating_add(self.arrival_delay(deliver.delay_ms));
                self.at(at, Event::Arrive(pdu.clone()));
                pdus.push(hex::encode_upper(pdu));
            }
        }
        Ok(json!({ "ok": true, "parts": total, "reference": reference, "pdus": pdus }))
    }

    fn deliver_pdu(&mut self, deliver: &DeliverPdu) -> Result<Value, String> {
        let pdu = hex::decode(&deliver.pdu).map_err(|error| format!("pdu: {error}"))?;
        let delay = self.arrival_delay(deliver.delay_ms);
        self.at(self.now.saturating_add(delay), Event::Arrive(pdu));
        Ok(json!({ "ok": true }))
    }

    fn arrival_delay(&mut self, asked: Option<u64>) -> Duration {
        match asked {
            Some(ms) => Duration::from_millis(ms),
            None => self.delay([100, 900]),
        }
    }

    pub(super) fn sent_answer(&self, to: Option<&str>, error: Option<&str>) -> Value {
        let mut messages = reassemble(&self.modem.network.on_air);
        messages.retain(|message| to.is_none_or(|to| message.to == to));
        let raw: Vec<Value> = self
            .modem
            .network
            .on_air
            .iter()
            .map(|sent| {
                json!({
                    "at_ms": millis(sent.at),
                    "reference": sent.submit.reference,
                    "pdu": hex::encode_upper(&sent.tpdu),
                })
            })
            .collect();
        let mut answer = json!({ "ok": error.is_none(), "messages": messages, "raw": raw });
        if let (Some(error), Some(object)) = (error, answer.as_object_mut()) {
            object.insert("error".to_owned(), error.into());
        }
        answer
    }

    fn wait_sent(&mut self, client: ClientId, wait: WaitSent) -> Option<Value> {
        let WaitSent { count, to, timeout_ms } = wait;
        if self.count_sent(to.as_deref()) >= count {
            return Some(self.sent_answer(to.as_deref(), None));
        }
        self.waiters.push(Waiter { client, count, to });
        let until = self.now.saturating_add(Duration::from_millis(timeout_ms));
        self.at(until, Event::GiveUp(client));
        None
    }

    fn count_sent(&self, to: Option<&str>) -> usize {
        reassemble(&self.modem.network.on_air)
            .iter()
            .filter(|message| message.complete && to.is_none_or(|to| message.to == to))
            .count()
    }

    /// Answers those whose messages are there now.
    pub(super) fn answer_waiters(&mut self) {
        let (ready, waiting): (Vec<_>, Vec<_>) = std::mem::take(&mut self.waiters)
            .into_iter()
            .partition(|waiter| self.count_sent(waiter.to.as_deref()) >= waiter.count);
        self.waiters = waiting;
        for waiter in ready {
            let answer = self.sent_answer(waiter.to.as_deref(), None);
            self.outputs.push_back(Output::Answer(waiter.client, answer));
            // The same client may wait again; its old deadline must not end that.
            self.events.retain(
                |_, event| !matches!(event, Event::GiveUp(client) if *client == waiter.client),
            );
        }
    }

    fn storage(&self) -> Value {
        let memories: Vec<Value> = [Memory::Sm, Memory::Me, Memory::Sr]
            .into_iter()
            .map(|memory| {
                let messages: Vec<Value> = self
                    .modem
                    .store
                    .list(memory)
                    .into_iter()
                    .map(|(index, message)| {
                        json!({
                            "index": index,
                            "status": message.status.words(),
                            "pdu": hex::encode_upper(&message.pdu),
                        })
                    })
                    .collect();
                json!({
                    "memory": memory.to_string(),
                    "used": self.modem.store.used(memory),
                    "capacity": self.modem.store.capacity(memory),
                    "messages": messages,
                })
            })
            .collect();
        json!({ "ok": true, "memories": memories, "waiting": self.modem.network.waiting.len() })
    }

    fn set_noise(&mut self, mut values: Map<String, Value>) -> Result<Value, String> {
        let noise = match (values.remove("level"), values.is_empty()) {
            (Some(level), true) => level
                .as_str()
                .and_then(Noise::named)
                .ok_or_else(|| format!("level {level}: off, light or heavy"))?,
            (Some(_), false) => return Err("either a level or values".to_owned()),
            (None, _) => serde_json::from_value(Value::Object(values))
                .map_err(|error: serde_json::Error| error.to_string())?,
        };
        if let Some(name) = noise.bad_probability() {
            return Err(format!("{name} must be between 0 and 1"));
        }
        self.noise = noise;
        self.plan_chatter();
        Ok(json!({ "ok": true, "noise": self.noise }))
    }

    fn set(&mut self, set: Set) -> Result<Value, String> {
        if let Some(scale) = set.time_scale
            && !(0.0..=1e6).contains(&scale)
        {
            return Err("time_scale must be between 0 and 1000000".to_owned());
        }
        if set.pin.as_ref().is_some_and(|pin| pin.len() < 4 || pin.len() > 8) {
            return Err("a PIN has 4 to 8 digits".to_owned());
        }
        if set.registration.is_some_and(|state| state > 5) {
            return Err("registration is a +CREG state, 0 to 5".to_owned());
        }
        if let Some([least, most]) = set.report_delay_ms
            && least > most
        {
            return Err("report_delay_ms is [least, most]".to_owned());
        }

        if let Some(scale) = set.time_scale {
            self.time_scale = scale;
        }
        let network = &mut self.modem.network;
        network.signal = set.signal.unwrap_or(network.signal);
        network.quarters = set.quarters.unwrap_or(network.quarters);
        network.reports.status = set.report_status.unwrap_or(network.reports.status);
        network.reports.enabled = set.reports.unwrap_or(network.reports.enabled);
        network.reports.delay_ms = set.report_delay_ms.unwrap_or(network.reports.delay_ms);
        if let Some(code) = set.refuse_with {
            network.refusal = (code != 0).then_some(code);
        }
        network.ussd.extend(set.ussd.unwrap_or_default());
        let capacities = [
            (Memory::Sm, set.sm_capacity),
            (Memory::Me, set.me_capacity),
            (Memory::Sr, set.sr_capacity),
        ];
        for (memory, capacity) in capacities {
            if let Some(capacity) = capacity {
                self.modem.store.resize(memory, capacity.min(10_000));
                self.after_ms([500, 2_000], Event::Retry);
            }
        }
        if let Some(centre) = set.service_centre {
            self.modem.service_centre = centre;
        }
        self.modem.next_reference = set.next_reference.unwrap_or(self.modem.next_reference);
        self.set_card(set.pin, set.pin_required, set.sim_present);
        if let Some(state) = set.registration {
            self.modem.network.grants = state;
            self.registered();
        }
        Ok(json!({ "ok": true }))
    }

    fn set_card(&mut self, pin: Option<String>, required: Option<bool>, present: Option<bool>) {
        let card = &mut self.modem.card;
        if let Some(pin) = pin {
            card.pin = pin;
        }
        match required {
            Some(true) => {
                card.locked_at_start = true;
                card.state = CardState::Pin(3);
                self.modem.messages_ready = false;
                self.modem.registration = 0;
            }
            Some(false) => {
                card.locked_at_start = false;
                if card.state != CardState::Ready {
                    card.state = CardState::Ready;
                    self.unlocked();
                }
            }
            None => {}
        }
        match present {
            Some(false) => {
                self.modem.card.state = CardState::Absent;
                self.modem.messages_ready = false;
                self.modem.registration = 0;
            }
            Some(true) if self.modem.card.state == CardState::Absent => {
                self.modem.card.state = CardState::Ready;
                self.unlocked();
            }
            _ => {}
        }
    }

    fn state(&self) -> Value {
        let power = match self.power {
            Power::On => "on",
            Power::Starting => "starting",
            Power::Hung(_) => "hung",
        };
        let card = match self.modem.card.state {
            CardState::Ready => "READY",
            CardState::Pin(_) => "SIM PIN",
            CardState::Puk(_) => "SIM PUK",
            CardState::Blocked => "BLOCKED",
            CardState::Absent => "ABSENT",
        };
        let settings = &self.modem.settings;
        json!({
            "ok": true,
            "at_ms": millis(self.now),
            "seed": self.seed,
            "power": power,
            "sim": card,
            "host": if self.listening { "open" } else { "closed" },
            "mode": match self.reader {
                Reader::Command(_) => "command",
                Reader::Prompt(..) => "prompt",
            },
            "busy": self.running.is_some(),
            "registration": self.modem.registration,
            "signal": self.modem.network.signal,
            "messages_ready": self.modem.messages_ready,
            "text_mode": settings.text_mode,
            "echo": settings.echo,
            "indications": settings.indications,
            "memories": settings.memories.map(|memory| memory.to_string()),
            "next_reference": self.modem.next_reference,
            "on_air": self.modem.network.on_air.len(),
            "waiting": self.modem.network.waiting.len(),
            "faults": self.faults.len(),
            "time_scale": self.time_scale,
        })
    }
}
