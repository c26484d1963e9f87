//! The rules: pure judgement over facts.
//!
//! A rule is two neighbours and one line: `schema/table_without_primary_key.rs` with a static record and a `check`,
//! `schema/table_without_primary_key.md` with the text that documents and tests it, and its line in the list below.
//! Its id is its path. Rules do not know where facts come from and name no server version.

use std::collections::HashMap;
use std::sync::LazyLock;

pub mod rule;
pub mod context;
pub mod findings;
pub mod doubts;
pub mod lexicon;
pub mod free_names;
pub mod index_shape;
pub mod counting;
pub mod truth;
pub mod relations;
pub mod search_path;
pub mod server_tables;
pub mod routine;
pub mod hba;
pub mod membership;
pub mod quantity;
pub mod range;
pub mod quoting;
pub mod columns;
pub mod reference;
pub mod keys;
pub mod words;
pub mod wraparound;
pub mod query_scope;
pub mod statements;
pub mod traffic;
pub mod predicates;
pub mod circle;
pub mod dependants;
pub mod dependency;
pub mod lint;
pub mod new_column;
pub mod orphans;
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
    schema {
        all_columns_nullable,
        amount_without_currency,
        cascade_chain,
        comma_separated_list,
        contradictory_set_null,
        dangling_foreign_key,
        default_text_null,
        deletion_mark_in_unique_key,
        deprecated_number_format,
        double_quoted_literal,
        duplicate_foreign_key,
        duplicated_table_structure,
        entity_attribute_value,
        float_money,
        float_primary_key,
        foreign_key_cycle,
        foreign_key_omits_tenant,
        foreign_key_to_non_unique,
        foreign_key_type_mismatch,
        foreign_key_violations,
        foreign_key_without_index,
        inconsistent_column_type,
        integer_nearly_exhausted,
        integer_primary_key,
        integer_primary_key_spelling,
        isolated_table,
        join_table_without_unique_pair,
        json_instead_of_jsonb,
        long_identifier,
        misdirected_foreign_key,
        missing_audit_columns,
        missing_foreign_key,
        mixed_charsets,
        mixed_name_style,
        mixed_plural_table_names,
        mixed_storage_classes,
        money_type,
        name_needs_quoting,
        name_reserved_elsewhere,
        narrow_charset,
        nullable_boolean,
        nullable_never_null,
        nullable_primary_key,
        numbered_columns,
        padded_char_type,
        partial_dependency,
        polymorphic_reference,
        random_uuid_primary_key,
        reserved_word_name,
        sequence_behind_data,
        serial_column,
        soft_delete_without_partial_unique,
        sqlite_affinity_trap,
        stale_updated_at,
        status_without_check,
        storage_engine_without_transactions,
        surrogate_key_only,
        table_without_primary_key,
        text_holds_another_type,
        time_with_time_zone,
        timestamp_without_time_zone,
        transitive_dependency,
        type_prefix_name,
        unique_over_nullable,
        unneeded_autoincrement,
        unvalidated_constraint,
        uuid_as_text,
        wide_table,
        year_2038_timestamp,
        zero_date_default,
    }
    index {
        bloated_index,
        clustered_key_too_wide,
        duplicate_index,
        hot_sequential_scans,
        index_unusable_under_row_security,
        invalid_index,
        low_cardinality_index,
        redundant_index,
        too_many_indexes,
        unused_index,
    }
    query {
        between_timestamps_by_date,
        calculation_on_indexed_column,
        column_outside_group_by,
        comparison_with_null,
        costly_statement,
        count_for_existence,
        counted_found_rows,
        deep_offset,
        distinct_over_groups,
        distinct_over_join,
        distinct_with_unique_key,
        evicted_statements,
        full_scan_statement,
        function_on_indexed_column,
        having_without_aggregate,
        implicit_cast_on_column,
        leading_wildcard,
        left_join_turned_inner,
        many_rows_per_call,
        missing_join_condition,
        nondeterministic_limit,
        not_in_nullable_subquery,
        null_test_on_nullable_column,
        order_by_random,
        select_star,
        slow_statement,
        spilling_statement,
        statement_statistics_missing,
        union_without_all,
        update_or_delete_without_where,
    }
    migration {
        accidental_function_overload,
        alteration_deletes_rows,
        applied_migration_without_file,
        autovacuum_switched_off,
        blocking_check,
        blocking_foreign_key,
        blocking_in_place_change,
        blocking_index_build,
        blocking_index_drop,
        blocking_partition_detach,
        blocking_partition_scan,
        blocking_program,
        blocking_reindex,
        blocking_table_copy,
        blocking_table_rewrite,
        blocking_view_refresh,
        breaks_prepared_statements,
        broken_view_or_trigger,
        cascading_drop,
        changed_column_contract,
        checks_switched_off,
        constrained_domain_column,
        constraint_builds_index,
        constraint_left_unvalidated,
        domain_constraint_scans_tables,
        drop_deletes_referencing_rows,
        dropped_column,
        dropped_database,
        dropped_extension,
        dropped_guarantee,
        dropped_index_of_foreign_key,
        dropped_table,
        edited_migration,
        empty_migration,
        enum_value_used_too_early,
        failed_migration,
        fails_when_tried,
        forbidden_in_transaction,
        foreign_key_added_unchecked,
        foreign_key_drop_locks_parent,
        half_applied_migration,
        ignored_inline_reference,
        implicit_commit_in_transaction,
        implicit_value_in_new_column,
        incompatible_view_replacement,
        index_dropped_before_replacement,
        index_renamed_by_constraint,
        ineffective_lock_timeout,
        invalid_index_kept,
        irreversible_migration,
        lock_timeout_adds_up,
        lock_timeout_during_concurrent_build,
        long_replay_on_replicas,
        long_write_lock,
        loose_mode_changes_values,
        lossy_type_change,
        many_relations_locked,
        may_fail_on_rows,
        migration_out_of_order,
        missing_migration_history,
        misspelt_column_in_index,
        mixed_transaction_needs,
        new_foreign_key_type_mismatch,
        new_foreign_key_without_index,
        new_serial_or_identity_column,
        new_stored_generated_column,
        not_analysed,
        not_null_scans_table,
        not_rerunnable,
        older_snapshots_see_no_rows,
        pending_trigger_events,
        pragma_inside_transaction,
        published_columns_change,
        published_table_without_identity,
        rebuild_loses_dependants,
        refused_statement,
        rename_moves_references,
        renamed_while_in_use,
        replaced_function_under_index,
        replacement_lacks_parts,
        required_column_without_default,
        rewriting_type_change,
        rows_hidden_by_row_security,
        sequence_left_narrow,
        sequence_narrowed_or_restarted,
        sequence_narrower_than_column,
        several_alters_of_one_table,
        several_migration_tools,
        skipped_definition,
        slow_work_under_exclusive_lock,
        statement_timeout_too_short,
        statistics_lost,
        system_catalog_written,
        table_filled_by_long_query,
        tables_locked_together,
        transaction_control_in_wrapped_file,
        truncated_table,
        unbatched_data_change,
        unfinished_transaction,
        unlimited_lock_wait,
        unlimited_statement_time,
        unstable_check,
        unstated_online_algorithm,
        validation_under_lock,
        volatile_default_rewrites_table,
        writes_discarded,
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
        unrecorded_activity,
        untrusted_extension,
        view_bypassing_row_security,
        weak_password_authentication,
        weak_password_hash,
        world_readable_database_file,
    }
    health {
        aborted_connections,
        archiving_failing,
        backend_fsyncs,
        bloated_table,
        blocked_sessions,
        buffer_pool_too_small,
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
        joins_without_index,
        large_wal_file,
        lock_table_filling,
        log_buffer_waits,
        log_buffers_overflow,
        long_transaction,
        lost_replication_slot,
        multixact_wraparound,
        never_analyzed,
        notification_queue_filling,
        oversized_log_directory,
        replica_stopped,
        replication_lag,
        requested_checkpoints,
        sort_merge_passes,
        stale_statistics,
        standby_conflicts,
        statistics_missing,
        temporary_file_spills,
        transaction_wraparound,
    }
    settings {
        autovacuum_off,
        binlog_off,
        checkpoint_logging_off,
        default_memory_settings,
        fsync_off,
        full_page_writes_off,
        huge_pages_unavailable,
        loose_sql_mode,
        missing_idle_transaction_timeout,
        missing_lock_timeout,
        non_durable_commits,
        old_server_version,
        pending_restart,
        rollback_journal,
        slow_query_log_off,
        synchronous_commit_off,
        writable_replica,
    }
    backup {
        archiving_off,
        check_reads_other_table,
        missing_definer,
        restore_unproven,
        unlogged_table,
        unrestorable_function,
    }
}

/// The rule of an id.
pub fn find(id: &str) -> Option<&'static Entry> {
    static BY_ID: LazyLock<HashMap<&str, &Entry>> =
        LazyLock::new(|| ALL.iter().map(|entry| (entry.id, entry)).collect());
    BY_ID.get(id).copied()
}
