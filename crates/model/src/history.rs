//! The tables in which migration tools keep what they have applied: the one list that every engine reads by.

/// The table in which dbwright keeps its own history, when no other name is chosen.
pub const OWN_TABLE: &str = "dbwright_migrations";

/// dbwright as it is called among the tools.
pub const OWN: &str = "dbwright";

/// How one tool keeps its history. Names of tables and columns are compared without regard to case, as servers fold them
/// differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HistoryTable {
    /// The tool as it spells itself; several tools that cannot be told apart share one entry.
    pub tool: &'static str,
    /// Its table.
    pub table: &'static str,
    /// Columns by which it is told from other tables of that name, beside those that reading it needs.
    pub columns: &'static [&'static str],
    /// What a row says was applied.
    pub version: Version,
    /// How a row says whether it ended well.
    pub outcome: Outcome,
    /// The column with the time at which it ended: a timestamp, a text, or seconds or milliseconds since 1970.
    pub at: Option<&'static str>,
    /// The column that grows with each row, where it is there.
    pub order: &'static str,
    /// The column with the name or the description of the file, when the version is not its name already.
    pub script: Option<&'static str>,
    /// The column with the checksum of the file as the tool reckons it: a number, a text or bytes.
    pub checksum: Option<&'static str>,
    /// The column that says what kind of entry a row is, as Flyway's `BASELINE` and `UNDO_SQL`; of Prisma any value says that
    /// the row was rolled back.
    pub kind: Option<&'static str>,
}

/// What a row of a history says was applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// A column.
    Column(&'static str),
    /// The first of two columns that is not null: a repeatable file has a name and no version.
    Either(&'static str, &'static str),
    /// Two columns with a dot between them.
    Joined(&'static str, &'static str),
}

/// How a row of a history says whether it ended well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Only what ended well is recorded.
    Recorded,
    /// The column is true.
    True(&'static str),
    /// The column is false.
    False(&'static str),
    /// The first column is set, and the second is not there or not set.
    Finished(&'static str, &'static str),
    /// The column holds another word than this.
    Not(&'static str, &'static str),
    /// The column holds this word.
    Is(&'static str, &'static str),
    /// Two columns are equal.
    Equal(&'static str, &'static str),
}

impl HistoryTable {
    /// The columns that must be there. The others ([`HistoryTable::at`] and the fields after it) are read when they are.
    fn needed(&self) -> impl Iterator<Item = &'static str> {
        let (version, other) = match self.version {
            Version::Column(column) => (column, None),
            Version::Either(first, second) | Version::Joined(first, second) => (first, Some(second)),
        };
        let (outcome, equal) = match self.outcome {
            Outcome::Recorded => (None, None),
            Outcome::True(column)
            | Outcome::False(column)
            | Outcome::Finished(column, _)
            | Outcome::Not(column, _)
            | Outcome::Is(column, _) => (Some(column), None),
            Outcome::Equal(first, second) => (Some(first), Some(second)),
        };
        let read = [Some(version), other, outcome, equal];
        self.columns.iter().copied().chain(read.into_iter().flatten())
    }
}

/// The history of which tool a table is, told by its name and the columns that it has; the first entry of the list that
/// fits. `has` is asked for columns by name.
pub fn of_table(table: &str, has: impl Fn(&str) -> bool) -> Option<&'static HistoryTable> {
    HISTORIES.iter().find(|one| one.table.eq_ignore_ascii_case(table) && one.needed().all(&has))
}

/// Whether a table is called like one in which a tool keeps its history.
pub fn may_be(table: &str) -> bool {
    HISTORIES.iter().any(|one| one.table.eq_ignore_ascii_case(table))
}

/// Whether a table is called like one that belongs to a migration tool: its history, or what it keeps beside it.
pub fn is_tool_table(table: &str) -> bool {
    may_be(table) || COMPANIONS.iter().any(|one| one.eq_ignore_ascii_case(table))
}

const PLAIN: HistoryTable = HistoryTable {
    tool: "",
    table: "",
    columns: &[],
    version: Version::Column("version"),
    outcome: Outcome::Recorded,
    at: None,
    order: "version",
    script: None,
    checksum: None,
    kind: None,
};

