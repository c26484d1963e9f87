//! The definitions of objects as statements of PostgreSQL.

use dbwright_model::catalog::{
    Check, Column, Exclusion, ForeignKey, Function, FunctionKind, Identity, Index, IndexKey, IndexPart, Key,
    NotNull, Persistence, Policy, ReferentialAction, ReplicaIdentity, Sequence, Table, TableKind, Trigger,
    UserTypeKind, View, Volatility,
};
use dbwright_model::change::SequenceChanges;
use dbwright_model::data_type::TypeKind;
use dbwright_model::expression::{Expr, Expression};
use dbwright_model::name::{Name, QualifiedName};

use super::expression;
use super::object::bounds;
use super::quote::{identifier, literal, qualified};
use super::write::{
    alter, concurrent, generated, if_not, list, quote_collation, quoted, role, setting_name, setting_value,
};

/// The comma-separated lines of a `CREATE TABLE`, then its indexes and what else has statements of its own.
pub(super) fn create_table(table: &Table, if_not_exists: bool, like: Option<String>) -> Option<Vec<String>> {
    let persistence = match table.persistence {
        Persistence::Permanent => "",
        Persistence::Unlogged => "UNLOGGED ",
        Persistence::Temporary => "TEMPORARY ",
    };
    let foreign = if matches!(table.kind, TableKind::Foreign { .. }) { "FOREIGN " } else { "" };
    let mut lines: Vec<String> = Vec::new();
    let partition = matches!(table.kind, TableKind::Partition { .. });
    if table.of_type.is_none() && !partition {
        lines.extend(table.columns.iter().map(column_definition));
    }
    lines.extend(like);
    lines.extend(table.primary_key.iter().map(|key| key_constraint("PRIMARY KEY", key, None)));
    lines.extend(table.uniques.iter().map(|key| key_constraint("UNIQUE", key, None)));
    lines.extend(table.checks.iter().map(check_constraint));
    lines.extend(table.foreign_keys.iter().map(foreign_key_constraint));
    lines.extend(table.exclusions.iter().map(exclusion_constraint));
    let mut sql =
        format!("CREATE {persistence}{foreign}TABLE {}{}", if_not(if_not_exists), qualified(&table.name));
    let body = format!(" (\n    {}\n)", lines.join(",\n    "));
    match &table.kind {
        TableKind::Partition { of, bound } => {
            sql.push_str(&format!(" PARTITION OF {}", qualified(of)));
            if !lines.is_empty() {
                sql.push_str(&body);
            }
            sql.push_str(&format!(" {bound}"));
        }
        _ if table.of_type.is_some() => {
            if let Some(of_type) = &table.of_type {
                sql.push_str(&format!(" OF {}", qualified(of_type)));
            }
            if !lines.is_empty() {
                sql.push_str(&body);
            }
        }
        _ if lines.is_empty() => sql.push_str(" ()"),
        _ => sql.push_str(&body),
    }
    if !table.inherits.is_empty() {
        let parents: Vec<String> = table.inherits.iter().map(qualified).collect();
        sql.push_str(&format!(" INHERITS ({})", parents.join(", ")));
    }
    match &table.kind {
        TableKind::Partitioned { strategy, key } => {
            sql.push_str(&format!(" PARTITION BY {} ({key})", strategy.as_str().to_ascii_uppercase()));
        }
        TableKind::Foreign { server } => sql.push_str(&format!(" SERVER {}", quoted(server))),
        _ => {}
    }
    if let Some(key) = &table.sub_partitioned {
        let strategy = key.strategy.as_str().to_ascii_uppercase();
        sql.push_str(&format!(" PARTITION BY {strategy} ({})", key.key));
    }
    if let Some(method) = &table.access_method {
        sql.push_str(&format!(" USING {}", quoted(method)));
    }
    if !table.options.is_empty() {
        sql.push_str(&format!(" WITH ({})", parameters(&table.options)));
    }
    if let Some(tablespace) = &table.tablespace {
        sql.push_str(&format!(" TABLESPACE {}", quoted(tablespace)));
    }
    let mut all = vec![sql];
    for index in table.indexes.iter().filter(|index| index.backs.is_none()) {
        all.push(create_index(&table.name, index, false, false, false)?);
        if let Some(comment) = &index.comment {
            let index = table.name.sibling(&index.name);
            all.push(format!("COMMENT ON INDEX {} IS {}", qualified(&index), literal(comment)));
        }
    }
    if let Some(index) = &table.clustered_on {
        all.push(format!("{} CLUSTER ON {}", alter(&table.name), quoted(index)));
    }
    for column in &table.columns {
        let alter_column = format!("{} ALTER COLUMN {}", alter(&table.name), quoted(&column.name));
        if let Some(target) = column.statistics_target {
            all.push(format!("{alter_column} SET STATISTICS {target}"));
        }
        if let Some(storage) = &column.storage {
            all.push(format!("{alter_column} SET STORAGE {}", storage.as_str().to_ascii_uppercase()));
        }
        if !column.options.is_empty() {
            all.push(format!("{alter_column} SET ({})", parameters(&column.options)));
        }
    }
    if table.row_security.enabled {
        all.push(format!("{} ENABLE ROW LEVEL SECURITY", alter(&table.name)));
    }
    if table.row_security.forced {
        all.push(format!("{} FORCE ROW LEVEL SECURITY", alter(&table.name)));
    }
    if table.replica_identity != ReplicaIdentity::Default {
        all.push(format!(
            "{} REPLICA IDENTITY {}",
            alter(&table.name),
            replica_identity(&table.replica_identity)
        ));
    }
    if let Some(owner) = &table.owner {
        all.push(format!("{} OWNER TO {}", alter(&table.name), role(owner)));
    }
    if let Some(comment) = &table.comment {
        all.push(format!("COMMENT ON TABLE {} IS {}", qualified(&table.name), literal(comment)));
    }
    for column in &table.columns {
        if let Some(comment) = &column.comment {
            let name = format!("{}.{}", qualified(&table.name), quoted(&column.name));
            all.push(format!("COMMENT ON COLUMN {name} IS {}", literal(comment)));
        }
    }
    Some(all)
}

