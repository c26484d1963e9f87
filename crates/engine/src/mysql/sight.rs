//! What the account may see. `information_schema` hides what an account holds no privilege on without a word, so that a
//! short list and a hidden one look alike.

use dbwright_model::catalog::ReferentialAction;
use dbwright_model::engine::Engine;
use dbwright_model::facts::{Fact, Facts};
use dbwright_model::name::Name;
use dbwright_model::observed::Observed;

use super::catalog::{Reading, action};
use super::wire::{Asker, Trouble, quoted};
use crate::row::Value;

/// What was learnt about the account's sight of the target.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sight {
    /// Whether every table of the target is shown.
    pub(super) tables: bool,
    /// Whether every trigger is shown.
    pub(super) triggers: bool,
    /// Whether every routine is shown.
    pub(super) routines: bool,
}

/// A name that no table and no database has.
const NOWHERE: &str = "dbwright_no_such_name";

impl Sight {
    /// Asks the server. What cannot be told counts as hidden.
    pub(super) async fn of(asker: &mut Asker) -> Sight {
        let database = asker.database.clone();
        let everywhere = may_read(asker, NOWHERE).await;
        let tables = everywhere || (!database.is_empty() && may_read(asker, &database).await);
        let grants = grants(asker).await;
        let holds = |privileges: &[&str]| grants.iter().any(|grant| grant.covers(&database, privileges));
        let reads_routines = everywhere || may_run(asker, "SELECT 1 AS one FROM mysql.proc LIMIT 0").await;
        Sight {
            tables,
            triggers: tables && holds(&["TRIGGER"]),
            routines: reads_routines
                || holds(&[
                    "SHOW_ROUTINE",
                    "SHOW CREATE ROUTINE",
                    "EXECUTE",
                    "ALTER ROUTINE",
                    "CREATE ROUTINE",
                ]),
        }
    }

    /// What to grant so that everything is shown.
    pub(super) fn wish(database: &str) -> String {
        let on = if database.is_empty() { "*".to_owned() } else { quoted(database) };
        format!("grant SELECT, SHOW VIEW and TRIGGER on {on}.* to the account")
    }
}

/// Whether the account may read every table of a database, there or not. The server looks at privileges before it looks
/// for the table, and roles, patterns and partial revokes are its own to reckon.
async fn may_read(asker: &mut Asker, database: &str) -> bool {
    let select =
        format!("/* dbwright:sight */ SELECT 1 AS one FROM {}.{}", quoted(database), quoted(NOWHERE));
    matches!(asker.run(&select, "").await, Err(Trouble::Unsupported(_)))
}

async fn may_run(asker: &mut Asker, sql: &str) -> bool {
    asker.run(&format!("/* dbwright:sight */ {sql}"), "").await.is_ok()
}

/// One line of `SHOW GRANTS` about all tables of a database or of the server.
#[derive(Debug, PartialEq, Eq)]
struct Grant {
    /// Pattern of the database; `None` for all.
    database: Option<String>,
    /// Privileges in upper case.
    privileges: Vec<String>,
}

impl Grant {
    /// Whether it gives one of these on the target; without a target, on the whole server.
    fn covers(&self, target: &str, privileges: &[&str]) -> bool {
        let reaches = match &self.database {
            None => true,
            Some(pattern) => !target.is_empty() && is_like(target, pattern),
        };
        reaches
            && self
                .privileges
                .iter()
                .any(|held| held == "ALL PRIVILEGES" || privileges.contains(&held.as_str()))
    }
}

/// What the account and its active roles hold on whole databases. Where something is revoked in part, nothing is sure.
async fn grants(asker: &mut Asker) -> Vec<Grant> {
    let Ok(rows) = asker.run("/* dbwright:sight */ SHOW GRANTS", "").await else { return Vec::new() };
    let mut made = Vec::new();
    for row in &rows {
        // The column is named after the account.
        let Some(Value::Text(line)) = row.values.first() else { continue };
        if line.trim_start().starts_with("REVOKE") {
            return Vec::new();
        }
        made.extend(grant(line));
    }
    made
}

