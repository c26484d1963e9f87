use dbwright_model::catalog::Policy;
use dbwright_model::engine::Engine;
use dbwright_model::expression::{Expr, Expression, Literal};
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::truth::{Truth, always};
use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Error,
    dimension: Dimension::Security,
    weight: 8,
    needs: &[Fact::Catalog, Fact::Policies],
    engines: Engines::only(Engine::Postgres, "it has no row security policies"),
    when: "the condition of a permissive policy holds for every row",
    then: "The policy hides nothing, and since permissive policies add up it also undoes the others of its table.",
    instead: "Write the condition that rows must meet, or say `USING (true)` for a named role if all rows are meant.",
    source: "eight tautologies tried on a server; a linter that compares texts finds one of them",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for policy in context.policies() {
        let clauses = [("USING", &policy.using), ("WITH CHECK", &policy.check)];
        for (clause, expression) in clauses {
            let Some(expression) = expression else { continue };
            findings.examined(1);
            let Some(tree) = &expression.tree else {
                findings.unknown(format!("a condition of policy `{}` could not be read", policy.name));
                continue;
            };
            if policy.permissive && holds_always(context, policy, tree) {
                findings.add(found(policy, clause, expression, tree));
                break;
            }
        }
    }
}

fn holds_always(context: &Context<'_>, policy: &Policy, tree: &Expr) -> bool {
    let said_openly = matches!(tree.without_casts(), Expr::Literal(Literal::Bool(true)));
    let for_everyone = policy.roles.iter().any(|role| *role == "public");
    // `USING (true)` is how one says that a role sees all rows, and that everyone may read.
    if said_openly && (!for_everyone || policy.command == *"SELECT") {
        return false;
    }
    let table = context.table(&policy.table);
    let not_null = |name: &dbwright_model::name::Name| {
        table.and_then(|table| table.column(name.as_str())).is_some_and(|column| column.not_null)
    };
    always(tree, &not_null) == Some(Truth::True)
}

fn found(policy: &Policy, clause: &str, expression: &Expression, tree: &Expr) -> Found {
    let open = matches!(tree.without_casts(), Expr::Literal(Literal::Bool(true)));
    let message = if open {
        format!(
            "Policy `{}` of `{}` lets everyone write any row: its condition is `true`.",
            policy.name, policy.table
        )
    } else {
        format!(
            "Policy `{}` of `{}` looks like a condition but holds for every row, so it hides nothing.",
            policy.name, policy.table
        )
    };
    Found::at(ObjectRef::policy(&policy.table, &policy.name), message)
        .level(if open { Level::Warning } else { Level::Error })
        .evidence("clause", clause)
        .evidence("condition", &expression.text)
        .evidence("command", &policy.command)
        .remedy(Remedy::manual(RULE.instead))
}
