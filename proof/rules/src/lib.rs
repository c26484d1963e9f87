//! The examples in the rules' Markdown texts, read and run.
//!
//! A fence that begins with `sql` holds statements; the engines it is for may follow (`sql postgres sqlite`), otherwise it
//! is for every engine that the rule applies to. A line marked `-- finding` must be found there and nowhere else; a fence
//! without marks must be silent. A line `-- says TEXT` demands the text in a finding's message, evidence or remedy, its
//! statements included, and `-- says not TEXT` its absence from all of them. A fence that begins with `facts` holds facts in TOML, for what no statement can make:
//! a table per field of the facts, `[settings]` as names and values, `sql` for statements to fold, and `expect`, the
//! objects that must be found.
//!
//! A fence that begins with `sql migration` holds migrations. What stands before its first line `-- migration` is the
//! database as it is, each such line begins a file; without one the whole fence is a file for a database that is not
//! known. After `-- migration` may stand how the tool runs the file, `transaction`, `one-query` or `none`, and whether a
//! way back is written for it, `undo` or `no-undo`.

pub mod plans;

use std::collections::BTreeSet;

use dbwright_model::catalog::Catalog;
use dbwright_model::chain::{ChainFile, Wrap};
use dbwright_model::engine::{Engine, Version};
use dbwright_model::facts::{Fact, FactSource, Facts, Origin};
use dbwright_model::finding::Finding;
use dbwright_model::name::Name;
use dbwright_model::observed::Observed;
use dbwright_rules::run::{Checked, run};
use dbwright_rules::{Applies, Entry, Options};
use dbwright_sql::chain::{self, MigrationFile, Start};
use dbwright_sql::effects::Circumstances;
use dbwright_sql::files::SourceFile;
use dbwright_sql::fold::Folder;
use dbwright_sql::places::Places;

/// One fence of a rule's text.
#[derive(Clone, Debug)]
pub struct Example {
    /// The rule.
    pub entry: &'static Entry,
    /// Line of the opening fence in the Markdown file, from 1.
    pub line: u32,
    /// Engines it is for.
    pub engines: Vec<Engine>,
    /// Lowest server version it can run on, as `since-15`.
    pub since: Option<Version>,
    /// What it holds.
    pub body: Body,
}

/// What a fence holds.
#[derive(Clone, Debug)]
pub enum Body {
    /// Statements.
    Sql(String),
    /// Facts in TOML.
    Facts(String),
    /// Migrations.
    Migration(String),
}

/// Every fence of a rule's text that is a test.
pub fn examples(entry: &'static Entry) -> Result<Vec<Example>, String> {
    let mut examples = Vec::new();
    let mut open: Option<(u32, String, String)> = None;
    for (i, line) in entry.text.lines().enumerate() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(info)) => open = Some((i as u32 + 1, info.trim().to_owned(), String::new())),
            (Some(_), Some(_)) => {
                let (line, info, body) = open.take().unwrap_or_default();
                examples.extend(example(entry, line, &info, body)?);
            }
            (Some((_, _, body)), None) => {
                body.push_str(line);
                body.push('\n');
            }
            (None, None) => {}
        }
    }
    match open {
        Some((line, _, _)) => Err(format!("{}: the fence at line {line} is never closed", entry.id)),
        None => Ok(examples),
    }
}

fn example(entry: &'static Entry, line: u32, info: &str, body: String) -> Result<Option<Example>, String> {
    let mut words = info.split_whitespace().peekable();
    let body = match words.next() {
        Some("sql") if words.next_if_eq(&"migration").is_some() => Body::Migration(body),
        Some("sql") => Body::Sql(body),
        Some("facts") => Body::Facts(body),
        _ => return Ok(None),
    };
    let mut engines = Vec::new();
    let mut since = None;
    for word in words {
        if let Some(engine) = Engine::ALL.into_iter().find(|engine| engine.id() == word) {
            engines.push(engine);
        } else if let Some(version) = word.strip_prefix("since-") {
            since = Version::parse(version);
        } else {
            return Err(format!("{}:{line}: what does `{word}` mean in a fence?", entry.id));
        }
    }
    if engines.is_empty() {
        engines =
            Engine::ALL.into_iter().filter(|engine| entry.rule.engines.of(*engine) == Applies::Yes).collect();
    }
    Ok(Some(Example { entry, line, engines, since, body }))
}

impl Example {
    /// Whether something must be found in it.
    pub fn expects_findings(&self) -> bool {
        match &self.body {
            Body::Sql(text) | Body::Migration(text) => text.lines().any(is_marked),
            Body::Facts(text) => {
                text.lines().any(|line| line.trim_start().starts_with("expect") && !line.contains("[]"))
            }
        }
    }

