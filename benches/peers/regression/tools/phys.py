"""phys: `phys regress TABLE --no-units` with its defaults or one `--method`, and the functions that all peers are given."""

import json
import pathlib
import subprocess

import common


def main():
    args = common.arguments(binary="", method="")
    _, y = common.table(args.table)
    out = pathlib.Path(args.out).with_suffix(".phys")
    out.unlink(missing_ok=True)
    # The bound is on processor seconds; the clock's is far away.
    command = [args.binary, "regress", args.table, "--target", "y", "--no-units", "--quiet", "--threads", "1",
               "--operators", "+,-,*,/,^,sqrt,exp,log,sin,cos",
               "--cpu-time", str(args.seconds), "--time", str(60 * args.seconds + 60), "--seed", str(args.seed),
               "--json", str(out), "--trace"]
    if args.method:
        command += ["--method", args.method]
    run = subprocess.run(command, capture_output=True, text=True)
    if not out.exists():
        raise SystemExit(run.stderr[-500:] or f"phys ended with {run.returncode}")
    found = json.loads(out.read_text())
    out.unlink()
    version = subprocess.run([args.binary, "--version"], capture_output=True, text=True, check=True).stdout.split()[-1]
    front = [{"expression": m["sympy"], "size": m["size"], "loss": m["loss"]} for m in found["front"]]
    clock = common.Clock()
    for gain in found["trace"]:
        clock.note(gain["r2"], gain["cpu_seconds"])
    common.answer(args.out, tool="phys", version=version, settings=args.method or "defaults", expression=found["sympy"], front=front,
                  search_cpu=found["cpu_seconds"], trace=clock.trace, stopped=found["stopped"], engine=found["engine"],
                  work=found["work"], own_expression=found["expression"])


main()
