//! Whether an expression may give another value each time, as PostgreSQL judges it before it stores a default.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use dbwright_model::catalog::Volatility;
use dbwright_model::engine::Dialect;
use dbwright_model::expression::{Call, Expr};
use dbwright_model::name::{Name, QualifiedName};

use crate::constant::{Constants, Value};
use crate::fold::Folder;

/// The functions of `pg_catalog` by name.
static BUILT_IN: LazyLock<BTreeMap<&'static str, Volatility>> = LazyLock::new(|| {
    let mut functions = BTreeMap::new();
    let mut volatility = Volatility::Volatile;
    for line in include_str!("../functions.txt").lines() {
        match line {
            "[volatile]" => volatility = Volatility::Volatile,
            "[stable]" => volatility = Volatility::Stable,
            "[immutable]" => volatility = Volatility::Immutable,
            comment if comment.starts_with('#') => {}
            names => functions.extend(names.split(' ').map(|name| (name, volatility))),
        }
    }
    functions
});

/// Names that the grammar knows, and that stand for stable or immutable functions.
const KEYWORDS: &[&str] = &[
    "coalesce",
    "nullif",
    "greatest",
    "least",
    "current_date",
    "current_time",
    "current_timestamp",
    "localtime",
    "localtimestamp",
    "current_user",
    "current_role",
    "session_user",
    "user",
    "current_catalog",
    "current_schema",
    "extract",
    "overlay",
    "position",
    "substring",
    "trim",
    "normalize",
    "xmlelement",
    "xmlforest",
    "xmlconcat",
    "array",
    "row",
    "collation for",
    "json_object",
    "json_array",
    "json_scalar",
    "json_serialize",
    "json",
];

/// Functions of which only an overload is volatile that hardly anybody calls: `timezone` of a time of day, before
/// PostgreSQL 14.
const HARDLY_VOLATILE: &[&str] = &["timezone"];

/// Functions of well-known extensions that are volatile.
const OF_EXTENSIONS: &[&str] = &[
    "uuid_generate_v1",
    "uuid_generate_v1mc",
    "uuid_generate_v4",
    "gen_salt",
    "gen_random_bytes",
    "nanoid",
    "ulid",
];

pub(super) fn built_in() -> &'static BTreeMap<&'static str, Volatility> {
    &BUILT_IN
}

/// What is known of an expression's volatility.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Judgement {
    /// One value serves all rows.
    Steady,
    /// Each row needs its own value.
    Volatile,
    /// It calls a function that is not known; a server takes one for volatile unless it was declared otherwise.
    Unknown(Name),
}

/// Judges an expression. User functions are looked up in the catalog.
pub(super) fn judge(before: &Folder, tree: &Expr) -> Judgement {
    let mut judgement = Judgement::Steady;
    let mut pending = vec![tree];
    while let Some(expr) = pending.pop() {
        pending.extend(live_children(expr));
        let Expr::Call(call) = expr else { continue };
        match of_call(before, call) {
            Judgement::Volatile => return Judgement::Volatile,
            Judgement::Unknown(name) if judgement == Judgement::Steady => {
                judgement = Judgement::Unknown(name)
            }
            _ => {}
        }
    }
    judgement
}

/// The parts of an expression that are left when the server has worked out what is constant: nothing of what comes to
/// one value, of `CASE` no branch under `false` and none after `true`, of `COALESCE` nothing after a constant.
fn live_children(expr: &Expr) -> Vec<&Expr> {
    let constants = Constants::new(Dialect::Postgres);
    if constants.value(expr).is_some() {
        return Vec::new();
    }
    match expr {
        Expr::Case { operand, branches, otherwise } => {
            let mut live = Vec::new();
            for (when, then) in branches {
                match constants.chooses(operand.as_deref(), when) {
                    Some(false) => {}
                    Some(true) => {
                        live.push(then);
                        return live;
                    }
                    None => {
                        live.extend(operand.as_deref());
                        live.extend([when, then]);
                    }
                }
            }
            live.extend(otherwise.as_deref());
            live
        }
        Expr::Call(call) if is_coalesce(call) => {
            let constant = |arg: &Expr| constants.value(arg).is_some_and(|value| value != Value::Null);
            let last = call.args.iter().position(constant);
            call.args.iter().take(last.unwrap_or(call.args.len())).collect()
        }
        _ => expr.children(),
    }
}

fn is_coalesce(call: &Call) -> bool {
    call.function() == "coalesce" && call.name.len() == 1
}

fn of_call(before: &Folder, call: &Call) -> Judgement {
    let name = call.function();
    let schema = call.name.len().checked_sub(2).and_then(|i| call.name.get(i));
    let declared = before.functions(schema, name).map(|function| {
        // Since version 12 a function in SQL that is one constant is replaced by it before the judgement.
        let constant = function.language == *"sql" && is_constant_body(&function.body);
        if constant { Volatility::Immutable } else { function.volatility }
    });
    let declared: Vec<Volatility> = declared.collect();
    if !declared.is_empty() {
        let volatile = declared.contains(&Volatility::Volatile);
        return if volatile { Judgement::Volatile } else { Judgement::Steady };
    }
    if schema.is_none_or(|schema| *schema == "pg_catalog") {
        match BUILT_IN.get(name) {
            Some(Volatility::Volatile) if HARDLY_VOLATILE.contains(&name) => return Judgement::Steady,
            Some(Volatility::Volatile) => return Judgement::Volatile,
            Some(_) => return Judgement::Steady,
            None => {}
        }
        if KEYWORDS.contains(&name) {
            return Judgement::Steady;
        }
    }
    if OF_EXTENSIONS.contains(&name) {
        return Judgement::Volatile;
    }
    Judgement::Unknown(Name::new(
        QualifiedName { schema: schema.cloned().unwrap_or_default(), name: Name::new(name) }.to_string(),
    ))
}