pub(super) fn column_definition(column: &Column) -> String {
    let mut sql = quoted(&column.name);
    let serial = column.auto_increment.then_some(match column.data_type.kind {
        TypeKind::SmallInt => "smallserial",
        TypeKind::BigInt => "bigserial",
        _ => "serial",
    });
    sql.push(' ');
    sql.push_str(serial.unwrap_or(column.data_type.text.as_str()));
    if let Some(compression) = &column.compression {
        sql.push_str(&format!(" COMPRESSION {}", quoted(compression)));
    }
    if let Some(collation) = &column.collation {
        sql.push_str(&format!(" COLLATE {}", quote_collation(collation)));
    }
    if let Some(default) = column.default.as_ref().filter(|_| serial.is_none()) {
        sql.push_str(&format!(" DEFAULT {}", operand(default)));
    }
    if let Some(identity) = column.identity {
        sql.push_str(&format!(" GENERATED {} AS IDENTITY", generated(identity)));
    }
    if let Some(made) = &column.generated {
        let stored = if made.stored { "STORED" } else { "VIRTUAL" };
        sql.push_str(&format!(" GENERATED ALWAYS AS ({}) {stored}", made.expression.text));
    }
    if column.not_null && column.identity.is_none() && serial.is_none() {
        match &column.not_null_constraint {
            Some(constraint) => {
                sql.push_str(&format!(" {}NOT NULL", named(constraint.name.as_ref())));
                sql.push_str(no_inherit(constraint.no_inherit));
            }
            None => sql.push_str(" NOT NULL"),
        }
    }
    sql
}

fn no_inherit(no_inherit: bool) -> &'static str {
    if no_inherit { " NO INHERIT" } else { "" }
}

