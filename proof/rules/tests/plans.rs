//! Every plan of the table: its steps end in the catalog that the change itself gives, none of them blocks in proportion
//! to the size of a table, and undone in reverse they leave the catalog that was there before.

use dbwright_advise::migrate::{Given, Knowledge, plan, plan_with};
use dbwright_model::catalog::Catalog;
use dbwright_model::change::Change;
use dbwright_model::effect::Lock;
use dbwright_model::engine::{Dialect, Engine};
use dbwright_model::name::{Name, QualifiedName};
use dbwright_model::plan::{Plan, Step, TransactionMode, Undo, Work};
use proof_rules::plans::{PLANNED, SCHEMA};
use shared::{Text, fold};

mod shared;

fn parse(script: &str) -> Vec<Change> {
    dbwright_sql::split(Dialect::Postgres, script)
        .into_iter()
        .flat_map(|statement| dbwright_sql::parse_statement(Dialect::Postgres, statement.text))
        .collect()
}

/// The changes of a list of work, raw SQL parsed.
fn changes_of(work: &[Work]) -> Vec<Change> {
    work.iter()
        .flat_map(|work| match work {
            Work::Change(change) => vec![change.as_ref().clone()],
            Work::Sql(sql) => parse(sql),
        })
        .collect()
}

/// What two catalogs are compared by. The place of a column is not: PostgreSQL adds columns at the end only.
fn comparable(mut catalog: Catalog) -> Catalog {
    for table in &mut catalog.tables {
        table.columns.sort_by(|a, b| a.name.cmp(&b.name));
    }
    catalog
}

/// The first lines in which two catalogs differ.
fn difference(expected: &Catalog, found: &Catalog) -> Option<String> {
    let (expected, found) = (comparable(expected.clone()), comparable(found.clone()));
    if expected == found {
        return None;
    }
    let (expected, found) = (format!("{expected:#?}"), format!("{found:#?}"));
    let expected: Vec<&str> = expected.lines().filter(|line| !found.contains(*line)).collect();
    let missing = expected.into_iter().take(12).collect::<Vec<_>>().join("\n");
    Some(format!("missing:\n{missing}\nfound instead:\n{found}"))
}

/// Changes without a safe way, and a word of the reason.
const DECLINED: &[(&str, u16, &str)] = &[
    ("ALTER TABLE t ADD e int GENERATED ALWAYS AS (a + 1) STORED", 15, "stored generated"),
    ("ALTER TABLE ranged ADD PRIMARY KEY (id, at)", 15, "partitioned"),
    ("ALTER TABLE ranged ADD FOREIGN KEY (id) REFERENCES parent", 15, "partition"),
    ("CREATE INDEX ON m (code)", 15, "a name"),
    ("VACUUM FULL t", 15, "no way around"),
    ("ALTER TABLE t SET UNLOGGED", 15, "every row"),
    ("ALTER TABLE missing ADD CHECK (a > 0)", 15, "no table"),
    ("DROP TABLE t", 15, "refers to it"),
    ("UPDATE t SET a = 1", 15, "backfill"),
    ("DO $$ BEGIN END $$", 15, "DO block"),
    ("ALTER TABLE ranged ALTER id TYPE bigint", 15, "partition"),
    ("ALTER TABLE ranged ATTACH PARTITION ranged_3 DEFAULT", 15, "no check is known"),
    ("ALTER TABLE listed ATTACH PARTITION listed_2 FOR VALUES IN ('x', NULL)", 15, "no check is known"),
    ("ALTER TABLE parent ALTER code TYPE varchar(9)", 15, "materialised view `public.m`"),
    ("ALTER TABLE seen RENAME a TO z", 15, "view `public.v_a`"),
    ("ALTER DOMAIN positive ADD CHECK (VALUE > 0)", 15, "`ALTER TABLE public.measured ADD CHECK (p > 0)`"),
    ("ALTER DOMAIN positive SET NOT NULL", 15, "`ALTER TABLE public.measured ALTER p SET NOT NULL`"),
    (
        "ALTER DOMAIN positive ADD CONSTRAINT c CHECK (VALUE > 0) NOT VALID; ALTER DOMAIN positive VALIDATE CONSTRAINT c",
        15,
        "leave the constraint of the domain `NOT VALID`",
    ),
    ("ALTER TABLE seen DROP a", 15, "view `public.v_a`"),
    ("ALTER TABLE fired ALTER a TYPE bigint", 15, "the trigger `fired_a` names it"),
    (
        "ALTER TABLE ident DROP CONSTRAINT ident_pkey, ADD PRIMARY KEY (v)",
        15,
        "`ADD PRIMARY KEY USING INDEX`",
    ),
    (
        "ALTER TABLE t DROP CONSTRAINT b_positive, ADD CONSTRAINT b_positive CHECK (b > 1)",
        15,
        "between dropping `b_positive` and the new one",
    ),
    (
        "ALTER TABLE ident DROP CONSTRAINT ident_v_key; CREATE UNIQUE INDEX other ON ident (v, id)",
        15,
        "between dropping `ident_v_key` and the new one",
    ),
];

