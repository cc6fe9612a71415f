//! The prompt, driven through a pseudo-terminal: one long session that uses everything once, and sessions of their own for
//! what needs another terminal, another environment or a rude user.

use crate::support::{all, files, phys, root, run_input, run_with, shown};
use crate::terminal::{Terminal, command};
use std::fs;
use std::process::Stdio;
use std::time::Duration;

const UP: &str = "\x1b[A";
const DOWN: &str = "\x1b[B";
const RIGHT: &str = "\x1b[C";

fn home() -> tempfile::TempDir {
    let home = tempfile::tempdir().expect("a scratch folder");
    let table = "name,speed [km/s],orbital period [day]\nMercury,47.4,88\nVenus,35,224.7\n";
    fs::write(home.path().join("table.csv"), table).expect("a scratch file");
    home
}

#[track_caller]
fn has(answer: &str, parts: &[&str]) {
    for part in parts {
        assert!(answer.contains(part), "expected `{part}` in\n{answer}");
    }
}

#[test]
fn a_session_of_many_exchanges() {
    let home = home();
    let mut t = Terminal::prompt(home.path());

    // Results: `ans`, `out[n]`, `;`.
    has(&t.ask("1/3 + 1/6"), &["1/2", "out[0]"]);
    has(&t.ask("ans*2"), &["1", "out[1]"]);
    has(&t.ask("out[0] + out[1]"), &["3/2", "out[2]"]);
    assert_eq!(t.ask("x = 3").trim(), "");
    assert_eq!(t.ask("x + 1;").trim(), "");
    has(&t.ask("ans"), &["4"]);
    has(&t.ask("out[-1]"), &["4"]);
    has(&t.ask(":out"), &["out[0] = 1/2", "out[2] = 3/2"]);

    // A line goes on while something is open.
    t.send("simplify(\r");
    t.wait("the second row", |s| {
        s.rows[usize::from(s.cursor.0).saturating_sub(1)].starts_with("> simplify(")
    });
    has(&t.ask("sin(y)^2 + cos(y)^2)"), &["1"]);
    has(&t.ask("for k in 1..2 {\r print(\"k is {k}\")\r}"), &["k is 1", "k is 2"]);

    // How it was understood.
    has(&t.ask("2^3 [m]"), &["= (2^3) [m]", "8 [m]"]);
    has(&t.ask("1/2y"), &["= 1/(2*y)"]);
    has(&t.ask("ω0*t"), &["= omega0*t"]);
    has(&t.ask("3(a + b)"), &["= 3*(a + b)"]);
    t.ask(":reading off");
    assert!(!t.ask("2^3 [m]").contains("= (2^3)"));
    t.ask(":reading on");

    // Formulas in two dimensions, and on one line.
    let formula = t.ask("(a + b)/(c + d)");
    let rows: Vec<&str> = formula.lines().filter(|l| !l.trim().is_empty()).collect();
    assert_eq!(rows.len(), 3, "{formula}");
    has(rows[0], &["a + b"]);
    has(rows[1], &["─────"]);
    has(rows[2], &["c + d"]);
    has(&t.ask(":pretty off"), &["pretty off"]);
    has(&t.ask("(a + b)/(c + d)"), &["(a + b)/(c + d)"]);
    t.ask(":pretty on");

    // Completion.
    t.ask("data = read(\"table.csv\")");
    t.ask("r = {theta: 1.2, omega: 0}");
    t.ask("speed_of_sound = 343 [m/s]");
    for (keys, line) in [
        ("simplif\t", "> simplify"),
        ("1 + speed_\t", "> 1 + speed_of_sound"),
        ("\\alpha\t", "> α"),
        ("\\ome\t", "> ω"),
        ("9.81 [kilopas\t", "> 9.81 [kilopascal"),
        ("simplify(y, iter\t", "> simplify(y, iterations: "),
        ("simplify(y) { iter\t", "> simplify(y) { iterations: "),
        ("regress(data, method: clo\t", "> regress(data, method: closed"),
        ("read(\"tab\t", "> read(\"table.csv\""),
        ("data.sp\t", "> data.speed"),
        ("data[\"orb\t", "> data[\"orbital period\"]"),
        ("r.the\t", "> r.theta"),
        ("read(\"table.csv\").spe\t", "> read(\"table.csv\").speed"),
        ("use physics.c\t", "> use physics.constants"),
        ("use physics.constants: hb\t", "> use physics.constants: hbar"),
        (":vari", "> :vari"),
        (":be\t", "> :bench"),
        (":load tab\t", "> :load table.csv"),
        ("?simplif\t", "> ?simplify"),
        (":time simplif\t", "> :time simplify"),
    ] {
        t.typed(keys, line);
    }
    // Where there are several, they are listed.
    t.send(":re\t");
    t.wait("a list", |s| s.text().contains(":reading") && s.text().contains(":reset"));
    t.drop_line();
    t.send("simplify(\t");
    t.wait("the options", |s| s.text().contains("nodes:") && s.text().contains("iterations:"));
    t.drop_line();
    t.send("3 [km\t");
    t.wait("units", |s| s.text().contains("kmol"));
    t.drop_line();

    // Hints: the call at the cursor, and a line of the history, which the right arrow takes.
    t.send("expand(");
    t.wait("the call", |s| s.line().contains("expand(<"));
    t.drop_line();
    t.send("speed_of_sound = 3");
    t.wait("a line of the history", |s| s.line().contains("> speed_of_sound = 343 [m/s]"));
    t.send(RIGHT);
    assert_eq!(t.enter().trim(), "");

    // History: prefix search, all of it, Ctrl-R.
    t.send("simpl");
    t.wait("what was typed", |s| s.line().starts_with("> simpl"));
    t.send(UP);
    t.wait("the search", |s| {
        s.rows[usize::from(s.cursor.0)..].iter().any(|r| r.contains("sin(y)^2 + cos(y)^2)"))
    });
    t.drop_line();
    t.send(UP);
    t.wait("the last line", |s| s.line().starts_with("> speed_of_sound = 343"));
    t.send(UP);
    t.wait("the one before", |s| s.line().starts_with("> speed_of_sound") || s.line().starts_with("> r = "));
    t.send(DOWN);
    t.send(DOWN);
    t.wait("an empty line", |s| s.line().trim_end() == ">");
    t.send("\x12ω0");
    t.wait("reverse search", |s| s.line().contains("ω0*t"));
    t.drop_line();

    // Help.
    has(&t.ask("?simplify"), &["simplify(", "nodes: integer = ", "> "]);
    has(&t.ask("??simplify"), &["extern simplify(", "stdlib/core/symbolic.phys"]);
    has(&t.ask("?\"Planck constant\""), &["physics.constants.h", "constant"]);
    has(&t.ask("?[N]"), &["kg*m/s^2", "newton", "force"]);
    has(&t.ask("?hbar"), &["hbar", "use physics.constants: hbar"]);
    t.ask("## Energy of a mass in motion.\rE(m, v) = 1/2*m*v^2");
    has(&t.ask("?E"), &["E: function", "Energy of a mass in motion.", "1/2*m*v^2"]);
    has(&t.ask("??E"), &["E(m, v) = 1/2*m*v^2"]);
    t.ask("F = 3 [kg]*9.81 [m/s^2]");
    has(&t.ask("?F"), &["F: quantity [N]", "29.43 [N]"]);
    has(&t.ask("?simplfy"), &["P8024", "?simplify"]);
    has(&t.ask("?where"), &["where"]);
    has(&t.ask(":help"), &[":vars", ":limit", "?name", "Ctrl-C"]);

    // Commands.
    has(&t.ask(":vars"), &["F ", "quantity [N]", "29.43 [N]", "data", "dataset"]);
    has(&t.ask(":time simplify(y + y)"), &["2*y", "took "]);
    has(&t.ask(":bench 1 + 1"), &["median ", " runs"]);
    has(&t.ask(":latex y^2/2"), &["\\frac{y^{2}}{2}"]);
    t.ask(":digits 3");
    has(&t.ask("1.0/3"), &["0.333"]);
    has(&t.ask(":digits 99"), &["P8021", ":digits 6"]);
    t.ask(":digits 6");
    has(&t.ask(":varz"), &["P8020", "`:vars`"]);
    has(&t.ask(":limit nonsense"), &["P8021"]);
    t.ask(":limit 300 ms");
    has(&t.ask("for k in 1..10^12 { }"), &["P6051", "time limit"]);
    t.ask(":limit off");

    // A figure is drawn to the width of the terminal.
    let figure = t.ask("plot(sin(z)/z, z in 1..20)");
    assert!(
        figure.lines().count() > 8 && figure.chars().any(|c| ('\u{2800}'..='\u{28ff}').contains(&c)),
        "{figure}"
    );
    has(&t.ask(":bench plot(sin(z)/z, z in 1..20)"), &["median "]);

    // A failed line leaves everything as it was.
    has(&t.ask("x = 5; [1][7]"), &["error"]);
    has(&t.ask("x"), &["3"]);
    has(&t.ask("x + * 2"), &["error"]);
    has(&t.ask("1 [m] + 1 [s]"), &["error", "[m]", "[s]"]);

    // Ctrl-C: at the prompt it drops the line; while a line runs it stops it.
    t.send("x + 1234");
    t.wait("what was typed", |s| s.line().starts_with("> x + 1234"));
    t.drop_line();
    t.send("print(\"begun\"); for k in 1..10^12 { }\r");
    t.wait("the loop", |s| s.rows.iter().any(|r| r == "begun"));
    t.send("\x03");
    t.ready();
    has(&t.ask("x"), &["3"]);

    // A paste in brackets waits for Enter; prompts copied with it are taken off.
    t.paste("> u = 20\n> u + 22\n42\n");
    t.wait("what was pasted", |s| s.text().contains("u + 22"));
    has(&t.enter(), &["42"]);

    // The session as a script.
    has(&t.ask(":save all.phys"), &["lines in all.phys"]);
    let script = fs::read_to_string(home.path().join("all.phys")).expect("the script");
    has(&script, &["out0 = 1/3 + 1/6; out0", "out0 + out1", "x = 3"]);
    assert!(!script.contains("[1][7]") && !script.contains(":vars") && !script.contains("1 [s]"), "{script}");
    t.ask(":reset");
    has(&t.ask("x"), &["x"]);
    has(&t.ask(":run all.phys"), &["8 [m]", "3/2"]);
    has(&t.ask("x"), &["x"]);
    t.ask(":load all.phys");
    has(&t.ask("x + 0"), &["3"]);
    has(&t.ask(":load missing.phys"), &["P8001"]);

    // Ctrl-D at an empty line ends it.
    t.send("\x04");
    assert_eq!(t.end(), Some(0));
}

