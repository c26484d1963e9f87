//! Words that are the engines' own, or that everybody uses.

use dbwright_model::history::is_tool_table;
use dbwright_rules::lexicon::charset::of_collation;

/// Keywords, types, functions, values of settings, extensions, tables of migration tools, and the commonest names, in
/// lower case and in order.
pub(super) const WORDS: &str = "\
    8kb __diesel_schema_migrations __drizzle_migrations _prisma_migrations _sqlx_migrations a abort aborted abs \
    action active activity add advisory after age aggregate alembic alembic_version algorithm all alter always \
    amcheck analyze and any anyarray anyelement anyenum ar_internal_metadata archive archiver aria array array_agg \
    array_append array_length as asc ascii async authorization auto auto_explain autovacuum \
    autovacuum_analyze_scale_factor autovacuum_enabled autovacuum_vacuum_cost_delay autovacuum_vacuum_cost_limit \
    autovacuum_vacuum_scale_factor autovacuum_vacuum_threshold avg avg_row_length b backend background backup \
    barman before begin between big_int bigint bigserial binary binlog bit bit_and bit_or blob bool boolean both bpchar \
    bpchar_pattern_ops brin btree btree_gin btree_gist bufferpin bin_to_uuid by by_default bytea c c.utf-8 cascade cascaded \
    case cast catalog catchup ceil ceiling cert char char_length character character_length charset check \
    check_option checkpointer checksum chr cidr citext class client client_read clock_timestamp coalesce collate \
    collation column columnar columns command comment commit committed compact composite compressed concat \
    concat_ws concurrently configuration conflict constraint convert copy cos count create created_at cross \
    cstring csv cube current current_catalog current_date current_role current_schema current_setting current_time \
    current_timestamp current_user currval cycle d data database databasechangelog databasechangeloglock databases \
    daemon date date_format date_formats date_part date_trunc daterange datetime day db dblink dbmate dbwright.toml debug dec decimal \
    declare deduplicate_items default default_function default_other default_table deferrable deferred definer \
    delete deleted deleted_at denied dense_rank dependency desc descending diesel dirty disabled distinct django \
    django_migrations do domain double drizzle drop duplicates dynamic each earthdistance else email en_us.utf-8 \
    end engine enum environment eq error escape event event_trigger every except exclude exclusion exclusive \
    execute exists exp expression extended extension external extra extract failed false fastpath fastupdate fatal \
    fdatasync fetch file file_fdw files fillfactor filter first first_value float float4 float8 floor flyway \
    flyway_schema_history following for force foreign foreign_key format from fsync fts3 fts4 fts5 full fulltext \
    function fuzzystrmatch gb ge gen_random_uuid generate_series generated geometry geopoly gin gin_trgm_ops gist \
    glob golang-migrate goose goose_db_version gorp_migrations grant greatest group group_concat gss gt h hash \
    hashtext having host hostgssenc hostnossl hostssl hot_standby hour hstore hypopg id ident identity idle \
    idle_in_transaction idle_in_transaction_session_timeout if ifnull ignore ignored ilike immediate immutable in \
    include increment incremental index indexes inet info information_schema inherits initially inner innodb inout \
    insert inserted installed_rank instead instr int int2 int4 int4_ops int4range int8 int8_ops int8range intarray \
    integer internal intersect interval into invisible invoker io ipc is isnull join json json_agg json_array \
    json_build_object json_each json_extract json_object json_unquote json_valid jsonb jsonb_agg \
    jsonb_array_elements jsonb_build_object jsonb_path_ops jsonb_typeof jsonpath kb key key_block_size knex \
    knex_migrations knex_migrations_lock known lag language large last last_value lastval lateral latin1 \
    latin1_swedish_ci launcher ldap le lead leading least left length level like limit line liquibase list \
    list_values live ln local localtime localtimestamp lock lock_timeout locked log logged logger logical long \
    longblob longtext lost lower lpad lt ltree ltrim lwlock lz4 mac_addr macaddr macaddr8 make_interval mariadb \
    match materialized max max_rows maxvalue mb md5 medium medium_int mediumblob mediumint mediumtext memory merge \
    migrations min minimal minute minvalue mixed mod modify module modulus money month ms myisam mysql name names \
    national natural never new next nextval no no_action nobinlog nocase none normal not not_asked nothing notice \
    notnull now nowait ntile null nullif nulls number numeric numrange object of off offset oid old on only open \
    open_datasync open_sync operator option options or order ordinary orphans ossp other others out outer over \
    overlaps override owner pages_per_range pam panic parallel_workers parent parser parses_as partial partition \
    partitioned partitions password path peer percent_rank performance_schema permanent permissive persist \
    pg_buffercache pg_catalog pg_cron pg_partman pg_repack pg_sleep pg_stat_activity pg_stat_statements pg_temp \
    pg_trgm pgaudit pgbackrest pgcrypto pglz pgstattuple physical plperl plpgsql plpython3u point policy position \
    posix postgis postgres postgres_fdw postgresql postmaster potential pow power preceding precision prepared \
    primary primary_key prisma privileges procedure public query quorum quote_ident quote_literal radius rails rand random \
    randomblob range rank raw read-committed read-uncommitted real record recursive redundant ref references refinery \
    refinery_schema_history refresh regclass regexp regexp_matches regexp_replace regtype reject relation release \
    remainder rename repeatable repeatable-read replace replica replication reserved restrict return returning \
    returns reverse revoke right role rollback rollup round row row_format row_number rowid rows rpad rtree rtrim \
    s samerole sameuser savepoint schema schema_migrations scram scram-sha-256 search_path second security \
    security_barrier security_invoker select sequence serial serializable server session session_user set \
    set_default set_null setof setval shadow share show sighup similar simple sin sleep small_int smallint smallserial \
    snapshot some spatial spgist split_part sql sql_calc_found_rows sqlite sqlx sqrt sspi stable start startup statement \
    statement_mixed statement_timeout statement_timestamp statistics stats_persistent status stored streaming \
    strftime strict string string_agg strong strpos subpartition substr substring success sum superuser superuser- \
    backend symmetric sync sysdate system table table_default tablefunc tables tablesample tan tb temp temporary \
    text text_ops text_pattern_ops text_search then time time_tz timeofday timeout timescaledb timestamp \
    timestamp_tz timestamptz timetz tiny_int tinyblob tinyint tinytext to to_char to_date to_days to_json to_jsonb \
    to_number to_timestamp to_tsquery to_tsvector toast_tuple_target trailing transaction transaction_timestamp \
    transactionid translate trigger trim true trunc truncate trust tsquery tsrange tstzrange tsvector tuple type \
    typeof types uescape unaccent unbounded uncommitted undone unique unistr unix_timestamp unknown unlogged unnest \
    unreserved unsigned unsupported until untyped update updated updated_at upper usage user using utc_timestamp \
    utf-16le utf-8 utf16le utf8 utf8mb3 utf8mb3_general_ci utf8mb4 utf8mb4_0900_ai_ci utf8mb4_bin \
    utf8mb4_general_ci utf8mb4_unicode_ci uuid uuid-ossp uuid_generate_v4 uuid_ossp uuid_v7 uuidv7 vacuum valid \
    value values varbinary varbit varchar varchar_pattern_ops variable variadic varying vector vector_cosine_ops \
    vector_l2_ops version version_num view views virtual virtualxid visible void volatile wal wal-g walsender \
    warning weak when where window window_function with within without work work_mem worker write writer xml \
    uuid_to_bin xmlagg year yes zerofill zlib zone zstd";

