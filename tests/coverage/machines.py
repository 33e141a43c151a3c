"""Machines: every event in every state that is come to, with each answer and each value that decides something, against the reference.

From where a machine begins, all that can come next is tried, and from each new state and value of its variables again; the C is put back
to where it was by its octets. States that there are not are tried too: they refuse everything.
"""

from __future__ import annotations

import copy
import ctypes
import itertools
import re
import subprocess
import sys
from collections import deque
from typing import Any, Iterator, Sequence

import inputs
from build import FLAGS, ROOT, SUPPORT, Build
from mrg import interp, ir, ir_machine, layout, machine_ref, names
from mrg.values import Rejection
from report import Report

sys.path.insert(0, str(ROOT / "tests/gen"))
from machine_driver import RESULTS, Driver, driver  # noqa: E402

PLACES = 250  # states with variables that are gone on from
TRIED = 96  # ways in which an event may come


class Counting(Driver):
    """The driver of the tests of machines, over C that counts its branches."""

    def __init__(self, m: ir_machine.Machine, of: Build) -> None:
        self.m = m
        self.of = of
        name = names.machine(m)
        source = of.folder / f"{name}_driver.c"
        source.write_text(driver(m) + "extern void __gcov_dump(void);\nvoid dump(void) { __gcov_dump(); }\n" + _places(m))
        library = of.folder / f"{name}.so"
        files = [p for p in of.of(m.module) if p.name.endswith("_machine.c")]
        include = [f"-I{of.generated}", f"-I{SUPPORT}"]
        objects = []
        for path in files:
            objects.append(str(of.folder / f"{path.stem}.{name}.o"))
            subprocess.run(["gcc", *FLAGS.split(), *include, "-c", "-o", objects[-1], str(path)], check=True)
        objects.append(str(of.folder / f"{name}_driver.o"))
        subprocess.run(["gcc", "-std=c11", "-O0", "-w", "-fPIC", *include, "-c", "-o", objects[-1], str(source)], check=True)
        subprocess.run(["gcc", "-shared", "--coverage", "-Wl,-Bsymbolic", "-o", str(library), *objects, str(of.library)], check=True)
        self.c = ctypes.CDLL(str(library))
        self.tests = [d.name for d in m.deeds if d.kind == "test"]
        self.answers = (ctypes.c_ubyte * 64).in_dll(self.c, "answers")
        self.c.restart()

    def put_into(self, state: int, values: Sequence[int]) -> None:
        self.c.put_into(ctypes.c_uint(state), (ctypes.c_ulonglong * max(len(values), 1))(*values))

    def call(self, name: str, argument: int) -> Any:
        function = self.c[name]
        function.restype = ctypes.c_char_p
        return function(ctypes.c_uint(argument))


def _places(m: ir_machine.Machine) -> str:
    """C that puts a machine into a state, with variables, whether that can be come to or not."""
    sets = " ".join(f"machine.{names.local(v.name)} = ({names.uint_type(v.bits)})values[{i}];" for i, v in enumerate(m.vars))
    return f"void put_into(unsigned state, const unsigned long long *values) {{ (void)values; machine.state = state; {sets} }}\n"


class Machines:
    def __init__(self, of: Build, report: Report) -> None:
        self.of = of
        self.report = report

    def run(self) -> None:
        for module in self.of.modules:
            for m in module.machines:
                if not m.part:
                    self.report.none(f"{module.name}.{m.name}", Walk(m, Counting(m, self.of)).run())


