//! Statements of PostgreSQL as changes.

use dbwright_model::change::{Change, DataKind, TransactionControl};
use dbwright_model::expression::{Expr, Literal, Query, QueryBody, Source};
use dbwright_model::name::{Name, QualifiedName};

use super::expression::has_word;
use super::syntax::{
    K, Node, Parsed, child, child_at, children, has, is_query, literal_text, name, name_in, qualified,
    qualified_in, qualify, segments, tokens, with_parsed,
};
use super::{alter_table, create_table, object, privilege, query};

/// Longest `INSERT` that is parsed; of a longer one only the table is read.
const LONGEST_INSERT: usize = 64 * 1024;

/// Parses one statement into its changes.
pub fn statement(text: &str) -> Vec<Change> {
    if let Some(change) = long_insert(text) {
        return vec![change];
    }
    with_parsed(text, changes).unwrap_or_else(|| {
        vec![Change::Opaque { because: "the statement nests too deeply".to_owned(), touches: Vec::new() }]
    })
}

/// The changes of everything in a parsed text.
fn changes(parsed: &Parsed<'_>) -> Vec<Change> {
    let statements: Vec<Node> = parsed.root.children().collect();
    let complaint = || match parsed.errors.first() {
        Some((at, message)) => super::words::complaint(parsed.text, *at, message),
        None => "it is written in no way that is known".to_owned(),
    };
    match statements.first() {
        None if parsed.errors.is_empty() => return vec![Change::Nothing],
        None => return vec![Change::Opaque { because: complaint(), touches: Vec::new() }],
        Some(_) => {}
    }
    if parsed.errors.is_empty() {
        return statements.iter().flat_map(|node| lower(parsed, node)).collect();
    }
    let because = complaint();
    let mut found = Vec::new();
    let mut touches = Vec::new();
    for node in &statements {
        match node.kind() {
            // These two are made of parts, so that what was understood can be told from what was not.
            K::CREATE_TABLE | K::ALTER_TABLE if found.is_empty() => found.extend(
                lower(parsed, node).into_iter().filter(|change| !matches!(change, Change::Opaque { .. })),
            ),
            _ => {}
        }
        touched(node, &mut touches);
    }
    found.push(Change::Opaque { because, touches });
    found
}

/// A statement that is not understood, and what it names.
pub(super) fn opaque(node: &Node, because: &str) -> Change {
    let mut touches = Vec::new();
    touched(node, &mut touches);
    Change::Opaque { because: because.to_owned(), touches }
}

/// The tables and views a statement names.
fn touched(node: &Node, touches: &mut Vec<QualifiedName>) {
    for node in node.descendants() {
        let named = match node.kind() {
            K::TABLE_NAME | K::TABLE_NAME_REF | K::RELATION_NAME_REF | K::VIEW | K::VIEW_REF => {
                qualified(&node)
            }
            _ => continue,
        };
        if !named.name.is_empty() && !touches.contains(&named) {
            touches.push(named);
        }
    }
}

