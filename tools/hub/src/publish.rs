//! What a version costs each site, and publishing it only where that is in its
//! budget.

use std::collections::BTreeMap;

use jibu_sync::hub::{self, Cost};
use jibu_sync::{Release, ShortHash};
use jibu_types::{CollectionName, Timestamp};
use serde::Serialize;

use crate::release::Draft;
use crate::sites::Standing;
use crate::{Hub, HubError, Terms};

/// What a message costs besides its payload: its topic, MQTT, TLS and TCP/IP
/// with the acknowledgement (the sums of `tools/netsim`).
const OVERHEAD_BYTES: u64 = 200;

/// What `publish` did, or would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PublishReport {
    /// The collection.
    pub collection: CollectionName,
    /// The version, `epoch.version`.
    pub version: String,
    /// Whether it is a new version.
    pub is_new: bool,
    /// Whether nothing was recorded.
    pub is_dry_run: bool,
    /// Passages in it.
    pub passages: u64,
    /// The bytes of a first sync.
    pub full_bytes: u64,
    /// What prices are in.
    pub currency: Option<String>,
    /// What it costs each site that may read it.
    pub sites: Vec<SiteCost>,
}

/// What a version costs a site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SiteCost {
    /// The site.
    pub site: String,
    /// The version that it has.
    pub from: Option<String>,
    /// Bytes on the link, with an allowance for what carries them.
    pub bytes: u64,
    /// Seconds at the rate of its last known link.
    pub seconds: Option<u64>,
    /// Money in thousandths, where its price is known.
    pub price: Option<u64>,
    /// Whether this is past its budget.
    pub over_budget: bool,
}

impl Hub {
    /// Makes the collection's next version the one that sites are to have. With
    /// `dry_run` nothing is recorded. Past a site's budget it is refused, but
    /// with `over_budget`.
    ///
    /// # Errors
    /// As [`Hub::draft`] and [`Hub::record`], and [`HubError::OverBudget`].
    pub fn publish(
        &mut self,
        collection: &CollectionName,
        terms: &Terms,
        dry_run: bool,
        over_budget: bool,
        now: Timestamp,
    ) -> Result<PublishReport, HubError> {
        let draft = self.draft(collection, terms, now)?;
        let sites = self.costs(collection, &draft, now)?;
        if !dry_run && !over_budget && draft.is_new {
            let over = sites.iter().filter(|cost| cost.over_budget);
            let over: Vec<String> =
                over.map(|cost| format!("{}: {} bytes", cost.site, cost.bytes)).collect();
            if !over.is_empty() {
                return Err(HubError::OverBudget { sites: over });
            }
        }
        if !dry_run {
            self.record(&draft)?;
        }
        let root = draft.root.root();
        Ok(PublishReport {
            collection: collection.clone(),
            version: root.version.to_string(),
            is_new: draft.is_new,
            is_dry_run: dry_run,
            passages: root.passages,
            full_bytes: root.bytes,
            currency: self.currency.clone(),
            sites,
        })
    }

    /// What a version costs every enrolled site that may read the collection.
    fn costs(
        &mut self,
        collection: &CollectionName,
        draft: &Draft,
        now: Timestamp,
    ) -> Result<Vec<SiteCost>, HubError> {
        let sites = self.sites(now)?;
        let mut peer = hub::Hub::new(hub::Config::default(), now);
        let newest = Release::open(&draft.bytes, &self.public_key())
            .map_err(|_| HubError::DamagedRow("release"))?;
        let id = newest.id();
        for release in self.releases(collection)?.into_iter().chain([newest]) {
            peer.handle(hub::Input::Release(Box::new(release)), now);
            while peer.poll().is_some() {}
        }
        let mut known: BTreeMap<Option<ShortHash>, Cost> = BTreeMap::new();
        let mut costs = Vec::new();
        for site in sites {
            if site.standing != Standing::Enrolled || !site.collections.contains(collection) {
                continue;
            }
            let report =
                site.reports.iter().find(|report| report.collection == collection.as_str());
            let base = report.and_then(|report| report.root);
            let cost = *known
                .entry(base)
                .or_insert_with(|| peer.cost(collection, base).unwrap_or_default());
            let bytes = match base {
                Some(base) if base == id => 0,
                // The root is a message, too, and so is the request of each
                // window of a few messages.
                _ => cost.bytes + OVERHEAD_BYTES * (1 + cost.messages as u64 * 5 / 4),
            };
            costs.push(SiteCost {
                site: site.site,
                from: report.and_then(|report| report.active.clone()),
                bytes,
                seconds: site.rate_kbit.map(|rate| (bytes * 8).div_ceil(rate.max(1) * 1000)),
                price: site.price_per_mb.map(|price| (bytes * price).div_ceil(1_000_000)),
                over_budget: site.budget_kb.is_some_and(|budget| bytes > budget * 1000),
            });
        }
        Ok(costs)
    }
}
