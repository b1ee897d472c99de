//! Prime fields and their slice kernels
