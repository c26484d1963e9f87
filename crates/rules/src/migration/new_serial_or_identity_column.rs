use dbwright_model::change::Change;
use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::lint::{self, Verdict};
use crate::new_column::{Filling, filling};
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
        "a new numbered column is told by the rules over rebuilds there, or cannot be added at all",
    ),
    when: "a `serial` or identity column is added to a table in use",
    then: "Nobody reads or writes the table until every row has got its number.",
    instead: "Add a plain column, let it default to a sequence, fill the old rows in batches, and make it an identity last.",
    remedy: Applicability::Manual,
    source: "measured on PostgreSQL 13 to 18",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    lint::each(context, findings, |judged, change| {
        let Change::AddColumn { table, column, .. } = change else { return Verdict::Other };
        if !column.auto_increment && column.identity.is_none() {
            return Verdict::Other;
        }
        let Some((name, effect, Filling::Numbered)) = filling(&judged, table, column) else {
            return Verdict::Fine;
        };
        let message = format!(
            "Every row of `{name}` is rewritten to number it in `{}` while reads and writes wait.",
            column.name
        );
        let found = judged.felt(context, effect, ObjectRef::column(name, &column.name), message);
        Verdict::Found(found.remedy(Remedy::manual(RULE.instead)))
    });
}
