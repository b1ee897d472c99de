//! Bits that are not shared: the oracle of every program.

use super::domain::{Domain, Registers, xor_words};
use super::execution::Execution;
use super::program::{AndGate, Program};
use crate::EngineError;
use crate::round::{Inbox, Outbox, Progress, Task};

/// No sharing: a bit is one word for 64 rows, an AND is an AND.
#[derive(Clone, Copy, Debug)]
pub struct Clear;

impl Domain for Clear {
    fn width(&self) -> usize {
        1
    }

    fn xor_public(&self, share: &mut [u64], public: &[u64]) {
        xor_words(share, public);
    }

    fn not(&self, share: &mut [u64], _words: usize) {
        share.iter_mut().for_each(|word| *word = !*word);
    }

    fn rounds(&self) -> u32 {
        0
    }

    fn send(&mut self, _round: u32, _gates: &[AndGate], _registers: &Registers, _outbox: &mut Outbox) {}

    fn receive(
        &mut self,
        _round: u32,
        gates: &[AndGate],
        registers: &mut Registers,
        _inbox: &mut Inbox<'_>,
    ) -> Result<(), EngineError> {
        let and = |gate: &AndGate| {
            let operands = registers.get(gate.left).iter().zip(registers.get(gate.right));
            operands.map(|(left, right)| left & right).collect()
        };
        let results: Vec<Vec<u64>> = gates.iter().map(and).collect();
        for (gate, result) in gates.iter().zip(results) {
            registers.get_mut(gate.out).copy_from_slice(&result);
        }
        Ok(())
    }
}

/// What a program computes, in the clear: one bit per input, its words for `rows` rows; the padding of outputs is
/// zero.
///
/// # Panics
/// If the inputs are not as many as the program's or not of `rows` rows.
pub fn evaluate(program: &Program, secrets: &[&[u64]], publics: &[&[u64]], rows: usize) -> Vec<Vec<u64>> {
    let mut execution = Execution::new(program, Clear, rows);
    assert_eq!((secrets.len(), publics.len()), (program.inputs(), program.public_inputs()), "all inputs");
    secrets.iter().enumerate().for_each(|(i, bit)| execution.input(i).copy_from_slice(bit));
    publics.iter().enumerate().for_each(|(i, bit)| execution.public_input(i).copy_from_slice(bit));
    assert_eq!(
        execution.advance(&mut Outbox::new()),
        Progress::Ended,
        "a program in the clear sends nothing"
    );
    (0..program.outputs().len()).map(|i| execution.output(i).to_vec()).collect()
}
