//! Two catalogs as sets of lines, so that a difference names the object and the property.

use std::collections::BTreeSet;

use dbwright_model::catalog::{Catalog, Check, Column, Index, IndexKey, Table, TableKind, UserTypeKind};
use dbwright_model::engine::Dialect;
use dbwright_model::expression::{Expr, Expression, Literal};
use dbwright_model::observed::Observed;
use serde_json::Value;

/// How much of the texts must agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Texts {
    /// A dump spells expressions as the server does: the trees must be equal, casts aside.
    Trees,
    /// A script written by hand is rewritten by the server: the columns that an expression names must be equal.
    Columns,
}

/// What only one of two catalogs says, as lines that begin with `-` (first only) or `+` (second only).
pub fn differences(first: &Catalog, second: &Catalog, texts: Texts) -> Vec<String> {
    let (first, second) = (lines(first, texts), lines(second, texts));
    let mut found = one_sided(&first, &second, '-');
    found.append(&mut one_sided(&second, &first, '+'));
    found.sort();
    found
}

/// What only the first says; of an object that the second lacks, no more than its name.
fn one_sided(first: &BTreeSet<String>, second: &BTreeSet<String>, sign: char) -> Vec<String> {
    let mut found: Vec<&String> = Vec::new();
    for line in first.difference(second) {
        if !found.last().is_some_and(|object| line.starts_with(object.as_str())) {
            found.push(line);
        }
    }
    found.into_iter().map(|line| format!("{line}  {sign}")).collect()
}

/// A catalog as one line per property.
pub fn lines(catalog: &Catalog, texts: Texts) -> BTreeSet<String> {
    let mut catalog = catalog.clone();
    normalise(&mut catalog, texts);
    let value = serde_json::to_value(&catalog).expect("a catalog is plain data");
    let mut lines = BTreeSet::new();
    flatten("", &value, &mut lines);
    lines
}

fn flatten(path: &str, value: &Value, lines: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                flatten(&format!("{path}/{name}"), value, lines);
            }
        }
        Value::Array(items) => {
            let keyed = items.iter().all(|item| key_of(item).is_some());
            for (i, item) in items.iter().enumerate() {
                let key = if keyed { key_of(item).unwrap_or_default() } else { i.to_string() };
                // The order of columns matters, that of everything else with a name does not.
                let key = if path.ends_with("/columns") { format!("{i}:{key}") } else { key };
                let mut path = format!("{path}[{key}]");
                while lines.contains(&path) {
                    path.push('\'');
                }
                lines.insert(path.clone());
                flatten(&path, item, lines);
            }
        }
        other => {
            lines.insert(format!("{path} = {other}"));
        }
    }
}

fn key_of(item: &Value) -> Option<String> {
    let named = |value: &Value| match value {
        Value::String(name) => Some(name.clone()),
        Value::Object(name) => {
            let part = |field: &str| name.get(field).and_then(Value::as_str).unwrap_or_default();
            Some(format!("{}.{}", part("schema"), part("name")))
        }
        _ => None,
    };
    let key = named(item.get("name")?)?;
    match (item.get("arguments"), item.get("table")) {
        (Some(Value::String(arguments)), _) => Some(format!("{key}({arguments})")),
        (_, Some(table)) => Some(format!("{}:{key}", named(table)?)),
        _ => Some(key),
    }
}

