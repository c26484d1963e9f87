//! What a statement finds beside the tables that it locks: what it names, what depends on that, who else gets it.

use dbwright_model::catalog::{IndexKey, Publication, Table, UserTypeKind};
use dbwright_model::chain::Surroundings;
use dbwright_model::change::{Change, ObjectKind};
use dbwright_model::data_type::DataType;
use dbwright_model::engine::Dialect;
use dbwright_model::expression::{Expr, Expression};
use dbwright_model::name::{Name, QualifiedName};
use dbwright_model::reads;

use crate::fold::Folder;

/// The relations and types that a change names as what it changes.
pub(crate) fn named(change: &Change) -> Vec<&QualifiedName> {
    use Change::*;
    if let Data { table, clauses, .. } = change {
        return table.iter().chain(&clauses.also).collect();
    }
    let name = match change {
        DropTable { name, .. }
        | DropView { name, .. }
        | RefreshView { name, .. }
        | AlterSequence { name, .. }
        | DropSequence { name, .. }
        | SetSequenceValue { name, .. }
        | AdvanceSequence { name }
        | SetIndexExtension { index: name }
        | DropType { name, .. }
        | AddEnumValue { name, .. }
        | RenameEnumValue { name, .. } => name,
        CreateTable { table, .. } => &table.name,
        CreateView { view, .. } => &view.name,
        CreateIndex { table, .. } => table,
        DropIndex { index, .. } | Reindex { index, .. } => index,
        RenameObject { object, .. } | SetSchema { object, .. } => object,
        AttachPartition { partition, .. } | DetachPartition { partition, .. } => partition,
        Cluster { table: Some(table), .. } | Vacuum { table: Some(table), .. } => table,
        _ => return change.altered().into_iter().collect(),
    };
    vec![name]
}

/// What the state before a statement tells of what the statement names.
pub(crate) fn of(before: &Folder, changes: &[Change]) -> Surroundings {
    let mut around = Surroundings::default();
    for change in changes {
        for name in named(change) {
            let table = before.table(name);
            if let Some(table) = table {
                around.publications.extend(publications(before, table));
            }
            // Nothing else has the name of a table.
            if table.is_some_and(|table| table.name == before.full_name(name)) {
                continue;
            }
            if let Some(view) = before.view(name) {
                let mut view = view.clone();
                if view.columns.is_empty() {
                    let columns = view.query.as_deref().and_then(|query| before.columns_of_query(query));
                    view.columns = columns.unwrap_or_default();
                }
                around.views.push(view);
            }
            if let Some(sequence) = before.sequence(name) {
                around.sequences.push(sequence.clone());
            }
            if let Some(user_type) = before.user_type(name) {
                around.types.push(user_type.clone());
            }
        }
        match change {
            Change::CreateView { view, .. } => {
                let of_query = || view.query.as_deref().and_then(|query| before.columns_of_query(query));
                let columns = Some(&view.columns).filter(|columns| !columns.is_empty()).cloned();
                let columns = columns.or_else(of_query).unwrap_or_default();
                around.view_columns = columns.into_iter().map(|column| column.name).collect();
            }
            Change::CreateFunction { function, .. } => {
                let schema = Some(&function.name.schema).filter(|schema| !schema.is_empty());
                let known = before.functions(schema, function.name.name.as_str());
                around.functions.extend(known.cloned());
                // Nothing rests on a function that was not there, and looking through all tables takes long.
                if around.functions.iter().any(|old| old.arguments == function.arguments) {
                    around.dependants.extend(users_of_function(before, &function.name.name));
                }
            }
            Change::AddColumn { column, .. } => {
                let user_type = column.data_type.user_type.as_ref().and_then(|name| before.user_type(name));
                around.types.extend(user_type.cloned());
            }
            Change::DropExtension { name, .. } => {
                let known = before.catalog().extensions.known().into_iter().flatten();
                around.extensions.extend(known.filter(|extension| extension.name == *name).cloned());
            }
            Change::DetachPartition { table, .. } | Change::AttachPartition { table, .. } => {
                let of = before.full_name(table);
                around.default_partition = before.default_partition(&of).map(|table| table.name.clone());
            }
            _ => {}
        }
        if let Some(name) = policed(change) {
            let name = before.full_name(name);
            let policies = before.catalog().policies.known().into_iter().flatten();
            around.policies += policies.filter(|policy| policy.table == name).count();
        }
        around.dependants.extend(taken_along(before, change));
        if before.engine().dialect() == Dialect::Mysql
            && let Some((table, column)) = taken_from_views(change)
        {
            let table = before.full_name(table);
            let views = before.views_reading(&table, column);
            around.readers.extend(views.into_iter().map(|view| view.name.clone()));
        }
    }
    around.readers.sort();
    around.readers.dedup();
    around.dependants.sort();
    around.dependants.dedup();
    around
}

