use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode, ToSql, TransactionBehavior, params_from_iter};

use super::{Database, DatabaseError, Row, Transaction, Value, schema};

/// The hub's state in a file.
#[derive(Debug)]
pub struct Sqlite {
    path: PathBuf,
    connection: Connection,
}

impl Sqlite {
    /// Opens the file, or makes it, and brings its tables up to date.
    ///
    /// # Errors
    /// See [`DatabaseError`].
    pub fn open(path: &Path) -> Result<Self, DatabaseError> {
        let mut connection = Connection::open(path).map_err(fault)?;
        connection.busy_timeout(Duration::from_secs(10)).map_err(fault)?;
        connection.pragma_update(None, "journal_mode", "WAL").map_err(fault)?;
        connection.pragma_update(None, "synchronous", "FULL").map_err(fault)?;
        connection.pragma_update(None, "foreign_keys", "ON").map_err(fault)?;
        migrate(&mut connection)?;
        Ok(Sqlite { path: path.to_owned(), connection })
    }
}

/// Brings the tables from the version that `user_version` names to the present.
fn migrate(connection: &mut Connection) -> Result<(), DatabaseError> {
    let transaction =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(fault)?;
    let version: i64 =
        transaction.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(fault)?;
    for step in schema::after(version).ok_or(DatabaseError::Later)? {
        transaction.execute_batch(step).map_err(fault)?;
    }
    transaction.pragma_update(None, "user_version", schema::VERSION).map_err(fault)?;
    transaction.commit().map_err(fault)
}

impl Database for Sqlite {
    fn query(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, DatabaseError> {
        query(&self.connection, sql, values)
    }

    fn begin(&mut self) -> Result<Box<dyn Transaction + '_>, DatabaseError> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate);
        Ok(Box::new(transaction.map_err(fault)?))
    }

    fn another(&self) -> Result<Box<dyn Database>, DatabaseError> {
        Ok(Box::new(Sqlite::open(&self.path)?))
    }
}

impl Transaction for rusqlite::Transaction<'_> {
    fn query(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, DatabaseError> {
        query(self, sql, values)
    }

    fn execute(&mut self, sql: &str, values: &[Value]) -> Result<u64, DatabaseError> {
        let mut statement = self.prepare(sql).map_err(fault)?;
        Ok(statement.execute(params_from_iter(values)).map_err(fault)? as u64)
    }

    fn commit(self: Box<Self>) -> Result<(), DatabaseError> {
        rusqlite::Transaction::commit(*self).map_err(fault)
    }
}

fn query(connection: &Connection, sql: &str, values: &[Value]) -> Result<Vec<Row>, DatabaseError> {
    let mut statement = connection.prepare(sql).map_err(fault)?;
    let columns = statement.column_count();
    let mut rows = statement.query(params_from_iter(values)).map_err(fault)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(fault)? {
        let values = (0..columns).map(|at| value(row.get_ref(at).map_err(fault)?));
        found.push(Row(values.collect::<Result<_, _>>()?));
    }
    Ok(found)
}

fn value(value: ValueRef<'_>) -> Result<Value, DatabaseError> {
    Ok(match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Int(number),
        ValueRef::Text(text) => {
            let text = String::from_utf8(text.to_vec());
            Value::Text(text.map_err(|_| DatabaseError::Damaged("a text"))?)
        }
        ValueRef::Blob(bytes) => Value::Blob(bytes.to_vec()),
        ValueRef::Real(_) => return Err(DatabaseError::Damaged("a fraction")),
    })
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Value::Null => ValueRef::Null,
            Value::Int(number) => ValueRef::Integer(*number),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

fn fault(error: rusqlite::Error) -> DatabaseError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            DatabaseError::Busy(Box::new(error))
        }
        _ => DatabaseError::Sqlite(error),
    }
}