/// `CONSTRAINT name NOT NULL column` of PostgreSQL 18.
pub(super) fn not_null_constraint(column: &Name, constraint: &NotNull) -> String {
    format!(
        "{}NOT NULL {}{}{}",
        named(constraint.name.as_ref()),
        quoted(column),
        no_inherit(constraint.no_inherit),
        if constraint.validated { "" } else { " NOT VALID" }
    )
}

/// An expression where only operands of high precedence may stand, in parentheses when it is not one of them.
fn operand(expression: &Expression) -> String {
    let parsed;
    let tree = match &expression.tree {
        Some(tree) => Some(tree.as_ref()),
        None => {
            parsed = expression::expression(&expression.text);
            parsed.as_ref()
        }
    };
    let plain = matches!(
        tree,
        Some(Expr::Literal(_) | Expr::Call(_) | Expr::Cast { .. } | Expr::Array(_) | Expr::Column { .. })
    );
    if plain { expression.text.clone() } else { format!("({})", expression.text) }
}

fn named(name: Option<&Name>) -> String {
    match name.filter(|name| !name.is_empty()) {
        Some(name) => format!("CONSTRAINT {} ", quoted(name)),
        None => String::new(),
    }
}

fn deferrable(deferrable: bool, initially_deferred: bool) -> &'static str {
    match (deferrable, initially_deferred) {
        (_, true) => " DEFERRABLE INITIALLY DEFERRED",
        (true, false) => " DEFERRABLE",
        (false, false) => "",
    }
}

pub(super) fn key_constraint(kind: &str, key: &Key, using_index: Option<&Name>) -> String {
    let name = named(key.name.as_ref());
    let deferrable = deferrable(key.deferrable, key.initially_deferred);
    if let Some(index) = using_index {
        return format!("{name}{kind} USING INDEX {}{deferrable}", quoted(index));
    }
    let nulls = if key.nulls_not_distinct { " NULLS NOT DISTINCT" } else { "" };
    let overlaps = if key.without_overlaps { " WITHOUT OVERLAPS" } else { "" };
    let mut sql = format!("{name}{kind}{nulls} ({}{overlaps})", list(&key.columns));
    if !key.include.is_empty() {
        sql.push_str(&format!(" INCLUDE ({})", list(&key.include)));
    }
    if !key.options.is_empty() {
        sql.push_str(&format!(" WITH ({})", parameters(&key.options)));
    }
    if let Some(tablespace) = &key.tablespace {
        sql.push_str(&format!(" USING INDEX TABLESPACE {}", quoted(tablespace)));
    }
    sql.push_str(deferrable);
    sql
}

pub(super) fn check_constraint(check: &Check) -> String {
    format!(
        "{}CHECK ({}){}{}",
        named(check.name.as_ref()),
        check.expression.text,
        no_inherit(check.no_inherit),
        validity(check.validated, check.enforced)
    )
}

fn validity(validated: bool, enforced: bool) -> &'static str {
    match (validated, enforced) {
        (_, false) => " NOT ENFORCED",
        (false, true) => " NOT VALID",
        (true, true) => "",
    }
}

pub(super) fn foreign_key_constraint(key: &ForeignKey) -> String {
    let columns = |names: &[Name]| match names.split_last() {
        Some((last, [])) if key.period => format!("PERIOD {}", quoted(last)),
        Some((last, rest)) if key.period => format!("{}, PERIOD {}", list(rest), quoted(last)),
        _ => list(names),
    };
    let mut sql = format!(
        "{}FOREIGN KEY ({}) REFERENCES {}",
        named(key.name.as_ref()),
        columns(&key.columns),
        qualified(&key.references)
    );
    if !key.referenced_columns.is_empty() {
        sql.push_str(&format!(" ({})", columns(&key.referenced_columns)));
    }
    if key.match_full {
        sql.push_str(" MATCH FULL");
    }
    for (event, action) in [("DELETE", key.on_delete), ("UPDATE", key.on_update)] {
        let action = match action {
            ReferentialAction::NoAction => continue,
            ReferentialAction::Restrict => "RESTRICT",
            ReferentialAction::Cascade => "CASCADE",
            ReferentialAction::SetNull => "SET NULL",
            ReferentialAction::SetDefault => "SET DEFAULT",
        };
        sql.push_str(&format!(" ON {event} {action}"));
        if event == "DELETE" && !key.on_delete_columns.is_empty() {
            sql.push_str(&format!(" ({})", list(&key.on_delete_columns)));
        }
    }
    sql.push_str(deferrable(key.deferrable, key.initially_deferred));
    sql.push_str(validity(key.validated, key.enforced));
    sql
}

