//! Lowering: from a draft's graph to layers and registers.
//!
//! An AND's layer is the longest chain of ANDs before it (as soon as possible, so the fewest rounds). Registers
//! are reused once their last reader is done, the most recently freed first, which keeps a morsel in the cache.

use super::draft::{Bit, Draft, Node};
use super::program::{AndGate, Layer, Local, Program};

/// The program that computes `outputs`.
pub(super) fn lower(draft: &Draft, outputs: &[Bit]) -> Program {
    let needed = needed(draft, outputs);
    let schedule = Schedule::new(draft, &needed);
    let mut lowering = Lowering::new(draft, last_readers(draft, &needed, &schedule, outputs));
    let mut layers = Vec::with_capacity(schedule.layers.len());
    for (place, planned) in schedule.layers.iter().enumerate() {
        let mut local: Vec<Local> = Vec::new();
        for &bit in &planned.local {
            local.extend(lowering.local(bit));
        }
        layers.push(Layer { local, ands: lowering.ands(&planned.ands, schedule.and_time(place)) });
    }
    lowering.finish(layers, outputs)
}

/// Which bits the outputs depend on.
fn needed(draft: &Draft, outputs: &[Bit]) -> Vec<bool> {
    let mut needed = vec![false; draft.nodes.len()];
    outputs.iter().for_each(|bit| needed[bit.0 as usize] = true);
    for index in (0..draft.nodes.len()).rev().filter(|index| *index > 1) {
        if let (true, Node::Xor(a, b) | Node::And(a, b)) = (needed[index], draft.nodes[index]) {
            // A gate reads a constant only where it negates, which is an operation of its own.
            for operand in [a, b].into_iter().filter(|operand| operand.0 > 1) {
                needed[operand.0 as usize] = true;
            }
        }
    }
    needed
}

/// Gates in the order in which they run.
struct Schedule {
    layers: Vec<Planned>,
    /// When each gate runs; all ANDs of a layer run at once.
    times: Vec<u32>,
}

#[derive(Default)]
struct Planned {
    local: Vec<Bit>,
    ands: Vec<Bit>,
    time: u32,
}

impl Schedule {
    fn new(draft: &Draft, needed: &[bool]) -> Self {
        let mut levels = vec![0_usize; draft.nodes.len()];
        let mut layers: Vec<Planned> = vec![Planned::default()];
        for (bit, node) in (0..).map(Bit).zip(&draft.nodes).filter(|(bit, _)| needed[bit.0 as usize]) {
            let (Node::Xor(a, b) | Node::And(a, b)) = *node else {
                if matches!(node, Node::Constant(_)) {
                    layers[0].local.push(bit);
                }
                continue;
            };
            let level = levels[a.0 as usize].max(levels[b.0 as usize]);
            if matches!(node, Node::And(..)) && !draft.is_public(a) && !draft.is_public(b) {
                levels[bit.0 as usize] = level + 1;
                layers.resize_with(layers.len().max(level + 2), Planned::default);
                layers[level].ands.push(bit);
            } else {
                levels[bit.0 as usize] = level;
                layers[level].local.push(bit);
            }
        }
        let mut times = vec![0; draft.nodes.len()];
        let mut time = 0;
        for layer in &mut layers {
            for bit in &layer.local {
                time += 1;
                times[bit.0 as usize] = time;
            }
            time += 1;
            layer.time = time;
            layer.ands.iter().for_each(|bit| times[bit.0 as usize] = time);
        }
        Schedule { layers, times }
    }

    fn and_time(&self, layer: usize) -> u32 {
        self.layers[layer].time
    }
}

/// When each bit is read for the last time; outputs are needed for ever.
fn last_readers(draft: &Draft, needed: &[bool], schedule: &Schedule, outputs: &[Bit]) -> Vec<u32> {
    let mut last = vec![0; draft.nodes.len()];
    for (index, node) in draft.nodes.iter().enumerate().filter(|(index, _)| needed[*index]) {
        if let Node::Xor(a, b) | Node::And(a, b) = *node {
            for operand in [a, b] {
                let last = &mut last[operand.0 as usize];
                *last = schedule.times[index].max(*last);
            }
        }
    }
    outputs.iter().for_each(|bit| last[bit.0 as usize] = u32::MAX);
    last
}

/// Free places of one kind of register.
#[derive(Default)]
struct Places {
    free: Vec<u32>,
    count: u32,
}

impl Places {
    fn take(&mut self) -> u32 {
        self.free.pop().unwrap_or_else(|| {
            self.count += 1;
            self.count - 1
        })
    }
}

