use dbwright_model::catalog::{Index, Table};
use dbwright_model::chain::ChainStatement;
use dbwright_model::change::Change;
use dbwright_model::engine::Dialect;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::name::{Name, QualifiedName, join};
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::lint::{self, Judged, Verdict};
use crate::{Context, Findings, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Error,
    dimension: Dimension::Migrations,
    weight: 7,
    needs: &[Fact::Migrations],
    wants: &[Fact::Catalog, Fact::Triggers],
    when: "a table takes the place of another and has not got what the other one had",
    then: "Keys, indexes, promises and defaults are gone: rows repeat, inserts lack their number, queries get slow.",
    instead: "Make the new table with all definitions of the old one first, fill it with `INSERT ... SELECT`, and add what is missing before the names are swapped.",
    remedy: Applicability::Manual,
    source: "manuals of the engines, CREATE TABLE AS: only names and types of columns are taken over",
    check,
    ..Rule::DEFAULT
};

/// Parts that are named in the sentence; the evidence has them all.
const NAMED: usize = 4;

fn check(context: &Context<'_>, findings: &mut Findings) {
    let dialect = context.engine().dialect();
    let catalog = context.facts_if_known(Fact::Catalog).catalog.known();
    let untold =
        dialect != Dialect::Sqlite && catalog.is_some_and(|catalog| catalog.triggers.known().is_none());
    let mut asked = false;
    lint::each(context, findings, |judged, change| {
        let Change::RenameTable { table, to, .. } = change else { return Verdict::Other };
        let Some(old) = replaced(&judged, to) else { return Verdict::Other };
        let Some(by_query) = made(&judged, table) else { return Verdict::Other };
        let whole_file = || judged.earlier_in_file().chain(judged.later_in_file());
        // Programs, and what was not understood, may have made everything again.
        if whole_file().any(|other| other.not_analysed.is_some()) {
            return Verdict::Fine;
        }
        let unknown = Table::default();
        let new = judged.statement.table(table).unwrap_or(&unknown);
        let scope = Scope { judged: &judged, context, dialect, old, new, to };
        let mut lost = Vec::new();
        if by_query {
            lost.extend(scope.keys());
            lost.extend(scope.columns());
        }
        if dialect != Dialect::Sqlite {
            asked = true;
            lost.extend(scope.indexes());
            lost.extend(scope.triggers());
        }
        if lost.is_empty() {
            return Verdict::Fine;
        }
        let more = lost.len().saturating_sub(NAMED);
        let first = lost.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
        let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
        let message = format!("The new `{}` lacks what the old one had: {first}{rest}.", old.name);
        let found = judged.found(ObjectRef::table(&old.name), message).evidence("lost", lost.join(", "));
        Verdict::Found(found.remedy(Remedy::manual(RULE.instead)))
    });
    if asked && untold {
        findings.unknown("the triggers could not be read");
    }
}

/// The table of that name that the file has dropped or renamed before, as it was.
fn replaced<'a>(judged: &Judged<'a>, name: &QualifiedName) -> Option<&'a Table> {
    let takes_away = |statement: &&ChainStatement| {
        statement.changes.iter().any(|change| match change {
            Change::DropTable { name: gone, .. } => lint::same_relation(gone, name),
            Change::RenameTable { table: gone, to, .. } => {
                lint::same_relation(gone, name) && !lint::same_relation(to, name)
            }
            _ => false,
        })
    };
    let statement = judged.earlier_in_file().chain([judged.statement]).filter(takes_away).last()?;
    let old = statement.table(name)?;
    (!statement.is_new(&old.name)).then_some(old)
}

/// Whether the file made a table by a query; `None` where it did not make it.
fn made(judged: &Judged<'_>, table: &QualifiedName) -> Option<bool> {
    judged.earlier_in_file().flat_map(|earlier| &earlier.changes).find_map(|change| match change {
        Change::CreateTableAs { name, .. } if lint::same_relation(name, table) => Some(true),
        Change::CreateTable { table: made, .. } | Change::CreateTableLike { table: made, .. }
            if lint::same_relation(&made.name, table) =>
        {
            Some(false)
        }
        _ => None,
    })
}

struct Scope<'a, 'b> {
    judged: &'b Judged<'a>,
    context: &'b Context<'a>,
    dialect: Dialect,
    old: &'b Table,
    new: &'b Table,
    to: &'b QualifiedName,
}

impl Scope<'_, '_> {
    /// Whether a later statement makes something on the table.
    fn later(&self, makes: impl Fn(&Change) -> Option<&QualifiedName>) -> bool {
        let changes = lint::changes(self.judged.later()).chain(&self.judged.statement.changes);
        changes.filter_map(makes).any(|table| lint::same_relation(table, self.to))
    }

    fn makes_unique(&self, columns: &[Name]) -> bool {
        let equal = |other: &[Name]| {
            other.len() == columns.len() && columns.iter().all(|column| other.contains(column))
        };
        let keys = self.new.primary_key.iter().chain(&self.new.uniques);
        let indexed = |index: &Index| {
            let own = index.columns();
            index.unique && own.is_some_and(|own| equal(&own.into_iter().cloned().collect::<Vec<_>>()))
        };
        keys.into_iter().any(|key| equal(&key.columns))
            || self.new.indexes.iter().any(indexed)
            || self.later(|change| match change {
                // With `USING INDEX` the columns are not said.
                Change::AddPrimaryKey { table, key, .. } | Change::AddUnique { table, key, .. } => {
                    (key.columns.is_empty() || equal(&key.columns)).then_some(table)
                }
                Change::CreateIndex { table, index, .. } => indexed(index).then_some(table),
                _ => None,
            })
    }

