//! What a target names: a server, a database file, a snapshot, or files of DDL.

use std::path::{Path, PathBuf};

use dbwright_engine::dsn::Dsn;
use dbwright_engine::redact::redacted;
use dbwright_model::chain::Looks;
use dbwright_model::engine::{Engine, Version};
use dbwright_sql::files::SourceFile;
use dbwright_sql::looks;
use dbwright_sql::tools::{self, Around};

use crate::error::{ErrorKind, ServiceError};
use crate::world::World;

/// A target, looked at closely enough to know what it is.
#[derive(Debug)]
pub enum Target {
    /// A server or an SQLite file.
    Database(Dsn),
    /// A snapshot file.
    Snapshot(PathBuf),
    /// DDL in files.
    Files(FileTarget),
}

/// DDL in files.
#[derive(Debug)]
pub struct FileTarget {
    /// The target as named.
    pub name: String,
    /// The engine that the text is for.
    pub engine: Engine,
    /// Whether the engine was guessed from words of the text.
    pub guessed: bool,
    /// The server's version, where a dump says it.
    pub version: Option<Version>,
    /// The files in the order in which they apply.
    pub files: Vec<SourceFile>,
}

/// What the text is called that another program wrote.
const STANDARD_INPUT: &str = "standard input";

/// First bytes of every SQLite database.
const SQLITE_MAGIC: &[u8] = b"SQLite format 3\0";

/// Finds out what a target is. `named` comes from the command line; without it `DATABASE_URL` and the configuration are
/// asked, in this order.
pub fn resolve(
    named: Option<&str>,
    configured: Option<&str>,
    engine: Option<Engine>,
    world: &World<'_>,
) -> Result<Target, ServiceError> {
    let text = named.or(world.database_url.as_deref()).or(configured).ok_or_else(|| {
        ServiceError::new(ErrorKind::Usage, "no target was named")
            .hint("name a connection string, an SQLite file, a `.sql` file, a folder of migrations or a snapshot")
            .hint("or set DATABASE_URL, or `target` in dbwright.toml")
    })?;
    if text.trim().is_empty() {
        return Err(ServiceError::new(ErrorKind::Usage, "the target is empty")
            .hint("check the variable or the argument that should name it"));
    }
    if is_connection_string(text) {
        return parse_dsn(text, world).map(Target::Database);
    }
    if text == "-" {
        return Ok(Target::Files(with_engine(STANDARD_INPUT, vec![standard_input()?], engine)));
    }
    let path = world.directory.join(text);
    let metadata = std::fs::metadata(&path).map_err(|error| cannot_open(text, &error))?;
    if metadata.is_dir() {
        return folder(text, &path, engine).map(Target::Files);
    }
    let head = read_head(&path).map_err(|error| cannot_open(text, &error))?;
    if head.starts_with(SQLITE_MAGIC) {
        return Ok(Target::Database(Dsn::Sqlite(path)));
    }
    let extension =
        path.extension().and_then(|extension| extension.to_str()).unwrap_or_default().to_ascii_lowercase();
    match extension.as_str() {
        "json" => Ok(Target::Snapshot(path)),
        "sql" | "ddl" | "txt" | "schema" | "dump" if !is_binary(&head) => {
            Ok(Target::Files(with_engine(text, vec![read_script(text, &path)?], engine)))
        }
        "prisma" => {
            let file = read_source(text, &path)?;
            Ok(Target::Files(with_engine(text, vec![file], engine)))
        }
        "db" | "sqlite" | "sqlite3" | "db3" => Ok(Target::Database(Dsn::Sqlite(path))),
        _ if head.starts_with(b"PGDMP") => Err(ServiceError::new(
            ErrorKind::Unsupported,
            format!("`{text}` is a PostgreSQL dump in custom format"),
        )
        .hint(format!("turn it into SQL first: pg_restore --schema-only --file=schema.sql {text}"))),
        _ if is_binary(&head) => Err(ServiceError::new(
            ErrorKind::Usage,
            format!("`{text}` is not a database that dbwright knows"),
        )
        .hint("it is neither an SQLite file nor text; an encrypted SQLite file looks like this too")),
        _ => Ok(Target::Files(with_engine(text, vec![read_script(text, &path)?], engine))),
    }
}

