//! Truth: what the simulator knows and no helper does, and the invariants that are held against it.

mod disclosure;
mod privacy;

use std::collections::{BTreeMap, BTreeSet};

use quorate_circuit::{Bits, Column, Outcome, Program};
use quorate_coordinator::Records;
use quorate_federation::Federation;
use quorate_field::{Field, FieldId, Integer, read_slice, with_field};
use quorate_hash::{Digest, Tagged, merkle};
use quorate_sharing::{Scheme, SchemeKind, is_degree_at_most, recombine};
use quorate_wire::{RunReply, Signed, SignedManifest, encode};

use crate::broken::{Held, broken, hold};
use crate::contributor::{Flaw, Made};
use crate::lie::{Frame, HELLO_ROUND, OPENING_ROUND};
use crate::node::Node;
use crate::plan::Plan;

/// Everything that is true.
pub(crate) struct Truth {
    scheme: Scheme,
    field: FieldId,
    /// Whether a seal looks for values out of their ranges.
    checks_ranges: bool,
    /// Whether a seal looks for vectors above their norm.
    checks_norms: bool,
    /// Cells of a row, by column.
    widths: Vec<usize>,
    liars: BTreeSet<u8>,
    excluded_max: quorate_circuit::Proportion,
    min_cohort: u64,
    federation: Federation,
    study: Digest,
    made: BTreeMap<Digest, Made>,
    /// Contributions in each sealed set, in order, with their rows.
    sets: BTreeMap<Digest, Vec<(Digest, u32)>>,
    manifests: BTreeMap<Digest, SignedManifest>,
    /// By fresh bytes: who drew them, in which life, for what.
    fresh: BTreeMap<[u8; 32], (usize, u64, Digest)>,
    /// By attempt: the session in which each honest helper opened shares, and its life then.
    opened: BTreeMap<Digest, BTreeMap<usize, (u64, Digest)>>,
    /// The life that each node lives.
    lives: BTreeMap<usize, u64>,
    /// By session: honest helpers' replies.
    replies: BTreeMap<Digest, BTreeMap<u8, RunReply>>,
    /// By session: what it answers.
    requests: BTreeMap<Digest, Signed>,
}

impl Truth {
    /// The truth before anything happened.
    pub(crate) fn new(plan: &Plan, federation: &Federation, study: Digest, made: Vec<Made>) -> Self {
        Truth {
            scheme: plan.scheme,
            field: plan.field,
            widths: plan.columns.iter().map(Column::width).collect(),
            checks_ranges: plan.bits != Bits::None,
            checks_norms: plan.checks_norms(),
            liars: plan.liars.iter().map(|(number, _)| *number).collect(),
            excluded_max: plan.excluded_max,
            min_cohort: plan.min_cohort,
            federation: federation.clone(),
            study,
            made: made.into_iter().map(|made| (made.id, made)).collect(),
            sets: BTreeMap::new(),
            manifests: BTreeMap::new(),
            fresh: BTreeMap::new(),
            opened: BTreeMap::new(),
            lives: BTreeMap::new(),
            replies: BTreeMap::new(),
            requests: BTreeMap::new(),
        }
    }

    /// Whether a seal finds every value that is beyond what is declared, since no helper lies.
    fn checks_values(&self) -> bool {
        (self.checks_ranges || self.checks_norms) && self.liars.is_empty()
    }

    /// Whether a liar can make an honest contribution fail a check that a seal computes.
    fn liars_can_exclude(&self) -> bool {
        (self.checks_ranges || self.checks_norms) && !self.liars.is_empty()
    }

    /// Whether this helper may lie.
    pub(crate) fn is_liar(&self, helper: u8) -> bool {
        self.liars.contains(&helper)
    }

    /// How many different manifests are fully signed.
    pub(crate) fn sealed_count(&self) -> usize {
        self.manifests.len()
    }