#[test]
fn colours_follow_the_lexer_and_can_be_off() {
    let home = home();
    let mut t = Terminal::prompt(home.path());
    t.send("sin(y) + 12.5 [m] # remark");
    t.wait("the line", |s| s.line().contains("# remark"));
    for text in ["sin", "12.5", "[m]"] {
        assert!(t.is_coloured(text), "{text}");
    }
    assert!(!t.is_coloured("y) +"));
    t.drop_line();
    let mut plain = command(home.path());
    plain.env("NO_COLOR", "1");
    let mut t = Terminal::start(plain, 100, 40);
    t.ready();
    t.send("sin(y) + 12.5");
    t.wait("the line", |s| s.line().contains("12.5"));
    assert!(!t.is_coloured("sin") && !t.is_coloured("12.5"));
    t.drop_line();
    has(&t.ask("1 + 1"), &["2"]);
}

#[test]
fn history_and_startup_file_are_read_and_their_faults_do_not_hurt() {
    let home = home();
    let mut t = Terminal::prompt(home.path());
    t.ask("first_line = 1");
    t.ask("second_line = 2");
    t.send(":quit\r");
    assert_eq!(t.end(), Some(0));
    let kept = fs::read_to_string(home.path().join(".local/state/phys/history")).expect("the history");
    has(&kept, &["first_line = 1", "second_line = 2"]);
    let config = home.path().join(".config/phys");
    fs::create_dir_all(&config).expect("a scratch folder");
    fs::write(config.join("startup.phys"), "g0 = 9.80665 [m/s^2]\nprint(\"welcome\")\n")
        .expect("a scratch file");
    let mut t = Terminal::prompt(home.path());
    t.wait("the startup file", |s| s.text().contains("welcome"));
    has(&t.ask("g0"), &["9.80665 [m/s^2]"]);
    t.send("first");
    t.send(UP);
    t.wait("a line of the last session", |s| s.line().starts_with("> first_line = 1"));
    t.drop_line();
    drop(t);
    // A faulty startup file is told, and the prompt starts; a history that cannot be kept is done without.
    fs::write(config.join("startup.phys"), "g0 = = 3\n").expect("a scratch file");
    let mut blocked = command(home.path());
    blocked.env("PHYS_HISTORY", "/dev/null/none");
    let mut t = Terminal::start(blocked, 100, 60);
    let screen = t.ready();
    has(&screen.text(), &["error", "startup.phys", "not taken over"]);
    has(&t.ask("1 + 1"), &["2"]);
    t.send("\x04");
    assert_eq!(t.end(), Some(0));
}

