//! Indexes, views, sequences, types, routines, triggers, policies, extensions and comments of PostgreSQL.

use dbwright_model::catalog::{
    Check, Column, Extension, Function, FunctionKind, Index, IndexKey, IndexPart, Policy, Sequence, Trigger,
    UserType, UserTypeKind, View, Volatility,
};
use dbwright_model::change::{
    AlterClauses, Change, CommentTarget, ObjectKind, ReindexTarget, SequenceChanges,
};
use dbwright_model::data_type::{DataType, TypeKind};
use dbwright_model::name::{Name, QualifiedName};

use super::alter_table::{set_or_reset, statistics_target};
use super::create_table::{Constraint, access_method, collation, constraint, default, options, tablespace};
use super::expression::parsed_expression;
use super::other::{common_action, statement_text};
use super::parse::{opaque, role_name, setting};
use super::syntax::{
    K, Node, Parsed, child, child_at, children, expr_child, first_token, has, is_query, literal_text, name,
    name_in, qualified, qualified_in, qualify, segments, type_child,
};
use super::{query, types};

pub(super) fn create_index(parsed: &Parsed<'_>, node: &Node) -> Vec<Change> {
    let Some(table) = query::target(node) else { return vec![opaque(node, "no table is named")] };
    let mut index = Index {
        name: qualified_in(node, K::INDEX).map(|name| name.name).unwrap_or_default(),
        unique: has(node, K::UNIQUE_KW),
        nulls_not_distinct: has(node, K::NULLS_NOT_DISTINCT),
        options: options(parsed, node),
        tablespace: tablespace(node),
        ..Index::default()
    };
    if let Some(method) = child(node, K::USING_METHOD).and_then(|using| name_in(&using, K::ACCESS_METHOD_REF))
    {
        index.method = method;
    }
    if let Some(list) = child(node, K::PARTITION_ITEM_LIST) {
        index.parts = children(&list, K::PARTITION_ITEM).filter_map(|item| part(parsed, &item)).collect();
    }
    if let Some(list) = child_at(node, &[K::INDEX_INCLUDE_CLAUSE, K::PARTITION_ITEM_LIST]) {
        index.include = children(&list, K::PARTITION_ITEM).map(|item| name(&item)).collect();
    }
    index.predicate = child(node, K::WHERE_CLAUSE)
        .and_then(|clause| expr_child(&clause))
        .map(|value| parsed_expression(parsed, &value));
    vec![Change::CreateIndex {
        online: Default::default(),
        only: child(node, K::TABLE_RELATION_NAME).is_some_and(|relation| has(&relation, K::ONLY_KW)),
        table,
        index: Box::new(index),
        concurrently: has(node, K::CONCURRENTLY_KW),
        if_not_exists: has(node, K::IF_NOT_EXISTS),
    }]
}

fn part(parsed: &Parsed<'_>, node: &Node) -> Option<IndexPart> {
    let mut key = expr_child(node)?;
    let mut part = IndexPart::column("");
    if key.kind() == K::COLLATE {
        part.collation = collation(&key);
        key = expr_child(&key)?;
    } else if let Some(collate) = child(node, K::COLLATE) {
        part.collation = collation(&collate);
    }
    part.key = if key.kind() == K::NAME_REF {
        IndexKey::Column(name(&key))
    } else {
        IndexKey::Expression(parsed_expression(parsed, &key))
    };
    part.operator_class = child(node, K::OP_CLASS_REF).and_then(|class| segments(&class).pop());
    part.descending = has(node, K::SORT_DESC);
    part.nulls_first = has(node, K::NULLS_FIRST) || part.descending && !has(node, K::NULLS_LAST);
    Some(part)
}

pub(super) fn alter_index(parsed: &Parsed<'_>, node: &Node) -> Vec<Change> {
    let Some(index) = qualified_in(node, K::INDEX_REF) else {
        return vec![opaque(node, "no index is named")];
    };
    let if_exists = has(node, K::IF_EXISTS);
    for part in node.children() {
        return vec![match part.kind() {
            K::INDEX_RENAME_TO => match qualified_in(&part, K::INDEX) {
                Some(to) => Change::RenameIndex { table: None, index, to: to.name, if_exists },
                None => opaque(node, "no new name is given"),
            },
            K::ATTACH_INDEX_PARTITION => match qualified_in(&part, K::INDEX_REF) {
                Some(child) => Change::AttachIndex { parent: index, child },
                None => opaque(node, "no index is named"),
            },
            K::SET_OPTIONS | K::RESET_OPTIONS => {
                Change::SetIndexOptions { index, options: set_or_reset(parsed, &part), if_exists }
            }
            K::SET_TABLESPACE => match name_in(&part, K::TABLESPACE_REF) {
                Some(tablespace) => Change::SetTablespace {
                    object: index,
                    kind: ObjectKind::Index,
                    tablespace,
                    alter: AlterClauses { if_exists, ..AlterClauses::default() },
                },
                None => opaque(node, "no tablespace is named"),
            },
            K::ALTER_SET_STATISTICS => {
                let column = part.children().find_map(|part| parsed.text_of(&part).parse::<u32>().ok());
                match (column, child(&part, K::SET_STATISTICS)) {
                    (Some(column), Some(set)) => Change::SetIndexStatistics {
                        index,
                        column,
                        target: statistics_target(parsed, &set),
                        if_exists,
                    },
                    _ => opaque(node, "this action of ALTER INDEX is not analysed"),
                }
            }
            K::DEPENDS_ON_EXTENSION | K::NO_DEPENDS_ON_EXTENSION => Change::SetIndexExtension { index },
            _ => continue,
        }];
    }
    vec![opaque(node, "this action of ALTER INDEX is not analysed")]
}

