use std::collections::{BTreeMap, BTreeSet};

use dbwright_model::catalog::{Column, Sequence, Table};
use dbwright_model::facts::{Fact, Origin};
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::name::{Name, QualifiedName};
use dbwright_model::remedy::Applicability;
use dbwright_model::stats::ColumnMaximum;

use crate::columns::{
    base_type, fed_by as fed_by_known, in_foreign_key, in_primary_key, integer_range, root_table,
};
use crate::quantity::whole_percent;
use crate::range::{Position, of_sequence};
use crate::rule::{OptionSpec, OptionValue};
use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Error,
    weight: 9,
    wants: &[Fact::SequenceValues, Fact::ColumnMaxima, Fact::TableStatistics, Fact::Counters],
    engines: Engines::servers("every integer of SQLite has 64 bits"),
    when: "an integer key or its sequence has used half of its range",
    then: "When the range ends every insert fails, and widening the column of a large table takes long.",
    instead: "Widen the column, and every column that refers to it, to `bigint` before the range ends.",
    remedy: Applicability::Review,
    options: &[
        OptionSpec {
            name: "warning-percent",
            default: OptionValue::Number(50.0),
            help: "Share of the range, in per cent, from which it is a warning.",
        },
        OptionSpec {
            name: "error-percent",
            default: OptionValue::Number(75.0),
            help: "Share of the range, in per cent, from which it is an error.",
        },
    ],
    source: "fixture of nine exhaustion cases run against five public tools, none of which found all",
    check,
    ..Rule::DEFAULT
};

struct View<'a> {
    context: &'a Context<'a>,
    sequences: BTreeMap<&'a QualifiedName, (&'a Sequence, Option<Option<i64>>)>,
    maxima: BTreeMap<(&'a QualifiedName, &'a Name), Vec<&'a ColumnMaximum>>,
}

fn check(context: &Context<'_>, findings: &mut Findings) {
    let sequence_values = &context.facts_if_known(Fact::SequenceValues).sequence_values;
    let column_maxima = &context.facts_if_known(Fact::ColumnMaxima).column_maxima;
    let catalog = context.catalog();
    let mut view = View { context, sequences: BTreeMap::new(), maxima: BTreeMap::new() };
    let values = sequence_values.known().into_iter().flatten();
    let values: BTreeMap<_, _> = values.map(|value| (&value.sequence, value.last_value)).collect();
    for sequence in &catalog.sequences {
        view.sequences.insert(&sequence.name, (sequence, values.get(&sequence.name).copied()));
    }
    for maximum in column_maxima.known().into_iter().flatten() {
        view.maxima.entry((root_table(context, &maximum.table), &maximum.column)).or_default().push(maximum);
    }
    let told = tell_unknown(context, findings);
    let mut used: BTreeSet<&QualifiedName> = BTreeSet::new();
    for table in context.own_tables() {
        for column in &table.columns {
            if integer_range(base_type(catalog, &column.data_type)).is_none() {
                continue;
            }
            used.extend(fed_by(&view, table, column));
            judge(&view, table, column, told, findings);
        }
    }
    for (name, (sequence, value)) in &view.sequences {
        if used.contains(name) || sequence.cycle {
            continue;
        }
        findings.examined(1);
        match value {
            None if told => {
                let why =
                    context.why_in_part(Fact::SequenceValues).map_or(String::new(), |why| format!(": {why}"));
                findings.unknown(format!("the position of the sequence `{name}` could not be read{why}"))
            }
            None => {}
            Some(last) => {
                let position = last.map(|last| of_sequence(sequence, last.into(), None));
                report(
                    context,
                    ObjectRef::sequence(name),
                    "sequence",
                    name.to_string(),
                    position,
                    None,
                    findings,
                );
            }
        }
    }
}