/// Lowers one statement.
pub(super) fn lower(parsed: &Parsed<'_>, node: &Node) -> Vec<Change> {
    match node.kind() {
        K::CREATE_TABLE | K::CREATE_FOREIGN_TABLE => create_table::create_table(parsed, node),
        K::CREATE_TABLE_AS => create_table::create_table_as(parsed, node),
        K::ALTER_TABLE | K::ALTER_FOREIGN_TABLE => alter_table::alter_table(parsed, node),
        K::ALTER_MATERIALIZED_VIEW => alter_table::alter_materialized_view(parsed, node),
        K::DROP_TABLE | K::DROP_FOREIGN_TABLE => {
            dropped(node, K::TABLE_NAME_REF, |name, if_exists, cascade| Change::DropTable {
                name,
                if_exists,
                cascade,
            })
        }
        K::CREATE_INDEX => object::create_index(parsed, node),
        K::DROP_INDEX => {
            let concurrently = has(node, K::CONCURRENTLY_KW);
            dropped(node, K::INDEX_REF, |index, if_exists, cascade| Change::DropIndex {
                table: None,
                index,
                concurrently,
                if_exists,
                cascade,
            })
        }
        K::ALTER_INDEX => object::alter_index(parsed, node),
        K::REINDEX => object::reindex(node),
        K::CREATE_VIEW | K::CREATE_MATERIALIZED_VIEW => object::create_view(parsed, node),
        K::ALTER_VIEW => object::alter_view(parsed, node),
        K::DROP_VIEW | K::DROP_MATERIALIZED_VIEW => {
            let materialized = node.kind() == K::DROP_MATERIALIZED_VIEW;
            dropped(node, K::VIEW_REF, |name, if_exists, cascade| Change::DropView {
                name,
                materialized,
                if_exists,
                cascade,
            })
        }
        K::REFRESH => qualified_in(node, K::VIEW_REF)
            .map(|name| vec![Change::RefreshView { name, concurrently: has(node, K::CONCURRENTLY_KW) }])
            .unwrap_or_else(|| vec![opaque(node, "no view is named")]),
        K::CREATE_SEQUENCE => object::create_sequence(parsed, node),
        K::ALTER_SEQUENCE => object::alter_sequence(parsed, node),
        K::DROP_SEQUENCE => dropped(node, K::SEQUENCE_REF, |name, if_exists, cascade| Change::DropSequence {
            name,
            if_exists,
            cascade,
        }),
        K::CREATE_TYPE => object::create_type(parsed, node),
        K::CREATE_DOMAIN => object::create_domain(parsed, node),
        K::ALTER_TYPE => object::alter_type(parsed, node),
        K::ALTER_DOMAIN => alter_domain(node),
        K::DROP_TYPE => dropped(node, K::TYPE_NAME_REF, |name, if_exists, cascade| Change::DropType {
            name,
            if_exists,
            cascade,
        }),
        K::DROP_DOMAIN => dropped(node, K::DOMAIN_REF, |name, if_exists, cascade| Change::DropType {
            name,
            if_exists,
            cascade,
        }),
        K::CREATE_FUNCTION | K::CREATE_PROCEDURE => object::create_function(parsed, node),
        K::ALTER_FUNCTION | K::ALTER_PROCEDURE | K::ALTER_ROUTINE => object::alter_function(parsed, node),
        K::DROP_FUNCTION | K::DROP_PROCEDURE | K::DROP_ROUTINE => object::drop_function(parsed, node),
        K::CREATE_TRIGGER => object::create_trigger(parsed, node),
        K::DROP_TRIGGER => vec![match name_in(node, K::TRIGGER_REF) {
            Some(name) => Change::DropTrigger {
                table: child(node, K::ON_RELATION).and_then(|on| qualified_in(&on, K::RELATION_NAME_REF)),
                name,
                if_exists: has(node, K::IF_EXISTS),
            },
            None => opaque(node, "no trigger is named"),
        }],
        K::CREATE_POLICY => object::create_policy(parsed, node),
        K::DROP_POLICY => {
            let table = child(node, K::ON_TABLE).and_then(|on| qualified_in(&on, K::TABLE_NAME_REF));
            vec![match (table, name_in(node, K::POLICY_REF)) {
                (Some(table), Some(name)) => {
                    Change::DropPolicy { table, name, if_exists: has(node, K::IF_EXISTS) }
                }
                _ => opaque(node, "no policy is named"),
            }]
        }
        K::CREATE_EXTENSION => object::create_extension(node),
        K::ALTER_EXTENSION => object::alter_extension(node),
        K::DROP_EXTENSION => {
            let if_exists = has(node, K::IF_EXISTS);
            let cascade = has(node, K::CASCADE);
            children(node, K::EXTENSION_REF)
                .map(|extension| Change::DropExtension { name: name(&extension), if_exists, cascade })
                .collect()
        }
        K::CREATE_SCHEMA => create_schema(parsed, node),
        K::DROP_SCHEMA => {
            let if_exists = has(node, K::IF_EXISTS);
            let cascade = has(node, K::CASCADE);
            children(node, K::SCHEMA_REF)
                .map(|schema| Change::DropSchema { name: name(&schema), if_exists, cascade })
                .collect()
        }
        K::ALTER_SCHEMA => {
            vec![if has(node, K::OWNER_TO) { Change::Nothing } else { opaque(node, "a schema is renamed") }]
        }
        K::COMMENT_ON => vec![object::comment(node)],
        K::GRANT | K::REVOKE => privilege::grant(parsed, node),
        K::ALTER_DEFAULT_PRIVILEGES => privilege::default_privileges(node),
        K::ALTER_SYSTEM => {
            vec![match child(node, K::SET_CONFIG_PARAM).and_then(|set| setting(parsed, &set)) {
                Some((name, value)) => {
                    Change::SetServerSetting { name, value: value.unwrap_or_else(|| "DEFAULT".to_owned()) }
                }
                None => opaque(node, "a server setting is reset"),
            }]
        }
        K::ALTER_ROLE | K::ALTER_USER | K::ALTER_DATABASE => vec![role_setting(parsed, node)],
        K::SET => vec![session_setting(parsed, node)],
        K::RESET => vec![
            child(node, K::CONFIG_PARAMETER_REF)
                .map(|parameter| Change::SetSessionSetting {
                    name: dotted(&parameter),
                    value: None,
                    local: false,
                })
                .unwrap_or(Change::Nothing),
        ],
        K::ANALYZE => tables_of(node).into_iter().map(|table| Change::Analyze { table }).collect(),
        K::VACUUM => vacuum(parsed, node),
        K::BEGIN => transaction(TransactionControl::Begin),
        K::COMMIT_TRANSACTION | K::PREPARE_TRANSACTION => transaction(TransactionControl::Commit),
        K::ROLLBACK_TO_SAVEPOINT => transaction(TransactionControl::RollbackTo),
        K::ROLLBACK_TRANSACTION => transaction(TransactionControl::Rollback),
        K::SAVEPOINT_CREATE => transaction(TransactionControl::Savepoint),
        K::RELEASE_SAVEPOINT => transaction(TransactionControl::Release),
        K::INSERT => data(DataKind::Insert, qualified_in(node, K::RELATION_NAME_REF), false),
        K::UPDATE => data(DataKind::Update, query::target(node), is_filtered(node)),
        K::DELETE => data(DataKind::Delete, query::target(node), is_filtered(node)),
        K::MERGE => data(DataKind::Merge, query::target(node), true),
        K::TRUNCATE => truncate(node),
        K::COPY => {
            let table = child(node, K::COPY_TABLE).and_then(|table| qualified_in(&table, K::TABLE_NAME_REF));
            let kind = if has(node, K::COPY_FROM) { DataKind::Copy } else { DataKind::Select };
            data(kind, table, false)
        }
        K::SELECT_INTO => {
            vec![match child(node, K::INTO_CLAUSE).and_then(|into| qualified_in(&into, K::TABLE_NAME)) {
                Some(name) => Change::CreateTableAs {
                    name,
                    query: parsed.text_of(node).trim_end_matches(';').trim_end().to_owned(),
                    if_not_exists: false,
                },
                None => opaque(node, "no table is named"),
            }]
        }
        kind if is_query(kind) => select(parsed, node),
        K::DO => vec![opaque(node, "a DO block is not analysed")],
        K::EXECUTE => vec![opaque(node, "a prepared statement is not analysed")],
        K::CALL => vec![opaque(node, "a called procedure is not analysed")],
        K::EXPLAIN
        | K::SHOW
        | K::COMMIT_PREPARED
        | K::ROLLBACK_PREPARED
        | K::EMPTY_STMT
        | K::LISTEN
        | K::UNLISTEN
        | K::NOTIFY
        | K::CHECKPOINT
        | K::CLOSE
        | K::DECLARE
        | K::FETCH
        | K::MOVE
        | K::DEALLOCATE
        | K::DISCARD
        | K::LOAD
        | K::LOCK
        | K::PREPARE
        | K::SECURITY_LABEL
        | K::SET_CONSTRAINTS
        | K::SET_ROLE
        | K::SET_SESSION_AUTH
        | K::RESET_ROLE
        | K::RESET_SESSION_AUTH
        | K::SET_TRANSACTION
        | K::CLUSTER
        | K::CREATE_ROLE
        | K::CREATE_USER
        | K::CREATE_GROUP
        | K::DROP_ROLE
        | K::DROP_USER
        | K::DROP_GROUP
        | K::ALTER_GROUP
        | K::CREATE_DATABASE
        | K::DROP_DATABASE
        | K::CREATE_TABLESPACE
        | K::DROP_TABLESPACE
        | K::ALTER_TABLESPACE
        | K::CREATE_PUBLICATION
        | K::ALTER_PUBLICATION
        | K::DROP_PUBLICATION
        | K::CREATE_SUBSCRIPTION
        | K::ALTER_SUBSCRIPTION
        | K::DROP_SUBSCRIPTION
        | K::CREATE_SERVER
        | K::ALTER_SERVER
        | K::DROP_SERVER
        | K::CREATE_USER_MAPPING
        | K::ALTER_USER_MAPPING
        | K::DROP_USER_MAPPING
        | K::CREATE_FOREIGN_DATA_WRAPPER
        | K::ALTER_FOREIGN_DATA_WRAPPER
        | K::DROP_FOREIGN_DATA_WRAPPER
        | K::CREATE_STATISTICS
        | K::ALTER_STATISTICS
        | K::DROP_STATISTICS
        | K::CREATE_LANGUAGE
        | K::ALTER_LANGUAGE
        | K::DROP_LANGUAGE
        | K::CREATE_COLLATION
        | K::ALTER_COLLATION
        | K::CREATE_CAST
        | K::DROP_CAST
        | K::CREATE_CONVERSION
        | K::ALTER_CONVERSION
        | K::DROP_CONVERSION
        | K::CREATE_ACCESS_METHOD
        | K::DROP_ACCESS_METHOD
        | K::CREATE_OPERATOR
        | K::CREATE_OPERATOR_CLASS
        | K::CREATE_OPERATOR_FAMILY
        | K::ALTER_OPERATOR
        | K::ALTER_OPERATOR_CLASS
        | K::ALTER_OPERATOR_FAMILY
        | K::CREATE_AGGREGATE
        | K::ALTER_AGGREGATE
        | K::DROP_AGGREGATE
        | K::CREATE_EVENT_TRIGGER
        | K::ALTER_EVENT_TRIGGER
        | K::DROP_EVENT_TRIGGER
        | K::CREATE_TEXT_SEARCH_CONFIGURATION
        | K::ALTER_TEXT_SEARCH_CONFIGURATION
        | K::CREATE_TEXT_SEARCH_DICTIONARY
        | K::ALTER_TEXT_SEARCH_DICTIONARY
        | K::CREATE_TEXT_SEARCH_PARSER
        | K::CREATE_TEXT_SEARCH_TEMPLATE => vec![Change::Nothing],
        _ => vec![opaque(node, "this kind of statement is not analysed")],
    }
}

