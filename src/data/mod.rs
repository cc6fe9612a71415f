//! Layer 3: datasets, columns and files.
