//! What `audit` and `review` share: choosing rules, gathering facts, judging and cooking.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use dbwright_model::engine::Engine;
use dbwright_model::facts::{Fact, Facts};
use dbwright_model::finding::Level;
use dbwright_model::observed::Observed;
use dbwright_model::report::{NotChecked, Report};
use dbwright_model::score::Dimension;
use dbwright_rules::run::{Checked, Outcome};
use dbwright_rules::{Applies, Entry, Status};
use dbwright_sql::suppress::CommentSuppression;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::{Config, names, no_such_rule};
use crate::cook::{BASELINE, Recipe, cook};
use crate::error::{ErrorKind, ServiceError};
use crate::gather::{self, Gathered};
use crate::ops::migrate::folder;
use crate::ops::migrate::stand_ins::StandIns;
use crate::target::{self, Target};
use crate::world::World;

/// Options of every operation that checks a target.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema, clap::Args)]
#[serde(default)]
pub struct CheckOptions {
    /// What to check: a connection string, an SQLite file, a `.sql` file, a folder of migrations, a snapshot, or `-` for standard input
    pub target: Option<String>,
    /// Run only these rules or families (`schema`, `schema/table-without-primary-key`); may be repeated
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    pub only: Vec<String>,
    /// Do not run these rules or families; may be repeated
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    pub skip: Vec<String>,
    /// Also run these rules that are still in preview; `all` for every one
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    pub preview: Vec<String>,
    /// Report findings of this level and above [default: note]
    #[arg(long, value_enum)]
    pub level: Option<LevelName>,
    /// Let rules count rows of the target (orphans, duplicates, dependencies between columns)
    #[arg(long)]
    pub data: bool,
    /// The engine that files are written for, when their text does not tell
    #[arg(long, value_enum)]
    pub engine: Option<EngineName>,
    /// The folder of migrations whose files are judged too [default: the target, if it is one; for an audit `migrations`
    /// in dbwright.toml]
    #[arg(long, value_name = "DIR")]
    pub migrations: Option<PathBuf>,
    /// A file of keys of findings that were there before: only new findings are reported
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
}

/// A level as users write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LevelName {
    /// Worth knowing
    Note,
    /// Will cost time, money or correctness some day
    Warning,
    /// Data loss, wrong results, exposure or an outage follow
    Error,
}

impl From<LevelName> for Level {
    fn from(name: LevelName) -> Self {
        match name {
            LevelName::Note => Level::Note,
            LevelName::Warning => Level::Warning,
            LevelName::Error => Level::Error,
        }
    }
}

/// An engine as users write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum EngineName {
    /// PostgreSQL
    Postgres,
    /// MySQL
    Mysql,
    /// MariaDB
    Mariadb,
    /// SQLite
    Sqlite,
}

impl From<EngineName> for Engine {
    fn from(name: EngineName) -> Self {
        match name {
            EngineName::Postgres => Engine::Postgres,
            EngineName::Mysql => Engine::Mysql,
            EngineName::Mariadb => Engine::Mariadb,
            EngineName::Sqlite => Engine::Sqlite,
        }
    }
}

/// What an operation checks, and what it makes of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scope {
    /// Name of the operation.
    pub operation: &'static str,
    /// Families of rules; `None` for all.
    pub families: Option<&'static [&'static str]>,
    /// Whether the score is reckoned.
    pub score: bool,
}

/// Checks the target that a request names.
pub(crate) async fn check(
    options: &CheckOptions,
    scope: Scope,
    config: &Config,
    world: &World<'_>,
) -> Result<Report, ServiceError> {
    let target = target::resolve(
        options.target.as_deref(),
        config.target.as_deref(),
        options.engine.map(Engine::from),
        world,
    )?;
    check_target(target, options, scope, config, world).await
}