pub(super) fn exclusion_constraint(exclusion: &Exclusion) -> String {
    format!("{}{}", named(Some(&exclusion.name)), exclusion.definition)
}

pub(super) fn create_index(
    table: &QualifiedName,
    index: &Index,
    concurrently: bool,
    if_not_exists: bool,
    only: bool,
) -> Option<String> {
    let parts: Vec<String> = index.parts.iter().map(index_part).collect::<Option<_>>()?;
    let mut sql = format!(
        "CREATE {}INDEX {}{}",
        if index.unique { "UNIQUE " } else { "" },
        concurrent(concurrently),
        if_not(if_not_exists)
    );
    if !index.name.is_empty() {
        sql.push_str(&format!("{} ", quoted(&index.name)));
    }
    sql.push_str(&format!("ON {}{}", if only { "ONLY " } else { "" }, qualified(table)));
    if !index.is_btree() {
        sql.push_str(&format!(" USING {}", quoted(&index.method)));
    }
    sql.push_str(&format!(" ({})", parts.join(", ")));
    if !index.include.is_empty() {
        sql.push_str(&format!(" INCLUDE ({})", list(&index.include)));
    }
    if index.nulls_not_distinct {
        sql.push_str(" NULLS NOT DISTINCT");
    }
    if !index.options.is_empty() {
        sql.push_str(&format!(" WITH ({})", parameters(&index.options)));
    }
    if let Some(tablespace) = &index.tablespace {
        sql.push_str(&format!(" TABLESPACE {}", quoted(tablespace)));
    }
    if let Some(predicate) = &index.predicate {
        sql.push_str(&format!(" WHERE {}", predicate.text));
    }
    Some(sql)
}

fn index_part(part: &IndexPart) -> Option<String> {
    if part.prefix.is_some() {
        return None;
    }
    let mut sql = match &part.key {
        IndexKey::Column(name) => quoted(name),
        IndexKey::Expression(expression) => format!("({})", expression.text),
    };
    if let Some(collation) = &part.collation {
        sql.push_str(&format!(" COLLATE {}", quote_collation(collation)));
    }
    if let Some(class) = &part.operator_class {
        sql.push_str(&format!(" {}", quoted(class)));
    }
    sql.push_str(match (part.descending, part.nulls_first) {
        (false, false) => "",
        (false, true) => " NULLS FIRST",
        (true, true) => " DESC",
        (true, false) => " DESC NULLS LAST",
    });
    Some(sql)
}

pub(super) fn replica_identity(identity: &ReplicaIdentity) -> String {
    match identity {
        ReplicaIdentity::Default => "DEFAULT".to_owned(),
        ReplicaIdentity::Nothing => "NOTHING".to_owned(),
        ReplicaIdentity::Full => "FULL".to_owned(),
        ReplicaIdentity::Index(index) => format!("USING INDEX {}", quoted(index)),
    }
}

pub(super) fn parameter_name(name: &Name) -> String {
    name.as_str().split('.').map(identifier).collect::<Vec<_>>().join(".")
}

pub(super) fn parameter_names(options: &[(Name, String)]) -> String {
    options.iter().map(|(name, _)| parameter_name(name)).collect::<Vec<_>>().join(", ")
}

pub(super) fn parameters(options: &[(Name, String)]) -> String {
    let written: Vec<String> = options
        .iter()
        .map(|(name, value)| {
            let plain = !value.is_empty()
                && (value.parse::<f64>().is_ok_and(f64::is_finite)
                    || identifier(value) == *value
                    || matches!(value.as_str(), "true" | "false" | "on"));
            let value = if plain { value.clone() } else { literal(value) };
            format!("{} = {value}", parameter_name(name))
        })
        .collect();
    written.join(", ")
}

