//! Generates the LR(1) parser of the language from `grammar/phys.lalrpop` into `OUT_DIR/phys.rs`, and has the crate built
//! anew when a file joins the standard library, which is embedded.

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let out = std::env::var("OUT_DIR")?;
    println!("cargo::rerun-if-changed=stdlib");
    lalrpop::Configuration::new().set_in_dir("grammar").set_out_dir(out).emit_rerun_directives(true).process()
}
