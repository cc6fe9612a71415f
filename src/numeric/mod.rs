//! Layer 2: whatever turns expressions into numbers: tape, least squares, statistics.
