//! Operands: which earlier values an instruction reads.

use super::{Reduction, RowInstruction, ScalarInstruction};

impl RowInstruction {
    /// The row values that it reads.
    pub fn operands(&self) -> Vec<u32> {
        self.clone().operands_mut().into_iter().map(|operand| *operand).collect()
    }

    pub(crate) fn operands_mut(&mut self) -> Vec<&mut u32> {
        match self {
            RowInstruction::Input { .. } | RowInstruction::Everywhere(_) => vec![],
            RowInstruction::Linear { terms, .. } => terms.iter_mut().map(|term| &mut term.value).collect(),
            RowInstruction::Below(bounded) | RowInstruction::Equal(bounded) => vec![&mut bounded.value],
            RowInstruction::Bit(bit) => vec![&mut bit.value],
            RowInstruction::Number(value) | RowInstruction::Not(value) => vec![value],
            RowInstruction::Multiply(left, right)
            | RowInstruction::Less(left, right)
            | RowInstruction::Same(left, right)
            | RowInstruction::And(left, right)
            | RowInstruction::Xor(left, right) => vec![left, right],
        }
    }
}

impl Reduction {
    /// The row values that it reads.
    pub fn operands(&self) -> Vec<u32> {
        match self {
            Reduction::Sum { value } | Reduction::Count(value) => vec![*value],
            Reduction::Dot(left, right) => vec![*left, *right],
        }
    }
}

impl ScalarInstruction {
    /// The scalars that it reads.
    pub fn operands(&self) -> Vec<u32> {
        self.clone().operands_mut().into_iter().map(|operand| *operand).collect()
    }

    pub(crate) fn operands_mut(&mut self) -> Vec<&mut u32> {
        match self {
            ScalarInstruction::Linear { terms, .. } => {
                terms.iter_mut().map(|term| &mut term.scalar).collect()
            }
            ScalarInstruction::Multiply(left, right) => vec![left, right],
            ScalarInstruction::Noise(_) => vec![],
            ScalarInstruction::Lift { scalar, .. } => vec![scalar],
            ScalarInstruction::Below(bounded) | ScalarInstruction::Equal(bounded) => {
                vec![&mut bounded.value]
            }
        }
    }
}
