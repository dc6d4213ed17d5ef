use std::collections::HashMap;
use std::error::Error;

use ::postgres::error::SqlState;
use ::postgres::types::private::BytesMut;
use ::postgres::types::{FromSql, IsNull, ToSql, Type};
use ::postgres::{Client, Config, GenericClient, NoTls, Statement};

use super::{Database, DatabaseError, Row, Transaction, Value, schema};

/// The hub's state in a PostgreSQL database, which several workers may share.
///
/// The connection blocks, and must not be used on a thread that runs an
/// asynchronous runtime.
pub struct Postgres {
    config: Config,
    client: Client,
    prepared: Prepared,
}

/// Statements that the server knows already, by their words.
type Prepared = HashMap<String, Statement>;

impl Postgres {
    /// Connects, and brings the tables up to date. `connection` is libpq's
    /// `host=/run/postgresql user=jibu dbname=jibu`. The link is not encrypted:
    /// a Unix socket or a network of the hub's own is wanted.
    ///
    /// # Errors
    /// See [`DatabaseError`].
    pub fn open(connection: &str) -> Result<Self, DatabaseError> {
        Self::connect(connection.parse().map_err(fault)?)
    }

    fn connect(config: Config) -> Result<Self, DatabaseError> {
        let mut client = config.connect(NoTls).map_err(fault)?;
        // A worker that hangs while it writes must not stop the others for good.
        client
            .batch_execute(
                "SET lock_timeout = '10s'; SET idle_in_transaction_session_timeout = '60s';
                 SET client_min_messages = warning",
            )
            .map_err(fault)?;
        migrate(&mut client)?;
        Ok(Postgres { config, client, prepared: HashMap::new() })
    }

    /// Whether there are tables in this database.
    ///
    /// # Errors
    /// See [`DatabaseError`].
    pub fn is_begun(connection: &str) -> Result<bool, DatabaseError> {
        let config: Config = connection.parse().map_err(fault)?;
        let mut client = config.connect(NoTls).map_err(fault)?;
        let row = client.query_one("SELECT to_regclass('hub') IS NOT NULL", &[]).map_err(fault)?;
        row.try_get(0).map_err(fault)
    }
}

impl std::fmt::Debug for Postgres {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Postgres").field("hosts", &self.config.get_hosts()).finish_non_exhaustive()
    }
}

fn migrate(client: &mut Client) -> Result<(), DatabaseError> {
    let mut transaction = client.transaction().map_err(fault)?;
    // Two workers may start at once on an empty database.
    transaction
        .batch_execute(
            "SELECT pg_advisory_xact_lock(1785291381);
             CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL);
             INSERT INTO schema_version SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM schema_version)",
        )
        .map_err(fault)?;
    let row = transaction.query_one("SELECT version FROM schema_version", &[]).map_err(fault)?;
    let version: i64 = row.try_get(0).map_err(fault)?;
    for step in schema::after(version).ok_or(DatabaseError::Later)? {
        transaction.batch_execute(&dialect(step)).map_err(fault)?;
    }
    transaction
        .execute("UPDATE schema_version SET version = $1", &[&schema::VERSION])
        .map_err(fault)?;
    transaction.commit().map_err(fault)
}

/// The tables in PostgreSQL's words. Texts are ordered by their bytes, as
/// SQLite does it.
fn dialect(step: &str) -> String {
    [
        (" STRICT, WITHOUT ROWID", ""),
        (" STRICT", ""),
        ("INTEGER PRIMARY KEY", "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"),
        ("INTEGER", "BIGINT"),
        ("BLOB", "BYTEA"),
        ("TEXT", "TEXT COLLATE \"C\""),
    ]
    .iter()
    .fold(step.to_owned(), |step, (ours, theirs)| step.replace(ours, theirs))
}

