use dbwright_model::change::Change;
use dbwright_model::effect::Cost;
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
    weight: 7,
    needs: &[Fact::Migrations],
    wants: lint::WANTS,
    engines: Engines::only(Engine::Postgres, "another rule judges the changes that rebuild a table there"),
    when: "maintenance or a new place of storage rewrites a table in use",
    then: "Nobody reads or writes the table until its last row is copied.",
    instead: "Do it while nobody works, or with a tool that copies beside the work, such as pg_repack.",
    source: "PostgreSQL manual, CLUSTER, VACUUM, ALTER TABLE; locks measured on 13 to 18",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    lint::each(context, findings, |judged, change| {
        let what = match change {
            Change::Cluster { .. } => "`CLUSTER`",
            Change::Vacuum { full: true, .. } => "`VACUUM FULL`",
            Change::SetLogged { logged: true, .. } => "`SET LOGGED`",
            Change::SetLogged { logged: false, .. } => "`SET UNLOGGED`",
            Change::SetTablespace { .. } => "`SET TABLESPACE`",
            Change::SetAccessMethod { .. } => "`SET ACCESS METHOD`",
            _ => return Verdict::Other,
        };
        let rewritten = judged.statement.blocking().find(|effect| effect.cost == Cost::Rewrite);
        let Some(effect) = rewritten else { return Verdict::Fine };
        let name = &effect.relation;
        let message = format!("{what} copies `{name}` while reads and writes of it wait.");
        let found = judged.felt(context, effect, ObjectRef::table(name), message);
        Verdict::Found(found.remedy(Remedy::manual(RULE.instead)))
    });
}
