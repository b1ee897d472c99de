//! Strength: how likely a graph is to fail, or to betray somebody; and the smallest graph that does neither.
//!
//! Of `n` clients, `C` are corrupt and work with the server, and `D` vanish; both sets are fixed before the graph is drawn.
//! Of a client's `k` holders, `X` are corrupt and `Y` vanish, both hypergeometric among `n - 1` others. Union bounds:
//!
//! ```text
//! betrayed    n P[X >= t]        passive: corrupt holders alone recover a mask key
//!             n P[X >= 2t - k]   active: half of the honest holders is told one thing and half the other
//!             + P[the honest survivors fall into two parts that share no mask]
//! failed      n P[Y >= k - t + 1], too few holders of one client are left
//! ```
//!
//! A ring falls apart only where two runs of `k/2` neighbours are all corrupt or vanished: at most
//! `n^2/2 prod_{i<k} (C+D-i)/(n-i)`. In an active round `m = n - C - D` honest survivors have each chosen `k` holders; a part
//! of `s` of them is cut off if no one on either side chose across: `sum_{s<=m/2} C(m,s) a^s b^(m-s)` with
//! `a = C(n-1-m+s, k)/C(n-1, k)` and `b = C(n-1-s, k)/C(n-1, k)`.
//!
//! After Bell et al., CCS 2020, section 3.3 and theorem 3.10; the thresholds of Bonawitz et al., CCS 2017, are the complete
//! graph's. What a server wins that chooses who vanishes *after* it has seen the graph is not in these figures; what
//! holds even then is that no honest client is unmasked with fewer than `t - X` honest others.

use statrs::function::factorial::ln_factorial;

use crate::{Round, Terms, Variant};

/// What is asked of a round.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Demand {
    /// Share of the clients that may vanish, from 0 to below 1.
    pub dropouts: f64,
    /// Share of the clients that may work with the server, from 0 to below 1.
    pub corrupt: f64,
    /// Somebody is betrayed with a probability of at most `2^-sigma`.
    pub sigma: f64,
    /// The round fails with a probability of at most `2^-eta`, if no more than those vanish.
    pub eta: f64,
}

/// What a graph reaches, in bits; infinite where nothing is left to chance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Strength {
    /// Somebody is betrayed with a probability of at most `2^-sigma`.
    pub sigma: f64,
    /// The round fails with a probability of at most `2^-eta`.
    pub eta: f64,
}

/// A demand that no graph meets, or that this one does not.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum Infeasible {
    /// Shares that are none.
    #[error(
        "dropouts of {dropouts} and corrupt clients of {corrupt}: both are shares of all clients, from 0 to below 1"
    )]
    Shares {
        /// As asked.
        dropouts: f64,
        /// As asked.
        corrupt: f64,
    },
    /// Not even when everybody is everybody's neighbour.
    #[error(
        "no graph of {clients} clients bears {vanish} that vanish and {corrupt} that are corrupt: {}",
        if *is_active { "corrupt ones and twice those that vanish must be fewer than the others" }
        else { "more than half of the others must stay, and fewer than half be corrupt" }
    )]
    TooMany {
        /// `n`.
        clients: u32,
        /// `D`.
        vanish: u32,
        /// `C`.
        corrupt: u32,
        /// Whether the server may lie.
        is_active: bool,
    },
    /// Some graph would, this one does not.
    #[error(
        "{neighbours} neighbours and a threshold of {threshold} reach sigma {:.1} and eta {:.1}, and {:.0} and {:.0} are asked for",
        reached.sigma, reached.eta, asked.sigma, asked.eta
    )]
    Weak {
        /// `k`.
        neighbours: u32,
        /// `t`.
        threshold: u32,
        /// What it reaches.
        reached: Strength,
        /// What was asked.
        asked: Strength,
    },
}

impl Default for Demand {
    /// One in ten vanishes, one in twenty is corrupt, `2^-40` and `2^-20`.
    fn default() -> Self {
        Demand { dropouts: 0.1, corrupt: 0.05, sigma: 40.0, eta: 20.0 }
    }
}

impl Demand {
    /// What a round reaches, if that is enough.
    pub fn judge(&self, round: &Round) -> Result<Strength, Infeasible> {
        let terms = round.terms();
        let reached = Strength::of(terms, self)?;
        if reached.sigma >= self.sigma && reached.eta >= self.eta {
            return Ok(reached);
        }
        let asked = Strength { sigma: self.sigma, eta: self.eta };
        Err(Infeasible::Weak { neighbours: terms.neighbours, threshold: terms.threshold, reached, asked })
    }

    /// The least number of survivors that it lets a round have.
    pub fn survivors_min(&self, clients: u32) -> u32 {
        clients - share_of(clients, self.dropouts)
    }
}

impl Strength {
    /// What a round with these terms reaches under a demand's dropouts and corrupt clients.
    pub fn of(terms: &Terms, demand: &Demand) -> Result<Self, Infeasible> {
        let clients = u32::try_from(terms.clients.len()).unwrap_or(u32::MAX);
        let crowd = Crowd::new(clients, terms.variant == Variant::Active, demand)?;
        Ok(crowd.strength(terms.neighbours, terms.threshold))
    }
}

