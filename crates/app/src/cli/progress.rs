//! Progress on standard error.

use std::time::Duration;

use dbwright_engine::session::Progress;
use dbwright_model::facts::Fact;
use dbwright_render::{visible, visible_block};
use indicatif::{ProgressBar, ProgressStyle};

/// A bar that says which fact is being read; nothing when nobody watches.
pub struct Bar {
    bar: ProgressBar,
}

impl Bar {
    /// A bar, drawn only when `shown`.
    pub fn new(shown: bool) -> Self {
        if !shown {
            return Bar { bar: ProgressBar::hidden() };
        }
        let bar = ProgressBar::new(0);
        bar.set_style(style("{spinner} {wide_msg}"));
        bar.set_message("starting");
        bar.enable_steady_tick(Duration::from_millis(120));
        Bar { bar }
    }

    /// Shows how far the work is; without a total, only what it is.
    fn show(&self, message: String, done: u64, of: u64) {
        let counted = of > 0;
        if counted != (self.bar.length().unwrap_or(0) > 0) {
            let counting = "{spinner} [{bar:24}] {pos}/{len} {wide_msg}";
            self.bar.set_style(style(if counted { counting } else { "{spinner} {wide_msg}" }));
        }
        self.bar.set_length(of);
        self.bar.set_position(done);
        self.bar.set_message(message);
    }

    /// Does something that needs the screen for itself.
    pub fn aside<T>(&self, work: impl FnOnce() -> T) -> T {
        self.bar.suspend(work)
    }

    /// Takes the bar off the screen.
    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    style.progress_chars("=> ")
}

impl Progress for Bar {
    fn fact(&self, fact: Fact, index: usize, of: usize) {
        self.show(format!("reading {}", fact.describe()), index as u64, of as u64);
    }

    fn step(&self, what: &str, done: u64, of: u64) {
        self.show(visible(what), done, of);
    }

    fn note(&self, what: &str) {
        // Where no bar is drawn, it is still to be read.
        self.bar.suspend(|| eprintln!("{}", visible_block(what)));
    }
}
