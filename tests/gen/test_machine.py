#!/usr/bin/env python3
"""Machines: the C beside the reference, on events in any order, until each transition was taken.

Packets are octets that the C checks and the reference reads; tests are answered by chance, the same for both.
"""

from __future__ import annotations

import copy
import random
import sys
import tempfile
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "gen"), str(ROOT / "tests")]

from machine_driver import Driver, files_of  # noqa: E402
from mrg import interp, ir, ir_machine, machine_ref  # noqa: E402
from mrg.load import load  # noqa: E402
from mrg.values import Node  # noqa: E402
from report import Report  # noqa: E402

STEPS, MOST = 4000, 60000  # events for each machine: as many as it takes to have taken each transition
HERE = Path(__file__).resolve().parent
SPECS = [*sorted((HERE / "machines" / "made").glob("*.mrg")), *sorted((ROOT / "specs").glob("**/*.mrg"))]


def octets_of(v: ir.Sub, rng: random.Random) -> bytes:
    """A packet of fixed size that is well-formed: by chance, until it is."""
    while True:
        data = rng.randbytes(v.packet.size_min)
        try:
            interp.parse(v.packet, data)
        except interp.Rejection:
            continue
        return data


def good(report: Report, is_so: bool, what: str) -> None:
    report.check(what, is_so)
    if report.failed == 20:
        print("and so on")
        sys.exit(report.finish())


def field(root: Node, path: str) -> int:
    value = root.get(path).value
    assert isinstance(value, int)
    return value


class Again:
    """The last event may come again, as long as that changes variables: what is counted is to come to its end."""

    def __init__(self) -> None:
        self.event: Event | None = None
        self.left = 0


class Event:
    """One that may come: its packets and numbers, and what tests say."""

    def __init__(self, reference: machine_ref.Machine, rng: random.Random) -> None:
        m = reference.m
        running = [e for e in m.events if e.name in reference.running]
        self.event = rng.choice(running) if running and rng.random() < 0.4 else rng.choice(m.events)
        self.octets = [octets_of(v, rng) for v in self.event.views]
        self.values = {p.name: rng.randint(p.lo, p.hi) for p in self.event.params}
        self.numbers = list(self.values.values())
        for v, data in zip(self.event.views, self.octets):
            root = interp.parse(v.packet, data)
            for path in machine_ref.fields_used(m, self.event):
                if path.startswith(v.name + "."):
                    self.values[path] = field(root, path.split(".", 1)[1])
        self.answers = {d.name: rng.randrange(2) for d in m.deeds if d.kind == "test"}

    def step(self, reference: machine_ref.Machine) -> machine_ref.Step:
        return reference.step(self.event.name, self.values, lambda name, args: self.answers[name])

    def known(self, reference: machine_ref.Machine, seen: Counter[object]) -> int:
        """How often its transition was taken, and where it leads was come to."""
        other = copy.copy(reference)
        other.vars, other.running = dict(reference.vars), set(reference.running)
        return seen[self.step(other).transition] + seen[other.state]


def one_step(
    report: Report, drivers: list[Driver], reference: machine_ref.Machine, seen: Counter[object], again: Again, rng: random.Random
) -> None:
    """Any event; mostly the one of some that is known least, or the last one again."""
    m = reference.m
    e = again.event
    if e is None or again.left == 0:
        some = [Event(reference, rng) for _ in range(rng.choice((1, 12, 12)))]
        e = min(some, key=lambda e: e.known(reference, seen))
        again.event, again.left = e, rng.choices((0, 300), (9, 1))[0]
    else:
        again.left -= 1
    event = e.event
    if event.kind == "timer" and event.name not in reference.running and rng.random() < 0.9:
        return
    before, were = reference.state.name, list(reference.vars.values())
    step = e.step(reference)
    seen.update([step.transition, reference.state])
    want = (step.kind, [" ".join([what, *map(str, args)]) for what, args in step.did])
    now = (reference.state.name, list(reference.vars.values()))
    if now[0] != before or now[1] == were:
        again.left = 0
    for d in drivers:
        got = d.step(event, e.octets, e.numbers, e.answers)
        good(report, got == want, f"{m.name}: {event.name} in {before}: C did {got}, the reference {want}")
        good(report, d.state() == now, f"{m.name}: behind {event.name} in {before} C is {d.state()}, the reference {now}")
        good(report, bool(d.c.holds()) == reference.holds(), f"{m.name}: holds() behind {event.name} in {before}")


def is_over(state: ir_machine.State) -> bool:
    """Nothing leads out of it."""
    return all(t.to in (None, state) for ts in state.on.values() for t in ts)


def run(report: Report, m: ir_machine.Machine, modules: list[ir.Module], room: Path) -> None:
    drivers = [Driver(m, files_of(modules), room, cc) for cc in ("gcc", "clang")]
    reference = machine_ref.Machine(m)
    rng = random.Random(m.name)
    seen: Counter[object] = Counter()
    again = Again()
    for i in range(MOST):
        if i > STEPS and i % 500 == 499 and all(times > 0 for d in drivers for times in d.taken()):
            break
        if i % 500 == 499 or (is_over(reference.state) and rng.random() < 0.2):
            reference = machine_ref.Machine(m)
            for d in drivers:
                d.c.restart()
        one_step(report, drivers, reference, seen, again, rng)
    for d in drivers:
        for t, times in zip(m.transitions, d.taken()):
            good(report, times > 0, f"{m.name}: transition {t.number} (line {t.loc.line}) was never taken")


def main() -> int:
    report = Report()
    for spec in SPECS:
        if "\nmachine " not in spec.read_text(encoding="utf-8"):
            continue
        modules = load([str(spec)], [str(HERE / "machines"), str(ROOT / "specs")])
        for m in (m for m in modules[-1].machines if not m.part):
            with tempfile.TemporaryDirectory() as room:
                run(report, m, modules, Path(room))
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
