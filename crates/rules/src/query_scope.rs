//! Statements cut into blocks, one per `SELECT`, `UPDATE` or `DELETE`, with the sources that its names can mean.
//!
//! A column is resolved only when exactly one table of the catalog can own it; everything else stays unknown, and rules
//! say nothing about it.

use std::collections::HashMap;

use dbwright_model::catalog::{Catalog, Column, Table};
use dbwright_model::engine::Dialect;
use dbwright_model::expression::{
    DataStatement, Expr, FromItem, JoinKind, Literal, Query, QueryBody, Select, Source,
};
use dbwright_model::name::{Name, QualifiedName};

use crate::Context;

/// The tables of the catalog by the names that statements use for them.
#[derive(Debug)]
pub struct Names<'a> {
    by_name: HashMap<String, Vec<&'a Table>>,
    dialect: Dialect,
    database: &'a Name,
}

impl<'a> Names<'a> {
    /// The names of the catalog that a rule sees.
    pub fn new(context: &Context<'a>) -> Self {
        Names::of(context.catalog(), context.engine().dialect(), &context.source().database)
    }

    /// The names of a catalog, which is that of the database so named.
    pub fn of(catalog: &'a Catalog, dialect: Dialect, database: &'a Name) -> Self {
        let mut by_name: HashMap<String, Vec<&Table>> = HashMap::new();
        for table in &catalog.tables {
            by_name.entry(folded(dialect, &table.name.name)).or_default().push(table);
        }
        Names { by_name, dialect, database }
    }

    /// The table that a name in a statement means, if only one can be meant.
    pub fn table(&self, name: &QualifiedName) -> Option<&'a Table> {
        let candidates = self.by_name.get(&folded(self.dialect, &name.name))?;
        let in_schema = |schema: &str| {
            let mut found = candidates.iter().copied().filter(|table| table.name.schema == *schema);
            found.next().filter(|_| found.next().is_none())
        };
        if name.schema.is_empty() {
            return match candidates.as_slice() {
                [one] => Some(one),
                // A role's search path is not known; that it begins with `public` is the default.
                _ => in_schema("public").filter(|_| self.dialect == Dialect::Postgres),
            };
        }
        let own = self.dialect != Dialect::Postgres
            && (name.schema == *self.database || name.schema.eq_ignore_case("main"));
        in_schema(if own { "" } else { name.schema.as_str() })
    }

    /// Whether two names are the same word.
    pub fn same(&self, a: &Name, b: &Name) -> bool {
        match self.dialect {
            Dialect::Postgres => a == b,
            _ => a.eq_ignore_case(b.as_str()),
        }
    }

    fn column(&self, table: &'a Table, name: &Name) -> Option<&'a Column> {
        table.columns.iter().find(|column| self.same(&column.name, name))
    }
}

fn folded(dialect: Dialect, name: &Name) -> String {
    match dialect {
        Dialect::Postgres => name.as_str().to_owned(),
        _ => name.as_str().to_ascii_lowercase(),
    }
}

/// Where a block stands in its statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The statement itself.
    Top,
    /// One side of a set operation.
    Branch,
    /// A member of `WITH`.
    Common,
    /// A subquery in `FROM`.
    Derived,
    /// Below `EXISTS`.
    Exists,
    /// Below `IN`.
    In,
    /// A scalar subquery.
    Scalar,
    /// The rows of an `INSERT`.
    Inserted,
    /// An `UPDATE` or `DELETE`.
    Changed,
}

/// What a source of rows is.
#[derive(Clone, Copy, Debug)]
pub enum Origin<'a> {
    /// A table of the catalog.
    Table(&'a Table),
    /// A derived table or common table.
    Query(&'a Query),
    /// A view, a function, or something that is not known.
    Unknown,
}

/// A source of rows in scope.
#[derive(Clone, Debug)]
pub struct Bound<'a> {
    /// Its alias, or the table's own name.
    pub name: Option<&'a Name>,
    /// What it is.
    pub origin: Origin<'a>,
    /// Whether an outer join can make all its columns null.
    pub null_extended: bool,
}

