//! Facts from any target, in the same form.

use dbwright_engine::dsn::Dsn;
use dbwright_engine::session::ReadSession;
use dbwright_model::facts::{DataQuestion, Fact, Facts};
use dbwright_model::observed::Observed;
use dbwright_rules::Entry;
use dbwright_sql::files::FileFacts;
use dbwright_sql::places::Places;
use dbwright_sql::suppress::{self, CommentSuppression};

use crate::config::Config;
use crate::error::{ErrorKind, ServiceError};
use crate::snapshot;
use crate::target::Target;
use crate::world::World;

/// Facts and what came with them.
#[derive(Debug)]
pub struct Gathered {
    /// The facts.
    pub facts: Facts,
    /// Where objects stand in files.
    pub places: Places,
    /// Suppressions in comments.
    pub suppressions: Vec<CommentSuppression>,
    /// Whether the engine was guessed from the words of files.
    pub engine_guessed: bool,
}

/// Which facts the rules need and want: the collection plan.
pub fn plan<'a>(rules: impl IntoIterator<Item = &'a Entry>) -> Vec<Fact> {
    let mut wanted: Vec<Fact> =
        rules.into_iter().flat_map(|entry| entry.rule.facts()).filter(|fact| fact.is_collected()).collect();
    wanted.push(Fact::Catalog);
    wanted.sort();
    wanted.dedup();
    wanted
}

/// Gets the facts of a target. With `ask_rows`, rules may have rows counted.
pub async fn gather(
    target: Target,
    plan: &[Fact],
    rules: &[&'static Entry],
    ask_rows: bool,
    config: &Config,
    world: &World<'_>,
) -> Result<Gathered, ServiceError> {
    let mut gathered = match target {
        Target::Files(files) => {
            let read = dbwright_sql::files::read(files.engine, files.version, &files.name, &files.files);
            if !read.understood {
                return Err(nothing_understood(&files.name, &read));
            }
            Gathered {
                facts: read.facts,
                places: read.places,
                suppressions: read.suppressions,
                engine_guessed: files.guessed,
            }
        }
        Target::Snapshot(path) => {
            let mut facts = snapshot::read(&path)?;
            dbwright_sql::understand::understand(&mut facts);
            from_catalog(facts)
        }
        Target::Database(dsn) => from_catalog(live(&dsn, plan, rules, ask_rows, config, world).await?),
    };
    gathered.facts.declared_proofs = config.restore_proofs.clone();
    Ok(gathered)
}

/// A file of which nothing is understood is no clean file.
fn nothing_understood(name: &str, read: &FileFacts) -> ServiceError {
    let Some(first) = read.facts.source.skipped.first() else {
        return ServiceError::new(ErrorKind::Usage, format!("`{name}` holds no statements"));
    };
    ServiceError::new(
        ErrorKind::Usage,
        format!("nothing in `{name}` was understood: line {}: {}", first.line, first.because),
    )
    .hint("say what it is written for with `--engine postgres`, `mysql`, `mariadb` or `sqlite`")
}

fn from_catalog(facts: Facts) -> Gathered {
    let suppressions = facts.catalog.known().map(suppress::in_catalog).unwrap_or_default();
    Gathered { facts, places: Places::default(), suppressions, engine_guessed: false }
}

async fn live(
    dsn: &Dsn,
    plan: &[Fact],
    rules: &[&'static Entry],
    ask_rows: bool,
    config: &Config,
    world: &World<'_>,
) -> Result<Facts, ServiceError> {
    let mut session = ReadSession::open(dsn, &world.limits).await?;
    let mut facts = session.collect(plan, world.progress).await?;
    // Nobody reads fractions of a second, and they make every line that shows the time longer.
    facts.source.collected_at =
        Some(jiff::Timestamp::from_second(world.now.as_second()).unwrap_or(world.now));
    dbwright_sql::understand::understand(&mut facts);
    if ask_rows {
        let questions = questions(&facts, rules, config);
        facts.data = Observed::Known(Vec::new());
        session.ask(&questions, &mut facts).await?;
    }
    session.close().await;
    Ok(facts)
}

/// What the rules want to know about rows, each question once.
fn questions(facts: &Facts, rules: &[&'static Entry], config: &Config) -> Vec<DataQuestion> {
    let mut questions = dbwright_rules::run::questions(facts, rules.iter().copied(), &config.options);
    questions.sort();
    questions.dedup();
    questions
}