/// Says which facts are missing that could tell of an exhausted range. False when there are any.
fn tell_unknown(context: &Context<'_>, findings: &mut Findings) -> bool {
    let numbered = |table: &Table| table.columns.iter().any(|column| column.auto_increment);
    let mut wanted = vec![Fact::ColumnMaxima];
    if !context.catalog().sequences.is_empty() {
        wanted.push(Fact::SequenceValues);
    }
    if context.own_tables().any(numbered) {
        wanted.push(Fact::TableStatistics);
    }
    let mut told = true;
    for fact in wanted {
        if let Some(because) = context.facts_if_known(fact).status(fact).because() {
            findings.unknown(format!("{}: {because}", fact.describe()));
            told = false;
        }
    }
    told
}

/// The sequence that a column takes its numbers from: its own, or one that its default names.
fn fed_by<'a>(view: &View<'a>, table: &Table, column: &Column) -> Option<&'a QualifiedName> {
    fed_by_known(|name| view.sequences.get_key_value(name).map(|(key, _)| *key), table, column)
}

fn judge(view: &View<'_>, table: &Table, column: &Column, told: bool, findings: &mut Findings) {
    let context = view.context;
    let catalog = context.catalog();
    let Some(range) = integer_range(base_type(catalog, &column.data_type)) else { return };
    let sequence = fed_by(view, table, column).and_then(|name| view.sequences.get(name));
    let child = in_foreign_key(table, &column.name);
    let key = in_primary_key(table, &column.name);
    if sequence.is_none() && !column.auto_increment && !child && !key {
        return;
    }
    // A sequence that starts over inside the column's range never leaves it.
    if sequence.is_some_and(|(s, _)| s.cycle && range.0 <= s.min.into() && i128::from(s.max) <= range.1) {
        return;
    }
    let (positions, missing) = positions(view, table, column, range);
    let parent = child.then(|| behind_parent(view, table, column, range)).flatten();
    // What refers to a parent takes its numbers from there.
    let limits_itself = (key && !child) || sequence.is_some() || column.auto_increment;
    if positions.is_empty() && parent.is_none() && !limits_itself {
        return;
    }
    findings.examined(1);
    if missing && limits_itself && told {
        let led = table
            .indexes
            .iter()
            .any(|index| index.parts.first().and_then(|part| part.as_column()) == Some(&column.name));
        let hidden = context.why_in_part(Fact::ColumnMaxima).or(context.why_in_part(Fact::SequenceValues));
        let why = match hidden {
            _ if !led => "no index begins with it".to_owned(),
            Some(hidden) => format!("its largest value was not read: {hidden}"),
            None => "its largest value was not among those read".to_owned(),
        };
        let what = format!("how far `{}.{}` has come is not known: {why}", table.name, column.name);
        findings.unknown(what);
    }
    let furthest = positions.into_iter().chain(parent).max_by(|a, b| a.share().total_cmp(&b.share()));
    let name = format!("{}.{}", table.name, column.name);
    report(
        context,
        ObjectRef::column(&table.name, &column.name),
        "column",
        name,
        furthest,
        Some(table),
        findings,
    );
}

/// Where the column stands by its sequence, its counter and its values, and whether what would tell is missing.
fn positions(view: &View<'_>, table: &Table, column: &Column, range: (i128, i128)) -> (Vec<Position>, bool) {
    let mut found = Vec::new();
    let mut told = false;
    let mut missing = false;
    if let Some((sequence, value)) = fed_by(view, table, column).and_then(|name| view.sequences.get(name)) {
        missing |= value.is_none();
        told |= value.is_some();
        let of = base_type(view.context.catalog(), &column.data_type);
        found.extend(value.flatten().map(|last| of_sequence(sequence, last.into(), Some((range, of)))));
    }
    if column.auto_increment {
        let next =
            view.context.statistics_of(&table.name).and_then(|statistics| statistics.next_auto_increment);
        told |= next.is_some();
        found.extend(next.map(|next| Position {
            at: i128::from(next.saturating_sub(1)),
            end: range.1,
            begin: 0,
            seen: "counter",
            narrow: None,
        }));
    }
    let maxima = view.maxima.get(&(&table.name, &column.name));
    // A file holds the counter in the place of the values.
    let largest = match view.context.source().origin {
        Origin::Files => "counter",
        Origin::Live | Origin::Snapshot => "largest value",
    };
    told |= maxima.is_some();
    for maximum in maxima.into_iter().flatten() {
        let at = |at: i64, end, seen| Position { at: at.into(), end, begin: 0, seen, narrow: None };
        found.extend(maximum.max.filter(|max| *max > 0).map(|max| at(max, range.1, largest)));
        found.extend(maximum.min.filter(|min| *min < 0).map(|min| at(min, range.0, "smallest value")));
    }
    (found, missing || !told)
}

