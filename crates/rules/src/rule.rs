//! The form of a rule.

use std::collections::BTreeMap;

use dbwright_model::engine::Engine;
use dbwright_model::facts::{DataQuestion, Fact};
use dbwright_model::finding::Level;
use dbwright_model::remedy::Applicability;
use dbwright_model::score::Dimension;

use crate::context::Context;
use crate::findings::Findings;

/// A rule's id: its path below the crate's source with `-` for `_`.
pub type RuleId = &'static str;

/// What a rule is. Everything said about it in the terminal, the docs and every other face is said here or in the
/// Markdown file beside it.
#[derive(Debug)]
pub struct Rule {
    /// The level of its findings, unless one says otherwise.
    pub level: Level,
    /// The dimension of the score it counts in.
    pub dimension: Dimension,
    /// Its weight among the rules of the dimension: 1 for a matter of taste, 10 for a matter of life.
    pub weight: u32,
    /// How settled it is.
    pub status: Status,
    /// Facts without which it cannot be checked.
    pub needs: &'static [Fact],
    /// Facts that add evidence to its findings when they are known.
    pub wants: &'static [Fact],
    /// Facts that can add findings or make them worse. Without them the rule still runs and shows what it finds, but
    /// counts as not checked: otherwise knowing less would look better.
    pub raised_by: &'static [Fact],
    /// Whether it reads the queries of views: where one is not known, the rule counts as checked in part.
    pub reads_views: bool,
    /// Where it applies, and why not elsewhere.
    pub engines: Engines,
    /// When it finds something: a fragment that completes "This rule fires when ...".
    pub when: &'static str,
    /// What follows from it: a sentence.
    pub then: &'static str,
    /// What to do instead: a sentence in the imperative.
    pub instead: &'static str,
    /// The same in the words of a Prisma schema, where that has any: a fragment in the imperative.
    pub in_prisma: Option<&'static str>,
    /// The most automatic remedy that its findings carry.
    pub remedy: Applicability,
    /// Its options with their defaults.
    pub options: &'static [OptionSpec],
    /// Where the threshold or the knowledge comes from.
    pub source: &'static str,
    /// Set for rules that are reported once when they fire almost everywhere: what is counted, in the plural
    /// ("foreign keys").
    pub convention: Option<&'static str>,
    /// Whether it judges what things are called, where clients come from, or what constants, comments and bodies say:
    /// facts whose names were replaced cannot answer it.
    pub reads_names: bool,
    /// The most the total can be while a critical finding of this rule stands, or while it cannot be checked.
    pub cap: Option<u32>,
    /// What it would like to have counted in the rows, when the user allows that. The answers are [`Fact::Data`].
    pub questions: Option<fn(&Context<'_>) -> Vec<DataQuestion>>,
    /// Facts in, findings out.
    pub check: fn(&Context<'_>, &mut Findings),
}

impl Rule {
    /// Every fact the rule looks at, needed or not.
    pub fn facts(&self) -> impl Iterator<Item = Fact> {
        self.needs.iter().chain(self.wants).chain(self.raised_by).copied()
    }

    /// Whether the rule is about files of migrations, which are read only where they are named.
    pub fn judges_migrations(&self) -> bool {
        self.needs.contains(&Fact::Migrations)
    }

    /// The values most rules share. Records override what differs.
    pub const DEFAULT: Rule = Rule {
        level: Level::Warning,
        dimension: Dimension::Schema,
        weight: 3,
        status: Status::Stable,
        needs: &[Fact::Catalog],
        wants: &[],
        raised_by: &[],
        reads_views: false,
        engines: Engines::ALL,
        when: "",
        then: "",
        instead: "",
        in_prisma: None,
        remedy: Applicability::Manual,
        options: &[],
        source: "",
        convention: None,
        reads_names: false,
        cap: None,
        questions: None,
        check: |_, _| {},
    };
}

/// How settled a rule is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It runs only when asked for, and never counts in the score.
    Preview,
    /// It runs by default.
    Stable,
}

/// Whether a rule makes sense for an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applies {
    /// It does.
    Yes,
    /// It does not, for this reason: a lower-case fragment.
    No(&'static str),
}

/// Where a rule applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Engines {
    postgres: Applies,
    mysql: Applies,
    mariadb: Applies,
    sqlite: Applies,
}

impl Engines {
    /// Everywhere.
    pub const ALL: Engines =
        Engines { postgres: Applies::Yes, mysql: Applies::Yes, mariadb: Applies::Yes, sqlite: Applies::Yes };

    /// On one engine only; the others share a reason.
    pub const fn only(engine: Engine, because: &'static str) -> Engines {
        let no = Applies::No(because);
        let none = Engines { postgres: no, mysql: no, mariadb: no, sqlite: no };
        none.with(engine, Applies::Yes)
    }

    /// On one more engine.
    pub const fn and(self, engine: Engine) -> Engines {
        self.with(engine, Applies::Yes)
    }

    /// On MySQL and MariaDB only.
    pub const fn mysql_family(because: &'static str) -> Engines {
        Engines::only(Engine::Mysql, because).with(Engine::Mariadb, Applies::Yes)
    }

    /// On servers only: everywhere but SQLite.
    pub const fn servers(because: &'static str) -> Engines {
        Engines::ALL.except(Engine::Sqlite, because)
    }

    /// Everywhere but on one engine.
    pub const fn except(self, engine: Engine, because: &'static str) -> Engines {
        self.with(engine, Applies::No(because))
    }

    /// Everywhere but on MySQL and MariaDB.
    pub const fn except_mysql_family(self, because: &'static str) -> Engines {
        self.except(Engine::Mysql, because).except(Engine::Mariadb, because)
    }

    const fn with(mut self, engine: Engine, applies: Applies) -> Engines {
        match engine {
            Engine::Postgres => self.postgres = applies,
            Engine::Mysql => self.mysql = applies,
            Engine::Mariadb => self.mariadb = applies,
            Engine::Sqlite => self.sqlite = applies,
        }
        self
    }

    /// Whether the rule applies to an engine.
    pub const fn of(&self, engine: Engine) -> Applies {
        match engine {
            Engine::Postgres => self.postgres,
            Engine::Mysql => self.mysql,
            Engine::Mariadb => self.mariadb,
            Engine::Sqlite => self.sqlite,
        }
    }
}

/// An option of a rule.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OptionSpec {
    /// Its name in `dbwright.toml`.
    pub name: &'static str,
    /// Its value when nobody says otherwise.
    pub default: OptionValue,
    /// What it means, with its unit.
    pub help: &'static str,
}

/// The value of an option.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum OptionValue {
    /// A number, with its unit in the help.
    Number(f64),
    /// A switch.
    Flag(bool),
    /// Words.
    Words(&'static [&'static str]),
}

/// Values that users chose, by rule id and option name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    /// The values.
    pub values: BTreeMap<String, BTreeMap<String, ChosenValue>>,
}

/// A value that a user chose.
#[derive(Clone, Debug, PartialEq)]
pub enum ChosenValue {
    /// A number.
    Number(f64),
    /// A switch.
    Flag(bool),
    /// Words.
    Words(Vec<String>),
}

impl Options {
    /// The value a user chose for an option of a rule.
    pub fn get(&self, rule: &str, option: &str) -> Option<&ChosenValue> {
        self.values.get(rule)?.get(option)
    }
}