impl<'a> Bound<'a> {
    /// The table it is.
    pub fn table(&self) -> Option<&'a Table> {
        match self.origin {
            Origin::Table(table) => Some(table),
            _ => None,
        }
    }
}

/// A column that is known for sure.
#[derive(Clone, Copy, Debug)]
pub struct Resolved<'a> {
    /// Its table.
    pub table: &'a Table,
    /// The column.
    pub column: &'a Column,
    /// Which source of which level it comes from.
    pub source: (usize, usize),
    /// Whether an outer join can make it null.
    pub null_extended: bool,
}

impl Resolved<'_> {
    /// Whether the column can be null where it is read.
    pub fn can_be_null(&self) -> bool {
        self.null_extended || !self.column.not_null
    }
}

/// One `SELECT`, `UPDATE` or `DELETE`.
#[derive(Debug)]
pub struct Block<'a> {
    /// The query whose body it is; `None` for `UPDATE` and `DELETE`.
    pub query: Option<&'a Query>,
    /// The select; `None` for `UPDATE` and `DELETE`.
    pub select: Option<&'a Select>,
    /// `FROM`.
    pub from: &'a [FromItem],
    /// `WHERE`.
    pub filter: Option<&'a Expr>,
    /// Where it stands.
    pub role: Role,
    /// Sources by level, the block's own last.
    pub levels: Vec<Vec<Bound<'a>>>,
}

impl<'a> Block<'a> {
    /// The block's own sources.
    pub fn sources(&self) -> &[Bound<'a>] {
        self.levels.last().map(Vec::as_slice).unwrap_or_default()
    }

    /// The column that an expression is, when only one can be meant.
    pub fn resolve(&self, names: &Names<'a>, expr: &Expr) -> Option<Resolved<'a>> {
        let Expr::Column { qualifier, name } = expr else { return None };
        for (depth, level) in self.levels.iter().enumerate().rev() {
            let mut owner = None;
            let mut opaque = false;
            for (at, bound) in level.iter().enumerate() {
                if let Some(wanted) = qualifier.last()
                    && !bound.name.is_some_and(|own| names.same(own, wanted))
                {
                    continue;
                }
                let Origin::Table(table) = bound.origin else {
                    opaque = true;
                    continue;
                };
                if let Some(column) = names.column(table, name) {
                    if owner.is_some() {
                        return None;
                    }
                    owner = Some(Resolved {
                        table,
                        column,
                        source: (depth, at),
                        null_extended: bound.null_extended,
                    });
                } else if !qualifier.is_empty() {
                    return None;
                }
            }
            if owner.is_some() || opaque {
                // In a valid statement no other source of the level has a column of that name.
                return owner.filter(|_| qualifier.is_empty() || !opaque);
            }
        }
        None
    }

    /// The terms that every row of the block fulfils: those of `WHERE` and of inner joins.
    pub fn conditions(&self) -> Vec<&'a Expr> {
        let mut terms = self.filter.map(Expr::conjuncts).unwrap_or_default();
        for item in self.from {
            add_conditions(item, &mut terms);
        }
        terms
    }

    /// The conditions of all joins, outer ones included.
    pub fn join_conditions(&self) -> Vec<&'a Expr> {
        let mut found = Vec::new();
        for item in self.from {
            add_joins(item, &mut found);
        }
        found
    }

    /// Every expression in which rows are tested: `WHERE`, `ON` and `HAVING`.
    pub fn tests(&self) -> Vec<&'a Expr> {
        let mut found = self.join_conditions();
        found.extend(self.filter);
        found.extend(self.select.and_then(|select| select.having.as_ref()));
        found
    }
}

fn add_conditions<'a>(item: &'a FromItem, terms: &mut Vec<&'a Expr>) {
    if let Source::Nested(inner) = &item.source {
        add_conditions(inner, terms);
    }
    // After an outer join the conditions before it no longer bind every row.
    let inner = |kind| matches!(kind, JoinKind::Inner | JoinKind::Cross);
    if item.joins.iter().all(|join| inner(join.kind)) {
        terms.extend(item.joins.iter().filter_map(|join| join.on.as_ref()).flat_map(Expr::conjuncts));
    }
}

