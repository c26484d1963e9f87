//! Questions about rows have the same answers on every server, and the rules that ask them say the same.

use std::collections::BTreeMap;
use std::time::Duration;

use dbwright_engine::dsn::Dsn;
use dbwright_engine::session::{Limits, ReadSession, Silent};
use dbwright_model::data_type::TypeKind;
use dbwright_model::engine::Engine;
use dbwright_model::facts::{DataCount, DataQuestion, Fact, Facts};
use dbwright_model::name::{Name, QualifiedName};
use dbwright_model::observed::Observed;
use dbwright_rules::rule::Options;
use dbwright_rules::{ALL, Entry};
use proof_live::{Server, servers, write};

#[test]
fn a_shop_is_counted_alike_everywhere() {
    let servers = servers();
    let asking: Vec<&'static Entry> = ALL.iter().filter(|entry| entry.rule.questions.is_some()).collect();
    on_each(&servers, async |server| {
        let dsn = made(server, "shop", &shop(server.engine())).await;
        let facts = asked(&dsn, &asking).await;
        assert_eq!(answers(&facts), expected_answers(server.engine()), "{}", server.name());
        let outcome = dbwright_rules::run::run(&facts, asking.iter().copied(), &Options::default());
        let found: Vec<(String, String, String)> = outcome
            .findings
            .iter()
            .map(|finding| {
                (
                    finding.object.to_string().replace("public.", ""),
                    finding.level.to_string(),
                    finding.message.replace("public.", ""),
                )
            })
            .collect();
        let found: Vec<(&str, &str, &str)> = found
            .iter()
            .map(|(object, level, message)| (object.as_str(), level.as_str(), message.as_str()))
            .collect();
        let mut expected = vec![
            (
                "articles.tags",
                "warning",
                "500 of 625 values of `articles.tags` are joined lists, so single entries cannot be searched or checked.",
            ),
            (
                "payments.order_id",
                "warning",
                "`payments.order_id` reads like a reference to `orders` but has no foreign key, and 30 of its 2700 values \
                 name rows that do not exist.",
            ),
            (
                "enrolments.course_title",
                "note",
                "`enrolments.course_title` follows from `course_id` in all 50 groups of rows, so one fact is stored many times.",
            ),
            (
                "enrolments.student_name",
                "warning",
                "`enrolments.student_name` follows from `student_id` except in 1 row (in 1 of 60 groups), which looks wrong.",
            ),
            (
                "flights.airline_name",
                "note",
                "`flights.airline_name` follows from `airline_code` in all 40 groups of rows, so one fact is stored many times.",
            ),
            (
                "flights.city",
                "warning",
                "`flights.city` follows from `zip` except in 3 rows (in 2 of 100 groups), which look wrong.",
            ),
        ];
        if server.engine() != Engine::Sqlite {
            expected.push((
                "articles.delivery_date",
                "warning",
                "Every value of the text column `articles.delivery_date` reads as a date, but it sorts and compares by letters.",
            ));
        }
        let sorted = |mut findings: Vec<(&str, &str, &str)>| {
            findings.sort_unstable();
            findings.iter().map(|(o, l, m)| format!("{o} {l} {m}")).collect::<Vec<_>>()
        };
        assert_eq!(sorted(found), sorted(expected), "{}", server.name());
    });
}

