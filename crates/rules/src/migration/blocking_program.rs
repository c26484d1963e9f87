use dbwright_model::change::Change;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::{Context, Findings, Rule, lint};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Error,
    dimension: Dimension::Migrations,
    weight: 7,
    needs: &[Fact::Migrations],
    wants: lint::WANTS,
    when: "a DO block, a called procedure or a statement that is not read works through a table that it keeps locked",
    then: "Whoever needs the table waits until its last row is done, and nothing in the file tells.",
    instead: "Write the work as plain statements, in the form that does not block.",
    remedy: Applicability::Manual,
    source: "what programs were seen to do, with `--trace`",
    check,
    ..Rule::DEFAULT
};

/// Words of the statement that are shown.
const WORDS: usize = 3;

fn check(context: &Context<'_>, findings: &mut Findings) {
    for judged in lint::statements(context) {
        let unread = |change: &Change| matches!(change, Change::Procedural { .. } | Change::Opaque { .. });
        let statement = judged.statement;
        if !statement.changes.iter().any(unread) {
            continue;
        }
        findings.examined(1);
        // One finding a statement: the relation whose work is the dearest.
        let worst = statement.blocking().max_by_key(|effect| (effect.cost, effect.lock));
        let Some(effect) = worst else { continue };
        let words: Vec<&str> = statement.sql.split_whitespace().take(WORDS).collect();
        let message = format!(
            "`{} ...` keeps {} of `{}` waiting {}.",
            words.join(" "),
            lint::waiting(effect),
            effect.relation,
            lint::meanwhile(effect.cost)
        );
        let found = judged.felt(context, effect, ObjectRef::table(&effect.relation), message);
        findings.add(found.remedy(Remedy::manual(RULE.instead)));
    }
}
