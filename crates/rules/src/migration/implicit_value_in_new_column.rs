use dbwright_model::change::Change;
use dbwright_model::data_type::{DataType, TypeKind};
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
    weight: 4,
    needs: &[Fact::Migrations],
    engines: Engines::mysql_family("the server refuses such a column there where the table holds rows"),
    when: "a column that must not be null is added without a default",
    then: "Every row that is there gets a value that nobody chose: 0, an empty text, the first value of a list.",
    instead: "Say the default that is meant, or add the column so that it may be null, fill it, and change it then.",
    remedy: Applicability::Manual,
    source: "measured on MariaDB 10.11; MySQL manual, \"Data Type Default Values\"",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    lint::each(context, findings, |judged, change| {
        let Change::AddColumn { table, column, .. } = change else { return Verdict::Other };
        if !column.not_null {
            return Verdict::Other;
        }
        let keyed = judged.statement.changes.iter().any(|change| {
            matches!(change, Change::AddPrimaryKey { key, .. } | Change::AddUnique { key, .. }
                if key.columns.contains(&column.name))
        });
        let filled = column.default.is_some() || column.auto_increment || column.generated.is_some();
        // Rows that all get the same value break a key, which is an error and no silence.
        let Some(effect) = judged.effect(table).filter(|_| !filled && !keyed) else { return Verdict::Fine };
        let name = &effect.relation;
        let message = format!(
            "Every row of `{name}` gets {} in `{}`, which must not be null and has no default.",
            implied(&column.data_type),
            column.name
        );
        let found = judged.found(ObjectRef::column(name, &column.name), message);
        Verdict::Found(found.remedy(Remedy::manual(RULE.instead)))
    });
}

/// The value that a type has by itself.
fn implied(data_type: &DataType) -> String {
    match data_type.kind {
        TypeKind::Enum => match data_type.values.first() {
            Some(first) => format!("`{first}`, the first value of the list,"),
            None => "the first value of the list".to_owned(),
        },
        TypeKind::Date | TypeKind::Timestamp | TypeKind::TimestampTz => "the date 0000-00-00".to_owned(),
        kind if kind.is_integer() => "0".to_owned(),
        TypeKind::Decimal | TypeKind::Real | TypeKind::Double => "0".to_owned(),
        kind if kind.is_text() => "an empty text".to_owned(),
        _ => "the value that its type has by itself".to_owned(),
    }
}
