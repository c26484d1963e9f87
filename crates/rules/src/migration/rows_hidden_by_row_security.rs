use dbwright_model::change::Change;
use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::Remedy;
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
    engines: Engines::only(Engine::Postgres, "it has no row security"),
    when: "row security is switched on for a table in use that has no policy",
    then: "Everybody but the owner sees an empty table and cannot insert, until a policy is made.",
    instead: "Make the policies first, or in the same transaction.",
    source: "PostgreSQL manual, \"Row Security Policies\"",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    lint::each(context, findings, |judged, change| {
        let Change::SetRowSecurity { table, enabled: Some(true), .. } = change else { return Verdict::Other };
        let name = judged.full_name(table);
        let already = judged.statement.table(table).is_some_and(|table| table.row_security.enabled);
        let makes =
            |change: &Change| matches!(change, Change::CreatePolicy { policy } if name.may_be(&policy.table));
        // What is made earlier is there, as far as it is known what is there.
        let policy_follows = judged.later_in_transaction().any(|later| later.changes.iter().any(makes));
        if judged.is_new(table) || already || policy_follows || judged.statement.around.policies > 0 {
            return Verdict::Fine;
        }
        let message =
            format!("`{name}` has no policy yet: with row security on, it looks empty to all but its owner.");
        let found = judged.found(ObjectRef::table(&name), message);
        Verdict::Found(found.remedy(Remedy::manual(RULE.instead)))
    });
}
