//! `migrate lint`: what the statements of migrations would do to a running server, before they are run.

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;

use dbwright_model::catalog::{Catalog, Table};
use dbwright_model::chain::{Chain, ChainStatement};
use dbwright_model::change::Change;
use dbwright_model::engine::{Dialect, Engine, Version};
use dbwright_model::facts::{Fact, FactSource, Facts, Origin, SkippedStatement};
use dbwright_model::finding::Level;
use dbwright_model::name::{Name, QualifiedName};
use dbwright_model::observed::Observed;
use dbwright_model::report::{Report, ReportEffect, ReportStatement, TargetSummary};
use dbwright_rules::traffic::{self, Traffic};
use dbwright_rules::{Entry, lint};
use dbwright_sql::chain::{self, ReadChain, Start};
use dbwright_sql::effects::{self, Circumstances};
use dbwright_sql::files::SourceFile;
use dbwright_sql::fold::Folder;
use dbwright_sql::places::Places;
use dbwright_sql::tools;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::files::{self, Scripts};
use super::since;
use super::stand_ins::StandIns;
use super::traced::{self, Subject};
use crate::config::Config;
use crate::cook::{Recipe, cook};
use crate::error::{ErrorKind, ServiceError};
use crate::gather::{self, Gathered};
use crate::ops::check::{CheckOptions, EngineName, LevelName, choose, read_baseline};
use crate::target;
use crate::world::World;

/// The name of the operation.
pub const OPERATION: &str = "migrate lint";

/// Which migrations to check.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema, clap::Args)]
#[serde(default)]
pub struct LintRequest {
    /// Files and folders of migrations, or `-` for the standard input [default: `migrations` in dbwright.toml]
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// The database that the migrations will be run on: a connection string or a snapshot. Sizes and types are read
    /// from it
    #[arg(long, value_name = "TARGET")]
    pub catalog: Option<String>,
    /// The engine that the files are written for, when their text does not tell
    #[arg(long, value_enum)]
    pub engine: Option<EngineName>,
    /// The version of the server that they will be run on [default: that of the catalog, or the newest]
    #[arg(long, value_name = "VERSION")]
    pub server_version: Option<String>,
    /// Judge only files that were added or modified since this revision in Git; the others tell what was there before
    #[arg(long, value_name = "REVISION")]
    pub since: Option<String>,
    /// The first file starts from an empty database, so that whatever no file makes is not there
    #[arg(long, conflicts_with = "catalog")]
    pub assume_empty: bool,
    /// Execute the migrations on a scratch server of the target's version, and judge what was seen there: locks,
    /// rewritten tables, failures
    #[arg(long)]
    pub trace: bool,
    /// Run only these rules (`migration/blocking-index-build`); may be repeated
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    pub only: Vec<String>,
    /// Do not run these rules; may be repeated
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    pub skip: Vec<String>,
    /// Also run these rules that are still in preview; `all` for every one
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    pub preview: Vec<String>,
    /// Report findings of this level and above [default: note]
    #[arg(long, value_enum)]
    pub level: Option<LevelName>,
    /// A file of keys of findings that were there before: only new findings are reported
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
}

