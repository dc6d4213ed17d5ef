//! Reading, writing, sending and deleting messages (TS 27.005 §3.4, §3.5, §4).

use super::{Argument, Command, Form, card_error, text_mode};
use crate::codec::{self, Address, Submit, split_service_centre, with_reference};
use crate::modem::{Announced, Effect, Entry, Failure, Line, Modem, Purpose, Reply};
use crate::sent::OnAir;
use crate::store::{Memory, Status, Stored};

/// A message that the host entered, checked and ready to go where it should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Submission {
    /// To the network.
    Send(Vec<u8>),
    /// Into the storage.
    Write(Status, Vec<u8>),
}

pub(super) fn execute(modem: &mut Modem, command: &Command) -> Option<Reply> {
    let name = command.name.as_str();
    if !matches!(name, "+CMGL" | "+CMGR" | "+CMGD" | "+CMGW" | "+CMGS" | "+CMSS" | "+CNMA") {
        return None;
    }
    if name != "+CNMA"
        && command.form != Form::Test
        && let Some((_, code)) = card_error(modem)
    {
        return Some(Reply::Failed(Failure::Cms(code)));
    }
    let reply = match name {
        "+CMGL" => list(modem, &command.form),
        "+CMGR" => read(modem, &command.form),
        "+CMGD" => delete(modem, &command.form),
        "+CMGW" => announce(modem, &command.form, true),
        "+CMGS" => announce(modem, &command.form, false),
        "+CMSS" => send_stored(modem, &command.form),
        _ => acknowledge(modem, &command.form),
    };
    Some(reply.unwrap_or_else(Reply::Failed))
}

fn list(modem: &mut Modem, form: &Form) -> Result<Reply, Failure> {
    let text_mode = modem.settings.text_mode;
    let arguments: &[Argument] = match form {
        Form::Test if text_mode => {
            let words = Status::ALL.map(|status| format!("\"{}\"", status.words()));
            return Ok(Reply::line(format!("+CMGL: ({},\"ALL\")", words.join(","))));
        }
        Form::Test => return Ok(Reply::line("+CMGL: (0-4)")),
        Form::Read => return Err(Failure::Error),
        Form::Execute => &[],
        Form::Set(arguments) => arguments,
    };
    let wanted = match (arguments.first(), text_mode) {
        (None, _) => Some(Status::RecUnread),
        (Some(word), true) if word.text.eq_ignore_ascii_case("ALL") => None,
        (Some(word), true) => {
            let status =
                Status::ALL.into_iter().find(|s| s.words().eq_ignore_ascii_case(&word.text));
            Some(status.ok_or(Failure::Cms(305))?)
        }
        (Some(number), false) => match number.number::<u8>().ok_or(Failure::Cms(304))? {
            4 => None,
            number => {
                let status = Status::ALL.into_iter().find(|s| s.number() == number);
                Some(status.ok_or(Failure::Cms(304))?)
            }
        },
    };
    let memory = modem.settings.memories[0];
    let found: Vec<(usize, Stored)> = modem
        .store
        .list(memory)
        .into_iter()
        .filter(|(_, message)| wanted.is_none_or(|wanted| message.status == wanted))
        .map(|(index, message)| (index, message.clone()))
        .collect();
    let mut lines = Vec::new();
    for (index, message) in &found {
        if text_mode {
            lines.extend(text_mode::listed(modem, *index, message));
        } else {
            let (length, pdu) = pdu_line(&message.pdu);
            lines
                .push(format!("+CMGL: {index},{},,{length}", message.status.number()).into_bytes());
            lines.push(pdu);
        }
        mark_read(modem, memory, *index, arguments.get(1));
    }
    Ok(Reply::Done(lines))
}

fn read(modem: &mut Modem, form: &Form) -> Result<Reply, Failure> {
    let arguments = match form {
        Form::Test => return Ok(Reply::OK),
        Form::Set(arguments) => arguments,
        _ => return Err(Failure::Error),
    };
    let index = index_of(arguments.first())?;
    let memory = modem.settings.memories[0];
    let message = modem.store.get(memory, index).cloned().ok_or(Failure::Cms(321))?;
    let lines = if modem.settings.text_mode {
        text_mode::read(modem, &message)
    } else {
        let (length, pdu) = pdu_line(&message.pdu);
        vec![format!("+CMGR: {},,{length}", message.status.number()).into_bytes(), pdu]
    };
    mark_read(modem, memory, index, arguments.get(1));
    Ok(Reply::Done(lines))
}

/// Reading a message marks it as read, unless the make has a mode against that
/// and the host used it.
fn mark_read(modem: &mut Modem, memory: Memory, index: usize, mode: Option<&Argument>) {
    let peeks = modem.profile.storage.peek && mode.and_then(Argument::number::<u8>) == Some(1);
    if let Some(message) = modem.store.get_mut(memory, index)
        && message.status == Status::RecUnread
        && !peeks
    {
        message.status = Status::RecRead;
    }
}

