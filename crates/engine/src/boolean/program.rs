//! Boolean programs: layers of ANDs over registers, with local operations between them.
//!
//! A program is straight-line and says nothing about rows: every register stands for one bit of every row of a
//! morsel, bit-sliced, and the same program runs on any number of words. All ANDs of a layer travel in the same
//! messages, so a program costs as many rounds as it has layers (times the rounds of one AND).

/// The place of a secret bit (of all rows of a morsel) while a program runs.
pub type Register = u32;

/// The place of a bit that all helpers know.
pub(super) type PublicRegister = u32;

/// An operation without a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Local {
    /// `out = left xor right`; `out` may be one of the two.
    Xor { out: Register, left: Register, right: Register },
    /// `out = secret xor public`; `out` may be `secret`.
    XorPublic { out: Register, secret: Register, public: PublicRegister },
    /// `out = secret and public`; `out` may be `secret`.
    AndPublic { out: Register, secret: Register, public: PublicRegister },
    /// `out = not secret`; `out` may be `secret`.
    Not { out: Register, secret: Register },
    /// A public bit as a sharing.
    Embed { out: Register, public: PublicRegister },
    /// `out = left xor right` of public bits.
    PublicXor { out: PublicRegister, left: PublicRegister, right: PublicRegister },
    /// `out = left and right` of public bits.
    PublicAnd { out: PublicRegister, left: PublicRegister, right: PublicRegister },
    /// `out = not public`.
    PublicNot { out: PublicRegister, public: PublicRegister },
    /// `out` = the same bit in all rows.
    PublicConstant { out: PublicRegister, value: bool },
}

/// `out = left and right` of secret bits. `out` may be an operand of any gate of its layer: operands are read
/// before results are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AndGate {
    /// Where the result goes.
    pub out: Register,
    /// The one operand.
    pub left: Register,
    /// The other.
    pub right: Register,
}

/// Local operations, then ANDs that all go in the same round.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layer {
    /// In order.
    pub(super) local: Vec<Local>,
    /// At once.
    pub ands: Vec<AndGate>,
}

/// A Boolean program, from [`super::Draft::finish`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Secret inputs: they are in registers `0..inputs` when the program starts.
    pub(super) inputs: u32,
    /// Public inputs, likewise.
    pub(super) public_inputs: u32,
    /// Registers in use at any time.
    pub(super) registers: u32,
    /// Public registers in use at any time.
    pub(super) public_registers: u32,
    /// Only the last layer may be without ANDs.
    pub(super) layers: Vec<Layer>,
    pub(super) outputs: Vec<Register>,
}

impl Program {
    /// The number of secret inputs.
    pub fn inputs(&self) -> usize {
        self.inputs as usize
    }

    /// The number of public inputs.
    pub fn public_inputs(&self) -> usize {
        self.public_inputs as usize
    }

    /// The number of secret registers: what a morsel takes in memory, times words and width.
    pub fn registers(&self) -> usize {
        self.registers as usize
    }

    /// The layers, in order.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// Where the results are at the end.
    pub fn outputs(&self) -> &[Register] {
        &self.outputs
    }

    /// ANDs that need a message, per row.
    pub fn ands(&self) -> usize {
        self.layers.iter().map(|layer| layer.ands.len()).sum()
    }

    /// Rounds of ANDs.
    pub fn depth(&self) -> usize {
        self.layers.iter().filter(|layer| !layer.ands.is_empty()).count()
    }

    /// The most ANDs in one layer.
    pub fn widest_layer(&self) -> usize {
        self.layers.iter().map(|layer| layer.ands.len()).max().unwrap_or(0)
    }
}
