//! The run of one Boolean program on one morsel: a state machine that is driven round by round.
//!
//! ```text
//! new, fill inputs;  while advance(outbox) is Sent { move the bytes; receive(inbox) };  finish
//! ```
//!
//! Local operations run on the way. Who carries the messages, and how many morsels are under way at once, is the
//! driver's business.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::Arc;

use super::domain::{Domain, Registers, Scratch};
use super::lanes;
use super::program::{Local, Program, PublicRegister};
use crate::EngineError;
use crate::round::{Inbox, Outbox, Progress, Task};
use crate::verified::{Unverified, Verified};

static NOTHING: BTreeMap<u8, Vec<u8>> = BTreeMap::new();

/// A program under way on one morsel.
#[derive(Debug)]
pub struct Execution<P, D> {
    program: P,
    domain: D,
    rows: usize,
    registers: Registers,
    publics: Vec<u64>,
    layer: usize,
    /// The round within the layer's ANDs.
    round: u32,
    is_local_done: bool,
}

/// The outputs of a program: one share per bit, sub-shares one after the other, padding zero. Secret: wiped on
/// drop, does not print.
pub struct Outputs(Vec<zeroize::Zeroizing<Vec<u64>>>);

impl Outputs {
    /// The share of output `index`.
    pub fn bit(&self, index: usize) -> &[u64] {
        &self.0[index]
    }

    /// The number of bits.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Verified<Outputs> {
    /// The first `at` bits, and the others: what is kept, and what is opened.
    pub fn split(self, at: usize) -> (Self, Self) {
        let mut outputs = self.release();
        let rest = Outputs(outputs.0.split_off(at));
        (Verified::local(outputs), Verified::local(rest))
    }
}

impl std::fmt::Debug for Outputs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Outputs({} bits)", self.0.len())
    }
}

impl<P: Deref<Target = Program> + Clone, D: Domain> Task for Execution<P, D> {
    fn advance(&mut self, outbox: &mut Outbox) -> Progress {
        let program = self.program.clone();
        while let Some(layer) = program.layers().get(self.layer) {
            if !self.is_local_done {
                layer.local.iter().for_each(|operation| self.local(*operation));
                self.is_local_done = true;
            }
            if !layer.ands.is_empty() && self.domain.rounds() > 0 {
                self.domain.send(self.round, &layer.ands, &self.registers, outbox);
                return Progress::Sent;
            }
            if !layer.ands.is_empty() {
                // Without rounds there are no messages and hence no errors.
                let inbox = &mut Inbox::new(&NOTHING);
                let done = self.domain.receive(0, &layer.ands, &mut self.registers, inbox);
                debug_assert!(done.is_ok());
            }
            self.next_layer();
        }
        let words = self.registers.words();
        for &output in program.outputs() {
            for share in self.registers.get_mut(output).chunks_mut(words.max(1)) {
                lanes::clear_padding(share, self.rows);
            }
        }
        Progress::Ended
    }

    fn receive(&mut self, inbox: &mut Inbox<'_>) -> Result<(), EngineError> {
        let program = self.program.clone();
        if let Some(layer) = program.layers().get(self.layer) {
            self.domain.receive(self.round, &layer.ands, &mut self.registers, inbox)?;
            self.round += 1;
            if self.round == self.domain.rounds() {
                self.next_layer();
            }
        }
        Ok(())
    }
}

impl<P: Deref<Target = Program> + Clone, D: Domain> Execution<P, D> {
    /// A run on a morsel of `rows` rows, whose inputs are still zero. `program` may be shared or borrowed.
    pub fn new(program: P, domain: D, rows: usize) -> Self {
        Execution::with_scratch(program, domain, rows, Arc::default())
    }

    /// [`Execution::new`], where the registers' memory comes from runs that are over and goes to later ones.
    pub fn with_scratch(program: P, domain: D, rows: usize, scratch: Arc<Scratch>) -> Self {
        let words = lanes::words(rows);
        let registers = Registers::new(program.registers(), domain.width(), words, scratch);
        let publics = vec![0; program.public_registers as usize * words];
        Execution { program, domain, rows, registers, publics, layer: 0, round: 0, is_local_done: false }
    }

