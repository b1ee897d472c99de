//! Protocols as pure round functions, and the interpreter of programs