/// Where the parent of a narrower child column stands in the child's range: its next row cannot be referred to.
fn behind_parent(view: &View<'_>, table: &Table, column: &Column, range: (i128, i128)) -> Option<Position> {
    let catalog = view.context.catalog();
    let mut furthest: Option<Position> = None;
    for key in &table.foreign_keys {
        let Some(at) = key.columns.iter().position(|name| *name == column.name) else { continue };
        let Some(parent) = view.context.table(&key.references) else { continue };
        let Some(target) = key.referenced_columns.get(at).and_then(|name| parent.column(name.as_str()))
        else {
            continue;
        };
        let Some(wide) = integer_range(base_type(catalog, &target.data_type)) else { continue };
        if wide.1 <= range.1 {
            continue;
        }
        for position in positions(view, parent, target, wide).0 {
            let position =
                Position { end: range.1, begin: 0, seen: "key of the parent", narrow: None, ..position };
            if position.at > 0 && furthest.as_ref().is_none_or(|other| position.at > other.at) {
                furthest = Some(position);
            }
        }
    }
    furthest
}

fn report(
    context: &Context<'_>,
    object: ObjectRef,
    what: &str,
    name: String,
    position: Option<Position>,
    table: Option<&Table>,
    findings: &mut Findings,
) {
    let Some(position) = position else { return };
    let percent = position.share() * 100.0;
    let shown = whole_percent(percent);
    if percent < context.number("warning-percent") {
        return;
    }
    let level = if percent >= context.number("error-percent") { Level::Error } else { Level::Warning };
    let left = position.left();
    let then = match left {
        0 => "no value is left, and inserts fail".to_owned(),
        1 => "inserts fail when the last value is gone".to_owned(),
        left => format!("inserts fail when the last {left} values are gone"),
    };
    let of = position.narrow.as_ref().filter(|narrow| table.is_some() && narrow.wider.is_some());
    let message = match of {
        Some(narrow) => format!(
            "The sequence `{}` of the {what} `{name}` has used {shown:.0} % of its own range; {then}.",
            narrow.sequence
        ),
        None => format!("The {what} `{name}` has used {shown:.0} % of its range; {then}."),
    };
    let mut found = Found::at(object, message)
        .level(level)
        .evidence(position.seen, position.at)
        .evidence("end of the range", position.end)
        .remedy(position.remedy(RULE.instead));
    if let Some(days) = table.and_then(|table| days_left(context, table, left)) {
        found = found.evidence("days left at the rate of inserts since the counters were reset", days);
    }
    findings.add(found);
}

/// Days until the range ends, if rows go on coming as they did over at least a week of counting.
fn days_left(context: &Context<'_>, table: &Table, left: u128) -> Option<u64> {
    let inserts = context.statistics_of(&table.name)?.inserts.filter(|inserts| *inserts > 0)?;
    let since = context.facts_if_known(Fact::Counters).counters.known()?.since?;
    let now = context.source().collected_at?;
    let days = (now.as_second() - since.as_second()) as f64 / 86_400.0;
    (days >= 7.0).then(|| (left as f64 / (inserts as f64 / days)) as u64)
}
