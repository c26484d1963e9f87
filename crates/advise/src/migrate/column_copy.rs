//! A second column that takes the place of a first one: kept in step by a trigger, filled in batches, given everything that
//! hangs on the first, and switched to in one brief transaction.

use dbwright_model::catalog::{
    Check, Column, ConstraintKind, ForeignKey, Index, Key, ReplicaIdentity, Table, TableKind,
};
use dbwright_model::change::{AlterClauses, Change, CommentTarget, DroppedConstraint, SequenceChanges};
use dbwright_model::data_type::TypeKind;
use dbwright_model::name::{Name, QualifiedName};
use dbwright_model::plan::{CheckQuery, Undo};

use super::builder::{Builder, full_name};
use super::column_sync::Sync;
use super::dependants::Views;
use super::rights::Rights;
use super::words::has_word;
use super::{Refusal, add_column, constraint, index, key, not_null, query, rights};

/// What is copied to what.
pub(super) struct Copy {
    /// The table.
    pub(super) table: Table,
    /// The column that is there.
    pub(super) old: Name,
    /// The column that is added.
    pub(super) new: Name,
    /// What the old column is called after the switch, until it is dropped.
    pub(super) left: Name,
    /// What the new column is called in the end.
    pub(super) last: Name,
    /// The new column as it shall be in the end.
    pub(super) wanted: Column,
    /// Which of the two is written by the application.
    pub(super) direction: Direction,
    /// The views that read the old column, to be made again over the new one.
    pub(super) views: Views,
    /// Which rows hold a value that the new column cannot take, where that can be asked.
    pub(super) misfits: Option<CheckQuery>,
}

/// Which column the application writes while both are there.
pub(super) enum Direction {
    /// The one that bears the old name, first the old and after the switch the new one.
    Forward {
        /// The value of the new column, in terms of the row; the old value as it is when absent.
        using: Option<String>,
    },
    /// Either.
    Both,
}

/// Something of the old column that has a twin on the new one.
pub(super) enum Twin {
    Index { last: Name, made: Name },
    Key { last: Name, made: Name, key: Key, is_primary: bool },
    Check { last: Name, made: Name },
    ForeignKey { table: QualifiedName, last: Name, made: Name },
}

impl Copy {
    pub(super) fn plan(&self, builder: &mut Builder<'_>) -> Result<(), Refusal> {
        let old = self.table.column(self.old.as_str()).ok_or("the column is not known")?.clone();
        self.refuse(builder, &old)?;
        // The text side renames columns inside expressions; the twins are taken from there.
        let renamed = builder.imagine(&[self.rename(&self.old, &self.new)]);
        let renamed_table = renamed.table(&self.table.name).ok_or("the table is not known")?.clone();
        let sync = Sync::new(builder, self);
        self.add(builder, &old, &sync)?;
        self.fill(builder);
        if old.not_null {
            not_null::on_column(builder, &self.table, &self.new)?;
        }
        let mut twins = Vec::new();
        self.twin_indexes(builder, &renamed_table, &mut twins)?;
        self.twin_checks(builder, &renamed_table, &mut twins)?;
        for table in &renamed.tables {
            self.twin_foreign_keys(builder, table, &mut twins)?;
        }
        let analyze = Change::Analyze { table: Some(self.table.name.clone()) };
        builder.long(format!("Gather the statistics of `{}`.", self.new), vec![analyze])?;
        self.switch(builder, &old, &sync, &twins)?;
        self.note_place(builder);
        self.end(builder, &sync)
    }

    /// The server adds columns at the end only.
    fn note_place(&self, builder: &mut Builder<'_>) {
        if self.table.columns.last().is_some_and(|last| last.name != self.old) {
            builder.note(format!(
                "`{}` moves to the end of `{}`: an `INSERT` or `COPY` without a list of columns, and `SELECT *`, find another order.",
                self.last, self.table.name
            ));
        }
    }