/// The table, or the column of one, that is there no longer by its name afterwards.
fn taken_from_views(change: &Change) -> Option<(&QualifiedName, Option<&Name>)> {
    match change {
        Change::DropTable { name, .. } | Change::RenameTable { table: name, .. } => Some((name, None)),
        Change::DropColumn { table, column, .. } | Change::RenameColumn { table, column, .. } => {
            Some((table, Some(column)))
        }
        Change::ModifyColumn { table, column, to, .. } if !to.name.eq_ignore_case(column.as_str()) => {
            Some((table, Some(column)))
        }
        _ => None,
    }
}

fn policed(change: &Change) -> Option<&QualifiedName> {
    match change {
        Change::SetRowSecurity { table, .. } => Some(table),
        _ => None,
    }
}

fn publications(before: &Folder, table: &Table) -> Vec<Publication> {
    let known = before.catalog().publications.known().into_iter().flatten();
    let holds = |publication: &&Publication| {
        publication.all_tables
            || publication.schemas.contains(&table.name.schema)
            || publication.tables.iter().any(|listed| before.full_name(&listed.table) == table.name)
    };
    known.filter(holds).cloned().collect()
}

fn calls(expression: &Expression, function: &Name) -> bool {
    let mut found = false;
    if let Some(tree) = expression.tree.as_deref() {
        tree.walk(&mut |expr| {
            found |= matches!(expr, Expr::Call(call) if call.function() == function.as_str());
        });
    }
    found
}

/// What is stored or was checked by the results of a function.
fn users_of_function(before: &Folder, function: &Name) -> Vec<String> {
    let mut users = Vec::new();
    for table in &before.catalog().tables {
        for index in &table.indexes {
            let in_key = index.parts.iter().any(|part| match &part.key {
                IndexKey::Expression(expression) => calls(expression, function),
                IndexKey::Column(_) => false,
            });
            if in_key || index.predicate.as_ref().is_some_and(|predicate| calls(predicate, function)) {
                users.push(format!("index `{}`", table.name.sibling(&index.name)));
            }
        }
        for column in &table.columns {
            let generated = column.generated.as_ref();
            if generated.is_some_and(|generated| generated.stored && calls(&generated.expression, function)) {
                users.push(format!("generated column `{}.{}`", table.name, column.name));
            }
        }
        for check in table.checks.iter().filter(|check| calls(&check.expression, function)) {
            let name = check.name.as_ref().map_or("", Name::as_str);
            users.push(format!("check `{name}` of `{}`", table.name));
        }
    }
    users
}

/// What goes with a dropped object when `CASCADE` is said.
fn taken_along(before: &Folder, change: &Change) -> Vec<String> {
    use Change::*;
    match change {
        DropTable { name, .. } => of_table(before, &before.full_name(name)),
        DropView { name, .. } => views(before, &before.full_name(name), None),
        DropColumn { table, column, .. } => of_column(before, &before.full_name(table), column),
        DropType { name, .. } => users_of_type(before, name),
        DropSchema { name, .. } => in_schema(before, name),
        DropFunction { name, .. } => {
            let mut taken = users_of_function(before, &name.name);
            let triggers = before.catalog().triggers.known().into_iter().flatten();
            taken.extend(
                triggers
                    .filter(|trigger| {
                        trigger.function.as_ref().is_some_and(|called| called.name == name.name)
                    })
                    .map(|trigger| format!("trigger `{}` of `{}`", trigger.name, trigger.table)),
            );
            taken
        }
        DropExtension { name, .. } => {
            let of_it = |extension: &Option<Name>| extension.as_ref() == Some(name);
            let types = before.catalog().types.iter().filter(|user_type| of_it(&user_type.extension));
            types.flat_map(|user_type| users_of_type(before, &user_type.name)).collect()
        }
        DropConstraint {
            table, constraint: dbwright_model::change::DroppedConstraint::Named(name), ..
        } => of_constraint(before, &before.full_name(table), name),
        DropObject { kind: ObjectKind::Sequence, name, .. } | DropSequence { name, .. } => {
            let name = before.full_name(name);
            let owner = before.sequence(&name).and_then(|sequence| sequence.owned_by.as_ref());
            owner.iter().map(|(table, column)| format!("default of `{table}.{column}`")).collect()
        }
        _ => Vec::new(),
    }
}

