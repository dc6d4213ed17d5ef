//! SMS-DELIVER, SMS-SUBMIT and SMS-STATUS-REPORT (TS 23.040 §9.2.2).

use super::alphabet::{self, Shifts};
use super::{CodecError, ServiceTime, UserData};

/// An address field (§9.1.2.5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// Digits, `*`, `#`, `a` to `c`; for an alphanumeric address, its text.
    pub digits: String,
    /// Type of number and numbering plan, e.g. 0x91.
    pub kind: u8,
}

impl Address {
    /// The address for a number as people write it: `+` makes it
    /// international, letters make it alphanumeric.
    ///
    /// # Errors
    /// When it is empty or longer than an address can be.
    pub fn new(text: &str) -> Result<Self, CodecError> {
        let digits = text.strip_prefix('+').unwrap_or(text);
        let numeric = digits.chars().all(|c| semi_octet(c).is_some());
        let (digits, kind, longest) = match (numeric, digits.len() == text.len()) {
            (true, true) => (digits, 0x81, 20),
            (true, false) => (digits, 0x91, 20),
            (false, _) => (text, 0xd0, 11),
        };
        let length = match kind {
            0xd0 => alphabet::encode(digits).ok_or(CodecError::Alphabet)?.len(),
            _ => digits.len(),
        };
        if length == 0 || length > longest {
            return Err(CodecError::Address(length));
        }
        Ok(Address { digits: digits.to_owned(), kind })
    }

    /// Length in semi-octets, type and value, as TP-OA, TP-DA and TP-RA have it.
    fn encode(&self) -> Vec<u8> {
        let (length, value) = if self.is_alphanumeric() {
            let septets = alphabet::encode(&self.digits).unwrap_or_default();
            ((septets.len() * 7).div_ceil(4), alphabet::pack(&septets, 0))
        } else {
            (self.digits.len(), semi_octets(&self.digits))
        };
        // `new` and `decode` keep lengths far below 255.
        let mut octets = vec![u8::try_from(length).unwrap_or(0), self.kind];
        octets.extend(value);
        octets
    }

    fn decode(octets: &mut Octets<'_>) -> Result<Self, CodecError> {
        let length = usize::from(octets.next("an address")?);
        let kind = octets.next("an address")?;
        if length > 20 && kind & 0x70 != 0x50 || length > 22 {
            return Err(CodecError::Address(length));
        }
        let value = octets.take(length.div_ceil(2), "an address")?;
        let digits = if kind & 0x70 == 0x50 {
            let septets = alphabet::unpack(value, 0, length * 4 / 7)
                .ok_or(CodecError::Short("an address"))?;
            alphabet::decode(&septets, Shifts::default())
        } else {
            digits(value, length).ok_or(CodecError::Address(length))?
        };
        Ok(Address { digits, kind })
    }

    /// Whether the address is a name rather than a number.
    pub fn is_alphanumeric(&self) -> bool {
        self.kind & 0x70 == 0x50
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let plus = if self.kind & 0x70 == 0x10 { "+" } else { "" };
        write!(f, "{plus}{}", self.digits)
    }
}

/// A message to the mobile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deliver {
    /// TP-OA.
    pub origin: Address,
    /// TP-PID.
    pub protocol: u8,
    /// TP-DCS.
    pub coding: u8,
    /// TP-SCTS.
    pub time: ServiceTime,
    /// Whether the service centre has more messages waiting (TP-MMS is 0).
    pub more: bool,
    /// TP-UD.
    pub data: UserData,
}

/// A message from the mobile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submit {
    /// TP-MR.
    pub reference: u8,
    /// TP-DA.
    pub destination: Address,
    /// TP-PID.
    pub protocol: u8,
    /// TP-DCS.
    pub coding: u8,
    /// TP-VP in the format that its length tells: none, 1 or 7 octets.
    pub validity: Vec<u8>,
    /// Whether a validity of 7 octets is the enhanced form.
    pub enhanced_validity: bool,
    /// TP-SRR.
    pub wants_report: bool,
    /// TP-RD.
    pub rejects_duplicates: bool,
    /// TP-RP.
    pub reply_path: bool,
    /// TP-UD.
    pub data: UserData,
}

