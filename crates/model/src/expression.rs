//! SQL expressions and queries, reduced to what judgement needs.
//!
//! Each dialect's parser is lowered into these types. What has no place here becomes [`Expr::Other`], which keeps the
//! parts that could be read, so that columns inside it are still seen.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::name::{Name, QualifiedName};

/// The text of an expression and, once a dialect has read it, its tree.
///
/// Two expressions are equal when their texts are: the tree is derived and never stored.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Expression {
    /// The text as the server or the file spells it.
    pub text: String,
    /// The tree; `None` when nobody read the text yet or it was not understood. Expressions of one text may share it.
    #[serde(skip)]
    pub tree: Option<Arc<Expr>>,
}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Expression {
    /// An expression whose tree is not read yet.
    pub fn text(text: impl Into<String>) -> Self {
        Expression { text: text.into(), tree: None }
    }

    /// An expression with its tree.
    pub fn parsed(text: impl Into<String>, tree: Expr) -> Self {
        Expression { text: text.into(), tree: Some(Arc::new(tree)) }
    }
}

/// One node of an expression.
#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    /// A column, with what qualified it: a table, an alias, or `NEW` and `OLD` in a trigger.
    Column {
        /// Schema and table or alias in front of the column, outermost first.
        qualifier: Vec<Name>,
        /// The column.
        name: Name,
    },
    /// `*` or `t.*`.
    Wildcard {
        /// What qualified the star.
        qualifier: Vec<Name>,
    },
    /// A constant.
    Literal(Literal),
    /// `$1`, `?`, `:name`.
    Parameter(String),
    /// A function or aggregate call. Keyword functions (`CURRENT_TIMESTAMP`, `COALESCE`, `EXTRACT`) are calls too.
    Call(Box<Call>),
    /// A prefix or postfix operator: `NOT`, `-`, `IS NULL` and its like have variants of their own.
    Unary {
        /// The operator in upper case.
        op: String,
        /// The operand.
        operand: Box<Expr>,
    },
    /// An infix operator, `AND` and `OR` included, in upper case.
    Binary {
        /// The operator in upper case, such as `=`, `<>`, `AND`, `||`, `->>`.
        op: String,
        /// Left operand.
        left: Box<Expr>,
        /// Right operand.
        right: Box<Expr>,
    },
    /// `x IS [NOT] NULL`.
    IsNull {
        /// The operand.
        operand: Box<Expr>,
        /// Whether it is `IS NOT NULL`.
        negated: bool,
    },
    /// `x IS [NOT] TRUE`, `FALSE` or `UNKNOWN`, and `IS [NOT] DISTINCT FROM` as a binary with that operator name.
    IsTruth {
        /// The operand.
        operand: Box<Expr>,
        /// `Some(true)`, `Some(false)`, or `None` for `UNKNOWN`.
        value: Option<bool>,
        /// Whether `NOT` stood in it.
        negated: bool,
    },
    /// `x [NOT] IN (a, b, ...)`; `x = ANY (ARRAY[...])` is lowered to it as well.
    InList {
        /// The tested value.
        operand: Box<Expr>,
        /// The members.
        list: Vec<Expr>,
        /// Whether it is `NOT IN`.
        negated: bool,
    },
    /// `x [NOT] IN (SELECT ...)`, `x = ANY (SELECT ...)`.
    InQuery {
        /// The tested value.
        operand: Box<Expr>,
        /// The subquery.
        query: Box<Query>,
        /// Whether it is `NOT IN`.
        negated: bool,
    },
    /// `[NOT] EXISTS (SELECT ...)`.
    Exists {
        /// The subquery.
        query: Box<Query>,
        /// Whether it is `NOT EXISTS`.
        negated: bool,
    },
    /// A scalar subquery.
    Subquery(Box<Query>),
    /// `x [NOT] BETWEEN low AND high`.
    Between {
        /// The tested value.
        operand: Box<Expr>,
        /// Lower bound.
        low: Box<Expr>,
        /// Upper bound.
        high: Box<Expr>,
        /// Whether it is `NOT BETWEEN`.
        negated: bool,
    },
    /// `LIKE`, `ILIKE`, `GLOB`, `REGEXP`, `SIMILAR TO`, `~`: the operator in upper case.
    Like {
        /// The operator in upper case.
        op: String,
        /// The tested value.
        operand: Box<Expr>,
        /// The pattern.
        pattern: Box<Expr>,
        /// Whether `NOT` stood before the operator.
        negated: bool,
    },
    /// `CASE`.
    Case {
        /// The value after `CASE`, if any.
        operand: Option<Box<Expr>>,
        /// `WHEN` and `THEN` pairs.
        branches: Vec<(Expr, Expr)>,
        /// `ELSE`.
        otherwise: Option<Box<Expr>>,
    },
    /// `CAST(x AS t)` or `x::t`.
    Cast {
        /// The value.
        operand: Box<Expr>,
        /// The target type as written, lower case.
        to: String,
    },
    /// `ROW(...)`, `(a, b)`.
    Row(Vec<Expr>),
    /// `ARRAY[...]`.
    Array(Vec<Expr>),
    /// Something else: its text and the expressions inside it that could be read.
    Other {
        /// The source text.
        text: String,
        /// Parts that could be read.
        parts: Vec<Expr>,
    },
}

