use dbwright_model::catalog::Function;
use dbwright_model::change::Change;
use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::name::Name;
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::search_path;
use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Security,
    weight: 6,
    needs: &[Fact::Catalog, Fact::Functions],
    engines: Engines::only(Engine::Postgres, "names in a routine do not depend on the caller's session"),
    when: "a `SECURITY DEFINER` function does not pin a `search_path` in which `pg_temp` comes last",
    then: "Callers choose which tables and functions its unqualified names mean, and it runs them with its owner's rights.",
    instead: "Add `SET search_path = pg_catalog, your_schema, pg_temp` to the function.",
    remedy: Applicability::Review,
    source: "PostgreSQL documentation, CREATE FUNCTION: writing SECURITY DEFINER functions safely",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for function in context.functions() {
        if !function.security_definer
            || function.extension.is_some()
            || matches!(function.language.as_str(), "c" | "internal")
            || search_path::is_bound_at_creation(&function.body)
        {
            continue;
        }
        findings.examined(1);
        let (level, message) = match search_path::of(function) {
            None => (
                Level::Warning,
                format!(
                    "`{}` runs with its owner's rights over whatever `search_path` its caller has set.",
                    function.name
                ),
            ),
            Some(path) if path.iter().any(|schema| schema == "$user") => (
                Level::Warning,
                format!(
                    "`{}` runs with its owner's rights over a `search_path` with `$user` in it, which its caller may own.",
                    function.name
                ),
            ),
            // Without `pg_temp` temporary tables come before everything. With nothing else on the path the body
            // qualifies its names anyway.
            Some(path) if path.iter().all(|schema| schema == "pg_catalog") => continue,
            Some(path) if path.last().is_some_and(|schema| schema == "pg_temp") => continue,
            Some(_) => (
                Level::Note,
                format!(
                    "`{}` runs with its owner's rights and looks into its caller's temporary tables first.",
                    function.name
                ),
            ),
        };
        findings.add(
            Found::at(ObjectRef::function(&function.name, &function.arguments), message)
                .level(level)
                .evidence(
                    "search_path",
                    search_path::of(function).map_or("not set".to_owned(), |p| p.join(", ")),
                )
                .remedy(Remedy::review(RULE.instead, vec![pin(function)])),
        );
    }
}

fn pin(function: &Function) -> Change {
    let schema = function.name.schema.as_str();
    let mut path: Vec<String> = search_path::of(function).unwrap_or_else(|| {
        let mut path = vec!["pg_catalog".to_owned()];
        path.extend((!schema.is_empty()).then(|| schema.to_owned()));
        path
    });
    path.retain(|schema| schema != "pg_temp" && schema != "$user");
    path.push("pg_temp".to_owned());
    Change::SetFunctionSetting {
        name: function.name.clone(),
        arguments: function.arguments.clone(),
        setting: Name::new("search_path"),
        value: path.join(", "),
    }
}
