"""PhySO (MIT): a recurrent network proposes formulas and learns from the best; without units, as all tools here.

Needs `setup.py --physo`. Its default settings; two free numbers and the number one; one formula a run: no front.
"""

import importlib.metadata
import os
import pathlib
import sys
import tempfile
import warnings

# This file has the package's name: the package must be found first.
sys.path = [p for p in sys.path if pathlib.Path(p or ".").resolve() != pathlib.Path(__file__).resolve().parent]
warnings.filterwarnings("ignore")
import numpy as np  # noqa: E402
import physo  # noqa: E402
import sympy  # noqa: E402
import torch  # noqa: E402
from physo.learn import monitoring  # noqa: E402

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import common  # noqa: E402


class TimeIsUp(Exception):
    pass


def main():
    args = common.arguments()
    torch.set_num_threads(1)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)
    x, y = common.table(args.table)
    clock = common.Clock()
    state = {"reward": -1.0, "program": None}
    folder = tempfile.mkdtemp()

    class Logger(monitoring.RunLogger):
        def log(self, *values, **named):
            super().log(*values, **named)
            first = int(np.argmax(self.R))
            if self.R[first] > state["reward"]:
                state.update(reward=float(self.R[first]), program=self.batch.programs.get_prog(first))
            if clock.seconds() >= args.seconds:
                raise TimeIsUp

    stopped = "exact"
    try:
        physo.SR(x.T, y, X_names=[f"x{i}" for i in range(x.shape[1])], y_name="y", fixed_consts=[1.0],
                 free_consts_names=["c0", "c1"],
                 op_names=["add", "sub", "mul", "div", "inv", "neg", "n2", *common.FUNCTIONS],
                 run_config=physo.config.config0.config0, stop_reward=1 - common.STOP**0.5, stop_after_n_epochs=1,
                 epochs=10**6, parallel_mode=False,
                 get_run_logger=lambda: Logger(save_path=os.path.join(folder, "log"), do_save=False),
                 get_run_visualiser=lambda: monitoring.RunVisualiser(
                     epoch_refresh_rate=10**9, save_path=os.path.join(folder, "plot.png"), do_show=False, do_prints=False,
                     do_save=False))
    except TimeIsUp:
        stopped = "time"
    used = clock.seconds()
    program = state["program"]
    text = str(sympy.sympify(np.ravel(program.get_infix_sympy(evaluate_consts=True))[0]))
    member = {"expression": text, "size": len(program.tokens), "loss": None}
    common.answer(args.out, tool="physo", version=importlib.metadata.version("physo"), settings="config0", expression=text,
                  front=[member], search_cpu=used, trace=[], stopped=stopped)


main()
