//! Changes of a used database that have a safe way, and the tables that they are about.

/// Tables with everything that plans have to keep.
pub const SCHEMA: &str = "
    CREATE TYPE mood AS ENUM ('sad', 'happy');
    CREATE TABLE parent (id int PRIMARY KEY, code text);
    CREATE TABLE t (
        id int PRIMARY KEY, a int, b int NOT NULL, c varchar(20) DEFAULT 'x', s serial, d timestamp,
        parent_id int, CONSTRAINT b_positive CHECK (b > 0)
    );
    CREATE INDEX t_b_idx ON t (b DESC) INCLUDE (c) WHERE b > 5;
    CREATE UNIQUE INDEX t_c_key ON t (c);
    ALTER TABLE t ALTER b SET STATISTICS 500;
    COMMENT ON COLUMN t.b IS 'amount';
    CREATE TABLE child (t_id int REFERENCES t (id), n int);
    CREATE TABLE loose (x int, y text, w varchar(10));
    CREATE TABLE ranged (id int, at date) PARTITION BY RANGE (at);
    CREATE TABLE ranged_1 PARTITION OF ranged FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
    CREATE TABLE ranged_2 PARTITION OF ranged FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
    CREATE TABLE ranged_3 (id int, at date);
    CREATE TABLE listed (
        id int, kind text NOT NULL, parent_id int REFERENCES parent, note text, PRIMARY KEY (id, kind)
    ) PARTITION BY LIST (kind);
    CREATE INDEX listed_note_idx ON listed (note);
    CREATE TABLE listed_1 PARTITION OF listed FOR VALUES IN ('1', '2');
    CREATE TABLE listed_rest PARTITION OF listed DEFAULT;
    CREATE TABLE listed_2 (id int NOT NULL, kind text NOT NULL, parent_id int, note text);
    CREATE TABLE stamped (n int, at timestamp) PARTITION BY RANGE (at);
    CREATE TABLE stamped_rest PARTITION OF stamped DEFAULT;
    CREATE TABLE stamped_1 (n int, at timestamp, CHECK (at IS NOT NULL AND at >= '2026-01-01' AND at < '2026-07-01'));
    CREATE MATERIALIZED VIEW m AS SELECT code FROM parent;
    CREATE UNIQUE INDEX m_code_idx ON m (code);
    CREATE TABLE ident (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v numeric(5,2) UNIQUE);
    CREATE TABLE of_ident (ident_id int REFERENCES ident (id) ON DELETE CASCADE);
    CREATE TABLE seen (id int PRIMARY KEY, a int, b varchar(10), n numeric(8,2), e varchar(40));
    CREATE VIEW v_a WITH (security_barrier) AS SELECT id, A, a * 2 AS twice FROM SEEN WHERE a > 0 WITH LOCAL CHECK OPTION;
    CREATE VIEW a_of_v (first, many) AS SELECT v.a, count(*) FROM v_a v GROUP BY v.a;
    CREATE VIEW with_b AS SELECT p.id, s.b FROM parent p JOIN seen s USING (id);
    CREATE DOMAIN positive AS int;
    CREATE DOMAIN unused AS int;
    CREATE TABLE measured (id int PRIMARY KEY, p positive);
    COMMENT ON VIEW v_a IS 'it''s seen';
    CREATE TABLE fired (id int PRIMARY KEY, a int, b int);
    CREATE FUNCTION fires() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
    CREATE TRIGGER fired_a BEFORE UPDATE ON fired FOR EACH ROW WHEN (old.a IS DISTINCT FROM new.a) EXECUTE FUNCTION fires();
";

/// A change, the versions it is planned for, and further statements that the steps do on purpose.
pub struct Example {
    /// The change as a user writes it.
    pub change: &'static str,
    /// Majors of PostgreSQL that it is planned for, the oldest and those where the plan is another.
    pub versions: &'static [u16],
    /// What the steps do besides.
    pub also: &'static str,
}

const ALL: &[u16] = &[13, 15, 18];

const fn ex(change: &'static str) -> Example {
    Example { change, versions: ALL, also: "" }
}

