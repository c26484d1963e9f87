//! `CREATE TABLE` of PostgreSQL: columns, constraints and options.

use dbwright_model::catalog::{
    Check, Column, Exclusion, ForeignKey, Generated, Identity, Key, NotNull, PartitionKey, Persistence,
    ReferentialAction, Table, TableKind,
};
use dbwright_model::change::{AlterClauses, Change};
use dbwright_model::expression::{Expr, Expression, Literal};
use dbwright_model::name::{Name, QualifiedName};

use super::expression::parsed_expression;
use super::parse::opaque;
use super::syntax::{
    K, Node, Parsed, child, child_at, children, expr_child, first_token, has, is_query, last_token,
    literal_text, name, name_in, qualified, qualified_in, segments, type_child,
};
use super::types;

/// A constraint, wherever it was written.
pub(super) enum Constraint {
    PrimaryKey(Key, Option<Name>),
    Unique(Key, Option<Name>),
    Check(Check),
    ForeignKey(ForeignKey),
    Exclusion(Exclusion),
    NotNull(Name, NotNull),
}

pub(super) fn create_table(parsed: &Parsed<'_>, node: &Node) -> Vec<Change> {
    let Some(name) = qualified_in(node, K::TABLE_NAME) else {
        return vec![opaque(node, "no table is named")];
    };
    let mut table = Table { name, persistence: persistence(node), ..Table::default() };
    let mut likes = Vec::new();
    for argument in child(node, K::TABLE_ARG_LIST).iter().flat_map(Node::children) {
        match argument.kind() {
            K::COLUMN => {
                let Some((column, constraints)) = column(parsed, &argument) else { continue };
                // Without a type it is no column, but a partition may repeat its parent's to add to them.
                if type_child(&argument).is_none() && !has(node, K::PARTITION_OF) && !has(node, K::OF_TYPE) {
                    continue;
                }
                table.columns.push(column);
                for constraint in constraints {
                    add_constraint(&mut table, constraint);
                }
            }
            K::LIKE_CLAUSE => likes.push(argument),
            _ => {
                if let Some(constraint) = constraint(parsed, &argument, None) {
                    add_constraint(&mut table, constraint);
                }
            }
        }
    }
    if let Some(key) = table.primary_key.clone() {
        // The key may be written before its columns.
        set_not_null(&mut table, &key.columns);
    }
    table.kind = kind(parsed, node);
    if let Some(inherits) = child(node, K::INHERITS) {
        table.inherits = children(&inherits, K::TABLE_NAME_REF).map(|parent| qualified(&parent)).collect();
    }
    table.options = options(parsed, node);
    table.of_type = child(node, K::OF_TYPE).and_then(|of| user_type(parsed, &of));
    table.access_method = access_method(node);
    table.tablespace = tablespace(node);
    if table.is_partition() {
        table.sub_partitioned = child(node, K::PARTITION_BY).map(|by| {
            let (strategy, key) = partition_key(parsed, &by);
            PartitionKey { strategy, key }
        });
    }
    let if_not_exists = has(node, K::IF_NOT_EXISTS);
    let touched = table.name.clone();
    let mut changes = Vec::new();
    match likes.first() {
        None => changes.push(Change::CreateTable { table: Box::new(table), if_not_exists }),
        Some(like) => {
            let Some(other) = qualified_in(like, K::RELATION_NAME_REF) else {
                return vec![opaque(node, "the table after LIKE is not named")];
            };
            let mut including_indexes = false;
            for option in like.children() {
                let about_indexes = has(&option, K::PROPERTY_ALL) || has(&option, K::PROPERTY_INDEXES);
                if about_indexes {
                    including_indexes = option.kind() == K::INCLUDING_PROPERTY;
                }
            }
            changes.push(Change::CreateTableLike {
                table: Box::new(table),
                like: other,
                including_indexes,
                if_not_exists,
            });
        }
    }
    if likes.len() > 1 {
        let because = "a table like several others is not analysed".to_owned();
        changes.push(Change::Opaque { because, touches: vec![touched] });
    }
    changes
}