    /// The facts of the example for one engine, without a server.
    pub fn facts(&self, engine: Engine) -> Result<Facts, String> {
        match &self.body {
            Body::Sql(text) => {
                let file = SourceFile { name: "example.sql".to_owned(), text: text.clone() };
                Ok(dbwright_sql::files::read(engine, None, "example.sql", &[file]).facts)
            }
            Body::Facts(text) => read_facts(engine, self.since, text).map(|(facts, _)| facts),
            Body::Migration(text) => Ok(read_migrations(engine, self.since, text)?.0),
        }
    }

    /// Runs the example for one engine without a server.
    pub fn check(&self, engine: Engine) -> Result<(), String> {
        let complain =
            |what: String| format!("{} ({engine}), fence at line {}: {what}", self.entry.id, self.line);
        match &self.body {
            Body::Sql(text) | Body::Migration(text) => {
                let (findings, found) = match &self.body {
                    Body::Migration(_) => self.lint(engine, text).map_err(complain)?,
                    _ => self.fold(engine, text).map_err(complain)?,
                };
                let expected: BTreeSet<u32> = text
                    .lines()
                    .enumerate()
                    .filter(|(_, line)| is_marked(line))
                    .map(|(i, _)| i as u32 + 1)
                    .collect();
                if found == expected {
                    return self.check_words(engine, text, &findings).map_err(complain);
                }
                let list: Vec<String> = findings
                    .iter()
                    .map(|finding| format!("{} -- {}", finding.object, finding.message))
                    .collect();
                Err(complain(format!(
                    "found on lines {found:?}, expected on lines {expected:?}\n  {}",
                    list.join("\n  ")
                )))
            }
            Body::Facts(text) => {
                let (facts, expected) = read_facts(engine, self.since, text).map_err(&complain)?;
                let findings = match self.judge(&facts) {
                    Err(_) if expected.contains(UNKNOWN) => return Ok(()),
                    judged => judged.map_err(&complain)?,
                };
                let found: BTreeSet<String> =
                    findings.iter().map(|finding| finding.object.to_string()).collect();
                if found == expected {
                    return self.check_words(engine, text, &findings).map_err(complain);
                }
                Err(complain(format!("found {found:?}, expected {expected:?}")))
            }
        }
    }

    /// Holds the findings to the lines `-- says TEXT` and `-- says not TEXT`, in facts after `#`.
    fn check_words(&self, engine: Engine, text: &str, findings: &[Finding]) -> Result<(), String> {
        let said: String = findings.iter().map(|finding| words_of(engine, self.since, finding)).collect();
        for line in
            text.lines().filter_map(|line| WORDS_MARKS.iter().find_map(|mark| line.trim().strip_prefix(mark)))
        {
            match line.strip_prefix("not ") {
                Some(unwanted) if said.contains(unwanted) => {
                    return Err(format!("`{unwanted}` must not be said:\n{said}"));
                }
                None if !said.contains(line) => return Err(format!("`{line}` is not said:\n{said}")),
                _ => {}
            }
        }
        Ok(())
    }

    /// The findings of the folded statements, and their lines.
    pub fn fold(&self, engine: Engine, text: &str) -> Result<(Vec<Finding>, BTreeSet<u32>), String> {
        let file = SourceFile { name: "example.sql".to_owned(), text: text.to_owned() };
        let read = dbwright_sql::files::read(engine, None, "example.sql", &[file]);
        if let Some(skipped) = read.facts.source.skipped.first() {
            return Err(format!("line {} was not understood: {}", skipped.line, skipped.because));
        }
        let findings = self.judge(&read.facts)?;
        let lines = findings
            .iter()
            .map(|finding| {
                let place = finding.location.as_ref().or_else(|| read.places.find(&finding.object));
                place.map_or(0, |place| place.line)
            })
            .collect();
        Ok((findings, lines))
    }

    /// The findings of the migrations, and their lines.
    pub fn lint(&self, engine: Engine, text: &str) -> Result<(Vec<Finding>, BTreeSet<u32>), String> {
        let (facts, places) = read_migrations(engine, self.since, text)?;
        let findings = self.judge(&facts)?;
        let lines = findings
            .iter()
            .map(|finding| {
                let place = finding.location.as_ref().or_else(|| places.find(&finding.object));
                place.map_or(0, |place| place.line)
            })
            .collect();
        Ok((findings, lines))
    }

    /// The findings of the rule over some facts.
    pub fn judge(&self, facts: &Facts) -> Result<Vec<Finding>, String> {
        let outcome = run(facts, [self.entry], &Options::default());
        match &outcome.checks[0].1 {
            Checked::Unknown { because } => Err(format!("the rule could not be checked: {because}")),
            Checked::Skipped { because } => Err(format!("the rule was skipped: {because}")),
            Checked::Unasked { because } => Err(format!("the rule was not asked: {because}")),
            _ => Ok(outcome.findings),
        }
    }
}

