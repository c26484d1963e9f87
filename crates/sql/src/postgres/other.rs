//! Rules, extended statistics, publications, subscriptions, and the kinds of object that the model knows by name only.

use dbwright_model::catalog::{ExtendedStatistics, Publication, PublishedTable, Rule};
use dbwright_model::change::{AlterClauses, Change, ListAction, ObjectKind, SubscriptionAction};
use dbwright_model::name::{Name, QualifiedName};

use super::alter_table::{set_or_reset, statistics_target};
use super::create_table::options;
use super::expression::parsed_expression;
use super::parse::{new_owner, opaque};
use super::syntax::{
    K, Node, Parsed, child, children, expr_child, has, is_expr, name, name_in, qualified, qualified_in,
    segments,
};

pub(super) fn create_rule(parsed: &Parsed<'_>, node: &Node) -> Vec<Change> {
    let on = child(node, K::RULE_ON);
    let table = on.as_ref().and_then(|on| qualified_in(on, K::RELATION_NAME_REF));
    let event =
        on.and_then(|on| child(&on, K::RULE_EVENT)).map(|event| parsed.text_of(&event).to_ascii_uppercase());
    let (Some(name), Some(table), Some(event)) = (name_in(node, K::RULE), table, event) else {
        return vec![opaque(node, "no rule is named")];
    };
    vec![Change::CreateRule {
        rule: Box::new(Rule {
            name,
            table,
            event: Name::from(event),
            instead: child(node, K::RULE_DO).is_some_and(|action| has(&action, K::INSTEAD_KW)),
            definition: statement_text(parsed, node),
            enabled: true,
        }),
        or_replace: has(node, K::OR_REPLACE),
    }]
}

pub(super) fn drop_rule(node: &Node) -> Vec<Change> {
    let table = child(node, K::ON_RELATION).and_then(|on| qualified_in(&on, K::RELATION_NAME_REF));
    vec![match (table, name_in(node, K::RULE_REF)) {
        (Some(table), Some(name)) => Change::DropRule {
            table,
            name,
            if_exists: has(node, K::IF_EXISTS),
            cascade: has(node, K::CASCADE),
        },
        _ => opaque(node, "no rule is named"),
    }]
}

pub(super) fn create_statistics(parsed: &Parsed<'_>, node: &Node) -> Vec<Change> {
    let table = child(node, K::FROM_TABLE).and_then(|from| qualified_in(&from, K::TABLE_NAME_REF));
    let Some(table) = table else { return vec![opaque(node, "no table is named")] };
    let mut statistics = ExtendedStatistics {
        name: qualified_in(node, K::STATISTICS).unwrap_or_default(),
        table,
        ..ExtendedStatistics::default()
    };
    statistics.kinds = child(node, K::STAT_TYPES)
        .iter()
        .flat_map(|list| children(list, K::STATISTICS_KIND))
        .map(|kind| name(&kind))
        .collect();
    statistics.kinds.sort();
    statistics.kinds.dedup();
    if statistics.kinds.len() == 3 {
        // All of them is what an unsaid list means.
        statistics.kinds.clear();
    }
    for value in child(node, K::STATISTICS_ON_CLAUSE).iter().flat_map(Node::children) {
        if value.kind() == K::NAME_REF {
            statistics.columns.push(name(&value));
        } else if is_expr(value.kind()) {
            statistics.expressions.push(parsed_expression(parsed, &value));
        }
    }
    vec![Change::CreateStatistics {
        statistics: Box::new(statistics),
        if_not_exists: has(node, K::IF_NOT_EXISTS),
    }]
}

pub(super) fn alter_statistics(parsed: &Parsed<'_>, node: &Node) -> Vec<Change> {
    let Some(name) = qualified_in(node, K::STATISTICS_REF) else {
        return vec![opaque(node, "no statistics are named")];
    };
    if let Some(set) = child(node, K::SET_STATISTICS) {
        return vec![Change::SetExtendedStatisticsTarget { name, target: statistics_target(parsed, &set) }];
    }
    common_action(node, &ObjectKind::Statistics, &name)
        .map_or_else(|| vec![opaque(node, "statistics are altered")], |change| vec![change])
}