/// The same for a target that is already known.
pub(crate) async fn check_target(
    target: Target,
    options: &CheckOptions,
    scope: Scope,
    config: &Config,
    world: &World<'_>,
) -> Result<Report, ServiceError> {
    let folder = migrations(&target, options, scope, config, world);
    let mut rules = choose(options, config, scope.families)?;
    if folder.is_some() && scope.families.is_some() {
        let design = rules;
        rules = choose(options, config, None)?;
        rules.retain(|entry| entry.rule.judges_migrations() || design.iter().any(|one| one.id == entry.id));
    } else if folder.is_none() && !scope.score {
        rules.retain(|entry| !entry.rule.judges_migrations());
    }
    let baseline =
        options.baseline.as_ref().map(|path| read_baseline(&world.directory.join(path))).transpose()?;
    let mut plan = gather::plan(rules.iter().copied());
    if folder.is_some() && !plan.contains(&Fact::MigrationHistory) {
        plan.push(Fact::MigrationHistory);
        plan.sort();
    }
    let mut gathered = gather::gather(target, &plan, &rules, options.data, config, world).await?;
    let stand_ins = match &folder {
        Some(folder) => judge_migrations(folder, &mut gathered, world)?,
        // What is missing is their name, whatever the target could tell.
        None => {
            gathered.facts.migrations = Observed::NotAsked;
            StandIns::default()
        }
    };
    let mut outcome = dbwright_rules::run(&gathered.facts, rules.iter().copied(), &config.options);
    say_what_was_skipped(&mut outcome, options, scope, config, &gathered.facts)?;
    let level = options.level.map(Level::from).or(config.level).unwrap_or(Level::Note);
    let recipe = Recipe {
        operation: scope.operation,
        // A few chosen checks say nothing about the whole.
        score: scope.score && options.only.is_empty(),
        level,
        baseline: baseline.as_ref(),
    };
    let mut report = cook(outcome, &gathered, config, &recipe, world);
    say_once_why_unjudged(&mut report, &gathered.facts);
    stand_ins.put_back(&mut report);
    Ok(report)
}

/// Adds the rules that would have run and were skipped by choice, and by whose.
fn say_what_was_skipped(
    outcome: &mut Outcome,
    options: &CheckOptions,
    scope: Scope,
    config: &Config,
    facts: &Facts,
) -> Result<(), ServiceError> {
    let all = CheckOptions { skip: Vec::new(), ..options.clone() };
    let unhindered = Config { skip: Vec::new(), ..config.clone() };
    for entry in choose(&all, &unhindered, scope.families)? {
        let applies = entry.rule.engines.of(facts.source.engine) == Applies::Yes;
        let unasked = entry.rule.judges_migrations() && matches!(facts.migrations, Observed::NotAsked);
        let is_skipped = |patterns: &[String]| patterns.iter().any(|pattern| names(pattern, entry.id));
        let because = match options.skip.iter().find(|pattern| names(pattern, entry.id)) {
            Some(pattern) => format!("skipped by `--skip {pattern}`"),
            None if is_skipped(&config.skip) => "skipped by `skip` in dbwright.toml".to_owned(),
            None => continue,
        };
        if applies && !unasked {
            outcome.checks.push((entry, Checked::Skipped { because }));
        }
    }
    let place = |id| dbwright_rules::ALL.iter().position(|one| one.id == id);
    outcome.checks.sort_by_key(|(entry, _)| place(entry.id));
    Ok(())
}

/// The folder of migrations that belongs to a target.
fn migrations(
    target: &Target,
    options: &CheckOptions,
    scope: Scope,
    config: &Config,
    world: &World<'_>,
) -> Option<PathBuf> {
    let itself = match target {
        Target::Files(files) => Some(PathBuf::from(&files.name)),
        _ => None,
    };
    let itself = itself.filter(|path| is_migrations(&world.directory.join(path)));
    let configured = || config.migrations.clone().filter(|_| scope.score);
    options.migrations.clone().or(itself).or_else(configured)
}

/// Whether a folder holds migrations rather than parts of one schema: most of its files, or folders, are numbered.
fn is_migrations(folder: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(folder) else { return false };
    let (mut numbered, mut others) = (0, 0);
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.ends_with(".sql") && !entry.path().is_dir() {
            continue;
        }
        let rest = name.strip_prefix(['V', 'U', 'v']).unwrap_or(&name);
        match rest.starts_with(|c: char| c.is_ascii_digit()) || name.starts_with("R__") {
            true => numbered += 1,
            false => others += 1,
        }
    }
    numbered > others
}