/// The changes of a `DROP` of several objects.
fn dropped(node: &Node, kind: K, make: impl Fn(QualifiedName, bool, bool) -> Change) -> Vec<Change> {
    let if_exists = has(node, K::IF_EXISTS);
    let cascade = has(node, K::CASCADE);
    children(node, kind).map(|object| make(qualified(&object), if_exists, cascade)).collect()
}

/// The owner in an `OWNER TO` below a node.
pub(super) fn new_owner(node: &Node) -> Option<Name> {
    child_at(node, &[K::OWNER_TO, K::ROLE_REF]).map(|role| role_name(&role))
}

/// A role's name; the keyword `CURRENT_USER` and its like stay as they are.
pub(super) fn role_name(role: &Node) -> Name {
    role.descendants()
        .find(|node| node.kind() == K::ROLE_NAME_REF)
        .map_or_else(|| name(role), |node| name(&node))
}

/// A domain's owner is not part of the model; its other properties are not followed.
fn alter_domain(node: &Node) -> Vec<Change> {
    let name = qualified_in(node, K::DOMAIN_REF).filter(|_| new_owner(node).is_none());
    vec![name.map_or(Change::Nothing, |name| Change::Opaque {
        because: "a domain is altered".to_owned(),
        touches: vec![name],
    })]
}

