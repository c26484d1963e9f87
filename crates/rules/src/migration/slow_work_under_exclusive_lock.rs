use dbwright_model::chain::ChainStatement;
use dbwright_model::change::{Change, DataKind};
use dbwright_model::effect::{Blocks, Cost, RelationEffect};
use dbwright_model::engine::{Dialect, Engine};
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::name::QualifiedName;
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::lint::{self, Judged};
use crate::server_tables::is_of_the_server;
use crate::{Context, Engines, Findings, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Error,
    dimension: Dimension::Migrations,
    weight: 7,
    needs: &[Fact::Migrations],
    wants: lint::WANTS,
    engines: Engines::only(
        Engine::Postgres,
        "a change of the schema is committed by itself there, or the file has one writer",
    ),
    when: "a transaction that has locked a table against everybody goes on to work through rows",
    then: "Nobody reads or writes the locked table until all of that work is done and committed.",
    instead: "Commit the change of the schema first; fill rows in batches and build indexes in steps of their own.",
    remedy: Applicability::Manual,
    source: "PostgreSQL manual, \"Table-Level Locks\": a lock is held until the end of the transaction",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    // What the transaction of the statement at hand has locked, the first first.
    let mut held: Vec<(&ChainStatement, &RelationEffect)> = Vec::new();
    for judged in lint::statements(context) {
        let transaction = judged.statement.transaction;
        held.retain(|(earlier, _)| transaction.is_some() && earlier.transaction == transaction);
        judge(context, findings, &judged, &held);
        held.extend(locks(judged.statement).map(|effect| (judged.statement, effect)));
    }
}

/// The locks of a statement that keep everybody out of what is still there afterwards.
fn locks(statement: &ChainStatement) -> impl Iterator<Item = &RelationEffect> {
    // Nobody waits for what is gone.
    let dropped = move |name: &QualifiedName| {
        statement.changes.iter().any(|change| match change {
            Change::DropTable { name: gone, .. } | Change::DropView { name: gone, .. } => {
                lint::same_relation(gone, name)
            }
            _ => false,
        })
    };
    statement
        .felt()
        .filter(move |effect| effect.lock.blocks() == Blocks::ReadsAndWrites && !dropped(&effect.relation))
}

fn judge(
    context: &Context<'_>,
    findings: &mut Findings,
    judged: &Judged<'_>,
    held: &[(&ChainStatement, &RelationEffect)],
) {
    // A statement that is refused does no work.
    if judged.statement.effects.refused.is_some() {
        return;
    }
    let Some((relation, work, cost)) = work(judged) else { return };
    findings.examined(1);
    // What the statement itself keeps everybody out of is another rule's matter, and so is what is gone by then.
    let own = |name: &QualifiedName| {
        judged
            .statement
            .effects
            .relations
            .iter()
            .any(|effect| effect.relation == *name && effect.lock.blocks() == Blocks::ReadsAndWrites)
    };
    let in_transaction =
        || judged.chain.earlier_in_transaction(judged.position).flat_map(|earlier| &earlier.changes);
    // A table keeps its lock under another name.
    let called = |name: &QualifiedName| {
        in_transaction().fold(name.clone(), |now, change| match change {
            Change::RenameTable { table, to, .. } if lint::same_relation(table, &now) => {
                QualifiedName { schema: now.schema, name: to.name.clone() }
            }
            _ => now,
        })
    };
    let gone = |name: &QualifiedName| {
        in_transaction().any(|change| match change {
            Change::DropTable { name: gone, .. } | Change::DropView { name: gone, .. } => {
                lint::same_relation(gone, name)
            }
            _ => false,
        })
    };
    let first = held.iter().find(|(_, effect)| {
        let now = called(&effect.relation);
        !own(&now) && !gone(&now)
    });
    let Some((earlier, effect)) = first else { return };
    let locked = &effect.relation;
    let message = format!(
        "{work}, and `{locked}` stays locked against reads and writes since the `{}` in line {}.",
        lint::verb(earlier),
        earlier.location.line
    );
    let object = ObjectRef::table(locked);
    let found = match relation {
        Some(effect) => judged.felt(context, effect, object, message),
        None => judged.found(object, message),
    };
    let level = if cost == Cost::Brief { Level::Warning } else { RULE.level };
    findings.add(found.level(level).remedy(Remedy::manual(RULE.instead)));
}

/// What a statement does that takes the longer the more rows there are: the sentence's begin.
fn work<'a>(judged: &Judged<'a>) -> Option<(Option<&'a RelationEffect>, String, Cost)> {
    let verb = lint::verb(judged.statement);
    let first = verb.split(' ').next().unwrap_or_default();
    for change in &judged.statement.changes {
        let Change::Data { kind, table: Some(table), clauses, .. } = change else { continue };
        if !matches!(kind, DataKind::Update | DataKind::Delete | DataKind::Merge)
            || clauses.limited
            || !judged.is_in_use(table)
            || (is_of_the_server(Dialect::Postgres, table) && judged.statement.table(table).is_none())
            || lint::picks_by_key(judged.statement, table, clauses)
        {
            continue;
        }
        let effect = judged.effect(table);
        let cost = effect.map_or(Cost::Brief, |effect| effect.cost);
        return Some((effect, format!("`{first}` works on the rows of `{}`", table.name), cost));
    }
    let effects = judged.statement.felt().filter(|effect| effect.cost > Cost::Brief);
    let effect = effects.max_by_key(|effect| effect.cost)?;
    Some((Some(effect), format!("`{verb}` works through `{}`", effect.relation), effect.cost))
}
