use dbwright_model::catalog::Persistence;
use dbwright_model::change::Change;
use dbwright_model::effect::Blocks;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::name::QualifiedName;
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::lint::{self, Judged, Verdict};
use crate::{Context, Engines, Findings, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Error,
    dimension: Dimension::Migrations,
    weight: 8,
    needs: &[Fact::Migrations],
    wants: lint::WANTS,
    engines: Engines::ALL,
    when: "a table that may hold rows is dropped",
    then: "Its rows are gone, and code that still runs fails with the next statement that names it.",
    instead: "Release code that does not use it, rename it, wait until nobody has missed it, keep a backup, and drop it then.",
    source: "manuals of the engines, DROP TABLE; locks measured on PostgreSQL 13 to 18",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    lint::each(context, findings, |judged, change| {
        let Change::DropTable { name, .. } = change else { return Verdict::Other };
        let known = judged.statement.table(name);
        let temporary = known.is_some_and(|table| table.persistence == Persistence::Temporary);
        if temporary || judged.is_new(name) || judged.is_absent(name) || is_rebuilt(judged, name) {
            return Verdict::Fine;
        }
        let name = judged.full_name(name);
        let mut others: Vec<String> = judged
            .statement
            .felt()
            .filter(|effect| effect.relation != name && effect.lock.blocks() == Blocks::ReadsAndWrites)
            .filter(|effect| {
                known.is_none_or(|table| {
                    !table.columns.iter().any(|column| column.sequence.as_ref() == Some(&effect.relation))
                })
            })
            .map(|effect| effect.relation.to_string())
            .collect();
        others.dedup();
        let message = if others.is_empty() {
            format!("Dropping `{name}` deletes its rows, and code that names it fails.")
        } else {
            format!(
                "Dropping `{name}` deletes its rows, and reads and writes of `{}` wait for it.",
                others.join("`, `")
            )
        };
        let object = ObjectRef::table(&name);
        let found = match judged.effect(&name) {
            Some(effect) => judged.felt(context, effect, object, message),
            None => judged.found(object, message),
        };
        Verdict::Found(found.remedy(Remedy::manual(RULE.instead)))
    });
}

/// Whether a later statement of the file gives the name to a table that took the rows over.
fn is_rebuilt(judged: Judged<'_>, name: &QualifiedName) -> bool {
    judged.later_in_file().any(|later| {
        let is_new = |table| later.new_relations.iter().any(|new| lint::is_meant(new, table));
        later.changes.iter().any(|change| {
            matches!(change, Change::RenameTable { table, to, .. } if to.name == name.name && is_new(table))
        })
    })
}
