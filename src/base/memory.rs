//! How long the allocator keeps memory that was freed.

/// The option's place in `mi_option_e` (mimalloc 2 and 3).
const PURGE_DELAY: i32 = 15;

/// Lets freed memory go back to the system after ten seconds in place of ten milliseconds. A training frees and takes the
/// same megabytes at every step; each time that they went back the system clears every page anew, up to a fifth of
/// the step. For programs whose global allocator is mimalloc, once at their start.
pub fn keep_freed() {
    // SAFETY: a plain store into the allocator's table of options, of an option that it has.
    unsafe { libmimalloc_sys::mi_option_set(PURGE_DELAY, 10_000) }
}
