//! Takes a bundle that somebody brought, through the same peer as what comes
//! over the link.

use std::sync::Arc;

use anyhow::bail;
use jibu_sync::site::Input;
use jibu_sync::wire::{Report, Stall};
use jibu_sync::{admissible, bundle};
use jibu_types::{CollectionName, IndexVersion, Timestamp};
use serde::Serialize;

use super::follower::{Follower, Stores};
use super::{Golden, Trial};
use crate::config::Config;
use crate::hub;
use crate::library::Engine;

/// What came of an import.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// Which collection.
    pub collection: CollectionName,
    /// Which version of it.
    #[serde(serialize_with = "as_text")]
    pub version: IndexVersion,
    /// How many passages it has.
    pub passages: u64,
    /// How many were new and were embedded here.
    pub embedded: usize,
    /// Whether there was nothing to do.
    pub already_active: bool,
    /// How the golden queries went.
    pub golden: Golden,
}

fn as_text<S: serde::Serializer>(version: &IndexVersion, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(version)
}

/// Imports a bundle. An import that was cut off goes on where it was.
///
/// # Errors
/// When the bundle is not genuine, is older than what the site had, or does not
/// answer its own golden queries; and when a store refuses. The version that is
/// answered from stays.
pub fn import(
    config: &Arc<Config>,
    engine: &Arc<Engine>,
    stores: &mut Stores,
    bytes: &[u8],
) -> anyhow::Result<Outcome> {
    let trusted = hub::trusted(config)?;
    let bundle = bundle::read(bytes, &trusted.1)?;
    let root = bundle.root();
    let collection = root.collection.clone();
    admissible(stores.floor(&collection)?, root)?;

    // Nothing here waits, so time stands still.
    let still = Timestamp::default();
    let (shared, models) = (Arc::clone(config), Arc::clone(engine));
    let mut follower = Follower::open(shared, models, collection.clone(), trusted, stores, still)?;
    follower.handle(Input::Bundle(&bundle), still, stores)?;

    let trial = follower.take_trial().filter(|trial| trial.version == root.version);
    if let Some(Trial { refusal: Some(why), .. }) = &trial {
        bail!("{why}. The version that was answered from stays; mend the collection at the hub");
    }
    let Report { active, stall, .. } = follower.status();
    if stall == Stall::NoSpace {
        bail!("the disk is full: make room and import it again; it goes on where it stopped");
    }
    if active.map(|(_, id)| id) != Some(bundle.signed_root().hash().short()) {
        bail!(
            "{collection} {} was seen here before with other content: the hub was restored from \
             an old backup, or another has its key; publish a higher version there",
            root.version
        );
    }
    let (embedded, golden) = match &trial {
        Some(trial) => (trial.embedded, trial.golden.clone()),
        None => (0, Golden::default()),
    };
    Ok(Outcome {
        collection,
        version: root.version,
        passages: root.passages,
        embedded,
        already_active: trial.is_none(),
        golden,
    })
}
