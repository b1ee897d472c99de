//! Four helpers seal a study while the input drops, repeats, reorders and alters what they tell each other. Nothing
//! panics, and no two of them end with different sets.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quorate_fuzz::world::{Message, World};

fuzz_target!(|bytes: &[u8]| {
    let mut world = World::sealing();
    let mut bytes = bytes.iter().copied();
    for _ in 0..400 {
        let Some(Message { from, to, mut frame }) = world.messages.pop_front() else { break };
        match bytes.next().unwrap_or(0) {
            0..=199 => world.deliver(Message { from, to, frame }),
            200..=209 => {}
            210..=219 => {
                world.deliver(Message { from, to, frame: frame.clone() });
                world.messages.push_back(Message { from, to, frame });
            }
            220..=224 => world.messages.push_back(Message { from, to, frame }),
            225..=227 => world.wait(600),
            228 => world.wait(11_000),
            229..=234 => {
                let other = bytes.next().unwrap_or(0) % 4 + 1;
                world.deliver(Message { from: other, to, frame });
            }
            235..=239 => {
                frame.truncate(usize::from(bytes.next().unwrap_or(0)));
                world.deliver(Message { from, to, frame });
            }
            _ => {
                let (low, high) = (bytes.next().unwrap_or(0), bytes.next().unwrap_or(0));
                let place = usize::from(u16::from_le_bytes([low, high])) % frame.len();
                frame[place] ^= bytes.next().unwrap_or(1).max(1);
                world.deliver(Message { from, to, frame });
            }
        }
    }
    if let Some(first) = world.sealed.first() {
        assert!(world.sealed.iter().all(|other| other.manifest.root == first.manifest.root));
    }
});
