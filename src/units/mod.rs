//! Layer 1: dimensions, units and the catalogue of units.
