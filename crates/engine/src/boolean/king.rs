//! AND of replicated sharings in two rounds, opened by a king.
//!
//! After Damgård, Nielsen, "Scalable and unconditionally secure multiparty computation", CRYPTO 2007, in replicated
//! sharing: r is pseudo-random, its sub-shares r_A are its CNF sharing, and a king opens xy xor r.
//!
//! ```text
//! round 1:  worker j -> king:  z_j xor (the r_A that are j's to add) xor (j's share of zero)
//! round 2:  king -> all:       d = xy xor r;    the result is d xor <r>
//! ```
//!
//! Each r_A is added by exactly one of its holders. The sharing of zero (one stream for each pair of workers, added
//! by both) is not optional: without it the king would see each z_j masked by sets it holds the keys of.
//!
//! Cost: two rounds; one word sent for a word of ANDs, 2t of them by the king; C(2t, t) + 2t streams instead of the
//! one-round AND's larger number: less for t >= 2. The king is a pure function of the instruction.

use quorate_sharing::prss::{Draw, DrawStream, Purpose};
use zeroize::Zeroize;

use super::cnf;
use super::domain::{Domain, Registers, xor_bytes, xor_words};
use super::lanes::LANES;
use super::layout::{Layout, Place};
use super::program::{AndGate, Program};
use super::worker_keys::number;
use super::workers::Workers;
use crate::EngineError;
use crate::round::{Inbox, Outbox};
use crate::verified::Segment;

/// What a worker draws for the ANDs of one instruction, whatever the morsel.
#[derive(Debug)]
pub struct KingStreams {
    instruction: u32,
    king: Place,
    /// r_A by sub-share, and whether this worker adds it.
    masks: Vec<(DrawStream, bool)>,
    /// One for each other worker.
    zeros: Vec<DrawStream>,
}

impl KingStreams {
    /// The streams of `instruction`.
    pub(super) fn new(workers: &Workers, instruction: u32) -> Self {
        let (layout, me) = (workers.layout(), workers.layout().place());
        let mask = |&set: &usize| {
            let stream = workers.set_stream(set, &Draw { purpose: Purpose::AndMask, instruction, sub: 0 });
            (stream, (0..layout.places()).find(|&place| !layout.set_has(set, place)) == Some(me))
        };
        let zero = |place: Place| {
            let (adds, subtracts) = (number(place.min(me)), number(place.max(me)));
            let purpose = Purpose::PairZero { adds, subtracts };
            workers.pair_stream(place, &Draw { purpose, instruction, sub: 0 })
        };
        KingStreams {
            instruction,
            king: instruction as usize % layout.places(),
            masks: layout.held().iter().map(mask).collect(),
            zeros: (0..layout.places()).filter(|place| *place != me).map(zero).collect(),
        }
    }
}

/// One worker's side of a program's ANDs on one morsel.
pub struct CnfKing<'a> {
    layout: &'a Layout,
    streams: &'a KingStreams,
    first_word: u64,
    /// The next word of every stream.
    cursor: u64,
    /// Sub-shares of the results, one after the other.
    results: Vec<u64>,
    /// At the king what it opens, elsewhere unused.
    opened: Vec<u64>,
    scratch: Vec<u64>,
}

impl<'a> CnfKing<'a> {
    /// For the morsel whose first row is row `64 * first_word`.
    pub fn new(layout: &'a Layout, streams: &'a KingStreams, program: &Program, first_word: u64) -> Self {
        let cursor = first_word * program.ands() as u64;
        CnfKing {
            layout,
            streams,
            first_word,
            cursor,
            results: Vec::new(),
            opened: Vec::new(),
            scratch: Vec::new(),
        }
    }

    fn is_king(&self) -> bool {
        self.streams.king == self.layout.place()
    }

    fn king(&self) -> u8 {
        self.layout.workers()[self.streams.king]
    }

    fn others(&self) -> impl Iterator<Item = u8> {
        let me = self.layout.me();
        self.layout.workers().iter().copied().filter(move |worker| *worker != me)
    }

    /// The sub-shares of r into the results, and what this worker adds of them into `z`.
    fn mask(&mut self, z: &mut [u64]) {
        let words = z.len();
        self.results.resize(self.layout.width() * words, 0);
        self.scratch.resize(words, 0);
        let streams = self.streams;
        for ((stream, is_mine), result) in streams.masks.iter().zip(self.results.chunks_exact_mut(words)) {
            stream.fill_words(self.cursor, result);
            if *is_mine {
                xor_words(z, result);
            }
        }
        for stream in &streams.zeros {
            stream.fill_words(self.cursor, &mut self.scratch);
            xor_words(z, &self.scratch);
        }
    }
}

impl Domain for CnfKing<'_> {
    fn width(&self) -> usize {
        self.layout.width()
    }

    fn xor_public(&self, share: &mut [u64], public: &[u64]) {
        cnf::xor_public(self.layout, share, public);
    }

    fn not(&self, share: &mut [u64], words: usize) {
        cnf::not(self.layout, share, words);
    }

    fn segment(&self, rows: usize) -> Option<Segment> {
        Some(Segment::new(self.streams.instruction, self.first_word * LANES as u64, rows))
    }

    fn rounds(&self) -> u32 {
        2
    }

    fn send(&mut self, round: u32, gates: &[AndGate], registers: &Registers, outbox: &mut Outbox) {
        if round == 1 {
            let receivers = self.others().filter(|_| self.is_king());
            return receivers.for_each(|worker| outbox.append_words(worker, &self.opened));
        }
        let mut z = vec![0; gates.len() * registers.words()];
        for (gate, z) in gates.iter().zip(z.chunks_exact_mut(registers.words().max(1))) {
            cnf::cross_terms(self.layout, registers.get(gate.left), registers.get(gate.right), z);
        }
        self.mask(&mut z);
        if self.is_king() {
            self.opened = z;
        } else {
            outbox.append_words(self.king(), &z);
            z.zeroize();
        }
    }

    fn receive(
        &mut self,
        round: u32,
        gates: &[AndGate],
        registers: &mut Registers,
        inbox: &mut Inbox<'_>,
    ) -> Result<(), EngineError> {
        let words = gates.len() * registers.words();
        if round == 0 {
            for worker in self.others().filter(|_| self.is_king()).collect::<Vec<_>>() {
                xor_bytes(&mut self.opened, inbox.take(worker, 8 * words, "masked ANDs")?);
            }
            return Ok(());
        }
        if let Some(sub) = self.layout.public_sub_share() {
            let (is_king, king) = (self.is_king(), self.king());
            let result = &mut self.results[sub * words..][..words];
            if is_king {
                xor_words(result, &self.opened);
            } else {
                xor_bytes(result, inbox.take(king, 8 * words, "opened ANDs")?);
            }
        } else if !self.is_king() {
            // Sent to all, used by the holders of one set.
            inbox.take(self.king(), 8 * words, "opened ANDs")?;
        }
        cnf::write_results(gates, registers, &self.results);
        self.cursor += words as u64;
        Ok(())
    }
}

impl Drop for CnfKing<'_> {
    fn drop(&mut self) {
        self.results.zeroize();
        self.opened.zeroize();
        self.scratch.zeroize();
    }
}

impl std::fmt::Debug for CnfKing<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CnfKing(helper {}, word {} of its streams)", self.layout.me(), self.cursor)
    }
}
