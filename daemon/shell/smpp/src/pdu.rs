//! SMPP 3.4 PDUs (§3, §4): octets to values and back.
//!
//! Tolerant of what SMSCs get wrong: a string may be longer than the standard
//! allows, optional parameters that are cut short are passed over. What cannot be
//! read at all is an error for that PDU alone; its neighbours are not touched.

/// `command_id` (§5.1.2.1).
pub(crate) mod id {
    pub(crate) const RESPONSE: u32 = 0x8000_0000;
    pub(crate) const GENERIC_NACK: u32 = 0x8000_0000;
    pub(crate) const BIND_RECEIVER: u32 = 0x0000_0001;
    pub(crate) const BIND_TRANSMITTER: u32 = 0x0000_0002;
    pub(crate) const SUBMIT_SM: u32 = 0x0000_0004;
    pub(crate) const DELIVER_SM: u32 = 0x0000_0005;
    pub(crate) const UNBIND: u32 = 0x0000_0006;
    pub(crate) const BIND_TRANSCEIVER: u32 = 0x0000_0009;
    pub(crate) const OUTBIND: u32 = 0x0000_000B;
    pub(crate) const ENQUIRE_LINK: u32 = 0x0000_0015;
    pub(crate) const ALERT_NOTIFICATION: u32 = 0x0000_0102;
    pub(crate) const DATA_SM: u32 = 0x0000_0103;
}

/// Optional parameters (§5.3.2).
pub(crate) mod tag {
    pub(crate) const RECEIPTED_MESSAGE_ID: u16 = 0x001E;
    pub(crate) const SAR_MSG_REF_NUM: u16 = 0x020C;
    pub(crate) const SAR_TOTAL_SEGMENTS: u16 = 0x020E;
    pub(crate) const SAR_SEGMENT_SEQNUM: u16 = 0x020F;
    pub(crate) const MESSAGE_PAYLOAD: u16 = 0x0424;
    pub(crate) const MESSAGE_STATE: u16 = 0x0427;
}

/// `esm_class` (§5.2.12).
pub(crate) mod esm {
    /// The bits of the message type.
    pub(crate) const TYPE: u8 = 0x3C;
    pub(crate) const RECEIPT: u8 = 0x04;
    pub(crate) const INTERMEDIATE: u8 = 0x20;
    pub(crate) const UDHI: u8 = 0x40;
}

/// The version that binds name (§5.2.4).
const VERSION: u8 = 0x34;

const HEADER: usize = 16;

/// More than a `message_payload` of 64 KiB needs; a length beyond it means that
/// the place in the stream is lost.
const LONGEST: usize = 70_000;

/// A whole PDU, its body not looked into.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) command: u32,
    pub(crate) status: u32,
    pub(crate) sequence: u32,
    pub(crate) body: Vec<u8>,
}

impl std::fmt::Debug for Frame {
    /// A body holds numbers, texts or a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Frame { command, status, sequence, body } = self;
        let length = body.len();
        write!(f, "Frame({command:#010x}, {status:#x}, no. {sequence}, {length} octets)")
    }
}

impl Frame {
    pub(crate) fn request(command: u32, sequence: u32, body: Vec<u8>) -> Frame {
        Frame { command, status: 0, sequence, body }
    }

    /// The octets.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let length = u32::try_from(HEADER + self.body.len()).unwrap_or(u32::MAX);
        let mut octets = Vec::with_capacity(HEADER + self.body.len());
        for number in [length, self.command, self.status, self.sequence] {
            octets.extend(number.to_be_bytes());
        }
        octets.extend(&self.body);
        octets
    }
}

/// Cuts a stream into PDUs.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    octets: Vec<u8>,
}

/// A `command_length` that no PDU has: what follows cannot be found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct OutOfStep;

impl Frames {
    pub(crate) fn push(&mut self, octets: &[u8]) {
        self.octets.extend(octets);
    }

