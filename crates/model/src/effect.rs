//! What a statement does to a running server: which relations it locks, what that blocks, and how much work is done
//! meanwhile.

use serde::{Deserialize, Serialize};

use crate::expression::Expression;
use crate::name::{Name, QualifiedName};

/// The lock that is held on a relation until the statement, or its transaction, ends.
///
/// PostgreSQL's eight table locks stand weakest first. MySQL and MariaDB are told by the `LOCK` clause that the server
/// accepts, SQLite by what a write transaction does to the one database file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lock {
    /// PostgreSQL's `ACCESS SHARE`, taken by reading.
    AccessShare,
    /// PostgreSQL's `ROW SHARE`, taken by `SELECT ... FOR UPDATE` and by checks of foreign keys.
    RowShare,
    /// PostgreSQL's `ROW EXCLUSIVE`, taken by writing rows.
    RowExclusive,
    /// PostgreSQL's `SHARE UPDATE EXCLUSIVE`: one maintenance or schema change at a time, rows are free.
    ShareUpdateExclusive,
    /// PostgreSQL's `SHARE`: nobody writes.
    Share,
    /// PostgreSQL's `SHARE ROW EXCLUSIVE`: nobody writes, and one at a time.
    ShareRowExclusive,
    /// PostgreSQL's `EXCLUSIVE`: only plain reading goes on.
    Exclusive,
    /// PostgreSQL's `ACCESS EXCLUSIVE`: nobody else reads or writes.
    AccessExclusive,
    /// MySQL's `LOCK=NONE`: reads and writes go on but for an instant at the begin and the end.
    MysqlNone,
    /// MySQL's `LOCK=SHARED`: reads go on, writes wait.
    MysqlShared,
    /// MySQL's `LOCK=EXCLUSIVE`: reads and writes wait.
    MysqlExclusive,
    /// SQLite's one write lock on the file: other writers wait, readers go on with write-ahead logging.
    SqliteWrite,
}

/// Which statements of others wait while a lock is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Blocks {
    /// Nothing an application does.
    Nothing,
    /// Schema changes and maintenance of the same relation.
    SchemaChanges,
    /// Inserts, updates and deletes.
    Writes,
    /// Everything, reads too.
    ReadsAndWrites,
}

/// The work that is done under a lock, cheapest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cost {
    /// Only catalog rows change: the time does not grow with the table.
    #[default]
    Brief,
    /// Every row is read.
    Scan,
    /// An index over the existing rows is built, which reads every row.
    IndexBuild,
    /// Every row is written anew and every index rebuilt.
    Rewrite,
}

/// How MySQL and MariaDB carry out a change, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Algorithm {
    /// `ALGORITHM=INSTANT`: only the data dictionary changes.
    Instant,
    /// MariaDB's `ALGORITHM=NOCOPY`: in place, the clustered index is not rebuilt.
    NoCopy,
    /// `ALGORITHM=INPLACE`: inside the storage engine, possibly with a rebuild of the table.
    InPlace,
    /// `ALGORITHM=COPY`: a new table is filled row by row.
    Copy,
}

/// What a statement does to one relation that was there before it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RelationEffect {
    /// The table, materialised view, sequence or index.
    pub relation: QualifiedName,
    /// The strongest lock taken on it.
    pub lock: Lock,
    /// The dearest work done on it.
    pub cost: Cost,
    /// How the server does it, where the engine lets one ask.
    pub algorithm: Option<Algorithm>,
}

/// What is gone or broken after a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LossKind {
    /// The relation has fewer rows, or is gone with all of its rows.
    Rows,
    /// The relation has lost an index.
    Indexes,
    /// The relation has lost a trigger.
    Triggers,
    /// The number that the next row gets has fallen back.
    Sequence,
    /// A foreign key of the relation points to another table than before.
    ReferenceMoved,
    /// Rows of the relation have lost their parent.
    Orphans,
    /// The relation is a view that can no longer be read.
    Unreadable,
    /// A trigger makes every write of the relation fail.
    Unwritable,
}