/// Checks migrations.
pub async fn lint(request: &LintRequest, config: &Config, world: &World<'_>) -> Result<Report, ServiceError> {
    let rules = rules(request, config)?;
    let baseline =
        request.baseline.as_ref().map(|path| read_baseline(&world.directory.join(path))).transpose()?;
    let paths = files::named(&request.paths, config)?;
    let version = request.server_version.as_deref().map(parse_version).transpose()?;
    let scripts = files::read_or_take(&paths, &world.directory)?;
    let changed = changed(request, &scripts)?;

    let mut facts = match &request.catalog {
        Some(catalog) => from_catalog(catalog, request, &rules, config, world).await?,
        None => from_files(request, &scripts)?,
    };
    facts.source.version = version.or(facts.source.version);
    facts.source.target = named(&paths);
    let engine = facts.source.engine;

    let start = Start {
        known: request.assume_empty || facts.catalog.is_known(),
        before: match facts.catalog.known() {
            Some(catalog) => Folder::on(catalog.clone()),
            None => Folder::new(engine),
        },
        circumstances: Circumstances {
            version: facts.source.version,
            utc: is_in_utc(&facts),
            ..Circumstances::default()
        },
        // What came since a revision is rolled out as one.
        together: request.since.is_some(),
        earlier: match &changed {
            Some(changed) => tools::migrations(engine.dialect(), changed.earlier.clone(), &scripts.around),
            None => Vec::new(),
        },
    };
    let is_unfilled = |text: &str| request.trace && tools::has_placeholders(engine.dialect(), text);
    let unfilled = scripts.files.iter().filter(|file| is_unfilled(&file.text));
    let unfilled: BTreeSet<String> = unfilled.map(|file| file.name.clone()).collect();
    let stand_ins = StandIns::of(engine.dialect(), &scripts.files);
    let mut migrations = tools::migrations(engine.dialect(), scripts.files, &scripts.around);
    for migration in &mut migrations {
        migration.file.judged =
            changed.as_ref().is_none_or(|changed| changed.names.contains(&migration.file.name));
    }
    if request.catalog.is_some() {
        // The catalog holds what the earlier files made.
        migrations.retain(|migration| migration.file.judged);
    }
    let ReadChain { mut chain, after, suppressions } = chain::read(start, &migrations);
    let engine_guessed = request.engine.is_none() && request.catalog.is_none();
    if request.since.is_none() {
        must_be_read(&chain, &facts.source.target, engine_guessed)?;
    }
    let seen = Seen::of(after.catalog());
    drop(after);
    let mut trace = None;
    if request.trace {
        let subject = Subject {
            files: &migrations,
            catalog: facts.catalog.known(),
            engine,
            version: facts.source.version,
            database: facts.source.database.as_str(),
            together: request.since.is_some(),
            in_part: &facts.in_part,
            unfilled: &unfilled,
        };
        trace = Some(traced::trace(&mut chain, &subject, world).await?);
    }
    // Long histories take much memory: what nobody asks for any more goes at once.
    drop(migrations);
    facts.source.skipped = skipped(&chain);
    facts.migrations = Observed::Known(chain);
    let outcome = dbwright_rules::run(&facts, rules.iter().copied(), &config.options);
    let known = Known { engine, sizes: sizes(&facts), traffic: traffic::of(&facts) };
    let chain = match std::mem::replace(&mut facts.migrations, Observed::NotAsked) {
        Observed::Known(chain) => chain,
        _ => Chain::default(),
    };
    let gathered = Gathered { facts, places: Places::default(), suppressions, engine_guessed };
    let level = request.level.map(Level::from).or(config.level).unwrap_or(Level::Note);
    let recipe = Recipe { operation: OPERATION, score: false, level, baseline: baseline.as_ref() };
    // A long history has as many statements as findings, and neither needs the other.
    let mut report = std::thread::scope(|scope| {
        let statements = scope.spawn(|| statements(chain, &known));
        let mut report = cook(outcome, &gathered, config, &recipe, world);
        report.statements = statements.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        report
    });
    report.trace = trace;
    stand_ins.put_back(&mut report);
    seen.note(&mut report.target);
    Ok(report)
}

/// Files of which nothing can be read are no clean files.
fn must_be_read(chain: &Chain, name: &str, engine_guessed: bool) -> Result<(), ServiceError> {
    let is_read = |statement: &ChainStatement| {
        statement.changes.iter().any(|change| !matches!(change, Change::Opaque { .. }))
    };
    let Some(first) = chain.statements.first() else { return Ok(()) };
    if chain.statements.iter().any(is_read) {
        return Ok(());
    }
    let place = &first.location;
    let because = first.not_analysed.as_deref().unwrap_or_default();
    let error = ServiceError::new(
        ErrorKind::Usage,
        format!(
            "nothing in `{name}` was understood: `{}`, line {}, column {}: {because}",
            place.file, place.line, place.column
        ),
    );
    Err(match engine_guessed {
        true => {
            error.hint("say what it is written for with `--engine postgres`, `mysql`, `mariadb` or `sqlite`")
        }
        false => error,
    })
}

