//! What a pseudo-random value is drawn for.

use crate::HelperNumber;

/// The one use of a stream of pseudo-random values. Two uses are two draws: a value drawn twice would be a mask
/// used twice, and their difference gives away the difference of what they mask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Draw {
    /// What for, and for whom.
    pub purpose: Purpose,
    /// The instruction of the program, or the step of the protocol, that draws.
    pub instruction: u32,
    /// Which of the instruction's draws it is, from 0.
    pub sub: u32,
}

/// What a draw is for. Where a dealer or a direction matters, it is part of the purpose and cannot be left out:
/// without it two dealers would mask with the same stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Purpose {
    /// A value that is opened as a coin which nobody could foresee.
    Coin,
    /// The mask of the degree check.
    DegreeMask,
    /// A random sharing in a program.
    Random,
    /// One dealer's shares for one recipient, when a product's degree is reduced.
    Reshare {
        /// Who deals.
        dealer: HelperNumber,
        /// Who receives.
        recipient: HelperNumber,
    },
    /// One dealer's sub-shares of an AND.
    And {
        /// Who deals.
        dealer: HelperNumber,
    },
    /// One of the `t` values a set that make up a sharing of zero of degree `2t`.
    Zero {
        /// 1 to `t`: the power of x that it is the coefficient of.
        power: u8,
    },
    /// What masks a product that a king opens.
    KingMask,
    /// What two helpers add and subtract, so that all such values of a row add up to zero.
    PairZero {
        /// Who adds it.
        adds: HelperNumber,
        /// Who subtracts it.
        subtracts: HelperNumber,
    },
    /// What masks an AND that a king opens.
    AndMask,
}

impl Draw {
    /// 11 bytes that no other draw has: purpose, its two parameters (dealer and recipient; 0 where there is none),
    /// instruction, sub-draw; numbers little-endian.
    pub fn encode(&self) -> [u8; 11] {
        let (code, first, second) = match self.purpose {
            Purpose::Coin => (1, 0, 0),
            Purpose::DegreeMask => (2, 0, 0),
            Purpose::Random => (3, 0, 0),
            Purpose::Reshare { dealer, recipient } => (4, dealer, recipient),
            Purpose::And { dealer } => (5, dealer, 0),
            Purpose::Zero { power } => (6, power, 0),
            Purpose::KingMask => (7, 0, 0),
            Purpose::PairZero { adds, subtracts } => (8, adds, subtracts),
            Purpose::AndMask => (9, 0, 0),
        };
        let mut bytes = [0; 11];
        bytes[..3].copy_from_slice(&[code, first, second]);
        bytes[3..7].copy_from_slice(&self.instruction.to_le_bytes());
        bytes[7..].copy_from_slice(&self.sub.to_le_bytes());
        bytes
    }
}