    /// What the twin column cannot follow.
    fn refuse(&self, builder: &Builder<'_>, old: &Column) -> Result<(), Refusal> {
        let table = &self.table;
        let catalog = &builder.catalog;
        if !matches!(table.kind, TableKind::Ordinary) {
            return Err(format!(
                "`{}` is partitioned, a partition or foreign: build a new table beside it and copy the rows",
                table.name
            ));
        }
        if !table.inherits.is_empty()
            || catalog.tables.iter().any(|other| other.inherits.contains(&table.name))
        {
            return Err("the table inherits or is inherited from".to_owned());
        }
        if old.generated.is_some() {
            return Err("the column is generated: add another generated column and drop this one".to_owned());
        }
        let speaks = |text: &str| has_word(text, self.old.as_str());
        if let Some(other) = table.columns.iter().find(|other| {
            other.generated.as_ref().is_some_and(|generated| speaks(&generated.expression.text))
        }) {
            return Err(format!("the generated column `{}` is reckoned from it", other.name));
        }
        if let Some(exclusion) = table.exclusions.iter().find(|exclusion| speaks(&exclusion.definition)) {
            return Err(format!("the exclusion constraint `{}` speaks of it", exclusion.name));
        }
        let policies = catalog.policies.known().into_iter().flatten();
        if let Some(policy) = policies.filter(|policy| policy.table == table.name).find(|policy| {
            policy.using.iter().chain(&policy.check).any(|expression| speaks(&expression.text))
        }) {
            return Err(format!("the policy `{}` speaks of it", policy.name));
        }
        let mut triggers = catalog.triggers.known().into_iter().flatten();
        if let Some(trigger) = triggers.find(|one| one.table == table.name && one.names(&self.old)) {
            return Err(format!(
                "the trigger `{}` names it, and would go on with the old column: drop it, and make it again after the change",
                trigger.name
            ));
        }
        if let Some(rule) = catalog.rules.iter().find(|rule| rule.table == table.name) {
            return Err(format!("the rule `{}` stands on the table", rule.name));
        }
        if let Some(statistics) = catalog
            .statistics
            .iter()
            .find(|statistics| statistics.table == table.name && statistics.columns.contains(&self.old))
        {
            return Err(format!("drop the statistics `{}` first, and make them again", statistics.name));
        }
        let published = catalog.publications.known().into_iter().flatten().any(|publication| {
            publication.tables.iter().any(|member| {
                member.table == table.name && (!member.columns.is_empty() || member.filter.is_some())
            })
        });
        if published {
            return Err("a publication names columns or rows of the table".to_owned());
        }
        let mentions = |name: &Name| {
            table.indexes.iter().any(|index| index.name == *name && index_speaks(index, &self.old))
        };
        if let ReplicaIdentity::Index(name) = &table.replica_identity
            && mentions(name)
        {
            return Err(format!("the index `{name}` is the replica identity of the table"));
        }
        if table.clustered_on.as_ref().is_some_and(mentions) {
            return Err("the table is clustered on an index of the column".to_owned());
        }
        let leads = table.indexes.iter().any(|index| {
            index.predicate.is_none()
                && index.parts.first().is_some_and(|part| part.as_column() == Some(&self.old))
        });
        if old.identity.is_some() && !leads {
            return Err("no index tells the largest number of the identity column quickly".to_owned());
        }
        Ok(())
    }

    pub(super) fn rename(&self, from: &Name, to: &Name) -> Change {
        Change::RenameColumn {
            table: self.table.name.clone(),
            column: from.clone(),
            to: to.clone(),
            alter: AlterClauses::default(),
        }
    }

    fn set_default(&self, column: &Name, from: Option<&Column>) -> Change {
        Change::SetDefault {
            table: self.table.name.clone(),
            column: column.clone(),
            default: from.and_then(|column| column.default.clone()),
            alter: AlterClauses::default(),
        }
    }

