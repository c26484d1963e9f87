//! SQLite: what `ALTER TABLE` cannot do is done by a new table that takes the place of the old one.

use std::collections::BTreeSet;

use dbwright_model::catalog::{Catalog, Index, IndexPart, Table, TableKind, Trigger, View};
use dbwright_model::change::{AlterClauses, Change, OnlineClauses};
use dbwright_model::effect::{Cost, Effects, Lock};
use dbwright_model::name::{Name, QualifiedName};
use dbwright_model::plan::{CheckQuery, Step, Undo, Work};

use super::Refusal;
use super::builder::{Builder, RETRIES, keyset};
use super::query;
use super::words::has_word;

/// A table that refuses what must not be: its one column must be true.
const GUARD: &str = "dbwright_guard";
/// How long a writer waits for the file, in milliseconds.
const PATIENCE: u64 = 5_000;

pub(super) fn plan(builder: &mut Builder<'_>, change: &Change) -> Result<(), Refusal> {
    if let Change::DropColumn { table, column, .. } = change {
        refuse_spoken_of(&builder.catalog, table, column)?;
    }
    let effects = builder.effects(change);
    let sayable = builder.expresses(change);
    if sayable && effects.refused.is_none() && effects.demands.is_empty() {
        return direct(builder, change);
    }
    let Some(table) = change.alter().and(table_of(change)) else {
        // What may fail on rows leaves nothing behind when it does: no rebuild would make it safer.
        if sayable && effects.refused.is_none() {
            return direct(builder, change);
        }
        return Err(effects.refused.unwrap_or_else(|| "SQLite has no statement for it".to_owned()));
    };
    let before = builder.catalog.clone();
    let after = builder.imagine(std::slice::from_ref(change));
    let found = before.table(table).ok_or_else(|| format!("there is no table `{table}`"))?.clone();
    if sayable && after.table(table).is_none_or(|after| *after == found) {
        return Err(effects.refused.unwrap_or_else(|| "its rows may not fulfil it".to_owned()));
    }
    if let Change::AddColumn { column, .. } = change
        && column.not_null
        && column.default.is_none()
        && column.generated.is_none()
        && builder.value_for(table, &column.name).is_none()
    {
        return Err(format!(
            "no value for `{0}` is known for the rows that are there: say it with `--value {0}=...`, or say a default",
            column.name
        ));
    }
    let work = rebuild(builder, &before, &after, table)?;
    let lost = found
        .columns
        .iter()
        .find(|column| after.table(table).is_none_or(|table| table.column(column.name.as_str()).is_none()));
    let undo = match lost {
        Some(column) => Undo::Irreversible(format!("the values of `{}` are gone", column.name)),
        None => Undo::Work(rebuild(builder, &after, &before, table)?),
    };
    let mut expected = Effects { demands: effects.demands, ..Effects::default() };
    expected.add(table, Lock::SqliteWrite, Cost::Rewrite);
    let step = Step {
        name: format!("Build `{table}` anew to {}, and put it in the place of the old one.", change.words()),
        work,
        lock_timeout: Some(PATIENCE),
        statement_timeout: Some(0),
        retries: RETRIES,
        expected,
        pre_check: Some(in_the_way(builder, &before, &found, change)),
        undo,
        foreign_keys_off: true,
        ..Step::default()
    };
    builder.rebuilt(step, after);
    Ok(())
}

/// The rows that a rebuild would fail on: those that the change does not allow, or else those without a parent.
fn in_the_way(builder: &Builder<'_>, before: &Catalog, table: &Table, change: &Change) -> CheckQuery {
    let of_change = match change {
        Change::AddUnique { key, .. } | Change::AddPrimaryKey { key, .. } => {
            let parts = key.columns.iter().map(IndexPart::column).collect();
            Some(query::duplicates(builder, table, &Index { parts, unique: true, ..Index::default() }))
        }
        Change::AddCheck { check, .. } => Some(query::violations(builder, table, check)),
        Change::AddForeignKey { foreign_key, .. } => {
            // Of a parent that is not named in full its key is meant.
            let parent = before.table(&foreign_key.references);
            let key = parent.and_then(|parent| parent.primary_key.as_ref());
            let mut whole = foreign_key.as_ref().clone();
            if whole.referenced_columns.is_empty() {
                whole.referenced_columns = key.map(|key| key.columns.clone()).unwrap_or_default();
            }
            query::orphans(builder, table, &whole)
        }
        Change::SetNotNull { column, not_null: true, .. }
            if builder.value_for(&table.name, column).is_none() =>
        {
            Some(query::nulls(builder, table, column))
        }
        _ => None,
    };
    of_change.unwrap_or_else(|| CheckQuery {
        sql: format!("SELECT * FROM pragma_foreign_key_check({})", literal(&table.name.name)),
        rows_mean: "These rows have no parent already; mend them first.".to_owned(),
        keys: keyset(table),
    })
}

