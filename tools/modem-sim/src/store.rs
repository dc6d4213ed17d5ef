//! The memories that messages are kept in (TS 27.005 §3.2.3).

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

use crate::profile::Storage;

/// A memory as +CPMS names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Memory {
    /// The SIM.
    Sm,
    /// The module.
    Me,
    /// The SIM and the module, one after the other.
    Mt,
    /// Status reports.
    Sr,
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Memory::Sm => "SM",
            Memory::Me => "ME",
            Memory::Mt => "MT",
            Memory::Sr => "SR",
        })
    }
}

impl FromStr for Memory {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text.to_ascii_uppercase().as_str() {
            "SM" => Ok(Memory::Sm),
            "ME" => Ok(Memory::Me),
            "MT" => Ok(Memory::Mt),
            "SR" => Ok(Memory::Sr),
            _ => Err(()),
        }
    }
}

/// What has become of a stored message (TS 27.005 §3.1 `<stat>`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Received and not read.
    RecUnread,
    /// Received and read.
    RecRead,
    /// Written and not sent.
    StoUnsent,
    /// Written and sent.
    StoSent,
}

impl Status {
    /// All of them, in the order of their numbers.
    pub const ALL: [Status; 4] =
        [Status::RecUnread, Status::RecRead, Status::StoUnsent, Status::StoSent];

    /// As PDU mode writes it.
    pub fn number(self) -> u8 {
        match self {
            Status::RecUnread => 0,
            Status::RecRead => 1,
            Status::StoUnsent => 2,
            Status::StoSent => 3,
        }
    }

    /// As text mode writes it.
    pub fn words(self) -> &'static str {
        match self {
            Status::RecUnread => "REC UNREAD",
            Status::RecRead => "REC READ",
            Status::StoUnsent => "STO UNSENT",
            Status::StoSent => "STO SENT",
        }
    }

    /// Whether the message came from the network.
    pub fn is_received(self) -> bool {
        matches!(self, Status::RecUnread | Status::RecRead)
    }
}

/// A stored message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// What has become of it.
    pub status: Status,
    /// Service centre's address and TPDU.
    pub pdu: Vec<u8>,
}

/// All memories of one modem.
#[derive(Debug, Clone)]
pub struct Store {
    first: usize,
    sm: Slots,
    me: Slots,
    sr: Slots,
}

#[derive(Debug, Clone)]
struct Slots {
    capacity: usize,
    taken: BTreeMap<usize, Stored>,
}

impl Store {
    /// Empty memories of the sizes that a profile gives.
    pub fn new(storage: &Storage) -> Self {
        let slots = |capacity| Slots { capacity, taken: BTreeMap::new() };
        Store {
            first: storage.first_index,
            sm: slots(storage.sm),
            me: slots(storage.me),
            sr: slots(storage.sr),
        }
    }

    /// Changes the size of a memory, but never below its last taken place.
    pub fn resize(&mut self, memory: Memory, capacity: usize) {
        let slots = self.slots_mut(memory);
        let taken = slots.taken.last_key_value().map_or(0, |(place, _)| place + 1);
        slots.capacity = capacity.max(taken);
    }

    /// How many messages a memory holds.
    pub fn used(&self, memory: Memory) -> usize {
        self.parts(memory).map(|(slots, _)| slots.taken.len()).sum()
    }

    /// How many messages a memory can hold.
    pub fn capacity(&self, memory: Memory) -> usize {
        self.parts(memory).map(|(slots, _)| slots.capacity).sum()
    }

    /// Keeps a message in the lowest free place. Gives the memory and the index
    /// there, or `None` when all are taken.
    pub fn add(&mut self, memory: Memory, message: Stored) -> Option<(Memory, usize)> {
        for real in real_memories(memory) {
            let first = self.first;
            let slots = self.slots_mut(*real);
            let free = (0..slots.capacity).find(|place| !slots.taken.contains_key(place));
            if let Some(place) = free {
                slots.taken.insert(place, message);
                return Some((*real, place + first));
            }
        }
        None
    }

    /// The message at an index.
    pub fn get(&self, memory: Memory, index: usize) -> Option<&Stored> {
        let (real, place) = self.locate(memory, index)?;
        self.slots(real).taken.get(&place)
    }

