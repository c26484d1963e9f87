//! Facts of which every text is the marked word. No field is left to a default, so that a field added to the model does not
//! compile here until somebody plants a word in it.

use std::collections::BTreeMap;

use dbwright_model::access::{
    Grant, GrantObject, HbaRule, HbaRules, Membership, PasswordStorage, Privileges, Role, UserMapping,
};
use dbwright_model::activity::{DatabaseStatistics, LockWait, PreparedTransaction, ServerStatus, Session};
use dbwright_model::backup::{BackupRecord, Backups, RestoreProof};
use dbwright_model::catalog::*;
use dbwright_model::data_type::{DataType, TypeKind};
use dbwright_model::engine::Engine;
use dbwright_model::expression::Expression;
use dbwright_model::facts::*;
use dbwright_model::finding::Location;
use dbwright_model::name::{Name, QualifiedName};
use dbwright_model::observed::Observed::{self, Known};
use dbwright_model::replication::{Archiver, Checkpointer, Replication, Sender, Slot, WalStatistics};
use dbwright_model::settings::{Setting, Settings};
use dbwright_model::stats::{
    ColumnMaximum, ColumnStatistics, Counters, IndexStatistics, SequenceValue, TableStatistics,
};
use dbwright_model::storage::{ForeignKeyViolation, Integrity, MixedColumn, Storage, UnansweredKeys};
use dbwright_model::workload::{Statement, Workload};

use super::MARK;

fn text() -> String {
    // In every way in which a text can hold a word.
    format!(
        "{MARK} '{MARK}' \"{MARK} X\" `{MARK}`.{MARK}_a -- {MARK}\n/* {MARK} */ $${MARK}$$ E'\\'{MARK}' {MARK}@example.com 10.1.2.3 4711"
    )
}

fn name() -> Name {
    Name::new(format!("{MARK} näme"))
}

fn object() -> QualifiedName {
    QualifiedName::new(format!("{MARK}_schema"), format!("{MARK}_table"))
}

fn expression() -> Expression {
    Expression::text(text())
}

fn data_type() -> DataType {
    DataType {
        kind: TypeKind::Enum,
        text: Name::new(format!("enum('{MARK}','b')")),
        length: Some(3),
        scale: Some(1),
        array: true,
        unsigned: true,
        user_type: Some(object()),
        values: vec![MARK.to_owned(), text()],
    }
}

fn options() -> Vec<(Name, String)> {
    vec![(name(), text()), (Name::new("search_path"), MARK.to_owned())]
}

fn check() -> Check {
    Check {
        name: Some(name()),
        expression: expression(),
        validated: true,
        enforced: true,
        ..Check::default()
    }
}

fn key() -> Key {
    Key {
        name: Some(name()),
        columns: vec![name()],
        include: vec![name()],
        options: options(),
        ..Key::default()
    }
}

fn column() -> Column {
    Column {
        name: name(),
        data_type: data_type(),
        not_null: false,
        default: Some(expression()),
        identity: Some(Identity::Always),
        generated: Some(Box::new(Generated { expression: expression(), stored: true })),
        collation: Some(name()),
        sequence: Some(object()),
        auto_increment: true,
        on_update: Some(Box::new(expression())),
        comment: Some(text()),
        not_null_constraint: Some(NotNull { name: Some(name()), validated: true, no_inherit: false }),
        options: options(),
        ..Column::default()
    }
}

fn index() -> Index {
    let part = |key| IndexPart {
        key,
        descending: false,
        nulls_first: false,
        operator_class: Some(name()),
        collation: Some(name()),
        prefix: Some(4),
    };
    Index {
        name: name(),
        parts: vec![part(IndexKey::Column(name())), part(IndexKey::Expression(expression()))],
        include: vec![name()],
        unique: false,
        nulls_not_distinct: false,
        method: name(),
        predicate: Some(expression()),
        backs: None,
        valid: true,
        visible: true,
        options: options(),
        partition_of: Some(name()),
        comment: Some(text()),
        ..Index::default()
    }
}

