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
    weight: 2,
    needs: &[Fact::Extensions],
    engines: Engines::only(Engine::Postgres, "it has no extensions of this kind"),
    when: "an extension that reaches files, programs or other servers is installed",
    then: "Code in the database gets as far as the server's operating system user, or opens connections of its own.",
    instead: "Drop the extension if nothing uses it.",
    source: "PostgreSQL documentation: these extensions are not marked trusted, and say why",
    check,
    ..Rule::DEFAULT
};

/// Extensions that reach beyond the database, and how.
const REACHING: &[(&str, &str)] = &[
    ("adminpack", "writes files of the server"),
    ("dblink", "opens connections from the server"),
    ("file_fdw", "reads files and runs programs of the server"),
    ("plperlu", "runs Perl as the server's user"),
    ("plpython3u", "runs Python as the server's user"),
    ("plpythonu", "runs Python as the server's user"),
    ("plsh", "runs shell scripts as the server's user"),
    ("pltclu", "runs Tcl as the server's user"),
];

fn check(context: &Context<'_>, findings: &mut Findings) {
    for extension in context.extensions() {
        findings.examined(1);
        let Some((_, what)) = REACHING.iter().find(|(name, _)| extension.name == **name) else { continue };
        findings.add(
            Found::at(
                ObjectRef::extension(&extension.name),
                format!("Extension `{}` {what}.", extension.name),
            )
            .remedy(Remedy::manual(RULE.instead)),
        );
    }
}
