use dbwright_model::catalog::{IndexKey, View};
use dbwright_model::change::Change;
use dbwright_model::engine::Engine;
use dbwright_model::expression::{Call, Expr};
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Confidence, Level, ObjectRef};
use dbwright_model::name::Name;
use dbwright_model::reads;
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::routine::{self, Routines};
use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Error,
    dimension: Dimension::Backup,
    weight: 8,
    needs: &[Fact::Catalog, Fact::Functions],
    reads_views: true,
    raised_by: &[Fact::Extensions],
    engines: Engines::only(Engine::Postgres, "names in a routine do not depend on a search path"),
    when: "an index, check, generated column or materialised view calls a function that names objects without schema",
    then: "A dump is made without complaint and cannot be restored: there the search path is empty.",
    instead: "Set `search_path` in the function, or write the schema before each name.",
    remedy: Applicability::Review,
    source: "measured: dump and listing return 0, the restore fails; since PostgreSQL 17 CREATE INDEX and REFRESH fail too",
    reads_names: true,
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for table in context.own_tables() {
        for index in &table.indexes {
            let expressions = index.parts.iter().filter_map(|part| match &part.key {
                IndexKey::Expression(expression) => Some(expression),
                IndexKey::Column(_) => None,
            });
            for expression in expressions.chain(&index.predicate) {
                let object = ObjectRef::index(&table.name, &index.name);
                let place = format!("index `{}` of `{}`", index.name, table.name);
                judge_tree(context, findings, object, &place, expression.tree.as_deref());
            }
        }
        for check in &table.checks {
            let columns = check.expression.tree.as_deref().map(Expr::columns).unwrap_or_default();
            let object = match &check.name {
                Some(name) => ObjectRef::constraint(&table.name, name.as_str()),
                None => ObjectRef::columns(&table.name, columns),
            };
            let place = format!("a check of `{}`", table.name);
            judge_tree(context, findings, object, &place, check.expression.tree.as_deref());
        }
        for column in &table.columns {
            let Some(generated) = &column.generated else { continue };
            let object = ObjectRef::column(&table.name, &column.name);
            let place = format!("the generated column `{}.{}`", table.name, column.name);
            judge_tree(context, findings, object, &place, generated.expression.tree.as_deref());
        }
    }
    for view in context.catalog().views.iter().filter(|view| view.materialized && view.populated) {
        judge_view(context, findings, view);
    }
}

fn judge_tree(
    context: &Context<'_>,
    findings: &mut Findings,
    object: ObjectRef,
    place: &str,
    tree: Option<&Expr>,
) {
    let Some(tree) = tree else {
        findings.unknown("an expression could not be read");
        return;
    };
    findings.examined(1);
    judge(context, findings, object, place, &routine::calls(tree));
}

fn judge_view(context: &Context<'_>, findings: &mut Findings, view: &View) {
    let Some(query) = &view.query else {
        findings.unknown(format!("the query of view `{}` could not be read", view.name));
        return;
    };
    findings.examined(1);
    let place = format!("the materialised view `{}`", view.name);
    judge(context, findings, ObjectRef::view(&view.name), &place, &reads::calls(query));
}

fn judge(context: &Context<'_>, findings: &mut Findings, object: ObjectRef, place: &str, calls: &[&Call]) {
    let routines = Routines::of(context);
    for function in calls.iter().flat_map(|call| routine::called(&routines, call)) {
        let Some((culprit, reference)) = routine::unqualified(&routines, function) else { continue };
        let path = match culprit.name.schema == reference.object.schema {
            true => reference.object.schema.to_string(),
            false => format!("{}, {}", culprit.name.schema, reference.object.schema),
        };
        findings.add(
            Found::at(
                object,
                format!(
                    "A restore fails at {place}: `{}` says `{}` without a schema.",
                    culprit.name.name, reference.object.name
                ),
            )
            .confidence(Confidence::Medium)
            .cause(format!("{}({})", culprit.name, culprit.arguments))
            .remedy(Remedy::review(
                RULE.instead,
                vec![Change::SetFunctionSetting {
                    name: culprit.name.clone(),
                    arguments: culprit.arguments.clone(),
                    setting: Name::new("search_path"),
                    value: format!("{path}, pg_temp"),
                }],
            )),
        );
        return;
    }
}
