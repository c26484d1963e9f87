//! The way back from the switch of two columns: what the old column has lost is made ready before, under weak locks, and what
//! the new one loses is made again afterwards.

use dbwright_model::catalog::{Column, Index};
use dbwright_model::change::Change;
use dbwright_model::name::Name;
use dbwright_model::plan::Work;

use super::builder::Builder;
use super::column_copy::{Copy, Twin};
use super::{Refusal, key, not_null};

/// What stands around the brief part of the way back.
#[derive(Default)]
pub(super) struct Prepared {
    /// Run first.
    before: Vec<Work>,
    /// Keys of the old column, each with the index that is built for it in `before`.
    keys: Vec<(Name, Name)>,
    /// The check that stands in for the scan of `NOT NULL`, by its name.
    check: Option<Name>,
    /// What asks for nulls under the name that the old column has again after the way back.
    guard: Option<String>,
    /// Run last.
    after: Vec<Work>,
}

impl Copy {
    /// Looks at the table before the switch.
    pub(super) fn prepared(
        &self,
        builder: &Builder<'_>,
        old: &Column,
        twins: &[Twin],
    ) -> Result<Prepared, Refusal> {
        let mut prepared = Prepared::default();
        let now = builder.table(&self.table.name)?;
        let indexes = |name: &Name| now.indexes.iter().find(|index| index.name == *name);
        if old.not_null {
            let name = not_null::way_back_check(&self.table, &self.old);
            let demand = not_null::demand(builder.knowledge(), &self.table, &self.left, &name);
            let know = builder.knowledge();
            prepared.before.push(Work::Sql(not_null::no_nulls(know, &self.table.name, &self.left)));
            prepared.before.push(demand.into());
            prepared.before.push(not_null::validate(&self.table, &name).into());
            prepared.guard = Some(not_null::no_nulls(know, &self.table.name, &self.old));
            prepared.check = Some(name);
        }
        // After the switch the old column bears another name.
        let left = match self.left == self.old {
            true => now.clone(),
            false => {
                let renamed = builder.imagine(&[self.rename(&self.old, &self.left)]);
                renamed.table(&self.table.name).ok_or("the table is not known")?.clone()
            }
        };
        for twin in twins {
            let Twin::Key { last, made, .. } = twin else { continue };
            let key = left.indexes.iter().find(|index| index.name == *last);
            let (Some(key), Some(twin)) = (key, indexes(made)) else { continue };
            let spare = builder.free_name(&self.table.name.schema, last.as_str(), "old");
            let build = key::build_again(&self.table, &Index { name: spare.clone(), ..key.clone() });
            prepared.before.push(build.into());
            prepared.after.push(key::build_again(&self.table, twin).into());
            prepared.keys.push((last.clone(), spare));
        }
        Ok(prepared)
    }
}

impl Prepared {
    /// Puts itself around the ways back of the single changes.
    pub(super) fn around(self, work: Vec<Work>) -> Vec<Work> {
        let spare_of = |name: &Name| self.keys.iter().find(|(last, _)| last == name).map(|(_, spare)| spare);
        let is_check = |name: Option<&Name>| name.is_some() && name == self.check.as_ref();
        let mut inside: Vec<Work> = Vec::new();
        let mut late: Vec<Work> = Vec::new();
        for one in work {
            let mut change = match one {
                Work::Change(change) => change,
                Work::Sql(sql) => {
                    if self.guard.as_ref() != Some(&sql) {
                        inside.push(Work::Sql(sql));
                    }
                    continue;
                }
            };
            match change.as_mut() {
                Change::CreateIndex { index, .. } if spare_of(&index.name).is_some() => continue,
                Change::AddCheck { check, .. } if is_check(check.name.as_ref()) => continue,
                Change::ValidateConstraint { constraint, .. } if is_check(Some(constraint)) => continue,
                Change::ValidateConstraint { .. } => {
                    late.push(Work::Change(change));
                    continue;
                }
                Change::AddPrimaryKey { using_index: Some(index), .. }
                | Change::AddUnique { using_index: Some(index), .. } => {
                    if let Some(spare) = spare_of(index) {
                        *index = spare.clone();
                    }
                }
                _ => {}
            }
            inside.push(Work::Change(change));
        }
        self.before.into_iter().chain(inside).chain(late).chain(self.after).collect()
    }
}
