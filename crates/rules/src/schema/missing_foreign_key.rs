use std::collections::{BTreeSet, HashMap};

use dbwright_model::capability::Capability;
use dbwright_model::catalog::{ForeignKey, IndexPart, Persistence, Table, TableKind};
use dbwright_model::change::Change;
use dbwright_model::engine::{Dialect, Engine};
use dbwright_model::facts::{DataCount, DataQuestion, Fact};
use dbwright_model::finding::{Confidence, Level, ObjectRef};
use dbwright_model::name::QualifiedName;
use dbwright_model::remedy::{Applicability, Remedy};

use crate::columns::default_string;
use crate::free_names::{Taken, numbered};
use crate::index_shape::create_index;
use crate::lexicon::table_role;
use crate::reference::{self, Guess};
use crate::schema::foreign_key_without_index::names_of_remedies;
use crate::{Context, Findings, Found, Rule, circle, dependants};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    weight: 6,
    wants: &[Fact::Data, Fact::Triggers, Fact::Policies, Fact::Functions, Fact::Publications],
    when: "a column is named and typed like the key of another table but has no foreign key",
    then: "Nothing keeps these columns from naming rows that do not exist.",
    instead: "Declare the foreign key.",
    in_prisma: Some(
        "add a field of the model that is referred to, with `@relation(fields: [...], references: [...])`",
    ),
    remedy: Applicability::Review,
    source: "names, types and learned aliases, measured against the declared foreign keys of whole schemas",
    convention: Some("columns that look like references have no foreign key"),
    questions: Some(questions),
    reads_names: true,
    check,
    ..Rule::DEFAULT
};

/// Above this share of values without a parent the column means something else.
const OTHER_MEANING: f64 = 0.5;

fn guesses<'a>(context: &Context<'a>) -> Vec<Guess<'a>> {
    let mysql_family = context.engine().dialect() == Dialect::Mysql;
    let tables: Vec<&Table> = context
        .own_tables()
        .filter(|table| {
            reference::can_refer(table, mysql_family) && table.persistence == Persistence::Permanent
        })
        .collect();
    let mut guesses = reference::guesses(&tables);
    // What keeps history or passes through often leaves foreign keys out with reason.
    guesses.retain(|guess| !table_role::is_record(guess.table) && !table_role::is_passing(guess.table));
    guesses.retain(|guess| !each_part_has_it(context, guess));
    guesses
}

/// Whether the partitions of the table have the foreign key each for itself.
fn each_part_has_it(context: &Context<'_>, guess: &Guess<'_>) -> bool {
    let mut parts = context
        .catalog()
        .tables
        .iter()
        .filter(|part| matches!(&part.kind, TableKind::Partition { of, .. } if *of == guess.table.name))
        .peekable();
    parts.peek().is_some() && parts.all(|part| reference::has_foreign_key(part, &guess.column.name))
}

fn question(guess: &Guess<'_>) -> DataQuestion {
    DataQuestion::Orphans {
        child: guess.table.name.clone(),
        column: guess.column.name.clone(),
        parent: guess.parent.name.clone(),
        parent_column: guess.parent_column.name.clone(),
    }
}

fn questions(context: &Context<'_>) -> Vec<DataQuestion> {
    guesses(context).iter().map(question).collect()
}

fn check(context: &Context<'_>, findings: &mut Findings) {
    findings.examined(context.own_tables().map(|table| table.foreign_keys.len() as u64).sum());
    let answers: HashMap<&DataQuestion, &DataCount> = context
        .facts_if_known(Fact::Data)
        .data
        .known()
        .into_iter()
        .flatten()
        .filter_map(|answer| Some((&answer.question, answer.answer.known()?)))
        .collect();
    let guesses = guesses(context);
    // Gathering the names in use takes long in a large database.
    let [_, ..] = guesses.as_slice() else { return };
    let mut names = Taken::of(context, names_of_remedies(context));
    for guess in &guesses {
        findings.examined(1);
        let counted = answers.get(&question(guess)).copied();
        if counted.is_none_or(|count| (count.matching as f64) <= OTHER_MEANING * count.examined as f64) {
            let circle = circle::is_closed(context, guess, &guesses);
            findings.add(found(context, guess, counted, circle, &mut names));
        }
    }
}

