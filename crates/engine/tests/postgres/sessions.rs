//! What a reading session refuses, survives and says.

use super::*;
use dbwright_model::facts::DataQuestion;
use dbwright_model::name::QualifiedName;

#[test]
fn the_server_cannot_be_reached_or_refuses() {
    on_every_server(async |server| {
        let error = async |dsn: &Dsn| open(dsn, &Limits::default()).await.err().unwrap();
        let found = error(&server.dsn("missing")).await;
        assert!(found.message.contains("no database `missing`"), "{found}");
        let found = error(&server.dsn_as("stranger", "postgres")).await;
        assert_eq!(found.kind, SessionErrorKind::Authentication, "{found}");
        let Dsn::Postgres(mut dsn) = server.dsn("postgres") else { unreachable!() };
        dsn.port = 1;
        let found = error(&Dsn::Postgres(dsn.clone())).await;
        assert_eq!(found.kind, SessionErrorKind::Connection);
        assert!(found.message.contains("could not reach"), "{found}");
    });
}

#[test]
fn questions_about_rows_are_counted() {
    on_every_server(async |server| {
        let client = database(
            server,
            "t",
            "create table parent (id int);
             create table child (id int, parent_id int, zip text, city text, tags text, number text);
             insert into parent values (1), (2);
             insert into child values
                (1, 1, 'a', 'x', 'p,q', '12'), (2, 3, 'a', 'y', 'p', '-3'),
                (3, null, 'b', 'z', 'p, q, r', 'no'), (3, 2, 'b', 'z', null, null);",
        )
        .await;
        let child = QualifiedName::new("public", "child");
        let parent = QualifiedName::new("public", "parent");
        type Expected = (u64, u64, &'static [&'static str]);
        let question = |question: DataQuestion, expected: Expected| (question, expected);
        let questions = [
            question(
                DataQuestion::Orphans {
                    child: child.clone(),
                    column: "parent_id".into(),
                    parent,
                    parent_column: "id".into(),
                },
                (3, 1, &["3"]),
            ),
            question(
                DataQuestion::Dependency {
                    table: child.clone(),
                    determinant: vec!["zip".into()],
                    dependent: "city".into(),
                },
                (2, 1, &["(a)"]),
            ),
            question(
                DataQuestion::ListValues { table: child.clone(), column: "tags".into() },
                (3, 2, &["p, q, r", "p,q"]),
            ),
            question(
                DataQuestion::ParsesAs {
                    table: child.clone(),
                    column: "number".into(),
                    kind: dbwright_model::data_type::TypeKind::Integer,
                },
                (3, 2, &["-3", "12"]),
            ),
            question(DataQuestion::Nulls { table: child.clone(), column: "parent_id".into() }, (4, 1, &[])),
            question(
                DataQuestion::Duplicates { table: child.clone(), columns: vec!["id".into()] },
                (3, 1, &["(3)"]),
            ),
            question(DataQuestion::Values { table: child, column: "zip".into() }, (4, 2, &["a", "b"])),
        ];
        let mut session = open(&server.dsn("t"), &Limits::default()).await.unwrap();
        let mut facts = session.collect(&[Fact::Catalog], &Silent).await.unwrap();
        let asked: Vec<DataQuestion> = questions.iter().map(|(question, _)| question.clone()).collect();
        session.ask(&asked, &mut facts).await.unwrap();
        let answers = facts.data.known().unwrap();
        for ((question, (examined, matching, examples)), answer) in questions.iter().zip(answers) {
            let Observed::Known(count) = &answer.answer else { panic!("{question:?}: {answer:?}") };
            let found: Vec<&str> = count.examples.iter().map(String::as_str).collect();
            assert_eq!(
                (count.examined, count.matching, &found[..]),
                (*examined, *matching, *examples),
                "{question:?}"
            );
        }
        session.close().await;
        drop(client);
    });
}