    fn keys(&self) -> Vec<String> {
        let mut lost = Vec::new();
        let primary = || {
            self.later(|change| match change {
                Change::AddPrimaryKey { table, .. } => Some(table),
                _ => None,
            })
        };
        if self.old.primary_key.is_some() && self.new.primary_key.is_none() && !primary() {
            lost.push("the primary key".to_owned());
        }
        for key in self.old.uniques.iter().filter(|key| !self.makes_unique(&key.columns)) {
            lost.push(format!("the unique constraint over `{}`", join(&key.columns)));
        }
        for key in &self.old.foreign_keys {
            let again = self.new.foreign_keys.iter().any(|other| other.columns == key.columns)
                || self.later(|change| match change {
                    Change::AddForeignKey { table, foreign_key, .. } => {
                        (foreign_key.columns == key.columns).then_some(table)
                    }
                    _ => None,
                });
            if !again {
                lost.push(format!("the foreign key over `{}`", join(&key.columns)));
            }
        }
        // A check may be spelled in another way, so that any check counts.
        let checked = !self.new.checks.is_empty()
            || self.later(|change| match change {
                Change::AddCheck { table, .. } => Some(table),
                _ => None,
            });
        if !self.old.checks.is_empty() && !checked {
            lost.push(if self.old.checks.len() == 1 { "its check" } else { "its checks" }.to_owned());
        }
        lost
    }

    fn columns(&self) -> Vec<String> {
        let (mut promises, mut lost) = (Vec::new(), Vec::new());
        let all = self.new.columns.is_empty();
        for old in &self.old.columns {
            let new = self.new.columns.iter().find(|other| other.name.eq_ignore_case(old.name.as_str()));
            // A column that the query does not give was left out on purpose.
            if new.is_none() && !all {
                continue;
            }
            let again = self.later(|change| match change {
                Change::ModifyColumn { table, to, .. } => (to.name == old.name).then_some(table),
                _ => None,
            });
            let numbered = old.identity.is_some() || old.auto_increment;
            let numbers =
                new.is_some_and(|new| new.identity.is_some() || new.auto_increment || new.default.is_some());
            let set = |change: &Change| match change {
                Change::SetIdentity { column, identity: Some(_), .. }
                | Change::SetDefault { column, default: Some(_), .. } => *column == old.name,
                _ => false,
            };
            let is_set = self.later(|change| set(change).then(|| change.target()).flatten());
            if again {
                continue;
            }
            if numbered && !numbers && !is_set {
                let word = if old.identity.is_some() { "identity" } else { "numbering" };
                lost.push(format!("the {word} of `{}`", old.name));
            }
            if self.dialect == Dialect::Mysql {
                // MySQL takes promises and defaults over.
                continue;
            }
            let lacks = old.default.is_some() && !numbered && new.is_none_or(|new| new.default.is_none());
            if lacks && !is_set {
                lost.push(format!("the default of `{}`", old.name));
            }
            let key = self.old.primary_key.as_ref().is_some_and(|key| key.columns.contains(&old.name));
            let promised = new.is_some_and(|new| new.not_null)
                || self.later(|change| match change {
                    Change::SetNotNull { table, column, not_null: true, .. }
                    | Change::AddNotNull { table, column, .. } => (*column == old.name).then_some(table),
                    Change::AddPrimaryKey { table, key, .. } => {
                        key.columns.contains(&old.name).then_some(table)
                    }
                    _ => None,
                });
            if old.not_null && !key && !promised {
                promises.push(format!("`{}`", old.name));
            }
        }
        if !promises.is_empty() {
            lost.push(format!("`NOT NULL` of {}", promises.join(" and ")));
        }
        lost
    }

    fn indexes(&self) -> Vec<String> {
        let equal = |index: &Index, other: &Index| {
            index.parts == other.parts && index.unique == other.unique || index.name == other.name
        };
        let own = self.old.indexes.iter().filter(|index| index.backs.is_none());
        let lost = own.filter(|index| {
            let covered = index.columns().is_some_and(|columns| {
                let columns: Vec<Name> = columns.into_iter().cloned().collect();
                self.makes_unique(&columns)
            });
            !covered
                && !self.new.indexes.iter().any(|other| equal(index, other))
                && !self.later(|change| match change {
                    Change::CreateIndex { table, index: other, .. } => equal(index, other).then_some(table),
                    _ => None,
                })
                // Its column may have been left out.
                && (self.new.columns.is_empty()
                    || index.columns().is_none_or(|columns| {
                        columns.iter().all(|column| self.new.column(column.as_str()).is_some())
                    }))
        });
        lost.map(|index| format!("the index `{}`", index.name)).collect()
    }

    fn triggers(&self) -> Vec<String> {
        let catalog = self.context.facts_if_known(Fact::Catalog).catalog.known();
        let triggers = catalog.and_then(|catalog| catalog.triggers.known());
        let own = triggers
            .into_iter()
            .flatten()
            .filter(|trigger| lint::same_relation(&trigger.table, &self.old.name));
        let judged = self.judged;
        let changes = || {
            let all = judged.earlier_in_file().chain([judged.statement]).chain(judged.later());
            all.flat_map(|statement| &statement.changes)
        };
        let lost = own.filter(|trigger| {
            !changes().any(|change| match change {
                Change::CreateTrigger { trigger: new, .. } => {
                    new.name == trigger.name || lint::same_relation(&new.table, self.to)
                }
                Change::DropTrigger { name, .. } => *name == trigger.name,
                _ => false,
            })
        });
        lost.map(|trigger| format!("the trigger `{}`", trigger.name)).collect()
    }
}