/// Names that servers give by themselves, and words that stand for everybody or for whoever asks.
const SERVERS: &[&str] = &[
    "all",
    "current_role",
    "current_user",
    "information_schema",
    "main",
    "mysql",
    "performance_schema",
    "pg_catalog",
    "pg_checkpoint",
    "pg_create_subscription",
    "pg_database_owner",
    "pg_execute_server_program",
    "pg_maintain",
    "pg_monitor",
    "pg_read_all_data",
    "pg_read_all_settings",
    "pg_read_all_stats",
    "pg_read_server_files",
    "pg_signal_autovacuum_worker",
    "pg_signal_backend",
    "pg_stat_scan_tables",
    "pg_temp",
    "pg_toast",
    "pg_use_reserved_connections",
    "pg_write_all_data",
    "pg_write_server_files",
    "postgres",
    "public",
    "root",
    "rowid",
    "samerole",
    "sameuser",
    "session_user",
    "sys",
    "temp",
    "template0",
    "template1",
];

/// Whether a name is one that servers give by themselves, or that a migration tool gives to its own table everywhere.
pub(super) fn is_servers(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    SERVERS.binary_search(&lower.as_str()).is_ok() || is_tool_table(name)
}

/// Programs that many have and that are told from applications, by a part of how they call themselves.
const PROGRAMS: &[&str] = &[
    "pg_receivewal",
    "pg_receivexlog",
    "pg_basebackup",
    "basebackup",
    "pg_dumpall",
    "pg_dump",
    "pg_restore",
    "mysqldump",
    "psql",
    "pgadmin",
    "dbeaver",
    "datagrip",
    "barman",
    "wal-g",
    "pgbackrest",
    "pghoard",
    "dbwright",
];

