"""What solvers say to a goal in SMT-LIB.

Their effort is counted in their own units, not in seconds: what is proved doesn't depend on what else a machine does.
"""

from __future__ import annotations

import math
import re
import tempfile

from . import prove_calls

# About how much a solver does in a second.
UNITS = {"cvc4": 250_000, "z3": 3_000_000}
CALLS = {"cvc4": ["cvc4", "--lang=smt2", "--rlimit={}"], "z3": ["z3", "rlimit={}"]}
# Where that is far from the truth, a solver is stopped after so many times the processor's seconds that it should take.
LATE = 4
LIST = re.compile(r"^;; L_l_\w+_list_def\n(.*)\n", re.M)
SIZE = re.compile(r"\bL_l_\w+_size\b")
LOGIC = {"cvc4": "(set-logic AUFDTNIRA)\n", "z3": ""}


def thinner(goal: str) -> str:
    """A goal without what elements of its lists take: each step along a list calls for that once more, and that they take some is enough."""
    sizes = "|".join(sorted({size for text in LIST.findall(goal) for size in SIZE.findall(text)}))
    return re.sub(rf"^;; ({sizes})(?:'def|_def)\n.*\n", "", goal, flags=re.M) if sizes else goal


def shows(solver: str, goal: str, seconds: float) -> tuple[bool, float]:
    """Whether a solver shows a goal, asked for at its end, with about so many seconds of its time, and the seconds that it took."""
    with tempfile.NamedTemporaryFile("w", suffix=".smt2", encoding="utf-8") as f:
        f.write(LOGIC[solver] + goal)
        f.flush()
        call = ["prlimit", f"--cpu={math.ceil(seconds * LATE)}"] + [part.format(int(seconds * UNITS[solver])) for part in CALLS[solver]] + [f.name]
        done = prove_calls.call(call)
    return done.stdout == "unsat\n", done.seconds
