//! `command_status` (SMPP 3.4 §5.1.3, table 5-2) and what to do about it.

use jibu_modem::{Remedy, SendError};

/// All is well.
pub(crate) const OK: u32 = 0x00;
/// A command that is not known here.
pub(crate) const INVALID_COMMAND: u32 = 0x03;
/// A command before the bind.
pub(crate) const NOT_BOUND: u32 = 0x04;
/// Somebody is bound with this name already.
pub(crate) const ALREADY_BOUND: u32 = 0x05;
/// The bind failed, for no reason that is told.
pub(crate) const BIND_FAILED: u32 = 0x0D;
/// The password is wrong.
pub(crate) const WRONG_PASSWORD: u32 = 0x0E;
/// The system id is wrong.
pub(crate) const WRONG_SYSTEM_ID: u32 = 0x0F;
/// The system type is wrong.
pub(crate) const WRONG_SYSTEM_TYPE: u32 = 0x53;
/// We cannot take a message now, and may be asked again.
pub(crate) const TRY_AGAIN: u32 = 0x64;

type Meaning = (u32, &'static str, Remedy, &'static str);

/// Those that answer a bind or a `submit_sm`. What only other commands get, and
/// what is not here, reads as unknown.
const MEANINGS: &[Meaning] = &[
    (0x01, "ESME_RINVMSGLEN", Remedy::GiveUp, "the message's length is not valid"),
    (0x02, "ESME_RINVCMDLEN", Remedy::GiveUp, "the command's length is not valid"),
    (0x03, "ESME_RINVCMDID", Remedy::GiveUp, "the SMSC does not know this command"),
    (0x04, "ESME_RINVBNDSTS", Remedy::Later, "this bind does not allow sending"),
    (0x05, "ESME_RALYBND", Remedy::Later, "somebody is bound with this system_id already"),
    (0x06, "ESME_RINVPRTFLG", Remedy::GiveUp, "the priority is not valid"),
    (0x07, "ESME_RINVREGDLVFLG", Remedy::GiveUp, "the SMSC gives no such receipts"),
    (0x08, "ESME_RSYSERR", Remedy::Retry, "the SMSC failed"),
    (0x0A, "ESME_RINVSRCADR", Remedy::Later, "the SMSC refuses smpp.source as the sender"),
    (0x0B, "ESME_RINVDSTADR", Remedy::GiveUp, "the recipient's number is not valid"),
    (0x0C, "ESME_RINVMSGID", Remedy::GiveUp, "the message id is not valid"),
    (0x0D, "ESME_RBINDFAIL", Remedy::Later, "the bind failed"),
    (0x0E, "ESME_RINVPASWD", Remedy::Later, "the password is wrong"),
    (0x0F, "ESME_RINVSYSID", Remedy::Later, "the system_id is wrong"),
    (0x14, "ESME_RMSGQFUL", Remedy::Later, "the SMSC's queue is full"),
    (0x15, "ESME_RINVSERTYP", Remedy::GiveUp, "the service type is not valid"),
    (0x43, "ESME_RINVESMCLASS", Remedy::GiveUp, "the SMSC takes no user data header"),
    (0x45, "ESME_RSUBMITFAIL", Remedy::Retry, "the SMSC could not take the message"),
    (0x48, "ESME_RINVSRCTON", Remedy::Later, "smpp.source_ton is not what the SMSC wants"),
    (0x49, "ESME_RINVSRCNPI", Remedy::Later, "smpp.source_npi is not what the SMSC wants"),
    (0x50, "ESME_RINVDSTTON", Remedy::GiveUp, "the recipient's type of number is not valid"),
    (0x51, "ESME_RINVDSTNPI", Remedy::GiveUp, "the recipient's numbering plan is not valid"),
    (0x53, "ESME_RINVSYSTYP", Remedy::Later, "the system_type is wrong"),
    (0x54, "ESME_RINVREPFLAG", Remedy::GiveUp, "the replace flag is not valid"),
    (0x55, "ESME_RINVNUMMSGS", Remedy::GiveUp, "the number of messages is not valid"),
    (0x58, "ESME_RTHROTTLED", Remedy::Later, "more messages than the contract allows"),
    (0x61, "ESME_RINVSCHED", Remedy::GiveUp, "the delivery time is not valid"),
    (0x62, "ESME_RINVEXPIRY", Remedy::GiveUp, "the validity period is not valid"),
    (0x63, "ESME_RINVDFTMSGID", Remedy::GiveUp, "the predefined message is not known"),
    (0x64, "ESME_RX_T_APPN", Remedy::Retry, "the receiver cannot take it now"),
    (0x65, "ESME_RX_P_APPN", Remedy::GiveUp, "the receiver will never take it"),
    (0x66, "ESME_RX_R_APPN", Remedy::GiveUp, "the receiver refused it"),
    (0x67, "ESME_RQUERYFAIL", Remedy::GiveUp, "the query failed"),
    (0xC0, "ESME_RINVOPTPARSTREAM", Remedy::GiveUp, "the optional parameters are not valid"),
    (0xC1, "ESME_ROPTPARNOTALLWD", Remedy::GiveUp, "an optional parameter is not allowed"),
    (0xC2, "ESME_RINVPARLEN", Remedy::GiveUp, "a parameter's length is not valid"),
    (0xC3, "ESME_RMISSINGOPTPARAM", Remedy::GiveUp, "an optional parameter is missing"),
    (0xC4, "ESME_RINVOPTPARAMVAL", Remedy::GiveUp, "an optional parameter is not valid"),
    (0xFE, "ESME_RDELIVERYFAILURE", Remedy::GiveUp, "the delivery failed"),
    (0xFF, "ESME_RUNKNOWNERR", Remedy::Retry, "the SMSC gave no reason"),
];