#[test]
fn an_interrupted_search_gives_what_it_found() {
    let home = home();
    let mut t = Terminal::prompt(home.path());
    t.ask("var p, q in 1..5");
    t.ask("seen = sample(p^2*q + sin(p*q) + q/(p + exp(q/3)), points: 40000, noise: 0.02, seed: 1)");
    t.send("found = regress(seen, time: 600 [s])\r");
    // Its progress shows that it has begun; a machine that is faster than that is back at the prompt.
    let row = t.row;
    t.wait("the search", |s| {
        s.rows.iter().any(|r| r.starts_with("regress found"))
            || s.line().trim_end() == ">" && s.cursor.0 > row
    });
    t.send("\x03");
    t.settle();
    // The front so far is bound, and says why it is no longer.
    has(&t.ask("found.stopped"), &["\""]);
    has(&t.ask("1 + 1"), &["2"]);
}

#[test]
fn faulty_programs_leave_the_session_alive() {
    let home = home();
    let programs: Vec<_> = files(&root().join("tests/errors"), "phys", &[]);
    assert!(programs.len() > 20);
    let chunks: Vec<&[std::path::PathBuf]> = programs.chunks(programs.len().div_ceil(4)).collect();
    all(&chunks, "sessions", |programs| {
        let mut t = Terminal::prompt(home.path());
        t.ask("kept_from_before = 41");
        for path in programs.iter() {
            let text = fs::read_to_string(path).ok()?;
            if text.contains("use \"") || text.len() > 2_000 {
                continue;
            }
            t.paste(text.trim_end());
            // What goes on is given up with an empty line.
            let open = phys::session::Session::is_incomplete(text.trim_end());
            t.send(if open { "\r\r\r" } else { "\r" });
            t.ready();
            let answer = t.ask("kept_from_before + 1");
            if !answer.contains("42") {
                return Some(format!("{}: {answer}", shown(path)));
            }
        }
        None
    });
}

