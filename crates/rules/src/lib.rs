//! The rules: pure judgement over facts.
//!
//! A rule is two neighbours and one line: `schema/table_without_primary_key.rs` with a static record and a `check`,
//! `schema/table_without_primary_key.md` with the text that documents and tests it, and its line in the list below.
//! Its id is its path. Rules do not know where facts come from and name no server version.

pub mod rule;
pub mod context;
pub mod findings;
pub mod lexicon;
pub mod index_shape;
pub mod counting;
pub mod query_scope;
pub mod statements;
pub mod predicates;
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
        comparison_with_null,
        costly_statement,
        count_for_existence,
        deep_offset,
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
        order_by_random,
        select_star,
        slow_statement,
        spilling_statement,
        statement_statistics_missing,
        union_without_all,
        update_or_delete_without_where,
    }
    schema {
        foreign_key_without_index,
        table_without_primary_key,
    }
}

/// The rule of an id.
pub fn find(id: &str) -> Option<&'static Entry> {
    ALL.iter().find(|entry| entry.id == id)
}