/// What must come back: name of the table and the columns, and the count.
fn expected_answers(engine: Engine) -> BTreeMap<String, DataCount> {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let dependency =
        |rows, grouped, groups, matching, minority, distinct, largest: u64, examples: &[&str]| DataCount {
            examined: groups,
            matching,
            examples: texts(examples),
            rows: Some(rows),
            grouped_rows: Some(grouped),
            minority_rows: Some(minority),
            distinct: Some(distinct),
            largest_share: Some(largest as f64 / grouped as f64),
        };
    let mut expected = BTreeMap::from([
        (
            "orphans payments.order_id".to_owned(),
            DataCount {
                examined: 2700,
                matching: 30,
                examples: texts(&["900000", "900001", "900002", "900003", "900004"]),
                ..DataCount::default()
            },
        ),
        (
            "list articles.tags".to_owned(),
            DataCount {
                examined: 625,
                matching: 500,
                rows: Some(1500),
                distinct: Some(15),
                examples: texts(&["a,h; m", "a,h; n", "a,h; o", "a,i; m", "a,i; n"]),
                ..DataCount::default()
            },
        ),
        ("dependency enrolments.course_title".to_owned(), dependency(3000, 3000, 50, 0, 0, 50, 60, &[])),
        (
            "dependency enrolments.student_name".to_owned(),
            dependency(3000, 3000, 60, 1, 1, 61, 50, &["3: Student 3 49, null 1"]),
        ),
        ("dependency flights.airline_name".to_owned(), dependency(4007, 4000, 40, 0, 0, 40, 100, &[])),
        (
            "dependency flights.city".to_owned(),
            dependency(
                4007,
                4000,
                100,
                2,
                3,
                51,
                80,
                &["10000: City 0 38, Cita 2", "10050: City 25 39, Cita 1"],
            ),
        ),
    ]);
    let dates = |examined, matching, minority: u64, examples: &[&str]| DataCount {
        examined,
        matching,
        rows: Some(matching - minority),
        distinct: Some(examples.len() as u64),
        minority_rows: Some(minority),
        examples: texts(examples),
        ..DataCount::default()
    };
    expected.insert("date articles.delivery_date".to_owned(), dates(1000, 1000, 0, &["2024-01-01"]));
    expected.insert("date articles.printed_date".to_owned(), dates(1000, 999, 0, &["2024-01-01"]));
    if engine == Engine::Sqlite {
        expected.insert("date orders.order_date".to_owned(), dates(2000, 2000, 0, &["2024-05-01"]));
    }
    expected
}

/// A small shop. Its orders keep what was true when they were made and stay silent.
fn shop(engine: Engine) -> String {
    let mut sql = "\
create table customers (id integer not null primary key, name varchar(80) not null, city varchar(60));
create table orders (
  id integer not null primary key, customer_id integer not null, order_date date not null, customer_name varchar(80),
  ship_postal_code varchar(10), ship_city varchar(60), foreign key (customer_id) references customers (id)
);
create index orders_customer on orders (customer_id);
create table payments (id integer not null primary key, order_id integer, amount decimal(10, 2));
create table articles (
  id integer not null primary key, title varchar(100), tags varchar(200), delivery_date varchar(20), printed_date varchar(20)
);
create table flights (
  id integer not null primary key, airline_code varchar(3), airline_name varchar(80), zip varchar(10), city varchar(60)
);
create table enrolments (
  course_id integer not null, student_id integer not null, course_title varchar(80), student_name varchar(80),
  grade integer, primary key (course_id, student_id)
);
"
    .to_owned();
    let text = |value: &str| {
        let value = value.replace('\'', "''");
        format!(
            "'{}'",
            if engine.dialect() == Engine::Mysql.dialect() { value.replace('\\', "\\\\") } else { value }
        )
    };
    let place = |i: u32| (text(&format!("{}", 10000 + i % 100)), text(&format!("City {}", i % 100 / 2)));
    insert(&mut sql, "customers", 200, |i| {
        format!("{}, {}, {}", i + 1, text(&format!("Customer {i}")), place(i).1)
    });
    insert(&mut sql, "orders", 2000, |i| {
        let customer = i % 200;
        let (zip, city) = place(customer);
        let name = text(&format!("Customer {customer}"));
        format!("{}, {}, '2024-05-01', {name}, {zip}, {city}", i + 1, customer + 1)
    });
    insert(&mut sql, "payments", 3000, |i| {
        let order = match i {
            i if i % 10 == 0 => "null".to_owned(),
            i if i % 100 == 37 => format!("{}", 900_000 + i / 200),
            i => format!("{}", i % 2000 + 1),
        };
        format!("{}, {order}, 9.5", i + 1)
    });
    insert(&mut sql, "articles", 1000, |i| {
        const FIRST: [&str; 7] = ["a", "bb", "cc c", "d\"d\"d", "e\\e\\e\\e", "ééééé", "🙂g gg g"];
        let tags = match i {
            i if i % 4 == 0 => "''".to_owned(),
            i if i % 8 == 1 => "null".to_owned(),
            i if i % 8 == 5 => "'news'".to_owned(),
            i => {
                let (first, second, third) = (
                    FIRST[i as usize % 7],
                    ["h", "i", "jj", "kk", "ll"][i as usize % 5],
                    ["m", "n", "o"][i as usize % 3],
                );
                text(&format!("{first},{second}; {third}"))
            }
        };
        let day = format!("'2024-{:02}-{:02}'", i / 28 % 12 + 1, i % 28 + 1);
        let printed = if i == 999 { "'2023-02-29'".to_owned() } else { day.clone() };
        format!("{}, 'T', {tags}, {day}, {printed}", i + 1)
    });
    insert(&mut sql, "flights", 4007, |i| {
        if i >= 4000 {
            return format!("{}, null, null, '9{i}', 'Nowhere'", i + 1);
        }
        let airline = i % 40;
        let (zip, city) = place(i);
        let city = if [100, 200, 1250].contains(&i) { "'Cita'".to_owned() } else { city };
        format!("{}, 'A{airline:02}', 'Airline {airline}', {zip}, {city}", i + 1)
    });
    insert(&mut sql, "enrolments", 3000, |i| {
        let (course, student) = (i / 60 + 1, i % 60 + 1);
        let name =
            if (course, student) == (7, 3) { "null".to_owned() } else { format!("'Student {student}'") };
        format!("{course}, {student}, 'Course {course}', {name}, 1")
    });
    sql
}

