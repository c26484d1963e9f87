//! `migrate plan` and `migrate new`: the safe form of a change, proved on a scratch server and written as migration files.

use std::path::{Path, PathBuf};

use dbwright_advise::migrate;
use dbwright_engine::scratch::postgres::{PostgresServer, ServerOptions, nearest};
use dbwright_model::change::Change;
use dbwright_model::effect::{Cost, RelationEffect};
use dbwright_model::engine::{Dialect, Engine, Version};
use dbwright_model::facts::{Fact, Facts};
use dbwright_model::lifecycle::oldest_supported;
use dbwright_model::migration::{Header, Risk};
use dbwright_model::plan::{Plan, Step, Undo, Work};
use dbwright_model::report::{Report, ReportEffect};
use dbwright_rules::lint;
use dbwright_sql::{script, wish};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::knowledge::TextSide;
use super::lint::parse_version;
use super::{accepted, names, values};
use crate::config::Config;
use crate::error::{ErrorKind, ServiceError};
use crate::gather;
use crate::ops::audit::{self, AuditRequest};
use crate::ops::check::EngineName;
use crate::prove::{self, Outcome, Proof};
use crate::target::{self, Target};
use crate::world::World;

/// What is read of the database.
const FACTS: &[Fact] = &[
    Fact::Catalog,
    Fact::Functions,
    Fact::Triggers,
    Fact::Policies,
    Fact::Extensions,
    Fact::Publications,
    Fact::TableStatistics,
];

/// What to plan.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema, clap::Args)]
#[serde(default)]
pub struct PlanRequest {
    /// A file with the statements to plan, or `-` for standard input
    #[arg(value_name = "FILE", required_unless_present = "finding", conflicts_with = "finding")]
    pub file: Option<String>,
    /// Plan the remedy of the finding with this key, or the statement that it is about
    #[arg(long, value_name = "KEY")]
    pub finding: Option<String>,
    /// The report in JSON that holds the finding [default: an audit of the database]
    #[arg(long, value_name = "FILE", requires = "finding")]
    pub report: Option<PathBuf>,
    /// For what, and where to.
    #[command(flatten)]
    pub options: PlanOptions,
}

/// What to plan, in words.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema, clap::Args)]
#[serde(default)]
pub struct NewRequest {
    /// The change: "add column phone varchar(20) to users", "change type of users.id to bigint", or a statement
    #[arg(value_name = "WORDS", required = true)]
    pub words: Vec<String>,
    /// For what, and where to.
    #[command(flatten)]
    pub options: PlanOptions,
}

/// What a plan is for, and where its files go.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema, clap::Args)]
#[serde(default)]
pub struct PlanOptions {
    /// The database that the change is for: a connection string, a snapshot, or a schema or migrations in SQL
    /// [default: DATABASE_URL, or `target` or `migrations` in dbwright.toml]
    #[arg(long, value_name = "TARGET")]
    pub catalog: Option<String>,
    /// The engine that the statements are written for, when their text does not tell
    #[arg(long, value_enum)]
    pub engine: Option<EngineName>,
    /// The version of the server that it will be run on [default: that of the database, or the newest installed here]
    #[arg(long, value_name = "VERSION")]
    pub server_version: Option<String>,
    /// The folder that the files are written to [default: `migrations` in dbwright.toml]
    #[arg(long, value_name = "FOLDER")]
    pub out: Option<PathBuf>,
    /// Write no files, but print what would be in them
    #[arg(long, conflicts_with = "out")]
    pub stdout: bool,
    /// Where the change was asked for, such as SHOP-12
    #[arg(long, value_name = "TICKET")]
    pub ticket: Option<String>,
    /// What rows that are there get in a column that is added or made `NOT NULL`, as an SQL expression: "phone=''", or
    /// "users.phone=lower(name)"
    #[arg(long, value_name = "COLUMN=EXPRESSION")]
    pub value: Vec<String>,
    /// Offer the plan even when its trial has failed
    #[arg(long)]
    pub unproven: bool,
}

/// A plan with its files.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Planned {
    /// What the plan is for, as a fragment.
    pub title: String,
    /// How it gets there, in full sentences.
    pub summary: String,
    /// The engine and version that it is written for.
    pub server: String,
    /// Its steps, a file each, in order.
    pub steps: Vec<PlannedStep>,
    /// Wanted changes that are not in the plan, and why.
    pub declined: Vec<String>,
    /// What a trial has shown.
    pub proof: Proof,
}

