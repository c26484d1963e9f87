//! The rules: pure judgement over facts.
//!
//! A rule is two neighbours and one line: `schema/table_without_primary_key.rs` with a static record and a `check`,
//! `schema/table_without_primary_key.md` with the text that documents and tests it, and its line in the list below.
//! Its id is its path. Rules do not know where facts come from and name no server version.

pub mod rule;
pub mod context;
pub mod findings;
pub mod lexicon;
pub mod reference;
pub mod keys;
pub mod dependency;
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
        cascade_chain,
        comma_separated_list,
        duplicate_foreign_key,
        duplicated_table_structure,
        entity_attribute_value,
        foreign_key_cycle,
        foreign_key_omits_tenant,
        foreign_key_without_index,
        inconsistent_column_type,
        isolated_table,
        join_table_without_unique_pair,
        long_identifier,
        misdirected_foreign_key,
        missing_foreign_key,
        mixed_name_style,
        mixed_plural_table_names,
        name_needs_quoting,
        numbered_columns,
        partial_dependency,
        polymorphic_reference,
        reserved_word_name,
        soft_delete_without_partial_unique,
        table_without_primary_key,
        transitive_dependency,
        type_prefix_name,
        wide_table,
    }
}

/// The rule of an id.
pub fn find(id: &str) -> Option<&'static Entry> {
    ALL.iter().find(|entry| entry.id == id)
}
