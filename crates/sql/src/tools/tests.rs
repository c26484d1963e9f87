//! Folders of each tool, as its users have them.

use dbwright_model::chain::Wrap;

use super::*;

/// What a tool is made out to be, how it runs each file, and whether a way back is written.
fn told(files: &[(&str, &str)], around: &[(&str, &str)]) -> Vec<(Option<String>, Wrap, Option<bool>)> {
    let names = files.iter().chain(around).map(|(name, _)| (*name).to_owned()).collect();
    let settings = around.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    let source = |(name, text): &(&str, &str)| SourceFile { name: (*name).into(), text: (*text).into() };
    let around = Around { names, settings, project: around.iter().map(source).collect() };
    migrations(Dialect::Postgres, files.iter().map(source).collect(), &around)
        .into_iter()
        .map(|migration| {
            (migration.file.tool.map(|tool| tool.to_string()), migration.file.wrap, migration.file.has_undo)
        })
        .collect()
}

#[track_caller]
fn check(files: &[(&str, &str)], around: &[(&str, &str)], tool: &str, wraps: &[(Wrap, Option<bool>)]) {
    let tool = (!tool.is_empty()).then(|| tool.to_owned());
    let expected: Vec<_> = wraps.iter().map(|(wrap, undo)| (tool.clone(), *wrap, *undo)).collect();
    assert_eq!(told(files, around), expected, "{files:?}");
}

#[test]
fn each_tool_is_known_by_its_files() {
    use Wrap::{Auto, OneQuery, Transaction};
    const S: &str = "select 1;";
    check(&[("a/x.sql", S), ("a/0001.sql", S)], &[], "", &[(Auto, None), (Auto, None)]);
    check(
        &[("V1__a.sql", S), ("V2__b.sql", S), ("R__c.sql", S)],
        &[("V2__b.sql.conf", "executeInTransaction = false\n")],
        "Flyway",
        &[(Auto, None), (Wrap::None, None), (Auto, None)],
    );
    check(
        &[("V1__a.sql", S), ("V2__b.sql", S)],
        &[("U2__b.sql", "")],
        "Flyway",
        &[(Auto, Some(false)), (Auto, Some(true))],
    );
    check(
        &[("V1__a.sql", S)],
        &[("../Cargo.toml", "refinery = \"0.8\"")],
        "refinery",
        &[(Transaction, None)],
    );
    check(
        &[("1_a.up.sql", S), ("2_b.up.sql", "-- no-transaction\nselect 1;")],
        &[("1_a.down.sql", "")],
        "sqlx",
        &[(Transaction, Some(true)), (Wrap::None, Some(false))],
    );
    check(&[("000001_a.up.sql", S)], &[("../go.mod", "")], "golang-migrate", &[(OneQuery, Some(false))]);
    check(
        &[("1_a.sql", "-- migrate:up transaction:false\nselect 1;\n-- migrate:down\ndrop table t;")],
        &[],
        "dbmate",
        &[(OneQuery, Some(true))],
    );
    check(
        &[
            ("1_a.sql", "-- +goose Up\n-- +goose StatementBegin\nselect 1;\n-- +goose StatementEnd"),
            ("2_a.sql", "-- +goose NO TRANSACTION\n-- +goose Up\nselect 1;\n-- +goose Down\n"),
        ],
        &[],
        "goose",
        &[(Transaction, Some(false)), (Wrap::None, Some(false))],
    );
    check(
        &[("1/up.sql", S), ("2/up.sql", S)],
        &[("1/down.sql", ""), ("2/metadata.toml", "run_in_transaction = false")],
        "Diesel",
        &[(Transaction, Some(true)), (OneQuery, Some(false))],
    );
    check(&[("1_a/migration.sql", S)], &[], "Prisma", &[(OneQuery, None)]);
    check(
        &[("0000_a.sql", "select 1;--> statement-breakpoint\nselect 2;"), ("0001_b.sql", S)],
        &[("meta/_journal.json", "{}")],
        "Drizzle",
        &[(Transaction, None), (Transaction, None)],
    );
    check(
        &[("a.sql", "BEGIN;\n\n-- Running upgrade  -> 1975ea83b712\n\nselect 1;\n\nCOMMIT;")],
        &[],
        "Alembic",
        &[(Wrap::None, None)],
    );
    check(
        &[("structure.sql", "select 1;\nINSERT INTO \"schema_migrations\" (version) VALUES ('1');")],
        &[],
        "Rails",
        &[(Wrap::None, None)],
    );
    check(
        &[(
            "a.sql",
            "--liquibase formatted sql\n--changeset a:1\nselect 1;\n--rollback select 2;\n--changeset a:2 \
             runInTransaction:false\nselect 3;",
        )],
        &[],
        "Liquibase",
        &[(Transaction, Some(true)), (Wrap::None, Some(true))],
    );
}