/// A step of a plan and its file.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct PlannedStep {
    /// The name of the file.
    pub file: String,
    /// Where it was written; `None` when it was not.
    pub path: Option<PathBuf>,
    /// What it does, as a sentence.
    pub name: String,
    /// What must be so outside of the database before it is run.
    pub waits_for: Option<String>,
    /// What it locks, and what is done meanwhile.
    pub effects: Vec<ReportEffect>,
    /// How long it is expected to take, in words.
    pub estimated_time: String,
    /// How dangerous it is in use.
    pub risk: Risk,
    /// Why there is no way back, where there is none.
    pub irreversible: Option<String>,
    /// What stands in the file.
    pub text: String,
}

/// Plans the changes of a file or of a finding.
pub async fn plan(
    request: &PlanRequest,
    config: &Config,
    world: &World<'_>,
) -> Result<Planned, ServiceError> {
    let facts = facts(&request.options, config, world).await?;
    let dialect = facts.source.engine.dialect();
    let sql = match (&request.file, &request.finding) {
        (Some(file), _) => read(file, world)?,
        (None, Some(key)) => of_finding(key, request, config, world).await?,
        (None, None) => return Err(ServiceError::new(ErrorKind::Usage, "nothing to plan was named")),
    };
    let mut changes = Vec::new();
    for statement in dbwright_sql::split(dialect, &sql) {
        changes.extend(dbwright_sql::parse_statement(dialect, statement.text));
    }
    if changes.is_empty() {
        return Err(ServiceError::new(ErrorKind::Usage, "there are no statements to plan"));
    }
    planned(facts, &changes, None, &request.options, config, world).await
}

/// Plans a change that is asked for in words.
pub async fn new(request: &NewRequest, config: &Config, world: &World<'_>) -> Result<Planned, ServiceError> {
    let facts = facts(&request.options, config, world).await?;
    let words = request.words.join(" ");
    let changes = wish::changes(facts.source.engine.dialect(), &words).map_err(|because| {
        let mut error = ServiceError::new(ErrorKind::Usage, format!("the change is not clear: {because}"));
        for example in wish::EXAMPLES.iter().take(6) {
            error = error.hint(format!("dbwright migrate new \"{example}\""));
        }
        error.hint("or say it as a statement: dbwright migrate new \"alter table users add phone text\"")
    })?;
    planned(facts, &changes, Some(&words), &request.options, config, world).await
}

/// What is known of the database.
async fn facts(options: &PlanOptions, config: &Config, world: &World<'_>) -> Result<Facts, ServiceError> {
    let engine = options.engine.map(Engine::from);
    let folder = config.migrations.as_ref().map(|path| path.to_string_lossy().into_owned());
    let configured = config.target.as_deref().or(folder.as_deref());
    let target = target::resolve(options.catalog.as_deref(), configured, engine, world)?;
    let mut facts = gather::gather(target, FACTS, &[], false, config, world).await?.facts;
    if let Some(engine) = engine
        && engine.dialect() != facts.source.engine.dialect()
    {
        let message = format!("the catalog is one of {}, not of {engine}", facts.source.engine);
        return Err(ServiceError::new(ErrorKind::Usage, message));
    }
    if let Some(text) = &options.server_version {
        facts.source.version = Some(parse_version(text)?);
    }
    Ok(facts)
}

fn read(file: &str, world: &World<'_>) -> Result<String, ServiceError> {
    match target::resolve(Some(file), None, None, world)? {
        Target::Files(files) => {
            let texts: Vec<String> = files.files.into_iter().map(|file| file.text).collect();
            Ok(texts.join("\n;\n"))
        }
        _ => Err(ServiceError::new(ErrorKind::Usage, format!("`{file}` is no file of statements"))
            .hint("the database goes to `--catalog`")),
    }
}

