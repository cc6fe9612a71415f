//! Layer 6: checker, evaluator, values and built-ins.
