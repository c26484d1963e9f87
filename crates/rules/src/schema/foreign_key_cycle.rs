use std::collections::{BTreeMap, BTreeSet};

use dbwright_model::engine::Dialect;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::name::QualifiedName;
use dbwright_model::remedy::Remedy;

use crate::circle::must_exist;
use crate::{Context, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    weight: 3,
    when: "tables refer to each other in a circle of columns that are never null",
    then: "No table of the circle can get its first row, and none can be loaded or emptied after the other.",
    instead: "Let one foreign key of the circle be nullable or `DEFERRABLE`, or move it to a table of its own.",
    source: "strongly connected components of the foreign keys; PostgreSQL documentation on deferrable constraints",
    check,
    ..Rule::DEFAULT
};

type Graph<'a> = BTreeMap<&'a QualifiedName, BTreeSet<&'a QualifiedName>>;

fn check(context: &Context<'_>, findings: &mut Findings) {
    let mut graph = Graph::new();
    for table in context.own_tables() {
        findings.examined(1);
        for foreign_key in &table.foreign_keys {
            let known = context.table(&foreign_key.references).is_some();
            if foreign_key.references != table.name && known && must_exist(table, foreign_key) {
                graph.entry(&table.name).or_default().insert(&foreign_key.references);
            }
        }
    }
    let remedy = match context.engine().dialect() {
        Dialect::Mysql => "Let one foreign key of the circle be nullable, or move it to a table of its own.",
        _ => RULE.instead,
    };
    for circle in circles(&graph) {
        let names: Vec<String> = circle.iter().map(|name| format!("`{name}`")).collect();
        let message = format!(
            "{} refer to each other by columns that are never null: none can get its first row.",
            listed(&names)
        );
        findings.add(
            Found::at(ObjectRef::table(circle[0]), message)
                .evidence("tables in the circle", circle.len())
                .remedy(Remedy::manual(remedy)),
        );
    }
}

fn listed(names: &[String]) -> String {
    const SHOWN: usize = 5;
    match names.len() {
        0..=SHOWN => names.join(", "),
        more => format!("{} and {} more tables", names[..SHOWN].join(", "), more - SHOWN),
    }
}

/// Groups of more than one table that all reach each other, in the order of their first names.
fn circles<'a>(graph: &Graph<'a>) -> Vec<Vec<&'a QualifiedName>> {
    let mut backward: Graph<'a> = Graph::new();
    for (from, targets) in graph {
        for to in targets {
            backward.entry(to).or_default().insert(from);
        }
    }
    let mut order = Vec::new();
    let mut seen = BTreeSet::new();
    for start in graph.keys() {
        walk(graph, start, &mut seen, &mut order);
    }
    let mut seen = BTreeSet::new();
    let mut circles = Vec::new();
    for start in order.iter().rev() {
        let mut group = Vec::new();
        walk(&backward, start, &mut seen, &mut group);
        if group.len() > 1 {
            group.sort();
            circles.push(group);
        }
    }
    circles.sort();
    circles
}

/// Visits depth first and lists the tables in the order in which they are left.
fn walk<'a>(
    graph: &Graph<'a>,
    start: &'a QualifiedName,
    seen: &mut BTreeSet<&'a QualifiedName>,
    left: &mut Vec<&'a QualifiedName>,
) {
    if !seen.insert(start) {
        return;
    }
    let next = |name: &QualifiedName| graph.get(name).into_iter().flatten().copied().collect::<Vec<_>>();
    let mut path = vec![(start, next(start))];
    while let Some((name, pending)) = path.last_mut() {
        let name: &'a QualifiedName = name;
        match pending.pop() {
            Some(target) => {
                if seen.insert(target) {
                    path.push((target, next(target)));
                }
            }
            None => {
                left.push(name);
                path.pop();
            }
        }
    }
}
