//! Whole federations in one thread, from one seed