pub(super) fn reindex(node: &Node) -> Vec<Change> {
    let target = node.children().find(|part| part.kind() != K::REINDEX_OPTION_LIST);
    let Some(target) = target else { return vec![opaque(node, "nothing is named")] };
    let concurrently = has(&target, K::CONCURRENTLY_KW)
        || child(node, K::REINDEX_OPTION_LIST).is_some_and(|list| {
            child(&list, K::REINDEX_OPTION_CONCURRENTLY).is_some_and(|option| !is_switched_off(&option))
        });
    let whole = match target.kind() {
        K::REINDEX_TARGET_INDEX => {
            return vec![match qualified_in(&target, K::INDEX_REF) {
                Some(index) => Change::Reindex { index, concurrently },
                None => opaque(node, "no index is named"),
            }];
        }
        K::REINDEX_TARGET_TABLE => qualified_in(&target, K::TABLE_NAME_REF).map(ReindexTarget::Table),
        K::REINDEX_TARGET_SCHEMA => name_in(&target, K::SCHEMA_REF).map(ReindexTarget::Schema),
        K::REINDEX_TARGET_DATABASE => Some(ReindexTarget::Database(name_in(&target, K::DATABASE_REF))),
        K::REINDEX_TARGET_SYSTEM => Some(ReindexTarget::System(name_in(&target, K::DATABASE_REF))),
        _ => None,
    };
    vec![match whole {
        Some(target) => Change::ReindexAll { target, concurrently },
        None => opaque(node, "nothing is named"),
    }]
}

/// Whether an option's value is one of the words for "no".
fn is_switched_off(node: &Node) -> bool {
    let last = super::syntax::last_token(node);
    last.is_some_and(|token| {
        matches!(token.text().to_ascii_lowercase().as_str(), "false" | "off" | "no" | "0")
    })
}

pub(super) fn create_view(parsed: &Parsed<'_>, node: &Node) -> Vec<Change> {
    let Some(name) = qualified_in(node, K::VIEW) else { return vec![opaque(node, "no view is named")] };
    let Some(body) = node.children().find(|child| is_query(child.kind())) else {
        return vec![opaque(node, "the view has no query")];
    };
    let mut options = options(parsed, node);
    if let Some(check) = child(node, K::WITH_CHECK_OPTION) {
        let level = if has(&check, K::LOCAL_CHECK_OPTION) { "local" } else { "cascaded" };
        options.push((Name::new("check_option"), level.to_owned()));
        options.sort();
    }
    let columns = child(node, K::COLUMN_LIST)
        .iter()
        .flat_map(|list| children(list, K::COLUMN_NAME))
        .map(|column| Column { name: super::syntax::name(&column), ..Column::default() })
        .collect();
    let view = View {
        name,
        materialized: node.kind() == K::CREATE_MATERIALIZED_VIEW,
        populated: !has(node, K::WITH_NO_DATA),
        definition: parsed.text_of(&body).to_owned(),
        query: Some(Box::new(query::lower(parsed, &body, 0))),
        columns,
        options,
        tablespace: tablespace(node),
        access_method: access_method(node),
        ..View::default()
    };
    vec![Change::CreateView {
        view: Box::new(view),
        or_replace: has(node, K::OR_REPLACE),
        if_not_exists: has(node, K::IF_NOT_EXISTS),
    }]
}

pub(super) fn alter_view(parsed: &Parsed<'_>, node: &Node) -> Vec<Change> {
    let Some(view) = qualified_in(node, K::VIEW_REF) else { return vec![opaque(node, "no view is named")] };
    if let Some(change) = common_action(node, &ObjectKind::View, &view) {
        return vec![change];
    }
    let if_exists = has(node, K::IF_EXISTS);
    let alter = AlterClauses { if_exists, ..AlterClauses::default() };
    for part in node.children() {
        return vec![match part.kind() {
            K::SET_OPTIONS | K::RESET_OPTIONS => Change::SetViewOptions {
                name: view,
                options: set_or_reset(parsed, &part),
                materialized: false,
                if_exists,
            },
            K::RENAME_COLUMN => match (name_in(&part, K::COLUMN_NAME_REF), name_in(&part, K::COLUMN_NAME)) {
                (Some(column), Some(to)) => Change::RenameColumn { table: view, column, to, alter },
                _ => opaque(node, "no column is named"),
            },
            K::ALTER_VIEW_COLUMN => match name_in(&part, K::COLUMN_NAME_REF) {
                Some(column) => {
                    let default = child(&part, K::SET_DEFAULT).and_then(|set| default(parsed, &set));
                    Change::SetDefault { table: view, column, default, alter }
                }
                None => opaque(node, "no column is named"),
            },
            _ => continue,
        }];
    }
    vec![opaque(node, "this action of ALTER VIEW is not analysed")]
}

