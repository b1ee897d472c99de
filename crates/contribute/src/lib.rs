//! The contributor without I/O: study check, split, pieces
