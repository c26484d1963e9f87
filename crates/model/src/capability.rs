//! Since which version a server can do what: one table, asked by name, so that no rule compares numbers.

use crate::engine::{Engine, Version};

/// Something that some servers can do and others cannot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Capability {
    /// `CREATE INDEX CONCURRENTLY`, `DROP INDEX CONCURRENTLY`.
    ConcurrentIndex,
    /// `REINDEX ... CONCURRENTLY`.
    ConcurrentReindex,
    /// `NULLS NOT DISTINCT`.
    NullsNotDistinct,
    /// `security_invoker` views.
    SecurityInvokerViews,
    /// A native UUID type.
    UuidType,
    /// A function that makes time-ordered UUIDs.
    UuidV7,
    /// `CHECK` constraints that are enforced.
    EnforcedChecks,
    /// Identity columns.
    IdentityColumns,
    /// `ALTER TABLE ... DROP COLUMN`.
    DropColumn,
    /// Everybody may create objects in schema `public` unless told otherwise.
    PublicSchemaOpen,
    /// Indexes that the planner can be told to ignore.
    InvisibleIndexes,
    /// `ADD CONSTRAINT ... NOT VALID`.
    NotValidConstraints,
    /// `ADD FOREIGN KEY ... NOT VALID` on partitioned tables.
    NotValidOnPartitioned,
    /// The server warns of transaction wraparound 40 million transactions before it and stops 3 million before it,
    /// rather than 11 million and 1 million.
    EarlyWraparoundWarning,
    /// A role that may create roles gets no power over roles it did not create.
    LimitedCreateRole,
    /// `ON DELETE SET NULL (column, ...)`.
    SetNullColumns,
    /// Points in time beyond January 2038 in `timestamp`.
    TimestampBeyond2038,
    /// Forms of numeric types such as `float(7,4)` and `zerofill` are deprecated.
    DeprecatedNumberFormats,
    /// Foreign keys that refer to columns which are not unique.
    NonUniqueParentKeys,
    /// Comparisons of `DATE(c)`, `YEAR(c)` and `UPPER(c)` are turned into ranges over the column.
    SargableDates,
    /// `REFERENCES` beside a column makes a foreign key, rather than being read and ignored.
    KeysBesideColumns,
}

/// The first version with a capability, per engine; `None` where no version has it.
const SINCE: &[(Capability, Engine, Version)] = &[
    (Capability::ConcurrentIndex, Engine::Postgres, Version::new(9, 2, 0)),
    (Capability::ConcurrentReindex, Engine::Postgres, Version::new(12, 0, 0)),
    (Capability::NullsNotDistinct, Engine::Postgres, Version::new(15, 0, 0)),
    (Capability::SecurityInvokerViews, Engine::Postgres, Version::new(15, 0, 0)),
    (Capability::UuidType, Engine::Postgres, Version::new(8, 3, 0)),
    (Capability::UuidType, Engine::Mariadb, Version::new(10, 7, 0)),
    (Capability::UuidV7, Engine::Postgres, Version::new(18, 0, 0)),
    (Capability::UuidV7, Engine::Mariadb, Version::new(11, 7, 0)),
    (Capability::EnforcedChecks, Engine::Postgres, Version::new(7, 0, 0)),
    (Capability::EnforcedChecks, Engine::Mysql, Version::new(8, 0, 16)),
    (Capability::EnforcedChecks, Engine::Mariadb, Version::new(10, 2, 1)),
    (Capability::EnforcedChecks, Engine::Sqlite, Version::new(3, 3, 0)),
    (Capability::IdentityColumns, Engine::Postgres, Version::new(10, 0, 0)),
    (Capability::DropColumn, Engine::Postgres, Version::new(7, 3, 0)),
    (Capability::DropColumn, Engine::Mysql, Version::new(3, 23, 0)),
    (Capability::DropColumn, Engine::Mariadb, Version::new(5, 1, 0)),
    (Capability::DropColumn, Engine::Sqlite, Version::new(3, 35, 0)),
    (Capability::InvisibleIndexes, Engine::Mysql, Version::new(8, 0, 0)),
    (Capability::InvisibleIndexes, Engine::Mariadb, Version::new(10, 6, 0)),
    (Capability::NotValidConstraints, Engine::Postgres, Version::new(9, 2, 0)),
    (Capability::NotValidOnPartitioned, Engine::Postgres, Version::new(18, 0, 0)),
    (Capability::EarlyWraparoundWarning, Engine::Postgres, Version::new(14, 0, 0)),
    (Capability::LimitedCreateRole, Engine::Postgres, Version::new(16, 0, 0)),
    (Capability::SetNullColumns, Engine::Postgres, Version::new(15, 0, 0)),
    (Capability::TimestampBeyond2038, Engine::Mariadb, Version::new(11, 5, 1)),
    (Capability::NonUniqueParentKeys, Engine::Mysql, Version::new(3, 23, 44)),
    (Capability::NonUniqueParentKeys, Engine::Mariadb, Version::new(5, 1, 0)),
    (Capability::DeprecatedNumberFormats, Engine::Mysql, Version::new(8, 0, 17)),
    (Capability::SargableDates, Engine::Mariadb, Version::new(11, 3, 0)),
    (Capability::KeysBesideColumns, Engine::Postgres, Version::new(7, 0, 0)),
    (Capability::KeysBesideColumns, Engine::Mysql, Version::new(9, 0, 0)),
    (Capability::KeysBesideColumns, Engine::Mariadb, Version::new(10, 5, 0)),
    (Capability::KeysBesideColumns, Engine::Sqlite, Version::new(3, 0, 0)),
];

/// Capabilities that an engine lost: the first version without it.
const UNTIL: &[(Capability, Engine, Version)] =
    &[(Capability::PublicSchemaOpen, Engine::Postgres, Version::new(15, 0, 0))];

/// What an unknown version is taken for: the newest one. Of MySQL that is the newest of the versions that are supported here and
/// by its makers for long, since its innovation releases (9.x) are on few servers.
const fn unknown_version(engine: Engine) -> Version {
    match engine {
        Engine::Mysql => Version::new(8, 4, 0),
        _ => Version::new(u16::MAX, 0, 0),
    }
}

/// Whether a server of this version can do it. An unknown version is taken to be the newest one.
pub fn can(capability: Capability, engine: Engine, version: Option<Version>) -> bool {
    let version = version.unwrap_or(unknown_version(engine));
    if let Some((_, _, until)) = UNTIL.iter().find(|(c, e, _)| (*c, *e) == (capability, engine)) {
        return version < *until;
    }
    SINCE.iter().any(|(c, e, since)| (*c, *e) == (capability, engine) && version >= *since)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_capability_begins_and_ends_with_a_version() {
        let pg = |major| Some(Version::new(major, 0, 0));
        assert!(!can(Capability::NullsNotDistinct, Engine::Postgres, pg(14)));
        assert!(can(Capability::NullsNotDistinct, Engine::Postgres, pg(15)));
        assert!(can(Capability::NullsNotDistinct, Engine::Postgres, None));
        assert!(can(Capability::PublicSchemaOpen, Engine::Postgres, pg(14)));
        assert!(!can(Capability::PublicSchemaOpen, Engine::Postgres, pg(15)));
        assert!(!can(Capability::ConcurrentIndex, Engine::Sqlite, None));
        assert!(!can(Capability::KeysBesideColumns, Engine::Mysql, None));
        assert!(can(Capability::KeysBesideColumns, Engine::Mysql, pg(9)));
        assert!(can(Capability::KeysBesideColumns, Engine::Mariadb, None));
    }
}