/// The clauses of a sequence that were said.
#[derive(Default)]
struct SequenceClauses {
    data_type: Option<DataType>,
    start: Option<i64>,
    increment: Option<i64>,
    min: Option<Option<i64>>,
    max: Option<Option<i64>>,
    cycle: Option<bool>,
    owned_by: Option<Option<(QualifiedName, Name)>>,
    cache: Option<i64>,
    name: Option<QualifiedName>,
    restart: bool,
    restart_with: Option<i64>,
}

/// The clauses of a list of sequence options, as they are told of an identity column.
pub(super) fn sequence_changes(parsed: &Parsed<'_>, node: &Node) -> SequenceChanges {
    let clauses = sequence_clauses(parsed, node);
    SequenceChanges {
        data_type: clauses.data_type,
        increment: clauses.increment,
        no_min: clauses.min == Some(None),
        no_max: clauses.max == Some(None),
        min: clauses.min.flatten(),
        max: clauses.max.flatten(),
        cycle: clauses.cycle,
        owned_by: clauses.owned_by,
        rename: None,
        start: clauses.start,
        restart_with: clauses.restart_with,
        restart: clauses.restart,
        cache: clauses.cache,
        name: clauses.name,
    }
}

fn sequence_clauses(parsed: &Parsed<'_>, node: &Node) -> SequenceClauses {
    let mut clauses = SequenceClauses::default();
    let number = |node: &Node| -> Option<i64> {
        let text: String = parsed.text_of(&expr_child(node)?).split_whitespace().collect();
        text.replace('_', "").parse().ok()
    };
    for clause in node.children() {
        match clause.kind() {
            K::OPTION_AS_TYPE => {
                clauses.data_type = type_child(&clause).map(|node| types::data_type(parsed.text_of(&node)));
            }
            K::OPTION_START => clauses.start = number(&clause),
            K::OPTION_INCREMENT => clauses.increment = number(&clause),
            K::OPTION_MIN_VALUE => clauses.min = Some(number(&clause)),
            K::OPTION_MAX_VALUE => clauses.max = Some(number(&clause)),
            K::OPTION_NO_MIN_VALUE => clauses.min = Some(None),
            K::OPTION_NO_MAX_VALUE => clauses.max = Some(None),
            K::OPTION_CACHE => clauses.cache = number(&clause),
            K::OPTION_SEQUENCE_NAME => clauses.name = qualified_in(&clause, K::SEQUENCE),
            K::OPTION_RESTART => {
                clauses.restart = true;
                clauses.restart_with = number(&clause);
            }
            K::OPTION_CYCLE => clauses.cycle = Some(true),
            K::OPTION_NO_CYCLE => clauses.cycle = Some(false),
            K::OPTION_OWNED_BY => {
                clauses.owned_by = Some(child(&clause, K::QUALIFIED_COLUMN_NAME_REF).and_then(|column| {
                    let mut parts = segments(&column);
                    let column = parts.pop()?;
                    (!parts.is_empty()).then(|| (qualify(parts), column))
                }));
            }
            _ => {}
        }
    }
    clauses
}

pub(super) fn create_sequence(parsed: &Parsed<'_>, node: &Node) -> Vec<Change> {
    let Some(name) = qualified_in(node, K::SEQUENCE) else {
        return vec![opaque(node, "no sequence is named")];
    };
    let clauses = sequence_clauses(parsed, node);
    let data_type = clauses.data_type.unwrap_or_else(|| DataType::new(TypeKind::BigInt, "bigint"));
    let increment = clauses.increment.unwrap_or(1);
    let (lowest, highest) = bounds(&data_type);
    let (default_min, default_max) = if increment < 0 { (lowest, -1) } else { (1, highest) };
    let min = clauses.min.flatten().unwrap_or(default_min);
    let max = clauses.max.flatten().unwrap_or(default_max);
    let sequence = Sequence {
        name,
        data_type,
        start: clauses.start.unwrap_or(if increment < 0 { max } else { min }),
        increment,
        min,
        max,
        cycle: clauses.cycle.unwrap_or(false),
        owned_by: clauses.owned_by.flatten(),
    };
    vec![Change::CreateSequence { sequence, if_not_exists: has(node, K::IF_NOT_EXISTS) }]
}

/// Smallest and largest value of a sequence's type.
pub(super) fn bounds(data_type: &DataType) -> (i64, i64) {
    match data_type.kind {
        TypeKind::SmallInt => (i16::MIN.into(), i16::MAX.into()),
        TypeKind::Integer => (i32::MIN.into(), i32::MAX.into()),
        _ => (i64::MIN, i64::MAX),
    }
}

pub(super) fn alter_sequence(parsed: &Parsed<'_>, node: &Node) -> Vec<Change> {
    let Some(name) = qualified_in(node, K::SEQUENCE_REF) else {
        return vec![opaque(node, "no sequence is named")];
    };
    if let Some(change) = common_action(node, &ObjectKind::Sequence, &name)
        && !matches!(change, Change::RenameObject { .. })
    {
        return vec![change];
    }
    let if_exists = has(node, K::IF_EXISTS);
    if has(node, K::SET_LOGGED) || has(node, K::SET_UNLOGGED) {
        return vec![Change::SetLogged {
            table: name,
            kind: ObjectKind::Sequence,
            logged: has(node, K::SET_LOGGED),
            alter: AlterClauses { if_exists, ..AlterClauses::default() },
        }];
    }
    let mut changes = sequence_changes(parsed, node);
    changes.rename =
        child(node, K::SEQUENCE_RENAME_TO).and_then(|to| qualified_in(&to, K::SEQUENCE)).map(|to| to.name);
    vec![Change::AlterSequence { name, changes, if_exists }]
}