/// What another program hands on.
pub(crate) fn standard_input() -> Result<SourceFile, ServiceError> {
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut std::io::stdin(), &mut bytes)
        .map_err(|error| cannot_open(STANDARD_INPUT, &error))?;
    Ok(SourceFile { name: STANDARD_INPUT.to_owned(), text: decode(bytes) })
}

/// Whether a text names a server or a file by a scheme or by keywords, rather than by a path.
pub(crate) fn is_connection_string(text: &str) -> bool {
    let scheme = text.split_once(':').map_or("", |(scheme, _)| scheme).to_ascii_lowercase();
    matches!(scheme.as_str(), "postgres" | "postgresql" | "mysql" | "mariadb" | "sqlite")
        || text.contains("://")
        || (text.contains("host=") || text.contains("dbname=")) && !Path::new(text).exists()
}

/// Reads a connection string, with the usual environment variables filling in what it leaves out.
pub fn parse_dsn(text: &str, world: &World<'_>) -> Result<Dsn, ServiceError> {
    Dsn::with_environment(text, world.variable).map_err(|error| {
        ServiceError::new(ErrorKind::Usage, error.to_string()).hint(
            "write it like postgres://user@host:5432/database, mysql://user@host/database or sqlite:file.db",
        )
    })
}

/// Why a file or folder cannot be read.
pub(crate) fn cannot_open(text: &str, error: &std::io::Error) -> ServiceError {
    let kind = match error.kind() {
        std::io::ErrorKind::PermissionDenied => ErrorKind::Permission,
        _ => ErrorKind::Connection,
    };
    let because = match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file or folder".to_owned(),
        std::io::ErrorKind::PermissionDenied => "reading it is not permitted".to_owned(),
        _ => error.to_string(),
    };
    // What was meant as a connection string and is none may hold a password.
    let error = ServiceError::new(kind, format!("cannot open `{}`: {because}", redacted(text)));
    if text.contains('@') || text.contains(':') || text.contains('=') {
        return error.hint("a connection string begins with postgres://, mysql://, mariadb:// or sqlite:");
    }
    error
}

fn read_head(path: &Path) -> std::io::Result<Vec<u8>> {
    use std::io::Read;
    let mut head = Vec::new();
    std::fs::File::open(path)?.take(4096).read_to_end(&mut head)?;
    Ok(head)
}

fn is_binary(head: &[u8]) -> bool {
    let utf16 = head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff]);
    !utf16 && head.contains(&0)
}

/// Reads a text file. UTF-16 with a mark is decoded; bytes that are no UTF-8 become the replacement character.
pub fn read_source(name: &str, path: &Path) -> Result<SourceFile, ServiceError> {
    let bytes = std::fs::read(path).map_err(|error| cannot_open(name, &error))?;
    Ok(SourceFile { name: name.to_owned(), text: decode(bytes) })
}

/// Reads a script for what it makes: without the part that undoes it.
fn read_script(name: &str, path: &Path) -> Result<SourceFile, ServiceError> {
    let mut source = read_source(name, path)?;
    tools::blank_undo(&mut source.text);
    Ok(source)
}

fn decode(bytes: Vec<u8>) -> String {
    let wide = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect();
        String::from_utf16_lossy(&units)
    };
    if let Some(rest) = bytes.strip_prefix(&[0xff, 0xfe]) {
        return wide(rest, u16::from_le_bytes);
    }
    if let Some(rest) = bytes.strip_prefix(&[0xfe, 0xff]) {
        return wide(rest, u16::from_be_bytes);
    }
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// The migrations of a folder in the order in which their tools apply them, undo parts left out.
fn folder(name: &str, path: &Path, engine: Option<Engine>) -> Result<FileTarget, ServiceError> {
    let mut paths = Vec::new();
    list_files(path, ".sql", &mut paths, 0).map_err(|error| cannot_open(name, &error))?;
    if paths.is_empty() {
        // A folder of Prisma files without migrations is one schema.
        list_files(path, ".prisma", &mut paths, 0).map_err(|error| cannot_open(name, &error))?;
    }
    let around = Around {
        names: paths.iter().map(|path| path.to_string_lossy().into_owned()).collect(),
        project: project_files(path),
        ..Around::default()
    };
    let unversioned = around.unversioned();
    paths.retain(|path| !tools::is_undo(&path.to_string_lossy(), unversioned));
    paths.sort_by_cached_key(|path| tools::order(&path.to_string_lossy()));
    if paths.is_empty() {
        return Err(ServiceError::new(
            ErrorKind::Usage,
            format!("`{name}` holds no `.sql` or `.prisma` files"),
        ));
    }
    let mut files = Vec::new();
    for file in paths {
        let shown = file.strip_prefix(path).unwrap_or(&file);
        let shown = Path::new(name).join(shown).to_string_lossy().into_owned();
        files.push(read_script(&shown, &file)?);
    }
    if engine.is_none() && told(&files).is_none() {
        must_agree(&files)?;
    }
    Ok(with_engine(name, files, engine))
}

