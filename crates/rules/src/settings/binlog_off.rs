use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Backup,
    weight: 4,
    needs: &[Fact::Settings],
    engines: Engines::mysql_family("see `backup/archiving-off`"),
    when: "the server writes no binary log",
    then: "A restore ends at the last full backup, and no replica can be attached.",
    instead: "Set `log_bin` and keep the logs as long as the backups need them.",
    source: "MySQL documentation, point-in-time recovery using the binary log; PMM",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(on) = context.settings().flag("log_bin") else {
        findings.unknown("the setting `log_bin` could not be read");
        return;
    };
    findings.examined(1);
    if !on {
        findings.add(
            Found::at(
                ObjectRef::setting("log_bin"),
                "There is no binary log, so what was written since the last backup cannot be restored.",
            )
            .remedy(Remedy::manual(RULE.instead)),
        );
    }
}
