//! What a modem's errors mean for whoever must act.

/// What the caller can do about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// Try again soon: the cause passes by itself.
    Retry,
    /// Try again after minutes: something outside must change first, such as
    /// coverage, credit or the SIM.
    Later,
    /// Trying again gives the same error.
    GiveUp,
}

/// An error result of a command: `ERROR`, `+CMS ERROR: n` (TS 27.005 §3.2.5) or
/// `+CME ERROR: n` (TS 27.007 §9.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModemError {
    /// A message-service error.
    Cms(u16),
    /// An equipment error.
    Cme(u16),
    /// An error without a number.
    Plain,
}

/// A row of the tables below.
type Meaning = (u16, Remedy, &'static str);

/// +CMS ERROR. 0–127 are the network's causes (TS 24.011 §E.2), 128–255 the
/// service centre's (TS 23.040 §9.2.3.22), from 300 on the modem's (TS 27.005
/// §3.2.5), from 512 on the maker's own.
const CMS: &[Meaning] = &[
    (1, Remedy::GiveUp, "the number is not assigned"),
    (8, Remedy::Later, "the operator bars messages from this SIM"),
    (10, Remedy::Later, "messages from this SIM are barred; look at its credit and contract"),
    (17, Remedy::Retry, "the network failed"),
    (21, Remedy::Later, "the network rejected the message; look at the SIM's credit"),
    (22, Remedy::Retry, "the network is congested"),
    (27, Remedy::Later, "the recipient's phone is out of service"),
    (28, Remedy::Later, "the network does not know this SIM"),
    (29, Remedy::Later, "the network rejected the service"),
    (30, Remedy::GiveUp, "the network does not know the recipient"),
    (38, Remedy::Later, "the network is out of order"),
    (41, Remedy::Retry, "the network failed for a moment"),
    (42, Remedy::Retry, "the network is congested"),
    (47, Remedy::Retry, "the network has no resources free"),
    (50, Remedy::Later, "this SIM's contract does not include messages"),
    (69, Remedy::GiveUp, "the network does not implement this"),
    (81, Remedy::Retry, "the network lost the thread of the transfer"),
    (95, Remedy::GiveUp, "the network found the message malformed"),
    (96, Remedy::GiveUp, "the network misses an element in the message"),
    (97, Remedy::GiveUp, "the network does not know this kind of message"),
    (98, Remedy::Retry, "the message did not fit the state of the transfer"),
    (99, Remedy::GiveUp, "the network does not know an element of the message"),
    (111, Remedy::Retry, "the network and the modem misunderstood each other"),
    (127, Remedy::Later, "the recipient's network refused without a reason"),
    (128, Remedy::GiveUp, "the service centre does not serve this kind of recipient"),
    (129, Remedy::GiveUp, "the service centre does not support this message type"),
    (130, Remedy::GiveUp, "the service centre cannot replace the message"),
    (143, Remedy::GiveUp, "the service centre refused the protocol identifier"),
    (144, Remedy::GiveUp, "the service centre does not support this alphabet"),
    (145, Remedy::GiveUp, "the service centre does not support this message class"),
    (159, Remedy::GiveUp, "the service centre refused the coding scheme"),
    (160, Remedy::GiveUp, "the service centre cannot do this command"),
    (161, Remedy::GiveUp, "the service centre does not support this command"),
    (175, Remedy::GiveUp, "the service centre refused the command"),
    (176, Remedy::GiveUp, "the service centre does not support this message"),
    (192, Remedy::Retry, "the service centre is busy"),
    (193, Remedy::Later, "this SIM has no contract with the service centre"),
    (194, Remedy::Later, "the service centre failed"),
    (195, Remedy::GiveUp, "the recipient's number is not valid"),
    (196, Remedy::GiveUp, "the recipient is barred"),
    (197, Remedy::GiveUp, "the service centre already has this message"),
    (198, Remedy::GiveUp, "the service centre refused the form of the validity period"),
    (199, Remedy::GiveUp, "the service centre refused the validity period"),
    (208, Remedy::Retry, "the SIM's storage is full"),
    (209, Remedy::GiveUp, "the SIM cannot store messages"),
    (211, Remedy::Retry, "the modem's storage is full"),
    (255, Remedy::Retry, "the service centre refused without a reason"),
    (300, Remedy::Retry, "the modem failed"),
    (301, Remedy::Later, "the modem's message service is reserved by another program"),
    (302, Remedy::Retry, "the modem does not allow this now"),
    (303, Remedy::GiveUp, "the modem does not support this"),
    (304, Remedy::GiveUp, "the modem found the message malformed"),
    (305, Remedy::GiveUp, "the modem found a text parameter malformed"),
    (310, Remedy::Later, "there is no SIM in the modem"),
    (311, Remedy::Later, "the SIM wants its PIN"),
    (312, Remedy::Later, "the modem is locked to another SIM"),
    (313, Remedy::Later, "the SIM failed; clean its contacts or replace it"),
    (314, Remedy::Retry, "the SIM is busy"),
    (315, Remedy::Later, "the SIM is of a wrong kind"),
    (316, Remedy::Later, "the SIM wants its PUK"),
    (317, Remedy::Later, "the SIM wants its PIN2"),
    (318, Remedy::Later, "the SIM wants its PUK2"),
    (320, Remedy::Retry, "the message storage failed"),
    (321, Remedy::GiveUp, "there is no message in this place"),
    (322, Remedy::Retry, "the message storage is full"),
    (330, Remedy::Later, "no service centre is set; AT+CSCA sets its number"),
    (331, Remedy::Later, "there is no network"),
    (332, Remedy::Retry, "the network did not answer in time"),
    (340, Remedy::GiveUp, "no acknowledgement was expected"),
    (500, Remedy::Retry, "the modem gave no reason; look at signal, credit and service centre"),
    (512, Remedy::Retry, "the modem could not reach the network for this message"),
    (513, Remedy::Retry, "the radio link failed"),
    (514, Remedy::Retry, "the network did not acknowledge the transfer"),
    (515, Remedy::Retry, "the modem is not ready yet"),
    (517, Remedy::Retry, "the SIM is not ready yet"),
];

/// +CME ERROR (TS 27.007 §9.2.1), those that a message modem gives.
const CME: &[Meaning] = &[
    (0, Remedy::Retry, "the modem failed"),
    (1, Remedy::Retry, "the modem has no connection to the phone"),
    (2, Remedy::Retry, "the modem's link is reserved by another program"),
    (3, Remedy::Retry, "the modem does not allow this now"),
    (4, Remedy::GiveUp, "the modem does not support this"),
    (5, Remedy::Later, "the modem is locked to another SIM"),
    (10, Remedy::Later, "there is no SIM in the modem"),
    (11, Remedy::Later, "the SIM wants its PIN"),
    (12, Remedy::Later, "the SIM wants its PUK"),
    (13, Remedy::Later, "the SIM failed; clean its contacts or replace it"),
    (14, Remedy::Retry, "the SIM is busy"),
    (15, Remedy::Later, "the SIM is of a wrong kind"),
    (16, Remedy::GiveUp, "the PIN is wrong"),
    (17, Remedy::Later, "the SIM wants its PIN2"),
    (18, Remedy::Later, "the SIM wants its PUK2"),
    (20, Remedy::Retry, "the modem's memory is full"),
    (21, Remedy::GiveUp, "there is nothing in this place"),
    (22, Remedy::GiveUp, "nothing was found"),
    (23, Remedy::Retry, "the modem's memory failed"),
    (30, Remedy::Later, "there is no network"),
    (31, Remedy::Retry, "the network did not answer in time"),
    (32, Remedy::Later, "the network allows emergency calls only"),
    (50, Remedy::GiveUp, "the modem found a parameter wrong"),
    (100, Remedy::Retry, "the modem gave no reason"),
    (515, Remedy::Retry, "the modem is not ready yet"),
];

/// What +CMEE=2 prints in place of the number (TS 27.005 §3.2.5, TS 27.007 §9.2.1),
/// for a modem that refuses +CMEE=1.
const CMS_WORDS: &[(&str, u16)] = &[
    ("unassigned (unallocated) number", 1),
    ("operator determined barring", 8),
    ("call barred", 10),
    ("short message transfer rejected", 21),
    ("destination out of service", 27),
    ("unidentified subscriber", 28),
    ("facility rejected", 29),
    ("unknown subscriber", 30),
    ("network out of order", 38),
    ("temporary failure", 41),
    ("congestion", 42),
    ("resources unavailable, unspecified", 47),
    ("requested facility not subscribed", 50),
    ("me failure", 300),
    ("sms service of me reserved", 301),
    ("operation not allowed", 302),
    ("operation not supported", 303),
    ("invalid pdu mode parameter", 304),
    ("invalid text mode parameter", 305),
    ("(u)sim not inserted", 310),
    ("sim not inserted", 310),
    ("(u)sim pin required", 311),
    ("sim pin required", 311),
    ("ph-(u)sim pin required", 312),
    ("(u)sim failure", 313),
    ("sim failure", 313),
    ("(u)sim busy", 314),
    ("sim busy", 314),
    ("(u)sim wrong", 315),
    ("sim wrong", 315),
    ("(u)sim puk required", 316),
    ("sim puk required", 316),
    ("memory failure", 320),
    ("invalid memory index", 321),
    ("memory full", 322),
    ("smsc address unknown", 330),
    ("no network service", 331),
    ("network timeout", 332),
    ("no +cnma acknowledgement expected", 340),
    ("unknown error", 500),
];

const CME_WORDS: &[(&str, u16)] = &[
    ("phone failure", 0),
    ("me failure", 0),
    ("operation not allowed", 3),
    ("operation not supported", 4),
    ("ph-sim pin required", 5),
    ("sim not inserted", 10),
    ("sim pin required", 11),
    ("sim puk required", 12),
    ("sim failure", 13),
    ("sim busy", 14),
    ("sim wrong", 15),
    ("incorrect password", 16),
    ("memory full", 20),
    ("invalid index", 21),
    ("not found", 22),
    ("memory failure", 23),
    ("no network service", 30),
    ("network timeout", 31),
    ("emergency calls only", 32),
    ("unknown", 100),
];

impl ModemError {
    /// Reads what follows `+CMS ERROR:`, a number or words.
    pub(crate) fn cms(text: &str) -> Self {
        Self::numbered(text, CMS_WORDS).map_or(ModemError::Plain, ModemError::Cms)
    }

    /// Reads what follows `+CME ERROR:`, a number or words.
    pub(crate) fn cme(text: &str) -> Self {
        Self::numbered(text, CME_WORDS).map_or(ModemError::Plain, ModemError::Cme)
    }

    fn numbered(text: &str, words: &[(&str, u16)]) -> Option<u16> {
        let text = text.trim();
        text.parse().ok().or_else(|| {
            words.iter().find(|(word, _)| text.eq_ignore_ascii_case(word)).map(|(_, code)| *code)
        })
    }

    fn meaning(self) -> Option<&'static Meaning> {
        let (table, code) = match self {
            ModemError::Cms(code) => (CMS, code),
            ModemError::Cme(code) => (CME, code),
            ModemError::Plain => return None,
        };
        table.iter().find(|(listed, ..)| *listed == code)
    }

    /// What to do about it. A code that no standard names is worth another try.
    pub fn remedy(self) -> Remedy {
        self.meaning().map_or(Remedy::Retry, |(_, remedy, _)| *remedy)
    }

    /// Whether the SIM or the message service is still starting.
    pub(crate) fn is_not_ready_yet(self) -> bool {
        matches!(self, ModemError::Cms(314 | 515 | 517) | ModemError::Cme(14 | 515))
    }

    /// Whether the command is unknown here, rather than refused now.
    pub(crate) fn is_unsupported(self) -> bool {
        matches!(
            self,
            ModemError::Plain | ModemError::Cms(302 | 303) | ModemError::Cme(3 | 4 | 50 | 100)
        )
    }

    /// Whether no room is left in the storage.
    pub(crate) fn is_full(self) -> bool {
        matches!(self, ModemError::Cms(208 | 211 | 322) | ModemError::Cme(20))
    }

    /// Whether there is nothing in the slot that was named.
    pub(crate) fn is_empty_slot(self) -> bool {
        matches!(self, ModemError::Cms(321) | ModemError::Cme(21 | 22))
    }
}

