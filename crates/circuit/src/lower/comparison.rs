//! Comparisons with zero, brought to two: whether an integer is below a bound, and whether it is a number.
//!
//! Whatever divides all of a difference of integers is divided out first: `10*x - 7505 > 0` is `x > 750.5`, which is
//! `not x < 751`.

use quorate_field::Integer;

use crate::check::polynomial::Polynomial;
use crate::interval::Interval;
use crate::syntax::Comparison;
use quorate_field::quantity::gcd;

/// A comparison of an integer with zero.
pub(super) enum Comparing {
    /// It always gives this.
    Known(bool),
    /// It gives what is asked.
    Asked(Box<Asked>),
}

/// What `question` asks of `value`, or the opposite.
pub(super) struct Asked {
    /// What is compared, in its smallest integers.
    pub(super) value: Polynomial,
    /// All it can be.
    pub(super) interval: Interval,
    pub(super) question: Question,
    pub(super) is_negated: bool,
}

/// What is asked of an integer; neither answer is known before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Question {
    Below(Integer),
    Equal(Integer),
}

impl Comparing {
    /// `difference` compared with zero. `interval` gives all that a polynomial can be, `known` all that the difference
    /// can, where more is known of it. `None` beyond 512 bits.
    pub(super) fn new(
        comparison: Comparison,
        difference: &Polynomial,
        interval: &dyn Fn(&Polynomial) -> Option<Interval>,
        known: Option<Interval>,
    ) -> Option<Self> {
        let scaled = Scaled::new(difference)?;
        let mut all = interval(&scaled.value)?;
        if let Some(known) = known {
            let known = scaled.interval(&known)?;
            all = Interval { min: all.min.max(known.min), max: all.max.min(known.max) };
        }
        let comparison = if scaled.is_negative { flipped(comparison) } else { comparison };
        let (floor, rest) = scaled.against.div_rem(&scaled.divisor)?;
        let is_whole = rest == Integer::ZERO;
        let above = floor.checked_add(&Integer::ONE)?;
        let at_least = if is_whole { floor } else { above };
        let (question, is_negated) = match comparison {
            Comparison::Less => (Question::Below(at_least), false),
            Comparison::LessOrEqual => (Question::Below(above), false),
            Comparison::Greater => (Question::Below(above), true),
            Comparison::GreaterOrEqual => (Question::Below(at_least), true),
            Comparison::Equal | Comparison::NotEqual if !is_whole => {
                return Some(Comparing::Known(comparison == Comparison::NotEqual));
            }
            Comparison::Equal => (Question::Equal(floor), false),
            Comparison::NotEqual => (Question::Equal(floor), true),
        };
        Some(match question.answer(&all) {
            Some(answer) => Comparing::Known(answer != is_negated),
            None => {
                let value = scaled.value;
                Comparing::Asked(Box::new(Asked { value, interval: all, question, is_negated }))
            }
        })
    }
}

impl Question {
    /// The answer, if it is the same for all of an interval.
    fn answer(self, interval: &Interval) -> Option<bool> {
        match self {
            Question::Below(bound) if interval.max < bound => Some(true),
            Question::Below(bound) if interval.min >= bound => Some(false),
            Question::Equal(number) if !interval.contains(&number) => Some(false),
            Question::Equal(_) if interval.min == interval.max => Some(true),
            _ => None,
        }
    }
}

/// `difference = sign * (divisor * value - against)`.
struct Scaled {
    value: Polynomial,
    against: Integer,
    divisor: Integer,
    is_negative: bool,
}

impl Scaled {
    fn new(difference: &Polynomial) -> Option<Self> {
        let (secret, constant) = (difference.secret(), difference.constant());
        let is_negative = secret.is_negative();
        let signed = |integer: Integer| if is_negative { Some(integer) } else { integer.checked_neg() };
        let content = secret.content().map(|(content, _)| content);
        if let (Some(divisor), [] | [_]) = (content, constant.0.as_slice()) {
            let against = signed(constant.0.first().copied().unwrap_or(Integer::ZERO))?;
            let by = if is_negative { divisor.checked_neg()? } else { divisor };
            return Some(Scaled { value: secret.divided(&by, 0), against, divisor, is_negative });
        }
        // What depends on the number of rows cannot be on the other side.
        let divisor = [content, constant.content()].into_iter().flatten().reduce(gcd).unwrap_or(Integer::ONE);
        let by = if is_negative { divisor.checked_neg()? } else { divisor };
        let value = difference.divided(&by, 0);
        Some(Scaled { value, against: Integer::ZERO, divisor, is_negative })
    }

    /// All that the value can be, given all that the difference can.
    fn interval(&self, difference: &Interval) -> Option<Interval> {
        let signed = if self.is_negative { difference.checked_neg()? } else { *difference };
        let shifted = signed.checked_add(&Interval::point(self.against))?;
        let (floor, _) = shifted.max.div_rem(&self.divisor)?;
        let (below, rest) = shifted.min.div_rem(&self.divisor)?;
        let min = if rest == Integer::ZERO { below } else { below.checked_add(&Integer::ONE)? };
        // Known of values that there are, so it is not empty; whatever comes of a contradiction is a point.
        Some(Interval { min: min.min(floor), max: floor })
    }
}

/// The comparison of two negatives.
pub(super) fn flipped(comparison: Comparison) -> Comparison {
    match comparison {
        Comparison::Less => Comparison::Greater,
        Comparison::LessOrEqual => Comparison::GreaterOrEqual,
        Comparison::Greater => Comparison::Less,
        Comparison::GreaterOrEqual => Comparison::LessOrEqual,
        Comparison::Equal | Comparison::NotEqual => comparison,
    }
}
