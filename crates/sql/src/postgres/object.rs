//! Indexes, views, sequences, types, routines, triggers, policies, extensions and comments of PostgreSQL.

use dbwright_model::catalog::{
    Check, Column, Extension, Function, FunctionKind, Index, IndexKey, IndexPart, Policy, Sequence, Trigger,
    UserType, UserTypeKind, View, Volatility,
};
use dbwright_model::change::{Change, CommentTarget, SequenceChanges};
use dbwright_model::data_type::{DataType, TypeKind};
use dbwright_model::name::{Name, QualifiedName};

use super::create_table::{Constraint, collation, constraint, default, options};
use super::expression::parsed_expression;
use super::parse::{new_owner, opaque, owner_or_schema, role_name, setting};
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
    if let Some(to) = child(node, K::INDEX_RENAME_TO).and_then(|to| qualified_in(&to, K::INDEX)) {
        return vec![Change::RenameIndex { table: None, index, to: to.name }];
    }
    if let Some(child) = child(node, K::ATTACH_INDEX_PARTITION).and_then(|to| qualified_in(&to, K::INDEX_REF))
    {
        return vec![Change::AttachIndex { parent: index, child }];
    }
    // Parameters of an index live with it, under its own name.
    if let Some(set) = child(node, K::SET_OPTIONS) {
        return vec![Change::SetTableOptions { table: index, options: options(parsed, &set) }];
    }
    vec![Change::Nothing]
}

pub(super) fn reindex(node: &Node) -> Vec<Change> {
    let Some(target) = child(node, K::REINDEX_TARGET_INDEX) else { return vec![Change::Nothing] };
    let Some(index) = qualified_in(&target, K::INDEX_REF) else {
        return vec![opaque(node, "no index is named")];
    };
    let concurrently = has(&target, K::CONCURRENTLY_KW)
        || child(node, K::REINDEX_OPTION_LIST).is_some_and(|list| has(&list, K::REINDEX_OPTION_CONCURRENTLY));
    vec![Change::Reindex { index, concurrently }]
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
        ..View::default()
    };
    vec![Change::CreateView { view: Box::new(view), or_replace: has(node, K::OR_REPLACE) }]
}

pub(super) fn alter_view(parsed: &Parsed<'_>, node: &Node) -> Vec<Change> {
    let Some(view) = qualified_in(node, K::VIEW_REF) else { return vec![opaque(node, "no view is named")] };
    if let Some(change) = owner_or_schema(node, K::VIEW_REF) {
        return vec![change];
    }
    if let Some(to) = child(node, K::VIEW_RENAME_TO).and_then(|to| qualified_in(&to, K::VIEW)) {
        return vec![Change::RenameTable { to: view.sibling(to.name), table: view }];
    }
    if let Some(set) = child(node, K::SET_OPTIONS) {
        return vec![Change::SetViewOptions { name: view, options: options(parsed, &set) }];
    }
    if let Some(reset) = child(node, K::RESET_OPTIONS) {
        let options = options(parsed, &reset).into_iter().map(|(key, _)| (key, String::new())).collect();
        return vec![Change::SetViewOptions { name: view, options }];
    }
    if let Some(rename) = child(node, K::RENAME_COLUMN)
        && let (Some(column), Some(to)) =
            (name_in(&rename, K::COLUMN_NAME_REF), name_in(&rename, K::COLUMN_NAME))
    {
        return vec![Change::RenameColumn { table: view, column, to }];
    }
    vec![Change::Nothing]
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
    if let Some(change) = owner_or_schema(node, K::SEQUENCE_REF) {
        return vec![change];
    }
    let clauses = sequence_clauses(parsed, node);
    let changes = SequenceChanges {
        data_type: clauses.data_type,
        increment: clauses.increment,
        min: clauses.min.flatten(),
        max: clauses.max.flatten(),
        cycle: clauses.cycle,
        owned_by: clauses.owned_by,
        rename: child(node, K::SEQUENCE_RENAME_TO)
            .and_then(|to| qualified_in(&to, K::SEQUENCE))
            .map(|to| to.name),
    };
    let mut found = Vec::new();
    if let Some(restart) = child(node, K::OPTION_RESTART) {
        let value = expr_child(&restart).and_then(|value| parsed.text_of(&value).parse::<i64>().ok());
        match value.and_then(|value| value.checked_sub(1)) {
            Some(value) => found.push(Change::SetSequenceValue { name: name.clone(), value }),
            None => found.push(Change::Nothing),
        }
    }
    if changes != SequenceChanges::default() || found.is_empty() {
        found.insert(0, Change::AlterSequence { name, changes });
    }
    found
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

pub(super) fn alter_type(_parsed: &Parsed<'_>, node: &Node) -> Vec<Change> {
    let Some(name) = qualified_in(node, K::TYPE_NAME_REF) else {
        return vec![opaque(node, "no type is named")];
    };
    if new_owner(node).is_some() {
        return vec![Change::Nothing];
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
        }];
    }
    if let Some(rename) = child(node, K::RENAME_VALUE) {
        let mut values = children(&rename, K::LITERAL).map(|literal| literal_text(&literal));
        if let (Some(value), Some(to)) = (values.next(), values.next()) {
            return vec![Change::RenameEnumValue { name, value, to }];
        }
    }
    vec![Change::Opaque { because: "a type is altered".to_owned(), touches: vec![name] }]
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
    if new_owner(node).is_some() {
        // The owner of a routine is not a relation's: `SetOwner` speaks of those.
        return vec![Change::Nothing];
    }
    let settings: Vec<Change> = child(node, K::FUNC_OPTION_LIST)
        .iter()
        .flat_map(|list| children(list, K::SET_FUNC_OPTION))
        .filter_map(|option| setting(parsed, &child(&option, K::SET_CONFIG_PARAM)?))
        .map(|(setting, value)| Change::SetFunctionSetting {
            name: name.clone(),
            arguments: arguments.clone().unwrap_or_default(),
            setting,
            value: value.unwrap_or_else(|| "DEFAULT".to_owned()),
        })
        .collect();
    if !settings.is_empty() {
        return settings;
    }
    vec![opaque(node, "a routine is altered")]
}

pub(super) fn drop_function(parsed: &Parsed<'_>, node: &Node) -> Vec<Change> {
    let if_exists = has(node, K::IF_EXISTS);
    node.descendants()
        .filter(|node| matches!(node.kind(), K::FUNCTION_SIG | K::PROCEDURE_SIG | K::ROUTINE_SIG))
        .filter_map(|sig| signature(parsed, &sig))
        .map(|(name, arguments)| Change::DropFunction { name, arguments, if_exists })
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
    vec![Change::CreateTrigger {
        trigger: Box::new(Trigger {
            body,
            name,
            table,
            timing: Name::new(timing),
            events,
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

pub(super) fn alter_extension(node: &Node) -> Vec<Change> {
    vec![match name_in(node, K::EXTENSION_REF) {
        Some(name) if has(node, K::ALTER_EXTENSION_UPDATE) => Change::UpdateExtension { name },
        _ => Change::Nothing,
    }]
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
            _ => CommentTarget::Other,
        })
    });
    Change::Comment { on: target.unwrap_or(CommentTarget::Other), text }
}
