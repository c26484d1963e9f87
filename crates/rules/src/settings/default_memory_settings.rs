use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::quantity::size;
use crate::rule::{OptionSpec, OptionValue};
use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    dimension: Dimension::Monitoring,
    weight: 2,
    needs: &[Fact::Settings, Fact::Databases],
    engines: Engines::only(Engine::Postgres, "what fits depends on memory that it does not show"),
    when: "`shared_buffers` has its default of 128 MB under databases many times as large",
    then: "The server caches little by itself and reads the rest from the system again and again.",
    instead: "Set `shared_buffers` to about a quarter of the machine's memory.",
    options: &[OptionSpec {
        name: "times",
        default: OptionValue::Number(8.0),
        help: "how many times as large as the cache all databases together may be",
    }],
    source: "PostgreSQL documentation, shared_buffers: 25 per cent of memory; all tuning tools agree on it",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let settings = context.settings();
    let sizes: Vec<u64> = context.databases().iter().filter_map(|database| database.bytes).collect();
    let (Some(buffers), false) = (settings.bytes("shared_buffers"), sizes.is_empty()) else {
        findings.unknown("the size of the cache or of the databases could not be read");
        return;
    };
    findings.examined(1);
    let all: u64 = sizes.iter().sum();
    if buffers > 128 << 20 || (all as f64) < buffers as f64 * context.number("times") {
        return;
    }
    findings.add(
        Found::at(
            ObjectRef::setting("shared_buffers"),
            format!("`shared_buffers` is {} for {} of data.", size(buffers), size(all)),
        )
        .remedy(Remedy::manual(RULE.instead)),
    );
}