    /// The place of secret input `index`, to write this helper's sub-shares into, before the first step.
    pub fn input(&mut self, index: usize) -> &mut [u64] {
        assert!(index < self.program.inputs(), "input {index} of {}", self.program.inputs());
        #[expect(clippy::cast_possible_truncation, reason = "less than the number of inputs, a u32")]
        self.registers.get_mut(index as u32)
    }

    /// The places of `count` secret inputs from `first` on, one after the other, all zero before the first step.
    pub fn inputs(&mut self, first: usize, count: usize) -> &mut [u64] {
        assert!(first + count <= self.program.inputs(), "inputs {first} to {}", first + count);
        self.registers.range_mut(first, count)
    }

    /// The place of public input `index`.
    pub fn public_input(&mut self, index: usize) -> &mut [u64] {
        assert!(index < self.program.public_inputs(), "input {index} of {}", self.program.public_inputs());
        let words = self.registers.words();
        &mut self.publics[index * words..][..words]
    }

    /// The results, once [`Task::advance`] said so.
    ///
    /// # Panics
    /// If the program has not ended.
    pub fn finish(self) -> Unverified<Outputs> {
        assert_eq!(self.layer, self.program.layers().len(), "the program has ended");
        let output = |i| zeroize::Zeroizing::new(self.output(i).to_vec());
        let outputs = Outputs((0..self.program.outputs().len()).map(output).collect());
        match self.domain.segment(self.rows).filter(|_| self.program.ands() > 0) {
            Some(segment) => Unverified::of_segment(outputs, segment),
            None => Unverified::new(outputs),
        }
    }

    pub(super) fn output(&self, index: usize) -> &[u64] {
        self.registers.get(self.program.outputs()[index])
    }

    fn next_layer(&mut self) {
        (self.layer, self.round, self.is_local_done) = (self.layer + 1, 0, false);
    }

    fn local(&mut self, operation: Local) {
        let words = self.registers.words();
        match operation {
            Local::Xor { out, left, right } => self.registers.xor(out, left, right),
            Local::XorPublic { out, secret, public } => {
                self.registers.copy(out, secret);
                let public = public_word(&self.publics, public, words);
                self.domain.xor_public(self.registers.get_mut(out), public);
            }
            Local::AndPublic { out, secret, public } => {
                self.registers.copy(out, secret);
                let public = public_word(&self.publics, public, words);
                for share in self.registers.get_mut(out).chunks_mut(words.max(1)) {
                    share.iter_mut().zip(public).for_each(|(share, public)| *share &= public);
                }
            }
            Local::Not { out, secret } => {
                self.registers.copy(out, secret);
                self.domain.not(self.registers.get_mut(out), words);
            }
            Local::Embed { out, public } => {
                self.registers.get_mut(out).fill(0);
                let public = public_word(&self.publics, public, words);
                self.domain.xor_public(self.registers.get_mut(out), public);
            }
            Local::PublicXor { out, left, right } => self.public(out, left, right, |a, b| a ^ b),
            Local::PublicAnd { out, left, right } => self.public(out, left, right, |a, b| a & b),
            Local::PublicNot { out, public } => self.public(out, public, public, |a, _| !a),
            Local::PublicConstant { out, value } => {
                let word = if value { u64::MAX } else { 0 };
                self.publics[out as usize * words..][..words].fill(word);
            }
        }
    }

    fn public(
        &mut self,
        out: PublicRegister,
        left: PublicRegister,
        right: PublicRegister,
        operation: impl Fn(u64, u64) -> u64,
    ) {
        let words = self.registers.words();
        for word in 0..words {
            let at = |register: PublicRegister| register as usize * words + word;
            self.publics[at(out)] = operation(self.publics[at(left)], self.publics[at(right)]);
        }
    }
}

fn public_word(publics: &[u64], register: PublicRegister, words: usize) -> &[u64] {
    &publics[register as usize * words..][..words]
}
