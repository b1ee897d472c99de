//! The federation file and the cards it is made of.

use std::fmt;

use quorate_hash::{Digest, Tagged};
use serde::{Deserialize, Serialize};

use crate::{FederationError, PublicKey};

/// The largest number of helpers.
pub const HELPERS_MAX: usize = 64;

const FORMAT: u32 = 1;
const NAME_LENGTH_MAX: usize = 64;

/// The fixed list of helpers and the threshold `t`. Any `t` helpers together learn nothing; any `t + 1` of them
/// can answer, and could also collude: who they are is the trust decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Federation {
    id: Digest,
    text: String,
    document: Document,
}

/// One helper, as the federation file lists it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// The organisation's name.
    pub name: String,
    /// `host:port` of the HTTPS API for contributors, owners and analysts.
    pub address: String,
    /// `host:port` where the other helpers connect.
    pub peer_address: String,
    /// The helper's key: pinned in TLS, and it signs receipts and results.
    pub key: PublicKey,
}

/// What a helper tells the organiser of a federation: everything public that the file needs of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Card {
    /// Version of this format.
    pub format: u32,
    /// The helper.
    #[serde(flatten)]
    pub member: Member,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    format: u32,
    name: String,
    threshold: u8,
    helpers: Vec<Member>,
}

impl Federation {
    /// Reads and checks a federation file.
    pub fn parse(text: &str) -> Result<Self, FederationError> {
        let document: Document = toml::from_str(text).map_err(syntax)?;
        if document.format != FORMAT {
            return Err(FederationError::Format { found: document.format, known: FORMAT });
        }
        let helpers = document.helpers.len();
        if !(2..=HELPERS_MAX).contains(&helpers) {
            return Err(FederationError::HelperCount { found: helpers, max: HELPERS_MAX });
        }
        if document.threshold == 0 || usize::from(document.threshold) >= helpers {
            return Err(FederationError::Threshold { threshold: document.threshold, helpers });
        }
        check_name(0, &document.name)?;
        for (index, member) in document.helpers.iter().enumerate() {
            member.check(index + 1)?;
        }
        check_distinct(&document.helpers)?;
        let id = Tagged::new("quorate/1/federation").bytes(text.as_bytes()).finish();
        Ok(Federation { id, text: text.to_owned(), document })
    }

    /// Writes the file for these helpers, numbered in the order given.
    pub fn of_cards(name: &str, threshold: u8, cards: Vec<Card>) -> Result<Self, FederationError> {
        let helpers = cards.into_iter().map(|card| card.member).collect();
        let document = Document { format: FORMAT, name: name.to_owned(), threshold, helpers };
        Self::parse(&to_toml(&document)?)
    }

    /// The hash of the file: names these helpers, keys and this threshold, and nothing else.
    pub fn id(&self) -> &Digest {
        &self.id
    }

    /// The file's exact text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The federation's name, for people.
    pub fn name(&self) -> &str {
        &self.document.name
    }

    /// `t`: any `t` helpers together learn nothing.
    pub fn threshold(&self) -> u8 {
        self.document.threshold
    }

    /// `n`, at most [`HELPERS_MAX`].
    #[expect(clippy::cast_possible_truncation, reason = "`parse` holds it at most HELPERS_MAX")]
    pub fn size(&self) -> u8 {
        self.document.helpers.len() as u8
    }

    /// The helpers with their numbers `1..=n`.
    pub fn members(&self) -> impl Iterator<Item = (u8, &Member)> {
        (1..=self.size()).zip(&self.document.helpers)
    }

    /// Helper `number`, counted from 1.
    pub fn member(&self, number: u8) -> Option<&Member> {
        self.document.helpers.get(usize::from(number).checked_sub(1)?)
    }

    /// The number of the helper with this key.
    pub fn number_of(&self, key: &PublicKey) -> Result<u8, FederationError> {
        let found = self.members().find(|(_, member)| member.key == *key);
        found.map(|(number, _)| number).ok_or(FederationError::NotAMember { key: *key })
    }
}

impl Card {
    /// The card of one helper, checked.
    pub fn new(member: Member) -> Result<Self, FederationError> {
        member.check(0)?;
        Ok(Card { format: FORMAT, member })
    }

    /// Reads a card's text.
    pub fn parse(text: &str) -> Result<Self, FederationError> {
        let card: Card = toml::from_str(text).map_err(syntax)?;
        if card.format != FORMAT {
            return Err(FederationError::Format { found: card.format, known: FORMAT });
        }
        Card::new(card.member)
    }

    /// The text that [`Card::parse`] reads.
    pub fn to_text(&self) -> Result<String, FederationError> {
        to_toml(self)
    }
}

