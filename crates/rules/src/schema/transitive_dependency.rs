use dbwright_model::finding::Level;

use crate::{Rule, dependency};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    weight: 3,
    needs: dependency::NEEDS,
    wants: dependency::WANTS,
    when: "a column follows from another column that is not the key",
    then: "The same fact is stored in many rows, and where an update misses one of them the rows contradict each other.",
    instead: "Keep the fact once, in the table that the other column refers to, and correct the rows that disagree.",
    source: "third normal form; candidates by name, then counted: 20 groups or more, no accident below one in a million",
    questions: Some(|context| {
        dependency::transitive(context).iter().map(|candidate| candidate.question()).collect()
    }),
    check: |context, findings| {
        dependency::judge(context, dependency::transitive(context), RULE.instead, findings)
    },
    reads_names: true,
    ..Rule::DEFAULT
};
