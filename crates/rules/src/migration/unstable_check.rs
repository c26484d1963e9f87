use dbwright_model::catalog::{Check, Function, Volatility};
use dbwright_model::change::Change;
use dbwright_model::engine::Engine;
use dbwright_model::expression::Expr;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::name::{Name, QualifiedName};
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::lint::{self, Judged};
use crate::{Context, Engines, Findings, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Migrations,
    weight: 4,
    needs: &[Fact::Migrations],
    wants: &[Fact::Functions],
    engines: Engines::only(Engine::Postgres, "the server refuses most such checks there"),
    when: "a check calls a function whose result changes although the row does not",
    then: "Rows that were good become bad: updates of them fail, and a dump cannot be restored.",
    instead: "Check such a condition when the row is written, in a trigger or in the application.",
    remedy: Applicability::Manual,
    source: "PostgreSQL manual, CREATE TABLE, \"CHECK\"; \"Constraints\", \"Check Constraints\"",
    check,
    ..Rule::DEFAULT
};

/// Functions that tell the time: it only ever goes on.
const TIME: &[&str] = &[
    "now",
    "current_timestamp",
    "current_date",
    "current_time",
    "localtime",
    "localtimestamp",
    "transaction_timestamp",
    "statement_timestamp",
    "clock_timestamp",
    "timeofday",
];

/// Functions whose result depends on the session, the server or chance.
const OTHER: &[&str] = &[
    "random",
    "gen_random_uuid",
    "nextval",
    "currval",
    "lastval",
    "current_user",
    "session_user",
    "current_role",
    "current_setting",
    "txid_current",
    "pg_current_xact_id",
    "pg_backend_pid",
];

fn check(context: &Context<'_>, findings: &mut Findings) {
    let blind = own_functions(context).is_none();
    for judged in lint::statements(context) {
        for change in &judged.statement.changes {
            let (table, checks) = match change {
                Change::AddCheck { table, check, .. } => (table, std::slice::from_ref(check)),
                Change::CreateTable { table, .. } => (&table.name, table.checks.as_slice()),
                _ => continue,
            };
            for check in checks {
                let found = unstable(context, &judged, check);
                let unseen = found.is_none() && blind && calls(check);
                findings.not_seen(u64::from(unseen), "checks call functions of which nothing is known");
                findings.examined(u64::from(!unseen));
                let Some(function) = found else { continue };
                let message = format!(
                    "Whether a row of `{table}` fulfils `{}` depends on `{function}`, which changes while the row does not.",
                    check.expression.text
                );
                let object = ObjectRef::constraint(table, check.name.as_ref().map_or("check", Name::as_str));
                findings.add(judged.found(object, message).remedy(Remedy::manual(RULE.instead)));
            }
        }
    }
}

/// The first function of the check that gives another result some other time.
fn unstable(context: &Context<'_>, judged: &Judged<'_>, check: &Check) -> Option<String> {
    let tree = check.expression.tree.as_deref()?;
    let mut found = None;
    for term in tree.conjuncts() {
        let past = lies_in_the_past(term);
        term.walk(&mut |expr| {
            let Expr::Call(call) = expr else { return };
            let name = call.function();
            let built_in = (TIME.contains(&name) && !past) || OTHER.contains(&name);
            if found.is_none() && (built_in || is_declared_unstable(context, judged, &call.name)) {
                found = Some(name.to_owned());
            }
        });
    }
    found
}

/// Whether a check calls anything.
fn calls(check: &Check) -> bool {
    let mut found = false;
    if let Some(tree) = check.expression.tree.as_deref() {
        tree.walk(&mut |expr| found |= matches!(expr, Expr::Call(_)));
    }
    found
}

/// The functions of the database, where they are known.
fn own_functions<'a>(context: &Context<'a>) -> Option<&'a [Function]> {
    let catalog = context.facts_if_known(Fact::Functions).catalog.known()?;
    catalog.functions.known().map(Vec::as_slice)
}

/// `a <= now()` stays true once it was: a moment that has passed has passed for ever.
fn lies_in_the_past(term: &Expr) -> bool {
    let Expr::Binary { op, left, right } = term else { return false };
    let (earlier, later) = match op.as_str() {
        "<" | "<=" => (left, right),
        ">" | ">=" => (right, left),
        _ => return false,
    };
    tells_time(later) && !tells_time(earlier)
}

fn tells_time(expr: &Expr) -> bool {
    let mut found = false;
    expr.walk(&mut |expr| {
        if let Expr::Call(call) = expr {
            found |= TIME.contains(&call.function());
        }
    });
    found
}

/// Whether a function of one's own was declared to be other than immutable, by the catalog or an earlier statement.
fn is_declared_unstable(context: &Context<'_>, judged: &Judged<'_>, name: &[Name]) -> bool {
    let Some(own) = name.last() else { return false };
    let schema = name.len().checked_sub(2).and_then(|i| name.get(i)).cloned().unwrap_or_default();
    let wanted = QualifiedName { schema, name: own.clone() };
    let migrated = lint::changes(judged.earlier()).filter_map(|change| match change {
        Change::CreateFunction { function, .. } => Some(function.as_ref()),
        _ => None,
    });
    let known = own_functions(context).unwrap_or_default();
    let declared: Vec<&Function> =
        migrated.chain(known).filter(|function| function.name.may_be(&wanted)).collect();
    // The last declaration counts, and those of the migrations come after those of the catalog.
    declared.first().is_some_and(|function| function.volatility != Volatility::Immutable)
}
