//! The hub: documents go in, signed bundles come out.
//!
//! ```text
//! file ──Reader──▶ Parsed ──chunk──▶ Document ──Hub::ingest──▶ hub.db
//! hub.db ──Snapshot, Root, HubKey──▶ Release ──▶ bundle file, sites
//! ```
//!
//! Reading and cutting text is decided here, in plain functions; the key file
//! and the [`state`] (`hub.db`, or PostgreSQL) are touched by [`Hub`] alone. At a
//! broker a [`service`] speaks for it, and [`serve()`] gives that a connection.
//! What a bundle's bytes mean is `jibu-sync`'s matter. `README.md` beside this
//! crate tells an admin how documents are written.

mod authority;
pub mod broker;
mod chunk;
mod claims;
mod cli;
mod condition;
mod export;
mod golden;
mod hub;
mod ingest;
mod key;
mod languages;
mod meta;
mod publish;
mod questions;
mod read;
mod release;
mod rollout;
mod serve;
pub mod service;
mod settings;
mod sites;
pub mod state;
mod told;
mod walk;

pub use authority::{AuthorityError, Identity};
pub use chunk::{MAX_WORDS, chunk, count_words};
pub use cli::{Cli, run, sentence};
pub use condition::{SiteCondition, SiteHealth, SiteUsage};
pub use export::ExportReport;
pub use golden::GoldenError;
pub use hub::{CollectionSummary, Hub, HubError};
pub use ingest::{Fault, IngestReport};
pub use meta::{Meta, MetaError};
pub use publish::{PublishReport, SiteCost};
pub use questions::Question;
pub use read::{Block, Item, Parsed, ReadError, Reader, Table, reader_for};
pub use release::{BundleReport, Draft, Terms};
pub use rollout::{Candidate, Decision, Outcome, Plan, RolloutSummary, decide};
pub use serve::{ServeError, serve};
pub use settings::SettingsError;
pub use sites::{SiteReport, SiteSettings, SiteSummary, Standing};
