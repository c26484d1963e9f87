//! Progress on standard error.

use std::time::Duration;

use dbwright_engine::session::Progress;
use dbwright_model::facts::Fact;
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
        let style = ProgressStyle::with_template("{spinner} [{bar:24}] {pos}/{len} {wide_msg}")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        bar.set_style(style.progress_chars("=> "));
        bar.enable_steady_tick(Duration::from_millis(120));
        Bar { bar }
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

impl Progress for Bar {
    fn fact(&self, fact: Fact, index: usize, of: usize) {
        self.bar.set_length(of as u64);
        self.bar.set_position(index as u64);
        self.bar.set_message(format!("reading {}", fact.describe()));
    }

    fn step(&self, what: &str, done: u64, of: u64) {
        self.bar.set_length(of);
        self.bar.set_position(done);
        self.bar.set_message(what.to_owned());
    }
}
