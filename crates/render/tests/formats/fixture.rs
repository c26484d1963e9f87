//! One report that holds every kind of thing a report can hold.

use dbwright_model::engine::Engine;
use dbwright_model::facts::{Origin, SkippedStatement};
use dbwright_model::finding::{Confidence, Evidence, EvidenceLevel, Level, Location, ObjectKind};
use dbwright_model::remedy::Applicability;
use dbwright_model::report::{
    FORMAT, NotChecked, RemedyStep, Report, ReportFinding, ReportRemedy, SuppressedFinding, TargetSummary,
};
use dbwright_model::score::{Band, Cap, CheckResult, CheckState, Dimension, DimensionScore, Score};
use dbwright_render::RuleText;

/// A name that tries HTML, quotes and the end of a script.
pub const SCRIPT_NAME: &str = "</script><img src=x onerror=alert(1)>'\"";
/// A name that tries to move the cursor, to start a line and a workflow command.
pub const CONTROL_NAME: &str = "t\u{1b}[2J\r\n::error::gotcha\u{0}\u{7}";
/// A name that tries to reorder what stands beside it, in a script that is written from right to left.
pub const DIRECTION_NAME: &str = "שלום\u{202e}txt.exe\u{2066}";
/// A name that tries Markdown, templates, XML and formulas.
pub const MARKUP_NAME: &str = "=2+2|`a` ``b`` @team {{ 7*7 }} {% raw %} ]]> <!-- 🚀";

/// A finding with the least in it.
pub fn finding(rule: &str, level: Level, dimension: Dimension, object: &str, message: &str) -> ReportFinding {
    ReportFinding {
        rule: rule.into(),
        level,
        dimension,
        object_kind: ObjectKind::Table,
        object: object.into(),
        message: message.into(),
        evidence: Vec::new(),
        evidence_level: EvidenceLevel::Catalog,
        confidence: Confidence::High,
        remedy: None,
        location: None,
        cause: String::new(),
        count: 1,
        critical: false,
        key: format!("{rule}:{object}"),
        places: Vec::new(),
    }
}

fn evidence(pairs: &[(&str, &str)]) -> Vec<Evidence> {
    pairs.iter().map(|(name, value)| Evidence { name: (*name).into(), value: (*value).into() }).collect()
}

fn remedy(applicability: Applicability, summary: &str, steps: &[(&str, bool)]) -> Option<ReportRemedy> {
    let steps = steps
        .iter()
        .map(|(sql, inside)| RemedyStep { sql: (*sql).into(), in_transaction: *inside })
        .collect();
    Some(ReportRemedy { applicability, summary: summary.into(), steps })
}

fn at(file: &str, line: u32, column: u32) -> Option<Location> {
    Some(Location { file: file.into(), line, column })
}

/// The target of [`rich`].
pub fn target() -> TargetSummary {
    TargetSummary {
        name: "postgres://app@db.example/shop".into(),
        origin: Origin::Live,
        engine_guessed: false,
        engine: Engine::Postgres,
        version: "15.4".into(),
        collected_at: "2026-01-02T03:04:05Z".parse().ok(),
        role: Some("auditor".into()),
        tables: 42,
        columns: 391,
        indexes: 77,
        foreign_keys: 38,
        views: 3,
        bytes: Some(13_314_398_618),
    }
}

/// A report with nothing in it.
pub fn empty() -> Report {
    Report {
        format: FORMAT,
        dbwright: "0.1.0".into(),
        operation: "review".into(),
        target: TargetSummary {
            name: "schema.sql".into(),
            origin: Origin::Files,
            engine_guessed: false,
            engine: Engine::Sqlite,
            version: String::new(),
            collected_at: None,
            role: None,
            tables: 1,
            columns: 2,
            indexes: 0,
            foreign_keys: 0,
            views: 0,
            bytes: None,
        },
        score: None,
        findings: Vec::new(),
        suppressed: Vec::new(),
        not_checked: Vec::new(),
        skipped_statements: Vec::new(),
        statements: Vec::new(),
        trace: None,
        unused_suppressions: Vec::new(),
        unshown: Vec::new(),
        unshown_worst: None,
    }
}

/// A report with everything in it.
pub fn rich() -> Report {
    Report {
        format: FORMAT,
        dbwright: "0.1.0".into(),
        operation: "audit".into(),
        target: target(),
        score: Some(score()),
        findings: findings(),
        suppressed: suppressed(),
        not_checked: not_checked(),
        skipped_statements: skipped(),
        statements: Vec::new(),
        trace: None,
        unused_suppressions: vec!["schema/no-primary-key:public.gone: matches nothing".into()],
        unshown: Vec::new(),
        unshown_worst: None,
    }
}

