use std::collections::BTreeSet;

use dbwright_model::catalog::{Catalog, IndexKey, TableKind, Trigger};
use dbwright_model::engine::Engine;
use dbwright_model::expression::{DataStatement, Expr, FromItem, Literal, Query, QueryBody, Source};
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::Remedy;

use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    weight: 4,
    raised_by: &[Fact::Triggers],
    reads_views: true,
    engines: Engines::only(Engine::Sqlite, "double quotes always mean the same there"),
    when: "a word in double quotes names no column and so is taken for a string",
    then: "A misspelt column becomes a constant without any error, and newer builds of SQLite refuse to read the schema.",
    instead: "Write strings in single quotes, and correct the column if one was meant.",
    source: "SQLite documentation: double-quoted string literals are accepted by mistake",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for table in context.own_tables() {
        for column in &table.columns {
            let default = column.default.as_ref().and_then(|default| default.tree.as_deref());
            let generated =
                column.generated.as_ref().and_then(|generated| generated.expression.tree.as_deref());
            for tree in default.into_iter().chain(generated) {
                findings.examined(1);
                if let Some(word) = quoted(tree).first() {
                    let object = ObjectRef::column(&table.name, &column.name);
                    findings.add(found(object, format!("`{}.{}`", table.name, column.name), word));
                }
            }
        }
        for check in &table.checks {
            findings.examined(1);
            let Some(tree) = check.expression.tree.as_deref() else { continue };
            let Some(word) = quoted(tree).first().copied() else { continue };
            let columns = tree.columns();
            let object = match (&check.name, columns.is_empty()) {
                (Some(name), _) => ObjectRef::constraint(&table.name, name.as_str()),
                (None, false) => ObjectRef::columns(&table.name, columns),
                (None, true) => ObjectRef::table(&table.name),
            };
            findings.add(found(object, format!("a check of `{}`", table.name), word));
        }
        for index in &table.indexes {
            let keys = index.parts.iter().filter_map(|part| match &part.key {
                IndexKey::Expression(expression) => Some(expression),
                IndexKey::Column(_) => None,
            });
            for expression in keys.chain(&index.predicate) {
                findings.examined(1);
                let Some(tree) = expression.tree.as_deref() else { continue };
                if let Some(word) = quoted(tree).first() {
                    let object = ObjectRef::index(&table.name, &index.name);
                    findings.add(found(object, format!("the index `{}`", index.name), word));
                }
            }
        }
    }
    let names = known_names(context.catalog());
    // A word could be a column of a virtual table, which only its module knows; a file has none of them.
    let hidden = context
        .catalog()
        .tables
        .iter()
        .any(|table| matches!(table.kind, TableKind::Virtual { .. }) && table.columns.is_empty());
    let (views, triggers) = (&context.catalog().views, triggers(context.catalog()));
    if hidden {
        let left = views.len() + triggers.count();
        findings.not_seen(left as u64, "places stand beside virtual tables whose columns are not known");
        return;
    }
    for view in views {
        let Some(query) = &view.query else { continue };
        findings.examined(1);
        let mut words = Vec::new();
        in_query(query, &mut words);
        if let Some(word) = words.into_iter().find(|word| !names.contains(&word.to_ascii_lowercase())) {
            findings.add(found(ObjectRef::view(&view.name), format!("the view `{}`", view.name), word));
        }
    }
    for trigger in triggers {
        let Some(program) = &trigger.program else { continue };
        findings.examined(1);
        let mut words = program.condition.as_ref().map(quoted).unwrap_or_default();
        for statement in &program.statements {
            in_statement(statement, &mut words);
        }
        if let Some(word) = words.into_iter().find(|word| !names.contains(&word.to_ascii_lowercase())) {
            let object = ObjectRef::trigger(&trigger.table, &trigger.name);
            findings.add(found(object, format!("the trigger `{}`", trigger.name), word));
        }
    }
}

fn triggers(catalog: &Catalog) -> impl Iterator<Item = &Trigger> {
    catalog.triggers.known().into_iter().flatten()
}

/// Words in double quotes in the conditions and values of a trigger's statement.
fn in_statement<'a>(statement: &'a DataStatement, words: &mut Vec<&'a str>) {
    let (values, filter): (Vec<&Expr>, &Option<Expr>) = match statement {
        DataStatement::Query(query) => return in_query(query, words),
        DataStatement::Insert { source, .. } => {
            if let Some(query) = source {
                in_query(query, words);
            }
            return;
        }
        DataStatement::Update { assignments, filter, .. } => {
            (assignments.iter().map(|(_, value)| value).collect(), filter)
        }
        DataStatement::Delete { filter, .. } => (Vec::new(), filter),
    };
    for expr in values.into_iter().chain(filter) {
        in_expr(expr, words);
    }
}

