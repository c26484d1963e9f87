//! Chains of more than sixty migrations, of every kind that a runner carries out differently. Doing anything twice shows.

/// Groups of files in each chain.
const GROUPS: usize = 9;

/// Short waits, so that a refused lock costs little time.
const QUICK: &str = "-- dbwright: first_wait=20ms longest_wait=200ms retries=40\n";

fn numbered(groups: impl Fn(usize) -> Vec<String>, first: &str) -> Vec<(String, String)> {
    let texts = std::iter::once(first.to_owned()).chain((0..GROUPS).flat_map(groups));
    texts
        .enumerate()
        .map(|(number, text)| (format!("{:04}_file.sql", number + 1), format!("{QUICK}{text}")))
        .collect()
}

/// A chain for PostgreSQL.
pub fn postgres() -> Vec<(String, String)> {
    numbered(
        |g| {
            vec![
                format!(
                    "create table p{g} (id int generated always as identity primary key, a int, b text);\n\
                     insert into p{g} (a, b) select n, 'row ' || n from generate_series(1, 20) n;\n"
                ),
                format!(
                    "begin;\ncreate table c{g} (id serial primary key, p int references p{g});\n\
                     insert into c{g} (p) select id from p{g};\ninsert into log values ({g}, 'child');\ncommit;\n"
                ),
                format!("alter table p{g} add column d int default 5;\nupdate p{g} set a = a + 1;\n"),
                format!("create index concurrently i{g} on p{g} (a);\n"),
                format!(
                    "set lock_timeout = 0;\ndrop index concurrently i{g};\n\
                     create unique index concurrently u{g} on p{g} (id, a);\n\
                     insert into log values ({g}, 'apart');\nupdate p{g} set a = a + 1;\n"
                ),
                format!(
                    "begin;\nupdate p{g} set a = a + 1;\ninsert into log values ({g}, 'first');\ncommit;\n\
                     vacuum p{g};\nbegin;\nupdate p{g} set a = a * 2;\ncommit;\n"
                ),
                format!(
                    "alter table p{g} add constraint k{g} check (a > 0) not valid;\n\
                     alter table p{g} validate constraint k{g};\n\
                     do $$ begin insert into log values ({g}, 'block'); end $$;\nalter type kind add value 'k{g}';\n"
                ),
            ]
        },
        "create table log (n int, what text);\ncreate type kind as enum ('a');\n",
    )
}

/// A chain for MariaDB. Rows say their numbers, since those that a rolled back statement drew are gone.
pub fn mariadb() -> Vec<(String, String)> {
    numbered(
        |g| {
            vec![
                format!(
                    "create table p{g} (id int auto_increment primary key, a int, b varchar(20));\n\
                     insert into p{g} (id, a, b) values (1, 1, 'x'), (2, 2, 'y'), (3, 3, 'z');\n"
                ),
                format!(
                    "create table c{g} (id int auto_increment primary key, p int, foreign key (p) references p{g} (id));\n\
                     insert into c{g} (id, p) select id, id from p{g};\ninsert into log values ({g}, 'child');\n"
                ),
                format!(
                    "alter table p{g} add column d int default 5, add index i{g} (a);\nupdate p{g} set a = a + 1;\n"
                ),
                format!(
                    "update p{g} set a = a + 1;\ninsert into log values ({g}, 'rows');\nupdate p{g} set a = a * 2;\n"
                ),
                format!(
                    "drop index i{g} on p{g};\ncreate unique index u{g} on p{g} (id, a);\n\
                     insert into log values ({g}, 'index');\n"
                ),
                format!(
                    "delimiter //\ncreate trigger r{g} before insert on p{g} for each row begin set new.b = 'set'; end//\n\
                     delimiter ;\ninsert into p{g} (id, a) values (100, 100);\ncreate view v{g} as select a from p{g};\n"
                ),
                format!(
                    "set foreign_key_checks = 0;\nalter table p{g} modify b varchar(40) not null;\n\
                     alter table p{g} drop column d;\nrename table c{g} to k{g};\nupdate p{g} set a = a + 1;\n"
                ),
            ]
        },
        "create table log (n int, what varchar(20));\n",
    )
}

/// A chain for SQLite.
pub fn sqlite() -> Vec<(String, String)> {
    numbered(
        |g| {
            vec![
                format!(
                    "create table p{g} (id integer primary key autoincrement, a int, b text);\n\
                     insert into p{g} (a, b) values (1, 'x'), (2, 'y'), (3, 'z'), (4, 'gone');\ndelete from p{g} where a = 4;\n"
                ),
                format!(
                    "create table c{g} (id integer primary key, p int references p{g} (id) on delete cascade);\n\
                     insert into c{g} (p) select id from p{g};\ncreate index i{g} on p{g} (a);\n\
                     create trigger r{g} after insert on c{g} begin insert into log values ({g}, 'trigger'); end;\n"
                ),
                format!("alter table p{g} add column d int default 5;\nupdate p{g} set a = a + 1;\n"),
                format!("update p{g} set a = a + 1;\ninsert into log values ({g}, 'rows');\n"),
                format!(
                    "pragma foreign_keys = off;\ncreate table n{g} (id integer primary key autoincrement, a int not null, b text, d int);\n\
                     insert into n{g} select id, a, b, d from p{g};\ndrop table p{g};\nalter table n{g} rename to p{g};\n\
                     insert into log values ({g}, 'rebuild');\n"
                ),
                format!("vacuum;\nupdate p{g} set a = a * 2;\ninsert into log values ({g}, 'apart');\n"),
                format!(
                    "alter table p{g} drop column d;\ncreate view v{g} as select a from p{g};\ninsert into c{g} (p) values (1);\n"
                ),
            ]
        },
        "create table log (n int, what text);\n",
    )
}