fn findings() -> Vec<ReportFinding> {
    let mut findings = vec![
        ReportFinding {
            object_kind: ObjectKind::Server,
            evidence: evidence(&[("last proven restore", "never"), ("archive_mode", "off")]),
            remedy: remedy(
                Applicability::Manual,
                "Set up a backup and prove it with `dbwright backup verify`.",
                &[],
            ),
            critical: true,
            ..finding(
                "backup/no-proven-backup",
                Level::Error,
                Dimension::Backup,
                "server",
                "No backup of this server was ever restored, so a lost disk loses all data.",
            )
        },
        ReportFinding {
            object_kind: ObjectKind::HbaLine,
            evidence: evidence(&[("line", "host all all 0.0.0.0/0 trust")]),
            evidence_level: EvidenceLevel::Traced,
            remedy: remedy(
                Applicability::Manual,
                "Replace `trust` by `scram-sha-256` and reload.",
                &[("SELECT pg_reload_conf();", true)],
            ),
            critical: true,
            ..finding(
                "security/trust-from-anywhere",
                Level::Error,
                Dimension::Security,
                "pg_hba.conf line 12",
                "Anyone who reaches the port may connect as any role without a password.",
            )
        },
        ReportFinding {
            evidence: evidence(&[("rows", "1204331"), ("duplicate rows", "17")]),
            remedy: remedy(
                Applicability::Review,
                "Add a primary key on `id`.",
                &[
                    ("CREATE UNIQUE INDEX CONCURRENTLY t_pkey ON public.t (id);", false),
                    ("ALTER TABLE public.t ADD PRIMARY KEY USING INDEX t_pkey;", true),
                ],
            ),
            cause: "table public.t has no primary key".into(),
            ..finding(
                "schema/no-primary-key",
                Level::Error,
                Dimension::Schema,
                "public.t",
                "`public.t` has no primary key, so rows cannot be told apart and logical replication of updates fails.",
            )
        },
        ReportFinding {
            confidence: Confidence::Medium,
            object_kind: ObjectKind::Column,
            location: at("migrations/0007 add child.sql", 12, 5),
            cause: "table public.t has no primary key".into(),
            ..finding(
                "schema/duplicates-possible",
                Level::Warning,
                Dimension::Schema,
                "public.t.id",
                "`public.t.id` looks like a key but nothing keeps it unique.",
            )
        },
        ReportFinding {
            object_kind: ObjectKind::Statement,
            evidence: evidence(&[
                (
                    "query",
                    "SELECT *\n  FROM parent p\n  JOIN child c ON c.parent_id = p.id\n WHERE lower(p.name) = $1",
                ),
                ("calls", "48211"),
                ("mean time", "812 ms"),
                ("share of all time", "41 %"),
            ]),
            evidence_level: EvidenceLevel::Traced,
            remedy: remedy(
                Applicability::Review,
                "Index the expression `lower(name)`.",
                &[("CREATE INDEX CONCURRENTLY parent_lower_name_idx ON public.parent (lower(name));", false)],
            ),
            ..finding(
                "query/function-on-indexed-column",
                Level::Warning,
                Dimension::Queries,
                "statement 5a1c",
                "The filter applies `lower` to `parent.name`, so the index on it cannot be used and each of the 48211 calls scans the table.",
            )
        },
        ReportFinding {
            location: at("migrations/0009.sql", 3, 1),
            evidence: evidence(&[("lock", "ACCESS EXCLUSIVE"), ("blocks", "reads and writes")]),
            evidence_level: EvidenceLevel::Traced,
            remedy: remedy(
                Applicability::Safe,
                "Add the constraint as `NOT VALID` and validate it later.",
                &[
                    (
                        "ALTER TABLE child ADD CONSTRAINT child_parent_fk FOREIGN KEY (parent_id) REFERENCES parent (id) NOT VALID;",
                        true,
                    ),
                    ("ALTER TABLE child VALIDATE CONSTRAINT child_parent_fk;", true),
                ],
            ),
            ..finding(
                "migration/foreign-key-without-not-valid",
                Level::Warning,
                Dimension::Migrations,
                "public.child",
                "Adding the foreign key checks every row of `public.child` while writes wait.",
            )
        },
    ];
    for n in 1..=42 {
        findings.push(ReportFinding {
            object_kind: ObjectKind::Column,
            evidence: evidence(&[("rows", &(n * 1000).to_string())]),
            remedy: remedy(Applicability::Review, &format!("Index `parent_id` of `child_{n}`."), &[(
                &format!("CREATE INDEX CONCURRENTLY ON public.child_{n} (parent_id);"),
                false,
            )]),
            cause: format!("child_{n}.parent_id"),
            ..finding(
                "index/foreign-key-without-index",
                Level::Warning,
                Dimension::Indexing,
                &format!("public.child_{n}.parent_id"),
                &format!("`public.child_{n}.parent_id` refers to `parent` without an index, so every delete there scans the table."),
            )
        });
    }
    findings.extend([
        ReportFinding {
            object_kind: ObjectKind::Setting,
            count: 37,
            confidence: Confidence::Low,
            ..finding(
                "health/no-statement-statistics",
                Level::Note,
                Dimension::Monitoring,
                "setting shared_preload_libraries",
                "Statement statistics are not collected, so slow statements leave no trace.",
            )
        },
        ReportFinding {
            evidence: evidence(&[(SCRIPT_NAME, SCRIPT_NAME)]),
            remedy: remedy(
                Applicability::Review,
                &format!("Rename `{SCRIPT_NAME}`."),
                &[(&format!("ALTER TABLE \"{SCRIPT_NAME}\" RENAME TO t;"), true)],
            ),
            location: at(&format!("a,b:{SCRIPT_NAME}.sql"), 1, 1),
            cause: SCRIPT_NAME.into(),
            ..finding(
                "schema/quoted-name",
                Level::Note,
                Dimension::Schema,
                SCRIPT_NAME,
                &format!("`{SCRIPT_NAME}` must be quoted; {SCRIPT_NAME} too. 100% sure."),
            )
        },
        ReportFinding {
            evidence: evidence(&[(CONTROL_NAME, CONTROL_NAME)]),
            remedy: remedy(
                Applicability::Review,
                &format!("Rename `{CONTROL_NAME}`."),
                &[(&format!("ALTER TABLE \"{CONTROL_NAME}\" RENAME TO t;"), true)],
            ),
            location: at(CONTROL_NAME, 0, 0),
            cause: CONTROL_NAME.into(),
            ..finding(
                "schema/control-characters",
                Level::Note,
                Dimension::Schema,
                CONTROL_NAME,
                &format!("`{CONTROL_NAME}` holds control characters."),
            )
        },
        finding(
            "schema/mixed-directions",
            Level::Note,
            Dimension::Schema,
            DIRECTION_NAME,
            &format!("`{DIRECTION_NAME}` reads otherwise than it is."),
        ),
        ReportFinding {
            evidence: evidence(&[(MARKUP_NAME, MARKUP_NAME)]),
            remedy: remedy(
                Applicability::Review,
                &format!("Rename {MARKUP_NAME}."),
                &[(&format!("ALTER TABLE \"{MARKUP_NAME}\" RENAME TO \"```\";"), true)],
            ),
            ..finding(
                "schema/markup-name",
                Level::Note,
                Dimension::Schema,
                MARKUP_NAME,
                &format!("`{MARKUP_NAME}` is an unusual name."),
            )
        },
        finding(
            "schema/long-name",
            Level::Note,
            Dimension::Schema,
            &"n".repeat(63),
            &format!("`{}` fills all 63 bytes.", "n".repeat(63)),
        ),
    ]);
    findings
}

