//! The choice of a kernel backend, made once when the program runs.
//!
//! The best backend that this processor supports is taken, unless the environment variable `QUORATE_BACKEND`
//! (`portable`, `avx2` or `avx512`) or [`force_backend`] says otherwise. All backends compute the same values;
//! the switch is for measuring, for tests, and for ruling a backend out. Invariant, on which the safety of the
//! dispatch rests: only a backend whose processor features were detected is ever made active.

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicU8, Ordering};

/// The environment variable that forces a backend.
const VARIABLE: &str = "QUORATE_BACKEND";

/// An implementation of the slice kernels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Backend {
    /// Plain Rust, on every processor.
    Portable = 1,
    /// Four words a lane group: needs AVX2 and BMI2.
    Avx2 = 2,
    /// Eight words a lane group and 52-bit multiply-add: needs AVX-512 F, DQ, VL and IFMA besides.
    Avx512 = 3,
}

/// No backend was forced. To blame: the operator's configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BackendError {
    /// This processor lacks the features.
    #[error("this processor cannot run the backend \"{0}\": choose another, or none to take the best")]
    Unsupported(Backend),
    /// No backend has this name.
    #[error("there is no backend \"{0}\": write portable, avx2 or avx512")]
    Unknown(String),
}

/// The active backend as its number; 0 until first asked for. Written by [`activate`] alone.
static ACTIVE: AtomicU8 = AtomicU8::new(0);

impl Backend {
    /// All backends, the simplest first.
    pub const ALL: [Self; 3] = [Self::Portable, Self::Avx2, Self::Avx512];

    /// Does this processor support it?
    #[must_use]
    pub fn is_supported(self) -> bool {
        match self {
            Self::Portable => true,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("bmi2"),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => {
                Self::Avx2.is_supported()
                    && is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("avx512ifma")
            }
            #[cfg(not(target_arch = "x86_64"))]
            Self::Avx2 | Self::Avx512 => false,
        }
    }

    /// Every backend that this processor supports, the simplest first.
    pub fn supported() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|backend| backend.is_supported())
    }

    /// The best backend that this processor supports.
    #[must_use]
    pub fn detect() -> Self {
        Self::supported().last().unwrap_or(Self::Portable)
    }

    /// The backend that `QUORATE_BACKEND` asks for, or the detected one where it is unset or empty. Programs
    /// call this once at start, to tell the operator of a bad value; the kernels then fall back to detection.
    pub fn from_environment() -> Result<Self, BackendError> {
        let Some(value) = std::env::var_os(VARIABLE).filter(|value| !value.is_empty()) else {
            return Ok(Self::detect());
        };
        let backend: Self = value.to_string_lossy().parse()?;
        if backend.is_supported() { Ok(backend) } else { Err(BackendError::Unsupported(backend)) }
    }

    /// The backend in use.
    #[inline]
    #[must_use]
    pub fn active() -> Self {
        match ACTIVE.load(Ordering::Relaxed) {
            1 => Self::Portable,
            2 => Self::Avx2,
            3 => Self::Avx512,
            _ => activate_default(),
        }
    }

    /// The name in the environment: `portable`, `avx2` or `avx512`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
        }
    }
}

/// Makes `backend` the active one in the whole process, from the next kernel call on.
pub fn force_backend(backend: Backend) -> Result<(), BackendError> {
    activate(backend).then_some(()).ok_or(BackendError::Unsupported(backend))
}

/// The only writer of [`ACTIVE`]: refuses what the processor does not support.
fn activate(backend: Backend) -> bool {
    let supported = backend.is_supported();
    if supported {
        ACTIVE.store(backend as u8, Ordering::Relaxed);
    }
    supported
}

#[cold]
fn activate_default() -> Backend {
    let backend = Backend::from_environment().unwrap_or_else(|_| Backend::detect());
    // Two threads may both come here: they store the same value.
    if activate(backend) { backend } else { Backend::Portable }
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Backend {
    type Err = BackendError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let named = Self::ALL.into_iter().find(|backend| backend.as_str() == text);
        named.ok_or_else(|| BackendError::Unknown(text.to_owned()))
    }
}

/// Defines kernels that call the function of the same name in the active backend's module: `portable`, `avx2`
/// or `avx512`, siblings at the place of use.
macro_rules! dispatched {
    ($(fn $kernel:ident($($argument:ident: $kind:ty),*) $(-> $output:ty)?;)*) => {$(
        #[inline]
        #[allow(unsafe_code, reason = "the call of a function with target features")]
        pub(super) fn $kernel($($argument: $kind),*) $(-> $output)? {
            match $crate::backend::Backend::active() {
                $crate::backend::Backend::Portable => portable::$kernel($($argument),*),
                // SAFETY: a backend is active only after its target features were detected (`activate`), and
                // `is_supported` asks for every feature that the functions of the module enable.
                #[cfg(target_arch = "x86_64")]
                $crate::backend::Backend::Avx2 => unsafe { avx2::$kernel($($argument),*) },
                // SAFETY: as above.
                #[cfg(target_arch = "x86_64")]
                $crate::backend::Backend::Avx512 => unsafe { avx512::$kernel($($argument),*) },
                #[cfg(not(target_arch = "x86_64"))]
                _ => portable::$kernel($($argument),*),
            }
        }
    )*};
}

/// Defines kernels that are the portable ones compiled once more with target features, where what LLVM makes of
/// them is as good as by hand.
#[cfg(target_arch = "x86_64")]
macro_rules! recompiled {
    ($features:literal: $(fn $kernel:ident($($argument:ident: $kind:ty),*) $(-> $output:ty)?;)*) => {$(
        #[target_feature(enable = $features)]
        pub(super) fn $kernel($($argument: $kind),*) $(-> $output)? {
            super::portable::$kernel($($argument),*)
        }
    )*};
}

pub(crate) use dispatched;
#[cfg(target_arch = "x86_64")]
pub(crate) use recompiled;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_and_others_are_refused() {
        for backend in Backend::ALL {
            assert_eq!(backend.as_str().parse(), Ok(backend));
        }
        assert_eq!("AVX2".parse::<Backend>(), Err(BackendError::Unknown("AVX2".to_owned())));
    }

    #[test]
    fn only_a_supported_backend_becomes_active() {
        assert!(Backend::Portable.is_supported() && Backend::detect().is_supported());
        for backend in Backend::ALL {
            assert_eq!(
                crate::laws::with_backend(backend, || assert_eq!(Backend::active(), backend)).is_some(),
                backend.is_supported()
            );
        }
    }
}
