use dbwright_model::engine::Dialect;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::{Context, Engines, Findings, Found, OptionSpec, OptionValue, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    dimension: Dimension::Monitoring,
    weight: 2,
    needs: &[Fact::Workload],
    engines: Engines::servers("SQLite keeps no statement statistics"),
    when: "the statement statistics had to drop statements for lack of room",
    then: "The numbers lack statements, and a list of the costliest ones may lack the costliest.",
    instead: "Raise the number of statements that are kept, and send statements with parameters in place of constants.",
    options: &[OptionSpec {
        name: "dropped",
        default: OptionValue::Number(10.0),
        help: "drops since the last reset that are tolerated",
    }],
    source: "pg_stat_statements_info.dealloc; Performance_schema_digest_lost",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let workload = context.workload();
    let Some(evicted) = workload.evicted else {
        return findings.unknown("the server does not say whether statements were dropped");
    };
    findings.examined(1);
    if (evicted as f64) <= context.number("dropped") {
        return;
    }
    let setting = match context.engine().dialect() {
        Dialect::Mysql => "performance_schema_digests_size",
        _ => "pg_stat_statements.max",
    };
    findings.add(
        Found::at(
            ObjectRef::setting(setting),
            format!("The statement statistics were full {evicted} times, so that their numbers lack statements: `{setting}`."),
        )
        .evidence("statements kept", workload.statements.len())
        .remedy(Remedy::manual(RULE.instead)),
    );
}
