//! Sealing vectors: whether the norm of each is within its bound.
//!
//! `docs/protocols.md`, section 3. A row's vectors come as their projections ([`crate::projection`]) and sums of squares:
//! the first are local, the second are reduced to degree `t` in a round. What follows is the range check of as many
//! columns ([`super::SealPlan`]), of which the verdict alone is kept: a projection is within the multiple of the bound that
//! [`Norm`] says, a sum of squares within its square.

use std::fmt;
use std::sync::Arc;

use quorate_circuit::{Norm, PROJECTIONS};
use quorate_field::{Field, Integer, NamedField};
use quorate_sharing::Shares;

use super::{ColumnBits, SealPlan, SealTask, Session};
use crate::EngineError;
use crate::boolean::lanes::LANES;
use crate::boolean::sum::Shape;
use crate::product::{Degree2t, PendingReshare, reshare};
use crate::projection::Projections;
use crate::round::{Inbox, Outbox};
use crate::verified::Segment;

/// Numbers that are compared for each vector.
const NUMBERS: usize = PROJECTIONS + 1;

/// What all morsels of a seal's check of norms have in common, at a worker.
pub struct NormPlan<F> {
    ranges: Arc<SealPlan<F>>,
    /// The instruction that reduces the sums of squares, for each column of vectors.
    squares: Vec<u32>,
}

/// What is looked at of the vectors of a morsel's rows, at a worker.
#[derive(Debug)]
pub struct Projected<F: Field> {
    /// Row by row, and of a row for each column of vectors.
    projections: Vec<Shares<F>>,
    /// For each column of vectors, row by row.
    squares: Vec<Vec<Degree2t<F>>>,
    rows: usize,
}

/// Sums of squares on their way to degree `t`, and what is checked together with them.
pub(super) struct Squares<F: Field> {
    ranges: Arc<SealPlan<F>>,
    /// Row by row, and of a row for each column of vectors.
    projections: Vec<Shares<F>>,
    /// Not sent yet: the segment and the sums of each column.
    ready: Vec<(Segment, Degree2t<F>)>,
    pending: Vec<PendingReshare<F>>,
    first_word: u64,
}

/// The numbers that are compared for each row of vectors with these bounds.
pub fn norm_bits(norms: &[Norm]) -> Vec<ColumnBits> {
    let bits = |min, max| ColumnBits { min, max, are_sealed: false, presence: None };
    let numbers = |norm: &Norm| {
        let least = norm.projection().checked_neg().unwrap_or(Integer::ZERO);
        let mut numbers = vec![bits(least, norm.projection()); PROJECTIONS];
        numbers.push(bits(Integer::ZERO, norm.square()));
        numbers
    };
    norms.iter().flat_map(numbers).collect()
}

impl<F: NamedField> NormPlan<F> {
    /// The plan for columns of vectors with these bounds; instructions are given out in `session`.
    pub fn new(norms: &[Norm], shape: Shape, session: &mut Session) -> Self {
        let ranges = Arc::new(SealPlan::verdicts(&norm_bits(norms), shape, session));
        NormPlan { ranges, squares: norms.iter().map(|_| session.next_instruction()).collect() }
    }

    /// Starts on a morsel, whose randomness is that of rows from `64 * first_word` on.
    pub fn start(&self, session: &Session, morsel: Projected<F>, first_word: u64) -> SealTask<F> {
        let segment = |instruction| Segment::new(instruction, first_word * LANES as u64, morsel.rows);
        let sums = morsel.squares.iter().map(|sums| Degree2t::concat(sums));
        let ready = self.squares.iter().map(|instruction| segment(*instruction)).zip(sums).collect();
        let squares = Squares {
            ranges: self.ranges.clone(),
            projections: morsel.projections,
            ready,
            pending: Vec::new(),
            first_word,
        };
        SealTask::after(session, squares)
    }
}

impl<F: Field> Projected<F> {
    /// No row yet, of so many columns of vectors.
    pub fn new(columns: usize) -> Self {
        let squares = (0..columns).map(|_| Vec::new()).collect();
        Projected { projections: Vec::new(), squares, rows: 0 }
    }

    /// Rows so far.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Adds one row: this worker's shares of each column's vector, with the column's projections.
    pub fn push<'a>(&mut self, vectors: impl Iterator<Item = (&'a Projections, &'a [F])>)
    where
        F: 'a,
    {
        for ((projections, x), squares) in vectors.zip(&mut self.squares) {
            self.projections.push(projections.project(x));
            squares.push(Degree2t::sum_of_squares(x));
        }
        self.rows += 1;
    }
}

impl<F: NamedField> Squares<F> {
    pub(super) fn send(&mut self, session: &Session, outbox: &mut Outbox) {
        for (segment, sums) in self.ready.drain(..) {
            self.pending.push(reshare(session.member(), segment, &sums, outbox));
        }
    }

    /// The range check of the morsel.
    pub(super) fn receive(
        self,
        session: &Session,
        inbox: &mut Inbox<'_>,
    ) -> Result<SealTask<F>, EngineError> {
        let columns = self.pending.len();
        let mut numbers = Vec::with_capacity(columns * NUMBERS);
        for (column, pending) in self.pending.into_iter().enumerate() {
            let of_column = || self.projections.iter().skip(column).step_by(columns.max(1));
            for projection in 0..PROJECTIONS {
                let of_rows = of_column().map(|row| row.as_slice()[projection]);
                numbers.push(Shares::from_vec(of_rows.collect()));
            }
            let squares = pending.finish(session.member(), inbox)?;
            numbers.push(squares.trust_helpers_of_passive_study().release());
        }
        Ok(self.ranges.start(session, numbers, self.first_word))
    }
}

impl<F> fmt::Debug for NormPlan<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NormPlan({} columns of vectors)", self.squares.len())
    }
}
