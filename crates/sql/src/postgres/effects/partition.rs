//! Partitions: made, attached, detached.

use dbwright_model::catalog::{ForeignKey, Table, TableKind};
use dbwright_model::effect::{Cost, Demand, Lock};
use dbwright_model::expression::{Expr, Literal};
use dbwright_model::name::{Name, QualifiedName};

use super::Reckoning;
use super::constraint::is_same_reference;
use super::presence::words;

const AX: Lock = Lock::AccessExclusive;
const SRX: Lock = Lock::ShareRowExclusive;
const SUX: Lock = Lock::ShareUpdateExclusive;

impl<'a> Reckoning<'a> {
    /// `CREATE TABLE ... PARTITION OF`.
    pub(super) fn create_partition(&mut self, of: &QualifiedName, bound: &str) {
        let before = self.before;
        let of = before.full_name(of);
        self.note(&of, AX, Cost::Brief);
        let Some(parent) = before.table(&of) else { return };
        if !self.is_partitioned(parent) {
            self.refuse(format!("`{of}` is not partitioned"));
        }
        self.refuse_overlap(&of, bound, None);
        self.lock_default_partition(parent, bound, None);
        self.lock_parents_of(&parent.foreign_keys, SRX);
        self.lock_referencing(&of);
    }

    pub(super) fn attach(&mut self, table: &QualifiedName, partition: &QualifiedName, bound: &str) {
        let before = self.before;
        let (of, name) = (before.full_name(table), before.full_name(partition));
        if self.is_absent(&name, false) {
            return;
        }
        self.note(&of, SUX, Cost::Brief);
        let Some((parent, child)) = before.table(&of).zip(before.table(&name)) else {
            self.note(&name, AX, Cost::Scan);
            return;
        };
        self.refuse_unlike(parent, child);
        self.refuse_overlap(&of, bound, Some(&name));
        self.lock_default_partition(parent, bound, Some(&name));
        let lacks_index = parent.indexes.iter().any(|index| {
            !child.indexes.iter().any(|own| own.parts == index.parts && own.unique == index.unique)
        });
        let proven = key_column(parent).is_some_and(|column| {
            Bound::parse(bound).is_proven(child, &column) && self.is_known_not_null(child, &column)
        });
        let cost = match (lacks_index, proven) {
            (true, _) => Cost::IndexBuild,
            (false, false) => Cost::Scan,
            (false, true) => Cost::Brief,
        };
        if !proven {
            self.effects.demands.push(Demand::Check { table: name.clone() });
        }
        self.note_tree(&name, AX, cost);
        for key in &parent.foreign_keys {
            if child.foreign_keys.iter().any(|own| is_same_reference(own, key)) {
                // The partition's own key becomes a part of the one above.
                self.note_tree(&key.references, AX, Cost::Brief);
            } else {
                let parent = before.full_name(&key.references);
                self.note_tree(&parent, SRX, Cost::Scan);
                self.effects.demands.push(Demand::Reference { table: name.clone(), parent });
            }
        }
        self.lock_referencing(&of);
    }

    pub(super) fn detach(&mut self, table: &QualifiedName, partition: &QualifiedName, concurrently: bool) {
        let before = self.before;
        let (of, name) = (before.full_name(table), before.full_name(partition));
        for (child, _) in before.referencing(&of) {
            self.effects.demands.push(Demand::Reference { table: child.name.clone(), parent: of.clone() });
        }
        if concurrently {
            self.outside();
            if before.default_partition(&of).is_some() {
                self.refuse(format!("`{of}` has a default partition"));
            }
            self.note(&of, SUX, Cost::Brief);
            self.note(&name, AX, Cost::Brief);
            return;
        }
        self.note(&of, AX, Cost::Brief);
        self.note(&name, if self.major >= 14 { AX } else { SUX }, Cost::Brief);
        for heir in before.descendants(&name) {
            self.note(&heir.name, AX, Cost::Brief);
        }
        let is_default = before.default_partition(&of).is_some_and(|default| default.name == name);
        if self.major < 14 && !is_default {
            let indexes = before.table(&name).into_iter().flat_map(|table| &table.indexes);
            for index in indexes.filter(|index| index.partition_of.is_some()) {
                self.note_index(&name.sibling(&index.name), AX, Cost::Brief);
            }
        }
        if let Some(default) = before.default_partition(&of) {
            self.note(&default.name, AX, Cost::Brief);
        }
        if let Some(parent) = before.table(&of) {
            self.lock_parents_of(&parent.foreign_keys, SRX);
        }
    }