/// The tables and schemas of a publication's list.
fn published(parsed: &Parsed<'_>, node: &Node) -> (Vec<PublishedTable>, Vec<Name>) {
    let mut tables = Vec::new();
    let mut schemas = Vec::new();
    for object in node.children() {
        match object.kind() {
            K::PUBLICATION_OBJECT_TABLE => {
                let Some(table) = qualified_in(&object, K::TABLE_NAME_REF) else { continue };
                let columns = child(&object, K::COLUMN_REF_LIST)
                    .iter()
                    .flat_map(|list| children(list, K::COLUMN_NAME_REF))
                    .map(|column| name(&column))
                    .collect();
                let filter = child(&object, K::WHERE_CONDITION_CLAUSE)
                    .and_then(|clause| expr_child(&clause))
                    .map(|value| parsed_expression(parsed, &value));
                tables.push(PublishedTable { table, columns, filter, only: has(&object, K::ONLY_KW) });
            }
            K::PUBLICATION_OBJECT_TABLES_IN_SCHEMA => schemas.extend(name_in(&object, K::SCHEMA_REF)),
            _ => {}
        }
    }
    (tables, schemas)
}

/// The parameters of a publication, with the published operations in one spelling and left out when they are all.
fn publication_options(parsed: &Parsed<'_>, node: &Node) -> Vec<(Name, String)> {
    let mut found = options(parsed, node);
    for (key, value) in &mut found {
        if *key == "publish" {
            let words: Vec<&str> = value.split(',').map(str::trim).filter(|word| !word.is_empty()).collect();
            *value = words.join(", ").to_ascii_lowercase();
        }
    }
    found
}

pub(super) fn create_publication(parsed: &Parsed<'_>, node: &Node) -> Vec<Change> {
    let Some(name) = name_in(node, K::PUBLICATION) else {
        return vec![opaque(node, "no publication is named")];
    };
    let options = publication_options(parsed, node);
    let (tables, schemas) = child(node, K::FOR_PUBLICATION_OBJECTS)
        .map(|objects| published(parsed, &objects))
        .unwrap_or_default();
    let all_tables =
        child(node, K::FOR_ALL_PUBLICATION_OBJECTS).is_some_and(|all| has(&all, K::ALL_PUBLICATION_TABLES));
    vec![Change::CreatePublication {
        publication: Publication {
            name,
            all_tables,
            schemas,
            tables,
            updates_or_deletes: publishes_updates_or_deletes(&options),
            options,
        },
    }]
}

/// Whether the parameters of a publication let updates or deletes through.
pub(crate) fn publishes_updates_or_deletes(options: &[(Name, String)]) -> bool {
    options
        .iter()
        .find(|(key, _)| *key == "publish")
        .is_none_or(|(_, value)| value.contains("update") || value.contains("delete"))
}

pub(super) fn alter_publication(parsed: &Parsed<'_>, node: &Node) -> Vec<Change> {
    let Some(publication) = name_in(node, K::PUBLICATION_REF) else {
        return vec![opaque(node, "no publication is named")];
    };
    for (kind, action) in [
        (K::ADD_PUBLICATION_OBJECTS, ListAction::Add),
        (K::DROP_PUBLICATION_OBJECTS, ListAction::Drop),
        (K::SET_PUBLICATION_OBJECTS, ListAction::Set),
    ] {
        if let Some(objects) = child(node, kind) {
            let (tables, schemas) = published(parsed, &objects);
            return vec![Change::AlterPublication { name: publication, action, tables, schemas }];
        }
    }
    if let Some(set) = child(node, K::SET_OPTIONS) {
        return vec![Change::SetPublicationOptions {
            name: publication,
            options: publication_options(parsed, &set),
        }];
    }
    common_action(node, &ObjectKind::Publication, &QualifiedName::bare(publication))
        .map_or_else(|| vec![opaque(node, "a publication is altered")], |change| vec![change])
}