pub(super) fn create_type(parsed: &Parsed<'_>, node: &Node) -> Vec<Change> {
    let Some(name) = qualified_in(node, K::TYPE_NAME) else { return vec![opaque(node, "no type is named")] };
    let kind = if let Some(labels) = child_at(node, &[K::ENUM_TYPE, K::VARIANT_LIST]) {
        UserTypeKind::Enum(
            children(&labels, K::VARIANT)
                .filter_map(|variant| child(&variant, K::LITERAL))
                .map(|label| literal_text(&label))
                .collect(),
        )
    } else if let Some(fields) = child_at(node, &[K::COMPOSITE_TYPE, K::COMPOSITE_FIELD_LIST]) {
        UserTypeKind::Composite(
            children(&fields, K::COMPOSITE_FIELD_DEF)
                .filter_map(|field| {
                    let data_type = types::data_type(parsed.text_of(&type_child(&field)?));
                    Some((name_in(&field, K::COMPOSITE_FIELD)?, data_type))
                })
                .collect(),
        )
    } else {
        UserTypeKind::Other
    };
    vec![Change::CreateType { user_type: UserType { name, kind, comment: None, extension: None } }]
}

pub(super) fn create_domain(parsed: &Parsed<'_>, node: &Node) -> Vec<Change> {
    let Some(domain) = qualified_in(node, K::DOMAIN) else { return vec![opaque(node, "no domain is named")] };
    let Some(base) = type_child(node) else { return vec![opaque(node, "the domain has no type")] };
    let base = types::data_type(parsed.text_of(&base));
    let mut checks: Vec<Check> = Vec::new();
    let mut default_value = None;
    for part in node.children() {
        if part.kind() == K::DEFAULT_CONSTRAINT {
            default_value = default(parsed, &part);
        } else if let Some(Constraint::Check(check)) = constraint(parsed, &part, None) {
            checks.push(check);
        }
    }
    let kind = UserTypeKind::Domain {
        base,
        not_null: has(node, K::NOT_NULL_CONSTRAINT),
        default: default_value,
        checks,
    };
    vec![Change::CreateType { user_type: UserType { name: domain, kind, comment: None, extension: None } }]
}

pub(super) fn alter_domain(parsed: &Parsed<'_>, node: &Node) -> Vec<Change> {
    let Some(name) = qualified_in(node, K::DOMAIN_REF) else {
        return vec![opaque(node, "no domain is named")];
    };
    if let Some(change) = common_action(node, &ObjectKind::Domain, &name) {
        return vec![change];
    }
    let last = |node: &Node| child(node, K::CONSTRAINT_NAME_REF).and_then(|name| segments(&name).pop());
    let action = node.children().find(|part| part.kind() != K::DOMAIN_REF);
    let change = action.and_then(|action| {
        let name = name.clone();
        Some(match action.kind() {
            K::SET_DEFAULT => Change::SetDomainDefault { name, default: default(parsed, &action) },
            K::DROP_DEFAULT => Change::SetDomainDefault { name, default: None },
            K::SET_NOT_NULL => Change::SetDomainNotNull { name, not_null: true, constraint: None },
            K::DROP_NOT_NULL => Change::SetDomainNotNull { name, not_null: false, constraint: None },
            K::ADD_CONSTRAINT => {
                let inner = action.children().next()?;
                if inner.kind() == K::NOT_NULL_CONSTRAINT {
                    let constraint = child(&inner, K::CONSTRAINT_NAME_CLAUSE)
                        .and_then(|clause| name_in(&clause, K::CONSTRAINT_NAME));
                    return Some(Change::SetDomainNotNull { name, not_null: true, constraint });
                }
                let Constraint::Check(check) = constraint(parsed, &inner, None)? else { return None };
                Change::AddDomainCheck { name, check }
            }
            K::DROP_CONSTRAINT => Change::DropDomainConstraint {
                name,
                constraint: last(&action)?,
                if_exists: has(&action, K::IF_EXISTS),
                cascade: has(&action, K::CASCADE),
            },
            K::RENAME_CONSTRAINT => Change::RenameDomainConstraint {
                name,
                constraint: last(&action)?,
                to: name_in(&action, K::CONSTRAINT_NAME)?,
            },
            K::VALIDATE_CONSTRAINT => Change::ValidateDomainConstraint { name, constraint: last(&action)? },
            _ => return None,
        })
    });
    vec![
        change.unwrap_or_else(|| Change::Opaque {
            because: "a domain is altered".to_owned(),
            touches: vec![name],
        }),
    ]
}

