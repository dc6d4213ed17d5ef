//! Whether the file's parts agree with each other.

use jibu_types::PassageId;
use rusqlite::Connection;
use serde::Serialize;

use super::{ContentReader, passage};
use crate::StoreError;
use crate::database::quick_check;
use crate::error::Doing;

/// Something wrong with `content.db`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "finding", rename_all = "snake_case")]
pub enum Finding {
    /// SQLite's own check, the full-text indexes' included.
    Damaged {
        /// What it says.
        found: String,
    },
    /// A passage of an active edition without its entry in an index.
    NotIndexed {
        /// The passage.
        passage: PassageId,
        /// `word`, `trigram` or `vector`.
        index: &'static str,
    },
    /// A passage whose words are not those that its hash names.
    Altered {
        /// The passage.
        passage: PassageId,
    },
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Finding::Damaged { found } => write!(f, "content.db is damaged: {found}"),
            Finding::NotIndexed { passage, index } => {
                write!(f, "passage {} is missing in the {index} index", passage.0)
            }
            Finding::Altered { passage } => {
                write!(f, "passage {} was changed after it was imported", passage.0)
            }
        }
    }
}

impl ContentReader {
    /// Looks for everything that can be wrong with the file and the active
    /// editions. Reads all of it.
    ///
    /// # Errors
    /// When SQLite refuses, or a row cannot be read.
    pub fn verify(&self) -> Result<Vec<Finding>, StoreError> {
        const DOING: &str = "verify content.db";
        let snapshot = self.connection.unchecked_transaction().doing(DOING)?;
        if let Some(found) = quick_check(&snapshot).doing(DOING)? {
            return Ok(vec![Finding::Damaged { found }]);
        }
        let mut findings = Vec::new();
        // The shadow tables with a row for each entry: FTS5's sizes and
        // sqlite-vec's row ids.
        for (index, sql) in [
            ("word", missing_in("word_docsize", "id")),
            ("trigram", missing_in("trigram_docsize", "id")),
            ("vector", missing_in("vector_rowids", "rowid")),
        ] {
            let missing: Vec<i64> = snapshot
                .prepare(&sql)
                .and_then(|mut statement| statement.query_map([], |row| row.get(0))?.collect())
                .doing(DOING)?;
            findings.extend(
                missing.into_iter().map(|id| Finding::NotIndexed { passage: PassageId(id), index }),
            );
        }
        findings.extend(altered(&snapshot)?);
        Ok(findings)
    }
}

fn missing_in(table: &str, id: &str) -> String {
    format!(
        "SELECT DISTINCT m.passage FROM membership AS m
         JOIN edition AS e ON e.id = m.edition AND e.state = 'active'
         WHERE m.passage NOT IN (SELECT {id} FROM {table}) ORDER BY m.passage"
    )
}

fn altered(snapshot: &Connection) -> Result<Vec<Finding>, StoreError> {
    const DOING: &str = "verify passages";
    let sql = format!("SELECT {}, p.hash FROM passage AS p ORDER BY p.id", passage::COLUMNS);
    let mut statement = snapshot.prepare(&sql).doing(DOING)?;
    let mut rows = statement.query([]).doing(DOING)?;
    let mut findings = Vec::new();
    while let Some(row) = rows.next().doing(DOING)? {
        let hash: [u8; 32] = row.get(9).doing(DOING)?;
        let (id, passage) = passage::read(row).doing(DOING)??;
        if passage::hash(&passage) != hash {
            findings.push(Finding::Altered { passage: id });
        }
    }
    Ok(findings)
}
