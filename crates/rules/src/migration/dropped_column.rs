use dbwright_model::change::Change;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::name::Name;
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::lint::{self, Verdict};
use crate::{Context, Engines, Findings, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Error,
    dimension: Dimension::Migrations,
    weight: 6,
    needs: &[Fact::Migrations],
    wants: lint::WANTS,
    engines: Engines::ALL,
    when: "a column of a table in use is dropped",
    then: "Its values are gone, and code that still reads or writes it fails.",
    instead: "Release code that does not name it first; drop it in a later migration.",
    source: "manuals of the engines, ALTER TABLE; indexes and constraints measured on PostgreSQL 13 to 18",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    lint::each(context, findings, |judged, change| {
        let Change::DropColumn { table, column, .. } = change else { return Verdict::Other };
        let known = judged.statement.table(table);
        let absent =
            judged.chain.starts_known && known.is_none_or(|table| table.column(column.as_str()).is_none());
        if judged.is_new(table) || absent {
            return Verdict::Fine;
        }
        let name = judged.full_name(table);
        let message = format!("Dropping `{name}.{column}` deletes its values, and code that names it fails.");
        let object = ObjectRef::column(&name, column);
        let mut found = match judged.effect(&name) {
            Some(effect) => judged.felt(context, effect, object, message),
            None => judged.found(object, message),
        };
        if let Some(table) = known {
            let over = |columns: &[Name]| columns.contains(column);
            let indexes = table.indexes.iter().filter(|index| {
                index.columns().is_some_and(|columns| columns.contains(&column)) || over(&index.include)
            });
            let keys = table.foreign_keys.iter().filter(|key| over(&key.columns));
            let mut gone: Vec<String> = indexes.map(|index| index.name.to_string()).collect();
            gone.extend(keys.filter_map(|key| key.name.as_ref().map(ToString::to_string)));
            if !gone.is_empty() {
                found = found.evidence("goes with it", gone.join(", "));
            }
        }
        Verdict::Found(found.remedy(Remedy::manual(RULE.instead)))
    });
}
