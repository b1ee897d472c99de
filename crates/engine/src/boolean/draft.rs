//! Drafts: Boolean programs while they are being written.
//!
//! A draft is a directed graph of single bits: inputs, constants, XOR and AND. Gadgets write into it; constants
//! fold and equal gates are written once, so that a comparison with a public constant costs only the gates that
//! the constant leaves. Which words the bits stand for, how they are shared and when an AND needs a message is not
//! known here.

use std::collections::HashMap;

use super::Program;

/// One bit of a draft, a name only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bit(pub(super) u32);

/// What a bit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Node {
    Constant(bool),
    Secret(u32),
    Public(u32),
    Xor(Bit, Bit),
    And(Bit, Bit),
}

/// A Boolean program while it is being written.
#[derive(Debug)]
pub struct Draft {
    pub(super) nodes: Vec<Node>,
    /// Whether all helpers know the bit.
    pub(super) is_public: Vec<bool>,
    /// Looked up, never iterated: its order does not matter.
    known: HashMap<Node, Bit>,
    pub(super) secrets: u32,
    pub(super) publics: u32,
}

impl Default for Draft {
    fn default() -> Self {
        Self::new()
    }
}

impl Draft {
    /// The constant 0.
    pub const ZERO: Bit = Bit(0);
    /// The constant 1.
    pub const ONE: Bit = Bit(1);

    /// A draft without inputs.
    pub fn new() -> Self {
        Draft {
            nodes: vec![Node::Constant(false), Node::Constant(true)],
            is_public: vec![true; 2],
            known: HashMap::new(),
            secrets: 0,
            publics: 0,
        }
    }

    /// The next secret input.
    pub fn secret(&mut self) -> Bit {
        self.secrets += 1;
        self.push(Node::Secret(self.secrets - 1), false)
    }

    /// The next `width` secret inputs, the lowest bit of a number first.
    pub fn secret_number(&mut self, width: u32) -> Vec<Bit> {
        (0..width).map(|_| self.secret()).collect()
    }

    /// The next input that all helpers know.
    pub fn public(&mut self) -> Bit {
        self.publics += 1;
        self.push(Node::Public(self.publics - 1), true)
    }

    /// The next `width` inputs that all helpers know, the lowest bit of a number first.
    pub fn public_number(&mut self, width: u32) -> Vec<Bit> {
        (0..width).map(|_| self.public()).collect()
    }

    /// A constant.
    pub fn constant(value: bool) -> Bit {
        if value { Self::ONE } else { Self::ZERO }
    }

    /// `a xor b`: local.
    pub fn xor(&mut self, a: Bit, b: Bit) -> Bit {
        let (a, b) = (a.min(b), a.max(b));
        if a == b {
            return Self::ZERO;
        }
        if a == Self::ZERO {
            return b;
        }
        match (a, self.nodes[b.0 as usize]) {
            (Self::ONE, Node::Constant(_)) => Self::ZERO,
            (Self::ONE, Node::Xor(Self::ONE, inner)) => inner,
            _ => self.gate(Node::Xor(a, b), a, b),
        }
    }

    /// `not a`: local.
    pub fn not(&mut self, a: Bit) -> Bit {
        self.xor(a, Self::ONE)
    }

    /// `a and b`: a message where both are secret.
    pub fn and(&mut self, a: Bit, b: Bit) -> Bit {
        let (a, b) = (a.min(b), a.max(b));
        match (a, b) {
            (Self::ZERO, _) => Self::ZERO,
            (Self::ONE, _) => b,
            _ if a == b => a,
            _ => self.and_like_a_known_one(a, b).unwrap_or_else(|| self.gate(Node::And(a, b), a, b)),
        }
    }

    /// `a and b` from an AND of the same bits, one or both of them negated: `a b = a xor a (not b)`.
    ///
    /// A comparison needs `x y` and `x (not y)` of neighbouring bits: one message instead of two.
    fn and_like_a_known_one(&mut self, a: Bit, b: Bit) -> Option<Bit> {
        let (not_a, not_b) = (self.negation(a), self.negation(b));
        let known = |a: Option<Bit>, b: Option<Bit>| {
            let (a, b) = (a?, b?);
            self.known.get(&Node::And(a.min(b), a.max(b))).copied()
        };
        if let Some(product) = known(Some(a), not_b) {
            return Some(self.xor(a, product));
        }
        if let Some(product) = known(not_a, Some(b)) {
            return Some(self.xor(b, product));
        }
        // (not a)(not b) = 1 xor a xor b xor ab
        let product = known(not_a, not_b)?;
        let either = self.xor(a, b);
        let even = self.not(either);
        Some(self.xor(even, product))
    }

    /// The bit that is the negation of this one, if there is one yet.
    fn negation(&self, bit: Bit) -> Option<Bit> {
        match self.nodes[bit.0 as usize] {
            Node::Xor(Self::ONE, inner) => Some(inner),
            _ => self.known.get(&Node::Xor(Self::ONE, bit)).copied(),
        }
    }

    /// `a or b`, as `not (not a and not b)`.
    pub fn or(&mut self, a: Bit, b: Bit) -> Bit {
        let (a, b) = (self.not(a), self.not(b));
        let neither = self.and(a, b);
        self.not(neither)
    }

    /// `if condition { yes } else { no }`: one AND.
    pub fn select(&mut self, condition: Bit, yes: Bit, no: Bit) -> Bit {
        let change = self.xor(yes, no);
        let change = self.and(condition, change);
        self.xor(no, change)
    }

    /// Whether at least two of the three bits are 1: one AND, `((a xor c) and (b xor c)) xor c`.
    ///
    /// A public bit should come as `c`: then the one AND that needs a message is of `a` and `b`.
    pub fn majority(&mut self, a: Bit, b: Bit, c: Bit) -> Bit {
        if self.is_public(c) {
            // ab xor c(a xor b): the second product is local.
            let (both, either) = (self.and(a, b), self.xor(a, b));
            let with_c = self.and(either, c);
            return self.xor(both, with_c);
        }
        let (left, right) = (self.xor(a, c), self.xor(b, c));
        let differ = self.and(left, right);
        self.xor(differ, c)
    }

    /// The program that computes `outputs` and nothing that they do not need.
    pub fn finish(self, outputs: &[Bit]) -> Program {
        super::lower::lower(&self, outputs)
    }

    /// Whether all helpers know the bit.
    pub(super) fn is_public(&self, bit: Bit) -> bool {
        self.is_public[bit.0 as usize]
    }

    fn gate(&mut self, node: Node, a: Bit, b: Bit) -> Bit {
        if let Some(&bit) = self.known.get(&node) {
            return bit;
        }
        let is_public = self.is_public(a) && self.is_public(b);
        let bit = self.push(node, is_public);
        self.known.insert(node, bit);
        bit
    }

    fn push(&mut self, node: Node, is_public: bool) -> Bit {
        #[expect(clippy::expect_used, reason = "a program of four billion gates would not fit the memory")]
        let bit = Bit(u32::try_from(self.nodes.len()).expect("fewer than 2^32 gates"));
        self.nodes.push(node);
        self.is_public.push(is_public);
        bit
    }
}