#[test]
fn files_with_u_are_refinerys_or_undo() {
    let check = |names: &[&str], project: &[(&str, &str)], expected: Unversioned| {
        let source = |(name, text): &(&str, &str)| SourceFile { name: (*name).into(), text: (*text).into() };
        let around = Around {
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            project: project.iter().map(source).collect(),
            ..Around::default()
        };
        assert_eq!(around.unversioned(), expected, "{names:?} {project:?}");
        for name in names.iter().filter(|name| name.starts_with('U')) {
            assert_eq!(is_undo(name, around.unversioned()), expected == Unversioned::Undo, "{name}");
        }
        assert!(is_undo("2_a.down.sql", around.unversioned()));
    };
    let refinery = ("../refinery.toml", "");
    check(&["V1__a.sql", "U2__b.sql"], &[refinery], Unversioned::Migrations);
    check(&["V1__a.sql", "U2__b.sql"], &[("Cargo.toml", "refinery = \"0.8\"")], Unversioned::Migrations);
    check(&["V1__a.sql", "U2__b.sql"], &[], Unversioned::LikelyMigrations);
    check(&["V1__a.sql", "U1__a.sql"], &[], Unversioned::Undo);
    check(&["V1__a.sql", "U1__a.sql", "U2__b.sql"], &[], Unversioned::Undo);
    check(&["V1_1__a.sql", "U1.1__a.sql"], &[], Unversioned::Undo);
    check(&["V1__a.sql", "R__v.sql", "U2__b.sql"], &[], Unversioned::Undo);
    check(&["V1__a.sql", "U2__b.sql"], &[("flyway.toml", "")], Unversioned::Undo);
    check(&["V1__a.sql", "U2__b.sql"], &[("pom.xml", "<artifactId>flyway-core")], Unversioned::Undo);
    const S: &str = "select 1;";
    self::check(
        &[("V1__a.sql", S), ("U2__b.sql", S)],
        &[refinery],
        "refinery",
        &[(Wrap::Transaction, None), (Wrap::Transaction, None)],
    );
    let mut names = ["V10__a.sql", "U2__b.sql", "V1__a.sql"];
    names.sort_by_cached_key(|name| order(name));
    assert_eq!(names, ["V1__a.sql", "U2__b.sql", "V10__a.sql"]);
}

#[test]
fn places_stay_true() {
    let text = "--liquibase formatted sql\n--changeset a:1 endDelimiter:GO\nselect 1\nGO\n--changeset a:2\nselect é, ${x};\n";
    let files = vec![SourceFile { name: "a.sql".to_owned(), text: text.to_owned() }];
    let migrations = migrations(Dialect::Postgres, files, &Around::default());
    let second = migrations[1].text.lines().nth(5);
    assert_eq!(second, Some("select é, p_x_;"));
    assert!(migrations[0].text.contains("select 1\n;"), "{:?}", migrations[0].text);
    assert_eq!("--> statement-breakpoint".len(), 24);
}

#[test]
fn changesets_for_other_databases_are_left_out() {
    let check = |dialect: Dialect, mark: &str, expected: bool| {
        let text = format!(
            "--liquibase formatted sql\n--changeset a:1 {mark}\nselect 1;\n--changeset a:2\nselect 2;\n"
        );
        let files = vec![SourceFile { name: "a.sql".to_owned(), text }];
        let parts = migrations(dialect, files, &Around::default());
        assert_eq!(parts.len(), 2);
        let left_out = parts[0].file.left_out.as_ref();
        assert_eq!(left_out.is_none(), expected, "{mark}");
        assert_eq!(parts[0].text.contains("select 1"), expected, "{mark}");
        if let Some(left_out) = left_out {
            assert_eq!(left_out.line, 2);
            assert!(left_out.because.contains("`a:1`"), "{}", left_out.because);
        }
        assert!(parts[1].text.contains("select 2"));
    };
    check(Dialect::Postgres, "", true);
    check(Dialect::Postgres, "dbms:postgresql", true);
    check(Dialect::Postgres, "runInTransaction:false dbms:mysql", false);
    check(Dialect::Postgres, "dbms:mysql,PostgreSQL", true);
    check(Dialect::Postgres, "dbms:\"h2, postgresql\" runOnChange:true", true);
    check(Dialect::Postgres, "dbms:!postgresql", false);
    check(Dialect::Postgres, "dbms:!h2", true);
    check(Dialect::Postgres, "dbms:all", true);
    check(Dialect::Postgres, "dbms:none", false);
    check(Dialect::Mysql, "dbms:mariadb", true);
    check(Dialect::Sqlite, "dbms:mariadb", false);
}