fn views(before: &Folder, relation: &QualifiedName, column: Option<&Name>) -> Vec<String> {
    let mut found: Vec<QualifiedName> = Vec::new();
    let mut pending: Vec<QualifiedName> =
        before.views_reading(relation, column).iter().map(|view| view.name.clone()).collect();
    while let Some(name) = pending.pop() {
        if !found.contains(&name) {
            pending.extend(before.views_reading(&name, None).iter().map(|view| view.name.clone()));
            found.push(name);
        }
    }
    found.iter().map(|name| format!("view `{name}`")).collect()
}

fn of_table(before: &Folder, name: &QualifiedName) -> Vec<String> {
    let mut taken = views(before, name, None);
    for (child, key) in before.referencing(name).filter(|(child, _)| child.name != *name) {
        taken.push(format!("foreign key of `{}` ({})", child.name, dbwright_model::name::join(&key.columns)));
    }
    // Partitions go with their table without a word.
    let heirs = before.descendants(name).into_iter().filter(|heir| !heir.is_partition());
    taken.extend(heirs.map(|heir| format!("table `{}`", heir.name)));
    taken
}

fn of_column(before: &Folder, table: &QualifiedName, column: &Name) -> Vec<String> {
    let mut taken = views(before, table, Some(column));
    let Some(known) = before.table(table) else { return taken };
    let own = known.primary_key.as_ref().map_or(&[][..], |key| key.columns.as_slice());
    for (child, key) in before.referencing(table) {
        let target = if key.referenced_columns.is_empty() { own } else { &key.referenced_columns };
        if target.contains(column) {
            taken.push(format!(
                "foreign key of `{}` ({})",
                child.name,
                dbwright_model::name::join(&key.columns)
            ));
        }
    }
    for other in &known.columns {
        let generated = other.generated.as_ref();
        let tree = generated.and_then(|generated| generated.expression.tree.as_deref());
        if tree.is_some_and(|tree| tree.columns().contains(&column)) {
            taken.push(format!("generated column `{table}.{}`", other.name));
        }
    }
    taken
}

fn of_constraint(before: &Folder, table: &QualifiedName, constraint: &Name) -> Vec<String> {
    let Some(known) = before.table(table) else { return Vec::new() };
    let keys = known.primary_key.iter().chain(&known.uniques);
    let Some(key) = keys.into_iter().find(|key| key.name.as_ref() == Some(constraint)) else {
        return Vec::new();
    };
    let primary = known.primary_key.as_ref() == Some(key);
    let uses = |columns: &[Name]| columns == key.columns || (columns.is_empty() && primary);
    let children = before.referencing(table).filter(|(_, key)| uses(&key.referenced_columns));
    children
        .map(|(child, key)| {
            format!("foreign key of `{}` ({})", child.name, dbwright_model::name::join(&key.columns))
        })
        .collect()
}

fn users_of_type(before: &Folder, name: &QualifiedName) -> Vec<String> {
    let Some(wanted) = before.user_type(name) else { return Vec::new() };
    let is_it = |data_type: &DataType| {
        let of_type = data_type.user_type.as_ref().and_then(|name| before.user_type(name));
        of_type.is_some_and(|user_type| user_type.name == wanted.name)
    };
    let mut taken = Vec::new();
    for table in &before.catalog().tables {
        for column in table.columns.iter().filter(|column| is_it(&column.data_type)) {
            taken.push(format!("column `{}.{}`", table.name, column.name));
            taken.extend(of_column(before, &table.name, &column.name));
        }
    }
    let word = wanted.name.name.as_str();
    let says = |text: &str| text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|part| part == word);
    for function in before.catalog().functions.known().into_iter().flatten() {
        if says(&function.arguments) || says(&function.returns) {
            taken.push(format!("function `{}`", function.name));
        }
    }
    for user_type in &before.catalog().types {
        if matches!(&user_type.kind, UserTypeKind::Domain { base, .. } if is_it(base)) {
            taken.push(format!("domain `{}`", user_type.name));
        }
    }
    taken
}

fn in_schema(before: &Folder, schema: &Name) -> Vec<String> {
    let catalog = before.catalog();
    let inside = |name: &QualifiedName| name.schema == *schema;
    let mut taken: Vec<String> = catalog
        .tables
        .iter()
        .filter(|table| inside(&table.name))
        .map(|table| format!("table `{}`", table.name))
        .collect();
    for view in &catalog.views {
        let reads = view.query.as_deref().is_some_and(|query| reads::relations(query).iter().any(inside));
        if reads || inside(&view.name) {
            taken.push(format!("view `{}`", view.name));
        }
    }
    let types = catalog.types.iter().filter(|user_type| inside(&user_type.name));
    taken.extend(types.map(|user_type| format!("type `{}`", user_type.name)));
    let functions = catalog.functions.known().into_iter().flatten();
    taken.extend(
        functions
            .filter(|function| inside(&function.name))
            .map(|function| format!("function `{}`", function.name)),
    );
    taken
}