pub(super) fn alter_type(parsed: &Parsed<'_>, node: &Node) -> Vec<Change> {
    let Some(name) = qualified_in(node, K::TYPE_NAME_REF) else {
        return vec![opaque(node, "no type is named")];
    };
    if let Some(change) = common_action(node, &ObjectKind::Type, &name) {
        return vec![change];
    }
    let literal_in = |node: &Node| child(node, K::LITERAL).map(|literal| literal_text(&literal));
    if let Some(add) = child(node, K::ADD_VALUE)
        && let Some(value) = literal_in(&add)
    {
        return vec![Change::AddEnumValue {
            name,
            value,
            before: child(&add, K::BEFORE_VALUE).and_then(|before| literal_in(&before)),
            after: child(&add, K::AFTER_VALUE).and_then(|after| literal_in(&after)),
            if_not_exists: has(&add, K::IF_NOT_EXISTS),
        }];
    }
    if let Some(rename) = child(node, K::RENAME_VALUE) {
        let mut values = children(&rename, K::LITERAL).map(|literal| literal_text(&literal));
        if let (Some(value), Some(to)) = (values.next(), values.next()) {
            return vec![Change::RenameEnumValue { name, value, to }];
        }
    }
    if let Some(rename) = child(node, K::RENAME_ATTRIBUTE)
        && let (Some(attribute), Some(to)) =
            (name_in(&rename, K::COMPOSITE_FIELD_REF), name_in(&rename, K::COMPOSITE_FIELD))
    {
        return vec![Change::RenameAttribute { name, attribute, to, cascade: has(&rename, K::CASCADE) }];
    }
    if let Some(actions) = child(node, K::ALTER_TYPE_ATTRIBUTE_ACTION_LIST) {
        let changes: Vec<Change> =
            actions.children().filter_map(|action| attribute_change(parsed, &name, &action)).collect();
        if !changes.is_empty() {
            return changes;
        }
    }
    if has(node, K::SET_OPTIONS) {
        let statement = statement_text(parsed, node);
        return vec![Change::AlterObject { kind: ObjectKind::Type, name, statement }];
    }
    vec![Change::Opaque { because: "a type is altered".to_owned(), touches: vec![name] }]
}

fn attribute_change(parsed: &Parsed<'_>, name: &QualifiedName, action: &Node) -> Option<Change> {
    let name = name.clone();
    let cascade = has(action, K::CASCADE);
    let read_type = || Some(types::data_type(parsed.text_of(&type_child(action)?)));
    let read_collation = || child(action, K::COLLATE).and_then(|collate| collation(&collate));
    Some(match action.kind() {
        K::ADD_ATTRIBUTE => Change::AddAttribute {
            name,
            attribute: name_in(action, K::COMPOSITE_FIELD)?,
            data_type: read_type()?,
            collation: read_collation(),
            cascade,
        },
        K::DROP_ATTRIBUTE => Change::DropAttribute {
            name,
            attribute: name_in(action, K::COMPOSITE_FIELD_REF)?,
            if_exists: has(action, K::IF_EXISTS),
            cascade,
        },
        K::ALTER_ATTRIBUTE => Change::AlterAttributeType {
            name,
            attribute: name_in(action, K::COMPOSITE_FIELD_REF)?,
            to: read_type()?,
            collation: read_collation(),
            cascade,
        },
        _ => return None,
    })
}

/// The types of a routine's input arguments, as the server identifies it by.
pub(super) fn argument_types(parsed: &Parsed<'_>, list: &Node) -> String {
    let mut types = Vec::new();
    for parameter in children(list, K::PARAM) {
        if has(&parameter, K::PARAM_OUT) {
            continue;
        }
        let Some(data_type) = type_child(&parameter) else { continue };
        types.push(bare_type(parsed.text_of(&data_type)));
    }
    types.join(", ")
}

/// A type's canonical spelling without its modifiers, which routines ignore.
fn bare_type(text: &str) -> String {
    let data_type = types::data_type(text);
    let text = data_type.text.as_str();
    let bare = match (text.find('('), text.find(')')) {
        (Some(open), Some(close)) if open < close => format!("{}{}", &text[..open], &text[close + 1..]),
        _ => text.to_owned(),
    };
    if bare == "bpchar" { "character".to_owned() } else { bare }
}

/// A routine's name with its argument types, as grants name it.
pub(super) fn function_with_arguments(name: &QualifiedName, arguments: Option<&str>) -> QualifiedName {
    match arguments {
        Some(arguments) => name.sibling(format!("{}({arguments})", name.name)),
        None => name.clone(),
    }
}

