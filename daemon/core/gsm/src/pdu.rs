//! A PDU as modems print it: the service centre's address and a TPDU.

use std::fmt;

use crate::deliver::Deliver;
use crate::report::StatusReport;
use crate::submit::Submit;
use crate::wire::Reader;
use crate::{Address, DecodeError, EncodeError, Field};

/// The six types of TPDU (TS 23.040 §9.2.3.1). Two share an indicator each;
/// which one is meant follows from the direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum MessageType {
    Deliver,
    DeliverReport,
    Submit,
    SubmitReport,
    StatusReport,
    Command,
}

impl MessageType {
    /// TP-MTI.
    pub fn indicator(self) -> u8 {
        match self {
            MessageType::Deliver | MessageType::DeliverReport => 0,
            MessageType::Submit | MessageType::SubmitReport => 1,
            MessageType::StatusReport | MessageType::Command => 2,
        }
    }

    /// The type of a message in a modem's storage by its first octet: what came
    /// in, what was written to be sent, and reports. `None` for the reserved
    /// indicator: nothing sends it, and where it stands the octets are no TPDU.
    pub fn stored(first_octet: u8) -> Option<Self> {
        match first_octet & 3 {
            0 => Some(MessageType::Deliver),
            1 => Some(MessageType::Submit),
            2 => Some(MessageType::StatusReport),
            _ => None,
        }
    }
}

impl fmt::Display for MessageType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            MessageType::Deliver => "SMS-DELIVER",
            MessageType::DeliverReport => "SMS-DELIVER-REPORT",
            MessageType::Submit => "SMS-SUBMIT",
            MessageType::SubmitReport => "SMS-SUBMIT-REPORT",
            MessageType::StatusReport => "SMS-STATUS-REPORT",
            MessageType::Command => "SMS-COMMAND",
        })
    }
}

/// Which way a TPDU travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the network to the modem.
    ToMobile,
    /// From the modem to the network.
    FromMobile,
}

/// A message of one of the types that a modem stores.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Tpdu {
    Deliver(Deliver),
    Submit(Submit),
    StatusReport(StatusReport),
}

/// A message from the network.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Incoming {
    /// Somebody wrote.
    Deliver(Deliver),
    /// What became of a message that we sent.
    StatusReport(StatusReport),
}

impl Tpdu {
    /// Reads a TPDU from a modem's storage; octets after its end are passed over.
    ///
    /// # Errors
    /// When the octets end too early or a length in them is impossible.
    pub fn decode(octets: &[u8]) -> Result<Self, DecodeError> {
        Self::decode_first(octets).map(|(tpdu, _)| tpdu)
    }

    /// The TPDU, and what follows it.
    pub(crate) fn decode_first(octets: &[u8]) -> Result<(Self, &[u8]), DecodeError> {
        let first = Reader::new(octets).octet(Field::FirstOctet)?;
        let mut reader = Reader::new(octets);
        let tpdu = match MessageType::stored(first) {
            Some(MessageType::Deliver) => Tpdu::Deliver(Deliver::decode(&mut reader)?),
            Some(MessageType::Submit) => Tpdu::Submit(Submit::decode(&mut reader)?),
            Some(_) => Tpdu::StatusReport(StatusReport::decode(&mut reader)?),
            None => return Err(DecodeError::ReservedType),
        };
        Ok((tpdu, reader.rest()))
    }

    /// Reads a TPDU that was seen travelling one way.
    ///
    /// # Errors
    /// As [`Tpdu::decode`], and for the types that are not read here: reports to
    /// a DELIVER or a SUBMIT, and commands.
    pub fn decode_travelling(octets: &[u8], direction: Direction) -> Result<Self, DecodeError> {
        let first = Reader::new(octets).octet(Field::FirstOctet)?;
        match (direction, MessageType::stored(first)) {
            (Direction::ToMobile, Some(MessageType::Submit)) => {
                Err(DecodeError::Unexpected(MessageType::SubmitReport))
            }
            (Direction::FromMobile, Some(MessageType::Deliver)) => {
                Err(DecodeError::Unexpected(MessageType::DeliverReport))
            }
            (Direction::FromMobile, Some(MessageType::StatusReport)) => {
                Err(DecodeError::Unexpected(MessageType::Command))
            }
            _ => Tpdu::decode(octets),
        }
    }

