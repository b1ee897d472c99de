//! Free ports of the loopback interface.

use std::net::{Ipv4Addr, TcpListener};

use crate::LocalError;

/// Below the range from which Linux gives ports to outgoing connections (32768 on): a helper that already connects to
/// others cannot take the port of one that has not started.
const RANGE: std::ops::Range<u16> = 20_000..32_000;

/// `wanted` different ports that nobody listens on now. Another program may still be faster; then the helper says so.
pub(crate) fn free_ports(wanted: usize) -> Result<Vec<u16>, LocalError> {
    let mut seed = [0; 2];
    // Without randomness, start at the beginning: every port is tried before it is given.
    let offset = if getrandom::fill(&mut seed).is_ok() { u16::from_le_bytes(seed) } else { 0 };
    let length = RANGE.end - RANGE.start;
    let candidates = (0..length).map(|step| RANGE.start + (offset % length + step) % length);
    let ports: Vec<u16> = candidates
        .filter(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok())
        .take(wanted)
        .collect();
    if ports.len() < wanted { Err(LocalError::Ports { wanted }) } else { Ok(ports) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_different_free_and_not_ephemeral() {
        let ports = free_ports(100).unwrap();
        let held: Vec<_> =
            ports.iter().map(|p| TcpListener::bind((Ipv4Addr::LOCALHOST, *p)).unwrap()).collect();
        assert_eq!(held.len(), 100);
        assert!(ports.iter().all(|port| RANGE.contains(port)));
        assert!(
            free_ports(10).unwrap().iter().all(|port| !ports.contains(port)),
            "held ports are not given again"
        );
        assert!(matches!(free_ports(20_000), Err(LocalError::Ports { wanted: 20_000 })));
    }
}
