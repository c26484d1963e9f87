use dbwright_model::catalog::Sequence;
use dbwright_model::change::{Change, SequenceChanges};
use dbwright_model::data_type::TypeKind;
use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::name::QualifiedName;
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::lint::{self, Judged, Verdict};
use crate::{Context, Engines, Findings, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Migrations,
    weight: 5,
    needs: &[Fact::Migrations],
    wants: lint::WANTS,
    engines: Engines::only(Engine::Postgres, "it has no sequences, or none that columns draw from"),
    when: "a sequence is restarted or its end drawn nearer",
    then: "Numbers come a second time and inserts fail on the primary key, or they run out early.",
    instead: "Set it behind the largest number in use with `setval`, and leave its end where it was.",
    source: "PostgreSQL manual, ALTER SEQUENCE",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    lint::each(context, findings, |judged, change| {
        let (object, name, sequence, changes, old) = match change {
            Change::AlterSequence { name, changes, .. } => {
                let known = judged.statement.around.sequences.iter();
                (
                    ObjectRef::sequence(name),
                    name,
                    format!("The sequence `{name}`"),
                    changes,
                    known.clone().find(|known| known.name.may_be(name)),
                )
            }
            Change::AlterIdentity { table, column, options, .. } => (
                ObjectRef::column(&judged.full_name(table), column),
                table,
                format!("The sequence of `{table}.{column}`"),
                options,
                None,
            ),
            Change::SetSequenceValue { name, value } => return set(&judged, name, *value),
            _ => return Verdict::Other,
        };
        if judged.is_new(name) || judged.is_absent(name) {
            return Verdict::Fine;
        }
        let Some(what) = harm(changes, old) else { return Verdict::Fine };
        let found = judged.found(object, format!("{sequence} {what}."));
        Verdict::Found(found.remedy(Remedy::manual(RULE.instead)))
    });
}

/// `setval` to where the sequence begins. Another number may well be behind the largest one in use.
fn set(judged: &Judged<'_>, name: &QualifiedName, value: i64) -> Verdict {
    let mut known = judged.statement.around.sequences.iter();
    let known = known.find(|known| known.name.may_be(name));
    let begins = known.map_or(1, |known| known.start);
    let downwards = known.is_some_and(|known| known.increment < 0);
    if value > begins || downwards || judged.is_new(name) || judged.is_absent(name) {
        return Verdict::Fine;
    }
    let message = format!("The sequence `{name}` starts again behind {value}, whatever numbers are in use.");
    Verdict::Found(judged.found(ObjectRef::sequence(name), message).remedy(Remedy::manual(RULE.instead)))
}

fn harm(changes: &SequenceChanges, old: Option<&Sequence>) -> Option<String> {
    if let Some(value) = changes.restart_with {
        return Some(format!("starts again at {value}, whatever numbers are in use"));
    }
    if changes.restart {
        return Some("starts again, whatever numbers are in use".to_owned());
    }
    let end = |kind: TypeKind| match kind {
        TypeKind::SmallInt => Some(i64::from(i16::MAX)),
        TypeKind::Integer => Some(i64::from(i32::MAX)),
        _ => None,
    };
    let of_type = changes.data_type.as_ref().and_then(|data_type| end(data_type.kind));
    let new = changes.max.into_iter().chain(of_type).min()?;
    let before = old?;
    (new < before.max && before.increment > 0).then(|| format!("ends at {new} instead of {}", before.max))
}