fn suppressed() -> Vec<SuppressedFinding> {
    let one = |rule: &str, object: &str, reason: &str, until: Option<&str>, by: &str| SuppressedFinding {
        key: format!("{rule}:{object}"),
        rule: rule.into(),
        object: object.into(),
        reason: reason.into(),
        until: until.map(Into::into),
        by: by.into(),
    };
    vec![
        one(
            "schema/no-primary-key",
            "public.event_log",
            "append only, `COPY` in",
            Some("2026-12-31"),
            "config",
        ),
        one("schema/quoted-name", SCRIPT_NAME, SCRIPT_NAME, None, "comment"),
    ]
}

fn not_checked() -> Vec<NotChecked> {
    let because = |rule: &str, because: &str| NotChecked {
        rule: rule.into(),
        because: because.into(),
        out_of_reach: false,
        unasked: false,
        skipped: false,
    };
    vec![
        because("query/slow-statement", "`pg_stat_statements` is not installed"),
        because("query/statement-regression", "`pg_stat_statements` is not installed"),
        because("query/n-plus-one", "`pg_stat_statements` is not installed"),
        because("security/weak-password", "permission denied for `pg_authid`"),
        because("health/disk-full", CONTROL_NAME),
    ]
}

fn skipped() -> Vec<SkippedStatement> {
    let mut skipped: Vec<SkippedStatement> = (1..=6)
        .map(|n| SkippedStatement {
            file: format!("migrations/000{n}.sql"),
            line: n * 10,
            statement: format!("CREATE TRANSFORM FOR hstore LANGUAGE plpython{n}u"),
            because: "`CREATE TRANSFORM` is not known".into(),
        })
        .collect();
    skipped.push(SkippedStatement {
        file: CONTROL_NAME.into(),
        line: 1,
        statement: SCRIPT_NAME.into(),
        because: MARKUP_NAME.into(),
    });
    skipped
}

