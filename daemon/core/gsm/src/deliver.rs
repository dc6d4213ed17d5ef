//! SMS-DELIVER: a message from the network to us (TS 23.040 §9.2.2.1).

use crate::wire::Reader;
use crate::{
    Address, Concat, ConcatReference, DataCoding, DecodeError, EncodeError, Field, MessageType,
    ServiceCentreTime, UserData,
};

/// A message that came in, or one part of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Deliver {
    /// TP-MMS turned about: more messages wait at the service centre.
    pub more_messages: bool,
    /// TP-LP: the message was forwarded once and must not be forwarded again.
    pub loop_prevention: bool,
    /// TP-RP: a reply may go by the same service centre.
    pub reply_path: bool,
    /// TP-SRI: the sender gets a status report.
    pub status_report: bool,
    /// TP-OA: who sent it.
    pub originator: Address,
    /// TP-PID.
    pub protocol: u8,
    /// TP-DCS.
    pub coding: DataCoding,
    /// TP-SCTS: when the service centre had it.
    pub service_centre_time: ServiceCentreTime,
    /// TP-UD.
    pub user_data: UserData,
}

/// What the parts of one message have in common. Two messages of one sender may
/// share it after a while: the references are few.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Group {
    /// Who sent it.
    pub originator: Address,
    /// The reference.
    pub reference: ConcatReference,
    /// How many parts the message has.
    pub total: u8,
}

impl Deliver {
    /// The text of this part alone; `None` for data.
    pub fn text(&self) -> Option<String> {
        self.user_data.text()
    }

    /// The part's place in its message; `None` for a message in one piece.
    pub fn concat(&self) -> Option<Concat> {
        self.user_data.header.concat()
    }

    /// The message that the part belongs to; `None` for a message in one piece.
    pub fn group(&self) -> Option<Group> {
        let Concat { reference, total, .. } = self.concat()?;
        Some(Group { originator: self.originator.clone(), reference, total })
    }

    pub(crate) fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let first = reader.octet(Field::FirstOctet)?;
        let originator = Address::decode(reader, Field::OriginatingAddress)?;
        let protocol = reader.octet(Field::ProtocolIdentifier)?;
        let coding = DataCoding::from_octet(reader.octet(Field::DataCodingScheme)?);
        let time = ServiceCentreTime::from_octets(reader.array(Field::ServiceCentreTimeStamp)?);
        let user_data = UserData::decode(reader, coding, first & HAS_HEADER != 0)?;
        Ok(Deliver {
            more_messages: first & NO_MORE_MESSAGES == 0,
            loop_prevention: first & LOOP_PREVENTION != 0,
            reply_path: first & REPLY_PATH != 0,
            status_report: first & STATUS_REPORT != 0,
            originator,
            protocol,
            coding,
            service_centre_time: time,
            user_data,
        })
    }

    pub(crate) fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        out.push(
            MessageType::Deliver.indicator()
                | flag(!self.more_messages, NO_MORE_MESSAGES)
                | flag(self.loop_prevention, LOOP_PREVENTION)
                | flag(self.reply_path, REPLY_PATH)
                | flag(self.status_report, STATUS_REPORT)
                | flag(!self.user_data.header.elements.is_empty(), HAS_HEADER),
        );
        self.originator.encode(out)?;
        out.extend([self.protocol, self.coding.octet()]);
        out.extend(self.service_centre_time.octets());
        self.user_data.encode(self.coding, out)
    }
}

/// TP-MMS.
pub(crate) const NO_MORE_MESSAGES: u8 = 0x04;
/// TP-LP.
pub(crate) const LOOP_PREVENTION: u8 = 0x08;
/// TP-SRI, TP-SRR or TP-SRQ.
pub(crate) const STATUS_REPORT: u8 = 0x20;
/// TP-UDHI.
pub(crate) const HAS_HEADER: u8 = 0x40;
/// TP-RP.
pub(crate) const REPLY_PATH: u8 = 0x80;

pub(crate) fn flag(set: bool, bit: u8) -> u8 {
    if set { bit } else { 0 }
}
