use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use jibu_sync::{Hash, Shelf};

/// Objects by name, each once in memory however many sites have it.
#[derive(Debug, Clone, Default)]
pub struct Pool(Arc<Mutex<HashMap<Hash, Arc<[u8]>>>>);

/// What one site has of the pool.
#[derive(Debug, Default)]
pub(crate) struct Objects(HashMap<Hash, Arc<[u8]>>);

impl Pool {
    fn keep(&self, name: Hash, raw: &[u8]) -> Arc<[u8]> {
        let mut pool = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(pool.entry(name).or_insert_with(|| raw.into()))
    }
}

impl Objects {
    pub(crate) fn keep(&mut self, pool: &Pool, name: Hash, raw: &[u8]) {
        self.0.insert(name, pool.keep(name, raw));
    }

    pub(crate) fn forget(&mut self, names: &[Hash]) {
        names.iter().for_each(|name| drop(self.0.remove(name)));
    }
}

impl Shelf for Objects {
    fn object(&self, name: &Hash) -> Option<Vec<u8>> {
        self.0.get(name).map(|raw| raw.to_vec())
    }
}
