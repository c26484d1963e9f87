use dbwright_model::change::Change;
use dbwright_model::data_type::{DataType, TypeKind};
use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::lint::{self, Verdict};
use crate::{Context, Engines, Findings, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Migrations,
    weight: 5,
    needs: &[Fact::Migrations],
    wants: lint::WANTS,
    engines: Engines::servers("a type there does not bind the values of its column"),
    when: "a column gets a type that holds less of each value, and the server does not complain",
    then: "Digits, times of day or fractions are gone, and no way back restores them.",
    instead: "Count the values that would change first, and keep the old column until nobody misses them.",
    remedy: Applicability::Manual,
    source: "PostgreSQL manual, \"Data Types\": what assignment rounds and cuts off; MySQL manual, \"Data Types\"",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    lint::each(context, findings, |judged, change| {
        // A conversion of one's own says what is meant.
        let (table, column, to) = match change {
            Change::AlterColumnType { table, column, to, using: None, .. } => (table, column, to),
            Change::ModifyColumn { table, column, to, .. } => (table, column, &to.data_type),
            _ => return Verdict::Other,
        };
        let Some(effect) = judged.effect(table) else { return Verdict::Fine };
        let old = judged.statement.table(table).and_then(|table| table.column(column.as_str()));
        let Some(old) = old else { return Verdict::Fine };
        let Some(lost) = lost(context.engine(), &old.data_type, to) else { return Verdict::Fine };
        let name = &effect.relation;
        let message = format!(
            "Changing `{name}.{column}` from {} to {} {lost} without a word.",
            old.data_type.text, to.text
        );
        let found = judged.found(ObjectRef::column(name, column), message);
        if context.engine() != Engine::Postgres {
            return Verdict::Found(found.remedy(Remedy::manual(RULE.instead)));
        }
        let column = lint::spelled(context, column.as_str());
        let query = format!(
            "SELECT count(*) FROM {} WHERE {column}::{}::{} IS DISTINCT FROM {column}",
            lint::spelled_table(context, name),
            to.text,
            old.data_type.text
        );
        Verdict::Found(found.evidence("query", query).remedy(Remedy::manual(RULE.instead)))
    });
}

/// What is cut off from a value.
fn lost(engine: Engine, from: &DataType, to: &DataType) -> Option<&'static str> {
    if from.array || to.array || from.user_type.is_some() || to.user_type.is_some() {
        return None;
    }
    let fractions = |kind| {
        matches!(kind, TypeKind::Time | TypeKind::TimeTz | TypeKind::Timestamp | TypeKind::TimestampTz)
    };
    // Digits of a fraction of a second where none are said.
    let usual = if engine == Engine::Postgres { 6 } else { 0 };
    let (a, b) = (from.kind, to.kind);
    match (a, b) {
        (TypeKind::Decimal, TypeKind::Decimal) => {
            // Without a precision every digit is kept.
            let kept = to.length.map(|_| to.scale.unwrap_or(0))?;
            let had = from.length.map(|_| from.scale.unwrap_or(0));
            had.is_none_or(|had| kept < had).then_some("rounds its digits after the point")
        }
        (TypeKind::Decimal, _) if b.is_integer() && from.scale.unwrap_or(1) > 0 => {
            Some("rounds its digits after the point")
        }
        (TypeKind::Real | TypeKind::Double, _) if b.is_integer() => Some("rounds its digits after the point"),
        (TypeKind::Double, TypeKind::Real) => Some("keeps only six of its digits"),
        (TypeKind::Timestamp | TypeKind::TimestampTz, TypeKind::Date) => Some("drops its time of day"),
        (TypeKind::Timestamp | TypeKind::TimestampTz, TypeKind::Time | TypeKind::TimeTz) => {
            Some("drops its day")
        }
        _ if fractions(a) && fractions(b) && to.length.unwrap_or(usual) < from.length.unwrap_or(usual) => {
            Some("rounds its fractions of a second")
        }
        _ => None,
    }
}
