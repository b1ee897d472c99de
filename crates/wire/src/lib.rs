//! Versioned messages, limits and the one codec
