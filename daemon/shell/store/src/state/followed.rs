//! How far a collection is followed at the hub: what a power cut must not undo.

use jibu_sync::site::Save;
use jibu_types::{CollectionName, IndexVersion};
use rusqlite::{Connection, OptionalExtension, params};

use super::row::{version_from_sql, version_to_sql};

/// What `state.db` keeps of it; the floor is [`StateReader::floor`].
///
/// [`StateReader::floor`]: super::StateReader::floor
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Followed {
    /// The highest signed root that was seen.
    pub newest: Option<Vec<u8>>,
    /// The highest version that was given up.
    pub refused: Option<IndexVersion>,
    /// Bytes that the present update may cost over its budget.
    pub allowed: u64,
}

pub(super) fn keep(
    connection: &Connection,
    collection: &CollectionName,
    save: &Save,
) -> rusqlite::Result<()> {
    let key = collection.as_str();
    connection
        .prepare_cached("INSERT OR IGNORE INTO followed (collection) VALUES (?1)")?
        .execute([key])?;
    match save {
        Save::Newest(root) => connection
            .prepare_cached("UPDATE followed SET newest = ?2, allowed = 0 WHERE collection = ?1")?
            .execute(params![key, root])?,
        Save::Refused(version) => connection
            .prepare_cached(
                "UPDATE followed SET refused_epoch = ?2, refused_version = ?3
                 WHERE collection = ?1
                   AND (refused_epoch IS NULL OR (refused_epoch, refused_version) < (?2, ?3))",
            )?
            .execute(params![key, version.epoch, version_to_sql(version.version)])?,
        Save::Allowed(bytes) => connection
            .prepare_cached("UPDATE followed SET allowed = ?2 WHERE collection = ?1")?
            .execute(params![key, bytes.cast_signed()])?,
        _ => 0,
    };
    Ok(())
}

pub(super) fn read(
    connection: &Connection,
    collection: &CollectionName,
) -> rusqlite::Result<Followed> {
    let found = connection
        .prepare_cached(
            "SELECT newest, refused_epoch, refused_version, allowed FROM followed
             WHERE collection = ?1",
        )?
        .query_row([collection.as_str()], |row| {
            let refused = row.get::<_, Option<u32>>(1)?.zip(row.get::<_, Option<i64>>(2)?);
            Ok(Followed {
                newest: row.get(0)?,
                refused: refused.map(|(epoch, version)| IndexVersion {
                    epoch,
                    version: version_from_sql(version),
                }),
                allowed: row.get::<_, i64>(3)?.cast_unsigned(),
            })
        })
        .optional()?;
    Ok(found.unwrap_or_default())
}