/// Every change, one line each.
pub const PLANNED: &[Example] = &[
    ex("ALTER TABLE t ALTER a SET NOT NULL"),
    ex("ALTER TABLE ranged ALTER id SET NOT NULL"),
    ex("ALTER TABLE t ALTER b SET NOT NULL"),
    ex("ALTER TABLE fired ALTER b TYPE bigint"),
    ex("CREATE INDEX i ON t (a)"),
    ex("CREATE INDEX ON t (a, b)"),
    ex("CREATE UNIQUE INDEX ON loose (lower(y))"),
    ex("CREATE INDEX IF NOT EXISTS t_b_idx ON t (b)"),
    ex("CREATE INDEX m_code ON m (code)"),
    ex("CREATE INDEX ON ranged (id)"),
    ex("CREATE INDEX named ON ranged (id, at)"),
    ex("DROP INDEX t_b_idx"),
    ex("REINDEX INDEX t_b_idx"),
    ex("REINDEX TABLE t"),
    ex("ALTER TABLE t ADD UNIQUE (a)"),
    ex("ALTER TABLE t ADD CONSTRAINT u UNIQUE (a, d) DEFERRABLE INITIALLY DEFERRED"),
    Example { change: "ALTER TABLE t ADD UNIQUE NULLS NOT DISTINCT (a)", versions: &[15, 18], also: "" },
    ex("ALTER TABLE loose ADD PRIMARY KEY (x)"),
    ex("ALTER TABLE loose ADD CONSTRAINT p PRIMARY KEY (x) INCLUDE (y)"),
    ex("ALTER TABLE t ADD FOREIGN KEY (parent_id) REFERENCES parent ON DELETE CASCADE"),
    ex("ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (parent_id) REFERENCES parent (id) NOT VALID"),
    ex("ALTER TABLE t ADD CHECK (a > 0)"),
    ex("ALTER TABLE t ADD CONSTRAINT k CHECK (a > 0 AND d IS NOT NULL)"),
    ex("ALTER TABLE t DROP CONSTRAINT b_positive"),
    ex("ALTER TABLE t DROP CONSTRAINT t_pkey CASCADE"),
    ex("ALTER TABLE t ADD e int"),
    ex("ALTER TABLE t ADD e int NOT NULL DEFAULT 7"),
    ex("ALTER TABLE t ADD e timestamptz DEFAULT clock_timestamp()"),
    ex("ALTER TABLE t ADD e uuid NOT NULL DEFAULT gen_random_uuid()"),
    ex("ALTER TABLE t ADD e serial"),
    ex("ALTER TABLE t ADD e bigserial"),
    ex("ALTER TABLE t ADD e int GENERATED ALWAYS AS IDENTITY"),
    ex("ALTER TABLE loose ADD id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY"),
    ex("ALTER TABLE t ADD p int REFERENCES parent"),
    ex("ALTER TABLE loose ALTER w TYPE varchar(40)"),
    ex("ALTER TABLE t ALTER c TYPE varchar(40)"),
    ex("ALTER TABLE t ALTER c TYPE text"),
    ex("ALTER TABLE t ALTER a TYPE bigint"),
    ex("ALTER TABLE t ALTER b TYPE bigint"),
    ex("ALTER TABLE t ALTER id TYPE bigint"),
    Example {
        change: "ALTER TABLE t ALTER s TYPE bigint",
        versions: ALL,
        also: "ALTER SEQUENCE t_s_seq AS bigint",
    },
    ex("ALTER TABLE t ALTER c DROP DEFAULT, ALTER c TYPE int USING length(c) + id, ALTER c SET DEFAULT 0"),
    ex("ALTER TABLE t ALTER parent_id TYPE bigint"),
    ex("ALTER TABLE loose ALTER y TYPE jsonb USING y::jsonb"),
    ex("ALTER TABLE ident ALTER v TYPE int"),
    ex("ALTER TABLE seen ALTER a TYPE bigint"),
    ex("ALTER TABLE seen ALTER b TYPE varchar(20)"),
    ex("ALTER TABLE seen ALTER b TYPE varchar(4)"),
    ex("ALTER TABLE seen ALTER b TYPE int USING b::int"),
    ex("ALTER TABLE seen ALTER id TYPE bigint"),
    ex("ALTER TABLE seen ALTER a TYPE smallint"),
    ex("ALTER TABLE seen ALTER a TYPE numeric(6,1)"),
    ex("ALTER TABLE seen ALTER n TYPE numeric(6,3)"),
    ex("ALTER TABLE seen ALTER n TYPE real"),
    ex("ALTER TABLE seen ALTER n TYPE varchar(9)"),
    ex("ALTER TABLE seen ALTER e TYPE numeric(6,1) USING e::numeric(6,1)"),
    ex("ALTER TABLE seen ALTER e TYPE double precision USING e::double precision"),
    ex("ALTER TABLE seen ALTER e TYPE text"),
    ex("ALTER DOMAIN positive ADD CHECK (VALUE > 0) NOT VALID"),
    ex("ALTER DOMAIN unused ADD CHECK (VALUE > 0)"),
    ex("ALTER DOMAIN unused SET NOT NULL"),
    ex("ALTER TABLE t RENAME a TO z"),
    ex("ALTER TABLE t RENAME b TO z"),
    ex("ALTER TABLE t RENAME c TO z"),
    ex("ALTER TABLE t RENAME id TO z"),
    ex("ALTER TABLE t RENAME s TO z"),
    ex("ALTER TABLE loose RENAME TO tight"),
    ex("ALTER TABLE t RENAME TO u"),
    ex("ALTER TABLE t DROP a"),
    ex("ALTER TABLE t DROP b"),
    ex("ALTER TABLE t DROP COLUMN IF EXISTS zz"),
    ex("DROP TABLE child"),
    ex("DROP TABLE t CASCADE"),
    ex("DROP TABLE loose"),
    ex("ALTER TABLE ranged DETACH PARTITION ranged_1"),
    ex("ALTER TABLE ranged ATTACH PARTITION ranged_3 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')"),
    ex("ALTER TABLE listed ATTACH PARTITION listed_2 FOR VALUES IN ('x', 'y')"),
    ex("ALTER TABLE stamped ATTACH PARTITION stamped_1 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')"),
    ex("CREATE TABLE listed_3 PARTITION OF listed FOR VALUES IN ('z')"),
    ex("CREATE TABLE stamped_2 PARTITION OF stamped FOR VALUES FROM ('2027-01-01') TO (MAXVALUE)"),
    ex("REFRESH MATERIALIZED VIEW m"),
    ex("ALTER TYPE mood ADD VALUE 'calm' BEFORE 'happy'"),
    ex("ALTER TABLE t ALTER a SET DEFAULT 1; ALTER TABLE t ALTER a SET NOT NULL; CREATE INDEX ON t (a)"),
    ex(
        "CREATE TABLE fresh (id int, t_id int); CREATE INDEX ON fresh (id); ALTER TABLE fresh ADD FOREIGN KEY (t_id) REFERENCES t",
    ),
];