/// A constant.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// `NULL`.
    Null,
    /// `TRUE`, `FALSE`.
    Bool(bool),
    /// A number as written.
    Number(String),
    /// A character string, unescaped.
    String(String),
    /// SQLite and MySQL in ANSI mode: a double-quoted word that may be a string or a column.
    DoubleQuoted(String),
    /// A typed or other constant: `INTERVAL '1 day'`, `X'00'`, `DATE '2020-01-01'`.
    Other(String),
}

/// A function call.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Call {
    /// Schema and function name in lower case, outermost first.
    pub name: Vec<Name>,
    /// Arguments; `count(*)` has one [`Expr::Wildcard`].
    pub args: Vec<Expr>,
    /// `DISTINCT` inside the parentheses.
    pub distinct: bool,
    /// `FILTER (WHERE ...)`.
    pub filter: Option<Box<Expr>>,
    /// Whether `OVER` follows.
    pub window: bool,
}

impl Call {
    /// The function's own name, without schema.
    pub fn function(&self) -> &str {
        self.name.last().map_or("", Name::as_str)
    }
}

/// A query: `SELECT`, set operation or `VALUES`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Query {
    /// `WITH` members.
    pub with: Vec<CommonTable>,
    /// The body.
    pub body: QueryBody,
    /// `ORDER BY` of the whole.
    pub order_by: Vec<OrderBy>,
    /// `LIMIT` or `FETCH FIRST`.
    pub limit: Option<Expr>,
    /// `OFFSET`.
    pub offset: Option<Expr>,
    /// `FOR UPDATE` and its like, upper case, if any.
    pub locking: Option<String>,
}

/// A member of `WITH`.
#[derive(Clone, Debug, PartialEq)]
pub struct CommonTable {
    /// Its name.
    pub name: Name,
    /// Whether `RECURSIVE` was said.
    pub recursive: bool,
    /// `MATERIALIZED` (true), `NOT MATERIALIZED` (false) or unsaid.
    pub materialized: Option<bool>,
    /// The query; `None` for a data-changing member.
    pub query: Option<Box<Query>>,
}

/// What a query does.
#[derive(Clone, Debug, PartialEq)]
pub enum QueryBody {
    /// A single `SELECT`.
    Select(Box<Select>),
    /// `UNION`, `INTERSECT`, `EXCEPT`.
    SetOperation {
        /// The operator in upper case.
        op: String,
        /// Whether `ALL` was said.
        all: bool,
        /// Left side.
        left: Box<Query>,
        /// Right side.
        right: Box<Query>,
    },
    /// `VALUES (...)`.
    Values(Vec<Vec<Expr>>),
    /// `TABLE t`, or something that was not understood.
    Other(String),
}

impl Default for QueryBody {
    fn default() -> Self {
        QueryBody::Other(String::new())
    }
}

/// One `SELECT`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Select {
    /// `DISTINCT`; `DISTINCT ON` has its expressions.
    pub distinct: Option<Vec<Expr>>,
    /// The select list.
    pub items: Vec<SelectItem>,
    /// `FROM`: comma-separated items, each with its joins.
    pub from: Vec<FromItem>,
    /// `WHERE`.
    pub filter: Option<Expr>,
    /// `GROUP BY`.
    pub group_by: Vec<Expr>,
    /// `HAVING`.
    pub having: Option<Expr>,
    /// Whether `GROUPING SETS`, `ROLLUP` or `CUBE` is used.
    pub grouping_sets: bool,
}

/// One item of a select list.
#[derive(Clone, Debug, PartialEq)]
pub struct SelectItem {
    /// The value.
    pub expr: Expr,
    /// `AS name`.
    pub alias: Option<Name>,
}