pub(super) fn create_view(view: &View, or_replace: bool, if_not_exists: bool) -> Option<Vec<String>> {
    let mut options = view.options.clone();
    let mut check = "";
    if !view.materialized {
        options.retain(|(name, value)| {
            if *name == "check_option" {
                check = if value == "local" { " WITH LOCAL CHECK OPTION" } else { " WITH CHECK OPTION" };
            }
            *name != "check_option"
        });
    }
    let columns: Vec<Name> = view.columns.iter().map(|column| column.name.clone()).collect();
    let mut sql = format!(
        "CREATE {}{}VIEW {}{}",
        if or_replace { "OR REPLACE " } else { "" },
        if view.materialized { "MATERIALIZED " } else { "" },
        if_not(if_not_exists),
        qualified(&view.name)
    );
    if !columns.is_empty() {
        sql.push_str(&format!(" ({})", list(&columns)));
    }
    if let Some(method) = &view.access_method {
        sql.push_str(&format!(" USING {}", quoted(method)));
    }
    if !options.is_empty() {
        sql.push_str(&format!(" WITH ({})", parameters(&options)));
    }
    if let Some(tablespace) = &view.tablespace {
        sql.push_str(&format!(" TABLESPACE {}", quoted(tablespace)));
    }
    let definition = view.definition.trim().trim_end_matches(';').trim_end();
    sql.push_str(&format!(" AS {definition}{check}"));
    if view.materialized && !view.populated {
        sql.push_str(" WITH NO DATA");
    }
    let mut all = vec![sql];
    for index in &view.indexes {
        all.push(create_index(&view.name, index, false, false, false)?);
    }
    if let Some(comment) = &view.comment {
        let kind = if view.materialized { "MATERIALIZED VIEW" } else { "VIEW" };
        all.push(format!("COMMENT ON {kind} {} IS {}", qualified(&view.name), literal(comment)));
    }
    Some(all)
}

pub(super) fn create_sequence(sequence: &Sequence, if_not_exists: bool) -> String {
    let mut sql = format!("CREATE SEQUENCE {}{}", if_not(if_not_exists), qualified(&sequence.name));
    if sequence.data_type.kind != TypeKind::BigInt {
        sql.push_str(&format!(" AS {}", sequence.data_type.text));
    }
    let (lowest, highest) = bounds(&sequence.data_type);
    let down = sequence.increment < 0;
    let (min, max) = if down { (lowest, -1) } else { (1, highest) };
    if sequence.increment != 1 {
        sql.push_str(&format!(" INCREMENT BY {}", sequence.increment));
    }
    if sequence.min != min {
        sql.push_str(&format!(" MINVALUE {}", sequence.min));
    }
    if sequence.max != max {
        sql.push_str(&format!(" MAXVALUE {}", sequence.max));
    }
    if sequence.start != if down { sequence.max } else { sequence.min } {
        sql.push_str(&format!(" START WITH {}", sequence.start));
    }
    if sequence.cycle {
        sql.push_str(" CYCLE");
    }
    if let Some((table, column)) = &sequence.owned_by {
        sql.push_str(&format!(" OWNED BY {}.{}", qualified(table), quoted(column)));
    }
    sql
}