/// A loss, and what suffers it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Loss {
    /// The table or view, by the name that it has after the statement, or had before when it is gone.
    pub relation: QualifiedName,
    /// What is lost.
    pub kind: LossKind,
}

/// How a statement and a transaction get along.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransactionUse {
    /// It runs inside a transaction and is undone with it.
    #[default]
    Inside,
    /// The server refuses it inside a transaction.
    Outside,
    /// It commits what was open before it, and cannot be undone.
    Commits,
}

/// What the rows that are there may do to a statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "demand", rename_all = "snake_case")]
pub enum Demand {
    /// No row may hold a null in the column.
    NotNull {
        /// The table.
        table: QualifiedName,
        /// The column.
        column: Name,
    },
    /// The table must be empty: a new column would have no value.
    Empty {
        /// The table.
        table: QualifiedName,
    },
    /// No two rows may agree.
    Unique {
        /// The table.
        table: QualifiedName,
    },
    /// Every row must satisfy the condition.
    Check {
        /// The table.
        table: QualifiedName,
    },
    /// The table must be empty: the value that its rows get in a new column breaks the column's check.
    DefaultFits {
        /// The table.
        table: QualifiedName,
        /// The new column.
        column: Name,
        /// The condition that is broken, as written.
        condition: String,
    },
    /// Every row must find its parent.
    Reference {
        /// The table that refers.
        table: QualifiedName,
        /// The table referred to.
        parent: QualifiedName,
    },
    /// Every value must be convertible to the new type.
    Convertible {
        /// The table.
        table: QualifiedName,
        /// The column.
        column: Name,
    },
}

/// Why a server refuses a statement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// What it makes is there, under this name or as the only one that may be.
    AlreadyThere,
    /// Anything else.
    #[default]
    Other,
}

impl Refusal {
    fn is_other(&self) -> bool {
        *self == Refusal::Other
    }
}

/// What one statement does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effects {
    /// Relations that were there before the statement, by name. One that the statement itself creates is not listed.
    pub relations: Vec<RelationEffect>,
    /// Whether it may run in a transaction.
    pub transaction: TransactionUse,
    /// What the rows must fulfil, or else the statement fails.
    pub demands: Vec<Demand>,
    /// What is gone or broken afterwards without a word of the server: rows, triggers, references.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub losses: Vec<Loss>,
    /// Why the server refuses the statement in this state, whatever the rows are.
    pub refused: Option<String>,
    /// What kind of reason `refused` is.
    #[serde(default, skip_serializing_if = "Refusal::is_other")]
    pub refusal: Refusal,
    /// What was assumed because the catalog did not tell: fragments such as "the type of `t.c` is not known".
    pub assumed: Vec<String>,
}

impl Lock {
    /// Every lock, PostgreSQL's weakest first.
    pub const ALL: [Lock; 12] = [
        Lock::AccessShare,
        Lock::RowShare,
        Lock::RowExclusive,
        Lock::ShareUpdateExclusive,
        Lock::Share,
        Lock::ShareRowExclusive,
        Lock::Exclusive,
        Lock::AccessExclusive,
        Lock::MysqlNone,
        Lock::MysqlShared,
        Lock::MysqlExclusive,
        Lock::SqliteWrite,
    ];