impl Database for Postgres {
    fn query(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, DatabaseError> {
        if self.client.is_closed() {
            // PostgreSQL was restarted: nothing was lost, since every
            // transaction is whole in one call or in one Box.
            *self = Self::connect(self.config.clone())?;
        }
        query(&mut self.client, &mut self.prepared, sql, values)
    }

    fn begin(&mut self) -> Result<Box<dyn Transaction + '_>, DatabaseError> {
        if self.client.is_closed() {
            *self = Self::connect(self.config.clone())?;
        }
        let Postgres { client, prepared, .. } = self;
        let mut transaction = client.transaction().map_err(fault)?;
        transaction.batch_execute("LOCK TABLE hub IN EXCLUSIVE MODE").map_err(fault)?;
        Ok(Box::new(Writing { transaction, prepared }))
    }

    fn another(&self) -> Result<Box<dyn Database>, DatabaseError> {
        Ok(Box::new(Self::connect(self.config.clone())?))
    }
}

struct Writing<'a> {
    transaction: ::postgres::Transaction<'a>,
    prepared: &'a mut Prepared,
}

impl Transaction for Writing<'_> {
    fn query(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, DatabaseError> {
        query(&mut self.transaction, self.prepared, sql, values)
    }

    fn execute(&mut self, sql: &str, values: &[Value]) -> Result<u64, DatabaseError> {
        let statement = prepare(&mut self.transaction, self.prepared, sql)?;
        self.transaction.execute(&statement, &references(values)).map_err(fault)
    }

    fn commit(self: Box<Self>) -> Result<(), DatabaseError> {
        self.transaction.commit().map_err(fault)
    }
}

fn query(
    client: &mut impl GenericClient,
    prepared: &mut Prepared,
    sql: &str,
    values: &[Value],
) -> Result<Vec<Row>, DatabaseError> {
    let statement = prepare(client, prepared, sql)?;
    let rows = client.query(&statement, &references(values)).map_err(fault)?;
    let columns = statement.columns().len();
    rows.iter()
        .map(|row| {
            let values = (0..columns).map(|at| row.try_get::<_, Value>(at).map_err(fault));
            Ok(Row(values.collect::<Result<_, _>>()?))
        })
        .collect()
}

fn prepare(
    client: &mut impl GenericClient,
    prepared: &mut Prepared,
    sql: &str,
) -> Result<Statement, DatabaseError> {
    if let Some(statement) = prepared.get(sql) {
        return Ok(statement.clone());
    }
    // `?1` is SQLite's; no text of ours has a question mark.
    let statement = client.prepare(&sql.replace('?', "$")).map_err(fault)?;
    prepared.insert(sql.to_owned(), statement.clone());
    Ok(statement)
}

fn references(values: &[Value]) -> Vec<&(dyn ToSql + Sync)> {
    values.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}

impl ToSql for Value {
    fn to_sql(
        &self,
        kind: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Value::Null => Ok(IsNull::Yes),
            Value::Int(number) if *kind == Type::INT4 => i32::try_from(*number)?.to_sql(kind, out),
            Value::Int(number) if *kind == Type::INT8 => number.to_sql(kind, out),
            Value::Text(text) if <&str as ToSql>::accepts(kind) => text.to_sql(kind, out),
            Value::Blob(bytes) if *kind == Type::BYTEA => bytes.to_sql(kind, out),
            // The value itself may be a person's words.
            _ => Err(format!("a value of another kind where {kind} is wanted").into()),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    ::postgres::types::to_sql_checked!();
}

impl<'a> FromSql<'a> for Value {
    fn from_sql(kind: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(match *kind {
            Type::INT8 => Value::Int(i64::from_sql(kind, raw)?),
            Type::INT4 => Value::Int(i32::from_sql(kind, raw)?.into()),
            Type::BYTEA => Value::Blob(raw.to_vec()),
            _ => Value::Text(String::from_sql(kind, raw)?),
        })
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Value::Null)
    }

    fn accepts(kind: &Type) -> bool {
        [Type::INT8, Type::INT4, Type::BYTEA].contains(kind) || <String as FromSql>::accepts(kind)
    }
}

fn fault(error: ::postgres::Error) -> DatabaseError {
    match error.code() {
        Some(code) if *code == SqlState::LOCK_NOT_AVAILABLE => DatabaseError::Busy(error.into()),
        _ => DatabaseError::Postgres(error.into()),
    }
}
