//! Durable contributions, sealed columns and control records