fn add_joins<'a>(item: &'a FromItem, found: &mut Vec<&'a Expr>) {
    if let Source::Nested(inner) = &item.source {
        add_joins(inner, found);
    }
    for join in &item.joins {
        if let Source::Nested(inner) = &join.source {
            add_joins(inner, found);
        }
        found.extend(join.on.as_ref());
    }
}

/// The blocks of a statement, outer ones before those inside them.
pub fn blocks<'a>(names: &Names<'a>, statement: &'a DataStatement) -> Vec<Block<'a>> {
    let mut reader = Reader { names, blocks: Vec::new() };
    let nothing = Vec::new();
    match statement {
        DataStatement::Query(query) => reader.query(query, Role::Top, &nothing, &Vec::new()),
        DataStatement::Insert { source, .. } => {
            if let Some(query) = source {
                reader.query(query, Role::Inserted, &nothing, &Vec::new());
            }
        }
        DataStatement::Update { table, alias, assignments, from, filter } => {
            let inside = assignments.iter().map(|(_, value)| value).collect();
            reader.change(table, alias.as_ref(), from, filter.as_ref(), inside);
        }
        DataStatement::Delete { table, alias, from, filter } => {
            reader.change(table, alias.as_ref(), from, filter.as_ref(), Vec::new());
        }
    }
    reader.blocks
}

type Levels<'a> = Vec<Vec<Bound<'a>>>;
type Commons<'a> = Vec<(&'a Name, Option<&'a Query>)>;

struct Reader<'n, 'a> {
    names: &'n Names<'a>,
    blocks: Vec<Block<'a>>,
}