fn insert(sql: &mut String, table: &str, rows: u32, row: impl Fn(u32) -> String) {
    let rows: Vec<String> = (0..rows).map(|i| format!("({})", row(i))).collect();
    for part in rows.chunks(500) {
        sql.push_str(&format!("insert into {table} values {};\n", part.join(", ")));
    }
}

/// A type, values that read as it, and values that do not.
const READINGS: &[(TypeKind, &[&str], &[&str])] = &[
    (TypeKind::Boolean, &["true", "No", "0", "T", "off"], &["2", "maybe", "", "true "]),
    (TypeKind::SmallInt, &["1", "-9999"], &["12345", "1.0"]),
    (
        TypeKind::BigInt,
        &["0", "007", "-12", "+3", "123456789012345678"],
        &["1.5", "1234567890123456789", "", " 1", "x1", "1e3"],
    ),
    (
        TypeKind::Decimal,
        &["1", "-1.50", ".5", "5.", "1e-3", "6E+23"],
        &["1,5", "1.2.3", "e5", ".", "", "NaN"],
    ),
    (
        TypeKind::Date,
        &["2024-02-29", "2000-02-29", "1999-12-31"],
        &["2023-02-29", "1900-02-29", "2024-04-31", "2024-1-5", "05.01.2024", "2024-01-01 "],
    ),
    (TypeKind::Time, &["00:00", "23:59:59.5"], &["24:00", "1:00", "12:60", "12:00:"]),
    (
        TypeKind::Timestamp,
        &[
            "2024-05-01 10:00",
            "2024-05-01T10:00:00.123Z",
            "2024-05-01 10:00:00+02",
            "2024-05-01 10:00:00 -05:30",
        ],
        &["2024-05-01", "2024-02-30 10:00", "2024-05-01 25:00", "2024-05-01 10:00 CET", "2024-05-01 10:00 "],
    ),
    (
        TypeKind::Uuid,
        &["0b64a2de-8f4c-4b8e-9d63-2f1c0e7a5d11", "0B64A2DE8F4C4B8E9D632F1C0E7A5D11"],
        &["0b64a2de-8f4c-4b8e-9d63-2f1c0e7a5d1", "0b64a2de-8f4c-4b8e-9d63-2f1c0e7a5d1g", ""],
    ),
    (
        TypeKind::Json,
        &["{}", "[]", " {\"a\": [1, 2]}", "[1]", "[\"x\"]", "[{\"a\": null}]"],
        &["1", "\"x\"", "{a}", "{a,b}", "[news]", "", "null"],
    ),
];

/// Values that are joined lists, and values that are none.
const LISTS: (&[&str], &[&str]) = (
    &[
        "a,b",
        "a, b",
        " a ;b ",
        "a|b|c",
        "one two three,x",
        "a  b,c",
        "0123456789012345678901234567890123456789,x",
    ],
    &[
        "a",
        "a,",
        ",a",
        "a,,b",
        "a, ,b",
        "one two three four,x",
        "a   b,c",
        "01234567890123456789012345678901234567890,x",
    ],
);

