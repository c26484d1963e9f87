use dbwright_model::engine::Engine;
use dbwright_model::expression::{Expr, Literal};
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Confidence, Level, ObjectRef};
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::lexicon::secrets;
use crate::{Context, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Security,
    weight: 5,
    needs: &[Fact::Catalog, Fact::Triggers],
    wants: &[Fact::Functions],
    reads_views: true,
    when: "the definition of a routine, trigger, default, view or comment holds a secret",
    then: "Everyone who may read the catalog reads it, and so does every dump, snapshot and copy of the schema.",
    instead: "Take the secret out, keep it outside of the database, and replace it, for it must be taken as known.",
    source: "forms of tokens as their makers publish them; values are judged by what stands before them and by entropy",
    reads_names: true,
    check,
    ..Rule::DEFAULT
};

/// How a text is looked at: code, or words for people.
type Find = fn(&str) -> Option<&'static str>;

fn check(context: &Context<'_>, findings: &mut Findings) {
    let catalog = context.catalog();
    // Definitions that the server keeps to itself.
    let mut hidden = 0u64;
    let mut look = |object: &dyn Fn() -> ObjectRef, place: String, text: &str, find: Find| {
        findings.examined(1);
        if let Some(kind) = find(text) {
            findings.add(
                Found::at(object(), format!("{place} holds what looks like {kind}."))
                    .confidence(Confidence::Medium)
                    .remedy(Remedy::manual(RULE.instead)),
            );
        }
    };
    let functions = context.functions_if_known();
    for function in functions.unwrap_or_default().iter().filter(|function| function.extension.is_none()) {
        if function.body.is_empty() && context.is_doubtful(&function.name) {
            hidden += 1;
            continue;
        }
        let object = || ObjectRef::function(&function.name, &function.arguments);
        look(&object, format!("The body of `{}`", function.name), &function.body, secrets::find);
    }
    for trigger in context.triggers().iter().filter(|trigger| !trigger.body.is_empty()) {
        let object = || ObjectRef::trigger(&trigger.table, &trigger.name);
        look(
            &object,
            format!("Trigger `{}` of `{}`", trigger.name, trigger.table),
            &trigger.body,
            secrets::find,
        );
    }
    for view in catalog.views.iter().filter(|view| view.extension.is_none()) {
        if view.definition.is_empty() && context.is_doubtful(&view.name) {
            hidden += 1;
        } else {
            look(
                &|| ObjectRef::view(&view.name),
                format!("The query of `{}`", view.name),
                &view.definition,
                secrets::find,
            );
        }
        if let Some(comment) = &view.comment {
            look(
                &|| ObjectRef::view(&view.name),
                format!("The comment on `{}`", view.name),
                comment,
                secrets::find_in_prose,
            );
        }
    }
    for table in context.own_tables() {
        if let Some(comment) = &table.comment {
            look(
                &|| ObjectRef::table(&table.name),
                format!("The comment on `{}`", table.name),
                comment,
                secrets::find_in_prose,
            );
        }
        for column in &table.columns {
            let object = || ObjectRef::column(&table.name, &column.name);
            let name = format!("`{}.{}`", table.name, column.name);
            if let Some(comment) = &column.comment {
                look(&object, format!("The comment on {name}"), comment, secrets::find_in_prose);
            }
            let default = column.default.as_ref().and_then(|default| default.tree.as_deref());
            if let Some(Expr::Literal(Literal::String(text))) = default.map(Expr::without_casts) {
                look(&object, format!("The default of {name}"), text, secrets::find_in_prose);
            }
        }
    }
    findings.not_seen(hidden, "definitions could not be read");
    if functions.is_none() && context.engine() != Engine::Sqlite {
        findings.unknown("the bodies of routines could not be read");
    } else if let Some(because) = context.facts_if_known(Fact::Functions).in_part.get(&Fact::Functions) {
        findings.unknown(format!("the bodies of some routines could not be read: {because}"));
    }
}