/// The clauses of a sequence that were said.
fn sequence_clauses(changes: &SequenceChanges) -> Vec<String> {
    let mut clauses = Vec::new();
    if let Some(name) = &changes.name {
        clauses.push(format!("SEQUENCE NAME {}", qualified(name)));
    }
    if let Some(data_type) = &changes.data_type {
        clauses.push(format!("AS {}", data_type.text));
    }
    if let Some(start) = changes.start {
        clauses.push(format!("START WITH {start}"));
    }
    if let Some(increment) = changes.increment {
        clauses.push(format!("INCREMENT BY {increment}"));
    }
    match changes.min {
        Some(min) => clauses.push(format!("MINVALUE {min}")),
        None if changes.no_min => clauses.push("NO MINVALUE".to_owned()),
        None => {}
    }
    match changes.max {
        Some(max) => clauses.push(format!("MAXVALUE {max}")),
        None if changes.no_max => clauses.push("NO MAXVALUE".to_owned()),
        None => {}
    }
    if let Some(cache) = changes.cache {
        clauses.push(format!("CACHE {cache}"));
    }
    if let Some(cycle) = changes.cycle {
        clauses.push(if cycle { "CYCLE" } else { "NO CYCLE" }.to_owned());
    }
    match &changes.owned_by {
        Some(Some((table, column))) => {
            clauses.push(format!("OWNED BY {}.{}", qualified(table), quoted(column)));
        }
        Some(None) => clauses.push("OWNED BY NONE".to_owned()),
        None => {}
    }
    match (changes.restart, changes.restart_with) {
        (_, Some(value)) => clauses.push(format!("RESTART WITH {value}")),
        (true, None) => clauses.push("RESTART".to_owned()),
        (false, None) => {}
    }
    clauses
}

/// The options of a new identity column's sequence, in parentheses.
pub(super) fn identity_options(changes: &SequenceChanges) -> String {
    let clauses = sequence_clauses(changes);
    if clauses.is_empty() { String::new() } else { format!(" ({})", clauses.join(" ")) }
}

/// The clauses by which an identity column is altered.
pub(super) fn identity_changes(identity: Option<Identity>, changes: &SequenceChanges) -> String {
    let mut clauses: Vec<String> =
        identity.map(|identity| format!("SET GENERATED {}", generated(identity))).into_iter().collect();
    clauses.extend(
        sequence_clauses(changes)
            .into_iter()
            .map(|clause| if clause.starts_with("RESTART") { clause } else { format!("SET {clause}") }),
    );
    clauses.join(" ")
}

pub(super) fn alter_sequence(
    name: &QualifiedName,
    changes: &SequenceChanges,
    if_exists: bool,
) -> Option<Vec<String>> {
    let clauses = sequence_clauses(changes);
    let exists = if if_exists { "IF EXISTS " } else { "" };
    let mut all = Vec::new();
    if !clauses.is_empty() {
        all.push(format!("ALTER SEQUENCE {exists}{} {}", qualified(name), clauses.join(" ")));
    }
    if let Some(to) = &changes.rename {
        all.push(format!("ALTER SEQUENCE {exists}{} RENAME TO {}", qualified(name), quoted(to)));
    }
    Some(all)
}

pub(super) fn create_type(name: &QualifiedName, kind: &UserTypeKind) -> Option<String> {
    Some(match kind {
        UserTypeKind::Enum(labels) => {
            let labels: Vec<String> = labels.iter().map(|label| literal(label)).collect();
            format!("CREATE TYPE {} AS ENUM ({})", qualified(name), labels.join(", "))
        }
        UserTypeKind::Domain { base, not_null, default, checks } => {
            let mut sql = format!("CREATE DOMAIN {} AS {}", qualified(name), base.text);
            if let Some(default) = default {
                sql.push_str(&format!(" DEFAULT {}", operand(default)));
            }
            if *not_null {
                sql.push_str(" NOT NULL");
            }
            for check in checks {
                sql.push_str(&format!(" {}", check_constraint(check)));
            }
            sql
        }
        UserTypeKind::Composite(fields) => {
            let fields: Vec<String> = fields
                .iter()
                .map(|(name, data_type)| format!("{} {}", quoted(name), data_type.text))
                .collect();
            format!("CREATE TYPE {} AS ({})", qualified(name), fields.join(", "))
        }
        UserTypeKind::Other => return None,
    })
}

