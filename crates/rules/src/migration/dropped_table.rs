use dbwright_model::catalog::Persistence;
use dbwright_model::change::{Change, DataKind, PartOf};
use dbwright_model::effect::Blocks;
use dbwright_model::engine::Dialect;
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
        // In this schema SQLite keeps what goes with the session.
        let of_session = context.engine().dialect() == Dialect::Sqlite && name.schema.eq_ignore_case("temp");
        let temporary = of_session || known.is_some_and(|table| table.persistence == Persistence::Temporary);
        let swap = swap(judged, name);
        if temporary || judged.is_new(name) || judged.is_absent(name) || matches!(swap, Swap::Whole) {
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
        let message = if let Swap::Lossy(because) = swap {
            because
        } else if others.is_empty() {
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

/// What becomes of the rows of a table that is dropped.
enum Swap {
    /// Nothing takes its name.
    None,
    /// A table that took the rows over, as far as can be told, takes its name.
    Whole,
    /// A table takes its name that has not all of the rows: the sentence that tells.
    Lossy(String),
}

/// Whether a later statement of the file gives the name to a table that took the rows over.
fn swap(judged: Judged<'_>, name: &QualifiedName) -> Swap {
    let successor = judged.later_in_file().find_map(|later| {
        let is_new = |table| later.new_relations.iter().any(|new| new.may_be(table));
        later.changes.iter().find_map(|change| match change {
            Change::RenameTable { table, to, .. } if to.name == name.name && is_new(table) => Some(table),
            _ => None,
        })
    });
    let Some(successor) = successor else { return Swap::None };
    let in_file = || judged.earlier_in_file().chain(judged.later_in_file());
    // A program, a statement that was not understood, or an earlier file may have filled it.
    let is_program = |change: &Change| {
        matches!(change, Change::Procedural { .. } | Change::Opaque { .. } | Change::Prepare { .. })
    };
    let mut made = false;
    let mut fills: Vec<(u32, Option<&PartOf>)> = Vec::new();
    for statement in in_file() {
        if statement.not_analysed.is_some() || statement.changes.iter().any(is_program) {
            return Swap::Whole;
        }
        for change in &statement.changes {
            let line = statement.location.line;
            match change {
                Change::CreateTableAs { name: new, populated, part_of, .. }
                    if lint::same_relation(new, successor) =>
                {
                    made = true;
                    if *populated {
                        fills.push((line, part_of.as_ref()));
                    }
                }
                Change::CreateTable { table, .. } | Change::CreateTableLike { table, .. } => {
                    made |= lint::same_relation(&table.name, successor);
                }
                Change::Data { kind, table, clauses, .. } => {
                    let writes = matches!(kind, DataKind::Insert | DataKind::Copy | DataKind::Merge);
                    let own = |table: &QualifiedName| {
                        lint::same_relation(table, successor) || lint::same_relation(table, name)
                    };
                    // A function that is called, and a member of `WITH`, may write what it likes.
                    if !clauses.also.is_empty() || (*kind == DataKind::Select && !clauses.calls.is_empty()) {
                        return Swap::Whole;
                    }
                    if writes && table.as_ref().is_none_or(own) {
                        fills.push((line, clauses.part_of.as_ref()));
                    }
                }
                _ => {}
            }
        }
    }
    match fills.as_slice() {
        [] if made => Swap::Lossy(format!(
            "Dropping `{}` deletes its rows: `{}`, which takes its name, is never filled.",
            judged.full_name(name),
            successor.name
        )),
        // Several copies may be pieces of one.
        [(line, Some(part))] if lint::same_relation(&part.table, name) => Swap::Lossy(format!(
            "Dropping `{}` deletes the rows that `{}` in line {line} leaves out of `{}`.",
            judged.full_name(name),
            part.by,
            successor.name
        )),
        _ => Swap::Whole,
    }
}