    /// An honest helper sent this frame.
    pub(crate) fn sent(&mut self, node: &Node, frame: &Frame, is_run: bool) -> Held {
        self.lives.insert(node.place, node.life);
        let body = frame.body.as_slice();
        // The bytes of a run's opening, and of a seal's second message, that must be fresh.
        let fresh = match frame.round {
            _ if frame.lane != 0 => None,
            0 if is_run => body.last_chunk::<32>(),
            2 if !is_run => body.first_chunk::<32>(),
            _ => None,
        };
        if let Some(fresh) = fresh {
            let use_ = (node.place, node.life, frame.scope);
            let known = *self.fresh.entry(*fresh).or_insert(use_);
            hold(known == use_, "a nonce is used once", || {
                format!("helper {}: {known:?} and {use_:?}", node.number)
            })?;
        }
        let is_opening = (OPENING_ROUND..HELLO_ROUND).contains(&frame.round) && frame.lane == 0;
        let opens = is_opening && self.scheme.has_prss() && !is_run;
        if opens
            && frame.round == OPENING_ROUND
            && let Some(session) = body.first_chunk::<32>()
        {
            let session = Digest(*session);
            let opened = self.opened.entry(frame.scope).or_default();
            opened.insert(node.place, (node.life, session));
            // Whoever opens has heard from all others that they are in its session. An attempt may be made anew by
            // helpers that all have restarted.
            let contradicts = |(place, (life, other)): (&usize, &(u64, Digest))| {
                *other != session && self.lives.get(place) == Some(life)
            };
            hold(!opened.iter().any(contradicts), "shares are opened in one session only", || {
                format!("attempt {}: {opened:?}", frame.scope.short())
            })?;
        }
        Ok(())
    }

    /// An honest helper made this manifest durable as sealed.
    pub(crate) fn sealed(&mut self, node: &Node, signed: &SignedManifest) -> Held {
        let manifest = &signed.manifest;
        let id = manifest.id();
        let proof = signed.check(&self.federation, &self.study, self.scheme.seal_quorum());
        hold(proof.is_ok(), "a sealed manifest has all signatures", || format!("{id}: {proof:?}"))?;
        if self.manifests.insert(id, signed.clone()).is_none() {
            // A liar's word can make a second one complete; honest helpers alone never do.
            hold(
                self.manifests.len() == 1 || !self.liars.is_empty(),
                "one manifest is ever fully signed",
                || format!("{:?}, the last at helper {}", self.manifests.keys(), node.number),
            )?;
            let union = manifest.contributions + manifest.excluded.total() + manifest.left_out.contributions;
            let lost = union - manifest.contributions;
            hold(self.excluded_max.allows(lost, union), "`excluded_max` holds", || format!("{manifest:?}"))?;
            hold(manifest.contributions >= self.min_cohort, "`min_cohort` holds", || {
                format!("{manifest:?}")
            })?;
            hold(manifest.degree_checked == self.scheme.has_prss(), "contributions are checked", || {
                format!("{manifest:?}")
            })?;
            hold(manifest.range_checked == self.checks_ranges, "ranges are checked", || {
                format!("{manifest:?}")
            })?;
            hold(manifest.norm_checked == self.checks_norms, "norms are checked", || {
                format!("{manifest:?}")
            })?;
        }
        if manifest.members.contains(&node.number) && !self.sets.contains_key(&id) {
            let set = self.read_set(node, signed)?;
            self.sets.insert(id, set);
        }
        Ok(())
    }

