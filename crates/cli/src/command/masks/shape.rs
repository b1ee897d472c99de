//! Shape: what vectors are, as arguments.

use clap::Args;
use quorate_masking::{Encoding, LENGTH_MAX, Ring};

use crate::failure::Failure;

#[derive(Clone, Copy, Debug, Args)]
pub(super) struct ShapeArguments {
    /// Numbers in a vector
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=i64::from(LENGTH_MAX)))]
    dimensions: u32,
    /// Numbers are clipped to -BOUND .. BOUND
    #[arg(long, value_name = "BOUND", default_value_t = 1.0)]
    bound: f64,
    /// Numbers are rounded to multiples of 2^-BITS
    #[arg(long, value_name = "BITS", default_value_t = 16, value_parser = clap::value_parser!(u8).range(0..=52))]
    fraction_bits: u8,
    /// The largest weight of a client, if vectors are weighted (federated averaging: its number of examples)
    #[arg(long, value_name = "WEIGHT", default_value_t = 0)]
    weight_max: u32,
}

impl ShapeArguments {
    /// The encoding of vectors of so many clients, in the smaller ring where that has room.
    pub(super) fn encoding(&self, clients: u32) -> Result<Encoding, Failure> {
        let scaled = self.bound * f64::from(2_u32).powi(i32::from(self.fraction_bits));
        if !(scaled >= 1.0 && scaled < 2_f64.powi(62)) {
            let message = format!(
                "--bound {} is not a bound of numbers with --fraction-bits {}",
                self.bound, self.fraction_bits
            );
            return Err(Failure::Invalid {
                message,
                hint: Some("the smallest bound is 2^-BITS, the largest 2^62 / 2^BITS".into()),
            });
        }
        #[expect(clippy::cast_possible_truncation, reason = "below 2^62")]
        let bound = scaled as i64;
        let encoding = |ring| Encoding {
            ring,
            length: self.dimensions,
            fraction_bits: self.fraction_bits,
            bound,
            weight_max: self.weight_max,
        };
        let narrow = encoding(Ring::Mod32);
        if narrow.check(clients).is_ok() {
            return Ok(narrow);
        }
        let wide = encoding(Ring::Mod64);
        wide.check(clients).map_err(|fault| Failure::Invalid {
            message: fault.to_string(),
            hint: Some("lower --fraction-bits, --bound or --weight-max".into()),
        })?;
        Ok(wide)
    }
}
