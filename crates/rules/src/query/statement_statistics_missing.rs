use dbwright_model::engine::Dialect;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Monitoring,
    weight: 5,
    needs: &[Fact::Settings],
    wants: &[Fact::Extensions],
    engines: Engines::servers("SQLite runs inside the application, which must measure itself"),
    when: "the server does not keep statistics of its statements",
    then: "Which statements cost the most cannot be known, neither now nor when something has become slow.",
    instead: "Load `pg_stat_statements`, or turn the performance schema on.",
    source: "documentation of both servers",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    match context.engine().dialect() {
        Dialect::Mysql => performance_schema(context, findings),
        _ => pg_stat_statements(context, findings),
    }
}

fn performance_schema(context: &Context<'_>, findings: &mut Findings) {
    let Some(on) = context.settings().flag("performance_schema") else {
        return findings.unknown("the setting `performance_schema` could not be read");
    };
    findings.examined(1);
    if !on {
        findings.add(
            Found::at(
                ObjectRef::setting("performance_schema"),
                "The `performance_schema` is off, so that the server keeps no statistics of its statements.",
            )
            .remedy(Remedy::manual(
                "Set `performance_schema = ON` in the configuration file and restart the server.",
            )),
        );
    }
}

fn pg_stat_statements(context: &Context<'_>, findings: &mut Findings) {
    let Some(libraries) = context.settings().get("shared_preload_libraries") else {
        return findings.unknown("the setting `shared_preload_libraries` could not be read");
    };
    let loaded =
        libraries.split(',').map(|library| library.trim().trim_matches(['"', '\''])).any(|library| {
            let name = library.rsplit('/').next().unwrap_or_default();
            name == "pg_stat_statements" || name == "pg_stat_monitor"
        });
    findings.examined(1);
    if !loaded {
        findings.add(
            Found::at(
                ObjectRef::setting("shared_preload_libraries"),
                "`pg_stat_statements` is not loaded, so that the server keeps no statistics of its statements.",
            )
            .evidence("shared_preload_libraries", libraries)
            .remedy(Remedy::manual(
                "Add `pg_stat_statements` to `shared_preload_libraries`, restart, and run `CREATE EXTENSION pg_stat_statements`.",
            )),
        );
        return;
    }
    let made = context.extensions_if_known().map(|extensions| {
        extensions
            .iter()
            .any(|extension| matches!(extension.name.as_str(), "pg_stat_statements" | "pg_stat_monitor"))
    });
    match made {
        // The statistics are kept for the whole server, and another database may show them.
        Some(false) => findings.add(
            Found::at(
                ObjectRef::setting("shared_preload_libraries"),
                "`pg_stat_statements` is loaded, but its extension is not installed in this database to show the statistics.",
            )
            .level(Level::Note)
            .remedy(Remedy::manual_sql(
                "Install the extension in the database from which the statistics are read.",
                vec!["CREATE EXTENSION pg_stat_statements".to_owned()],
            )),
        ),
        Some(true) => {}
        None => findings.unknown("whether the extension `pg_stat_statements` is installed is not known"),
    }
}
