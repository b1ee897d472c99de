//! Contributor, owner and analyst over the network