/// Reads a line such as ``GRANT SELECT, TRIGGER ON `app\_%`.* TO ...``.
fn grant(line: &str) -> Option<Grant> {
    let (privileges, rest) = line.strip_prefix("GRANT ")?.split_once(" ON ")?;
    let database = if rest.starts_with("*.*") {
        None
    } else {
        let (name, rest) = quoted_name(rest)?;
        rest.strip_prefix(".*")?;
        Some(name)
    };
    let privileges = privileges.split(',').map(|one| one.trim().to_ascii_uppercase()).collect();
    Some(Grant { database, privileges })
}

/// A name in backquotes at the start of a text, and what follows it.
fn quoted_name(text: &str) -> Option<(String, &str)> {
    let mut rest = text.strip_prefix('`')?;
    let mut name = String::new();
    loop {
        let (part, after) = rest.split_once('`')?;
        name.push_str(part);
        match after.strip_prefix('`') {
            Some(more) => {
                name.push('`');
                rest = more;
            }
            None => return Some((name, after)),
        }
    }
}

/// Whether a name fits a pattern of `%`, `_` and escapes.
fn is_like(name: &str, pattern: &str) -> bool {
    fn fits(name: &[char], pattern: &[char]) -> bool {
        match pattern {
            [] => name.is_empty(),
            ['%', rest @ ..] => (0..=name.len()).any(|at| fits(&name[at..], rest)),
            ['\\', c, rest @ ..] => name.first() == Some(c) && fits(&name[1..], rest),
            ['_', rest @ ..] => !name.is_empty() && fits(&name[1..], rest),
            [c, rest @ ..] => name.first() == Some(c) && fits(&name[1..], rest),
        }
    }
    // Names of databases are short; many `%` in one pattern would still take long.
    let pattern: Vec<char> = pattern.chars().collect();
    let stars = pattern.iter().filter(|c| **c == '%').count();
    stars <= 4 && fits(&name.chars().collect::<Vec<_>>(), &pattern)
}

/// Marks what the account's sight leaves open: refused where nothing is shown, in part where something is.
pub(super) fn judge(facts: &mut Facts, fact: Fact, sight: Sight, database: &str) {
    let (whole, empty) = match fact {
        Fact::Catalog => {
            let Some(catalog) = facts.catalog.known() else { return };
            (sight.tables, catalog.tables.is_empty() && catalog.views.is_empty())
        }
        Fact::Functions | Fact::Triggers => {
            let Some(catalog) = facts.catalog.known() else { return };
            match fact {
                Fact::Functions => {
                    let Some(functions) = catalog.functions.known() else { return };
                    let bodies = functions.iter().all(|function| !function.body.is_empty());
                    (sight.routines && bodies, functions.is_empty())
                }
                _ => {
                    let Some(triggers) = catalog.triggers.known() else { return };
                    (sight.triggers, triggers.is_empty())
                }
            }
        }
        Fact::TableStatistics => (sight.tables, is_empty(&facts.table_statistics)),
        Fact::IndexStatistics => (sight.tables, is_empty(&facts.index_statistics)),
        Fact::SequenceValues => (sight.tables, is_empty(&facts.sequence_values)),
        Fact::ColumnMaxima => (sight.tables, is_empty(&facts.column_maxima)),
        Fact::MigrationHistory => (sight.tables, is_empty(&facts.migration_history)),
        _ => return,
    };
    if whole || !facts.status(fact).is_known() {
        return;
    }
    let grant = match fact {
        Fact::Functions => {
            "grant SHOW_ROUTINE, SHOW CREATE ROUTINE or SELECT on mysql.proc to the account".to_owned()
        }
        _ => Sight::wish(database),
    };
    if empty {
        facts.deny(fact, &format!("the server shows the account none of them: {grant}"));
    } else {
        facts
            .in_part
            .insert(fact, format!("the server hides what the account holds no privilege on: {grant}"));
    }
}

fn is_empty<T>(list: &Observed<Vec<T>>) -> bool {
    list.known().is_some_and(Vec::is_empty)
}

