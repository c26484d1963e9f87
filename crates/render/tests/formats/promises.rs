//! What holds for every format, whatever the report.

use std::path::Path;

use dbwright_model::finding::Level;
use dbwright_model::report::Report;
use dbwright_render::{Format, Options, json, render};
use pulldown_cmark::{Event, Parser, Tag};

use crate::fixture::{CONTROL_NAME, DIRECTION_NAME, SCRIPT_NAME, empty, rich};

fn write(format: Format) -> String {
    render(&rich(), format, &Options::default())
}

#[test]
fn equal_reports_give_equal_bytes() {
    for format in Format::ALL {
        assert_eq!(write(format), render(&rich().clone(), format, &Options::default()), "{format}");
    }
}

#[test]
fn nothing_moves_the_cursor_without_colour() {
    assert!(rich().findings.iter().any(|finding| finding.object == CONTROL_NAME));
    for format in Format::ALL {
        let text = write(format);
        let bad =
            text.chars().find(|c| c.is_control() && *c != '\n' && !(format == Format::Html && *c == '\t'));
        assert_eq!(bad, None, "{format}");
    }
}

#[test]
fn colour_only_adds_escapes() {
    let coloured = render(&rich(), Format::Terminal, &Options { color: true, ..Options::default() });
    let mut plain = String::new();
    let mut rest = coloured.as_str();
    while let Some(start) = rest.find("\u{1b}[") {
        plain.push_str(&rest[..start]);
        let end = rest[start..].find('m').expect("every escape of the terminal format is a colour");
        rest = &rest[start + end + 1..];
    }
    plain.push_str(rest);
    assert_eq!(plain, write(Format::Terminal));
}

#[test]
fn lines_fit_the_width() {
    let pasted = ["ALTER", "CREATE", "SELECT", "--", "FROM", "JOIN", "WHERE", "::"];
    for width in [40, 60, 80] {
        let text = render(&rich(), Format::Terminal, &Options { width, ..Options::default() });
        for line in text.lines().filter(|line| !pasted.iter().any(|word| line.trim_start().starts_with(word)))
        {
            let one_word = line.split_whitespace().any(|word| word.len() > width - 20);
            assert!(unicode_width::UnicodeWidthStr::width(line) <= width || one_word, "{width}: {line}");
        }
    }
}

#[test]
fn formats_are_known_by_name() {
    for format in Format::ALL {
        assert_eq!(format.to_string().parse(), Ok(format));
    }
    let error = "pdf\u{1b}".parse::<Format>().expect_err("no such format").to_string();
    assert_eq!(error, "there is no format `pdf\\u{1b}`");
}

#[test]
fn every_finding_at_the_level_is_in_every_format_made_for_programs() {
    let options = Options { verbose: true, ..Options::default() };
    for format in [Format::Json, Format::Sarif, Format::Junit, Format::Github, Format::Html, Format::Csv] {
        let text = render(&rich(), format, &options).replace("&#x2f;", "/");
        for n in 1..=42 {
            assert!(text.contains(&format!("public.child_{n}.parent_id")), "{format} lost number {n}");
        }
        for rule in rich().findings.iter().map(|finding| finding.rule.clone()) {
            assert!(text.contains(&rule), "{format} lost {rule}");
        }
    }
}

#[test]
fn what_was_not_checked_reaches_every_readable_format() {
    for format in Format::ALL.into_iter().filter(|format| *format != Format::Csv) {
        let text = write(format).replace("\\_", "_").replace("&#x2f;", "/");
        for rule in ["query/n-plus-one", "security/weak-password", "health/disk-full"] {
            assert!(text.contains(rule), "{format} is silent about {rule}");
        }
    }
}

