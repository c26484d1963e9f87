//! The bytes of every format, to be read when they change.

use dbwright_model::finding::Level;
use dbwright_render::{Format, Options, render};

use crate::fixture::{empty, rich, rules};

fn check(name: &str, format: Format, options: &Options) {
    let written = render(&rich(), format, options);
    insta::assert_snapshot!(name, if options.color { written } else { readable(&written) });
}

/// Names with control characters stay readable in the snapshots of formats that carry them exactly.
fn readable(text: &str) -> String {
    let escape =
        |c: char| if c.is_control() && c != '\n' { c.escape_default().to_string() } else { c.to_string() };
    text.chars().map(escape).collect()
}

#[test]
fn every_format_over_the_rich_report() {
    let rules = rules();
    let options = Options { rules: &rules, ..Options::default() };
    for format in Format::ALL {
        check(&format!("rich_{format}"), format, &options);
    }
}

#[test]
fn every_format_over_the_empty_report() {
    for format in Format::ALL {
        let written = render(&empty(), format, &Options::default());
        insta::assert_snapshot!(format!("empty_{format}"), written);
    }
}

#[test]
fn the_terminal_obeys_its_options() {
    check("terminal_color", Format::Terminal, &Options { color: true, ..Options::default() });
    check(
        "terminal_narrow_ascii",
        Format::Terminal,
        &Options { width: 60, unicode: false, level: Level::Warning, ..Options::default() },
    );
    check("terminal_verbose", Format::Terminal, &Options { verbose: true, width: 0, ..Options::default() });
}