/// Dates as one program or another writes them, in seven formats, and texts that are none.
const DATES: (&str, &str) = (
    "2024-05-01|2024-05-01T10:00:00.5Z|2024-05-01 9:05 PM|2024/5/1|2024.05.01 10:00|20240501|01.05.2024|1.5.24 10:00:00\
     |12/31/2024|1/5/24 11:59 pm +02:00|01-05-2024|1 May 2024|1. September 2024|01-Jan-2024 00:00|May 1st, 2024\
     |dec. 31 2024 10:00",
    "|2024|2024-13-01|2024-02-30|20241301|18991231|32.01.2024|01.13.2024|1.5.2024.|1.2.3.4|10-11-12|1/2|05/2024|1 Foo 2024\
     |May 2024|May 32, 2024|01.05.2024 25:00|01.05.2024 10:0|01.05.2024 10:00 CET| 01.05.2024|01.05.2024 |1.5.024\
     |€1.5.2024|10:00",
);

#[test]
fn dates_are_read_alike_everywhere() {
    let servers = servers();
    on_each(&servers, async |server| {
        let (dates, others): (Vec<&str>, Vec<&str>) =
            (DATES.0.split('|').collect(), DATES.1.split('|').collect());
        let values = |texts: &[&str]| texts.iter().map(|t| format!("('{t}'), (null)")).collect::<Vec<_>>();
        let sql = format!(
            "create table t (v varchar(100));\ninsert into t values {};\n\
             create table child (v varchar(100));\ninsert into child values {};\n",
            values(&dates).join(", "),
            values(&others).join(", ")
        );
        let dsn = made(server, "dates", &sql).await;
        let asked = |name: &str| DataQuestion::DateFormats { table: table(server, name), column: "v".into() };
        let known = answer(&dsn, &[asked("t"), asked("child")], &Limits::default()).await;
        let told = |name: &str| {
            let count = known[&asked(name)].known().unwrap_or_else(|| panic!("{}: {known:?}", server.name()));
            (count.examined, count.matching, count.rows, count.distinct, count.minority_rows)
        };
        let (all, none, name) = (dates.len() as u64, others.len() as u64, server.name());
        assert_eq!(told("t"), (all, all, Some(6), Some(7), Some(all - 5)), "{name}: {known:?}");
        assert_eq!(told("child"), (none, 0, Some(0), Some(0), Some(0)), "{name}: {known:?}");
    });
}

#[test]
fn values_are_read_alike_everywhere() {
    let servers = servers();
    on_each(&servers, async |server| {
        let escaped = |text: &str| match server.engine() {
            Engine::Mysql | Engine::Mariadb => text.replace('\\', "\\\\"),
            _ => text.to_owned(),
        };
        let mut sql = String::new();
        let mut questions = Vec::new();
        let mut cases: Vec<(DataQuestion, bool, u64)> = Vec::new();
        let lists = [(None, LISTS.0, LISTS.1)];
        let readings = READINGS.iter().map(|(kind, yes, no)| (Some(*kind), *yes, *no));
        for (index, (kind, yes, no)) in readings.chain(lists).enumerate() {
            for (values, answer) in [(yes, true), (no, false)] {
                let name = format!("t{index}{answer}");
                sql.push_str(&format!("create table {name} (v varchar(100));\n"));
                for value in values {
                    sql.push_str(&format!("insert into {name} values ('{}'), (null);\n", escaped(value)));
                }
                let table = table(server, &name);
                let column = Name::from("v");
                let question = match kind {
                    Some(kind) => DataQuestion::ParsesAs { table, column, kind },
                    None => DataQuestion::ListValues { table, column },
                };
                questions.push(question.clone());
                cases.push((question, answer, values.len() as u64));
            }
        }
        let dsn = made(server, "readings", &sql).await;
        let known = answer(&dsn, &questions, &Limits::default()).await;
        for (question, is_one, values) in cases {
            let Observed::Known(count) = &known[&question] else {
                panic!("{}: {question:?}: {:?}", server.name(), known[&question]);
            };
            let expected = (values, if is_one { values } else { 0 });
            assert_eq!(
                (count.examined, count.matching),
                expected,
                "{}: {question:?}: {count:?}",
                server.name()
            );
        }
        let zeros = &known[&questions[4]];
        assert_eq!(zeros.known().expect("it was counted").examples[0], "007", "{}", server.name());
    });
}