/// Every history that is known; where tools share a table, the one that is told by more columns stands first.
pub const HISTORIES: &[HistoryTable] = &[
    HistoryTable {
        columns: &["statements_done"],
        outcome: Outcome::Is("state", "applied"),
        at: Some("finished_at"),
        order: "started_at",
        script: Some("file"),
        checksum: Some("checksum"),
        kind: Some("state"),
        ..table(OWN, OWN_TABLE)
    },
    HistoryTable {
        outcome: Outcome::True("success"),
        at: Some("installed_on"),
        script: Some("description"),
        checksum: Some("checksum"),
        ..table("sqlx", "_sqlx_migrations")
    },
    HistoryTable {
        at: Some("applied_on"),
        script: Some("name"),
        checksum: Some("checksum"),
        ..table("refinery", "refinery_schema_history")
    },
    FLYWAY,
    HistoryTable { table: "schema_version", ..FLYWAY },
    HistoryTable {
        version: Version::Column("id"),
        outcome: Outcome::Not("exectype", "FAILED"),
        at: Some("dateexecuted"),
        order: "orderexecuted",
        script: Some("filename"),
        checksum: Some("md5sum"),
        ..table("Liquibase", "databasechangelog")
    },
    HistoryTable {
        version: Version::Column("migration_name"),
        outcome: Outcome::Finished("finished_at", "rolled_back_at"),
        at: Some("finished_at"),
        order: "started_at",
        checksum: Some("checksum"),
        kind: Some("rolled_back_at"),
        ..table("Prisma", "_prisma_migrations")
    },
    HistoryTable { at: Some("run_on"), ..table("Diesel", "__diesel_schema_migrations") },
    HistoryTable {
        version: Version::Column("hash"),
        at: Some("created_at"),
        order: "id",
        checksum: Some("hash"),
        ..table("Drizzle", "__drizzle_migrations")
    },
    HistoryTable {
        version: Version::Column("name"),
        at: Some("migration_time"),
        order: "id",
        ..table("Knex", "knex_migrations")
    },
    HistoryTable {
        version: Version::Column("version_id"),
        outcome: Outcome::True("is_applied"),
        at: Some("tstamp"),
        order: "id",
        ..table("goose", "goose_db_version")
    },
    HistoryTable {
        version: Version::Joined("app", "name"),
        at: Some("applied"),
        order: "id",
        ..table("Django", "django_migrations")
    },
    HistoryTable {
        version: Version::Column("version_num"),
        order: "version_num",
        ..table("Alembic", "alembic_version")
    },
    HistoryTable {
        outcome: Outcome::Equal("applied", "total"),
        at: Some("executed_at"),
        script: Some("description"),
        checksum: Some("hash"),
        kind: Some("type"),
        ..table("Atlas", "atlas_schema_revisions")
    },
    HistoryTable {
        version: Version::Column("migrationid"),
        order: "migrationid",
        ..table("Entity Framework", "__efmigrationshistory")
    },
    HistoryTable { version: Version::Column("name"), order: "name", ..table("Sequelize", "sequelizemeta") },
    HistoryTable { at: Some("executed_at"), ..table("Doctrine", "doctrine_migration_versions") },
    HistoryTable { at: Some("end_time"), script: Some("migration_name"), ..table("Phinx", "phinxlog") },
    HistoryTable { at: Some("applied_at"), ..table("SeaORM", "seaql_migrations") },
    HistoryTable {
        version: Version::Column("id"),
        at: Some("applied_at"),
        order: "applied_at",
        ..table("sql-migrate", "gorp_migrations")
    },
    HistoryTable {
        version: Version::Column("name"),
        at: Some("run_on"),
        order: "id",
        ..table("node-pg-migrate", "pgmigrations")
    },
    HistoryTable {
        version: Version::Column("name"),
        at: Some("executed_at"),
        order: "id",
        ..table("MikroORM", "mikro_orm_migrations")
    },
    HistoryTable {
        version: Version::Column("id"),
        outcome: Outcome::Is("state", "applied"),
        at: Some("applied_at"),
        order: "id",
        checksum: Some("hash"),
        ..table("Play", "play_evolutions")
    },
    HistoryTable {
        columns: &["batch"],
        version: Version::Column("migration"),
        order: "id",
        ..table("Laravel", "migrations")
    },
    HistoryTable {
        columns: &["timestamp"],
        version: Version::Column("name"),
        at: Some("timestamp"),
        order: "id",
        ..table("TypeORM", "migrations")
    },
    // golang-migrate keeps one row and whether it failed half-way.
    HistoryTable { outcome: Outcome::False("dirty"), ..table("golang-migrate", "schema_migrations") },
    HistoryTable { columns: &["statements"], script: Some("name"), ..table("Supabase", "schema_migrations") },
    table("Rails or dbmate", "schema_migrations"),
];

const FLYWAY: HistoryTable = HistoryTable {
    version: Version::Either("version", "script"),
    outcome: Outcome::True("success"),
    at: Some("installed_on"),
    order: "installed_rank",
    script: Some("script"),
    checksum: Some("checksum"),
    kind: Some("type"),
    ..table("Flyway", "flyway_schema_history")
};

/// Tables that tools keep beside their histories, or histories that hold no list of versions.
const COMPANIONS: &[&str] = &[
    "ar_internal_metadata",
    "databasechangeloglock",
    "dbwright_backfills",
    "db_migrations",
    "knex_migrations_lock",
    "migrations",
    "schema_info",
    "typeorm_metadata",
];

const fn table(tool: &'static str, table: &'static str) -> HistoryTable {
    HistoryTable { tool, table, ..PLAIN }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tool(table: &str, columns: &str) -> Option<&'static str> {
        of_table(table, |wanted| columns.split(' ').any(|one| one.eq_ignore_ascii_case(wanted)))
            .map(|one| one.tool)
    }

    #[test]
    fn tools_that_share_a_table_are_told_by_their_columns() {
        assert_eq!(tool("schema_migrations", "version dirty"), Some("golang-migrate"));
        assert_eq!(tool("schema_migrations", "version statements name"), Some("Supabase"));
        assert_eq!(tool("schema_migrations", "version"), Some("Rails or dbmate"));
        assert_eq!(tool("schema_migrations", "filename"), None);
        assert_eq!(tool("migrations", "id migration batch"), Some("Laravel"));
        assert_eq!(tool("migrations", "id timestamp name"), Some("TypeORM"));
        assert_eq!(tool("DATABASECHANGELOG", "ID EXECTYPE ORDEREXECUTED"), Some("Liquibase"));
        assert_eq!(tool("t", "version"), None);
    }

    #[test]
    fn no_entry_is_hidden_by_an_earlier_one() {
        for (position, one) in HISTORIES.iter().enumerate() {
            let mine: Vec<&str> = one.needed().collect();
            let found = of_table(one.table, |column| mine.contains(&column));
            let found = found.and_then(|found| HISTORIES.iter().position(|other| other == found));
            assert_eq!(found, Some(position), "{}", one.tool);
        }
    }

    #[test]
    fn tables_of_tools_are_known_by_name() {
        assert!(is_tool_table("knex_migrations_lock") && is_tool_table("SequelizeMeta"));
        assert!(!is_tool_table("orders"));
    }
}