/// Refuses to guess the engine of files that are surely written for different ones.
pub(crate) fn must_agree(files: &[SourceFile]) -> Result<(), ServiceError> {
    let looks: Vec<(&str, Looks)> =
        files.iter().filter_map(|file| Some((file.name.as_str(), looks::like(&file.text)?))).collect();
    // SQLite takes any type, so that beside its files only what no other engine takes counts.
    let any_type = looks.iter().any(|(_, looks)| looks.engine == Engine::Sqlite);
    let mut first: Vec<&(&str, Looks)> = Vec::new();
    for one in looks.iter().filter(|(_, looks)| looks.sure || !any_type) {
        if !first.iter().any(|(_, known)| known.engine == one.1.engine) {
            first.push(one);
        }
    }
    if first.len() < 2 {
        return Ok(());
    }
    let told: Vec<String> = first
        .iter()
        .map(|(name, Looks { engine, mark, .. })| format!("`{name}` looks like {engine} ({mark})"))
        .collect();
    let message = format!("the files are written for different engines: {}", told.join(", "));
    Err(ServiceError::new(ErrorKind::Usage, message)
        .hint("name the files of one engine only")
        .hint("or say which one is meant with `--engine postgres`, `mysql`, `mariadb` or `sqlite`"))
}

/// Files of a project that name its tools.
const PROJECT_FILES: &[&str] = &[
    "Cargo.toml",
    "go.mod",
    "package.json",
    "pom.xml",
    "build.gradle",
    "build.gradle.kts",
    "diesel.toml",
    "flyway.conf",
    "flyway.toml",
    "refinery.toml",
];
/// Folders above the migrations in which the project is looked for.
const PROJECT_DEPTH: usize = 5;

/// The files of the project that a folder belongs to, the nearest folder first.
pub(crate) fn project_files(folder: &Path) -> Vec<SourceFile> {
    let mut files = Vec::new();
    // A relative folder has fewer folders above it than it seems.
    let folder = std::fs::canonicalize(folder).unwrap_or_else(|_| folder.to_path_buf());
    for above in folder.ancestors().take(PROJECT_DEPTH) {
        for file in PROJECT_FILES {
            let path = above.join(file);
            if let Ok(text) = std::fs::read(&path) {
                let text = String::from_utf8_lossy(&text).into_owned();
                files.push(SourceFile { name: path.to_string_lossy().into_owned(), text });
            }
        }
        if above.join(".git").exists() {
            break;
        }
    }
    files
}

fn list_files(folder: &Path, ending: &str, found: &mut Vec<PathBuf>, depth: u32) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
        if path.is_dir() {
            if depth < 4 && !name.starts_with('.') && name != "node_modules" {
                list_files(&path, ending, found, depth + 1)?;
            }
        } else if name.ends_with(ending) {
            found.push(path);
        }
    }
    Ok(())
}

fn with_engine(name: &str, files: Vec<SourceFile>, engine: Option<Engine>) -> FileTarget {
    let (guessed, version) = guess(&files);
    let says_so = version.is_some()
        || files.iter().any(|file| {
            dbwright_sql::prisma::is_schema(&file.name)
                && dbwright_sql::prisma::provider(&file.text).is_some()
        });
    FileTarget {
        name: name.to_owned(),
        engine: engine.unwrap_or(guessed),
        guessed: engine.is_none() && !says_so,
        version,
        files,
    }
}

/// The engine that files are written for: what they say of themselves, otherwise the dialect with the most telltale
/// words. PostgreSQL when nothing tells.
pub fn guess(files: &[SourceFile]) -> (Engine, Option<Version>) {
    told(files).unwrap_or_else(|| (most_telltales(files), None))
}