/// What foreign keys do on delete and on update, as `SHOW CREATE TABLE` says it: MariaDB shows the rows of
/// `REFERENTIAL_CONSTRAINTS` only to those who may do more than read.
pub(super) fn actions(
    create: &str,
    reading: Reading<'_>,
) -> Vec<(Name, ReferentialAction, ReferentialAction)> {
    let mut made = Vec::new();
    for line in create.lines() {
        let Some((name, mut rest)) = line.trim_start().strip_prefix("CONSTRAINT ").and_then(quoted_name)
        else {
            continue;
        };
        if !rest.starts_with(" FOREIGN KEY ") {
            continue;
        }
        let mut bare = String::new();
        while let Some(at) = rest.find('`') {
            bare.push_str(&rest[..at]);
            match quoted_name(&rest[at..]) {
                Some((_, after)) => rest = after,
                None => break,
            }
        }
        bare.push_str(rest);
        let on = |event: &str| said(&bare, event, reading.engine);
        made.push((Name::new(&name), on(" ON DELETE "), on(" ON UPDATE ")));
    }
    made
}

fn said(text: &str, event: &str, engine: Engine) -> ReferentialAction {
    let Some((_, rest)) = text.split_once(event) else { return ReferentialAction::NoAction };
    let rules = ["CASCADE", "SET NULL", "SET DEFAULT", "RESTRICT", "NO ACTION"];
    rules
        .into_iter()
        .find(|rule| rest.starts_with(rule))
        .map_or(ReferentialAction::NoAction, |rule| action(rule, engine))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_grants_is_read() {
        let check = |line: &str, target: &str, privilege: &str, covers: bool| {
            let read = grant(line);
            assert_eq!(read.is_some_and(|grant| grant.covers(target, &[privilege])), covers, "{line}");
        };
        check("GRANT SELECT, SHOW VIEW, TRIGGER ON `d`.* TO `u`@`%`", "d", "TRIGGER", true);
        check("GRANT SELECT, SHOW VIEW, TRIGGER ON `d`.* TO `u`@`%`", "dd", "TRIGGER", false);
        check("GRANT TRIGGER ON `d`.* TO `u`@`%`", "", "TRIGGER", false);
        check("GRANT ALL PRIVILEGES ON *.* TO `root`@`localhost` WITH GRANT OPTION", "", "TRIGGER", true);
        check("GRANT TRIGGER ON `a\\_%`.* TO `u`@`%`", "a_b", "TRIGGER", true);
        check("GRANT TRIGGER ON `a\\_%`.* TO `u`@`%`", "axb", "TRIGGER", false);
        check("GRANT TRIGGER ON `a``b`.* TO `u`@`%`", "a`b", "TRIGGER", true);
        check("GRANT TRIGGER ON `d`.`t` TO `u`@`%`", "d", "TRIGGER", false);
        check("GRANT SELECT (`TRIGGER`) ON `d`.`t` TO `u`@`%`", "d", "TRIGGER", false);
        check("GRANT EXECUTE ON PROCEDURE `d`.`p` TO `u`@`%`", "d", "EXECUTE", false);
        check("GRANT `TRIGGER` TO `u`@`%`", "d", "TRIGGER", false);
        check("GRANT USAGE ON *.* TO `u`@`%`", "d", "TRIGGER", false);
        check("SET DEFAULT ROLE `r` FOR `u`@`%`", "d", "TRIGGER", false);
    }

    #[test]
    fn actions_are_read_from_the_statement() {
        let create = "CREATE TABLE `t` (\n  `a` int DEFAULT NULL COMMENT 'CONSTRAINT `x` FOREIGN KEY (ON DELETE CASCADE',\n  \
                      CONSTRAINT `f` FOREIGN KEY (`a ON DELETE SET NULL `) REFERENCES `p` (`id`) ON UPDATE CASCADE,\n  \
                      CONSTRAINT `g` FOREIGN KEY (`a`) REFERENCES `p` (`id`) ON DELETE SET NULL\n)";
        let reading = Reading { engine: Engine::Mariadb, database: "d" };
        use ReferentialAction::{Cascade, NoAction, SetNull};
        assert_eq!(
            actions(create, reading),
            [(Name::new("f"), NoAction, Cascade), (Name::new("g"), SetNull, NoAction)]
        );
    }
}