/// The line that begins a file of migrations.
const FILE_MARK: &str = "-- migration";

/// What ends a line on which something must be found.
const FINDING_MARK: &str = "-- finding";

/// What begins a line that demands words of the findings.
const WORDS_MARKS: [&str; 2] = ["-- says ", "# says "];

/// Everything a user reads of a finding, a line each.
fn words_of(engine: Engine, version: Option<Version>, finding: &Finding) -> String {
    let mut lines = vec![finding.message.clone()];
    lines.extend(finding.evidence.iter().map(|one| format!("{}: {}", one.name, one.value)));
    if let Some(remedy) = &finding.remedy {
        lines.push(format!("{:?}: {}", remedy.applicability, remedy.summary).to_lowercase());
        lines.push(remedy.summary.to_string());
        for change in &remedy.changes {
            let written = dbwright_sql::write(engine, version, change).unwrap_or_default();
            lines.extend(written.into_iter().map(|statement| format!("{};", statement.sql)));
        }
        lines.extend(remedy.statements.iter().map(|statement| format!("{};", statement.sql)));
    }
    lines.join("\n") + "\n"
}

/// The migrations of a fence as facts. Lines keep their numbers.
fn read_migrations(engine: Engine, since: Option<Version>, text: &str) -> Result<(Facts, Places), String> {
    let mut before = String::new();
    let mut files: Vec<MigrationFile> = Vec::new();
    for (i, line) in text.lines().enumerate() {
        let words = line.trim_end().strip_prefix(FILE_MARK).map(str::trim);
        if let Some(how) = words {
            let name = format!("{}.sql", files.len() + 1);
            let mut file = ChainFile { name, judged: true, ..ChainFile::default() };
            for word in how.trim_end_matches(FINDING_MARK).split_whitespace() {
                match word {
                    "transaction" => file.wrap = Wrap::Transaction,
                    "one-query" => file.wrap = Wrap::OneQuery,
                    "none" => file.wrap = Wrap::None,
                    "undo" => file.has_undo = Some(true),
                    "no-undo" => file.has_undo = Some(false),
                    other => return Err(format!("`{FILE_MARK} {other}` is no way to run a file")),
                }
            }
            files.push(MigrationFile { file, text: "\n".repeat(i + 1) });
            continue;
        }
        let target = files.last_mut().map_or(&mut before, |file| &mut file.text);
        target.push_str(line);
        target.push('\n');
    }
    let known = !files.is_empty();
    if !known {
        let file = ChainFile { name: "1.sql".to_owned(), judged: true, ..ChainFile::default() };
        files.push(MigrationFile { file, text: std::mem::take(&mut before) });
    }
    let source = SourceFile { name: "before.sql".to_owned(), text: before };
    let read = dbwright_sql::files::read(engine, since, "example.sql", &[source]);
    if let Some(skipped) = read.facts.source.skipped.first() {
        return Err(format!("line {} was not understood: {}", skipped.line, skipped.because));
    }
    let mut facts = read.facts;
    let catalog = facts.catalog.known().cloned().unwrap_or_else(|| Catalog::empty(engine));
    let start = Start {
        before: Folder::on(catalog),
        known,
        circumstances: Circumstances { version: since, ..Circumstances::default() },
        together: false,
        earlier: Vec::new(),
    };
    facts.migrations = Observed::Known(chain::read(start, &files).chain);
    Ok((facts, read.places))
}
/// What a fence expects of a rule that cannot judge its facts: `expect = "unknown"`.
const UNKNOWN: &str = "unknown";

fn is_marked(line: &str) -> bool {
    line.trim_end().ends_with(FINDING_MARK)
}