fn find(status: u32) -> Option<&'static Meaning> {
    MEANINGS.iter().find(|(code, ..)| *code == status)
}

/// Why a `submit_sm` was refused. A status that is the operator's own (§5.1.3
/// reserves 0x400 to 0x4FF for that) is tried again later: it may be about credit.
pub(crate) fn send_error(status: u32) -> SendError {
    let (meaning, remedy) = match find(status) {
        Some((_, _, remedy, meaning)) => (*meaning, *remedy),
        None => ("a reason of its own; ask the operator", Remedy::Later),
    };
    SendError::ServiceCentre { status, meaning, remedy }
}

/// Why a bind was refused, and what to do about it.
pub(crate) fn bind_refused(status: u32) -> String {
    let what = match status {
        WRONG_PASSWORD => "correct smpp.password or smpp.password_file",
        WRONG_SYSTEM_ID => "correct smpp.system_id",
        WRONG_SYSTEM_TYPE => "correct smpp.system_type",
        ALREADY_BOUND => {
            "the SMSC may still hold the last connection; otherwise see who else uses \
             smpp.system_id"
        }
        BIND_FAILED => {
            "look at smpp.system_id, smpp.password, smpp.system_type and smpp.bind, and ask the \
             operator whether this box's address may connect"
        }
        INVALID_COMMAND => "try another smpp.bind",
        _ => "ask the operator",
    };
    match find(status) {
        Some((_, name, _, meaning)) => {
            format!("the SMSC refuses the bind: {meaning} ({name}): {what}")
        }
        None => format!("the SMSC refuses the bind with status {status:#010x}: {what}"),
    }
}

/// Whether asking again soon is useless, and may lock the account.
pub(crate) fn wants_a_person(status: u32) -> bool {
    matches!(status, BIND_FAILED | WRONG_PASSWORD | WRONG_SYSTEM_ID | WRONG_SYSTEM_TYPE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_says_whether_to_try_again() {
        let remedy = |status| send_error(status).remedy();
        assert_eq!([0x58, 0x14, 0x04, 0x401].map(remedy), [Remedy::Later; 4]);
        assert_eq!([0x08, 0x45, 0xFF].map(remedy), [Remedy::Retry; 3]);
        assert_eq!([0x0B, 0x01, 0x43, 0x65].map(remedy), [Remedy::GiveUp; 4]);
        assert!(MEANINGS.is_sorted_by_key(|(code, ..)| code));
    }

    #[test]
    fn a_refused_bind_names_the_key() {
        assert!(bind_refused(WRONG_PASSWORD).contains("smpp.password"));
        assert!(bind_refused(0x412).contains("0x00000412"));
    }
}