#[test]
fn placeholders_become_words() {
    let check = |dialect: Dialect, text: &str, expected: &str| {
        let filled = fill(dialect, text.to_owned());
        assert_eq!(filled, expected);
        assert_eq!(filled.chars().count(), text.chars().count(), "{text}");
    };
    check(Dialect::Postgres, "create table ${schema}.t (a int)", "create table p_schema_.t (a int)");
    check(Dialect::Postgres, "create table t_${x} (a int)", "create table t___x_ (a int)");
    check(
        Dialect::Postgres,
        "set x = {{.X}}; {{ if .Y }} select 1 {{end}}",
        "set x = p__X__;             select 1        ",
    );
    check(
        Dialect::Postgres,
        "set role :\"r\"; select :a, :'b'::int",
        "set role  \"r\"; select  a,  'b'::int",
    );
    check(
        Dialect::Postgres,
        "select '${x}', $$ ${x} $$, $1 -- ${x}",
        "select '${x}', $$ ${x} $$, $1 -- ${x}",
    );
    check(
        Dialect::Postgres,
        "select a[1:n], b::text, E'\\'${x}', %(y)s",
        "select a[1:n], b::text, E'\\'${x}', p_y_s",
    );
    check(Dialect::Mysql, "select '\\'${x}', <%= é %>, a %(b)", "select '\\'${x}', p_______, a %(b)");
    check(Dialect::Sqlite, "select ${x", "select ${x");
}

#[test]
fn placeholders_are_shown_as_written() {
    let text = "ALTER TABLE ${schema}.t_${tenant} ADD x {{ .Type }}; select :a, '${schema}' {{if .X}}";
    let words = stand_ins(Dialect::Postgres, text);
    let written: Vec<&str> = words.values().map(String::as_str).collect();
    assert_eq!(written, ["${tenant}", "{{ .Type }}", "${schema}"]);
    let filled = fill(Dialect::Postgres, text.to_owned());
    assert_ne!(filled, text);
    assert!(put_back(&filled, &words).starts_with("ALTER TABLE ${schema}.t_${tenant} ADD x {{ .Type }};"));
    assert!(stand_ins(Dialect::Sqlite, "select 1").is_empty());
    // PostgreSQL folds names.
    let words = stand_ins(Dialect::Postgres, "alter table {{.Table}} add a int");
    assert_eq!(put_back("`public.p__table__`, p__Table__", &words), "`public.{{.Table}}`, {{.Table}}");
}

#[test]
fn files_stand_in_the_order_of_their_versions() {
    let mut names = ["R__z.sql", "V10__a.sql", "V2_1__a.sql", "V2__a.sql", "V2.0.5__a.sql"];
    names.sort_by_cached_key(|name| order(name));
    assert_eq!(names, ["V2__a.sql", "V2.0.5__a.sql", "V2_1__a.sql", "V10__a.sql", "R__z.sql"]);
}

#[test]
fn the_undo_part_is_left_out_and_lines_stay() {
    let mut text = "-- migrate:up\ncreate table t (a int);\n-- migrate:down\ndrop table t;\n".to_owned();
    blank_undo(&mut text);
    assert_eq!(text, "-- migrate:up\ncreate table t (a int);\n\n\n");
    let undoes = |name: &str| is_undo(name, Unversioned::Undo);
    assert!(undoes("a/1_a.down.sql") && undoes("u2__a.sql") && !undoes("users.sql"));
}

proptest::proptest! {
    #[test]
    fn any_text_keeps_its_places(parts in proptest::collection::vec(
        proptest::sample::select(vec![
            "${", "}", "{{", "}}", "{%", "%}", "<%", "%>", "%(", ")s", ":", "a", "é", "'", "\"", "\\", "$", "$$", "--", "/*",
            "*/", "\n", "\r\n", " ", "-- migrate:down", "-- +goose Up", "--changeset a:1 endDelimiter:é", ";", "E'",
        ]),
        0..30,
    )) {
        let text: String = parts.concat();
        for dialect in [Dialect::Postgres, Dialect::Mysql, Dialect::Sqlite] {
            let filled = fill(dialect, text.clone());
            proptest::prop_assert_eq!(filled.chars().count(), text.chars().count());
            for head in ["", "--liquibase formatted sql\n"] {
                let files = vec![SourceFile { name: "1_a.sql".to_owned(), text: format!("{head}{text}") }];
                for migration in migrations(dialect, files, &Around::default()) {
                    proptest::prop_assert!(migration.text.lines().count() <= text.lines().count() + 1);
                }
            }
        }
    }
}
