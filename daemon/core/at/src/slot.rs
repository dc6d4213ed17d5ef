//! Where a message stands in a modem.

/// A message storage by the name that +CPMS uses (TS 27.005 §3.2.3): `SM` on the
/// SIM, `ME` in the modem, `SR` for status reports, `MT` for all of them together.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StorageName([u8; 4]);

/// Why a text is no storage name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not a message storage: two to four capital letters are wanted, such as \"SM\"")]
pub struct StorageNameError(pub String);

impl StorageName {
    /// The SIM.
    pub const SM: StorageName = StorageName(*b"SM\0\0");
    /// The modem's own memory.
    pub const ME: StorageName = StorageName(*b"ME\0\0");
    /// SIM and modem together, where indices of the two do not collide.
    pub const MT: StorageName = StorageName(*b"MT\0\0");
    /// Status reports.
    pub const SR: StorageName = StorageName(*b"SR\0\0");

    /// Checks a name.
    ///
    /// # Errors
    /// When it is not two to four of `A-Z` and `_`.
    pub fn parse(text: &str) -> Result<Self, StorageNameError> {
        let fits = (2..=4).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
        if !fits {
            return Err(StorageNameError(text.chars().take(16).collect()));
        }
        let mut name = [0; 4];
        for (place, byte) in name.iter_mut().zip(text.bytes()) {
            *place = byte;
        }
        Ok(StorageName(name))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        let end = self.0.iter().position(|b| *b == 0).unwrap_or(self.0.len());
        // The constructors admit ASCII only, and `end` lies within the array.
        self.0.get(..end).and_then(|name| std::str::from_utf8(name).ok()).unwrap_or("?")
    }
}

impl std::fmt::Display for StorageName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::fmt::Debug for StorageName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for StorageName {
    type Err = StorageNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        StorageName::parse(text)
    }
}

/// A place in a storage.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Slot {
    /// Which storage.
    pub storage: StorageName,
    /// The index that +CMGL prints.
    pub index: u16,
}

impl std::fmt::Display for Slot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.storage, self.index)
    }
}

impl std::fmt::Debug for Slot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

/// An incoming message that the modem, or the network behind it, still keeps for
/// us. Whoever has committed it gives this value back, and only then is it let go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Held {
    /// In a storage.
    Stored {
        /// Where.
        slot: Slot,
        /// What: a slot that was used again is never taken for the message that
        /// stood there before.
        fingerprint: u64,
    },
    /// Delivered directly (+CMT, +CDS); the network repeats it unless +CNMA
    /// acknowledges it.
    Direct {
        /// Counts direct deliveries.
        serial: u64,
    },
}

/// FNV-1a: stable over restarts and versions, and collisions are no attack here,
/// because a collision would have to stand in the very same slot.
pub(crate) fn fingerprint(pdu: &[u8]) -> u64 {
    pdu.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_storage_name_is_two_to_four_capitals() {
        assert_eq!(StorageName::parse("SM"), Ok(StorageName::SM));
        assert_eq!(StorageName::parse("ME_P").unwrap().as_str(), "ME_P");
        for bad in ["", "S", "sm", "SMSMS", "S\"", "SМ"] {
            assert!(StorageName::parse(bad).is_err(), "{bad}");
        }
    }
}
