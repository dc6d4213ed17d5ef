//! What people asked in vain: an admin answers once, and the next who asks gets
//! the answer from the collection.

use jibu_sync::command::{Command, MAX_REPLY_BYTES};
use jibu_sync::wire::{SiteName, Stream};
use jibu_sync::{Body, Document};
use jibu_types::{CollectionName, Date, Language, Timestamp};
use serde::Serialize;

use crate::hub::{no_collection, while_};
use crate::ingest::{ANSWERS, store};
use crate::state::{DatabaseError, Row, values};
use crate::told::tell;
use crate::{Hub, HubError};

/// The most characters of a question that become an answer's title.
const MAX_TITLE_CHARS: usize = 200;

/// A question that had no answer, or that a person is to answer.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Question {
    /// Its number at this hub.
    pub id: i64,
    /// The site where it was asked.
    pub site: String,
    /// Whether whoever asked waits for a person's reply.
    pub for_a_person: bool,
    /// When the hub was told.
    pub taken: String,
    /// The language that it was asked in.
    pub language: Language,
    /// The words.
    pub text: String,
    /// The answer, where it has one.
    pub answer: Option<String>,
    /// Where that was put for the next who asks.
    pub collection: Option<String>,
    #[serde(skip)]
    whose: Vec<u8>,
}

/// The words are a person's and are not shown.
impl std::fmt::Debug for Question {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Question({}, {}, {})", self.id, self.site, self.language)
    }
}

impl Hub {
    /// The questions that wait for an answer, or with `all` also those that have
    /// one: a person's first, then the oldest.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn questions(&mut self, all: bool) -> Result<Vec<Question>, HubError> {
        let doing = while_("reading questions");
        let sql = "SELECT id, site, stream, taken_ms, language, text, answer, collection, whose
                   FROM question WHERE answered_ms IS NULL OR ?1 = 1
                   ORDER BY CASE WHEN stream = 'person' THEN 0 ELSE 1 END, id";
        let rows = self.database.query(sql, values![all]).map_err(&doing)?;
        rows.iter().map(read).collect::<Result<_, _>>().map_err(&doing)
    }

    /// Answers a question: a person who waits for it gets the words as a
    /// message, and with `collection` they become a passage there, under the
    /// question as its title, which the next version has. `question` is the
    /// question as it should stand there, where it is not as it was asked.
    ///
    /// # Errors
    /// When there is no such question or collection, there is nothing that could
    /// be done with the words, or they are too long for a message.
    pub fn answer(
        &mut self,
        id: i64,
        words: &str,
        collection: Option<&CollectionName>,
        question: Option<&str>,
        now: Timestamp,
    ) -> Result<Question, HubError> {
        let doing = while_("answering a question");
        let words = words.trim();
        let names = self.collection_names()?;
        if let Some(collection) = collection.filter(|collection| !names.contains(collection)) {
            return Err(no_collection(collection, &names));
        }
        let mut transaction = self.database.begin().map_err(&doing)?;
        let sql = "SELECT id, site, stream, taken_ms, language, text, answer, collection, whose
                   FROM question WHERE id = ?1";
        let rows = transaction.query(sql, values![id]).map_err(&doing)?;
        let row = rows.first().ok_or(HubError::NoQuestion(id))?;
        let mut asked = read(row).map_err(&doing)?;
        if words.is_empty() || (collection.is_none() && !asked.for_a_person) {
            return Err(HubError::NoUse(id));
        }
        // Who was answered once is not sent a second message.
        if asked.for_a_person && asked.answer.is_none() {
            if words.len() > MAX_REPLY_BYTES {
                return Err(HubError::LongReply { bytes: words.len() });
            }
            let site =
                SiteName::parse(&asked.site).map_err(|_| HubError::DamagedRow("question"))?;
            let reply = Command::Reply { asker: asked.whose.clone(), text: words.to_owned() };
            tell(&mut *transaction, &site, &reply).map_err(&doing)?;
        }
        if let Some(collection) = collection {
            let title = question.unwrap_or(&asked.text).split_whitespace();
            let title = title.collect::<Vec<_>>().join(" ");
            let document = Document {
                path: format!("answers/{id}"),
                title: title.chars().take(MAX_TITLE_CHARS).collect(),
                language: asked.language,
                source_url: None,
                date: day(now),
                licence: None,
                reviewed: Some("answered by a person".to_owned()),
                passages: vec![Body { section: Vec::new(), text: words.to_owned() }],
            };
            store(&mut *transaction, collection, ANSWERS.as_ref(), &document).map_err(&doing)?;
            asked.collection = Some(collection.as_str().to_owned());
        }
        transaction
            .execute(
                "UPDATE question SET answered_ms = ?2, answer = ?3, collection = ?4 WHERE id = ?1",
                values![id, now.unix_ms(), words, asked.collection.as_ref()],
            )
            .map_err(&doing)?;
        transaction.commit().map_err(&doing)?;
        asked.answer = Some(words.to_owned());
        Ok(asked)
    }
}

fn day(now: Timestamp) -> Option<Date> {
    Date::parse(now.to_string().get(..10)?).ok()
}

fn read(row: &Row) -> Result<Question, DatabaseError> {
    let language: String = row.get(4)?;
    Ok(Question {
        id: row.get(0)?,
        site: row.get(1)?,
        for_a_person: row.get::<String>(2)? == Stream::Person.as_str(),
        taken: Timestamp::from_unix_ms(row.get(3)?).to_string(),
        language: Language::parse(&language).map_err(|_| DatabaseError::Damaged("question"))?,
        text: row.get(5)?,
        answer: row.get(6)?,
        collection: row.get(7)?,
        whose: row.get(8)?,
    })
}