pub(super) fn create_function(parsed: &Parsed<'_>, node: &Node) -> Vec<Change> {
    let name = qualified_in(node, K::FUNCTION_NAME).or_else(|| qualified_in(node, K::PROCEDURE_NAME));
    let Some(name) = name else { return vec![opaque(node, "no routine is named")] };
    let mut function = Function {
        name,
        arguments: child(node, K::PARAM_LIST).map(|list| argument_types(parsed, &list)).unwrap_or_default(),
        kind: if node.kind() == K::CREATE_PROCEDURE {
            FunctionKind::Procedure
        } else {
            FunctionKind::Function
        },
        returns: child(node, K::RET_TYPE).map(|returned| return_type(parsed, &returned)).unwrap_or_default(),
        ..Function::default()
    };
    for option in child(node, K::FUNC_OPTION_LIST).iter().flat_map(Node::children) {
        match option.kind() {
            K::LANGUAGE_FUNC_OPTION => {
                function.language = match child(&option, K::LITERAL) {
                    Some(literal) => Name::from(literal_text(&literal).to_ascii_lowercase()),
                    None => name_in(&option, K::LANGUAGE_REF).unwrap_or_default(),
                };
            }
            K::IMMUTABLE => function.volatility = Volatility::Immutable,
            K::STABLE => function.volatility = Volatility::Stable,
            K::SECURITY_DEFINER_FUNC_OPTION => function.security_definer = true,
            K::LEAKPROOF_FUNC_OPTION => function.leakproof = true,
            K::WINDOW_FUNC_OPTION => function.kind = FunctionKind::Window,
            K::SET_FUNC_OPTION => {
                if let Some((name, value)) =
                    child(&option, K::SET_CONFIG_PARAM).and_then(|set| setting(parsed, &set))
                {
                    function.settings.push((name, value.unwrap_or_else(|| "DEFAULT".to_owned())));
                }
            }
            K::AS_FUNC_OPTION => {
                function.body = option
                    .descendants()
                    .find(|node| node.kind() == K::LITERAL)
                    .map(|literal| literal_text(&literal))
                    .unwrap_or_default();
            }
            _ => {}
        }
    }
    function.settings.sort();
    if let Some(body) = node.children().find(|child| matches!(child.kind(), K::ATOMIC_BODY | K::RETURN_STMT))
    {
        function.body = parsed.text_of(&body).to_owned();
        if function.language.is_empty() {
            function.language = Name::new("sql");
        }
    }
    vec![Change::CreateFunction { function: Box::new(function), or_replace: has(node, K::OR_REPLACE) }]
}

/// What a function returns, as the server prints it.
fn return_type(parsed: &Parsed<'_>, node: &Node) -> String {
    if let Some(columns) = child(node, K::RETURN_TABLE_ARG_LIST) {
        let columns: Vec<String> = children(&columns, K::RETURN_TABLE_COLUMN)
            .filter_map(|column| {
                let name = name_in(&column, K::COLUMN_NAME)?;
                let data_type = bare_type(parsed.text_of(&type_child(&column)?));
                Some(format!("{} {data_type}", super::quote::identifier(name.as_str())))
            })
            .collect();
        return format!("TABLE({})", columns.join(", "));
    }
    let Some(returned) = type_child(node) else { return String::new() };
    let text = parsed.text_of(&returned);
    if has(&returned, K::SETOF_KW) || first_token(&returned).is_some_and(|token| token.kind() == K::SETOF_KW)
    {
        let text = text.get("setof".len()..).unwrap_or("").trim_start();
        return format!("SETOF {}", bare_type(text));
    }
    if returned.kind() == K::PERCENT_TYPE { text.to_owned() } else { bare_type(text) }
}

/// The routine that an `ALTER` or `DROP` names, and its argument types if they were said.
fn signature(parsed: &Parsed<'_>, node: &Node) -> Option<(QualifiedName, Option<String>)> {
    let name = node.children().find(|child| {
        matches!(child.kind(), K::FUNCTION_NAME_REF | K::PROCEDURE_NAME_REF | K::ROUTINE_NAME_REF)
    })?;
    Some((qualified(&name), child(node, K::PARAM_LIST).map(|list| argument_types(parsed, &list))))
}

pub(super) fn alter_function(parsed: &Parsed<'_>, node: &Node) -> Vec<Change> {
    let signature = node
        .children()
        .find(|child| matches!(child.kind(), K::FUNCTION_SIG | K::PROCEDURE_SIG | K::ROUTINE_SIG))
        .and_then(|sig| signature(parsed, &sig));
    let Some((name, arguments)) = signature else { return vec![opaque(node, "no routine is named")] };
    let kind = routine_kind(node);
    if let Some(change) = common_action(node, &kind, &function_with_arguments(&name, arguments.as_deref())) {
        return vec![change];
    }
    let Some(list) = child(node, K::FUNC_OPTION_LIST) else { return vec![Change::Nothing] };
    let settings: Vec<Change> = children(&list, K::SET_FUNC_OPTION)
        .filter_map(|option| setting(parsed, &child(&option, K::SET_CONFIG_PARAM)?))
        .map(|(setting, value)| Change::SetFunctionSetting {
            name: name.clone(),
            arguments: arguments.clone().unwrap_or_default(),
            setting,
            value: value.unwrap_or_else(|| "DEFAULT".to_owned()),
        })
        .collect();
    if !settings.is_empty() && settings.len() == list.children().count() {
        return settings;
    }
    vec![Change::AlterFunction { name, arguments, kind, clauses: parsed.text_of(&list).to_owned() }]
}

/// What the statement says that the routine is.
fn routine_kind(node: &Node) -> ObjectKind {
    match node.kind() {
        K::ALTER_FUNCTION | K::DROP_FUNCTION => ObjectKind::Function,
        K::ALTER_PROCEDURE | K::DROP_PROCEDURE => ObjectKind::Procedure,
        _ => ObjectKind::Routine,
    }
}