/// A change as it stands; a way back that SQLite has no statement for is a rebuild.
fn direct(builder: &mut Builder<'_>, change: &Change) -> Result<(), Refusal> {
    let before = builder.catalog.clone();
    builder.direct(change)?;
    let after = builder.catalog.clone();
    let Some(mut step) = builder.take_last() else { return Ok(()) };
    if let Undo::Work(work) = &step.undo
        && !work.iter().filter_map(Work::as_change).all(|change| builder.expresses(change))
    {
        step.undo = match table_of(change) {
            Some(table) => Undo::Work(rebuild(builder, &after, &before, table)?),
            None => Undo::Irreversible("SQLite has no statement that takes it back".to_owned()),
        };
        step.foreign_keys_off = matches!(step.undo, Undo::Work(_));
    }
    if let Change::DropIndex { index: dropped, .. } = change
        && let Some((table, index)) = before.tables.iter().find_map(|table| {
            table.indexes.iter().find(|index| index.name == dropped.name).map(|index| (table, index))
        })
    {
        let create = Change::CreateIndex {
            table: table.name.clone(),
            index: Box::new(index.clone()),
            concurrently: false,
            if_not_exists: false,
            only: false,
            online: OnlineClauses::default(),
        };
        step.undo = Undo::Work(vec![create.into()]);
    }
    if let Change::CreateIndex { index, .. } = change {
        let drop = Change::DropIndex {
            table: None,
            index: QualifiedName::bare(&index.name),
            concurrently: false,
            if_exists: false,
            cascade: false,
            online: OnlineClauses::default(),
        };
        step.undo = Undo::Work(vec![drop.into()]);
    }
    builder.rebuilt(step, after);
    Ok(())
}

/// The table of an action of `ALTER TABLE`.
fn table_of(change: &Change) -> Option<&QualifiedName> {
    match change {
        Change::AlterColumnType { table, .. }
        | Change::SetNotNull { table, .. }
        | Change::SetDefault { table, .. }
        | Change::AddColumn { table, .. }
        | Change::DropColumn { table, .. }
        | Change::AddCheck { table, .. }
        | Change::AddForeignKey { table, .. }
        | Change::AddUnique { table, .. }
        | Change::AddPrimaryKey { table, .. }
        | Change::DropConstraint { table, .. } => Some(table),
        _ => None,
    }
}

/// The work that turns the table of one catalog into that of another, rows kept.
fn rebuild(
    builder: &Builder<'_>,
    from: &Catalog,
    to: &Catalog,
    name: &QualifiedName,
) -> Result<Vec<Work>, Refusal> {
    let old = from.table(name).ok_or_else(|| format!("there is no table `{name}`"))?;
    let new = to.table(name).ok_or_else(|| format!("there is no table `{name}` afterwards"))?;
    if old.kind != TableKind::Ordinary {
        return Err(format!("`{name}` is a virtual table"));
    }
    let kept_text = old.definition.as_deref().unwrap_or_default().to_ascii_uppercase();
    if kept_text.contains("ON CONFLICT") {
        return Err(format!(
            "a constraint of `{name}` says `ON CONFLICT`, which a rebuild would lose: write it by hand"
        ));
    }
    let made =
        QualifiedName { name: builder.free_name(&name.schema, name.name.as_str(), "new"), ..name.clone() };
    let (views, triggers) = dependants(from, name);
    let sql = |text: String| Work::Sql(text);
    let mut work = vec![
        sql(format!("CREATE TEMP TABLE {GUARD} (fine INTEGER CHECK (fine))")),
        // Enforced, the drop below would delete the children of every row.
        sql(format!("INSERT INTO {GUARD} SELECT foreign_keys = 0 FROM pragma_foreign_keys")),
    ];
    for trigger in &triggers {
        work.push(drop_trigger(trigger).into());
    }
    for view in &views {
        work.push(Change::dropping_view(&view.name).into());
    }
    let mut table = Table { name: made.clone(), definition: None, ..new.clone() };
    table.indexes.retain(|index| index.backs.is_some());
    work.push(Change::CreateTable { table: Box::new(table), if_not_exists: false }.into());
    let copied: Vec<&Name> = new
        .columns
        .iter()
        .filter(|column| column.generated.is_none())
        .filter(|column| old.column(column.name.as_str()).is_some_and(|old| old.generated.is_none()))
        .map(|column| &column.name)
        .collect();
    let mut targets = builder.list(copied.iter().copied());
    // What comes to demand a value gets the one that was said.
    let value = |column: &Name| {
        let own = builder.quoted(column);
        let demands = |table: &Table| table.column(column.as_str()).is_some_and(|column| column.not_null);
        match builder.value_for(name, column).filter(|_| demands(new) && !demands(old)) {
            Some(value) => format!("coalesce({own}, {value})"),
            None => own,
        }
    };
    let mut values = copied.iter().map(|column| value(column)).collect::<Vec<_>>().join(", ");
    for column in &new.columns {
        let is_new = old.column(column.name.as_str()).is_none();
        if let Some(value) = builder.value_for(name, &column.name).filter(|_| is_new) {
            targets.push_str(&format!(", {}", builder.quoted(&column.name)));
            values.push_str(&format!(", ({value})"));
        }
    }
    let (target, source) = (builder.quoted(&made.name), builder.quoted(&name.name));
    work.push(sql(format!("INSERT INTO {target} ({targets}) SELECT {values} FROM {source}")));
    if old.columns.iter().any(|column| column.auto_increment)
        && new.columns.iter().any(|column| column.auto_increment)
    {
        let (made, name) = (literal(&made.name), literal(&name.name));
        work.push(sql(format!("DELETE FROM sqlite_sequence WHERE name = {made}")));
        work.push(sql(format!(
            "INSERT INTO sqlite_sequence (name, seq) SELECT {made}, seq FROM sqlite_sequence WHERE name = {name}"
        )));
    }
    work.push(Change::DropTable { name: name.clone(), if_exists: false, cascade: false }.into());
    let (table, alter) = (made, AlterClauses::default());
    work.push(Change::RenameTable { table, to: name.clone(), alter }.into());
    for index in new.indexes.iter().filter(|index| index.backs.is_none()) {
        let create = Change::CreateIndex {
            table: name.clone(),
            index: Box::new(index.clone()),
            concurrently: false,
            if_not_exists: false,
            only: false,
            online: OnlineClauses::default(),
        };
        work.push(create.into());
    }
    for view in views.iter().rev() {
        work.push(Change::making_view(view).into());
    }
    for trigger in triggers {
        work.push(Change::CreateTrigger { trigger: Box::new(trigger), or_replace: false }.into());
    }
    let children = to.tables.iter().filter(|table| {
        table.name != *name
            && table.foreign_keys.iter().any(|key| key.references.name.eq_ignore_case(name.name.as_str()))
    });
    for table in std::iter::once(new).chain(children) {
        work.push(sql(format!(
            "INSERT INTO {GUARD} SELECT 0 FROM pragma_foreign_key_check({})",
            literal(&table.name.name)
        )));
    }
    work.push(sql(format!("DROP TABLE temp.{GUARD}")));
    let unsayable = work.iter().filter_map(Work::as_change).find(|change| !builder.expresses(change));
    match unsayable {
        Some(change) => {
            Err(format!("a rebuild of `{name}` has to {}, which cannot be written", change.words()))
        }
        None => Ok(work),
    }
}