/// The engine, and its version, that a dump or a Prisma schema says of itself.
pub fn told(files: &[SourceFile]) -> Option<(Engine, Option<Version>)> {
    for file in files {
        if dbwright_sql::prisma::is_schema(&file.name) {
            match dbwright_sql::prisma::provider(&file.text) {
                Some(engine) => return Some((engine, None)),
                None => continue,
            }
        }
        let head = dbwright_sql::names::clip(&file.text, HEAD);
        if let Some(version) = after(head, "-- Dumped from database version ") {
            return Some((Engine::Postgres, Version::parse(version)));
        }
        if head.starts_with("-- MariaDB dump") || head.contains("M!999999") {
            return Some((Engine::Mariadb, after(head, "-- Server version").and_then(Version::parse)));
        }
        if head.starts_with("-- MySQL dump") {
            let text = after(head, "-- Server version").unwrap_or_default();
            let engine = if text.contains("MariaDB") { Engine::Mariadb } else { Engine::Mysql };
            return Some((engine, Version::parse(text)));
        }
    }
    None
}

/// Bytes at the beginning of a file that are asked what it is, and of all files in which telltales are looked for.
const HEAD: usize = 400_000;

fn most_telltales(files: &[SourceFile]) -> Engine {
    const TELLTALES: &[(Engine, &[&str])] = &[
        (
            Engine::Postgres,
            &[
                "serial",
                "::",
                "jsonb",
                "timestamptz",
                "timestamp with",
                "plpgsql",
                "$$",
                "create extension",
                "bytea",
                "uuid",
                "text[]",
                "concurrently",
                "generated always as identity",
                "generated by default as identity",
                "public.",
                "using gin",
                "using gist",
                "row level security",
                "create policy",
                "character varying",
                "create domain",
                "not valid",
                "create sequence",
                "owner to",
                "now()",
            ],
        ),
        (
            Engine::Mysql,
            &[
                "`",
                "engine=",
                "engine =",
                "auto_increment",
                "unsigned",
                "delimiter ",
                "charset=",
                "character set",
                "tinyint",
                "mediumtext",
                "longtext",
                "on update current_timestamp",
                "fulltext key",
                "unlock tables",
            ],
        ),
        (
            Engine::Sqlite,
            &[
                "autoincrement",
                "create table [",
                "create unique index [",
                "references [",
                "pragma ",
                "without rowid",
                "sqlite_sequence",
                "sqlite_stat",
                "strict;",
                "integer primary key",
                "datetime(",
            ],
        ),
    ];
    let mut scores = [0usize; 3];
    let mut left = HEAD;
    for file in files.iter().filter(|file| !dbwright_sql::prisma::is_schema(&file.name)) {
        let lower = dbwright_sql::names::clip(&file.text, left).to_ascii_lowercase();
        left -= lower.len();
        for (i, (_, words)) in TELLTALES.iter().enumerate() {
            scores[i] += words.iter().filter(|word| lower.contains(*word)).count();
        }
    }
    let best = (0..3).rev().max_by_key(|i| scores[*i]).unwrap_or(0);
    TELLTALES[best].0
}

fn after<'a>(text: &'a str, mark: &str) -> Option<&'a str> {
    let start = text.find(mark)? + mark.len();
    text[start..].lines().next().map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_guess(text: &str, expected: Engine) {
        let file = SourceFile { name: "a.sql".into(), text: text.into() };
        assert_eq!(guess(&[file]).0, expected, "{text}");
    }

    #[test]
    fn the_engine_of_a_file_is_guessed_from_its_words() {
        check_guess("create table t (id serial primary key, at timestamptz)", Engine::Postgres);
        check_guess("CREATE TABLE `t` (`id` int NOT NULL AUTO_INCREMENT) ENGINE=InnoDB", Engine::Mysql);
        check_guess("create table t (id integer primary key autoincrement)", Engine::Sqlite);
        check_guess("create table t (id int)", Engine::Postgres);
        check_guess(
            "CREATE TABLE [Album]\n(\n    [AlbumId] INTEGER  NOT NULL,\n    [Title] NVARCHAR(160)\n);",
            Engine::Sqlite,
        );
        check_guess("-- MariaDB dump 10.19\n-- Server version\t10.11.6-MariaDB\n", Engine::Mariadb);
    }

    #[test]
    fn texts_of_other_encodings_are_decoded() {
        assert_eq!(decode(vec![0xff, 0xfe, b'a', 0, b'b', 0]), "ab");
        assert_eq!(decode(vec![b'a', 0xff, b'b']), "a\u{fffd}b");
    }
}
