//! The rules: pure judgement over facts.
//!
//! A rule is two neighbours and one line: `schema/table_without_primary_key.rs` with a static record and a `check`,
//! `schema/table_without_primary_key.md` with the text that documents and tests it, and its line in the list below.
//! Its id is its path. Rules do not know where facts come from and name no server version.

pub mod rule;
pub mod context;
pub mod findings;
pub mod lexicon;
pub mod columns;
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
        contradictory_set_null,
        default_text_null,
        deletion_mark_in_unique_key,
        deprecated_number_format,
        double_quoted_literal,
        float_money,
        float_primary_key,
        foreign_key_to_non_unique,
        foreign_key_type_mismatch,
        foreign_key_violations,
        foreign_key_without_index,
        integer_nearly_exhausted,
        integer_primary_key,
        integer_primary_key_spelling,
        json_instead_of_jsonb,
        missing_audit_columns,
        mixed_charsets,
        mixed_storage_classes,
        money_type,
        narrow_charset,
        nullable_boolean,
        nullable_never_null,
        nullable_primary_key,
        padded_char_type,
        random_uuid_primary_key,
        sequence_behind_data,
        serial_column,
        sqlite_affinity_trap,
        stale_updated_at,
        status_without_check,
        storage_engine_without_transactions,
        surrogate_key_only,
        table_without_primary_key,
        text_holds_another_type,
        time_with_time_zone,
        timestamp_without_time_zone,
        unique_over_nullable,
        unneeded_autoincrement,
        unvalidated_constraint,
        uuid_as_text,
        year_2038_timestamp,
        zero_date_default,
    }
    settings {
        loose_sql_mode,
    }
}

/// The rule of an id.
pub fn find(id: &str) -> Option<&'static Entry> {
    ALL.iter().find(|entry| entry.id == id)
}
