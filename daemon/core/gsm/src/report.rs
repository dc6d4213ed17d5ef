//! SMS-STATUS-REPORT: what became of a message that we sent (TS 23.040 §9.2.2.3).

use crate::deliver::{HAS_HEADER, LOOP_PREVENTION, NO_MORE_MESSAGES, STATUS_REPORT, flag};
use crate::wire::Reader;
use crate::{
    Address, DataCoding, DecodeError, EncodeError, Field, MessageType, ServiceCentreTime, UserData,
};

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It arrived, or the service centre did all it could.
    Delivered,
    /// The service centre is still trying; another report will follow.
    Trying,
    /// It will not arrive, and trying again makes no sense.
    FailedPermanently,
    /// It did not arrive, and the service centre gave up; a later try may do.
    FailedTemporarily,
}

/// TP-ST, the status of a message (TS 23.040 §9.2.3.15).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Status(u8);

impl Status {
    /// The status with a value.
    pub const fn from_octet(octet: u8) -> Self {
        Status(octet)
    }

    /// The value.
    pub const fn octet(self) -> u8 {
        self.0
    }

    /// What the value means. One that the standard keeps in reserve is read by
    /// its group, and one outside every group as "service rejected", a
    /// temporary failure.
    pub fn outcome(self) -> Outcome {
        match self.0 {
            0x00..=0x1f => Outcome::Delivered,
            0x20..=0x3f => Outcome::Trying,
            0x40..=0x5f => Outcome::FailedPermanently,
            _ => Outcome::FailedTemporarily,
        }
    }

    /// The standard's words for the value.
    pub fn meaning(self) -> &'static str {
        match self.0 {
            0x00 => "received by the recipient",
            0x01 => "forwarded, but the service centre cannot confirm delivery",
            0x02 => "replaced by the service centre",
            0x20 | 0x60 => "congestion",
            0x21 | 0x61 => "recipient busy",
            0x22 | 0x62 => "no response from the recipient",
            0x23 | 0x63 => "service rejected",
            0x24 | 0x44 | 0x64 => "quality of service not available",
            0x25 | 0x65 => "error in the recipient's device",
            0x40 => "remote procedure error",
            0x41 => "incompatible destination",
            0x42 => "connection rejected by the recipient",
            0x43 => "not obtainable",
            0x45 => "no interworking available",
            0x46 => "validity period expired",
            0x47 => "deleted by its sender",
            0x48 => "deleted by the service centre",
            0x49 => "the service centre does not know the message",
            0x10..=0x1f | 0x30..=0x3f | 0x50..=0x5f | 0x70..=0x7f => {
                "specific to the service centre"
            }
            _ => "reserved",
        }
    }
}

/// What may follow the status (TP-PI and what it announces).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Parameters {
    /// TP-PID.
    pub protocol: Option<u8>,
    /// TP-DCS.
    pub coding: Option<DataCoding>,
    /// TP-UD.
    pub user_data: Option<UserData>,
}

/// A status report.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct StatusReport {
    /// More messages wait at the service centre.
    pub more_messages: bool,
    /// TP-LP: the report was forwarded once.
    pub loop_prevention: bool,
    /// TP-SRQ: the report answers an SMS-COMMAND rather than an SMS-SUBMIT.
    pub answers_command: bool,
    /// TP-MR: the reference of the message that this is about.
    pub reference: u8,
    /// TP-RA: who the message was for.
    pub recipient: Address,
    /// TP-SCTS: when the service centre took the message.
    pub service_centre_time: ServiceCentreTime,
    /// TP-DT: when it was delivered, or last tried.
    pub discharge: ServiceCentreTime,
    /// TP-ST.
    pub status: Status,
    /// What follows, where it can be read.
    pub parameters: Parameters,
}

