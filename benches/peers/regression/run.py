"""phys and its peers on the same tables: laws recovered, one thread, bounded processor seconds.

    python benches/peers/regression/setup.py .venv-peers
    python benches/peers/regression/run.py --env .venv-peers --phys target/release/phys --seconds 20 \
        --seeds 0,1,2 --noise 0 --peers operon,symbolic_regression,phys --out results/
    python benches/peers/regression/run.py --env .venv-peers --out results/ --score

Every run is a process of its own, one after the other; a result that is there (of the same program and bound) is not
run again, so that an interrupted comparison goes on where it stopped. Times are processor seconds: another load on the
machine does not shorten a search. `--score` prints the table of all results in the folder (see score.py).
"""

import argparse
import hashlib
import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
#: The peers of setup.py; `phys` is the program of `--phys`.
PEERS = ("operon", "symbolic_regression", "gplearn", "eggp", "physo", "phys")


def parsed():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--env", default=".venv-peers", help="the folder that setup.py made")
    parser.add_argument("--phys", help="the phys program")
    parser.add_argument("--name", default="phys", help="what phys is called in the table, to tell versions apart")
    parser.add_argument("--peers", default="operon,symbolic_regression,phys")
    parser.add_argument("--seconds", type=float, default=20, help="processor seconds of a search")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--noise", default="0", help="levels, as shares of the root mean square of the target: 0,0.1")
    parser.add_argument("--set", default="twelve", help="twelve or genetic (problems.py)")
    parser.add_argument("--method", default="", help="the method of phys [default: its own]")
    parser.add_argument("--only", default="", help="names of problems [default: all]")
    parser.add_argument("--out", default="results")
    parser.add_argument("--score", action="store_true", help="run nothing, print the table")
    args = parser.parse_args()
    for peer in args.peers.split(","):
        if peer not in PEERS:
            parser.error(f"expected peers out of {', '.join(PEERS)}, found {peer!r}")
    if "phys" in args.peers.split(",") and not args.score and not args.phys:
        parser.error("expected --phys PATH, or --peers without phys")
    return args


def digest(path):
    return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()[:12]


def commands(args):
    """Of each peer: the name in the table, the command without the table, and what tells its version apart."""
    env = pathlib.Path(args.env).resolve()
    python = str(env / "bin" / "python")
    for peer in args.peers.split(","):
        script = str(HERE / "tools" / f"{peer}.py")
        if peer == "phys":
            binary = ["--binary", str(pathlib.Path(args.phys).resolve())]
            yield args.name, [python, script, *binary, "--method", args.method], digest(args.phys)
        elif peer == "symbolic_regression":
            binary = env / "bin" / "symbolic_regression_cli"
            yield peer, [python, script, "--binary", str(binary)], digest(script)
        elif peer == "physo":
            yield peer, [str(env / "physo" / "bin" / "python"), script], digest(script)
        else:
            yield peer, [python, script], digest(script)


def run(command, seconds):
    """Runs to the end; the processor seconds with all children, the seconds, and the message of a failure."""
    def bounded():
        # A search that does not keep its bound is ended; no core dump of it.
        resource.setrlimit(resource.RLIMIT_CPU, (int(4 * seconds) + 60,) * 2)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    start = time.monotonic()
    with tempfile.TemporaryFile() as log:
        child = subprocess.Popen(command, stdout=log, stderr=log, preexec_fn=bounded)
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        log.seek(0)
        words = log.read().decode(errors="replace")[-800:]
    message = None if child.returncode == 0 else f"ended with {child.returncode}: {words}"
    return used.ru_utime + used.ru_stime, time.monotonic() - start, message


def main():
    args = parsed()
    # The peers' Python has what problems.py and score.py need.
    python = pathlib.Path(args.env).resolve() / "bin" / "python"
    if not python.exists():
        sys.exit(f"expected the environment of setup.py in {args.env}, found none")
    if pathlib.Path(sys.prefix).resolve() != python.parent.parent:
        os.execv(python, [str(python), str(HERE / "run.py"), *sys.argv[1:]])
    import problems

    out = pathlib.Path(args.out)
    if args.score:
        import score

        score.main(out)
        return
    if args.set not in problems.SETS:
        sys.exit(f"expected a set out of {', '.join(problems.SETS)}, found {args.set!r}")
    chosen = [p for p in problems.SETS[args.set] if not args.only or p.name in args.only.split(",")]
    jobs = []
    for noise in (float(level) for level in args.noise.split(",")):
        problems.write(out / "data", noise)
        for seed in (int(s) for s in args.seeds.split(",")):
            for name, command, version in commands(args):
                jobs += [(name, command, version, problem, noise, seed) for problem in chosen]
    for number, (name, command, version, problem, noise, seed) in enumerate(jobs, 1):
        path = out / "runs" / name / f"{problem.name}_noise{noise:g}_{args.seconds:g}s_seed{seed}.json"
        told = f"[{number}/{len(jobs)}] {name} {problem.name} noise {noise:g} seed {seed}"
        if path.exists() and json.loads(path.read_text())["program"] == version:
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        answer = path.with_suffix(".answer")
        answer.unlink(missing_ok=True)
        cpu, wall, failure = run(
            [*command, str(problems.table_path(out / "data", problem, noise).resolve()), "--seconds", str(args.seconds),
             "--seed", str(seed), "--out", str(answer)], args.seconds)
        found = json.loads(answer.read_text()) if answer.exists() else {"failure": failure}
        answer.unlink(missing_ok=True)
        found |= {"name": name, "program": version, "problem": problem.name, "noise": noise, "seed": seed,
                  "seconds": args.seconds, "process_cpu": round(cpu, 3), "wall": round(wall, 3)}
        part = path.with_suffix(".part")
        part.write_text(json.dumps(found))
        part.rename(path)
        told += f": {found['stopped']} after {found['search_cpu']:.2f} CPU s, {wall:.0f} s" if failure is None else f": {failure}"
        print(told, flush=True)


if __name__ == "__main__":
    main()