fn table(kind: TableKind) -> Table {
    Table {
        name: object(),
        kind,
        persistence: Persistence::Permanent,
        columns: vec![column()],
        primary_key: Some(key()),
        uniques: vec![key()],
        checks: vec![check()],
        foreign_keys: vec![ForeignKey {
            name: Some(name()),
            columns: vec![name()],
            references: object(),
            referenced_columns: vec![name()],
            on_delete: ReferentialAction::Cascade,
            on_update: ReferentialAction::NoAction,
            deferrable: false,
            validated: true,
            enforced: true,
            on_delete_columns: vec![name()],
            ..ForeignKey::default()
        }],
        exclusions: vec![Exclusion { name: name(), definition: text() }],
        indexes: vec![index()],
        inherits: vec![object()],
        row_security: RowSecurity { enabled: true, forced: true },
        replica_identity: ReplicaIdentity::Index(name()),
        options: options(),
        storage_engine: Some(name()),
        collation: Some(name()),
        strict: false,
        without_rowid: false,
        owner: Some(name()),
        comment: Some(text()),
        extension: Some(name()),
        definition: Some(text()),
        of_type: Some(object()),
        ..Table::default()
    }
}

fn types() -> Vec<UserType> {
    let domain = UserTypeKind::Domain {
        base: data_type(),
        not_null: true,
        default: Some(expression()),
        checks: vec![check()],
    };
    [
        UserTypeKind::Enum(vec![MARK.to_owned(), text()]),
        domain,
        UserTypeKind::Composite(vec![(name(), data_type())]),
        UserTypeKind::Other,
    ]
    .map(|kind| UserType { name: object(), kind, comment: Some(text()), extension: Some(name()) })
    .into()
}

fn catalog() -> Catalog {
    Catalog {
        engine: Engine::Postgres,
        schemas: vec![Schema { name: name(), owner: Some(name()), comment: Some(text()) }],
        tables: [
            TableKind::Ordinary,
            TableKind::Partitioned { strategy: name(), key: text() },
            TableKind::Partition { of: object(), bound: text() },
            TableKind::Foreign { server: name() },
            TableKind::Virtual { module: name() },
        ]
        .map(table)
        .into(),
        views: vec![View {
            name: object(),
            materialized: false,
            populated: true,
            definition: text(),
            query: None,
            columns: vec![column()],
            indexes: vec![index()],
            options: options(),
            owner: Some(name()),
            security_definer: true,
            comment: Some(text()),
            extension: Some(name()),
            ..View::default()
        }],
        sequences: vec![Sequence {
            name: object(),
            data_type: data_type(),
            start: 1,
            increment: 1,
            min: 1,
            max: 9,
            cycle: false,
            owned_by: Some((object(), name())),
        }],
        types: types(),
        functions: Known(vec![Function {
            name: object(),
            arguments: text(),
            kind: FunctionKind::Function,
            returns: text(),
            language: name(),
            volatility: Volatility::Volatile,
            security_definer: true,
            leakproof: false,
            settings: options(),
            body: text(),
            owner: Some(name()),
            extension: Some(name()),
        }]),
        triggers: Known(vec![Trigger {
            name: name(),
            table: object(),
            timing: name(),
            events: vec![name()],
            columns: vec![name()],
            when: Some(expression()),
            for_each_row: true,
            function: Some(object()),
            body: text(),
            enabled: true,
            definer: Some(name()),
            ..Trigger::default()
        }]),
        policies: Known(vec![Policy {
            name: name(),
            table: object(),
            permissive: true,
            command: name(),
            roles: vec![name()],
            using: Some(expression()),
            check: Some(expression()),
        }]),
        extensions: Known(vec![Extension {
            name: name(),
            schema: name(),
            version: Some(name()),
            available: Some(name()),
        }]),
        doubts: vec![Doubt { object: Some(object()), because: text() }],
        ..Catalog::empty(Engine::Postgres)
    }
}

fn questions() -> Vec<DataQuestion> {
    vec![
        DataQuestion::Orphans { child: object(), column: name(), parent: object(), parent_column: name() },
        DataQuestion::Dependency { table: object(), determinant: vec![name()], dependent: name() },
        DataQuestion::ListValues { table: object(), column: name() },
        DataQuestion::ParsesAs { table: object(), column: name(), kind: TypeKind::Integer },
        DataQuestion::DateFormats { table: object(), column: name() },
        DataQuestion::Nulls { table: object(), column: name() },
        DataQuestion::Duplicates { table: object(), columns: vec![name()] },
        DataQuestion::Values { table: object(), column: name() },
    ]
}

