//! Ways to draw wrongly, each of which must show in what workers see.

use quorate_sharing::prss::{Draw, KeyName, Purpose};

pub(super) fn honest(key: KeyName, draw: Draw) -> Option<(KeyName, Draw)> {
    Some((key, draw))
}

pub(super) fn without_direction(key: KeyName, mut draw: Draw) -> Option<(KeyName, Draw)> {
    if let Purpose::Reshare { dealer, recipient } = draw.purpose {
        let (dealer, recipient) = (dealer.min(recipient), dealer.max(recipient));
        draw.purpose = Purpose::Reshare { dealer, recipient };
    }
    Some((key, draw))
}

/// One key for the whole session, and a draw that names no dealer.
pub(super) fn without_dealer(_: KeyName, mut draw: Draw) -> Option<(KeyName, Draw)> {
    draw.purpose = Purpose::Reshare { dealer: 0, recipient: 0 };
    Some((KeyName::Pair(0, 0), draw))
}

pub(super) fn without_zero(key: KeyName, draw: Draw) -> Option<(KeyName, Draw)> {
    let is_zero = matches!(draw.purpose, Purpose::PairZero { .. } | Purpose::Zero { .. });
    (!is_zero).then_some((key, draw))
}

/// The same value for every power: a zero sharing of too few dimensions for `t >= 2`.
pub(super) fn with_one_power(key: KeyName, mut draw: Draw) -> Option<(KeyName, Draw)> {
    if let Purpose::Zero { power } = &mut draw.purpose {
        *power = 1;
    }
    Some((key, draw))
}

pub(super) fn without_mask(key: KeyName, draw: Draw) -> Option<(KeyName, Draw)> {
    (!matches!(draw.purpose, Purpose::KingMask | Purpose::Random)).then_some((key, draw))
}