pub(super) fn create_table_as(parsed: &Parsed<'_>, node: &Node) -> Vec<Change> {
    let Some(name) = qualified_in(node, K::TABLE_NAME) else {
        return vec![opaque(node, "no table is named")];
    };
    let query = node
        .children()
        .find(|child| is_query(child.kind()) || child.kind() == K::EXECUTE)
        .map(|query| parsed.text_of(&query).to_owned())
        .unwrap_or_default();
    let columns = child(node, K::TABLE_ARG_LIST)
        .iter()
        .flat_map(|list| children(list, K::COLUMN))
        .filter_map(|column| name_in(&column, K::COLUMN_NAME))
        .collect();
    vec![Change::CreateTableAs {
        name,
        query,
        if_not_exists: has(node, K::IF_NOT_EXISTS),
        columns,
        persistence: persistence(node),
        populated: !has(node, K::WITH_NO_DATA),
        part_of: None,
    }]
}

fn persistence(node: &Node) -> Persistence {
    if has(node, K::UNLOGGED) {
        Persistence::Unlogged
    } else if has(node, K::TEMP) {
        Persistence::Temporary
    } else {
        Persistence::Permanent
    }
}

fn kind(parsed: &Parsed<'_>, node: &Node) -> TableKind {
    if let Some(of) = child(node, K::PARTITION_OF).and_then(|of| qualified_in(&of, K::TABLE_NAME_REF)) {
        return TableKind::Partition { of, bound: bound(parsed, node).unwrap_or_default() };
    }
    if let Some(by) = child(node, K::PARTITION_BY) {
        let (strategy, key) = partition_key(parsed, &by);
        return TableKind::Partitioned { strategy, key };
    }
    if let Some(server) = child(node, K::SERVER_CLAUSE).and_then(|server| name_in(&server, K::SERVER_REF)) {
        return TableKind::Foreign { server };
    }
    TableKind::Ordinary
}

fn partition_key(parsed: &Parsed<'_>, by: &Node) -> (Name, String) {
    let strategy = name_in(by, K::PARTITION_STRATEGY).unwrap_or_default();
    let key = child(by, K::PARTITION_ITEM_LIST).map(|list| inside_parentheses(parsed, &list));
    (strategy, key.unwrap_or_default())
}

/// The access method in a `USING`, unless it is the usual one.
pub(super) fn access_method(node: &Node) -> Option<Name> {
    child(node, K::USING_METHOD)
        .and_then(|using| name_in(&using, K::ACCESS_METHOD_REF))
        .filter(|method| *method != "heap")
}

/// The tablespace in a `TABLESPACE`.
pub(super) fn tablespace(node: &Node) -> Option<Name> {
    child(node, K::TABLESPACE_CLAUSE).and_then(|clause| name_in(&clause, K::TABLESPACE_REF))
}

/// The name of the type below a node, as written.
pub(super) fn user_type(parsed: &Parsed<'_>, node: &Node) -> Option<QualifiedName> {
    super::parse::name_from_text(parsed.text_of(&type_child(node)?))
}

/// The text of a node without the parentheses that it starts and ends with.
pub(super) fn inside_parentheses(parsed: &Parsed<'_>, node: &Node) -> String {
    let text = parsed.text_of(node);
    text.strip_prefix('(').and_then(|text| text.strip_suffix(')')).unwrap_or(text).trim().to_owned()
}

/// The bound of a partition as the server prints it.
pub(super) fn bound(parsed: &Parsed<'_>, node: &Node) -> Option<String> {
    let bound = node.children().find(|child| {
        matches!(
            child.kind(),
            K::PARTITION_DEFAULT
                | K::PARTITION_FOR_VALUES_FROM
                | K::PARTITION_FOR_VALUES_IN
                | K::PARTITION_FOR_VALUES_WITH
        )
    })?;
    let from_parenthesis = || {
        let text = parsed.text_of(&bound);
        text.find('(').map_or("", |at| &text[at..])
    };
    let text_in = |kind| child(&bound, kind).map_or("", |values| parsed.text_of(&values));
    Some(match bound.kind() {
        K::PARTITION_DEFAULT => "DEFAULT".to_owned(),
        K::PARTITION_FOR_VALUES_FROM => format!(
            "FOR VALUES FROM {} TO {}",
            text_in(K::PARTITION_FROM_VALUES),
            text_in(K::PARTITION_TO_VALUES)
        ),
        K::PARTITION_FOR_VALUES_IN => format!("FOR VALUES IN {}", from_parenthesis()),
        _ => format!("FOR VALUES WITH {}", from_parenthesis().to_ascii_lowercase()),
    })
}