class Walk:
    def __init__(self, m: ir_machine.Machine, c: Counting) -> None:
        self.m = m
        self.c = c
        self.faults: list[str] = []
        self.ways = {e.name: list(itertools.islice(self._ways(e), TRIED)) for e in m.events}

    def run(self) -> list[str]:
        """From where the machine begins, and from each state with variables at their ends."""
        todo = deque([machine_ref.Machine(self.m), *self._anywhere()])
        seen = {self._key(r) for r in todo}
        while todo:
            reference = todo.popleft()
            for event in self.m.events:
                for octets, values, numbers, answers in self.ways[event.name]:
                    other = self._copy(reference)
                    self.c.put_into(self.m.states.index(other.state), list(other.vars.values()))
                    self._step(other, event, octets, values, numbers, answers)
                    if self._key(other) not in seen and len(seen) < PLACES:
                        seen.add(self._key(other))
                        todo.append(other)
        self._nowhere()
        self.c.c.dump()
        return self.faults

    def _anywhere(self) -> Iterator[machine_ref.Machine]:
        """Also what is never to be, of which the machine itself says so; transitions from there are as the reference has them."""
        ends = [sorted({0, 1, v.hi or (1 << v.bits) - 1}) for v in self.m.vars]
        for state in self.m.states:
            for values in itertools.islice(itertools.product(*ends), TRIED):
                other = machine_ref.Machine(self.m)
                other.state, other.vars = state, dict(zip(other.vars, values))
                self.c.put_into(self.m.states.index(state), list(values))
                if bool(self.c.c.holds()) != other.holds():
                    self.faults.append(f"{state.name} with {values}: C says that it {'holds' if self.c.c.holds() else 'does not hold'}")
                if other.holds():
                    yield other

    def _key(self, reference: machine_ref.Machine) -> object:
        return reference.state.name, tuple(reference.vars.values())

    def _copy(self, reference: machine_ref.Machine) -> machine_ref.Machine:
        other = copy.copy(reference)
        other.vars, other.running = dict(reference.vars), set(reference.running)
        return other

    def _step(
        self, reference: machine_ref.Machine, event: ir_machine.Event, octets: list[bytes], values: dict[str, int], numbers: list[int], answers: dict[str, int]
    ) -> None:
        before = self._key(reference)
        step = reference.step(event.name, values, lambda name, args: answers[name])
        want = (step.kind, [" ".join([what, *map(str, args)]) for what, args in step.did])
        got = self.c.step(event, octets, numbers, answers)
        now = (reference.state.name, list(reference.vars.values()))
        if got != want or self.c.state() != now or bool(self.c.c.holds()) != reference.holds():
            self.faults.append(f"{event.name} in {before}: C does {got} and is {self.c.state()}, the reference {want} and {now}")

    def _ways(self, e: ir_machine.Event) -> Iterator[tuple[list[bytes], dict[str, int], list[int], dict[str, int]]]:
        """Its packets, values by name, numbers, and what tests say."""
        tests = [d.name for d in self.m.deeds if d.kind == "test" and self._asked(e, d)]
        rest = {d.name: 0 for d in self.m.deeds if d.kind == "test"}
        packets = [list(self._packets(e, v)) for v in e.views]
        numbers = [sorted(self._numbers(p)) for p in e.params]
        for answers in itertools.product((0, 1), repeat=len(tests)):
            for octets in itertools.product(*packets):
                for given in itertools.product(*numbers):
                    values = dict(zip((p.name for p in e.params), given))
                    for v, data in zip(e.views, octets):
                        root = interp.parse(v.packet, data)
                        for path in machine_ref.fields_used(self.m, e):
                            if path.startswith(v.name + "."):
                                found = root.get(path.split(".", 1)[1]).value
                                assert isinstance(found, int)
                                values[path] = found
                    yield list(octets), values, list(given), rest | dict(zip(tests, answers))

    def _asked(self, e: ir_machine.Event, test: ir_machine.Deed) -> bool:
        exprs = (x for t in self.m.transitions if t.event is e for x in (t.guard, *(a for do in t.todo for a in do.args)) if x is not None)
        return any(isinstance(part, ir_machine.TestOf) and part.test is test for x in exprs for part in layout.refs(x))

    def _numbers(self, p: ir.Param) -> set[int]:
        """What decides something of a parameter: its ends, and what it is compared with."""
        out = {p.lo, p.hi or (1 << p.bits) - 1, p.lo + 1}
        if p.enum is not None:
            out |= {m.lo for m in p.enum.members}
        for t in self.m.transitions:
            for part in layout.refs(t.guard) if t.guard is not None else ():
                if isinstance(part, ir.Const):
                    out |= {part.value - 1, part.value, part.value + 1}
        return {v for v in out if p.lo <= v <= (p.hi or (1 << p.bits) - 1)}

    def _packets(self, e: ir_machine.Event, v: ir.Sub) -> Iterator[bytes]:
        """A message, and with each value of the one-bit fields that decide, and some of the others."""
        base = next(m.data for m in inputs.drawn(v.packet) if not m.args)
        root = interp.parse(v.packet, base)
        used = [root.get(path.split(".", 1)[1]) for path in machine_ref.fields_used(self.m, e) if path.startswith(v.name + ".")]
        choices = []
        for node in used:
            assert isinstance(node.item, ir.Scalar)
            choices.append((0, 1) if node.item.bits == 1 else (0, 1, (1 << node.item.bits) - 1))
        for picked in itertools.product(*choices):
            data = base
            for node, value in zip(used, picked):
                assert isinstance(node.item, ir.Scalar)
                data = inputs.put(data, node.bit_off, node.item.bits, value, node.item.endian == "little")
            try:
                interp.parse(v.packet, data)
            except Rejection:
                continue
            yield data

    def _nowhere(self) -> None:
        """A state that there is not: everything is refused, nothing is done. Names of states and transitions, and of none."""
        name = names.machine(self.m)
        for i, s in enumerate(self.m.states):
            if self.c.call(f"{name}_state_str", i) != s.name.encode():
                self.faults.append(f"state {i} is not called {s.name}")
        for t in self.m.transitions:
            if not self.c.call(f"{name}_transition_str", t.number):
                self.faults.append(f"transition {t.number} has no name")
        for verb in ("state_str", "transition_str"):
            if self.c.call(f"{name}_{verb}", 60000) is not None:
                self.faults.append(f"{verb} has a name for what there is not")
        self.c.c.restart()
        header = (self.c.of.generated / names.header(self.m.module)).read_text()
        width = re.search(rf"^struct {name} {{\n\tuint8_t state(?: : (\d))?;", header, re.M)
        none = (1 << int(width[1] or 8)) - 1 if width is not None else 0
        if none < len(self.m.states):
            return  # each number that fits is a state
        for event in self.m.events:
            octets, _, numbers, answers = self.ways[event.name][0]
            self.c.put_into(none, self.m.first)
            kind, did = self.c.step(event, octets, numbers, answers)
            if (kind, did) != (RESULTS[2], []) or self.c.c.state() != none:
                self.faults.append(f"{event.name} where there is no state: {kind} {did}")