fn publications(node: &Node) -> Vec<Name> {
    children(node, K::PUBLICATION_REF).map(|publication| name(&publication)).collect()
}

pub(super) fn create_subscription(parsed: &Parsed<'_>, node: &Node) -> Vec<Change> {
    vec![match name_in(node, K::SUBSCRIPTION) {
        Some(name) => Change::CreateSubscription {
            name,
            publications: publications(node),
            options: options(parsed, node),
        },
        None => opaque(node, "no subscription is named"),
    }]
}

pub(super) fn alter_subscription(parsed: &Parsed<'_>, node: &Node) -> Vec<Change> {
    let Some(name) = name_in(node, K::SUBSCRIPTION_REF) else {
        return vec![opaque(node, "no subscription is named")];
    };
    for part in node.children() {
        let list =
            |action| SubscriptionAction::Publications(action, publications(&part), options(parsed, &part));
        let action = match part.kind() {
            K::CONNECTION_CLAUSE | K::SERVER_CLAUSE => SubscriptionAction::Connection,
            K::ADD_PUBLICATION => list(ListAction::Add),
            K::SET_PUBLICATION => list(ListAction::Set),
            K::DROP_SUBSCRIPTION_PUBLICATION => list(ListAction::Drop),
            K::REFRESH_PUBLICATION => SubscriptionAction::Refresh(options(parsed, &part)),
            K::ENABLE_SUBSCRIPTION => SubscriptionAction::Enabled(true),
            K::DISABLE_SUBSCRIPTION => SubscriptionAction::Enabled(false),
            K::SET_OPTIONS => SubscriptionAction::Options(set_or_reset(parsed, &part)),
            K::SKIP_SUBSCRIPTION => SubscriptionAction::Skip(options(parsed, &part)),
            _ => continue,
        };
        return vec![Change::AlterSubscription { name, action }];
    }
    common_action(node, &ObjectKind::Subscription, &QualifiedName::bare(name))
        .map_or_else(|| vec![opaque(node, "a subscription is altered")], |change| vec![change])
}

/// `OWNER TO`, `SET SCHEMA` and `RENAME TO`, which every kind of object spells alike.
pub(super) fn common_action(node: &Node, kind: &ObjectKind, object: &QualifiedName) -> Option<Change> {
    let (kind, object) = (kind.clone(), object.clone());
    let alter = AlterClauses { if_exists: has(node, K::IF_EXISTS), ..AlterClauses::default() };
    if let Some(owner) = new_owner(node) {
        return Some(Change::SetOwner { kind, object, owner, alter });
    }
    if let Some(schema) = child(node, K::SET_SCHEMA).and_then(|set| name_in(&set, K::SCHEMA_REF)) {
        return Some(Change::SetSchema { kind, object, schema, alter });
    }
    let table = child(node, K::ON_TABLE)
        .and_then(|on| qualified_in(&on, K::TABLE_NAME_REF))
        .or_else(|| child(node, K::ON_RELATION).and_then(|on| qualified_in(&on, K::RELATION_NAME_REF)));
    let rename = node.children().find(is_rename)?;
    let to = segments(&rename.children().next()?).pop().filter(|to| !to.is_empty())?;
    Some(Change::RenameObject { kind, object, table, to })
}

/// Whether a node is a plain `RENAME TO`.
fn is_rename(node: &Node) -> bool {
    let mut words = super::syntax::tokens(node);
    words.next().is_some_and(|token| token.kind() == K::RENAME_KW)
        && words.next().is_some_and(|token| token.kind() == K::TO_KW)
}

/// The text of a statement without its terminator.
pub(super) fn statement_text(parsed: &Parsed<'_>, node: &Node) -> String {
    parsed.text_of(node).trim_end_matches(';').trim_end().to_owned()
}

/// What a statement does with an object.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verb {
    Create,
    Alter,
    Drop,
}

