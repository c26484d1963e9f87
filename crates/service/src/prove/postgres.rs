//! The trial of a plan on a scratch server of PostgreSQL.

use std::collections::BTreeSet;

use dbwright_engine::postgres::observe::{Observation, ObservedError, Observer};
use dbwright_engine::scratch::ScratchError;
use dbwright_engine::scratch::postgres::PostgresServer;
use dbwright_engine::session::{Limits, ReadSession, Silent};
use dbwright_model::catalog::{Catalog, Table, TableKind};
use dbwright_model::change::Change;
use dbwright_model::effect::{Lock, RelationEffect};
use dbwright_model::engine::{Dialect, Engine};
use dbwright_model::facts::Fact;
use dbwright_model::name::QualifiedName;
use dbwright_model::plan::{Plan, Step, TransactionMode};
use dbwright_sql::script::write::{statements, update};

use super::{Outcome, Proof, difference, rows, views};

mod back;
mod rights;
mod writes;

/// What two databases are compared by.
const FACTS: [Fact; 6] =
    [Fact::Catalog, Fact::Functions, Fact::Triggers, Fact::Policies, Fact::Extensions, Fact::Publications];

/// A trial that ended before it could tell.
enum Stop {
    Scratch(ScratchError),
    Outcome(Outcome),
}

impl From<ScratchError> for Stop {
    fn from(error: ScratchError) -> Self {
        Stop::Scratch(error)
    }
}

fn failed(sentence: String) -> Stop {
    Stop::Outcome(Outcome::Failed(vec![sentence]))
}

/// A plan and the databases that it is tried in.
struct Trial<'a> {
    server: &'a PostgresServer,
    /// What the names of the databases begin with.
    tag: &'a str,
    before: &'a Catalog,
    changes: &'a [Change],
    plan: &'a Plan,
    proof: Proof,
}

/// Tries a plan in databases whose names begin with `tag` and that are gone afterwards. `changes` are what the plan is for.
pub async fn prove(
    server: &PostgresServer,
    tag: &str,
    before: &Catalog,
    changes: &[Change],
    plan: &Plan,
) -> Result<Proof, ScratchError> {
    let proof = Proof { server: format!("{} {}", Engine::Postgres, server.version()), ..Proof::default() };
    let mut trial = Trial { server, tag, before, changes, plan, proof };
    let outcome = trial.run().await;
    for part in ["schema", "rows", "naive", "plan", "start", "end"] {
        server.drop_database(&trial.database(part)).await?;
    }
    let mut proof = trial.proof;
    proof.outcome = match outcome {
        Ok(()) => Outcome::Proven,
        Err(Stop::Outcome(outcome)) => outcome,
        Err(Stop::Scratch(error)) => return Err(error),
    };
    Ok(proof)
}

