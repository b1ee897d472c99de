//! Plan: the parameters of one simulation, all from its seed.

use quorate_circuit::{Bits, Column, Domain, Proportion, Sharing, SharingKind};
use quorate_coordinator::Timing;
use quorate_field::{FieldId, Integer};
use quorate_privacy::Budget;
use quorate_sharing::{Scheme, SchemeKind};

use crate::chance::Chance;
use crate::lie::Lie;

/// What one simulation is like.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The scheme; its helpers are the federation.
    pub(crate) scheme: Scheme,
    /// The study's field.
    pub(crate) field: FieldId,
    /// What a seal makes of bits.
    pub(crate) bits: Bits,
    /// The study's columns as they are stored.
    pub(crate) columns: Vec<Column>,
    /// Most rows of a contribution.
    pub(crate) rows_max: u32,
    /// Fewest contributions to compute on.
    pub(crate) min_cohort: u64,
    /// What a seal may leave out.
    pub(crate) excluded_max: Proportion,
    /// The helpers' deadlines.
    pub(crate) timing: Timing,
    /// What goes wrong.
    pub(crate) faults: Faults,
    /// Nothing goes wrong any more from here on.
    pub(crate) calm_ms: u64,
    /// When the owner first seals.
    pub(crate) seal_ms: u64,
    /// At most `t` helpers that lie, and how.
    pub(crate) liars: Vec<(u8, Lie)>,
    /// Uploads, honest and other.
    pub(crate) uploads: u64,
    /// Uploads out of a thousand that are bad.
    pub(crate) bad: u64,
    /// Uploads out of a thousand that are given up half-way.
    pub(crate) given_up: u64,
    /// Circuits that each analyst runs.
    pub(crate) circuits: u64,
    /// Analysts.
    pub(crate) analysts: usize,
    /// Fewest rows that a result is of.
    pub(crate) min_group: u64,
    /// What all answers together may cost.
    pub(crate) privacy: Option<Budget>,
    /// Whether helpers answer before they know that what they wrote is durable: a mistake that must be found.
    pub(crate) is_hasty: bool,
}

/// Rates out of a thousand, unless said otherwise.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Faults {
    /// Frames and requests lost.
    pub(crate) lost: u64,
    /// Frames and requests delivered twice.
    pub(crate) doubled: u64,
    /// Frames and requests that take up to three seconds.
    pub(crate) late: u64,
    /// Crashes at random moments, in all.
    pub(crate) crashes: u64,
    /// Commits that a crash interrupts.
    pub(crate) torn: u64,
    /// Commits in which the disk fails.
    pub(crate) failing: u64,
    /// Commits that take up to two seconds.
    pub(crate) slow: u64,
    /// Partitions of the helpers, in all.
    pub(crate) partitions: u64,
    /// Clean stops, in all.
    pub(crate) stops: u64,
    /// Faults at the worst moments: a helper that signed is not heard, one that sealed crashes.
    pub(crate) aimed: u64,
}

/// The usual ones; one with helpers to spare; two with no redundancy and no degree check.
const SHAMIR: [(u8, u8); 8] = [(3, 1), (4, 1), (5, 2), (6, 2), (7, 3), (6, 1), (3, 2), (2, 1)];

impl Plan {
    /// The plan of a seed.
    pub(crate) fn new(seed: u64) -> Plan {
        let chance = &mut Chance::new(seed, "plan", 0);
        let scheme = scheme(chance);
        let field = chance.pick(&[FieldId::F61, FieldId::F61, FieldId::F127, FieldId::F256]);
        let width = chance.between(1, 4);
        let calm_ms = chance.between(6_000, 20_000);
        let columns = Column::stored((0..width).map(|number| column(number, field, chance)));
        let plan = Plan {
            bits: bits(&scheme, field, &columns, chance),
            columns,
            field,
            rows_max: chance.pick(&[1, 1, 2, 4]),
            min_cohort: chance.pick(&[1, 1, 3, 8]),
            excluded_max: proportion(chance.pick(&["0", "0.1", "0.3", "0.6", "1"])),
            timing: timing(chance),
            faults: faults(chance),
            seal_ms: calm_ms * chance.between(20, 110) / 100,
            calm_ms,
            liars: liars(&scheme, chance),
            uploads: chance.between(4, 20),
            bad: chance.pick(&[0, 50, 150]),
            given_up: chance.pick(&[0, 50, 150]),
            circuits: chance.between(1, 3),
            analysts: 1,
            min_group: 1,
            privacy: None,
            is_hasty: false,
            scheme,
        };
        plan.with_groups(&mut Chance::new(seed, "groups", 0))
            .with_norm(&mut Chance::new(seed, "norm", 0))
            .with_budget(&mut Chance::new(seed, "budget", 0))
    }