/// Takes out what must differ between a server and a text, and why.
fn normalise(catalog: &mut Catalog, texts: Texts) {
    for schema in &mut catalog.schemas {
        // A dump may leave owners out, a script always does.
        schema.owner = None;
        if schema.name == "public" {
            // PostgreSQL's own words, which pg_dump leaves out.
            schema.comment = schema.comment.take().filter(|comment| comment != "standard public schema");
        }
    }
    // Only the server knows the columns of a virtual table, and a script does not name the tables behind it.
    catalog.tables.retain(|table| texts == Texts::Trees || table.kind != TableKind::Shadow);
    for table in &mut catalog.tables {
        match table.kind {
            TableKind::Virtual { .. } => table.columns.clear(),
            // SQLite makes them, and seldom spells their columns alike.
            TableKind::Shadow => *table = Table { name: table.name.clone(), ..Table::default() },
            // Since PostgreSQL 17 partitions share the identity of their parent, before they had none.
            TableKind::Partition { .. } => {
                for column in &mut table.columns {
                    column.identity = None;
                    column.sequence = None;
                }
            }
            _ => {}
        }
    }
    // What a text leaves in doubt is reported by itself.
    catalog.doubts.clear();
    // A dump says only that an extension is there, not what it brought.
    catalog.tables.retain(|table| table.extension.is_none());
    catalog.views.retain(|view| view.extension.is_none());
    catalog.types.retain(|user_type| user_type.extension.is_none());
    if let Some(functions) = catalog.functions.known_mut() {
        // The server makes constructors of range types by itself.
        functions.retain(|function| function.extension.is_none() && function.language != "internal");
    }
    // Both say that the engine has no such thing, each in its words.
    without_reason(&mut catalog.functions);
    without_reason(&mut catalog.policies);
    without_reason(&mut catalog.extensions);
    without_reason(&mut catalog.publications);
    for publication in catalog.publications.known_mut().into_iter().flatten() {
        for table in &mut publication.tables {
            // Which tables inherit is looked up once, when the statement runs.
            table.only = false;
            table.filter.iter_mut().for_each(|filter| normalise_expression(filter, texts));
        }
    }
    for rule in &mut catalog.rules {
        // The server prints it in its own way.
        rule.definition.clear();
    }
    for statistics in &mut catalog.statistics {
        statistics.expressions.iter_mut().for_each(|expression| normalise_expression(expression, texts));
    }
    for table in &mut catalog.tables {
        table.owner = None;
        // Only SQLite keeps it, and spells it as it was after the last ALTER.
        table.definition = None;
        if texts == Texts::Columns && catalog.engine.dialect() == Dialect::Mysql {
            // A script leaves the storage engine and collations to the server's defaults, a dump says them.
            table.storage_engine = table.storage_engine.take().filter(|engine| *engine != "InnoDB");
            table.collation = None;
            table.columns.iter_mut().for_each(|column| column.collation = None);
        }
        table.columns.iter_mut().for_each(|column| normalise_column(column, texts));
        if texts == Texts::Columns {
            // Version 18 alone names them, and keeps the name when the table or the column gets another.
            for column in &mut table.columns {
                column.not_null_constraint =
                    column.not_null_constraint.take().filter(|made| !made.validated || made.no_inherit);
            }
        }
        table.checks.iter_mut().for_each(|check| normalise_check(check, texts));
        table.indexes.iter_mut().for_each(|index| normalise_index(index, texts));
        for exclusion in &mut table.exclusions {
            exclusion.definition = text(&exclusion.definition, texts);
        }
        match &mut table.kind {
            TableKind::Partition { bound, .. } => *bound = text(bound, texts),
            TableKind::Partitioned { key, .. } => *key = text(key, texts),
            _ => {}
        }
    }
    for view in &mut catalog.views {
        view.owner = None;
        view.definition = text(view.definition.trim().trim_end_matches(';'), texts);
        // A dump of definitions leaves every view empty.
        view.populated = true;
        // A text tells the names of a view's columns only by chance, and their types never.
        view.columns.clear();
        view.indexes.iter_mut().for_each(|index| normalise_index(index, texts));
    }
    for user_type in &mut catalog.types {
        if let UserTypeKind::Domain { default, checks, .. } = &mut user_type.kind {
            default.iter_mut().for_each(|default| normalise_expression(default, texts));
            checks.iter_mut().for_each(|check| normalise_check(check, texts));
        }
    }
    for function in catalog.functions.known_mut().into_iter().flatten() {
        function.owner = None;
        function.body = function.body.trim().to_owned();
    }
    for trigger in catalog.triggers.known_mut().into_iter().flatten() {
        trigger.definer = None;
        trigger.body = text(&without_line_comments(&trigger.body), texts);
    }
    for policy in catalog.policies.known_mut().into_iter().flatten() {
        policy.using.iter_mut().for_each(|using| normalise_expression(using, texts));
        policy.check.iter_mut().for_each(|check| normalise_expression(check, texts));
    }
    for extension in catalog.extensions.known_mut().into_iter().flatten() {
        // A dump says only that the extension is there.
        extension.version = None;
        extension.available = None;
    }
}

