//! Every fault with its hint, alone and several in one text.

use super::*;

#[test]
fn every_known_mistake_has_its_hint() {
    let complaints: Vec<String> = [
        ("f'(x)", 1018, "diff(f(x), x)"),
        ("f''(x)", 1018, "diff(f(x), x, 2)"),
        ("f (x)", 1011, "f(x), or f*(x)"),
        ("x^2y", 1010, "x^2*y, or x^(2y)"),
        ("2 m", 1010, "2*m, or 2 [m]"),
        ("m v", 1010, "m*v"),
        ("(a+b)(a-b)", 1010, "(a+b)*(a-b)"),
        ("(a+b) (a-b)", 1010, "(a+b)*(a-b)"),
        ("(a+b)c", 1010, "(a+b)*c"),
        ("sin²(x)", 1010, "sin(x)²"),
        ("2 (a)", 1010, "2*(a)"),
        ("5.e3", 1007, "5.0e3"),
        ("5.", 1007, "5.0"),
        (".5", 1007, "0.5"),
        ("0x1F", 1007, "31"),
        ("1.234(5)", 1007, "1.234 ± 0.005"),
        ("1.2(34)e-3", 1007, "1.2e-3 ± 3.4e-3"),
        ("1__0", 1007, "10"),
        ("1e999", 1007, "inf"),
        ("f(2) = 3", 1013, "f(2) == 3"),
        ("x' = v", 1013, "x' == v"),
        ("F + 1 = 3", 1013, "F + 1 == 3"),
        ("a == b == c", 1015, "a == b and b == c"),
        ("a < b > c", 1015, "a < b and b > c"),
        ("f(a = 3)", 1014, "a: 3"),
        ("f { a = 3 }", 1014, "a: 3"),
        ("f { in = 3 }", 1014, "in: 3"),
        ("f(in = 3)", 1014, "in: 3"),
        ("f { 3 }", 1014, "name: 3"),
        ("xs [i, 1]", 1017, "xs[i, 1]"),
        ("xs [i+1]", 1017, "xs[i+1] for an index"),
        ("3 [m]^2", 1016, "3 [m^2], or (3 [m])^2"),
        ("3 [m]²", 1016, "3 [m²], or (3 [m])²"),
        ("3 [m] [s]", 1016, "3 [m] -> [s]"),
        ("3 [N m]", 1017, "[N*m]"),
        ("x = 3\n- 4", 1012, "-"),
        ("a ** b", 1009, "a^b"),
        ("x**(a+1)", 1009, "x^(a+1)"),
        ("a && b", 1009, "a and b"),
        ("!a", 1009, "not a"),
        ("n!", 1009, "factorial(n)"),
        ("(n+1)!", 1009, "factorial((n+1))"),
        ("x := 3", 1009, "x = 3"),
        ("a % b", 1009, "mod(a, b)"),
        ("5%3", 1009, "mod(5, 3)"),
        ("5 %", 1009, "[%]"),
        ("20 °C", 1009, "[degC]"),
        ("(a, b)", 1022, "[a, b]"),
        ("m[i, j]", 1022, "m[i][j]"),
        ("f(x) {a: 1} {b: 2}", 1022, "{"),
        ("3 {a: 1}", 1022, "f(x)"),
        ("x |> 3", 1021, "x |> f(a)"),
        ("x |> f + 1", 1021, "x |> f(a)"),
        ("\"a", 1005, "\""),
        ("\"a {b", 1005, "\""),
        ("\"\\q\"", 1006, "r\"...\""),
        ("var x positive", 1023, "> 0"),
        ("var x > 1", 1023, "in 1..inf"),
        ("var x reel", 1023, "real"),
        ("check a = b", 1001, "=="),
        ("v -> km/h", 1001, "-> [km/h]"),
        ("1 + if a then b else c", 1001, "(if c then a else b)"),
        ("if a then b", 1002, "else 0"),
        ("x = 1 +", 1002, ""),
        ("x = )", 1004, ""),
        ("sin(x", 1003, ")"),
        ("x = [1, 2", 1003, "]"),
        ("(a]", 1001, ")"),
        ("f(x; y)", 1001, ","),
        ("let x = 3", 1010, "x = ..."),
        ("print x", 1010, "print(x)"),
        ("a $ b", 1008, ""),
        ("a \u{1} b", 1008, ""),
        ("“abc”", 1008, "\"...\""),
        ("xⁿ", 1008, "x^n"),
        ("in = 3", 1001, "in_"),
        ("for = 3", 1001, "for_"),
        ("3 [m] x", 1010, "3 [m]*x"),
        ("3 [2*m]", 1017, "2 [m]"),
        ("extern f(x: table[real]) -> real", 1024, ""),
        ("extern f(x: real??) -> real", 1024, ""),
        ("\"{}\"", 1001, "\\{"),
        ("\"{x:99}\"", 1007, "{x:4}"),
        ("for x in xs\nprint(x)", 1001, "{ ... }"),
        ("x = y = 3", 1001, "=="),
    ]
    .into_iter()
    .filter_map(|(text, code, hint)| complaint(text, code, hint))
    .collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn unclear_divisions_are_warned_of() {
    for (text, code, hint) in [
        ("1/2x", 1030, "1/(2x), or 1/2*x"),
        ("a/2√x", 1030, "a/(2√x)"),
        ("1/2 [s]", 1031, "(1/2) [s], or 1/(2 [s])"),
    ] {
        let parsed = read(text);
        assert_eq!(parsed.diagnostics.len(), 1, "{text}");
        assert_eq!(parsed.diagnostics[0].severity, Severity::Warning);
        assert!(!parsed.has_errors());
        fault(text, code, hint);
    }
    for text in ["1/(2x)", "1/2*x", "(1/2) [s]", "1/(2 [s])", "5 [m]/2 [s]", "x/y [m]"] {
        tree(text);
    }
}

#[test]
fn one_run_reports_every_fault() {
    let codes = |text: &str| faults(text).into_iter().map(|f| f.0).collect::<Vec<_>>();
    assert_eq!(codes("x = 2 m\ny = )\nz = 3\nf (x)\ncheck a = b\n"), [1010, 1004, 1011, 1001]);
    assert_eq!(codes("f { a = 1\n b: * 2\n c: 3, d 4 }\ny = 1 +\n"), [1014, 1001, 1010, 1002]);
    // A forgotten bracket swallows nothing.
    let parsed = read("a = sin(x\nb = 2\nc = [1, 2\nvar t in 0..1\nd = f {\n p: 1\ne = 3 m\n");
    let codes_of: Vec<u16> = parsed.diagnostics.iter().map(|d| d.code.0).collect();
    assert_eq!(codes_of, [1003, 1003, 1003, 1010]);
    assert_eq!(parsed.tree.statements.len(), 6);
    // Faults inside bodies leave the body's end alone.
    assert_eq!(codes("for x y in xs {\n a = 1\n b = 2 c\n}\nd = 1\n"), [1001, 1010]);
    assert_eq!(codes("for x in xs {\n a = (1\n b = 2\n}\nd = )\n"), [1003, 1004]);
    assert_eq!(codes("if a > { b = 1 }\nc = 1 1\n").last(), Some(&1010));
    // Strings end with their line.
    assert_eq!(codes("a = \"x {y\nb = \"z\nc = 1"), [1005, 1005]);
    // A missing `}` is reported at its opener.
    let parsed = read("for x in xs {\n  y = 1\n");
    assert_eq!(parsed.diagnostics.len(), 1);
    assert_eq!(parsed.diagnostics[0].span.map(|s| (s.start, s.end)), Some((12, 13)));
}
