use jibu_types::{CollectionName, IndexVersion};
use minicbor::{Decode, Encode};

use super::{SiteName, body};
use crate::hash::{from_cbor, to_cbor};
use crate::{ShortHash, SiteKey, SitePublicKey};

const STATE: u8 = 0x03;

/// The most collections in one state.
const MAX_REPORTS: usize = 64;

/// Stands before a state when it is signed.
const CONTEXT: &[u8] = b"jibu state 1\0";

/// Why an update does not go on by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stall {
    /// It goes on, or there is nothing to do.
    None = 0,
    /// It would cost more than it may.
    OverBudget = 1,
    /// The disk is full.
    NoSpace = 2,
    /// The version did not answer its golden queries; the one before stays.
    Refused = 3,
    /// The hub signed something that cannot be read or does not add up.
    Faulty = 4,
    /// The hub signed two roots of one version.
    Conflict = 5,
}

impl Stall {
    /// The reason of a number on the wire.
    pub fn from_wire(number: u8) -> Option<Self> {
        [
            Stall::None,
            Stall::OverBudget,
            Stall::NoSpace,
            Stall::Refused,
            Stall::Faulty,
            Stall::Conflict,
        ]
        .into_iter()
        .find(|stall| *stall as u8 == number)
    }
}

/// What a site says of one collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The collection.
    pub collection: CollectionName,
    /// What it answers from: the version and its root.
    pub active: Option<(IndexVersion, ShortHash)>,
    /// The highest version whose root it has seen.
    pub newest: Option<IndexVersion>,
    /// Objects that it still lacks, as far as it can tell.
    pub missing: u32,
    /// Bytes that the present update has cost so far.
    pub spent: u64,
    /// Why it does not go on.
    pub stall: Stall,
    /// Whether the active root has expired, by the site's clock.
    pub expired: bool,
}

#[derive(Encode, Decode)]
#[cbor(array)]
struct WireReport<'b> {
    #[b(0)]
    collection: &'b str,
    #[n(1)]
    active: Option<WireActive>,
    #[n(2)]
    newest: Option<WireVersion>,
    #[n(3)]
    missing: u32,
    #[n(4)]
    spent: u64,
    #[n(5)]
    stall: u8,
    #[n(6)]
    expired: bool,
}

#[derive(Encode, Decode)]
#[cbor(array)]
struct WireVersion {
    #[n(0)]
    epoch: u32,
    #[n(1)]
    version: u64,
}

#[derive(Encode, Decode)]
#[cbor(array)]
struct WireActive {
    #[n(0)]
    epoch: u32,
    #[n(1)]
    version: u64,
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    root: [u8; 8],
}

/// What a site says of itself, in its own signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// Above that of every state that this site has signed before: a session's
    /// number, which the site raises before each, and the state's in it, as
    /// [`State::counter`] makes it. A hub takes none that is not above the
    /// last, so that nobody can repeat an old one.
    pub counter: u64,
    /// Whether there is a session. Only a last will says that there is not.
    pub online: bool,
    /// The highest command that the site has carried out.
    pub done: u64,
    /// Bytes a second that the site's link brings, where it is known.
    pub rate: Option<u32>,
    /// What it says of its collections. Empty in a last will: what was said
    /// before still holds.
    pub reports: Vec<Report>,
}

/// Why bytes are no state that a hub may believe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// They have another form.
    #[error("the state cannot be read: the site's program is older or newer, or it is forged")]
    Malformed,
    /// The site's key did not sign them.
    #[error("the state is not signed with the key that the site was enrolled with")]
    Signature,
}

#[derive(Encode, Decode)]
#[cbor(array)]
struct WireState<'b> {
    #[n(0)]
    counter: u64,
    #[n(1)]
    online: bool,
    #[n(2)]
    done: u64,
    #[n(3)]
    rate: Option<u32>,
    #[b(4)]
    reports: Vec<WireReport<'b>>,
}

impl State {
    /// The counter of the state `number` of a session, both counted from 0. The
    /// last will takes [`State::WILL`], which is above all others of its session.
    pub fn counter(session: u32, number: u32) -> u64 {
        u64::from(session) << 32 | u64::from(number)
    }

    /// A last will's number in its session: it is signed first and comes last.
    pub const WILL: u32 = u32::MAX;

    /// The bytes of the message.
    pub fn sign(&self, site: &SiteName, key: &SiteKey) -> Vec<u8> {
        let reports = self.reports.iter().take(MAX_REPORTS).map(wire_report).collect();
        let State { counter, online, done, rate, .. } = *self;
        let mut bytes = vec![STATE];
        bytes.append(&mut to_cbor(&WireState { counter, online, done, rate, reports }));
        let signature = key.sign(CONTEXT, site, &bytes);
        bytes.extend(signature);
        bytes
    }

    /// Reads a message that `site` is said to have sent.
    ///
    /// # Errors
    /// When it has another form, or `key` has not signed it for this site.
    pub fn verify(bytes: &[u8], site: &SiteName, key: &SitePublicKey) -> Result<Self, StateError> {
        let (signed, signature) = bytes.split_last_chunk::<64>().ok_or(StateError::Malformed)?;
        let state = State::decode(bytes).ok_or(StateError::Malformed)?;
        if key.has_signed(CONTEXT, site, signed, signature) {
            Ok(state)
        } else {
            Err(StateError::Signature)
        }
    }

    /// Reads a message without believing it.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (signed, _) = body(STATE, bytes)?.split_last_chunk::<64>()?;
        let wire: WireState<'_> = from_cbor(signed)?;
        if wire.reports.len() > MAX_REPORTS {
            return None;
        }
        let WireState { counter, online, done, rate, reports } = wire;
        let reports = reports.into_iter().map(report).collect::<Option<_>>()?;
        Some(State { counter, online, done, rate, reports })
    }
}

fn wire_report(report: &Report) -> WireReport<'_> {
    WireReport {
        collection: report.collection.as_str(),
        active: report.active.map(|(version, root)| WireActive {
            epoch: version.epoch,
            version: version.version,
            root: root.0,
        }),
        newest: report
            .newest
            .map(|version| WireVersion { epoch: version.epoch, version: version.version }),
        missing: report.missing,
        spent: report.spent,
        stall: report.stall as u8,
        expired: report.expired,
    }
}

fn report(wire: WireReport<'_>) -> Option<Report> {
    Some(Report {
        collection: CollectionName::parse(wire.collection).ok()?,
        active: wire.active.map(|active| {
            let version = IndexVersion { epoch: active.epoch, version: active.version };
            (version, ShortHash(active.root))
        }),
        newest: wire
            .newest
            .map(|newest| IndexVersion { epoch: newest.epoch, version: newest.version }),
        missing: wire.missing,
        spent: wire.spent,
        stall: Stall::from_wire(wire.stall)?,
        expired: wire.expired,
    })
}
