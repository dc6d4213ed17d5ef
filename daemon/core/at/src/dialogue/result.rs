//! Final result codes (V.250 §5.7, TS 27.005 §3.2.5, TS 27.007 §9.2).

use crate::ModemError;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FinalResult {
    /// `OK`.
    Ok,
    /// `ERROR`, `+CME ERROR: …`, `+CMS ERROR: …`.
    Error(ModemError),
    /// `CONNECT`.
    Connect,
    /// `NO CARRIER`.
    NoCarrier,
    /// `BUSY`.
    Busy,
    /// `NO ANSWER`.
    NoAnswer,
    /// `NO DIALTONE`.
    NoDialtone,
}

impl FinalResult {
    /// Reads a line.
    pub fn parse(line: &str) -> Option<Self> {
        if let Some(rest) = line.strip_prefix("+CMS ERROR:") {
            return Some(FinalResult::Error(ModemError::cms(rest)));
        }
        if let Some(rest) = line.strip_prefix("+CME ERROR:") {
            return Some(FinalResult::Error(ModemError::cme(rest)));
        }
        match line {
            "OK" => Some(FinalResult::Ok),
            // The last two are what SIMCom and Huawei print for an unknown command.
            "ERROR" | "COMMAND NOT SUPPORT" | "TOO MANY PARAMETERS" => {
                Some(FinalResult::Error(ModemError::Plain))
            }
            "NO CARRIER" => Some(FinalResult::NoCarrier),
            "BUSY" => Some(FinalResult::Busy),
            "NO ANSWER" => Some(FinalResult::NoAnswer),
            "NO DIALTONE" | "NO DIAL TONE" => Some(FinalResult::NoDialtone),
            _ if line == "CONNECT" || line.starts_with("CONNECT ") => Some(FinalResult::Connect),
            _ => None,
        }
    }

    /// Whether only a call ends so. After any other command it tells that
    /// somebody who rang has hung up.
    pub fn is_about_a_call(self) -> bool {
        !matches!(self, FinalResult::Ok | FinalResult::Error(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_final_result_is_a_whole_line() {
        assert_eq!(FinalResult::parse("OK"), Some(FinalResult::Ok));
        assert_eq!(FinalResult::parse("OK then"), None);
        assert_eq!(FinalResult::parse("CONNECT 9600"), Some(FinalResult::Connect));
        assert_eq!(
            FinalResult::parse("+CMS ERROR: 500"),
            Some(FinalResult::Error(ModemError::Cms(500)))
        );
        assert_eq!(
            FinalResult::parse("+CME ERROR: SIM busy"),
            Some(FinalResult::Error(ModemError::Cme(14)))
        );
    }
}