struct Lowering<'a> {
    draft: &'a Draft,
    last: Vec<u32>,
    time: u32,
    /// The register of every bit that has one.
    place: Vec<u32>,
    secret: Places,
    public: Places,
}

impl<'a> Lowering<'a> {
    fn new(draft: &'a Draft, last: Vec<u32>) -> Self {
        let mut place = vec![0; draft.nodes.len()];
        for (place, node) in place.iter_mut().zip(&draft.nodes) {
            if let Node::Secret(input) | Node::Public(input) = node {
                *place = *input;
            }
        }
        let (secret, public) = (Places::holding(draft.secrets), Places::holding(draft.publics));
        Lowering { draft, last, time: 0, place, secret, public }
    }

    /// One gate without a message.
    fn local(&mut self, bit: Bit) -> Option<Local> {
        self.time += 1;
        let node = self.draft.nodes[bit.0 as usize];
        if let Node::Constant(value) = node {
            // Needed as an output only.
            let out = self.take(bit);
            return Some(Local::PublicConstant { out, value });
        }
        let (Node::Xor(a, b) | Node::And(a, b)) = node else { return None };
        let is_and = matches!(node, Node::And(..));
        let (a, b) = if self.draft.is_public(a) { (b, a) } else { (a, b) };
        let (left, right) = (self.place[a.0 as usize], self.place[b.0 as usize]);
        let both_public = self.draft.is_public(a);
        let is_not = !is_and && (a == Draft::ONE || b == Draft::ONE);
        let negated = if a == Draft::ONE { right } else { left };
        self.release(a);
        self.release(b);
        let out = self.take(bit);
        Some(match (both_public, is_and, self.draft.is_public(b)) {
            (true, _, _) if is_not => Local::PublicNot { out, public: negated },
            (true, true, _) => Local::PublicAnd { out, left, right },
            (true, false, _) => Local::PublicXor { out, left, right },
            (false, _, true) if is_not => Local::Not { out, secret: left },
            (false, true, _) => Local::AndPublic { out, secret: left, public: right },
            (false, false, true) => Local::XorPublic { out, secret: left, public: right },
            (false, false, false) => Local::Xor { out, left, right },
        })
    }

    /// All ANDs of one layer: operands are read before results are written, so results may take their places.
    fn ands(&mut self, gates: &[Bit], time: u32) -> Vec<AndGate> {
        self.time = time;
        let operands = |bit: &Bit| match self.draft.nodes[bit.0 as usize] {
            Node::And(a, b) => (a, b),
            _ => (*bit, *bit),
        };
        let operands: Vec<(Bit, Bit)> = gates.iter().map(operands).collect();
        let places: Vec<(u32, u32)> =
            operands.iter().map(|(a, b)| (self.place[a.0 as usize], self.place[b.0 as usize])).collect();
        for (a, b) in operands {
            self.release(a);
            self.release(b);
        }
        let gate = |(bit, (left, right)): (&Bit, (u32, u32))| AndGate { out: self.take(*bit), left, right };
        gates.iter().zip(places).map(gate).collect()
    }

    fn finish(mut self, mut layers: Vec<Layer>, outputs: &[Bit]) -> Program {
        let mut places = Vec::with_capacity(outputs.len());
        for &bit in outputs {
            let place = self.place[bit.0 as usize];
            if !self.draft.is_public(bit) {
                places.push(place);
                continue;
            }
            let out = self.secret.take();
            if let Some(last) = layers.last_mut() {
                last.local.push(Local::Embed { out, public: place });
            }
            places.push(out);
        }
        Program {
            inputs: self.draft.secrets,
            public_inputs: self.draft.publics,
            registers: self.secret.count,
            public_registers: self.public.count,
            layers,
            outputs: places,
        }
    }

    fn take(&mut self, bit: Bit) -> u32 {
        let place = self.places(bit).take();
        self.place[bit.0 as usize] = place;
        place
    }

    /// Frees the operand's place if this is its last reader. Twice for the same gate is harmless.
    fn release(&mut self, operand: Bit) {
        let last = &mut self.last[operand.0 as usize];
        if *last == self.time && operand.0 > 1 {
            *last = 0;
            let place = self.place[operand.0 as usize];
            self.places(operand).free.push(place);
        }
    }

    fn places(&mut self, bit: Bit) -> &mut Places {
        if self.draft.is_public(bit) { &mut self.public } else { &mut self.secret }
    }
}

impl Places {
    /// Places of which the first `inputs` are taken.
    fn holding(inputs: u32) -> Self {
        Places { free: Vec::new(), count: inputs }
    }
}