fn answers() -> Vec<DataAnswer> {
    let count = DataCount {
        examined: 9,
        matching: 1,
        examples: vec![MARK.to_owned(), text()],
        rows: Some(1),
        grouped_rows: Some(1),
        minority_rows: Some(1),
        distinct: Some(1),
        largest_share: Some(0.5),
    };
    let mut answers: Vec<DataAnswer> = questions()
        .into_iter()
        .map(|question| DataAnswer { question, answer: Known(count.clone()) })
        .collect();
    let unknown: [fn(String) -> Observed<DataCount>; 3] =
        [Observed::Denied, Observed::Unsupported, Observed::Failed];
    for how in unknown {
        let question = DataQuestion::Nulls { table: object(), column: name() };
        answers.push(DataAnswer { question, answer: how(text()) });
    }
    answers
}

fn session() -> Session {
    Session {
        id: 1,
        user: Some(name()),
        database: Some(name()),
        application: text(),
        backend: name(),
        state: name(),
        transaction_seconds: None,
        statement_seconds: None,
        state_seconds: None,
        wait: Some(name()),
        blocked_by: vec![2],
        horizon_age: None,
        encrypted: None,
        remote: None,
        statement: Some(text()),
    }
}

fn hba() -> HbaRules {
    let rule = |address: &str| HbaRule {
        line: 1,
        file: Some(format!("/etc/{MARK}.conf")),
        connection: name(),
        databases: vec![name()],
        users: vec![name()],
        address: Some(Name::new(address)),
        netmask: Some(Name::new("255.255.255.0")),
        method: name(),
        options: vec![Name::new(format!("ldapbindpasswd={MARK}"))],
        error: Some(text()),
    };
    HbaRules {
        rules: ["10.1.2.3/32", "zqxmark.example.com", ".zqxmark.com", "2001:db8::4711"].map(rule).into(),
    }
}

fn settings() -> Settings {
    let setting = |value: String| Setting {
        value: value.clone(),
        unit: MARK.to_owned(),
        source: text(),
        boot_value: Some(value),
        context: text(),
        pending_restart: true,
        hidden: false,
    };
    Settings {
        values: BTreeMap::from([
            ("archive_command".to_owned(), setting(text())),
            ("cluster_name".to_owned(), setting(MARK.to_owned())),
            (format!("{MARK}.tenant"), setting(format!("on,{MARK}"))),
            ("search_path".to_owned(), setting(format!("public, {MARK}"))),
        ]),
    }
}

fn workload() -> Workload {
    Workload {
        source: text(),
        since: None,
        evicted: None,
        statements: vec![Statement {
            id: text(),
            text: text(),
            parsed: None,
            user: Some(name()),
            location: Some(Location { file: format!("{MARK}.sql"), line: 1, column: 1 }),
            calls: None,
            total_ms: None,
            mean_ms: None,
            max_ms: None,
            rows: None,
            rows_examined: None,
            blocks_read: None,
            blocks_hit: None,
            temp_blocks_written: None,
            disk_temp_tables: None,
            no_index_used: None,
            wal_bytes: None,
        }],
    }
}

fn replication() -> Replication {
    Replication {
        standby: true,
        senders: vec![Sender {
            name: name(),
            state: name(),
            sync_state: name(),
            replay_delay_bytes: None,
            replay_delay_seconds: None,
        }],
        replay_delay_seconds: None,
        replay_delay_bytes: None,
        replay_paused: None,
        receiver_running: None,
        last_error: Some(text()),
    }
}

fn slot() -> Slot {
    Slot {
        name: name(),
        kind: name(),
        active: false,
        retained_bytes: None,
        wal_status: Some(name()),
        xmin_age: None,
        catalog_xmin_age: None,
        inactive_seconds: None,
        invalidation: Some(name()),
    }
}

fn role() -> Role {
    Role {
        name: name(),
        login: true,
        superuser: false,
        create_role: false,
        create_database: false,
        replication: false,
        bypass_row_security: false,
        connection_limit: None,
        valid_until: Some(text()),
        password: PasswordStorage::Weak,
        member_of: vec![Membership { role: name(), inherits: true, admin: false }],
        settings: options(),
    }
}

fn integrity() -> Integrity {
    Integrity {
        complaints: vec![text()],
        violations: vec![ForeignKeyViolation {
            table: object(),
            parent: object(),
            columns: vec![name()],
            rows: 1,
            examples: vec![text()],
        }],
        mixed_columns: vec![MixedColumn { table: object(), column: name(), classes: vec![(name(), 1)] }],
        unchecked: vec![object()],
        unanswered: vec![UnansweredKeys { table: object(), because: text() }],
    }
}