/// Words in double quotes in an expression and in the queries inside of it.
fn in_expr<'a>(expr: &'a Expr, words: &mut Vec<&'a str>) {
    words.extend(quoted(expr));
    expr.walk(&mut |inner| match inner {
        Expr::InQuery { query, .. } | Expr::Exists { query, .. } => in_query(query, words),
        Expr::Subquery(query) => in_query(query, words),
        _ => {}
    });
}

fn found(object: ObjectRef, place: String, word: &str) -> Found {
    Found::at(object, format!("The word \"{word}\" in {place} names no column and is taken for a string."))
        .remedy(Remedy::manual(RULE.instead))
}

/// The words in double quotes that were not seen to name a column.
fn quoted(tree: &Expr) -> Vec<&str> {
    let mut words = Vec::new();
    tree.walk(&mut |expr| {
        if let Expr::Literal(Literal::DoubleQuoted(word)) = expr {
            words.push(word.as_str());
        }
    });
    words
}

/// The columns of `json_each` and `json_tree`.
const JSON_COLUMNS: [&str; 10] =
    ["key", "value", "type", "atom", "id", "parent", "fullkey", "path", "json", "root"];

/// Every name that a word in a view or trigger could mean: a column of anything, or an alias given in a query.
fn known_names(catalog: &Catalog) -> BTreeSet<String> {
    let mut names: BTreeSet<String> =
        ["rowid", "oid", "_rowid_", "rank"].into_iter().chain(JSON_COLUMNS).map(str::to_owned).collect();
    // A full-text table has a column of its own name.
    names.extend(catalog.tables.iter().map(|table| table.name.name.as_str().to_ascii_lowercase()));
    let columns = catalog.tables.iter().flat_map(|table| &table.columns);
    let view_columns = catalog.views.iter().flat_map(|view| &view.columns);
    names.extend(columns.chain(view_columns).map(|column| column.name.as_str().to_ascii_lowercase()));
    let in_views = catalog.views.iter().filter_map(|view| view.query.as_deref());
    let programs = triggers(catalog).filter_map(|trigger| trigger.program.as_deref());
    let in_triggers =
        programs.flat_map(|program| &program.statements).flat_map(|statement| match statement {
            DataStatement::Query(query) => vec![query],
            DataStatement::Insert { source, .. } => source.iter().map(|query| &**query).collect(),
            DataStatement::Update { from, .. } | DataStatement::Delete { from, .. } => queries(from),
        });
    for query in in_views.chain(in_triggers) {
        aliases(query, &mut names);
    }
    names
}

fn aliases(query: &Query, names: &mut BTreeSet<String>) {
    for member in query.with.iter().filter_map(|member| member.query.as_deref()) {
        aliases(member, names);
    }
    match &query.body {
        QueryBody::Select(select) => {
            let given = select.items.iter().filter_map(|item| item.alias.as_ref());
            names.extend(given.map(|alias| alias.as_str().to_ascii_lowercase()));
            queries(&select.from).into_iter().for_each(|query| aliases(query, names));
        }
        QueryBody::SetOperation { left, right, .. } => {
            aliases(left, names);
            aliases(right, names);
        }
        QueryBody::Values(_) | QueryBody::Other(_) => {}
    }
}

fn sources(from: &[FromItem]) -> Vec<&Source> {
    from.iter()
        .flat_map(|item| std::iter::once(&item.source).chain(item.joins.iter().map(|join| &join.source)))
        .flat_map(|source| match source {
            Source::Nested(inner) => sources(std::slice::from_ref(inner)),
            other => vec![other],
        })
        .collect()
}

/// The queries that stand in a `FROM`.
fn queries(from: &[FromItem]) -> Vec<&Query> {
    let found = sources(from).into_iter().filter_map(|source| match source {
        Source::Query { query, .. } => Some(query.as_ref()),
        _ => None,
    });
    found.collect()
}

/// Words in double quotes in the conditions and values of a query.
fn in_query<'a>(query: &'a Query, words: &mut Vec<&'a str>) {
    for member in query.with.iter().filter_map(|member| member.query.as_deref()) {
        in_query(member, words);
    }
    match &query.body {
        QueryBody::Select(select) => {
            let items = select.items.iter().map(|item| &item.expr);
            let joins = select.from.iter().flat_map(|item| &item.joins).filter_map(|join| join.on.as_ref());
            let clauses = select.filter.iter().chain(&select.having).chain(&select.group_by);
            for expr in items.chain(joins).chain(clauses) {
                in_expr(expr, words);
            }
            queries(&select.from).into_iter().for_each(|query| in_query(query, words));
        }
        QueryBody::SetOperation { left, right, .. } => {
            in_query(left, words);
            in_query(right, words);
        }
        QueryBody::Values(rows) => rows.iter().flatten().for_each(|value| in_expr(value, words)),
        QueryBody::Other(_) => {}
    }
}