pub(super) fn drop_function(parsed: &Parsed<'_>, node: &Node) -> Vec<Change> {
    let if_exists = has(node, K::IF_EXISTS);
    let cascade = has(node, K::CASCADE);
    let kind = routine_kind(node);
    node.descendants()
        .filter(|node| matches!(node.kind(), K::FUNCTION_SIG | K::PROCEDURE_SIG | K::ROUTINE_SIG))
        .filter_map(|sig| signature(parsed, &sig))
        .map(|(name, arguments)| Change::DropFunction {
            name,
            arguments,
            if_exists,
            cascade,
            kind: kind.clone(),
        })
        .collect()
}

pub(super) fn create_trigger(parsed: &Parsed<'_>, node: &Node) -> Vec<Change> {
    let table = child(node, K::ON_RELATION).and_then(|on| qualified_in(&on, K::RELATION_NAME_REF));
    let (Some(name), Some(table)) = (name_in(node, K::TRIGGER), table) else {
        return vec![opaque(node, "no trigger is named")];
    };
    let mut events: Vec<Name> = child(node, K::TRIGGER_EVENT_LIST)
        .iter()
        .flat_map(Node::children)
        .filter_map(|event| {
            Some(Name::new(match event.kind() {
                K::TRIGGER_EVENT_INSERT => "INSERT",
                K::TRIGGER_EVENT_UPDATE => "UPDATE",
                K::TRIGGER_EVENT_DELETE => "DELETE",
                K::TRIGGER_EVENT_TRUNCATE => "TRUNCATE",
                _ => return None,
            }))
        })
        .collect();
    events.sort();
    let timing = if has(node, K::TIMING_BEFORE) {
        "BEFORE"
    } else if has(node, K::TIMING_INSTEAD_OF) {
        "INSTEAD OF"
    } else {
        "AFTER"
    };
    let function = child(node, K::CALL_EXPR).and_then(|call| {
        let parts: Vec<Name> = expr_child(&call)?
            .descendants()
            .filter(|node| node.kind() == K::NAME_REF)
            .map(|node| super::syntax::name(&node))
            .collect();
        Some(qualify(parts))
    });
    // What the fields cannot say is kept as the whole text, so that nothing is lost when it is written again.
    let call = child_at(node, &[K::CALL_EXPR, K::ARG_LIST]);
    let more = [K::WHEN_CONDITION, K::REFERENCING, K::FROM_TABLE, K::CONSTRAINT_KW, K::OR_REPLACE];
    let plain = !more.iter().any(|kind| has(node, *kind))
        && call.is_none_or(|arguments| child(&arguments, K::ARG).is_none())
        && !node.descendants().any(|node| node.kind() == K::TRIGGER_EVENT_UPDATE && has(&node, K::OF_KW));
    let body =
        if plain { String::new() } else { parsed.text_of(node).trim_end_matches(';').trim_end().to_owned() };
    let mut columns: Vec<Name> = node
        .descendants()
        .filter(|node| node.kind() == K::TRIGGER_EVENT_UPDATE)
        .flat_map(|event| event.descendants().filter(|node| node.kind() == K::COLUMN_NAME_REF))
        .map(|column| super::syntax::name(&column))
        .collect();
    columns.sort();
    let when = child(node, K::WHEN_CONDITION)
        .and_then(|clause| expr_child(&clause))
        .map(|condition| parsed_expression(parsed, &condition));
    vec![Change::CreateTrigger {
        or_replace: has(node, K::OR_REPLACE),
        trigger: Box::new(Trigger {
            body,
            name,
            table,
            timing: Name::new(timing),
            events,
            columns,
            when,
            for_each_row: has(node, K::FOR_EACH_ROW),
            function,
            enabled: true,
            ..Trigger::default()
        }),
    }]
}

pub(super) fn create_policy(parsed: &Parsed<'_>, node: &Node) -> Vec<Change> {
    let table = child(node, K::ON_TABLE).and_then(|on| qualified_in(&on, K::TABLE_NAME_REF));
    let (Some(name), Some(table)) = (name_in(node, K::POLICY), table) else {
        return vec![opaque(node, "no policy is named")];
    };
    let expression = |kind| {
        child(node, kind)
            .and_then(|clause| expr_child(&clause))
            .map(|value| parsed_expression(parsed, &value))
    };
    let command = child(node, K::POLICY_COMMAND)
        .and_then(|command| command.children().next())
        .map_or_else(|| "ALL".to_owned(), |command| parsed.text_of(&command).to_ascii_uppercase());
    let mut roles: Vec<Name> = child_at(node, &[K::POLICY_ROLES, K::ROLE_REF_LIST])
        .iter()
        .flat_map(|list| children(list, K::ROLE_REF))
        .map(|role| role_name(&role))
        .collect();
    if roles.is_empty() {
        roles.push(Name::new("public"));
    }
    vec![Change::CreatePolicy {
        policy: Box::new(Policy {
            name,
            table,
            permissive: !child(node, K::AS_POLICY_TYPE)
                .is_some_and(|kind| parsed.text_of(&kind).to_ascii_lowercase().contains("restrictive")),
            command: Name::from(command),
            roles,
            using: expression(K::USING_EXPR_CLAUSE),
            check: expression(K::WITH_CHECK_EXPR_CLAUSE),
        }),
    }]
}

