//! A collection that is followed: `jibu-sync`'s site peer with the stores under
//! it. What it wants of the link is given back as [`Wish`]es.

use std::collections::VecDeque;
use std::sync::Arc;

use anyhow::Context;
use jibu_store::{ContentReader, ContentStore, EditionState, ErrorKind, StateStore, StoreError};
use jibu_sync::site::{self, Input, Output, Save, Saved, Site};
use jibu_sync::wire::{Report, SiteName, Topic};
use jibu_sync::{EditionError, Hash, PublicKey, SignedRoot};
use jibu_types::{CollectionName, IndexVersion, Timestamp};

use super::trial::{self, Trial, Untried};
use crate::clock::now;
use crate::config::Config;
use crate::library::Engine;

/// The two files, opened for writing, and `content.db` once more for reading
/// while it is written.
#[derive(Debug)]
pub struct Stores {
    state: StateStore,
    content: ContentStore,
    shelf: ContentReader,
}

impl Stores {
    /// Opens both files, and makes those that are not there.
    ///
    /// # Errors
    /// When one cannot be used.
    pub fn open(config: &Config) -> anyhow::Result<Self> {
        std::fs::create_dir_all(&config.data)
            .with_context(|| format!("{} cannot be made", config.data.display()))?;
        let state = StateStore::open(config.state_db())?;
        let content = ContentStore::open(config.content_db())?;
        let shelf = ContentReader::open(config.content_db())?;
        Ok(Stores { state, content, shelf })
    }

    /// No version below this one was ever accepted.
    ///
    /// # Errors
    /// When `state.db` refuses.
    pub fn floor(&self, collection: &CollectionName) -> Result<Option<IndexVersion>, StoreError> {
        self.state.floor(collection)
    }

    /// What answers now, of every collection.
    ///
    /// # Errors
    /// When `content.db` refuses.
    pub fn active_editions(&self) -> Result<Vec<jibu_store::Edition>, StoreError> {
        self.content.active_editions()
    }

    /// The number of a session with the hub: above that of every one before.
    ///
    /// # Errors
    /// When `state.db` refuses.
    pub fn next_session(&mut self) -> Result<u32, StoreError> {
        const NAME: &str = "hub session";
        let last: Option<u32> = self.state.setting(NAME)?.and_then(|text| text.parse().ok());
        let session = last.unwrap_or(0).saturating_add(1);
        self.state.set_setting(NAME, &session.to_string())?;
        Ok(session)
    }

    /// What must not be lost.
    pub fn state(&mut self) -> &mut StateStore {
        &mut self.state
    }

    /// Goes back to the version before, and gives the one up that answered till
    /// now: the hub must publish a higher one to be followed again.
    ///
    /// # Errors
    /// When there is no version before, or a store refuses.
    pub fn revert(&mut self, collection: &CollectionName) -> Result<IndexVersion, StoreError> {
        let version = self.content.revert(now(), collection)?;
        let left = |e: &jibu_store::Edition| {
            e.collection == *collection && e.state == EditionState::Previous
        };
        if let Some(left) = self.content.editions()?.into_iter().find(left) {
            self.state.follow(collection, &Save::Refused(left.version))?;
            let details = serde_json::json!({
                "collection": collection,
                "from": left.version.to_string(),
                "to": version.to_string(),
            });
            self.state.record(now(), "index reverted", &details)?;
        }
        Ok(version)
    }

    /// The root of the version that answers, where the model that runs has
    /// embedded it. One of another model's counts as none: its objects are all
    /// here, so it is embedded anew and costs the link nothing.
    fn active(
        &self,
        collection: &CollectionName,
        engine: &Engine,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let running = trial::model(engine);
        let of_model =
            |e: &jibu_store::Edition| e.collection == *collection && e.model_hash == running;
        if !self.content.active_editions()?.iter().any(of_model) {
            return Ok(None);
        }
        self.content.root(collection, EditionState::Active)
    }