    /// Where helpers are honest, at times a study with a budget, and two analysts.
    fn with_budget(self, chance: &mut Chance) -> Self {
        let is_small = u64::from(self.scheme.helpers()) <= 3 * u64::from(self.scheme.threshold()) + 1;
        let is_plain = self.min_group == 1 && !self.checks_norms() && self.liars.is_empty();
        if !is_small || !is_plain || !chance.hit(250) {
            return self;
        }
        let whole = |text: &str| text.parse().ok();
        let budget = match chance.hit(500) {
            true => Budget::of(whole("1"), None, None),
            false => Budget::of(None, whole("2"), None),
        };
        Plan {
            privacy: budget.ok(),
            circuits: chance.between(1, 3),
            analysts: 2,
            // Early, so that helpers crash while they charge.
            seal_ms: self.calm_ms * chance.between(10, 40) / 100,
            faults: Faults { aimed: chance.between(100, 600), ..self.faults },
            ..self
        }
    }

    /// Where helpers can check norms, at times a study of vectors that bounds them.
    fn with_norm(self, chance: &mut Chance) -> Self {
        let can_check = self.scheme.has_prss() && self.field != FieldId::F256 && self.min_group == 1;
        if !can_check || !chance.hit(80) {
            return self;
        }
        let length = chance.pick(&[1, 3, 40]);
        let (min, max, norm) = (Integer::from(-1_000_i64), Integer::from(1_000_u64), Integer::from(900_u64));
        let vectors = Domain::Vector { length, min, max, decimals: 1, norm: Some(norm) };
        let beside = Domain::Number { min: Integer::ZERO, max, decimals: 0 };
        let columns = vec![Column::new("c0", beside), Column::new("c1", vectors)];
        Plan { bits: Bits::None, columns, bad: chance.pick(&[50, 150, 300]), ..self }
    }

    /// Where honest helpers can judge groups, the same at times with a smallest group, and two analysts.
    fn with_groups(self, chance: &mut Chance) -> Self {
        let scheme = &self.scheme;
        let is_small = u64::from(scheme.helpers()) <= 3 * u64::from(scheme.threshold()) + 1;
        let can_judge = scheme.has_prss() && is_small && self.field != FieldId::F256 && self.liars.is_empty();
        if !can_judge || !chance.hit(250) {
            return self;
        }
        let column = |number: u64| {
            let (min, max) = (Integer::ZERO, Integer::from(9_u64));
            let (name, domain) = (format!("c{number}"), Domain::Number { min, max, decimals: 0 });
            if chance.hit(250) { Column::optional(name, domain) } else { Column::new(name, domain) }
        };
        let columns = Column::stored((0..2).map(column));
        Plan {
            bits: bits(scheme, self.field, &columns, chance),
            columns,
            circuits: chance.between(1, 2),
            analysts: 2,
            // Early, so that what was asked is remembered while helpers still crash.
            seal_ms: self.calm_ms * chance.between(10, 40) / 100,
            faults: Faults { aimed: chance.between(100, 600), ..self.faults },
            min_group: chance.between(2, 4),
            ..self
        }
    }

    /// Whether a seal checks norms.
    pub(crate) fn checks_norms(&self) -> bool {
        self.columns.iter().any(|column| column.norm().is_some())
    }

    /// Helpers without whom the study cannot be sealed.
    pub(crate) fn needed_to_seal(&self) -> usize {
        self.scheme.seal_quorum()
    }

