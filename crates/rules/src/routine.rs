//! What the body of a routine refers to, and whether it says in which schema. Bodies are read as words: what stands in
//! strings is not seen.

use std::collections::BTreeSet;

use dbwright_model::catalog::{Catalog, Extension, Function};
use dbwright_model::expression::{Call, Expr};
use dbwright_model::name::{Name, QualifiedName};

use crate::{Context, search_path};

/// The routines of a catalog and what their bodies can mean.
#[derive(Clone, Copy, Debug)]
pub struct Routines<'a> {
    catalog: &'a Catalog,
    functions: &'a [Function],
    extensions: &'a [Extension],
}

impl<'a> Routines<'a> {
    /// Those that a rule sees. It needs functions and says what extensions are to it.
    pub fn of(context: &Context<'a>) -> Self {
        Routines {
            catalog: context.catalog(),
            functions: context.functions(),
            extensions: context.extensions_if_known().unwrap_or_default(),
        }
    }
}

/// Something a body refers to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    /// The object it means.
    pub object: QualifiedName,
    /// Whether it is a relation rather than a function.
    pub relation: bool,
    /// Whether its schema is written.
    pub qualified: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Sign(char),
}

/// Words that a relation's name follows.
const BEFORE_RELATION: &[&str] = &["from", "into", "join", "only", "update", "using"];

/// Functions of common extensions, for extensions whose functions the catalog does not list.
const EXTENSION_FUNCTIONS: &[(&str, &[&str])] = &[
    ("citext", &["citext"]),
    ("pg_trgm", &["show_trgm", "similarity", "word_similarity"]),
    ("pgcrypto", &["crypt", "digest", "gen_salt", "hmac", "pgp_sym_decrypt", "pgp_sym_encrypt"]),
    ("unaccent", &["unaccent"]),
    ("uuid-ossp", &["uuid_generate_v1", "uuid_generate_v4", "uuid_generate_v5"]),
];

/// The routines of the catalog that a call may mean.
pub fn called<'a>(routines: &Routines<'a>, call: &Call) -> Vec<&'a Function> {
    let schema = call.name.len().checked_sub(2).and_then(|at| call.name.get(at));
    routines
        .functions
        .iter()
        .filter(|function| {
            function.name.name == *call.function()
                && schema.is_none_or(|schema| function.name.schema == *schema)
                && function.extension.is_none()
        })
        .collect()
}

/// The calls in an expression, each once.
pub fn calls(expr: &Expr) -> Vec<&Call> {
    let mut found: Vec<&Call> = Vec::new();
    expr.walk(&mut |expr| {
        if let Expr::Call(call) = expr
            && !found.iter().any(|other| other.name == call.name)
        {
            found.push(call);
        }
    });
    found
}

/// What the body of a routine refers to, in order.
pub fn references(routines: &Routines<'_>, function: &Function) -> BTreeSet<Reference> {
    let mut found = BTreeSet::new();
    if !matches!(function.language.as_str(), "sql" | "plpgsql")
        || search_path::is_bound_at_creation(&function.body)
    {
        return found;
    }
    let tokens = tokens(&function.body);
    let word = |at: usize| match tokens.get(at) {
        Some(Token::Word(word)) => Some(word.as_str()),
        _ => None,
    };
    let sign = |at: usize, sign: char| tokens.get(at) == Some(&Token::Sign(sign));
    // `name AS (` makes a common table.
    let common: BTreeSet<&str> = (0..tokens.len())
        .filter(|at| word(at + 1) == Some("as") && sign(at + 2, '('))
        .filter_map(word)
        .collect();
    for at in 0..tokens.len() {
        let Some(name) = word(at) else { continue };
        if at > 0 && sign(at - 1, '.') {
            continue;
        }
        let (schema, name, end) = match word(at + 2).filter(|_| sign(at + 1, '.')) {
            Some(object) => (Some(name), object, at + 3),
            None => (None, name, at + 1),
        };
        if sign(end, '(') {
            found.extend(function_meant(routines, function, schema, name));
        } else if at > 0 && is_relation_place(&tokens, at) && !(schema.is_none() && common.contains(name)) {
            found.extend(relation_meant(routines, function, schema, name));
        }
    }
    found
}

/// Whether a relation's name may stand here: after `FROM` and its like, or after a comma in such a list.
fn is_relation_place(tokens: &[Token], at: usize) -> bool {
    let mut at = at;
    // `FROM a x, b y`: at most a name, a schema, `AS` and an alias stand between two commas.
    for _ in 0..4 {
        match &tokens[at - 1] {
            Token::Word(word) => return BEFORE_RELATION.contains(&word.as_str()),
            Token::Sign(',') => {
                let mut back = at - 1;
                while back > 0 && is_part_of_name(&tokens[back - 1]) {
                    back -= 1;
                }
                if back == 0 || back == at - 1 {
                    return false;
                }
                at = back;
            }
            Token::Sign(_) => return false,
        }
    }
    false
}

fn is_part_of_name(token: &Token) -> bool {
    match token {
        Token::Word(word) => !BEFORE_RELATION.contains(&word.as_str()),
        Token::Sign(sign) => *sign == '.',
    }
}

fn relation_meant(
    routines: &Routines<'_>,
    function: &Function,
    schema: Option<&str>,
    name: &str,
) -> Option<Reference> {
    let catalog = routines.catalog;
    let names =
        catalog.tables.iter().map(|table| &table.name).chain(catalog.views.iter().map(|view| &view.name));
    let object = meant(names, function, schema, name)?;
    Some(Reference { object, relation: true, qualified: schema.is_some() })
}