#[test]
fn other_questions_are_answered_alike_everywhere() {
    let servers = servers();
    on_each(&servers, async |server| {
        let sql = "create table t (a integer, b varchar(100), c varchar(20), d integer);
            insert into t values (1, 'x', 'p', 1), (1, 'x', 'q', 1), (1, 'y', 'p', 2), (2, 'x', null, 1), (2, 'x', null, 1),
              (null, 'x', 'p', 1), (null, 'x', 'q', 1), (3, null, 'p', 1), (3, null, 'q', 1), (10, null, 'p', 1);
            create table empty (a integer, b varchar(10));";
        let dsn = made(server, "others", sql).await;
        let (t, empty) = (table(server, "t"), table(server, "empty"));
        let (a, b, c) = (Name::from("a"), Name::from("b"), Name::from("c"));
        let both = vec![a.clone(), b.clone()];
        let dependency =
            |table: &QualifiedName, determinant: &[Name], dependent: &Name| DataQuestion::Dependency {
                table: table.clone(),
                determinant: determinant.to_vec(),
                dependent: dependent.clone(),
            };
        let nothing = DataCount::default;
        let no_groups = DataCount {
            rows: Some(0),
            grouped_rows: Some(0),
            minority_rows: Some(0),
            distinct: Some(0),
            ..nothing()
        };
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let cases = [
            (
                dependency(&t, &both, &c),
                DataCount {
                    examined: 2,
                    matching: 1,
                    examples: texts(&["1, x: p 1, q 1"]),
                    rows: Some(10),
                    grouped_rows: Some(4),
                    minority_rows: Some(1),
                    distinct: Some(3),
                    largest_share: Some(0.5),
                },
            ),
            (dependency(&empty, std::slice::from_ref(&a), &b), no_groups),
            (
                DataQuestion::Duplicates { table: t.clone(), columns: both },
                DataCount { examined: 3, matching: 2, examples: texts(&["1, x: 2", "2, x: 2"]), ..nothing() },
            ),
            (
                DataQuestion::Nulls { table: t.clone(), column: b.clone() },
                DataCount { examined: 10, matching: 3, ..nothing() },
            ),
            (
                DataQuestion::Values { table: t.clone(), column: a.clone() },
                DataCount { examined: 8, matching: 4, examples: texts(&["1", "2", "3", "10"]), ..nothing() },
            ),
            (
                DataQuestion::Orphans {
                    child: empty.clone(),
                    column: a.clone(),
                    parent: t.clone(),
                    parent_column: a.clone(),
                },
                nothing(),
            ),
            (
                // Values of the parent that stand there twice count once, and its nulls are nobody's parent.
                DataQuestion::Orphans {
                    child: t.clone(),
                    column: Name::from("d"),
                    parent: t.clone(),
                    parent_column: a.clone(),
                },
                DataCount { examined: 10, matching: 0, ..nothing() },
            ),
            (
                DataQuestion::Orphans {
                    child: t.clone(),
                    column: a.clone(),
                    parent: t.clone(),
                    parent_column: Name::from("d"),
                },
                DataCount { examined: 8, matching: 3, examples: texts(&["3", "10"]), ..nothing() },
            ),
        ];
        let questions: Vec<DataQuestion> = cases.iter().map(|(question, _)| question.clone()).collect();
        let known = answer(&dsn, &questions, &Limits::default()).await;
        for (question, count) in cases {
            assert_eq!(known[&question], Observed::Known(count), "{}: {question:?}", server.name());
        }
    });
}

