//! Sharing schemes as arguments, and what each can lose: `5:2`, `additive:3`.

use std::fmt;
use std::str::FromStr;

use quorate_circuit::{Sharing, SharingKind};
use serde::Serialize;

/// A sharing scheme in the words of an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SchemeArgument(pub(super) Sharing);

/// How many helpers may go wrong in which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Faults {
    /// May be away after the seal, with an answer left.
    pub(super) crash: u8,
    /// May put together what they hold and learn nothing.
    pub(super) collude: u8,
    /// May send wrong result shares, and it is noticed, whatever they send.
    pub(super) lie_noticed: u8,
    /// May send wrong result shares, and they are corrected.
    pub(super) lie_corrected: u8,
}

impl FromStr for SchemeArgument {
    type Err = String;

    fn from_str(given: &str) -> Result<Self, String> {
        let expected = || "expected N:T as in 5:2, or additive:N".to_owned();
        let (first, second) = given.split_once(':').ok_or_else(expected)?;
        let number = |text: &str| text.parse::<u8>().map_err(|_| expected());
        let sharing = match first {
            "additive" => {
                let helpers = number(second)?;
                Sharing { kind: SharingKind::Additive, helpers, threshold: helpers.saturating_sub(1) }
            }
            _ => {
                let (helpers, threshold) = (number(first)?, number(second)?);
                Sharing { kind: SharingKind::Shamir, helpers, threshold }
            }
        };
        sharing.check().map(|()| SchemeArgument(sharing)).map_err(|expected| format!("expected {expected}"))
    }
}

impl fmt::Display for SchemeArgument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Sharing { kind, helpers, threshold } = self.0;
        match kind {
            SharingKind::Additive => write!(f, "additive {helpers}"),
            SharingKind::Shamir => write!(f, "({helpers}, {threshold})"),
        }
    }
}

impl Faults {
    /// Of a circuit under this sharing. While helpers compute together, nothing notices a lie.
    pub(super) fn of(sharing: &Sharing, is_linear: bool) -> Faults {
        let Sharing { kind, helpers: n, threshold: t } = *sharing;
        let none = Faults { crash: 0, collude: t, lie_noticed: 0, lie_corrected: 0 };
        match (kind, is_linear) {
            (SharingKind::Additive, _) => none,
            (SharingKind::Shamir, false) => Faults { crash: n.saturating_sub(2 * t + 1), ..none },
            (SharingKind::Shamir, true) => {
                let spare = n.saturating_sub(t + 1);
                let is_decoded = u16::from(n) > 3 * u16::from(t);
                let lie_corrected = if is_decoded { spare / 2 } else { 0 };
                // What is near enough to be corrected is not far enough to be noticed.
                Faults { crash: spare, lie_noticed: spare - lie_corrected, lie_corrected, ..none }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemes_are_read_and_written() {
        for (given, shown) in [("3:1", "(3, 1)"), ("31:10", "(31, 10)"), ("additive:5", "additive 5")] {
            assert_eq!(given.parse::<SchemeArgument>().unwrap().to_string(), shown);
        }
        for wrong in ["3", "3:3", "3:0", "additive:1", "additive", "65:1", "3:1:1", "shamir:3", "300:1"] {
            assert!(wrong.parse::<SchemeArgument>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_may_go_wrong_is_what_recombination_says() {
        let of = |given: &str, is_linear| {
            let SchemeArgument(sharing) = given.parse().unwrap();
            let Faults { crash, collude, lie_noticed, lie_corrected } = Faults::of(&sharing, is_linear);
            [crash, collude, lie_noticed, lie_corrected]
        };
        assert_eq!(of("3:1", true), [1, 1, 1, 0]);
        assert_eq!(of("4:1", true), [2, 1, 1, 1]);
        assert_eq!(of("5:1", true), [3, 1, 2, 1]);
        assert_eq!(of("5:2", true), [2, 2, 2, 0]);
        assert_eq!(of("7:2", true), [4, 2, 2, 2]);
        assert_eq!(of("5:2", false), [0, 2, 0, 0]);
        assert_eq!(of("6:2", false), [1, 2, 0, 0]);
        assert_eq!(of("additive:3", true), [0, 2, 0, 0]);
    }
}
