//! What must differ between a server and a text is taken out of both before they are compared.

use dbwright_model::catalog::{Catalog, Check, Column, Index, IndexKey, Table, TableKind, UserTypeKind};
use dbwright_model::data_type::{DataType, TypeKind};
use dbwright_model::engine::Dialect;
use dbwright_model::expression::{Expr, Expression, Literal};
use dbwright_model::observed::Observed;

use super::Texts;

/// Between what a text is compared by and how it is spelled, where the two are not the same.
pub(super) const SPELLED: char = '\u{1}';

/// What a comparison of these leaves out, as full sentences.
pub(super) fn left_out(expected: &Catalog, found: &Catalog, texts: Texts) -> Vec<String> {
    let mut said = vec!["Owners, privileges and rows are not part of the comparison.".to_owned()];
    let has = |is: &dyn Fn(&Catalog) -> bool| is(expected) || is(found);
    if has(&|catalog| {
        catalog.tables.iter().any(|table| matches!(table.kind, TableKind::Virtual { .. } | TableKind::Shadow))
    }) {
        said.push("Columns of virtual tables and of the tables behind them are not compared: only the server knows them.".to_owned());
    }
    if has(&|catalog| catalog.extensions.known().is_some_and(|all| !all.is_empty())) {
        said.push("What an extension brought, and its version, are not compared.".to_owned());
    }
    if texts == Texts::Trees {
        return said;
    }
    if has(&|catalog| {
        catalog.tables.iter().any(|table| {
            !table.checks.is_empty()
                || table.columns.iter().any(|column| column.default.is_some() || column.generated.is_some())
                || table.indexes.iter().any(|index| index.predicate.is_some() || index.columns().is_none())
        }) || catalog.policies.known().is_some_and(|all| !all.is_empty())
    }) {
        said.push(
            "The server rewrites expressions: of checks, computed defaults, generated columns, partial indexes and policies only \
             the columns that they name are compared."
                .to_owned(),
        );
    }
    if has(&|catalog| !catalog.views.is_empty()) {
        said.push("Queries of views are not compared: the server rewrites them.".to_owned());
    }
    if has(&|catalog| catalog.triggers.known().is_some_and(|all| all.iter().any(|one| !one.body.is_empty())))
    {
        said.push("Bodies of triggers are not compared: the server rewrites them.".to_owned());
    }
    if has(&|catalog| {
        catalog.tables.iter().any(|table| {
            !table.exclusions.is_empty()
                || matches!(table.kind, TableKind::Partition { .. } | TableKind::Partitioned { .. })
        })
    }) {
        said.push("Bounds and keys of partitions and exclusion constraints are compared by name only: the server rewrites them.".to_owned());
    }
    if has(&|catalog| catalog.engine.dialect() == Dialect::Mysql) {
        said.push("Collations are not compared: files leave them to the server's defaults.".to_owned());
    }
    said
}

/// Takes out what must differ, and says why.
pub(super) fn normalise(catalog: &mut Catalog, texts: Texts) {
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
            table.filter.iter_mut().for_each(|filter| expression(filter, texts));
        }
    }
    for rule in &mut catalog.rules {
        // The server prints it in its own way.
        rule.definition.clear();
    }
    for statistics in &mut catalog.statistics {
        statistics.expressions.iter_mut().for_each(|one| expression(one, texts));
    }
    let dialect = catalog.engine.dialect();
    catalog.tables.iter_mut().for_each(|one| table(one, dialect, texts));
    for view in &mut catalog.views {
        view.owner = None;
        view.definition = text(view.definition.trim().trim_end_matches(';'), texts);
        // A dump of definitions leaves every view empty.
        view.populated = true;
        // A text tells the names of a view's columns only by chance, and their types never.
        view.columns.clear();
        view.indexes.iter_mut().for_each(|one| index(one, texts));
    }
    for user_type in &mut catalog.types {
        if let UserTypeKind::Domain { default, checks, .. } = &mut user_type.kind {
            default.iter_mut().for_each(|default| expression(default, texts));
            checks.iter_mut().for_each(|one| check(one, texts));
        }
    }
    for function in catalog.functions.known_mut().into_iter().flatten() {
        function.owner = None;
        function.body = function.body.trim().to_owned();
    }
    for trigger in catalog.triggers.known_mut().into_iter().flatten() {
        trigger.definer = None;
        trigger.when.iter_mut().for_each(|when| expression(when, texts));
        trigger.body = text(&without_line_comments(&trigger.body), texts);
    }
    for policy in catalog.policies.known_mut().into_iter().flatten() {
        policy.using.iter_mut().for_each(|using| expression(using, texts));
        policy.check.iter_mut().for_each(|check| expression(check, texts));
    }
    for extension in catalog.extensions.known_mut().into_iter().flatten() {
        // A dump says only that the extension is there.
        extension.version = None;
        extension.available = None;
    }
}

