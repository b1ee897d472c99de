//! A helper as a pure state machine