pub(super) fn create_function(function: &Function, or_replace: bool) -> Option<String> {
    let kind = match function.kind {
        FunctionKind::Function => "FUNCTION",
        FunctionKind::Procedure => "PROCEDURE",
        FunctionKind::Aggregate | FunctionKind::Window => return None,
    };
    // Only the types of arguments are known, and a body speaks of their names.
    if !function.arguments.is_empty() && !matches!(function.language.as_str(), "c" | "internal") {
        return None;
    }
    let mut sql = format!(
        "CREATE {}{kind} {}({})",
        if or_replace { "OR REPLACE " } else { "" },
        qualified(&function.name),
        function.arguments
    );
    if function.kind == FunctionKind::Function {
        if function.returns.is_empty() {
            return None;
        }
        sql.push_str(&format!(" RETURNS {}", function.returns));
    }
    sql.push_str(&format!(" LANGUAGE {}", quoted(&function.language)));
    sql.push_str(match function.volatility {
        Volatility::Immutable => " IMMUTABLE",
        Volatility::Stable => " STABLE",
        Volatility::Volatile => "",
    });
    if function.leakproof {
        sql.push_str(" LEAKPROOF");
    }
    if function.security_definer {
        sql.push_str(" SECURITY DEFINER");
    }
    for (name, value) in &function.settings {
        sql.push_str(&format!(" SET {} TO {}", setting_name(name), setting_value(name, value)));
    }
    let head = function.body.trim_start().to_ascii_uppercase();
    if function.language == "sql" && (head.starts_with("BEGIN ATOMIC") || head.starts_with("RETURN ")) {
        sql.push_str(&format!(" {}", function.body));
    } else {
        sql.push_str(&format!(" AS {}", dollar_quoted(&function.body)));
    }
    Some(sql)
}

/// A text between dollar signs with a tag that it does not hold.
pub(super) fn dollar_quoted(text: &str) -> String {
    let mut tag = "$$".to_owned();
    while text.contains(&tag[..tag.len() - 1]) {
        tag = if tag == "$$" { "$body$".to_owned() } else { format!("{}_$", &tag[..tag.len() - 1]) };
    }
    format!("{tag}{text}{tag}")
}

pub(super) fn create_trigger(trigger: &Trigger, or_replace: bool) -> Option<String> {
    if !trigger.body.is_empty() {
        return trigger
            .body
            .get(..6)
            .filter(|word| word.eq_ignore_ascii_case("create"))
            .map(|_| trigger.body.clone());
    }
    let function = trigger.function.as_ref()?;
    let columns: Vec<String> = trigger.columns.iter().map(quoted).collect();
    let event = |event: &Name| match event.as_str() {
        "UPDATE" if !columns.is_empty() => format!("UPDATE OF {}", columns.join(", ")),
        other => other.to_owned(),
    };
    let when = trigger.when.as_ref().map_or_else(String::new, |when| format!(" WHEN ({})", when.text));
    Some(format!(
        "CREATE {}TRIGGER {} {} {} ON {} FOR EACH {}{when} EXECUTE FUNCTION {}()",
        if or_replace { "OR REPLACE " } else { "" },
        quoted(&trigger.name),
        trigger.timing,
        trigger.events.iter().map(event).collect::<Vec<_>>().join(" OR "),
        qualified(&trigger.table),
        if trigger.for_each_row { "ROW" } else { "STATEMENT" },
        qualified(function)
    ))
}

pub(super) fn create_policy(policy: &Policy) -> String {
    let mut sql = format!("CREATE POLICY {} ON {}", quoted(&policy.name), qualified(&policy.table));
    if !policy.permissive {
        sql.push_str(" AS RESTRICTIVE");
    }
    if policy.command != "ALL" {
        sql.push_str(&format!(" FOR {}", policy.command));
    }
    if !(policy.roles.is_empty() || matches!(policy.roles.as_slice(), [only] if *only == "public")) {
        let roles: Vec<String> = policy.roles.iter().map(role).collect();
        sql.push_str(&format!(" TO {}", roles.join(", ")));
    }
    if let Some(using) = &policy.using {
        sql.push_str(&format!(" USING ({})", using.text));
    }
    if let Some(check) = &policy.check {
        sql.push_str(&format!(" WITH CHECK ({})", check.text));
    }
    sql
}
