//! Placeholders of tools, put back into reports in the place of the words that stood in for them.

use std::collections::BTreeMap;

use dbwright_model::engine::Dialect;
use dbwright_model::report::Report;
use dbwright_sql::files::SourceFile;
use dbwright_sql::tools;

/// The words that stand in for placeholders, each with the placeholder as written.
#[derive(Debug, Default)]
pub(crate) struct StandIns {
    by_file: BTreeMap<String, BTreeMap<String, String>>,
    /// Those of all files: what one makes, another may speak of.
    all: BTreeMap<String, String>,
}

impl StandIns {
    /// The words that stand in for the placeholders of files.
    pub fn of(dialect: Dialect, files: &[SourceFile]) -> Self {
        let mut stand_ins = StandIns::default();
        for file in files {
            let words = tools::stand_ins(dialect, &file.text);
            if words.is_empty() {
                continue;
            }
            for (word, written) in &words {
                stand_ins.all.entry(word.clone()).or_insert_with(|| written.clone());
            }
            stand_ins.by_file.insert(file.name.clone(), words);
        }
        stand_ins
    }

    /// Shows what a report says of files as they are written. Keys of findings are made of the words and stay.
    pub fn put_back(&self, report: &mut Report) {
        if self.all.is_empty() {
            return;
        }
        for statement in &mut report.statements {
            let restore = |text: &mut String| self.restore(Some(&statement.file), text);
            restore(&mut statement.sql);
            statement.because.iter_mut().for_each(restore);
            statement.failed.iter_mut().for_each(restore);
            statement.not_traced.iter_mut().for_each(restore);
            statement.effects.iter_mut().for_each(|effect| restore(&mut effect.relation));
        }
        for finding in &mut report.findings {
            let file = finding.location.as_ref().map(|place| place.file.clone());
            let restore = |text: &mut String| self.restore(file.as_deref(), text);
            restore(&mut finding.object);
            restore(&mut finding.message);
            finding.evidence.iter_mut().for_each(|evidence| restore(&mut evidence.value));
            if let Some(remedy) = &mut finding.remedy {
                restore(&mut remedy.summary);
                remedy.steps.iter_mut().for_each(|step| restore(&mut step.sql));
            }
        }
        for skipped in &mut report.skipped_statements {
            self.restore(Some(&skipped.file), &mut skipped.statement);
            self.restore(Some(&skipped.file), &mut skipped.because);
        }
        report.not_checked.iter_mut().for_each(|line| self.restore(None, &mut line.because));
    }

    /// A file's own words come first: two files may give one word to different placeholders.
    fn restore(&self, file: Option<&str>, text: &mut String) {
        if let Some(words) = file.and_then(|file| self.by_file.get(file)) {
            *text = tools::put_back(text, words);
        }
        *text = tools::put_back(text, &self.all);
    }
}
