//! Secret sharing: split, commit, recombine, and keyed randomness
