//! Samplers: exact draws of one helper's parts of noise, by integers alone.
//!
//! All randomness is read as 64-bit words of the generator passed in ([`rand_core::Rng::next_u64`]); how, section 10 of
//! `docs/protocols.md` says, so that the same seed gives the same draws in every implementation. A draw takes a time that depends on what
//! is drawn: whoever sends something made of one must not send it at once.

mod coins;
mod gaussian;
mod natural;
mod polya;

use std::fmt;

use quorate_field::Integer;
use quorate_field::quantity::Quantity;
use rand_core::CryptoRng;

use coins::{Coins, Ratio};
use gaussian::Gaussian;
use natural::Natural;
pub(crate) use natural::power_of_two;

/// Bits of the largest numerator and denominator of a scale: with the longest run of coins they stay within 512.
const SCALE_BITS_MAX: u32 = <Integer as Natural>::BITS - 20;

/// What draws one helper's parts of some noise.
#[derive(Clone)]
pub struct Sampler(Width);

#[derive(Clone)]
enum Width {
    Narrow(Parameters<u128>),
    Wide(Parameters<Integer>),
}

#[derive(Clone, Copy)]
enum Parameters<N> {
    Gaussian(Gaussian<N>),
    /// The difference of two Polya variables for `x`, of which `m` add up to the noise.
    Laplace {
        x: Ratio<N>,
        m: u32,
    },
}

/// Coins of a generator.
struct Words<'a, R: ?Sized>(&'a mut R);

impl<R: CryptoRng + ?Sized> Coins for Words<'_, R> {
    fn word(&mut self) -> u64 {
        self.0.next_u64()
    }
}

impl Sampler {
    /// Of the discrete Gaussian with this variance. `None` unless it is at least 1 and within range.
    pub(crate) fn gaussian(variance: &Quantity) -> Option<Sampler> {
        let wide = Gaussian::new(variance).filter(|_| variance.numerator() >= variance.denominator())?;
        Some(Sampler(match wide.narrow() {
            Some(narrow) => Width::Narrow(Parameters::Gaussian(narrow)),
            None => Width::Wide(Parameters::Gaussian(wide)),
        }))
    }

    /// Of one of `m` parts of the discrete Laplace distribution with this scale. `None` unless both are positive and within range.
    pub(crate) fn laplace(scale: &Quantity, m: u32) -> Option<Sampler> {
        let (above, below) = (scale.denominator(), scale.numerator());
        let bits = above.bits().max(below.bits());
        if m == 0 || Quantity::ZERO.checked_cmp(scale)?.is_ge() || bits > SCALE_BITS_MAX {
            return None;
        }
        let narrow = || Some(Ratio { above: u128::of(&above)?, below: u128::of(&below)? });
        Some(Sampler(match narrow().filter(|_| bits + 20 <= <u128 as Natural>::BITS) {
            Some(x) => Width::Narrow(Parameters::Laplace { x, m }),
            None => Width::Wide(Parameters::Laplace { x: Ratio { above, below }, m }),
        }))
    }

    /// One part of the noise of one number. It is a secret: of whoever knows all parts, nothing is hidden.
    pub fn draw(&self, rng: &mut (impl CryptoRng + ?Sized)) -> Integer {
        self.draw_by(&mut Words(rng))
    }

    fn draw_by(&self, coins: &mut impl Coins) -> Integer {
        match &self.0 {
            Width::Narrow(parameters) => draw(parameters, coins),
            Width::Wide(parameters) => draw(parameters, coins),
        }
    }
}

/// Its parameters are public, and it keeps nothing of what it drew.
impl fmt::Debug for Sampler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, width) = match &self.0 {
            Width::Narrow(parameters) => (parameters.kind(), "words"),
            Width::Wide(parameters) => (parameters.kind(), "512 bits"),
        };
        write!(f, "Sampler({kind} in {width})")
    }
}

impl<N> Parameters<N> {
    fn kind(&self) -> &'static str {
        match self {
            Parameters::Gaussian(_) => "Gaussian",
            Parameters::Laplace { .. } => "Laplace",
        }
    }
}

fn draw<N: Natural>(parameters: &Parameters<N>, coins: &mut impl Coins) -> Integer {
    let (is_negative, magnitude) = match parameters {
        Parameters::Gaussian(gaussian) => gaussian::draw(coins, gaussian),
        Parameters::Laplace { x, m } => {
            let (plus, minus) = (polya::draw(coins, *x, *m), polya::draw(coins, *x, *m));
            (plus < minus, plus.distance(minus))
        }
    };
    let magnitude = magnitude.integer();
    if is_negative { magnitude.checked_neg().unwrap_or(magnitude) } else { magnitude }
}

/// Uniform below `2^510`: in place of noise that no sampler can draw, it hides everything.
pub(crate) fn draw_anything(rng: &mut (impl CryptoRng + ?Sized)) -> Integer {
    Integer::read(<Integer as Natural>::BITS, || rng.next_u64())
}

#[cfg(test)]
mod tests;
