use std::collections::{BTreeMap, BTreeSet};

use jibu_types::IndexVersion;

use crate::{Hash, ShortHash};

/// Something to keep over a power cut: in `state.db`, objects and parked items
/// beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Save {
    /// A signed root, the highest seen so far. What was spent and allowed
    /// starts at nothing.
    Newest(Vec<u8>),
    /// An object, its bytes before packing, and what the update has cost so far.
    Object {
        /// Its name.
        name: Hash,
        /// Its bytes.
        raw: Vec<u8>,
        /// Bytes so far.
        spent: u64,
    },
    /// An item that waits for what it is packed on; what it says is not
    /// verified. Gone once its object comes.
    Parked {
        /// Which object it should be.
        name: ShortHash,
        /// A parcel of this one item.
        parcel: Vec<u8>,
        /// Bytes so far.
        spent: u64,
    },
    /// A parked item turned out to be no good.
    Unparked(ShortHash),
    /// No version below this one may ever be taken.
    Floor(IndexVersion),
    /// The signed root of the version that answers now; the one before it
    /// becomes the previous.
    Active(Vec<u8>),
    /// This version is not tried again.
    Refused(IndexVersion),
    /// Bytes that the update may cost over its budget.
    Allowed(u64),
}

/// All that was saved.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Saved {
    /// [`Save::Floor`].
    pub floor: Option<IndexVersion>,
    /// [`Save::Active`].
    pub active: Option<Vec<u8>>,
    /// The active root before.
    pub previous: Option<Vec<u8>>,
    /// [`Save::Newest`].
    pub newest: Option<Vec<u8>>,
    /// [`Save::Refused`].
    pub refused: Option<IndexVersion>,
    /// What the update has cost.
    pub spent: u64,
    /// [`Save::Allowed`].
    pub allowed: u64,
    /// The names of what is on the shelf.
    pub objects: BTreeSet<Hash>,
    /// [`Save::Parked`].
    pub parked: BTreeMap<ShortHash, Vec<u8>>,
}

impl Saved {
    /// What a store does with a [`Save`], the objects' bytes left out: for tests
    /// and simulations, and as the meaning that a real store must have.
    pub fn apply(&mut self, save: &Save) {
        match save {
            Save::Newest(root) => {
                self.newest = Some(root.clone());
                (self.spent, self.allowed) = (0, 0);
            }
            Save::Object { name, spent, .. } => {
                self.objects.insert(*name);
                self.parked.remove(&name.short());
                self.spent = *spent;
            }
            Save::Parked { name, parcel, spent } => {
                self.parked.insert(*name, parcel.clone());
                self.spent = *spent;
            }
            Save::Unparked(name) => drop(self.parked.remove(name)),
            Save::Floor(version) => self.floor = self.floor.max(Some(*version)),
            Save::Active(root) => {
                if self.active.as_ref() != Some(root) {
                    self.previous = self.active.replace(root.clone());
                }
            }
            Save::Refused(version) => self.refused = self.refused.max(Some(*version)),
            Save::Allowed(bytes) => self.allowed = *bytes,
        }
    }

    /// What a store does with [`super::Output::Forget`].
    pub fn forget(&mut self, names: &[Hash]) {
        self.objects.retain(|name| !names.contains(name));
    }
}