/// The smallest number of neighbours that meets a demand, with its threshold and what they reach.
pub fn choose(clients: u32, is_active: bool, demand: &Demand) -> Result<(u32, u32, Strength), Infeasible> {
    let crowd = Crowd::new(clients, is_active, demand)?;
    let enough = |neighbours| crowd.threshold_for(neighbours, demand);
    let complete = clients - 1;
    let Some(mut best) = enough(complete) else {
        return Err(Infeasible::TooMany { clients, vanish: crowd.vanish, corrupt: crowd.corrupt, is_active });
    };
    // Halves of the neighbours: rings have even numbers. More of them are better but for a step of the threshold.
    let (mut too_few, mut many) = (0, complete.div_ceil(2));
    while many - too_few > 1 {
        let half = too_few.midpoint(many);
        match enough(2 * half) {
            Some(found) => (many, best) = (half, found),
            None => too_few = half,
        }
    }
    Ok(best)
}

/// So many of all clients, rounded down (with room for a share that is no binary fraction).
fn share_of(clients: u32, share: f64) -> u32 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share from 0 to 1 of a u32"
    )]
    let count = (f64::from(clients) * share + 1e-9) as u32;
    count
}

/// Clients among whom a graph is drawn. Here and below, what is called `log` is the natural logarithm of what is said.
struct Crowd {
    clients: u32,
    corrupt: u32,
    vanish: u32,
    is_active: bool,
}

impl Crowd {
    fn new(clients: u32, is_active: bool, demand: &Demand) -> Result<Self, Infeasible> {
        let (dropouts, corrupt) = (demand.dropouts, demand.corrupt);
        if !(0.0..1.0).contains(&dropouts) || !(0.0..1.0).contains(&corrupt) {
            return Err(Infeasible::Shares { dropouts, corrupt });
        }
        let (corrupt, vanish) = (share_of(clients, corrupt), share_of(clients, dropouts));
        Ok(Crowd { clients, corrupt, vanish, is_active })
    }

    /// The least threshold with which so many neighbours are enough, if any is.
    fn threshold_for(&self, neighbours: u32, demand: &Demand) -> Option<(u32, u32, Strength)> {
        let apart = self.log_apart(neighbours);
        let (mut low, mut high) = (neighbours / 2, neighbours);
        let sigma = |threshold| self.sigma(neighbours, threshold, apart);
        if sigma(high) < demand.sigma {
            return None;
        }
        while high - low > 1 {
            let middle = low.midpoint(high);
            if sigma(middle) < demand.sigma { low = middle } else { high = middle }
        }
        let reached = Strength { sigma: sigma(high), eta: self.eta(neighbours, high) };
        (reached.eta >= demand.eta).then_some((neighbours, high, reached))
    }

    fn strength(&self, neighbours: u32, threshold: u32) -> Strength {
        let apart = self.log_apart(neighbours);
        Strength { sigma: self.sigma(neighbours, threshold, apart), eta: self.eta(neighbours, threshold) }
    }

    fn sigma(&self, neighbours: u32, threshold: u32, log_apart: f64) -> f64 {
        let corrupt = if self.is_active { (2 * threshold).saturating_sub(neighbours) } else { threshold };
        let exposed = self.log_any(log_tail(self.clients - 1, self.corrupt, neighbours, corrupt));
        bits(log_add(exposed, log_apart))
    }

    fn eta(&self, neighbours: u32, threshold: u32) -> f64 {
        let gone = (neighbours + 1).saturating_sub(threshold);
        bits(self.log_any(log_tail(self.clients - 1, self.vanish, neighbours, gone)))
    }

    /// Any of `n` events of the same probability.
    fn log_any(&self, log: f64) -> f64 {
        log + f64::from(self.clients).ln()
    }

    /// The probability that honest survivors fall into two parts.
    fn log_apart(&self, neighbours: u32) -> f64 {
        let (n, k, others) = (self.clients, neighbours, self.clients - 1);
        if k == others {
            return f64::NEG_INFINITY;
        }
        let bad = self.corrupt + self.vanish;
        if !self.is_active {
            let run = log_choose(bad, k) - log_choose(n, k);
            return run + 2.0 * f64::from(n).ln() - std::f64::consts::LN_2;
        }
        let honest = n.saturating_sub(bad);
        let all = log_choose(others, k);
        let cut = (1..=honest / 2).map(|part| {
            let (part_alone, rest_alone) =
                (log_choose(others + part - honest, k) - all, log_choose(others - part, k) - all);
            let sides = f64::from(part) * part_alone + f64::from(honest - part) * rest_alone;
            log_choose(honest, part) + sides
        });
        cut.fold(f64::NEG_INFINITY, log_add)
    }
}

/// `P[X >= least]`, `X` hypergeometric: `draws` without return from `all` of which `marked` are marked.
fn log_tail(all: u32, marked: u32, draws: u32, least: u32) -> f64 {
    if least == 0 {
        return 0.0;
    }
    let total = log_choose(all, draws);
    let terms = (least..=draws.min(marked))
        .map(|hits| log_choose(marked, hits) + log_choose(all - marked, draws - hits) - total);
    terms.fold(f64::NEG_INFINITY, log_add).min(0.0)
}

