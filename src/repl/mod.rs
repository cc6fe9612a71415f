//! Layer 8: the prompt.
