"""What is asked of a machine as a whole: nothing is left open, and nothing is there in vain.

* Each state says what it does at each event; at a timer only where that may run.
* Each state is reached, and left, or final.
* Events, deeds and variables are used.

Timers: one that has been set runs until it is cancelled or its time is up.  Where it may run follows from that.
"""

from __future__ import annotations

from typing import Iterator

from . import ast, ir, ir_machine
from .errors import Errors
from .layout import refs
from .source import Span


def check(m: ir_machine.Machine, d: ast.MachineDecl, errors: Errors) -> None:
    """Report, and leave out of the states' tables the timers that can't run there."""
    _Checker(m, d, errors).check()


class _Checker:
    def __init__(self, m: ir_machine.Machine, d: ast.MachineDecl, errors: Errors) -> None:
        self.m = m
        self.errors = errors
        self.where: dict[str, Span] = {}
        for item in d.items:
            if isinstance(item, (ast.MEvent, ast.MDeed, ast.MState)):
                self.where[item.name.name] = item.name.span
            elif isinstance(item, ast.MVar):
                self.where[item.param.name.name] = item.param.name.span
        self.machine = d.name.span

    def check(self) -> None:
        if not any(s.start for s in self.m.states):
            self.errors.error(self.machine, "no state is marked 'start'")
            return
        running = self._running()
        for state in self.m.states:
            if state.name not in running:
                self.errors.error(self.where[state.name], f"state '{state.name}' is never reached")
                continue
            self._complete(state, running[state.name])
            self._left(state)
        self._used()

    # --- where timers run -------------------------------------------------------------

    def _running(self) -> dict[str, set[str]]:
        """For each state that is reached, the timers that may run in it."""
        running: dict[str, set[str]] = {self.m.start.name: set()}
        todo = [self.m.start]
        while todo:
            state = todo.pop()
            for some in state.on.values():
                for t in some:
                    if t.event.kind == "timer" and t.event.name not in running[state.name]:
                        continue
                    to = t.to or state
                    after = _after(t, running[state.name])
                    if to.name not in running or not after <= running[to.name]:
                        running[to.name] = running.get(to.name, set()) | after
                        todo.append(to)
        return running

    # --- states -----------------------------------------------------------------------

    def _complete(self, state: ir_machine.State, timers: set[str]) -> None:
        missing: list[str] = []
        for event in self.m.events:
            some = state.on.get(event.name, [])
            if event.kind == "timer" and event.name not in timers:
                mine = [t for t in some if not t.always]
                if mine:
                    self.errors.error(self.where[state.name], f"timer '{event.name}' never runs in state '{state.name}' (line {mine[0].loc.line})")
                state.on.pop(event.name, None)
            elif not some or some[-1].guard is not None:
                missing.append(event.name + (" when no condition holds" if some else ""))
        if missing:
            text = f"state '{state.name}' does not say what happens at {', '.join(missing)}; 'ignore' and 'refuse' are answers too"
            self.errors.error(self.where[state.name], text)

    def _left(self, state: ir_machine.State) -> None:
        leads = any(t.to not in (None, state) for some in state.on.values() for t in some)
        if not leads and not state.final and len(self.m.states) > 1:
            self.errors.error(self.where[state.name], f"nothing leads out of state '{state.name}', and it is not 'final'")

    def _nodes(self) -> Iterator[ir.Expr]:
        """Every node of every expression."""
        for t in self.m.transitions:
            for e in (t.guard, *(a for do in t.todo for a in do.args)):
                yield from refs(e)
        for never in self.m.nevers:
            yield from refs(never.cond)

    # --- what is used -------------------------------------------------------------------

    def _used(self) -> None:
        used: set[str] = set()
        for t in self.m.transitions:
            if t.kind == "on":
                used.add(t.event.name)
            for do in t.todo:
                used.add(do.target.name)
        for node in self._nodes():
            if isinstance(node, ir_machine.TestOf):
                used.add(node.test.name)
            elif isinstance(node, ir.ParamRef):
                used.add(node.param.name)
        for what, names in (
            ("event", [e.name for e in self.m.events]),
            ("variable", [v.name for v in self.m.vars]),
        ):
            for name in names:
                if name not in used:
                    self.errors.error(self.where[name], f"{what} '{name}' is not used")
        for deed in self.m.deeds:
            if deed.name not in used:
                self.errors.error(self.where[deed.name], f"{deed.kind} '{deed.name}' is not used")


def _after(t: ir_machine.Transition, before: set[str]) -> set[str]:
    """The timers that run behind a transition."""
    after = before - {t.event.name}
    for do in t.todo:
        if do.kind == "set":
            after.add(do.target.name)
        elif do.kind == "cancel":
            after.discard(do.target.name)
    return after
