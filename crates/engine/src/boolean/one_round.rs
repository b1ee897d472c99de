//! AND of replicated sharings in one round.
//!
//! The product of two bits is the XOR of all cross terms x_A y_B. After Araki, Furukawa, Lindell, Nof, Ohara,
//! "High-throughput semi-honest secure three-party computation with an honest majority", CCS 2016, for any
//! threshold: each cross term goes to one worker outside A and B, and each worker shares the XOR z_j of its terms
//! again. Differs from the paper for t = 1 in nothing that is sent: one bit per AND and worker.
//!
//! ```text
//! dealer j:  s_B = 0 for j in B,   s_B = PRF(K_B; dealer j) for the others but one,   s_C = z_j xor all of these
//! result:    z_B = xor over all j of s_B of dealer j
//! ```
//!
//! **The draw names the dealer.** A coalition T lacks K_T only; every dealer outside T masks with a stream of it,
//! and were it the same stream for two of them, the XOR of what they send would be that of what they know.
//!
//! Cost: one round; t words sent by each worker for a word of ANDs. Passive security against t workers; a worker
//! that lies adds an error to the result and nothing else.

use std::ops::Deref;

use quorate_sharing::prss::DrawStream;
use zeroize::{Zeroize, Zeroizing};

use super::cnf;
use super::domain::{Domain, Registers, grow, xor_bytes, xor_words};
use super::lanes::LANES;
use super::layout::Layout;
use super::program::{AndGate, Program};
use super::workers::Workers;
use crate::EngineError;
use crate::round::{Inbox, Outbox};
use crate::verified::Segment;

/// Words that are drawn at a time.
const BLOCK: usize = 512;

/// What a worker draws for the ANDs of one instruction, whatever the morsel.
#[derive(Debug)]
pub struct OneRoundStreams {
    layout: Layout,
    instruction: u32,
    /// For every dealer: the sub-share and its stream.
    drawn: Vec<Vec<(usize, DrawStream)>>,
}

impl OneRoundStreams {
    /// The streams of `instruction`.
    pub(super) fn new(workers: &Workers, instruction: u32) -> Self {
        let dealers = 0..workers.layout().places();
        let of_dealer = |dealer| workers.dealt_streams(dealer, instruction, 0);
        OneRoundStreams {
            layout: workers.layout().clone(),
            instruction,
            drawn: dealers.map(of_dealer).collect(),
        }
    }
}

/// One worker's side of a program's ANDs on one morsel.
pub struct CnfOneRound<S> {
    streams: S,
    first_word: u64,
    /// The next word of every stream.
    cursor: u64,
    /// What the dealers' sub-shares add up to, one sub-share after the other.
    results: Vec<u64>,
    /// What is left of this worker's results.
    rest: Vec<u64>,
}

impl<S: Deref<Target = OneRoundStreams> + Clone> CnfOneRound<S> {
    /// For the morsel whose first row is row `64 * first_word`. Morsels begin at whole words, so no two use the
    /// same words of a stream.
    pub fn new(streams: S, program: &Program, first_word: u64) -> Self {
        let cursor = first_word * program.ands() as u64;
        CnfOneRound { streams, first_word, cursor, results: Vec::new(), rest: Vec::new() }
    }

    /// Sub-share `sub` of all results.
    fn result(&mut self, sub: usize, words: usize) -> &mut [u64] {
        &mut self.results[sub * words..][..words]
    }

    /// Adds to the results what each dealer's streams say; what this dealer draws also to `own`. Block by block, so
    /// that what is drawn stays in the first-level cache.
    fn add_drawn(&mut self, own: &mut [u64]) {
        let (words, streams) = (own.len(), self.streams.clone());
        let mut drawn = Zeroizing::new([0; BLOCK]);
        for (block, own) in own.chunks_mut(BLOCK).enumerate() {
            let (first, drawn) = (block * BLOCK, &mut drawn[..own.len()]);
            for (dealer, streams) in streams.drawn.iter().enumerate() {
                for (sub, stream) in streams {
                    stream.fill_words(self.cursor + first as u64, drawn);
                    xor_words(&mut self.result(*sub, words)[first..][..drawn.len()], drawn);
                    if dealer == self.streams.layout.place() {
                        xor_words(own, drawn);
                    }
                }
            }
        }
    }
}

impl<S: Deref<Target = OneRoundStreams> + Clone> Domain for CnfOneRound<S> {
    fn width(&self) -> usize {
        self.streams.layout.width()
    }

    fn xor_public(&self, share: &mut [u64], public: &[u64]) {
        cnf::xor_public(&self.streams.layout, share, public);
    }

    fn not(&self, share: &mut [u64], words: usize) {
        cnf::not(&self.streams.layout, share, words);
    }

    fn segment(&self, rows: usize) -> Option<Segment> {
        Some(Segment::new(self.streams.instruction, self.first_word * LANES as u64, rows))
    }

    fn rounds(&self) -> u32 {
        1
    }

    fn send(&mut self, _round: u32, gates: &[AndGate], registers: &Registers, outbox: &mut Outbox) {
        let words = gates.len() * registers.words();
        grow(&mut self.results, self.streams.layout.width() * words).fill(0);
        // 1. z_j, the XOR of this worker's cross terms.
        let mut buffer = std::mem::take(&mut self.rest);
        let rest = grow(&mut buffer, words);
        rest.fill(0);
        for (gate, z) in gates.iter().zip(rest.chunks_exact_mut(registers.words().max(1))) {
            cnf::cross_terms(&self.streams.layout, registers.get(gate.left), registers.get(gate.right), z);
        }
        // 2. All sub-shares of all dealers that come from streams; what is left of z_j is the last one.
        self.add_drawn(rest);
        let streams = self.streams.clone();
        let layout = &streams.layout;
        let own = &layout.dealings()[layout.place()];
        if let Some(sub) = own.sent {
            xor_words(self.result(sub, words), rest);
        }
        own.receivers.iter().for_each(|&place| outbox.append_words(layout.workers()[place], rest));
        self.rest = buffer;
    }

    fn receive(
        &mut self,
        _round: u32,
        gates: &[AndGate],
        registers: &mut Registers,
        inbox: &mut Inbox<'_>,
    ) -> Result<(), EngineError> {
        // 3. What the other dealers sent.
        let words = gates.len() * registers.words();
        let streams = self.streams.clone();
        let layout = &streams.layout;
        for dealer in (0..layout.places()).filter(|dealer| *dealer != layout.place()) {
            if let Some(sub) = layout.dealings()[dealer].sent {
                let bytes = inbox.take(layout.workers()[dealer], 8 * words, "results of ANDs")?;
                xor_bytes(self.result(sub, words), bytes);
            }
        }
        cnf::write_results(gates, registers, &self.results);
        self.cursor += words as u64;
        Ok(())
    }
}

impl<S> Drop for CnfOneRound<S> {
    fn drop(&mut self) {
        self.results.as_mut_slice().zeroize();
        self.rest.as_mut_slice().zeroize();
    }
}

impl<S: Deref<Target = OneRoundStreams>> std::fmt::Debug for CnfOneRound<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CnfOneRound(helper {}, word {} of its streams)", self.streams.layout.me(), self.cursor)
    }
}