    /// The words that the server's manual uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Lock::AccessShare => "ACCESS SHARE",
            Lock::RowShare => "ROW SHARE",
            Lock::RowExclusive => "ROW EXCLUSIVE",
            Lock::ShareUpdateExclusive => "SHARE UPDATE EXCLUSIVE",
            Lock::Share => "SHARE",
            Lock::ShareRowExclusive => "SHARE ROW EXCLUSIVE",
            Lock::Exclusive => "EXCLUSIVE",
            Lock::AccessExclusive => "ACCESS EXCLUSIVE",
            Lock::MysqlNone => "LOCK=NONE",
            Lock::MysqlShared => "LOCK=SHARED",
            Lock::MysqlExclusive => "LOCK=EXCLUSIVE",
            Lock::SqliteWrite => "write lock on the file",
        }
    }

    /// Reads what [`Lock::as_str`] writes.
    pub fn parse(text: &str) -> Option<Lock> {
        Lock::ALL.into_iter().find(|lock| lock.as_str() == text)
    }

    /// Which statements of an application wait for it, by the conflict table of the server's manual.
    pub fn blocks(self) -> Blocks {
        match self {
            Lock::AccessShare | Lock::RowShare | Lock::RowExclusive | Lock::MysqlNone => Blocks::Nothing,
            Lock::ShareUpdateExclusive => Blocks::SchemaChanges,
            Lock::Share
            | Lock::ShareRowExclusive
            | Lock::Exclusive
            | Lock::MysqlShared
            | Lock::SqliteWrite => Blocks::Writes,
            Lock::AccessExclusive | Lock::MysqlExclusive => Blocks::ReadsAndWrites,
        }
    }

    /// Whether two sessions cannot hold these two PostgreSQL locks on one relation, by the manual's conflict table
    /// ("Explicit Locking"). Locks of other engines conflict with themselves alone.
    pub fn conflicts_with(self, other: Lock) -> bool {
        use Lock::*;
        let (weak, strong) = if self <= other { (self, other) } else { (other, self) };
        match (weak, strong) {
            (_, AccessExclusive) => true,
            (AccessShare, _) => false,
            (RowShare, strong) => strong == Exclusive,
            (RowExclusive, strong) => matches!(strong, Share | ShareRowExclusive | Exclusive),
            (ShareUpdateExclusive, strong) => strong <= Exclusive,
            (Share, Share) => false,
            (Share, strong) => strong <= Exclusive,
            (weak, strong) => weak == strong || strong <= Exclusive,
        }
    }
}

impl Demand {
    /// The table whose rows are looked at.
    pub fn table(&self) -> &QualifiedName {
        match self {
            Demand::NotNull { table, .. }
            | Demand::Empty { table }
            | Demand::Unique { table }
            | Demand::Check { table }
            | Demand::DefaultFits { table, .. }
            | Demand::Reference { table, .. }
            | Demand::Convertible { table, .. } => table,
        }
    }
}

impl Cost {
    /// Every class, cheapest first.
    pub const ALL: [Cost; 4] = [Cost::Brief, Cost::Scan, Cost::IndexBuild, Cost::Rewrite];

    /// The word used in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Cost::Brief => "brief",
            Cost::Scan => "scan",
            Cost::IndexBuild => "index build",
            Cost::Rewrite => "rewrite",
        }
    }

    /// Reads what [`Cost::as_str`] writes.
    pub fn parse(text: &str) -> Option<Cost> {
        Cost::ALL.into_iter().find(|cost| cost.as_str() == text)
    }
}

impl Cost {
    /// Bytes of a table that are worked through in a second, and the factor by which that may be wrong either way: measured
    /// with `cargo xtask bench throughput` (`docs/benchmarks.md`) on narrow and wide rows, with and without a cache. The
    /// slow end leaves room for a disk that is slower than the measured one.
    pub const fn throughput(self) -> Option<(f64, f64)> {
        const MIB: f64 = 1024.0 * 1024.0;
        match self {
            Cost::Brief => None,
            Cost::Scan => Some((700.0 * MIB, 7.0)),
            Cost::IndexBuild => Some((200.0 * MIB, 7.0)),
            Cost::Rewrite => Some((80.0 * MIB, 4.0)),
        }
    }

    /// Seconds that the work on a table of this many bytes takes, from the least to the most that is likely.
    pub fn expected_seconds(self, bytes: u64) -> Option<(f64, f64)> {
        self.throughput().map(|(rate, factor)| {
            let likely = bytes as f64 / rate;
            (likely / factor, likely * factor)
        })
    }
}