    /// The message at an index, to change it.
    pub fn get_mut(&mut self, memory: Memory, index: usize) -> Option<&mut Stored> {
        let (real, place) = self.locate(memory, index)?;
        self.slots_mut(real).taken.get_mut(&place)
    }

    /// Frees an index; `false` when no such place exists. An empty place is
    /// freed too, as real modems do without complaint.
    pub fn remove(&mut self, memory: Memory, index: usize) -> bool {
        match self.locate(memory, index) {
            Some((real, place)) => {
                self.slots_mut(real).taken.remove(&place);
                true
            }
            None => false,
        }
    }

    /// Frees all places whose message the test wants gone.
    pub fn remove_all(&mut self, memory: Memory, gone: impl Fn(&Stored) -> bool) {
        for real in real_memories(memory) {
            self.slots_mut(*real).taken.retain(|_, message| !gone(message));
        }
    }

    /// Indexes and messages in order.
    pub fn list(&self, memory: Memory) -> Vec<(usize, &Stored)> {
        self.parts(memory)
            .flat_map(|(slots, offset)| {
                slots.taken.iter().map(move |(place, message)| (place + offset, message))
            })
            .collect()
    }

    /// The lowest and the highest index of a memory.
    pub fn bounds(&self, memory: Memory) -> (usize, usize) {
        (self.first, (self.first + self.capacity(memory)).saturating_sub(1))
    }

    /// The real memories behind a name, each with the index of its first place.
    fn parts(&self, memory: Memory) -> impl Iterator<Item = (&Slots, usize)> {
        real_memories(memory).iter().scan(self.first, |offset, real| {
            let slots = self.slots(*real);
            let first = *offset;
            *offset += slots.capacity;
            Some((slots, first))
        })
    }

    fn locate(&self, memory: Memory, index: usize) -> Option<(Memory, usize)> {
        let mut place = index.checked_sub(self.first)?;
        for real in real_memories(memory) {
            let capacity = self.slots(*real).capacity;
            if place < capacity {
                return Some((*real, place));
            }
            place -= capacity;
        }
        None
    }

    fn slots(&self, real: Memory) -> &Slots {
        match real {
            Memory::Sm | Memory::Mt => &self.sm,
            Memory::Me => &self.me,
            Memory::Sr => &self.sr,
        }
    }

    fn slots_mut(&mut self, real: Memory) -> &mut Slots {
        match real {
            Memory::Sm | Memory::Mt => &mut self.sm,
            Memory::Me => &mut self.me,
            Memory::Sr => &mut self.sr,
        }
    }
}

fn real_memories(memory: Memory) -> &'static [Memory] {
    match memory {
        Memory::Sm => &[Memory::Sm],
        Memory::Me => &[Memory::Me],
        Memory::Mt => &[Memory::Sm, Memory::Me],
        Memory::Sr => &[Memory::Sr],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> Store {
        Store {
            first: 1,
            sm: Slots { capacity: 2, taken: BTreeMap::new() },
            me: Slots { capacity: 3, taken: BTreeMap::new() },
            sr: Slots { capacity: 0, taken: BTreeMap::new() },
        }
    }

    fn message(octet: u8) -> Stored {
        Stored { status: Status::RecUnread, pdu: vec![octet] }
    }

    #[test]
    fn mt_is_the_sim_and_then_the_module() {
        let mut store = store();
        let places: Vec<_> = (0..6).map(|n| store.add(Memory::Mt, message(n))).collect();
        assert_eq!(places[1], Some((Memory::Sm, 2)));
        assert_eq!(places[2], Some((Memory::Me, 1)));
        assert_eq!(places[5], None);
        assert_eq!(store.get(Memory::Mt, 3), store.get(Memory::Me, 1));
        assert_eq!(store.list(Memory::Mt).len(), 5);
        assert!(store.remove(Memory::Mt, 3));
        assert!(!store.remove(Memory::Mt, 6));
        assert_eq!(store.get(Memory::Me, 1), None);
    }

    #[test]
    fn the_lowest_free_place_is_taken_first() {
        let mut store = store();
        for n in 0..3 {
            store.add(Memory::Me, message(n));
        }
        store.remove(Memory::Me, 2);
        assert_eq!(store.add(Memory::Me, message(9)), Some((Memory::Me, 2)));
    }

    #[test]
    fn a_memory_without_places_holds_nothing() {
        assert_eq!(store().add(Memory::Sr, message(1)), None);
    }
}