    /// The bare column with its attributes, and the trigger that keeps it in step.
    fn add(&self, builder: &mut Builder<'_>, old: &Column, sync: &Sync) -> Result<(), Refusal> {
        let (table, column) = (self.table.name.clone(), self.new.clone());
        let alter = AlterClauses::default();
        let mut changes = vec![add_column::add(
            &self.table,
            Column {
                name: self.new.clone(),
                data_type: self.wanted.data_type.clone(),
                collation: self.wanted.collation.clone(),
                ..Column::default()
            },
        )];
        if let Some(target) = self.wanted.statistics_target {
            let (table, column, alter) = (table.clone(), column.clone(), alter.clone());
            changes.push(Change::SetStatisticsTarget { table, column, target: Some(target), alter });
        }
        if let Some(storage) = self.wanted.storage.clone() {
            let (table, column, alter) = (table.clone(), column.clone(), alter.clone());
            changes.push(Change::SetStorage { table, column, storage, alter });
        }
        if let Some(compression) = self.wanted.compression.clone() {
            let (table, column, alter) = (table.clone(), column.clone(), alter.clone());
            changes.push(Change::SetCompression { table, column, compression, alter });
        }
        if !self.wanted.options.is_empty() {
            let options = self.wanted.options.clone();
            let (table, column, alter) = (table.clone(), column.clone(), alter.clone());
            changes.push(Change::SetColumnOptions { table, column, options, alter });
        }
        if let Some(comment) = &self.wanted.comment {
            let on = CommentTarget::Column(table.clone(), column.clone());
            changes.push(Change::Comment { on, text: Some(comment.clone()) });
        }
        changes.push(sync.function(sync.body(builder, self, old.default.as_ref())));
        changes.push(sync.trigger(&self.table));
        if matches!(self.direction, Direction::Both) && old.default.is_some() {
            // The trigger gives the default, so that it can tell which of the two columns was written.
            changes.push(self.set_default(&self.old, None));
        }
        // Code that uses the new name needs its rights from the first day on; else the switch gives them.
        let granted = matches!(self.direction, Direction::Both)
            .then(|| rights::of_column(builder, &self.table.name, &self.old, &self.new));
        changes.extend(granted.iter().flat_map(|granted| [granted.make(), granted.unmake()]));
        let bound = self.views.bound(builder, &self.table, &self.old);
        let step = builder.brief(
            format!("Add `{}` to `{}`, and keep it in step with `{}`.", self.new, self.table.name, self.old),
            changes,
        )?;
        granted.iter().for_each(|granted| granted.call(step));
        step.pre_check = Some(self.misfits.clone().unwrap_or(bound));
        Ok(())
    }

    fn fill(&self, builder: &mut Builder<'_>) {
        let (old, new) = (builder.quoted(&self.old), builder.quoted(&self.new));
        let (value, filter) = match &self.direction {
            Direction::Forward { using: Some(using) } => (using.clone(), format!("{new} IS NULL")),
            _ => (old.clone(), format!("{new} IS NULL AND {old} IS NOT NULL")),
        };
        let name = format!("Fill `{}` of the rows of `{}`.", self.new, self.table.name);
        let may_be_null = matches!(&self.direction, Direction::Forward { using: Some(_) });
        let step = builder.backfill(name, &self.table, vec![(self.new.clone(), value)], filter);
        if may_be_null {
            // A conversion may give null, which would look like a row that is not written.
            step.verify = None;
        }
    }

    fn twin_indexes(
        &self,
        builder: &mut Builder<'_>,
        renamed: &Table,
        twins: &mut Vec<Twin>,
    ) -> Result<(), Refusal> {
        for (original, changed) in self.table.indexes.iter().filter_map(|original| {
            let changed = renamed.indexes.iter().find(|index| index.name == original.name)?;
            (changed != original).then_some((original, changed))
        }) {
            let last = original.name.clone();
            let made = builder.free_name(&self.table.name.schema, last.as_str(), "new");
            let twin = Index { name: made.clone(), backs: None, ..changed.clone() };
            let table = builder.table(&self.table.name)?;
            index::build(builder, &table, twin)?;
            let keys = match original.backs {
                Some(ConstraintKind::PrimaryKey) => renamed.primary_key.as_ref().map(|key| (key, true)),
                Some(ConstraintKind::Unique) => renamed
                    .uniques
                    .iter()
                    .find(|key| key.name.as_ref() == Some(&last))
                    .map(|key| (key, false)),
                Some(_) => return Err(format!("the constraint `{last}` cannot be built ahead")),
                None => None,
            };
            twins.push(match keys {
                Some((key, is_primary)) => Twin::Key { last, made, key: key.clone(), is_primary },
                None => Twin::Index { last, made },
            });
        }
        Ok(())
    }