    /// Whether this helper lies.
    pub(crate) fn is_liar(&self, helper: u8) -> bool {
        self.liars.iter().any(|(liar, _)| *liar == helper)
    }
}

#[expect(clippy::expect_used, reason = "the schemes listed here exist")]
fn scheme(chance: &mut Chance) -> Scheme {
    if chance.hit(150) {
        let helpers = chance.pick(&[2, 3, 4]);
        return Scheme::additive(helpers).expect("additive schemes of 2 to 4 helpers exist");
    }
    let usual = !chance.hit(180);
    let (helpers, threshold) = if usual { chance.pick(&SHAMIR[..5]) } else { chance.pick(&SHAMIR[5..]) };
    Scheme::shamir(helpers, threshold).expect("the schemes listed exist")
}

/// One of those that the helpers can do.
fn bits(scheme: &Scheme, field: FieldId, columns: &[Column], chance: &mut Chance) -> Bits {
    let kind = match scheme.kind() {
        SchemeKind::Shamir => SharingKind::Shamir,
        SchemeKind::Additive => SharingKind::Additive,
    };
    let sharing = Sharing { kind, helpers: scheme.helpers(), threshold: scheme.threshold() };
    match Bits::best_for(&sharing, field, columns) {
        Bits::None => Bits::None,
        _ => chance.pick(&[Bits::Sealed, Bits::Sealed, Bits::OnDemand, Bits::None]),
    }
}

fn column(number: u64, field: FieldId, chance: &mut Chance) -> Column {
    let widest = match field {
        FieldId::F61 => 1_000_000,
        FieldId::F127 => 10_i128.pow(24),
        FieldId::F256 => 10_i128.pow(30),
    };
    let width = i128::from(chance.between(1, 1_000_000)) * widest / 1_000_000;
    let min = i128::from(chance.between(0, 2_000)) - 1_000;
    let (min, max) = (Integer::from(min), Integer::from(min + width.max(1)));
    let decimals = chance.pick(&[0, 0, 1, 2]);
    let name = format!("c{number}");
    // Studies with vectors have no bits: few are enough.
    if chance.hit(40) {
        let length = chance.pick(&[1, 2, 5, 40]);
        return Column::new(name, Domain::Vector { length, min, max, decimals, norm: None });
    }
    let domain = Domain::Number { min, max, decimals };
    if chance.hit(250) { Column::optional(name, domain) } else { Column::new(name, domain) }
}

#[expect(clippy::expect_used, reason = "the proportions listed here are such")]
fn proportion(text: &str) -> Proportion {
    Proportion::parse(text).expect("a proportion")
}

fn timing(chance: &mut Chance) -> Timing {
    if chance.hit(100) {
        return Timing::default();
    }
    Timing {
        resend_ms: chance.between(100, 500),
        stall_ms: chance.between(1_500, 4_000),
        linger_ms: chance.between(2_000, 12_000),
    }
}

fn faults(chance: &mut Chance) -> Faults {
    let harshness = chance.pick(&[0, 1, 1, 2, 2, 3]);
    let mut rate = |most: u64| if harshness == 0 { 0 } else { chance.between(0, most * harshness / 3) };
    Faults {
        lost: rate(200),
        doubled: rate(200),
        late: rate(150),
        crashes: rate(6),
        torn: rate(60),
        failing: rate(40),
        slow: rate(80),
        partitions: rate(4),
        stops: rate(2),
        aimed: rate(250),
    }
}

fn liars(scheme: &Scheme, chance: &mut Chance) -> Vec<(u8, Lie)> {
    if !chance.hit(350) {
        return Vec::new();
    }
    let most = u64::from(scheme.threshold()).min(u64::from(scheme.helpers()) - 1);
    let count = chance.between(1, most);
    let mut numbers: Vec<u8> = scheme.numbers().collect();
    let liar = |_| (numbers.remove(chance.index(numbers.len())), chance.pick(&Lie::ALL));
    let mut liars: Vec<(u8, Lie)> = (0..count).map(liar).collect();
    liars.sort_unstable_by_key(|(number, _)| *number);
    liars
}
