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
    weight: 1,
    needs: &[Fact::Settings],
    engines: Engines::only(Engine::Postgres, "it does not tell whether it got them"),
    when: "a server with a large cache asked for huge pages and got none",
    then: "Each connection keeps its own table of small pages for the cache, which takes memory and time.",
    instead: "Reserve huge pages: `vm.nr_hugepages` at least `shared_memory_size_in_huge_pages`.",
    options: &[OptionSpec {
        name: "least",
        default: OptionValue::Number(2_147_483_648.0),
        help: "bytes of `shared_buffers` from which huge pages are worth while; pgtune asks for them from 2 GB",
    }],
    source: "PostgreSQL documentation, Linux huge pages and huge_pages_status; pgtune: `try` from 2 GB of shared buffers",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let settings = context.settings();
    let (Some(wanted), Some(buffers)) = (settings.get("huge_pages"), settings.bytes("shared_buffers")) else {
        findings.unknown("the settings of huge pages could not be read");
        return;
    };
    if !wanted.eq_ignore_ascii_case("try") {
        findings.not_applicable("the server starts with huge pages or does not ask for them");
        return;
    }
    if (buffers as f64) < context.number("least") {
        findings.not_applicable("the cache is too small for huge pages to matter");
        return;
    }
    let got = settings.get("huge_pages_status").unwrap_or("unknown");
    if !matches!(got, "on" | "off") {
        findings.unknown("the server does not tell whether it got huge pages");
        return;
    }
    findings.examined(1);
    if got == "off" {
        findings.add(
            Found::at(
                ObjectRef::setting("huge_pages"),
                format!("`huge_pages` is `try`, and the {} of the cache are in small pages.", size(buffers)),
            )
            .evidence_if("huge pages needed", settings.integer("shared_memory_size_in_huge_pages"))
            .remedy(Remedy::manual(RULE.instead)),
        );
    }
}