#[test]
fn a_level_hides_and_says_so() {
    let options = Options { level: Level::Error, ..Options::default() };
    for format in Format::ALL.into_iter().filter(|format| *format != Format::Json) {
        let text = render(&rich(), format, &options);
        assert!(!text.contains("public.child_7.parent_id"), "{format}");
        if matches!(format, Format::Terminal | Format::Github | Format::Markdown | Format::Html) {
            assert!(text.contains("findings below"), "{format} hides in silence");
        }
    }
    let quiet = Report { findings: rich().findings.split_off(48), ..empty() };
    let text = render(&quiet, Format::Terminal, &options);
    assert!(text.contains("Nothing was found at or above `error`; 6 findings below it."), "{text}");
}

#[test]
fn silence_is_not_health() {
    let silent =
        Report { not_checked: rich().not_checked, skipped_statements: rich().skipped_statements, ..empty() };
    for format in [Format::Terminal, Format::Markdown, Format::Html] {
        let text = render(&silent, format, &Options::default());
        assert!(
            text.contains("Nothing was found in what was checked. But 5 checks could not run"),
            "{format}"
        );
        assert!(text.contains("7 statements were not understood or could not be carried out."), "{format}");
        assert!(!text.contains("Every check"), "{format}");
    }
}

#[test]
fn json_is_the_report() {
    let text = write(Format::Json);
    assert_eq!(serde_json::from_str::<Report>(&text).expect("it reads back"), rich());
}

#[test]
fn numbers_outside_the_scale_break_nothing() {
    let mut report = rich();
    let score = report.score.as_mut().expect("the rich report has a score");
    (score.proven, score.ceiling) = (400, 3);
    for (part, value) in score.dimensions.iter_mut().zip([f64::NAN, f64::INFINITY, -1.0, 1e300, 101.0]) {
        (part.proven, part.ceiling, part.coverage) = (value, -value, value);
    }
    for format in Format::ALL {
        assert!(!render(&report, format, &Options::default()).is_empty(), "{format}");
    }
}

#[test]
fn the_worst_stands_first_whatever_the_order() {
    let mut report = rich();
    report.findings.reverse();
    let text = render(&report, Format::Terminal, &Options::default());
    let at = |word: &str| text.find(word).unwrap_or_else(|| panic!("no {word}"));
    assert!(
        at("explain security/trust-from-anywhere") < at("explain schema/no-primary-key"),
        "critical first"
    );
    assert!(
        at("explain schema/no-primary-key") < at("explain index/foreign-key-without-index"),
        "then errors"
    );
    assert!(at("explain index/foreign-key-without-index") < at("explain schema/long-name"), "then warnings");
}

#[test]
fn the_published_schema_is_that_of_the_types() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/report.schema.json");
    let schema = json::json_schema();
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::create_dir_all(path.parent().expect("a file stands in a folder")).expect("docs can be made");
        std::fs::write(&path, &schema).expect("the schema can be written");
    }
    let published = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        published == schema,
        "docs/report.schema.json is not that of the types; run the test again with UPDATE_SCHEMA=1 and read the difference"
    );
}

#[test]
fn names_cannot_leave_the_page() {
    let text = write(Format::Html);
    assert_eq!(text.matches("<script").count(), 1);
    assert_eq!(text.matches("</script").count(), 1);
    assert!(!text.contains("<img"), "an element was made of a name");
    assert!(!text.contains(DIRECTION_NAME), "a name can reorder the page");
    assert!(text.contains("{{ 7*7 }}"), "a name was read as a template");
    for request in ["http:", "https:", "url(\"", "@import", "src=\""] {
        let found = text.replace("url(#hatch", "").contains(request);
        assert!(!found, "the page asks for something: {request}");
    }
    assert!(text.contains("default-src 'none'"));
}