impl LossKind {
    /// Every kind.
    pub const ALL: [LossKind; 8] = [
        LossKind::Rows,
        LossKind::Indexes,
        LossKind::Triggers,
        LossKind::Sequence,
        LossKind::ReferenceMoved,
        LossKind::Orphans,
        LossKind::Unreadable,
        LossKind::Unwritable,
    ];

    /// The words used in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            LossKind::Rows => "rows lost",
            LossKind::Indexes => "indexes lost",
            LossKind::Triggers => "triggers lost",
            LossKind::Sequence => "sequence lost",
            LossKind::ReferenceMoved => "reference moved",
            LossKind::Orphans => "orphans",
            LossKind::Unreadable => "unreadable",
            LossKind::Unwritable => "unwritable",
        }
    }

    /// Reads what [`LossKind::as_str`] writes.
    pub fn parse(text: &str) -> Option<LossKind> {
        LossKind::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

impl Algorithm {
    /// Every algorithm, best first.
    pub const ALL: [Algorithm; 4] =
        [Algorithm::Instant, Algorithm::NoCopy, Algorithm::InPlace, Algorithm::Copy];

    /// The word of the `ALGORITHM` clause.
    pub fn as_str(self) -> &'static str {
        match self {
            Algorithm::Instant => "INSTANT",
            Algorithm::NoCopy => "NOCOPY",
            Algorithm::InPlace => "INPLACE",
            Algorithm::Copy => "COPY",
        }
    }

    /// Reads what [`Algorithm::as_str`] writes.
    pub fn parse(text: &str) -> Option<Algorithm> {
        Algorithm::ALL.into_iter().find(|algorithm| algorithm.as_str() == text)
    }
}

impl RelationEffect {
    /// Whether others wait for longer the larger the relation is.
    pub fn blocks_in_proportion_to_size(&self) -> bool {
        self.cost > Cost::Brief && self.lock.blocks() >= Blocks::Writes
    }
}

impl Effects {
    /// Notes what happens to a relation: the strongest lock and the dearest work win.
    pub fn add(&mut self, relation: &QualifiedName, lock: Lock, cost: Cost) {
        match self.relations.iter_mut().find(|effect| effect.relation == *relation) {
            Some(effect) => {
                effect.lock = effect.lock.max(lock);
                effect.cost = effect.cost.max(cost);
            }
            None => {
                self.relations.push(RelationEffect {
                    relation: relation.clone(),
                    lock,
                    cost,
                    algorithm: None,
                });
                self.relations.sort();
            }
        }
    }

    /// The same with the algorithm that the server is expected to choose: the dearest wins.
    pub fn add_by(&mut self, relation: &QualifiedName, lock: Lock, cost: Cost, algorithm: Algorithm) {
        self.add(relation, lock, cost);
        if let Some(effect) = self.relations.iter_mut().find(|effect| effect.relation == *relation) {
            effect.algorithm = effect.algorithm.max(Some(algorithm));
        }
    }

    /// Adds the effects of a later statement.
    pub fn include(&mut self, later: Effects) {
        for effect in later.relations {
            self.add(&effect.relation, effect.lock, effect.cost);
            if let Some(algorithm) = effect.algorithm {
                self.add_by(&effect.relation, effect.lock, effect.cost, algorithm);
            }
        }
        if self.transaction == TransactionUse::Inside {
            self.transaction = later.transaction;
        }
        self.demands.extend(later.demands);
        for loss in later.losses {
            self.lose(&loss.relation, loss.kind);
        }
        if let Some(because) = later.refused {
            self.refuse(later.refusal, because);
        }
        self.assumed.extend(later.assumed);
    }