/// The statements about kinds of object that the model knows by name only.
fn kind_of(kind: K) -> Option<(Verb, ObjectKind)> {
    use ObjectKind::*;
    use Verb::*;
    Some(match kind {
        K::CREATE_ROLE | K::CREATE_USER | K::CREATE_GROUP => (Create, Role),
        K::ALTER_ROLE | K::ALTER_USER | K::ALTER_GROUP => (Alter, Role),
        K::DROP_ROLE | K::DROP_USER | K::DROP_GROUP => (Drop, Role),
        K::CREATE_DATABASE => (Create, Database),
        K::ALTER_DATABASE => (Alter, Database),
        K::DROP_DATABASE => (Drop, Database),
        K::CREATE_TABLESPACE => (Create, Tablespace),
        K::ALTER_TABLESPACE => (Alter, Tablespace),
        K::DROP_TABLESPACE => (Drop, Tablespace),
        K::CREATE_EVENT_TRIGGER => (Create, EventTrigger),
        K::ALTER_EVENT_TRIGGER => (Alter, EventTrigger),
        K::DROP_EVENT_TRIGGER => (Drop, EventTrigger),
        K::CREATE_LANGUAGE => (Create, Language),
        K::ALTER_LANGUAGE => (Alter, Language),
        K::DROP_LANGUAGE => (Drop, Language),
        K::CREATE_SERVER => (Create, Server),
        K::ALTER_SERVER => (Alter, Server),
        K::DROP_SERVER => (Drop, Server),
        K::CREATE_USER_MAPPING => (Create, UserMapping),
        K::ALTER_USER_MAPPING => (Alter, UserMapping),
        K::DROP_USER_MAPPING => (Drop, UserMapping),
        K::CREATE_FOREIGN_DATA_WRAPPER => (Create, ForeignDataWrapper),
        K::ALTER_FOREIGN_DATA_WRAPPER => (Alter, ForeignDataWrapper),
        K::DROP_FOREIGN_DATA_WRAPPER => (Drop, ForeignDataWrapper),
        K::CREATE_COLLATION => (Create, Collation),
        K::ALTER_COLLATION => (Alter, Collation),
        K::DROP_COLLATION => (Drop, Collation),
        K::CREATE_CONVERSION => (Create, Conversion),
        K::ALTER_CONVERSION => (Alter, Conversion),
        K::DROP_CONVERSION => (Drop, Conversion),
        K::CREATE_CAST => (Create, Cast),
        K::DROP_CAST => (Drop, Cast),
        K::CREATE_AGGREGATE => (Create, Aggregate),
        K::ALTER_AGGREGATE => (Alter, Aggregate),
        K::DROP_AGGREGATE => (Drop, Aggregate),
        K::CREATE_OPERATOR => (Create, Operator),
        K::ALTER_OPERATOR => (Alter, Operator),
        K::DROP_OPERATOR => (Drop, Operator),
        K::CREATE_OPERATOR_CLASS => (Create, OperatorClass),
        K::ALTER_OPERATOR_CLASS => (Alter, OperatorClass),
        K::DROP_OPERATOR_CLASS => (Drop, OperatorClass),
        K::CREATE_OPERATOR_FAMILY => (Create, OperatorFamily),
        K::ALTER_OPERATOR_FAMILY => (Alter, OperatorFamily),
        K::DROP_OPERATOR_FAMILY => (Drop, OperatorFamily),
        K::CREATE_ACCESS_METHOD => (Create, AccessMethod),
        K::DROP_ACCESS_METHOD => (Drop, AccessMethod),
        K::CREATE_TRANSFORM => (Create, Transform),
        K::DROP_TRANSFORM => (Drop, Transform),
        K::CREATE_TEXT_SEARCH_CONFIGURATION => (Create, TextSearchConfiguration),
        K::ALTER_TEXT_SEARCH_CONFIGURATION => (Alter, TextSearchConfiguration),
        K::DROP_TEXT_SEARCH_CONFIG => (Drop, TextSearchConfiguration),
        K::CREATE_TEXT_SEARCH_DICTIONARY => (Create, TextSearchDictionary),
        K::ALTER_TEXT_SEARCH_DICTIONARY => (Alter, TextSearchDictionary),
        K::DROP_TEXT_SEARCH_DICT => (Drop, TextSearchDictionary),
        K::CREATE_TEXT_SEARCH_PARSER => (Create, TextSearchParser),
        K::ALTER_TEXT_SEARCH_PARSER => (Alter, TextSearchParser),
        K::DROP_TEXT_SEARCH_PARSER => (Drop, TextSearchParser),
        K::CREATE_TEXT_SEARCH_TEMPLATE => (Create, TextSearchTemplate),
        K::ALTER_TEXT_SEARCH_TEMPLATE => (Alter, TextSearchTemplate),
        K::DROP_TEXT_SEARCH_TEMPLATE => (Drop, TextSearchTemplate),
        K::ALTER_LARGE_OBJECT => (Alter, LargeObject),
        K::CREATE_PROPERTY_GRAPH => (Create, PropertyGraph),
        K::ALTER_PROPERTY_GRAPH => (Alter, PropertyGraph),
        K::DROP_PROPERTY_GRAPH => (Drop, PropertyGraph),
        _ => return None,
    })
}