    pub(super) fn lock_parents_of(&mut self, keys: &[ForeignKey], lock: Lock) {
        for key in keys {
            self.note_tree(&key.references, lock, Cost::Brief);
        }
    }

    /// Tables that refer to a partitioned one get a trigger for each of its partitions.
    fn lock_referencing(&mut self, of: &QualifiedName) {
        if self.major < 15 {
            return;
        }
        for (child, _) in self.before.referencing(of) {
            self.note(&child.name, SRX, Cost::Brief);
        }
    }

    /// A new partition changes what the default partition may hold: its rows are looked through.
    fn lock_default_partition(&mut self, parent: &Table, bound: &str, but: Option<&QualifiedName>) {
        let Some(default) = self.before.default_partition(&parent.name) else { return };
        if Some(&default.name) == but {
            return;
        }
        let disjoint =
            key_column(parent).is_some_and(|column| Bound::parse(bound).is_excluded(default, &column));
        if !disjoint {
            self.effects.demands.push(Demand::Check { table: default.name.clone() });
        }
        self.note_tree(&default.name, AX, if disjoint { Cost::Brief } else { Cost::Scan });
    }

    fn refuse_overlap(&mut self, of: &QualifiedName, bound: &str, but: Option<&QualifiedName>) {
        let bound = Bound::parse(bound);
        let taken = self.before.catalog().tables.iter().find(|table| {
            matches!(&table.kind, TableKind::Partition { of: parent, bound: other }
                if parent == of && Some(&table.name) != but && bound.overlaps(&Bound::parse(other)))
        });
        if let Some(taken) = taken {
            self.refuse(format!("its bound overlaps with that of `{}`", taken.name));
        }
    }

    /// A partition has the columns of the table above, and all of its promises.
    fn refuse_unlike(&mut self, parent: &Table, child: &Table) {
        for column in &child.columns {
            if parent.column(column.name.as_str()).is_none() {
                self.refuse(format!("`{}` has no column `{}`", parent.name, column.name));
            }
        }
        for column in parent.columns.iter().filter(|column| column.not_null) {
            if child.column(column.name.as_str()).is_some_and(|own| !own.not_null) {
                self.refuse(format!("`{}` may hold nulls in `{}`", child.name, column.name));
            }
        }
    }
}

/// The column that a table is partitioned by, when it is a single one.
fn key_column(table: &Table) -> Option<Name> {
    let key = match (&table.kind, &table.sub_partitioned) {
        (TableKind::Partitioned { key, .. }, _) => key,
        (_, Some(partition_key)) => &partition_key.key,
        _ => return None,
    };
    let mut words = words(key);
    let name = words.next()?;
    (words.next().is_none() && table.column(name).is_some()).then(|| Name::new(name))
}

/// What a partition holds, as far as it can be compared.
enum Bound {
    Default,
    /// From a value to one that is not in it; `None` is without end.
    Range(Option<f64>, Option<f64>),
    /// The values as written.
    List(Vec<String>),
    Other,
}