    /// The sealed set as this helper laid it out.
    fn read_set(&self, node: &Node, signed: &SignedManifest) -> Held<Vec<(Digest, u32)>> {
        let manifest = &signed.manifest;
        let column = u32::try_from(self.widths.len()).unwrap_or(u32::MAX);
        let bytes = read_column(node, &self.study, &manifest.session, column, manifest.contributions * 36)?;
        let mut set = Vec::new();
        for record in bytes.chunks_exact(36) {
            let (id, rows) = record.split_at(32);
            let id = Digest(id.try_into().unwrap_or_default());
            set.push((id, u32::from_le_bytes(rows.try_into().unwrap_or_default())));
        }
        let detail = || format!("helper {}: {set:?} for {manifest:?}", node.number);
        hold(set.is_sorted_by(|a, b| a.0 < b.0), "nothing is counted twice", detail)?;
        let leaf = |(id, rows): &(Digest, u32)| {
            Tagged::new("quorate/1/item").digest(id).u64((*rows).into()).finish()
        };
        let root = merkle::root(&set.iter().map(leaf).collect::<Vec<_>>());
        hold(root == manifest.root, "a layout is its manifest's set", detail)?;
        let rows: u64 = set.iter().map(|(_, rows)| u64::from(*rows)).sum();
        hold(rows == manifest.rows, "a manifest counts its rows", detail)?;
        for (id, rows) in &set {
            let Some(made) = self.made.get(id) else {
                return broken("only what was contributed is sealed", id.to_string());
            };
            hold(made.rows == *rows, "rows are counted as contributed", || format!("{id}: {rows}"))?;
            let is_beyond = matches!(made.flaw, Some(Flaw::OutOfRange | Flaw::AboveNorm));
            hold(!self.checks_values() || !is_beyond, "what is out of range is not sealed", || {
                id.to_string()
            })?;
            if let Some(
                Flaw::OffDegree(helper)
                | Flaw::NonCanonical(helper)
                | Flaw::Commitment(helper)
                | Flaw::Rows(helper),
            ) = made.flaw
                && !self.is_liar(helper)
            {
                hold(!manifest.members.contains(&helper), "what does not fit is not sealed", || {
                    format!("{id} with {:?} by {:?}", made.flaw, manifest.members)
                })?;
            }
        }
        Ok(set)
    }

    /// An honest helper answered a run that was asked for with this.
    pub(crate) fn answered(&mut self, reply: &RunReply, asked: &Signed) -> Held {
        self.requests.insert(reply.session, asked.clone());
        let replies = self.replies.entry(reply.session).or_default();
        let known = replies.entry(reply.helper).or_insert_with(|| reply.clone());
        let is_same = (&known.shares, &known.vectors) == (&reply.shares, &reply.vectors);
        hold(is_same, "a session has one result", || format!("helper {}", reply.helper))
    }