#[test]
fn ten_megabytes_are_refused_and_the_session_goes_on() {
    let home = home();
    let mut t = Terminal::prompt(home.path());
    t.ask("x = 3");
    t.paste(&"1 + ".repeat(2_500_000));
    let screen = t.ready();
    has(&screen.text(), &["P8022", "nothing of it was run"]);
    has(&t.ask("x"), &["3"]);
    // The same without brackets: what is typed too fast and too far is dropped.
    t.send(&"1+".repeat(5_000_000));
    t.send("\r");
    let screen = t.ready();
    has(&screen.text(), &["P8022"]);
    has(&t.ask("x + 1"), &["4"]);
    // Many lines.
    t.paste(&"x + 1\n".repeat(20_000));
    let screen = t.ready();
    has(&screen.text(), &["P8022"]);
    has(&t.ask("x + 2"), &["5"]);
}

#[test]
fn narrow_and_plain_terminals_work() {
    let home = home();
    let mut t = Terminal::start(command(home.path()), 20, 200);
    t.ready();
    has(&t.ask("1 + 1"), &["2"]);
    has(&t.ask("expand((a + b)^3)"), &["a^3"]);
    let help = t.ask("?sin");
    assert!(help.lines().all(|l| l.chars().count() <= 20), "{help}");
    has(&t.ask(":vars"), &["ans"]);
    has(&t.ask(":help"), &[":vars", ":quit"]);
    t.send("\x04");
    assert_eq!(t.end(), Some(0));

    let mut ascii = command(home.path());
    ascii.env("LC_ALL", "C");
    let mut t = Terminal::start(ascii, 80, 60);
    t.ready();
    has(&t.ask("9.81 ± 0.02 [m/s^2]"), &["9.81 +/- 0.02 [m/s^2]"]);
    let answers = [t.ask("(p + q)/(r + s)"), t.ask("1 [m] + 1 [s]"), t.ask("?[ohm]")];
    for answer in &answers {
        assert!(answer.is_ascii(), "{answer}");
    }
    has(&answers[0], &["(p + q)/(r + s)"]);

    let mut dumb = command(home.path());
    dumb.env("TERM", "dumb");
    let mut t = Terminal::start(dumb, 80, 40);
    t.wait("a prompt", |s| s.line().starts_with('>'));
    t.send("1 + 1\n");
    t.wait("the answer", |s| s.rows.iter().any(|r| r == "2"));
    t.send("\x04");
    assert_eq!(t.end(), Some(0));
}

