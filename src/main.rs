//! The binary: arguments to a command.

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    phys::base::memory::keep_freed();
    phys::cli::main(phys::repl::prompt)
}
