//! The nouns that every room of Jibu shares.
//!
//! A value is checked once, where it enters, and carries what is known about it
//! in its type from then on. Nothing here decides anything and nothing touches
//! the outside.

mod channel;
mod embedding;
mod language;
mod passage;
mod phone;
mod reading;
mod time;

pub use channel::Channel;
pub use embedding::{Embedding, EmbeddingError};
pub use language::{Language, LanguageError};
pub use passage::{
    CollectionName, CollectionNameError, Date, DateError, Hit, IndexVersion, Passage, PassageId,
};
pub use phone::{PhoneNumber, PhoneNumberError};
pub use reading::{Reading, Span};
pub use time::Timestamp;
