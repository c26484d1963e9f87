use dbwright_model::catalog::{Index, Policy, Table};
use dbwright_model::data_type::TypeKind;
use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Confidence, Level, ObjectRef};
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    dimension: Dimension::Indexing,
    weight: 3,
    needs: &[Fact::Catalog, Fact::Policies],
    engines: Engines::only(Engine::Postgres, "it has no row security"),
    when: "row security is on and the operators that an index serves are not leakproof",
    then: "For roles under the policies PostgreSQL checks the policy first and does not use the index.",
    instead: "Search through a `SECURITY DEFINER` function that takes the tenant as an argument, or lead the index with the policy's column.",
    remedy: Applicability::Manual,
    source: "measured on PostgreSQL 15: pg_amop joined with pg_proc.proleakproof, and plans under a policy",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for table in context.own_tables() {
        if !table.row_security.enabled {
            continue;
        }
        let readers: Vec<&Policy> = context
            .policies()
            .iter()
            .filter(|policy| {
                policy.table == table.name && matches!(policy.command.as_str(), "ALL" | "SELECT")
            })
            .collect();
        // Without a policy such roles read no row at all, and a policy without a condition holds nothing back.
        if !readers.iter().any(|policy| policy.using.is_some()) {
            continue;
        }
        for index in &table.indexes {
            findings.examined(1);
            let Some(what) = not_leakproof(table, index) else { continue };
            if !index.valid || index.unique || serves_policy(index, &readers) {
                continue;
            }
            findings.add(
                Found::at(
                    ObjectRef::index(&table.name, &index.name),
                    format!(
                        "`{}` serves {what}, which are not leakproof, so that roles under the policies of `{}` read every row.",
                        index.name, table.name
                    ),
                )
                .evidence("method", &index.method)
                .evidence("policies", readers.len())
                .confidence(Confidence::Medium)
                .remedy(Remedy::manual(RULE.instead)),
            );
        }
    }
}

/// What the index's leading operators are, if none of them is leakproof.
fn not_leakproof(table: &Table, index: &Index) -> Option<&'static str> {
    let first = index.parts.first()?;
    match index.method.as_str() {
        "gin" => Some("searches inside values"),
        "gist" => Some("overlap and distance searches"),
        "btree" | "hash" => {
            if first.operator_class.as_ref().is_some_and(|class| class.as_str().ends_with("_pattern_ops")) {
                return Some("searches with `LIKE`");
            }
            let data_type = &table.column(first.as_column()?.as_str())?.data_type;
            match data_type.kind {
                _ if data_type.array => Some("comparisons of arrays"),
                TypeKind::Enum => Some("comparisons of enum values"),
                TypeKind::Decimal => Some("comparisons of `numeric` values"),
                TypeKind::Jsonb => Some("comparisons of `jsonb` values"),
                TypeKind::Range => Some("comparisons of ranges"),
                _ => None,
            }
        }
        _ => None,
    }
}

/// A policy's own condition may use the index: it is checked first anyway.
fn serves_policy(index: &Index, policies: &[&Policy]) -> bool {
    let Some(first) = index.parts.first().and_then(|part| part.as_column()) else { return false };
    policies.iter().any(|policy| match policy.using.as_ref().map(|using| using.tree.as_deref()) {
        Some(Some(tree)) => tree.columns().contains(&first),
        Some(None) => true,
        None => false,
    })
}