impl Trial<'_> {
    fn database(&self, part: &str) -> String {
        format!("{}_{part}", self.tag)
    }

    async fn copy(&self, from: &str, to: &str) -> Result<String, ScratchError> {
        let (from, to) = (self.database(from), self.database(to));
        self.server.drop_database(&to).await?;
        self.server.copy_database(&from, &to).await?;
        Ok(to)
    }

    async fn run(&mut self) -> Result<(), Stop> {
        self.make_schema().await?;
        self.make_rows_and_change().await?;
        let started = self.catalog("rows").await?;
        self.run_plan().await?;
        self.compare_ends().await?;
        self.lead_back(&started).await
    }

    /// An empty twin of the database.
    async fn make_schema(&mut self) -> Result<(), Stop> {
        let database = self.database("schema");
        self.server.drop_database(&database).await?;
        self.server.create_database(&database).await?;
        let mut session = Observer::open(self.server, &database).await?;
        // Bodies may speak of what is made later.
        let _ = session.script("set check_function_bodies = off; set client_min_messages = warning").await;
        let (mut texts, version) = (Vec::new(), Some(self.server.version()));
        for role in roles(self.before) {
            texts.push(format!("CREATE ROLE {}", dbwright_sql::quote_identifier(Dialect::Postgres, &role)));
        }
        for change in dbwright_sql::build::postgres(self.before) {
            match dbwright_sql::write(Engine::Postgres, version, &change) {
                Some(written) => texts.extend(written.into_iter().map(|written| written.sql)),
                None => {
                    self.proof.gaps.push(format!("The change `{}` could not be written.", change.words()))
                }
            }
        }
        for (sql, error) in in_rounds(&mut session, texts).await {
            if !sql.starts_with("CREATE ROLE") {
                self.proof.gaps.push(format!("`{}` was refused: {}.", clip(&sql), error.message));
            }
        }
        drop(session);
        let made = self.catalog("schema").await?;
        self.grant(&made).await?;
        for name in self.concerned() {
            if let Some(table) = self.before.table(&name)
                && let Some(lack) = lack(table, made.table(&name))
            {
                let because = format!("the scratch server could not be given a table like `{name}`: {lack}");
                return Err(Stop::Outcome(Outcome::NotTried(because)));
            }
        }
        Ok(())
    }

    /// Tables that the plan does something to.
    fn concerned(&self) -> BTreeSet<QualifiedName> {
        let effects = self.plan.steps.iter().flat_map(|step| &step.expected.relations);
        effects.map(|effect| effect.relation.clone()).collect()
    }

    /// Rows, and the change by itself on them: with nulls where they are allowed, or else without, or else none.
    async fn make_rows_and_change(&mut self) -> Result<(), Stop> {
        let mut refusal = String::new();
        for nulls in [Some(true), Some(false), None] {
            let database = self.copy("schema", "rows").await?;
            let mut empty = Vec::new();
            if let Some(nulls) = nulls {
                let mut session = Observer::open(self.server, &database).await?;
                let _ = session.script("set client_min_messages = warning").await;
                let filled = rows::of(Dialect::Postgres, &rows::to_attach(self.before, self.changes), nulls);
                in_rounds(&mut session, filled.iter().flat_map(|filled| filled.inserts.clone()).collect())
                    .await;
                for filled in &filled {
                    let sql = format!("select from {} limit 1", quoted(&filled.table));
                    if session.count(&sql).await.is_ok_and(|count| count == 0) {
                        empty.push(filled.table.clone());
                    }
                }
                let views = self.before.views.iter().filter(|view| view.materialized && view.populated);
                for view in views {
                    let _ =
                        session.script(&format!("REFRESH MATERIALIZED VIEW {}", quoted(&view.name))).await;
                }
            }
            let database = self.copy("rows", "naive").await?;
            match self.change(&database).await? {
                Ok(()) => {
                    let concerned = self.concerned();
                    empty.retain(|name| concerned.contains(name));
                    match (nulls, empty.as_slice()) {
                        (None, _) => self
                            .proof
                            .gaps
                            .push("No rows were found that the change succeeds on, so it was tried on empty tables.".to_owned()),
                        (_, []) => {}
                        (_, some) => {
                            let names: Vec<String> = some.iter().map(|name| format!("`{name}`")).collect();
                            self.proof.gaps.push(format!("No rows were found for {}.", names.join(", ")));
                        }
                    }
                    return Ok(());
                }
                Err(error) => refusal = error.message,
            }
        }
        let mut sentences =
            vec![format!("The server refuses the change by itself, even on empty tables: {refusal}.")];
        if let Some(gap) = self.proof.gaps.first() {
            sentences.push(format!("The scratch server may lack what it needs: {gap}"));
        }
        Err(Stop::Outcome(Outcome::Failed(sentences)))
    }

    /// The change by itself, and what the plan does besides on purpose. Views that stand in its way, so that the plan makes
    /// them again, are dropped before it and made again after it as the server itself tells their definition.
    async fn change(&self, database: &str) -> Result<Result<(), ObservedError>, Stop> {
        let views = views::made_again(self.plan);
        let told = match views.is_empty() {
            true => Vec::new(),
            false => self.catalog("rows").await?.views,
        };
        let wanted: Vec<Change> = self.changes.iter().chain(&self.plan.also).cloned().collect();
        let wanted = views::around(&views, &told, wanted);
        let mut session = Observer::open(self.server, database).await?;
        let _ = session.script("set client_min_messages = warning").await;
        for change in &wanted {
            let written = dbwright_sql::write(Engine::Postgres, Some(self.server.version()), change);
            let Some(written) = written else {
                let because = format!("the change `{}` cannot be written by itself", change.words());
                return Err(Stop::Outcome(Outcome::NotTried(because)));
            };
            for statement in written {
                if let Err(error) = session.script(&statement.sql).await {
                    return Ok(Err(error));
                }
            }
        }
        Ok(Ok(()))
    }

    /// The steps, each statement observed.
    async fn run_plan(&mut self) -> Result<(), Stop> {
        let database = self.copy("rows", "plan").await?;
        let mut session = Observer::open(self.server, &database).await?;
        let mut created = BTreeSet::new();
        let mut observed = 0;
        for step in &self.plan.steps {
            self.ask(&mut session, step, step.pre_check.as_ref(), "its pre-check").await?;
            observed += self.run_step(&mut session, step, Some(&mut created)).await?;
            self.ask(&mut session, step, step.verify.as_ref(), "its verification").await?;
        }
        self.proof.shown.push(format!(
            "{}: none reads or writes all rows of a table, or builds an index on it, under a lock that makes others wait.",
            match observed {
                1 => "1 statement was observed".to_owned(),
                count => format!("{count} statements were observed"),
            }
        ));
        Ok(())
    }

    async fn ask(
        &self,
        session: &mut Observer<'_>,
        step: &Step,
        check: Option<&dbwright_model::plan::CheckQuery>,
        what: &str,
    ) -> Result<(), Stop> {
        let Some(check) = check else { return Ok(()) };
        match session.count(&check.sql).await {
            Ok(0) => Ok(()),
            Ok(count) => {
                Err(failed(format!("Step `{}`: {what} finds {count} rows: {}", step.name, check.rows_mean)))
            }
            Err(error) => Err(failed(format!("Step `{}`: {what} is refused: {}.", step.name, error.message))),
        }
    }

    /// Runs one step and returns how many statements it has. With a list of what the plan has made, they are watched.
    async fn run_step(
        &self,
        session: &mut Observer<'_>,
        step: &Step,
        mut watched: Option<&mut BTreeSet<QualifiedName>>,
    ) -> Result<usize, Stop> {
        let refused = |sql: &str, error: &ObservedError| {
            failed(format!("Step `{}`: `{}` is refused: {}.", step.name, clip(sql), error.message))
        };
        if let Some(batches) = &step.repeat {
            let sql = update(Dialect::Postgres, batches);
            session.script(&sql).await.map_err(|error| refused(&sql, &error))?;
            return Ok(1);
        }
        let version = Some(self.server.version());
        let written = statements(Engine::Postgres, version, &step.work)
            .map_err(|because| failed(format!("Step `{}`: {because}.", step.name)))?;
        let one = step.transaction == TransactionMode::OneTransaction;
        if one {
            session.script("begin").await.map_err(|error| refused("begin", &error))?;
        }
        for statement in &written {
            let Some(created) = watched.as_deref_mut() else {
                session.script(&statement.sql).await.map_err(|error| refused(&statement.sql, &error))?;
                continue;
            };
            session.mark().await?;
            let seen = match one {
                true => session.observe(&statement.sql).await?,
                false => self.observe_alone(session, &statement.sql).await?,
            };
            if let Some(error) = &seen.error {
                return Err(refused(&statement.sql, error));
            }
            self.judge(step, &statement.sql, &seen, created)?;
        }
        if one {
            session.script("commit").await.map_err(|error| refused("commit", &error))?;
        }
        if let Some(created) = watched {
            for change in step.changes() {
                if let Change::CreateTable { table, .. } = change {
                    created.insert(full(&table.name));
                }
            }
        }
        Ok(written.len())
    }

    /// Observes a statement that is committed by itself: in a transaction where the server takes it in one, since that
    /// needs no other sessions to wait for.
    async fn observe_alone(&self, session: &mut Observer<'_>, sql: &str) -> Result<Observation, Stop> {
        let refused =
            |error: ObservedError| failed(format!("`{}` is refused: {}.", clip(sql), error.message));
        session.script("begin").await.map_err(refused)?;
        let seen = session.observe(sql).await?;
        let end = if seen.error.is_some() { "rollback" } else { "commit" };
        session.script(end).await.map_err(refused)?;
        match &seen.error {
            Some(error) if error.is_only_outside() => Ok(session.observe_outside(sql).await?),
            _ => Ok(seen),
        }
    }

    /// Whether a statement makes others wait in proportion to the size of a table that they use.
    fn judge(
        &self,
        step: &Step,
        sql: &str,
        seen: &Observation,
        created: &BTreeSet<QualifiedName>,
    ) -> Result<(), Stop> {
        match self.blocking(seen, created) {
            Some(effect) => Err(failed(format!(
                "Step `{}`: `{}` was seen to hold {} on `{}` during a {}.",
                step.name,
                clip(sql),
                effect.lock.as_str(),
                effect.relation,
                effect.cost.as_str()
            ))),
            None => Ok(()),
        }
    }

    /// What a statement was seen to do that makes others wait in proportion to the size of a table that they use.
    fn blocking<'o>(
        &self,
        seen: &'o Observation,
        created: &BTreeSet<QualifiedName>,
    ) -> Option<&'o RelationEffect> {
        let is_view = |effect: &RelationEffect| {
            self.before.views.iter().any(|view| view.name == effect.relation && view.materialized)
        };
        let blocks = |effect: &&RelationEffect| {
            effect.blocks_in_proportion_to_size()
                && !created.contains(&effect.relation)
                // Nobody writes a materialised view but its refresh, and nobody reads one that is not filled.
                && !(is_view(effect) && (effect.lock == Lock::Exclusive || self.is_unfilled(&effect.relation)))
        };
        seen.relations.iter().find(blocks)
    }

    fn is_unfilled(&self, name: &QualifiedName) -> bool {
        self.before.views.iter().any(|view| view.name == *name && !view.populated)
    }

    /// The catalogs and rows after the change by itself and after the plan.
    async fn compare_ends(&mut self) -> Result<(), Stop> {
        let (naive, planned) = (self.catalog("naive").await?, self.catalog("plan").await?);
        let found = difference(&naive, &planned);
        if !found.is_empty() {
            let mut sentences =
                vec!["The catalog after the plan is not the one after the change by itself.".to_owned()];
            sentences.extend(found);
            return Err(Stop::Outcome(Outcome::Failed(sentences)));
        }
        self.proof.shown.push("The catalog after the plan is the one after the change by itself.".to_owned());
        let told = "after the plan is not as after the change by itself";
        rights::same(&self.rights("naive").await?, &self.rights("plan").await?, told)?;
        self.proof.shown.push("Rights on tables, columns and sequences are the same after both.".to_owned());
        let added = added_columns(self.changes, false);
        let expected = self.rows("naive", &naive, &added).await?;
        let found = self.rows("plan", &naive, &added).await?;
        same_rows(&expected, &found, "after the plan are not those after the change by itself")?;
        let count: usize = expected.iter().map(|(_, rows)| rows.len()).sum();
        self.proof.shown.push(format!("{count} rows are the same after both."));
        self.compare_sequences(&naive, "naive", "after the change by itself").await
    }

    /// A sequence that fell back would give numbers twice.
    async fn compare_sequences(&self, catalog: &Catalog, other: &str, there: &str) -> Result<(), Stop> {
        for sequence in &catalog.sequences {
            let sql = format!("select (last_value + is_called::int)::text from {}", quoted(&sequence.name));
            let mut next = Vec::new();
            for part in [other, "plan"] {
                let mut session = Observer::open(self.server, &self.database(part)).await?;
                let texts = session.texts(&sql).await.unwrap_or_default();
                next.push(texts.first().and_then(|text| text.parse::<i64>().ok()));
            }
            if let [Some(naive), Some(planned)] = next[..]
                && planned < naive
            {
                return Err(failed(format!(
                    "The sequence `{}` goes on with {planned}, and with {naive} {there}.",
                    sequence.name
                )));
            }
        }
        Ok(())
    }

    async fn catalog(&self, part: &str) -> Result<Catalog, Stop> {
        let trouble = |message: String| Stop::Outcome(Outcome::NotTried(message));
        let dsn = self.server.dsn(&self.database(part));
        let mut session =
            ReadSession::open(&dsn, &Limits::default()).await.map_err(|error| trouble(error.message))?;
        let facts = session.collect(&FACTS, &Silent).await.map_err(|error| trouble(error.message));
        session.close().await;
        let mut facts = facts?;
        dbwright_sql::understand::understand(&mut facts);
        facts
            .catalog
            .known()
            .cloned()
            .ok_or_else(|| trouble("the scratch catalog could not be read".to_owned()))
    }

    /// The rows of every table, sorted. Of columns that the change adds only whether they have a value: it may be another
    /// every time.
    async fn rows(
        &self,
        part: &str,
        catalog: &Catalog,
        added: &BTreeSet<(QualifiedName, String)>,
    ) -> Result<Vec<(QualifiedName, Vec<String>)>, Stop> {
        let mut session = Observer::open(self.server, &self.database(part)).await?;
        let mut all = Vec::new();
        for table in &catalog.tables {
            if matches!(table.kind, TableKind::Foreign { .. } | TableKind::Partitioned { .. }) {
                continue;
            }
            let mut columns: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
            columns.sort_unstable();
            let columns: Vec<String> = columns
                .into_iter()
                .map(|name| {
                    let quoted = dbwright_sql::quote_identifier(Dialect::Postgres, name);
                    let is_added = added.contains(&(table.name.clone(), name.to_owned()));
                    if is_added { format!("({quoted} is null) as {quoted}") } else { quoted }
                })
                .collect();
            // With the star it is the row, whatever its columns are called.
            let sql = format!(
                "select row_to_json(dbwright_row.*)::text from (select {} from only {}) dbwright_row order by 1",
                columns.join(", "),
                quoted(&table.name)
            );
            let rows = session.texts(&sql).await.map_err(|error| {
                failed(format!("The rows of `{}` cannot be read: {}.", table.name, error.message))
            })?;
            all.push((table.name.clone(), rows));
        }
        Ok(all)
    }
}

