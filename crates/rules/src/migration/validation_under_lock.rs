use dbwright_model::change::Change;
use dbwright_model::effect::{Blocks, Cost};
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
    engines: Engines::only(
        Engine::Postgres,
        "constraints are not validated by a statement of their own there",
    ),
    when: "a constraint is validated while its transaction holds a lock that keeps others out",
    then: "The rows are read under that lock, so that adding the constraint `NOT VALID` was in vain.",
    instead: "Validate the constraint in a transaction of its own, in another file.",
    remedy: Applicability::Manual,
    source: "PostgreSQL manual, ALTER TABLE, \"Notes\"; measured on 13 to 18",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    lint::each(context, findings, |judged, change| {
        let Change::ValidateConstraint { table, constraint, .. } = change else { return Verdict::Other };
        let Some(effect) = judged.effect(table).filter(|effect| effect.cost >= Cost::Scan) else {
            return Verdict::Fine;
        };
        let earlier = judged.chain.earlier_in_transaction(judged.position);
        let held = earlier.flat_map(|statement| statement.felt()).chain([effect]);
        let Some(held) = held
            .filter(|held| held.lock.blocks() >= Blocks::Writes)
            .max_by_key(|held| (held.lock.blocks(), held.relation == effect.relation))
        else {
            return Verdict::Fine;
        };
        let message = format!(
            "`{constraint}` is validated while the transaction holds {} on `{}`: {} of it wait until all rows are read.",
            held.lock.as_str(),
            held.relation,
            lint::waiting(held)
        );
        let object = ObjectRef::constraint(&effect.relation, constraint.as_str());
        let found = judged.felt(context, effect, object, message).evidence("held", lint::lock(held));
        Verdict::Found(found.remedy(Remedy::manual(RULE.instead)))
    });
}