/// The statements that a finding suggests, or else the one that it is about.
async fn of_finding(
    key: &str,
    request: &PlanRequest,
    config: &Config,
    world: &World<'_>,
) -> Result<String, ServiceError> {
    let report: Report = match &request.report {
        Some(path) => {
            let shown = path.display();
            let text = std::fs::read_to_string(world.directory.join(path))
                .map_err(|error| target::cannot_open(&shown.to_string(), &error))?;
            serde_json::from_str(&text).map_err(|error| {
                ServiceError::new(ErrorKind::Usage, format!("`{shown}` is no report in JSON: {error}"))
                    .hint("write one with `--format json --output FILE`")
            })?
        }
        None => {
            let mut audited = AuditRequest::default();
            audited.check.target.clone_from(&request.options.catalog);
            audited.check.engine = request.options.engine;
            audit::audit(&audited, config, world).await?
        }
    };
    let Some(finding) = report.findings.iter().find(|finding| finding.key == key) else {
        return Err(ServiceError::new(ErrorKind::Usage, format!("there is no finding `{key}`"))
            .hint("keys stand in the report: `--format json`, or `--verbose` on the terminal"));
    };
    let steps = finding.remedy.iter().flat_map(|remedy| &remedy.steps);
    let remedy: String = steps.map(|step| format!("{};\n", step.sql.trim_end_matches(';'))).collect();
    if !remedy.is_empty() {
        return Ok(remedy);
    }
    let statement = finding.location.as_ref().and_then(|place| {
        report.statements.iter().find(|other| other.file == place.file && other.line == place.line)
    });
    statement.map(|statement| statement.sql.clone()).ok_or_else(|| {
        ServiceError::new(
            ErrorKind::Unsupported,
            format!("the finding `{key}` names no statements: {}", finding.message),
        )
        .hint("say the change in words: dbwright migrate new \"...\"")
    })
}

/// Plans, proves and writes.
async fn planned(
    facts: Facts,
    changes: &[Change],
    words: Option<&str>,
    options: &PlanOptions,
    config: &Config,
    world: &World<'_>,
) -> Result<Planned, ServiceError> {
    let folder = folder(options, config)?;
    let mut facts = facts;
    facts.source.version = facts.source.version.or_else(|| unsaid_version(facts.source.engine, world));
    let (engine, version) = (facts.source.engine, facts.source.version);
    let catalog = facts.catalog.known().ok_or_else(|| {
        ServiceError::new(ErrorKind::Unsupported, "the catalog of the database is not known")
    })?;
    let know = TextSide { engine, version };
    let given = values::given(&options.value, changes)?;
    let plan = migrate::plan_with(&know, catalog, version, changes, &given).map_err(|declined| {
        ServiceError::new(ErrorKind::Unsupported, format!("there is no safe plan: {}", declined.because))
    })?;
    let proof = match plan.steps.is_empty() {
        true => Proof::not_tried("there is nothing to do"),
        false => {
            prove(engine, version, catalog, &values::spelled(engine.dialect(), changes, &given), &plan, world)
                .await?
        }
    };
    if let Outcome::Failed(sentences) = &proof.outcome
        && !options.unproven
    {
        let message = format!("the plan failed its trial on {}: {}", proof.server, sentences.join(" "));
        return Err(ServiceError::new(ErrorKind::Unsupported, message)
            .hint("`--unproven` offers it all the same; read it with care"));
    }
    let server = version.map_or_else(|| engine.to_string(), |version| format!("{engine} {version}"));
    let mut steps = files(&plan, &proof, changes, &facts, words, options, folder.as_deref(), world)?;
    if let Some(folder) = &folder {
        write(&mut steps, folder)?;
    }
    let declined = plan.declined.iter().map(|declined| {
        let change = changes.get(declined.change).map(Change::words).unwrap_or_default();
        format!("`{change}` is not in the plan: {}.", declined.because)
    });
    Ok(Planned {
        title: plan.title.clone(),
        summary: plan.summary.clone(),
        server,
        declined: declined.collect(),
        steps,
        proof,
    })
}

/// The version to plan for where nobody says it: one that the plan can be tried on, or else the oldest, whose plans serve
/// every later one.
fn unsaid_version(engine: Engine, world: &World<'_>) -> Option<Version> {
    match engine {
        Engine::Postgres => {
            let newest = nearest(&world.places, None).map(|one| one.version);
            Some(newest.unwrap_or(oldest_supported(engine)))
        }
        _ => None,
    }
}

/// Sessions that a trial may need: two for each table that a statement outside of transactions may have to wait for, which
/// are at most all that there are.
fn sessions(catalog: &dbwright_model::catalog::Catalog) -> u16 {
    const OWN: usize = 30;
    const MOST: usize = 1_000;
    (OWN + 2 * catalog.tables.len()).min(MOST) as u16
}