/// The roles that policies name.
fn roles(catalog: &Catalog) -> BTreeSet<String> {
    let policies = catalog.policies.known().into_iter().flatten();
    let roles = policies.flat_map(|policy| &policy.roles).filter(|role| **role != "public");
    roles.map(|role| role.as_str().to_owned()).collect()
}

/// Runs statements, those that are refused again and again as long as others succeed: what they need may come later.
async fn in_rounds(session: &mut Observer<'_>, mut texts: Vec<String>) -> Vec<(String, ObservedError)> {
    loop {
        let mut refused = Vec::new();
        let count = texts.len();
        for sql in texts {
            if let Err(error) = session.script(&sql).await {
                refused.push((sql, error));
            }
        }
        if refused.is_empty() || refused.len() == count {
            return refused;
        }
        texts = refused.into_iter().map(|(sql, _)| sql).collect();
    }
}

/// What a table on the scratch server lacks of the one that it stands for.
fn lack(table: &Table, made: Option<&Table>) -> Option<String> {
    let Some(made) = made else { return Some("it is not there".to_owned()) };
    for column in &table.columns {
        match made.column(column.name.as_str()) {
            None => return Some(format!("it has no column `{}`", column.name)),
            Some(other) if other.data_type.kind != column.data_type.kind => {
                return Some(format!("`{}` has the type `{}`", column.name, other.data_type.text));
            }
            Some(_) => {}
        }
    }
    let counts = |table: &Table| {
        [
            ("indexes", table.indexes.len()),
            ("checks", table.checks.len()),
            ("foreign keys", table.foreign_keys.len()),
            ("unique constraints", table.uniques.len()),
        ]
    };
    let (expected, found) = (counts(table), counts(made));
    let differing = expected.iter().zip(&found).find(|(expected, found)| expected.1 != found.1)?;
    Some(format!("it has {} {} instead of {}", differing.1.1, differing.0.0, differing.0.1))
}