/// One key of `ORDER BY`.
#[derive(Clone, Debug, PartialEq)]
pub struct OrderBy {
    /// The key.
    pub expr: Expr,
    /// `DESC`.
    pub descending: bool,
    /// `NULLS FIRST` (true) or `NULLS LAST` (false), if said.
    pub nulls_first: Option<bool>,
}

/// A source of rows and what is joined to it, left to right.
#[derive(Clone, Debug, PartialEq)]
pub struct FromItem {
    /// The first source.
    pub source: Source,
    /// The joins.
    pub joins: Vec<Join>,
}

/// One join.
#[derive(Clone, Debug, PartialEq)]
pub struct Join {
    /// The kind.
    pub kind: JoinKind,
    /// The joined source.
    pub source: Source,
    /// `ON`.
    pub on: Option<Expr>,
    /// `USING`.
    pub using: Vec<Name>,
    /// `NATURAL`.
    pub natural: bool,
}

/// Kinds of join.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JoinKind {
    /// `JOIN`, `INNER JOIN`, `STRAIGHT_JOIN`.
    Inner,
    /// `LEFT JOIN`.
    Left,
    /// `RIGHT JOIN`.
    Right,
    /// `FULL JOIN`.
    Full,
    /// `CROSS JOIN`.
    Cross,
}

/// A source of rows.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// A table, view or common table.
    Table {
        /// The name as written; the schema is empty when none was written.
        name: QualifiedName,
        /// `AS alias`.
        alias: Option<Name>,
    },
    /// A derived table.
    Query {
        /// The query.
        query: Box<Query>,
        /// `AS alias`.
        alias: Option<Name>,
        /// `LATERAL`.
        lateral: bool,
    },
    /// A function in `FROM`.
    Function {
        /// The call.
        call: Box<Call>,
        /// `AS alias`.
        alias: Option<Name>,
    },
    /// A parenthesised join.
    Nested(Box<FromItem>),
    /// Something else, as text.
    Other(String),
}

/// A data statement in a file of queries or in the workload.
#[derive(Clone, Debug, PartialEq)]
pub enum DataStatement {
    /// `SELECT` and its like.
    Query(Query),
    /// `INSERT`.
    Insert {
        /// The target.
        table: QualifiedName,
        /// Named columns; empty when none were named.
        columns: Vec<Name>,
        /// `VALUES` or `SELECT`; `None` for `DEFAULT VALUES`.
        source: Option<Box<Query>>,
    },
    /// `UPDATE`.
    Update {
        /// The target.
        table: QualifiedName,
        /// Its alias.
        alias: Option<Name>,
        /// Assigned columns and values.
        assignments: Vec<(Name, Expr)>,
        /// `FROM`.
        from: Vec<FromItem>,
        /// `WHERE`.
        filter: Option<Expr>,
    },
    /// `DELETE`.
    Delete {
        /// The target.
        table: QualifiedName,
        /// Its alias.
        alias: Option<Name>,
        /// `USING` or joined tables.
        from: Vec<FromItem>,
        /// `WHERE`.
        filter: Option<Expr>,
    },
}

/// Adds the direct sub-expressions of an expression to a list, to be read or to be changed: the one list of them.
macro_rules! add_children {
    ($expr:expr, $to:expr, $iter:ident, $as_deref:ident) => {
        match $expr {
            Expr::Column { .. }
            | Expr::Wildcard { .. }
            | Expr::Literal(_)
            | Expr::Parameter(_)
            | Expr::Exists { .. }
            | Expr::Subquery(_) => {}
            Expr::Call(call) => {
                $to.extend(call.args.$iter());
                $to.extend(call.filter.$as_deref());
            }
            Expr::Unary { operand, .. }
            | Expr::IsNull { operand, .. }
            | Expr::IsTruth { operand, .. }
            | Expr::InQuery { operand, .. }
            | Expr::Cast { operand, .. } => $to.push(operand),
            Expr::Binary { left, right, .. } => {
                $to.push(left);
                $to.push(right);
            }
            Expr::InList { operand, list, .. } => {
                $to.push(operand);
                $to.extend(list.$iter());
            }
            Expr::Between { operand, low, high, .. } => {
                $to.push(operand);
                $to.push(low);
                $to.push(high);
            }
            Expr::Like { operand, pattern, .. } => {
                $to.push(operand);
                $to.push(pattern);
            }
            Expr::Case { operand, branches, otherwise } => {
                $to.extend(operand.$as_deref());
                for (when, then) in branches.$iter() {
                    $to.push(when);
                    $to.push(then);
                }
                $to.extend(otherwise.$as_deref());
            }
            Expr::Row(parts) | Expr::Array(parts) | Expr::Other { parts, .. } => $to.extend(parts.$iter()),
        }
    };
}