    fn twin_checks(
        &self,
        builder: &mut Builder<'_>,
        renamed: &Table,
        twins: &mut Vec<Twin>,
    ) -> Result<(), Refusal> {
        for (original, changed) in self.table.checks.iter().zip(&renamed.checks) {
            let Some(last) = original.name.clone().filter(|_| original != changed) else { continue };
            let made = builder.free_name(&self.table.name.schema, last.as_str(), "new");
            let check = Check { name: Some(made.clone()), validated: false, ..changed.clone() };
            let pre_check = query::violations(builder, &self.table, &check);
            let add =
                Change::AddCheck { table: self.table.name.clone(), check, alter: AlterClauses::default() };
            let step = builder.brief(format!("Check new rows with the twin of `{last}`."), vec![add])?;
            step.pre_check = original.validated.then(|| pre_check.clone());
            if original.validated {
                constraint::validate(builder, &self.table.name, &made, Some(pre_check))?;
            }
            twins.push(Twin::Check { last, made });
        }
        Ok(())
    }

    /// Foreign keys of any table from or to the column.
    fn twin_foreign_keys(
        &self,
        builder: &mut Builder<'_>,
        renamed: &Table,
        twins: &mut Vec<Twin>,
    ) -> Result<(), Refusal> {
        let original = builder.table(&renamed.name)?;
        for (original, changed) in original.foreign_keys.clone().iter().zip(&renamed.foreign_keys) {
            let Some(last) = original.name.clone().filter(|_| original != changed) else { continue };
            if matches!(renamed.kind, TableKind::Partitioned { .. } | TableKind::Partition { .. }) {
                return Err(format!("`{}` is partitioned and refers to the column", renamed.name));
            }
            let made = builder.free_name(&renamed.name.schema, last.as_str(), "new");
            let foreign_key = ForeignKey { name: Some(made.clone()), validated: false, ..changed.clone() };
            let add = Change::AddForeignKey {
                table: renamed.name.clone(),
                foreign_key: Box::new(foreign_key.clone()),
                alter: AlterClauses::default(),
            };
            builder.brief(format!("Check new rows with the twin of `{last}`."), vec![add])?;
            if original.validated {
                let table = builder.table(&renamed.name)?;
                let pre_check = query::orphans(builder, &table, &foreign_key);
                constraint::validate(builder, &renamed.name, &made, pre_check)?;
            }
            twins.push(Twin::ForeignKey { table: renamed.name.clone(), last, made });
        }
        Ok(())
    }

