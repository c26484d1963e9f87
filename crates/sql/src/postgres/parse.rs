//! Statements of PostgreSQL as changes.

use dbwright_model::change::{Change, DataClauses, DataKind, ObjectKind, TransactionControl};
use dbwright_model::effect::Lock;
use dbwright_model::expression::{Expr, Literal, Query, QueryBody, Source};
use dbwright_model::name::{Name, QualifiedName};

use super::expression::has_word;
use super::syntax::{
    K, Node, Parsed, child, child_at, children, has, is_query, literal_text, name, name_in, qualified,
    qualified_in, qualify, segments, tokens, with_parsed,
};
use super::{alter_table, create_table, object, other, privilege, query, rows};

/// Longest `INSERT` that is parsed; of a longer one only the table is read.
const LONGEST_INSERT: usize = 64 * 1024;

/// Parses one statement into its changes.
pub fn statement(text: &str) -> Vec<Change> {
    let text = rows::with_first_row(text);
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
        return match statements.as_slice() {
            [one] => lower(parsed, one),
            several => several.iter().flat_map(|node| lower(parsed, node)).collect(),
        };
    }
    let because = complaint();
    if let Some(node) = statements.first()
        && node.kind() == K::ALTER_TABLE
    {
        let actions = alter_table::single_actions(parsed, node);
        if !actions.is_empty() {
            return actions.iter().flat_map(|action| statement(action)).collect();
        }
    }
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
                online: Default::default(),
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
            .map(|name| {
                vec![Change::RefreshView {
                    populated: !has(node, K::WITH_NO_DATA),
                    name,
                    concurrently: has(node, K::CONCURRENTLY_KW),
                }]
            })
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
        K::ALTER_DOMAIN => object::alter_domain(parsed, node),
        K::DROP_TYPE => dropped(node, K::TYPE_NAME_REF, |name, if_exists, cascade| Change::DropType {
            domain: false,
            name,
            if_exists,
            cascade,
        }),
        K::DROP_DOMAIN => dropped(node, K::DOMAIN_REF, |name, if_exists, cascade| Change::DropType {
            domain: true,
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
                cascade: has(node, K::CASCADE),
                table: child(node, K::ON_RELATION).and_then(|on| qualified_in(&on, K::RELATION_NAME_REF)),
                name,
                if_exists: has(node, K::IF_EXISTS),
            },
            None => opaque(node, "no trigger is named"),
        }],
        K::ALTER_TRIGGER => object::alter_trigger(node),
        K::ALTER_RULE => object::alter_rule(node),
        K::CREATE_POLICY => object::create_policy(parsed, node),
        K::ALTER_POLICY => object::alter_policy(parsed, node),
        K::DROP_POLICY => {
            let table = child(node, K::ON_TABLE).and_then(|on| qualified_in(&on, K::TABLE_NAME_REF));
            vec![match (table, name_in(node, K::POLICY_REF)) {
                (Some(table), Some(name)) => Change::DropPolicy {
                    cascade: has(node, K::CASCADE),
                    table,
                    name,
                    if_exists: has(node, K::IF_EXISTS),
                },
                _ => opaque(node, "no policy is named"),
            }]
        }
        K::CREATE_EXTENSION => object::create_extension(node),
        K::ALTER_EXTENSION => object::alter_extension(parsed, node),
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
            let object = QualifiedName::bare(name_in(node, K::SCHEMA_REF).unwrap_or_default());
            vec![
                other::common_action(node, &ObjectKind::Schema, &object)
                    .unwrap_or_else(|| opaque(node, "a schema is altered")),
            ]
        }
        K::COMMENT_ON => vec![object::comment(node)],
        K::GRANT | K::REVOKE => privilege::grant(parsed, node),
        K::ALTER_DEFAULT_PRIVILEGES => privilege::default_privileges(node),
        K::ALTER_SYSTEM => {
            vec![match child(node, K::SET_CONFIG_PARAM).and_then(|set| setting(parsed, &set)) {
                Some((name, value)) => {
                    Change::SetServerSetting { name, value: value.unwrap_or_else(|| "DEFAULT".to_owned()) }
                }
                None => Change::SetServerSetting { name: reset_name(node), value: "DEFAULT".to_owned() },
            }]
        }
        K::ALTER_ROLE | K::ALTER_USER | K::ALTER_DATABASE
            if has(node, K::SET_CONFIG_PARAM) || has(node, K::RESET_CONFIG_PARAM) =>
        {
            vec![stored_setting(parsed, node)]
        }
        K::SET => vec![session_setting(parsed, node)],
        K::RESET => vec![
            child(node, K::CONFIG_PARAMETER_REF)
                .map(|parameter| dotted(&parameter))
                .or_else(|| has(node, K::ALL).then(|| Name::new("all")))
                .or_else(|| has(node, K::RESET_TIME_ZONE).then(|| Name::new("timezone")))
                .map(|name| Change::SetSessionSetting { name, value: None, local: false })
                .unwrap_or(Change::Nothing),
        ],
        K::ANALYZE => tables_of(node).into_iter().map(|table| Change::Analyze { table }).collect(),
        K::VACUUM => vacuum(parsed, node),
        K::BEGIN => transaction(TransactionControl::Begin, None),
        K::COMMIT_TRANSACTION | K::PREPARE_TRANSACTION => transaction(TransactionControl::Commit, None),
        K::ROLLBACK_TO_SAVEPOINT => {
            transaction(TransactionControl::RollbackTo, name_in(node, K::SAVEPOINT_REF))
        }
        K::ROLLBACK_TRANSACTION => transaction(TransactionControl::Rollback, None),
        K::SAVEPOINT_CREATE => transaction(TransactionControl::Savepoint, name_in(node, K::SAVEPOINT)),
        K::RELEASE_SAVEPOINT => transaction(TransactionControl::Release, name_in(node, K::SAVEPOINT_REF)),
        K::INSERT => rows::data(DataKind::Insert, node),
        K::UPDATE => rows::data(DataKind::Update, node),
        K::DELETE => rows::data(DataKind::Delete, node),
        K::MERGE => rows::data(DataKind::Merge, node),
        K::TRUNCATE => rows::truncate(node),
        K::COPY => rows::copy(node),
        K::SELECT_INTO => {
            vec![match child(node, K::INTO_CLAUSE).and_then(|into| qualified_in(&into, K::TABLE_NAME)) {
                Some(name) => Change::CreateTableAs {
                    columns: Vec::new(),
                    persistence: Default::default(),
                    populated: true,
                    name,
                    query: parsed.text_of(node).trim_end_matches(';').trim_end().to_owned(),
                    if_not_exists: false,
                    part_of: None,
                },
                None => opaque(node, "no table is named"),
            }]
        }
        kind if is_query(kind) => select(parsed, node),
        K::DO | K::EXECUTE | K::CALL | K::PREPARE => rows::procedural(parsed, node),
        K::CREATE_RULE => other::create_rule(parsed, node),
        K::DROP_RULE => other::drop_rule(node),
        K::CREATE_STATISTICS => other::create_statistics(parsed, node),
        K::ALTER_STATISTICS => other::alter_statistics(parsed, node),
        K::DROP_STATISTICS => dropped(node, K::STATISTICS_REF, |name, if_exists, cascade| {
            Change::DropStatistics { name, if_exists, cascade }
        }),
        K::CREATE_PUBLICATION => other::create_publication(parsed, node),
        K::ALTER_PUBLICATION => other::alter_publication(parsed, node),
        K::DROP_PUBLICATION => dropped(node, K::PUBLICATION_REF, |name, if_exists, cascade| {
            Change::DropPublication { name: name.name, if_exists, cascade }
        }),
        K::CREATE_SUBSCRIPTION => other::create_subscription(parsed, node),
        K::ALTER_SUBSCRIPTION => other::alter_subscription(parsed, node),
        K::DROP_SUBSCRIPTION => dropped(node, K::SUBSCRIPTION_REF, |name, if_exists, cascade| {
            Change::DropSubscription { name: name.name, if_exists, cascade }
        }),
        K::DROP_OWNED => vec![Change::DropOwned { roles: roles_below(node), cascade: has(node, K::CASCADE) }],
        K::REASSIGN => {
            let mut lists = children(node, K::ROLE_REF_LIST);
            let names = |list: Option<Node>| -> Vec<Name> {
                list.iter()
                    .flat_map(|list| children(list, K::ROLE_REF))
                    .map(|role| role_name(&role))
                    .collect()
            };
            let roles = names(lists.next());
            vec![match names(lists.next()).pop() {
                Some(to) => Change::ReassignOwned { roles, to },
                None => opaque(node, "no role is named"),
            }]
        }
        K::LOCK => vec![lock(node)],
        K::SET_CONSTRAINTS => vec![Change::SetConstraints {
            names: children(node, K::CONSTRAINT_NAME_REF).map(|name| qualified(&name)).collect(),
            deferred: has(node, K::DEFERRED),
        }],
        K::SET_ROLE => vec![identity_setting(parsed, node, "role", K::SET_ROLE_NONE)],
        K::SET_SESSION_AUTH => {
            vec![identity_setting(parsed, node, "session_authorization", K::SET_SESSION_AUTH_DEFAULT)]
        }
        K::RESET_ROLE | K::RESET_SESSION_AUTH => {
            let setting = if node.kind() == K::RESET_ROLE { "role" } else { "session_authorization" };
            vec![Change::SetSessionSetting { name: Name::new(setting), value: None, local: false }]
        }
        K::CLUSTER => vec![cluster(node)],
        K::EXPLAIN => rows::explain(node),
        K::DISCARD if has(node, K::DISCARD_ALL) => vec![Change::DiscardAll],
        K::SHOW
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
        | K::SECURITY_LABEL
        | K::SET_TRANSACTION => vec![Change::Nothing],
        _ => other::object(parsed, node)
            .unwrap_or_else(|| vec![opaque(node, "this kind of statement is not analysed")]),
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
                Change::CreateView { mut view, or_replace, .. } if view.name.schema.is_empty() => {
                    view.name.schema = schema.clone();
                    Change::CreateView { if_not_exists: false, view, or_replace }
                }
                Change::CreateSequence { mut sequence, if_not_exists } if sequence.name.schema.is_empty() => {
                    sequence.name.schema = schema.clone();
                    Change::CreateSequence { sequence, if_not_exists }
                }
                Change::CreateType { mut user_type } if user_type.name.schema.is_empty() => {
                    user_type.name.schema = schema.clone();
                    Change::CreateType { user_type }
                }
                Change::CreateIndex { mut table, index, concurrently, if_not_exists, only, .. }
                    if table.schema.is_empty() =>
                {
                    table.schema = schema.clone();
                    Change::CreateIndex {
                        online: Default::default(),
                        table,
                        index,
                        concurrently,
                        if_not_exists,
                        only,
                    }
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

/// `ALTER ROLE` and `ALTER DATABASE` with `SET` or `RESET`.
fn stored_setting(parsed: &Parsed<'_>, node: &Node) -> Change {
    let (setting, value) = match child(node, K::SET_CONFIG_PARAM) {
        Some(set) => match setting(parsed, &set) {
            Some(found) => found,
            None => return opaque(node, "a setting is not understood"),
        },
        None => (reset_name(node), None),
    };
    let value = value.unwrap_or_else(|| "DEFAULT".to_owned());
    if node.kind() == K::ALTER_DATABASE {
        let database = name_in(node, K::DATABASE_REF).unwrap_or_default();
        return Change::SetDatabaseSetting { database, name: setting, value };
    }
    let role = child(node, K::ROLE_REF).map_or_else(|| Name::new("all"), |role| role_name(&role));
    let database = child(node, K::IN_DATABASE).and_then(|clause| name_in(&clause, K::DATABASE_REF));
    Change::SetRoleSetting { role, name: setting, value, database }
}

/// The setting of a `RESET`, `all` for every one.
fn reset_name(node: &Node) -> Name {
    child_at(node, &[K::RESET_CONFIG_PARAM, K::CONFIG_PARAMETER_REF])
        .map_or_else(|| Name::new("all"), |parameter| dotted(&parameter))
}

/// `SET ROLE` and `SET SESSION AUTHORIZATION`, which are settings with a spelling of their own.
fn identity_setting(parsed: &Parsed<'_>, node: &Node, setting: &str, unset: K) -> Change {
    let target = node.children().find(|part| !matches!(part.kind(), K::LOCAL_SCOPE | K::SESSION_SCOPE));
    let value = target.filter(|target| target.kind() != unset).map(|target| match target.kind() {
        K::LITERAL => literal_text(&target),
        K::ROLE_REF => role_name(&target).to_string(),
        _ => parsed.text_of(&target).to_owned(),
    });
    Change::SetSessionSetting { name: Name::new(setting), value, local: has(node, K::LOCAL_SCOPE) }
}

fn roles_below(node: &Node) -> Vec<Name> {
    child(node, K::ROLE_REF_LIST)
        .iter()
        .flat_map(|list| children(list, K::ROLE_REF))
        .map(|role| role_name(&role))
        .collect()
}

fn lock(node: &Node) -> Change {
    let relations: Vec<Node> = child(node, K::RELATION_LIST)
        .into_iter()
        .flat_map(|list| children(&list, K::RELATION_NAME))
        .collect();
    let tables: Vec<QualifiedName> =
        relations.iter().filter_map(|relation| qualified_in(relation, K::RELATION_NAME_REF)).collect();
    let mode = child(node, K::LOCK_MODE_CLAUSE).and_then(|clause| clause.children().next());
    let mode = match mode.map(|mode| upper_words(&mode)) {
        Some(words) => Lock::parse(&words),
        None => Some(Lock::AccessExclusive),
    };
    match mode {
        Some(mode) if !tables.is_empty() => Change::LockTable {
            tables,
            mode,
            only: relations.iter().any(|relation| has(relation, K::ONLY_KW)),
            nowait: has(node, K::NOWAIT) || has(node, K::NOWAIT_KW),
        },
        _ => opaque(node, "the lock is not understood"),
    }
}

fn cluster(node: &Node) -> Change {
    let last = |node: &Node| child(node, K::INDEX_REF).and_then(|index| segments(&index).pop());
    // The form of old: `CLUSTER index ON table`.
    if let Some(old) = child(node, K::CLUSTER_LEGACY) {
        let table = child(&old, K::ON_PATH).and_then(|on| qualified_in(&on, K::TABLE_NAME_REF));
        return Change::Cluster { table, index: last(&old) };
    }
    Change::Cluster {
        table: qualified_in(node, K::TABLE_NAME_REF),
        index: child(node, K::CLUSTER_USING_INDEX).and_then(|using| last(&using)),
    }
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
    let (full, freeze, analyze) = (asked("full"), asked("freeze"), asked("analyze") || asked("analyse"));
    tables_of(node).into_iter().map(|table| Change::Vacuum { table, full, freeze, analyze }).collect()
}

fn transaction(control: TransactionControl, savepoint: Option<Name>) -> Vec<Change> {
    vec![Change::Transaction { control, savepoint }]
}

/// A query: mostly data, but `setval()` and `nextval()` move a sequence and `set_config()` a setting.
fn select(parsed: &Parsed<'_>, node: &Node) -> Vec<Change> {
    let calls_only = node.kind() == K::SELECT && !has(node, K::FROM_CLAUSE);
    if calls_only && let Some(change) = setting_call(&query::lower(parsed, node, 0)) {
        return vec![change];
    }
    rows::data(DataKind::Select, node)
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
        ("nextval", [sequence]) => {
            Some(Change::AdvanceSequence { name: name_from_text(&string(sequence)?)? })
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
    Some(Change::Data {
        clauses: DataClauses::default(),
        kind: DataKind::Insert,
        table: Some(qualify(parts)),
        filtered: false,
    })
}

/// The words of a node's direct tokens in upper case, joined by blanks.
pub(super) fn upper_words(node: &Node) -> String {
    let words: Vec<String> = tokens(node).map(|token| token.text().to_ascii_uppercase()).collect();
    words.join(" ")
}