/// `OWNER TO` and `SET SCHEMA` of an object.
pub(super) fn owner_or_schema(node: &Node, reference: K) -> Option<Change> {
    let object = qualified_in(node, reference)?;
    if let Some(owner) = new_owner(node) {
        return Some(Change::SetOwner { object, owner });
    }
    let schema = child_at(node, &[K::SET_SCHEMA, K::SCHEMA_REF])?;
    Some(Change::SetSchema { object, schema: name(&schema) })
}

fn create_schema(parsed: &Parsed<'_>, node: &Node) -> Vec<Change> {
    let named = child_at(node, &[K::NAMED_SCHEMA, K::SCHEMA])
        .or_else(|| child_at(node, &[K::AUTHORIZATION_SCHEMA, K::ROLE]))
        .map(|schema| name(&schema));
    let Some(schema) = named else { return vec![opaque(node, "no schema is named")] };
    let mut changes =
        vec![Change::CreateSchema { name: schema.clone(), if_not_exists: has(node, K::IF_NOT_EXISTS) }];
    for element in node.children() {
        if matches!(
            element.kind(),
            K::CREATE_TABLE | K::CREATE_INDEX | K::CREATE_VIEW | K::CREATE_SEQUENCE | K::CREATE_TYPE
        ) {
            // Objects in the statement live in the new schema unless they say otherwise.
            changes.extend(lower(parsed, &element).into_iter().map(|change| match change {
                Change::CreateTable { mut table, if_not_exists } if table.name.schema.is_empty() => {
                    table.name.schema = schema.clone();
                    Change::CreateTable { table, if_not_exists }
                }
                Change::CreateView { mut view, or_replace } if view.name.schema.is_empty() => {
                    view.name.schema = schema.clone();
                    Change::CreateView { view, or_replace }
                }
                Change::CreateSequence { mut sequence, if_not_exists } if sequence.name.schema.is_empty() => {
                    sequence.name.schema = schema.clone();
                    Change::CreateSequence { sequence, if_not_exists }
                }
                Change::CreateType { mut user_type } if user_type.name.schema.is_empty() => {
                    user_type.name.schema = schema.clone();
                    Change::CreateType { user_type }
                }
                Change::CreateIndex { mut table, index, concurrently, if_not_exists, only }
                    if table.schema.is_empty() =>
                {
                    table.schema = schema.clone();
                    Change::CreateIndex { table, index, concurrently, if_not_exists, only }
                }
                change => change,
            }));
        } else if element.kind() == K::GRANT {
            changes.extend(lower(parsed, &element));
        }
    }
    changes
}

