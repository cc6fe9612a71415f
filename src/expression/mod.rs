//! Layer 1: the one expression type, its derivative and its printers.
