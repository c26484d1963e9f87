//! What keeps PostgreSQL from changing the type of a column: whatever was made for the old type and is not made anew.

use dbwright_model::catalog::{Function, IndexKey, Policy, Publication, Table, TableKind, Trigger, View};
use dbwright_model::engine::Engine;
use dbwright_model::expression::{Expr, Expression};
use dbwright_model::facts::Fact;
use dbwright_model::name::Name;
use dbwright_model::observed::Observed;
use dbwright_model::remedy::Remedy;

use crate::Context;
use crate::lint::has_word;

/// The facts that a rule wants whose remedy changes the type of a column.
pub const WANTS: &[Fact] = &[Fact::Triggers, Fact::Policies, Fact::Functions, Fact::Publications];

/// The words that take the place of statements where something reads the column, and a change of its type would be
/// refused; `None` where nothing does.
pub fn in_words(context: &Context<'_>, table: &Table, column: &Name, instead: &str) -> Option<Remedy> {
    /// More names are not read.
    const SHOWN: usize = 6;
    let mut found = of_column(context, table, column);
    if found.is_empty() {
        return None;
    }
    let more = found.len().saturating_sub(SHOWN);
    found.truncate(SHOWN);
    let list = match more {
        0 => found.join(", "),
        more => format!("{} and {more} more", found.join(", ")),
    };
    Some(Remedy::manual(format!(
        "{instead} First drop what stands on the old type, or the server refuses, and make it again afterwards: {list}."
    )))
}

/// What stands on the type of a column, in words and in a stable order. What could not be read may stand on it, too.
pub fn of_column(context: &Context<'_>, table: &Table, column: &Name) -> Vec<String> {
    if context.engine() != Engine::Postgres {
        return Vec::new();
    }
    let catalog = context.catalog();
    let mut found = Vec::new();
    if let TableKind::Partitioned { key, .. } = &table.kind
        && mentions(key, column)
    {
        found.push("the partition key".to_owned());
    }
    if let Some(of_type) = &table.of_type {
        found.push(format!("the type `{of_type}` that the table is made of"));
    }
    for other in &table.columns {
        if other.generated.as_ref().is_some_and(|generated| reads(&generated.expression, column)) {
            found.push(format!("the generated column `{}`", other.name));
        }
    }
    for check in table.checks.iter().filter(|check| calls_with(&check.expression, column)) {
        found.push(match &check.name {
            Some(name) => format!("the check `{name}`"),
            None => format!("the check `{}`", check.expression.text),
        });
    }
    for index in &table.indexes {
        let parts = index.parts.iter().filter_map(|part| match &part.key {
            IndexKey::Expression(expression) => Some(expression),
            IndexKey::Column(_) => None,
        });
        if parts.chain(&index.predicate).any(|expression| calls_with(expression, column)) {
            found.push(format!("the index `{}`", index.name));
        }
    }
    let text_reads = |text: &str| reads_column(text, table, column);
    let views = catalog.views.iter().filter(|view| view_reads(view, table, column));
    found.extend(views.map(|view| format!("the view `{}`", view.name)));
    let rules = catalog.rules.iter().filter(|rule| text_reads(&rule.definition));
    found.extend(rules.map(|rule| format!("the rule `{}`", rule.name)));
    let facts = context.facts_if_known(Fact::Triggers);
    let Some(catalog) = facts.catalog.known() else { return found };
    // The columns and the condition of a trigger are not part of the facts.
    section(&mut found, &catalog.triggers, "triggers", |trigger: &Trigger| {
        (trigger.table == table.name)
            .then(|| format!("the trigger `{}`, if its definition names the column", trigger.name))
    });
    section(&mut found, &catalog.policies, "policies", |policy: &Policy| {
        let mut expressions = policy.using.iter().chain(&policy.check);
        let of_table = policy.table == table.name;
        expressions
            .any(|one| (of_table && mentions(&one.text, column)) || text_reads(&one.text))
            .then(|| format!("the policy `{}`", policy.name))
    });
    section(&mut found, &catalog.functions, "functions", |function: &Function| {
        // Only bodies that are part of the SQL are bound to what they read.
        let body = function.body.to_lowercase();
        (has_word(&body, "begin") && has_word(&body, "atomic") && text_reads(&body))
            .then(|| format!("the function `{}`", function.name))
    });
    section(&mut found, &catalog.publications, "publications", |publication: &Publication| {
        publication
            .tables
            .iter()
            .any(|one| {
                one.table == table.name && one.filter.as_ref().is_some_and(|filter| reads(filter, column))
            })
            .then(|| format!("the row filter of the publication `{}`", publication.name))
    });
    found
}

/// Adds what a section of the catalog has, or that the section could not be read.
fn section<T>(
    found: &mut Vec<String>,
    section: &Observed<Vec<T>>,
    kind: &str,
    name: impl FnMut(&T) -> Option<String>,
) {
    match section.known() {
        Some(all) => found.extend(all.iter().filter_map(name)),
        None => found.push(format!("any {kind} that name the column, which could not be read")),
    }
}

/// Whether an expression reads the column, or could not be read and names it.
fn reads(expression: &Expression, column: &Name) -> bool {
    match &expression.tree {
        Some(tree) => tree.columns().contains(&column),
        None => mentions(&expression.text, column),
    }
}

/// Whether an expression gives the column to a function, of which there may be none for another type.
fn calls_with(expression: &Expression, column: &Name) -> bool {
    let Some(tree) = &expression.tree else { return mentions(&expression.text, column) };
    let mut found = false;
    tree.walk(&mut |part| {
        if let Expr::Call(call) = part {
            found |= call.args.iter().any(|argument| argument.columns().contains(&column));
        }
    });
    found
}

fn mentions(text: &str, column: &Name) -> bool {
    has_word(&text.to_lowercase(), &column.as_str().to_lowercase())
}

fn view_reads(view: &View, table: &Table, column: &Name) -> bool {
    reads_column(&view.definition, table, column)
}

/// Whether the text of a query may read the column: it names the table, and the column or all columns. Names in texts of
/// files may be written in any case.
fn reads_column(text: &str, table: &Table, column: &Name) -> bool {
    let text = text.to_lowercase();
    let all = text.match_indices('*').any(|(at, _)| {
        let before = text[..at].trim_end();
        before.ends_with(['.', ','])
            || ["select", "distinct", "all"].iter().any(|word| before.ends_with(word))
    });
    has_word(&text, &table.name.name.as_str().to_lowercase())
        && (all || has_word(&text, &column.as_str().to_lowercase()) || has_word(&text, "natural"))
}