/// Views and triggers that speak of a table, by way of other views too. They must not be there while it is renamed. A view
/// stands after those that read it.
fn dependants(catalog: &Catalog, name: &QualifiedName) -> (Vec<View>, Vec<Trigger>) {
    let mut spoken: BTreeSet<String> = BTreeSet::from([name.name.as_str().to_ascii_lowercase()]);
    let mut views: Vec<View> = Vec::new();
    loop {
        let speaks = |text: &str, spoken: &BTreeSet<String>| {
            let lower = text.to_ascii_lowercase();
            spoken.iter().any(|name| lower.contains(name.as_str()))
        };
        let next = catalog.views.iter().find(|view| {
            !views.iter().any(|other| other.name == view.name) && speaks(&view.definition, &spoken)
        });
        let Some(view) = next else {
            let known = catalog.triggers.known().into_iter().flatten();
            let on = |trigger: &Trigger| spoken.contains(&trigger.table.name.as_str().to_ascii_lowercase());
            let triggers = known.filter(|trigger| on(trigger) || speaks(&trigger.body, &spoken)).cloned();
            return (views, triggers.collect());
        };
        spoken.insert(view.name.name.as_str().to_ascii_lowercase());
        views.insert(0, view.clone());
    }
}

/// Refuses to drop a column that a trigger or a view may speak of: SQLite looks into neither before it is used.
fn refuse_spoken_of(catalog: &Catalog, table: &QualifiedName, column: &Name) -> Result<(), Refusal> {
    let (views, triggers) = dependants(catalog, table);
    let column_is = column.as_str().to_ascii_lowercase();
    let speaks = |text: &str| has_word(&text.to_ascii_lowercase(), &column_is);
    if let Some(trigger) = triggers.iter().find(|trigger| speaks(&trigger.body)) {
        return Err(format!(
            "the trigger `{0}` speaks of `{column}`: drop `{0}`, or make it again without the column, first",
            trigger.name
        ));
    }
    if let Some(view) = views.iter().find(|view| speaks(&view.definition)) {
        return Err(format!(
            "the view `{0}` speaks of `{column}`: drop `{0}`, or make it again without the column, first",
            view.name
        ));
    }
    Ok(())
}

fn drop_trigger(trigger: &Trigger) -> Change {
    Change::DropTrigger {
        table: Some(trigger.table.clone()),
        name: trigger.name.clone(),
        if_exists: false,
        cascade: false,
    }
}

fn literal(name: &Name) -> String {
    format!("'{}'", name.as_str().replace('\'', "''"))
}