/// Whether sessions of the server are in UTC unless they say otherwise, where its settings are known.
fn is_in_utc(facts: &Facts) -> Option<bool> {
    let zone = facts.settings.known()?.get("timezone")?;
    Some(effects::is_utc(zone)).filter(|_| facts.source.engine.dialect() == Dialect::Postgres)
}

/// How much there is after the last statement, as far as the files and the catalog tell.
struct Seen {
    tables: u64,
    columns: u64,
    indexes: u64,
    foreign_keys: u64,
    views: u64,
}

impl Seen {
    fn of(catalog: &Catalog) -> Self {
        let sum = |of: fn(&Table) -> usize| catalog.tables.iter().map(|table| of(table) as u64).sum();
        Seen {
            tables: catalog.tables.len() as u64,
            columns: sum(|table| table.columns.len()),
            indexes: sum(|table| table.indexes.len()),
            foreign_keys: sum(|table| table.foreign_keys.len()),
            views: catalog.views.len() as u64,
        }
    }

    fn note(self, target: &mut TargetSummary) {
        target.tables = self.tables;
        target.columns = self.columns;
        target.indexes = self.indexes;
        target.foreign_keys = self.foreign_keys;
        target.views = self.views;
    }
}

/// The rules over migrations that a request and the configuration select.
fn rules(request: &LintRequest, config: &Config) -> Result<Vec<&'static Entry>, ServiceError> {
    let options = CheckOptions {
        only: request.only.clone(),
        skip: request.skip.clone(),
        preview: request.preview.clone(),
        ..CheckOptions::default()
    };
    let mut rules = choose(&options, config, None)?;
    let some = !rules.is_empty();
    rules.retain(|entry| entry.rule.needs.contains(&Fact::Migrations));
    if some && rules.is_empty() {
        return Err(ServiceError::new(ErrorKind::Usage, "none of the chosen rules looks at migrations")
            .hint("`dbwright rules` lists those that do, under `migration/`"));
    }
    Ok(rules)
}

/// The version of a server that a user names.
pub(super) fn parse_version(text: &str) -> Result<Version, ServiceError> {
    Version::parse(text).ok_or_else(|| {
        ServiceError::new(ErrorKind::Usage, format!("`{text}` is no version of a server"))
            .hint("write it like `17` or `8.0.36`")
    })
}

/// The files that are judged.
struct Changed {
    /// Their names.
    names: BTreeSet<String>,
    /// Those of them that were there at the revision, as they were then.
    earlier: Vec<SourceFile>,
}

/// The files that came or were edited since the revision that the user names; `None` for all.
fn changed(request: &LintRequest, scripts: &Scripts) -> Result<Option<Changed>, ServiceError> {
    let Some(revision) = &request.since else { return Ok(None) };
    let Some(folder) = scripts.paths.first().and_then(|path| path.parent()) else { return Ok(None) };
    let since = since::changed(revision, folder)?;
    let mut changed = Changed { names: BTreeSet::new(), earlier: Vec::new() };
    for (file, path) in scripts.files.iter().zip(&scripts.paths) {
        let Ok(path) = std::fs::canonicalize(path) else { continue };
        let Some(change) = since.get(&path) else { continue };
        changed.names.insert(file.name.clone());
        if let since::Change::Edited { name } = change {
            let text = since::text(revision, folder, name)?;
            changed.earlier.push(SourceFile { name: file.name.clone(), text });
        }
    }
    Ok(Some(changed))
}

