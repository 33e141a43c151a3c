"""Whether what was seen of a machine is what its specification says: `mrg watch`.

The first that is wrong counts: an event that is refused, a timer that went off and did not run, a deed that is not the next
to be done or did not come before the next event, what is `never` to be.  C that is compiled with MRG_WATCH does the same
beside a machine that runs (emit/machine_watch.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

from . import ir, ir_machine
from .errors import Diagnostic, Failed
from .machine_ref import Did, Machine, Test
from .trace import Event, Trace


@dataclass
class Verdict:
    """What is wrong.  kind: as enum mrg_watch has it, "refused", "idle", "missing", "unexpected", "never"."""

    kind: str
    line: int  # of the trace
    state: str  # when the event came
    event: str  # "" before the first
    loc: Optional[ir.Loc]  # in the specification
    expected: Optional[Did] = None
    did: Optional[Did] = None
    rule: str = ""  # of what is never to be


def watch(m: ir_machine.Machine, trace: Trace) -> tuple[Machine, Optional[Verdict]]:
    """The machine behind what was right, and the first that is not."""
    machine = Machine(m)
    for deed in trace.before:
        return machine, Verdict("unexpected", deed.line, machine.state.name, "", None, None, deed.did)
    for i, e in enumerate(trace.events):
        last = trace.events[i + 1].line if i + 1 < len(trace.events) else 0
        found = _event(machine, e, last, trace.path)
        if found is not None:
            return machine, found
    return machine, None


def _event(machine: Machine, e: Event, following: int, path: str) -> Optional[Verdict]:
    state = machine.state.name
    if e.event.kind == "timer" and e.event.name not in machine.running:
        return Verdict("idle", e.line, state, e.event.name, e.event.loc)
    step = machine.step(e.event.name, e.values, _answers(e, path))
    loc = step.transition.loc if step.transition is not None else None
    if step.kind == "refuse":
        return Verdict("refused", e.line, state, e.event.name, loc)
    for i, deed in enumerate(e.deeds):
        expected = step.did[i] if i < len(step.did) else None
        if deed.did != expected:
            return Verdict("unexpected", deed.line, state, e.event.name, loc, expected, deed.did)
    if len(e.deeds) < len(step.did):
        line = following or (e.deeds[-1].line if e.deeds else e.line)
        return Verdict("missing", line, state, e.event.name, loc, step.did[len(e.deeds)])
    broken = machine.broken()
    if broken is not None:
        return Verdict("never", e.line, state, e.event.name, broken.loc, rule=broken.text)
    return None


def _answers(e: Event, path: str) -> Test:
    def answer(name: str, args: tuple[int, ...]) -> int:
        if name not in e.answers:
            raise Failed([Diagnostic(None, f"{path}:{e.line}: what test '{name}' said of '{e.event.name}' is not told: '? {name} = 0' or 1")])
        return e.answers[name]

    return answer


def said(m: ir_machine.Machine, trace: Trace, v: Verdict) -> str:
    """A verdict for people."""
    where = f" ({v.loc.file}:{v.loc.line})" if v.loc is not None else ""
    head = f"{trace.path}:{v.line}: in state '{v.state}'"
    on = f"{head}, on '{v.event}'{where}: " if v.event else f"{head}, before anything has come: "
    did = _shown(m, v.did) if v.did is not None else ""
    expected = _shown(m, v.expected) if v.expected is not None else ""
    if v.kind == "idle":
        return f"{head}: timer '{v.event}' goes off, and does not run{where}"
    if v.kind == "refused":
        return f"{head}: '{v.event}' is refused{where}"
    if v.kind == "missing":
        return f"{on}'{expected}' did not come"
    if v.kind == "unexpected":
        return f"{on}'{did}' came, and " + (f"'{expected}' was to" if expected else "nothing more was to")
    return f"{head}, behind '{v.event}': {v.rule}{where}"


def _shown(m: ir_machine.Machine, did: Did) -> str:
    what, args = did
    deed = next((d for d in m.deeds if f"do {d.name}" == what), None)
    if deed is None:
        return what
    return deed.name + (f"({', '.join(f'{p.name}={a}' for p, a in zip(deed.params, args))})" if args else "")
