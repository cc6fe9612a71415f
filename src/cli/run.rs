//! `phys run FILE`, `phys -e EXPR`, and scripts from standard input. A script that searches or trains leaves a run
//! folder (`record/`).

use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::record::checkpoints::Store;
use super::record::folder::{Goes, Kept, root};
use super::record::{Plan, Recorder};
use super::terminal::{Terminal, complain, writable, write_json};
use super::{RunOptions, exit, interruptible, json, script};
use crate::base::{Diagnostic, Event, EventSink, Finding, StopReason};
use crate::language::{Value, render};
use crate::session::{Options, Session, Sources, Status, survey};

/// Runs a script; `-` is standard input.
pub(super) fn file(file: &Path, options: &RunOptions) -> ExitCode {
    match script(file) {
        Ok((name, source, folder)) => text(&name, &source, &folder, options),
        Err(d) => {
            Terminal::new(options.json.as_deref(), Default::default()).diagnostic(&d);
            exit(Status::Faulty)
        }
    }
}

/// Terminal and run folder: both are told everything.
struct Listener {
    terminal: Arc<Terminal>,
    sources: Sources,
    recorder: OnceLock<Recorder>,
    /// The last search that was stopped from outside, and the last text shown.
    stopped: Mutex<(Option<Arc<Finding>>, String)>,
}

impl Listener {
    fn sink(self: &Arc<Listener>) -> EventSink {
        let listener = self.clone();
        EventSink::new(move |event| {
            if let Some(recorder) = listener.recorder.get() {
                recorder.event(&event, &|d| json::diagnostic(d, &listener.sources));
            }
            if let Event::Finding(finding) = &event
                && finding.stopped == Some(StopReason::Cancelled)
            {
                listener.stopped.lock().unwrap_or_else(PoisonError::into_inner).0 = Some(finding.clone());
            }
            listener.terminal.event(&event);
        })
    }

    fn show(&self, text: &str) {
        self.stopped.lock().unwrap_or_else(PoisonError::into_inner).1 = text.to_string();
        self.terminal.text(text);
    }

    /// What an interrupted search has found so far, where the script did not get as far as showing it.
    fn show_stopped(&self) {
        let (finding, last) =
            std::mem::take(&mut *self.stopped.lock().unwrap_or_else(PoisonError::into_inner));
        if let Some(finding) = finding.filter(|f| f.text != last) {
            self.terminal.text(&finding.text);
        }
    }
}