fn databases() -> Vec<DatabaseStatistics> {
    vec![DatabaseStatistics {
        name: name(),
        current: true,
        allows_connections: true,
        xid_age: Some(1),
        multixact_age: Some(1),
        bytes: None,
        commits: None,
        rollbacks: None,
        deadlocks: None,
        temp_files: None,
        temp_bytes: None,
        blocks_hit: None,
        blocks_read: None,
        checksum_failures: None,
        conflicts: None,
        collation_drift: Some((text(), text())),
    }]
}

fn table_statistics() -> TableStatistics {
    TableStatistics { table: object(), rows: Some(1), ..TableStatistics::default() }
}

/// Everything that facts can hold.
pub(super) fn facts() -> Facts {
    Facts {
        source: FactSource {
            origin: Origin::Live,
            engine: Engine::Postgres,
            version: None,
            version_text: text(),
            target: text(),
            database: name(),
            role: Some(name()),
            superuser: false,
            collected_at: None,
            skipped: vec![SkippedStatement {
                file: format!("{MARK}.sql"),
                line: 1,
                statement: text(),
                because: text(),
            }],
        },
        catalog: Known(catalog()),
        table_statistics: Known(vec![table_statistics()]),
        index_statistics: Known(vec![IndexStatistics {
            table: object(),
            index: name(),
            ..IndexStatistics::default()
        }]),
        counters: Known(Counters { since: None, started: None, standbys: Some(0) }),
        column_statistics: Known(vec![ColumnStatistics {
            table: object(),
            column: name(),
            null_fraction: 0.0,
            distinct: 1.0,
            average_width: 1,
            correlation: None,
            common_frequencies: vec![1.0],
            common_values: vec![MARK.to_owned(), text()],
        }]),
        sequence_values: Known(vec![SequenceValue { sequence: object(), last_value: Some(1) }]),
        column_maxima: Known(vec![ColumnMaximum { table: object(), column: name(), max: None, min: None }]),
        workload: Known(workload()),
        settings: Known(settings()),
        server_status: Known(ServerStatus {
            values: BTreeMap::from([
                ("rsa_public_key".to_owned(), text()),
                (format!("{MARK}.x"), MARK.to_owned()),
            ]),
        }),
        databases: Known(databases()),
        sessions: Known(vec![session()]),
        lock_waits: Known(vec![LockWait {
            waiting: 1,
            blocking: 2,
            relation: Some(object()),
            seconds: None,
        }]),
        prepared_transactions: Known(vec![PreparedTransaction {
            id: text(),
            owner: name(),
            database: name(),
            age_seconds: 1.0,
            xid_age: 1,
        }]),
        replication: Known(replication()),
        slots: Known(vec![slot()]),
        archiver: Known(Archiver {
            archived: 0,
            last_archived: None,
            failed: 0,
            last_failed: None,
            since: None,
        }),
        checkpointer: Known(Checkpointer {
            timed: 0,
            requested: 0,
            write_ms: 0.0,
            sync_ms: 0.0,
            since: None,
        }),
        wal: Known(WalStatistics {
            bytes: None,
            records: None,
            full_page_images: None,
            buffers_full: None,
            directory_bytes: None,
            since: None,
        }),
        roles: Known(vec![role()]),
        privileges: Known(Privileges {
            grants: vec![Grant {
                object_kind: GrantObject::Table,
                object: object(),
                grantee: name(),
                privilege: name(),
                grantable: false,
            }],
        }),
        hba: Known(hba()),
        user_mappings: Known(vec![UserMapping { server: name(), user: name(), options: Some(vec![name()]) }]),
        storage: Known(Storage {
            page_size: 1,
            page_count: 1,
            free_pages: 0,
            journal_mode: name(),
            auto_vacuum: 0,
            encoding: name(),
            user_version: 0,
            wal_bytes: 0,
            file_mode: None,
            analyzed: false,
            writer_version: None,
        }),
        integrity: Known(integrity()),
        backups: Known(Backups {
            sources: vec![text()],
            records: vec![BackupRecord { tool: text(), finished: None, ok: true }],
            proofs: vec![RestoreProof { finished: None, ok: true }],
        }),
        migrations: Observed::NotAsked,
        declared_proofs: Vec::new(),
        migration_history: Known(vec![MigrationHistory {
            tool: text(),
            table: object(),
            applied: vec![AppliedMigration {
                version: text(),
                ok: true,
                at: None,
                script: Some(text()),
                checksum: Some(text()),
                kind: Some(text()),
            }],
        }]),
        data: Known(answers()),
        in_part: BTreeMap::from([(Fact::Catalog, text())]),
    }
}