fn found(
    context: &Context<'_>,
    guess: &Guess<'_>,
    counted: Option<&DataCount>,
    circle: bool,
    names: &mut Taken,
) -> Found {
    let (table, column, parent) = (&guess.table.name, &guess.column.name, &guess.parent.name);
    let object = ObjectRef::column(table, column);
    let reads = format!("`{table}.{column}` reads like a reference to `{parent}` but has no foreign key");
    let orphans = counted.map_or(0, |count| count.matching);
    let message = match counted {
        Some(count) if orphans > 0 => {
            format!("{reads}, and {orphans} of its {} values name rows that do not exist.", count.examined)
        }
        Some(count) if count.examined > 0 => {
            format!(
                "{reads}; all its {} values have a parent today, and nothing keeps it so.",
                count.examined
            )
        }
        _ => format!("{reads}, so it can name rows that do not exist."),
    };
    let strong = guess.why.is_strong();
    let mut found = Found::at(object, message)
        .level(if strong { Level::Warning } else { Level::Note })
        .confidence(if strong { Confidence::Medium } else { Confidence::Low })
        .evidence("refers to", format!("{parent}.{}", guess.parent_column.name))
        .evidence("because", guess.why.describe());
    if let Some(count) = counted {
        found = found
            .traced()
            .evidence("values looked at", count.examined)
            .evidence("values without a parent", count.matching);
        for example in count.examples.iter().take(5) {
            found = found.evidence("without a parent", example);
        }
    }
    let orphans = counted.map(|count| count.matching);
    if !circle {
        return found.remedy(remedy(context, guess, orphans, false, names));
    }
    found = found.evidence("circle", "the tables would require each other");
    if context.engine().dialect() == Dialect::Mysql {
        return found.remedy(circle::let_be_null(guess));
    }
    found.remedy(circle::deferred(remedy(context, guess, orphans, true, names)))
}

/// `orphans` are the values without a parent, where they were counted; `deferred` is whether the key is looked at only when
/// a transaction commits.
fn remedy(
    context: &Context<'_>,
    guess: &Guess<'_>,
    orphans: Option<u64>,
    deferred: bool,
    names: &mut Taken,
) -> Remedy {
    let stem = format!("{}_{}", guess.table.name.name, guess.column.name);
    let is_taken = |name: &str| names.constraints.contains(&guess.table.name.sibling(name));
    let name = numbered(&stem, "_fkey", is_taken);
    if let Some(first) = in_the_way(context, guess) {
        return Remedy::manual(first);
    }
    let partitioned = matches!(guess.table.kind, TableKind::Partitioned { .. });
    let in_steps = context.can(Capability::NotValidConstraints)
        && (!partitioned || context.can(Capability::NotValidOnPartitioned));
    let foreign_key = ForeignKey {
        name: Some(name.clone()),
        columns: vec![guess.column.name.clone()],
        references: guess.parent.name.clone(),
        referenced_columns: vec![guess.parent_column.name.clone()],
        validated: !in_steps,
        deferrable: deferred,
        initially_deferred: deferred,
        ..ForeignKey::default()
    };
    let add = Change::AddForeignKey {
        alter: Default::default(),
        table: guess.table.name.clone(),
        foreign_key: Box::new(foreign_key),
    };
    let validate = Change::ValidateConstraint {
        alter: Default::default(),
        table: guess.table.name.clone(),
        constraint: name.clone(),
    };
    let widened = widened(context, guess);
    let widens = !widened.is_empty();
    if widens {
        let instead = format!(
            "Give `{}` the type of the key it refers to, then declare the foreign key.",
            guess.column.name
        );
        if let Some(words) = dependants::in_words(context, guess.table, &guess.column.name, &instead) {
            return words;
        }
    }
    names.constraints.insert(guess.table.name.sibling(&name));
    let mut changes = widened;
    changes.extend(index_for(context, guess, &mut names.relations));
    changes.push(add);
    match (orphans.unwrap_or(0), in_steps) {
        (0, true) => {
            changes.push(validate);
            match widens {
                // A table is rewritten for it, under a lock that lets nobody read.
                true => Remedy {
                    changes,
                    ..Remedy::manual(format!(
                        "Give `{}` the type of the key it refers to, then declare the foreign key.",
                        guess.column.name
                    ))
                },
                false if orphans.is_none() => Remedy::review(
                    "Declare the foreign key; `VALIDATE` fails where rows without a parent exist, which `--data` counts.",
                    changes,
                ),
                false => Remedy::review(RULE.instead, changes),
            }
        }
        (0, false) if widens => Remedy::manual(format!(
            "Give `{}` the type of the key it refers to, then declare the foreign key.",
            guess.column.name
        )),
        (0, false) if orphans.is_none() && context.engine() != Engine::Sqlite => Remedy::review(
            "Declare the foreign key; that fails where rows without a parent exist, which `--data` counts.",
            changes,
        ),
        (0, false) => Remedy::review(RULE.instead, changes),
        (_, true) => Remedy {
            changes,
            ..Remedy::manual(
                "Declare the foreign key `NOT VALID`, which holds new rows. Clear up the old ones, then validate it.",
            )
        },
        (_, false) => Remedy::manual("Clear up the rows without a parent, then declare the foreign key."),
    }
}

