"""What `mrg prove` has to show, and the solver that shows it.

Facts are added under the conditions that they hold under (`under`), and goals
are held against the facts that were known when they were set: a goal waits
until the next fact comes, so that one question settles many.  Nothing of the
compiler's own prover (prove.py) is used here.

Reading order: load, Goals.assume, Goals.goal, Goals.settle.
"""

from __future__ import annotations

import importlib
import os
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Iterator, Optional

from . import ir

Term = Any  # z3 has no types
DEBIAN = "/usr/lib/python3/dist-packages"  # python3-z3 puts it there, where a Python of another origin does not look
PATIENCE_MS = 10_000  # for one question; most take a few milliseconds


class Missing(Exception):
    """There is no z3."""

    def __str__(self) -> str:
        return "z3 is not installed: 'apt-get install python3-z3' on Debian, 'pip install z3-solver' elsewhere"


def load() -> Any:
    """The module z3; raises Missing."""
    try:
        return importlib.import_module("z3")
    except ImportError:
        pass
    if os.path.isdir(os.path.join(DEBIAN, "z3")):
        sys.path.append(DEBIAN)
        try:
            return importlib.import_module("z3")
        except ImportError:
            pass
        finally:
            sys.path.remove(DEBIAN)
    raise Missing


@dataclass
class Goal:
    """Something that must hold at a place.  guards: when that place is reached; stage: how much was read before."""

    loc: ir.Loc
    what: str
    guards: tuple[Term, ...]
    holds: Term
    stage: int


@dataclass
class Unmet:
    """A goal that does not follow.  model: where it fails; None: the solver could not tell."""

    goal: Goal
    model: Optional[Any]


class Goals:
    """The facts and goals of one packet."""

    def __init__(self, z3: Any) -> None:
        self.z3 = z3
        self.solver = z3.SimpleSolver()
        self.solver.set("timeout", PATIENCE_MS)
        self.guards: tuple[Term, ...] = ()
        self.waiting: list[Goal] = []
        self.count = 0
        self.unmet: list[Unmet] = []
        self.exact: list[Term] = []  # what terms that are not linear are, for when their bounds don't do
        self.wishes: list[Term] = []  # what makes a counterexample a short packet
        self.names = 0
        self.stage = 0  # items that were read

    # --- facts ------------------------------------------------------------------

    def fresh(self, name: str, lo: int, hi: Optional[int]) -> Term:
        """A number that is in lo..hi whatever the message is."""
        self.names += 1
        v = self.z3.Int(f"{name}!{self.names}")
        self.solver.add(v >= lo)
        if hi is not None:
            self.solver.add(v <= hi)
        return v

    def maybe(self, name: str) -> Term:
        """Something that may be so or not."""
        self.names += 1
        return self.z3.Bool(f"{name}!{self.names}")

    def given(self, fact: Term) -> None:
        """What a new number is: true of some value of it whatever the message is, so that it tells nothing of others."""
        self.solver.add(fact)

    def assume(self, fact: Term) -> None:
        """What holds from here on, since the reader would have stopped."""
        self.settle()
        self.solver.add(self.z3.Implies(self.here(), fact) if self.guards else fact)

    @contextmanager
    def under(self, *conditions: Term) -> Iterator[None]:
        """What is added meanwhile holds only under these conditions."""
        outer, self.guards = self.guards, self.guards + conditions
        try:
            yield
        finally:
            self.guards = outer

    def here(self) -> Term:
        """This place is reached."""
        return self.all(self.guards)

    def all(self, parts: tuple[Term, ...]) -> Term:
        return parts[0] if len(parts) == 1 else self.z3.And(*parts) if parts else self.z3.BoolVal(True)

    # --- goals ------------------------------------------------------------------

    def goal(self, loc: ir.Loc, what: str, holds: Term) -> None:
        """Must hold here.  holds: a term, or a bool that was worked out already."""
        self.count += 1
        if holds is True:
            return
        self.waiting.append(Goal(loc, what, self.guards, self.z3.BoolVal(False) if holds is False else holds, self.stage))

    def settle(self) -> None:
        """Show all goals that wait, together if that can be, else one by one."""
        goals, self.waiting = self.waiting, []
        if not goals:
            return
        broken = [self.z3.And(*g.guards, self.z3.Not(g.holds)) for g in goals]
        if self._ask(self.z3.Or(*broken))[0] == self.z3.unsat:
            return
        for goal, wrong in zip(goals, broken):
            self._one(goal, wrong)

    def _one(self, goal: Goal, wrong: Term) -> None:
        answer, model = self._ask(wrong)
        if answer != self.z3.unsat and self.exact:
            answer, model = self._ask(wrong, *self.exact)
        if answer == self.z3.unsat:
            return
        self.unmet.append(Unmet(goal, self._short([wrong]) or model if answer == self.z3.sat else None))
        if not self.z3.is_false(goal.holds):
            self.solver.add(self.z3.Implies(self.all(goal.guards), goal.holds))  # what follows from it is not told again

    def _short(self, terms: list[Term]) -> Optional[Any]:
        """A model of a short packet, if there is one."""
        kept: list[Term] = []
        best = None
        for wish in self.wishes:
            answer, model = self._ask(*terms, *self.exact, *kept, wish)
            if answer == self.z3.sat:
                kept.append(wish)
                best = model
        return best

    def example(self, terms: list[Term]) -> Optional[Any]:
        """A model of a message for which these hold, too."""
        self.settle()
        model = self._ask(*terms, *self.exact)[1]
        return model if model is None else self._short(terms) or model

    def _ask(self, *terms: Term) -> tuple[Any, Optional[Any]]:
        self.solver.push()
        try:
            self.solver.add(*terms)
            answer = self.solver.check()
            return answer, self.solver.model() if answer == self.z3.sat else None
        finally:
            self.solver.pop()

    def possible(self, *terms: Term) -> Any:
        """Whether any message gets here, for which these hold, too: facts that contradict each other would show everything."""
        self.settle()
        return self._ask(*terms)[0]