    /// Notes that the server refuses the statement; the first reason stands.
    pub fn refuse(&mut self, kind: Refusal, because: impl Into<String>) {
        if self.refused.is_none() {
            self.refused = Some(because.into());
            self.refusal = kind;
        }
    }

    /// Notes a loss, once.
    pub fn lose(&mut self, relation: &QualifiedName, kind: LossKind) {
        let loss = Loss { relation: relation.clone(), kind };
        if !self.losses.contains(&loss) {
            self.losses.push(loss);
            self.losses.sort();
        }
    }

    /// What happens to a relation.
    pub fn of(&self, relation: &QualifiedName) -> Option<&RelationEffect> {
        self.relations.iter().find(|effect| effect.relation == *relation)
    }

    /// The effects whose blocking grows with the size of the relation.
    pub fn blocking(&self) -> impl Iterator<Item = &RelationEffect> {
        self.relations.iter().filter(|effect| effect.blocks_in_proportion_to_size())
    }
}

/// Checks that stand in for looking through rows when a partition is made or attached.
#[derive(Clone, Debug, PartialEq)]
pub struct PartitionChecks {
    /// The single column that the table is partitioned by.
    pub column: Name,
    /// Holds for the values that belong into the partition; a null is not spoken of.
    pub within: Expression,
    /// Holds for all other values.
    pub outside: Expression,
    /// Texts of values that belong into the partition; none when they are not known.
    pub samples: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locks_conflict_as_the_manual_says() {
        use Lock::*;
        let modes = &Lock::ALL[..8];
        let conflicts: [(Lock, &[Lock]); 8] = [
            (AccessShare, &[AccessExclusive]),
            (RowShare, &[Exclusive, AccessExclusive]),
            (RowExclusive, &[Share, ShareRowExclusive, Exclusive, AccessExclusive]),
            (
                ShareUpdateExclusive,
                &[ShareUpdateExclusive, Share, ShareRowExclusive, Exclusive, AccessExclusive],
            ),
            (Share, &[RowExclusive, ShareUpdateExclusive, ShareRowExclusive, Exclusive, AccessExclusive]),
            (
                ShareRowExclusive,
                &[RowExclusive, ShareUpdateExclusive, Share, ShareRowExclusive, Exclusive, AccessExclusive],
            ),
            (
                Exclusive,
                &[
                    RowShare,
                    RowExclusive,
                    ShareUpdateExclusive,
                    Share,
                    ShareRowExclusive,
                    Exclusive,
                    AccessExclusive,
                ],
            ),
            (AccessExclusive, modes),
        ];
        for (lock, expected) in conflicts {
            let found: Vec<Lock> =
                modes.iter().copied().filter(|other| lock.conflicts_with(*other)).collect();
            assert_eq!(found, expected, "{}", lock.as_str());
        }
    }

    #[test]
    fn the_first_refusal_stands_with_its_kind() {
        let mut effects = Effects::default();
        effects.include(Effects::default());
        let mut later = Effects::default();
        later.refuse(Refusal::AlreadyThere, "it is there");
        later.refuse(Refusal::Other, "it is a view");
        effects.include(later.clone());
        assert_eq!(
            (effects.refused.as_deref(), effects.refusal),
            (Some("it is there"), Refusal::AlreadyThere)
        );
        let mut first = Effects::default();
        first.refuse(Refusal::Other, "it is a view");
        first.include(later);
        assert_eq!((first.refused.as_deref(), first.refusal), (Some("it is a view"), Refusal::Other));
    }

    #[test]
    fn the_strongest_lock_and_the_dearest_work_win() {
        let table = QualifiedName::new("public", "t");
        let mut effects = Effects::default();
        effects.add(&table, Lock::AccessExclusive, Cost::Brief);
        effects.add(&table, Lock::Share, Cost::Scan);
        assert_eq!(effects.relations.len(), 1);
        assert_eq!(
            (effects.relations[0].lock, effects.relations[0].cost),
            (Lock::AccessExclusive, Cost::Scan)
        );
    }
}
