"""Checks on the messages drawn for a module, and its generated C held against the interpreter."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Iterable, Sequence

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parents[1] / "gen")]
import vector_run  # noqa: E402
from interp_specs import module  # noqa: E402
from report import Report  # noqa: E402

from mrg import ir  # noqa: E402
from mrg.emit.tests_c import Sample, uses_extern  # noqa: E402
from mrg.errors import Failed  # noqa: E402
from mrg.interp import parse  # noqa: E402
from mrg.interp_build import build, values_of  # noqa: E402
from mrg.values import Buf  # noqa: E402
from mrg.vectors import Message, messages  # noqa: E402

COUNTED = re.compile(r"^(\d+) passed, (\d+) failed$", re.M)


def drawn(report: Report, packet: ir.Packet, count: int) -> None:
    """Drawn messages are read, build the same bytes again, and are the same in the next run."""
    got = messages(packet, count)
    name = f"{packet.module.name}:{packet.name}"
    report.check(f"{name} has messages", bool(got))
    report.check(f"{name} draws the same again", [m.data for m in messages(packet, count)] == [m.data for m in got])
    for m in got:
        again(report, name, packet, m)


def again(report: Report, name: str, packet: ir.Packet, m: Message) -> None:
    node = parse(packet, m.data, m.arguments(packet))
    values = values_of(node)
    empty = iter(m.args)
    args = [Buf(b"", 0, 0) if p.kind == "buffer" else next(empty) for p in packet.params]
    rebuilt = build(packet, values, args)
    report.check(f"{name} round trip", rebuilt == m.data, f"{m.data.hex()}\n{rebuilt.hex()}")
    if all(p.kind != "buffer" for p in packet.params):
        small = build(packet, values, args, compress=True)
        plain = build(packet, values_of(parse(packet, small, m.arguments(packet))), args)
        good = len(small) <= len(m.data) and plain.lower() == m.data.lower()
        report.check(f"{name} compressed round trip", good, f"{m.data.hex()}\n{small.hex()}\n{plain.hex()}")


def compiled(report: Report, m: ir.Module, samples: Iterable[Sample]) -> None:
    """The module's test program: its counts are added to ours."""
    output = vector_run.run(m, samples)
    counts = COUNTED.findall(output)
    if not report.check(f"{m.name}: the test program runs to its end", bool(counts), output[-6000:]):
        return
    report.passed += int(counts[-1][0])
    report.failed += int(counts[-1][1])
    if int(counts[-1][1]):
        print(f"{m.name}: generated C and interpreter differ\n{output[:12000]}")


def suite(names: Sequence[str], samples: Iterable[Sample] = (), count: int = 8) -> int:
    """Everything for these modules; the exit status."""
    report = Report()
    samples = list(samples)
    for name in names:
        try:
            m = module(name)
        except Failed as failed:
            report.check(f"{name} is a specification", False, failed.render())
            continue
        for packet in m.packets:
            if not uses_extern(packet):
                drawn(report, packet, count)
        compiled(report, m, samples)
    return report.finish()