fn table(table: &mut Table, dialect: Dialect, texts: Texts) {
    table.owner = None;
    // Only SQLite keeps it, and spells it as it was after the last ALTER.
    table.definition = None;
    if texts == Texts::Columns && dialect == Dialect::Mysql {
        // A script leaves the storage engine and collations to the server's defaults, a dump says them.
        table.storage_engine = table.storage_engine.take().filter(|engine| *engine != "InnoDB");
        table.collation = None;
        table.columns.iter_mut().for_each(|column| column.collation = None);
    }
    table.columns.iter_mut().for_each(|one| column(one, texts));
    if texts == Texts::Columns {
        // Version 18 alone names them, and keeps the name when the table or the column gets another.
        for column in &mut table.columns {
            column.not_null_constraint =
                column.not_null_constraint.take().filter(|made| !made.validated || made.no_inherit);
        }
    }
    table.checks.iter_mut().for_each(|one| check(one, texts));
    table.indexes.iter_mut().for_each(|one| index(one, texts));
    for exclusion in &mut table.exclusions {
        exclusion.definition = text(&exclusion.definition, texts);
    }
    match &mut table.kind {
        TableKind::Partition { bound, .. } => *bound = text(bound, texts),
        TableKind::Partitioned { key, .. } => *key = text(key, texts),
        _ => {}
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

fn column(column: &mut Column, texts: Texts) {
    if let Some(default) = &mut column.default {
        match plain_value(default, &column.data_type).filter(|_| texts == Texts::Columns) {
            Some(value) => default.text = format!("value {value}{SPELLED}{}", default.text),
            None => expression(default, texts),
        }
    }
    column.on_update.iter_mut().for_each(|update| expression(update, texts));
    column.generated.iter_mut().for_each(|generated| expression(&mut generated.expression, texts));
}

/// The value of a default that is a mere constant, where the type says how constants are told apart.
fn plain_value(default: &Expression, data_type: &DataType) -> Option<String> {
    let (sign, literal) = match default.tree.as_deref()?.without_casts() {
        Expr::Literal(literal) => ("", literal),
        Expr::Unary { op, operand } if op == "-" => match operand.without_casts() {
            Expr::Literal(literal) => ("-", literal),
            _ => return None,
        },
        _ => return None,
    };
    if data_type.array || data_type.user_type.is_some() {
        return None;
    }
    let text = match literal {
        Literal::Number(text) | Literal::String(text) => text.as_str(),
        _ => return None,
    };
    match data_type.kind {
        kind if kind.is_integer() || kind == TypeKind::Decimal => {
            let number: f64 = text.trim().parse().ok()?;
            Some(format!("{sign}{number}"))
        }
        TypeKind::Varchar | TypeKind::Text => Some(format!("{sign}{text}")),
        _ => None,
    }
}

fn check(check: &mut Check, texts: Texts) {
    expression(&mut check.expression, texts);
}

fn index(index: &mut Index, texts: Texts) {
    // Where only the statement tells an index of SQLite, the collector leaves it in the options.
    index.options.retain(|(name, _)| *name != Index::DEFINITION);
    index.predicate.iter_mut().for_each(|predicate| expression(predicate, texts));
    for part in &mut index.parts {
        if let IndexKey::Expression(one) = &mut part.key {
            expression(one, texts);
        }
    }
}

fn expression(expression: &mut Expression, texts: Texts) {
    let compared = match (&expression.tree, texts) {
        (Some(tree), Texts::Trees) => shape(tree),
        (Some(tree), Texts::Columns) => {
            let mut columns: Vec<&str> = tree.columns().iter().map(|name| name.as_str()).collect();
            columns.sort_unstable();
            format!("over {}", columns.join(", "))
        }
        // What cannot be read on either side must at least be spelled alike.
        (None, _) => return,
    };
    expression.text = format!("{compared}{SPELLED}{}", expression.text);
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