impl<'a> Reader<'_, 'a> {
    fn query(&mut self, query: &'a Query, role: Role, outer: &Levels<'a>, commons: &Commons<'a>) {
        let mut commons = commons.clone();
        for member in &query.with {
            if let Some(inner) = &member.query {
                let mut visible = commons.clone();
                if member.recursive {
                    visible.push((&member.name, None));
                }
                self.query(inner, Role::Common, outer, &visible);
            }
            let known = member.query.as_deref().filter(|_| !member.recursive);
            commons.push((&member.name, known));
        }
        match &query.body {
            QueryBody::Select(select) => self.select(query, select, role, outer, &commons),
            QueryBody::SetOperation { left, right, .. } => {
                self.query(left, Role::Branch, outer, &commons);
                self.query(right, Role::Branch, outer, &commons);
            }
            QueryBody::Values(rows) => {
                rows.iter().flatten().for_each(|value| self.inside(value, outer, &commons));
            }
            QueryBody::Other(_) => {}
        }
    }

    fn select(
        &mut self,
        query: &'a Query,
        select: &'a Select,
        role: Role,
        outer: &Levels<'a>,
        commons: &Commons<'a>,
    ) {
        let mut level = Vec::new();
        let at = self.blocks.len();
        for item in &select.from {
            self.bind(item, &mut level, outer, commons);
        }
        let mut levels = outer.clone();
        levels.push(level);
        let block = Block {
            query: Some(query),
            select: Some(select),
            from: &select.from,
            filter: select.filter.as_ref(),
            role,
            levels: levels.clone(),
        };
        let mut expressions = block.tests();
        expressions.extend(select.items.iter().map(|item| &item.expr));
        expressions.extend(&select.group_by);
        expressions.extend(query.order_by.iter().map(|key| &key.expr));
        self.blocks.insert(at, block);
        expressions.into_iter().for_each(|expression| self.inside(expression, &levels, commons));
    }

    fn change(
        &mut self,
        table: &'a QualifiedName,
        alias: Option<&'a Name>,
        from: &'a [FromItem],
        filter: Option<&'a Expr>,
        mut inside: Vec<&'a Expr>,
    ) {
        let mut level = Vec::new();
        let at = self.blocks.len();
        for item in from {
            self.bind(item, &mut level, &Vec::new(), &Vec::new());
        }
        let name = alias.unwrap_or(&table.name);
        // MySQL names the target among the joined tables as well.
        if !level.iter().any(|bound| bound.name.is_some_and(|own| self.names.same(own, name))) {
            let origin = self.names.table(table).map_or(Origin::Unknown, Origin::Table);
            level.insert(0, Bound { name: Some(name), origin, null_extended: false });
        }
        let levels = vec![level];
        let block =
            Block { query: None, select: None, from, filter, role: Role::Changed, levels: levels.clone() };
        inside.extend(block.tests());
        self.blocks.insert(at, block);
        inside.into_iter().for_each(|expression| self.inside(expression, &levels, &Vec::new()));
    }

    /// Reads the subqueries of an expression.
    fn inside(&mut self, expression: &'a Expr, levels: &Levels<'a>, commons: &Commons<'a>) {
        let mut found = Vec::new();
        expression.walk(&mut |expr| match expr {
            Expr::InQuery { query, .. } => found.push((query.as_ref(), Role::In)),
            Expr::Exists { query, .. } => found.push((query.as_ref(), Role::Exists)),
            Expr::Subquery(query) => found.push((query.as_ref(), Role::Scalar)),
            _ => {}
        });
        for (query, role) in found {
            self.query(query, role, levels, commons);
        }
    }

    /// Puts the sources of an item of `FROM` into a level.
    fn bind(
        &mut self,
        item: &'a FromItem,
        level: &mut Vec<Bound<'a>>,
        outer: &Levels<'a>,
        commons: &Commons<'a>,
    ) {
        let first = level.len();
        self.bind_source(&item.source, level, outer, commons);
        for join in &item.joins {
            let right = level.len();
            self.bind_source(&join.source, level, outer, commons);
            let extended = match join.kind {
                JoinKind::Left => right..level.len(),
                JoinKind::Right => first..right,
                JoinKind::Full => first..level.len(),
                JoinKind::Inner | JoinKind::Cross => 0..0,
            };
            level[extended].iter_mut().for_each(|bound| bound.null_extended = true);
        }
    }

    fn bind_source(
        &mut self,
        source: &'a Source,
        level: &mut Vec<Bound<'a>>,
        outer: &Levels<'a>,
        commons: &Commons<'a>,
    ) {
        let (name, origin) = match source {
            Source::Table { name, alias } => {
                let common = commons
                    .iter()
                    .rev()
                    .find(|(common, _)| name.schema.is_empty() && self.names.same(common, &name.name));
                let origin = match common {
                    Some((_, Some(query))) => Origin::Query(query),
                    Some((_, None)) => Origin::Unknown,
                    None => self.names.table(name).map_or(Origin::Unknown, Origin::Table),
                };
                (Some(alias.as_ref().unwrap_or(&name.name)), origin)
            }
            Source::Query { query, alias, lateral } => {
                let mut visible = outer.clone();
                if *lateral {
                    visible.push(level.clone());
                }
                self.query(query, Role::Derived, &visible, commons);
                (alias.as_ref(), Origin::Query(query))
            }
            Source::Function { alias, .. } => (alias.as_ref(), Origin::Unknown),
            Source::Other(_) => (None, Origin::Unknown),
            Source::Nested(inner) => return self.bind(inner, level, outer, commons),
        };
        level.push(Bound { name, origin, null_extended: false });
    }
}

/// Whether an expression is the same for every row: a constant, a parameter, or made of nothing else.
pub fn is_constant(expr: &Expr) -> bool {
    match expr {
        // A double-quoted word may be a column.
        Expr::Literal(literal) => !matches!(literal, Literal::DoubleQuoted(_)),
        Expr::Parameter(_) => true,
        Expr::Cast { operand, .. } | Expr::Unary { operand, .. } => is_constant(operand),
        Expr::Call(call) => !call.window && call.args.iter().all(is_constant),
        Expr::Binary { left, right, .. } => is_constant(left) && is_constant(right),
        _ => false,
    }
}
