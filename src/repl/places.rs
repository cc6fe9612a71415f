//! The files of the prompt: its history in the user's state folder, its startup file in the configuration folder (XDG Base
//! Directory Specification 0.8). `PHYS_HISTORY` and `PHYS_STARTUP` name others; an empty value means none.

use std::ffi::OsString;
use std::path::PathBuf;

/// A variable that is set and not empty.
fn set(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from)
}

/// What a variable of ours says: a path, no file, or nothing.
fn own(name: &str) -> Option<Option<PathBuf>> {
    let value: OsString = std::env::var_os(name)?;
    Some(if value.is_empty() || value == "off" || value == "none" { None } else { Some(value.into()) })
}

/// Where the history is kept; its folder is made. `None` where it cannot be.
pub fn history() -> Option<PathBuf> {
    let file = match own("PHYS_HISTORY") {
        Some(named) => named?,
        None => {
            let state = set("XDG_STATE_HOME").or_else(|| Some(set("HOME")?.join(".local/state")))?;
            state.join("phys/history")
        }
    };
    if let Some(folder) = file.parent().filter(|f| !f.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).ok()?;
    }
    let writable = std::fs::OpenOptions::new().append(true).create(true).open(&file).is_ok();
    writable.then_some(file)
}

/// The file whose statements run before the first line; `None` where there is none. A file that was named must exist.
pub fn startup() -> Option<PathBuf> {
    match own("PHYS_STARTUP") {
        Some(named) => named,
        None => {
            let config = set("XDG_CONFIG_HOME").or_else(|| Some(set("HOME")?.join(".config")))?;
            Some(config.join("phys/startup.phys")).filter(|f| f.exists())
        }
    }
}