#[test]
fn names_cannot_leave_markdown() {
    let text = write(Format::Markdown);
    let (mut opened, mut closed, mut cells) = (0, 0, 0);
    for event in Parser::new_ext(&text, pulldown_cmark::Options::ENABLE_TABLES) {
        match event {
            Event::Html(html) | Event::InlineHtml(html) => {
                opened += html.matches("<details>").count();
                closed += html.matches("</details>").count();
                let mut rest = html.to_string();
                for known in ["details", "summary", "b", "code"] {
                    rest = rest.replace(&format!("<{known}>"), "").replace(&format!("</{known}>"), "");
                }
                assert!(!rest.contains('<'), "{html}");
                assert!(!rest.contains("@team"), "{html}");
            }
            Event::Start(Tag::TableCell) => cells += 1,
            Event::Start(Tag::Link { .. } | Tag::Image { .. }) => panic!("a name became a link"),
            _ => {}
        }
    }
    assert_eq!(opened, closed);
    // Groups, and four lists at the end.
    assert_eq!(opened, 12 + 4);
    assert_eq!(cells, 8 * 6);
    assert!(!text.replace("` @team", "").contains(" @team"), "somebody is notified");
}

#[test]
fn names_cannot_give_commands_to_github() {
    let text = write(Format::Github);
    let commands: Vec<&str> = text.lines().filter(|line| line.starts_with("::")).collect();
    let report = rich();
    assert_eq!(commands.len(), report.findings.len() - 41 + report.skipped_statements.len() + 1);
    assert_eq!(text.lines().count(), commands.len() + 1);
    assert!(text.contains("file=a%2Cb%3A</script>"), "properties are not escaped");
    assert!(text.contains("100%25 sure"), "per cent signs are not escaped");
}

#[test]
fn junit_is_xml_with_every_case_counted() {
    for report in [rich(), empty()] {
        let text = render(&report, Format::Junit, &Options::default());
        let mut reader = quick_xml::Reader::from_str(&text);
        let mut cases = 0;
        loop {
            match reader.read_event().expect("valid XML") {
                quick_xml::events::Event::Eof => break,
                quick_xml::events::Event::Start(tag) | quick_xml::events::Event::Empty(tag) => {
                    for attribute in tag.attributes() {
                        attribute.expect("valid attributes");
                    }
                    cases += u32::from(tag.name().as_ref() == b"testcase");
                }
                _ => {}
            }
        }
        assert!(text.contains(&format!("tests=\"{cases}\"")), "{cases} cases");
    }
}

#[test]
fn csv_rows_are_findings() {
    let text = write(Format::Csv);
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.expect("valid rows")).collect();
    assert_eq!(rows.len(), rich().findings.len());
    assert!(rows.iter().any(|row| &row[4] == SCRIPT_NAME));
    assert!(rows.iter().flatten().all(|cell| !cell.starts_with('=')), "a cell is a formula");
}

#[test]
fn sarif_refers_to_its_own_rules() {
    let log: serde_json::Value = serde_json::from_str(&write(Format::Sarif)).expect("valid JSON");
    let run = &log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().expect("rules");
    let results = run["results"].as_array().expect("results");
    assert_eq!(results.len(), rich().findings.len() + rich().suppressed.len());
    for result in results {
        let index = result["ruleIndex"].as_u64().expect("an index") as usize;
        assert_eq!(rules[index]["id"], result["ruleId"]);
    }
    for notification in run["invocations"][0]["toolConfigurationNotifications"].as_array().expect("a list") {
        let index = notification["associatedRule"]["index"].as_u64().expect("an index") as usize;
        assert_eq!(rules[index]["id"], notification["associatedRule"]["id"]);
    }
}

#[test]
fn a_comment_stays_below_what_github_takes() {
    let mut report = rich();
    let template = report.findings[0].clone();
    for n in 0..2000 {
        let mut finding = template.clone();
        finding.rule = format!("schema/rule-{n}");
        report.findings.push(finding);
    }
    let text = render(&report, Format::Markdown, &Options { verbose: true, ..Options::default() });
    assert!(text.chars().count() < 65_536, "{}", text.chars().count());
    assert!(text.contains("that did not fit here"));
}
