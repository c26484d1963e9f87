use dbwright_model::change::{Change, SequenceChanges};
use dbwright_model::data_type::DataType;
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
    engines: Engines::only(Engine::Postgres, "the column's own type bounds its numbers"),
    when: "a `serial` column is widened and its sequence is not",
    then: "Inserts fail when the sequence reaches the end of the old type, as if nothing had been widened.",
    instead: "Give the sequence the column's new type in the same migration.",
    remedy: Applicability::Review,
    source: "measured on PostgreSQL 15 and 18: ALTER COLUMN TYPE widens an identity's sequence, but not a serial's",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    lint::each(context, findings, |judged, change| {
        let Change::AlterColumnType { table, column, to, .. } = change else { return Verdict::Other };
        let Some(known) = judged.statement.table(table) else { return Verdict::Other };
        let Some(old) = known.column(column.as_str()) else { return Verdict::Other };
        let Some(sequence) = old.sequence.as_ref().filter(|_| old.identity.is_none()) else {
            return Verdict::Other;
        };
        let widened = old.data_type.max_integer().zip(to.max_integer()).is_some_and(|(old, new)| new > old);
        let follows = lint::changes(&judged.chain.statements).any(|change| {
            matches!(change, Change::AlterSequence { name, changes, .. }
                if name.may_be(sequence)
                    && (changes.data_type.as_ref().is_some_and(|own| own.max_integer() >= to.max_integer())
                        || changes.max.is_some()))
        });
        if !widened || follows {
            return Verdict::Fine;
        }
        let message = format!(
            "`{}.{column}` becomes {}, but its sequence `{sequence}` still ends with {}.",
            known.name, to.text, old.data_type.text
        );
        let found = judged.found(ObjectRef::column(&known.name, column), message);
        let widen = Change::AlterSequence {
            if_exists: Default::default(),
            name: sequence.clone(),
            changes: SequenceChanges {
                data_type: Some(DataType::new(to.kind, to.text.as_str())),
                ..SequenceChanges::default()
            },
        };
        Verdict::Found(found.remedy(Remedy::review(RULE.instead, vec![widen])))
    });
}