    /// What was contributed, column by column, a vector's cells row by row.
    fn table_of<'a>(&self, made: impl Iterator<Item = &'a Made>) -> Vec<Vec<Integer>> {
        let cells_per_row = self.widths.iter().sum();
        let mut table = vec![Vec::new(); self.widths.len()];
        for mut cells in made.flat_map(|made| made.cells.chunks_exact(cells_per_row)) {
            for (column, width) in table.iter_mut().zip(&self.widths) {
                let (mine, others) = cells.split_at(*width);
                column.extend_from_slice(mine);
                cells = others;
            }
        }
        table
    }

    /// The clear-text result on a sealed set.
    pub(crate) fn reference(&self, program: &Program, manifest: &Digest) -> Held<Vec<(String, Outcome)>> {
        let table = self.table(manifest)?;
        let rows = (table[0].len() / self.widths[0]) as u64;
        match program.evaluate(&table) {
            Ok(outputs) => Ok(program.outcomes(&outputs, rows)),
            Err(error) => broken("the clear text evaluates", error.to_string()),
        }
    }

    /// The columns of a sealed set.
    fn table(&self, manifest: &Digest) -> Held<Vec<Vec<Integer>>> {
        let Some(set) = self.sets.get(manifest) else {
            return broken("a manifest that is asked about was sealed", manifest.to_string());
        };
        Ok(self.table_of(set.iter().filter_map(|(id, _)| self.made.get(id))))
    }

    /// A helper that started has what it promised.
    pub(crate) fn kept(&self, node: &Node) -> Held {
        let Some(up) = &node.up else { return Ok(()) };
        let reader = &up.reads.reader;
        for id in &node.promises.receipted {
            hold(reader.contains(&self.study, id), "what was acknowledged is never lost", || {
                format!("helper {}, life {}: contribution {id}", node.number, node.life)
            })?;
        }
        let control = |prefix: &[u8], id: &Digest| up.reads.control(&[prefix, id.as_bytes()].concat());
        for id in &node.promises.created {
            hold(matches!(control(b"study/", id), Ok(Some(_))), "a created study is never lost", || {
                format!("helper {}: {id}", node.number)
            })?;
        }
        if let Some(manifest) = &node.promises.sealed {
            let stored: Option<SignedManifest> =
                control(b"sealed/", &self.study).ok().flatten().and_then(|v| serde_json::from_slice(&v).ok());
            let same = stored.is_some_and(|stored| stored.manifest.id() == *manifest);
            hold(same, "a sealed study stays sealed", || format!("helper {}: {manifest}", node.number))?;
        }
        for (attempt, reply) in &node.promises.runs {
            let stored = control(b"run/", attempt).ok().flatten();
            let same = stored.is_some_and(|stored| stored == reply.as_bytes());
            hold(same, "an answered run stays as it was answered", || {
                format!("helper {}: attempt {attempt}", node.number)
            })?;
        }
        Ok(())
    }

    /// What must hold when everything is over and all helpers are up.
    pub(crate) fn in_the_end(&self, nodes: &[Node]) -> Held {
        let honest: Vec<&Node> = nodes.iter().filter(|node| !self.is_liar(node.number)).collect();
        for node in &honest {
            self.kept(node)?;
            self.stored_bytes(node)?;
        }
        for (id, signed) in &self.manifests {
            let members: Vec<&Node> =
                honest.iter().copied().filter(|n| signed.manifest.members.contains(&n.number)).collect();
            let sealed_here: Vec<&Node> =
                members.iter().copied().filter(|node| node.promises.sealed == Some(*id)).collect();
            for node in &sealed_here {
                let set = self.read_set(node, signed)?;
                hold(self.sets.get(id) == Some(&set), "equal sessions have equal sets", || {
                    format!("helper {}", node.number)
                })?;
            }
            if members.len() == signed.manifest.members.len() {
                self.nothing_forgotten(id, &members)?;
            }
            with_field!(self.field, F => self.columns_recombine::<F>(id, signed, &sealed_here))?;
        }
        Ok(())
    }

    /// What is stored is what was uploaded.
    fn stored_bytes(&self, node: &Node) -> Held {
        let Some(up) = &node.up else { return Ok(()) };
        let ids = up.reads.reader.ids(&self.study);
        let stored = match up.reads.reader.contributions(&self.study, &ids) {
            Ok(stored) => stored,
            Err(error) => return broken("contributions stay readable", error.to_string()),
        };
        for (id, bytes) in ids.iter().zip(stored) {
            let part = self.made.get(id).map(|made| encode(&made.parts[usize::from(node.number) - 1]));
            hold(part == Some(bytes), "what is stored is what was uploaded", || {
                format!("helper {}: {id}", node.number)
            })?;
        }
        Ok(())
    }

    /// What every member acknowledged and is good is in the set.
    fn nothing_forgotten(&self, manifest: &Digest, members: &[&Node]) -> Held {
        let Some(set) = self.sets.get(manifest) else { return Ok(()) };
        for (id, made) in &self.made {
            let everywhere = members.iter().all(|node| node.promises.receipted.contains(id));
            let fits = match made.flaw {
                // A lying helper can make a range check fail.
                None => !self.liars_can_exclude(),
                Some(Flaw::OutOfRange) => !self.checks_ranges,
                Some(Flaw::AboveNorm) => !self.checks_norms,
                Some(Flaw::OffDegree(h) | Flaw::NonCanonical(h) | Flaw::Commitment(h) | Flaw::Rows(h)) => {
                    !members.iter().any(|node| node.number == h)
                }
            };
            if everywhere && fits {
                hold(
                    set.iter().any(|(sealed, _)| sealed == id),
                    "what all sealing helpers acknowledged is sealed",
                    || format!("contribution {id} is not in manifest {manifest}"),
                )?;
            }
        }
        Ok(())
    }

    /// Honest helpers' columns are shares of exactly what was contributed.
    fn columns_recombine<F: Field>(&self, id: &Digest, signed: &SignedManifest, nodes: &[&Node]) -> Held {
        let needed = match self.scheme.kind() {
            SchemeKind::Additive => usize::from(self.scheme.helpers()),
            SchemeKind::Shamir => self.scheme.needed(),
        };
        let Some(set) = self.sets.get(id).filter(|_| nodes.len() >= needed) else { return Ok(()) };
        let manifest = &signed.manifest;
        let table = self.table_of(set.iter().filter_map(|(id, _)| self.made.get(id)));
        for (column, cells) in table.iter().enumerate() {
            let number = u32::try_from(column).unwrap_or(u32::MAX);
            let mut shares: Vec<(u8, Vec<F>)> = Vec::new();
            for node in nodes {
                let bytes = read_column(
                    node,
                    &self.study,
                    &manifest.session,
                    number,
                    (self.widths[column] * F::BYTES) as u64 * manifest.rows,
                )?;
                match read_slice::<F>(&bytes) {
                    Ok(read) => shares.push((node.number, read)),
                    Err(error) => return broken("columns hold elements", format!("{error:?}")),
                }
            }
            let points: Vec<(u8, &[F])> = shares.iter().map(|(n, shares)| (*n, shares.as_slice())).collect();
            let fits = self.scheme.kind() == SchemeKind::Additive
                || is_degree_at_most(self.scheme.threshold().into(), &points);
            hold(fits, "sealed columns have the threshold's degree", || format!("column {column}"))?;
            let found = match recombine(&self.scheme, &points[..needed]) {
                Ok(found) => found.values,
                Err(error) => return broken("sealed columns recombine", error.to_string()),
            };
            let expected: Vec<F> = cells.iter().filter_map(F::from_integer).collect();
            hold(found == expected, "sealed columns are what was contributed", || {
                format!("column {column}")
            })?;
        }
        Ok(())
    }

    /// Whether a refusal to seal by `members` is justified by what they hold.
    pub(crate) fn refusal_is_justified(&self, nodes: &[Node], members: &[u8], needed: usize) -> bool {
        let mut holders: BTreeMap<(Digest, u32), u64> = BTreeMap::new();
        for node in nodes.iter().filter(|node| members.contains(&node.number)) {
            let Some(up) = &node.up else { return true };
            for id in up.reads.reader.ids(&self.study) {
                let part = self.made.get(&id).map(|made| made.parts[usize::from(node.number) - 1].rows);
                *holders.entry((id, part.unwrap_or(0))).or_default() |= 1 << node.number;
            }
        }
        let union = holders.len() as u64;
        let lost = |set: u64| holders.values().filter(|held| **held & set != set).count() as u64;
        let sets = (0..1_u64 << members.len()).map(|subset| {
            let places = members.iter().enumerate().filter(|(place, _)| subset >> place & 1 == 1);
            places.fold(0_u64, |set, (_, member)| set | 1 << member)
        });
        let allowed =
            |set: &u64| set.count_ones() as usize >= needed && self.excluded_max.allows(lost(*set), union);
        // The largest, then the one that loses least, then the lowest numbers: as the protocol says.
        if self.liars_can_exclude() {
            return true;
        }
        let best = sets
            .filter(allowed)
            .max_by_key(|set| (set.count_ones(), std::cmp::Reverse(lost(*set)), set.reverse_bits()));
        let Some(set) = best else { return true };
        let held = holders.iter().filter(|(_, held)| **held & set == set);
        let fails = |id: &Digest| match self.made.get(id).and_then(|made| made.flaw) {
            Some(Flaw::OffDegree(helper)) => set >> helper & 1 == 1,
            Some(Flaw::OutOfRange) => self.checks_ranges,
            Some(Flaw::AboveNorm) => self.checks_norms,
            _ => false,
        };
        let (bad, good): (Vec<_>, Vec<_>) = held.partition(|((id, _), _)| fails(id));
        let out = bad.len() as u64 + lost(set);
        let common = (bad.len() + good.len()) as u64;
        common < self.min_cohort
            || (good.len() as u64) < self.min_cohort
            || !self.excluded_max.allows(out, union)
    }
}

/// A column of a layout, of which there must be so many bytes.
fn read_column(node: &Node, study: &Digest, session: &Digest, column: u32, bytes: u64) -> Held<Vec<u8>> {
    let Some(up) = &node.up else {
        return broken("all helpers are up", format!("helper {}", node.number));
    };
    let mut read = vec![0; usize::try_from(bytes).unwrap_or(0)];
    match up.reads.columns(study, session).read(column, 0, &mut read) {
        Ok(true) => Ok(read),
        other => broken(
            "a sealed study has its columns",
            format!("helper {}, column {column}: {:?}", node.number, other.map(|_| "missing")),
        ),
    }
}
