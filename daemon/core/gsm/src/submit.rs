//! SMS-SUBMIT: a message from us to the network (TS 23.040 §9.2.2.2).

use crate::deliver::{HAS_HEADER, REPLY_PATH, STATUS_REPORT, flag};
use crate::wire::Reader;
use crate::{
    Address, DataCoding, DecodeError, EncodeError, Field, MessageType, ServiceCentreTime, UserData,
    ValidityPeriod,
};

/// A message to send, or one part of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Submit {
    /// TP-RD: the service centre should refuse a copy of a message it still holds.
    pub reject_duplicates: bool,
    /// TP-RP: a reply may go by the same service centre.
    pub reply_path: bool,
    /// TP-SRR: a status report is wanted.
    pub status_report: bool,
    /// TP-MR: what the status report will name. Modems put their own in its place.
    pub reference: u8,
    /// TP-DA: who it is for.
    pub recipient: Address,
    /// TP-PID.
    pub protocol: u8,
    /// TP-DCS.
    pub coding: DataCoding,
    /// TP-VP: how long the service centre keeps trying; its own default if `None`.
    pub validity: Option<ValidityPeriod>,
    /// TP-UD.
    pub user_data: UserData,
}

impl Submit {
    /// A message without status report, validity period or class. Fields are
    /// public: `Submit { status_report: true, ..Submit::new(…) }`.
    pub fn new(recipient: Address, coding: DataCoding, user_data: UserData) -> Self {
        Submit {
            reject_duplicates: false,
            reply_path: false,
            status_report: false,
            reference: 0,
            recipient,
            protocol: 0,
            coding,
            validity: None,
            user_data,
        }
    }

    pub(crate) fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let first = reader.octet(Field::FirstOctet)?;
        let reference = reader.octet(Field::MessageReference)?;
        let recipient = Address::decode(reader, Field::DestinationAddress)?;
        let protocol = reader.octet(Field::ProtocolIdentifier)?;
        let coding = DataCoding::from_octet(reader.octet(Field::DataCodingScheme)?);
        let validity = match first >> 3 & 3 {
            0 => None,
            1 => Some(ValidityPeriod::Enhanced(reader.array(Field::ValidityPeriod)?)),
            2 => Some(ValidityPeriod::Relative(reader.octet(Field::ValidityPeriod)?)),
            _ => {
                let octets = reader.array(Field::ValidityPeriod)?;
                Some(ValidityPeriod::Absolute(ServiceCentreTime::from_octets(octets)))
            }
        };
        let user_data = UserData::decode(reader, coding, first & HAS_HEADER != 0)?;
        Ok(Submit {
            reject_duplicates: first & REJECT_DUPLICATES != 0,
            reply_path: first & REPLY_PATH != 0,
            status_report: first & STATUS_REPORT != 0,
            reference,
            recipient,
            protocol,
            coding,
            validity,
            user_data,
        })
    }

    pub(crate) fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let validity_format = match self.validity {
            None => 0,
            Some(ValidityPeriod::Enhanced(_)) => 1,
            Some(ValidityPeriod::Relative(_)) => 2,
            Some(ValidityPeriod::Absolute(_)) => 3,
        };
        out.push(
            MessageType::Submit.indicator()
                | flag(self.reject_duplicates, REJECT_DUPLICATES)
                | validity_format << 3
                | flag(self.status_report, STATUS_REPORT)
                | flag(!self.user_data.header.elements.is_empty(), HAS_HEADER)
                | flag(self.reply_path, REPLY_PATH),
        );
        out.push(self.reference);
        self.recipient.encode(out)?;
        out.extend([self.protocol, self.coding.octet()]);
        match self.validity {
            None => {}
            Some(ValidityPeriod::Relative(code)) => out.push(code),
            Some(ValidityPeriod::Absolute(time)) => out.extend(time.octets()),
            Some(ValidityPeriod::Enhanced(octets)) => out.extend(octets),
        }
        self.user_data.encode(self.coding, out)
    }
}

/// TP-RD.
const REJECT_DUPLICATES: u8 = 0x04;