/// Lowers a statement about a kind of object that the model knows by name only.
pub(super) fn object(parsed: &Parsed<'_>, node: &Node) -> Option<Vec<Change>> {
    let (verb, kind) = kind_of(node.kind())?;
    let named: Vec<Node> = node
        .children()
        .filter(|part| {
            !matches!(part.kind(), K::IF_EXISTS | K::IF_NOT_EXISTS | K::OR_REPLACE | K::CASCADE | K::RESTRICT)
        })
        .collect();
    let Some(first) = named.first() else { return Some(vec![opaque(node, "no object is named")]) };
    let name = object_name(parsed, &kind, first);
    if verb == Verb::Alter
        && let Some(change) = common_action(node, &kind, &name)
    {
        return Some(vec![change]);
    }
    let statement =
        if may_hold_secrets(parsed, node, &kind) { String::new() } else { statement_text(parsed, node) };
    Some(match verb {
        Verb::Create => vec![Change::CreateObject { kind, name, statement }],
        Verb::Alter => vec![Change::AlterObject { kind, name, statement }],
        Verb::Drop => {
            let if_exists = has(node, K::IF_EXISTS);
            let cascade = has(node, K::CASCADE);
            let same = first.kind();
            // Only lists of plain names are taken apart; what has a signature keeps its statement.
            let plain = is_plain(&kind);
            let all = named.iter().filter(|part| plain && part.kind() == same || *part == first);
            all.map(|part| Change::DropObject {
                kind: kind.clone(),
                name: object_name(parsed, &kind, part),
                if_exists,
                cascade,
                statement: if plain { String::new() } else { statement.clone() },
            })
            .collect()
        }
    })
}

/// Whether objects of a kind are named by a plain, possibly qualified name.
fn is_plain(kind: &ObjectKind) -> bool {
    !matches!(
        kind,
        ObjectKind::Aggregate
            | ObjectKind::Operator
            | ObjectKind::OperatorClass
            | ObjectKind::OperatorFamily
            | ObjectKind::Cast
            | ObjectKind::Transform
            | ObjectKind::UserMapping
            | ObjectKind::LargeObject
            | ObjectKind::Database
    )
}

fn object_name(parsed: &Parsed<'_>, kind: &ObjectKind, node: &Node) -> QualifiedName {
    match kind {
        ObjectKind::Role => QualifiedName::bare(super::parse::role_name(node)),
        ObjectKind::Database | ObjectKind::OperatorClass | ObjectKind::OperatorFamily => qualified(node),
        kind if is_plain(kind) => qualified(node),
        _ => {
            let words: Vec<&str> = parsed.text_of(node).split_whitespace().collect();
            QualifiedName::bare(words.join(" "))
        }
    }
}

/// Whether the statement may hold a password.
fn may_hold_secrets(parsed: &Parsed<'_>, node: &Node, kind: &ObjectKind) -> bool {
    match kind {
        ObjectKind::Role => parsed.text_of(node).to_ascii_lowercase().contains("password"),
        ObjectKind::Server | ObjectKind::UserMapping | ObjectKind::ForeignDataWrapper => true,
        _ => false,
    }
}