    /// The next PDU, once it is whole.
    pub(crate) fn next(&mut self) -> Result<Option<Frame>, OutOfStep> {
        let mut reader = Reader(&self.octets);
        let Ok(length) = reader.number() else { return Ok(None) };
        let length = length as usize;
        if !(HEADER..=LONGEST).contains(&length) {
            return Err(OutOfStep);
        }
        if self.octets.len() < length {
            return Ok(None);
        }
        let rest = self.octets.split_off(length);
        let octets = std::mem::replace(&mut self.octets, rest);
        let mut reader = Reader(octets.get(4..).unwrap_or_default());
        let mut number = || reader.number().unwrap_or_default();
        let (command, status, sequence) = (number(), number(), number());
        Ok(Some(Frame { command, status, sequence, body: reader.0.to_vec() }))
    }
}

/// A PDU whose body does not hold what its command says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(Malformed)?;
        self.0 = rest;
        Ok(taken)
    }

    fn octet(&mut self) -> Result<u8, Malformed> {
        self.take(1)?.first().copied().ok_or(Malformed)
    }

    fn short(&mut self) -> Result<u16, Malformed> {
        Ok(u16::from_be_bytes([self.octet()?, self.octet()?]))
    }

    fn number(&mut self) -> Result<u32, Malformed> {
        Ok(u32::from(self.short()?) << 16 | u32::from(self.short()?))
    }

    /// A C-octet string, without its NUL.
    fn string(&mut self) -> Result<&'a [u8], Malformed> {
        let end = self.0.iter().position(|octet| *octet == 0).ok_or(Malformed)?;
        let text = self.take(end)?;
        self.take(1)?;
        Ok(text)
    }
}

/// An address with its type of number and numbering plan.
#[derive(Clone, PartialEq, Eq, Default)]
pub(crate) struct WireAddress {
    pub(crate) ton: u8,
    pub(crate) npi: u8,
    /// As it stands there, each octet a character.
    pub(crate) text: String,
}

/// A `deliver_sm` (§4.6.1) or `data_sm` (§4.7.1), as far as it matters here.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Delivery {
    pub(crate) source: WireAddress,
    pub(crate) esm_class: u8,
    pub(crate) protocol: u8,
    pub(crate) data_coding: u8,
    /// `short_message`, or `message_payload` where that is there.
    pub(crate) message: Vec<u8>,
    parameters: Vec<(u16, Vec<u8>)>,
}

impl Delivery {
    pub(crate) fn decode(frame: &Frame) -> Result<Self, Malformed> {
        let is_data = frame.command == id::DATA_SM;
        let mut reader = Reader(&frame.body);
        reader.string()?;
        let source = address(&mut reader)?;
        address(&mut reader)?;
        let esm_class = reader.octet()?;
        let mut protocol = 0;
        if !is_data {
            protocol = reader.octet()?;
            reader.octet()?;
            reader.string()?;
            reader.string()?;
        }
        reader.octet()?;
        if !is_data {
            reader.octet()?;
        }
        let data_coding = reader.octet()?;
        let mut message = Vec::new();
        if !is_data {
            reader.octet()?;
            let length = reader.octet()?;
            message = reader.take(usize::from(length))?.to_vec();
        }
        let parameters = parameters(&mut reader);
        let mut delivery =
            Delivery { source, esm_class, protocol, data_coding, message, parameters };
        if let Some(payload) = delivery.parameter(tag::MESSAGE_PAYLOAD) {
            delivery.message = payload.to_vec();
        }
        Ok(delivery)
    }

    /// An optional parameter's value.
    pub(crate) fn parameter(&self, tag: u16) -> Option<&[u8]> {
        self.parameters.iter().find(|(t, _)| *t == tag).map(|(_, value)| value.as_slice())
    }

    /// An optional parameter that is a number.
    pub(crate) fn number(&self, tag: u16) -> Option<u16> {
        match self.parameter(tag)? {
            [low] => Some(u16::from(*low)),
            [high, low] => Some(u16::from_be_bytes([*high, *low])),
            _ => None,
        }
    }
}

fn address(reader: &mut Reader<'_>) -> Result<WireAddress, Malformed> {
    let (ton, npi) = (reader.octet()?, reader.octet()?);
    let text = reader.string()?.iter().map(|octet| char::from(*octet)).collect();
    Ok(WireAddress { ton, npi, text })
}

fn parameters(reader: &mut Reader<'_>) -> Vec<(u16, Vec<u8>)> {
    let mut next = || {
        let (tag, length) = (reader.short().ok()?, reader.short().ok()?);
        Some((tag, reader.take(usize::from(length)).ok()?.to_vec()))
    };
    std::iter::from_fn(&mut next).collect()
}

