//! Leave to change a database, made out of the user's word and nothing else.

use dbwright_engine::dsn::Dsn;
use dbwright_engine::write::Consent;

/// How the user said yes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// By `--yes`, before anything was shown.
    Flag,
    /// On a terminal, after seeing what will be done.
    Answer,
}

/// The consent that a word gives for one database.
pub fn given(target: &Dsn, word: Word) -> Consent {
    match word {
        Word::Flag | Word::Answer => Consent::by_the_users_word(target),
    }
}