/// The program that something connected is, when it is no application of anybody's own.
pub(super) fn program(application: &str) -> Option<&'static str> {
    let lower = application.to_ascii_lowercase();
    PROGRAMS.iter().copied().find(|program| lower.contains(program))
}

/// Whether a schema holds only what the server made.
pub(super) fn is_catalog(schema: &str) -> bool {
    matches!(
        schema,
        "information_schema" | "mysql" | "performance_schema" | "pg_catalog" | "pg_toast" | "sys"
    )
}

/// Types whose length or precision is kept.
pub(super) const SIZED: &[&str] = &[
    "binary",
    "bit",
    "char",
    "character",
    "datetime",
    "decimal",
    "float",
    "int",
    "bigint",
    "smallint",
    "tinyint",
    "mediumint",
    "numeric",
    "time",
    "timestamp",
    "timestamptz",
    "varbinary",
    "varbit",
    "varchar",
    "varying",
];

/// What the names of collations are made of beside their character set: languages, versions, and what is compared.
const OF_COLLATIONS: &[&str] = &[
    "0900",
    "520",
    "ai",
    "as",
    "bg",
    "bin",
    "bs",
    "bulgarian",
    "chinese",
    "ci",
    "croatian",
    "cs",
    "cyrl",
    "czech",
    "da",
    "danish",
    "de",
    "en",
    "english",
    "eo",
    "es",
    "esperanto",
    "estonian",
    "et",
    "fi",
    "fr",
    "general",
    "general1400",
    "german",
    "german1",
    "german2",
    "gl",
    "hr",
    "hu",
    "hungarian",
    "icelandic",
    "is",
    "ja",
    "japanese",
    "korean",
    "ks",
    "la",
    "latn",
    "latvian",
    "lithuanian",
    "lt",
    "lv",
    "mn",
    "myanmar",
    "mysql500",
    "mysql561",
    "nb",
    "nn",
    "nopad",
    "pb",
    "persian",
    "phone",
    "pl",
    "polish",
    "ro",
    "roman",
    "romanian",
    "ru",
    "sinhala",
    "sk",
    "sl",
    "slovak",
    "slovenian",
    "spanish",
    "spanish2",
    "sr",
    "standard",
    "sv",
    "swedish",
    "thai",
    "tr",
    "trad",
    "turkish",
    "uca1400",
    "ukrainian",
    "unicode",
    "vi",
    "vietnamese",
    "w2",
    "zh",
];

/// Whether a word in lower case is a character set or a collation of MySQL or MariaDB, `_utf8mb4` before a constant
/// included.
pub(super) fn is_collation(word: &str) -> bool {
    let word = word.strip_prefix('_').unwrap_or(word);
    let mut parts = word.split('_').skip(1).peekable();
    if parts.peek().is_none() {
        return of_collation(word).is_some();
    }
    // MariaDB also has names without the set: `uca1400_ai_ci`.
    (of_collation(word).is_some() || word.starts_with("uca1400_"))
        && ["bin", "ci", "cs", "ks", "w2"].iter().any(|end| word.ends_with(&format!("_{end}")))
        && parts.all(|part| OF_COLLATIONS.contains(&part))
}
