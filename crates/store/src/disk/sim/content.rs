//! Content of a simulated file, and what a power cut makes of its unsynced changes.

use super::Fate;

/// Power may fail between sectors of a write, not within one that the drive has begun.
const SECTOR: usize = 512;

/// What a file shows, what of it is durable, and the changes between.
#[derive(Clone, Debug, Default)]
pub(super) struct Content {
    shown: Vec<u8>,
    durable: Vec<u8>,
    unsynced: Vec<FileChange>,
}

/// A change of a file that was not synced.
#[derive(Clone, Debug)]
pub(super) enum FileChange {
    Write { offset: usize, bytes: Vec<u8> },
    SetLen(usize),
}

impl Content {
    pub(super) fn shown(&self) -> &[u8] {
        &self.shown
    }

    pub(super) fn change(&mut self, change: FileChange) {
        match &change {
            FileChange::Write { offset, bytes } => overwrite(&mut self.shown, *offset, bytes),
            FileChange::SetLen(bytes) => self.shown.resize(*bytes, 0),
        }
        self.unsynced.push(change);
    }

    /// Settles, and forgets what was only shown.
    pub(super) fn crash(&mut self, fate: Fate, random: &mut SplitMix64) {
        self.settle(fate, random);
        self.shown.clone_from(&self.durable);
    }

    /// Flips bits of a byte, if it is durable.
    pub(super) fn corrupt(&mut self, offset: usize, mask: u8) -> bool {
        let (Some(shown), Some(durable)) = (self.shown.get_mut(offset), self.durable.get_mut(offset)) else {
            return false;
        };
        *shown ^= mask;
        *durable ^= mask;
        true
    }

    /// Decides what becomes of unsynced changes; afterwards none are left to decide.
    pub(super) fn settle(&mut self, fate: Fate, random: &mut SplitMix64) {
        for change in std::mem::take(&mut self.unsynced) {
            match change {
                FileChange::SetLen(bytes) if random.survives(fate) => self.durable.resize(bytes, 0),
                FileChange::SetLen(_) => {}
                FileChange::Write { offset, bytes } => match fate {
                    Fate::Lose => {}
                    Fate::Keep => overwrite(&mut self.durable, offset, &bytes),
                    Fate::Tear => self.tear(offset, &bytes, random),
                },
            }
        }
    }

    fn tear(&mut self, offset: usize, bytes: &[u8], random: &mut SplitMix64) {
        match random.below(4) {
            0 => {}
            1 => overwrite(&mut self.durable, offset, bytes),
            2 => overwrite(&mut self.durable, offset, &bytes[..random.below(bytes.len() + 1)]),
            _ => self.tear_sectors(offset, bytes, random),
        }
    }

    fn tear_sectors(&mut self, offset: usize, bytes: &[u8], random: &mut SplitMix64) {
        let durable_end = self.durable.len();
        let end = offset + bytes.len();
        let mut at = offset;
        while at < end {
            let next = (at / SECTOR + 1) * SECTOR;
            let part = &bytes[at - offset..next.min(end) - offset];
            let whole = part.len() == SECTOR || at >= durable_end;
            match random.below(3) {
                0 => {}
                1 => overwrite(&mut self.durable, at, part),
                _ if whole => {
                    let garbage: Vec<u8> = part.iter().map(|_| random.byte()).collect();
                    overwrite(&mut self.durable, at, &garbage);
                }
                _ => overwrite(&mut self.durable, at, &part[..random.below(part.len() + 1)]),
            }
            at = next;
        }
    }
}

fn overwrite(content: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    if bytes.is_empty() {
        return;
    }
    let end = offset + bytes.len();
    if content.len() < end {
        content.resize(end, 0);
    }
    content[offset..end].copy_from_slice(bytes);
}

/// Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014. Not for secrets.
#[derive(Clone, Debug)]
pub(super) struct SplitMix64(pub(super) u64);

impl SplitMix64 {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(super) fn below(&mut self, bound: usize) -> usize {
        let wide = u128::from(self.next()) * bound as u128;
        usize::try_from(wide >> 64).unwrap_or(0)
    }

    fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[7]
    }

    pub(super) fn survives(&mut self, fate: Fate) -> bool {
        match fate {
            Fate::Lose => false,
            Fate::Keep => true,
            Fate::Tear => self.below(2) == 0,
        }
    }
}