/// What became of a message from the mobile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusReport {
    /// TP-MR of the message.
    pub reference: u8,
    /// TP-RA: whom the message was for.
    pub recipient: Address,
    /// TP-SCTS: when the service centre got it.
    pub submitted: ServiceTime,
    /// TP-DT: when it was delivered or given up.
    pub settled: ServiceTime,
    /// TP-ST (§9.2.3.15).
    pub status: u8,
}

/// The service centre's address and the TPDU after it, from the form in which
/// AT commands exchange messages (TS 27.005 §3.1 `<pdu>`).
///
/// # Errors
/// When the address runs over the end.
pub fn split_service_centre(octets: &[u8]) -> Result<(Option<Address>, &[u8]), CodecError> {
    const SHORT: CodecError = CodecError::Short("the service centre's address");
    let length = usize::from(*octets.first().ok_or(SHORT)?);
    let value = octets.get(1..=length).ok_or(SHORT)?;
    let tpdu = &octets[length + 1..];
    let address = match value {
        [] => None,
        [kind, number @ ..] => {
            let digits = digits(number, number.len() * 2);
            Some(Address { digits: digits.ok_or(CodecError::Address(length))?, kind: *kind })
        }
    };
    Ok((address, tpdu))
}

/// The service centre's address as [`split_service_centre`] reads it.
pub fn service_centre(address: Option<&Address>) -> Vec<u8> {
    let Some(address) = address else { return vec![0] };
    let value = semi_octets(&address.digits);
    let mut octets = vec![u8::try_from(value.len() + 1).unwrap_or(0), address.kind];
    octets.extend(value);
    octets
}

/// Reads an SMS-DELIVER (§9.2.2.1).
///
/// # Errors
/// When it is another type, or its octets do not add up.
pub fn decode_deliver(tpdu: &[u8]) -> Result<Deliver, CodecError> {
    let mut octets = Octets(tpdu);
    let first = octets.next("the first octet")?;
    if first & 3 != 0 {
        return Err(CodecError::Kind("SMS-DELIVER"));
    }
    let origin = Address::decode(&mut octets)?;
    let protocol = octets.next("TP-PID")?;
    let coding = octets.next("TP-DCS")?;
    let time = octets.time("TP-SCTS")?;
    let length = octets.next("TP-UDL")?;
    let data = UserData::decode(first & 0x40 != 0, coding, length, octets.0)?;
    Ok(Deliver { origin, protocol, coding, time, more: first & 0x04 == 0, data })
}

/// Writes an SMS-DELIVER.
///
/// # Errors
/// When the text does not fit its alphabet or one message.
pub fn encode_deliver(deliver: &Deliver) -> Result<Vec<u8>, CodecError> {
    let header = if deliver.data.header.is_empty() { 0 } else { 0x40 };
    let more = if deliver.more { 0 } else { 0x04 };
    let mut octets = vec![header | more];
    octets.extend(deliver.origin.encode());
    octets.extend([deliver.protocol, deliver.coding]);
    octets.extend(deliver.time.to_octets());
    octets.extend(deliver.data.encode()?);
    Ok(octets)
}

/// Reads an SMS-SUBMIT (§9.2.2.2).
///
/// # Errors
/// When it is another type, or its octets do not add up.
pub fn decode_submit(tpdu: &[u8]) -> Result<Submit, CodecError> {
    let mut octets = Octets(tpdu);
    let first = octets.next("the first octet")?;
    if first & 3 != 1 {
        return Err(CodecError::Kind("SMS-SUBMIT"));
    }
    let reference = octets.next("TP-MR")?;
    let destination = Address::decode(&mut octets)?;
    let protocol = octets.next("TP-PID")?;
    let coding = octets.next("TP-DCS")?;
    let validity_format = first >> 3 & 3;
    let validity = match validity_format {
        0 => 0,
        2 => 1,
        _ => 7,
    };
    let validity = octets.take(validity, "TP-VP")?.to_vec();
    let length = octets.next("TP-UDL")?;
    let data = UserData::decode(first & 0x40 != 0, coding, length, octets.0)?;
    Ok(Submit {
        reference,
        destination,
        protocol,
        coding,
        validity,
        enhanced_validity: validity_format == 1,
        wants_report: first & 0x20 != 0,
        rejects_duplicates: first & 0x04 != 0,
        reply_path: first & 0x80 != 0,
        data,
    })
}