/// A setting's name and its new value; `None` for `DEFAULT`.
pub(super) fn setting(parsed: &Parsed<'_>, node: &Node) -> Option<(Name, Option<String>)> {
    let setting = dotted(&child(node, K::CONFIG_PARAMETER_REF)?);
    if has(node, K::FROM_CURRENT) {
        return Some((setting, Some("FROM CURRENT".to_owned())));
    }
    Some((setting, setting_value(parsed, &child(node, K::TO_CONFIG_VALUE)?)))
}

fn dotted(node: &Node) -> Name {
    let parts: Vec<String> = segments(node).iter().map(|part| part.to_string()).collect();
    Name::from(parts.join("."))
}

/// The values after `TO` or `=`, strings unquoted, joined by commas.
fn setting_value(parsed: &Parsed<'_>, node: &Node) -> Option<String> {
    let mut values = Vec::new();
    for value in node.children() {
        values.push(match value.kind() {
            K::LITERAL => literal_text(&value),
            K::CONFIG_VALUE_NAME => name(&value).to_string(),
            _ => parsed.text_of(&value).to_owned(),
        });
    }
    if values.is_empty() || values.len() == 1 && has(node, K::DEFAULT_KW) {
        return None;
    }
    Some(values.join(", "))
}

fn role_setting(parsed: &Parsed<'_>, node: &Node) -> Change {
    let Some(set) = child(node, K::SET_CONFIG_PARAM) else {
        return Change::Nothing;
    };
    let Some((setting, value)) = setting(parsed, &set) else {
        return opaque(node, "a setting is not understood");
    };
    let role = child(node, K::ROLE_REF)
        .map(|role| role_name(&role))
        .or_else(|| name_in(node, K::DATABASE_REF))
        .unwrap_or_else(|| Name::new("all"));
    Change::SetRoleSetting { role, name: setting, value: value.unwrap_or_else(|| "DEFAULT".to_owned()) }
}