/// Tries the plan where there is a server for it.
async fn prove(
    engine: Engine,
    version: Option<Version>,
    catalog: &dbwright_model::catalog::Catalog,
    changes: &[Change],
    plan: &Plan,
    world: &World<'_>,
) -> Result<Proof, ServiceError> {
    match engine.dialect() {
        Dialect::Postgres => {}
        Dialect::Sqlite => return prove::sqlite::prove(&world.temporary, catalog, changes, plan).await,
        Dialect::Mysql => return Ok(Proof::not_tried(format!("plans for {engine} are not tried yet"))),
    }
    world.progress.step("starting a scratch server", 0, 0);
    let installation = match nearest(&world.places, version) {
        Ok(installation) => installation,
        Err(error) => {
            let way = "install one, or name its folder in DBWRIGHT_SERVERS";
            return Ok(Proof::not_tried(format!("{error}; {way}")));
        }
    };
    let major = version.unwrap_or(installation.version).major;
    let known = |change: &Change| dbwright_sql::write(engine, Some(installation.version), change).is_some();
    if !plan.steps.iter().flat_map(|step| step.changes()).all(known) {
        return Ok(Proof::not_tried(format!(
            "PostgreSQL {} is the nearest installed here, and does not know all statements of PostgreSQL {major}",
            installation.version.major
        )));
    }
    let broken_off = |because: String| Proof {
        server: format!("{engine} {}", installation.version),
        ..Proof::not_tried(because)
    };
    let options = ServerOptions { max_connections: sessions(catalog), ..ServerOptions::default() };
    let server = match PostgresServer::start(&installation, &options) {
        Ok(server) => server,
        Err(error) => return Ok(broken_off(format!("the scratch server did not start: {error}"))),
    };
    world.progress.step("trying the plan", 0, 0);
    let trial = prove::postgres::prove(&server, "dbwright_trial", catalog, changes, plan).await;
    let mut proof = trial.unwrap_or_else(|error| broken_off(format!("the scratch server failed: {error}")));
    if installation.version.major != major {
        if let Outcome::Failed(sentences) = &proof.outcome {
            // Another major may lack what the plan rests on, so that this says nothing of the plan.
            proof.outcome = Outcome::NotTried(format!(
                "PostgreSQL {major} is not installed here, and PostgreSQL {} does not take the plan: {}",
                installation.version.major,
                sentences.join(" ")
            ));
        }
        proof.gaps.insert(
            0,
            format!(
                "It was tried on PostgreSQL {}, since PostgreSQL {major} is not installed here.",
                installation.version.major
            ),
        );
    }
    Ok(proof)
}

/// Where files go; `None` when they are only shown.
fn folder(options: &PlanOptions, config: &Config) -> Result<Option<PathBuf>, ServiceError> {
    if options.stdout {
        return Ok(None);
    }
    let folder = options.out.clone().or_else(|| config.migrations.clone());
    folder.map(Some).ok_or_else(|| {
        ServiceError::new(ErrorKind::Usage, "no folder for the files was named")
            .hint("name one with `--out FOLDER`, or set `migrations` in dbwright.toml")
            .hint("`--stdout` prints them instead")
    })
}

