//! Names of migration files: a version by the clock and a few words.

use std::path::Path;

use dbwright_model::change::Change;
use dbwright_model::name::Name;
use dbwright_model::plan::Plan;
use jiff::{SignedDuration, Timestamp, civil::DateTime};

/// How versions are written.
const FORM: &str = "%Y%m%d%H%M%S";
/// Longest part of a name that says what the plan is for, and what the step is for.
const LONGEST: [usize; 2] = [60, 60];
/// Words that no name ends in: what they announce was cut off.
const DANGLING: [&str; 12] = ["a", "an", "and", "by", "for", "from", "has", "in", "of", "on", "the", "to"];

/// As many versions as there are steps, a second apart, later than any file of the folder.
pub(super) fn versions(now: Timestamp, folder: Option<&Path>, count: usize) -> Vec<String> {
    let newest = folder.and_then(newest);
    // A version has no fractions of a second, and must not be that of a file which is there.
    let now = now.to_zoned(jiff::tz::TimeZone::UTC).datetime();
    let now = now.round(jiff::Unit::Second).map_or(now, |rounded| {
        if rounded > now {
            rounded.checked_sub(SignedDuration::from_secs(1)).unwrap_or(rounded)
        } else {
            rounded
        }
    });
    let first = match newest {
        Some(newest) if newest >= now => newest.checked_add(SignedDuration::from_secs(1)).unwrap_or(newest),
        _ => now,
    };
    let later = |i: usize| first.checked_add(SignedDuration::from_secs(i as i64)).unwrap_or(first);
    (0..count).map(|i| later(i).strftime(FORM).to_string()).collect()
}

/// The newest version by the clock that a file of a folder has.
fn newest(folder: &Path) -> Option<DateTime> {
    let names = std::fs::read_dir(folder).ok()?.flatten().map(|entry| entry.file_name());
    names
        .filter_map(|name| {
            let name = name.to_string_lossy().into_owned();
            let digits = name.get(..14).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
            DateTime::strptime(FORM, digits).ok()
        })
        .max()
}

/// Who writes, as Git knows them; empty when it does not.
pub(super) fn author(folder: &Path) -> String {
    let ask = |key: &str| {
        let output =
            std::process::Command::new("git").args(["config", key]).current_dir(folder).output().ok()?;
        let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        (output.status.success() && !text.is_empty()).then_some(text)
    };
    match (ask("user.name"), ask("user.email")) {
        (Some(name), Some(email)) => format!("{name} <{email}>"),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => String::new(),
    }
}

/// What a plan is for, from the kinds of its changes and the first table that one of them is about.
pub(super) fn of_plan(plan: &Plan, changes: &[Change]) -> String {
    let said = changes.iter().find_map(|change| match change {
        Change::AddForeignKey { table, .. } => Some(&table.name),
        _ => None,
    });
    let first = plan.steps.iter().find_map(|step| step.expected.relations.first());
    let table = said.or(first.map(|effect| &effect.relation.name)).map(Name::as_str).unwrap_or_default();
    slug(&format!("{} {table}", plan.title), LONGEST[0])
}

/// What a wish is for.
pub(super) fn of_words(words: &str) -> String {
    slug(words, LONGEST[0])
}

/// What a step does.
pub(super) fn of_step(name: &str) -> String {
    let first = name.split_once(". ").map_or(name, |(first, _)| first);
    slug(&first.replace("`public.", "`"), LONGEST[1])
}

/// A text as a part of a file name, cut between words.
fn slug(text: &str, longest: usize) -> String {
    let mut slug = String::new();
    let mut is_cut = false;
    let lower = text.to_lowercase();
    for word in lower.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()) {
        if !slug.is_empty() && slug.len() + 1 + word.len() > longest {
            is_cut = true;
            break;
        }
        if !slug.is_empty() {
            slug.push('_');
        }
        slug.extend(word.chars().take(longest));
    }
    while is_cut
        && let Some((rest, last)) = slug.rsplit_once('_')
        && DANGLING.contains(&last)
    {
        slug.truncate(rest.len());
    }
    if slug.is_empty() { "change".to_owned() } else { slug }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_come_after_those_of_the_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        let now: Timestamp = "2026-11-21T12:00:58Z".parse().expect("a time");
        let check =
            |expected: &[&str]| assert_eq!(versions(now, Some(folder.path()), expected.len()), expected);
        check(&["20261121120058", "20261121120059", "20261121120100"]);
        std::fs::write(folder.path().join("20261121120058_now.sql"), "").expect("a file");
        let half = now + SignedDuration::from_millis(500);
        assert_eq!(versions(half, Some(folder.path()), 1), ["20261121120059"]);
        std::fs::write(folder.path().join("20270101000000_later.sql"), "").expect("a file");
        std::fs::write(folder.path().join("99999999999999_none.sql"), "").expect("a file");
        check(&["20270101000001", "20270101000002"]);
    }

    #[test]
    fn words_become_names_of_files() {
        assert_eq!(
            of_words("add column phone varchar(20) not null to users"),
            "add_column_phone_varchar_20_not_null_to_users"
        );
        assert_eq!(of_step("Refuse new nulls in `a` of `public.t`."), "refuse_new_nulls_in_a_of_t");
        assert_eq!(
            of_step(
                "Let `full_name` take the place of `name` in `public.a_table_with_a_name_of_some_length`."
            ),
            "let_full_name_take_the_place_of_name_in_a_table_with_a_name"
        );
        assert_eq!(of_words("änderung ''"), "nderung");
        assert_eq!(of_words("''"), "change");
    }
}