impl Bound {
    fn parse(text: &str) -> Bound {
        let text = text.trim();
        if text.eq_ignore_ascii_case("default") {
            return Bound::Default;
        }
        let upper = text.to_ascii_uppercase();
        let lists: Vec<&str> =
            text.split('(').skip(1).filter_map(|part| part.split(')').next()).map(str::trim).collect();
        let end = |text: &str| match text.to_ascii_uppercase().as_str() {
            "MINVALUE" | "MAXVALUE" => Some(None),
            _ => text.trim_matches('\'').parse::<f64>().ok().map(Some),
        };
        if upper.contains(" IN") && lists.len() == 1 {
            return Bound::List(lists[0].split(',').map(|value| value.trim().to_owned()).collect());
        }
        match lists.as_slice() {
            [from, to] if upper.contains("FROM") => match (end(from), end(to)) {
                (Some(from), Some(to)) => Bound::Range(from, to),
                _ => Bound::Other,
            },
            _ => Bound::Other,
        }
    }

    fn overlaps(&self, other: &Bound) -> bool {
        let below = |a: &Option<f64>, b: &Option<f64>| a.is_none_or(|a| b.is_none_or(|b| a < b));
        match (self, other) {
            (Bound::Default, Bound::Default) => true,
            (Bound::Range(from, to), Bound::Range(other_from, other_to)) => {
                below(from, other_to) && below(other_from, to)
            }
            (Bound::List(values), Bound::List(others)) => values.iter().any(|value| others.contains(value)),
            _ => false,
        }
    }

    /// Whether valid checks of a table say that all of its rows are within.
    fn is_proven(&self, table: &Table, column: &Name) -> bool {
        let terms = promises(table, column);
        let holds = |wanted: &dyn Fn(&str, &Expr) -> bool| terms.iter().any(|(op, value)| wanted(op, value));
        match self {
            Bound::Range(from, to) => {
                let above = from.is_none_or(|from| {
                    holds(&|op, value| matches!(op, ">=" | ">") && number(value).is_some_and(|n| n >= from))
                });
                let below = to.is_none_or(|to| {
                    holds(&|op, value| match number(value) {
                        Some(n) => (op == "<" && n <= to) || (op == "<=" && n < to),
                        None => false,
                    })
                });
                above && below
            }
            Bound::List(values) => {
                holds(&|op, value| op == "=" && written(value).is_some_and(|value| values.contains(&value)))
            }
            Bound::Default | Bound::Other => false,
        }
    }

    /// Whether valid checks of a table say that none of its rows is within.
    fn is_excluded(&self, table: &Table, column: &Name) -> bool {
        let Bound::Range(from, to) = self else { return false };
        promises(table, column).iter().any(|(op, value)| {
            let Some(value) = number(value) else { return false };
            match op.as_str() {
                "<" => from.is_some_and(|from| value <= from),
                "<=" => from.is_some_and(|from| value < from),
                ">" | ">=" => to.is_some_and(|to| value >= to),
                _ => false,
            }
        })
    }
}

/// Comparisons of a column with a value that hold for every row.
fn promises<'t>(table: &'t Table, column: &Name) -> Vec<(String, &'t Expr)> {
    let checks = table.checks.iter().filter(|check| check.validated && check.enforced);
    let terms = checks.filter_map(|check| check.expression.tree.as_deref()).flat_map(Expr::conjuncts);
    terms
        .filter_map(|term| match term {
            Expr::Binary { op, left, right } => match left.without_casts() {
                Expr::Column { name, .. } if name == column => Some((op.clone(), right.without_casts())),
                _ => None,
            },
            _ => None,
        })
        .collect()
}

fn number(expr: &Expr) -> Option<f64> {
    match expr {
        Expr::Literal(Literal::Number(text)) => text.parse().ok(),
        _ => None,
    }
}

/// A value as it stands in the bound of a list partition.
fn written(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Literal(Literal::Number(text)) => Some(text.clone()),
        Expr::Literal(Literal::String(text)) => Some(format!("'{}'", text.replace('\'', "''"))),
        _ => None,
    }
}
