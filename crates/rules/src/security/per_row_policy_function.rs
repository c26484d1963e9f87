use dbwright_model::catalog::{Policy, Volatility};
use dbwright_model::engine::Engine;
use dbwright_model::expression::{Call, Expr};
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
    needs: &[Fact::Catalog, Fact::Policies, Fact::Functions],
    engines: Engines::only(Engine::Postgres, "it has no row security policies"),
    when: "a policy calls a function for each row whose result is the same for all of them",
    then: "The function runs once per row of the table instead of once per statement.",
    instead: "Wrap the call into a scalar subquery: `(select f())`.",
    source: "plans taken on servers: the bare call is a filter per row, the wrapped one an InitPlan",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for policy in context.policies() {
        let trees: Vec<&Expr> =
            [&policy.using, &policy.check].into_iter().flatten().filter_map(|e| e.tree.as_deref()).collect();
        if trees.is_empty() {
            continue;
        }
        findings.examined(1);
        let mut called = Vec::new();
        for tree in trees {
            // Subqueries are not entered: a call inside one runs once.
            tree.walk(&mut |expr| {
                if let Expr::Call(call) = expr
                    && is_steady(context, policy, call)
                    && !called.contains(&call.function())
                {
                    called.push(call.function());
                }
            });
        }
        if let Some(first) = called.first() {
            findings.add(
                Found::at(
                    ObjectRef::policy(&policy.table, &policy.name),
                    format!(
                        "Policy `{}` of `{}` calls `{first}` once per row although its result does not depend on the row.",
                        policy.name, policy.table
                    ),
                )
                .evidence("called bare", called.join(", "))
                .remedy(Remedy::manual(RULE.instead)),
            );
        }
    }
}

/// Whether a call gives one result for the whole statement and costs something each time.
fn is_steady(context: &Context<'_>, policy: &Policy, call: &Call) -> bool {
    let depends_on_row = call.args.iter().any(|argument| !argument.columns().is_empty());
    if depends_on_row || call.window {
        return false;
    }
    if call.function() == "current_setting" {
        return true;
    }
    let mut named = context
        .functions()
        .iter()
        .filter(|function| {
            function.name.name == *call.function()
                && match call.name.len() {
                    0 | 1 => [&policy.table.schema, &"public".into()].contains(&&function.name.schema),
                    n => call.name[n - 2] == function.name.schema,
                }
        })
        .peekable();
    named.peek().is_some() && named.all(|function| function.volatility == Volatility::Stable)
}
