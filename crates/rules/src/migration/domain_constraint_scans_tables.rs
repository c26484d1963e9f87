use dbwright_model::change::Change;
use dbwright_model::effect::RelationEffect;
use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::{Applicability, Remedy};
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
    engines: Engines::only(Engine::Postgres, "there are no domains"),
    when: "a domain that columns are made of gets a constraint, or one of its constraints is validated",
    then: "Every table with such a column is locked against writes and read from end to end, all in one transaction.",
    instead: "Keep the rule in checks of the tables, which are added `NOT VALID` and validated without keeping anybody out.",
    remedy: Applicability::Manual,
    source: "measured on PostgreSQL 13 to 18",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    lint::each(context, findings, |judged, change| {
        let (name, what) = match change {
            Change::AddDomainCheck { name, .. } => (name, "A new check of the domain"),
            Change::SetDomainNotNull { name, not_null: true, .. } => (name, "`NOT NULL` of the domain"),
            Change::ValidateDomainConstraint { name, .. } => (name, "Validating a constraint of the domain"),
            _ => return Verdict::Other,
        };
        let read: Vec<&RelationEffect> = judged.statement.blocking().collect();
        let Some(first) = read.first() else { return Verdict::Fine };
        let tables: Vec<String> = read.iter().map(|effect| format!("`{}`", effect.relation)).collect();
        let message = format!(
            "{what} `{name}` reads every row of {} while {} wait.",
            tables.join(", "),
            lint::waiting(first)
        );
        let found = judged.felt(context, first, ObjectRef::user_type(name), message);
        Verdict::Found(found.remedy(Remedy::manual(RULE.instead)))
    });
}
