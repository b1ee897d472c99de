//! Every limit on what another party may send, in one place. Bytes unless said otherwise.

/// The largest message of any kind, HTTP body or frame between helpers.
pub const MESSAGE_MAX: usize = 10 << 20;

/// The largest body of an upload: a study's longest row, with room for what is beside it.
pub const UPLOAD_MAX: usize = 9 << 20;

/// The largest answer to a client: shares of a study's longest row, in an envelope in hexadecimal.
pub const ANSWER_MAX: usize = 2 * MESSAGE_MAX;

/// What a client aims at for one upload, well under [`UPLOAD_MAX`].
pub const UPLOAD_TARGET: usize = 512 << 10;

/// Contributions in one upload.
pub const UPLOAD_CONTRIBUTIONS_MAX: usize = 16_384;

/// The largest study document.
pub const STUDY_MAX: usize = 1 << 20;

/// The largest signed study request (it contains the document, escaped).
pub const STUDY_REQUEST_MAX: usize = 3 << 20;

/// The largest circuit text.
pub const CIRCUIT_MAX: usize = 64 << 10;

/// The largest signed request (it contains a circuit text, escaped).
pub const REQUEST_MAX: usize = 512 << 10;

/// Bytes of numbers that one run converts to bits at the same time.
pub const CONVERSION_BYTES: u64 = 1 << 30;

/// Circuits that a helper remembers of a study with a smallest group, all together.
pub const ASKED_MAX: usize = 128 << 10;

/// Runs that the ledger of a study with a budget of privacy has.
pub const LEDGER_MAX: usize = 4_096;

/// Bytes of shared truths of rows that one run keeps from one pass over the rows to the next.
pub const CARRIED_BYTES: u64 = 1 << 30;

/// Studies one helper keeps.
pub const STUDIES_MAX: usize = 1_024;

/// Seals and runs that one helper works on at the same time.
pub const ATTEMPTS_MAX: usize = 64;