/// The files of the steps, not yet written.
#[expect(clippy::too_many_arguments, reason = "each is said by another part of the request")]
fn files(
    plan: &Plan,
    proof: &Proof,
    changes: &[Change],
    facts: &Facts,
    words: Option<&str>,
    options: &PlanOptions,
    folder: Option<&Path>,
    world: &World<'_>,
) -> Result<Vec<PlannedStep>, ServiceError> {
    let (engine, version) = (facts.source.engine, facts.source.version);
    let folder = folder.map(|folder| world.directory.join(folder));
    let versions = names::versions(world.now, folder.as_deref(), plan.steps.len());
    let author = names::author(&world.directory);
    let what = words.map_or_else(|| names::of_plan(plan, changes), names::of_words);
    let mut steps: Vec<PlannedStep> = Vec::new();
    for (i, step) in plan.steps.iter().enumerate() {
        let file = match plan.steps.len() {
            1 => format!("{}_{what}.sql", versions[i]),
            _ => format!("{}_{what}_{}_{}.sql", versions[i], i + 1, names::of_step(&step.name)),
        };
        let risk = risk(step);
        let header = Header {
            author: author.clone(),
            ticket: options.ticket.clone().unwrap_or_default(),
            risk: Some(risk),
            estimated_time: estimated(step, facts),
            requires: versions[..i].last().into_iter().cloned().collect(),
            replaces: Vec::new(),
            waits_for: step.waits_for.clone(),
        };
        let remark = |work: &Work| accepted::remark(plan, i, work, proof);
        let text = script::write_with(engine, version, &file, &header, step, &remark).map_err(|because| {
            ServiceError::new(
                ErrorKind::Unsupported,
                format!("the step `{}` cannot be written: {because}", step.name),
            )
        })?;
        steps.push(PlannedStep {
            path: folder.as_ref().map(|folder| folder.join(&file)),
            file,
            name: step.name.clone(),
            waits_for: step.waits_for.clone(),
            effects: effects(step, facts),
            estimated_time: header.estimated_time,
            risk,
            irreversible: match &step.undo {
                Undo::Irreversible(because) => Some(because.clone()),
                Undo::Work(_) => None,
            },
            text,
        });
    }
    Ok(steps)
}

/// Writes the files, none of which may be there.
fn write(steps: &mut [PlannedStep], folder: &Path) -> Result<(), ServiceError> {
    let cannot = |path: &Path, error: &std::io::Error| {
        let because = match error.kind() {
            std::io::ErrorKind::AlreadyExists => "it exists already".to_owned(),
            _ => crate::error::why(error),
        };
        ServiceError::new(ErrorKind::Permission, format!("cannot write `{}`: {because}", path.display()))
    };
    for step in steps {
        let Some(path) = &step.path else { continue };
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(|error| cannot(folder, &error))?;
        }
        let file = std::fs::OpenOptions::new().write(true).create_new(true).open(path);
        file.and_then(|mut file| std::io::Write::write_all(&mut file, step.text.as_bytes()))
            .map_err(|error| cannot(path, &error))?;
        step.path = Some(folder.join(&step.file));
    }
    Ok(())
}

fn risk(step: &Step) -> Risk {
    if matches!(step.undo, Undo::Irreversible(_)) {
        return Risk::High;
    }
    let long = step.expected.relations.iter().any(|effect| effect.cost > Cost::Brief);
    if long || step.repeat.is_some() || step.waits_for.is_some() { Risk::Medium } else { Risk::Low }
}

fn bytes_of(relation: &dbwright_model::name::QualifiedName, facts: &Facts) -> Option<u64> {
    let known = facts.table_statistics.known()?;
    known.iter().find(|table| table.table == *relation)?.table_bytes
}

/// How long a step is expected to take: as long as its dearest work.
fn estimated(step: &Step, facts: &Facts) -> String {
    let written = step.repeat.as_ref().map(|batches| RelationEffect {
        relation: batches.table.clone(),
        lock: dbwright_model::effect::Lock::RowExclusive,
        cost: Cost::Rewrite,
        algorithm: None,
    });
    let dear: Vec<&RelationEffect> =
        step.expected.relations.iter().chain(&written).filter(|effect| effect.cost > Cost::Brief).collect();
    let size = |effect: &RelationEffect| bytes_of(&effect.relation, facts);
    let Some(dearest) = dear.into_iter().max_by_key(|effect| (size(effect), effect.cost)) else {
        return "under a second".to_owned();
    };
    match size(dearest).and_then(|bytes| lint::expected(dearest, bytes)) {
        Some(expected) if step.repeat.is_some() => format!("{expected}, in small pieces with pauses"),
        Some(expected) => expected,
        None => format!("in proportion to the size of `{}`, which is not known", dearest.relation),
    }
}

fn effects(step: &Step, facts: &Facts) -> Vec<ReportEffect> {
    let told = step.expected.relations.iter().map(|effect| ReportEffect {
        relation: effect.relation.to_string(),
        lock: effect.lock.as_str().to_owned(),
        blocks: lint::waiting(effect).to_owned(),
        cost: effect.cost.as_str().to_owned(),
        algorithm: effect.algorithm.map(|algorithm| algorithm.as_str().to_owned()),
        expected: bytes_of(&effect.relation, facts).and_then(|bytes| lint::expected(effect, bytes)),
        waiting_per_second: None,
        made_here: false,
    });
    told.collect()
}