/// Storage parameters in a `WITH (...)` or `SET (...)` below a node, sorted.
pub(super) fn options(parsed: &Parsed<'_>, node: &Node) -> Vec<(Name, String)> {
    let list =
        child_at(node, &[K::WITH_PARAMS, K::ATTRIBUTE_LIST]).or_else(|| child(node, K::ATTRIBUTE_LIST));
    let mut found: Vec<(Name, String)> = list
        .iter()
        .flat_map(|list| children(list, K::ATTRIBUTE_OPTION))
        .filter_map(|option| {
            let mut key = name_in(&option, K::ATTRIBUTE_NAME)?;
            if let Some(space) = name_in(&option, K::ATTRIBUTE_NAMESPACE) {
                key = Name::from(format!("{space}.{key}"));
            }
            let value = match child(&option, K::ATTRIBUTE_VALUE) {
                Some(value) => match child(&value, K::LITERAL) {
                    Some(literal) => literal_text(&literal),
                    None => parsed.text_of(&value).to_owned(),
                },
                None => "true".to_owned(),
            };
            Some((key, value))
        })
        .collect();
    found.sort();
    found
}

/// A column and the constraints written on it.
pub(super) fn column(parsed: &Parsed<'_>, node: &Node) -> Option<(Column, Vec<Constraint>)> {
    let mut column = Column { name: name_in(node, K::COLUMN_NAME)?, ..Column::default() };
    let mut constraints = Vec::new();
    for part in node.children() {
        match part.kind() {
            K::COLLATE => column.collation = collation(&part),
            K::NOT_NULL_CONSTRAINT => {
                column.not_null = true;
                let constraint = not_null(&part);
                column.not_null_constraint = (constraint != plain_not_null()).then_some(constraint);
            }
            K::STORAGE => column.storage = storage(parsed, &part),
            K::COMPRESSION_METHOD => column.compression = compression(parsed, &part),
            K::DEFAULT_CONSTRAINT => column.default = default(parsed, &part),
            K::GENERATED_CONSTRAINT => {
                if let Some(identity) = child(&part, K::GENERATED_IDENTITY) {
                    column.identity = Some(generated_when(&identity));
                    column.not_null = true;
                } else if let Some(stored) = child(&part, K::GENERATED_STORED)
                    && let Some(value) = expr_child(&stored)
                {
                    let expression = parsed_expression(parsed, &value);
                    column.generated =
                        Some(Box::new(Generated { expression, stored: has(&stored, K::STORED) }));
                }
            }
            kind if super::syntax::is_type(kind) => {
                let text = parsed.text_of(&part);
                column.data_type = types::data_type(text);
                if types::is_serial(text) {
                    column.auto_increment = true;
                    column.not_null = true;
                }
            }
            _ => {
                if let Some(constraint) = constraint(parsed, &part, Some(&column.name)) {
                    if let Constraint::PrimaryKey(..) = constraint {
                        column.not_null = true;
                    }
                    constraints.push(constraint);
                }
            }
        }
    }
    Some((column, constraints))
}

/// `ALWAYS` or `BY DEFAULT` below a node.
pub(super) fn generated_when(node: &Node) -> Identity {
    if has(node, K::GENERATED_ALWAYS) { Identity::Always } else { Identity::ByDefault }
}

/// A collation's own name; the database's default is none.
pub(super) fn collation(node: &Node) -> Option<Name> {
    let name = segments(&child(node, K::COLLATION_REF)?).pop()?;
    (name != "default").then_some(name)
}

/// The expression after `DEFAULT`; the server keeps none for `NULL`.
pub(super) fn default(parsed: &Parsed<'_>, node: &Node) -> Option<Expression> {
    let value = parsed_expression(parsed, &expr_child(node)?);
    match value.tree.as_deref().map(Expr::without_casts) {
        Some(Expr::Literal(Literal::Null)) => None,
        _ => Some(value),
    }
}

/// The mode in a `STORAGE`, lower case; `None` for the type's own.
fn storage(parsed: &Parsed<'_>, node: &Node) -> Option<Name> {
    let mode = parsed.text_of(&child(node, K::STORAGE_MODE)?).to_ascii_lowercase();
    (mode != "default").then(|| Name::from(mode))
}