fn delete(modem: &mut Modem, form: &Form) -> Result<Reply, Failure> {
    let memory = modem.settings.memories[0];
    let arguments = match form {
        Form::Test => {
            let indexes: Vec<String> =
                modem.store.list(memory).iter().map(|(index, _)| index.to_string()).collect();
            return Ok(Reply::line(format!("+CMGD: ({}),(0-4)", indexes.join(","))));
        }
        Form::Set(arguments) => arguments,
        _ => return Err(Failure::Error),
    };
    let flag = match arguments.get(1) {
        None => 0,
        Some(flag) => flag.number::<u8>().ok_or(Failure::Cms(304))?,
    };
    let gone: fn(&Stored) -> bool = match flag {
        0 => {
            let index = index_of(arguments.first())?;
            if !modem.store.remove(memory, index) {
                return Err(Failure::Cms(321));
            }
            modem.effects.push(Effect::Room);
            return Ok(Reply::OK);
        }
        1 => |m| m.status == Status::RecRead,
        2 => |m| matches!(m.status, Status::RecRead | Status::StoSent),
        3 => |m| m.status != Status::RecUnread,
        4 => |_| true,
        _ => return Err(Failure::Cms(304)),
    };
    modem.store.remove_all(memory, gone);
    modem.effects.push(Effect::Room);
    Ok(Reply::OK)
}

/// The command before the prompt: +CMGS or, with `write`, +CMGW.
fn announce(modem: &mut Modem, form: &Form, write: bool) -> Result<Reply, Failure> {
    let text_mode = modem.settings.text_mode;
    let arguments: &[Argument] = match form {
        Form::Test => return Ok(Reply::OK),
        Form::Execute if write && text_mode => &[],
        Form::Set(arguments) => arguments,
        _ => return Err(Failure::Error),
    };
    let announced = if text_mode {
        let address = arguments.first().map(|a| text_mode::number(modem, a, arguments.get(1)));
        Announced::Address(address.transpose()?)
    } else {
        let length = arguments.first().and_then(Argument::number::<usize>);
        // A TPDU has 7 to 164 octets (TS 23.040 §9.2.2.2).
        Announced::Length(length.filter(|l| (7..=164).contains(l)).ok_or(Failure::Cms(304))?)
    };
    let purpose = match (write, arguments.get(if text_mode { 2 } else { 1 })) {
        (false, _) => Purpose::Send,
        (true, None) => Purpose::Write(Status::StoUnsent),
        (true, Some(word)) => {
            let status = Status::ALL.into_iter().find(|status| match word.number::<u8>() {
                Some(number) => status.number() == number,
                None => status.words().eq_ignore_ascii_case(&word.text),
            });
            Purpose::Write(status.ok_or(Failure::Cms(305))?)
        }
    };
    Ok(Reply::Prompt(Entry { purpose, announced }))
}

/// Checks what was entered after the prompt, up to the Ctrl-Z.
///
/// # Errors
/// `+CMS ERROR: 304` when it is no PDU of the length announced, `305` when the
/// text cannot be sent.
pub fn enter(modem: &Modem, entry: &Entry, body: &[u8]) -> Result<Submission, Failure> {
    let pdu = match &entry.announced {
        Announced::Address(address) => {
            let submit = text_mode::compose(modem, address.as_deref().unwrap_or("0"), body)?;
            let tpdu = codec::encode_submit(&submit).map_err(|_| Failure::Cms(305))?;
            [vec![0], tpdu].concat()
        }
        Announced::Length(length) => {
            let digits: Vec<u8> =
                body.iter().copied().filter(|b| !b.is_ascii_whitespace()).collect();
            let pdu = hex::decode(digits).map_err(|_| Failure::Cms(304))?;
            let (_, tpdu) = split_service_centre(&pdu).map_err(|_| Failure::Cms(304))?;
            if tpdu.len() != *length {
                return Err(Failure::Cms(304));
            }
            pdu
        }
    };
    match entry.purpose {
        Purpose::Send => {
            submit_in(&pdu)?;
            Ok(Submission::Send(pdu))
        }
        Purpose::Write(status) => {
            let (_, tpdu) = split_service_centre(&pdu).map_err(|_| Failure::Cms(304))?;
            match status.is_received() {
                true => codec::decode_deliver(tpdu).map(drop),
                false => codec::decode_submit(tpdu).map(drop),
            }
            .map_err(|_| Failure::Cms(304))?;
            Ok(Submission::Write(status, pdu))
        }
    }
}

