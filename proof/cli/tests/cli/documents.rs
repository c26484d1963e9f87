//! Examples in the documents are what they say: files are read, commands run, and what is printed is what is shown.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use proof_cli::{Outcome, Sandbox};
use yaml_rust2::{Yaml, YamlLoader};

const TABLE: &str = "create table t (id bigint primary key, a int);\n";

/// A fenced block: the words behind its opening and its text.
struct Fence {
    language: String,
    title: String,
    text: String,
}

fn document(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(name)
}

fn read(name: &str) -> String {
    fs::read_to_string(document(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn fences(text: &str) -> Vec<Fence> {
    let mut found = Vec::new();
    let mut parts = text.split("\n```");
    parts.next();
    while let (Some(inside), Some(_)) = (parts.next(), parts.next()) {
        let (head, text) = inside.split_once('\n').unwrap_or((inside, ""));
        let (language, title) = head.split_once(' ').unwrap_or((head, ""));
        found.push(Fence {
            language: language.to_owned(),
            title: title.to_owned(),
            text: format!("{text}\n"),
        });
    }
    found
}

/// The words of a command as a shell splits them, without `dbwright` at their head.
fn words(command: &str) -> Vec<String> {
    let words = command.split_whitespace().skip(1);
    words.map(|word| word.replace('"', "").replace("$DATABASE_URL", "sqlite:shop.sqlite")).collect()
}

#[test]
fn the_readme_shows_what_is_printed() {
    let sandbox = Sandbox::new();
    shows_what_is_printed("README.md", &sandbox, &|command| {
        let words = words(command);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        sandbox.dbwright(&words).run().out()
    });
}

#[test]
fn a_migration_file_is_run_as_the_documents_say() {
    let sandbox = Sandbox::new();
    let filters = std::cell::RefCell::new(Filters { versions: Vec::new() });
    shows_what_is_printed("docs/migration-files.md", &sandbox, &|command| {
        let words = words(command);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        filters.borrow_mut().filter(&sandbox.dbwright(&words).run().expect(0).out())
    });
}

/// What differs from run to run in what the walkthrough shows: versions, times, and whose server it is.
struct Filters {
    /// The versions that were seen, in order.
    versions: Vec<String>,
}

impl Filters {
    fn filter(&mut self, text: &str) -> String {
        let mut result = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
            let (before, number) = rest.split_at(at);
            let end = number.find(|c: char| !c.is_ascii_digit()).unwrap_or(number.len());
            let (number, after) = number.split_at(end);
            result.push_str(before);
            if number.len() == 14 && number.starts_with("20") && !number.ends_with("000000") {
                if !self.versions.iter().any(|seen| seen == number) {
                    self.versions.push(number.to_owned());
                    self.versions.sort();
                }
                let place = self.versions.iter().position(|seen| seen == number).expect("it is there");
                result.push_str(&format!("202611211200{:02}", place + 1));
            } else {
                result.push_str(number);
            }
            rest = after;
        }
        result.push_str(rest);
        let mut lines: Vec<String> = Vec::new();
        for line in result.lines() {
            let mut line = line.trim_end().to_owned();
            if let Some(at) = line.find(" in ").filter(|_| line.ends_with(" s")) {
                line.truncate(at);
                line.push_str(" in 0.1 s");
            }
            if let Some(at) = line.find(" at 20").filter(|_| line.ends_with('Z')) {
                line.truncate(at);
                line.push_str(" at 2026-11-21T12:00:00Z");
            }
            // A table of what was applied tells when, and is as wide as its times are.
            if line.contains("  applied  20") || line.starts_with("VERSION  ") {
                continue;
            }
            for word in ["PostgreSQL ", "postgres://"] {
                if let Some(at) = line.find(word) {
                    let from = at + word.len();
                    let stop = |c: char| !(c.is_ascii_digit() || c == '.') && word == "PostgreSQL ";
                    let blank = |c: char| matches!(c, ' ' | '`' | '\n');
                    let length = line[from..].find(|c| stop(c) || blank(c)).unwrap_or(line.len() - from);
                    let now = if word == "PostgreSQL " { "18" } else { "localhost/shop" };
                    line.replace_range(from..from + length, now);
                }
            }
            lines.push(line);
        }
        lines.join("\n")
    }
}

#[test]
fn the_walkthrough_shows_what_is_printed() {
    let sandbox = Sandbox::new();
    let server = proof_cli::servers::Postgres::newest();
    server.database("shop", "");
    let target = server.target("postgres", "shop");
    let filters = std::cell::RefCell::new(Filters { versions: Vec::new() });
    shows_what_is_printed("docs/walkthrough.md", &sandbox, &|command| {
        let printed = match command.strip_prefix("cat ") {
            Some(pattern) => {
                let (folder, part) = pattern.split_once("/*").expect("a pattern in a folder");
                let part = part.trim_end_matches("*.sql");
                let entries = fs::read_dir(sandbox.path(folder)).expect("a folder");
                let paths = entries.map(|entry| entry.expect("an entry").path());
                let mut paths: Vec<PathBuf> =
                    paths.filter(|path| path.to_string_lossy().contains(part)).collect();
                paths.sort();
                let texts = paths.iter().map(|path| fs::read_to_string(path).expect("a text"));
                texts.collect::<String>()
            }
            None => {
                let words: Vec<String> = command
                    .split_whitespace()
                    .skip(1)
                    .map(|word| word.replace("\"$DATABASE_URL\"", &target))
                    .collect();
                let run = sandbox.dbwright(&words).env("DATABASE_URL", &target);
                let outcome = run.env("DBWRIGHT_SERVERS", proof_cli::servers::newest_folder()).run();
                match outcome.out() {
                    printed if printed.trim().is_empty() => outcome.err(),
                    printed => printed,
                }
            }
        };
        filters.borrow_mut().filter(&printed)
    });
}

/// Runs the commands of a document in a sandbox that holds its files, and compares what is printed with what is shown.
fn shows_what_is_printed(name: &str, sandbox: &Sandbox, run: &dyn Fn(&str) -> String) {
    let text = read(name);
    for fence in fences(&text).iter().filter(|fence| fence.language == "sql" && !fence.title.is_empty()) {
        sandbox.file(&fence.title, &fence.text);
    }
    let mut written = text.clone();
    let mut commands = 0;
    for fence in fences(&text).iter().filter(|fence| fence.language == "console") {
        let command = fence.text.lines().next().expect("a command");
        let printed = run(command.strip_prefix("$ ").expect("a prompt"));
        let now = format!("```console\n{command}\n{}\n```", printed.trim_end());
        let shown = format!("```console\n{}\n```", fence.text.trim_end());
        assert!(written.contains(&shown), "{name}: a block ends with blank lines: {shown}");
        written = written.replace(&shown, &now);
        commands += 1;
    }
    assert!(commands > 0, "{name} shows no command");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(document(name), &written).expect("the folder is ours");
    } else {
        assert!(written == text, "{name} is old: run this test with UPDATE_DOCS=1\n{written}");
    }
}

/// A repository with a branch `origin/main` and a migration that came after it.
fn repository(new: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.git(&["init", "-q"]);
    sandbox.file("migrations/1.sql", format!("{TABLE}create index t_a on t (a);\n"));
    sandbox.file("schema.sql", TABLE);
    sandbox.git(&["add", "."]);
    sandbox.git(&["commit", "-qm", "a"]);
    sandbox.git(&["update-ref", "refs/remotes/origin/main", "HEAD"]);
    sandbox.file("migrations/2.sql", new);
    sandbox.git(&["add", "."]);
    sandbox
}

/// Every text in a YAML document.
fn texts<'a>(yaml: &'a Yaml, found: &mut Vec<&'a str>) {
    match yaml {
        Yaml::String(text) => found.push(text),
        Yaml::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Yaml::Hash(fields) => fields.iter().for_each(|(name, value)| {
            texts(name, found);
            texts(value, found);
        }),
        _ => {}
    }
}