impl Expr {
    /// A column without qualifier.
    pub fn column(name: impl AsRef<str>) -> Expr {
        Expr::Column { qualifier: Vec::new(), name: Name::new(name) }
    }

    /// The direct sub-expressions. Subqueries are not entered.
    pub fn children(&self) -> Vec<&Expr> {
        let mut children = Vec::new();
        self.add_children(&mut children);
        children
    }

    /// Adds the direct sub-expressions to others, so that a walk needs one list only.
    fn add_children<'a>(&'a self, to: &mut Vec<&'a Expr>) {
        add_children!(self, to, iter, as_deref);
    }

    /// Calls `visit` on this expression and everything below it, outermost first. Subqueries are not entered.
    pub fn walk<'a>(&'a self, visit: &mut dyn FnMut(&'a Expr)) {
        let mut pending = vec![self];
        while let Some(expr) = pending.pop() {
            visit(expr);
            let first = pending.len();
            expr.add_children(&mut pending);
            pending[first..].reverse();
        }
    }

    /// The direct sub-expressions, to change. Subqueries are not entered.
    pub fn children_mut(&mut self) -> Vec<&mut Expr> {
        let mut children = Vec::new();
        add_children!(self, children, iter_mut, as_deref_mut);
        children
    }

    /// Calls `change` on this expression and then on everything that is below it after that, outermost first. Subqueries
    /// are not entered.
    pub fn walk_mut(&mut self, change: &mut dyn FnMut(&mut Expr)) {
        let mut pending = vec![self];
        while let Some(expr) = pending.pop() {
            change(expr);
            let mut children = expr.children_mut();
            children.reverse();
            pending.append(&mut children);
        }
    }

    /// The columns named anywhere in the expression, without qualifiers, in order of appearance, each once.
    pub fn columns(&self) -> Vec<&Name> {
        let mut found: Vec<&Name> = Vec::new();
        self.walk(&mut |expr| {
            if let Expr::Column { name, .. } = expr
                && !found.contains(&name)
            {
                found.push(name);
            }
        });
        found
    }

    /// The terms of a conjunction: `a AND b AND c` gives three, anything else gives itself.
    pub fn conjuncts(&self) -> Vec<&Expr> {
        let mut terms = Vec::new();
        let mut pending = vec![self];
        while let Some(expr) = pending.pop() {
            match expr {
                Expr::Binary { op, left, right } if op == "AND" => {
                    pending.push(right);
                    pending.push(left);
                }
                other => terms.push(other),
            }
        }
        terms
    }

    /// The expression below any casts.
    pub fn without_casts(&self) -> &Expr {
        let mut expr = self;
        while let Expr::Cast { operand, .. } = expr {
            expr = operand;
        }
        expr
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_walked_to_be_changed_is_what_is_walked_to_be_read() {
        let column = |name: &str| Expr::column(name);
        let boxed = |name: &str| Box::new(Expr::column(name));
        let call = Call { args: vec![column("c")], filter: Some(boxed("d")), ..Call::default() };
        let mut tree = Expr::Row(vec![
            Expr::Binary { op: "AND".to_owned(), left: boxed("a"), right: boxed("b") },
            Expr::Call(Box::new(call)),
            Expr::Case {
                operand: Some(boxed("e")),
                branches: vec![(column("f"), column("g"))],
                otherwise: Some(boxed("h")),
            },
            Expr::Between { operand: boxed("i"), low: boxed("j"), high: boxed("k"), negated: false },
            Expr::InList { operand: boxed("l"), list: vec![column("m")], negated: false },
            Expr::InQuery { operand: boxed("n"), query: Box::default(), negated: false },
            Expr::Like { op: "LIKE".to_owned(), operand: boxed("o"), pattern: boxed("p"), negated: false },
            Expr::Cast { operand: boxed("q"), to: "text".to_owned() },
        ]);
        let mut read = Vec::new();
        tree.clone().walk(&mut |expr| read.push(expr.clone()));
        let mut changed = Vec::new();
        tree.walk_mut(&mut |expr| {
            changed.push(expr.clone());
            if let Expr::Column { name, .. } = expr {
                *name = Name::new(name.as_str().to_uppercase());
            }
        });
        assert_eq!(changed, read);
        let columns: String = tree.columns().into_iter().map(Name::as_str).collect();
        assert_eq!(columns, "ABCDEFGHIJKLMNOPQ");
    }
}
