//! Layer 4: laws from data.
