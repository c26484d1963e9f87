use dbwright_model::change::Change;
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
    weight: 1,
    needs: &[Fact::Migrations],
    engines: Engines::only(Engine::Postgres, "constraints do not take over indexes there"),
    when: "a constraint takes over an index that has another name",
    then: "The index is renamed: what calls it by its old name, a later migration or a monitor, does not find it.",
    instead: "Build the index under the name that the constraint shall have.",
    remedy: Applicability::Manual,
    source: "PostgreSQL manual, ALTER TABLE, \"ADD table_constraint_using_index\"",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    lint::each(context, findings, |judged, change| {
        let (Change::AddPrimaryKey { table, key, using_index: Some(index), .. }
        | Change::AddUnique { table, key, using_index: Some(index), .. }) = change
        else {
            return Verdict::Other;
        };
        let Some(effect) = judged.effect(table) else { return Verdict::Fine };
        let Some(constraint) = key.name.as_ref().filter(|name| *name != index) else {
            return Verdict::Fine;
        };
        let name = &effect.relation;
        let message = format!(
            "The index `{index}` of `{name}` is renamed to `{constraint}` and is not found by its old name any more."
        );
        let found = judged.found(ObjectRef::index(name, index), message);
        Verdict::Found(found.remedy(Remedy::manual(RULE.instead)))
    });
}