fn start() -> Catalog {
    fold(&Catalog::empty(Engine::Postgres), &parse(SCHEMA))
}

fn work_of(step: &Step) -> Vec<Change> {
    changes_of(&step.work)
}

fn complaints(plan: &Plan, before: &Catalog, expected: &Catalog, know: &Text) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut states = vec![before.clone()];
    for step in &plan.steps {
        let mut state = states.last().expect("the state before is there").clone();
        for change in work_of(step) {
            if matches!(change, Change::Opaque { .. }) {
                complaints
                    .push(format!("step `{}` has a statement that is not understood: {change:?}", step.name));
            }
            let effects = know.effects(&state, std::slice::from_ref(&change));
            for effect in effects.blocking() {
                // Nobody writes a materialised view but its refresh.
                let is_view = before.views.iter().any(|view| view.name == effect.relation);
                let is_old = before.table(&effect.relation).is_some() || is_view;
                if is_old && !(is_view && effect.lock == Lock::Exclusive) {
                    complaints.push(format!("step `{}` blocks: {effect:?}", step.name));
                }
            }
            if let Change::CreateIndex { concurrently: true, .. } = change
                && step.transaction != TransactionMode::NoTransaction
            {
                complaints.push(format!("step `{}` builds concurrently in a transaction", step.name));
            }
            if let Change::CreateFunction { .. } | Change::CreateTrigger { .. } = change
                && dbwright_sql::write(Engine::Postgres, know.version, &change).is_none()
            {
                complaints.push(format!("step `{}` cannot be written: {change:?}", step.name));
            }
            state = fold(&state, &[change]);
        }
        if let Some(batches) = &step.repeat {
            let table = state.table(&batches.table);
            let known = |name| table.is_some_and(|table| table.column(name).is_some());
            for name in batches.keyset.iter().chain(batches.set.iter().map(|(name, _)| name)) {
                if !known(name.as_str()) {
                    complaints.push(format!("step `{}` writes by an unknown column `{name}`", step.name));
                }
            }
        }
        states.push(state);
    }
    if let Some(difference) = difference(expected, states.last().expect("there is a first state")) {
        complaints.push(format!("the end is another: {difference}"));
    }
    // Undone from the last step that has a way back, to the begin.
    let reversible = plan.steps.iter().take_while(|step| matches!(step.undo, Undo::Work(_))).count();
    let mut state = states[reversible].clone();
    for step in plan.steps[..reversible].iter().rev() {
        if let Undo::Work(work) = &step.undo {
            state = fold(&state, &changes_of(work));
        }
    }
    if let Some(difference) = difference(before, &state) {
        complaints.push(format!("undone it is another: {difference}"));
    }
    complaints
}

#[test]
fn plans_reach_the_catalog_of_the_change_without_blocking_and_lead_back() {
    let before = start();
    assert_eq!(before.doubts, [], "the schema is understood");
    assert_eq!(before.tables.len(), 20, "every table of the schema is there");
    let mut found = Vec::new();
    for example in PLANNED {
        for major in example.versions {
            let know = Text::postgres(*major);
            let changes = parse(example.change);
            let expected = fold(&fold(&before, &changes), &parse(example.also));
            let label = format!("{} (on {major})", example.change);
            match plan(&know, &before, know.version, &changes) {
                Err(declined) => found.push(format!("{label}: declined: {}", declined.because)),
                Ok(plan) => {
                    for declined in &plan.declined {
                        found.push(format!("{label}: declined in part: {}", declined.because));
                    }
                    let names =
                        plan.steps.iter().map(|step| format!("    {}\n", step.name)).collect::<String>();
                    for complaint in complaints(&plan, &before, &expected, &know) {
                        found.push(format!("{label}: {complaint}\n{names}"));
                    }
                }
            }
        }
    }
    assert!(found.is_empty(), "{} complaints:\n{}", found.len(), found.join("\n\n"));
}

#[test]
fn what_has_no_safe_way_is_declined_with_a_reason() {
    let before = start();
    for (change, major, word) in DECLINED {
        let know = Text::postgres(*major);
        let because = match plan(&know, &before, know.version, &parse(change)) {
            Ok(plan) => match plan.declined.first() {
                Some(declined) => declined.because.clone(),
                None => panic!("{change}: planned: {:#?}", plan.steps),
            },
            Err(declined) => declined.because,
        };
        assert!(because.contains(word), "{change}: {because}");
    }
}