/// Facts of a `facts` fence and the objects that it expects to be found.
fn read_facts(
    engine: Engine,
    since: Option<Version>,
    text: &str,
) -> Result<(Facts, BTreeSet<String>), String> {
    let mut values: toml::Table = toml::from_str(text).map_err(|error| error.to_string())?;
    let expected = match values.remove("expect") {
        Some(toml::Value::String(word)) if word == UNKNOWN => BTreeSet::from([word]),
        Some(toml::Value::Array(objects)) => {
            objects.iter().filter_map(|object| object.as_str().map(str::to_owned)).collect()
        }
        _ => return Err("a fence of facts says what it expects: `expect = []`".to_owned()),
    };
    let version = match values.remove("version") {
        Some(toml::Value::String(text)) => Version::parse(&text),
        _ => since,
    };
    let sql = match values.remove("sql") {
        Some(toml::Value::String(sql)) => Some(sql),
        _ => None,
    };
    let mut facts = base(engine, version, sql.as_deref())?;
    let mut json = serde_json::to_value(&facts).map_err(|error| error.to_string())?;
    for (field, value) in values {
        let value = serde_json::to_value(value).map_err(|error| error.to_string())?;
        if field == "source" {
            let (Some(target), Some(given)) = (json["source"].as_object_mut(), value.as_object()) else {
                return Err("`source` is a table".to_owned());
            };
            target.extend(given.clone());
            continue;
        }
        let value = match field.as_str() {
            "settings" => settings(value)?,
            "server_status" => serde_json::json!({ "values": texts(value)? }),
            _ => value,
        };
        if json.get(&field).is_none() {
            return Err(format!("there is no fact `{field}`"));
        }
        json[&field] = match value {
            serde_json::Value::String(because) => serde_json::json!({ "denied": because }),
            value => serde_json::json!({ "known": value }),
        };
    }
    facts = serde_json::from_value(json).map_err(|error| error.to_string())?;
    dbwright_sql::understand::understand(&mut facts);
    Ok((facts, expected))
}

fn base(engine: Engine, version: Option<Version>, sql: Option<&str>) -> Result<Facts, String> {
    let source = FactSource {
        origin: Origin::Live,
        engine,
        version,
        version_text: String::new(),
        target: "example".to_owned(),
        database: Name::new("example"),
        role: Some(Name::new("example")),
        superuser: true,
        collected_at: Some("2030-06-15T12:00:00Z".parse().map_err(|_| "a fixed time".to_owned())?),
        skipped: Vec::new(),
    };
    let Some(sql) = sql else { return Ok(Facts::none(source)) };
    let file = SourceFile { name: "example.sql".to_owned(), text: sql.to_owned() };
    let read = dbwright_sql::files::read(engine, version, "example.sql", &[file]);
    if let Some(skipped) = read.facts.source.skipped.first() {
        return Err(format!("`sql` line {} was not understood: {}", skipped.line, skipped.because));
    }
    let mut facts = Facts::none(source);
    if read.facts.status(Fact::Workload).is_known() {
        facts.workload = read.facts.workload;
    }
    facts.catalog = read.facts.catalog;
    Ok(facts)
}

/// `name = value` becomes a setting; a table stays what it is.
fn settings(value: serde_json::Value) -> Result<serde_json::Value, String> {
    let serde_json::Value::Object(given) = value else { return Err("`settings` is a table".to_owned()) };
    let mut values = serde_json::Map::new();
    for (name, value) in given {
        let setting = match value {
            serde_json::Value::Object(mut setting) => {
                setting.entry("value").or_insert_with(|| "".into());
                serde_json::Value::Object(setting)
            }
            other => serde_json::json!({ "value": text_of(&other) }),
        };
        values.insert(name, setting);
    }
    Ok(serde_json::json!({ "values": values }))
}

fn texts(value: serde_json::Value) -> Result<serde_json::Value, String> {
    let serde_json::Value::Object(given) = value else { return Err("it is a table".to_owned()) };
    Ok(given
        .into_iter()
        .map(|(name, value)| (name, text_of(&value).into()))
        .collect::<serde_json::Map<_, _>>()
        .into())
}

fn text_of(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Facts of which every one was refused.
pub fn unknown_facts(engine: Engine) -> Facts {
    let mut facts = base(engine, None, None).unwrap_or_else(|error| unreachable!("{error}"));
    for fact in Fact::ALL {
        facts.deny(fact, "the role may not read it");
    }
    facts
}

/// Tables without a fault that any rule knows.
pub fn healthy_tables(engine: Engine, count: usize) -> Vec<dbwright_model::catalog::Table> {
    let key = match engine {
        Engine::Postgres => "bigint generated always as identity primary key",
        Engine::Mysql | Engine::Mariadb => "bigint not null auto_increment primary key",
        Engine::Sqlite => "integer primary key",
    };
    let sql: String = (0..count)
        .map(|i| {
            format!(
                "create table healthy_things_{} (id {key}, code varchar(40) not null unique);\n",
                letters(i)
            )
        })
        .collect();
    let facts = base(engine, None, Some(&sql)).unwrap_or_else(|error| unreachable!("{error}"));
    match facts.catalog {
        Observed::Known(catalog) => catalog.tables,
        _ => Vec::new(),
    }
}

/// `a`, `b`, ... `z`, `ba`, ...: names without numbers, which would look like one table cut in pieces.
fn letters(mut n: usize) -> String {
    let mut text = String::new();
    loop {
        text.insert(0, char::from(b'a' + (n % 26) as u8));
        n /= 26;
        if n == 0 {
            return text;
        }
    }
}