#[test]
fn a_line_that_does_not_listen_is_given_up() {
    let home = home();
    let mut t = Terminal::prompt(home.path());
    t.ask("x = 3");
    t.send("print(\"begun\"); expand((a + b + c + d + f + g)^60);\r");
    t.wait("the line", |s| s.rows.iter().any(|r| r == "begun"));
    t.send("\x03");
    t.send("\x03");
    // It stopped, refused the work, or was given up: in each case the session is there.
    t.settle();
    has(&t.ask("x + 1"), &["4"]);
}

#[test]
fn a_script_comes_before_the_prompt() {
    let home = home();
    fs::write(home.path().join("s.phys"), "mass = 2 [kg]\nmass*3\n").expect("a scratch file");
    let mut with_script = command(home.path());
    with_script.args(["-i", "s.phys"]);
    let mut t = Terminal::start(with_script, 100, 60);
    let screen = t.ready();
    has(&screen.text(), &["6 [kg]"]);
    has(&t.ask("mass"), &["2 [kg]"]);
    t.send("\x04");
    assert_eq!(t.end(), Some(0));
}

#[test]
fn lines_from_a_pipe_are_plain() {
    let ran = run_input(&["-i"], "x = 3\nx + 1\nf(\n2)\n:vars\nans*2\nexpand(\n(p + 1)^2)\n");
    has(&ran.stdout, &["4\n", "8\n", "p^2 + 2*p + 1\n"]);
    assert!(!ran.stdout.contains('\x1b') && !ran.stdout.contains("out["), "{}", ran.stdout);
    assert_eq!(ran.status, Some(1), "`f(2)` is no function");
    // Commands of the prompt make a script a session.
    let ran = run_input(&[], "a = 1 [m]\n:vars\n?[m]\na*2\n:quit\n1/0\n");
    has(&ran.stdout, &["quantity [m]", "metre", "2 [m]"]);
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    let ran = run_input(&[], "1 + 1\n");
    assert_eq!((ran.stdout.as_str(), ran.status), ("2\n", Some(0)));
    let ran =
        run_input(&["-i"], ":load missing.phys\n:nonsense\n?nonsense_name\n:digits\n:save\n:limit -3 s\n");
    has(&ran.stderr, &["P8001", "P8020", "P8024", "P8021"]);
}

#[test]
fn a_closed_pipe_ends_it_quietly() {
    let mut command = phys();
    command.arg("-i").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary starts");
    drop(child.stdout.take());
    if let Some(mut input) = child.stdin.take() {
        use std::io::Write;
        // It may be gone before it has read everything.
        let _ = input.write_all("1 + 1\n".repeat(1000).as_bytes());
    }
    let done = child.wait_with_output().expect("the child can be waited for");
    let words = String::from_utf8_lossy(&done.stderr).into_owned();
    assert_eq!((done.status.code(), words.as_str()), (Some(0), ""));
}

#[test]
fn a_long_pipe_is_read_in_time() {
    // One line of ten megabytes, and many lines that never end.
    let long = format!("{}1\n:quit\n", "1 + ".repeat(2_500_000));
    let mut command = phys();
    command.arg("-i");
    let ran = run_with(command, Some(&long), Duration::from_secs(60));
    assert!(ran.status.is_some() && !ran.stderr.contains("internal"), "{:?} {}", ran.status, ran.stderr);
    let open = "f(1,\n".repeat(3_000);
    let mut command = phys();
    command.arg("-i");
    let ran = run_with(command, Some(&open), Duration::from_secs(60));
    assert!(ran.status.is_some() && !ran.stderr.contains("internal"), "{:?} {}", ran.status, ran.stderr);
}