/// Adds what a folder of migrations tells to what is known of the target.
fn judge_migrations(
    folder: &Path,
    gathered: &mut Gathered,
    world: &World<'_>,
) -> Result<StandIns, ServiceError> {
    let told = folder::read(folder, &gathered.facts, world)?;
    gathered.facts.migrations = told.migrations;
    for statement in told.skipped {
        if !gathered.facts.source.skipped.contains(&statement) {
            gathered.facts.source.skipped.push(statement);
        }
    }
    // The comments of a folder that is the target itself were read before.
    let same =
        |a: &CommentSuppression, b: &CommentSuppression| a.location == b.location && a.rules == b.rules;
    for suppression in told.suppressions {
        if !gathered.suppressions.iter().any(|known| same(known, &suppression)) {
            gathered.suppressions.push(suppression);
        }
    }
    Ok(told.stand_ins)
}

/// One line for all rules over migrations, instead of one for each, when what was named could not be judged.
fn say_once_why_unjudged(report: &mut Report, facts: &Facts) {
    let Some(because) = facts.migrations.because() else { return };
    let before = report.not_checked.len();
    report
        .not_checked
        .retain(|line| !dbwright_rules::find(&line.rule).is_some_and(|entry| entry.rule.judges_migrations()));
    let count = before - report.not_checked.len();
    if count == 0 {
        return;
    }
    report.not_checked.push(NotChecked {
        rule: format!("migration ({count} rules)"),
        because,
        out_of_reach: false,
        unasked: false,
        skipped: false,
    });
    report.not_checked.sort();
}

/// The rules that a request and the configuration select, in their order.
pub fn choose(
    options: &CheckOptions,
    config: &Config,
    families: Option<&[&str]>,
) -> Result<Vec<&'static Entry>, ServiceError> {
    let skip: Vec<&String> = options.skip.iter().chain(&config.skip).collect();
    let preview: Vec<&String> = options.preview.iter().chain(&config.preview).collect();
    for pattern in options.only.iter().chain(skip.iter().copied()).chain(preview.iter().copied()) {
        if pattern != "all" && !dbwright_rules::ALL.iter().any(|entry| names(pattern, entry.id)) {
            return Err(ServiceError::new(ErrorKind::Usage, no_such_rule(pattern)));
        }
    }
    let chosen = dbwright_rules::ALL
        .iter()
        .filter(|entry| {
            let family = entry.id.split('/').next().unwrap_or_default();
            // How a server is watched is no matter of a design.
            families.is_none_or(|families| {
                families.contains(&family) && entry.rule.dimension != Dimension::Monitoring
            })
        })
        .filter(|entry| {
            options.only.is_empty() || options.only.iter().any(|pattern| names(pattern, entry.id))
        })
        .filter(|entry| !skip.iter().any(|pattern| names(pattern, entry.id)))
        .filter(|entry| {
            entry.rule.status == Status::Stable
                || options.only.iter().any(|pattern| pattern == entry.id)
                || preview.iter().any(|pattern| *pattern == "all" || names(pattern, entry.id))
        })
        .collect();
    Ok(chosen)
}

/// The keys in a baseline.
pub(crate) fn read_baseline(path: &Path) -> Result<BTreeSet<String>, ServiceError> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        ServiceError::new(
            ErrorKind::Usage,
            format!("cannot read the baseline `{}`: {}", path.display(), crate::error::why(&error)),
        )
        .hint("write one with `--write-baseline FILE`")
    })?;
    Ok(text
        .lines()
        // A name may end in spaces.
        .filter(|line| !line.trim().is_empty() && !line.starts_with('#'))
        .map(str::to_owned)
        .collect())
}

/// The text of a baseline: the keys of a report's findings, sorted, those below the level that is shown included.
/// Findings that an earlier baseline holds stay in it.
pub fn baseline(report: &Report) -> String {
    let known = report.suppressed.iter().filter(|finding| finding.by == BASELINE).map(|finding| &finding.key);
    let found = report.findings.iter().flat_map(|finding| finding.keys());
    let keys: BTreeSet<&String> = found.chain(&report.unshown).chain(known).collect();
    let mut text = String::from(
        "# Findings that were there when this file was written. Remove lines as they are mended.\n",
    );
    for key in keys {
        text.push_str(key);
        text.push('\n');
    }
    text
}
