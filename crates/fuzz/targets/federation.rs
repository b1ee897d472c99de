//! Federation files, cards, keys and signatures.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quorate_federation::{Card, Federation, PublicKey, SecretKey};

fuzz_target!(|text: &str| {
    if let Ok(federation) = Federation::parse(text) {
        assert_eq!(Federation::parse(federation.text()).as_ref(), Ok(&federation));
        for (number, member) in federation.members() {
            assert_eq!(federation.number_of(&member.key), Ok(number));
        }
    }
    if let Ok(card) = Card::parse(text) {
        let written = card.to_text().expect("a card is text");
        assert_eq!(Card::parse(&written), Ok(card));
    }
    if let Ok(key) = SecretKey::from_text(text) {
        assert_eq!(key.to_text().trim_end(), text.trim_end().to_lowercase());
    }
    if let Ok(key) = text.parse::<PublicKey>() {
        assert_eq!(key.to_string().parse(), Ok(key));
    }
});
