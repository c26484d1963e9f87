//! Targets in all their forms.

use super::*;
use secrecy::ExposeSecret;

/// Parses and prints every part but the password.
fn shown(text: &str) -> String {
    match Dsn::parse(text) {
        Ok(dsn) => {
            let mode = match &dsn {
                Dsn::Postgres(server) | Dsn::Mysql(server) => format!(" {:?}", server.tls.mode),
                Dsn::Sqlite(_) => String::new(),
            };
            format!("{dsn}{mode}")
        }
        Err(error) => format!("error: {error}"),
    }
}

fn check(text: &str, expected: &str) {
    assert_eq!(shown(text), expected, "{text}");
}

#[test]
fn what_asks_for_more_protection_is_obeyed_or_refused() {
    let mode = |text: &str| match Dsn::parse(text).expect("it is understood") {
        Dsn::Postgres(server) | Dsn::Mysql(server) => server.tls.mode,
        Dsn::Sqlite(_) => unreachable!("it is a server"),
    };
    assert_eq!(mode("mysql://h/d?sslaccept=strict"), TlsMode::VerifyFull);
    assert_eq!(mode("mysql://h/d?sslaccept=accept_invalid_certs"), TlsMode::Prefer);
    assert_eq!(mode("postgres://h/d?channel_binding=prefer&gssencmode=disable"), TlsMode::Prefer);
    for text in [
        "postgres://h/d?channel_binding=require",
        "host=h channel_binding=require",
        "channel_binding=require host=h",
        "postgres://h/d?gssencmode=Require",
    ] {
        let error = Dsn::parse(text).expect_err(text).to_string();
        assert!(error.contains("=require` asks for a protection"), "{error}");
    }
    assert!(Dsn::parse("mysql://h/d?sslaccept=perhaps").is_err());
}

#[test]
fn targets_are_read() {
    check("postgres://u:p@h:6543/d?sslmode=require", "postgres://u@h:6543/d Require");
    check("postgresql://h", "postgres://postgres@h:5432/postgres Prefer");
    check("postgres://u%40x@h/a%20b", "postgres://u@x@h:5432/a b Prefer");
    check("postgres://u:p/with@slash@h/d", "postgres://u@h:5432/d Prefer");
    check("postgres://u@[::1]:5433/d", "postgres://u@[::1]:5433/d Prefer");
    check("postgres:///d?host=/run/pg&user=u", "postgres://u@[/run/pg]/d Prefer");
    check("postgres://%2Frun%2Fpg/d", "postgres://postgres@[/run/pg]/d Prefer");
    check(
        "postgres://h/d?sslmode=verify-full&application_name=x&pgbouncer=true",
        "postgres://postgres@h:5432/d VerifyFull",
    );
    check("mysql://u:p@h/d?ssl-mode=REQUIRED", "mysql://u@h:3306/d Require");
    check("mariadb://u@localhost/d?socket=/run/m.sock", "mariadb://u@[/run/m.sock]/d Prefer");
    check("host=h dbname = d user=u password='a \\'b' port=1", "postgres://u@h:1/d Prefer");
    check("sqlite:a.db", "a.db");
    check("sqlite:///abs/a.db?mode=ro", "/abs/a.db");
    check("sqlite://a.db", "a.db");
    check("./some=odd.db", "./some=odd.db");
}

#[test]
fn wrong_targets_say_what_is_wrong() {
    for (text, expected) in [
        ("", "empty"),
        ("sqlite::memory:", "in memory"),
        ("oracle://h", "not a kind of target"),
        ("postgres://h:0/d", "port"),
        ("postgres://h:x/d", "port"),
        ("postgres://h/d?sslmode=maybe", "`sslmode` is none of"),
        ("postgres://h/d?colour=red", "`colour` is not known"),
        ("postgres://a,b/d", "several hosts"),
        ("postgres://u:%zz@h/d", "hexadecimal"),
        ("postgres://[zz]/d", "IPv6"),
        ("host=h password='x", "no end"),
    ] {
        assert!(
            shown(text).starts_with("error: ") && shown(text).contains(expected),
            "{text}: {}",
            shown(text)
        );
    }
}

#[test]
fn the_environment_fills_what_is_missing() {
    let variable = |name: &str| match name {
        "PGHOST" => Some("/run/pg".to_owned()),
        "PGPASSWORD" => Some("marked".to_owned()),
        "PGUSER" => Some("env".to_owned()),
        "PGSSLMODE" => Some("verify-ca".to_owned()),
        _ => None,
    };
    let Dsn::Postgres(dsn) = Dsn::with_environment("postgres:///d", &variable).unwrap() else { panic!() };
    assert_eq!((dsn.user.as_str(), dsn.database.as_str()), ("env", "d"));
    assert_eq!((dsn.host, dsn.tls.mode), (Host::Unix("/run/pg".into()), TlsMode::VerifyCa));
    assert_eq!(dsn.password.unwrap().expose_secret(), "marked");
    let Dsn::Postgres(dsn) = Dsn::with_environment("postgres://u:own@h/d", &variable).unwrap() else {
        panic!()
    };
    assert_eq!((dsn.user.as_str(), dsn.password.unwrap().expose_secret()), ("u", "own"));
}

#[test]
fn no_form_shows_the_password() {
    for text in [
        "postgres://u:marked@h/d",
        "postgres://u:marked@h:bad/d",
        "postgres://u:marked%zz@h/d",
        "postgres://u@h/d?password=marked",
        "postgres://u@h/d?pass=marked",
        "postgres://u@h/d?pass:marked=1",
        "mysql://u:marked@h/d",
        "u:marked://x",
        "postgres:/u:marked@h/d",
        "mysql:u:marked@h/d",
        "host=h password=marked",
        "host=h password='marked",
        "host=h passwort=marked",
        "postgres://u:mar/marked@h/d",
        "postgres://u:marked",
    ] {
        let shown = match Dsn::parse(text) {
            Ok(dsn) => format!("{dsn} {dsn:?} {dsn:#?}"),
            Err(error) => format!("{error} {error:?}"),
        };
        assert!(!shown.contains("marked"), "{text}: {shown}");
    }
}
