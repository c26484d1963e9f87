//! `cargo xtask truth`: observes what statements do on the installed servers, and compares or records it.

use std::process::ExitCode;

use anyhow::{Context, anyhow, bail};
use proof_truth::ENGINES;

/// Runs the chore: 0 when every cell is as recorded, 1 when one differs.
pub fn run(words: &[&str]) -> anyhow::Result<ExitCode> {
    let mut record = false;
    let mut engine = None;
    let mut case = None;
    let mut explain = None;
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let mut value = || words.next().copied().with_context(|| format!("`{word}` wants a value"));
        match *word {
            "--record" => record = true,
            "--engine" => engine = Some(value()?),
            "--case" => case = Some(value()?),
            "--explain" => explain = Some(value()?.parse::<u16>().context("`--explain` wants a major")?),
            other => bail!("there is no option `{other}`"),
        }
    }
    let chosen: Vec<_> = ENGINES.iter().filter(|one| engine.is_none_or(|name| one.name == name)).collect();
    if chosen.is_empty() {
        let names: Vec<&str> = ENGINES.iter().map(|one| one.name).collect();
        bail!("the engines are {}", names.join(", "));
    }
    if let Some(major) = explain {
        let name = case.context("`--explain` wants `--case`")?;
        let cases = proof_truth::postgres_cases();
        let case = cases.iter().find(|case| case.name == name).context("there is no such case")?;
        println!("{}", proof_truth::postgres::explain(case, major).map_err(|error| anyhow!(error))?);
        return Ok(ExitCode::SUCCESS);
    }
    let mut differences = 0;
    for engine in chosen {
        let outcome = engine.run(case, record).map_err(|error| anyhow!(error))?;
        for line in outcome.notes.iter().chain(&outcome.differences) {
            println!("{line}");
        }
        differences += outcome.differences.len();
    }
    if differences > 0 && !record {
        println!("{differences} differences");
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}
