use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Backup,
    weight: 5,
    needs: &[Fact::Settings],
    engines: Engines::mysql_family("see `settings/fsync-off` and `settings/synchronous-commit-off`"),
    when: "a commit does not wait until the redo log and the binary log have reached the disk",
    then: "A crash of the machine loses committed work, and replicas may have rows that the primary lost.",
    instead: "Set `innodb_flush_log_at_trx_commit = 1` and `sync_binlog = 1`, and keep the doublewrite buffer.",
    source: "MySQL documentation, InnoDB and the ACID model; pt-variable-advisor, PMM",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let settings = context.settings();
    let Some(flush) = settings.integer("innodb_flush_log_at_trx_commit") else {
        findings.unknown("the setting `innodb_flush_log_at_trx_commit` could not be read");
        return;
    };
    findings.examined(1);
    if flush != 1 && flush != 3 {
        findings.add(
            Found::at(
                ObjectRef::setting("innodb_flush_log_at_trx_commit"),
                "Commits do not wait for the redo log: a crash loses about a second of them.",
            )
            .evidence("innodb_flush_log_at_trx_commit", flush)
            .remedy(Remedy::manual(RULE.instead)),
        );
    }
    if settings.flag("log_bin") == Some(true) {
        findings.examined(1);
        if let Some(sync) = settings.integer("sync_binlog").filter(|sync| *sync != 1) {
            findings.add(
                Found::at(
                    ObjectRef::setting("sync_binlog"),
                    "The binary log is not forced to the disk at each commit: after a crash replicas and server differ.",
                )
                .evidence("sync_binlog", sync)
                .remedy(Remedy::manual(RULE.instead)),
            );
        }
    }
    findings.examined(1);
    if settings.flag("innodb_doublewrite") == Some(false) {
        findings.add(
            Found::at(
                ObjectRef::setting("innodb_doublewrite"),
                "Without the doublewrite buffer a page that a crash tears cannot be repaired.",
            )
            .level(Level::Error)
            .remedy(Remedy::manual(RULE.instead)),
        );
    }
}