/// Does what was asked with a checked message.
pub fn transmit(modem: &mut Modem, submission: Submission) -> Reply {
    match submission {
        Submission::Send(pdu) => match put_on_air(modem, &pdu) {
            Ok(reference) => Reply::line(format!("+CMGS: {reference}")),
            Err(failure) => Reply::Failed(failure),
        },
        Submission::Write(status, pdu) => {
            let memory = modem.settings.memories[1];
            match modem.store.add(memory, Stored { status, pdu }) {
                Some((real, index)) => {
                    let offset = match (memory, real) {
                        (Memory::Mt, Memory::Me) => modem.store.capacity(Memory::Sm),
                        _ => 0,
                    };
                    Reply::line(format!("+CMGW: {}", index + offset))
                }
                None => Reply::Failed(Failure::Cms(322)),
            }
        }
    }
}

fn send_stored(modem: &mut Modem, form: &Form) -> Result<Reply, Failure> {
    let arguments = match form {
        Form::Test => return Ok(Reply::OK),
        Form::Set(arguments) => arguments,
        _ => return Err(Failure::Error),
    };
    let index = index_of(arguments.first())?;
    let memory = modem.settings.memories[1];
    let message = modem.store.get(memory, index).cloned().ok_or(Failure::Cms(321))?;
    if message.status.is_received() {
        return Err(Failure::Cms(302));
    }
    let pdu = match arguments.get(1) {
        None => message.pdu,
        Some(number) => {
            let number = text_mode::number(modem, number, arguments.get(2))?;
            let destination = Address::new(&number).map_err(|_| Failure::Cms(305))?;
            let (_, tpdu) = split_service_centre(&message.pdu).map_err(|_| Failure::Cms(320))?;
            let submit = codec::decode_submit(tpdu).map_err(|_| Failure::Cms(320))?;
            let tpdu = codec::encode_submit(&Submit { destination, ..submit });
            let centre = message.pdu.len() - tpdu_length(&message.pdu);
            let centre = message.pdu.get(..centre).unwrap_or(&[0]).to_vec();
            [centre, tpdu.map_err(|_| Failure::Cms(304))?].concat()
        }
    };
    let reference = put_on_air(modem, &pdu)?;
    // TS 27.005 §3.5.2: a stored message that was sent is STO SENT from then on.
    if let Some(stored) = modem.store.get_mut(memory, index) {
        stored.status = Status::StoSent;
    }
    Ok(Reply::line(format!("+CMSS: {reference}")))
}

/// Hands a message to the network and gives its TP-MR.
fn put_on_air(modem: &mut Modem, pdu: &[u8]) -> Result<u8, Failure> {
    if !modem.is_in_service() {
        return Err(Failure::Cms(331));
    }
    let (centre, submit) = submit_in(pdu)?;
    if centre.is_none() && modem.service_centre.is_empty() {
        return Err(Failure::Cms(330));
    }
    if let Some(code) = modem.network.refusal {
        return Err(Failure::Cms(code));
    }
    let reference = modem.next_reference;
    modem.next_reference = reference.wrapping_add(1);
    let (_, tpdu) = split_service_centre(pdu).map_err(|_| Failure::Cms(304))?;
    let tpdu = with_reference(tpdu, reference);
    let submit = Submit { reference, ..submit };
    modem.network.on_air.push(OnAir { at: modem.now, tpdu, submit });
    modem.effects.push(Effect::Sent(modem.network.on_air.len() - 1));
    Ok(reference)
}

fn submit_in(pdu: &[u8]) -> Result<(Option<Address>, Submit), Failure> {
    let (centre, tpdu) = split_service_centre(pdu).map_err(|_| Failure::Cms(304))?;
    Ok((centre, codec::decode_submit(tpdu).map_err(|_| Failure::Cms(304))?))
}

/// +CNMA: 0 or nothing accepts, 1 accepts in PDU mode, 2 refuses.
fn acknowledge(modem: &mut Modem, form: &Form) -> Result<Reply, Failure> {
    let accepted = match form {
        Form::Test => return Ok(Reply::line("+CNMA: (0-2)")),
        Form::Read => return Err(Failure::Error),
        Form::Execute => true,
        Form::Set(arguments) => match arguments.first().and_then(Argument::number::<u8>) {
            Some(0 | 1) => true,
            Some(2) => false,
            _ => return Err(Failure::Cms(304)),
        },
    };
    if modem.settings.service != 1 {
        return Err(Failure::Cms(340));
    }
    modem.effects.push(Effect::Acknowledged(accepted));
    Ok(Reply::OK)
}

fn index_of(argument: Option<&Argument>) -> Result<usize, Failure> {
    argument.and_then(Argument::number::<usize>).ok_or(Failure::Cms(321))
}

/// The TPDU's octets without the service centre's address.
pub(super) fn tpdu_length(pdu: &[u8]) -> usize {
    split_service_centre(pdu).map_or(pdu.len(), |(_, tpdu)| tpdu.len())
}

/// `<length>` and `<pdu>` as PDU mode prints them.
pub(super) fn pdu_line(pdu: &[u8]) -> (usize, Line) {
    (tpdu_length(pdu), hex::encode_upper(pdu).into_bytes())
}
