//! Criterion benches of Quorate. Each area has a file in `benches/`; run one with
//! `cargo bench -p quorate-benches --bench field`, part of it with a filter such as `-- f61/dot`.