/// The method in a `COMPRESSION`, lower case; `None` for the default.
fn compression(parsed: &Parsed<'_>, node: &Node) -> Option<Name> {
    let method = parsed.text_of(&child(node, K::COMPRESSION_METHOD_NAME)?).to_ascii_lowercase();
    (method != "default").then(|| Name::from(method))
}

/// A `NOT NULL` that says nothing more.
fn plain_not_null() -> NotNull {
    NotNull { name: None, validated: true, no_inherit: false }
}

fn not_null(node: &Node) -> NotNull {
    NotNull {
        name: child(node, K::CONSTRAINT_NAME_CLAUSE).and_then(|clause| name_in(&clause, K::CONSTRAINT_NAME)),
        validated: !has(node, K::NOT_VALID),
        no_inherit: has(node, K::NO_INHERIT),
    }
}

/// A constraint; `column` is the column it was written on.
pub(super) fn constraint(parsed: &Parsed<'_>, node: &Node, column: Option<&Name>) -> Option<Constraint> {
    let named =
        child(node, K::CONSTRAINT_NAME_CLAUSE).and_then(|clause| name_in(&clause, K::CONSTRAINT_NAME));
    let initially_deferred = has(node, K::INITIALLY_DEFERRED_CONSTRAINT_OPTION);
    let deferrable = has(node, K::DEFERRABLE_CONSTRAINT_OPTION) || initially_deferred;
    let enforced = !has(node, K::NOT_ENFORCED);
    let validated = enforced && !has(node, K::NOT_VALID);
    Some(match node.kind() {
        K::PRIMARY_KEY_CONSTRAINT | K::UNIQUE_CONSTRAINT => {
            let parameters = child(node, K::INDEX_PARAMETERS);
            let listed = parameters
                .iter()
                .filter_map(|parameters| child(parameters, K::CONSTRAINT_COLUMN_REF_LIST))
                .flat_map(|list| children(&list, K::COLUMN_NAME_REF))
                .map(|column| name(&column))
                .collect::<Vec<_>>();
            let using_index = child(node, K::USING_INDEX_NAME)
                .and_then(|using| child(&using, K::INDEX_REF))
                .and_then(|index| segments(&index).pop());
            let parameter = |kind| parameters.as_ref().and_then(|parameters| child(parameters, kind));
            let key = Key {
                name: named,
                columns: match column {
                    Some(column) => vec![column.clone()],
                    None => listed,
                },
                include: parameter(K::CONSTRAINT_INCLUDE_CLAUSE)
                    .and_then(|include| child(&include, K::COLUMN_REF_LIST))
                    .map(|list| column_names(&list))
                    .unwrap_or_default(),
                nulls_not_distinct: parameters
                    .as_ref()
                    .is_some_and(|parameters| has(parameters, K::NULLS_NOT_DISTINCT)),
                without_overlaps: parameter(K::CONSTRAINT_COLUMN_REF_LIST)
                    .is_some_and(|list| has(&list, K::WITHOUT_OVERLAPS)),
                deferrable,
                initially_deferred,
                options: parameters
                    .as_ref()
                    .map(|parameters| options(parsed, parameters))
                    .unwrap_or_default(),
                tablespace: parameter(K::CONSTRAINT_INDEX_TABLESPACE)
                    .and_then(|clause| name_in(&clause, K::TABLESPACE_REF)),
            };
            if node.kind() == K::PRIMARY_KEY_CONSTRAINT {
                Constraint::PrimaryKey(key, using_index)
            } else {
                Constraint::Unique(key, using_index)
            }
        }
        K::CHECK_CONSTRAINT => Constraint::Check(Check {
            name: named,
            expression: parsed_expression(parsed, &expr_child(node)?),
            validated,
            enforced,
            no_inherit: has(node, K::NO_INHERIT),
        }),
        K::FOREIGN_KEY_CONSTRAINT | K::REFERENCES_CONSTRAINT => {
            let mut lists = children(node, K::FOREIGN_KEY_COLUMN_LIST);
            let from = lists.next();
            let to = lists.next();
            let names = |list: &Option<Node>| list.as_ref().map(column_names).unwrap_or_default();
            let (columns, referenced_columns) = match column {
                Some(column) => {
                    (vec![column.clone()], name_in(node, K::COLUMN_NAME_REF).into_iter().collect())
                }
                None => (names(&from), names(&to)),
            };
            Constraint::ForeignKey(ForeignKey {
                name: named,
                columns,
                references: qualified_in(node, K::TABLE_NAME_REF)?,
                referenced_columns,
                on_delete: action(node, K::ON_DELETE_ACTION),
                on_delete_columns: action_columns(node),
                on_update: action(node, K::ON_UPDATE_ACTION),
                match_full: has(node, K::MATCH_FULL),
                period: from.is_some_and(|list| has(&list, K::PERIOD_COLUMN)),
                deferrable,
                initially_deferred,
                validated,
                enforced,
                beside_column: false,
            })
        }
        K::EXCLUDE_CONSTRAINT => {
            let start = first_token_of_kind(node, K::EXCLUDE_KW).or_else(|| first_token(node));
            Constraint::Exclusion(Exclusion {
                name: named.unwrap_or_default(),
                definition: parsed.between(start, last_token(node)).to_owned(),
            })
        }
        K::NOT_NULL_CONSTRAINT => Constraint::NotNull(name_in(node, K::COLUMN_NAME_REF)?, not_null(node)),
        _ => return None,
    })
}