impl StatusReport {
    pub(crate) fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let first = reader.octet(Field::FirstOctet)?;
        let reference = reader.octet(Field::MessageReference)?;
        let recipient = Address::decode(reader, Field::RecipientAddress)?;
        let accepted = reader.array(Field::ServiceCentreTimeStamp)?;
        let discharge = reader.array(Field::DischargeTime)?;
        let status = Status(reader.octet(Field::Status)?);
        Ok(StatusReport {
            more_messages: first & NO_MORE_MESSAGES == 0,
            loop_prevention: first & LOOP_PREVENTION != 0,
            answers_command: first & STATUS_REPORT != 0,
            reference,
            recipient,
            service_centre_time: ServiceCentreTime::from_octets(accepted),
            discharge: ServiceCentreTime::from_octets(discharge),
            status,
            // The status is what counts: a report is not lost for what some
            // networks append to it.
            parameters: Parameters::decode(reader, first & HAS_HEADER != 0).unwrap_or_default(),
        })
    }

    pub(crate) fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let user_data = self.parameters.user_data.as_ref();
        let has_header = user_data.is_some_and(|data| !data.header.elements.is_empty());
        out.push(
            MessageType::StatusReport.indicator()
                | flag(!self.more_messages, NO_MORE_MESSAGES)
                | flag(self.loop_prevention, LOOP_PREVENTION)
                | flag(self.answers_command, STATUS_REPORT)
                | flag(has_header, HAS_HEADER),
        );
        out.push(self.reference);
        self.recipient.encode(out)?;
        out.extend(self.service_centre_time.octets());
        out.extend(self.discharge.octets());
        out.push(self.status.octet());
        self.parameters.encode(out)
    }
}

impl Parameters {
    const PROTOCOL: u8 = 0x01;
    const CODING: u8 = 0x02;
    const USER_DATA: u8 = 0x04;
    const EXTENSION: u8 = 0x80;

    fn decode(reader: &mut Reader<'_>, has_header: bool) -> Result<Self, DecodeError> {
        if reader.rest().is_empty() {
            return Ok(Parameters::default());
        }
        let indicator = reader.octet(Field::Status)?;
        let mut more = indicator;
        while more & Self::EXTENSION != 0 {
            more = reader.octet(Field::Status)?;
        }
        let mut parameters = Parameters::default();
        if indicator & Self::PROTOCOL != 0 {
            parameters.protocol = Some(reader.octet(Field::ProtocolIdentifier)?);
        }
        if indicator & Self::CODING != 0 {
            let octet = reader.octet(Field::DataCodingScheme)?;
            parameters.coding = Some(DataCoding::from_octet(octet));
        }
        if indicator & Self::USER_DATA != 0 {
            let coding = parameters.coding.unwrap_or_default();
            parameters.user_data = Some(UserData::decode(reader, coding, has_header)?);
        }
        Ok(parameters)
    }

    fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        if *self == Parameters::default() {
            return Ok(());
        }
        out.push(
            flag(self.protocol.is_some(), Self::PROTOCOL)
                | flag(self.coding.is_some(), Self::CODING)
                | flag(self.user_data.is_some(), Self::USER_DATA),
        );
        out.extend(self.protocol);
        out.extend(self.coding.map(DataCoding::octet));
        match &self.user_data {
            Some(user_data) => user_data.encode(self.coding.unwrap_or_default(), out),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{Incoming, Pdu};

    use super::*;

    /// What a report is about does not hang on its times: gateways that compare
    /// them lose reports to a zone of the wrong sign, or to none.
    #[test]
    fn a_report_with_a_wrong_zone_or_no_date_still_names_its_message() {
        for time in [
            "62112202740180", // two hours east
            "62112202740188", // two hours west
            "621122027401FF", // no zone
            "00000000000000", // no date
            "99999999999999", // none that is
        ] {
            let hex = format!("00062A0C91629519325476{time}{time}00");
            let Ok(Incoming::StatusReport(report)) =
                Pdu::decode_incoming(&hex::decode(hex).unwrap())
            else {
                panic!("{time} is a report");
            };
            assert_eq!(report.reference, 0x2A);
            assert_eq!(report.recipient.reveal(), "+265991234567");
            assert_eq!(report.status.outcome(), Outcome::Delivered);
        }
    }

    #[test]
    fn a_status_says_whether_to_go_on() {
        let outcome = |octet| Status::from_octet(octet).outcome();
        assert_eq!([0x00, 0x02, 0x1f].map(outcome), [Outcome::Delivered; 3]);
        assert_eq!([0x20, 0x25, 0x3f].map(outcome), [Outcome::Trying; 3]);
        assert_eq!([0x40, 0x46, 0x5f].map(outcome), [Outcome::FailedPermanently; 3]);
        assert_eq!([0x60, 0x65, 0x7f, 0xff].map(outcome), [Outcome::FailedTemporarily; 4]);
        assert_eq!(Status::from_octet(0x46).meaning(), "validity period expired");
    }
}