/// Columns that the changes add, and with rows written in between those that are reckoned anew, by table.
fn added_columns(changes: &[Change], in_between: bool) -> BTreeSet<(QualifiedName, String)> {
    let added = changes.iter().filter_map(|change| match change {
        Change::AddColumn { table, column, .. } => Some((full(table), column.name.as_str().to_owned())),
        // Whole numbers look the same, whether they were written before the change of type or after it.
        Change::AlterColumnType { table, column, using, to, .. }
            if in_between && (using.is_some() || to.max_integer().is_none()) =>
        {
            Some((full(table), column.as_str().to_owned()))
        }
        _ => None,
    });
    added.collect()
}

fn same_rows(
    expected: &[(QualifiedName, Vec<String>)],
    found: &[(QualifiedName, Vec<String>)],
    what: &str,
) -> Result<(), Stop> {
    for ((table, expected), (_, found)) in expected.iter().zip(found) {
        if expected == found {
            continue;
        }
        let mut sentences = vec![format!("The rows of `{table}` {what}.")];
        let only = expected.iter().find(|row| !found.contains(row));
        sentences.extend(only.map(|row| format!("Missing: `{}`.", clip(row))));
        let other = found.iter().find(|row| !expected.contains(row));
        sentences.extend(other.map(|row| format!("Found instead: `{}`.", clip(row))));
        return Err(Stop::Outcome(Outcome::Failed(sentences)));
    }
    Ok(())
}

pub(super) fn full(name: &QualifiedName) -> QualifiedName {
    if name.schema.is_empty() { QualifiedName::new("public", &name.name) } else { name.clone() }
}

fn quoted(name: &QualifiedName) -> String {
    let quote = |name: &str| dbwright_sql::quote_identifier(Dialect::Postgres, name);
    format!("{}.{}", quote(full(name).schema.as_str()), quote(name.name.as_str()))
}

/// The begin of a text, on one line.
fn clip(text: &str) -> String {
    const LONGEST: usize = 100;
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= LONGEST {
        return line;
    }
    let begin: String = line.chars().take(LONGEST).collect();
    format!("{begin}...")
}
