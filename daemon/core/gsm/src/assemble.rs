//! Putting the parts of a message together (TS 23.040 §9.2.3.24.1).

use std::collections::BTreeMap;
use std::fmt;

use crate::alphabet::{self, Septets};
use crate::{Body, Deliver};

/// What a message says once its parts are joined. `Debug` shows lengths only.
#[derive(Clone, PartialEq, Eq)]
pub enum Content {
    /// Text.
    Text(String),
    /// Octets that are no text, or not one that can be read.
    Data(Vec<u8>),
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Content::Text(text) => write!(f, "Text({} characters)", text.chars().count()),
            Content::Data(octets) => write!(f, "Data({} octets)", octets.len()),
        }
    }
}

/// The parts of one message, as far as they came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Assembly {
    /// All parts are there.
    Complete(Content),
    /// Some are not.
    Partial {
        /// What is there, with `…` where parts are missing.
        content: Content,
        /// The numbers of the missing parts.
        missing: Vec<u8>,
    },
}

/// Joins the parts of the message that the first one belongs to.
///
/// Parts may come in any order; of two with the same number the first counts,
/// and parts of other messages are passed over. A message in one piece is
/// complete by itself. Joining happens in code units, so that a character whose
/// halves lie in two parts comes out whole.
pub fn assemble(parts: &[Deliver]) -> Assembly {
    let Some(first) = parts.first() else {
        return Assembly::Complete(Content::Text(String::new()));
    };
    let Some(group) = first.group() else {
        return Assembly::Complete(join([Some(first)].into_iter()));
    };
    let mut numbered: BTreeMap<u8, &Deliver> = BTreeMap::new();
    for part in parts.iter().filter(|part| part.group().as_ref() == Some(&group)) {
        if let Some(concat) = part.concat() {
            numbered.entry(concat.sequence).or_insert(part);
        }
    }
    let content = join((1..=group.total).map(|number| numbered.get(&number).copied()));
    let missing: Vec<u8> =
        (1..=group.total).filter(|number| !numbered.contains_key(number)).collect();
    if missing.is_empty() {
        Assembly::Complete(content)
    } else {
        Assembly::Partial { content, missing }
    }
}

/// Joins bodies; `None` is a missing part. Neighbours in one alphabet are read
/// in one run.
fn join<'a>(parts: impl Iterator<Item = Option<&'a Deliver>> + Clone) -> Content {
    let is_data =
        |part: &Deliver| matches!(part.user_data.body, Body::Data(_) | Body::Compressed(_));
    if parts.clone().flatten().any(is_data) {
        return Content::Data(parts.flatten().flat_map(octets).collect());
    }
    let mut text = String::new();
    let mut utf16: Vec<u8> = Vec::new();
    let mut septets = Septets::default();
    let mut gap = false;
    for part in parts {
        let Some(part) = part else {
            text.push_str(&alphabet::from_ucs2(&std::mem::take(&mut utf16)));
            septets = Septets::default();
            if !gap {
                text.push('…');
            }
            gap = true;
            continue;
        };
        gap = false;
        match &part.user_data.body {
            Body::Ucs2(octets) => {
                septets = Septets::default();
                utf16.extend(octets);
            }
            Body::Gsm7(codes) => {
                text.push_str(&alphabet::from_ucs2(&std::mem::take(&mut utf16)));
                septets.read(codes, part.user_data.shift(), &mut text);
            }
            Body::Data(_) | Body::Compressed(_) => {}
        }
    }
    text.push_str(&alphabet::from_ucs2(&utf16));
    Content::Text(text)
}

fn octets(part: &Deliver) -> Vec<u8> {
    match &part.user_data.body {
        Body::Data(octets) | Body::Compressed(octets) | Body::Ucs2(octets) => octets.clone(),
        Body::Gsm7(_) => part.text().unwrap_or_default().into_bytes(),
    }
}