fn session_setting(parsed: &Parsed<'_>, node: &Node) -> Change {
    let local = has(node, K::LOCAL_SCOPE);
    if let Some((name, value)) = child(node, K::SET_CONFIG).and_then(|set| setting(parsed, &set)) {
        return Change::SetSessionSetting { name, value, local };
    }
    if let Some(zone) = child(node, K::SET_TIME_ZONE) {
        let value = zone.children().next().map(|value| match value.kind() {
            K::LITERAL => literal_text(&value),
            _ => parsed.text_of(&value).to_owned(),
        });
        return Change::SetSessionSetting { name: Name::new("timezone"), value, local };
    }
    if let Some(schema) = child_at(node, &[K::SET_SCHEMA_VALUE, K::LITERAL]) {
        let value = Some(literal_text(&schema));
        return Change::SetSessionSetting { name: Name::new("search_path"), value, local };
    }
    Change::Nothing
}

/// The tables that `ANALYZE` and `VACUUM` name; one `None` when they name none.
fn tables_of(node: &Node) -> Vec<Option<QualifiedName>> {
    let tables: Vec<_> = child(node, K::TABLE_AND_COLUMNS_LIST)
        .into_iter()
        .flat_map(|list| children(&list, K::TABLE_AND_COLUMNS))
        .filter_map(|table| query::target(&table))
        .map(Some)
        .collect();
    if tables.is_empty() { vec![None] } else { tables }
}

fn vacuum(parsed: &Parsed<'_>, node: &Node) -> Vec<Change> {
    let options: Vec<String> = child(node, K::VACUUM_OPTION_LIST)
        .into_iter()
        .flat_map(|list| children(&list, K::VACUUM_OPTION))
        .map(|option| parsed.text_of(&option).to_ascii_lowercase())
        .collect();
    let asked = |word: &str| {
        has_word(node, word)
            || options.iter().any(|option| {
                let mut words = option.split_whitespace();
                words.next() == Some(word)
                    && !matches!(words.next(), Some("false" | "off" | "0" | "'false'" | "'off'"))
            })
    };
    let (full, freeze) = (asked("full"), asked("freeze"));
    tables_of(node).into_iter().map(|table| Change::Vacuum { table, full, freeze }).collect()
}

fn transaction(control: TransactionControl) -> Vec<Change> {
    vec![Change::Transaction { control }]
}

fn data(kind: DataKind, table: Option<QualifiedName>, filtered: bool) -> Vec<Change> {
    vec![Change::Data { kind, table, filtered }]
}

fn is_filtered(node: &Node) -> bool {
    has(node, K::WHERE_CLAUSE) || has(node, K::WHERE_CURRENT_OF)
}

fn truncate(node: &Node) -> Vec<Change> {
    child(node, K::TABLE_LIST)
        .into_iter()
        .flat_map(|list| children(&list, K::TABLE_RELATION_NAME))
        .filter_map(|table| qualified_in(&table, K::TABLE_NAME_REF))
        .map(|table| Change::Data { kind: DataKind::Truncate, table: Some(table), filtered: false })
        .collect()
}

/// A query: mostly data, but `setval()` moves a sequence and `set_config()` a setting.
fn select(parsed: &Parsed<'_>, node: &Node) -> Vec<Change> {
    let calls_only = node.kind() == K::SELECT && !has(node, K::FROM_CLAUSE);
    if calls_only && let Some(change) = setting_call(&query::lower(parsed, node, 0)) {
        return vec![change];
    }
    data(DataKind::Select, query::first_table(node), is_filtered(node))
}