#[test]
fn a_column_that_demands_a_value_waits_for_one() {
    let before = start();
    let check = |change: &str, major: u16, value: Option<&str>, filled: Option<&str>| {
        let know = Text::postgres(major);
        let changes = parse(change);
        let given = value.map(|value| Given {
            table: Some(QualifiedName::bare("t")),
            column: Name::new(if change.contains("ADD") { "e" } else { "a" }),
            value: value.to_owned(),
        });
        let plan =
            plan_with(&know, &before, know.version, &changes, given.as_slice()).expect("there is a plan");
        assert_eq!(plan.declined, [], "{change}");
        let expected = fold(&before, &changes);
        assert_eq!(complaints(&plan, &before, &expected, &know), Vec::<String>::new(), "{change}");
        let written = plan.steps.iter().find_map(|step| step.repeat.as_ref());
        assert_eq!(written.map(|batches| batches.set[0].1.as_str()), filled, "{change}");
        let asks = plan
            .steps
            .iter()
            .position(|step| step.pre_check.as_ref().is_some_and(|check| check.sql.ends_with("IS NULL")));
        let asks = asks.expect("rows without a value are asked for before anything demands one");
        let waits = plan.steps.iter().position(|step| step.waits_for.is_some());
        assert!(waits.is_none_or(|waits| waits <= asks), "{change}: {:#?}", plan.steps);
        assert_eq!(waits.is_some(), change.contains("ADD"), "{change}");
        assert_eq!(
            plan.summary.contains("--value e="),
            change.contains("ADD") && value.is_none(),
            "{}",
            plan.summary
        );
    };
    for major in [13, 18] {
        check("ALTER TABLE t ADD e int NOT NULL", major, None, None);
        check("ALTER TABLE t ADD e int NOT NULL", major, Some("7"), Some("7"));
        check("ALTER TABLE t ALTER a SET NOT NULL", major, Some("b"), Some("b"));
        check("ALTER TABLE t ALTER a SET NOT NULL", major, None, None);
    }
}

#[test]
fn a_way_back_to_not_null_asks_for_nulls_first() {
    let before = fold(
        &start(),
        &parse("ALTER TABLE parent ADD CONSTRAINT parent_code__back CHECK (code IS NOT NULL) NOT VALID"),
    );
    let know = Text::postgres(15);
    let questions = |change: &str| -> Vec<String> {
        let plan = plan(&know, &before, know.version, &parse(change)).expect("there is a plan");
        assert_eq!(plan.declined, [], "{change}");
        let asked = plan.steps.iter().flat_map(|step| match &step.undo {
            Undo::Work(work) => work.as_slice(),
            _ => &[],
        });
        let asked = asked.filter_map(|work| match work {
            Work::Sql(sql) => sql.contains("cannot be NOT NULL again").then(|| sql.clone()),
            Work::Change(_) => None,
        });
        asked.collect()
    };
    assert_eq!(
        questions("ALTER TABLE t ALTER b DROP NOT NULL"),
        ["SELECT (count(*) || ' rows have no value in b, so that it cannot be NOT NULL again')::integer \
          FROM public.t WHERE b IS NULL HAVING count(*) > 0"]
    );
    assert_eq!(questions("ALTER TABLE parent DROP CONSTRAINT parent_code__back"), Vec::<String>::new());
}

#[test]
fn what_a_way_back_costs_is_told() {
    let before = start();
    let know = Text::postgres(15);
    let check = |change: &str, is_told: bool| {
        let plan = plan(&know, &before, know.version, &parse(change)).expect("there is a plan");
        let words = ["The way back keeps everybody who uses", "The way back does not write the comment"];
        let told = plan.steps.iter().any(|step| words.iter().any(|words| step.name.contains(words)));
        assert_eq!(
            told,
            is_told,
            "{change}: {:?}",
            plan.steps.iter().map(|step| &step.name).collect::<Vec<_>>()
        );
    };
    check("ALTER TABLE loose ALTER w TYPE varchar(40)", true);
    check("ALTER TABLE loose ALTER w TYPE text", true);
    check("ALTER TABLE t ALTER a TYPE bigint", false);
    check("ALTER TABLE t DROP CONSTRAINT b_positive", true);
}

#[test]
fn a_wrong_plan_is_noticed() {
    let before = start();
    let know = Text::postgres(15);
    let changes = parse("ALTER TABLE t ALTER a TYPE bigint");
    let expected = fold(&before, &changes);
    let right = plan(&know, &before, know.version, &changes).expect("there is a plan");
    assert_eq!(complaints(&right, &before, &expected, &know), Vec::<String>::new());
    for missing in 0..right.steps.len() {
        let mut wrong = right.clone();
        let step = wrong.steps.remove(missing);
        let shows = step.changes().any(|change| !matches!(change, Change::Analyze { .. }));
        let noticed = !complaints(&wrong, &before, &expected, &know).is_empty();
        assert!(noticed || !shows, "nobody misses step `{}`", step.name);
    }
    let mut naive = right.clone();
    naive.steps.truncate(1);
    naive.steps[0].work = changes.into_iter().map(Work::from).collect();
    let found = complaints(&naive, &before, &expected, &know).concat();
    assert!(found.contains("blocks"), "{found}");
}