    fn saved(&self, collection: &CollectionName, engine: &Engine) -> Result<Saved, StoreError> {
        let followed = self.state.followed(collection)?;
        let fetched = self.content.fetched(collection)?;
        let newest = match followed.newest {
            Some(newest) => Some(newest),
            None => self.content.root(collection, EditionState::Active)?,
        };
        Ok(Saved {
            floor: self.state.floor(collection)?,
            active: self.active(collection, engine)?,
            previous: self.content.root(collection, EditionState::Previous)?,
            newest,
            refused: followed.refused,
            spent: fetched.spent,
            allowed: followed.allowed,
            objects: fetched.objects,
            parked: fetched.parked,
        })
    }

    fn save(&mut self, collection: &CollectionName, save: &Save) -> Result<(), StoreError> {
        self.content.keep(collection, save)?;
        self.state.follow(collection, save)
    }
}

/// What the link is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// Subscribe at QoS 0.
    Subscribe(Vec<Topic>),
    /// End subscriptions.
    Unsubscribe(Vec<Topic>),
    /// Publish at QoS 0.
    Publish {
        /// Where.
        topic: Topic,
        /// The bytes.
        payload: Vec<u8>,
    },
    /// Tell the hub where this collection stands.
    Report(Report),
}

/// A collection that is followed.
#[derive(Debug)]
pub struct Follower {
    config: Arc<Config>,
    engine: Arc<Engine>,
    collection: CollectionName,
    site: Site,
    /// The root of what answers, as it was signed.
    active: Option<Vec<u8>>,
    trial: Option<Trial>,
    wishes: Vec<Wish>,
}

impl Follower {
    /// Goes on from what the stores have; a version that is whole is tried at
    /// once. What counts is what `hub` signed for this site. `steady` is a clock that never goes back while the process lives.
    ///
    /// # Errors
    /// When a store or the models refuse.
    pub fn open(
        config: Arc<Config>,
        engine: Arc<Engine>,
        collection: CollectionName,
        (site, hub): (SiteName, PublicKey),
        stores: &mut Stores,
        steady: Timestamp,
    ) -> anyhow::Result<Self> {
        let mut peer = site::Config::new(collection.clone(), site, hub);
        if let Some(link) = &config.link {
            peer.update_budget = link.update_budget;
        }
        let saved = stores.saved(&collection, &engine)?;
        let active = saved.active.clone();
        let site = Site::open(peer, saved, &stores.shelf.objects(&collection), steady);
        let (trial, wishes) = (None, Vec::new());
        let mut follower = Follower { config, engine, collection, site, active, trial, wishes };
        follower.drain(steady, stores)?;
        Ok(follower)
    }

    /// Takes in what happened and carries out all that the stores can do about
    /// it, the trial of a version among it, which takes its time.
    ///
    /// # Errors
    /// When a store or the models refuse: open the follower anew later, from what
    /// was kept.
    pub fn handle(
        &mut self,
        input: Input<'_>,
        steady: Timestamp,
        stores: &mut Stores,
    ) -> anyhow::Result<()> {
        self.site.handle(input, steady, &stores.shelf.objects(&self.collection));
        self.drain(steady, stores)
    }

    /// What the link is to do, in order.
    pub fn wishes(&mut self) -> Vec<Wish> {
        std::mem::take(&mut self.wishes)
    }

    /// How the last trial went, once.
    pub fn take_trial(&mut self) -> Option<Trial> {
        self.trial.take()
    }

    /// When to call [`Follower::handle`] with [`Input::Tick`].
    pub fn deadline(&self) -> Option<Timestamp> {
        self.site.deadline()
    }

    /// Bytes a second that the link brings, where that is known.
    pub fn rate(&self) -> Option<u32> {
        self.site.rate()
    }

    /// Where the collection stands.
    pub fn status(&self) -> Report {
        self.site.status()
    }

    /// Whether somebody else, such as `jibud index import`, has changed what
    /// answers since.
    ///
    /// # Errors
    /// When a store refuses.
    pub fn is_overtaken(&self, stores: &Stores) -> Result<bool, StoreError> {
        Ok(stores.active(&self.collection, &self.engine)? != self.active)
    }