fn without_reason<T>(section: &mut Observed<T>) {
    if let Observed::Unsupported(reason) = section {
        reason.clear();
    }
}

/// A body without `--` comments, which are lost inside of the version comments of a MariaDB dump.
fn without_line_comments(body: &str) -> String {
    body.lines().map(|line| line.split("-- ").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// A text whose spelling is the server's: its blanks do not count, and a script has its own spelling.
fn text(text: &str, texts: Texts) -> String {
    match texts {
        Texts::Trees => text.split_whitespace().collect::<Vec<_>>().join(" "),
        Texts::Columns => String::new(),
    }
}

fn normalise_column(column: &mut Column, texts: Texts) {
    column.default.iter_mut().for_each(|default| normalise_expression(default, texts));
    column.on_update.iter_mut().for_each(|update| normalise_expression(update, texts));
    column.generated.iter_mut().for_each(|generated| normalise_expression(&mut generated.expression, texts));
}

fn normalise_check(check: &mut Check, texts: Texts) {
    normalise_expression(&mut check.expression, texts);
}

fn normalise_index(index: &mut Index, texts: Texts) {
    // Where only the statement tells an index of SQLite, the collector leaves it in the options.
    index.options.retain(|(name, _)| *name != Index::DEFINITION);
    index.predicate.iter_mut().for_each(|predicate| normalise_expression(predicate, texts));
    for part in &mut index.parts {
        if let IndexKey::Expression(expression) = &mut part.key {
            normalise_expression(expression, texts);
        }
    }
}

fn normalise_expression(expression: &mut Expression, texts: Texts) {
    expression.text = match (&expression.tree, texts) {
        (Some(tree), Texts::Trees) => shape(tree),
        (Some(tree), Texts::Columns) => {
            let mut columns: Vec<&str> = tree.columns().iter().map(|name| name.as_str()).collect();
            columns.sort_unstable();
            format!("over {}", columns.join(", "))
        }
        // What cannot be read on either side must at least be spelled alike.
        (None, _) => format!("unread: {}", expression.text),
    };
}

/// The tree as text: casts, which servers add and drop at will, left out.
fn shape(expr: &Expr) -> String {
    match expr {
        Expr::Cast { operand, .. } => shape(operand),
        Expr::Column { name, .. } => name.to_string(),
        Expr::Literal(Literal::Number(text) | Literal::String(text)) => format!("{text:?}"),
        Expr::Unary { op, operand } if op == "-" => match operand.without_casts() {
            Expr::Literal(Literal::Number(text)) => format!("\"-{text}\""),
            _ => format!("-({})", shape(operand)),
        },
        Expr::Call(call) => {
            format!("{}({})", call.function(), call.args.iter().map(shape).collect::<Vec<_>>().join(", "))
        }
        Expr::Binary { op, left, right } => format!("({} {op} {})", shape(left), shape(right)),
        Expr::Literal(literal) => format!("{literal:?}"),
        other => {
            let debug = format!("{other:?}");
            let head: String = debug.chars().take_while(|c| c.is_alphanumeric()).collect();
            format!("{head}[{}]", other.children().into_iter().map(shape).collect::<Vec<_>>().join(", "))
        }
    }
}
