use dbwright_model::capability::Capability;
use dbwright_model::catalog::TableKind;
use dbwright_model::change::Change;
use dbwright_model::engine::Engine;
use dbwright_model::facts::{Fact, Origin};
use dbwright_model::finding::{Confidence, Level, ObjectRef};
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::index_shape::{drop_index, qualified};
use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Indexing,
    weight: 6,
    wants: &[Fact::Sessions],
    engines: Engines::only(Engine::Postgres, "an index build either ends well or leaves nothing behind"),
    when: "an index is marked invalid",
    then: "Queries cannot use it, writes may still have to keep it, and a unique one enforces nothing.",
    instead: "Rebuild the index concurrently, or drop it and create it again.",
    remedy: Applicability::Review,
    source: "PostgreSQL documentation, building indexes concurrently",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    // While a concurrent build runs, its index is invalid and nothing is wrong.
    let building = context.facts_if_known(Fact::Sessions).sessions.known().is_some_and(|sessions| {
        sessions.iter().filter_map(|session| session.statement.as_deref()).any(|statement| {
            let statement = statement.to_ascii_lowercase();
            statement.contains("index") && statement.contains("concurrently")
        })
    });
    for table in context.catalog().tables.iter().filter(|table| table.is_own()) {
        for index in &table.indexes {
            findings.examined(1);
            if index.valid {
                continue;
            }
            let partitioned = matches!(table.kind, TableKind::Partitioned { .. });
            let message = if partitioned {
                format!(
                    "`{}` on `{}` is invalid: not every partition has its part of it.",
                    index.name, table.name
                )
            } else {
                format!(
                    "`{}` on `{}` is invalid, as after a failed concurrent build: no query can use it.",
                    index.name, table.name
                )
            };
            let remedy = if partitioned {
                Remedy::manual(
                    "Create the index on each partition that lacks it and attach it to the parent's index.",
                )
            } else if is_leftover(index.name.as_str()) {
                Remedy::review(
                    "Drop what a failed `REINDEX CONCURRENTLY` left behind.",
                    vec![drop_index(context, table, index)],
                )
            } else {
                // What the first build has met, the next one meets again.
                let instead = match index.unique {
                    true => {
                        "Look for duplicates and remove them, since a rebuild fails again while there are any; then \
                             rebuild the index concurrently, or drop it and create it again."
                    }
                    false => RULE.instead,
                };
                Remedy::review(
                    instead,
                    vec![Change::Reindex {
                        index: qualified(&table.name, &index.name),
                        concurrently: context.can(Capability::ConcurrentReindex),
                    }],
                )
            };
            let mut found = Found::at(ObjectRef::index(&table.name, &index.name), message).remedy(remedy);
            if building {
                found = found
                    .level(Level::Note)
                    .confidence(Confidence::Low)
                    .evidence("note", "a concurrent build is running at this moment");
            } else if index.unique && !partitioned {
                found = found.level(Level::Error).evidence("unique", "duplicates are not refused reliably");
            }
            findings.add(found);
        }
    }
    if context.source().origin == Origin::Files && findings.examined > 0 {
        // A dump creates an index that its server holds to be invalid like any other.
        let sessions = &context.facts_if_known(Fact::Sessions).sessions;
        let why = sessions.because().unwrap_or_else(|| "files do not tell it".to_owned());
        findings.unknown(format!("whether the builds of its indexes ended well: {why}"));
    }
}

/// `REINDEX CONCURRENTLY` names its copies so.
fn is_leftover(name: &str) -> bool {
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
    stem.ends_with("_ccnew") || stem.ends_with("_ccold")
}
