"""A machine as it is to behave: the reference that the C is compared with.

Events have numbers for their parameters, and for the fields of packets that came (`view.field`).  Tests are answered by
whoever runs the machine; deeds, timers and what was decided are told in order.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Callable, Mapping, Optional

from . import ir, ir_machine
from .layout import refs
from .values import operate

Test = Callable[[str, tuple[int, ...]], int]
Did = tuple[str, tuple[int, ...]]  # "do solicit", "set retry", and the arguments


@dataclass
class Step:
    kind: str  # on ignore refuse
    transition: Optional[ir_machine.Transition] = None
    did: list[Did] = field(default_factory=list)


class Machine:
    def __init__(self, m: ir_machine.Machine) -> None:
        self.m = m
        self.state = m.start
        self.vars = dict(zip((v.name for v in m.vars), m.first))
        self.running: set[str] = set()  # timers

    def step(self, event: str, values: Mapping[str, int], test: Test) -> Step:
        """Do what is to be done at an event."""
        for t in self.state.on.get(event, []):
            if t.guard is None or self._value(t.guard, values, test):
                return self._take(t, values, test)
        return Step("refuse")

    def _take(self, t: ir_machine.Transition, values: Mapping[str, int], test: Test) -> Step:
        step = Step(t.kind, t)
        self.running.discard(t.event.name)
        self.state = t.to or self.state
        for do in t.todo:
            args = tuple(self._value(a, values, test) for a in do.args)
            if isinstance(do.target, ir.Param):
                self.vars[do.target.name] = args[0]
                continue
            if do.kind == "set":
                self.running.add(do.target.name)
            elif do.kind == "cancel":
                self.running.discard(do.target.name)
            step.did.append((f"{'do' if do.kind == 'deed' else do.kind} {do.target.name}", args))
        return step

    def holds(self) -> bool:
        """What the specification says of all times."""
        return self.broken() is None

    def broken(self) -> Optional[ir_machine.Never]:
        """What is so and is never to be."""
        return next((n for n in self.m.nevers if any(self.state is s for s in n.states) and self._value(n.cond, {}, _no_test)), None)

    # --- expressions ----------------------------------------------------------------

    def _value(self, e: ir.Expr, values: Mapping[str, int], test: Test) -> int:
        def of(part: ir.Expr) -> int:
            return self._value(part, values, test)

        if isinstance(e, ir.Const):
            return e.value
        if isinstance(e, ir.ParamRef):
            return self.vars[e.param.name] if e.param.name in self.vars else values[e.param.name]
        if isinstance(e, ir.FieldRef):
            return values[".".join(item.name for item in e.path)]
        if isinstance(e, ir_machine.TestOf):
            return test(e.test.name, tuple(of(a) for a in e.args))
        if isinstance(e, ir.Un):
            return int(not of(e.a)) if e.op == "!" else of(e.a) ^ ((1 << 64) - 1)
        if isinstance(e, ir.Cond):
            return of(e.a) if of(e.c) else of(e.b)
        if isinstance(e, ir.In):
            value = of(e.e)
            return int(any(of(lo) <= value <= of(hi) for lo, hi in e.ranges))
        assert isinstance(e, ir.Bin), type(e).__name__
        if e.op in ("&&", "||"):
            left = bool(of(e.a))
            return int(left and bool(of(e.b))) if e.op == "&&" else int(left or bool(of(e.b)))
        return operate(e.op, of(e.a), of(e.b))


def _no_test(name: str, args: tuple[int, ...]) -> int:
    raise ValueError(f"'{name}' is asked where nothing has come")


def fields_used(m: ir_machine.Machine, e: ir_machine.Event) -> dict[str, ir.Scalar]:
    """Fields of the event's packets that decide something, by `view.field`."""
    out: dict[str, ir.Scalar] = {}
    for t in m.transitions:
        for expr in (t.guard, *(a for do in t.todo for a in do.args)) if t.event is e else ():
            for node in refs(expr):
                if isinstance(node, ir.FieldRef) and isinstance(node.path[-1], ir.Scalar):
                    out[".".join(item.name for item in node.path)] = node.path[-1]
    return out
