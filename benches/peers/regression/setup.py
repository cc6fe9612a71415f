"""Sets up the peers of run.py with one command.

    python benches/peers/regression/setup.py [FOLDER] [--physo]

FOLDER (.venv-peers) becomes a virtual environment with the peers that pip installs, and the program around the crate
`symbolic_regression`, built for the running processor. Needs Python 3.11 or later and cargo.

| peer | package | licence |
| --- | --- | --- |
| Operon | pyoperon (PyPI) | MIT |
| symbolic_regression | symbolic_regression (crates.io), a port of SymbolicRegression.jl | Apache-2.0 |
| gplearn | gplearn (PyPI) | BSD-3-Clause |
| eggp | eggp (PyPI) | GPL-3.0 |
| PhySO | physo (PyPI), with `--physo`: an environment of its own in FOLDER/physo, several gigabytes | MIT |

PySR (Apache-2.0) is left out: it downloads Julia when it is first used. The crate above is the port of its engine.
All peers run as programs of their own; nothing of them is linked into phys or shipped with it.
"""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import venv

HERE = pathlib.Path(__file__).resolve().parent
#: The versions that the published tables were made with.
PACKAGES = ["numpy==2.4.6", "scipy==1.17.1", "sympy==1.14.0", "pyoperon==0.6.2", "gplearn==0.4.3", "eggp==2.2.2"]


def pip(folder, *packages):
    """Makes the environment where there is none, and installs into it."""
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages], check=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", default=".venv-peers", type=pathlib.Path)
    parser.add_argument("--physo", action="store_true", help="PhySO too (it brings torch)")
    args = parser.parse_args()
    if sys.version_info < (3, 11):
        parser.error("expected Python 3.11 or later")
    folder = args.folder.resolve()
    pip(folder, *PACKAGES)
    if args.physo:
        pip(folder / "physo", "numpy", "physo==1.1.11")
    target = folder / "target"
    subprocess.run(
        ["cargo", "build", "--release", "--locked", "--manifest-path", HERE / "symbolic_regression_cli" / "Cargo.toml"],
        env={**os.environ, "RUSTFLAGS": "-C target-cpu=native", "CARGO_TARGET_DIR": str(target)}, check=True)
    shutil.copy2(target / "release" / "symbolic_regression_cli", folder / "bin")
    print(f"the peers are in {folder}")


if __name__ == "__main__":
    main()
