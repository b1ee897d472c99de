//! The contributor over the network: packs a table on a blocking thread, uploads to all helpers, checks every receipt.
//!
//! A contribution counts as accepted when *every* helper's receipt for it holds: its signature is the helper's, and its
//! path leads from the upload to the signed root. An upload that broke off is simply done again with the same secret:
//! the bytes are the same, and helpers keep one copy.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::try_join_all;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use quorate_circuit::Study;
use quorate_contribute::{Batch, ContributeError, Grouping, Packer, Table};
use quorate_hash::Digest;
use quorate_sharing::ContributorSecret;
use quorate_wire::Receipt;
use tokio::sync::mpsc;

use crate::helpers::Ask;
use crate::owner::check_federation;
use crate::{ClientError, Fault, HelperError, Helpers};

/// Batches on their way at the same time. Each is about [`quorate_wire::limits::UPLOAD_TARGET`] bytes per helper.
const WINDOW: usize = 4;
/// Batches packed ahead.
const PACKED_AHEAD: usize = 2;

/// How far an upload is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Contributions that every helper has receipted.
    pub accepted: u64,
    /// Of these, contributions that every helper had from an earlier try.
    pub repeated: u64,
    /// Contributions in all.
    pub total: u64,
    /// Bytes of uploads that were receipted, all helpers together.
    pub bytes: u64,
}

/// Uploads all contributions of `table`, with `progress` called after each batch. `secret` is the contributor's own; kept
/// until the upload is complete, it makes a repeated upload harmless.
///
/// # Errors
/// The table does not fit the study (nothing was sent); a helper refuses, cannot be reached for half a minute, or sends a
/// receipt that does not hold. What was receipted until then stays.
pub async fn upload(
    helpers: &Helpers,
    study: &Study,
    table: Arc<Table>,
    grouping: Grouping,
    secret: ContributorSecret,
    mut progress: impl FnMut(Progress),
) -> Result<Progress, ClientError> {
    check_federation(helpers, study)?;
    let packer = Packer::new(study, secret)?;
    let total = packer.batches(&table, grouping)?.contributions();
    let (packed, batches) = mpsc::channel(PACKED_AHEAD);
    let packing = tokio::task::spawn_blocking(move || pack(&packer, &table, grouping, &packed));

    let mut state = Progress { total, ..Progress::default() };
    let batches = stream::unfold(batches, async |mut batches| Some((batches.recv().await?, batches)));
    let uploads = batches.map(|batch| async {
        let batch: Batch = batch.map_err(ClientError::Contribute)?;
        upload_batch(helpers, &study.id(), batch).await
    });
    let mut uploads = std::pin::pin!(uploads.buffer_unordered(WINDOW));
    while let Some(done) = uploads.try_next().await? {
        state.accepted += done.accepted;
        state.repeated += done.repeated;
        state.bytes += done.bytes;
        progress(state);
    }
    if let Err(panic) = packing.await {
        std::panic::resume_unwind(panic.into_panic());
    }
    Ok(state)
}

/// Packs until done or until nobody wants more.
fn pack(
    packer: &Packer,
    table: &Table,
    grouping: Grouping,
    packed: &mpsc::Sender<Result<Batch, ContributeError>>,
) {
    let batches = match packer.batches(table, grouping) {
        Ok(batches) => batches,
        Err(error) => {
            let _ = packed.blocking_send(Err(error));
            return;
        }
    };
    for batch in batches {
        if packed.blocking_send(batch).is_err() {
            return;
        }
    }
}

/// Uploads one batch that is packed already, whatever is in it; what came of it.
///
/// # Errors
/// A helper refuses, cannot be reached for half a minute, or sends a receipt that does not hold.
pub async fn upload_batch(helpers: &Helpers, study: &Digest, batch: Batch) -> Result<Progress, ClientError> {
    let Batch { ids, uploads, .. } = batch;
    let bytes = uploads.iter().map(|upload| upload.len() as u64).sum();
    let ids = &ids;
    let receipts = helpers.numbers().zip(uploads).map(|(number, upload)| async move {
        let ask = Ask::upload(format!("/v1/studies/{study}/contributions"), Bytes::from(upload));
        let receipt: Receipt = helpers.ask_json(number, ask, "a receipt").await?;
        helpers
            .check_receipt(number, study, ids, &receipt)
            .map_err(|error| helpers.error(number, Fault::Receipt(error)))?;
        Ok::<u64, HelperError>(receipt.repeated)
    });
    let repeated = try_join_all(receipts).await?;
    let contributions = ids.len() as u64;
    let repeated = repeated.into_iter().min().unwrap_or(0).min(contributions);
    Ok(Progress { total: contributions, accepted: contributions, repeated, bytes })
}
