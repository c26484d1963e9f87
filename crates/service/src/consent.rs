//! Leave to change a database, made of what the user said. Nothing else makes it.

use dbwright_engine::dsn::Dsn;
use dbwright_engine::write::Consent;

/// How the user said yes, after what will be done was shown or with a flag that says it before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// `--yes` on the command line.
    Flag,
    /// An answer on a terminal to a question that showed what will be done.
    Answer,
}

/// The leave that a word gives, for one database.
pub fn given(word: Word, target: &Dsn) -> Consent {
    match word {
        Word::Flag | Word::Answer => Consent::by_the_users_word(target),
    }
}