fn parse(text: &str) -> Yaml {
    let mut documents = YamlLoader::load_from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert_eq!(documents.len(), 1, "{text}");
    documents.remove(0)
}

/// Runs a command that a document names.
fn run(sandbox: &Sandbox, command: &str) -> Outcome {
    let words = words(command);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    sandbox.run(&words)
}

#[test]
fn commands_for_ci_do_what_they_are_for() {
    const BLOCKING: &str = "set lock_timeout = '5s';\ncreate index t_id_a on t (id, a);\n";
    const GOOD: &str = "set lock_timeout = '5s';\nalter table t add column b int;\n";
    let mut commands = BTreeSet::new();
    for fence in fences(&read("docs/ci.md")).iter().filter(|fence| fence.language == "yaml") {
        let yaml = parse(&fence.text);
        let mut found = Vec::new();
        texts(&yaml, &mut found);
        commands.extend(found.into_iter().filter(|text| text.starts_with("dbwright ")).map(str::to_owned));
    }
    assert!(commands.len() >= 5, "{commands:?}");
    for command in commands {
        let lints = command.contains("migrate lint");
        for (new, code) in [(GOOD, 0), (BLOCKING, i32::from(lints && !command.contains("--fail-on never")))] {
            let sandbox = repository(new);
            sandbox.sqlite("shop.sqlite", TABLE);
            sandbox
                .run(&["audit", "shop.sqlite", "--write-baseline", "baseline.txt", "--fail-on", "never"])
                .expect(0);
            let outcome = run(&sandbox, &command).expect(code);
            let file = words(&command).iter().skip_while(|word| *word != "--output").nth(1).cloned();
            let report = match &file {
                Some(file) => fs::read_to_string(sandbox.path(file)).expect("a report was written"),
                None => outcome.out(),
            };
            assert!(!report.is_empty(), "{command}");
            if lints {
                // What was there before is not judged.
                let found = |name: &str| report.contains(&format!("migrations/{name}.sql"));
                assert!(!found("1"), "{command}: {report}");
                assert_eq!(found("2"), new == BLOCKING, "{command}: {report}");
            }
        }
    }
}

#[test]
fn the_hook_judges_what_is_about_to_be_committed() {
    let hooks = parse(&read(".pre-commit-hooks.yaml"));
    let hook = &hooks[0];
    let entry = hook["entry"].as_str().expect("a hook has an entry");
    assert_eq!(hook["pass_filenames"].as_bool(), Some(false));
    let shown = read("docs/ci.md");
    let shown = fences(&shown).into_iter().find(|fence| fence.text.contains("hooks:")).expect("it is shown");
    let shown = parse(&shown.text);
    let used = &shown["repos"][0]["hooks"][0];
    assert_eq!(used["id"], hook["id"]);
    let arguments = used["args"][0].as_str().expect("it has an argument");
    for (new, code) in
        [("create index t_id_a on t (id, a);\n", 1), ("create table u (id int primary key);\n", 0)]
    {
        let sandbox = repository(new);
        run(&sandbox, &format!("{entry} {arguments}")).expect(code);
        sandbox.file("dbwright.toml", "migrations = \"migrations\"\n");
        run(&sandbox, entry).expect(code);
    }
}
