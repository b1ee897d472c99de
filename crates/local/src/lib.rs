//! A federation of helper processes on this machine
