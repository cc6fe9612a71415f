//! Layer 7: modules, bindings and history of one session.
