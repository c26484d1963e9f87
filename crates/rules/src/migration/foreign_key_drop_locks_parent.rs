use dbwright_model::change::{Change, DroppedConstraint};
use dbwright_model::effect::Blocks;
use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::lint::{self, Verdict};
use crate::{Context, Engines, Findings, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    dimension: Dimension::Migrations,
    weight: 2,
    needs: &[Fact::Migrations],
    wants: lint::WANTS,
    engines: Engines::only(Engine::Postgres, "the parent is not locked there, or keys cannot be dropped"),
    when: "dropping a foreign key locks the parent as well as the child",
    then: "Until the transaction ends nobody reads or writes the parent, which the statement does not even name.",
    instead: "Drop one foreign key per transaction, with a short `lock_timeout` and another try.",
    remedy: Applicability::Manual,
    source: "measured on PostgreSQL 13 to 18",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    lint::each(context, findings, |judged, change| {
        let Change::DropConstraint { table, constraint: DroppedConstraint::Named(constraint), .. } = change
        else {
            return Verdict::Other;
        };
        let Some(known) = judged.statement.table(table) else { return Verdict::Other };
        let Some(key) = known.foreign_keys.iter().find(|key| key.name.as_ref() == Some(constraint)) else {
            return Verdict::Other;
        };
        let parent = judged
            .effect(&key.references)
            .filter(|effect| effect.relation != known.name && effect.lock.blocks() == Blocks::ReadsAndWrites);
        let Some(parent) = parent else { return Verdict::Fine };
        let message = format!(
            "Dropping `{constraint}` of `{}` keeps everybody from `{}` too, until the transaction ends.",
            known.name, parent.relation
        );
        let object = ObjectRef::constraint(&known.name, constraint.as_str());
        let found = judged.felt(context, parent, object, message);
        Verdict::Found(found.remedy(Remedy::manual(RULE.instead)))
    });
}
