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
        self.where = {i.name.span.loc(): i.name.span for i in d.items if isinstance(i, (ast.MEvent, ast.MDeed, ast.MState))}
        self.vars = zip(m.vars, (i.param.name.span for i in d.items if isinstance(i, ast.MVar)))
        self.machine = d.name.span
        # of a state that runs a machine; the tables lose those that can't run
        self.timers = [(t, s) for s in m.states for some in s.on.values() for t in some if t.copied and t.event.kind == "timer"]

    def check(self) -> None:
        if not any(s.start for s in self.m.states):
            self.errors.error(self.machine, "no state is marked 'start'")
            return
        running = self._running()
        for state in self.m.states:
            if state.name not in running:
                self.errors.error(self.where[state.loc], f"state '{state.name}' is never reached")
                continue
            self._complete(state, running[state.name])
            self._left(state)
        self._used()
        self._copied(running)

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
                mine = [t for t in some if not t.always and not t.copied]
                if mine:
                    self.errors.error(self.where[state.loc], f"timer '{event.name}' never runs in state '{state.name}' (line {mine[0].loc.line})")
                state.on.pop(event.name, None)
            elif not some or some[-1].guard is not None:
                missing.append(event.name + (" when no condition holds" if some else ""))
        if missing:
            text = f"state '{state.name}' does not say what happens at {', '.join(missing)}; 'ignore' and 'refuse' are answers too"
            self.errors.error(self.where[state.loc], text)

    def _copied(self, running: dict[str, set[str]]) -> None:
        """Of what stands in several states, a timer must run in one at least; where it does not, there is no transition."""
        copies: dict[ir.Loc, list[tuple[ir_machine.Transition, bool]]] = {}
        for t, state in self.timers:
            copies.setdefault(t.loc, []).append((t, t.event.name in running.get(state.name, ())))
        for some in copies.values():
            t = some[0][0]
            if not any(runs for _, runs in some):
                self.errors.error(self.machine, f"timer '{t.event.name}' never runs where line {t.loc.line} says what happens then")
        idle = {id(t) for some in copies.values() for t, runs in some if not runs}
        self.m.transitions = [t for t in self.m.transitions if id(t) not in idle]
        for number, t in enumerate(self.m.transitions):
            t.number = number

    def _left(self, state: ir_machine.State) -> None:
        leads = any(t.to not in (None, state) for some in state.on.values() for t in some)
        if not leads and not state.final and len(self.m.states) > 1:
            self.errors.error(self.where[state.loc], f"nothing leads out of state '{state.name}', and it is not 'final'")

    def _nodes(self) -> Iterator[ir.Expr]:
        """Every node of every expression."""
        for t in self.m.transitions:
            for e in (t.guard, *(a for do in t.todo for a in do.args)):
                yield from refs(e)
        for never in self.m.nevers:
            yield from refs(never.cond)

    # --- what is used -------------------------------------------------------------------

    def _used(self) -> None:
        used: set[int] = {id(t.event) for t in self.m.transitions if t.kind == "on"}
        used |= {id(do.target) for t in self.m.transitions for do in t.todo}
        for node in self._nodes():
            if isinstance(node, ir_machine.TestOf):
                used.add(id(node.test))
            elif isinstance(node, ir.ParamRef):
                used.add(id(node.param))
        for event in self.m.events:
            if id(event) not in used:
                self.errors.error(self.where[event.loc], f"event '{event.name}' is not used")
        for deed in self.m.deeds:
            if id(deed) not in used:
                self.errors.error(self.where[deed.loc], f"{deed.kind} '{deed.name}' is not used")
        for var, span in self.vars:
            if id(var) not in used:
                self.errors.error(span, f"variable '{var.name}' is not used")


def _after(t: ir_machine.Transition, before: set[str]) -> set[str]:
    """The timers that run behind a transition."""
    after = before - {t.event.name}
    for do in t.todo:
        if do.kind == "set":
            after.add(do.target.name)
        elif do.kind == "cancel":
            after.discard(do.target.name)
    return after
