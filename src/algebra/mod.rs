//! Layer 2: simplification, calculus, equations, series.
