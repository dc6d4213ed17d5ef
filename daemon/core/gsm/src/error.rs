use std::fmt;

use crate::MessageType;

/// A part of a PDU, by the name that TS 23.040 gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// The service centre's address, in front of the TPDU.
    ServiceCentre,
    /// The octet with the message type and flags.
    FirstOctet,
    /// TP-MR.
    MessageReference,
    /// TP-OA.
    OriginatingAddress,
    /// TP-DA.
    DestinationAddress,
    /// TP-RA.
    RecipientAddress,
    /// TP-PID.
    ProtocolIdentifier,
    /// TP-DCS.
    DataCodingScheme,
    /// TP-SCTS.
    ServiceCentreTimeStamp,
    /// TP-VP.
    ValidityPeriod,
    /// TP-DT.
    DischargeTime,
    /// TP-ST.
    Status,
    /// TP-UDL.
    UserDataLength,
    /// TP-UD.
    UserData,
    /// The header within TP-UD.
    UserDataHeader,
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Field::ServiceCentre => "service centre address",
            Field::FirstOctet => "first octet",
            Field::MessageReference => "message reference",
            Field::OriginatingAddress => "originating address",
            Field::DestinationAddress => "destination address",
            Field::RecipientAddress => "recipient address",
            Field::ProtocolIdentifier => "protocol identifier",
            Field::DataCodingScheme => "data coding scheme",
            Field::ServiceCentreTimeStamp => "service centre time stamp",
            Field::ValidityPeriod => "validity period",
            Field::DischargeTime => "discharge time",
            Field::Status => "status",
            Field::UserDataLength => "user data length",
            Field::UserData => "user data",
            Field::UserDataHeader => "user data header",
        })
    }
}

/// Why octets are no message that can be read. None of them gets better by
/// trying again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The octets end before the message does.
    #[error("the PDU ends in its {field}: {left} of {wanted} octets are there")]
    Truncated {
        /// Where it ends.
        field: Field,
        /// How many octets the field says or needs.
        wanted: usize,
        /// How many there are.
        left: usize,
    },
    /// An address of more than 20 digits (TS 23.040 §9.1.2.5).
    #[error("the {field} says that it has {length} digits; 20 are the most")]
    AddressTooLong {
        /// Which address.
        field: Field,
        /// The length that it claims.
        length: u8,
    },
    /// A user data header longer than the user data around it.
    #[error("the user data header has {header} octets, the user data only {user_data}")]
    HeaderTooLong {
        /// Octets of the header with its length octet.
        header: usize,
        /// Octets of the user data.
        user_data: usize,
    },
    /// The message type indicator that TS 23.040 §9.2.3.1 keeps in reserve.
    #[error("the first octet names a message type that does not exist")]
    ReservedType,
    /// A message of a type that is not read in this direction.
    #[error("this is an {0}, which is not read here")]
    Unexpected(MessageType),
}

/// Why a message cannot be put into octets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// A message in more than 255 parts (TS 23.040 §9.2.3.24.1).
    #[error("the text needs {0} parts; 255 are the most that one message can have")]
    TooManyParts(usize),
    /// User data above 140 octets.
    #[error("the user data needs {0} octets; 140 are the most that one part can carry")]
    UserDataTooLong(usize),
    /// A user data header whose element or whole exceeds its length octet.
    #[error("the user data header is too long for its length octet")]
    HeaderTooLong,
    /// The data coding says one alphabet, the body is in another.
    #[error("the data coding scheme {coding:#04x} does not announce the body that is there")]
    CodingMismatch {
        /// TP-DCS.
        coding: u8,
    },
    /// An address that TS 23.040 §9.1.2.5 cannot carry.
    #[error("the address is too long, or holds a character that its type cannot carry")]
    Address,
    /// A time that two digits of a year or a zone cannot say.
    #[error("the time lies outside 1990 to 2089, or its zone outside ±79 quarters of an hour")]
    Time,
    /// Characters that the alphabet lacks.
    #[error("the text holds a character that the chosen alphabet does not have")]
    Alphabet,
}