fn score() -> Score {
    let dimension = |dimension: Dimension, proven: f64, ceiling: f64, coverage: f64, counts: [u32; 3]| {
        let [passed, failed, unknown] = counts;
        let weight = dimension.weight();
        DimensionScore {
            dimension,
            weight,
            proven,
            ceiling,
            coverage,
            passed,
            failed,
            unknown,
            not_applicable: false,
        }
    };
    let check =
        |rule: &str, dimension: Dimension, state: CheckState, findings: u64, because: Option<&str>| {
            let credit = match state {
                CheckState::Pass | CheckState::Waived => 1.0,
                CheckState::Partial => 0.5,
                CheckState::Fail | CheckState::Unknown | CheckState::NotApplicable => 0.0,
            };
            CheckResult {
                rule: rule.into(),
                dimension,
                weight: 5,
                state,
                credit,
                trusted: if state == CheckState::Unknown { 0.0 } else { 1.0 },
                possible: if state == CheckState::Unknown { 1.0 } else { credit },
                findings,
                examined: 42,
                because: because.map(Into::into),
            }
        };
    Score {
        proven: 39,
        ceiling: 59,
        coverage: 85,
        band: Band::CriticalRisk,
        caps: vec![
            Cap {
                rule: "backup/no-proven-backup".into(),
                because: "No backup was ever restored.".into(),
                limit: 39,
                seen: false,
            },
            Cap {
                rule: "security/trust-from-anywhere".into(),
                because: "Anyone who reaches the port may connect as `postgres`.".into(),
                limit: 59,
                seen: true,
            },
        ],
        unknown: 5,
        dimensions: vec![
            dimension(Dimension::Schema, 81.6, 81.6, 100.0, [31, 6, 0]),
            dimension(Dimension::Indexing, 48.0, 62.5, 80.0, [7, 1, 2]),
            dimension(Dimension::Queries, 20.0, 90.0, 30.0, [2, 1, 3]),
            DimensionScore {
                not_applicable: true,
                ..dimension(Dimension::Migrations, 0.0, 0.0, 0.0, [0, 0, 0])
            },
            dimension(Dimension::Security, 66.7, 80.0, 86.7, [12, 1, 1]),
            dimension(Dimension::Monitoring, 100.0, 100.0, 100.0, [4, 0, 0]),
            dimension(Dimension::Backup, 0.0, 0.0, 100.0, [0, 1, 0]),
        ],
        checks: vec![
            check("schema/no-primary-key", Dimension::Schema, CheckState::Partial, 1, None),
            check("schema/quoted-name", Dimension::Schema, CheckState::Partial, 1, None),
            check("schema/control-characters", Dimension::Schema, CheckState::Partial, 1, None),
            check("schema/float-money", Dimension::Schema, CheckState::Pass, 0, None),
            check("index/foreign-key-without-index", Dimension::Indexing, CheckState::Fail, 42, None),
            check(
                "query/slow-statement",
                Dimension::Queries,
                CheckState::Unknown,
                0,
                Some("`pg_stat_statements` is not installed"),
            ),
            check(
                "migration/history",
                Dimension::Migrations,
                CheckState::NotApplicable,
                0,
                Some("no migration tool is used"),
            ),
            check(
                "security/superuser-owner",
                Dimension::Security,
                CheckState::Waived,
                1,
                Some("until 2026-12-31"),
            ),
            check("backup/no-proven-backup", Dimension::Backup, CheckState::Fail, 1, None),
        ],
    }
}

/// Texts of two of the rules of [`rich`].
pub fn rules() -> Vec<RuleText> {
    vec![
        RuleText {
            id: "schema/no-primary-key".into(),
            summary: "A table without a primary key.".into(),
            help_markdown: "# no-primary-key\n\nAdd one.\n".into(),
            level: Level::Error,
        },
        RuleText {
            id: "index/foreign-key-without-index".into(),
            summary: "A foreign key whose columns lead no index.".into(),
            help_markdown: "# foreign-key-without-index\n\nAdd one.\n".into(),
            level: Level::Warning,
        },
    ]
}