impl Member {
    fn check(&self, helper: usize) -> Result<(), FederationError> {
        check_name(helper, &self.name)?;
        check_address(helper, &self.address)?;
        check_address(helper, &self.peer_address)
    }
}

impl fmt::Display for Federation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (n = {}, t = {})", self.name(), self.size(), self.threshold())
    }
}

fn check_name(helper: usize, name: &str) -> Result<(), FederationError> {
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ' ');
    if name.is_empty() || name.len() > NAME_LENGTH_MAX || !name.chars().all(fits) {
        return Err(FederationError::Name { helper, name: name.chars().take(NAME_LENGTH_MAX).collect() });
    }
    Ok(())
}

fn check_address(helper: usize, address: &str) -> Result<(), FederationError> {
    let parts = address.rsplit_once(':').map(|(host, port)| (host, port.parse::<u16>()));
    match parts {
        Some((host, Ok(1..))) if !host.is_empty() && !host.contains(['/', ' ', '@']) => Ok(()),
        _ => Err(FederationError::Address { helper, address: address.chars().take(256).collect() }),
    }
}

fn check_distinct(helpers: &[Member]) -> Result<(), FederationError> {
    for (second, b) in helpers.iter().enumerate() {
        for (first, a) in helpers[..second].iter().enumerate() {
            let same = [
                ("name", a.name == b.name),
                ("address", a.address == b.address),
                ("peer address", a.peer_address == b.peer_address),
                ("key", a.key == b.key),
            ];
            if let Some((what, _)) = same.into_iter().find(|(_, same)| *same) {
                return Err(FederationError::Repeated { first: first + 1, second: second + 1, what });
            }
        }
    }
    Ok(())
}

fn syntax(error: toml::de::Error) -> FederationError {
    FederationError::Syntax { message: error.to_string() }
}

fn to_toml(value: &impl Serialize) -> Result<String, FederationError> {
    toml::to_string(value).map_err(|error| FederationError::Syntax { message: error.to_string() })
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng;

    use super::*;
    use crate::SecretKey;

    fn card(number: u8) -> Card {
        let key = SecretKey::generate(&mut ChaCha20Rng::from_seed([number; 32])).public();
        Card::new(Member {
            name: format!("helper {number}"),
            address: format!("h{number}.example:7100"),
            peer_address: format!("h{number}.example:7200"),
            key,
        })
        .unwrap()
    }

    fn cards(count: u8) -> Vec<Card> {
        (1..=count).map(card).collect()
    }

    #[test]
    fn a_file_reads_back_with_the_same_id() {
        let federation = Federation::of_cards("wages", 1, cards(4)).unwrap();
        assert_eq!(Federation::parse(federation.text()).as_ref(), Ok(&federation));
        assert_eq!((federation.size(), federation.threshold()), (4, 1));
        for (number, member) in federation.members() {
            assert_eq!(federation.number_of(&member.key), Ok(number));
            assert_eq!(federation.member(number), Some(member));
        }
        assert_eq!(federation.member(0), None);
        assert_eq!(federation.member(5), None);
    }

    #[test]
    fn any_change_of_the_file_is_another_federation() {
        let four = Federation::of_cards("wages", 1, cards(4)).unwrap();
        assert_ne!(four.id(), Federation::of_cards("wages", 2, cards(4)).unwrap().id());
        assert_ne!(four.id(), Federation::of_cards("wages", 1, cards(5)).unwrap().id());
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        let of = |t, cards| Federation::of_cards("wages", t, cards).map(|_| ()).unwrap_err();
        assert_eq!(of(1, cards(1)), FederationError::HelperCount { found: 1, max: HELPERS_MAX });
        assert_eq!(of(0, cards(3)), FederationError::Threshold { threshold: 0, helpers: 3 });
        assert_eq!(of(3, cards(3)), FederationError::Threshold { threshold: 3, helpers: 3 });
        let twice = vec![card(1), card(2), card(1)];
        assert_eq!(of(1, twice), FederationError::Repeated { first: 1, second: 3, what: "name" });
        assert!(matches!(Federation::parse("threshold = 1"), Err(FederationError::Syntax { .. })));
        for address in ["nowhere", "host:", ":1", "host:0", "host:99999", "https://h:1", "a b:1"] {
            let member = Member { address: address.into(), ..card(1).member };
            assert!(matches!(Card::new(member), Err(FederationError::Address { .. })), "{address}");
        }
    }

    #[test]
    fn a_card_reads_back() {
        assert_eq!(Card::parse(&card(3).to_text().unwrap()), Ok(card(3)));
    }
}