    fn switch(
        &self,
        builder: &mut Builder<'_>,
        old: &Column,
        sync: &Sync,
        twins: &[Twin],
    ) -> Result<(), Refusal> {
        let both = matches!(self.direction, Direction::Both);
        let mut waits = both
            .then(|| format!("All running code uses `{}` and none uses `{}` any more.", self.new, self.old));
        // Each foreign key locks two tables, so that each is switched by itself.
        for twin in twins {
            let Twin::ForeignKey { table, last, made } = twin else { continue };
            let changes = vec![drop_constraint(table, last), rename_constraint(table, made, last)];
            let step = builder.brief(format!("Let the twin of `{last}` take its place."), changes)?;
            step.waits_for = waits.take();
        }
        let table = &self.table.name;
        let mut changes = Vec::new();
        let granted = (!both).then(|| rights::of_column(builder, table, &self.old, &self.new));
        changes.extend(granted.iter().flat_map(|granted| [granted.make(), granted.unmake()]));
        let numbering = old.sequence.as_ref().filter(|_| old.identity.is_some());
        let numbering = numbering.map(|sequence| rights::of_sequence(builder, sequence));
        changes.extend(numbering.iter().map(Rights::make));
        for twin in twins {
            match twin {
                Twin::Key { last, .. } | Twin::Check { last, .. } => {
                    changes.push(drop_constraint(table, last))
                }
                Twin::Index { last, .. } => {
                    let aside = builder.free_name(&table.schema, last.as_str(), "old");
                    changes.push(rename_index(table, last, &aside));
                }
                Twin::ForeignKey { .. } => {}
            }
        }
        for twin in twins {
            match twin {
                Twin::Key { last, made, key, is_primary } => {
                    let mut using = key::using(&self.table, key, made, *is_primary);
                    if let Change::AddPrimaryKey { key, .. } | Change::AddUnique { key, .. } = &mut using {
                        key.name = Some(last.clone());
                    }
                    changes.push(using);
                }
                Twin::Check { last, made } => changes.push(rename_constraint(table, made, last)),
                Twin::Index { last, made } => changes.push(rename_index(table, made, last)),
                Twin::ForeignKey { .. } => {}
            }
        }
        // A column that numbers its rows cannot give up its `NOT NULL`.
        if old.identity.is_some() {
            changes.push(self.set_identity(&self.old, None));
        }
        if old.not_null {
            changes.push(Change::SetNotNull {
                table: table.clone(),
                column: self.old.clone(),
                not_null: false,
                alter: AlterClauses::default(),
            });
        }
        if old.default.is_some() {
            changes.push(self.set_default(&self.new, Some(&self.wanted)));
            if !both {
                changes.push(self.set_default(&self.old, None));
            }
        }
        if let Some(sequence) = old.sequence.clone().filter(|_| old.identity.is_none()) {
            changes.push(self.hand_over(builder, sequence));
        }
        if self.left != self.old {
            changes.push(self.rename(&self.old, &self.left));
            changes.push(self.rename(&self.new, &self.last));
        }
        if old.identity.is_some() {
            changes.push(self.set_identity(&self.last, old));
            let name = old.sequence.clone().ok_or("the sequence of the identity column is not known")?;
            changes.push(Change::SyncSequence { name, table: table.clone(), column: self.last.clone() });
        }
        changes.extend(numbering.iter().map(Rights::unmake));
        if builder.since(18) && old.not_null {
            let usual = |column: &Name| Name::from(format!("{}_{column}_not_null", table.name));
            if self.new != self.last {
                changes.push(rename_constraint(table, &usual(&self.new), &usual(&self.last)));
            }
        }
        // The trigger stays as long as there is a way back, so that the old column holds what is written meanwhile.
        let has_way_back = match &self.direction {
            Direction::Forward { using: None } => {
                changes.push(sync.function(sync.body_back(builder, self)));
                true
            }
            Direction::Forward { using: Some(_) } => {
                changes.extend(sync.drop(&self.table));
                false
            }
            Direction::Both => {
                if old.default.is_some() {
                    changes.push(sync.function(sync.body(builder, self, None)));
                }
                true
            }
        };
        let prepared = self.prepared(builder, old, twins)?;
        let held = twins.iter().any(|twin| self.is_held_by(builder, twin));
        let and_views = if self.views.first().is_some() { ", and make its views again" } else { "" };
        let name = format!("Let `{}` take the place of `{}` in `{table}`{and_views}.", self.new, self.old);
        let bound = self.views.bound(builder, &self.table, &self.old);
        let step = self.views.around(builder, &self.table, name, changes)?;
        granted.iter().for_each(|granted| granted.call(step));
        numbering.iter().for_each(|numbering| numbering.call_around(step));
        step.waits_for = waits;
        step.pre_check = Some(bound);
        if held {
            step.undo = Undo::Irreversible(
                "foreign keys hold on to the new key, so that it cannot be taken back".to_owned(),
            );
        }
        if !has_way_back {
            step.undo =
                Undo::Irreversible("rows written since the switch have no value of the old type".to_owned());
        }
        if let Undo::Work(work) = &mut step.undo {
            *work = prepared.around(std::mem::take(work));
        }
        Ok(())
    }

