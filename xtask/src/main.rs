//! `cargo xtask`: chores of the repository that are not part of the product.

use std::process::ExitCode;

use anyhow::{Context, bail};
use xtask::bench::{self, BenchOptions};
use xtask::tree::Tree;
use xtask::{servers, tidy, truth};

const USAGE: &str = "\
usage: cargo xtask CHORE

  tidy     check the structure of the repository; the tests check the same
  servers  list the database servers that the tests find here
  truth    observe what statements do on the installed servers, and compare it with fixtures/truth
             --record           write what was observed
             --engine NAME      one engine: postgres, mariadb, sqlite
             --case NAME        one case
             --explain MAJOR    print everything seen of that case on one major of PostgreSQL
  bench [NAME]...
           measure the release binary: start, files, lint, demo, scale, throughput, load, or all of them
             --postgres MAJOR   the server of `scale`, `throughput` and `load`; the newest when absent, for `scale` with a pg_dump
             --tables N         its tables; 10000 when absent
             --binary FILE      measure this binary instead of building one
             --keep FILE        write the report of the large audit there
             --record           write the tables to docs/benchmarks.md; those of other benchmarks stay
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["tidy"] => run_tidy(),
        ["bench", rest @ ..] => bench_options(rest).and_then(|options| {
            bench::run(&options)?;
            Ok(ExitCode::SUCCESS)
        }),
        ["truth", rest @ ..] => truth::run(rest),
        ["servers"] => {
            servers::print();
            Ok(ExitCode::SUCCESS)
        }
        ["help" | "--help" | "-h"] => {
            print!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run_tidy() -> anyhow::Result<ExitCode> {
    let tree = Tree::of_repository()?;
    let mut untidy = 0;
    for rule in tidy::RULES {
        for complaint in (rule.check)(&tree) {
            println!("{}: {complaint}", rule.name);
            untidy += 1;
        }
    }
    if untidy > 0 {
        println!("{untidy} complaints");
        return Ok(ExitCode::FAILURE);
    }
    println!("tidy: {} rules over {} files", tidy::RULES.len(), tree.files().len());
    Ok(ExitCode::SUCCESS)
}

fn bench_options(words: &[&str]) -> anyhow::Result<BenchOptions> {
    let mut options = BenchOptions::default();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let mut value = || words.next().with_context(|| format!("`{word}` wants a value"));
        match *word {
            "--postgres" => options.postgres = Some(value()?.parse()?),
            "--tables" => options.tables = value()?.parse()?,
            "--binary" => options.binary = Some(value()?.into()),
            "--keep" => options.keep = Some(value()?.into()),
            "--record" => options.record = true,
            option if option.starts_with('-') => bail!("there is no option `{option}`"),
            name => options.names.push(name.to_owned()),
        }
    }
    Ok(options)
}