pub(super) fn alter_trigger(node: &Node) -> Vec<Change> {
    if has(node, K::DEPENDS_ON_EXTENSION) || has(node, K::NO_DEPENDS_ON_EXTENSION) {
        return vec![Change::Nothing];
    }
    let object = name_in(node, K::TRIGGER_REF).map(QualifiedName::bare).unwrap_or_default();
    vec![
        common_action(node, &ObjectKind::Trigger, &object)
            .unwrap_or_else(|| opaque(node, "a trigger is altered")),
    ]
}

pub(super) fn alter_rule(node: &Node) -> Vec<Change> {
    let object = name_in(node, K::RULE_REF).map(QualifiedName::bare).unwrap_or_default();
    vec![common_action(node, &ObjectKind::Rule, &object).unwrap_or_else(|| opaque(node, "a rule is altered"))]
}

pub(super) fn alter_policy(parsed: &Parsed<'_>, node: &Node) -> Vec<Change> {
    let table = child(node, K::ON_TABLE).and_then(|on| qualified_in(&on, K::TABLE_NAME_REF));
    let (Some(name), Some(table)) = (name_in(node, K::POLICY_REF), table) else {
        return vec![opaque(node, "no policy is named")];
    };
    if let Some(change) = common_action(node, &ObjectKind::Policy, &QualifiedName::bare(&name)) {
        return vec![change];
    }
    let clauses = child(node, K::ALTER_POLICY_TO).unwrap_or_else(|| node.clone());
    let expression = |kind| {
        child(&clauses, kind)
            .and_then(|clause| expr_child(&clause))
            .map(|value| parsed_expression(parsed, &value))
    };
    let roles = child_at(&clauses, &[K::POLICY_ROLES, K::ROLE_REF_LIST])
        .map(|list| children(&list, K::ROLE_REF).map(|role| role_name(&role)).collect());
    vec![Change::AlterPolicy {
        table,
        name,
        roles,
        using: expression(K::USING_EXPR_CLAUSE),
        check: expression(K::WITH_CHECK_EXPR_CLAUSE),
    }]
}

pub(super) fn create_extension(node: &Node) -> Vec<Change> {
    let Some(name) = name_in(node, K::EXTENSION) else { return vec![opaque(node, "no extension is named")] };
    let version =
        child(node, K::EXTENSION_VERSION_CLAUSE).and_then(|clause| clause.children().next()).map(|version| {
            if version.kind() == K::LITERAL {
                Name::from(literal_text(&version))
            } else {
                super::syntax::name(&version)
            }
        });
    let schema = child(node, K::EXTENSION_SCHEMA).and_then(|clause| name_in(&clause, K::SCHEMA_REF));
    vec![Change::CreateExtension {
        extension: Extension { name, schema: schema.unwrap_or_default(), version, available: None },
        if_not_exists: has(node, K::IF_NOT_EXISTS),
    }]
}

pub(super) fn alter_extension(parsed: &Parsed<'_>, node: &Node) -> Vec<Change> {
    let Some(name) = name_in(node, K::EXTENSION_REF) else {
        return vec![opaque(node, "no extension is named")];
    };
    if let Some(update) = child(node, K::ALTER_EXTENSION_UPDATE) {
        let to = child(&update, K::UPDATE_TO).and_then(|to| to.children().next()).map(|version| {
            if version.kind() == K::LITERAL {
                Name::from(literal_text(&version))
            } else {
                super::syntax::name(&version)
            }
        });
        return vec![Change::UpdateExtension { name, to }];
    }
    let object = QualifiedName::bare(&name);
    vec![common_action(node, &ObjectKind::Extension, &object).unwrap_or_else(|| Change::AlterObject {
        kind: ObjectKind::Extension,
        name: object,
        statement: statement_text(parsed, node),
    })]
}

pub(super) fn comment(node: &Node) -> Change {
    let text = child(node, K::LITERAL)
        .filter(|literal| first_token(literal).is_some_and(|token| token.kind() != K::NULL_KW))
        .map(|literal| literal_text(&literal));
    let target = node.children().find(|child| child.kind() != K::LITERAL).and_then(|object| {
        Some(match object.kind() {
            K::OBJECT_SCHEMA => CommentTarget::Schema(name_in(&object, K::SCHEMA_REF)?),
            K::OBJECT_TABLE | K::OBJECT_FOREIGN_TABLE => {
                CommentTarget::Table(qualified_in(&object, K::TABLE_NAME_REF)?)
            }
            K::OBJECT_COLUMN => {
                let mut parts = segments(&child(&object, K::QUALIFIED_COLUMN_NAME_REF)?);
                let column = parts.pop()?;
                CommentTarget::Column(qualify(parts), column)
            }
            K::OBJECT_VIEW | K::OBJECT_MATERIALIZED_VIEW => {
                CommentTarget::View(qualified_in(&object, K::VIEW_REF)?)
            }
            K::OBJECT_INDEX => CommentTarget::Index(qualified_in(&object, K::INDEX_REF)?),
            K::OBJECT_TYPE => CommentTarget::Type(qualified_in(&object, K::TYPE_NAME_REF)?),
            K::OBJECT_DOMAIN => CommentTarget::Type(qualified_in(&object, K::DOMAIN_REF)?),
            K::OBJECT_SEQUENCE => CommentTarget::Sequence(qualified_in(&object, K::SEQUENCE_REF)?),
            _ => CommentTarget::Other,
        })
    });
    Change::Comment { on: target.unwrap_or(CommentTarget::Other), text }
}