fn first_token_of_kind(node: &Node, kind: K) -> Option<squawk_syntax::SyntaxToken> {
    super::syntax::tokens(node).find(|token| token.kind() == kind)
}

/// The columns of a list, a `PERIOD` column included.
fn column_names(list: &Node) -> Vec<Name> {
    list.descendants().filter(|node| node.kind() == K::COLUMN_NAME_REF).map(|column| name(&column)).collect()
}

fn action(node: &Node, clause: K) -> ReferentialAction {
    let action = child(node, clause).and_then(|clause| clause.children().next());
    match action.map(|action| action.kind()) {
        Some(K::CASCADE) => ReferentialAction::Cascade,
        Some(K::RESTRICT) => ReferentialAction::Restrict,
        Some(K::SET_NULL_COLUMNS) => ReferentialAction::SetNull,
        Some(K::SET_DEFAULT_COLUMNS) => ReferentialAction::SetDefault,
        _ => ReferentialAction::NoAction,
    }
}

/// The columns that `ON DELETE SET NULL` or `SET DEFAULT` is limited to.
fn action_columns(node: &Node) -> Vec<Name> {
    child(node, K::ON_DELETE_ACTION)
        .and_then(|clause| clause.children().next())
        .and_then(|action| child(&action, K::COLUMN_REF_LIST))
        .map(|list| column_names(&list))
        .unwrap_or_default()
}

fn set_not_null(table: &mut Table, names: &[Name]) {
    for column in &mut table.columns {
        column.not_null |= names.contains(&column.name);
    }
}

fn add_constraint(table: &mut Table, constraint: Constraint) {
    match constraint {
        Constraint::PrimaryKey(key, _) => {
            set_not_null(table, &key.columns);
            table.primary_key = Some(key);
        }
        Constraint::Unique(key, _) => table.uniques.push(key),
        Constraint::Check(check) => table.checks.push(check),
        Constraint::ForeignKey(foreign_key) => table.foreign_keys.push(foreign_key),
        Constraint::Exclusion(exclusion) => table.exclusions.push(exclusion),
        Constraint::NotNull(column, constraint) => {
            set_not_null(table, std::slice::from_ref(&column));
            if let Some(column) = table.columns.iter_mut().find(|other| other.name == column) {
                column.not_null_constraint = (constraint != plain_not_null()).then_some(constraint);
            }
        }
    }
}

/// A constraint as a change of an existing table.
pub(super) fn constraint_change(table: &QualifiedName, constraint: Constraint) -> Change {
    let table = table.clone();
    let alter = AlterClauses::default();
    match constraint {
        Constraint::PrimaryKey(key, using_index) => Change::AddPrimaryKey { alter, table, key, using_index },
        Constraint::Unique(key, using_index) => Change::AddUnique { alter, table, key, using_index },
        Constraint::Check(check) => Change::AddCheck { alter, table, check },
        Constraint::ForeignKey(foreign_key) => {
            Change::AddForeignKey { alter, table, foreign_key: Box::new(foreign_key) }
        }
        Constraint::Exclusion(exclusion) => Change::AddExclusion { alter, table, exclusion },
        Constraint::NotNull(column, constraint) => Change::AddNotNull { table, column, constraint, alter },
    }
}