/// `SELECT 42`, `SELECT 'a'::text`: the server puts the constant in the place of the call.
fn is_constant_body(body: &str) -> bool {
    let body = body.trim().trim_end_matches(';').trim();
    let Some(value) = body.get(..6).filter(|word| word.eq_ignore_ascii_case("select")).map(|_| &body[6..])
    else {
        return false;
    };
    crate::postgres::expression::expression(value)
        .is_some_and(|tree| matches!(tree.without_casts(), Expr::Literal(_)))
}

#[cfg(test)]
mod tests {
    use dbwright_model::engine::Engine;

    use super::*;

    fn check(functions: &str, expression: &str, expected: Judgement) {
        let mut before = Folder::new(Engine::Postgres);
        for statement in crate::split(Dialect::Postgres, functions) {
            crate::parse_statement(Dialect::Postgres, statement.text)
                .iter()
                .for_each(|change| before.apply(change));
        }
        let tree =
            crate::parse_expression(Dialect::Postgres, expression).expect("the example is an expression");
        assert_eq!(judge(&before, &tree), expected, "{expression}");
    }

    #[test]
    fn a_default_is_judged_by_what_it_calls_not_by_looking_like_a_call() {
        for steady in [
            "1",
            "-1",
            "(1)",
            "'a'::text",
            "now()",
            "current_date",
            "localtimestamp",
            "upper('a')",
            "ARRAY[1, 2]",
            "now() + interval '1 day'",
            "pg_catalog.now()",
            "date_trunc('day', now())",
            "CASE WHEN false THEN random() ELSE 1 END",
            "CASE WHEN true THEN 1 ELSE random() END",
            "CASE WHEN null THEN random() ELSE 1 END",
            "CASE WHEN 1 <> 1 THEN random() ELSE 1 END",
            "CASE WHEN NOT false AND 2 > 1 THEN 1 ELSE random() END",
            "CASE WHEN true OR random() < 0.5 THEN 1 ELSE random() END",
            "CASE WHEN 1 IN (1, 2) THEN 1 ELSE random() END",
            "CASE WHEN '1'::int = 1 THEN 1 ELSE random() END",
            "CASE 1 WHEN 1 THEN 1 ELSE random() END",
            "CASE 2 WHEN 1 THEN random() ELSE 1 END",
            "CASE WHEN true THEN now() ELSE clock_timestamp() END",
            "COALESCE(1, random())",
            "COALESCE(null, 1::float8, random())",
            "COALESCE('2000-01-01'::timestamptz, clock_timestamp())",
            "COALESCE(CASE WHEN true THEN 1 ELSE 2 END, random())",
            "(false AND random() < 0.5)::int",
        ] {
            check("", steady, Judgement::Steady);
        }
        for volatile in [
            "random()",
            "clock_timestamp()",
            "gen_random_uuid()",
            "nextval('s')",
            "ARRAY[random()]",
            "md5(random()::text)",
            "CASE WHEN random() < 0.5 THEN 1 ELSE 2 END",
            "CASE WHEN random() < 0.5 THEN 1 WHEN true THEN 2 ELSE 3 END",
            "CASE WHEN true THEN random() ELSE 1 END",
            "CASE WHEN now() > '2000-01-01' THEN 1 ELSE random() END",
            "CASE WHEN now() IS NULL THEN random() ELSE 1 END",
            "CASE random() WHEN 1 THEN 1 ELSE 2 END",
            "CASE 1 WHEN random() THEN 1 ELSE 2 END",
            "COALESCE(random(), 1)",
            "COALESCE(null, random())",
            "COALESCE(now(), clock_timestamp())",
            "COALESCE(current_date::timestamptz, clock_timestamp())",
            "NULLIF(1, random())",
            "GREATEST(1, random())",
            "(true AND random() < 0.5)::int",
            "(null OR random() < 0.5)::int",
            "uuid_generate_v4()",
        ] {
            check("", volatile, Judgement::Volatile);
        }
        check("", "app.f()", Judgement::Unknown(Name::new("app.f")));
    }

    #[test]
    fn user_functions_are_what_they_were_declared_to_be() {
        let declared = |volatility: &str| {
            format!(
                "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql {volatility} AS $$ BEGIN RETURN 1; END $$;"
            )
        };
        check(&declared(""), "f()", Judgement::Volatile);
        check(&declared("STABLE"), "f()", Judgement::Steady);
        check(&declared("IMMUTABLE"), "f()", Judgement::Steady);
        check("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 42';", "f()", Judgement::Steady);
        check(
            "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT n FROM t';",
            "f()",
            Judgement::Volatile,
        );
    }
}