fn function_meant(
    routines: &Routines<'_>,
    function: &Function,
    schema: Option<&str>,
    name: &str,
) -> Option<Reference> {
    let listed = meant(routines.functions.iter().map(|function| &function.name), function, schema, name);
    let object = listed.or_else(|| {
        let extension = routines.extensions.iter().find(|extension| {
            EXTENSION_FUNCTIONS
                .iter()
                .any(|(of, functions)| extension.name == **of && functions.contains(&name))
        })?;
        Some(QualifiedName { schema: extension.schema.clone(), name: Name::new(name) })
    })?;
    Some(Reference { object, relation: false, qualified: schema.is_some() })
}

fn meant<'a>(
    names: impl Iterator<Item = &'a QualifiedName>,
    function: &Function,
    schema: Option<&str>,
    name: &str,
) -> Option<QualifiedName> {
    let mut fitting = names.filter(|object| {
        object.name == *name
            && match schema {
                Some(schema) => object.schema == *schema,
                None => object.schema == function.name.schema || object.schema == *"public",
            }
    });
    fitting.next().cloned()
}

/// The first name without schema that a routine, or a routine it calls, refers to, and the routine that does so.
/// `None` when all are safe: a routine with a `search_path` of its own finds its names wherever it is called from.
pub fn unqualified<'a>(routines: &Routines<'a>, function: &'a Function) -> Option<(&'a Function, Reference)> {
    let mut seen: Vec<&Function> = Vec::new();
    let mut pending = vec![function];
    while let Some(function) = pending.pop() {
        if seen.iter().any(|other| std::ptr::eq(*other, function)) || search_path::of(function).is_some() {
            continue;
        }
        seen.push(function);
        for reference in references(routines, function) {
            if !reference.qualified {
                return Some((function, reference));
            }
            if !reference.relation {
                pending.extend(routines.functions.iter().filter(|other| other.name == reference.object));
            }
        }
    }
    None
}

/// The relations that a routine reads, itself or through those it calls.
pub fn relations_read(routines: &Routines<'_>, function: &Function) -> BTreeSet<QualifiedName> {
    let mut found = BTreeSet::new();
    let mut seen: Vec<&Function> = Vec::new();
    let mut pending = vec![function];
    while let Some(function) = pending.pop() {
        if seen.iter().any(|other| std::ptr::eq(*other, function)) {
            continue;
        }
        seen.push(function);
        for reference in references(routines, function) {
            if reference.relation {
                found.insert(reference.object);
            } else {
                pending.extend(routines.functions.iter().filter(|other| other.name == reference.object));
            }
        }
    }
    found
}

/// Words in lower case (quoted ones as they are) and signs; comments and strings left out.
fn tokens(body: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let mut rest = body;
    while let Some(c) = rest.chars().next() {
        if rest.starts_with("--") {
            rest = rest.find('\n').map_or("", |end| &rest[end..]);
        } else if rest.starts_with("/*") {
            rest = rest.find("*/").map_or("", |end| &rest[end + 2..]);
        } else if c == '\'' {
            rest = rest[1..].find('\'').map_or("", |end| &rest[end + 2..]);
            found.push(Token::Sign('\''));
        } else if c == '"' {
            let end = rest[1..].find('"').unwrap_or(rest.len() - 1);
            found.push(Token::Word(rest[1..1 + end].to_owned()));
            rest = rest.get(end + 2..).unwrap_or("");
        } else if c.is_alphanumeric() || c == '_' {
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '$').unwrap_or(rest.len());
            found.push(Token::Word(rest[..end].to_lowercase()));
            rest = &rest[end..];
        } else {
            if !c.is_whitespace() {
                found.push(Token::Sign(c));
            }
            rest = &rest[c.len_utf8()..];
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use dbwright_model::catalog::Table;
    use dbwright_model::engine::Engine;

    use super::*;

    fn check(body: &str, expected: &[&str]) {
        let mut catalog = Catalog::empty(Engine::Postgres);
        for name in ["t", "parent"] {
            catalog.tables.push(Table { name: QualifiedName::new("public", name), ..Table::default() });
        }
        let function = |name: &str, body: &str| Function {
            name: QualifiedName::new("public", name),
            language: Name::new("sql"),
            body: body.to_owned(),
            ..Function::default()
        };
        let functions = [function("scale", "")];
        let routines = Routines { catalog: &catalog, functions: &functions, extensions: &[] };
        let found: Vec<String> = references(&routines, &function("f", body))
            .iter()
            .map(|reference| {
                let way = if reference.qualified { "qualified" } else { "bare" };
                format!("{} {way}", reference.object)
            })
            .collect();
        assert_eq!(found, expected, "{body}");
    }

    #[test]
    fn relations_and_functions_are_found_with_and_without_schema() {
        check("select count(*) from t where a = 1", &["public.t bare"]);
        check("select 1 from public.t x, parent as y", &["public.parent bare", "public.t qualified"]);
        check("select scale(1), public.scale(2)", &["public.scale bare", "public.scale qualified"]);
        check(
            "insert into T values (1); update \"parent\" set a = 1",
            &["public.parent bare", "public.t bare"],
        );
    }

    #[test]
    fn strings_comments_and_other_names_are_not_taken_for_relations() {
        check("select 'from t' -- from t\n /* join t */", &[]);
        check("with t as (select 1) select * from t", &[]);
        check("select t.a, t from other", &[]);
        check("begin return extract(year from a) + t; end", &[]);
        check("begin atomic select 1 from t; end", &[]);
        check("select substring(a, 'x", &[]);
        check("select \"", &[]);
    }
}