fn setting_call(query: &Query) -> Option<Change> {
    let QueryBody::Select(select) = &query.body else { return None };
    let [item] = select.items.as_slice() else { return None };
    let Expr::Call(call) = &item.expr else { return None };
    if let [schema, _] = call.name.as_slice()
        && *schema != "pg_catalog"
    {
        return None;
    }
    let string = |expr: &Expr| match expr.without_casts() {
        Expr::Literal(Literal::String(text)) => Some(text.clone()),
        _ => None,
    };
    match (call.function(), call.args.as_slice()) {
        ("setval", [sequence, value, called @ ..]) => {
            let name = name_from_text(&string(sequence)?)?;
            if let Some((table, column)) = largest_value(value)
                && matches!(called, [] | [Expr::Literal(Literal::Bool(true))])
            {
                return Some(Change::SyncSequence { name, table, column });
            }
            let Expr::Literal(Literal::Number(value)) = value.without_casts() else { return None };
            let mut value: i64 = value.parse().ok()?;
            match called {
                [] | [Expr::Literal(Literal::Bool(true))] => {}
                // The next value is the given one itself.
                [Expr::Literal(Literal::Bool(false))] => value = value.checked_sub(1)?,
                _ => return None,
            }
            Some(Change::SetSequenceValue { name, value })
        }
        ("set_config", [name, value, local]) => Some(Change::SetSessionSetting {
            name: Name::from(string(name)?.to_ascii_lowercase()),
            value: Some(string(value)?),
            local: matches!(local, Expr::Literal(Literal::Bool(true))),
        }),
        _ => None,
    }
}

/// `(SELECT max(column) FROM table)`.
fn largest_value(expr: &Expr) -> Option<(QualifiedName, Name)> {
    let Expr::Subquery(query) = expr.without_casts() else { return None };
    let QueryBody::Select(select) = &query.body else { return None };
    let ([item], [from], None) = (select.items.as_slice(), select.from.as_slice(), &select.filter) else {
        return None;
    };
    let (Expr::Call(call), Source::Table { name, .. }) = (&item.expr, &from.source) else { return None };
    let ("max", [Expr::Column { name: column, .. }], true) =
        (call.function(), call.args.as_slice(), from.joins.is_empty())
    else {
        return None;
    };
    Some((name.clone(), column.clone()))
}

/// A name inside a string, as `regclass` reads it.
pub(super) fn name_from_text(text: &str) -> Option<QualifiedName> {
    let mut parts = Vec::new();
    let mut rest = text.trim();
    loop {
        let (part, after) = identifier_at_start(rest)?;
        parts.push(part);
        let after = after.trim_start();
        match after.strip_prefix('.') {
            Some(next) => rest = next.trim_start(),
            None if after.is_empty() => break,
            None => return None,
        }
    }
    Some(qualify(parts))
}

/// The identifier at the start of a text and what follows it.
fn identifier_at_start(text: &str) -> Option<(Name, &str)> {
    if let Some(quoted) = text.strip_prefix('"') {
        let mut value = String::new();
        let mut at = 0;
        loop {
            let end = quoted[at..].find('"')? + at;
            value.push_str(&quoted[at..end]);
            at = end + 1;
            if !quoted[at..].starts_with('"') {
                return Some((super::syntax::cut(&value), &quoted[at..]));
            }
            value.push('"');
            at += 1;
        }
    }
    let end = text
        .find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$' || !c.is_ascii()))
        .unwrap_or(text.len());
    if end == 0 {
        return None;
    }
    Some((super::syntax::cut(&text[..end].to_ascii_lowercase()), &text[end..]))
}

/// A long `INSERT ... VALUES` without its rows, which say nothing about the schema.
fn long_insert(text: &str) -> Option<Change> {
    if text.len() <= LONGEST_INSERT {
        return None;
    }
    let mut rest = text.trim_start();
    for word in ["insert", "into"] {
        let head = rest.get(..word.len()).filter(|head| head.eq_ignore_ascii_case(word))?;
        let after = &rest[head.len()..];
        rest = after.trim_start();
        if rest.len() == after.len() {
            return None;
        }
    }
    let (first, mut after) = identifier_at_start(rest)?;
    let mut parts = vec![first];
    while let Some(next) = after.trim_start().strip_prefix('.') {
        let (part, rest) = identifier_at_start(next.trim_start())?;
        parts.push(part);
        after = rest;
    }
    Some(Change::Data { kind: DataKind::Insert, table: Some(qualify(parts)), filtered: false })
}

/// The words of a node's direct tokens in upper case, joined by blanks.
pub(super) fn upper_words(node: &Node) -> String {
    let words: Vec<String> = tokens(node).map(|token| token.text().to_ascii_uppercase()).collect();
    words.join(" ")
}
