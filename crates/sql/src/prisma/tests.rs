//! Schemas against the catalog that Prisma Migrate makes of them.

use dbwright_model::catalog::Catalog;
use dbwright_model::engine::Engine;
use dbwright_model::name::QualifiedName;

use super::{lower, provider};
use crate::fold::Folder;

const BLOG: &str = r#"
generator client {
  provider = "prisma-client-js"
}
datasource db {
  provider = "postgresql" // the server
  url      = env("DATABASE_URL")
}
/// Somebody who writes.
model User {
  id        Int      @id @default(autoincrement())
  email     String   @unique
  name      String?  @db.VarChar(50)
  role      Role     @default(ADMIN)
  tags      String[] @default(["a", "b"])
  posts     Post[]   @relation("author")
  liked     Post[]
  settings  Json     @default("{}")
  balance   Decimal
  key       String   @default(dbgenerated("gen_random_uuid()")) @db.Uuid
  createdAt DateTime @default(now()) @map("created_at") @db.Timestamptz(6)
  updatedAt DateTime @updatedAt
  @@map("users")
  @@index([name, createdAt(sort: Desc)])
}
model Post {
  id       String @id @default(cuid())
  title    String
  authorId Int?   @map("author_id")
  author   User?  @relation("author", fields: [authorId], references: [id])
  likers   User[]
  parentId String
  parent   Post   @relation("tree", fields: [parentId], references: [id], onDelete: Cascade, map: "post_parent")
  children Post[] @relation("tree")
  geo      Unsupported("point")?
  @@unique([title, authorId], map: "one_title")
  @@index([title(ops: raw("text_pattern_ops"))], type: Brin)
}
enum Role {
  ADMIN @map("admin")
  USER
  @@map("user_role")
}
model Pair {
  a Int
  b Int
  @@id([a, b])
}
"#;

fn fold(engine: Engine, text: &str) -> Catalog {
    let lowered = lower(engine, [("schema.prisma", text)]);
    assert_eq!(lowered.skipped, []);
    let mut folder = Folder::new(engine);
    lowered.changes.iter().for_each(|change| folder.apply(change));
    let catalog = folder.finish();
    assert_eq!(catalog.doubts, []);
    catalog
}

fn describe(catalog: &Catalog, schema: &str, table: &str) -> Vec<String> {
    let table = catalog.table(&QualifiedName::new(schema, table)).expect("the table is there");
    let mut lines: Vec<String> = Vec::new();
    for column in &table.columns {
        let default = column.default.as_ref().map_or(String::new(), |default| format!(" = {}", default.text));
        let null = if column.not_null { " not null" } else { "" };
        lines.push(format!("{} {}{null}{default}", column.name, column.data_type.text));
    }
    for index in &table.indexes {
        let columns: Vec<String> =
            index.parts.iter().filter_map(|part| part.as_column()).map(ToString::to_string).collect();
        lines.push(format!("{} on {}", index.name, columns.join(", ")));
    }
    for key in &table.foreign_keys {
        let name = key.name.as_ref().map_or("", |name| name.as_str());
        lines.push(format!("{name} to {} {:?} {:?}", key.references, key.on_delete, key.on_update));
    }
    lines
}

#[test]
fn a_schema_is_what_prisma_makes_in_postgres() {
    assert_eq!(provider(BLOG), Some(Engine::Postgres));
    let catalog = fold(Engine::Postgres, BLOG);
    assert_eq!(
        describe(&catalog, "public", "users"),
        [
            "id integer not null = nextval('users_id_seq'::regclass)",
            "email text not null",
            "name character varying(50)",
            "role public.user_role not null = 'admin'",
            "tags text[] = ARRAY['a', 'b']",
            "settings jsonb not null = '{}'",
            "balance numeric(65,30) not null",
            "key uuid not null = gen_random_uuid()",
            "created_at timestamp(6) with time zone not null = CURRENT_TIMESTAMP",
            "updatedAt timestamp(3) without time zone not null",
            "users_email_key on email",
            "users_name_created_at_idx on name, created_at",
            "users_pkey on id",
        ]
        .map(|line| line.replace("users_id_seq", "public.users_id_seq"))
    );
    assert_eq!(
        describe(&catalog, "public", "Post"),
        [
            "id text not null",
            "title text not null",
            "author_id integer",
            "parentId text not null",
            "geo point",
            "Post_pkey on id",
            "Post_title_idx on title",
            "one_title on title, author_id",
            "Post_author_id_fkey to public.users SetNull Cascade",
            "post_parent to public.Post Cascade Cascade",
        ]
    );
    assert_eq!(
        describe(&catalog, "public", "_PostToUser"),
        [
            "A text not null",
            "B integer not null",
            "_PostToUser_AB_pkey on A, B",
            "_PostToUser_B_index on B",
            "_PostToUser_A_fkey to public.Post Cascade Cascade",
            "_PostToUser_B_fkey to public.users Cascade Cascade",
        ]
    );
    assert_eq!(describe(&catalog, "public", "Pair")[2], "Pair_pkey on a, b");
    assert_eq!(catalog.tables.len(), 4);
}

#[test]
fn types_follow_the_engine() {
    let text = "model T {\n id BigInt @id @default(autoincrement())\n s String\n u Int @db.UnsignedSmallInt\n \
                d DateTime @default(now())\n r R\n ok Boolean @default(true)\n}\nenum R { \n A\n B\n}\n";
    assert_eq!(
        describe(&fold(Engine::Mysql, text), "", "T"),
        [
            "id bigint not null",
            "s varchar(191) not null",
            "u smallint unsigned not null",
            "d datetime(3) not null = CURRENT_TIMESTAMP(3)",
            "r enum('A','B') not null",
            "ok tinyint(1) not null = true",
            "PRIMARY on id",
        ]
    );
    let sqlite = describe(&fold(Engine::Sqlite, "model T {\n id Int @id\n s String @unique\n}"), "", "T");
    assert_eq!(sqlite, ["id INTEGER not null", "s TEXT not null", "T_s_key on s", "rowid on id"]);
}

#[test]
fn places_are_lines_and_nonsense_is_skipped() {
    let lowered =
        lower(Engine::Postgres, [("a.prisma", "model T {\n  id Int @id\n  %% what\n  b Int\n}\n??\n")]);
    assert_eq!(lowered.columns.len(), 2);
    assert_eq!((lowered.columns[1].2.line, lowered.columns[1].2.column), (4, 3));
    let lines: Vec<u32> = lowered.skipped.iter().map(|(place, _, _)| place.line).collect();
    assert_eq!(lines, [3, 6]);
}

#[test]
fn what_shares_a_line_is_skipped_and_not_half_read() {
    let text =
        "model A { id Int @id email String @unique }\nmodel B {\n  id Int @id\n  a Int b Int @unique\n}\n";
    let lowered = lower(Engine::Postgres, [("a.prisma", text)]);
    let tables: Vec<&str> = lowered.tables.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!((tables, lowered.columns.len()), (vec!["B"], 1));
    let skipped: Vec<_> =
        lowered.skipped.iter().map(|(place, what, _)| (place.line, what.as_str())).collect();
    assert_eq!(skipped, [(1, "model A"), (4, "")]);
}