/// What is known of the database that the migrations will be run on.
async fn from_catalog(
    named: &str,
    request: &LintRequest,
    rules: &[&'static Entry],
    config: &Config,
    world: &World<'_>,
) -> Result<Facts, ServiceError> {
    let engine = request.engine.map(Engine::from);
    let target = target::resolve(Some(named), None, engine, world)?;
    let mut plan = gather::plan(rules.iter().copied());
    if request.trace {
        plan.extend(traced::FACTS);
        plan.sort();
        plan.dedup();
    }
    let facts = gather::gather(target, &plan, rules, false, config, world).await?.facts;
    match engine {
        Some(engine) if engine.dialect() != facts.source.engine.dialect() => Err(ServiceError::new(
            ErrorKind::Usage,
            format!("the catalog is one of {}, not of {engine}", facts.source.engine),
        )),
        _ => Ok(facts),
    }
}

/// What the files alone tell of the database.
fn from_files(request: &LintRequest, scripts: &Scripts) -> Result<Facts, ServiceError> {
    let (engine, version) = match request.engine.map(Engine::from).or_else(|| scripts.engine()) {
        Some(engine) => {
            let told = target::told(&scripts.files).filter(|(told, _)| *told == engine);
            (engine, told.and_then(|(_, version)| version))
        }
        None => {
            if target::told(&scripts.files).is_none() {
                target::must_agree(&scripts.files)?;
            }
            target::guess(&scripts.files)
        }
    };
    Ok(Facts::none(FactSource {
        origin: Origin::Files,
        engine,
        version,
        version_text: String::new(),
        target: String::new(),
        database: Name::DEFAULT,
        role: None,
        superuser: false,
        collected_at: None,
        skipped: Vec::new(),
    }))
}

fn named(paths: &[PathBuf]) -> String {
    match paths {
        [first] => first.to_string_lossy().into_owned(),
        [first, rest @ ..] => format!("{} and {} more", first.to_string_lossy(), rest.len()),
        [] => String::new(),
    }
}

/// The judged statements that were not understood.
pub(super) fn skipped(chain: &Chain) -> Vec<SkippedStatement> {
    let opaque = chain.judged().filter_map(|(_, statement)| {
        let because = statement.not_analysed.clone()?;
        Some(SkippedStatement {
            file: statement.location.file.clone(),
            line: statement.location.line,
            statement: dbwright_sql::names::beginning(&statement.sql),
            because,
        })
    });
    opaque.collect()
}

/// Bytes of tables, where they are known.
fn sizes(facts: &Facts) -> HashMap<QualifiedName, u64> {
    let known = facts.table_statistics.known().map(Vec::as_slice).unwrap_or_default();
    known.iter().filter_map(|table| Some((table.table.clone(), table.table_bytes?))).collect()
}

/// What is known of the target beside its catalog.
struct Known {
    engine: Engine,
    /// Bytes of tables.
    sizes: HashMap<QualifiedName, u64>,
    /// Statements that run on tables.
    traffic: HashMap<QualifiedName, Traffic>,
}

/// The judged statements with what each does.
fn statements(chain: Chain, known: &Known) -> Vec<ReportStatement> {
    let Chain { files, statements, .. } = chain;
    let judged = statements.into_iter().filter(|one| files.get(one.file).is_none_or(|file| file.judged));
    judged.map(|statement| statement_of(statement, known)).collect()
}

fn statement_of(statement: ChainStatement, known: &Known) -> ReportStatement {
    let effects = statement.effects.relations.iter().map(|effect| {
        let made_here = statement.is_new(&effect.relation);
        let size = known.sizes.get(&effect.relation).filter(|_| !made_here);
        let traffic = known.traffic.get(&effect.relation).filter(|_| !made_here);
        ReportEffect {
            relation: effect.relation.to_string(),
            lock: effect.lock.as_str().to_owned(),
            blocks: lint::waiting(effect).to_owned(),
            cost: effect.cost.as_str().to_owned(),
            algorithm: effect.algorithm.map(|algorithm| algorithm.as_str().to_owned()),
            expected: size.and_then(|bytes| lint::expected(effect, *bytes)),
            waiting_per_second: traffic.and_then(|traffic| traffic.waiting(effect.lock.blocks())),
            made_here,
        }
    });
    let effects = effects.collect();
    ReportStatement {
        on_standbys: lint::on_standbys(known.engine, &statement).map(str::to_owned),
        file: statement.location.file,
        line: statement.location.line,
        column: statement.location.column,
        sql: statement.sql,
        analysed: statement.not_analysed.is_none(),
        because: statement.not_analysed,
        transaction: statement.transaction,
        evidence_level: statement.evidence_level,
        failed: statement.failed,
        not_traced: statement.not_traced,
        effects,
    }
}