/// Writes an SMS-SUBMIT.
///
/// # Errors
/// When the text does not fit its alphabet or one message.
pub fn encode_submit(submit: &Submit) -> Result<Vec<u8>, CodecError> {
    let flag = |set: bool, bit: u8| if set { bit } else { 0 };
    let validity_format = match submit.validity.len() {
        0 => 0x00,
        1 => 0x10,
        _ => 0x18 & !flag(submit.enhanced_validity, 0x10),
    };
    let mut octets = vec![
        0x01 | validity_format
            | flag(submit.rejects_duplicates, 0x04)
            | flag(submit.wants_report, 0x20)
            | flag(!submit.data.header.is_empty(), 0x40)
            | flag(submit.reply_path, 0x80),
        submit.reference,
    ];
    octets.extend(submit.destination.encode());
    octets.extend([submit.protocol, submit.coding]);
    octets.extend(&submit.validity);
    octets.extend(submit.data.encode()?);
    Ok(octets)
}

/// The same SMS-SUBMIT with another TP-MR: the mobile numbers what it sends.
pub fn with_reference(tpdu: &[u8], reference: u8) -> Vec<u8> {
    let mut tpdu = tpdu.to_vec();
    if let Some(octet) = tpdu.get_mut(1) {
        *octet = reference;
    }
    tpdu
}

/// Reads an SMS-STATUS-REPORT (§9.2.2.3); its optional fields are left alone.
///
/// # Errors
/// When it is another type, or its octets do not add up.
pub fn decode_status_report(tpdu: &[u8]) -> Result<StatusReport, CodecError> {
    let mut octets = Octets(tpdu);
    if octets.next("the first octet")? & 3 != 2 {
        return Err(CodecError::Kind("SMS-STATUS-REPORT"));
    }
    Ok(StatusReport {
        reference: octets.next("TP-MR")?,
        recipient: Address::decode(&mut octets)?,
        submitted: octets.time("TP-SCTS")?,
        settled: octets.time("TP-DT")?,
        status: octets.next("TP-ST")?,
    })
}

/// Writes an SMS-STATUS-REPORT without optional fields.
pub fn encode_status_report(report: &StatusReport) -> Vec<u8> {
    let mut octets = vec![0x06, report.reference];
    octets.extend(report.recipient.encode());
    octets.extend(report.submitted.to_octets());
    octets.extend(report.settled.to_octets());
    octets.push(report.status);
    octets
}

/// Octets read from the front.
struct Octets<'a>(&'a [u8]);

impl<'a> Octets<'a> {
    fn take(&mut self, count: usize, what: &'static str) -> Result<&'a [u8], CodecError> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(CodecError::Short(what))?;
        self.0 = rest;
        Ok(taken)
    }

    fn next(&mut self, what: &'static str) -> Result<u8, CodecError> {
        self.take(1, what).map(|taken| taken[0])
    }

    fn time(&mut self, what: &'static str) -> Result<ServiceTime, CodecError> {
        let mut octets = [0; 7];
        octets.copy_from_slice(self.take(7, what)?);
        Ok(ServiceTime::from_octets(octets))
    }
}

fn semi_octet(character: char) -> Option<u8> {
    "0123456789*#abc".find(character).and_then(|value| u8::try_from(value).ok())
}

/// Digits two to an octet, the first in the low half; 0xF fills an odd end.
fn semi_octets(digits: &str) -> Vec<u8> {
    let values: Vec<u8> = digits.chars().filter_map(semi_octet).collect();
    values.chunks(2).map(|pair| pair[0] | pair.get(1).unwrap_or(&0x0f) << 4).collect()
}

fn digits(octets: &[u8], count: usize) -> Option<String> {
    octets
        .iter()
        .flat_map(|octet| [octet & 0x0f, octet >> 4])
        .take(count)
        // An odd number of digits ends in a filler; some senders count it.
        .take_while(|value| *value != 0x0f)
        .map(|value| "0123456789*#abc".chars().nth(usize::from(value)))
        .collect()
}
