//! Studies and circuits: language, checker, program, clear-text evaluator
