//! What statements do, in words for messages and reports.

use dbwright_model::chain::ChainStatement;
use dbwright_model::effect::{Blocks, Cost, RelationEffect};
use dbwright_model::engine::{Dialect, Engine};

use crate::quantity;

/// How long the work of an effect takes on a table of this many bytes: `2 s to 9 s`. Brief work takes no time to speak of.
pub fn expected(effect: &RelationEffect, bytes: u64) -> Option<String> {
    effect.cost.expected_seconds(bytes).map(|(least, most)| span(least, most))
}

/// A length of time that is known only roughly: `2 s to 9 s`.
fn span(least: f64, most: f64) -> String {
    if most < 1.0 {
        "under a second".to_owned()
    } else if least < 0.5 {
        format!("up to {}", quantity::time(most))
    } else {
        format!("{} to {}", quantity::time(least), quantity::time(most))
    }
}

/// A lock with what it blocks: `ACCESS EXCLUSIVE, blocks reads and writes`.
pub fn lock(effect: &RelationEffect) -> String {
    format!("{}, {}", effect.lock.as_str(), blocked(effect.lock.blocks()))
}

/// What a lock keeps others from.
pub fn blocked(blocks: Blocks) -> &'static str {
    match blocks {
        Blocks::Nothing => "blocks nothing an application does",
        Blocks::SchemaChanges => "blocks schema changes and maintenance",
        Blocks::Writes => "blocks writes",
        Blocks::ReadsAndWrites => "blocks reads and writes",
    }
}

/// What waits, for a message: `reads and writes of`.
pub fn waiting(effect: &RelationEffect) -> &'static str {
    match effect.lock.blocks() {
        Blocks::ReadsAndWrites => "reads and writes",
        Blocks::Writes => "writes",
        Blocks::SchemaChanges => "schema changes",
        Blocks::Nothing => "nothing",
    }
}

/// What is done meanwhile, for a message: `while every row is rewritten`.
pub fn meanwhile(cost: Cost) -> &'static str {
    match cost {
        Cost::Brief => "for an instant",
        Cost::Scan => "while every row is read",
        Cost::IndexBuild => "while an index is built",
        Cost::Rewrite => "while the whole table is rewritten",
    }
}

/// What standbys and replicas go through when a statement reaches them; `None` where it is over in an instant. PostgreSQL
/// writes the strictest lock to its log, under which readers of a standby wait, and whatever is written anew; the replicas of
/// MySQL and MariaDB run a statement again, and nothing else behind it meanwhile.
pub fn on_standbys(engine: Engine, statement: &ChainStatement) -> Option<&'static str> {
    let felt = || statement.felt();
    let writes = felt().any(|effect| effect.cost >= Cost::IndexBuild);
    match engine.dialect() {
        Dialect::Postgres => {
            let locks = felt().any(|effect| effect.lock.blocks() == Blocks::ReadsAndWrites);
            match (locks, writes) {
                (true, true) => Some("hold its locks and replay what it writes"),
                (true, false) => Some("hold its locks"),
                (false, true) => Some("replay what it writes"),
                (false, false) => None,
            }
        }
        Dialect::Mysql => felt().any(|effect| effect.cost > Cost::Brief).then_some("repeat it"),
        Dialect::Sqlite => None,
    }
}
