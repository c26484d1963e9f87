use dbwright_model::catalog::{Column, ForeignKey, Table};
use dbwright_model::change::Change;
use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::name::QualifiedName;
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::lint::{self, Judged, Verdict};
use crate::schema::foreign_key_type_mismatch::mismatch;
use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Migrations,
    weight: 4,
    needs: &[Fact::Migrations],
    engines: Engines::only(
        Engine::Postgres,
        "the server refuses such a key there, or keys come with the table, whose review tells it",
    ),
    when: "a migration adds a foreign key between columns of different types",
    then: "The child cannot hold every key of the parent, or every comparison converts one of them.",
    instead: "Give the referring column the type of the column it refers to, before it is filled.",
    remedy: Applicability::Manual,
    source: "agreement of public linters; see the rule for the schema as a whole",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    lint::each(context, findings, |judged, change| {
        let (table, key, own) = match change {
            Change::AddForeignKey { table, foreign_key, .. } => (table, foreign_key.as_ref(), None),
            Change::CreateTable { table, if_not_exists } => {
                if !judged.makes(table, *if_not_exists) {
                    return Verdict::Other;
                }
                let mut keys = table.foreign_keys.iter();
                let differing = keys.find_map(|key| judge(context, &judged, &table.name, key, Some(table)));
                return differing.map_or(Verdict::Other, Verdict::Found);
            }
            _ => return Verdict::Other,
        };
        judge(context, &judged, table, key, own).map_or(Verdict::Fine, Verdict::Found)
    });
}

fn judge<'a>(
    context: &Context<'a>,
    judged: &Judged<'a>,
    table: &QualifiedName,
    key: &ForeignKey,
    made: Option<&'a Table>,
) -> Option<Found> {
    let known = made.or_else(|| judged.statement.table(table));
    let parent = judged.statement.table(&key.references)?;
    let primary = parent.primary_key.as_ref().map(|key| key.columns.as_slice());
    let referenced = match key.referenced_columns.as_slice() {
        [] => primary?,
        columns => columns,
    };
    for (own, other) in key.columns.iter().zip(referenced) {
        let existing = known.and_then(|table| table.column(own.as_str()));
        let column: Option<&Column> = existing.or_else(|| judged.adds_column(table, own));
        let (Some(column), Some(target)) = (column, parent.column(other.as_str())) else { continue };
        let (own, target_type) = (&column.data_type, &target.data_type);
        // What is below a domain is not known here.
        if own.user_type.is_some() || target_type.user_type.is_some() {
            continue;
        }
        let difference = mismatch(context.engine().dialect(), own, target_type);
        let Some((level, consequence)) = difference.filter(|(level, _)| *level > Level::Note) else {
            continue;
        };
        let message = format!(
            "`{table}.{}` and the key `{}.{}` differ in type: {consequence}.",
            column.name, parent.name, target.name
        );
        let found = judged
            .found(ObjectRef::column(table, &column.name), message)
            .level(level)
            .evidence("type", &own.text)
            .evidence("type of the key", &target_type.text);
        return Some(found.remedy(Remedy::manual(RULE.instead)));
    }
    None
}