/// A binomial coefficient; 0 where there is nothing to choose from.
fn log_choose(all: u32, chosen: u32) -> f64 {
    if chosen > all {
        return f64::NEG_INFINITY;
    }
    ln_factorial(all.into()) - ln_factorial(chosen.into()) - ln_factorial((all - chosen).into())
}

/// The sum of two numbers.
fn log_add(a: f64, b: f64) -> f64 {
    let (low, high) = if a < b { (a, b) } else { (b, a) };
    if low == f64::NEG_INFINITY { high } else { high + (low - high).exp().ln_1p() }
}

/// Bits of a bound on a probability; of one above 1, none.
fn bits(log: f64) -> f64 {
    (-log / std::f64::consts::LN_2).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn demand(dropouts: f64, corrupt: f64) -> Demand {
        Demand { dropouts, corrupt, sigma: 40.0, eta: 20.0 }
    }

    /// Against sums of products of small binomial coefficients.
    #[test]
    fn a_tail_is_the_exact_one() {
        let exact = |all: u64, marked: u64, draws: u64, least: u64| -> f64 {
            let choose = |n: u64, k: u64| {
                if k > n {
                    0.0
                } else {
                    (0..k).fold(1.0, |product, i| product * (n - i) as f64 / (i + 1) as f64)
                }
            };
            let sum: f64 = (least..=draws.min(marked))
                .map(|i| choose(marked, i) * choose(all - marked, draws - i))
                .sum();
            sum / choose(all, draws)
        };
        for (all, marked, draws, least) in [(99, 30, 20, 11), (50, 5, 10, 1), (10, 9, 5, 4), (99, 10, 98, 9)]
        {
            let (tail, expected) = (
                log_tail(all, marked, draws, least).exp(),
                exact(all.into(), marked.into(), draws.into(), least.into()),
            );
            assert!((tail / expected - 1.0).abs() < 1e-9, "{tail} is not {expected}");
        }
        assert_eq!(log_tail(99, 5, 20, 6), f64::NEG_INFINITY);
    }

    #[test]
    fn a_complete_graph_leaves_nothing_to_chance_up_to_its_bounds() {
        // Active: C < 2t - (n-1) and t <= n-1-D.
        let crowd = |corrupt, vanish| Crowd { clients: 31, corrupt, vanish, is_active: true };
        assert_eq!(crowd(9, 5).strength(30, 20), Strength { sigma: f64::INFINITY, eta: f64::INFINITY });
        assert_eq!(crowd(10, 5).strength(30, 20).sigma, 0.0);
        assert_eq!(crowd(9, 11).strength(30, 20).eta, 0.0);
        let (neighbours, threshold, reached) = choose(31, true, &demand(0.3, 0.3)).unwrap();
        // Nine of any 28 holders can be corrupt, and nine can vanish: 19 remain, and 2 * 19 - 28 is one more than nine.
        assert_eq!((neighbours, threshold, reached.sigma), (28, 19, f64::INFINITY));
        assert!(matches!(choose(31, true, &demand(0.36, 0.3)), Err(Infeasible::TooMany { .. })));
    }

    #[test]
    fn a_larger_crowd_needs_a_smaller_part_of_itself() {
        let mut last = 1.0;
        for clients in [300, 1000, 3000, 10_000] {
            for is_active in [false, true] {
                let demand = Demand::default();
                let (neighbours, threshold, reached) = choose(clients, is_active, &demand).unwrap();
                assert!(reached.sigma >= 40.0 && reached.eta >= 20.0);
                assert!(threshold > neighbours / 2 && threshold < neighbours);
                let part = f64::from(neighbours) / f64::from(clients);
                assert!(is_active || part < last, "{neighbours} of {clients}");
                last = if is_active { last } else { part };
            }
        }
        assert!(last < 0.01, "Bell et al. have some tens of neighbours among ten thousand: {last}");
    }

    /// Counted over random rings: how often somebody has too many corrupt holders is below the bound, and above nothing.
    #[test]
    fn bounds_hold_and_are_not_idle() {
        let (clients, neighbours, corrupt, threshold) = (40_u32, 8_u32, 10_u32, 5_u32);
        let crowd = Crowd { clients, corrupt, vanish: 0, is_active: false };
        let bound = (-crowd.sigma(neighbours, threshold, f64::NEG_INFINITY)).exp2();
        let trials = 2000_u32;
        let betrayed = (0..trials).filter(|&trial| {
            let seed = quorate_hash::Tagged::new("test").u64(trial.into()).finish();
            let ring = crate::graph::Ring::new(&seed, clients);
            (corrupt..clients).any(|own| {
                let holders = ring.within(own, neighbours);
                holders.into_iter().filter(|holder| *holder < corrupt).count() >= threshold as usize
            })
        });
        let seen = betrayed.count() as f64 / f64::from(trials);
        assert!(seen <= bound && seen > bound / 20.0, "{seen} of a bound of {bound}");
    }
}