    fn drain(&mut self, steady: Timestamp, stores: &mut Stores) -> anyhow::Result<()> {
        let mut happened = VecDeque::new();
        loop {
            while let Some(output) = self.site.poll() {
                happened.extend(self.carry_out(output, stores)?);
            }
            let Some(next) = happened.pop_front() else { return Ok(()) };
            let input = match &next {
                Happened::Full(name) => Input::Full(*name),
                Happened::Lost(names) => Input::Lost(names),
                Happened::Tried(good) => Input::Tried(*good),
                Happened::Activated => Input::Activated,
            };
            self.site.handle(input, steady, &stores.shelf.objects(&self.collection));
        }
    }

    fn carry_out(
        &mut self,
        output: Output,
        stores: &mut Stores,
    ) -> anyhow::Result<Option<Happened>> {
        match output {
            Output::Save(save) => match (stores.save(&self.collection, &save), &save) {
                (Ok(()), _) => {}
                (Err(error), Save::Object { name, .. }) if error.kind() == ErrorKind::TryLater => {
                    tracing::warn!(collection = %self.collection, %error, "no room for an object");
                    return Ok(Some(Happened::Full(*name)));
                }
                (Err(error), _) => return Err(error.into()),
            },
            Output::Forget(names) => stores.content.forget(&self.collection, &names)?,
            Output::Stage(root) => return self.stage(&root, stores).map(Some),
            Output::Activate(root) => {
                self.activate(&root, stores)?;
                return Ok(Some(Happened::Activated));
            }
            Output::TimeAtLeast(time) => {
                if now() < time {
                    tracing::warn!(
                        "the clock says {}, and the hub signed something at {time}: set the clock",
                        now()
                    );
                }
            }
            Output::Subscribe(topics) => self.wishes.push(Wish::Subscribe(topics)),
            Output::Unsubscribe(topics) => self.wishes.push(Wish::Unsubscribe(topics)),
            Output::Publish { topic, payload } => {
                self.wishes.push(Wish::Publish { topic, payload });
            }
            Output::Report(report) => self.wishes.push(Wish::Report(report)),
        }
        Ok(None)
    }

    fn stage(&mut self, root: &SignedRoot, stores: &mut Stores) -> anyhow::Result<Happened> {
        let version = root.root().version;
        tracing::info!(collection = %self.collection, %version, "a version is whole: trying it");
        let shelf = stores.shelf.objects(&self.collection);
        let tried = trial::run(&self.config, &self.engine, &mut stores.content, root, &shelf);
        let refusal = match tried {
            Ok(trial) => {
                let refusal = trial.refusal.clone();
                self.trial = Some(trial);
                refusal
            }
            Err(Untried::Shelf(EditionError::Lost(names))) => return Ok(Happened::Lost(names)),
            Err(Untried::Shelf(EditionError::Faulty(fault))) => Some(format!(
                "the version cannot be used though your hub signed it ({fault}): publish it again"
            )),
            Err(Untried::Failed(error)) => return Err(error),
        };
        if let Some(why) = &refusal {
            tracing::warn!(collection = %self.collection, %version, why, "a version was refused");
            let details = serde_json::json!({
                "collection": self.collection, "version": version.to_string(), "why": why,
            });
            stores.state.record(now(), "index refused", &details)?;
        }
        Ok(Happened::Tried(refusal.is_none()))
    }

    fn activate(&mut self, root: &SignedRoot, stores: &mut Stores) -> anyhow::Result<()> {
        let Some(Trial { edition, .. }) = self.trial else {
            anyhow::bail!("{} was to be activated without a trial", self.collection);
        };
        stores.content.activate(now(), edition, trial::model(&self.engine))?;
        stores.content.tidy()?;
        self.active = Some(root.as_bytes().to_vec());
        let version = root.root().version;
        let details = serde_json::json!({
            "collection": self.collection,
            "version": version.to_string(),
            "root": root.hash().to_string(),
        });
        stores.state.record(now(), "index activated", &details)?;
        tracing::info!(collection = %self.collection, %version, "answered from now");
        Ok(())
    }
}

/// What the peer is told after an output was carried out.
enum Happened {
    Full(Hash),
    Lost(Vec<Hash>),
    Tried(bool),
    Activated,
}