/// The message id of a `submit_sm_resp` (§4.4.2), or the name of an SMSC in the
/// response to a bind (§4.1.2); some forget the NUL at its end.
pub(crate) fn first_string(body: &[u8]) -> String {
    let text = body.split(|octet| *octet == 0).next().unwrap_or_default();
    text.iter().map(|octet| char::from(*octet)).collect()
}

/// Appends a C-octet string; a NUL within would end it early.
fn put(out: &mut Vec<u8>, text: &str) {
    out.extend(text.bytes().filter(|octet| *octet != 0));
    out.push(0);
}

/// The body of a bind (§4.1.1).
pub(crate) fn bind(config: &crate::Config) -> Vec<u8> {
    let mut out = Vec::new();
    put(&mut out, &config.system_id);
    put(&mut out, config.password.reveal());
    put(&mut out, &config.system_type);
    out.extend([VERSION, 0, 0]);
    put(&mut out, &config.address_range);
    out
}

/// A `submit_sm` (§4.4.1). What is not here is left to the SMSC.
pub(crate) struct Submission {
    pub(crate) source: WireAddress,
    pub(crate) destination: WireAddress,
    pub(crate) esm_class: u8,
    pub(crate) protocol: u8,
    pub(crate) validity: String,
    pub(crate) receipt: bool,
    pub(crate) data_coding: u8,
    pub(crate) message: Vec<u8>,
}

impl Submission {
    /// The body; nothing where the message is above 254 octets (§5.2.21).
    pub(crate) fn encode(&self) -> Option<Vec<u8>> {
        let length = u8::try_from(self.message.len()).ok().filter(|length| *length <= 254)?;
        let mut out = Vec::with_capacity(64 + self.message.len());
        put(&mut out, "");
        for WireAddress { ton, npi, text } in [&self.source, &self.destination] {
            out.extend([*ton, *npi]);
            put(&mut out, text);
        }
        out.extend([self.esm_class, self.protocol, 0]);
        put(&mut out, "");
        put(&mut out, &self.validity);
        out.extend([u8::from(self.receipt), 0, self.data_coding, 0, length]);
        out.extend(&self.message);
        Some(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_cut_wherever_its_pieces_end() {
        let frames = [
            Frame::request(id::ENQUIRE_LINK, 7, Vec::new()),
            Frame {
                command: id::SUBMIT_SM | id::RESPONSE,
                status: 0x58,
                sequence: 8,
                body: vec![0],
            },
            Frame::request(id::DELIVER_SM, 9, vec![1; 300]),
        ];
        let stream: Vec<u8> = frames.iter().flat_map(Frame::encode).collect();
        for size in [1, 3, 15, 16, 17, 1000] {
            let mut cutter = Frames::default();
            let mut found = Vec::new();
            for piece in stream.chunks(size) {
                cutter.push(piece);
                while let Some(frame) = cutter.next().unwrap() {
                    found.push(frame);
                }
            }
            assert_eq!(found, frames, "in pieces of {size}");
        }
    }

    #[test]
    fn a_length_that_no_pdu_has_ends_the_stream() {
        for length in [0u32, 15, 70_001, u32::MAX] {
            let mut cutter = Frames::default();
            cutter.push(&length.to_be_bytes());
            assert_eq!(cutter.next(), Err(OutOfStep), "{length}");
        }
    }

    /// Seeded: every cut of a good PDU, and noise.
    #[test]
    fn whatever_comes_is_read_or_refused() {
        let mut random = fastrand::Rng::with_seed(1);
        let good =
            [&b"\0\x01\x01265991234567\0\x01\x01\x3550131\0"[..], &[0; 9], b"\x05Hello"].concat();
        for end in 0..good.len() {
            let frame = Frame::request(id::DELIVER_SM, 1, good[..end].to_vec());
            let _ = Delivery::decode(&frame);
        }
        for _ in 0..20_000 {
            let mut body = good.clone();
            for _ in 0..random.usize(..6) {
                let at = random.usize(..body.len());
                body[at] = random.u8(..);
            }
            body.extend((0..random.usize(..12)).map(|_| random.u8(..)));
            for command in [id::DELIVER_SM, id::DATA_SM] {
                let _ = Delivery::decode(&Frame::request(command, 1, body.clone()));
            }
        }
    }
}