impl std::fmt::Display for ModemError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let words = self.meaning().map_or("the modem refused", |(_, _, words)| *words);
        match self {
            ModemError::Cms(code) => write!(f, "{words} (+CMS ERROR: {code})"),
            ModemError::Cme(code) => write!(f, "{words} (+CME ERROR: {code})"),
            ModemError::Plain => write!(f, "{words} (ERROR)"),
        }
    }
}

impl std::error::Error for ModemError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_table_is_sorted_and_names_a_code_once() {
        for table in [CMS, CME] {
            assert!(table.windows(2).all(|pair| pair[0].0 < pair[1].0));
        }
    }

    #[test]
    fn every_word_has_its_code_in_the_table() {
        for (word, code) in CMS_WORDS {
            assert!(CMS.iter().any(|(listed, ..)| listed == code), "{word}");
        }
        for (word, code) in CME_WORDS {
            assert!(CME.iter().any(|(listed, ..)| listed == code), "{word}");
        }
    }

    #[test]
    fn words_and_numbers_mean_the_same() {
        assert_eq!(ModemError::cms(" 38"), ModemError::Cms(38));
        assert_eq!(ModemError::cms("Network out of order"), ModemError::Cms(38));
        assert_eq!(ModemError::cme("SIM busy"), ModemError::Cme(14));
        assert_eq!(ModemError::cms("whatever this is"), ModemError::Plain);
        assert_eq!(ModemError::cms("99999"), ModemError::Plain);
    }

    #[test]
    fn an_error_says_what_happened_and_its_code() {
        assert_eq!(ModemError::Cms(38).to_string(), "the network is out of order (+CMS ERROR: 38)");
        assert_eq!(ModemError::Cms(777).to_string(), "the modem refused (+CMS ERROR: 777)");
    }
}
