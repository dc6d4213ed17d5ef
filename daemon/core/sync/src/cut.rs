//! Content-defined cutting: where one segment ends and the next begins.
//!
//! A border depends on the passage before it and on the size of its own
//! segment, not on what stands further up. So an edited, added or removed
//! passage changes the segment that it is in, now and then its neighbour, and
//! the rest keep their names.

use crate::segment::encode_body;
use crate::{Body, Document, Hash};

/// No border before a segment has this many bytes.
const MIN_BYTES: usize = 8 * 1024;

/// Beyond the minimum a border comes after this many bytes on average.
const SPREAD_BYTES: u64 = 8 * 1024;

/// A border always comes before a segment gets larger than this.
const MAX_BYTES: usize = 22 * 1024;

/// A border after a document's last passage is likelier, since the next
/// segment then need not repeat the document's fields.
const END_WEIGHT: u64 = 2;

/// The documents as consecutive segments.
pub(crate) fn cut(documents: Vec<Document>) -> Vec<Vec<Document>> {
    let mut cutter = Cutter::default();
    for document in documents {
        let head = document.head();
        let head_bytes = crate::segment::encode(std::slice::from_ref(&head)).len();
        let last = document.passages.len().saturating_sub(1);
        cutter.begun = false;
        for (position, body) in document.passages.into_iter().enumerate() {
            cutter.take(&head, head_bytes, body, position == last);
        }
    }
    cutter.finish()
}

#[derive(Default)]
struct Cutter {
    segments: Vec<Vec<Document>>,
    open: Vec<Document>,
    open_bytes: usize,
    /// Whether the open segment has a run of the current document already.
    begun: bool,
}

impl Cutter {
    fn take(&mut self, head: &Document, head_bytes: usize, body: Body, is_last: bool) {
        let encoded = encode_body(&body);
        let mut bytes = encoded.len() + if self.begun { 0 } else { head_bytes };
        if !self.open.is_empty() && self.open_bytes + bytes > MAX_BYTES {
            self.close();
            bytes = encoded.len() + head_bytes;
        }
        if !self.begun {
            self.open.push(head.clone());
            self.begun = true;
        }
        if let Some(run) = self.open.last_mut() {
            run.passages.push(body);
        }
        self.open_bytes += bytes;
        // A longer passage is a border as much likelier, so that segments come
        // out alike from long and short passages.
        let weight = encoded.len() as u64 * if is_last { END_WEIGHT } else { 1 };
        let is_border =
            Hash::of(&encoded).leading() < (u64::MAX / SPREAD_BYTES).saturating_mul(weight);
        if is_border && self.open_bytes >= MIN_BYTES {
            self.close();
        }
    }

    fn close(&mut self) {
        self.segments.push(std::mem::take(&mut self.open));
        self.open_bytes = 0;
        self.begun = false;
    }

    fn finish(mut self) -> Vec<Vec<Document>> {
        if !self.open.is_empty() {
            self.close();
        }
        self.segments
    }
}
