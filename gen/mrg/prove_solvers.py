"""What solvers say to a goal in SMT-LIB.

Their effort is counted in their own units, not in seconds: what is proved doesn't depend on what else a machine does.
"""

from __future__ import annotations

import enum
import math
import re
import tempfile
from typing import Sequence

from . import prove_calls

# About how much a solver does in a second.
UNITS = {"cvc4": 250_000, "z3": 3_000_000}
CALLS = {"cvc4": ["cvc4", "--lang=smt2", "--rlimit={units}", "--cpu-time", "--tlimit={ms}"], "z3": ["z3", "rlimit={units}"]}
# Where that is far from the truth, a solver is stopped after so many times the processor's seconds that it should take.
LATE = 4
LIST = re.compile(r"^;; L_l_\w+_list_def\n(.*)\n", re.M)
SIZE = re.compile(r"\bL_l_\w+_size\b")
# Who is as soon done with a goal among others as its process begins; cvc4 takes as long to forget.
QUICK = ("z3",)
MARK = "goal "
WHY = "(get-info :reason-unknown)\n"
LOGIC = {"cvc4": "(set-logic AUFDTNIRA)\n", "z3": ""}


def thinner(goal: str) -> str:
    """A goal without what elements of its lists take: each step along a list calls for that once more, and that they take some is enough."""
    sizes = "|".join(sorted({size for text in LIST.findall(goal) for size in SIZE.findall(text)}))
    return re.sub(rf"^;; ({sizes})(?:'def|_def)\n.*\n", "", goal, flags=re.M) if sizes else goal


class Answer(enum.Enum):
    SHOWN = "shown"
    AT_A_LOSS = "at a loss"  # more effort would change nothing
    SPENT = "spent"  # so is the effort, or there was something that can't be read


def together(solver: str, goals: Sequence[str], seconds: float) -> tuple[list[bool], float]:
    """Which of some goals a solver shows that forgets one before it reads the next, with about so many seconds of its time for each."""
    text = "".join(f'{LOGIC[solver]}(echo "{MARK}{i}")\n{goal}(reset)\n' for i, goal in enumerate(goals))
    done = _call(solver, text, seconds, seconds * LATE * len(goals))
    said = {}
    for part in done.stdout.replace('"', "").split(MARK)[1:]:
        number, *lines = part.splitlines()
        said[int(number)] = _heard(lines) == ["unsat"]
    return [said.get(i, False) for i in range(len(goals))], done.seconds


def asks(solver: str, goal: str, seconds: float, late: int = LATE) -> tuple[Answer, float]:
    """What a solver says to a goal, asked for at its end, with about so many seconds of its time, and the seconds that it took."""
    done = _call(solver, LOGIC[solver] + goal + WHY, seconds, seconds * late)
    said = _heard(done.stdout.splitlines())
    if said[:1] == ["unsat"]:
        return Answer.SHOWN, done.seconds
    at_a_loss = said[:1] == ["unknown"] and "incomplete" in said[-1]
    return Answer.AT_A_LOSS if at_a_loss else Answer.SPENT, done.seconds


def _call(solver: str, text: str, seconds: float, most: float) -> prove_calls.Done:
    with tempfile.NamedTemporaryFile("w", suffix=".smt2", encoding="utf-8") as f:
        f.write(text)
        f.flush()
        effort = [part.format(units=int(seconds * UNITS[solver]), ms=int(most * 1000)) for part in CALLS[solver]]
        return prove_calls.call(["prlimit", f"--cpu={math.ceil(most)}", *effort, f.name])


def _heard(lines: Sequence[str]) -> list[str]:
    """What a solver says that bears on a goal: z3 wonders at a quantifier with a pattern of no variable."""
    return [line for line in lines if not line.startswith("WARNING: ")]
