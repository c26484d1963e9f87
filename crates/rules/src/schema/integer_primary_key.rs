use std::collections::HashMap;

use dbwright_model::catalog::Sequence;
use dbwright_model::data_type::TypeKind;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::name::QualifiedName;
use dbwright_model::remedy::Remedy;

use crate::columns::{base_type, fed_by, is_numbered, single_key};
use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    weight: 1,
    wants: &[Fact::TableStatistics],
    engines: Engines::servers("every integer of SQLite has 64 bits"),
    when: "a generated key has fewer than 64 bits",
    then: "A busy table can use up the range of a narrow key, and widening it later rewrites the table and its children.",
    instead: "Make new keys `bigint`; widen the keys of tables that grow while they are small.",
    in_prisma: Some("write `BigInt` in place of `Int`, in the fields that refer to it too"),
    source: "base rates of five public schemas: between 0 and 47 of them per schema",
    convention: Some("generated keys have fewer than 64 bits"),
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let sequences: HashMap<&QualifiedName, &Sequence> =
        context.catalog().sequences.iter().map(|sequence| (&sequence.name, sequence)).collect();
    for table in context.own_tables() {
        let Some(column) = single_key(table).filter(|column| is_numbered(column)) else { continue };
        let data_type = base_type(context.catalog(), &column.data_type);
        if !data_type.kind.is_integer() {
            continue;
        }
        findings.examined(1);
        if data_type.kind == TypeKind::BigInt {
            continue;
        }
        let ends = data_type.max_integer().unwrap_or_default();
        let sequence = fed_by(|name| sequences.get(name).copied(), table, column).filter(|sequence| {
            sequence.increment > 0 && !sequence.cycle && i128::from(sequence.max) < i128::from(ends)
        });
        let ends = match sequence {
            Some(sequence) => format!("{}, where its sequence ends", sequence.max),
            None => ends.to_string(),
        };
        let mut found = Found::at(
            ObjectRef::column(&table.name, &column.name),
            format!(
                "The key `{}.{}` is generated but ends at {ends}; after that no row can be added.",
                table.name, column.name
            ),
        )
        .remedy(Remedy::manual(RULE.instead));
        if let Some(statistics) = context.statistics_of(&table.name) {
            found = found.evidence_if("rows", statistics.rows);
        }
        findings.add(found);
    }
}