    /// Whether a twin is a foreign key that refers to the new column before the switch, of another table or of its own.
    fn is_held_by(&self, builder: &Builder<'_>, twin: &Twin) -> bool {
        let Twin::ForeignKey { table, last, .. } = twin else { return false };
        let found = builder.table(table).ok();
        let keys = found.iter().flat_map(|table| &table.foreign_keys);
        keys.filter(|key| key.name.as_ref() == Some(last)).any(|key| {
            full_name(&key.references) == self.table.name && key.referenced_columns.contains(&self.new)
        })
    }

    /// The sequence of a `serial` column goes to the new one, and grows with its type.
    fn hand_over(&self, builder: &mut Builder<'_>, sequence: QualifiedName) -> Change {
        let current = builder.catalog.sequences.iter().find(|other| other.name == sequence);
        let too_small = self.wanted.data_type.kind == TypeKind::BigInt
            && current.is_some_and(|current| current.data_type.kind != TypeKind::BigInt);
        let data_type = too_small.then(|| self.wanted.data_type.clone());
        if data_type.is_some() {
            builder.also(Change::AlterSequence {
                name: sequence.clone(),
                changes: SequenceChanges { data_type: data_type.clone(), ..SequenceChanges::default() },
                if_exists: false,
            });
        }
        Change::AlterSequence {
            name: sequence,
            changes: SequenceChanges {
                data_type,
                owned_by: Some(Some((self.table.name.clone(), self.new.clone()))),
                ..SequenceChanges::default()
            },
            if_exists: false,
        }
    }

    fn set_identity<'c>(&self, column: &Name, from: impl Into<Option<&'c Column>>) -> Change {
        let from: Option<&Column> = from.into();
        Change::SetIdentity {
            table: self.table.name.clone(),
            column: column.clone(),
            identity: from.and_then(|column| column.identity),
            alter: AlterClauses::default(),
            options: SequenceChanges {
                name: from.and_then(|column| column.sequence.clone()),
                ..SequenceChanges::default()
            },
            if_exists: false,
        }
    }

    /// The trigger, where it still stands, and the old column go.
    fn end(&self, builder: &mut Builder<'_>, sync: &Sync) -> Result<(), Refusal> {
        let waits = match self.direction {
            Direction::Forward { .. } => {
                format!("The new `{}` has stood the test, and nothing goes back to the old one.", self.last)
            }
            Direction::Both => format!("Nothing has missed `{}` for a while.", self.left),
        };
        let mut changes = Vec::new();
        if !matches!(self.direction, Direction::Forward { using: Some(_) }) {
            changes = sync.drop(&self.table);
        }
        changes.push(Change::DropColumn {
            table: self.table.name.clone(),
            column: self.left.clone(),
            if_exists: false,
            cascade: false,
            alter: AlterClauses::default(),
        });
        let name = match changes.len() {
            1 => format!("Drop the old column `{}`.", self.left),
            _ => format!("Drop the old column `{}` and what keeps it in step.", self.left),
        };
        let step = builder.brief(name, changes)?;
        step.waits_for = Some(waits);
        Ok(())
    }
}

fn drop_constraint(table: &QualifiedName, name: &Name) -> Change {
    Change::DropConstraint {
        table: table.clone(),
        constraint: DroppedConstraint::Named(name.clone()),
        if_exists: false,
        cascade: false,
        alter: AlterClauses::default(),
    }
}

fn rename_constraint(table: &QualifiedName, from: &Name, to: &Name) -> Change {
    Change::RenameConstraint {
        table: table.clone(),
        constraint: from.clone(),
        to: to.clone(),
        alter: AlterClauses::default(),
    }
}

fn rename_index(table: &QualifiedName, from: &Name, to: &Name) -> Change {
    Change::RenameIndex { table: None, index: table.sibling(from), to: to.clone(), if_exists: false }
}

fn index_speaks(index: &Index, column: &Name) -> bool {
    index.include.contains(column) || index.parts.iter().any(|part| part.as_column() == Some(column))
}
