//! `cargo xtask`: chores of the repository that are not part of the product.

use std::process::ExitCode;

use xtask::tree::Tree;
use xtask::{servers, tidy};

const USAGE: &str = "\
usage: cargo xtask CHORE

  tidy     check the structure of the repository; the tests check the same
  servers  list the database servers that the tests find here
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["tidy"] => run_tidy(),
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
