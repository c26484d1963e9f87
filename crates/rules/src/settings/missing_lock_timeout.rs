use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::rule::{OptionSpec, OptionValue};
use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    dimension: Dimension::Migrations,
    weight: 4,
    needs: &[Fact::Settings],
    wants: &[Fact::Roles],
    engines: ENGINES,
    when: "a statement may wait for a lock for as long as it takes",
    then: "A migration that waits behind one long query makes every later query on the table wait behind it.",
    instead: "Set `lock_timeout` to a few seconds for the role that runs migrations, and let the migration try again.",
    options: &[OptionSpec {
        name: "seconds",
        default: OptionValue::Number(300.0),
        help: "seconds of waiting for a table's definition that are still taken as a guard (MySQL, MariaDB)",
    }],
    source: "migration guides of strong_migrations and squawk; MySQL documentation, lock_wait_timeout (a year by default)",
    check,
    ..Rule::DEFAULT
};

const ENGINES: Engines = Engines::servers("a writer waits as long as its own connection says");

fn check(context: &Context<'_>, findings: &mut Findings) {
    let settings = context.settings();
    let name = match context.engine() {
        Engine::Postgres => "lock_timeout",
        _ => "lock_wait_timeout",
    };
    let Some(value) = settings.get(name) else {
        findings.unknown(format!("the setting `{name}` could not be read"));
        return;
    };
    findings.examined(1);
    let unguarded = match context.engine() {
        Engine::Postgres => settings.integer(name) == Some(0),
        _ => value.parse::<f64>().is_ok_and(|seconds| seconds > context.number("seconds")),
    };
    // It is enough that a role that makes changes has a limit of its own.
    let by_role = context.facts_if_known(Fact::Roles).roles.known().is_some_and(|roles| {
        roles.iter().any(|role| role.settings.iter().any(|(key, value)| *key == *name && value != "0"))
    });
    if unguarded && !by_role {
        findings.add(
            Found::at(
                ObjectRef::setting(name),
                match context.engine() {
                    Engine::Postgres => {
                        format!("Nothing limits how long a statement waits for a lock (`{name}` is {value}).")
                    }
                    _ => {
                        format!("A statement waits up to {value} seconds for the lock of a table (`{name}`).")
                    }
                },
            )
            .remedy(match context.engine() {
                Engine::Postgres => Remedy::manual_sql(
                    "Set `lock_timeout` to a few seconds for the role that runs migrations, whose name goes in the place of `your_migration_role`, and let the migration try again.",
                    vec!["ALTER ROLE your_migration_role SET lock_timeout = '5s'".to_owned()],
                ),
                _ => Remedy::manual_sql(
                    "Set `lock_wait_timeout` to a few seconds in the session that runs migrations, and let the migration try again.",
                    vec!["SET SESSION lock_wait_timeout = 5".to_owned()],
                ),
            }),
        );
    }
}