/// Runs a text.
pub(super) fn text(name: &str, text: &str, folder: &Path, options: &RunOptions) -> ExitCode {
    let json = options.json.as_deref();
    let sources = Sources::default();
    let terminal = Terminal::with(json, sources.clone(), options.quiet);
    let refuse = |d: &Diagnostic| {
        terminal.diagnostic(d);
        exit(Status::Faulty)
    };
    if let Err(d) = writable(json) {
        return refuse(&d);
    }
    // What is not said anew is as in the run that goes on.
    let kept = match options.resume.as_deref().map(Kept::read).transpose() {
        Ok(kept) => kept,
        Err(d) => return refuse(&d),
    };
    let earlier = kept.as_ref().map(|k| &k.manifest);
    let seed = options.seed.or_else(|| earlier.and_then(|m| m["seed"].as_u64())).unwrap_or(0);
    let set = match earlier.and_then(|m| m["set"].as_array()) {
        Some(set) if options.set.is_empty() => set.iter().filter_map(|s| Some(s.as_str()?.into())).collect(),
        _ => options.set.clone(),
    };
    let smoke = options.smoke || earlier.is_some_and(|m| m["smoke"] == true);
    let started = Options { seed, smoke, set: set.clone(), sources: sources.clone(), ..options.session() };
    let threads = started.threads;
    let listener = Arc::new(Listener {
        terminal: terminal.clone(),
        sources: sources.clone(),
        recorder: OnceLock::new(),
        stopped: Mutex::default(),
    });
    let mut session = match Session::with(started, listener.sink(), interruptible()) {
        Ok(session) => session,
        Err(d) => return refuse(&d),
    };
    let (tree, mut diagnostics) = session.prepare(name, text, folder);
    let Some(tree) = tree else {
        if let Err(d) =
            write_json(json, &json::outcome(Status::Faulty, Vec::new(), &diagnostics, &sources, seed))
        {
            terminal.diagnostic(&d);
        }
        return exit(Status::Faulty);
    };
    let program = survey(&session.context, &tree, folder);
    let runs = root(options.runs.as_deref()).filter(|_| !options.no_record);
    let keep = !program.work.is_empty() && name != "<-e>";
    if keep && (runs.is_some() || kept.is_some()) {
        let plan = Plan {
            script: name.into(),
            text: text.into(),
            base: folder.into(),
            program,
            seed,
            digits: options.digits,
            smoke,
            set,
            threads,
        };
        let goes = match kept.as_ref().map(|k| k.admits(&plan)).transpose() {
            Ok(goes) => goes.unwrap_or(Goes::Here),
            Err(d) => return refuse(&d),
        };
        let here = kept.as_ref().filter(|_| goes == Goes::Here);
        // Runs of one script stand beside each other.
        let beside = kept.as_ref().and_then(|k| k.folder.parent()?.parent());
        let runs = runs.unwrap_or_else(|| beside.map(Path::to_path_buf).unwrap_or_default());
        let recorder = match Recorder::begin(&plan, &runs, here) {
            Ok(recorder) => recorder,
            Err(d) => return refuse(&d),
        };
        diagnostics.iter().for_each(|d| {
            recorder.event(&Event::Diagnostic(d.clone()), &|d| json::diagnostic(d, &sources));
        });
        let mut store = Store::new(&recorder.folder.join("checkpoints"), kept.is_some(), listener.sink());
        if let Some(earlier) = kept.as_ref().filter(|_| goes == Goes::Beside) {
            let folder = earlier.folder.display();
            let message = format!(
                "`{name}` has changed since the run in `{folder}`: a new run takes over what both compute alike"
            );
            terminal.diagnostic(&Diagnostic::notice(crate::base::Code(8012), None, message));
            store = store.after(&earlier.folder.join("checkpoints"));
        }
        session.context.checkpoints = Some(Arc::new(store));
        let last = recorder.clone();
        terminal.before_leaving(move || {
            let _ = last.finish(Status::Interrupted);
        });
        let _ = listener.recorder.set(recorder);
    } else if let Some(kept) = &kept {
        let message =
            format!("expected a script that searches or trains, found `{name}`, which has nothing to resume");
        let hint = format!("phys run {}", kept.manifest["script"]["path"].as_str().unwrap_or("script.phys"));
        return refuse(&Diagnostic::error(crate::base::Code(8008), None, message).hint(hint));
    }
    let style = session.context.style.clone();
    let mut values = Vec::new();
    let recorder = listener.recorder.get();
    let status = session.perform(
        &tree,
        &mut |value, visible| {
            if visible {
                let text = render::line(value, &style);
                // Kept first: showing ends the process where nobody reads.
                if json.is_some() || recorder.is_some() {
                    let shown = json::shown(value, &text);
                    recorder.iter().for_each(|r| r.value(shown.clone()));
                    values.push(shown);
                }
                // A figure was drawn already.
                if !matches!(value.plain(), Value::Figure(_)) {
                    listener.show(&text);
                }
            }
        },
        &mut diagnostics,
    );
    terminal.clear();
    if status == Status::Interrupted {
        listener.show_stopped();
    }
    if let Some(recorder) = recorder {
        if let Some(d) = recorder.finish(status) {
            terminal.diagnostic(&d);
        }
        if !options.quiet {
            let more = if status == Status::Interrupted { "   (--resume goes on there)" } else { "" };
            complain(&format!("run: {}{more}", recorder.folder.display()));
        }
    }
    if json.is_some()
        && let Err(d) = write_json(json, &json::outcome(status, values, &diagnostics, &sources, seed))
    {
        terminal.diagnostic(&d);
        return exit(Status::Failed);
    }
    // The process ends here: taking the state apart costs time that nobody gains from.
    std::mem::forget(session);
    exit(status)
}
