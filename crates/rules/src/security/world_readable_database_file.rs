use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    dimension: Dimension::Security,
    weight: 4,
    needs: &[Fact::Storage],
    engines: Engines::only(Engine::Sqlite, "clients do not touch its files"),
    when: "other users of the machine may read or write the database file",
    then: "An SQLite file has no roles: who may read the file reads everything, and who may write it changes anything.",
    instead: "Take the rights of others away: `chmod o-rwx FILE`.",
    source: "SQLite documentation: access is the file system's",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(mode) = context.storage().file_mode else {
        findings.unknown("the permissions of the file could not be read");
        return;
    };
    findings.examined(1);
    let (writes, reads) = (mode & 0o002 != 0, mode & 0o004 != 0);
    if !writes && !reads {
        return;
    }
    let verb = if writes { "change" } else { "read" };
    findings.add(
        Found::at(
            ObjectRef::database(&context.database()),
            format!("Every user of the machine may {verb} the database file."),
        )
        .level(if writes { Level::Error } else { Level::Note })
        .evidence("permissions", format!("{:o}", mode & 0o777))
        .remedy(Remedy::manual(RULE.instead)),
    );
}
