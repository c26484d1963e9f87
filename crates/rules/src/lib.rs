//! The rules: pure judgement over facts.
//!
//! A rule is two neighbours and one line: `schema/table_without_primary_key.rs` with a static record and a `check`,
//! `schema/table_without_primary_key.md` with the text that documents and tests it, and its line in the list below.
//! Its id is its path. Rules do not know where facts come from and name no server version.

pub mod rule;
pub mod context;
pub mod findings;
pub mod lexicon;
pub mod truth;
pub mod relations;
pub mod search_path;
pub mod routine;
pub mod hba;
pub mod membership;
pub mod quantity;
pub mod wraparound;
pub mod run;
pub mod convention;
pub mod score;

pub use context::Context;
pub use findings::{Findings, Found};
pub use rule::{Applies, Engines, OptionSpec, OptionValue, Options, Rule, RuleId, Status};
pub use run::{Checked, Outcome, run};

/// Turns the path of a rule into its id: `_` becomes `-`.
const fn kebab<const N: usize>(path: &str) -> [u8; N] {
    let bytes = path.as_bytes();
    let mut id = [0u8; N];
    let mut i = 0;
    while i < N {
        id[i] = if bytes[i] == b'_' { b'-' } else { bytes[i] };
        i += 1;
    }
    id
}

/// One rule with its id and its text.
#[derive(Debug)]
pub struct Entry {
    /// `schema/table-without-primary-key`.
    pub id: &'static str,
    /// The record.
    pub rule: &'static Rule,
    /// The Markdown text beside the rule.
    pub text: &'static str,
}

macro_rules! rules {
    ($($family:ident { $($name:ident),* $(,)? })*) => {
        $(
            #[doc = concat!("Rules of the family `", stringify!($family), "`.")]
            pub mod $family {
                $(
                    #[doc = include_str!(concat!(stringify!($family), "/", stringify!($name), ".md"))]
                    pub mod $name;
                )*
            }
        )*

        /// Every rule, by family and name.
        pub static ALL: &[Entry] = &[
            $($(
                Entry {
                    id: {
                        const PATH: &str = concat!(stringify!($family), "/", stringify!($name));
                        const BYTES: [u8; PATH.len()] = kebab(PATH);
                        match std::str::from_utf8(&BYTES) {
                            Ok(id) => id,
                            Err(_) => panic!("a rule's path is ASCII"),
                        }
                    },
                    rule: &$family::$name::RULE,
                    text: include_str!(concat!(stringify!($family), "/", stringify!($name), ".md")),
                },
            )*)*
        ];
    };
}

rules! {
    backup {
        archiving_off,
        check_reads_other_table,
        missing_definer,
        restore_unproven,
        unlogged_table,
        unrestorable_function,
    }
    health {
        aborted_connections,
        archiving_failing,
        bloated_table,
        blocked_sessions,
        checksum_failures,
        collation_version_drift,
        connection_saturation,
        corrupt_database,
        dead_rows,
        deadlocks,
        disabled_trigger,
        disk_temporary_tables,
        free_pages,
        history_list_length,
        horizon_held,
        idle_in_transaction,
        inactive_replication_slot,
        large_wal_file,
        long_transaction,
        lost_replication_slot,
        multixact_wraparound,
        never_analyzed,
        replica_stopped,
        replication_lag,
        requested_checkpoints,
        statistics_missing,
        temporary_file_spills,
        transaction_wraparound,
    }
    migration {
        failed_migration,
        missing_migration_history,
        sequence_narrower_than_column,
        several_migration_tools,
    }
    schema {
        foreign_key_without_index,
        table_without_primary_key,
    }
    security {
        account_from_anywhere,
        anonymous_account,
        dangerous_role_membership,
        data_checksums_off,
        definer_function_executable_by_public,
        definer_function_with_writable_path,
        definer_function_without_search_path,
        excessive_default_privileges,
        extension_in_public,
        foreign_server_with_password,
        grant_to_public,
        materialized_view_exposing_row_security,
        old_tls_version,
        open_replication_access,
        outdated_extension,
        overlapping_permissive_policies,
        partition_bypassing_row_security,
        per_row_policy_function,
        policy_without_row_security,
        powerful_role_attributes,
        public_schema_writable,
        publication_of_all_tables,
        role_without_password,
        row_security_not_forced,
        row_security_without_policy,
        secrets_in_definitions,
        secrets_in_settings,
        sensitive_column_in_clear,
        shadowed_hba_line,
        superuser_login,
        tautological_policy,
        tls_disabled,
        trust_authentication,
        unencrypted_remote_access,
        unreadable_hba_line,
        untrusted_extension,
        view_bypassing_row_security,
        weak_password_authentication,
        weak_password_hash,
        world_readable_database_file,
    }
    settings {
        autovacuum_off,
        binlog_off,
        checkpoint_logging_off,
        default_memory_settings,
        fsync_off,
        full_page_writes_off,
        missing_idle_transaction_timeout,
        missing_lock_timeout,
        non_durable_commits,
        old_server_version,
        pending_restart,
        rollback_journal,
        slow_query_log_off,
        synchronous_commit_off,
    }
}

/// The rule of an id.
pub fn find(id: &str) -> Option<&'static Entry> {
    ALL.iter().find(|entry| entry.id == id)
}
