//! Files as they are, files as they were when they were applied, and how each stands.

use dbwright_model::engine::Dialect;

use super::*;
use crate::files::SourceFile;
use crate::script::read;
use crate::tools::Around;

fn migrations(files: &[(&str, &str)]) -> Vec<Migration> {
    let sources: Vec<SourceFile> = files
        .iter()
        .map(|(name, text)| SourceFile { name: (*name).to_owned(), text: (*text).to_owned() })
        .collect();
    read(Dialect::Postgres, &sources, &Around::default())
}

/// Files as they are now, files as they were when they were applied, and how each version stands.
fn check(now: &[(&str, &str)], then: &[(&str, &str)], standings: &[(&str, Standing)]) {
    let now = migrations(now);
    let rows: Vec<Applied> = migrations(then)
        .iter()
        .map(|migration| Applied {
            version: migration.version.clone(),
            checksum: migration.checksum.clone(),
            content: migration.content.clone(),
            state: AppliedState::Applied,
            ..Applied::default()
        })
        .collect();
    let found: Vec<(String, Standing)> =
        lines(&now, &rows).into_iter().map(|line| (line.version, line.standing)).collect();
    let standings: Vec<(String, Standing)> =
        standings.iter().map(|(version, standing)| ((*version).to_owned(), *standing)).collect();
    assert_eq!(found, standings);
}

const A: (&str, &str) = ("1_a.sql", "create table t (a int default 1);");
const B: (&str, &str) = ("2_b.sql", "create table child (b int);");
const C: (&str, &str) = ("10_c.sql", "drop table child;");

#[test]
fn files_stand_to_what_is_recorded() {
    use Standing::{Applied, Edited, Missing, OutOfOrder, Pending, Replaced, Replaces, Reworded};
    check(&[A, B, C], &[A, B], &[("1", Applied), ("2", Applied), ("10", Pending)]);
    check(&[A, B, C], &[A, C], &[("1", Applied), ("2", OutOfOrder), ("10", Applied)]);
    check(&[B], &[A, B], &[("1", Missing), ("2", Applied)]);
    // A version without a file is applied all the same, so that what is older comes too late.
    check(&[A, B], &[A, C], &[("1", Applied), ("2", OutOfOrder), ("10", Missing)]);
    let say = |text| [("1_a.sql", text)];
    check(&say("create table t (a int default 2);"), &[A], &[("1", Edited)]);
    check(&say("create  table t -- why\n (a /* so */ int\n default 1);"), &[A], &[("1", Reworded)]);
    check(
        &say("create table t (a int default '  1');"),
        &say("create table t (a int default ' 1');"),
        &[("1", Edited)],
    );
    check(&say("do $$ begin null; -- a\n end $$"), &say("do $$ begin null; -- b\n end $$"), &[("1", Edited)]);
    let squash = ("2_all.sql", "-- Replaces: 1, 2\ncreate table t (a int default 1);");
    check(&[squash, C], &[A, B, C], &[("1", Replaced), ("2", Replaces), ("10", Applied)]);
    check(&[squash, C], &[squash], &[("2", Applied), ("10", Pending)]);
    check(&[squash, C], &[], &[("2", Pending), ("10", Pending)]);
}

#[test]
fn a_repeatable_file_is_run_anew_when_it_changes() {
    check(
        &[("R__v.sql", "select 2"), A],
        &[("R__v.sql", "select 1")],
        &[("1", Standing::Pending), ("R__v", Standing::Changed)],
    );
    let view = ("R__v.sql", "select 1");
    check(&[view, A], &[view], &[("1", Standing::Pending), ("R__v", Standing::Applied)]);
}

#[test]
fn what_was_begun_is_not_applied() {
    let files = migrations(&[A, B]);
    let row = |version: &str, state| Applied { version: version.to_owned(), state, ..Applied::default() };
    let rows =
        [row("1", AppliedState::Failed), row("2", AppliedState::Undone), row("3", AppliedState::Running)];
    let found = lines(&files, &rows);
    let standings: Vec<Standing> = found.iter().map(|line| line.standing).collect();
    assert_eq!(standings, [Standing::Unfinished, Standing::Pending, Standing::Unfinished]);
}