#[test]
fn what_cannot_be_counted_says_why() {
    let servers = servers();
    on_each(&servers, async |server| {
        let numbers = "with recursive n (i) as (select 1 union all select i + 1 from n where i < 600)";
        let pairs = "select a.i * 1000 + b.i, b.i from n a cross join n b";
        let fill = match server.engine() {
            Engine::Mysql | Engine::Mariadb => format!("insert into t (a, b) {numbers} {pairs}"),
            _ => format!("{numbers} insert into t (a, b) {pairs}"),
        };
        let json = if server.engine() == Engine::Postgres { "json" } else { "varchar(10)" };
        let sql = format!("create table t (a integer, b integer, j {json}); {fill};");
        let dsn = made(server, "slow", &sql).await;
        let t = || table(server, "t");
        let dependency = |dependent: &str| DataQuestion::Dependency {
            table: t(),
            determinant: vec![Name::from("a")],
            dependent: Name::from(dependent),
        };
        let limits = Limits { statement_timeout: Duration::from_millis(100), ..Limits::default() };
        let known = answer(&dsn, &[dependency("b")], &limits).await;
        let Observed::Failed(because) = &known[&dependency("b")] else {
            panic!("{}: {known:?}", server.name());
        };
        assert!(because.contains("0.1 s"), "{}: {because}", server.name());
        if server.engine() == Engine::Postgres {
            let known = answer(&dsn, &[dependency("j")], &Limits::default()).await;
            let Observed::Unsupported(because) = &known[&dependency("j")] else {
                panic!("{}: {known:?}", server.name());
            };
            assert!(because.contains("json"), "{because}");
        }
    });
}

fn on_each(servers: &[Server], check: impl AsyncFn(&Server) + Sync) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    for server in servers {
        runtime.block_on(check(server));
    }
}

fn table(server: &Server, name: &str) -> QualifiedName {
    match server.engine() {
        Engine::Postgres => QualifiedName::new("public", name),
        _ => QualifiedName::bare(name),
    }
}

async fn made(server: &Server, name: &str, sql: &str) -> Dsn {
    let dsn = server.fresh(name).await.expect("a new database");
    let mut session = write(&dsn).await.expect("it opens for writing");
    session.script(sql).await.unwrap_or_else(|error| panic!("{}: {}", server.name(), error.message));
    dsn
}

/// The facts as an audit with leave to count rows gets them.
async fn asked(dsn: &Dsn, rules: &[&'static Entry]) -> Facts {
    let mut plan: Vec<Fact> =
        rules.iter().flat_map(|entry| entry.rule.facts()).filter(|fact| fact.is_collected()).collect();
    plan.push(Fact::Catalog);
    plan.sort();
    plan.dedup();
    let mut session = ReadSession::open(dsn, &Limits::default()).await.expect("it opens");
    let mut facts = session.collect(&plan, &Silent).await.expect("it collects");
    dbwright_sql::understand::understand(&mut facts);
    let mut questions = dbwright_rules::run::questions(&facts, rules.iter().copied(), &Options::default());
    questions.sort();
    questions.dedup();
    session.ask(&questions, &mut facts).await.expect("it asks");
    session.close().await;
    facts
}

async fn answer(
    dsn: &Dsn,
    questions: &[DataQuestion],
    limits: &Limits,
) -> BTreeMap<DataQuestion, Observed<DataCount>> {
    let mut session = ReadSession::open(dsn, limits).await.expect("it opens");
    let mut facts = session.collect(&[], &Silent).await.expect("it collects");
    session.ask(questions, &mut facts).await.expect("it asks");
    session.close().await;
    let answers = facts.data.known().expect("questions were asked");
    answers.iter().map(|answer| (answer.question.clone(), answer.answer.clone())).collect()
}

/// The answers under short names.
fn answers(facts: &Facts) -> BTreeMap<String, DataCount> {
    let answers = facts.data.known().expect("questions were asked");
    answers
        .iter()
        .map(|answer| {
            let name = match &answer.question {
                DataQuestion::Orphans { child, column, .. } => format!("orphans {}.{column}", child.name),
                DataQuestion::Dependency { table, dependent, .. } => {
                    format!("dependency {}.{dependent}", table.name)
                }
                DataQuestion::ListValues { table, column } => format!("list {}.{column}", table.name),
                DataQuestion::DateFormats { table, column } => format!("date {}.{column}", table.name),
                other => format!("{other:?}"),
            };
            let Observed::Known(count) = &answer.answer else { panic!("{answer:?}") };
            (name, count.clone())
        })
        .collect()
}
