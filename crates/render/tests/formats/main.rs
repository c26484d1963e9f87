//! Every format over one rich report, with names made to break them.

mod fixture;
mod promises;
mod snapshots;
