//! Recorded answers of servers, by which decoders are tested without one.