    /// The type.
    pub fn message_type(&self) -> MessageType {
        match self {
            Tpdu::Deliver(_) => MessageType::Deliver,
            Tpdu::Submit(_) => MessageType::Submit,
            Tpdu::StatusReport(_) => MessageType::StatusReport,
        }
    }

    /// The octets of the TPDU; their number is what `AT+CMGS` wants.
    ///
    /// # Errors
    /// When a field does not fit what the standard gives it.
    pub fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        let mut out = Vec::with_capacity(180);
        match self {
            Tpdu::Deliver(deliver) => deliver.encode(&mut out)?,
            Tpdu::Submit(submit) => submit.encode(&mut out)?,
            Tpdu::StatusReport(report) => report.encode(&mut out)?,
        }
        Ok(out)
    }
}

/// A PDU as a modem prints it (TS 27.005 §3.1 `<pdu>`).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Pdu {
    /// The service centre's address; `None` leaves it to the SIM.
    pub service_centre: Option<Address>,
    /// The message.
    pub tpdu: Tpdu,
}

impl Pdu {
    /// Takes the service centre's address off the front: what remains is the
    /// TPDU.
    ///
    /// # Errors
    /// When the address is cut short or too long.
    pub fn split(octets: &[u8]) -> Result<(Option<Address>, &[u8]), DecodeError> {
        let mut reader = Reader::new(octets);
        let service_centre = Address::decode_service_centre(&mut reader)?;
        Ok((service_centre, reader.rest()))
    }

    /// Reads a PDU from a modem's storage.
    ///
    /// # Errors
    /// As [`Pdu::split`] and [`Tpdu::decode`].
    pub fn decode(octets: &[u8]) -> Result<Self, DecodeError> {
        let (service_centre, tpdu) = Pdu::split(octets)?;
        Ok(Pdu { service_centre, tpdu: Tpdu::decode(tpdu)? })
    }

    /// Reads a PDU that came from the network (`+CMT`, `+CDS`, or stored as
    /// received).
    ///
    /// # Errors
    /// As [`Pdu::split`] and [`Tpdu::decode_travelling`].
    pub fn decode_incoming(octets: &[u8]) -> Result<Incoming, DecodeError> {
        let (_, tpdu) = Pdu::split(octets)?;
        match Tpdu::decode_travelling(tpdu, Direction::ToMobile)? {
            Tpdu::Deliver(deliver) => Ok(Incoming::Deliver(deliver)),
            Tpdu::StatusReport(report) => Ok(Incoming::StatusReport(report)),
            Tpdu::Submit(_) => Err(DecodeError::Unexpected(MessageType::Submit)),
        }
    }

    /// The octets of the PDU.
    ///
    /// # Errors
    /// As [`Tpdu::encode`].
    pub fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        let mut out = Vec::with_capacity(192);
        match &self.service_centre {
            Some(address) => address.encode_service_centre(&mut out)?,
            None => out.push(0),
        }
        out.extend(self.tpdu.encode()?);
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_for_us_is_refused_by_name() {
        let refused = |octets: &[u8], direction| {
            Tpdu::decode_travelling(octets, direction).unwrap_err().to_string()
        };
        let to = Direction::ToMobile;
        let from = Direction::FromMobile;
        assert_eq!(refused(&[0x01], to), "this is an SMS-SUBMIT-REPORT, which is not read here");
        assert_eq!(refused(&[0x00], from), "this is an SMS-DELIVER-REPORT, which is not read here");
        assert_eq!(refused(&[0x02], from), "this is an SMS-COMMAND, which is not read here");
        assert_eq!(
            refused(&[0x03], to),
            "the first octet names a message type that does not exist"
        );
        assert_eq!(refused(&[], to), "the PDU ends in its first octet: 0 of 1 octets are there");
    }

    #[test]
    fn the_service_centre_stands_in_front() {
        let (address, tpdu) = Pdu::split(&[7, 0x91, 0x62, 0x85, 0x88, 0, 1, 0x11, 9, 9]).unwrap();
        assert_eq!((address.unwrap().reveal().as_str(), tpdu), ("+265888001011", &[9u8, 9][..]));
        assert_eq!(Pdu::split(&[0, 9]), Ok((None, &[9][..])));
        assert_eq!(Pdu::split(&[1, 0x81, 9]), Ok((None, &[9][..])), "a type and no digits");
        assert!(Pdu::split(&[7, 0x91]).is_err());
        assert!(Pdu::split(&[13, 0x91, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]).is_err());
    }
}