/// The change that gives a column the wider integer type of the key: between types that differ, the foreign key would
/// be the next thing to be found. Empty where they fit.
fn widened(context: &Context<'_>, guess: &Guess<'_>) -> Vec<Change> {
    let (own, other) = (&guess.column.data_type, &guess.parent_column.data_type);
    match (own.max_integer(), other.max_integer()) {
        (Some(narrow), Some(wide)) if narrow < wide && context.engine() != Engine::Sqlite => {
            vec![Change::AlterColumnType {
                alter: Default::default(),
                table: guess.table.name.clone(),
                column: guess.column.name.clone(),
                to: other.clone(),
                collation: None,
                using: None,
            }]
        }
        _ => Vec::new(),
    }
}

/// What must change before the foreign key can be declared.
fn in_the_way(context: &Context<'_>, guess: &Guess<'_>) -> Option<String> {
    let stands_for_none = guess.column.default.as_ref().is_some_and(|default| {
        default_string(guess.column) == Some("") || default.text.trim_matches('\'') == "0"
    });
    if guess.column.not_null && stands_for_none {
        return Some(format!(
            "Let `{}` be null where there is no parent, instead of its default that stands for none, and declare the foreign key then.",
            guess.column.name
        ));
    }
    let strict = context.engine().dialect() == Dialect::Mysql;
    let key = &guess.parent_column.data_type;
    (strict
        && guess.column.data_type.kind.is_integer()
        && !reference::same_type(&guess.column.data_type, key))
    .then(|| {
        format!(
            "Give `{}` the type of the key, `{}`, and declare the foreign key then.",
            guess.column.name, key.text
        )
    })
}

/// The index without which each delete of a parent would read the whole table. InnoDB makes it by itself.
fn index_for(context: &Context<'_>, guess: &Guess<'_>, taken: &mut BTreeSet<QualifiedName>) -> Vec<Change> {
    let covered = guess
        .table
        .indexes
        .iter()
        .any(|index| index.parts.first().and_then(IndexPart::as_column) == Some(&guess.column.name));
    if covered || context.engine().dialect() == Dialect::Mysql {
        return Vec::new();
    }
    create_index(context, guess.table, std::slice::from_ref(&guess.column.name), taken)
}
