use std::collections::BTreeSet;

use dbwright_model::catalog::{ReferentialAction, Table};
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::name::QualifiedName;
use dbwright_model::remedy::Remedy;

use crate::{Context, Findings, Found, OptionSpec, OptionValue, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    weight: 2,
    wants: &[Fact::TableStatistics],
    when: "deleting one row cascades through three or more tables",
    then: "One `DELETE` removes rows far away, takes locks on all these tables and cannot be estimated by reading it.",
    instead: "Let the far ends `RESTRICT`, and delete in batches from the leaves up.",
    source: "longest chain of ON DELETE CASCADE; three steps are where a reader of one table no longer sees the end",
    options: &[OptionSpec {
        name: "depth",
        default: OptionValue::Number(3.0),
        help: "steps from the deleted row to the last table it cascades to",
    }],
    check,
    ..Rule::DEFAULT
};

/// Chains longer than this are cut: nobody needs the exact number.
const DEEPEST: usize = 12;

fn check(context: &Context<'_>, findings: &mut Findings) {
    let least = context.number("depth").max(1.0) as usize;
    for table in context.own_tables() {
        let children = cascades(context, &table.name);
        if children.is_empty() {
            continue;
        }
        findings.examined(1);
        // The chain is told where it begins.
        let begins = !table.foreign_keys.iter().any(|foreign_key| {
            foreign_key.on_delete == ReferentialAction::Cascade && foreign_key.references != table.name
        });
        if !begins {
            continue;
        }
        let mut path = vec![&table.name];
        let mut longest = Vec::new();
        let mut reached = BTreeSet::new();
        let mut steps = 0;
        follow(context, &mut path, &mut longest, &mut reached, &mut steps);
        let depth = longest.len().saturating_sub(1);
        if depth < least {
            continue;
        }
        let last = longest.last().copied().unwrap_or(&table.name);
        let mut found = Found::at(
            ObjectRef::table(&table.name),
            format!("Deleting a row of `{}` cascades through {depth} levels down to `{last}`.", table.name),
        )
        .evidence("chain", longest.iter().map(ToString::to_string).collect::<Vec<_>>().join(" -> "))
        .evidence("tables reached", reached.len());
        if let Some(fan_out) = fan_out(context, table, &reached) {
            found = found.evidence("rows below one row, on average", fan_out);
        }
        findings.add(found.remedy(Remedy::manual(RULE.instead)));
    }
}

fn cascades<'a>(context: &Context<'a>, parent: &QualifiedName) -> Vec<&'a QualifiedName> {
    let mut children: Vec<&QualifiedName> = context
        .children(parent)
        .iter()
        .filter(|(child, foreign_key)| {
            foreign_key.on_delete == ReferentialAction::Cascade
                && child.is_own()
                && !child.is_partition()
                && child.name != *parent
        })
        .map(|(child, _)| &child.name)
        .collect();
    children.sort();
    children.dedup();
    children
}

fn follow<'a>(
    context: &Context<'a>,
    path: &mut Vec<&'a QualifiedName>,
    longest: &mut Vec<&'a QualifiedName>,
    reached: &mut BTreeSet<&'a QualifiedName>,
    steps: &mut u32,
) {
    if path.len() > longest.len() {
        longest.clone_from(path);
    }
    // Densely connected schemas have more paths than anyone can walk.
    *steps += 1;
    let Some(here) = path.last().copied().filter(|_| path.len() <= DEEPEST && *steps < 20_000) else {
        return;
    };
    for child in cascades(context, here) {
        reached.insert(child);
        if !path.contains(&child) {
            path.push(child);
            follow(context, path, longest, reached, steps);
            path.pop();
        }
    }
}

fn fan_out(context: &Context<'_>, table: &Table, reached: &BTreeSet<&QualifiedName>) -> Option<u64> {
    let own = context.statistics_of(&table.name)?.rows.filter(|rows| *rows > 0)?;
    let below: Option<u64> =
        reached.iter().map(|name| context.statistics_of(name).and_then(|statistics| statistics.rows)).sum();
    Some(below? / own)
}
